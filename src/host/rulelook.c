/* rulelook.c - a look at a file of rules and those that it includes
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "host/rulelook.h"
#include "host/text.h"

void
look_init(struct look *l, const struct rulescript_host *host, const struct rulescript_file *file, struct str user)
{
	const char *slash = strrchr(file->name, '/');
	size_t n = slash ? (size_t)(slash - file->name) + 1 : 0;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*l = (struct look){ .host = host, .file = file, .user = user, .now = now.tv_sec };
	l->version = mem_alloc(sizeof(*l->version));
	*l->version = (struct rulescript){ .path = mem_strdup("") };
	atomic_init(&l->version->count, 1);
	l->directory = mem_alloc(n + 1);
	memcpy(l->directory, file->name, n);
	l->directory[n] = '\0';
	l->leaf = file->name + n;
}

void
look_wants_done(struct look *l)
{
	size_t i;

	for (i = 0; i < l->wants.n; i++)
		free(l->wants.v[i].name);
	l->wants.n = 0;
}

void
look_done(struct look *l)
{
	size_t i;

	for (i = 0; i < l->seen.n; i++) {
		free(l->seen.v[i]->root);
		free(l->seen.v[i]->name);
		buf_done(&l->seen.v[i]->text);
		free(l->seen.v[i]);
	}
	vec_done(&l->seen);
	look_wants_done(l);
	vec_done(&l->wants);
	vec_done(&l->said);
	arena_done(&l->arena);
	free(l->directory);
	rulescript_unref(l->version);
}

/* --- good versions that no file could keep */

struct kept {
	atomic_uint count;
	bool there;
	size_t len;
	char text[];
};

static void *
kept_ref(void *p)
{
	atomic_fetch_add(&((struct kept *)p)->count, 1);
	return p;
}

static void *
kept_unref(void *p)
{
	struct kept *k = p;

	if (k && atomic_fetch_sub(&k->count, 1) == 1)
		free(k);
	return NULL;
}

static size_t
kept_weight(const void *p)
{
	return ((const struct kept *)p)->len;
}

struct lru *
rulescript_goods(size_t max)
{
	struct lru *l = lru_new(max, kept_ref, kept_unref);

	lru_weigh(l, LIMIT_GOODS_SIZE, kept_weight);
	return l;
}

static struct str
kept_key(struct look *l, const char *root, const char *good)
{
	return arena_printf(&l->arena, "%s/%s", root, good);
}

void
look_keep_text(struct look *l, const char *root, const char *good, const struct str *text)
{
	struct kept *old = lru_find(l->host->goods, kept_key(l, root, good)), *k;

	if (text ? !old || !old->there || !str_eq((struct str){ old->text, old->len }, *text) : old && old->there) {
		k = mem_alloc(sizeof(*k) + (text ? text->len : 0));
		*k = (struct kept){ .there = text, .len = text ? text->len : 0 };
		atomic_init(&k->count, 1);
		if (text)
			memcpy(k->text, text->s, text->len);
		lru_put(l->host->goods, kept_key(l, root, good), k);
	}
	kept_unref(old);
}

/* It is newer than what the file has. */
static void
look_see_kept(struct look *l, struct seen *s)
{
	struct kept *k = lru_find(l->host->goods, kept_key(l, s->root, s->name));

	if (k && k->there) {
		buf_reset(&s->text);
		buf_add(&s->text, (struct str){ k->text, k->len });
		s->result = RULEFILE_FINE;
		s->stamp.marked = false;
	}
	kept_unref(k);
}

/* --- files */

/* One script is as large as it may be; many that include each other are larger than rules need to be. */
static void
look_measure(struct look *l, struct seen *s)
{
	const size_t most = l->host->conf->limits.script_size, sum = most * LIMIT_RULES_TIMES;

	l->read += s->text.len;
	if (l->read <= sum || s->text.len > most)
		return;
	l->read -= s->text.len;
	buf_done(&s->text);
	s->result = RULEFILE_REFUSED;
	s->why = "makes rules larger than eight times limit_script_size, with all that they include";
}

void
look_measure_anew(struct look *l)
{
	l->read = 0;
	for (size_t i = 0; i < l->seen.n; i++)
		l->seen.v[i]->counted = false;
}

static bool
look_watches(const struct look *l, const char *path)
{
	for (size_t i = 0; i < l->version->file.n; i++)
		if (!strcmp(l->version->file.v[i].path, path))
			return true;
	return false;
}

/* Those below the root: another one in the place of one of them, or a symbolic link, shows in no file's own stamp. */
static void
look_watch_directories(struct look *l, const char *root, const char *name)
{
	struct rulefile_stamp stamp;

	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		const char *path = arena_printf(&l->arena, "%s/%.*s", root, (int)(slash - name), name).s;

		if (look_watches(l, path))
			continue;
		rulefile_stat_path(path, &stamp);
		vec_push(&l->version->file, (struct watched){ mem_strdup(path), stamp, true });
	}
}

