/* rulescript.c - one file of rules with what it includes: compiled once, followed as it changes
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/moment.h"
#include "host/rulelimits.h"
#include "host/rulelook.h"
#include "host/rules.h"
#include "host/text.h"

/* --- what is kept */

static void *
shelved_ref(void *p)
{
	atomic_fetch_add(&((struct shelved *)p)->count, 1);
	return p;
}

void *
shelved_unref(void *p)
{
	struct shelved *s = p;
	size_t i;

	if (!s || atomic_fetch_sub(&s->count, 1) > 1)
		return NULL;
	tamis_program_unref(s->program);
	for (i = 0; i < s->wants.n; i++)
		free(s->wants.v[i].name);
	vec_done(&s->wants);
	free(s);
	return NULL;
}

struct shelved *
shelved_new(struct tamis_program *program)
{
	struct shelved *s = mem_alloc(sizeof(*s));

	*s = (struct shelved){ .program = program ? tamis_program_ref(program) : NULL };
	atomic_init(&s->count, 1);
	return s;
}

struct rulescript *
rulescript_ref(struct rulescript *s)
{
	atomic_fetch_add(&s->count, 1);
	return s;
}

struct rulescript *
rulescript_unref(struct rulescript *s)
{
	size_t i;

	if (!s || atomic_fetch_sub(&s->count, 1) > 1)
		return NULL;
	tamis_program_unref(s->program);
	for (i = 0; i < s->file.n; i++)
		free(s->file.v[i].path);
	vec_done(&s->file);
	free(s->path);
	free(s);
	return NULL;
}

static void *
version_ref(void *p)
{
	return rulescript_ref(p);
}

static void *
version_unref(void *p)
{
	return rulescript_unref(p);
}

struct lru *
rulescript_shelf(size_t max)
{
	/* a program, what it wants, and now and then a word about it */
	return lru_new(max > SIZE_MAX / 2 ? max : max * 2, shelved_ref, shelved_unref);
}

struct lru *
rulescript_versions(size_t max)
{
	return lru_new(max, version_ref, version_unref);
}

struct tamis_program *
rulescript_program(const struct rulescript *s)
{
	return s->program;
}

const uint8_t *
rulescript_content(const struct rulescript *s)
{
	return s->content;
}

const char *
rulescript_path(const struct rulescript *s)
{
	return s->path;
}

/* --- a compilation */

/* An included file, for rules.h. */
static int
look_read(void *ctx, bool global, const char *leaf, struct str *ret)
{
	struct look *l = ctx;
	struct seen *s;

	if (global && !l->host->conf->global_dir[0])
		return 0;
	look_want(l, global, leaf);
	s = look_included(l, global, leaf);
	if (s->result == RULEFILE_REFUSED) {
		l->refused = true;
		look_refuse(l, s);
	}
	if (s->result == RULEFILE_TROUBLE)
		return -1;
	if (s->result != RULEFILE_FINE)
		return 0;
	*ret = buf_str(&s->text);
	return 1;
}

static void
digest_number(struct digest *d, uint64_t n)
{
	digest_add_part(d, (struct str){ (const char *)&n, sizeof(n) });
}

/* A script without its includes, and what else its program depends on. */
static void
look_digest(const struct look *l, const struct seen *main, uint8_t ret[DIGEST_SIZE])
{
	const struct conf *c = l->host->conf;
	const struct tamis_limits *m = &c->limits;
	const uint64_t numbers[] = { m->work, m->memory, m->script_size, m->nesting, m->actions, m->redirects, m->includes,
		m->include_nesting, m->variable_value, m->variables, m->field_value, c->fileinto_by, c->mode, !c->quarantine_to[0],
		!c->global_dir[0], l->file->site };
	struct digest d;
	size_t i;

	digest_init(&d);
	digest_add_part(&d, str_from(tamis_version()));
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		digest_number(&d, numbers[i]);
	digest_number(&d, c->deny_extensions.n);
	for (i = 0; i < c->deny_extensions.n; i++)
		digest_add_part(&d, str_from(c->deny_extensions.v[i]));
	/* an administrator's script has its path in all places */
	digest_add_part(&d, str_from(l->file->site ? l->file->root : ""));
	digest_add_part(&d, str_from(l->file->site ? l->file->name : ""));
	digest_add_part(&d, buf_str(&main->text));
	digest_end(&d, ret);
}

