/* canonical.c - the one form of a recipient's address
 * SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "host/canonical.h"
#include "host/unicode.h"

/* What no user's name may have in it once it is unquoted: it may become part of a path, of a log line, of a key. */
static bool
canonical_clean(struct str v)
{
	uint32_t code;
	size_t n;

	for (; v.len; v = str_sub(v, n, v.len)) {
		n = utf8_next(v, &code);
		if (!n || code < ' ' || code == '/' || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029)
			return false;
	}
	return true;
}

/* RFC 5321 4.1.2: what stands in quotes only; dots are another matter. */
static const bool is_special[256] = {
	['\0'] = true, [' '] = true, ['"'] = true, ['\\'] = true, ['('] = true, [')'] = true, [','] = true, [':'] = true,
	[';'] = true, ['<'] = true, ['>'] = true, ['@'] = true, ['['] = true, [']'] = true,
};

static bool
canonical_is_plain(struct str v)
{
	size_t i = 0;

	while (i < v.len && !is_special[(unsigned char)v.s[i]])
		i++;
	return v.len && i == v.len;
}

/* visible ASCII without those, and without the "/" that canonical_clean() knows */
static const bool is_ordinary[256] = {
	['!'] = true, ['#' ... '\''] = true, ['*' ... '+'] = true, ['-' ... '.'] = true, ['0' ... '9'] = true,
	['='] = true, ['?'] = true, ['A' ... 'Z'] = true, ['^' ... '~'] = true,
};

/* A dot-string (we take dots anywhere), or a quoted string and nothing else. */
static bool
canonical_unquote(struct arena *a, struct str v, struct str *ret)
{
	char *p, *to;
	size_t i;

	if (!v.len || v.s[0] != '"') {
		*ret = v;
		return canonical_is_plain(v);
	}
	if (v.len < 2 || v.s[v.len - 1] != '"')
		return false;
	to = p = arena_alloc(a, v.len);
	for (i = 1; i < v.len - 1; i++) {
		if (v.s[i] == '"')
			return false;
		if (v.s[i] == '\\' && ++i == v.len - 1)
			return false;           /* it quotes the closing quote */
		*to++ = v.s[i];
	}
	*ret = (struct str){ p, (size_t)(to - p) };
	return ret->len;
}

/* In NFC; false: nobody's. */
static bool
canonical_name(struct arena *a, struct str v, struct str *ret)
{
	size_t i = 0;

	while (i < v.len && is_ordinary[(unsigned char)v.s[i]])
		i++;
	*ret = v;
	return v.len && (i == v.len || (canonical_clean(v) && unicode_nfc(a, v, ret)));
}