static struct seen *
look_open(struct look *l, const char *root, const char *name)
{
	struct seen *s = mem_alloc(sizeof(*s));

	*s = (struct seen){ .root = mem_strdup(root), .name = mem_strdup(name) };
	s->result = rulefile_read(root, name, l->host->conf->limits.script_size, &s->text, &s->stamp, &s->why);
	s->error = errno;
	look_watch_directories(l, root, name);
	if (l->good && s->result != RULEFILE_TROUBLE)
		look_see_kept(l, s);
	vec_push(&l->seen, s);
	vec_push(&l->version->file, (struct watched){ mem_strdup(look_path(l, s)), s->stamp, false });
	l->version->young |= rulefile_young(&s->stamp, l->now);
	return s;
}

/* From here on it is one of those that these rules need. */
static struct seen *
look_count(struct look *l, struct seen *s)
{
	if (l->guessing)
		return s;
	if (s->result == RULEFILE_TROUBLE)
		l->error = s->error;
	if (s->result == RULEFILE_FINE && !s->counted)
		look_measure(l, s);
	s->counted = true;
	return s;
}

struct seen *
look_see(struct look *l, const char *root, const char *name)
{
	size_t i;

	for (i = 0; i < l->seen.n; i++)
		if (!strcmp(l->seen.v[i]->root, root) && !strcmp(l->seen.v[i]->name, name))
			return look_count(l, l->seen.v[i]);
	return look_count(l, look_open(l, root, name));
}

/* Of a part as these rules had it: for others of the directory that include it another one may be the last that was good. */
static struct str
look_part_name(struct look *l, const char *leaf)
{
	struct str name = arena_printf(&l->arena, ".%zu+%s+%s.kept", strlen(l->leaf), l->leaf, leaf);
	uint8_t which[DIGEST_SIZE];
	char hex[DIGEST_HEX];
	struct digest d;

	if (name.len <= NAME_MAX)
		return name;
	digest_init(&d);
	digest_add_part(&d, name);
	digest_end(&d, which);
	digest_hex(which, sizeof(which), hex);
	return arena_printf(&l->arena, ".%s.kept", hex);
}

const char *
look_root(const struct look *l, bool global)
{
	return global ? l->host->conf->global_dir : l->file->root;
}

const char *
look_good_name(struct look *l, bool global, const char *leaf)
{
	if (global)
		return arena_printf(&l->arena, ".%s.good", leaf).s;

	const struct str name = strcmp(leaf, l->leaf) ? look_part_name(l, leaf) : arena_printf(&l->arena, ".%s.good", leaf);

	return arena_printf(&l->arena, "%s%.*s", l->directory, STR_ARG(name)).s;
}

const char *
look_path(struct look *l, const struct seen *s)
{
	return arena_printf(&l->arena, "%s/%s", s->root, s->name).s;
}

/* The copy; without one it was not there. */
static struct seen *
look_good(struct look *l, bool global, const char *leaf)
{
	struct seen *s = look_see(l, look_root(l, global), look_good_name(l, global, leaf));

	if (s->result == RULEFILE_FINE && s->stamp.marked)
		s->result = RULEFILE_NONE;
	return s;
}

/* What is missing in a directory that cannot be entered, as one that is not mounted, may be there. */
struct seen *
look_included(struct look *l, bool global, const char *leaf)
{
	const char *directory = l->host->conf->global_dir;
	struct seen *s;
	int error;

	if (global ? l->good_global : l->good)
		return look_good(l, global, leaf);
	s = global ? look_see(l, directory, leaf) :
	    look_see(l, l->file->root, arena_printf(&l->arena, "%s%s", l->directory, leaf).s);
	if (global && s->result <= RULEFILE_NONE && s->result != RULEFILE_TROUBLE && (error = rulefile_enter(directory))) {
		s->result = RULEFILE_TROUBLE;
		s->error = error;
		look_count(l, s);
	}
	return s;
}

void
look_want(struct look *l, bool global, const char *name)
{
	vec_push(&l->wants, (struct wanted){ global, mem_strdup(name) });
}

/* --- what is said, once */

void
look_say(struct look *l, const struct tamis_diagnostic *d, const char *path)
{
	struct tamis_diagnostic copy = *d;

	if (str_is(text_str(copy.place.file), RULESCRIPT_NAME))
		copy.place.file = text_from(path);
	if (l->host->report)
		l->host->report(l->host->report_ctx, l->user, &copy, path);
}

static void
look_claim_key(const char *what, const char *root, const char *name, struct str of, uint8_t ret[DIGEST_SIZE])
{
	struct digest d;

	digest_init(&d);
	digest_add_part(&d, str_from(what));
	digest_add_part(&d, str_from(root));
	digest_add_part(&d, str_from(name));
	digest_add_part(&d, of);
	digest_end(&d, ret);
}

bool
look_claim(struct look *l, const char *what, const char *root, const char *name, struct str of)
{
	uint8_t key[DIGEST_SIZE];
	struct shelved *known;

	look_claim_key(what, root, name, of, key);
	known = lru_find(l->host->shelf, digest_str(key));
	shelved_unref(known);
	return !known && lru_put(l->host->shelf, digest_str(key), shelved_new(NULL));
}

