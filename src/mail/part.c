/* part.c - the MIME structure of a message, and the text of its parts
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One pass over the body finds all delimiter lines; nothing is decoded before
 * it is asked for.  The spans are those of the message, byte for byte, which
 * no parser that builds a tree of copies could give (RFC 5173 5.2 looks at
 * prologues and epilogues).  Nesting is kept in a list of open multiparts, not
 * on the C stack. */
#include "base/limits.h"
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/gmime.h"
#include "mail/header.h"
#include "mail/html.h"
#include "mail/param.h"
#include "mail/transfer.h"

enum encoding { PLAIN, BASE64, QUOTED, UUENCODE, UNKNOWN };

/* private_ of a part */
struct detail {
	struct str content_type;        /* the field, unfolded */
	enum encoding encoding;
	unsigned depth;
	bool begun, closed;             /* its delimiter, its closing delimiter was seen */
	struct cell marked_up;          /* text/html in UTF-8 with its markup */
};

struct splitter {
	struct message *m;
	const char *end;
	unsigned parts;
	bool full;                      /* LIMIT_PARTS: the last part takes the rest */
	struct mail_part *part;         /* the innermost that has not ended */
	struct {
		struct mail_part *part;
		struct str boundary;
	} open[LIMIT_PART_NESTING];
	unsigned nopen;
};

static struct detail *
detail_of(const struct mail_part *part)
{
	return part->private_;
}

/* --- what a part is */

static enum encoding
find_encoding(struct message *m, struct mail_part *part)
{
	static const struct {
		const char *name;
		enum encoding encoding;
	} known[] = {
		{ "7bit", PLAIN }, { "8bit", PLAIN }, { "binary", PLAIN }, { "", PLAIN },
		{ "base64", BASE64 }, { "quoted-printable", QUOTED },
		{ "x-uuencode", UUENCODE }, { "uuencode", UUENCODE }, { "x-uue", UUENCODE },
	};
	struct field *f = header_find(part->field, part->nfields, "content-transfer-encoding");
	struct str head;
	size_t i;

	if (!f)
		return PLAIN;
	head = param_head(field_plain(m, f)->v);
	for (i = 0; i < sizeof known / sizeof *known; i++)
		if (str_iis(head, known[i].name))
			return known[i].encoding;
	return UNKNOWN;
}

static bool
is_token(struct str v)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if (v.s[i] <= ' ' || v.s[i] >= 0x7f || memchr("()<>@,;:\\\"/[]?=", v.s[i], 15))
			return false;
	return v.len > 0;
}

static void
set_type(struct mail_part *part, const char *type, const char *subtype)
{
	part->type = str_from(type);
	part->subtype = str_from(subtype);
}

static bool
is_type(const struct mail_part *part, const char *type, const char *subtype)
{
	return str_is(part->type, type) && (!subtype || str_is(part->subtype, subtype));
}

/* RFC 2045 5.2: what is missing or broken is text/plain; RFC 2046 5.1.5: in a
 * digest it is message/rfc822. */
static void
find_type(struct message *m, struct mail_part *part)
{
	struct field *f = header_find(part->field, part->nfields, "content-type");
	struct str head, type, subtype;
	const char *slash;

	set_type(part, "text", "plain");
	if (!f && part->parent && is_type(part->parent, "multipart", "digest"))
		set_type(part, "message", "rfc822");
	if (!f)
		return;
	head = param_head(field_plain(m, f)->v);
	slash = memchr(head.s, '/', head.len);
	if (!slash)
		return;
	type = str_trim((struct str){ head.s, (size_t)(slash - head.s) });
	subtype = str_trim(str_sub(head, (size_t)(slash + 1 - head.s), head.len));
	if (!is_token(type) || !is_token(subtype))
		return;
	detail_of(part)->content_type = field_plain(m, f)->v;
	part->type = arena_lower(&m->arena, type);
	part->subtype = arena_lower(&m->arena, subtype);
}

static struct mail_part *
new_part(struct splitter *s, struct mail_part *parent)
{
	struct arena *a = &s->m->arena;
	struct mail_part *part = ARENA_NEW(a, struct mail_part);
	struct detail *detail = ARENA_NEW(a, struct detail);

	detail->content_type = STR_EMPTY;
	detail->depth = parent ? detail_of(parent)->depth + 1 : 0;
	part->private_ = detail;
	part->parent = parent;
	part->header_raw = part->raw = part->prologue = part->epilogue = STR_EMPTY;
	s->parts++;
	s->part = part;
	return part;
}

/* --- delimiter lines (RFC 2046 5.1.1) */

struct delimiter {
	const char *line, *after;       /* where the line begins and the next one does */
	unsigned open;                  /* whose it is */
	bool closing;
};

/* Is the line at p, which starts with "--", the delimiter of an open
 * multipart?  The innermost is asked first.  Either way ret->after is set. */
