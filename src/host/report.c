/* report.c - tell a sender that his message was refused after it was accepted
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Everything here came from strangers: what goes into a field is cleaned to
 * one line of ASCII, what goes into a part is encoded when it has to be, and
 * the boundary is one that nothing contains. */
#include "host/report.h"

#include <time.h>

#include "base/utf8.h"
#include "host/digest.h"

enum {
	LINE_MOST = 990,                /* bytes of a line that is left as it is (RFC 5322 2.1.1: 998) */
	QUOTED_LINE = 75,               /* and of one that is not, before its "=" (RFC 2045 6.7) */
	ID_CHARACTERS = 26,             /* of base32: 130 bits */
};

/* --- one line of ASCII */

static void
clean_add(struct buf *out, struct str v)
{
	v = utf8_cut(v, REPORT_VALUE_MAX);
	for (size_t i = 0; i < v.len; i++)
		buf_putc(out, (unsigned char)v.s[i] < ' ' || (unsigned char)v.s[i] >= 0x7f ? '?' : v.s[i]);
}

static bool
is_host(struct str v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.s[i] != '-' && v.s[i] != '.' && !char_is_digit(v.s[i]) && (unsigned)(char_lower(v.s[i]) - 'a') >= 26)
			return false;
	return v.len && v.len <= 255;
}

static struct str
host_of(const struct report *r)
{
	return is_host(r->hostname) ? r->hostname : STR("localhost");
}

/* As RFC 6533 3 spells what is not ASCII in a report: \x{FC} */
static void
unicode_add(struct buf *out, struct str v)
{
	uint32_t code;
	size_t n;

	for (v = utf8_cut(v, REPORT_VALUE_MAX / 4); v.len; v = str_sub(v, n, v.len)) {
		n = utf8_next(v, &code);
		if (n > 1)
			buf_printf(out, "\\x{%X}", (unsigned)code);
		else
			clean_add(out, str_sub(v, 0, n = 1));
	}
}

static void
address_field(struct buf *out, const char *name, struct str address)
{
	buf_printf(out, "%s: ", name);
	if (utf8_is_ascii(address)) {
		buf_puts(out, "rfc822; ");
		clean_add(out, address);
	} else {
		buf_puts(out, "utf-8; ");
		unicode_add(out, address);
	}
	buf_puts(out, "\r\n");
}

/* RFC 3461 4: what follows a "+" is a hexadecimal pair. */
static void
xtext_decode(struct buf *out, struct str v)
{
	uint8_t byte;

	for (size_t i = 0; i < v.len; i++) {
		if (v.s[i] == '+' && v.len - i > 2 && digest_unhex(str_sub(v, i + 1, i + 3), &byte, 1)) {
			buf_putc(out, (char)byte);
			i += 2;
		} else {
			buf_putc(out, v.s[i]);
		}
	}
}

/* "rfc822;xtext"; other types are repeated as they are */
static void
original_recipient(struct buf *out, struct str orcpt)
{
	const char *end = memchr(orcpt.s, ';', orcpt.len);
	struct buf address = { 0 };
	struct str type, rest;

	if (!end || !is_host(type = str_sub(orcpt, 0, (size_t)(end - orcpt.s))))
		return;
	rest = str_sub(orcpt, type.len + 1, orcpt.len);
	if (str_iis(type, "rfc822")) {
		xtext_decode(&address, rest);
		address_field(out, "Original-Recipient", buf_str(&address));
	} else {
		buf_printf(out, "Original-Recipient: %.*s; ", STR_ARG(type));
		unicode_add(out, rest);
		buf_puts(out, "\r\n");
	}
	buf_done(&address);
}

/* --- parts */

static bool
is_clean(struct str v)
{
	size_t line = 0;

	for (size_t i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.s[i];
		bool end = c == '\n' || (c == '\r' && i + 1 < v.len && v.s[i + 1] == '\n');

		if (!end && ((c < ' ' && c != '\t') || c >= 0x7f || ++line > LINE_MOST))
			return false;
		if (c == '\n')
			line = 0;
	}
	return true;
}

static void
quoted_line(struct buf *out, struct str v)
{
	size_t column = 0;

	for (size_t i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.s[i];
		bool last = i + 1 == v.len, plain = c > ' ' ? c < 0x7f && c != '=' : (c == ' ' || c == '\t') && !last;

		if (column + (plain ? 1 : 3) > QUOTED_LINE) {
			buf_puts(out, "=\r\n");
			column = 0;
		}
		if (plain)
			buf_putc(out, (char)c);
		else
			buf_printf(out, "=%02X", c);
		column += plain ? 1 : 3;
	}
	buf_puts(out, "\r\n");
}

/* The encoding, an empty line, and the text, whose lines may end in LF or CRLF. */
static void
text_add(struct buf *out, struct str v)
{
	bool clean = is_clean(v);

	buf_printf(out, "Content-Transfer-Encoding: %s\r\n\r\n", clean ? "7bit" : "quoted-printable");
	while (v.len) {
		const char *end = memchr(v.s, '\n', v.len);
		size_t n = end ? (size_t)(end - v.s) : v.len;
		struct str line = str_sub(v, 0, n && end && v.s[n - 1] == '\r' ? n - 1 : n);

		if (clean)
			buf_printf(out, "%.*s\r\n", STR_ARG(line));
		else
			quoted_line(out, line);
		v = str_sub(v, n + (end != NULL), v.len);
	}
}

