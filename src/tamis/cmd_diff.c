/* cmd_diff.c - tamis diff: the messages whose fate new rules would change
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "host/print.h"
#include "host/sequence.h"
#include "tamis/session.h"
#include "tamis/summary.h"

struct diff_settings {
	bool summary, exit_code;
};

static const struct cmd_option diff_rows[] = {
	{ 'S', OPTION_FLAG, "summary", NULL, "print the counts alone", offsetof(struct diff_settings, summary), 0 },
	{ 'x', OPTION_FLAG, "exit-code", NULL, "exit with 1 if any message's fate changes", offsetof(struct diff_settings, exit_code), 0 },
	{ 0 }
};
static const struct option_group diff_options = { "diff", diff_rows, true };

enum { OLD, NEW, SIDES };

struct diff {
	struct session session;
	const struct diff_settings *own;
	struct programs programs[SIDES];
	struct memory *memory[SIDES];   /* what each side remembers is its own */
	struct buf plan[SIDES];         /* exact, in lines */
	struct buf line;
	struct summary summary;         /* "keep -> discard" of those that change */
	size_t messages, failed;
};

static void
cmd_diff_json(const struct source_message *m, json_t *const side[SIDES])
{
	json_t *o = json_object();

	json_put(o, "message", json_text(m->name));
	json_put(o, "old", side[OLD]);
	json_put(o, "new", side[NEW]);
	json_line(stdout, o);
}

/* "  - keep" for each line of a plan */
static void
cmd_diff_side(const struct diff *d, int side)
{
	struct str rest = buf_str(&d->plan[side]);
	ptrdiff_t end;

	if (!rest.len)
		printf("  %c nothing\n", side == OLD ? '-' : '+');
	for (; (end = str_find(rest, STR("\n"))) >= 0; rest = str_sub(rest, (size_t)end + 1, rest.len))
		printf("  %c %.*s\n", side == OLD ? '-' : '+', (int)end, rest.s);
}

static void
cmd_diff_show(struct diff *d, const struct source_message *m, const struct session_result *r)
{
	if (d->own->summary)
		return;
	if (d->session.set->json) {
		cmd_diff_json(m, (json_t *[]){ session_json(&d->session, m, &r[OLD]),
		                               session_json(&d->session, m, &r[NEW]) });
		return;
	}
	buf_reset(&d->line);
	diag_clean(&d->line, m->name);
	puts(buf_str(&d->line).s);
	cmd_diff_side(d, OLD);
	cmd_diff_side(d, NEW);
}

static bool
cmd_diff_message(void *ctx, const struct source_message *m)
{
	struct diff *d = ctx;
	struct session_result r[SIDES];
	int i;

	session_message(&d->session, m);
	for (i = 0; i < SIDES; i++) {
		d->session.answer.memory = d->memory[i];
		session_decide(&d->session, &d->programs[i], &r[i]);
		buf_reset(&d->plan[i]);
		print_plan(&d->plan[i], r[i].outcome, r[i].status);
		d->failed += r[i].status == TAMIS_FAILED;
	}
	d->messages++;
	if (!str_eq(buf_str(&d->plan[OLD]), buf_str(&d->plan[NEW]))) {
		buf_reset(&d->line);
		print_plan_short(&d->line, r[OLD].outcome, r[OLD].status);
		buf_puts(&d->line, " -> ");
		print_plan_short(&d->line, r[NEW].outcome, r[NEW].status);
		summary_add(&d->summary, buf_str(&d->line));
		cmd_diff_show(d, m, r);
	}
	for (i = 0; i < SIDES; i++)
		session_result_done(&r[i]);
	return true;
}

static void
cmd_diff_summary(const struct diff *d)
{
	char number[32];
	struct buf what = { 0 };
	json_t *o;

	if (d->session.set->json) {
		o = json_object();
		json_put(o, "messages", json_integer((json_int_t)d->messages));
		json_put(o, "changed", json_integer((json_int_t)d->summary.all));
		json_put(o, "changes", summary_json(&d->summary, "change"));
		json_line(stdout, o);
		return;
	}
	if (d->summary.all && !d->own->summary)
		putchar('\n');
	buf_printf(&what, "of %s %s change", summary_number(number, d->messages),
	           d->messages == 1 ? "message" : "messages");
	summary_print(&d->summary, buf_str(&what).s);
	buf_done(&what);
}

static int
cmd_diff_all(struct diff *d, struct texts operands)
{
	struct texts paths = { operands.v + 2, operands.n - 2, operands.n - 2 };
	struct session *s = &d->session;
	unsigned needs = 0;
	int i, rc = session_input(&cmd_diff, (struct texts){ operands.v, SIDES, SIDES }, paths);

	if (!rc)
		rc = session_expect(s, paths);

	for (i = 0; i < SIDES && (!rc || rc == CMD_WRONG); i++)
		rc = cmd_worse(rc, session_compile(s, &operands.v[i], 1, &d->programs[i]));
	if (rc)
		return rc;
	for (i = 0; i < SIDES; i++)
		needs |= sequence_needs(d->programs[i].v, d->programs[i].n);
	s->silent = d->own->summary;
	rc = session_each(s, paths, needs, cmd_diff_message, d);
	if (d->own->summary || (!s->set->quiet && !s->set->json))
		cmd_diff_summary(d);
	if (d->failed || (d->own->exit_code && d->summary.all))
		rc = cmd_worse(rc, CMD_WRONG);
	return rc;
}

static int
cmd_diff_run(const struct settings *set, void *own, struct texts operands)
{
	struct diff d = { .own = own };
	struct memory *memory;
	int i, rc = session_init(&d.session, &cmd_diff, set);

	memory = d.session.answer.memory;
	for (i = 0; i < SIDES; i++)
		d.memory[i] = memory_new();
	if (!rc)
		rc = cmd_diff_all(&d, operands);
	for (i = 0; i < SIDES; i++) {
		programs_done(&d.programs[i]);
		buf_done(&d.plan[i]);
		memory_free(d.memory[i]);
	}
	buf_done(&d.line);
	summary_done(&d.summary);
	d.session.answer.memory = memory;
	session_done(&d.session);
	return rc;
}

const struct cmd cmd_diff = {
	.name = "diff",
	.usage = "[OPTION...] OLD NEW [MESSAGE|MBOX|MAILDIR...]",
	.summary = "show the messages whose fate changes from old rules to new ones",
	.help =
	"Only messages whose plans differ are shown, with what would have happened (-) and\n"
	"what would happen now (+); then how often which change comes.",
	.groups = { &diff_options, &options_rules, &options_messages, &options_output, &options_general },
	.own_size = sizeof(struct diff_settings),
	.min = 2,
	.run = cmd_diff_run,
};
