/* test_environment.c - which items rules will ask for, and what answers them
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tamis.h"

#define TEXT(literal) ((struct tamis_text){ (literal), sizeof(literal) - 1 })

static const char rules[] =
	"require [\"environment\", \"variables\"];\n"
	"set \"item\" \"x\";\n"
	"if anyof (environment \"name\" \"other\", environment \"REMOTE-IP\" \"192.0.2.1\", environment \"from\" \"x\",\n"
	"          environment \"vnd.example.${item}\" \"y\", environment \"Vnd.Example.Color\" \"blue\") { discard; }\n";

struct wanted {
	unsigned n;
	char text[200];
};

static void
want(void *ctx, struct tamis_recipient *r, struct tamis_text what, struct tamis_text key)
{
	struct wanted *w = ctx;
	size_t used = strlen(w->text);

	(void)r;
	w->n++;
	snprintf(w->text + used, sizeof w->text - used, "%.*s %.*s\n", (int)what.len, what.s, (int)key.len, key.s);
}

static enum tamis_effect_kind
first_effect(struct tamis_program *p, struct tamis_recipient *r)
{
	struct tamis_outcome *o = tamis_outcome_new(r);
	enum tamis_effect_kind kind;

	ck_assert_int_eq(tamis_run(p, o, TAMIS_BODY, NULL), TAMIS_DECIDED);
	kind = tamis_outcome_next(o, NULL)->kind;
	tamis_outcome_free(o);
	return kind;
}

/* Only what is no fact of the standard, and constant, is asked for ahead, by its name in small letters; once it is
 * answered no more.  A host that answers nothing has no such item. */
START_TEST(questions)
{
	struct tamis_program *p = tamis_compile(NULL, TEXT("x"), TEXT(rules), 0);
	struct tamis_message *m = tamis_message_new();
	struct tamis_recipient *r = tamis_recipient_new(m, TEXT("a@example.org"), 0, NULL);
	struct wanted w = { 0 };

	ck_assert_ptr_nonnull(p);
	tamis_questions(p, r, TAMIS_ENVELOPE, want, &w);
	ck_assert_str_eq(w.text, "environment vnd.example.color\n");
	ck_assert_int_eq(first_effect(p, r), TAMIS_KEEP);
	tamis_recipient_answer(r, TEXT("environment"), TEXT("vnd.example.color"), TAMIS_YES, TEXT("Blue"));
	tamis_questions(p, r, TAMIS_ENVELOPE, want, &w);
	ck_assert_uint_eq(w.n, 1);
	ck_assert_int_eq(first_effect(p, r), TAMIS_DISCARD);
	tamis_recipient_free(r);
	tamis_message_free(m);
	tamis_program_unref(p);
}
END_TEST

/* A recipient's own fact comes before the message's; both may be named in any case. */
START_TEST(facts)
{
	struct tamis_program *p = tamis_compile(NULL, TEXT("x"), TEXT(rules), 0);
	struct tamis_message *m = tamis_message_new();
	struct tamis_recipient *r, *other;

	ck_assert_ptr_nonnull(p);
	tamis_message_fact(m, TEXT("Remote-IP"), TEXT("192.0.2.1"));
	r = tamis_recipient_new(m, TEXT("a@example.org"), 0, NULL);
	other = tamis_recipient_new(m, TEXT("b@example.org"), 0, NULL);
	tamis_recipient_fact(other, TEXT("remote-ip"), TEXT("192.0.2.2"));
	ck_assert_int_eq(first_effect(p, r), TAMIS_DISCARD);
	ck_assert_int_eq(first_effect(p, other), TAMIS_KEEP);
	/* the last that is told counts, however the name is spelt */
	tamis_message_fact(m, TEXT("REMOTE-IP"), TEXT("192.0.2.2"));
	ck_assert_int_eq(first_effect(p, r), TAMIS_KEEP);
	tamis_message_fact(m, TEXT("Remote-IP"), TEXT("192.0.2.1"));
	ck_assert_int_eq(first_effect(p, r), TAMIS_DISCARD);
	tamis_recipient_free(other);
	tamis_recipient_free(r);
	tamis_message_free(m);
	tamis_program_unref(p);
}
END_TEST

