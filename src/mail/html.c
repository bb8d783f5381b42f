/* html.c - HTML to plain text
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The states of the standard's tokenizer are places in this code: each
 * function reads one construct to its end.  Of the tree only what changes the
 * tokenizer or hides text is kept: templates, and whether we are in SVG. */
#include "mail/entity.h"
#include "mail/html.h"
#include "mail/html_elements.h"

#define META_WITHIN     1024    /* bytes in which a <meta charset> counts (13.2.3.2) */
#define NAME_LONGEST    16

/* what waits to be put out before the next text */
enum gap { NO_GAP, GAP_BLANK, GAP_LINE };

struct html {
	const char *p, *end;
	char *start, *d;
	enum gap gap;
	unsigned pre, templates;
	const struct element *hidden;   /* in foreign content: dropped up to its end tag */
	/* a bit for each open svg and math (1) and each point in them where HTML
	 * may go on (0); and whether that is in math */
	uint64_t foreign, math;
	unsigned nforeign;
	bool html_inside;               /* an element has begun in the innermost such point */
};

struct tag {
	const struct element *element;  /* NULL: none that matters */
	bool closing, self_closing;
};

static const struct element no_element = { "", 0 };

static inline bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

static inline bool
is_letter(char c)
{
	return (unsigned char)(char_lower(c) - 'a') < 26;
}

static inline bool
in_foreign(const struct html *h)
{
	return h->nforeign && (h->foreign & 1);
}

/* --- text */

static void
want_gap(struct html *h, enum gap gap)
{
	if (h->gap < gap)
		h->gap = gap;
}

static inline char *
put_gap(struct html *h, char *d)
{
	if (h->gap && d != h->start)
		*d++ = h->gap == GAP_LINE ? '\n' : ' ';
	h->gap = NO_GAP;
	return d;
}

enum byte { ORDINARY, BLANK, AMPERSAND, MAYBE_NBSP };
static const unsigned char byte_kind[256] = {
	['\t'] = BLANK, ['\n'] = BLANK, ['\f'] = BLANK, ['\r'] = BLANK, [' '] = BLANK,
	['&'] = AMPERSAND, [0xc2] = MAYBE_NBSP,
};

static bool
is_nbsp(const char *p, size_t len)
{
	return len == 2 && p[0] == '\xc2' && p[1] == '\xa0';
}

/* A blank, or a no-break space, which a reader cannot tell from one */
static char *
put_blank(struct html *h, char *d, char c)
{
	if (!h->pre) {
		want_gap(h, GAP_BLANK);
		return d;
	}
	d = put_gap(h, d);
	*d++ = c;
	return d;
}

/* Puts the reference or "&" at p; returns how long it was. */
static size_t
put_reference(struct html *h, const char *p, const char *stop, char **d)
{
	char value[ENTITY_MAX];
	size_t len, n = entity_read((struct str){ p, (size_t)(stop - p) }, value, &len);

	if (n && is_nbsp(value, len)) {
		*d = put_blank(h, *d, ' ');
		return n;
	}
	*d = put_gap(h, *d);
	if (!n) {
		*(*d)++ = '&';
		return 1;
	}
	memcpy(*d, value, len);
	*d += len;
	return n;
}

/* Puts all up to stop; `references`: "&amp;" is one. */
static void
put_text(struct html *h, const char *stop, bool references)
{
	const char *p = h->p;
	char *d = h->d;

	h->p = stop;
	if (h->templates || h->hidden)
		return;
	while (p < stop) {
		unsigned kind = byte_kind[(unsigned char)*p];

		if (kind == BLANK) {
			d = put_blank(h, d, *p++);
		} else if (kind == AMPERSAND && references) {
			p += put_reference(h, p, stop, &d);
		} else if (kind == MAYBE_NBSP && stop - p >= 2 && p[1] == '\xa0') {
			d = put_blank(h, d, ' ');
			p += 2;
		} else {
			d = put_gap(h, d);
			do
				*d++ = *p++;
			while (p < stop && byte_kind[(unsigned char)*p] == ORDINARY);
		}
	}
	h->d = d;
}

