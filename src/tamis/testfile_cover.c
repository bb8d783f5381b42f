/* testfile_cover.c - which tests of rules came out both ways
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "host/json.h"
#include "host/text.h"
#include "tamis/testfile_cover.h"
#include "tamis/words.h"

enum { WORDS_SHOWN = 80 };

void
testfile_cover_done(struct testfile_cover *c)
{
	size_t i;

	for (i = 0; i < c->unit.n; i++) {
		free(c->unit.v[i].path);
		buf_done(&c->unit.v[i].text);
		vec_done(&c->unit.v[i].point);
	}
	vec_done(&c->unit);
	vec_done(&c->source);
}

void
testfile_cover_case(struct testfile_cover *c, const struct diag *diag)
{
	c->source.n = 0;
	c->diag = diag;
}

/* The same text in several cases of a file is one. */
static size_t
testfile_cover_unit(struct testfile_cover *c, const char *path, unsigned line, struct str text)
{
	struct testfile_covered u = { .line = line };
	size_t i;

	for (i = 0; i < c->unit.n; i++)
		if (!strcmp(c->unit.v[i].path, path) && str_eq(buf_str(&c->unit.v[i].text), text))
			return i;
	u.path = mem_strdup(path);
	buf_add(&u.text, text);
	vec_push(&c->unit, u);
	return c->unit.n - 1;
}

void
testfile_cover_source(struct testfile_cover *c, struct str name, const char *path, unsigned line, struct str text)
{
	vec_push(&c->source, (struct testfile_source){ name, path, line, text, SIZE_MAX });
}

static struct testfile_covered *
testfile_cover_find(struct testfile_cover *c, struct str name)
{
	struct testfile_source *s;
	size_t i;

	for (i = 0; i < c->source.n && !str_eq(c->source.v[i].name, name); i++)
		;
	if (i == c->source.n) {         /* an included file, or what nobody showed us */
		const char *path = diag_source_text(c->diag, name).len ? diag_path(c->diag, name).s : "rules";

		testfile_cover_source(c, name, path, 0, diag_source_text(c->diag, name));
	}
	s = &c->source.v[i];
	if (s->unit == SIZE_MAX)
		s->unit = testfile_cover_unit(c, s->path, s->line, s->text);
	return &c->unit.v[s->unit];
}

static struct testfile_point *
testfile_cover_at(struct testfile_covered *u, const struct tamis_place *p, bool rule)
{
	size_t i;

	for (i = 0; i < u->point.n; i++) {
		struct testfile_point *point = &u->point.v[i];

		if (point->rule == rule && point->place.line == p->line && point->place.column == p->column)
			return point;
	}
	return NULL;
}

static void
testfile_cover_point(void *ctx, const struct tamis_point *p)
{
	struct testfile_cover *c = ctx;
	struct testfile_covered *u;
	bool rule = p->kind == TAMIS_POINT_RULE;

	if (p->kind == TAMIS_POINT_ACTION)
		return;
	u = testfile_cover_find(c, text_str(p->place.file));
	if (!testfile_cover_at(u, &p->place, rule))
		vec_push(&u->point, (struct testfile_point){ .place = p->place, .rule = rule });
}

void
testfile_cover_program(struct testfile_cover *c, const struct tamis_program *p)
{
	tamis_program_points(p, testfile_cover_point, c);
}

void
testfile_cover_event(struct testfile_cover *c, const struct tamis_event *e)
{
	struct testfile_point *p;

	if (e->kind != TAMIS_RULE_END && e->kind != TAMIS_RESULT)
		return;
	p = testfile_cover_at(testfile_cover_find(c, text_str(e->place.file)), &e->place, e->kind == TAMIS_RULE_END);
	if (!p)
		return;
	p->yes |= e->result > 0;
	p->no |= !e->result;
}

/* NULL: it came out both ways */
static const char *
testfile_cover_missing(const struct testfile_point *p)
{
	if (p->yes && p->no)
		return NULL;
	return p->yes ? "never false" : p->no ? "never true" : "never decided";
}

/* A condition is worth a line of its own only if its tests do not say it all. */
static bool
testfile_cover_told(const struct testfile_covered *u, size_t i)
{
	size_t tests = 0;

	if (!u->point.v[i].rule)
		return false;
	for (i++; i < u->point.n && !u->point.v[i].rule; i++) {
		if (testfile_cover_missing(&u->point.v[i]))
			return true;
		tests++;
	}
	return tests == 0;
}

/* Line n, from 1, of a text, from column on. */
static struct str
testfile_cover_words(const struct testfile_covered *u, const struct tamis_place *p)
{
	struct str rest = buf_str(&u->text);
	const char *end;
	unsigned line = 1;

	for (; line < p->line && (end = memchr(rest.s, '\n', rest.len)); line++)
		rest = str_sub(rest, (size_t)(end + 1 - rest.s), rest.len);
	if (rest.len < p->column)
		return STR_EMPTY;
	rest = str_sub(rest, p->column - 1, rest.len);
	return p->length < rest.len ? str_sub(rest, 0, p->length) : rest;
}

static void
testfile_cover_print(const struct testfile_covered *u, const struct testfile_point *p, FILE *out, bool json)
{
	struct buf words = { 0 };
	json_t *o;

	words_flat(&words, testfile_cover_words(u, &p->place), WORDS_SHOWN);
	if (json) {
		o = json_object();
		json_put(o, "file", json_text(str_from(u->path)));
		json_put(o, "line", json_integer(u->line + p->place.line));
		json_put(o, "column", json_integer(p->place.column));
		json_put(o, "cover", json_text(str_from(testfile_cover_missing(p))));
		json_put(o, "words", json_text(buf_str(&words)));
		json_line(out, o);
	} else {
		fprintf(out, "# %s:%u:%u: %s: %s\n", u->path, u->line + p->place.line, p->place.column,
		        testfile_cover_missing(p), buf_str(&words).s);
	}
	buf_done(&words);
}

size_t
testfile_cover_report(const struct testfile_cover *c, FILE *out, bool json)
{
	size_t all = 0, missing = 0, i, j;

	for (i = 0; i < c->unit.n; i++) {
		const struct testfile_covered *u = &c->unit.v[i];

		for (j = 0; j < u->point.n; j++) {
			all += !u->point.v[j].rule;
			if (!testfile_cover_missing(&u->point.v[j]) || testfile_cover_told(u, j))
				continue;
			missing++;
			testfile_cover_print(u, &u->point.v[j], out, json);
		}
	}
	if (!json)
		fprintf(out, "# %zu tests in rules, %zu without both outcomes\n", all, missing);
	return missing;
}
