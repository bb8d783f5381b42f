/* conf_value.c - what a value of tamis.conf must look like, and how it is shown
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/limits.h"
#include "host/conf_value.h"
#include "host/limit.h"
#include "host/zone.h"

enum { SENTENCE_MAX = 400 };            /* bytes: it and a code fit one line of SMTP */

/* --- texts */

static bool
conf_value_graphic(struct str v)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if (v.s[i] <= ' ' || v.s[i] >= 0x7f)
			return false;
	return v.len;
}

const char *
conf_value_word(struct str v)
{
	return conf_value_graphic(v) ? NULL : "is not one word of ASCII characters";
}

/* A mistyped one would be denied to nobody. */
const char *
conf_value_extension(struct str v)
{
	struct tamis_word w;

	for (size_t i = 0; tamis_word(i, &w); i++)
		if (!strcmp(w.kind, "extension") && str_is(v, w.name))
			return NULL;
	return "is no extension that there is: \"tamis help --extensions\" lists them";
}

const char *
conf_value_path(struct str v)
{
	struct str rest = v, part;
	ptrdiff_t slash;

	if (!v.len || v.s[0] != '/')
		return "is not an absolute path";
	while ((slash = str_find(rest, STR("/"))) >= 0) {
		rest = str_sub(rest, (size_t)slash + 1, rest.len);
		slash = str_find(rest, STR("/"));
		part = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash);
		if (str_is(part, "..") || str_is(part, "."))
			return "has \".\" or \"..\" in it";
	}
	return NULL;
}

/* One spelling for one file. */
struct str
conf_value_squeeze(struct arena *a, struct str v)
{
	struct buf b = { 0 };
	struct str ret;
	size_t i;

	for (i = 0; i < v.len; i++)
		if (v.s[i] != '/' || !b.len || b.s[b.len - 1] != '/')
			buf_putc(&b, v.s[i]);
	if (b.len > 1 && b.s[b.len - 1] == '/')
		b.len--;
	ret = buf_copy(&b, a);
	buf_done(&b);
	return ret;
}

static bool
conf_value_label(struct str v)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if (!char_is_digit(v.s[i]) && (unsigned)char_lower(v.s[i]) - 'a' >= 26u && v.s[i] != '-' && v.s[i] != '_')
			return false;
	return v.len && v.len <= 63 && v.s[0] != '-' && v.s[v.len - 1] != '-';
}

const char *
conf_value_domain(struct str v)
{
	struct str rest = v;
	ptrdiff_t dot;

	if (v.len > 253)
		return "is longer than 253 bytes";
	while ((dot = str_find(rest, STR("."))) >= 0) {
		if (!conf_value_label(str_sub(rest, 0, (size_t)dot)))
			return "is not a domain (write international ones as xn--...)";
		rest = str_sub(rest, (size_t)dot + 1, rest.len);
	}
	return conf_value_label(rest) ? NULL : "is not a domain (write international ones as xn--...)";
}

/* Two users must not come to one file: what stands between %u and %d of one part of the path must have a character that no
 * domain has. */
static bool
conf_value_apart(struct str v)
{
	char last = 0;
	bool apart = true;
	size_t i;

	for (i = 0; i < v.len; i++) {
		if (v.s[i] != '%' || v.s[i + 1] == '%') {
			apart |= !char_is_digit(v.s[i]) && (unsigned)char_lower(v.s[i]) - 'a' >= 26u && !strchr("-._", v.s[i]);
			i += v.s[i] == '%';
			continue;
		}
		if (last && last != v.s[i + 1] && !apart)
			return false;
		last = v.s[++i];
		apart = false;
	}
	return true;
}