/* letters, digits, "-" and "_" */
static const bool is_label[256] = {
	['-'] = true, ['_'] = true, ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

/* Labels, with dots between them. */
static bool
canonical_is_name(struct str v)
{
	size_t label = 0;

	for (size_t i = 0; i < v.len; i++) {
		if (is_label[(unsigned char)v.s[i]]) {
			label++;
			continue;
		}
		if (v.s[i] != '.' || !label || label > CANONICAL_LABEL)
			return false;
		label = 0;
	}
	return label && label <= CANONICAL_LABEL && v.len <= CANONICAL_DOMAIN;
}

/* Four numbers; one that begins with 0 is octal to Postfix, which asks the C library. */
static bool
canonical_four(const char *text, struct in_addr *ret)
{
	size_t dots = 0;

	for (const char *p = text; *p; p++) {
		if (*p != '.' && !char_is_digit(*p))
			return false;
		dots += *p == '.';
	}
	return dots == 3 && inet_aton(text, ret);
}

/* An address in brackets (RFC 5321 4.1.3), however it is spelled; Postfix takes IPv6 ones without their tag, too, and
 * an IPv4 address that is written as one of those is itself. */
static int
canonical_literal(struct arena *a, struct str v, struct str *ret)
{
	const bool tagged = str_istarts(v, STR("[IPv6:"));
	bool six = tagged || memchr(v.s, ':', v.len);
	struct in6_addr bytes;
	struct in_addr four;
	char text[INET6_ADDRSTRLEN];

	if (v.len < 2 || v.s[v.len - 1] != ']' || memchr(v.s, '\0', v.len))
		return -1;
	v = str_sub(v, tagged ? 6 : 1, v.len - 1);
	if (v.len >= sizeof(text))
		return -1;
	*(char *)mempcpy(text, v.s, v.len) = '\0';
	if (six ? inet_pton(AF_INET6, text, &bytes) != 1 : !canonical_four(text, &four))
		return -1;
	if (six && IN6_IS_ADDR_V4MAPPED(&bytes)) {
		memcpy(&four, bytes.s6_addr + 12, sizeof(four));
		six = false;
	}
	inet_ntop(six ? AF_INET6 : AF_INET, six ? (const void *)&bytes : &four, text, sizeof(text));
	*ret = arena_printf(a, "[%s%s]", six ? "ipv6:" : "", text);
	return 0;
}

/* An address literal, or a name that is not of ASCII alone, as its name in ASCII. */
static int
canonical_other_domain(struct arena *a, struct str v, struct str *ret)
{
	struct str name;

	if (!v.len || v.len > 4 * CANONICAL_DOMAIN || memchr(v.s, '\0', v.len) || utf8_check(v) >= 0)
		return -1;
	if (v.s[0] == '[')
		return canonical_literal(a, v, ret);
	if (utf8_is_ascii(v) || !unicode_domain(a, v, &name) || !canonical_is_name(name))
		return -1;
	*ret = arena_lower(a, name);
	return 0;
}

int
canonical_domain(struct arena *a, struct str v, struct str *ret)
{
	if (!canonical_is_name(v))
		return canonical_other_domain(a, v, ret);
	*ret = arena_lower(a, v);
	return 0;
}

/* postmaster and others have no detail whatever the delimiter is; with "-" among them lists' own addresses neither
 * (Postfix's split_addr()). */
static bool
canonical_whole(struct str v, const char *delimiters)
{
	static const char *const never[] = { "postmaster", "mailer-daemon", "double-bounce" };
	size_t i;

	for (i = 0; i < sizeof(never) / sizeof(*never); i++)
		if (str_iis(v, never[i]))
			return true;
	if (!strchr(delimiters, '-'))
		return false;
	return str_istarts(v, STR("owner-")) || (v.len > 8 && str_iis(str_sub(v, v.len - 8, v.len), "-request"));
}

/* Where the detail's delimiter is in an unquoted local part; its length: there is none. */
static size_t
canonical_delimiter(const char *delimiters, bool sendmail, struct str v)
{
	size_t i = sendmail;

	while (i < v.len && (!v.s[i] || !strchr(delimiters, v.s[i])))
		i++;
	return i && i < v.len && (sendmail || !canonical_whole(v, delimiters)) ? i : v.len;
}

/* Whatever a detail is, mail with it is delivered to the user: it is as it is if it is no UTF-8, and may have controls in it. */
static bool
canonical_split(const struct conf *conf, struct arena *a, struct str v, size_t delimiter, struct canonical *c)
{
	struct str local, detail, whole;

	if (!canonical_name(a, str_sub(v, 0, delimiter), &local) || local.len > CANONICAL_LOCAL)
		return false;
	c->has_detail = delimiter < v.len;
	whole = local;
	if (c->has_detail) {
		detail = str_sub(v, delimiter + 1, v.len);
		if (utf8_check(detail) < 0)
			unicode_nfc(a, detail, &detail);
		whole = arena_join(a, (struct str[]){ local, str_sub(v, delimiter, delimiter + 1), detail }, 3);
	}
	c->whole = conf->localpart_case == CONF_FOLD ? arena_lower(a, whole) : arena_str(a, whole);
	c->local = str_sub(c->whole, 0, local.len);
	c->detail = str_sub(c->whole, local.len + c->has_detail, c->whole.len);
	return true;
}

/* Without <> and route; false if they are half there. */
static bool
canonical_path(struct str *v)
{
	ptrdiff_t colon;

	if (v->len && v->s[0] == '<') {
		if (v->len < 2 || v->s[v->len - 1] != '>')
			return false;
		*v = str_sub(*v, 1, v->len - 1);
	}
	if (v->len && v->s[0] == '@') {
		colon = str_find(*v, STR(":"));
		if (colon < 0)
			return false;
		*v = str_sub(*v, (size_t)colon + 1, v->len);
	}
	return v->len;
}

static int
canonical_parts(const struct conf *conf, const char *delimiters, bool sendmail, struct arena *a, struct str v,
                struct canonical *ret)
{
	struct canonical c;
	struct str local, domain;

	if (!canonical_path(&v) || !str_split_last(v, '@', &local, &domain))
		return -1;
	/* mail servers take the dot of the root away */
	if (domain.len > 1 && domain.s[domain.len - 1] == '.')
		domain.len--;
	if (canonical_domain(a, domain, &c.domain))
		return -1;
	if (!canonical_unquote(a, local, &local) || local.len > CANONICAL_WHOLE ||
	    !canonical_split(conf, a, local, canonical_delimiter(delimiters, sendmail, local), &c))
		return -1;
	*ret = c;
	return 0;
}

int
canonical_address(const struct conf *conf, bool sendmail, struct arena *a, struct str v, struct canonical *ret)
{
	return canonical_parts(conf, sendmail ? "+" : conf->recipient_delimiter, sendmail, a, v, ret);
}

int
canonical_plain(const struct conf *conf, struct arena *a, struct str v, struct canonical *ret)
{
	struct canonical c;
	int rc = canonical_parts(conf, "", true, a, v, &c);

	if (!rc)
		*ret = c;
	return rc;
}

struct str
canonical_user(struct arena *a, const struct canonical *c)
{
	const struct str parts[] = { c->local, STR("@"), c->domain };

	return arena_join(a, parts, 3);
}

/* May it stand there without quotes? */
static bool
canonical_is_dot_string(struct str v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.s[i] == '.' && (i == 0 || i == v.len - 1 || v.s[i - 1] == '.'))
			return false;
	return canonical_is_plain(v);
}

struct str
canonical_mailbox(struct arena *a, const struct canonical *c)
{
	const struct str parts[] = { c->whole, STR("@"), c->domain };

	return arena_join(a, parts, 3);
}

struct str
canonical_written(struct arena *a, struct str local, struct str domain)
{
	struct buf b = { 0 };
	bool plain = canonical_is_dot_string(local);
	struct str ret;

	if (!plain)
		buf_putc(&b, '"');
	for (size_t i = 0; i < local.len; i++) {
		if (!plain && strchr("\"\\", local.s[i]))
			buf_putc(&b, '\\');
		buf_putc(&b, local.s[i]);
	}
	if (!plain)
		buf_putc(&b, '"');
	buf_putc(&b, '@');
	buf_add(&b, domain);
	ret = buf_copy(&b, a);
	buf_done(&b);
	return ret;
}
