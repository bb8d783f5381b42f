/* diag.c - what is wrong with rules: collected, positioned, handed to the host
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void
diag_report(struct diag *d, struct source *src, struct span at, int severity, const char *hint, const char *format,
            va_list ap)
{
	char text[512];

	if (!d->host || !d->host->report)
		return;
	vsnprintf(text, sizeof text, format, ap);
	vec_push(&d->items, (struct diag_item){ src, at, severity, arena_str(d->arena, str_from(text)).s,
	                                        hint ? arena_str(d->arena, str_from(hint)).s : NULL, d->items.n });
}

static int
item_order(const void *a, const void *b)
{
	const struct diag_item *x = a, *y = b;

	if (x->at.from != y->at.from)
		return x->at.from < y->at.from ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

void
diag_flush(struct diag *d, size_t first)
{
	size_t n = d->items.n - first;
	struct diag_item *v = n ? d->items.v + first : NULL;

	if (n)
		qsort(v, n, sizeof *v, item_order);
	for (size_t i = 0; i < n; i++) {
		struct tamis_diagnostic out = { .severity = v[i].severity, .text = v[i].text, .hint = v[i].hint };

		out.place = source_place(v[i].source, v[i].at);
		d->host->report(d->host->ctx, &out);
	}
	d->items.n = first;
	if (!first)
		vec_done(&d->items);
}

void
diag_error(struct diag *d, struct source *src, struct span at, const char *hint, const char *format, ...)
{
	va_list ap;

	d->errors++;
	if (d->limit && d->errors > d->limit)
		return;
	va_start(ap, format);
	diag_report(d, src, at, TAMIS_ERROR, hint, format, ap);
	va_end(ap);
	if (d->limit && d->errors == d->limit)
		diag_note(d, src, at, NULL, "%u errors reported; further ones are only counted", d->limit);
}

void
diag_warning(struct diag *d, struct source *src, struct span at, const char *hint, const char *format, ...)
{
	va_list ap;

	d->warnings++;
	if (d->limit && d->warnings > d->limit)
		return;
	va_start(ap, format);
	diag_report(d, src, at, TAMIS_WARNING, hint, format, ap);
	va_end(ap);
}

void
diag_note(struct diag *d, struct source *src, struct span at, const char *hint, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	diag_report(d, src, at, TAMIS_NOTE, hint, format, ap);
	va_end(ap);
}
