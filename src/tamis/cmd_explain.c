/* cmd_explain.c - tamis explain: why this, and why not something before it
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "host/print.h"
#include "host/sequence.h"
#include "host/text.h"
#include "tamis/session.h"
#include "tamis/story.h"
#include "tamis/words.h"

enum {
	RULE_SHOWN = 72,                /* bytes of a condition of several tests */
	TEST_SHOWN = 200,               /* of one test */
	VALUE_SHOWN = 120               /* of a value or key */
};

struct explain {
	struct session session;
	struct programs programs;
	struct story story;
	struct buf out;
	struct str main;                /* the file of the rules, as places name it */
	bool files;                     /* there are several, so places name theirs */
	enum tamis_status status;
	size_t messages;
};

/* --- in words */

static void
cmd_explain_quoted(struct buf *b, const struct story_text *t)
{
	words_quoted_start(b, t->start, t->len, VALUE_SHOWN);
}

/* What a test saw, as far as it explains how it came out; empty if it cannot. */
static void
cmd_explain_saw(struct buf *b, const struct story_test *t)
{
	size_t i, shown = t->nvalues < STORY_VALUES ? t->nvalues : STORY_VALUES;

	if (!t->compares && t->nearest) {
		buf_puts(b, ": there is no ");
		cmd_explain_quoted(b, &t->key);
		return;
	}
	if (!t->compares && !t->nvalues)
		return;
	if (!t->nvalues) {
		buf_puts(b, t->result < 0 ? ": not known yet" : ": there is no such value");
		return;
	}
	buf_puts(b, ": saw ");
	if (t->matched) {
		cmd_explain_quoted(b, &t->key_value);
		buf_puts(b, "; matched ");
		cmd_explain_quoted(b, &t->key);
		return;
	}
	if (t->nvalues > 1)
		buf_printf(b, "%zu values: ", t->nvalues);
	for (i = 0; i < shown; i++) {
		buf_puts(b, i ? ", " : "");
		cmd_explain_quoted(b, &t->value[i]);
	}
	if (t->nvalues > shown)
		buf_puts(b, ", ...");
	if (!t->nearest)
		return;
	buf_puts(b, "; nearest key ");
	cmd_explain_quoted(b, &t->key);
	if (t->nvalues > 1) {
		buf_puts(b, " to ");
		cmd_explain_quoted(b, &t->key_value);
	}
}

static const char *
cmd_explain_result(int result)
{
	return result > 0 ? " true" : result ? " unknown" : " false";
}

/* "line 7", or "people.sieve line 7" where not all is in one file. */
static void
cmd_explain_place(struct explain *x, const struct tamis_place *p)
{
	if (x->files) {
		diag_clean(&x->out, diag_path(&x->session.diag, text_str(p->file)));
		buf_putc(&x->out, ' ');
	}
	buf_printf(&x->out, "line %u", p->line);
}

/* "  line 7: if header ..." and below it why it came out so. */
static void
cmd_explain_rule(struct explain *x, const struct story_rule *r)
{
	struct buf *b = &x->out;
	struct why why;
	size_t i;

	why_rule(&x->story, r, &why);
	buf_puts(b, "  ");
	cmd_explain_place(x, &r->place);
	buf_puts(b, ": ");
	words_flat(b, r->source, why.alone ? TEST_SHOWN : RULE_SHOWN);
	buf_printf(b, "\n     %s", cmd_explain_result(r->result));
	for (i = 0; i < why.n; i++) {
		if (!why.alone) {
			buf_puts(b, i ? ", and\n         " : ": ");
			words_flat(b, why.test[i]->source, TEST_SHOWN);
			if (why.test[i]->result >= 0)
				buf_printf(b, " was%s", cmd_explain_result(why.test[i]->result));
		}
		cmd_explain_saw(b, why.test[i]);
	}
	if (why.others == 1)
		buf_puts(b, "; so was the other test");
	else if (why.others)
		buf_printf(b, "; so were the %zu other tests", why.others);
	buf_putc(b, '\n');
}

/* --- what is to be explained */

/* Rules whose truth, or whose chain's falsehood, led to the action. */
static bool
cmd_explain_led(const struct explain *x, const struct story_rule *r, const struct story_action *a)
{
	return a && (story_guards(r, a) || story_guards_rest(&x->story, r, a));
}