const char *
conf_value_template(struct str v)
{
	bool named = false;
	struct str rest;
	size_t i;

	for (i = 0; i < v.len; i++) {
		if ((unsigned char)v.s[i] < ' ')
			return "has a control character in it";
		if (v.s[i] != '%')
			continue;
		if (++i == v.len || !strchr("ud%", v.s[i]))
			return "has a percent sign without u, d or % behind it";
		named |= v.s[i] != '%';
	}
	if (v.len && (v.s[0] == '/' || v.s[v.len - 1] == '/'))
		return "is not the name of a file below rules_dir";
	for (rest = v; rest.len; ) {
		ptrdiff_t slash = str_find(rest, STR("/"));
		struct str part = slash < 0 ? rest : str_sub(rest, 0, (size_t)slash);

		if (!part.len || part.s[0] == '.')
			return "has a part that is empty or begins with \".\"";
		if (!conf_value_apart(part))
			return "has %u and %d with nothing between them that no domain has: write %u@%d, or %d/%u";
		rest = slash < 0 ? STR_EMPTY : str_sub(rest, (size_t)slash + 1, rest.len);
	}
	return named ? NULL : "has neither %u nor %d in it: all users would have the same rules";
}

const char *
conf_value_delimiter(struct str v)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if (v.s[i] <= ' ' || v.s[i] >= 0x7f || strchr("@\"\\<>/", v.s[i]) || char_is_digit(v.s[i]) ||
		    (unsigned)char_lower(v.s[i]) - 'a' < 26u)
			return "may have only ASCII punctuation in it, none of @ / \\ < > \"";
	return NULL;
}

const char *
conf_value_client(struct str v)
{
	struct conf_block block;

	return conf_client_parse(v, &block);
}

const char *
conf_value_field(struct str v)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if (v.s[i] <= ' ' || v.s[i] >= 0x7f || v.s[i] == ':')
			return "is not the name of a header field";
	if (str_iis(v, "Subject"))
		return "can never be protected (RFC 5293 section 6)";
	return v.len ? NULL : "is not the name of a header field";
}

static bool
conf_value_portnumber(struct str v)
{
	uint64_t n;

	return str_number(v, &n) && n && n <= 65535;
}

/* "HOST:PORT", "[ADDRESS]:PORT" */
static bool
conf_value_hostport(struct str v)
{
	const char *colon = v.len ? memrchr(v.s, ':', v.len) : NULL;
	struct str host;

	if (!colon)
		return false;
	host = str_sub(v, 0, (size_t)(colon - v.s));
	if (!conf_value_portnumber(str_sub(v, host.len + 1, v.len)))
		return false;
	if (host.len > 2 && host.s[0] == '[' && host.s[host.len - 1] == ']') {
		uint8_t address[16];

		/* its tag is one of mail addresses, and no resolver knows it */
		host = str_sub(host, 1, host.len - 1);
		return !str_istarts(host, STR("IPv6:")) && conf_client_address(host, address);
	}
	return !conf_value_domain(host);
}

/* "PORT@HOST", "PORT" */
static bool
conf_value_porthost(struct str v)
{
	ptrdiff_t at = str_find(v, STR("@"));
	struct str port = at < 0 ? v : str_sub(v, 0, (size_t)at);

	return conf_value_portnumber(port) && (at < 0 || conf_value_graphic(str_sub(v, (size_t)at + 1, v.len)));
}

/* What stands behind one of the prefixes, or false. */
static bool
conf_value_behind(struct str v, struct str *ret, const char *const prefix[])
{
	size_t i;

	for (i = 0; prefix[i]; i++)
		if (str_starts(v, str_from(prefix[i]))) {
			*ret = str_sub(v, strlen(prefix[i]), v.len);
			return true;
		}
	return false;
}