/* --- markup */

/* From inside a tag past its ">"; NULL: the end comes first (13.2.5.32 to 40) */
static const char *
skip_attributes(const char *p, const char *end, bool *ret_self_closing)
{
	*ret_self_closing = false;
	for (;;) {
		while (p < end && (is_blank(*p) || *p == '/'))
			p++;
		if (p == end)
			return NULL;
		if (*p == '>') {
			*ret_self_closing = p[-1] == '/';
			return p + 1;
		}
		/* a "=" here is the first byte of a name */
		do
			p++;
		while (p < end && !is_blank(*p) && *p != '/' && *p != '>' && *p != '=');
		while (p < end && is_blank(*p))
			p++;
		if (p == end || *p != '=')
			continue;
		do
			p++;
		while (p < end && is_blank(*p));
		if (p < end && (*p == '"' || *p == '\'')) {
			p = memchr(p + 1, *p, (size_t)(end - p - 1));
			if (!p)
				return NULL;
			p++;
			if (p < end && *p == '>')
				return p + 1;
		} else {
			while (p < end && !is_blank(*p) && *p != '>')
				p++;
			if (p < end && *p == '>')
				return p + 1;
		}
	}
}

static const struct element *
find_element(struct str name)
{
	size_t low = 0, high = sizeof elements / sizeof *elements;
	char lower[NAME_LONGEST];

	if (name.len > sizeof lower || memchr(name.s, '\0', name.len))
		return &no_element;
	str_lower_into(lower, name);
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strncmp(lower, elements[middle].name, name.len);

		if (!order && !elements[middle].name[name.len])
			return &elements[middle];
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return &no_element;
}

/* The tag whose name begins at p; returns what follows it. */
static const char *
read_tag(const char *p, const char *end, struct tag *ret)
{
	const char *name = p;

	while (p < end && !is_blank(*p) && *p != '/' && *p != '>')
		p++;
	ret->element = find_element((struct str){ name, (size_t)(p - name) });
	if (p < end && *p == '>') {
		ret->self_closing = false;
		return p + 1;
	}
	return skip_attributes(p, end, &ret->self_closing);
}

/* p is behind "<!--" (13.2.5.43 to 51) */
static const char *
skip_comment(const char *p, const char *end)
{
	const char *q = p;

	while ((q = memchr(q, '>', (size_t)(end - q)))) {
		size_t n = (size_t)(q - p);

		if (n == 0 || (n == 1 && p[0] == '-')
		    || (n >= 2 && q[-1] == '-' && q[-2] == '-')
		    || (n >= 3 && q[-1] == '!' && q[-2] == '-' && q[-3] == '-'))
			return q + 1;
		q++;
	}
	return end;
}

static const char *
past(const char *p, const char *end, char c)
{
	p = memchr(p, c, (size_t)(end - p));
	return p ? p + 1 : end;
}

/* Is there "<" or "</", this name and the end of a name at p?  (appropriate
 * end tag, 13.2.5.9) */
static bool
is_tag_named(const char *p, const char *end, const char *open, const char *name)
{
	struct str v = { p, (size_t)(end - p) };
	size_t n = strlen(open), len = strlen(name);

	return v.len > n + len && str_starts(v, str_from(open))
	       && str_ieq(str_sub(v, n, n + len), str_from(name))
	       && (is_blank(v.s[n + len]) || v.s[n + len] == '/' || v.s[n + len] == '>');
}

/* The "</" that ends the element whose content begins at p, or the end */
static const char *
find_end_tag(const char *p, const char *end, const char *name)
{
	while ((p = memchr(p, '<', (size_t)(end - p)))) {
		if (is_tag_named(p, end, "</", name))
			return p;
		p++;
	}
	return end;
}

/* The "</script" that ends a script: within "<!--" a "<script" hides one
 * "</script" (13.2.5.15 to 31). */
