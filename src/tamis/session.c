/* session.c - compiled rules, messages, and what becomes of them
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/moment.h"
#include "host/limit.h"
#include "host/print.h"
#include "host/sequence.h"
#include "tamis/progress.h"
#include "tamis/session.h"

enum {
	RESIDENT = 30,                  /* messages from which on indexes and JIT pay */
	RESIDENT_BYTES = 1 << 20,       /* of an mbox, whose messages nobody has counted */
	ERRORS_SHOWN = 20               /* run-time errors of many messages that are shown */
};

/* --- settings */

static bool
session_color(const struct settings *set)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (set->no_color)
		return false;
	if (set->color > 1)
		return set->color == 2;
	return isatty(STDERR_FILENO) && !(no && *no) && term && strcmp(term, "dumb");
}

static int
session_limit_help(const struct tamis_limits *l)
{
	size_t i;

	for (i = 0; limit_name(i); i++)
		printf("%-16s %11llu  %s\n", limit_name(i), (unsigned long long)limit_value(l, i), limit_help(i));
	return CMD_DONE;
}

static int
session_limits(struct session *s)
{
	const struct texts *t = &s->set->limits;
	struct str name;
	const char *meant;
	uint64_t least, most;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (!strcmp(t->v[i], "help"))
			return session_limit_help(&s->rules.limits);
		switch (limit_set(&s->rules.limits, str_from(t->v[i]), &name)) {
		case LIMIT_UNKNOWN:
			meant = cmd_meant(name, limit_name);
			if (meant)
				return cmd_usage(s->cmd, "unknown limit \"%.*s\"; did you mean \"%s\"?", STR_ARG(name), meant);
			return cmd_usage(s->cmd, "unknown limit \"%.*s\"", STR_ARG(name));
		case LIMIT_BAD_VALUE:
			limit_range(name, &least, &most);
			return cmd_usage(s->cmd, "\"%s\": limit %.*s is a number from %ju to %ju", t->v[i], STR_ARG(name),
			                 (uintmax_t)least, (uintmax_t)most);
		default:
			break;
		}
	}
	return 0;
}

/* Roughly: no blanks or controls outside quotes.  The engine knows exactly; this is for typing errors. */
static bool
is_path(const char *s)
{
	bool quoted = false;

	for (; *s; s++) {
		const bool escaped = quoted && *s == '\\' && s[1];    /* "a\"b"@example.org */

		s += escaped;
		if (*s == '"' && !escaped)
			quoted = !quoted;
		else if ((unsigned char)*s < 0x20 || *s == 0x7f || (*s == ' ' && !quoted))
			return false;
	}
	return !quoted;
}

