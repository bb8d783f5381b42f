/* svtest_script.c - the scripts that a test suite compiles and runs
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/file.h"
#include "host/sequence.h"
#include "host/text.h"
#include "tamis/svtest.h"

enum { SCRIPT_MAX = 64 << 20 };

/* --- the log */

void
svtest_script_clear_log(struct svtest *t)
{
	t->log.n = 0;
}

static void
svtest_script_entry(struct svtest *t, const char *place, const char *severity, struct str text, bool error)
{
	struct buf line = { 0 };

	if (error)
		vec_push(&t->log, svtest_host_keep(t, text));
	if (!t->options->log || !t->options->out)
		return;
	buf_printf(&line, "LOG: %s: %s: ", place, severity);
	diag_clean(&line, text);
	fprintf(t->options->out, "%s\n", buf_str(&line).s);
	buf_done(&line);
}

static void
svtest_script_log_at(struct svtest *t, struct str place, struct str text)
{
	svtest_script_entry(t, svtest_host_keep(t, place).s, "error", text, true);
}

void
svtest_script_log(struct svtest *t, struct str text)
{
	svtest_script_log_at(t, t->current.path.len ? t->current.path : str_from(t->path), text);
}

static void
svtest_script_blame(struct svtest *t, struct str file)
{
	size_t i;

	for (i = 0; i < t->blamed.n; i++)
		if (str_eq(t->blamed.v[i], file))
			return;
	vec_push(&t->blamed, svtest_host_keep(t, file));
}

static void
svtest_script_report(void *ctx, const struct tamis_diagnostic *d)
{
	struct svtest *t = ctx;
	struct buf place = { 0 };

	buf_printf(&place, "%.*s:%u", STR_ARG(text_str(d->place.file)), d->place.line);
	svtest_script_entry(t, buf_str(&place).s, diag_severity(d), str_from(d->text), d->severity == TAMIS_ERROR);
	if (d->severity == TAMIS_ERROR)
		svtest_script_blame(t, text_str(d->place.file));
	buf_done(&place);
}

static void
svtest_script_suite_report(void *ctx, const struct tamis_diagnostic *d)
{
	struct svtest *t = ctx;

	if (t->options->out)
		fflush(t->options->out);
	diag_report(&t->session.diag, d);
}

/* --- the host of scripts */

static bool
svtest_script_allow(void *ctx, struct tamis_text extension)
{
	(void)ctx;
	(void)extension;
	return true;
}

static int
svtest_script_load_text(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	struct svtest *t = ctx;
	int rc;

	if (svtest_dict_load(t, text_str(kind), text_str(name), ret, &rc))
		return rc;
	return rules_load(&t->session.rules, kind, name, ret);
}

static void
svtest_script_event(void *ctx, const struct tamis_event *e)
{
	struct svtest *t = ctx;

	if (!tracing_wants(&t->tracing, e))
		return;
	buf_reset(&t->tracing.line);
	tracing_text(&t->tracing, e);
	fwrite(t->tracing.line.s, 1, t->tracing.line.len, t->options->trace);
}

struct tamis_host
svtest_host(struct svtest *t, bool suite)
{
	return (struct tamis_host){
		.ctx = t,
		.limits = suite ? &t->limits : &t->session.rules.limits,
		.allow = svtest_script_allow,
		.load = svtest_script_load_text,
		.ask = svtest_host_ask,
		.report = suite ? svtest_script_suite_report : svtest_script_report,
		.trace = t->options->trace ? svtest_script_event : NULL,
	};
}

/* --- compiling */

const char *
svtest_script_path(struct svtest *t, struct str path)
{
	if (path.len && path.s[0] == '/')
		return svtest_host_keep(t, path).s;
	return arena_printf(&t->arena, "%s/%.*s", t->directory, STR_ARG(path)).s;
}

static bool
svtest_script_read(struct svtest *t, const char *path, struct str *ret)
{
	struct buf b = { 0 };
	int rc = file_read(AT_FDCWD, path, &b, SCRIPT_MAX);

	if (!rc)
		*ret = buf_copy(&b, &t->arena);
	buf_done(&b);
	return !rc;
}

/* Includes are found beside the suite. */
static struct tamis_program *
svtest_script_build(struct svtest *t, const char *path, struct str text, bool suite)
{
	struct tamis_host host = svtest_host(t, suite);
	struct tamis_limits limits = *host.limits;
	struct tamis_program *p;
	size_t i;

	/* values are cut when a script runs, by the setting of that time */
	limits.variable_value = SIZE_MAX / 2;
	host.limits = &limits;
	t->session.rules.directory = arena_printf(&t->arena, "%s/included", t->directory).s;
	t->session.rules.global = arena_printf(&t->arena, "%s/included-global", t->directory).s;
	t->blamed.n = 0;
	diag_source(&t->session.diag, str_from(path), path, text);
	p = tamis_compile(&host, text_from(path), text_of(text), 0);
	if (!p && !suite)
		svtest_script_blame(t, str_from(path));
	for (i = 0; !p && !suite && i < t->blamed.n; i++)
		svtest_script_log_at(t, t->blamed.v[i], STR("validation failed"));
	return p;
}

static void
svtest_script_dump(void *ctx, const char *line)
{
	fprintf(ctx, "%s\n", line);
}

