/* reply.c - the message that answers a message (RFC 5230 5, RFC 3834 3)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an answer depends on becomes options of its effect when the rules run;
 * its bytes are put together when somebody sends it.  Nothing that came with
 * the message ends a line of the answer's header. */
#include "vm/reply.h"

#include "base/fold.h"
#include "base/utf8.h"
#include "mail/date.h"
#include "mail/header.h"

enum {
	LINE_MAX_BYTES = 998,
	BASE64_LINE = 57,               /* bytes that make 76 characters */
	DOMAIN_LONGEST = 255,           /* octets (RFC 5321 4.5.3.1.2) */
};

/* --- mailboxes */

/* The next mailbox of a list; false: there is none. */
static bool
mailbox_next(struct str *rest, struct str *ret)
{
	bool quoted = false;
	int comment = 0;
	size_t i;

	if (!rest->len)
		return false;
	for (i = 0; i < rest->len && (rest->s[i] != ',' || quoted || comment); i++) {
		char c = rest->s[i];

		if (c == '\\')
			i += i + 1 < rest->len;
		else if (c == '"' && !comment)
			quoted = !quoted;
		else if (!quoted)
			comment += c == '(' ? 1 : c == ')' && comment ? -1 : 0;
	}
	*ret = str_trim(str_sub(*rest, 0, i));
	*rest = str_sub(*rest, i + (i < rest->len), rest->len);
	return true;
}

const char *
reply_from_check(struct str v)
{
	struct arena scratch = { 0 };
	struct mail_address address;
	struct str mailbox;
	bool ok = v.len && v.s[v.len - 1] != ',';

	while (ok && mailbox_next(&v, &mailbox))
		ok = mailbox.len < LINE_MAX_BYTES - 20 && address_one(&scratch, mailbox, &address) > 0;
	arena_done(&scratch);
	return ok ? NULL : "is not a mailbox, or a list of them";
}

static bool
is_list(struct str mailboxes)
{
	struct str one;

	return mailbox_next(&mailboxes, &one) && mailbox_next(&mailboxes, &one);
}

/* --- MIME entities */

static bool
is_printable(struct str v)
{
	for (size_t i = 0; i < v.len; i++)
		if ((unsigned char)(v.s[i] - ' ') > '~' - ' ')
			return false;
	return true;
}

/* A field that describes content; others would be the message's own. */
static bool
is_content_field(struct str name)
{
	return str_istarts(name, STR("content-"));
}

/* The next field of *v, with its line ends; empty: there are no more, and *v is the content. */
static struct str
entity_field(struct str *v, size_t *ret_name)
{
	size_t colon, n = header_next(*v, ret_name, &colon);
	struct str field = str_sub(*v, 0, n);

	if (!n)
		n = header_empty_line(*v);
	*v = str_sub(*v, n, v->len);
	return field;
}

const char *
reply_mime_check(struct str v, struct str *ret_extra)
{
	struct str field;
	size_t name;

	if (ret_extra)
		*ret_extra = STR_EMPTY;
	while ((field = entity_field(&v, &name)).len) {
		if (!utf8_is_ascii(field))
			return "has 8-bit characters in its MIME header";
		if (ret_extra && !ret_extra->len && !is_content_field(str_sub(field, 0, name)) &&
		    !str_iis(str_sub(field, 0, name), "mime-version"))
			*ret_extra = str_sub(field, 0, name);
	}
	return NULL;
}

/* --- what the effect says */

/* One line of UTF-8: no controls, at most that many characters. */
static struct str
line_of(struct arena *arena, struct str v, size_t most)
{
	struct str rest, copy;
	struct buf out = { 0 };
	uint32_t code;
	size_t n;

	if (v.len <= most && is_printable(v))
		return str_trim(v);
	rest = utf8_repair(arena, v);
	for (; rest.len && most; most--, rest = str_sub(rest, n, rest.len)) {
		n = utf8_next(rest, &code);
		if (rest.len > n && most == 1)
			buf_puts(&out, "\xe2\x80\xa6");
		else if (code < ' ' || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029)
			buf_putc(&out, ' ');
		else
			buf_add(&out, str_sub(rest, 0, n));
	}
	copy = str_trim(buf_copy(&out, arena));
	buf_done(&out);
	return copy;
}

