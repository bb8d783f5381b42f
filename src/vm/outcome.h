/* outcome.h - what runs for one recipient decided
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_OUTCOME_H
#define VM_OUTCOME_H

#include "lang/program.h"
#include "mail/message.h"

struct answer {
	struct str what, key, value;
	enum tamis_answer answer;
	struct answer *next;
};

/* One recipient of a message, from RCPT TO to the end. */
struct recipient {
	struct arena arena;
	struct message *message;
	struct str written;             /* as given */
	struct mail_address to;         /* recipient_to() */
	bool is_read;
	struct fact *fact;
	struct answer *answer;
	int64_t now;
	uint8_t seed[32];
};

struct recipient *recipient_new(struct message *, struct str address, int64_t now, const uint8_t seed[32]);
/* another one of the same message, or of what the message is now; keeps its memory */
void recipient_reset(struct recipient *, struct str address, int64_t now, const uint8_t seed[32]);
void recipient_fact(struct recipient *, struct str name, struct str value);
/* a fact of his own, else of the message; NULL: not known */
struct fact *recipient_known(struct recipient *, struct str name);
void recipient_answer(struct recipient *, struct str what, struct str key, enum tamis_answer, struct str value);
/* the address, read at its first use */
struct mail_address *recipient_to(struct recipient *);
const struct answer *recipient_find(const struct recipient *, struct str what, struct str key);
struct recipient *recipient_free(struct recipient *);

struct effect {
	struct tamis_effect public;
	struct effect *next;
	const struct call *call;
	unsigned cap;                   /* room in options */
	const struct effect *before;    /* what it was before it was asked for again, of a script before */
	const struct effect *filed;     /* of a keep: it was filed into the INBOX as well */
};

struct edits;

struct outcome {
	struct arena arena;
	struct recipient *recipient;
	struct effect *first, *last;
	unsigned nruns;                 /* scripts run so far */
	unsigned nactions, nredirects;  /* of the current one */
	unsigned version;               /* edits so far */
	unsigned begun;                 /* before the current script */
	struct edits *edits;            /* NULL: none (vm/edit.h) */
	bool cancelled;                 /* the implicit keep of the current script */
	bool kept;                      /* it has an explicit one */
	bool answered;                  /* outcome_answer() in the current script */
	bool failed, degraded;
	struct str flags;               /* of the keep of the script before */
	unsigned cleared;               /* how often */
};

struct outcome *outcome_new(struct recipient *);
/* as outcome_new() of the same recipient; keeps its memory */
void outcome_reset(struct outcome *);
struct outcome *outcome_free(struct outcome *);
void outcome_switch(struct outcome *, struct recipient *);
/* Forgets the effects and flags so far; edits stay. */
void outcome_clear(struct outcome *);
/* a run begins: takes back keeps of the one before */
void outcome_begin(struct outcome *);
/* it ends: the implicit keep, or NULL.  failed: its effects and edits go, a keep stays. */
struct effect *outcome_end(struct outcome *, bool failed);
/* What the script keeps without flags has those with which the script before it kept it: its author speaks of none. */
void outcome_keep_flags(struct outcome *);
/* The script answers, even if nothing is to be sent this time: NULL, or why it cannot (RFC 5230 4.7). */
const char *outcome_answer(struct outcome *);
/* NULL, or what the new effect is in conflict with or which limit it exceeds (literal; RFC 5228 2.10) */
const char *outcome_add(struct outcome *, const struct program *, struct effect *, bool degraded);
/* one option more; the value is copied */
void outcome_option(struct outcome *, struct effect *, const char *name, struct str value);
bool outcome_keeps(const struct outcome *);
int outcome_write(const struct outcome *, unsigned version, int (*write)(void *ctx, struct tamis_text), void *ctx);

#endif