struct tamis_program *
svtest_script_suite(struct svtest *t)
{
	struct tamis_program *p;
	struct str text;

	t->limits = t->session.rules.limits;
	t->limits.work = UINT64_MAX / 2;
	t->limits.memory = SIZE_MAX / 2;
	t->session.diag.no_warnings = true;
	if (!svtest_script_read(t, t->path, &text)) {
		fprintf(stderr, "tamis: %s: %s\n", t->path, strerror(errno));
		return NULL;
	}
	p = svtest_script_build(t, t->path, text, true);
	if (p && t->options->dump)
		tamis_program_dump(p, svtest_script_dump, t->options->dump);
	return p;
}

/* A script of the suite: NULL after errors, which are in the log. */
static struct tamis_program *
svtest_script_program(struct svtest *t, struct str path)
{
	const char *full = svtest_script_path(t, path);
	struct str text;

	if (svtest_script_read(t, full, &text))
		return svtest_script_build(t, full, text, false);
	svtest_script_log(t, arena_printf(&t->arena, "script '%.*s': %s", STR_ARG(path), strerror(errno)));
	return NULL;
}

bool
svtest_script_compile(struct svtest *t, struct str path)
{
	struct tamis_program *p;

	svtest_script_clear_log(t);
	p = svtest_script_program(t, path);
	if (!p)
		return false;
	tamis_program_unref(t->current.program);
	t->current = (struct svtest_script){ .path = svtest_host_keep(t, path), .config = t->nconfig, .program = p };
	return true;
}

/* Settings hold for scripts that were compiled before them, too.  One that would not compile any more stays. */
static void
svtest_script_renew(struct svtest *t)
{
	struct tamis_program *p;

	if (t->current.config == t->nconfig)
		return;
	p = svtest_script_program(t, t->current.path);
	if (!p)
		return;
	tamis_program_unref(t->current.program);
	t->current.program = p;
	t->current.config = t->nconfig;
}

/* --- running */

bool
svtest_script_run(struct svtest *t, bool append)
{
	struct tamis_host host = svtest_host(t, false);
	bool told = t->told, failed = t->failed, good;
	struct tamis_program *p;
	enum tamis_status status;

	if (!append) {
		svtest_result_reset(&t->result);
		svtest_scene_refresh(t);
	}
	if (t->current.program)
		svtest_script_renew(t);
	svtest_script_clear_log(t);
	if (!t->current.program || t->depth == SVTEST_DEPTH) {
		svtest_script_log(t, t->depth ? STR("scripts run scripts too deeply") : STR("no script was compiled"));
		return false;
	}
	p = tamis_program_ref(t->current.program);
	t->depth++;
	t->told = t->failed = false;
	status = tamis_run(p, t->outcome, TAMIS_BODY, &host);
	svtest_result_absorb(t, &t->result);
	t->depth--;
	tamis_program_unref(p);
	good = t->told ? !t->failed : status == TAMIS_DECIDED;
	t->told = told;
	t->failed = failed;
	return good;
}

bool
svtest_script_sequence(struct svtest *t, struct str paths)
{
	struct svtest_result result = { .kept = false };
	struct tamis_host host = svtest_host(t, false);
	struct programs programs = { 0 };
	struct tamis_program *p;
	bool good = true;
	size_t n;

	svtest_script_clear_log(t);
	while (good && paths.len) {
		n = strnlen(paths.s, paths.len);
		p = svtest_script_program(t, str_sub(paths, 0, n));
		if (p)
			vec_push(&programs, p);
		good = p != NULL;
		paths = str_sub(paths, n < paths.len ? n + 1 : n, paths.len);
	}
	if (good && t->depth < SVTEST_DEPTH) {
		t->depth++;
		result.outcome = tamis_outcome_new(svtest_scene_current(t)->recipient);
		good = sequence_run(programs.v, programs.n, result.outcome, TAMIS_BODY, &host) == TAMIS_DECIDED;
		svtest_result_absorb(t, &result);
		good &= svtest_result_execute(t, &result);
		tamis_outcome_free(result.outcome);
		t->depth--;
	}
	vec_done(&result.action);
	programs_done(&programs);
	return good;
}

/* --- scripts by name */

bool
svtest_script_save(struct svtest *t, struct str name)
{
	struct svtest_script s = t->current;
	size_t i;

	if (!s.program)
		return false;
	s.name = svtest_host_keep(t, name);
	tamis_program_ref(s.program);
	for (i = 0; i < t->saved.n; i++) {
		if (!str_eq(t->saved.v[i].name, name))
			continue;
		tamis_program_unref(t->saved.v[i].program);
		t->saved.v[i] = s;
		return true;
	}
	vec_push(&t->saved, s);
	return true;
}

bool
svtest_script_load(struct svtest *t, struct str name)
{
	size_t i;

	for (i = 0; i < t->saved.n; i++) {
		if (!str_eq(t->saved.v[i].name, name))
			continue;
		tamis_program_ref(t->saved.v[i].program);
		tamis_program_unref(t->current.program);
		t->current = t->saved.v[i];
		return true;
	}
	return false;
}

void
svtest_script_done(struct svtest *t)
{
	size_t i;

	for (i = 0; i < t->saved.n; i++)
		tamis_program_unref(t->saved.v[i].program);
	tamis_program_unref(t->current.program);
	vec_done(&t->saved);
	vec_done(&t->log);
	vec_done(&t->blamed);
}
