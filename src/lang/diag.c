/* diag.c - what is wrong with rules: collected, positioned, handed to the host
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/diag.h"

#include <stdarg.h>
#include <stdio.h>

static void
diag_report(struct diag *d, struct source *src, struct span at, int severity, const char *hint, const char *format,
            va_list ap)
{
	struct tamis_diagnostic out = { .severity = severity, .hint = hint };
	char text[512];

	if (d->quiet || !d->host || !d->host->report)
		return;
	vsnprintf(text, sizeof text, format, ap);
	out.place = source_place(src, at);
	out.text = text;
	d->host->report(d->host->ctx, &out);
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
