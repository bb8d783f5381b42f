/* progress.c - a bar on the terminal while a mailbox is read
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/moment.h"
#include "tamis/progress.h"

enum {
	BAR = 40,                       /* columns */
	STEPS = 64,                     /* messages between two looks at the clock */
	FIRST_AFTER = 300000,           /* microseconds: what is faster needs no bar */
	AGAIN_AFTER = 100000
};

struct progress {
	size_t nsources, source, messages, messages_before;
	int64_t next;
	bool shown;
};

struct progress *
progress_new(size_t nsources, bool lines)
{
	struct progress *p;

	if (!isatty(STDERR_FILENO) || (lines && isatty(STDOUT_FILENO)))
		return NULL;
	p = mem_alloc(sizeof(*p));
	*p = (struct progress){ .nsources = nsources, .next = moment_now() + FIRST_AFTER };
	return p;
}

struct progress *
progress_free(struct progress *p)
{
	progress_clear(p);
	free(p);
	return NULL;
}

void
progress_clear(struct progress *p)
{
	if (!p || !p->shown)
		return;
	fputs("\r\033[K", stderr);
	p->shown = false;
}

/* Part of the current source that is done, 0 to 1; < 0 when nobody knows. */
static double
progress_part(const struct progress *p, const struct source *s)
{
	size_t count = source_count(s);
	uint64_t done, all;

	if (count)
		return (double)(p->messages - p->messages_before) / (double)count;
	source_progress(s, &done, &all);
	return all ? (double)done / (double)all : -1;
}

static void
progress_draw(struct progress *p, const struct source *s)
{
	double part = progress_part(p, s);
	int i, full;

	if (part < 0) {
		fprintf(stderr, "\r%zu messages\033[K", p->messages);
	} else {
		part = ((double)p->source + part) / (double)p->nsources;
		part = part > 1 ? 1 : part;
		full = (int)(part * BAR);
		fputs("\r[", stderr);
		for (i = 0; i < BAR; i++)
			putc(i < full ? '#' : '.', stderr);
		fprintf(stderr, "] %3d %%  %zu messages\033[K", (int)(part * 100), p->messages);
	}
	p->shown = true;
}

void
progress_step(struct progress *p, const struct source *s)
{
	int64_t now;

	if (!p || ++p->messages % STEPS)
		return;
	now = moment_now();
	if (now < p->next)
		return;
	p->next = now + AGAIN_AFTER;
	progress_draw(p, s);
	fflush(stderr);
}

void
progress_source(struct progress *p)
{
	if (!p)
		return;
	p->source++;
	p->messages_before = p->messages;
}
