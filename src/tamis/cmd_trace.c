/* cmd_trace.c - tamis trace: a run, line by line
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "host/print.h"
#include "host/sequence.h"
#include "tamis/session.h"
#include "tamis/tracing.h"

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
	struct tracing tracing;
	struct programs programs;
	size_t messages;
	enum tamis_status status;
};

static void
cmd_trace_event(void *ctx, const struct tamis_event *e)
{
	struct trace *t = ctx;

	if (!tracing_wants(&t->tracing, e))
		return;
	if (t->session.set->json) {
		json_line(stdout, tracing_json(&t->tracing, e));
		return;
	}
	buf_reset(&t->tracing.line);
	tracing_text(&t->tracing, e);
	fwrite(t->tracing.line.s, 1, t->tracing.line.len, stdout);
}

static bool
cmd_trace_message(void *ctx, const struct source_message *m)
{
	struct trace *t = ctx;
	struct session_result r;

	session_message(&t->session, m);
	if (t->session.many && !t->session.set->json) {
		buf_reset(&t->tracing.line);
		diag_clean(&t->tracing.line, m->name);
		printf("%s%s:\n", t->messages ? "\n" : "", buf_str(&t->tracing.line).s);
	}
	t->messages++;
	session_decide(&t->session, &t->programs, &r);
	t->status = r.status;
	if (t->session.set->json) {
		json_line(stdout, session_json(&t->session, m, &r));
	} else {
		buf_reset(&t->tracing.line);
		print_plan_line(&t->tracing.line, r.outcome, r.status);
		printf("plan: %s\n", buf_str(&t->tracing.line).s);
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
	t->tracing.diag = &s->diag;
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
	struct trace t = { .tracing.level = ts->level ? (enum tracing_level)ts->level : TRACING_TESTS };
	struct texts rules, paths;
	int rc = session_operands(&cmd_trace, set, operands, &rules, &paths);

	if (rc)
		return rc;
	rc = session_init(&t.session, &cmd_trace, set);
	if (!rc)
		rc = cmd_trace_all(&t, rules, paths);
	programs_done(&t.programs);
	tracing_done(&t.tracing);
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