/* The same again, later, is worth another word. */
static struct str
refusal(struct look *l, const char *why, const struct rulefile_stamp *stamp)
{
	return arena_printf(&l->arena, "%s %jd.%ld", why, (intmax_t)stamp->changed.tv_sec, stamp->changed.tv_nsec);
}

void
look_is_back(struct look *l, const struct seen *s, const char *why)
{
	const struct rulefile_stamp none = { 0 };
	uint8_t key[DIGEST_SIZE];

	look_claim_key("refused", s->root, s->name, refusal(l, why, &none), key);
	lru_drop(l->host->shelf, digest_str(key));
}

void
look_refuse(struct look *l, const struct seen *s)
{
	struct tamis_diagnostic d = { .severity = TAMIS_ERROR };
	const char *path = look_path(l, s);

	if (!look_claim(l, "refused", s->root, s->name, refusal(l, s->why, &s->stamp)))
		return;
	d.place.file = text_from(path);
	d.text = s->why;
	look_say(l, &d, path);
}

void
look_report(void *ctx, const struct tamis_diagnostic *d)
{
	struct look *l = ctx;
	struct tamis_diagnostic copy = *d;

	copy.place.file = text_of(arena_str(&l->arena, diag_path(l->diag, text_str(d->place.file))));
	copy.text = arena_str(&l->arena, str_from(d->text)).s;
	copy.hint = d->hint ? arena_str(&l->arena, str_from(d->hint)).s : NULL;
	vec_push(&l->said, copy);
}

bool
look_has_errors(const struct look *l)
{
	size_t i;

	for (i = 0; i < l->said.n; i++)
		if (l->said.v[i].severity == TAMIS_ERROR)
			return true;
	return false;
}

static size_t
look_say_some(struct look *l, const char *path, bool errors, size_t most)
{
	size_t i, n = 0;

	for (i = 0; i < l->said.n && n < most; i++)
		if ((l->said.v[i].severity == TAMIS_ERROR) == errors) {
			look_say(l, &l->said.v[i], path);
			n++;
		}
	return n;
}

/* A user may make a mistake in each of his lines, and again tomorrow: the log has the first ones. */
void
look_say_all(struct look *l, const char *path)
{
	struct tamis_diagnostic d = { .place.file = text_from(path), .hint = "\"tamis check\" tells all of it" };
	size_t i, n;

	for (i = 0; i < l->said.n && l->said.n <= LIMIT_RULES_SAID; i++)
		look_say(l, &l->said.v[i], path);
	if (l->said.n <= LIMIT_RULES_SAID)
		return;
	n = look_say_some(l, path, true, LIMIT_RULES_SAID - 1);
	d.severity = n ? TAMIS_ERROR : TAMIS_WARNING;
	n += look_say_some(l, path, false, LIMIT_RULES_SAID - 1 - n);
	d.text = arena_printf(&l->arena, "%zu more", l->said.n - n).s;
	look_say(l, &d, path);
}

/* --- removed rules */

static void
look_not_removed(struct look *l, const char *root, const char *good, int error)
{
	struct tamis_diagnostic d = { .severity = TAMIS_WARNING, .hint = "remove it, or let this process write to the directory" };
	const char *path = arena_printf(&l->arena, "%s/%s", root, good).s;

	if (!look_claim(l, "unforgotten", root, good, str_from(strerror(error))))
		return;
	d.place.file = text_from(path);
	d.text = arena_printf(&l->arena, "the last good version of rules that are gone cannot be removed: %s", strerror(error)).s;
	look_say(l, &d, path);
}

void
look_forget(struct look *l, const struct seen *main)
{
	const char *good = look_good_name(l, false, l->leaf);
	const bool away = main->result == RULEFILE_NONE;
	struct rulefile_stamp stamp;
	int error;

	if (away && !l->error)
		look_keep_text(l, l->file->root, good, NULL);
	if (l->error || rulefile_stat(l->file->root, good, &stamp) != RULEFILE_FINE)
		return;
	error = rulefile_forget(l->file->root, good, away, away ? l->now : main->stamp.there ? main->stamp.changed.tv_sec : 0);
	/* to be looked at again: when it is over is not seen in any file */
	l->version->young |= away && !error;
	if (error && error != ENOENT && away)
		look_not_removed(l, l->file->root, good, error);
}

void
look_unkeep(struct look *l, bool global, const char *leaf)
{
	const char *root = look_root(l, global), *good = look_good_name(l, global, leaf);
	struct rulefile_stamp stamp;
	int error;

	look_keep_text(l, root, good, NULL);
	if (rulefile_stat(root, good, &stamp) != RULEFILE_FINE || !stamp.there)
		return;
	error = rulefile_forget(root, good, true, 0);
	if (error && error != ENOENT)
		look_not_removed(l, root, good, error);
}