static const char *
find_script_end(const char *p, const char *end)
{
	enum { SCRIPT_DATA, ESCAPED, DOUBLE } state = SCRIPT_DATA;
	const char *dashes = p;         /* "--" counts from here on */

	for (; p < end; p++) {
		if (*p == '>' && state != SCRIPT_DATA) {
			if (p - dashes >= 2 && p[-1] == '-' && p[-2] == '-')
				state = SCRIPT_DATA;
		} else if (*p != '<') {
			continue;
		} else if (is_tag_named(p, end, "</", "script")) {
			if (state != DOUBLE)
				return p;
			state = ESCAPED;
		} else if (state == SCRIPT_DATA && end - p >= 4 && !memcmp(p, "<!--", 4)) {
			state = ESCAPED;
			dashes = p + 2;
			p += 3;
		} else if (state == ESCAPED && is_tag_named(p, end, "<", "script")) {
			state = DOUBLE;
		}
	}
	return end;
}

/* p is behind "<!": comment, doctype, CDATA or nonsense */
static const char *
read_declaration(struct html *h, const char *p)
{
	struct str v = { p, (size_t)(h->end - p) };
	ptrdiff_t close;

	if (str_starts(v, STR("--")))
		return skip_comment(p + 2, h->end);
	/* in an svg or math, or in one's element that is at such a point itself */
	if (!h->nforeign || (!in_foreign(h) && h->html_inside) || !str_starts(v, STR("[CDATA[")))
		return past(p, h->end, '>');
	close = str_find(v, STR("]]>"));
	h->p = p + 7;
	put_text(h, close < 0 ? h->end : p + close, false);
	return close < 0 ? h->end : p + close + 3;
}

/* --- the little of the tree that matters */

static void
push_foreign(struct html *h, bool foreign, bool math)
{
	/* what is beyond 64 levels is taken for what is around it */
	if (h->nforeign == 64)
		return;
	h->foreign = h->foreign << 1 | foreign;
	h->math = h->math << 1 | math;
	h->nforeign++;
	h->html_inside = false;
}

static void
pop_foreign(struct html *h)
{
	h->foreign >>= 1;
	h->math >>= 1;
	h->nforeign--;
}

/* Tags in SVG and MathML; true: they mean what they mean in HTML */
static bool
foreign_tag(struct html *h, const struct tag *tag)
{
	unsigned does = tag->element->does;
	const bool math = h->math & 1;

	if (tag->closing) {
		if (h->hidden == tag->element)
			h->hidden = NULL;
		if (does & (SVG | MATH)) {
			pop_foreign(h);
			h->hidden = NULL;
		}
		/* a template around it ends with all that is in it */
		if (!(does & TEMPLATE) || !h->templates)
			return false;
		h->nforeign = 0;
		h->hidden = NULL;
		return true;
	}
	if (does & BREAKOUT) {
		while (in_foreign(h))
			pop_foreign(h);
		h->hidden = NULL;
		return true;
	}
	if (tag->self_closing)
		return false;
	if (does & (SVG | MATH))
		push_foreign(h, true, does & MATH);
	else if (does & (math ? IN_MATH : IN_SVG))
		push_foreign(h, false, math);
	else if ((does & HIDDEN) && !h->hidden)
		h->hidden = tag->element;
	return false;
}

static void
add_gaps(struct html *h, const struct tag *tag)
{
	unsigned does = tag->element->does;

	if (does & BLOCK)
		want_gap(h, GAP_LINE);
	else if (does & CELL)
		want_gap(h, GAP_BLANK);
	if ((does & PRE) && tag->closing)
		h->pre -= h->pre > 0;
	else if (does & PRE)
		h->pre++;
	if ((does & TEMPLATE) && tag->closing)
		h->templates -= h->templates > 0;
	else if (does & TEMPLATE)
		h->templates++;
}

/* The content of an element that is not read as markup; h->p is at it. */
static void
read_content(struct html *h, const struct element *element)
{
	const char *end;

	if (element->does & PLAINTEXT) {
		put_text(h, h->end, false);
		return;
	}
	if (element->does & SCRIPT)
		end = find_script_end(h->p, h->end);
	else
		end = find_end_tag(h->p, h->end, element->name);
	if (element->does & HIDDEN)
		h->p = end;
	else
		put_text(h, end, element->does & RCDATA);
}

