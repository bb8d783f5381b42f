/* test_ext_include.c - includes: hosts that cannot read, and scripts that include each other at random
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tamis.h"

#define TEXT(literal) ((struct tamis_text){ (literal), sizeof(literal) - 1 })

enum { SCRIPTS = 5, LINES = 4, ROUNDS = 3000, TEXT_MAX = 4096 };

static struct tamis_text
text(const char *s)
{
	return (struct tamis_text){ s, strlen(s) };
}

/* --- one compilation, one run */

struct scene {
	int found;                      /* what load() answers when nothing is there */
	char script[SCRIPTS][TEXT_MAX]; /* "s0"..., personal */
	unsigned errors, warnings;
	char report[512];               /* the last run-time error */
};

static int
scene_load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	struct scene *s = ctx;

	if (kind.len != 8 || memcmp(kind.s, "personal", 8) || name.len != 2 || name.s[0] != 's' || name.s[1] < '0' ||
	    name.s[1] >= '0' + SCRIPTS || !*s->script[name.s[1] - '0'])
		return s->found;
	*ret = text(s->script[name.s[1] - '0']);
	return 1;
}

static void
scene_report(void *ctx, const struct tamis_diagnostic *d)
{
	struct scene *s = ctx;

	s->errors += d->severity == TAMIS_ERROR;
	s->warnings += d->severity == TAMIS_WARNING;
	snprintf(s->report, sizeof s->report, "%s", d->text);
}

/* What the rules do to a message: "keep", or mailboxes with a blank behind each; "failed" */
static void
scene_run(struct scene *s, const struct tamis_limits *limits, const char *name, const char *rules, char *out)
{
	const struct tamis_host host = { .ctx = s, .limits = limits, .load = scene_load, .report = scene_report };
	struct tamis_program *p = tamis_compile(&host, text(name), text(rules), 0);
	struct tamis_message *m = tamis_message_new();
	struct tamis_recipient *r = tamis_recipient_new(m, TEXT("a@example.org"), 0, NULL);
	struct tamis_outcome *o = tamis_outcome_new(r);
	const struct tamis_effect *e = NULL;

	ck_assert_ptr_nonnull(p);
	*out = '\0';
	if (tamis_run(p, o, TAMIS_BODY, &host) == TAMIS_FAILED)
		strcpy(out, "failed");
	else
		while ((e = tamis_outcome_next(o, e)))
			if (e->kind == TAMIS_FILE)
				sprintf(out + strlen(out), "%.*s ", (int)e->options[0].value.len, e->options[0].value.s);
			else
				strcat(out, "keep");
	tamis_outcome_free(o);
	tamis_recipient_free(r);
	tamis_message_free(m);
	tamis_program_unref(p);
}

/* --- hosts */

START_TEST(include_unreadable)
{
	struct scene s = { .found = -1 };
	char out[TEXT_MAX];

	scene_run(&s, NULL, "x", "require \"include\"; if false { include \"s1\"; }", out);
	ck_assert_str_eq(out, "keep");
	ck_assert_uint_eq(s.warnings, 1);
	ck_assert_uint_eq(s.errors, 0);
	scene_run(&s, NULL, "x", "require \"include\"; include \"s1\"; discard;", out);
	ck_assert_str_eq(out, "failed");
	ck_assert_str_eq(s.report, "personal script \"s1\" cannot be read now");
	/* it may be there */
	scene_run(&s, NULL, "x", "require \"include\"; include :optional \"s1\"; discard;", out);
	ck_assert_str_eq(out, "failed");
	s.found = 0;
	scene_run(&s, NULL, "x", "require \"include\"; include :optional \"s1\";", out);
	ck_assert_str_eq(out, "keep");
}
END_TEST

START_TEST(include_without_host)
{
	struct tamis_program *p = tamis_compile(NULL, TEXT("x"), TEXT("require \"include\"; include \"s1\";"), 0);

	ck_assert_ptr_nonnull(p);
	tamis_program_unref(p);
}
END_TEST

