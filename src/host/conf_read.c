/* conf_read.c - the text of tamis.conf
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "host/conf_value.h"
#include "host/diag.h"
#include "host/limit.h"
#include "host/text.h"

struct item {
	struct str text;                /* without quotes */
	struct conf_place place;
};

struct reader {
	struct conf_read *read;
	struct arena *arena;            /* the configuration's */
	struct str line;
	unsigned number;
	size_t rows;
	struct conf_row *row;
	struct conf_scope *scope;       /* NULL above the first section */
	struct conf_scope wrong;        /* stands for a section that is none */
};

void
conf_read_report(struct conf_read *r, bool error, struct conf_place place, const char *hint, const char *format, ...)
{
	char text[512];
	struct tamis_diagnostic d = {
		.severity = error ? TAMIS_ERROR : TAMIS_WARNING,
		.place = { text_of(r->file), place.line, place.column, place.length },
		.text = text,
		.hint = hint,
	};
	va_list args;

	if (error && ++r->errors > LIMIT_ERRORS) {
		if (r->errors > LIMIT_ERRORS + 1)
			return;
		hint = NULL;
		format = "more errors are not shown";
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	d.hint = hint;
	diag_report(r->diag, &d);
}

/* `from` to `to` of the current line */
static struct conf_place
reader_place(const struct reader *r, size_t from, size_t to)
{
	size_t length = utf8_count(str_sub(r->line, from, to));

	return (struct conf_place){ r->number, (unsigned)utf8_count(str_sub(r->line, 0, from)) + 1, length ? (unsigned)length : 1 };
}

static size_t
reader_blanks(const struct reader *r, size_t at)
{
	while (at < r->line.len && (r->line.s[at] == ' ' || r->line.s[at] == '\t'))
		at++;
	return at;
}

/* Is there nothing more but a comment? */
static bool
reader_ends(const struct reader *r, size_t at)
{
	at = reader_blanks(r, at);
	return at == r->line.len || r->line.s[at] == '#';
}

/* Shown in messages; a long one is cut. */
#define SHOWN(v) (int)((v).len > 80 ? 80 : (v).len), (v).s

/* The closest of some words, if close enough to be meant, as a hint. */
struct meant {
	struct str word, best;
	unsigned least;
};

static void
meant_try(struct meant *m, struct str word)
{
	unsigned distance = str_distance(m->word, word, m->least);

	if (distance < m->least) {
		m->least = distance;
		m->best = word;
	}
}

static struct meant
meant_of(struct str word)
{
	return (struct meant){ word, STR_EMPTY, word.len > 3 ? 3 : 2 };
}

static const char *
meant_hint(const struct meant *m, struct arena *a)
{
	return m->best.len ? arena_printf(a, "did you mean \"%.*s\"?", STR_ARG(m->best)).s : NULL;
}

/* --- values */

/* "..." at *at, with \" and \\ in it. */
static bool
reader_quoted(struct reader *r, size_t *at, struct item *ret)
{
	size_t from = *at, i = from + 1;
	struct buf b = { 0 };

	for (; i < r->line.len && r->line.s[i] != '"'; i++) {
		if (r->line.s[i] == '\\' && i + 1 < r->line.len)
			i++;
		buf_putc(&b, r->line.s[i]);
	}
	*ret = (struct item){ buf_copy(&b, r->arena), reader_place(r, from, i < r->line.len ? i + 1 : i) };
	buf_done(&b);
	if (i >= r->line.len) {
		conf_read_report(r->read, true, ret->place, NULL, "the quote is not closed on this line");
		return false;
	}
	*at = i + 1;
	return true;
}

/* What stands behind "=" of a setting that has one value. */
static bool
reader_single(struct reader *r, size_t at, struct item *ret)
{
	size_t from = at = reader_blanks(r, at), to;

	if (at < r->line.len && r->line.s[at] == '"') {
		if (!reader_quoted(r, &at, ret))
			return false;
		if (reader_ends(r, at))
			return true;
		at = reader_blanks(r, at);
		conf_read_report(r->read, true, reader_place(r, at, r->line.len), NULL, "more stands behind the closing quote");
		return false;
	}
	for (to = from; at < r->line.len; at++) {
		if (r->line.s[at] == '#' && (at == from || r->line.s[at - 1] == ' ' || r->line.s[at - 1] == '\t'))
			break;
		if (r->line.s[at] != ' ' && r->line.s[at] != '\t')
			to = at + 1;
	}
	*ret = (struct item){ arena_str(r->arena, str_sub(r->line, from, to)), reader_place(r, from, to) };
	return true;
}

/* The next of several values between commas or blanks: 1, 0 there is no more, -1 it is wrong. */
static int
reader_item(struct reader *r, size_t *at, struct item *ret)
{
	size_t from = *at, i;

	while (from < r->line.len && (r->line.s[from] == ',' || r->line.s[from] == ' ' || r->line.s[from] == '\t'))
		from++;
	if (reader_ends(r, from))
		return 0;
	*at = from;
	if (r->line.s[from] == '"')
		return reader_quoted(r, at, ret) ? 1 : -1;
	for (i = from; i < r->line.len && r->line.s[i] != ',' && r->line.s[i] != ' ' && r->line.s[i] != '\t'; i++)
		;
	*ret = (struct item){ arena_str(r->arena, str_sub(r->line, from, i)), reader_place(r, from, i) };
	*at = i;
	return 1;
}

static void
reader_wrong(struct reader *r, const struct conf_row *row, const struct item *v, const char *what)
{
	conf_read_report(r->read, true, v->place, NULL, "\"%.*s\" of '%s' %s", SHOWN(v->text), row->name, what);
}

/* 1 + its index, or 0 after reporting. */
static unsigned
reader_choice(struct reader *r, const struct conf_row *row, const struct item *v)
{
	struct meant meant = meant_of(v->text);
	struct buf all = { 0 };
	struct str word = { 0 };
	unsigned i;

	for (i = 0; conf_table_choice(row->choices, i, &word); i++) {
		if (str_eq(word, v->text))
			break;
		meant_try(&meant, word);
		buf_printf(&all, "%s\"%.*s\"", i ? ", " : "", STR_ARG(word));
	}
	if (str_eq(word, v->text)) {
		buf_done(&all);
		return i + 1;
	}
	conf_read_report(r->read, true, v->place, meant_hint(&meant, r->arena), "\"%.*s\" of '%s' is none of %s",
	                 SHOWN(v->text), row->name, buf_str(&all).s);
	buf_done(&all);
	return 0;
}

static void
reader_text(struct reader *r, const struct conf_row *row, const struct item *v, const char **ret)
{
	const char *wrong = NULL;

	if (row->choices && !reader_choice(r, row, v))
		return;
	if (row->check && v->text.len)
		wrong = row->check(v->text);
	if (wrong)
		reader_wrong(r, row, v, wrong);
	else
		*ret = row->check == conf_value_path ? conf_value_squeeze(r->arena, v->text).s : v->text.s;
}

static void
reader_number(struct reader *r, const struct conf_row *row, const struct item *v, void *ret)
{
	uint64_t n;

	if (conf_value_number(row, v->text, &n) <= 0) {
		struct str range = conf_value_range(row, r->arena);
		bool least = str_starts(range, STR("at"));

		reader_wrong(r, row, v, arena_printf(r->arena, "is not %s %s%s%s%s", row->type == CONF_OCTAL ? "an" : "a",
		                                     conf_table_type(row->type), least ? " of " : " from ", range.s,
		                                     row->unit == 86400 ? ", in whole days" : "").s);
	} else if (row->type == CONF_LIMIT) {
		struct buf b = { 0 };
		struct str name;

		buf_printf(&b, "%s=%llu", limit_name(row->offset), (unsigned long long)n);
		limit_set(&r->read->conf->limits, buf_str(&b), &name);
		buf_done(&b);
	} else {
		memcpy(ret, &n, sizeof(n));
	}
}

static void
reader_chosen(struct reader *r, const struct conf_row *row, const struct item *v, void *ret)
{
	unsigned choice = reader_choice(r, row, v);
	bool on = choice == 2;

	if (!choice)
		return;
	choice--;
	if (row->type == CONF_SWITCH)
		memcpy(ret, &on, sizeof(on));
	else
		memcpy(ret, &choice, sizeof(choice));
}

/* One value of a setting to `ret`. */
static void
reader_store(struct reader *r, const struct conf_row *row, const struct item *v, void *ret)
{
	if (!v->text.len && !row->empty)
		conf_read_report(r->read, true, v->place, NULL, "'%s' needs a value", row->name);
	else if (row->type == CONF_TEXT)
		reader_text(r, row, v, ret);
	else if (row->type == CONF_CHOICE || row->type == CONF_SWITCH)
		reader_chosen(r, row, v, ret);
	else
		reader_number(r, row, v, ret);
}

static void
reader_push(struct reader *r, struct conf_list *l, struct str v)
{
	if (!(l->n & (l->n - 1))) {     /* full: 0, 1, 2, 4... */
		const char **more = ARENA_ARRAY(r->arena, l->n ? l->n * 2 : 1, const char *);

		if (l->n)
			memcpy(more, l->v, l->n * sizeof(*more));
		l->v = more;
	}
	l->v[l->n++] = v.s;
}

static void
reader_list(struct reader *r, const struct conf_row *row, size_t at, struct conf_list *ret)
{
	struct item v;
	const char *wrong;

	while (reader_item(r, &at, &v) > 0) {
		wrong = v.text.len ? row->check(v.text) : "is empty";
		if (wrong)
			reader_wrong(r, row, &v, wrong);
		else if (ret->n >= LIMIT_CONF_LIST)
			reader_wrong(r, row, &v, "is one value too many (100000)");
		else
			reader_push(r, ret, row->check == conf_value_path ? conf_value_squeeze(r->arena, v.text) : v.text);
	}
}

/* --- lines */

/* The number of the row of that name, or of none: r->rows. */
static size_t
reader_row(const struct reader *r, struct str name)
{
	size_t i;

	for (i = 0; i < r->rows && !str_is(name, r->row[i].name); i++)
		;
	return i;
}

/* Whoever meant to set it need not hear what follows from its default. */
static void
reader_spoiled(struct reader *r, size_t i)
{
	if (i < r->rows)
		r->read->wrong[i] = true;
}

static void
reader_unknown(struct reader *r, struct str name, struct conf_place place)
{
	struct meant meant = meant_of(name);
	size_t i;

	for (i = 0; i < r->rows; i++)
		meant_try(&meant, str_from(r->row[i].name));
	reader_spoiled(r, reader_row(r, meant.best));
	conf_read_report(r->read, true, place, meant_hint(&meant, r->arena), "unknown setting \"%.*s\"", SHOWN(name));
}

/* Where the value of that row goes, and where its place is noted; NULL after reporting. */
static void *
reader_target(struct reader *r, size_t i, struct conf_place place, struct conf_place **ret)
{
	const struct conf_row *row = &r->row[i];

	if (!r->scope) {
		*ret = &r->read->conf->private->place[i];
		return (char *)r->read->conf + (row->type == CONF_LIMIT ? 0 : row->offset);
	}
	if (!row->scoped) {
		conf_read_report(r->read, true, place, "it belongs above the first section",
		                 "'%s' is a setting of the whole site, not of one %s", row->name, conf_scope_names[r->scope->kind]);
		return NULL;
	}
	*ret = &r->scope->set[row->scoped - 1];
	return &r->scope->value[row->scoped - 1];
}

/* What stands behind "=", at `at`, is the value of row i, whose name is at `place`. */
static void
reader_value(struct reader *r, size_t i, struct conf_place place, size_t at)
{
	struct conf_place *set;
	struct item v;
	void *target = reader_target(r, i, place, &set);

	if (!target)
		return;
	if (set->line && r->row[i].type != CONF_LIST) {
		conf_read_report(r->read, true, place, NULL, "'%s' is set twice; first in line %u", r->row[i].name, set->line);
		return;
	}
	if (!set->line)
		*set = place;
	if (r->row[i].type == CONF_LIST)
		reader_list(r, &r->row[i], at, target);
	else if (reader_single(r, at, &v))
		reader_store(r, &r->row[i], &v, target);
}

static void
reader_setting(struct reader *r, size_t at)
{
	const char *eq = memchr(r->line.s + at, '=', r->line.len - at);
	size_t to = eq ? (size_t)(eq - r->line.s) : r->line.len, word = at, i;
	struct str name = str_trim(str_sub(r->line, at, to));
	struct conf_place place = reader_place(r, at, at + name.len);
	unsigned errors = r->read->errors;

	if (!eq) {
		conf_read_report(r->read, true, reader_place(r, at + name.len, at + name.len), "a line is NAME = VALUE, [SECTION] or # comment",
		                 "'=' is missing");
		while (word < to && r->line.s[word] != ' ' && r->line.s[word] != '\t')
			word++;
		reader_spoiled(r, reader_row(r, str_sub(r->line, at, word)));
		return;
	}
	i = reader_row(r, name);
	if (i == r->rows) {
		reader_unknown(r, name, place);
		return;
	}
	reader_value(r, i, place, to + 1);
	if (r->read->errors > errors)
		reader_spoiled(r, i);
}

/* The name of a section as it is looked up; empty after reporting. */
static struct str
reader_section_name(struct reader *r, enum conf_scope_kind kind, const struct item *v)
{
	const struct conf *c = r->read->conf;
	const char *at = kind == CONF_SCOPE_USER && v->text.len ? memrchr(v->text.s, '@', v->text.len) : NULL, *wrong = NULL;
	size_t n = at ? (size_t)(at - v->text.s) : 0;
	struct str domain = str_sub(v->text, at ? n + 1 : 0, v->text.len);

	if (kind == CONF_SCOPE_RULES) {
		if (v->text.len && v->text.s[0] != '/' && c->rules_dir[0])
			return conf_value_squeeze(r->arena, arena_printf(r->arena, "%s/%.*s", c->rules_dir, STR_ARG(v->text)));
		wrong = conf_value_path(v->text);
	} else {
		wrong = kind == CONF_SCOPE_USER && !n ? "is not a user like alice@example.org" : conf_value_domain(domain);
	}
	if (!wrong && kind == CONF_SCOPE_USER && c->localpart_case == CONF_EXACT)
		return arena_printf(r->arena, "%.*s@%s", (int)n, v->text.s, arena_lower(r->arena, domain).s);
	if (!wrong)
		return kind == CONF_SCOPE_RULES ? conf_value_squeeze(r->arena, v->text) : arena_lower(r->arena, v->text);
	conf_read_report(r->read, true, v->place, NULL, "\"%.*s\" %s", SHOWN(v->text), wrong);
	return STR_EMPTY;
}

/* Settings go there from here on. */
static void
reader_enter(struct reader *r, enum conf_scope_kind kind, const struct item *v)
{
	struct conf_private *p = r->read->conf->private;
	struct str name = reader_section_name(r, kind, v);
	uint32_t number;

	r->wrong = (struct conf_scope){ .kind = kind };
	r->scope = &r->wrong;
	if (!name.len)
		return;
	number = names_add(&p->key, arena_printf(r->arena, "%c%.*s", conf_scope_names[kind][0], STR_ARG(name)));
	if (number < p->scope.n) {
		conf_read_report(r->read, true, v->place, NULL, "section [%s %.*s] is there twice; first in line %u",
		                 conf_scope_names[kind], SHOWN(name), p->scope.v[number].place.line);
		return;
	}
	vec_push(&p->scope, (struct conf_scope){ .kind = kind, .name = name, .place = v->place });
	r->scope = &p->scope.v[number];
}

/* Where the section at `at` has its last bracket: paths may have some in them, and so may a comment; or the line's end. */
static size_t
reader_bracket(const struct reader *r, size_t at)
{
	while (at < r->line.len && (r->line.s[at] != ']' || !reader_ends(r, at + 1)))
		at++;
	return at;
}

static void
reader_section(struct reader *r, size_t at)
{
	size_t to = reader_bracket(r, at), from, i;
	struct str word;
	struct meant meant;
	struct item v;

	r->wrong = (struct conf_scope){ .kind = CONF_SCOPE_DOMAIN };
	r->scope = &r->wrong;
	if (to == r->line.len) {
		conf_read_report(r->read, true, reader_place(r, at, r->line.len), NULL, "a section is [domain NAME], [user ADDRESS] or [rules PATH]");
		return;
	}
	from = at = reader_blanks(r, at + 1);
	while (at < to && r->line.s[at] != ' ' && r->line.s[at] != '\t')
		at++;
	word = str_sub(r->line, from, at);
	v.text = arena_str(r->arena, str_trim(str_sub(r->line, at, to)));
	v.place = reader_place(r, reader_blanks(r, at), reader_blanks(r, at) + v.text.len);
	meant = meant_of(word);
	for (i = 0; i < CONF_SCOPES; i++) {
		if (str_is(word, conf_scope_names[i])) {
			reader_enter(r, i, &v);
			return;
		}
		meant_try(&meant, str_from(conf_scope_names[i]));
	}
	conf_read_report(r->read, true, reader_place(r, from, at), meant_hint(&meant, r->arena), "unknown section \"%.*s\"", SHOWN(word));
}

static void
reader_line(struct reader *r)
{
	size_t at, i;

	if (r->line.len && r->line.s[r->line.len - 1] == '\r')
		r->line.len--;
	for (i = 0; i < r->line.len; i++)
		if (((unsigned char)r->line.s[i] < ' ' && r->line.s[i] != '\t') || r->line.s[i] == 0x7f) {
			conf_read_report(r->read, true, reader_place(r, i, i + 1), NULL, "a control character");
			return;
		}
	at = utf8_check(r->line) < 0 ? reader_blanks(r, 0) : r->line.len;
	if (utf8_check(r->line) >= 0)
		conf_read_report(r->read, true, reader_place(r, (size_t)utf8_check(r->line), (size_t)utf8_check(r->line) + 1), NULL, "is not UTF-8");
	else if (reader_ends(r, at))
		;
	else if (r->line.s[at] == '[')
		reader_section(r, at);
	else
		reader_setting(r, at);
}

static struct reader
reader_of(struct conf_read *read)
{
	struct reader r = { .read = read, .arena = &read->conf->private->arena, .rows = conf_table_size() };
	size_t i;

	r.row = ARENA_ARRAY(r.arena, r.rows, struct conf_row);
	for (i = 0; i < r.rows; i++)
		conf_table_row(i, r.arena, &r.row[i]);
	return r;
}

void
conf_read_standards(struct conf_read *read)
{
	struct reader r = reader_of(read);
	size_t i;

	for (i = 0; i < r.rows; i++) {
		const struct conf_row *row = &r.row[i];
		struct item v = { arena_str(r.arena, str_from(row->standard)), { 0 } };
		char *target = (char *)read->conf + (row->type == CONF_LIMIT ? 0 : row->offset);

		if (row->type == CONF_LIST)
			*(struct conf_list *)target = (struct conf_list){ NULL, 0 };
		else
			reader_store(&r, row, &v, target);
	}
}

void
conf_read_text(struct conf_read *read)
{
	struct reader r = reader_of(read);
	struct str rest = read->text;

	if (str_starts(rest, STR("\xef\xbb\xbf")))
		rest = str_sub(rest, 3, rest.len);
	while (rest.len) {
		const char *end = memchr(rest.s, '\n', rest.len);
		size_t n = end ? (size_t)(end - rest.s) : rest.len;

		r.line = str_sub(rest, 0, n);
		r.number++;
		reader_line(&r);
		rest = str_sub(rest, end ? n + 1 : n, rest.len);
	}
}
