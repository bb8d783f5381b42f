/* fuzz_rules.c - any bytes as rules: lexer, parser, compiler, verifier, listings
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "fuzz.h"

static void
take_line(void *ctx, const char *line)
{
	*(size_t *)ctx += strlen(line);
}

static void
take_point(void *ctx, const struct tamis_point *point)
{
	(void)ctx;
	FUZZ_CHECK(point->name.len > 0);
	FUZZ_CHECK(point->stage <= TAMIS_BODY);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tamis_text rules = { size ? (const char *)data : "", size };
	struct tamis_host host = fuzz_host_for(rules);
	struct tamis_program *plain = tamis_compile(&host, FUZZ_TEXT("fuzz"), rules, 0);
	struct tamis_program *resident = tamis_compile(&host, FUZZ_TEXT("fuzz"), rules, TAMIS_RESIDENT);
	size_t printed = 0;

	/* an index changes speed and nothing else */
	FUZZ_CHECK(!plain == !resident);
	if (plain) {
		FUZZ_CHECK(tamis_program_needs(plain) == tamis_program_needs(resident));
		FUZZ_CHECK(tamis_program_effects(plain) == tamis_program_effects(resident));
		tamis_program_dump(plain, take_line, &printed);
		FUZZ_CHECK(printed > 0);
		tamis_program_dump(resident, take_line, &printed);
		tamis_program_points(plain, take_point, NULL);
	}
	tamis_program_unref(plain);
	tamis_program_unref(resident);
	return 0;
}