/* The file that was given is the script of that name, wherever it is. */
START_TEST(include_main)
{
	static const char rules[] = "require [\"include\", \"fileinto\"]; fileinto \"x\"; include \"s1\";";
	static const char *const names[] = { "s1", "s1.sieve", "/home/me/s1.sieve" };
	struct scene s = { .found = 0 };
	char out[TEXT_MAX];

	strcpy(s.script[1], rules);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		s.warnings = 0;
		scene_run(&s, NULL, names[i], rules, out);
		ck_assert_str_eq(out, "failed");
		ck_assert_str_eq(s.report, "personal script \"s1\" would include itself");
		ck_assert_uint_eq(s.warnings, 1);
	}
}
END_TEST

/* --- depth: "1" includes "2", and so on to the end of the chain */

enum { DEEPEST = 100 };

struct chain {
	int end;
	char script[2 * DEEPEST][64];
	char report[512];
};

static int
chain_load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	struct chain *c = ctx;
	int n = 0;

	(void)kind;
	for (size_t i = 0; i < name.len; i++)
		n = 10 * n + name.s[i] - '0';
	if (n < c->end)
		snprintf(c->script[n], sizeof c->script[n], "require \"include\"; include \"%d\";", n + 1);
	else
		strcpy(c->script[n], "discard;");
	*ret = text(c->script[n]);
	return 1;
}

static void
chain_report(void *ctx, const struct tamis_diagnostic *d)
{
	struct chain *c = ctx;

	snprintf(c->report, sizeof c->report, "%s", d->text);
}

static enum tamis_status
chain_run(struct chain *c, int end)
{
	struct tamis_limits limits = tamis_limits_default;
	const struct tamis_host host = { .ctx = c, .limits = &limits, .load = chain_load, .report = chain_report };
	struct tamis_message *m = tamis_message_new();
	struct tamis_recipient *r = tamis_recipient_new(m, TEXT("a@example.org"), 0, NULL);
	struct tamis_outcome *o = tamis_outcome_new(r);
	struct tamis_program *p;
	enum tamis_status status;

	limits.include_nesting = limits.includes = 1000000;
	c->end = end;
	p = tamis_compile(&host, TEXT("main"), TEXT("require \"include\"; include \"1\";"), 0);
	ck_assert_ptr_nonnull(p);
	status = tamis_run(p, o, TAMIS_BODY, &host);
	tamis_outcome_free(o);
	tamis_recipient_free(r);
	tamis_message_free(m);
	tamis_program_unref(p);
	return status;
}

/* A host may allow more than the default, but not so much that the stack ends. */
START_TEST(include_deepest)
{
	struct chain *c = calloc(1, sizeof *c);

	ck_assert_int_eq(chain_run(c, DEEPEST), TAMIS_DECIDED);
	ck_assert_int_eq(chain_run(c, DEEPEST + 1), TAMIS_FAILED);
	ck_assert_str_eq(c->report, "personal script \"101\" is one include too deep (limit 'include-nesting')");
	free(c);
}
END_TEST

/* --- random programs, and what RFC 6609 says of them */

struct line {
	enum { FILES, INCLUDES, INCLUDES_ONCE, RETURNS, STOPS } kind;
	int script;                     /* INCLUDES */
	char mailbox[8];
	bool taken;                     /* else it stands in "if false" */
};

struct program {
	struct line line[SCRIPTS][LINES];       /* 0 is the main script */
};

struct model {
	const struct program *program;
	bool active[SCRIPTS], included[SCRIPTS], stopped, failed;
	unsigned steps;
	char out[TEXT_MAX];
};

static void
model_file(struct model *m, const char *mailbox)
{
	char word[16];

	snprintf(word, sizeof word, "%s ", mailbox);
	if (!strstr(m->out, word))
		strcat(m->out, word);
}