/* With what it includes, if those are the files that it wants; reads them.  False: it cannot be told now. */
static bool
look_digest_all(struct look *l, const uint8_t main[DIGEST_SIZE], const struct wanted *wants, size_t n, uint8_t ret[DIGEST_SIZE])
{
	struct digest d;
	size_t i;

	digest_init(&d);
	digest_add_part(&d, digest_str(main));
	for (i = 0; i < n; i++) {
		struct seen *s = look_included(l, wants[i].global, wants[i].name);

		if (s->result == RULEFILE_TROUBLE)
			return false;
		/* one that does not count is not one that is missing: the shelf has no program with the first */
		digest_number(&d, wants[i].global * 4 + (s->result == RULEFILE_REFUSED ? 2 : s->result == RULEFILE_FINE));
		digest_add_part(&d, str_from(wants[i].name));
		digest_add_part(&d, s->result == RULEFILE_FINE ? buf_str(&s->text) : STR_EMPTY);
	}
	digest_end(&d, ret);
	return true;
}

/* Of what a script wants, on the shelf under the digest of the script alone. */
static void
look_shelve_wants(struct look *l, const uint8_t main[DIGEST_SIZE])
{
	struct shelved *s = shelved_new(NULL);
	size_t i;

	for (i = 0; i < l->wants.n; i++)
		vec_push(&s->wants, (struct wanted){ l->wants.v[i].global, mem_strdup(l->wants.v[i].name) });
	lru_put(l->host->shelf, digest_str(main), s);
}

/* The program, or NULL: l->error, or what is wrong was said. */
static struct tamis_program *
look_compile(struct look *l, const struct seen *main, const uint8_t alone[DIGEST_SIZE], uint8_t ret_content[DIGEST_SIZE])
{
	const char *path = look_path(l, main), *slash = strrchr(path, '/');
	struct tamis_program *program = NULL;
	struct rules rules;
	struct diag diag;

	diag_init(&diag, stderr);
	rules_init(&rules, &diag);
	rulelimits_set(l->host->conf, l->file->site, &rules);
	rules.read = look_read;
	rules.read_ctx = l;
	rules.report = look_report;
	rules.report_ctx = l;
	look_wants_done(l);
	l->refused = false;
	l->said.n = 0;
	l->diag = &diag;
	rules_compile(&rules, l->file->site ? path : RULESCRIPT_NAME,
	              arena_printf(&l->arena, "%.*s", (int)(slash - path), path).s, buf_str(&main->text), TAMIS_RESIDENT, &program);
	rules_done(&rules);
	diag_done(&diag);
	if (l->error || !look_digest_all(l, alone, l->wants.v, l->wants.n, ret_content))
		return tamis_program_unref(program);
	look_shelve_wants(l, alone);
	/* a script with a broken include runs until it gets there (RFC 6609 3.2): what was good before is better */
	if (program && (l->refused || look_has_errors(l)))
		program = tamis_program_unref(program);
	if (!program) {
		/* of the last good version when that is the end of it */
		if (l->good == l->good_global && look_claim(l, "wrong", main->root, main->name, digest_str(ret_content)))
			look_say_all(l, path);
		return NULL;
	}
	lru_put(l->host->shelf, digest_str(ret_content), shelved_new(program));
	if (l->said.n && look_claim(l, "said", "", "", digest_str(ret_content)))
		look_say_all(l, path);
	return program;
}

/* The same from the shelf if it is there. */
static struct tamis_program *
look_program(struct look *l, const struct seen *main, uint8_t ret_content[DIGEST_SIZE])
{
	uint8_t alone[DIGEST_SIZE];
	struct tamis_program *program = NULL;
	struct shelved *wants, *s = NULL;

	look_digest(l, main, alone);
	memcpy(l->version->alone, alone, DIGEST_SIZE);
	wants = lru_find(l->host->shelf, digest_str(alone));
	l->guessing = true;
	if (wants && look_digest_all(l, alone, wants->wants.v, wants->wants.n, ret_content))
		s = lru_find(l->host->shelf, digest_str(ret_content));
	l->guessing = false;
	if (s && s->program) {
		program = tamis_program_ref(s->program);
		look_wants_done(l);
		for (size_t i = 0; i < wants->wants.n; i++)
			look_want(l, wants->wants.v[i].global, wants->wants.v[i].name);
	}
	shelved_unref(s);
	shelved_unref(wants);
	if (program || l->error)
		return program;
	return look_compile(l, main, alone, ret_content);
}

/* --- the last good version */

