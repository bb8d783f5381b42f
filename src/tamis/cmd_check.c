/* cmd_check.c - tamis check: everything that is wrong with rules, at once
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"
#include "host/json.h"
#include "host/text.h"
#include "tamis/session.h"

enum { EXCERPT_SHOWN = 200 };   /* bytes of a condition or an action */

struct check_settings {
	bool stages, werror;
};

static const struct cmd_option check_rows[] = {
	{ 'S', OPTION_FLAG, "stages", NULL, "show the earliest stage at which each rule and action is decided", offsetof(struct check_settings, stages), 0 },
	{ 'W', OPTION_FLAG, "werror", NULL, "warnings count as errors", offsetof(struct check_settings, werror), 0 },
	{ 0 }
};
static const struct option_group check_options = { "check", check_rows, true };

static const char *const stage_names[] = {
	[TAMIS_ENVELOPE] = "envelope", [TAMIS_HEADER] = "header", [TAMIS_BODY] = "body",
};

static void
cmd_check_json(const struct session *s, const struct tamis_point *p)
{
	static const char *const kinds[] = {
		[TAMIS_POINT_RULE] = "rule", [TAMIS_POINT_TEST] = "test", [TAMIS_POINT_ACTION] = "action",
	};
	json_t *o = json_object();

	json_put(o, "file", json_text(diag_path(&s->diag, text_str(p->place.file))));
	json_put(o, "line", json_integer(p->place.line));
	json_put(o, "column", json_integer(p->place.column));
	json_put(o, "point", json_text(str_from(kinds[p->kind])));
	json_put(o, "name", json_text(text_str(p->name)));
	json_put(o, "stage", json_text(str_from(stage_names[p->stage])));
	if (p->late)
		json_put(o, "late", json_true());
	json_line(stdout, o);
}

/* The first line of what stands at the place, as far to the right as it stands there. */
static void
cmd_check_excerpt(const struct session *s, const struct tamis_place *place, struct buf *b)
{
	struct str text = diag_text(&s->diag, place);
	const char *end = memchr(text.s, '\n', text.len);

	buf_printf(b, "%*s", (int)(place->column < 40 ? place->column - 1 : 39), "");
	text = str_trim(end ? str_sub(text, 0, (size_t)(end - text.s)) : text);
	diag_clean(b, utf8_cut(text, EXCERPT_SHOWN));
	if (text.len > EXCERPT_SHOWN)
		buf_puts(b, " ...");
}

static void
cmd_check_point(void *ctx, const struct tamis_point *p)
{
	const struct session *s = ctx;
	struct buf b = { 0 };

	if (s->set->json) {
		cmd_check_json(s, p);
		return;
	}
	if (p->kind == TAMIS_POINT_TEST)
		return;
	diag_clean(&b, diag_path(&s->diag, text_str(p->place.file)));
	buf_printf(&b, ":%u: %-8s  ", p->place.line, stage_names[p->stage]);
	cmd_check_excerpt(s, &p->place, &b);
	if (p->late)
		buf_puts(&b, "   # would refuse at \"envelope\" if \"stop;\" came next");
	puts(buf_str(&b).s);
	buf_done(&b);
}

static void
cmd_check_count(const struct diag *d)
{
	fflush(stdout);
	fprintf(stderr, "tamis: %u error%s, %u warning%s\n",
	        d->errors, d->errors == 1 ? "" : "s", d->warnings, d->warnings == 1 ? "" : "s");
}

static int
cmd_check_run(const struct settings *set, void *own, struct texts operands)
{
	const struct check_settings *c = own;
	struct programs programs = { 0 };
	struct session s;
	size_t i;
	int rc = session_init(&s, &cmd_check, set);

	if (!rc) {
		/* what is wrong is what this command is to print */
		s.diag.out = stdout;
		if (!set->color && !isatty(STDOUT_FILENO))
			s.diag.color = false;
		if (set->json)
			s.diag.form = DIAG_JSON;
		rc = session_compile(&s, operands.v, operands.n, &programs);
		for (i = 0; c->stages && i < programs.n; i++)
			tamis_program_points(programs.v[i], cmd_check_point, &s);
		/* those of a script that is included too, though the one that includes it compiles */
		if (s.diag.errors || (c->werror && s.diag.warnings))
			rc = cmd_worse(rc, CMD_WRONG);
		if (!set->quiet && !set->json && s.diag.errors + s.diag.warnings)
			cmd_check_count(&s.diag);
	}
	programs_done(&programs);
	session_done(&s);
	return rc;
}

const struct cmd cmd_check = {
	.name = "check",
	.usage = "[OPTION...] FILE...",
	.summary = "show all errors and warnings of rules",
	.help =
	"Each is shown with its line, the place in it and, where there is one, a hint.\n"
	"\"-\" reads rules from standard input.  Nothing is printed when nothing is wrong.\n"
	"Rules that are decided at the stage \"envelope\" can be followed while the\n"
	"sender's server still waits for an answer to RCPT TO.",
	.groups = { &check_options, &options_rules, &options_output, &options_general },
	.own_size = sizeof(struct check_settings),
	.min = 1,
	.run = cmd_check_run,
};
