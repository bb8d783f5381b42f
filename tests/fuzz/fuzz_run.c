/* fuzz_run.c - any rules over any message, at each stage: what is decided early stays so
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "fuzz.h"

/* between the rules and the message */
#define BORDER "\n--\n"

/* An early decision is final: the whole message leads to the same one. */
static void
check_early(const struct tamis_program *program, struct tamis_text raw, enum tamis_stage stage,
            const struct fuzz_result *late)
{
	struct fuzz_result early;

	fuzz_run(program, raw, stage, &early);
	/* the late run also does what the early one could not, and may reach a limit by it */
	if (early.status == TAMIS_DECIDED && !late->limited) {
		FUZZ_CHECK(late->status == TAMIS_DECIDED);
		FUZZ_CHECK(early.degraded == late->degraded);
		FUZZ_CHECK(early.keeps == late->keeps);
		FUZZ_CHECK(early.len <= late->len);
		FUZZ_CHECK(!early.len || !memcmp(early.text, late->text, early.len));
	}
	fuzz_result_done(&early);
}

static void
run(struct tamis_text rules, struct tamis_text raw)
{
	struct tamis_host host = fuzz_host_for(rules);
	struct tamis_program *plain = tamis_compile(&host, FUZZ_TEXT("fuzz"), rules, 0);
	struct tamis_program *resident;
	struct fuzz_result late, indexed;

	if (!plain)
		return;
	fuzz_run(plain, raw, TAMIS_BODY, &late);
	check_early(plain, raw, TAMIS_ENVELOPE, &late);
	check_early(plain, raw, TAMIS_HEADER, &late);
	resident = tamis_compile(&host, FUZZ_TEXT("fuzz"), rules, TAMIS_RESIDENT);
	FUZZ_CHECK(resident);
	fuzz_run(resident, raw, TAMIS_BODY, &indexed);
	/* the index saves work, so a run that reached its limit may now end */
	if (late.status == TAMIS_DECIDED) {
		FUZZ_CHECK(indexed.status == TAMIS_DECIDED);
		FUZZ_CHECK(indexed.len == late.len && !memcmp(indexed.text, late.text, late.len));
	}
	fuzz_result_done(&late);
	fuzz_result_done(&indexed);
	tamis_program_unref(plain);
	tamis_program_unref(resident);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *border = size ? memmem(data, size, BORDER, strlen(BORDER)) : NULL;
	struct tamis_text rules, raw;

	if (!border)
		return 0;
	rules = (struct tamis_text){ (const char *)data, (size_t)(border + 1 - (const char *)data) };
	raw = (struct tamis_text){ border + strlen(BORDER), size - rules.len - strlen(BORDER) + 1 };
	run(rules, raw);
	return 0;
}
