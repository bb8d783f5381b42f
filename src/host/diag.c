/* diag.c - show what is wrong, and where
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/utf8.h"
#include "host/diag.h"
#include "host/json.h"
#include "host/text.h"

enum {
	LINE_SHOWN = 200,       /* characters of a source line; longer ones are cut around the place */
	MARK_LINES = 64         /* every so many lines of a text are marked, so that none is far to seek */
};

#define BOLD    "\033[1m"
#define RED     "\033[1;31m"
#define MAGENTA "\033[1;35m"
#define CYAN    "\033[1;36m"
#define GREEN   "\033[1;32m"
#define PLAIN   "\033[0m"

void
diag_init(struct diag *d, FILE *out)
{
	*d = (struct diag){ .out = out };
}

void
diag_done(struct diag *d)
{
	size_t i;

	for (i = 0; i < d->source.n; i++) {
		free(d->source.v[i].name);
		free(d->source.v[i].path);
		vec_done(&d->source.v[i].mark);
	}
	vec_done(&d->source);
}

static struct diag_source *
diag_find(const struct diag *d, struct str name)
{
	size_t i;

	for (i = 0; i < d->source.n; i++)
		if (str_is(name, d->source.v[i].name))
			return &d->source.v[i];
	return NULL;
}

/* bytes of the first character */
static size_t
diag_step(struct str v)
{
	uint32_t code;
	size_t n = utf8_next(v, &code);

	return n ? n : 1;
}

/* The bytes of the first n characters. */
static size_t
diag_skip(struct str v, unsigned n)
{
	uint64_t eight;
	size_t at = 0;

	while (n && at < v.len) {
		if (n >= 8 && v.len - at >= 8) {
			memcpy(&eight, v.s + at, 8);
			if (!(eight & 0x8080808080808080)) {
				at += 8;
				n -= 8;
				continue;
			}
		}
		at += diag_step(str_sub(v, at, v.len));
		n--;
	}
	return at;
}

static char *
diag_dup(struct str v)
{
	char *s = mem_alloc(v.len + 1);

	memcpy(s, v.s, v.len);
	s[v.len] = '\0';
	return s;
}

static void
diag_marks(struct diag_source *s)
{
	const char *p = s->text.s, *end = p + s->text.len;
	unsigned line = 0;

	s->mark.n = 0;
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		p++;
		if (++line % MARK_LINES == 0)
			vec_push(&s->mark, (size_t)(p - s->text.s));
	}
}

void
diag_source(struct diag *d, struct str name, const char *path, struct str text)
{
	struct diag_source *s = diag_find(d, name);

	if (!s) {
		vec_push(&d->source, (struct diag_source){ .name = diag_dup(name) });
		s = &d->source.v[d->source.n - 1];
	}
	free(s->path);
	s->path = mem_strdup(path);
	s->text = text;
	diag_marks(s);
}

struct str
diag_path(const struct diag *d, struct str name)
{
	const struct diag_source *s = diag_find(d, name);

	return s ? str_from(s->path) : name;
}

struct str
diag_line(const struct diag *d, struct str name, unsigned n)
{
	const struct diag_source *s = diag_find(d, name);
	const char *p, *end, *stop;

	if (!s || !n)
		return STR_EMPTY;
	p = s->text.s;
	end = p + s->text.len;
	if (--n / MARK_LINES > s->mark.n)
		return STR_EMPTY;
	if (n >= MARK_LINES)
		p += s->mark.v[n / MARK_LINES - 1];
	for (n %= MARK_LINES; n && p; n--) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (p)
			p++;
	}
	if (!p || p >= end)
		return STR_EMPTY;
	stop = memchr(p, '\n', (size_t)(end - p));
	if (!stop)
		stop = end;
	if (stop > p && stop[-1] == '\r')
		stop--;
	return (struct str){ p, (size_t)(stop - p) };
}

struct str
diag_source_text(const struct diag *d, struct str name)
{
	const struct diag_source *s = diag_find(d, name);

	return s ? s->text : STR_EMPTY;
}

struct str
diag_text(const struct diag *d, const struct tamis_place *p)
{
	const struct diag_source *s = diag_find(d, text_str(p->file));
	struct str line = diag_line(d, text_str(p->file), p->line), rest;

	if (!s || !line.len)
		return STR_EMPTY;
	line = str_sub(line, diag_skip(line, p->column ? p->column - 1 : 0), line.len);
	rest = str_sub(s->text, (size_t)(line.s - s->text.s), s->text.len);
	return str_sub(rest, 0, diag_skip(rest, p->length));
}

const char *
diag_severity(const struct tamis_diagnostic *t)
{
	switch (t->severity) {
	case TAMIS_ERROR:
		return "error";
	case TAMIS_WARNING:
		return "warning";
	default:
		return "note";
	}
}

