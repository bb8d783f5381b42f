/* rules.c - files of rules, and those that they include
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "host/file.h"
#include "host/rules.h"
#include "host/text.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

void
rules_init(struct rules *r, struct diag *diag)
{
	*r = (struct rules){
		.diag = diag,
		.global = SYSCONFDIR "/tamis/global",
		.limits = tamis_limits_default,
		.directory = ".",
	};
}

void
rules_done(struct rules *r)
{
	size_t i;

	for (i = 0; i < r->text.n; i++) {
		free(r->text.v[i]->path);
		buf_done(&r->text.v[i]->text);
		free(r->text.v[i]);
	}
	vec_done(&r->text);
	vec_done(&r->allow);
	vec_done(&r->deny);
	zones_done(&r->zones);
}

static bool
rules_listed(const struct str *v, size_t n, struct str name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq(v[i], name))
			return true;
	return false;
}

bool
rules_allow(void *ctx, struct tamis_text extension)
{
	const struct rules *r = ctx;
	struct str name = text_str(extension);
	int rc;

	if (rules_listed(r->deny.v, r->deny.n, name))
		return false;
	if (r->admit && (rc = r->admit(r->admit_ctx, name)) >= 0)
		return rc;
	/* needs a host that answers its questions, and says so */
	if (str_is(name, "vnd.dovecot.testsuite"))
		return false;
	return !r->allow.n || rules_listed(r->allow.v, r->allow.n, name);
}

static struct rules_text *
rules_find(const struct rules *r, const char *path)
{
	size_t i;

	for (i = 0; i < r->text.n; i++)
		if (!strcmp(r->text.v[i]->path, path))
			return r->text.v[i];
	return NULL;
}

/* The file's text, read now or before; NULL: errno. */
static struct rules_text *
rules_read(struct rules *r, const char *path)
{
	struct rules_text *t = rules_find(r, path);
	int error;

	if (t)
		return t;
	t = mem_alloc(sizeof(*t));
	*t = (struct rules_text){ .path = mem_strdup(path) };
	/* of a larger file one byte too many is read: the engine then reports the limit by its name */
	if (file_read(AT_FDCWD, path, &t->text, r->limits.script_size) < 0 && errno != EFBIG) {
		error = errno;
		free(t->path);
		buf_done(&t->text);
		free(t);
		errno = error;
		return NULL;
	}
	vec_push(&r->text, t);
	return t;
}

static bool
rules_name_ok(struct str name)
{
	return name.len && name.len <= 255 && name.s[0] != '.' &&
	       !memchr(name.s, '/', name.len) && !memchr(name.s, '\0', name.len);
}

/* The text of that file: 1, 0 there is none, -1 it cannot be told now. */
static int
rules_fetch(struct rules *r, bool global, const char *file, struct buf *ret_path, struct str *ret)
{
	const char *directory = global ? r->global : r->directory;
	struct rules_text *t;

	buf_reset(ret_path);
	if (strcmp(directory, "."))
		buf_printf(ret_path, "%s/", directory);
	/* a script of that name is a file, not standard input */
	if (!ret_path->len && !strcmp(file, "-"))
		buf_puts(ret_path, "./");
	buf_puts(ret_path, file);
	if (r->read)
		return r->read(r->read_ctx, global, file, ret);
	t = rules_read(r, buf_str(ret_path).s);
	if (!t)
		return file_may_pass(errno) ? -1 : 0;
	*ret = buf_str(&t->text);
	return 1;
}

static int
rules_include(struct rules *r, bool global, struct str name, struct tamis_text *ret)
{
	static const char *const suffix[] = { ".sieve", "" };
	struct buf file = { 0 }, path = { 0 };
	struct str text;
	int rc = 0;
	size_t i;

	if (!rules_name_ok(name))
		return 0;
	for (i = 0; i < sizeof(suffix) / sizeof(*suffix) && !rc; i++) {
		buf_reset(&file);
		buf_add(&file, name);
		buf_puts(&file, suffix[i]);
		rc = rules_fetch(r, global, buf_str(&file).s, &path, &text);
	}
	if (rc > 0) {
		/* what diagnostics call it: a global script may have the name of a personal one */
		buf_reset(&file);
		buf_puts(&file, global ? "global/" : "");
		buf_add(&file, name);
		diag_source(r->diag, buf_str(&file), buf_str(&path).s, text);
		*ret = text_of(text);
	}
	buf_done(&file);
	buf_done(&path);
	return rc;
}

int
rules_load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	struct rules *r = ctx;
	struct str data;
	int rc;

	if (str_is(text_str(kind), "personal"))
		return rules_include(r, false, text_str(name), ret);
	if (str_is(text_str(kind), "global"))
		return rules_include(r, true, text_str(name), ret);
	if (str_is(text_str(kind), "unfit-mailbox")) {
		const char *why = r->unfit ? r->unfit(r->unfit_ctx, text_str(name)) : NULL;

		if (why)
			*ret = text_from(why);
		return why != NULL;
	}
	if (str_is(text_str(kind), "unfit-quarantine")) {
		if (r->unfit_quarantine)
			*ret = text_from(r->unfit_quarantine);
		return r->unfit_quarantine != NULL;
	}
	if (!str_is(text_str(kind), "zone"))
		return 0;
	rc = zones_load(&r->zones, text_str(name), &data);
	if (rc > 0)
		*ret = text_of(data);
	return rc;
}

/* Why an extension is denied: the engine knows only that it is.  It stands in quotes at the place. */
static const char *
rules_denied(const struct rules *r, const struct tamis_diagnostic *t)
{
	struct str text = diag_text(r->diag, &t->place);

	if (!r->denied || t->severity != TAMIS_ERROR || text.len < 2 || text.s[0] != '"')
		return NULL;
	return r->denied(r->denied_ctx, str_sub(text, 1, text.len - 1));
}

static void
rules_report(void *ctx, const struct tamis_diagnostic *t)
{
	struct rules *r = ctx;
	struct tamis_diagnostic copy = *t;

	if (!copy.hint)
		copy.hint = rules_denied(r, t);
	if (r->report)
		r->report(r->report_ctx, &copy);
	else
		diag_report(r->diag, &copy);
}

int
rules_compile(struct rules *r, const char *name, const char *directory, struct str text,
              unsigned flags, struct tamis_program **ret)
{
	const struct tamis_host host = {
		.ctx = r,
		.limits = &r->limits,
		.effects = r->effects,
		.allow = rules_allow,
		.load = rules_load,
		.report = rules_report,
	};
	struct tamis_program *p;

	r->directory = directory;
	diag_source(r->diag, str_from(name), name, text);
	p = tamis_compile(&host, text_from(name), text_of(text), flags);
	if (!p)
		return RULES_WRONG;
	*ret = p;
	return 0;
}

int
rules_file(struct rules *r, const char *path, unsigned flags, struct tamis_program **ret)
{
	struct rules_text *t = rules_read(r, path);
	const char *slash = strrchr(path, '/');
	char *directory = NULL;
	int rc;

	if (!t)
		return RULES_UNREADABLE;
	if (slash) {
		size_t n = slash == path ? 1 : (size_t)(slash - path);

		directory = mem_alloc(n + 1);
		memcpy(directory, path, n);
		directory[n] = '\0';
	}
	rc = rules_compile(r, strcmp(path, "-") ? path : "stdin", directory ? directory : ".",
	                   buf_str(&t->text), flags, ret);
	free(directory);
	r->directory = ".";
	return rc;
}