static bool
is_delimiter(const struct splitter *s, const char *p, struct delimiter *ret)
{
	const char *nl = memchr(p, '\n', (size_t)(s->end - p));
	const char *stop = nl ? nl : s->end;
	struct str text, rest;
	unsigned i;

	while (stop > p && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
		stop--;
	ret->line = p;
	ret->after = nl ? nl + 1 : s->end;
	text = (struct str){ p + 2, (size_t)(stop - p) - 2 };
	for (i = s->nopen; i > 0; i--) {
		struct str boundary = s->open[i - 1].boundary;

		if ((text.len != boundary.len && text.len != boundary.len + 2)
		    || memcmp(text.s, boundary.s, boundary.len))
			continue;
		rest = str_sub(text, boundary.len, text.len);
		if (rest.len && !str_is(rest, "--"))
			continue;
		ret->closing = rest.len > 0;
		ret->open = i - 1;
		return true;
	}
	return false;
}

static inline bool
has_dashes(const struct splitter *s, const char *p)
{
	return s->end - p >= 2 && p[0] == '-' && p[1] == '-';
}

/* The first delimiter line from p on, which is the start of a line.  Lines
 * without a "-" (all of base64) are never looked at one by one. */
static bool
next_delimiter(const struct splitter *s, const char *p, struct delimiter *ret)
{
	while (s->nopen && p < s->end) {
		const char *line = p;

		if (has_dashes(s, p)) {
			if (is_delimiter(s, p, ret))
				return true;
			p = ret->after;
			continue;
		}
		p = memchr(p, '-', (size_t)(s->end - p));
		if (!p)
			return false;
		if (p > line && p[-1] == '\n' && has_dashes(s, p))
			continue;
		p = memchr(p, '\n', (size_t)(s->end - p));
		if (!p)
			return false;
		p++;
	}
	return false;
}

/* --- the walk */

static void
open_multipart(struct splitter *s, struct mail_part *part)
{
	struct detail *detail = detail_of(part);
	struct str boundary;

	/* without a boundary it is broken, hence text: it stays searchable */
	if (!param_get(&s->m->arena, detail->content_type, "boundary", &boundary)
	    || !(boundary = str_trim(boundary)).len) {
		set_type(part, "text", "plain");
		detail->content_type = STR_EMPTY;
		return;
	}
	if (detail->depth >= LIMIT_PART_NESTING || s->nopen == LIMIT_PART_NESTING)
		return;
	s->open[s->nopen].part = part;
	s->open[s->nopen].boundary = boundary;
	s->nopen++;
}

/* Decides what part is, now that its header is known; its body begins at p.
 * True: a message, whose own header begins at p. */
static bool
begin_body(struct splitter *s, struct mail_part *part, const char *p)
{
	struct detail *detail = detail_of(part);

	part->raw = (struct str){ p, 0 };
	find_type(s->m, part);
	if (is_type(part, "multipart", NULL)) {
		open_multipart(s, part);
		return false;
	}
	detail->encoding = find_encoding(s->m, part);
	return is_type(part, "message", NULL)
	       && (str_is(part->subtype, "rfc822") || str_is(part->subtype, "global"))
	       && detail->encoding == PLAIN && detail->depth < LIMIT_PART_NESTING;
}

/* The part's header from p on, up to its empty line, a line that is no field,
 * or a delimiter; returns where the body begins. */
static const char *
read_header(struct splitter *s, struct mail_part *part, const char *p)
{
	struct str v = { p, (size_t)(s->end - p) };
	struct delimiter delimiter;
	size_t at = 0, n, name, colon;

	for (;; at += n) {
		struct str rest = str_sub(v, at, v.len);

		if (has_dashes(s, rest.s) && is_delimiter(s, rest.s, &delimiter))
			break;
		n = header_next(rest, &name, &colon);
		if (!n) {
			at += header_empty_line(rest);
			break;
		}
	}
	part->header_raw = str_sub(v, 0, at);
	part->nfields = header_scan(&s->m->arena, part->header_raw, &part->field);
	return p + at;
}

static void
append_child(struct mail_part *parent, struct mail_part *last, struct mail_part *part)
{
	if (last)
		last->next = part;
	else
		parent->child = part;
}

/* Starts a part below `parent`, after `last`, and the messages in it; returns
 * where its body begins. */
static const char *
begin_part(struct splitter *s, struct mail_part *parent, struct mail_part *last, const char *p)
{
	struct mail_part *part;

	do {
		part = new_part(s, parent);
		append_child(parent, last, part);
		if (s->parts == LIMIT_PARTS) {
			s->full = true;
			set_type(part, "application", "octet-stream");
			part->raw = (struct str){ p, 0 };
			return p;
		}
		p = read_header(s, part, p);
		parent = part;
		last = NULL;
	} while (begin_body(s, part, p));
	return p;
}

static void
end_part(struct mail_part *part, const char *end)
{
	struct detail *detail = detail_of(part);

	/* no body at all: the delimiter came in the header */
	if (end < part->raw.s)
		end = part->raw.s;
	part->raw.len = (size_t)(end - part->raw.s);
	if (!is_type(part, "multipart", NULL))
		return;
	if (!detail->begun)
		part->prologue = part->raw;
	if (detail->closed) {
		if (end < part->epilogue.s)
			end = part->epilogue.s;
		part->epilogue.len = (size_t)(end - part->epilogue.s);
	}
}

/* The line end before a delimiter belongs to the delimiter. */
static const char *
before_line_end(const char *line, const char *start)
{
	if (line > start && line[-1] == '\n')
		line--;
	if (line > start && line[-1] == '\r')
		line--;
	return line;
}

/* Ends what is open below `stop`; returns the last that ended. */
static struct mail_part *
end_parts(struct splitter *s, const struct mail_part *stop, const char *end)
{
	struct mail_part *last = NULL;

	for (; s->part != stop; s->part = s->part->parent) {
		last = s->part;
		end_part(last, end);
	}
	return last;
}

static void
split(struct splitter *s, const char *p)
{
	struct delimiter d;

	while (!s->full && next_delimiter(s, p, &d)) {
		struct mail_part *multipart = s->open[d.open].part;
		struct detail *detail = detail_of(multipart);
		const char *end = before_line_end(d.line, multipart->raw.s);
		struct mail_part *last = end_parts(s, multipart, end);

		if (!detail->begun) {
			detail->begun = true;
			multipart->prologue = multipart->raw;
			multipart->prologue.len = (size_t)(end - multipart->raw.s);
		}
		if (d.closing) {
			detail->closed = true;
			multipart->epilogue.s = d.after;
			s->nopen = d.open;
			p = d.after;
		} else {
			s->nopen = d.open + 1;
			p = begin_part(s, multipart, last, d.after);
		}
	}
	end_parts(s, NULL, s->end);
}

struct mail_part *
message_parts(struct message *m)
{
	struct splitter s = { .m = m, .end = m->body.s + m->body.len };
	struct mail_part *root;
	const char *p = m->body.s;

	if (m->root)
		return m->root;
	message_index(m);
	root = new_part(&s, NULL);
	root->header_raw = m->header;
	root->field = m->field;
	root->nfields = m->nfields;
	if (begin_body(&s, root, p))
		p = begin_part(&s, root, NULL, p);
	split(&s, p);
	m->work += 1 + m->body.len / 64 + s.parts;
	m->root = root;
	return root;
}

struct mail_part *
part_next(const struct mail_part *part)
{
	if (part->child)
		return part->child;
	while (part && !part->next)
		part = part->parent;
	return part ? part->next : NULL;
}

/* --- content */

static struct str
decode(struct message *m, struct mail_part *part)
{
	static size_t (*const decoder[])(char *, struct str, bool *) = {
		[BASE64] = transfer_base64, [QUOTED] = transfer_quoted,
	};
	enum encoding encoding = detail_of(part)->encoding;
	struct str raw = part->raw, ret;
	bool clean = true;
	char *to;

	if (encoding == UNKNOWN)
		part->broken = true;
	if (encoding == UNKNOWN || encoding == PLAIN)
		return raw;
	to = arena_alloc(&m->arena, raw.len);
	ret.s = to;
	ret.len = encoding == UUENCODE ? gmime_uudecode(to, raw) : decoder[encoding](to, raw, &clean);
	m->work += raw.len / 16;
	part->broken = !clean;
	/* nothing of it was what it claims to be */
	if (!ret.len && str_trim(raw).len) {
		part->broken = true;
		return raw;
	}
	return ret;
}

const struct cell *
part_decoded(struct message *m, struct mail_part *part)
{
	if (!part->decoded.v.s)
		part->decoded = cell_of(decode(m, part));
	return &part->decoded;
}

static struct str
to_utf8(struct message *m, struct mail_part *part, struct str bytes)
{
	struct str charset = STR_EMPTY, text = bytes;
	struct buf b = { 0 };
	int rc;

	if (!param_get(&m->arena, detail_of(part)->content_type, "charset", &charset)
	    && is_type(part, "text", "html"))
		html_charset(bytes, &charset);
	charset = str_trim(charset);
	if (str_starts(bytes, STR("\xef\xbb\xbf")))
		return str_sub(bytes, 3, bytes.len);
	if (charset_is_utf8(charset)) {
		part->broken |= utf8_check(bytes) >= 0;
		return bytes;
	}
	rc = charset_add(&b, charset, bytes, false);
	if (rc >= 0)
		text = buf_copy(&b, &m->arena);
	part->broken |= rc != CHARSET_OK;
	m->work += bytes.len / 16;
	buf_done(&b);
	return text;
}

const struct cell *
part_text(struct message *m, struct mail_part *part, bool strip_html)
{
	struct detail *detail = detail_of(part);
	const bool html = is_type(part, "text", "html");
	struct cell *cell = html && !strip_html ? &detail->marked_up : &part->text;

	if (cell->v.s)
		return cell;
	if (!is_type(part, "text", NULL))
		return part_decoded(m, part);
	if (html && strip_html) {
		struct str marked_up = part_text(m, part, false)->v;

		*cell = cell_of(html_text(&m->arena, marked_up));
		m->work += marked_up.len / 16;
	} else {
		*cell = cell_of(to_utf8(m, part, part_decoded(m, part)->v));
	}
	return cell;
}
