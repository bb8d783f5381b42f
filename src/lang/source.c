/* source.c - the text of one script, and where in it something stands
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/source.h"

#include "base/utf8.h"

static void
source_index(struct source *src)
{
	const char *p = src->text.s, *end = p + src->text.len;
	uint32_t n = 1;

	for (const char *q = p; (q = memchr(q, '\n', (size_t)(end - q))); q++)
		n++;
	src->line = arena_array(src->arena, n, sizeof *src->line);
	src->line[0] = 0;
	src->nlines = 1;
	for (const char *q = p; (q = memchr(q, '\n', (size_t)(end - q))); q++)
		src->line[src->nlines++] = (uint32_t)(q + 1 - p);
}

struct tamis_place
source_place(struct source *src, struct span at)
{
	uint32_t low = 0, high;
	struct tamis_place place = { .file = text_of(src->name) };
	struct str before, covered;

	if (!src->line)
		source_index(src);
	high = src->nlines;
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (src->line[middle] <= at.from)
			low = middle;
		else
			high = middle;
	}
	before = str_sub(src->text, src->line[low], at.from);
	covered = str_sub(src->text, at.from, at.to > at.from ? at.to : at.from);
	place.line = low + 1;
	place.column = (unsigned)utf8_count(before) + 1;
	place.length = (unsigned)utf8_count(covered);
	if (!place.length)
		place.length = 1;
	return place;
}