static void
tell(void *ctx, struct tamis_message *m)
{
	++*(int *)ctx;
	tamis_message_fact(m, TEXT("remote-ip"), TEXT("192.0.2.1"));
}

/* Facts that are told when somebody asks: once, and what is told beside them counts more. */
START_TEST(facts_on_demand)
{
	struct tamis_program *p = tamis_compile(NULL, TEXT("x"), TEXT(rules), 0), *q = tamis_compile(NULL, TEXT("x"), TEXT("keep;"), 0);
	struct tamis_message *m = tamis_message_new();
	struct tamis_recipient *r = tamis_recipient_new(m, TEXT("a@example.org"), 0, NULL);
	int told = 0;

	ck_assert_ptr_nonnull(p);
	tamis_message_facts(m, tell, &told);
	ck_assert_int_eq(first_effect(q, r), TAMIS_KEEP);
	ck_assert_int_eq(told, 0);
	ck_assert_int_eq(first_effect(p, r), TAMIS_DISCARD);
	ck_assert_int_eq(first_effect(p, r), TAMIS_DISCARD);
	ck_assert_int_eq(told, 1);
	tamis_message_reset(m);
	tamis_message_facts(m, tell, &told);
	tamis_message_fact(m, TEXT("remote-ip"), TEXT("192.0.2.2"));
	ck_assert_int_eq(first_effect(p, r), TAMIS_KEEP);
	ck_assert_int_eq(told, 2);
	/* what is reset asks nobody */
	tamis_message_facts(m, tell, &told);
	tamis_message_reset(m);
	ck_assert_int_eq(first_effect(p, r), TAMIS_KEEP);
	ck_assert_int_eq(told, 2);
	tamis_recipient_free(r);
	tamis_message_free(m);
	tamis_program_unref(p);
	tamis_program_unref(q);
}
END_TEST

/* What is reset is as new: nothing of the one before, of his facts or of what was decided for him, is left. */
START_TEST(resets)
{
	static const char keeps[] = "require \"envelope\"; if not envelope :is \"to\" \"b@example.org\" { discard; }";
	struct tamis_program *p = tamis_compile(NULL, TEXT("x"), TEXT(rules), 0), *q = tamis_compile(NULL, TEXT("x"), TEXT(keeps), 0);
	struct tamis_message *m = tamis_message_new();
	struct tamis_recipient *r = tamis_recipient_new(m, TEXT("a@example.org"), 0, NULL);
	struct tamis_outcome *o = tamis_outcome_new(r);

	ck_assert_ptr_nonnull(p);
	ck_assert_ptr_nonnull(q);
	tamis_recipient_fact(r, TEXT("remote-ip"), TEXT("192.0.2.1"));
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(tamis_run(p, o, TAMIS_BODY, NULL), TAMIS_DECIDED);
		ck_assert_int_eq(tamis_outcome_next(o, NULL)->kind, TAMIS_DISCARD);
		tamis_outcome_reset(o);
		ck_assert_ptr_null(tamis_outcome_next(o, NULL));
	}
	ck_assert_int_eq(tamis_run(q, o, TAMIS_BODY, NULL), TAMIS_DECIDED);
	ck_assert_int_eq(tamis_outcome_next(o, NULL)->kind, TAMIS_DISCARD);
	tamis_outcome_reset(o);
	tamis_message_reset(m);
	tamis_recipient_reset(r, TEXT("b@example.org"), 0, NULL);
	ck_assert_int_eq(first_effect(q, r), TAMIS_KEEP);
	ck_assert_int_eq(tamis_run(p, o, TAMIS_BODY, NULL), TAMIS_DECIDED);
	ck_assert_int_eq(tamis_outcome_next(o, NULL)->kind, TAMIS_KEEP);
	tamis_outcome_free(o);
	tamis_recipient_free(r);
	tamis_message_free(m);
	tamis_program_unref(p);
	tamis_program_unref(q);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("environment");
	TCase *t = tcase_create("environment");
	SRunner *runner;
	int failed;

	tcase_add_test(t, questions);
	tcase_add_test(t, facts);
	tcase_add_test(t, facts_on_demand);
	tcase_add_test(t, resets);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
