/* header.c - fields out of a block of bytes; their values unfolded and decoded
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/limits.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/transfer.h"

#define FIELDS_FIRST    40u             /* most headers fit without growing */
#define CHARSET_NAME    64u             /* bytes that the name of a charset may have */

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* any visible byte but ":"; a table, since each byte of each name comes by */
static const bool name_byte[256] = {
	['!' ... '9'] = true, [';' ... '~'] = true, [0x80 ... 0xff] = true,
};

static inline bool
in_name(char c)
{
	return name_byte[(unsigned char)c];
}

bool
header_name_ok(struct str name)
{
	size_t i;

	for (i = 0; i < name.len; i++)
		if (!in_name(name.s[i]) || (unsigned char)name.s[i] > '~')
			return false;
	return name.len > 0;
}

size_t
header_empty_line(struct str v)
{
	if (v.len && v.s[0] == '\n')
		return 1;
	return v.len > 1 && v.s[0] == '\r' && v.s[1] == '\n' ? 2 : 0;
}

/* Length up to and including the first line end that no blank follows */
static inline size_t
folded_length(struct str v)
{
	const char *p = v.s, *end = v.s + v.len;

	do {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			return v.len;
	} while (++p < end && is_blank(*p));
	return (size_t)(p - v.s);
}

size_t
header_next(struct str v, size_t *ret_name, size_t *ret_colon)
{
	size_t name = 0, colon;

	while (name < v.len && in_name(v.s[name]))
		name++;
	colon = name;
	while (colon < v.len && is_blank(v.s[colon]))
		colon++;
	if (!name || colon == v.len || v.s[colon] != ':')
		return 0;
	*ret_name = name;
	*ret_colon = colon;
	return colon + 1 + folded_length(str_sub(v, colon + 1, v.len));
}

size_t
header_mbox_line(struct str v)
{
	size_t name, colon;
	const char *nl;

	if (!str_starts(v, STR("From ")) || header_next(v, &name, &colon))
		return 0;
	nl = memchr(v.s, '\n', v.len);
	return nl ? (size_t)(nl + 1 - v.s) : v.len;
}

static struct field *
grow_fields(struct arena *a, struct field *old, unsigned n, unsigned cap)
{
	struct field *more = ARENA_ARRAY(a, cap, struct field);

	if (n)
		memcpy(more, old, n * sizeof *more);
	return more;
}

/* The first n bytes of v in lower case.  Most names fit into two words, and what stands behind them comes along. */
static struct str
name_lower(struct arena *a, struct str v, size_t n)
{
	enum { WORDS = 16 };
	char *s;

	if (n >= WORDS || v.len < WORDS)
		return arena_lower(a, str_sub(v, 0, n));
	s = arena_alloc(a, WORDS);
	str_lower_into(s, str_sub(v, 0, WORDS));
	s[n] = '\0';
	return (struct str){ s, n };
}

unsigned
header_scan(struct arena *a, struct str block, struct field **ret)
{
	unsigned n = 0, cap = 0;
	struct field *field = NULL;
	size_t at = header_mbox_line(block), len, name, colon;

	for (; n < LIMIT_FIELDS; at += len) {
		struct str v = str_sub(block, at, block.len);

		len = header_next(v, &name, &colon);
		if (!len)
			break;
		if (n == cap) {
			cap = cap ? cap * 2 : FIELDS_FIRST;
			field = grow_fields(a, field, n, cap);
		}
		field[n] = (struct field){
			.name = name_lower(a, v, name), .raw = str_sub(v, colon + 1, len), .whole = str_sub(v, 0, len),
			.naddress = -1, .position = n,
		};
		n++;
	}
	*ret = field;
	return n;
}

struct field *
header_find(struct field *field, unsigned n, const char *name)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (str_is(field[i].name, name))
			return &field[i];
	return NULL;
}

static struct cell *
cell_new(struct arena *a, struct str v)
{
	struct cell *c = arena_alloc(a, sizeof *c);

	*c = cell_of(v);
	return c;
}

struct field *
field_new(struct arena *a, struct str name, struct str value)
{
	struct field *f = ARENA_NEW(a, struct field);

	f->name = arena_lower(a, name);
	f->raw = arena_str(a, value);
	f->whole = STR_EMPTY;
	f->value = f->plain = cell_new(a, str_trim(f->raw));
	f->naddress = -1;
	f->nsame = 1;
	return f;
}

/* RFC 5322 2.2.3: a line end goes when a blank follows, the blank stays. */
static struct str
unfold(struct arena *a, struct str v)
{
	const char *p = v.s, *end = v.s + v.len, *nl;
	char *start, *d;

	if (!memchr(p, '\n', v.len))
		return v;
	start = d = arena_alloc(a, v.len);
	while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
		const char *stop = nl - (nl > p && nl[-1] == '\r');

		if (nl + 1 < end && !is_blank(nl[1]))
			stop = nl + 1;
		memcpy(d, p, (size_t)(stop - p));
		d += stop - p;
		p = nl + 1;
	}
	memcpy(d, p, (size_t)(end - p));
	d += end - p;
	return (struct str){ start, (size_t)(d - start) };
}

const struct cell *
field_plain(struct message *m, struct field *f)
{
	if (!f->plain) {
		f->plain = cell_new(&m->arena, unfold(&m->arena, str_trim(f->raw)));
		m->work += 1 + f->raw.len / 64;
	}
	return f->plain;
}

const struct cell *
field_value(struct message *m, struct field *f)
{
	if (!f->value) {
		struct str plain = field_plain(m, f)->v, v = header_decode(&m->arena, plain);

		f->value = v.s == plain.s ? f->plain : cell_new(&m->arena, v);
		m->work += 1 + plain.len / 64;
	}
	return f->value;
}