/* One way to say it: an option that checks what it is given, and of which there is one. */
static int
session_fact(struct session *s, const char *setting)
{
	static const struct {
		const char *start, *what, *option;
	} own[] = {
		{ "from=", "sender", "--envelope-from" }, { "to=", "recipient", "--envelope-to" },
	};
	size_t i;

	for (i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (!strncasecmp(setting, own[i].start, strlen(own[i].start)))
			return cmd_usage(s->cmd, "\"--env %s\": the envelope %s is given with \"%s\"", setting, own[i].what,
			                 own[i].option);
	if (answer_env(&s->answer, str_from(setting)) < 0)
		return cmd_usage(s->cmd, "\"--env %s\" is not NAME=VALUE", setting);
	return 0;
}

static int
session_facts(struct session *s)
{
	const struct settings *set = s->set;
	size_t i;
	int rc = 0;

	if (set->now && !moment_parse(str_from(set->now), &s->answer.now))
		return cmd_usage(s->cmd, "time \"%s\" is neither like 2026-11-23T09:30:00Z nor seconds since 1970", set->now);
	for (i = 0; !rc && i < set->env.n; i++)
		rc = session_fact(s, set->env.v[i]);
	if (rc)
		return rc;
	if (set->from && !is_path(set->from))
		return cmd_usage(s->cmd, "envelope sender \"%s\" is no mail address, nor \"<>\"", set->from);
	if (set->to && (!*set->to || !strcmp(set->to, "<>") || !is_path(set->to)))
		return cmd_usage(s->cmd, "envelope recipient \"%s\" is no mail address", set->to);
	s->answer.from = set->from;
	s->answer.to = set->to;
	return 0;
}

/* Errors of runs over a mailbox would be the same ones again and again. */
static void
session_report(void *ctx, const struct tamis_diagnostic *t)
{
	struct session *s = ctx;
	enum diag_form form = s->diag.form;

	if (s->set->json) {
		if (!s->errors)
			s->errors = json_array();
		json_array_append_new(s->errors, diag_object(&s->diag, t));
		return;
	}
	fflush(stdout);
	if (s->many && s->errors_shown >= ERRORS_SHOWN)
		s->diag.form = DIAG_NONE;
	else
		progress_clear(s->progress);
	diag_report(&s->diag, t);
	s->diag.form = form;
	if (s->many && ++s->errors_shown == ERRORS_SHOWN)
		fprintf(stderr, "tamis: more errors of this kind are counted, not shown\n");
}

/* The i-th extension that there is. */
static const char *
session_extension(size_t i)
{
	struct tamis_word w;
	size_t at;

	for (at = 0; tamis_word(at, &w); at++)
		if (!strcmp(w.kind, "extension") && !i--)
			return w.name;
	return NULL;
}

/* A mistyped name would deny nothing, or all: 0 or CMD_USAGE. */
static int
session_extensions(struct session *s, const char *option, const struct texts *t)
{
	const char *name, *meant;
	size_t i, k;

	for (i = 0; i < t->n; i++) {
		for (k = 0; (name = session_extension(k)) && strcmp(name, t->v[i]); k++)
			;
		if (name)
			continue;
		meant = cmd_meant(str_from(t->v[i]), session_extension);
		if (meant)
			return cmd_usage(s->cmd, "%s: unknown extension \"%s\"; did you mean \"%s\"?", option, t->v[i], meant);
		return cmd_usage(s->cmd, "%s: unknown extension \"%s\"; \"tamis help --extensions\" lists them", option, t->v[i]);
	}
	return 0;
}

int
session_init(struct session *s, const struct cmd *cmd, const struct settings *set)
{
	size_t i;
	int rc;

	*s = (struct session){ .set = set, .cmd = cmd, .stage = TAMIS_BODY };
	diag_init(&s->diag, stderr);
	s->diag.color = session_color(set);
	s->diag.no_warnings = set->quiet;
	rules_init(&s->rules, &s->diag);
	if (set->global)
		s->rules.global = set->global;
	for (i = 0; i < set->allow.n; i++)
		vec_push(&s->rules.allow, str_from(set->allow.v[i]));
	for (i = 0; i < set->deny.n; i++)
		vec_push(&s->rules.deny, str_from(set->deny.v[i]));
	answer_init(&s->answer, &s->rules);
	s->answer.memory = memory_new();
	s->answer.report = session_report;
	s->answer.report_ctx = s;
	if (set->stage)
		s->stage = (enum tamis_stage)(set->stage - 1);
	if (set->no_index)
		s->flags |= TAMIS_NO_INDEX;
	s->message = tamis_message_new();
	rc = session_limits(s);
	if (!rc)
		rc = session_extensions(s, "--allow", &set->allow);
	if (!rc)
		rc = session_extensions(s, "--deny", &set->deny);
	return rc ? rc : session_facts(s);
}

void
session_done(struct session *s)
{
	source_free(s->first);
	tamis_message_free(s->message);
	memory_free(s->answer.memory);
	answer_done(&s->answer);
	rules_done(&s->rules);
	diag_done(&s->diag);
}

/* --- rules */

static unsigned
session_dashes(struct texts t)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < t.n; i++)
		n += !strcmp(t.v[i], "-");
	return n;
}

int
session_input(const struct cmd *cmd, struct texts rules, struct texts paths)
{
	/* without a path the messages come from there */
	if (session_dashes(rules) + session_dashes(paths) + !paths.n > 1)
		return cmd_usage(cmd, "standard input is to be read twice");
	return 0;
}

int
session_operands(const struct cmd *cmd, const struct settings *set, struct texts operands,
                 struct texts *ret_rules, struct texts *ret_paths)
{
	*ret_rules = set->rules;
	*ret_paths = operands;
	if (!set->rules.n) {
		if (!operands.n)
			return cmd_usage(cmd, "no rules are given");
		*ret_rules = (struct texts){ operands.v, 1, 1 };
		*ret_paths = (struct texts){ operands.v + 1, operands.n - 1, operands.n - 1 };
	}
	return session_input(cmd, *ret_rules, *ret_paths);
}

