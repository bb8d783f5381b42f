/* rulebook.h - a tree of rules in a directory of its own, and a rulebook over it
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_RULEBOOK_H
#define TESTS_RULEBOOK_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/diag.h"
#include "host/rulebook.h"
#include "host/text.h"

#define COUNT(a) (int)(sizeof(a) / sizeof(*(a)))

/* --- a tree of files: DIR/rules is rules_dir, DIR/global, DIR/site */

static char dir[] = "/tmp/tamis-rules-XXXXXX";
static char said[65536];                /* what was reported: a line for each */
static atomic_uint reports;
static pthread_mutex_t saying = PTHREAD_MUTEX_INITIALIZER;

static inline const char *
at(const char *path)
{
	static _Thread_local char full[4][1000];
	static _Thread_local unsigned turn;
	char *p = full[turn++ % 4];

	snprintf(p, sizeof(full[0]), "%s/%s", dir, path);
	return p;
}

static inline void
put(const char *path, const char *text)
{
	char part[600];
	const char *full = at(path);
	FILE *f;
	size_t i;

	for (i = strlen(dir) + 1; full[i]; i++)
		if (full[i] == '/') {
			memcpy(part, full, i);
			part[i] = '\0';
			mkdir(part, 0755);
		}
	f = fopen(full, "w");
	ck_assert_msg(f != NULL, "%s", full);
	fputs(text, f);
	fclose(f);
	chmod(full, 0644);
}

/* In the place of what is there, as an editor does it. */
static inline void
replace(const char *path, const char *text)
{
	char new[600];

	snprintf(new, sizeof(new), "%s.new", path);
	put(new, text);
	ck_assert_int_eq(rename(at(new), at(path)), 0);
}

/* So old that nobody could have changed it since without that being seen. */
static inline void
age(const char *path)
{
	const struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };

	ck_assert_int_eq(utimensat(AT_FDCWD, at(path), times, 0), 0);
}

static inline char *
slurp(const char *path)
{
	static char text[4096];
	FILE *f = fopen(at(path), "r");
	size_t n;

	if (!f)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static inline void
setup(void)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	chmod(dir, 0755);
	put("rules/example.org/alice.sieve", "discard;\n");
	put("rules/example.org/bob.sieve", "redirect \"bob@example.net\";\n");
	put("global/hello.sieve", "keep;\n");
	put("site/x.sieve", "keep;\n");
	said[0] = '\0';
	reports = 0;
}

static inline void
teardown(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static inline void
report(void *ctx, struct str user, const struct tamis_diagnostic *d, const char *path)
{
	size_t n;

	(void)ctx;
	pthread_mutex_lock(&saying);
	n = strlen(said);
	snprintf(said + n, sizeof(said) - n, "%.*s|%.*s:%u|%s|%s|%s\n", STR_ARG(user), STR_ARG(text_str(d->place.file)),
	         d->place.line, d->text, d->hint ? d->hint : "", path);
	reports++;
	pthread_mutex_unlock(&saying);
}

static inline struct conf *
configure(const char *more)
{
	struct buf b = { 0 };
	struct conf *c;
	struct diag d;

	buf_printf(&b, "rules_dir = %s/rules\nglobal_dir = %s/global\n%s", dir, dir, more);
	put("tamis.conf", buf_str(&b).s);
	diag_init(&d, stderr);
	c = conf_load(at("tamis.conf"), &d);
	ck_assert_ptr_nonnull(c);
	diag_done(&d);
	buf_done(&b);
	return c;
}

static inline struct rulebook *
book_after(const char *more, struct rulebook *old)
{
	struct conf *c = configure(more);
	struct rulebook *r = rulebook_new(c, old);

	conf_unref(c);
	rulebook_on_report(r, report, NULL);
	return r;
}

static inline struct rulebook *
book(const char *more)
{
	return book_after(more, NULL);
}

static inline struct ruleset *
find(struct rulebook *r, const char *rcpt)
{
	struct ruleset *s = NULL;
	int rc = rulebook_find(r, false, str_from(rcpt), &s);

	ck_assert_msg(rc >= 0, "%s: %s", rcpt, strerror(errno));
	ck_assert(rc == !!s);
	return s;
}

/* What the user's own rules can do: 0 if there are none. */
static inline uint32_t
effects(struct rulebook *r, const char *rcpt)
{
	struct ruleset *s = find(r, rcpt);
	uint32_t ret = s && s->of_user >= 0 ? tamis_program_effects(s->program[s->of_user]) : 0;

	ruleset_unref(s);
	return ret;
}

#define DISCARDS (1u << TAMIS_DISCARD)
#define REDIRECTS (1u << TAMIS_REDIRECT)
#define KEEPS (1u << TAMIS_KEEP)

#define WRONG "keep 5;\n"

#endif
