/* cmd_trace.c - tamis trace: a run, line by line
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "host/print.h"
#include "host/sequence.h"
#include "host/text.h"
#include "tamis/session.h"
#include "tamis/words.h"

enum level { LEVEL_ACTIONS = 1, LEVEL_RULES, LEVEL_TESTS, LEVEL_ALL };

enum {
	VALUES_SHOWN = 5,               /* of one test, below LEVEL_ALL */
	TEXT_SHOWN = 160                /* bytes of one text, below LEVEL_ALL */
};

struct trace_settings {
	unsigned level;
};

static const struct cmd_option trace_rows[] = {
	{ 'L', OPTION_CHOICE, "level", "actions|rules|tests|all", "how much to show (default: tests); all cuts nothing short", offsetof(struct trace_settings, level), 0 },
	{ 0 }
};
static const struct option_group trace_options = { "trace", trace_rows, true };

struct trace {
	struct session session;
	enum level level;
	struct programs programs;
	struct buf line;
	struct tamis_place rule;        /* the condition that was shown last */
	unsigned values;                /* of the current test */
	bool compares;                  /* it compares values with keys */
	bool alone;                     /* it is all of its condition */
	size_t messages;
	enum tamis_status status;
	char *file;                     /* that places were in last */
};

static const char *
cmd_trace_result(int result)
{
	return result > 0 ? "= true" : result ? "= unknown" : "= false";
}

static const struct {
	const char *name;
	enum level level;
} trace_events[] = {
	[TAMIS_RULE] = { "rule", LEVEL_RULES },
	[TAMIS_RULE_END] = { "rule-end", LEVEL_RULES },
	[TAMIS_TEST] = { "test", LEVEL_TESTS },
	[TAMIS_VALUE] = { "value", LEVEL_TESTS },
	[TAMIS_MATCHED] = { "matched", LEVEL_TESTS },
	[TAMIS_NEAREST] = { "nearest", LEVEL_TESTS },
	[TAMIS_RESULT] = { "result", LEVEL_TESTS },
	[TAMIS_ACTION] = { "action", LEVEL_ACTIONS },
	[TAMIS_ASKED] = { "asked", LEVEL_TESTS },
	[TAMIS_ASSIGNED] = { "assigned", LEVEL_TESTS },
};

static void
cmd_trace_json(const struct trace *t, const struct tamis_event *e)
{
	json_t *o = json_object();

	json_put(o, "event", json_text(str_from(trace_events[e->kind].name)));
	json_put(o, "file", json_text(diag_path(&t->session.diag, text_str(e->place.file))));
	json_put(o, "line", json_integer(e->place.line));
	json_put(o, "column", json_integer(e->place.column));
	if (e->name.len)
		json_put(o, "name", json_text(text_str(e->name)));
	if (e->text.len || e->kind == TAMIS_MATCHED || e->kind == TAMIS_NEAREST || e->kind == TAMIS_ASSIGNED)
		json_put(o, "text", json_text(text_str(e->text)));
	if (e->value.len || e->kind == TAMIS_VALUE)
		json_put(o, "value", json_text(text_str(e->value)));
	if (e->kind == TAMIS_RULE_END || e->kind == TAMIS_RESULT)
		json_put(o, "result", json_truth(e->result));
	json_line(stdout, o);
}

/* "   7  " before what is at line 7; the file's name above it when that changes. */
static void
cmd_trace_line(struct trace *t, const struct tamis_place *p)
{
	struct str path = diag_path(&t->session.diag, text_str(p->file));

	if (!t->file || !str_is(path, t->file)) {
		free(t->file);
		t->file = mem_alloc(path.len + 1);
		memcpy(t->file, path.s, path.len);
		t->file[path.len] = '\0';
		diag_clean(&t->line, path);
		buf_putc(&t->line, '\n');
	}
	buf_printf(&t->line, "%5u  ", p->line);
}

static size_t
cmd_trace_max(const struct trace *t)
{
	return t->level < LEVEL_ALL ? TEXT_SHOWN : 0;
}

