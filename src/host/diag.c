/* diag.c - show what is wrong, and where
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/utf8.h"
#include "host/diag.h"
#include "host/json.h"
#include "host/text.h"

enum {
	LINE_SHOWN = 200,       /* characters of a source line; longer ones are cut around the place */
	MARK_LINES = 64,        /* every so many lines of a text there is a mark, */
	MARK_COLUMNS = 4096     /* and every so many characters of one line */
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
diag_marks_line(struct diag_source *s, struct str v, unsigned line)
{
	unsigned column = 1;

	while (v.len > MARK_COLUMNS) {
		v = str_sub(v, diag_skip(v, MARK_COLUMNS), v.len);
		column += MARK_COLUMNS;
		if (v.len)
			vec_push(&s->mark, (struct diag_mark){ line, column, (size_t)(v.s - s->text.s) });
	}
}

static void
diag_marks(struct diag_source *s)
{
	struct str rest = s->text;
	unsigned line = 1;

	s->mark.n = 0;
	s->marked = true;
	while (rest.len) {
		const char *eol = memchr(rest.s, '\n', rest.len);
		size_t len = eol ? (size_t)(eol - rest.s) : rest.len;

		if (len > MARK_COLUMNS)
			diag_marks_line(s, str_sub(rest, 0, len - (rest.s[len - 1] == '\r')), line);
		rest = str_sub(rest, eol ? len + 1 : len, rest.len);
		if (line++ % MARK_LINES == 0)
			vec_push(&s->mark, (struct diag_mark){ line, 1, (size_t)(rest.s - s->text.s) });
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
	s->marked = false;
}

struct str
diag_path(const struct diag *d, struct str name)
{
	const struct diag_source *s = diag_find(d, name);

	return s ? str_from(s->path) : name;
}

static bool
diag_is_before(const struct diag_mark *m, unsigned line, unsigned column)
{
	return m->line < line || (m->line == line && m->column <= column);
}

static struct diag_mark
diag_mark_before(const struct diag_source *s, unsigned line, unsigned column)
{
	size_t low = 0, high = s->mark.n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (diag_is_before(&s->mark.v[middle], line, column))
			low = middle + 1;
		else
			high = middle;
	}
	return low ? s->mark.v[low - 1] : (struct diag_mark){ 1, 1, 0 };
}

/* The text from that place on; from the end of the line if that is shorter.  Empty if there is no such line. */
static struct str
diag_seek(struct diag_source *s, unsigned line, unsigned column)
{
	const char *p, *end = s->text.s + s->text.len, *eol;
	struct diag_mark m;
	size_t most;

	if (!s->marked)
		diag_marks(s);
	m = diag_mark_before(s, line, column ? column : 1);
	p = s->text.s + m.at;
	for (; m.line < line; m.line++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			return STR_EMPTY;
		p++;
		m.column = 1;
	}
	if (column <= m.column)
		return (struct str){ p, (size_t)(end - p) };
	/* no character has more than four bytes */
	most = ((size_t)column - m.column) * 4 + 1;
	if (most > (size_t)(end - p))
		most = (size_t)(end - p);
	eol = memchr(p, '\n', most);
	if (eol && eol > p && eol[-1] == '\r')
		eol--;
	p += diag_skip((struct str){ p, eol ? (size_t)(eol - p) : most }, column - m.column);
	return (struct str){ p, (size_t)(end - p) };
}

/* up to the end of the line */
static struct str
diag_until_end(struct str rest)
{
	const char *eol = memchr(rest.s, '\n', rest.len);
	size_t len = eol ? (size_t)(eol - rest.s) : rest.len;

	return str_sub(rest, 0, len - (len && rest.s[len - 1] == '\r'));
}

struct str
diag_line(const struct diag *d, struct str name, unsigned n)
{
	struct diag_source *s = diag_find(d, name);

	return s && n ? diag_until_end(diag_seek(s, n, 1)) : STR_EMPTY;
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
	struct diag_source *s = diag_find(d, text_str(p->file));
	struct str rest;

	if (!s || !p->line)
		return STR_EMPTY;
	rest = diag_seek(s, p->line, 1);
	/* there is nothing in an empty line */
	if (!rest.len || *rest.s == '\n' || str_starts(rest, STR("\r\n")))
		return STR_EMPTY;
	rest = diag_seek(s, p->line, p->column);
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
diag_caret(const struct diag *d, struct diag_source *s, const struct tamis_place *p, struct buf *b)
{
	unsigned from = 1, shown = 0, i;
	struct str line;

	if (p->column > LINE_SHOWN * 3 / 4)
		from = p->column - LINE_SHOWN / 4;
	if (from > 1)
		buf_puts(b, "...");
	for (line = diag_until_end(diag_seek(s, p->line, from)); line.len && shown < LINE_SHOWN; shown++) {
		size_t n = diag_step(line);

		diag_column(b, str_sub(line, 0, n));
		line = str_sub(line, n, line.len);
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
	struct diag_source *s = diag_find(d, file);

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
	if (s && diag_line(d, file, t->place.line).len)
		diag_caret(d, s, &t->place, b);
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