/* --- encoded words (RFC 2047) */

struct word {
	struct str charset, text;
	size_t len;                     /* of the whole: "=?" to "?=" */
	char encoding;                  /* 'b' or 'q' */
};

enum word_found { WORD_NONE, WORD_FOUND, WORD_NO_MORE };

static inline bool
in_charset(char c)
{
	return in_name(c) && !memchr("()<>@,;\"/[]?=", c, 13);
}

/* Readers of mail take words that break the rules of section 2 and 5 (longer
 * than 75 bytes, blanks inside, no blank around): so do we. */
static enum word_found
word_at(struct str v, struct word *ret)
{
	size_t i = 2, end;
	ptrdiff_t close;
	char encoding;

	while (i < v.len && i < CHARSET_NAME + 2 && in_charset(v.s[i]))
		i++;
	if (i == 2 || v.len - i < 3 || v.s[i] != '?' || v.s[i + 2] != '?')
		return WORD_NONE;
	encoding = char_lower(v.s[i + 1]);
	if (encoding != 'b' && encoding != 'q')
		return WORD_NONE;
	/* looked for only once in vain: the cost stays linear */
	close = str_find(str_sub(v, i + 3, v.len), STR("?="));
	if (close < 0)
		return WORD_NO_MORE;
	end = i + 3 + (size_t)close;
	ret->charset = str_sub(v, 2, i);
	/* RFC 2231 5: the language is behind an asterisk */
	if (memchr(ret->charset.s, '*', ret->charset.len))
		ret->charset.len = (size_t)str_find(ret->charset, STR("*"));
	ret->text = str_sub(v, i + 3, end);
	ret->len = end + 2;
	ret->encoding = encoding;
	return WORD_FOUND;
}

/* Words side by side in one charset are a group: a character may be split
 * over two of them, and the blanks between words are not text (6.2). */
struct decoder {
	struct buf out, bytes;
	struct str charset;             /* of the open group */
	struct str words;               /* its span; .len 0: none is open */
	struct str gap;                 /* blanks before it */
	bool clean;                     /* every word of it was well-formed */
	bool decoded;                   /* what was put out last was a decoded word */
};

static void
word_bytes(struct decoder *d, const struct word *w)
{
	char *to = buf_room(&d->bytes, w->text.len);
	bool clean;

	if (w->encoding == 'b')
		d->bytes.len += transfer_base64(to, w->text, &clean);
	else
		d->bytes.len += transfer_q(to, w->text, &clean);
	d->clean = d->clean && clean;
}

static void
put_raw(struct decoder *d, struct str raw)
{
	buf_add(&d->out, d->gap);
	buf_add(&d->out, raw);
	d->gap = STR_EMPTY;
	d->decoded = false;
}

static bool
put_bytes(struct decoder *d)
{
	size_t before = d->out.len;

	if (!d->clean)
		return false;
	if (!d->decoded)
		buf_add(&d->out, d->gap);
	if (charset_add(&d->out, d->charset, buf_str(&d->bytes), true) < 0) {
		d->out.len = before;
		return false;
	}
	d->gap = STR_EMPTY;
	d->decoded = true;
	return true;
}

/* The group as a whole meant nothing: each word by itself, and those that
 * still mean nothing as they are. */
static void
put_singly(struct decoder *d)
{
	struct str v = d->words;
	struct word w;

	while (word_at(v, &w) == WORD_FOUND) {
		d->bytes.len = 0;
		d->clean = true;
		word_bytes(d, &w);
		if (!put_bytes(d))
			put_raw(d, str_sub(v, 0, w.len));
		v = str_sub(v, w.len, v.len);
		if (!v.len)
			break;
		d->gap = str_sub(v, 0, (size_t)str_find(v, STR("=?")));
		v = str_sub(v, d->gap.len, v.len);
	}
}

static void
close_group(struct decoder *d)
{
	if (d->words.len && !put_bytes(d))
		put_singly(d);
	d->words.len = 0;
	d->bytes.len = 0;
	d->clean = true;
}

/* What stands between two words, or before the first */
static void
put_between(struct decoder *d, struct str text)
{
	close_group(d);
	if (d->decoded && !str_trim(text).len)
		d->gap = text;
	else if (text.len)
		put_raw(d, text);
}

static void
add_word(struct decoder *d, struct str between, const struct word *w, const char *at)
{
	bool joins = d->words.len && !str_trim(between).len && str_ieq(d->charset, w->charset);

	if (!joins) {
		put_between(d, between);
		d->charset = w->charset;
		d->words.s = at;
	}
	word_bytes(d, w);
	d->words.len = (size_t)(at + w->len - d->words.s);
}

struct str
header_decode(struct arena *a, struct str v)
{
	struct decoder d = { .clean = true, .gap = STR_EMPTY };
	size_t done = 0, at = 0;
	ptrdiff_t found = str_find(v, STR("=?"));
	struct word w;
	struct str ret;

	if (found < 0)
		return v;
	while (found >= 0) {
		enum word_found kind;

		at += (size_t)found;
		kind = word_at(str_sub(v, at, v.len), &w);
		if (kind == WORD_NO_MORE)
			break;
		if (kind == WORD_FOUND) {
			add_word(&d, str_sub(v, done, at), &w, v.s + at);
			done = at += w.len;
		} else {
			at += 2;
		}
		found = str_find(str_sub(v, at, v.len), STR("=?"));
	}
	close_group(&d);
	buf_add(&d.out, str_sub(v, done, v.len));
	ret = buf_copy(&d.out, a);
	buf_done(&d.out);
	buf_done(&d.bytes);
	return ret;
}