/* The words at the place, behind its line number. */
static void
cmd_trace_source(struct trace *t, const struct tamis_place *p, struct tamis_text name)
{
	struct str v = diag_text(&t->session.diag, p);

	words_flat(&t->line, v.len ? v : text_str(name), cmd_trace_max(t));
}

/* Is the condition nothing but this test?  Then it is not shown twice. */
static bool
cmd_trace_alone(const struct trace *t, const struct tamis_event *e)
{
	struct str rule = diag_text(&t->session.diag, &t->rule), test = diag_text(&t->session.diag, &e->place);
	struct str word;

	if (!test.len || test.len >= rule.len || test.s < rule.s || test.s + test.len != rule.s + rule.len)
		return false;
	word = str_trim((struct str){ rule.s, (size_t)(test.s - rule.s) });
	return words_token(word) == word.len;
}

static struct str
cmd_trace_value(const struct tamis_event *e)
{
	return text_str(e->value.len ? e->value : e->text);
}

static void
cmd_trace_saw(struct trace *t, const char *word, struct str v)
{
	buf_printf(&t->line, "%15s%-8s ", "", word);
	words_quoted(&t->line, v, cmd_trace_max(t));
	buf_putc(&t->line, '\n');
}

static void
cmd_trace_test(struct trace *t, const struct tamis_event *e)
{
	t->values = 0;
	t->compares = e->value.len > 0;
	t->alone = cmd_trace_alone(t, e);
	if (t->alone)
		return;
	buf_printf(&t->line, "%11s", "");
	cmd_trace_source(t, &e->place, e->name);
	buf_putc(&t->line, '\n');
}

static void
cmd_trace_values(struct trace *t, const struct tamis_event *e)
{
	t->values++;
	if (t->level == LEVEL_ALL || t->values <= VALUES_SHOWN)
		cmd_trace_saw(t, "value", cmd_trace_value(e));
}

static void
cmd_trace_end(struct trace *t, const struct tamis_event *e)
{
	if (t->level < LEVEL_ALL && t->values > VALUES_SHOWN)
		buf_printf(&t->line, "%15s... and %u more values\n", "", t->values - VALUES_SHOWN);
	if (!t->values && t->compares && e->result == 0)
		buf_printf(&t->line, "%15sno value\n", "");
	if (!t->alone)
		buf_printf(&t->line, "%15s%s\n", "", cmd_trace_result(e->result));
}

static void
cmd_trace_rule_end(struct trace *t, const struct tamis_event *e)
{
	buf_printf(&t->line, "%7s%s\n", "", cmd_trace_result(e->result));
}

/* As the rules have it; with variables in it, then also as it was run. */
static void
cmd_trace_action(struct trace *t, const struct tamis_event *e)
{
	struct str source = diag_text(&t->session.diag, &e->place);

	cmd_trace_line(t, &e->place);
	cmd_trace_source(t, &e->place, e->name);
	buf_putc(&t->line, '\n');
	if (str_find(source, STR("${")) < 0)
		return;
	buf_printf(&t->line, "%11s= %.*s ", "", STR_ARG(text_str(e->name)));
	words_flat(&t->line, text_str(e->text), cmd_trace_max(t));
	buf_putc(&t->line, '\n');
}

static void
cmd_trace_asked(struct trace *t, const struct tamis_event *e)
{
	buf_printf(&t->line, "%15sasked    ", "");
	diag_clean(&t->line, text_str(e->name));
	buf_putc(&t->line, ' ');
	words_quoted(&t->line, text_str(e->text), cmd_trace_max(t));
	buf_printf(&t->line, ": %s", e->result > 0 ? "yes" : e->result ? "unknown" : "no");
	if (e->value.len) {
		buf_puts(&t->line, ", ");
		words_quoted(&t->line, text_str(e->value), cmd_trace_max(t));
	}
	buf_putc(&t->line, '\n');
}

