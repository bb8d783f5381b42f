/* charset.c - text of any charset to UTF-8
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <iconv.h>

#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/gmime.h"

#define NAME_MAX_LEN    64
/* This many bad bytes, and one in BAD_SHARE more, are still a text. */
#define BAD_FREE        16
#define BAD_SHARE       8

static const char *const utf8_labels[] = {
	"utf-8", "utf8", "us-ascii", "ascii", "unicode-1-1-utf-8", "ansi_x3.4-1968",
	"unknown-8bit", "x-unknown", "8bit", "7bit",
};

static const char *const latin1_labels[] = {
	"iso-8859-1", "windows-1252", "iso8859-1", "latin1", "iso_8859-1", "cp1252",
	"iso88591", "l1", "cp-1252", "x-cp1252", "windows1252",
};

/* Labels that senders put on more than they cover, as the Encoding Standard of
 * the web has found: what the texts really are. */
static const struct {
	const char *label, *name;
} superset[] = {
	{ "gb2312", "GB18030" },
	{ "gb_2312-80", "GB18030" },
	{ "gb2312_charset", "GB18030" },
	{ "gbk", "GB18030" },
	{ "x-gbk", "GB18030" },
	{ "euc-kr", "CP949" },
	{ "ks_c_5601-1987", "CP949" },
	{ "ks_c_5601-1989", "CP949" },
	{ "ksc5601", "CP949" },
	{ "ksc_5601", "CP949" },
	{ "shift_jis", "CP932" },
	{ "shift-jis", "CP932" },
	{ "sjis", "CP932" },
	{ "x-sjis", "CP932" },
	{ "big5", "BIG5-HKSCS" },
	{ "iso-2022-jp", "ISO-2022-JP-3" },
	{ "iso-8859-9", "CP1254" },
	{ "iso-8859-11", "CP874" },
	{ "tis-620", "CP874" },
	{ "koi8r", "KOI8-R" },
};

/* what windows-1252 has in place of the control characters of ISO 8859-1 */
static const uint16_t high_controls[32] = {
	0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
	0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
};

static bool
is_one_of(struct str label, const char *const *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_iis(label, list[i]))
			return true;
	return false;
}

bool
charset_is_utf8(struct str charset)
{
	return !charset.len
	       || is_one_of(charset, utf8_labels, sizeof utf8_labels / sizeof *utf8_labels);
}

uint32_t
charset_windows1252(unsigned char byte)
{
	return byte >= 0x80 && byte < 0xa0 ? high_controls[byte - 0x80] : byte;
}

static void
add_latin1(struct buf *out, struct str bytes)
{
	char *d = buf_room(out, bytes.len * 3), *start = d;
	size_t i;

	for (i = 0; i < bytes.len; i++) {
		unsigned char c = (unsigned char)bytes.s[i];

		if (c < 0x80)
			*d++ = (char)c;
		else
			d += utf8_put(d, charset_windows1252(c));
	}
	out->len += (size_t)(d - start);
}

static iconv_t
open_label(struct str label)
{
	char name[NAME_MAX_LEN + 1];
	size_t i;
	iconv_t cd;

	for (i = 0; i < sizeof superset / sizeof *superset; i++)
		if (str_iis(label, superset[i].label))
			return iconv_open("UTF-8", superset[i].name);
	if (label.len > NAME_MAX_LEN)
		return (iconv_t)-1;
	/* "/" would start an option of iconv's own ("//TRANSLIT") */
	for (i = 0; i < label.len; i++)
		if (label.s[i] <= ' ' || label.s[i] == '/' || label.s[i] > '~')
			return (iconv_t)-1;
	memcpy(name, label.s, label.len);
	name[label.len] = '\0';
	cd = iconv_open("UTF-8", name);
	return cd == (iconv_t)-1 ? iconv_open("UTF-8", gmime_charset(name)) : cd;
}

/* Every byte that means nothing becomes U+FFFD; too many of them: not a text
 * in that charset at all. */
static int
convert(iconv_t cd, struct buf *out, struct str in, bool strict)
{
	char *p = (char *)in.s;         /* iconv's prototype; it does not write there */
	size_t left = in.len, bad = 0;
	bool flushed = false;

	while (!flushed) {
		size_t room = left * 2 + 64, free = room, rc;
		char *to = buf_room(out, room);

		flushed = !left;
		rc = iconv(cd, left ? &p : NULL, left ? &left : NULL, &to, &free);
		out->len += room - free;
		if (rc != (size_t)-1)
			continue;
		if (errno == E2BIG) {
			flushed = false;
			continue;
		}
		if (strict || ++bad > BAD_FREE + (in.len - left) / BAD_SHARE)
			return CHARSET_UNKNOWN;
		buf_puts(out, "\xef\xbf\xbd");
		if (left) {
			p++;
			left--;
		}
	}
	return bad ? CHARSET_REPAIRED : CHARSET_OK;
}

static int
add_utf8(struct buf *out, struct str bytes, bool strict)
{
	bool ok = utf8_check(bytes) < 0;

	if (!ok && strict)
		return CHARSET_UNKNOWN;
	buf_add(out, bytes);
	return ok ? CHARSET_OK : CHARSET_REPAIRED;
}

int
charset_add(struct buf *out, struct str charset, struct str bytes, bool strict)
{
	size_t before = out->len;
	iconv_t cd;
	int rc;

	if (charset_is_utf8(charset))
		return add_utf8(out, bytes, strict);
	if (is_one_of(charset, latin1_labels, sizeof latin1_labels / sizeof *latin1_labels)) {
		add_latin1(out, bytes);
		return CHARSET_OK;
	}
	cd = open_label(charset);
	if (cd == (iconv_t)-1)
		return CHARSET_UNKNOWN;
	rc = convert(cd, out, bytes, strict);
	iconv_close(cd);
	if (rc < 0)
		out->len = before;
	return rc;
}