static struct field *
field_named(struct run *r, struct str name)
{
	return run_field_lower(r, name);
}

static struct str
plain_of(struct run *r, struct str name)
{
	struct field *f = field_named(r, name);

	return f ? field_plain(r->message, f)->v : STR_EMPTY;
}

/* The next message-id of *v: "<", visible ASCII, ">".  Empty: there is none. */
static struct str
id_next(struct str *v)
{
	for (size_t from = 0, i = 0; i < v->len; i++) {
		unsigned char c = (unsigned char)v->s[i];

		if (c == '<')
			from = i + 1;
		else if (c <= ' ' || c >= 0x7f)
			from = 0;
		else if (c == '>' && from && i > from && i - from < LIMIT_REPLY_ID) {
			struct str id = str_sub(*v, from - 1, i + 1);

			*v = str_sub(*v, i + 1, v->len);
			return id;
		}
	}
	*v = STR_EMPTY;
	return STR_EMPTY;
}

/* What the message refers to; if it names several in "In-Reply-To" alone, those are no thread. */
static struct str
thread_of(struct run *r)
{
	struct str v = plain_of(r, STR("references")), rest;

	if (v.len)
		return v;
	rest = v = plain_of(r, STR("in-reply-to"));
	return id_next(&rest).len && id_next(&rest).len ? STR_EMPTY : v;
}

/* RFC 5322 3.6.4: the thread so far, and the message.  Of a long thread its
 * first message, and the last ones. */
static struct str
references_of(struct run *r, struct str id)
{
	struct str thread = thread_of(r), rest = thread, one, copy;
	struct buf out = { 0 };
	size_t left = 0;
	bool first = true;

	if (!thread.len)
		return id;
	while ((one = id_next(&rest)).len)
		left += one.len + 1;
	for (; (one = id_next(&thread)).len; first = false) {
		if ((first || left < LIMIT_REPLY_REFERENCES) && !str_eq(one, id))
			buf_printf(&out, "%.*s ", STR_ARG(one));
		left -= one.len + 1;
	}
	buf_add(&out, id);
	copy = buf_copy(&out, &r->arena);
	buf_done(&out);
	return copy;
}

/* The sender as he writes himself, if a field is just that. */
static struct str
sender_as_written(struct run *r, const struct mail_address *sender)
{
	static const struct str fields[] = { { "sender", 6 }, { "resent-from", 11 }, { "from", 4 } };

	for (size_t i = 0; i < COUNT(fields); i++) {
		struct field *f = field_named(r, fields[i]);
		struct mail_address one;
		struct str v;

		if (!f)
			continue;
		v = field_plain(r->message, f)->v;
		v = v.len < LINE_MAX_BYTES - 20 ? line_of(&r->arena, v, v.len) : STR_EMPTY;
		if (utf8_is_ascii(v) && address_one(&r->arena, v, &one) &&
		    str_eq(one.local.v, sender->local.v) && str_ieq(one.domain.v, sender->domain.v))
			return v;
	}
	return STR_EMPTY;
}

static struct str
subject_of(struct run *r, struct str given)
{
	struct field *f = field_named(r, STR("subject"));
	struct str v = line_of(&r->arena, given, LIMIT_REPLY_SUBJECT);

	if (v.len)
		return v;
	v = f ? line_of(&r->arena, field_value(r->message, f)->v, LIMIT_REPLY_SUBJECT) : STR_EMPTY;
	return v.len ? arena_join(&r->arena, (struct str[]){ STR("Auto: "), v }, 2) : STR("Automated reply");
}

void
reply_describe(struct run *r, struct effect *e, const struct personal *who, const struct reply *what)
{
	struct str to = address_spec(&r->arena, &who->sender), written = sender_as_written(r, &who->sender);
	struct str ids = plain_of(r, STR("message-id")), id = id_next(&ids);

	effect_option(r, e, "to", to);
	if (written.len && !str_eq(written, to))
		effect_option(r, e, "to-header", written);
	effect_option(r, e, "from", what->from.len ? what->from : who->self);
	if (is_list(what->from))
		effect_option(r, e, "sender", who->self);
	effect_option(r, e, "subject", subject_of(r, what->subject));
	if (id.len) {
		effect_option(r, e, "in-reply-to", id);
		effect_option(r, e, "references", references_of(r, id));
	}
	if (what->mime)
		effect_option(r, e, "mime", STR_EMPTY);
	effect_option(r, e, "reason", utf8_repair(&r->arena, what->reason));
}

