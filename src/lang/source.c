/* source.c - the text of one script, and where in it something stands
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/source.h"

#include "base/utf8.h"

static size_t
line_start(const struct source *src, uint32_t offset)
{
	const char *before = offset ? memrchr(src->text.s, '\n', offset) : NULL;

	return before ? (size_t)(before + 1 - src->text.s) : 0;
}

struct tamis_place
source_place(const struct source *src, struct span at)
{
	const char *p = src->text.s, *end = p + at.from;
	uint32_t line = 1;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		line++;
		p++;
	}
	return source_place_line(src, at, line);
}

struct tamis_place
source_place_line(const struct source *src, struct span at, uint32_t line)
{
	struct tamis_place place = { .file = text_of(src->name), .line = line };

	place.column = (unsigned)utf8_count(str_sub(src->text, line_start(src, at.from), at.from)) + 1;
	place.length = at.to > at.from ? (unsigned)utf8_count(str_sub(src->text, at.from, at.to)) : 1;
	return place;
}

struct str
source_line(const struct source *src, struct span at)
{
	size_t from = line_start(src, at.from);
	const char *eol = memchr(src->text.s + from, '\n', src->text.len - from);

	return str_sub(src->text, from, eol ? (size_t)(eol - src->text.s) : src->text.len);
}