static void
look_keep_file(struct look *l, bool global, const char *leaf, const struct seen *s)
{
	const char *root = look_root(l, global), *good = look_good_name(l, global, leaf), *directory = global ? "" : l->directory;
	struct rulefile_stamp stamp;
	struct tamis_diagnostic d = { .severity = TAMIS_WARNING, .hint = "let this process write to the directory" };
	struct buf old = { 0 };
	const char *why;
	const struct str text = buf_str(&s->text);
	int error = 0;

	if (rulefile_read(root, good, l->host->conf->limits.script_size, &old, &stamp, &why) != RULEFILE_FINE ||
	    stamp.marked || !str_eq(buf_str(&old), text)) {
		error = rulefile_write(root, good, text);
		if (error && look_claim(l, "unkept", root, directory, str_from(strerror(error)))) {
			d.place.file = text_from(arena_printf(&l->arena, "%s/%s", root, directory).s);
			d.text = arena_printf(&l->arena, "the last good version cannot be kept here for a restart: %s", strerror(error)).s;
			look_say(l, &d, d.place.file.s);
		}
	}
	look_keep_text(l, root, good, error ? &text : NULL);
	buf_done(&old);
}

static void
look_keep(struct look *l, const struct seen *main)
{
	size_t i;

	look_keep_file(l, false, l->leaf, main);
	for (i = 0; i < l->wants.n; i++) {
		const struct wanted *w = &l->wants.v[i];
		const struct seen *s = look_included(l, w->global, w->name);

		if (s->result == RULEFILE_FINE)
			look_keep_file(l, w->global, w->name, s);
		else if (s->result == RULEFILE_NONE)
			look_unkeep(l, w->global, w->name);
	}
}

static void
look_take(struct look *l, struct tamis_program *take_program, const uint8_t content[DIGEST_SIZE], const char *path)
{
	l->version->program = take_program;
	memcpy(l->version->content, content, DIGEST_SIZE);
	free(l->version->path);
	l->version->path = mem_strdup(path);
}

/* From memory, else from the file beside it, else from what that file would have in it. */
static void
look_fall_back(struct look *l, const struct seen *main, const struct rulescript *before)
{
	uint8_t content[DIGEST_SIZE];
	struct tamis_program *program;
	struct seen *s;

	if (before && before->program) {
		const char *good = look_good_name(l, false, l->leaf);
		struct rulefile_stamp stamp;

		rulefile_stat(l->file->root, good, &stamp);
		memcpy(l->version->alone, before->alone, DIGEST_SIZE);
		look_take(l, tamis_program_ref(before->program), before->content,
		          stamp.there ? arena_printf(&l->arena, "%s/%s", l->file->root, good).s : before->path);
		return;
	}
	l->good = true;
	look_measure_anew(l);
	s = look_see(l, l->file->root, look_good_name(l, false, l->leaf));
	if (s->result != RULEFILE_FINE)
		return;
	program = look_program(l, s, content);
	if (!program && !l->error) {
		/* what is broken may be a script of global_dir, as it is now */
		l->good_global = true;
		look_measure_anew(l);
		program = look_program(l, look_see(l, s->root, s->name), content);
	}
	if (program)
		look_take(l, program, content, s->stamp.there ? look_path(l, s) : look_path(l, main));
}

/* What the configuration names has not been removed by anybody: the last good version is in force.  Each time that it goes
 * is worth a word. */
static void
look_miss(struct look *l, struct seen *main)
{
	static const char why[] = "is not there";

	if (main->stamp.there)
		look_is_back(l, main, why);
	if (main->result != RULEFILE_NONE)
		return;
	main->result = RULEFILE_REFUSED;
	main->why = why;
}

/* May the directory of the rules, below the root, not be entered?  It is said once for all who have rules there. */
static bool
look_is_shut(struct look *l)
{
	const char *path = arena_printf(&l->arena, "%s/%s", l->file->root, l->directory).s;
	const struct tamis_diagnostic d = {
		.severity = TAMIS_ERROR, .place.file = text_from(path),
		.text = "may not be entered: rules that are known stay in force, mail for all others is told to come again",
	};
	struct rulefile_stamp stamp;

	if (rulefile_enter(path) != EACCES)
		return false;
	rulefile_stat(l->file->root, l->directory, &stamp);
	if (look_claim(l, "shut", l->file->root, l->directory,
	               arena_printf(&l->arena, "%jd.%ld", (intmax_t)stamp.changed.tv_sec, stamp.changed.tv_nsec)) &&
	    l->host->report)
		l->host->report(l->host->report_ctx, STR_EMPTY, &d, path);
	return true;
}

/* Whoever removes his rules has none.  But a file system that is not mounted, or a directory that we may not enter, tells
 * nothing of those who have rules in it. */