/* --- writing: fields */

/* The phrase before the "<" without its quotes. */
static struct str
phrase_plain(struct arena *arena, struct str v)
{
	char *to = arena_alloc(arena, v.len + 1), *p = to;

	for (size_t i = 0; i < v.len; i++) {
		if (v.s[i] == '"')
			continue;
		i += v.s[i] == '\\' && i + 1 < v.len;
		*p++ = v.s[i];
	}
	return (struct str){ to, (size_t)(p - to) };
}

/* Mailboxes, one a line; names that are not ASCII become encoded words. */
static void
mailboxes_field(struct arena *arena, struct buf *out, const char *name, struct str v)
{
	size_t column = strlen(name) + 2;
	struct str one;
	bool first = true;

	buf_printf(out, "%s: ", name);
	v = line_of(arena, v, v.len);
	for (; mailbox_next(&v, &one); first = false) {
		const char *angle = memrchr(one.s, '<', one.len);
		struct str phrase = angle ? str_trim(str_sub(one, 0, (size_t)(angle - one.s))) : STR_EMPTY;

		if (!first)
			buf_puts(out, ",\r\n ");
		if (utf8_is_ascii(phrase)) {
			buf_add(out, one);
		} else {
			fold_words(out, phrase_plain(arena, phrase), first ? column : 1, "\r\n");
			buf_puts(out, "\r\n ");
			buf_add(out, str_sub(one, (size_t)(angle - one.s), one.len));
		}
	}
	buf_puts(out, "\r\n");
}

/* --- writing: content */

/* of lines that end in CRLF, which does not count */
static size_t
longest_line(struct str v)
{
	size_t longest = 0, from = 0;

	for (size_t i = 0; i < v.len; i++)
		if (v.s[i] == '\n') {
			longest = i - 1 - from > longest ? i - 1 - from : longest;
			from = i + 1;
		}
	return longest;
}

/* Every line ends in CRLF, and there is no NUL in any (RFC 5322 2.2). */
static struct str
lines_of(struct arena *arena, struct str v)
{
	struct buf out = { 0 };
	struct str copy;

	for (size_t i = 0; i < v.len; i++) {
		if (v.s[i] == '\r') {
			buf_puts(&out, "\r\n");
			i += i + 1 < v.len && v.s[i + 1] == '\n';
		} else if (v.s[i] == '\n') {
			buf_puts(&out, "\r\n");
		} else if (v.s[i]) {
			buf_putc(&out, v.s[i]);
		}
	}
	if (out.len && out.s[out.len - 1] != '\n')
		buf_puts(&out, "\r\n");
	copy = buf_copy(&out, arena);
	buf_done(&out);
	return copy;
}

static void
text_add(struct buf *out, struct str text)
{
	bool encode = longest_line(text) > LINE_MAX_BYTES;

	buf_puts(out, "Content-Type: text/plain; charset=utf-8\r\n");
	buf_printf(out, "Content-Transfer-Encoding: %s\r\n\r\n", encode ? "base64" : utf8_is_ascii(text) ? "7bit" : "8bit");
	if (!encode)
		buf_add(out, text);
	for (size_t i = 0; encode && i < text.len; i += BASE64_LINE) {
		fold_base64(out, str_sub(text, i, text.len - i > BASE64_LINE ? i + BASE64_LINE : text.len));
		buf_puts(out, "\r\n");
	}
}

/* A field, folded as it is, but without lines that are blank (RFC 5322 3.2.2). */
static void
field_add(struct buf *out, struct str field)
{
	while (field.len) {
		const char *end = memchr(field.s, '\n', field.len);
		size_t n = end ? (size_t)(end + 1 - field.s) : field.len;

		if (str_trim(str_sub(field, 0, n)).len)
			buf_add(out, str_sub(field, 0, n));
		field = str_sub(field, n, field.len);
	}
	if (out->s[out->len - 1] != '\n')
		buf_puts(out, "\r\n");
}

