/* probe.h - a message with forged fields, and what of them arrives
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * It has the null sender, asks for no answer, says that nothing was verified, and carries in each of its fields a
 * random token, by which it is known again. */
#ifndef TAMIS_PROBE_H
#define TAMIS_PROBE_H

#include "host/submit.h"
#include "tamis/doctor.h"

enum { PROBE_TOKEN = 26 };              /* characters of a token */

enum probe_kind {
	PROBE_OURS,                     /* a mark of tamis */
	PROBE_RESULT,                   /* a result, spelled so that tamis would believe it */
	PROBE_ODD_RESULT                /* a result that others may believe */
};

struct probe_field {
	const char *name, *how;         /* how it is spelled */
	enum probe_kind kind;
	struct str text;                /* the whole field, with its line ends */
	bool arrived;
	struct str renamed;             /* what it is called now; empty: nothing else */
};

struct probe {
	char token[PROBE_TOKEN + 1];
	struct probe_field *field;
	size_t n;
	struct str id, end;             /* in its Message-ID; the last line of its body */
	struct arena *arena;
};

/* Results are forged of that verifier; "": of nobody.  token: of a probe that was sent before, or NULL: a new one. */
void probe_init(struct probe *, struct arena *, const char *authserv_id, const char *token);
/* Is that what a token looks like? */
bool probe_is_token(const char *);
/* To one recipient, by the server at HOST:PORT; deadline as for submit(); what was said is in `reply`, which has room
 * for `size` bytes. */
enum submit_result probe_send(const struct probe *, const char *server, const char *to, int64_t deadline, char *reply,
                              size_t size);
/* Is it among the messages there, as a whole?  1: it is, and its fields were looked at; 0; -1 errno. */
int probe_look(struct probe *, const char *path);

#endif
