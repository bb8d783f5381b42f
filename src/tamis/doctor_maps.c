/* doctor_maps.c - milters that Postfix asks for some clients only
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What smtpd_milter_maps has for a client takes the place of smtpd_milters.  Nobody can ask a table about all clients;
 * most tables can be read. */
#include "tamis/doctor_maps.h"

#include <fcntl.h>

#include "host/file.h"
#include "tamis/doctor_master.h"

enum {
	MAPS_MAX = 1 << 20,             /* bytes of a table that is read */
	LISTS_MAX = 1000,               /* different lists of milters that are looked at */
	TABLES_DEPTH = 8                /* tables made of tables made of tables */
};

/* How a type of table is read; what is not here may be anywhere. */
enum reading_how { READ_VALUE, READ_VALUES, READ_PAIRS, READ_LINES, READ_INDEX, READ_TABLES };

static const struct reading {
	const char *type;
	enum reading_how how;
} readings[] = {
	{ "static", READ_VALUE }, { "fail", READ_VALUE }, { "randmap", READ_VALUES }, { "inline", READ_PAIRS },
	/* since Postfix 3.7 lines may stand in main.cf: cidr:{{0.0.0.0/0 DISABLE}} */
	{ "cidr", READ_LINES }, { "regexp", READ_LINES }, { "pcre", READ_LINES }, { "texthash", READ_LINES },
	{ "hash", READ_INDEX }, { "btree", READ_INDEX }, { "lmdb", READ_INDEX }, { "cdb", READ_INDEX }, { "dbm", READ_INDEX },
	{ "sdbm", READ_INDEX }, { "unionmap", READ_TABLES }, { "pipemap", READ_TABLES },
};

/* One list of milters */
static void
maps_add(const struct doctor *d, struct maps_found *f, struct str list)
{
	struct master_milter m;

	list = str_trim(list);
	if (!master_milter(d, list, &m))
		return;
	f->how = MAPS_OURS;
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->list[i], list))
			return;
	if (!f->list)
		f->list = ARENA_ARRAY(d->arena, LISTS_MAX, struct str);
	if (f->n < LISTS_MAX)
		f->list[f->n++] = arena_str(d->arena, list);
}

/* What is in braces, without them */
static struct str
inner(struct str v)
{
	v = str_trim(v);
	return v.len > 1 && v.s[0] == '{' && v.s[v.len - 1] == '}' ? str_sub(v, 1, v.len - 1) : v;
}

/* Behind the key, in which no client's name or address has a blank */
static struct str
behind_key(struct str line)
{
	size_t n = 0;

	while (n < line.len && !strchr(" \t", line.s[n]))
		n++;
	return str_sub(line, n, line.len);
}

/* A line goes on where the next one begins with a blank; comments and empty lines between do not count. */
static void
maps_lines(const struct doctor *d, struct maps_found *f, struct str text)
{
	struct buf line = { 0 };

	while (text.len) {
		const char *stop = memchr(text.s, '\n', text.len);
		struct str one = str_sub(text, 0, stop ? (size_t)(stop - text.s) : text.len), seen = str_trim(one);

		text = str_sub(text, one.len + (stop != NULL), text.len);
		if (!seen.len || seen.s[0] == '#')
			continue;
		if (one.s[0] != ' ' && one.s[0] != '\t') {
			maps_add(d, f, behind_key(buf_str(&line)));
			buf_reset(&line);
		}
		buf_add(&line, one);
	}
	maps_add(d, f, behind_key(buf_str(&line)));
	buf_done(&line);
}

/* A table that stands in main.cf */
static void
maps_text(const struct doctor *d, struct maps_found *f, struct str text, const struct reading *r)
{
	struct str rest = inner(text), word;

	if (r->how == READ_VALUE) {
		maps_add(d, f, rest);
		return;
	}
	while (master_next_word(&rest, &word)) {
		struct str one = str_trim(inner(word));
		ptrdiff_t equals = str_find(one, STR("="));

		if (r->how == READ_VALUES)
			maps_add(d, f, word);
		else if (r->how == READ_LINES)
			maps_lines(d, f, one);
		else if (equals >= 0)
			maps_add(d, f, str_sub(one, (size_t)equals + 1, one.len));
	}
}

static void
maps_read(const struct doctor *d, struct maps_found *f, struct str table, struct str name, const struct reading *r)
{
	const char *word = arena_str(d->arena, table).s;
	const char *own[] = { "postmap", "-c", d->directory, "-s", word, NULL }, *standard[] = { "postmap", "-s", word, NULL };
	struct buf b = { 0 };
	bool all = r->how == READ_INDEX ? doctor_run(d->directory ? own : standard, &b) :
	                                  file_read(AT_FDCWD, arena_str(d->arena, name).s, &b, MAPS_MAX) == 0;

	if (all)
		maps_lines(d, f, buf_str(&b));
	else if (f->how == MAPS_OTHERS)
		f->how = MAPS_UNKNOWN;
	buf_done(&b);
}

static void maps_tables(const struct doctor *, struct maps_found *, struct str tables, unsigned depth);

static void
maps_table(const struct doctor *d, struct maps_found *f, struct str table, unsigned depth)
{
	ptrdiff_t colon;

	if (str_starts(table, STR("proxy:")))
		table = str_sub(table, 6, table.len);
	colon = str_find(table, STR(":"));
	for (size_t i = 0; colon > 0 && i < sizeof readings / sizeof *readings; i++) {
		const struct reading *r = &readings[i];
		struct str name = str_sub(table, (size_t)colon + 1, table.len);

		if (!str_is(str_sub(table, 0, (size_t)colon), r->type))
			continue;
		if (r->how == READ_TABLES && depth < TABLES_DEPTH)
			maps_tables(d, f, inner(name), depth + 1);
		else if (r->how == READ_INDEX || (r->how == READ_LINES && !str_starts(name, STR("{"))))
			maps_read(d, f, table, name, r);
		else
			maps_text(d, f, name, r);
		return;
	}
	if (f->how == MAPS_OTHERS)
		f->how = MAPS_UNKNOWN;
}

static void
maps_tables(const struct doctor *d, struct maps_found *f, struct str tables, unsigned depth)
{
	struct str word;

	while (master_next_word(&tables, &word))
		maps_table(d, f, word, depth);
}

struct maps_found
maps_look(const struct doctor *d, struct str tables)
{
	struct maps_found found = { MAPS_OTHERS, NULL, 0 };

	maps_tables(d, &found, tables, 0);
	return found;
}
