/* test_machine.c - questions, budgets and memory of a run, as a host sees them
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "tamis.h"

#if ARENA_POISONS
#include <sanitizer/asan_interface.h>
#endif

static struct tamis_text
text(const char *s)
{
	return (struct tamis_text){ s, strlen(s) };
}

/* A host that answers with what comes next, and counts. */
struct world {
	struct tamis_host host;
	enum tamis_answer answer[8];
	unsigned asked, polled, stop_at, reported;
	char said[400];
	struct tamis_program *program;
	struct tamis_message *message;
	struct tamis_recipient *recipient;
	struct tamis_outcome *outcome;
};

static enum tamis_answer
world_ask(void *ctx, struct tamis_recipient *r, struct tamis_text what, struct tamis_text key, struct tamis_text *ret)
{
	struct world *w = ctx;

	(void)r;
	ck_assert_str_eq(what.s, "environment");
	ck_assert_str_eq(key.s, "vnd.example.color");
	*ret = text("blue");
	return w->answer[w->asked++];
}

static bool
world_stop(void *ctx)
{
	struct world *w = ctx;

	return ++w->polled >= w->stop_at && w->stop_at;
}

static void
world_report(void *ctx, const struct tamis_diagnostic *d)
{
	struct world *w = ctx;

	w->reported++;
	snprintf(w->said, sizeof w->said, "%s", d->text);
}

static void
world_start(struct world *w, const struct tamis_limits *limits, const char *rules)
{
	w->host = (struct tamis_host){ .ctx = w, .limits = limits, .ask = world_ask, .stop = world_stop, .report = world_report };
	w->program = tamis_compile(&w->host, text("rules"), text(rules), 0);
	ck_assert_ptr_nonnull(w->program);
	w->message = tamis_message_new();
	tamis_message_header(w->message, text("Subject: x\r\n\r\n"));
	w->recipient = tamis_recipient_new(w->message, text("a@example.org"), 0, NULL);
	w->outcome = tamis_outcome_new(w->recipient);
}

static enum tamis_status
world_run(struct world *w, enum tamis_stage stage)
{
	tamis_outcome_free(w->outcome);
	w->outcome = tamis_outcome_new(w->recipient);
	return tamis_run(w->program, w->outcome, stage, &w->host);
}

static enum tamis_effect_kind
world_first(const struct world *w)
{
	const struct tamis_effect *e = tamis_outcome_next(w->outcome, NULL);

	ck_assert_ptr_nonnull(e);
	return e->kind;
}

static void
world_end(struct world *w)
{
	tamis_outcome_free(w->outcome);
	tamis_recipient_free(w->recipient);
	tamis_message_free(w->message);
	tamis_program_unref(w->program);
}

static const char blue[] = "require \"environment\"; if environment \"vnd.example.color\" \"blue\" { discard; }";

/* --- questions */

/* What the host says later changes nothing: all runs of a recipient see the same world. */
START_TEST(answer_remembered)
{
	static const enum tamis_answer first[] = { TAMIS_YES, TAMIS_NO };
	struct world w = { .answer = { first[_i], first[!_i], first[!_i] } };

	world_start(&w, NULL, blue);
	for (int stage = TAMIS_ENVELOPE; stage <= TAMIS_BODY; stage++) {
		ck_assert_int_eq(world_run(&w, (enum tamis_stage)stage), TAMIS_DECIDED);
		ck_assert_int_eq(world_first(&w), first[_i] == TAMIS_YES ? TAMIS_DISCARD : TAMIS_KEEP);
	}
	ck_assert_uint_eq(w.asked, 1);
	world_end(&w);
}
END_TEST

/* "Not known now" is no answer: the run waits, even at the last stage, and asks again. */
START_TEST(answer_later)
{
	struct world w = { .answer = { TAMIS_LATER, TAMIS_LATER, TAMIS_YES } };

	world_start(&w, NULL, blue);
	ck_assert_int_eq(world_run(&w, TAMIS_ENVELOPE), TAMIS_WAITING);
	ck_assert_int_eq(world_run(&w, TAMIS_BODY), TAMIS_WAITING);
	ck_assert_int_eq(world_run(&w, TAMIS_BODY), TAMIS_DECIDED);
	ck_assert_int_eq(world_first(&w), TAMIS_DISCARD);
	ck_assert(!tamis_outcome_degraded(w.outcome));
	ck_assert_uint_eq(w.asked, 3);
	world_end(&w);
}
END_TEST

/* Answers that are handed in are asked for no more. */
START_TEST(answer_given)
{
	struct world w = { .answer = { TAMIS_LATER } };

	world_start(&w, NULL, blue);
	ck_assert_int_eq(world_run(&w, TAMIS_BODY), TAMIS_WAITING);
	tamis_recipient_answer(w.recipient, text("environment"), text("vnd.example.color"), TAMIS_YES, text("blue"));
	ck_assert_int_eq(world_run(&w, TAMIS_BODY), TAMIS_DECIDED);
	ck_assert_int_eq(world_first(&w), TAMIS_DISCARD);
	ck_assert_uint_eq(w.asked, 1);
	world_end(&w);
}
END_TEST