const char *
conf_value_socket(struct str v)
{
	static const char *const local[] = { "unix:", "local:", NULL }, *const net[] = { "inet:", "inet6:", NULL },
	                  *const open[] = { "fd:", NULL };
	struct str rest;
	uint64_t n;

	if (conf_value_behind(v, &rest, local)) {
		if (rest.len > LIMIT_SOCKET_PATH)
			return "has a path that is too long for a socket that is to be made (103 bytes)";
		return conf_value_path(rest) ? "needs an absolute path, as unix:/run/tamis/tamis.sock" : NULL;
	}
	if (conf_value_behind(v, &rest, net))
		return conf_value_porthost(rest) || conf_value_hostport(rest) ? NULL : "has no port, as inet:8899@127.0.0.1";
	if (conf_value_behind(v, &rest, open))
		return str_number(rest, &n) && n < 65536 ? NULL : "has no descriptor, as fd:3";
	return "is no socket: unix:/PATH, inet:PORT@HOST, inet6:PORT@HOST or fd:NUMBER";
}

const char *
conf_value_port(struct str v)
{
	static const char *const unix_socket[] = { "smtp:unix:", "lmtp:unix:", NULL }, *const net[] = { "smtp:", "lmtp:", NULL };
	struct str rest;

	if (conf_value_behind(v, &rest, unix_socket)) {
		if (rest.len > 107)
			return "has a path that is too long for a unix socket (107 bytes)";
		return conf_value_path(rest) ? "needs an absolute path, as lmtp:unix:/run/lmtp" : NULL;
	}
	if (conf_value_behind(v, &rest, net))
		return conf_value_hostport(rest) ? NULL : "has no host and port, as smtp:127.0.0.1:10026";
	return "is no port: smtp:HOST:PORT, lmtp:HOST:PORT, smtp:unix:/PATH or lmtp:unix:/PATH";
}

const char *
conf_value_mailbox(struct str v)
{
	struct str local, domain;
	bool plain = str_split_last(v, '@', &local, &domain) && local.len && local.len <= 64 && !conf_value_domain(domain);

	for (size_t i = 0; plain && i < local.len; i++)
		plain = local.s[i] > ' ' && local.s[i] < 0x7f && !strchr("()<>@,;:\\\"[]", local.s[i]);
	return plain ? NULL : "is not a plain mail address";
}

/* "+0100" */
static bool
conf_value_offset(struct str v)
{
	for (size_t i = 1; i < v.len; i++)
		if (!char_is_digit(v.s[i]))
			return false;
	return v.len == 5 && strchr("+-", v.s[0]) && (v.s[1] < '2' || (v.s[1] == '2' && v.s[2] < '4')) && v.s[3] < '6';
}

const char *
conf_value_zone(struct str v)
{
	struct zones zones = { 0 };
	struct str data;
	bool known = str_is(v, "UTC") || conf_value_offset(v) || zones_load(&zones, v, &data) > 0;

	zones_done(&zones);
	return known ? NULL : "is neither an offset, as +0100, nor a time zone that is known here, as Europe/Paris";
}

const char *
conf_value_sentence(struct str v)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if (v.s[i] < ' ' || v.s[i] >= 0x7f)
			return "is not one line of ASCII";
	return v.len > SENTENCE_MAX ? "is longer than 400 bytes" : v.len ? NULL : "is empty";
}

/* --- numbers */

struct unit {
	char letter;
	uint64_t n;
};
/* the largest first */
static const struct unit sizes[] = { { 'g', 1 << 30 }, { 'm', 1 << 20 }, { 'k', 1 << 10 }, { 0, 1 } };
static const struct unit times[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 }, { 0, 1 } };

static const struct unit *
conf_value_units(enum conf_type type)
{
	return type == CONF_TIME ? times : type == CONF_SIZE || type == CONF_LIMIT ? sizes : NULL;
}

static bool
conf_value_octal(struct str v, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < v.len && i < 20; i++) {
		if (v.s[i] < '0' || v.s[i] > '7')
			return false;
		n = n * 8 + (uint64_t)(v.s[i] - '0');
	}
	*ret = n;
	return v.len && v.len < 20;
}