static void
cmd_trace_text(struct trace *t, const struct tamis_event *e)
{
	switch (e->kind) {
	case TAMIS_RULE:
		t->rule = e->place;
		cmd_trace_line(t, &e->place);
		cmd_trace_source(t, &e->place, e->name);
		buf_putc(&t->line, '\n');
		break;
	case TAMIS_RULE_END:
		cmd_trace_rule_end(t, e);
		break;
	case TAMIS_TEST:
		cmd_trace_test(t, e);
		break;
	case TAMIS_VALUE:
		cmd_trace_values(t, e);
		break;
	case TAMIS_MATCHED:
		cmd_trace_saw(t, "matched", text_str(e->text));
		break;
	case TAMIS_NEAREST:
		cmd_trace_saw(t, "nearest", text_str(e->text));
		break;
	case TAMIS_RESULT:
		cmd_trace_end(t, e);
		break;
	case TAMIS_ACTION:
		cmd_trace_action(t, e);
		break;
	case TAMIS_ASKED:
		cmd_trace_asked(t, e);
		break;
	case TAMIS_ASSIGNED:
		buf_printf(&t->line, "%15s%.*s = ", "", STR_ARG(text_str(e->name)));
		words_quoted(&t->line, text_str(e->text), cmd_trace_max(t));
		buf_putc(&t->line, '\n');
		break;
	}
}

static void
cmd_trace_event(void *ctx, const struct tamis_event *e)
{
	struct trace *t = ctx;

	if (trace_events[e->kind].level > t->level)
		return;
	if (t->session.set->json) {
		cmd_trace_json(t, e);
		return;
	}
	buf_reset(&t->line);
	cmd_trace_text(t, e);
	fwrite(t->line.s, 1, t->line.len, stdout);
}

static bool
cmd_trace_message(void *ctx, const struct source_message *m)
{
	struct trace *t = ctx;
	struct session_result r;

	session_message(&t->session, m);
	if (t->session.many && !t->session.set->json) {
		buf_reset(&t->line);
		diag_clean(&t->line, m->name);
		printf("%s%s:\n", t->messages ? "\n" : "", buf_str(&t->line).s);
	}
	t->messages++;
	session_decide(&t->session, &t->programs, &r);
	t->status = r.status;
	if (t->session.set->json) {
		json_line(stdout, session_json(&t->session, m, &r));
	} else {
		buf_reset(&t->line);
		print_plan_line(&t->line, r.outcome, r.status);
		printf("plan: %s\n", buf_str(&t->line).s);
	}
	session_result_done(&r);
	return true;
}

static int
cmd_trace_all(struct trace *t, struct texts rules, struct texts paths)
{
	struct session *s = &t->session;
	int rc = session_expect(s, paths);

	if (!rc)
		rc = session_compile(s, rules.v, rules.n, &t->programs);
	if (rc)
		return rc;
	s->answer.trace = cmd_trace_event;
	s->answer.trace_ctx = t;
	rc = session_each(s, paths, sequence_needs(t->programs.v, t->programs.n), cmd_trace_message, t);
	if (t->status == TAMIS_FAILED)
		rc = cmd_worse(rc, CMD_WRONG);
	return rc;
}

static int
cmd_trace_run(const struct settings *set, void *own, struct texts operands)
{
	const struct trace_settings *ts = own;
	struct trace t = { .level = ts->level ? (enum level)ts->level : LEVEL_TESTS };
	struct texts rules, paths;
	int rc = session_operands(&cmd_trace, set, operands, &rules, &paths);

	if (rc)
		return rc;
	rc = session_init(&t.session, &cmd_trace, set);
	if (!rc)
		rc = cmd_trace_all(&t, rules, paths);
	programs_done(&t.programs);
	buf_done(&t.line);
	free(t.file);
	session_done(&t.session);
	return rc;
}

const struct cmd cmd_trace = {
	.name = "trace",
	.usage = "[OPTION...] RULES [MESSAGE]",
	.summary = "show a run line by line: each test, what it saw, each action",
	.help =
	"Each condition is shown with its line; below it the values that its tests saw, the\n"
	"key that matched or came nearest, and how it came out: true, false or unknown.",
	.groups = { &trace_options, &options_scripts, &options_rules, &options_messages, &options_output, &options_general },
	.own_size = sizeof(struct trace_settings),
	.run = cmd_trace_run,
};