/* --- the reason */

/* 5.d.d before the reason, as RFC 3463 2 has it */
static struct str
code_of(struct str reason)
{
	size_t n = 2, dots = 0, digits = 0;

	if (!str_starts(reason, STR("5.")))
		return STR("5.7.1");
	for (; n < reason.len && (char_is_digit(reason.s[n]) || reason.s[n] == '.'); n++) {
		dots += reason.s[n] == '.';
		digits = reason.s[n] == '.' ? 0 : digits + 1;
		if (digits > 3 || dots > 1 || (reason.s[n] == '.' && reason.s[n - 1] == '.'))
			return STR("5.7.1");
	}
	return dots == 1 && digits && (n == reason.len || strchr(" \t\r\n", reason.s[n])) ? str_sub(reason, 0, n) : STR("5.7.1");
}

/* Valid UTF-8 without controls. */
static void
reason_add(struct buf *out, struct str v)
{
	uint32_t code;
	size_t n;

	for (v = utf8_cut(v, REPORT_REASON_MAX); v.len; v = str_sub(v, n, v.len)) {
		n = utf8_next(v, &code);
		if (!n || ((code < ' ' || (code >= 0x7f && code < 0xa0)) && code != '\t' && code != '\n' && code != '\r')) {
			buf_putc(out, '?');
			n = n ? n : 1;
		} else if (code != '\r') {
			buf_add(out, str_sub(v, 0, n));
		}
	}
	if (out->len && out->s[out->len - 1] != '\n')
		buf_putc(out, '\n');
}

static void
told_add(struct buf *out, const struct report *r, struct str reason)
{
	struct buf text = { 0 };

	buf_printf(&text, "Your message to <%.*s>\nwas refused by the recipient's mail filtering program.\n"
	           "The reason given is as follows:\n\n", STR_ARG(utf8_cut(r->recipient, REPORT_VALUE_MAX)));
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.s[i] < ' ' && text.s[i] != '\n')
			text.s[i] = '?';
	buf_add(&text, reason);
	buf_puts(&text, "\nThe header of your message is attached.\n");
	buf_puts(out, "Content-Type: text/plain; charset=utf-8\r\n");
	text_add(out, buf_str(&text));
	buf_done(&text);
}

/* One line, of which not much is left when it is not ASCII. */
static void
diagnostic_add(struct buf *out, struct str reason)
{
	struct str code = code_of(reason), rest = reason;

	if (str_starts(reason, code))
		rest = str_trim(str_sub(reason, code.len, reason.len));
	buf_printf(out, "Diagnostic-Code: x-tamis; %.*s\r\n ", STR_ARG(code));
	if (!utf8_is_ascii(rest) || !str_trim(rest).len)
		rest = STR("refused by the recipient's rules");
	rest = str_trim(str_sub(rest, 0, rest.len < REPORT_VALUE_MAX ? rest.len : REPORT_VALUE_MAX));
	for (size_t i = 0; i < rest.len; i++)
		buf_putc(out, (unsigned char)rest.s[i] < ' ' ? ' ' : rest.s[i]);
	buf_puts(out, "\r\n");
}

/* --- the message that was refused */

/* "<...>" of its first Message-ID; empty: none that can be repeated */
static struct str
message_id_of(struct str header)
{
	while (header.len) {
		const char *end = memchr(header.s, '\n', header.len), *open, *close;
		size_t n = end ? (size_t)(end + 1 - header.s) : header.len;
		struct str line = str_sub(header, 0, n);

		/* its value may begin on the next line */
		while (n < header.len && (header.s[n] == ' ' || header.s[n] == '\t')) {
			end = memchr(header.s + n, '\n', header.len - n);
			n = end ? (size_t)(end + 1 - header.s) : header.len;
			line = str_sub(header, 0, n);
		}
		header = str_sub(header, n, header.len);
		if (!str_istarts(line, STR("message-id:")))
			continue;
		open = memchr(line.s, '<', line.len);
		close = open ? memchr(open, '>', line.len - (size_t)(open - line.s)) : NULL;
		if (!close || close - open < 2 || close - open > REPORT_VALUE_MAX)
			return STR_EMPTY;
		for (const char *c = open; c < close; c++)
			if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f)
				return STR_EMPTY;
		return (struct str){ open, (size_t)(close + 1 - open) };
	}
	return STR_EMPTY;
}

/* As much as is given back: whole lines. */
static struct str
header_of(const struct report *r)
{
	const char *end = r->header.len > REPORT_HEADER_MAX ? memrchr(r->header.s, '\n', REPORT_HEADER_MAX) : NULL;

	if (r->header.len <= REPORT_HEADER_MAX)
		return r->header;
	return end ? str_sub(r->header, 0, (size_t)(end + 1 - r->header.s)) : str_sub(r->header, 0, REPORT_HEADER_MAX);
}