/* As RFC 6609 3.1 to 3.3 have it, while running: no compilation, no units. */
static void
model_script(struct model *m, int script)
{
	m->active[script] = true;
	for (int i = 0; i < LINES && !m->stopped && !m->failed; i++) {
		const struct line *l = &m->program->line[script][i];

		if (++m->steps > 100000)
			m->failed = true;
		if (!l->taken)
			continue;
		if (l->kind == FILES)
			model_file(m, l->mailbox);
		if (l->kind == RETURNS)
			break;
		m->stopped |= l->kind == STOPS || (l->kind == RETURNS && !script);
		if (l->kind == INCLUDES && m->active[l->script])
			m->failed = true;
		else if (l->kind == INCLUDES ||
		         (l->kind == INCLUDES_ONCE && !m->active[l->script] && !m->included[l->script])) {
			m->included[l->script] = true;
			model_script(m, l->script);
		}
	}
	m->active[script] = false;
}

static void
program_random(struct program *p)
{
	for (int s = 0; s < SCRIPTS; s++)
		for (int i = 0; i < LINES; i++) {
			struct line *l = &p->line[s][i];
			int dice = rand() % 20;

			l->kind = dice < 8 ? FILES : dice < 13 ? INCLUDES : dice < 18 ? INCLUDES_ONCE : dice == 18 ? RETURNS : STOPS;
			l->script = 1 + rand() % (SCRIPTS - 1);
			l->taken = rand() % 4 != 0;
			snprintf(l->mailbox, sizeof l->mailbox, "m%d", rand() % 30);
		}
}

static void
script_write(const struct line *line, char *out)
{
	strcpy(out, "require [\"include\", \"fileinto\"];\n");
	for (int i = 0; i < LINES; i++) {
		const struct line *l = &line[i];
		char *to = out + strlen(out);

		to += sprintf(to, "if %s { ", l->taken ? "true" : "false");
		if (l->kind == FILES)
			to += sprintf(to, "fileinto \"%s\"; }\n", l->mailbox);
		else if (l->kind == RETURNS || l->kind == STOPS)
			to += sprintf(to, "%s; }\n", l->kind == RETURNS ? "return" : "stop");
		else
			to += sprintf(to, "include%s \"s%d\"; }\n", l->kind == INCLUDES_ONCE ? " :once" : "", l->script);
	}
}

START_TEST(include_random)
{
	struct tamis_limits limits = tamis_limits_default;
	unsigned failures = 0, outcomes = 0;

	limits.includes = 100000;
	srand(6609);
	for (int round = 0; round < ROUNDS; round++) {
		struct program p;
		struct model m = { .program = &p };
		struct scene s = { .found = 0 };
		char rules[TEXT_MAX], out[TEXT_MAX];

		program_random(&p);
		script_write(p.line[0], rules);
		for (int i = 1; i < SCRIPTS; i++)
			script_write(p.line[i], s.script[i]);
		model_script(&m, 0);
		scene_run(&s, &limits, "main", rules, out);
		failures += m.failed;
		outcomes += !m.failed && *m.out;
		ck_assert_msg(!strcmp(out, m.failed ? "failed" : *m.out ? m.out : "keep"), "round %d: \"%s\", not \"%s\"\n%s\n%s",
		              round, out, m.failed ? "failed" : m.out, rules, s.script[1]);
	}
	/* both were seen often */
	ck_assert_uint_gt(failures, ROUNDS / 10);
	ck_assert_uint_gt(outcomes, ROUNDS / 10);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("include");
	TCase *t = tcase_create("include");
	SRunner *runner;
	int failed;

	tcase_add_test(t, include_unreadable);
	tcase_add_test(t, include_without_host);
	tcase_add_test(t, include_main);
	tcase_add_test(t, include_deepest);
	tcase_add_test(t, include_random);
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
