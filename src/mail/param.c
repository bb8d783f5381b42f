/* param.c - fields like "text/plain; charset=utf-8" (RFC 2045 5.1, RFC 2231)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "mail/gmime.h"
#include "mail/param.h"

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Offset past the quoted string or comment at v.s[i]; the end if it is open */
static size_t
skip_enclosed(struct str v, size_t i)
{
	const bool comment = v.s[i] == '(';
	size_t depth = 0;

	for (; i < v.len; i++) {
		if (v.s[i] == '\\')
			i++;
		else if (comment && v.s[i] == '(')
			depth++;
		else if (comment && v.s[i] == ')' && --depth == 0)
			return i + 1;
		else if (!comment && v.s[i] == '"' && depth++ == 1)
			return i + 1;
	}
	return v.len;
}

static size_t
skip_blanks(struct str v, size_t i)
{
	while (i < v.len && (is_blank(v.s[i]) || v.s[i] == '('))
		i = v.s[i] == '(' ? skip_enclosed(v, i) : i + 1;
	return i;
}

/* Offset of the next ";" from i on, or the end */
static size_t
find_semicolon(struct str v, size_t i)
{
	while (i < v.len && v.s[i] != ';')
		i = v.s[i] == '(' || v.s[i] == '"' ? skip_enclosed(v, i) : i + 1;
	return i;
}

struct str
param_head(struct str text)
{
	size_t from = skip_blanks(text, 0), to = from;

	while (to < text.len && text.s[to] != ';' && text.s[to] != '(')
		to++;
	return str_trim(str_sub(text, from, to));
}

static struct str
unquote(struct arena *a, struct str quoted)
{
	char *start = arena_alloc(a, quoted.len), *d = start;
	size_t i;

	for (i = 1; i < quoted.len; i++) {
		if (quoted.s[i] == '\\' && i + 1 < quoted.len)
			*d++ = quoted.s[++i];
		else if (quoted.s[i] == '"')
			break;
		else
			*d++ = quoted.s[i];
	}
	return (struct str){ start, (size_t)(d - start) };
}

/* The value at i.  Without quotes it may only be a token, but senders put
 * "/", "=" and others there: it ends at a blank or ";". */
static struct str
read_value(struct arena *a, struct str v, size_t i)
{
	size_t to = i;

	if (i < v.len && v.s[i] == '"')
		return unquote(a, str_sub(v, i, skip_enclosed(v, i)));
	while (to < v.len && !is_blank(v.s[to]) && v.s[to] != ';')
		to++;
	return str_sub(v, i, to);
}

int
param_get(struct arena *a, struct str text, const char *name, struct str *ret)
{
	size_t first = find_semicolon(text, 0), i = first;
	bool extended = false;

	while (i < text.len) {
		size_t from = skip_blanks(text, i + 1), to = from;
		struct str attribute;

		while (to < text.len && !is_blank(text.s[to]) && text.s[to] != '=' && text.s[to] != ';')
			to++;
		attribute = str_sub(text, from, to);
		to = skip_blanks(text, to);
		if (to < text.len && text.s[to] == '=') {
			to = skip_blanks(text, to + 1);
			if (str_iis(attribute, name)) {
				*ret = read_value(a, text, to);
				return 1;
			}
			extended |= str_istarts(attribute, str_from(name))
			            && attribute.s[strlen(name)] == '*';
		}
		i = find_semicolon(text, to);
	}
	return extended && gmime_param(a, str_sub(text, first + 1, text.len), name, ret);
}