void
diag_clean(struct buf *b, struct str v)
{
	while (v.len) {
		uint32_t code;
		size_t n = utf8_next(v, &code);

		if (n && (code >= 0xa0 || (code >= ' ' && code < 0x7f) || code == '\t')) {
			buf_add(b, str_sub(v, 0, n));
		} else {
			if (!n)
				n = 1;
			for (size_t i = 0; i < n; i++)
				buf_printf(b, "\\x%02X", (unsigned char)v.s[i]);
		}
		v = str_sub(v, n, v.len);
	}
}

/* One character as one column: a tab is a blank, what cannot be shown "?". */
static void
diag_column(struct buf *b, struct str v)
{
	uint32_t code;
	size_t n = utf8_next(v, &code);

	if (!n || code < ' ' || (code >= 0x7f && code < 0xa0))
		buf_putc(b, n && code == '\t' ? ' ' : '?');
	else
		buf_add(b, v);
}

/* The line, and under it "^~~~": characters first to last of it, at most
 * LINE_SHOWN with the place among them. */
static void
diag_caret(const struct diag *d, struct str line, const struct tamis_place *p, struct buf *b)
{
	unsigned column = 1, from = 1, until, shown = 0, i;

	if (p->column > LINE_SHOWN * 3 / 4)
		from = p->column - LINE_SHOWN / 4;
	until = from + LINE_SHOWN;
	if (from > 1)
		buf_puts(b, "...");
	while (line.len && column < until) {
		size_t n = diag_step(line);

		if (column >= from) {
			diag_column(b, str_sub(line, 0, n));
			shown++;
		}
		line = str_sub(line, n, line.len);
		column++;
	}
	buf_puts(b, line.len ? "...\n" : "\n");
	if (from > 1)
		buf_puts(b, "   ");
	for (i = from; i < p->column; i++)
		buf_putc(b, ' ');
	buf_puts(b, d->color ? GREEN "^" : "^");
	for (i = 1; i < p->length && p->column + i < from + shown; i++)
		buf_putc(b, '~');
	buf_puts(b, d->color ? PLAIN "\n" : "\n");
}

void
diag_format(const struct diag *d, const struct tamis_diagnostic *t, struct buf *b)
{
	static const char *const color[] = {
		[TAMIS_ERROR] = RED, [TAMIS_WARNING] = MAGENTA, [TAMIS_NOTE] = CYAN,
	};
	struct str file = text_str(t->place.file);
	struct str line = diag_line(d, file, t->place.line);

	if (d->color)
		buf_puts(b, BOLD);
	if (file.len) {
		diag_clean(b, diag_path(d, file));
		if (t->place.line)
			buf_printf(b, ":%u:%u", t->place.line, t->place.column);
		buf_puts(b, ": ");
	}
	if (d->color)
		buf_puts(b, color[t->severity]);
	buf_printf(b, "%s: ", diag_severity(t));
	if (d->color)
		buf_puts(b, PLAIN BOLD);
	diag_clean(b, str_from(t->text));
	buf_puts(b, d->color ? PLAIN "\n" : "\n");
	if (line.len)
		diag_caret(d, line, &t->place, b);
	if (t->hint) {
		buf_puts(b, "hint: ");
		diag_clean(b, str_from(t->hint));
		buf_putc(b, '\n');
	}
}

json_t *
diag_object(const struct diag *d, const struct tamis_diagnostic *t)
{
	json_t *o = json_object();

	json_put(o, "file", json_text(diag_path(d, text_str(t->place.file))));
	json_put(o, "line", json_integer(t->place.line));
	json_put(o, "column", json_integer(t->place.column));
	json_put(o, "length", json_integer(t->place.length));
	json_put(o, "severity", json_text(str_from(diag_severity(t))));
	json_put(o, "text", json_text(str_from(t->text)));
	if (t->hint)
		json_put(o, "hint", json_text(str_from(t->hint)));
	return o;
}

void
diag_report(void *ctx, const struct tamis_diagnostic *t)
{
	struct diag *d = ctx;
	struct buf b = { 0 };

	switch (t->severity) {
	case TAMIS_ERROR:
		d->errors++;
		break;
	case TAMIS_WARNING:
		d->warnings++;
		break;
	default:
		d->notes++;
	}
	if (d->form == DIAG_NONE || (d->no_warnings && t->severity != TAMIS_ERROR))
		return;
	if (d->form == DIAG_JSON) {
		json_line(d->out, diag_object(d, t));
		return;
	}
	diag_format(d, t, &b);
	fwrite(b.s, 1, b.len, d->out);
	buf_done(&b);
}