static void
look_doubt(struct look *l, struct seen *main, const struct rulescript *known)
{
	if (l->file->site) {
		look_miss(l, main);
		return;
	}
	if (main->result <= RULEFILE_NONE && !l->error)
		l->error = rulefile_enter(l->file->root);
	if (main->result != RULEFILE_REFUSED || l->error || !look_is_shut(l))
		return;
	main->said = true;
	if (!known || !known->program)
		l->error = EACCES;
}

/* Whoever changes his rules again and again has one program all the same; it is made anew for others with the same rules. */
static void
look_drop(struct look *l, const struct rulescript *before)
{
	if (!before || !before->program || before->program == l->version->program ||
	    !memcmp(before->content, l->version->content, DIGEST_SIZE))
		return;
	lru_drop(l->host->shelf, digest_str(before->content));
	if (!l->version->program || memcmp(before->alone, l->version->alone, DIGEST_SIZE))
		lru_drop(l->host->shelf, digest_str(before->alone));
}

/* before: NULL, or the version that was there; known: that, or one from before the configuration was read again. */
static void
look_run(struct look *l, const struct rulescript *before, const struct rulescript *known)
{
	struct seen *main = look_see(l, l->file->root, l->file->name);
	uint8_t content[DIGEST_SIZE];
	struct tamis_program *program = NULL;

	look_doubt(l, main, known);
	l->version->there = main->result != RULEFILE_NONE;
	look_forget(l, main);
	if (main->result == RULEFILE_REFUSED && !main->said && !l->error)
		look_refuse(l, main);
	if (main->result == RULEFILE_FINE)
		program = look_program(l, main, content);
	if (program) {
		look_take(l, program, content, look_path(l, main));
		look_keep(l, main);
	} else if (l->version->there && !l->error) {
		look_fall_back(l, main, main->said ? known : before);
	}
	if (!l->error)
		look_drop(l, before);
}

/* Is all as it was?  Files are looked at each time, and the directories on the way to them once a second: in another one's
 * place the same file is hardly ever found. */
static bool
rulescript_holds(struct rulescript *s)
{
	const int64_t now = moment_seconds();
	const bool lately = atomic_load_explicit(&s->looked, memory_order_relaxed) == now;
	struct rulefile_stamp stamp;
	size_t i;

	if (s->young)
		return false;
	for (i = 0; i < s->file.n; i++) {
		const struct watched *w = &s->file.v[i];

		if (w->directory && lately)
			continue;
		if (rulefile_stat_path(w->path, &stamp) == RULEFILE_TROUBLE ||
		    !(w->directory ? rulefile_is(&stamp, &w->stamp) : rulefile_same(&stamp, &w->stamp)))
			return false;
	}
	atomic_store_explicit(&s->looked, now, memory_order_relaxed);
	return true;
}

/* No name has a NUL in it. */
static void
version_key(struct buf *b, const struct rulescript_file *file)
{
	struct str root = str_from(file->root), name = str_from(file->name);

	buf_room(b, root.len + 1 + name.len);
	buf_add(b, root);
	buf_putc(b, '\0');
	buf_add(b, name);
}

/* Of somebody who has no rules nothing is kept: he takes no room from those who have. */
static void
version_keep(const struct rulescript_host *host, struct str key, struct rulescript *v, bool had)
{
	if (had || v->there)
		lru_put(host->versions, key, rulescript_ref(v));
	if (v->program)
		lru_put(host->known, key, rulescript_ref(v));
	else if (!v->there)
		lru_drop(host->known, key);
}

int
rulescript_find(const struct rulescript_host *host, const struct rulescript_file *file, struct str user, struct rulescript **ret)
{
	char room[512];
	struct buf key = BUF_ON(room);
	struct rulescript *before, *known;
	struct look l;
	int rc;

	version_key(&key, file);
	before = lru_find(host->versions, buf_str(&key));
	if (before && rulescript_holds(before)) {
		buf_done(&key);
		*ret = before;
		return before->there;
	}
	known = before ? rulescript_ref(before) : lru_find(host->known, buf_str(&key));
	look_init(&l, host, file, user);
	look_run(&l, before, known);
	rc = l.error ? -1 : l.version->there;
	if (!l.error)
		*ret = rulescript_ref(l.version);
	if (!l.error)
		version_keep(host, buf_str(&key), l.version, before);
	buf_done(&key);
	rulescript_unref(known);
	rulescript_unref(before);
	look_done(&l);
	errno = l.error;
	return rc;
}
