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

static int
rules_include(struct rules *r, const char *directory, const char *prefix, struct str name, struct tamis_text *ret)
{
	static const char *const suffix[] = { ".sieve", "" };
	struct rules_text *t = NULL;
	struct buf path = { 0 };
	size_t i;

	if (!rules_name_ok(name))
		return 0;
	for (i = 0; i < sizeof(suffix) / sizeof(*suffix) && !t; i++) {
		buf_reset(&path);
		if (strcmp(directory, "."))
			buf_printf(&path, "%s/", directory);
		buf_add(&path, name);
		buf_puts(&path, suffix[i]);
		buf_str(&path);
		t = rules_read(r, path.s);
		if (!t && file_may_pass(errno)) {
			buf_done(&path);
			return -1;
		}
	}
	/* what diagnostics call it: a global script may have the name of a personal one */
	buf_reset(&path);
	buf_puts(&path, prefix);
	buf_add(&path, name);
	if (t)
		diag_source(r->diag, buf_str(&path), t->path, buf_str(&t->text));
	buf_done(&path);
	if (!t)
		return 0;
	*ret = text_of(buf_str(&t->text));
	return 1;
}

int
rules_load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret)
{
	struct rules *r = ctx;
	struct str data;
	int rc;

	if (str_is(text_str(kind), "personal"))
		return rules_include(r, r->directory, "", text_str(name), ret);
	if (str_is(text_str(kind), "global"))
		return rules_include(r, r->global, "global/", text_str(name), ret);
	if (!str_is(text_str(kind), "zone"))
		return 0;
	rc = zones_load(&r->zones, text_str(name), &data);
	if (rc > 0)
		*ret = text_of(data);
	return rc;
}

static void
rules_report(void *ctx, const struct tamis_diagnostic *t)
{
	struct rules *r = ctx;

	if (r->report)
		r->report(r->report_ctx, t);
	else
		diag_report(r->diag, t);
}

int
rules_compile(struct rules *r, const char *name, const char *directory, struct str text,
              unsigned flags, struct tamis_program **ret)
{
	const struct tamis_host host = {
		.ctx = r,
		.limits = &r->limits,
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
