/* testfile_host.h - the host that a test case describes
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_TESTFILE_HOST_H
#define TAMIS_TESTFILE_HOST_H

#include "host/answer.h"

/* "what key: verb value", or "load kind name: verb" */
struct testfile_reply {
	bool load;
	struct str what, key;           /* key "*": any */
	int verb;                       /* enum tamis_answer */
	struct str value;
};

struct testfile_script {
	struct str kind, name, text;
	const char *path;               /* what diagnostics call it: "x", "global/x" */
};

struct testfile_host {
	struct answer *answer;
	VEC(struct testfile_reply) reply;
	VEC(struct testfile_script) script;
	bool running;                   /* not compiling: to load something is a question */
	unsigned asked;                 /* since it was set to 0 */
	unsigned fail;                  /* the number of the question that fails, from 1; 0: none */
};

void testfile_host_done(struct testfile_host *);
/* One line of "-- host": NULL, or what is wrong with it. */
const char *testfile_host_reply(struct testfile_host *, struct str line);
/* One line of "-- state": the same. */
const char *testfile_host_state(struct testfile_host *, struct str line);
/* For struct tamis_host, ctx being a struct testfile_host. */
enum tamis_answer testfile_host_ask(struct testfile_host *, struct tamis_recipient *, struct tamis_text what,
                                    struct tamis_text key, struct tamis_text *ret);
int testfile_host_load(struct testfile_host *, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret);

#endif