static void
apply_tag(struct html *h, const struct tag *tag)
{
	unsigned does = tag->element->does;

	if (h->nforeign && !in_foreign(h) && !tag->closing)
		h->html_inside = true;
	if (!does)
		return;
	if (in_foreign(h) && !foreign_tag(h, tag))
		return;
	add_gaps(h, tag);
	if (tag->closing) {
		/* the end of an integration point, or of an svg around some */
		while ((does & (SVG | MATH)) && h->nforeign && !in_foreign(h))
			pop_foreign(h);
		if ((does & (SVG | MATH | IN_SVG | IN_MATH)) && h->nforeign)
			pop_foreign(h);
	} else if ((does & (SVG | MATH)) && !tag->self_closing) {
		push_foreign(h, true, does & MATH);
	} else if (does & (RCDATA | RAWTEXT | SCRIPT | PLAINTEXT)) {
		read_content(h, tag->element);
	}
}

/* h->p is at "<" (13.2.5.6) */
static void
read_markup(struct html *h)
{
	const char *p = h->p + 1;
	struct tag tag = { .element = &no_element };

	if (p < h->end && *p == '!') {
		h->p = read_declaration(h, p + 1);
		return;
	}
	tag.closing = p < h->end && *p == '/';
	p += tag.closing;
	if (p < h->end && is_letter(*p)) {
		p = read_tag(p, h->end, &tag);
		/* a tag that never ends is no tag, and no text either */
		h->p = p ? p : h->end;
		if (p)
			apply_tag(h, &tag);
	} else if (p < h->end && (tag.closing || *p == '?')) {
		h->p = past(p, h->end, '>');
	} else {
		put_text(h, p, false);
	}
}

struct str
html_text(struct arena *a, struct str html)
{
	struct html h = { .p = html.s, .end = html.s + html.len };
	const char *open;

	/* a reference may be longer than what it is written as (entity.h) */
	h.start = h.d = arena_alloc(a, html.len + html.len / 4 + ENTITY_MAX);
	while (h.p < h.end) {
		open = memchr(h.p, '<', (size_t)(h.end - h.p));
		put_text(&h, open ? open : h.end, true);
		if (open)
			read_markup(&h);
	}
	return (struct str){ h.start, (size_t)(h.d - h.start) };
}

/* --- <meta charset> */

/* The value behind "charset" and "=" in the tag v */
static int
meta_value(struct str v, struct str *ret)
{
	size_t i = 0, from;

	while (v.len - i > 7 && !str_istarts(str_sub(v, i, v.len), STR("charset")))
		i++;
	if (v.len - i <= 7)
		return 0;
	for (i += 7; i < v.len && is_blank(v.s[i]); i++)
		;
	if (i == v.len || v.s[i] != '=')
		return 0;
	for (i++; i < v.len && (is_blank(v.s[i]) || v.s[i] == '"' || v.s[i] == '\''); i++)
		;
	from = i;
	while (i < v.len && !is_blank(v.s[i]) && !strchr("\"';/>", v.s[i]))
		i++;
	*ret = str_sub(v, from, i);
	/* it could not be read here if it were in UTF-16 */
	return i > from && !str_istarts(*ret, STR("utf-16"));
}

int
html_charset(struct str html, struct str *ret)
{
	const char *p = html.s, *end = p + (html.len < META_WITHIN ? html.len : META_WITHIN);
	bool self_closing;

	while ((p = memchr(p, '<', (size_t)(end - p)))) {
		const char *after;

		if (end - p >= 4 && !memcmp(p, "<!--", 4)) {
			p = skip_comment(p + 4, end);
			continue;
		}
		p++;
		if (!is_tag_named(p, end, "", "meta"))
			continue;
		after = skip_attributes(p + 4, end, &self_closing);
		if (!after)
			return 0;
		if (meta_value((struct str){ p + 4, (size_t)(after - p) - 4 }, ret))
			return 1;
		p = after;
	}
	return 0;
}
