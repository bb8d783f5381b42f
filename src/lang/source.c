/* source.c - the text of one script, and where in it something stands
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/source.h"

#include "base/utf8.h"

enum { MARK_EVERY = 4096 };     /* bytes */

/* characters of the line before `at`, which is not before the mark */
static uint32_t
column_from(const struct source *src, struct source_mark from, uint32_t at)
{
	const char *text = src->text.s, *before = memrchr(text + from.at, '\n', at - from.at);
	size_t start = before ? (size_t)(before + 1 - text) : from.at;

	return (before ? 0 : from.column) + (uint32_t)utf8_count(str_sub(src->text, start, at));
}

/* Mark i stands at (i + 1) * MARK_EVERY, or behind the bytes there that may be the rest of a character. */
void
source_marks(struct source *src, struct arena *arena)
{
	uint32_t n = (uint32_t)(src->text.len / MARK_EVERY), at;
	struct source_mark *mark = ARENA_ARRAY(arena, n, struct source_mark), last = { 0, 0 };

	for (uint32_t i = 0; i < n; i++) {
		at = (i + 1) * MARK_EVERY;
		if (at < last.at)
			at = last.at;
		while (at < src->text.len && ((unsigned char)src->text.s[at] & 0xc0) == 0x80)
			at++;
		last = mark[i] = (struct source_mark){ at, column_from(src, last, at) };
	}
	src->mark = mark;
	src->nmarks = n;
}

static struct source_mark
mark_before(const struct source *src, uint32_t at)
{
	uint32_t i = at / MARK_EVERY < src->nmarks ? at / MARK_EVERY : src->nmarks;

	while (i && src->mark[i - 1].at > at)
		i--;
	return i ? src->mark[i - 1] : (struct source_mark){ 0, 0 };
}

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

	place.column = column_from(src, mark_before(src, at.from), at.from) + 1;
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
