/* rules.h - files of rules, and those that they include
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * include :personal "x" is x.sieve or x beside the file that was asked for;
 * :global the same in one directory for all.  Names have no "/", no NUL and
 * no "." at the start. */
#ifndef HOST_RULES_H
#define HOST_RULES_H

#include "host/diag.h"
#include "host/zone.h"

enum {
	RULES_WRONG = -1,               /* reported to the diag */
	RULES_UNREADABLE = -2           /* errno says why */
};

struct rules_text {
	char *path;
	struct buf text;
};

struct rules {
	/* set by rules_init(), then by whom it may concern */
	struct diag *diag;
	const char *global;             /* directory of ":global" scripts */
	struct tamis_limits limits;
	VEC(struct str) allow, deny;    /* extensions; an empty allow: all; borrowed strings */
	/* NULL, or what else decides (after deny, before allow): 1, 0, or -1: no opinion */
	int (*admit)(void *ctx, struct str extension);
	void *admit_ctx;
	/* NULL, or why rules may not use an extension that they name: a hint, or NULL */
	const char *(*denied)(void *ctx, struct str extension);
	void *denied_ctx;
	/* NULL, or why messages cannot be filed into that mailbox here: a literal, or NULL */
	const char *(*unfit)(void *ctx, struct str mailbox);
	void *unfit_ctx;
	/* NULL, or why not all messages can be put in quarantine here */
	const char *unfit_quarantine;
	uint32_t effects;               /* 1u << kind that can be performed; 0: all */
	/* NULL, or where included files come from instead: 1 found, 0 no such file, -1 it cannot be told now (errno).
	   *ret stays valid until rules_done(). */
	int (*read)(void *ctx, bool global, const char *file, struct str *ret);
	void *read_ctx;
	/* NULL: diagnostics of compilations go to the diag */
	void (*report)(void *ctx, const struct tamis_diagnostic *);
	void *report_ctx;
	/* private */
	const char *directory;          /* of ":personal" scripts of the current compilation */
	VEC(struct rules_text *) text;
	struct zones zones;
};

void rules_init(struct rules *, struct diag *);
/* Programs live on; their texts, which the diag may want to show, do not. */
void rules_done(struct rules *);

/* "-" reads standard input (and includes from the current directory).
 * flags: TAMIS_RESIDENT...; with TAMIS_BORROW the program must end before rules_done(). */
int rules_file(struct rules *, const char *path, unsigned flags, struct tamis_program **ret);
/* text is borrowed until rules_done(); name is what diagnostics call it. */
int rules_compile(struct rules *, const char *name, const char *directory, struct str text,
                  unsigned flags, struct tamis_program **ret);

/* For struct tamis_host: ctx is a struct rules. */
bool rules_allow(void *ctx, struct tamis_text extension);
int rules_load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret);

#endif
