/* source.h - messages one after the other: files, mailboxes, directories
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A path is a message; an mbox (it begins with "From "; ">From " lines are
 * unquoted as mboxrd has it); a Maildir (messages of cur and new in the order
 * of their file names); or a directory whose files are messages.  "-" is
 * standard input, a message or an mbox.  One buffer serves all messages. */
#ifndef HOST_SOURCE_H
#define HOST_SOURCE_H

#include "base/buf.h"

struct source_message {
	struct str name;                /* path; of an mbox: "path:7" */
	const char *file;               /* its last component, for Maildir flags; "" if there is none */
	struct str header;              /* with the empty line */
	struct str body;                /* empty if SOURCE_BODY was not asked for */
	uint64_t size;                  /* octets with every line end as CRLF; without SOURCE_SIZE at least a rough idea */
};

/* What of a message is wanted: less is faster. */
enum { SOURCE_BODY = 1, SOURCE_SIZE = 2 };
/* What tamis_program_needs() of the program or the union of several makes of that. */
unsigned source_wants(unsigned needs);

struct source;

/* NULL: errno. */
struct source *source_open(const char *path);
struct source *source_free(struct source *);
/* How many messages there are: exact for a directory, 1 for a plain file, 0
 * when only reading on can tell. */
size_t source_count(const struct source *);
/* For a bar of progress where there is no count: bytes read and bytes in all (0: unknown). */
void source_progress(const struct source *, uint64_t *ret_done, uint64_t *ret_all);
/* 1 a message, valid until the next call; 0 no more; -1 this one could not be
 * read: errno, and ret->name; the next call goes on behind it. */
int source_next(struct source *, unsigned wants, struct source_message *ret);

/* Where the body begins: after the first empty line, or at the first line
 * that can be no header field and no continuation.  A "From " first line is
 * part of the header.  If the text ends before that, its length. */
size_t source_header_end(struct str text, bool *ret_found);
/* Octets of text when every line end is CRLF. */
uint64_t source_octets(struct str text);

#endif
