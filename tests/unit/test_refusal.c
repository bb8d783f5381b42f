/* test_refusal.c - which refusals may be said at RCPT TO
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tamis.h"

#define TEXT(literal) ((struct tamis_text){ (literal), sizeof(literal) - 1 })

static const struct {
	const char *rules;
	enum tamis_effect_kind kind;
	bool early;
} refusals[] = {
	{ "require \"ereject\"; ereject \"no\";", TAMIS_REJECT, true },
	/* RFC 5429 2.3: not silently upgraded */
	{ "require \"reject\"; reject \"no\";", TAMIS_REJECT, false },
	{ "discard;", TAMIS_DISCARD, false },
	{ "keep;", TAMIS_KEEP, false },
	/* an item that cannot be told makes the refusal a keep, and that is no refusal */
	{ "require [\"ereject\", \"environment\"]; if environment \"x\" \"y\" { stop; } ereject \"no\";", TAMIS_KEEP, false },
};

static enum tamis_answer
unavailable(void *ctx, struct tamis_recipient *r, struct tamis_text what, struct tamis_text key, struct tamis_text *ret)
{
	(void)ctx;
	(void)r;
	(void)what;
	(void)key;
	(void)ret;
	return TAMIS_UNAVAILABLE;
}

START_TEST(refusal_early)
{
	const struct tamis_host host = { .ask = unavailable };
	struct tamis_program *p = tamis_compile(&host, TEXT("x"), (struct tamis_text){ refusals[_i].rules, strlen(refusals[_i].rules) }, 0);
	struct tamis_message *m = tamis_message_new();
	struct tamis_recipient *r = tamis_recipient_new(m, TEXT("a@example.org"), 0, NULL);
	struct tamis_outcome *o = tamis_outcome_new(r);
	const struct tamis_effect *e;

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(tamis_run(p, o, TAMIS_BODY, &host), TAMIS_DECIDED);
	e = tamis_outcome_next(o, NULL);
	ck_assert_ptr_nonnull(e);
	ck_assert_ptr_null(tamis_outcome_next(o, e));
	ck_assert_int_eq(e->kind, refusals[_i].kind);
	ck_assert_int_eq(e->early, refusals[_i].early);
	tamis_outcome_free(o);
	tamis_recipient_free(r);
	tamis_message_free(m);
	tamis_program_unref(p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("refusal");
	TCase *t = tcase_create("refusal");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, refusal_early, 0, (int)(sizeof refusals / sizeof *refusals));
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