/* Nobody knows: undecided while more may come, degraded at the end. */
START_TEST(answer_unavailable)
{
	struct world w = { .answer = { TAMIS_UNAVAILABLE, TAMIS_UNAVAILABLE, TAMIS_YES } };

	world_start(&w, NULL, blue);
	ck_assert_int_eq(world_run(&w, TAMIS_HEADER), TAMIS_UNDECIDED);
	ck_assert_int_eq(world_run(&w, TAMIS_BODY), TAMIS_DECIDED);
	ck_assert_int_eq(world_first(&w), TAMIS_KEEP);
	ck_assert(tamis_outcome_degraded(w.outcome));
	ck_assert_int_eq(world_run(&w, TAMIS_BODY), TAMIS_DECIDED);
	ck_assert_int_eq(world_first(&w), TAMIS_DISCARD);
	world_end(&w);
}
END_TEST

/* --- budgets */

/* n conditions about nothing */
static char *
long_rules(unsigned n)
{
	static const char rule[] = "if anyof(false, true) { set \"a\" \"b\"; }\n", head[] = "require \"variables\";\n";
	size_t size = sizeof rule - 1;
	char *rules = mem_alloc(sizeof head + n * size);

	memcpy(rules, head, sizeof head);
	for (unsigned i = 0; i < n; i++)
		memcpy(rules + sizeof head - 1 + i * size, rule, sizeof rule);
	return rules;
}

/* Instructions are work, whatever they do; reached early, the budget may yet suffice. */
START_TEST(work_of_instructions)
{
	struct tamis_limits limits = tamis_limits_default;
	struct world w = { .reported = 0 };
	char *rules = long_rules(2000);

	limits.work = 4000;
	world_start(&w, &limits, rules);
	ck_assert_int_eq(world_run(&w, TAMIS_ENVELOPE), TAMIS_UNDECIDED);
	ck_assert_int_eq(world_run(&w, TAMIS_HEADER), TAMIS_UNDECIDED);
	ck_assert_uint_eq(w.reported, 0);
	ck_assert_int_eq(world_run(&w, TAMIS_BODY), TAMIS_FAILED);
	ck_assert_str_eq(w.said, "too much work for one message (limit 'work')");
	ck_assert_int_eq(world_first(&w), TAMIS_KEEP);
	world_end(&w);
	limits.work = 100000;
	w = (struct world){ .reported = 0 };
	world_start(&w, &limits, rules);
	ck_assert_int_eq(world_run(&w, TAMIS_BODY), TAMIS_DECIDED);
	world_end(&w);
	free(rules);
}
END_TEST

/* The host is asked again and again whether there is time, and is obeyed: the message is kept. */
START_TEST(stopped_by_the_host)
{
	struct world w = { .stop_at = 3 };
	char *rules = long_rules(20000);

	world_start(&w, NULL, rules);
	ck_assert_int_eq(world_run(&w, TAMIS_BODY), TAMIS_FAILED);
	ck_assert_uint_eq(w.polled, 3);
	ck_assert_str_eq(w.said, "stopped by the host: no time left");
	ck_assert_int_eq(world_first(&w), TAMIS_KEEP);
	w.stop_at = w.polled = 0;
	ck_assert_int_eq(world_run(&w, TAMIS_BODY), TAMIS_DECIDED);
	ck_assert_uint_gt(w.polled, 3);
	world_end(&w);
	free(rules);
}
END_TEST

/* --- memory */

/* What lies between two allocations is nobody's, and so is all after a reset. */
START_TEST(memory_between)
{
	struct arena a = { 0 };
	char *p = arena_alloc(&a, 16), *q = arena_alloc(&a, 5);

	memset(p, 1, 16);
	memset(q, 2, 5);
	ck_assert_int_eq(p[15], 1);
#if ARENA_POISONS
	ck_assert(!__asan_address_is_poisoned(p + 15));
	ck_assert(__asan_address_is_poisoned(p + 16));
	ck_assert(__asan_address_is_poisoned(q + 5));
	arena_reset(&a);
	ck_assert(__asan_address_is_poisoned(p));
#endif
	arena_done(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("machine");
	TCase *t = tcase_create("machine");
	SRunner *runner;
	int failed;

	tcase_set_timeout(t, 600);
	tcase_add_loop_test(t, answer_remembered, 0, 2);
	tcase_add_test(t, answer_later);
	tcase_add_test(t, answer_given);
	tcase_add_test(t, answer_unavailable);
	tcase_add_test(t, work_of_instructions);
	tcase_add_test(t, stopped_by_the_host);
	tcase_add_test(t, memory_between);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