/* Why there is an effect that no action asked for. */
static void
cmd_explain_implicit(struct explain *x)
{
	size_t i, fired = 0;

	for (i = 0; i < x->story.rule.n; i++)
		fired += x->story.rule.v[i].result > 0;
	if (x->status == TAMIS_FAILED)
		buf_puts(&x->out, ": a run-time error stopped the rules\n");
	else if (!x->story.rule.n)
		buf_puts(&x->out, ": the rules say nothing else\n");
	else if (!fired)
		buf_puts(&x->out, ": no rule matched\n");
	else
		buf_puts(&x->out, ": what matched did not take the message away:\n");
	for (i = 0; i < x->story.rule.n; i++)
		if (x->story.rule.v[i].result > 0)
			cmd_explain_rule(x, &x->story.rule.v[i]);
}

static void
cmd_explain_head(struct explain *x, const struct tamis_effect *e)
{
	const struct story_action *a = e->implicit ? NULL : story_find(&x->story, &e->place);
	size_t i, led = 0;

	print_effect(&x->out, e);
	if (!a) {
		cmd_explain_implicit(x);
		return;
	}
	for (i = 0; i < x->story.rule.n; i++)
		led += cmd_explain_led(x, &x->story.rule.v[i], a);
	buf_puts(&x->out, ": at ");
	cmd_explain_place(x, &a->place);
	buf_puts(&x->out, led ? ", because\n" : ", under no condition\n");
	for (i = 0; i < x->story.rule.n; i++)
		if (cmd_explain_led(x, &x->story.rule.v[i], a))
			cmd_explain_rule(x, &x->story.rule.v[i]);
}

/* How many rules had been asked when the last of the plan's actions came; all
 * of them for what nobody asked for. */
static size_t
cmd_explain_before(const struct explain *x, const struct tamis_outcome *o)
{
	const struct tamis_effect *e = NULL;
	const struct story_action *a;
	size_t n = 0;

	if (!print_final(x->status))
		return x->story.rule.n;
	while ((e = tamis_outcome_next(o, e))) {
		a = e->implicit ? NULL : story_find(&x->story, &e->place);
		if (!a)
			return x->story.rule.n;
		n = a->nrules > n ? a->nrules : n;
	}
	return n;
}

/* Does an action of the plan say the same already? */
static bool
cmd_explain_said(const struct explain *x, const struct tamis_outcome *o, const struct story_rule *r)
{
	const struct tamis_effect *e = NULL;

	while ((e = tamis_outcome_next(o, e)))
		if (!e->implicit && cmd_explain_led(x, r, story_find(&x->story, &e->place)))
			return true;
	return false;
}

static void
cmd_explain_others(struct explain *x, const struct tamis_outcome *o, bool unknown, const char *title)
{
	size_t i, n = cmd_explain_before(x, o);

	for (i = 0; i < n; i++) {
		const struct story_rule *r = &x->story.rule.v[i];

		if (r->result > 0 || (r->result < 0) != unknown || cmd_explain_said(x, o, r))
			continue;
		buf_puts(&x->out, title);
		title = "";
		cmd_explain_rule(x, r);
	}
}

static void
cmd_explain_text(struct explain *x, const struct session_result *r)
{
	const struct tamis_effect *e = NULL;
	bool silent;

	x->files = x->programs.n > 1 || story_strays(&x->story, x->main);
	if (!print_final(r->status))
		buf_printf(&x->out, "%s\n", print_status(r->status));
	while (print_final(r->status) && (e = tamis_outcome_next(r->outcome, e))) {
		size_t mark = x->out.len;

		silent = !print_effect_short(&x->out, e);
		x->out.len = mark;
		if (!silent)
			cmd_explain_head(x, e);
	}
	if (print_final(r->status) && !tamis_outcome_next(r->outcome, NULL))
		buf_puts(&x->out, "nothing: the message is neither kept nor sent anywhere\n");
	cmd_explain_others(x, r->outcome, true, "rules that could not be decided:\n");
	cmd_explain_others(x, r->outcome, false, "rules that did not match:\n");
}

/* --- as JSON */