int
conf_value_number(const struct conf_row *row, struct str v, uint64_t *ret)
{
	const struct unit *u = conf_value_units(row->type);
	uint64_t unit = row->unit ? row->unit : 1, n, by = unit;

	if (row->type == CONF_OCTAL) {
		if (!conf_value_octal(v, &n))
			return -1;
		by = 1;
	} else {
		if (u && v.len && !char_is_digit(v.s[v.len - 1])) {
			while (u->letter && u->letter != char_lower(v.s[v.len - 1]))
				u++;
			if (!u->letter)
				return -1;
			by = u->n;
			v.len--;
		}
		if (!str_number(v, &n))
			return -1;
	}
	if (n > UINT64_MAX / by || n * by % unit)
		return 0;
	n = n * by / unit;
	if (n < row->least || (row->most && n > row->most))
		return 0;
	*ret = n;
	return 1;
}

/* With the largest unit that leaves nothing over. */
static void
conf_value_put(struct buf *b, const struct conf_row *row, uint64_t n)
{
	const struct unit *u = conf_value_units(row->type);

	n *= row->unit ? row->unit : 1;
	if (row->type == CONF_OCTAL) {
		buf_printf(b, "%04llo", (unsigned long long)n);
		return;
	}
	while (u && u->letter && (n < u->n || n % u->n))
		u++;
	buf_printf(b, "%llu", (unsigned long long)(u ? n / u->n : n));
	if (u && u->letter)
		buf_putc(b, row->type == CONF_TIME ? u->letter : (char)(u->letter - 'a' + 'A'));
}

struct str
conf_value_range(const struct conf_row *row, struct arena *a)
{
	struct buf b = { 0 };
	struct str ret;

	if (row->type == CONF_LIMIT && row->most >= SIZE_MAX) {
		buf_puts(&b, "at least ");
		conf_value_put(&b, row, row->least);
	} else if (row->most) {
		conf_value_put(&b, row, row->least);
		buf_puts(&b, " to ");
		conf_value_put(&b, row, row->most);
	}
	ret = buf_copy(&b, a);
	buf_done(&b);
	return ret;
}

/* --- shown */

void
conf_value_quote(struct buf *b, struct str v, bool item)
{
	bool plain = v.len || !item;
	size_t i;

	for (i = 0; i < v.len && plain; i++)
		plain = v.s[i] > ' ' && v.s[i] < 0x7f && v.s[i] != '"' && v.s[i] != '\\' && v.s[i] != '#' && (!item || v.s[i] != ',');
	if (plain) {
		buf_add(b, v);
		return;
	}
	buf_putc(b, '"');
	for (i = 0; i < v.len; i++) {
		if (v.s[i] == '"' || v.s[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, v.s[i]);
	}
	buf_putc(b, '"');
}

static void
conf_value_list(struct buf *b, const struct conf_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (i)
			buf_puts(b, ", ");
		conf_value_quote(b, str_from(l->v[i]), true);
	}
}

static struct str
conf_value_chosen(const struct conf_row *row, const void *p)
{
	struct str ret = STR_EMPTY;
	unsigned i;
	bool on;

	if (row->type == CONF_SWITCH) {
		memcpy(&on, p, sizeof(on));
		i = on;
	} else {
		memcpy(&i, p, sizeof(i));
	}
	conf_table_choice(row->choices, i, &ret);
	return ret;
}

struct str
conf_value_show(const struct conf *c, const struct conf_row *row, struct arena *a)
{
	const char *p = (const char *)c + row->offset;
	struct buf b = { 0 };
	struct str ret;

	switch (row->type) {
	case CONF_TEXT:
		conf_value_quote(&b, str_from(*(const char *const *)p), false);
		break;
	case CONF_CHOICE:
	case CONF_SWITCH:
		buf_add(&b, conf_value_chosen(row, p));
		break;
	case CONF_LIST:
		conf_value_list(&b, (const struct conf_list *)p);
		break;
	case CONF_LIMIT:
		conf_value_put(&b, row, limit_value(&c->limits, row->offset));
		break;
	default:
		conf_value_put(&b, row, *(const uint64_t *)p);
	}
	ret = buf_copy(&b, a);
	buf_done(&b);
	return ret;
}