/* --- all of it */

static void
identify(const struct report *r, unsigned n, char ret[ID_CHARACTERS + 1])
{
	uint8_t sum[DIGEST_SIZE], number = (uint8_t)n;
	char text[DIGEST_BASE32];
	struct digest d;

	digest_init(&d);
	digest_add_part(&d, r->message_id_seed);
	digest_add_part(&d, (struct str){ (const char *)&number, 1 });
	digest_end(&d, sum);
	digest_base32(sum, sizeof sum, text);
	memcpy(ret, text, ID_CHARACTERS);
	ret[ID_CHARACTERS] = '\0';
}

/* One that nothing in the message contains; the seed may be known to who wrote that. */
static void
boundary_choose(const struct report *r, struct str reason, char ret[ID_CHARACTERS + 1])
{
	for (unsigned n = 1; n < 256; n++) {
		identify(r, n, ret);
		if (str_find(r->header, str_from(ret)) < 0 && str_find(reason, str_from(ret)) < 0)
			break;
	}
}

/* The only place where bytes beyond ASCII stay: the address would be another without them. */
static void
mailbox_add(struct buf *out, const char *name, struct str address)
{
	address = utf8_cut(address, REPORT_VALUE_MAX);
	buf_printf(out, "%s: <", name);
	for (size_t i = 0; i < address.len; i++)
		buf_putc(out, (unsigned char)address.s[i] < ' ' || address.s[i] == 0x7f ? '?' : address.s[i]);
	buf_puts(out, ">\r\n");
}

static void
header_add(struct buf *out, const struct report *r, struct str original_id, const char *boundary)
{
	time_t seconds = (time_t)(r->now / 1000000);
	char date[64], id[ID_CHARACTERS + 1];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	identify(r, 0, id);
	buf_printf(out, "Date: %s\r\nMessage-ID: <tamis.%s@%.*s>\r\n", date, id, STR_ARG(host_of(r)));
	/* RFC 3798 3: an MDN is from whom it speaks of */
	if (r->disposition)
		mailbox_add(out, "From", r->recipient);
	else
		buf_printf(out, "From: Mail Delivery System <postmaster@%.*s>\r\n", STR_ARG(host_of(r)));
	mailbox_add(out, "To", r->from);
	buf_printf(out, "Subject: %s\r\n", r->disposition ? "Rejected: your message was refused" : "Undelivered: your message was refused");
	if (original_id.len)
		buf_printf(out, "In-Reply-To: %.*s\r\nReferences: %.*s\r\n", STR_ARG(original_id), STR_ARG(original_id));
	buf_printf(out, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
	           "Content-Type: multipart/report; report-type=%s;\r\n\tboundary=\"=_%s\"\r\n\r\n",
	           r->disposition ? "disposition-notification" : "delivery-status", boundary);
}

static void
disposition_add(struct buf *out, const struct report *r, struct str original_id)
{
	buf_printf(out, "Content-Type: message/disposition-notification\r\n\r\nReporting-UA: %.*s; tamis\r\n", STR_ARG(host_of(r)));
	original_recipient(out, r->orcpt);
	address_field(out, "Final-Recipient", r->recipient);
	if (original_id.len)
		buf_printf(out, "Original-Message-ID: %.*s\r\n", STR_ARG(original_id));
	buf_puts(out, "Disposition: automatic-action/MDN-sent-automatically; deleted\r\n");
}

static void
status_add(struct buf *out, const struct report *r, struct str reason)
{
	struct buf envid = { 0 };

	buf_printf(out, "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; %.*s\r\n", STR_ARG(host_of(r)));
	xtext_decode(&envid, r->envid);
	if (envid.len) {
		buf_puts(out, "Original-Envelope-Id: ");
		clean_add(out, buf_str(&envid));
		buf_puts(out, "\r\n");
	}
	buf_puts(out, "\r\n");
	original_recipient(out, r->orcpt);
	address_field(out, "Final-Recipient", r->recipient);
	buf_printf(out, "Action: failed\r\nStatus: %.*s\r\n", STR_ARG(code_of(reason)));
	diagnostic_add(out, reason);
	buf_done(&envid);
}

void
report_write(const struct report *r, struct buf *out)
{
	char boundary[ID_CHARACTERS + 1];
	struct buf reason = { 0 };
	struct str id = message_id_of(r->header);

	if (!r->from.len)
		return;
	reason_add(&reason, r->reason);
	boundary_choose(r, buf_str(&reason), boundary);
	header_add(out, r, id, boundary);
	buf_printf(out, "--=_%s\r\n", boundary);
	told_add(out, r, buf_str(&reason));
	buf_printf(out, "\r\n--=_%s\r\n", boundary);
	if (r->disposition)
		disposition_add(out, r, id);
	else
		status_add(out, r, buf_str(&reason));
	buf_printf(out, "\r\n--=_%s\r\nContent-Type: text/rfc822-headers\r\n", boundary);
	text_add(out, header_of(r));
	buf_printf(out, "\r\n--=_%s--\r\n", boundary);
	buf_done(&reason);
}
