/* entity.c - character references of HTML ("&amp;", "&#65;")
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/utf8.h"
#include "mail/charset.h"
#include "mail/entity.h"
#include "mail/html_entities.h"

enum { NAME_LONGEST = 31, LEGACY_LONGEST = 6, LEGACY = 1 };

static bool
is_alnum(char c)
{
	return char_is_digit(c) || (unsigned char)(char_lower(c) - 'a') < 26;
}

/* The entry of exactly that name: at the byte behind its name; or NULL */
static const char *
find_name(struct str name)
{
	size_t low = 0, high = sizeof entity_at / sizeof *entity_at;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const char *entry = entity_text + entity_at[middle];
		int order = strncmp(name.s, entry, name.len);

		if (order == 0 && (unsigned char)entry[name.len] <= LEGACY)
			return entry + name.len;
		/* an equal beginning: the longer one comes later */
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static size_t
put_value(const char *entry, char dst[ENTITY_MAX])
{
	size_t len = strlen(entry + 1);

	memcpy(dst, entry + 1, len);
	return len;
}

static size_t
read_named(struct str v, char dst[ENTITY_MAX], size_t *ret_len)
{
	size_t n = 0;
	const char *entry;

	while (n < v.len && n <= NAME_LONGEST && is_alnum(v.s[n]))
		n++;
	if (n < v.len && v.s[n] == ';' && (entry = find_name(str_sub(v, 0, n)))) {
		*ret_len = put_value(entry, dst);
		return n + 1;
	}
	/* the longest of those that need no ";" */
	for (n = n < LEGACY_LONGEST ? n : LEGACY_LONGEST; n >= 2; n--) {
		entry = find_name(str_sub(v, 0, n));
		if (entry && *entry == LEGACY) {
			*ret_len = put_value(entry, dst);
			return n;
		}
	}
	return 0;
}

static int
digit_value(char c, unsigned base)
{
	if (char_is_digit(c))
		return c - '0';
	c = char_lower(c);
	return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static size_t
read_number(struct str v, char dst[ENTITY_MAX], size_t *ret_len)
{
	enum { TOO_LARGE = 0x110000, REPLACEMENT = 0xfffd };
	const unsigned base = v.len && char_lower(v.s[0]) == 'x' ? 16 : 10;
	size_t start = base == 16, n = start;
	uint32_t code = 0;
	int digit;

	for (; n < v.len && (digit = digit_value(v.s[n], base)) >= 0; n++)
		if (code < TOO_LARGE)
			code = code * base + (uint32_t)digit;
	if (n == start)
		return 0;
	if (code < 0x100)
		code = charset_windows1252((unsigned char)code);
	*ret_len = code ? utf8_put(dst, code) : 0;
	if (!*ret_len)
		*ret_len = utf8_put(dst, REPLACEMENT);
	return n + (n < v.len && v.s[n] == ';');
}

size_t
entity_read(struct str v, char dst[ENTITY_MAX], size_t *ret_len)
{
	size_t n;

	if (v.len < 3 || v.s[0] != '&')
		return 0;
	if (v.s[1] != '#') {
		n = read_named(str_sub(v, 1, v.len), dst, ret_len);
		return n ? n + 1 : 0;
	}
	n = read_number(str_sub(v, 2, v.len), dst, ret_len);
	return n ? n + 2 : 0;
}