int
session_compile(struct session *s, const char *const *path, size_t n, struct programs *ret)
{
	struct tamis_program *p;
	int code = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		/* programs end before the session, and so before its texts */
		switch (rules_file(&s->rules, path[i], s->flags | TAMIS_BORROW, &p)) {
		case 0:
			vec_push(ret, p);
			break;
		case RULES_UNREADABLE:
			code = cmd_worse(code, cmd_error(path[i], errno));
			break;
		default:
			code = cmd_worse(code, CMD_WRONG);
		}
	}
	return code;
}

void
programs_done(struct programs *p)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		tamis_program_unref(p->v[i]);
	vec_done(p);
}

/* --- messages */

int
session_expect(struct session *s, struct texts paths)
{
	const char *path = paths.n ? paths.v[0] : "-";
	struct stat st;

	s->first = source_open(path);
	if (!s->first)
		return cmd_error(path, errno);
	s->many = paths.n > 1 || source_count(s->first) != 1;
	if (paths.n > RESIDENT || source_count(s->first) > RESIDENT)
		s->flags |= TAMIS_RESIDENT;
	else if (paths.n > 1 && !stat(paths.v[1], &st) && S_ISDIR(st.st_mode))
		s->flags |= TAMIS_RESIDENT;
	else if (!source_count(s->first) && (stat(path, &st) < 0 || st.st_size > RESIDENT_BYTES))
		s->flags |= TAMIS_RESIDENT;
	if (!paths.n && isatty(STDIN_FILENO) && !s->set->quiet)
		fprintf(stderr, "tamis: reading a message from standard input\n");
	return 0;
}

struct walk {
	struct session *session;
	unsigned wants;
	bool (*each)(void *ctx, const struct source_message *);
	void *ctx;
};

/* false: enough */
static bool
session_walk(struct walk *w, struct source *source)
{
	struct session *s = w->session;
	struct source_message m;
	int rc;

	while ((rc = source_next(source, w->wants, &m))) {
		if (rc < 0) {
			int error = errno;
			struct buf name = { 0 };

			progress_clear(s->progress);
			buf_add(&name, m.name);
			s->code = cmd_worse(s->code, cmd_error(buf_str(&name).s, error));
			buf_done(&name);
			continue;
		}
		if (!w->each(w->ctx, &m) || ferror(stdout))
			return false;
		progress_step(s->progress, source);
	}
	return true;
}

int
session_each(struct session *s, struct texts paths, unsigned needs,
             bool (*each)(void *ctx, const struct source_message *), void *ctx)
{
	struct walk w = { s, s->stage == TAMIS_BODY ? source_wants(needs) : 0, each, ctx };
	size_t i, n = paths.n ? paths.n : 1;
	bool more = true;

	if (s->many && !s->set->quiet)
		s->progress = progress_new(n, !s->silent);
	for (i = 0; more && i < n; i++) {
		const char *path = paths.n ? paths.v[i] : "-";
		struct source *source = i ? source_open(path) : s->first;

		s->first = i ? s->first : NULL;
		if (!source) {
			progress_clear(s->progress);
			s->code = cmd_worse(s->code, cmd_error(path, errno));
			continue;
		}
		more = session_walk(&w, source);
		source_free(source);
		progress_source(s->progress);
	}
	s->progress = progress_free(s->progress);
	return s->code;
}

void
session_message(struct session *s, const struct source_message *m)
{
	answer_message(&s->answer, s->message, m->header, m->body, m->size);
}

void
session_decide(struct session *s, const struct programs *p, struct session_result *ret)
{
	struct tamis_host host = answer_host(&s->answer);

	ret->recipient = answer_recipient(&s->answer, s->message);
	ret->outcome = tamis_outcome_new(ret->recipient);
	ret->status = sequence_run(p->v, p->n, ret->outcome, s->stage, &host);
	ret->errors = s->errors;
	s->errors = NULL;
	if (ret->status == TAMIS_DECIDED || ret->status == TAMIS_FAILED)
		memory_apply(s->answer.memory, ret->outcome, s->answer.now);
}

json_t *
session_json(struct session *s, const struct source_message *m, const struct session_result *r)
{
	json_t *o = print_json(&s->diag, m->name, r->outcome, r->status);

	if (r->errors)
		json_put(o, "errors", json_incref(r->errors));
	return o;
}

void
session_result_done(struct session_result *r)
{
	json_decref(r->errors);
	tamis_outcome_free(r->outcome);
	tamis_recipient_free(r->recipient);
}
