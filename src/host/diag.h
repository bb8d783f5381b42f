/* diag.h - show what is wrong, and where
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     rules:3:9: error: unknown test "adress"
 *     if adress "from" "a@example.org" {
 *        ^~~~~~
 *     hint: did you mean "address"?
 */
#ifndef HOST_DIAG_H
#define HOST_DIAG_H

#include <stdio.h>

#include "base/buf.h"
#include "tamis.h"

struct diag_mark {
	unsigned line, column;
	size_t at;                      /* offset */
};

struct diag_source {
	char *name;                     /* as places name it */
	char *path;                     /* as people know it */
	struct str text;                /* borrowed */
	VEC(struct diag_mark) mark;     /* in their order, so that nothing is far to seek */
	bool marked;                    /* once something was sought */
};

enum diag_form { DIAG_TEXT, DIAG_JSON, DIAG_NONE };

struct diag {
	FILE *out;
	enum diag_form form;
	bool color, no_warnings;
	unsigned errors, warnings, notes;       /* reported so far, shown or not */
	VEC(struct diag_source) source;
};

void diag_init(struct diag *, FILE *out);
void diag_done(struct diag *);

/* The text that places in the file `name` speak of; a later text of that name
 * replaces an earlier one.  Borrowed until diag_done(). */
void diag_source(struct diag *, struct str name, const char *path, struct str text);
/* How people know the file of that name: its path, or the name itself. */
struct str diag_path(const struct diag *, struct str name);
/* The text of line n (from 1) of that file without its end; empty if unknown. */
struct str diag_line(const struct diag *, struct str name, unsigned n);
/* All of the text of that file; empty if unknown. */
struct str diag_source_text(const struct diag *, struct str name);
/* What stands at the place; empty if unknown. */
struct str diag_text(const struct diag *, const struct tamis_place *);

/* Fits struct tamis_host's report; ctx is a struct diag. */
void diag_report(void *ctx, const struct tamis_diagnostic *);
/* The same text, appended. */
void diag_format(const struct diag *, const struct tamis_diagnostic *, struct buf *);
/* "error", "warning", "note" */
const char *diag_severity(const struct tamis_diagnostic *);

struct json_t;
/* The same as a JSON object: file, line, column, length, severity, text, hint. */
struct json_t *diag_object(const struct diag *, const struct tamis_diagnostic *);

/* Bytes that a terminal could take for commands, and line ends, are shown as "\xHH": what is one line stays one. */
void diag_clean(struct buf *, struct str);

#endif