static json_t *
cmd_explain_rule_json(const struct explain *x, const struct story_rule *r)
{
	json_t *o = json_object(), *tests = json_array();
	struct buf b = { 0 };
	struct why why;
	size_t i;

	why_rule(&x->story, r, &why);
	json_put(o, "file", json_text(diag_path(&x->session.diag, text_str(r->place.file))));
	json_put(o, "line", json_integer(r->place.line));
	words_flat(&b, r->source, 0);
	json_put(o, "rule", json_text(buf_str(&b)));
	json_put(o, "result", json_truth(r->result));
	for (i = 0; i < why.n; i++) {
		const struct story_test *t = why.test[i];
		json_t *test = json_object();

		buf_reset(&b);
		words_flat(&b, t->source, 0);
		json_put(test, "test", json_text(buf_str(&b)));
		json_put(test, "result", json_truth(t->result));
		if (t->nvalues)
			json_put(test, "value", json_text(t->matched || t->nearest ? t->key_value.start : t->value[0].start));
		json_put(test, "values", json_integer((json_int_t)t->nvalues));
		if (t->matched || t->nearest)
			json_put(test, t->matched ? "matched" : t->compares ? "nearest" : "missing", json_text(t->key.start));
		json_array_append_new(tests, test);
	}
	json_put(o, "because", tests);
	buf_done(&b);
	return o;
}

static void
cmd_explain_json(struct explain *x, const struct source_message *m, const struct session_result *r)
{
	json_t *o = session_json(&x->session, m, r), *led = json_array(), *others = json_array();
	size_t i, n = cmd_explain_before(x, r->outcome);

	for (i = 0; i < x->story.rule.n; i++) {
		const struct story_rule *rule = &x->story.rule.v[i];

		if (cmd_explain_said(x, r->outcome, rule))
			json_array_append_new(led, cmd_explain_rule_json(x, rule));
		else if (i < n && rule->result <= 0)
			json_array_append_new(others, cmd_explain_rule_json(x, rule));
	}
	json_put(o, "deciding", led);
	json_put(o, "before", others);
	json_line(stdout, o);
}

/* --- the command */

static bool
cmd_explain_message(void *ctx, const struct source_message *m)
{
	struct explain *x = ctx;
	struct session_result r;

	story_reset(&x->story);
	buf_reset(&x->out);
	session_message(&x->session, m);
	session_decide(&x->session, &x->programs, &r);
	x->status = r.status;
	if (x->session.set->json) {
		cmd_explain_json(x, m, &r);
	} else {
		if (x->session.many) {
			buf_puts(&x->out, x->messages ? "\n" : "");
			diag_clean(&x->out, m->name);
			buf_putc(&x->out, '\n');
		}
		cmd_explain_text(x, &r);
		fwrite(x->out.s, 1, x->out.len, stdout);
	}
	x->messages++;
	session_result_done(&r);
	return true;
}

static int
cmd_explain_all(struct explain *x, struct texts rules, struct texts paths)
{
	struct session *s = &x->session;
	int rc = session_expect(s, paths);

	if (!rc)
		rc = session_compile(s, rules.v, rules.n, &x->programs);
	if (rc)
		return rc;
	story_init(&x->story, &s->diag);
	x->main = str_from(strcmp(rules.v[0], "-") ? rules.v[0] : "stdin");
	s->answer.trace = story_event;
	s->answer.trace_ctx = &x->story;
	rc = session_each(s, paths, sequence_needs(x->programs.v, x->programs.n), cmd_explain_message, x);
	if (x->status == TAMIS_FAILED)
		rc = cmd_worse(rc, CMD_WRONG);
	return rc;
}

static int
cmd_explain_run(const struct settings *set, void *own, struct texts operands)
{
	struct explain x = { .messages = 0 };
	struct texts rules, paths;
	int rc = session_operands(&cmd_explain, set, operands, &rules, &paths);

	(void)own;
	if (rc)
		return rc;
	rc = session_init(&x.session, &cmd_explain, set);
	if (!rc)
		rc = cmd_explain_all(&x, rules, paths);
	story_done(&x.story);
	programs_done(&x.programs);
	buf_done(&x.out);
	session_done(&x.session);
	return rc;
}

const struct cmd cmd_explain = {
	.name = "explain",
	.usage = "[OPTION...] RULES [MESSAGE]",
	.summary = "say why: the rule that decided, and why those before it did not",
	.help =
	"First comes what would happen and the condition that led to it, then each condition\n"
	"before it that did not match with its first test that was false: the value that\n"
	"this saw, and of its keys the one nearest to that.",
	.groups = { &options_scripts, &options_rules, &options_messages, &options_output, &options_general },
	.run = cmd_explain_run,
};
