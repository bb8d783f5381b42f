/* source.h - the text of one script, and where in it something stands
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LANG_SOURCE_H
#define LANG_SOURCE_H

#include "base/arena.h"
#include "tamis.h"

/* Where something stands is counted from the mark before it: no further than that, however long the line is. */
struct source_mark {
	uint32_t at;
	uint32_t column;                /* characters of its line before it */
};

struct source {
	struct str name, text;
	const struct source_mark *mark;
	uint32_t nmarks;                /* 0: from the beginning */
};

/* a range of bytes of a source */
struct span {
	uint32_t from, to;
};

#define SPAN(f, t) ((struct span){ (f), (t) })

/* for a text that does not change any more */
void source_marks(struct source *, struct arena *);
/* Lines and columns count from 1; a column is a character, not a byte.  Counts
 * the lines anew each time: programs are shared by threads, and who asks is about to talk to a person. */
struct tamis_place source_place(const struct source *, struct span);
/* The same, by somebody who knows the line. */
struct tamis_place source_place_line(const struct source *, struct span, uint32_t line);
struct str source_line(const struct source *, struct span);     /* the line in which it begins */
static inline struct tamis_text
text_of(struct str v)
{
	return (struct tamis_text){ v.s, v.len };
}
static inline struct str
str_of(struct tamis_text v)
{
	return (struct str){ v.s, v.len };
}

#endif
