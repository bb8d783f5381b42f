/* cmd_run.c - tamis run: what would happen to messages, in words
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "host/print.h"
#include "host/sequence.h"
#include "tamis/session.h"
#include "tamis/summary.h"

struct run_settings {
	bool summary, write;
};

static const struct cmd_option run_rows[] = {
	{ 'S', OPTION_FLAG, "summary", NULL, "print the table of plans alone", offsetof(struct run_settings, summary), 0 },
	{ 'w', OPTION_FLAG, "write", NULL, "print the message as the rules changed it, behind its plan", offsetof(struct run_settings, write), 0 },
	{ 0 }
};
static const struct option_group run_options = { "run", run_rows, true };

struct run {
	struct session session;
	struct run_settings *own;
	struct programs programs;
	struct summary summary;
	struct buf line;
	size_t failed, waiting;
};

static int
cmd_run_bytes(void *ctx, struct tamis_text t)
{
	return fwrite(t.s, 1, t.len, ctx) == t.len ? 0 : -1;
}

/* The message after all edits: what a keep at the end would store. */
static void
cmd_run_write(const struct session_result *r)
{
	const struct tamis_effect *e = NULL;
	unsigned version = 0;

	while ((e = tamis_outcome_next(r->outcome, e)))
		if (e->kind == TAMIS_HEADER_ADD || e->kind == TAMIS_HEADER_DELETE ||
		    e->kind == TAMIS_HEADER_REPLACE || e->kind == TAMIS_BODY_REPLACE)
			version++;
	tamis_outcome_write(r->outcome, version, cmd_run_bytes, stdout);
}

static void
cmd_run_text(struct run *run, const struct source_message *m, const struct session_result *r)
{
	buf_reset(&run->line);
	if (run->session.many) {
		diag_clean(&run->line, m->name);
		buf_puts(&run->line, ": ");
		print_plan_line(&run->line, r->outcome, r->status);
		buf_putc(&run->line, '\n');
	} else {
		print_plan(&run->line, r->outcome, r->status);
	}
	fwrite(run->line.s, 1, run->line.len, stdout);
	if (run->own->write) {
		putchar('\n');
		cmd_run_write(r);
	}
}

static bool
cmd_run_message(void *ctx, const struct source_message *m)
{
	struct run *run = ctx;
	struct session_result r;

	session_message(&run->session, m);
	session_decide(&run->session, &run->programs, &r);
	run->failed += r.status == TAMIS_FAILED;
	run->waiting += r.status == TAMIS_WAITING;
	if (run->session.many) {
		buf_reset(&run->line);
		print_plan_short(&run->line, r.outcome, r.status);
		summary_add(&run->summary, buf_str(&run->line));
	}
	if (run->own->summary && run->session.many)
		;
	else if (run->session.set->json)
		json_line(stdout, session_json(&run->session, m, &r));
	else
		cmd_run_text(run, m, &r);
	session_result_done(&r);
	return true;
}

static void
cmd_run_summary(const struct run *run)
{
	struct buf what = { 0 };
	json_t *o;

	if (run->session.set->json) {
		o = json_object();
		json_put(o, "messages", json_integer((json_int_t)run->summary.all));
		json_put(o, "failed", json_integer((json_int_t)run->failed));
		json_put(o, "plans", summary_json(&run->summary, "plan"));
		json_line(stdout, o);
		return;
	}
	if (!run->own->summary)
		putchar('\n');
	buf_puts(&what, run->summary.all == 1 ? "message" : "messages");
	if (run->failed)
		buf_printf(&what, ", %zu of them with a run-time error", run->failed);
	summary_print(&run->summary, buf_str(&what).s);
	buf_done(&what);
}

static int
cmd_run_all(struct run *run, struct texts rules, struct texts paths)
{
	struct session *s = &run->session;
	bool table;
	int rc = session_expect(s, paths);

	if (!rc)
		rc = session_compile(s, rules.v, rules.n, &run->programs);
	if (rc)
		return rc;
	s->silent = run->own->summary;
	rc = session_each(s, paths, run->own->write ? ~0u : sequence_needs(run->programs.v, run->programs.n),
	                  cmd_run_message, run);
	table = run->own->summary || (s->many && !s->set->quiet && !s->set->json);
	if (table && s->many)
		cmd_run_summary(run);
	if (run->failed)
		rc = cmd_worse(rc, CMD_WRONG);
	return run->waiting ? cmd_worse(rc, CMD_AGAIN) : rc;
}

static int
cmd_run_run(const struct settings *set, void *own, struct texts operands)
{
	struct run run = { .own = own };
	struct texts rules, paths;
	int rc = session_operands(&cmd_run, set, operands, &rules, &paths);

	if (rc)
		return rc;
	rc = session_init(&run.session, &cmd_run, set);
	if (!rc)
		rc = cmd_run_all(&run, rules, paths);
	programs_done(&run.programs);
	summary_done(&run.summary);
	buf_done(&run.line);
	session_done(&run.session);
	return rc;
}

const struct cmd cmd_run = {
	.name = "run",
	.usage = "[OPTION...] RULES [MESSAGE|MBOX|MAILDIR...]",
	.summary = "show what rules would do with messages; nothing is done to them",
	.help =
	"Without a message, one is read from standard input (so it is for \"-\").  For one\n"
	"message each line is one thing that would happen; for several each line is a\n"
	"message, and a table of all plans comes last.  With --rules all operands are\n"
	"messages.  What rules ask to be remembered is, from message to message, for\n"
	"the length of the command.",
	.groups = { &run_options, &options_scripts, &options_rules, &options_messages, &options_output, &options_general },
	.own_size = sizeof(struct run_settings),
	.run = cmd_run_run,
};