/* Of its header what describes the content. */
static void
entity_add(struct buf *out, struct str entity)
{
	bool encoding = false;
	struct str field;
	size_t name;

	while ((field = entity_field(&entity, &name)).len) {
		if (!is_content_field(str_sub(field, 0, name)))
			continue;
		encoding |= str_iis(str_sub(field, 0, name), "content-transfer-encoding");
		field_add(out, field);
	}
	if (!encoding && !utf8_is_ascii(entity))
		buf_puts(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_puts(out, "\r\n");
	buf_add(out, entity);
}

/* --- the message */

static struct str
option_of(const struct tamis_effect *e, const char *name, bool *ret_given)
{
	for (size_t i = 0; i < e->noptions; i++)
		if (str_is(str_of(e->options[i].name), name)) {
			if (ret_given)
				*ret_given = true;
			return str_of(e->options[i].value);
		}
	return STR_EMPTY;
}

static struct str
domain_of(const struct outcome *o, const struct tamis_effect *e)
{
	struct str from = option_of(e, "from", NULL);
	const struct fact *host = recipient_known(o->recipient, STR("host"));
	struct str local, domain;
	size_t n = 0;

	if (host && host->value.v.len)
		from = host->value.v;
	else
		from = str_split_last(from, '@', &local, &domain) ? domain : STR_EMPTY;
	while (n < from.len && n < DOMAIN_LONGEST &&
	       (from.s[n] == '-' || from.s[n] == '.' || char_is_digit(from.s[n]) || (unsigned char)(char_lower(from.s[n]) - 'a') < 26))
		n++;
	return n ? str_sub(from, 0, n) : STR("localhost");
}

/* The seed makes it unique, and the same if the answer is made again. */
static void
message_id_add(struct buf *out, const struct outcome *o, const struct tamis_effect *e)
{
	struct str seed = { (const char *)o->recipient->seed, sizeof o->recipient->seed }, reason = option_of(e, "reason", NULL);
	struct str to = option_of(e, "to", NULL);
	uint64_t now = (uint64_t)o->recipient->now;
	uint64_t high = str_hash(to, str_hash(seed, now)), low = str_hash(reason, str_hash(seed, ~now));

	buf_printf(out, "Message-ID: <tamis.%016llx%016llx@%.*s>\r\n", (unsigned long long)high, (unsigned long long)low,
	           STR_ARG(domain_of(o, e)));
}

static void
header_add(struct arena *arena, struct buf *out, const struct outcome *o, const struct tamis_effect *e)
{
	struct date_parts now;
	struct str v;

	date_split(o->recipient->now / 1000000, 0, &now);
	buf_printf(out, "Date: %.*s\r\n", STR_ARG(date_rfc5322(arena, &now)));
	message_id_add(out, o, e);
	mailboxes_field(arena, out, "From", option_of(e, "from", NULL));
	if ((v = option_of(e, "sender", NULL)).len)
		mailboxes_field(arena, out, "Sender", v);
	v = option_of(e, "to-header", NULL);
	mailboxes_field(arena, out, "To", v.len ? v : option_of(e, "to", NULL));
	fold_field(out, STR("Subject"), option_of(e, "subject", NULL), "\r\n");
	if ((v = option_of(e, "in-reply-to", NULL)).len)
		fold_field(out, STR("In-Reply-To"), v, "\r\n");
	if ((v = option_of(e, "references", NULL)).len)
		fold_field(out, STR("References"), v, "\r\n");
	/* the last two: for programs that are older than RFC 3834 */
	buf_puts(out, "Auto-Submitted: auto-replied\r\nPrecedence: bulk\r\nX-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n");
}

int
reply_write(const struct outcome *o, const struct tamis_effect *e, int (*write)(void *ctx, struct tamis_text), void *ctx)
{
	struct arena arena = { 0 };
	struct buf out = { 0 };
	bool mime = false;
	struct str reason;
	int rc;

	if (e->kind != TAMIS_SEND)
		return -1;
	option_of(e, "mime", &mime);
	reason = lines_of(&arena, option_of(e, "reason", NULL));
	header_add(&arena, &out, o, e);
	if (mime)
		entity_add(&out, reason);
	else
		text_add(&out, reason);
	rc = write(ctx, text_of(buf_str(&out)));
	buf_done(&out);
	arena_done(&arena);
	return rc;
}
