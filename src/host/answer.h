/* answer.h - what a command line knows of a message besides its bytes
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The envelope sender is taken from Return-Path, else Sender, else From; the
 * recipient from Delivered-To, else X-Original-To, else To; each the first
 * such field and its first address; else the null sender, and nobody@localhost. */
#ifndef HOST_ANSWER_H
#define HOST_ANSWER_H

#include "host/memory.h"
#include "host/rules.h"

struct answer_fact {
	struct str name;
	char *value;
};

struct answer {
	/* set by answer_init(), then by whom it may concern */
	const char *from, *to;          /* NULL: from the header */
	int64_t now;                    /* microseconds */
	uint8_t seed[32];
	struct memory *memory;          /* answers questions about state; NULL: all are answered "no" */
	struct rules *rules;            /* for limits and zones */
	void (*report)(void *ctx, const struct tamis_diagnostic *);     /* NULL: to the rules' diag */
	void *report_ctx;
	void (*trace)(void *ctx, const struct tamis_event *);           /* NULL: no trace */
	void *trace_ctx;
	/* private */
	VEC(struct answer_fact) fact;
	VEC(char *) text;               /* names of facts set by answer_env() */
	struct str sender, recipient;   /* of the current message */
};

/* The clock is read once; environment items are those of a delivery on this host. */
void answer_init(struct answer *, struct rules *);
void answer_done(struct answer *);
/* "NAME=VALUE" sets an environment item or an envelope part; 0, or -1 without "=". */
int answer_env(struct answer *, struct str setting);

/* Resets the message, hands it the facts, the header and the body. */
void answer_message(struct answer *, struct tamis_message *, struct str header, struct str body, uint64_t size);
/* The recipient that its header or the options name; free it as usual. */
struct tamis_recipient *answer_recipient(struct answer *, struct tamis_message *);
/* A host for runs with that report and trace; its ctx is the struct answer. */
struct tamis_host answer_host(struct answer *);
/* For struct tamis_host: ctx is a struct answer. */
enum tamis_answer answer_ask(void *ctx, struct tamis_recipient *, struct tamis_text what,
                             struct tamis_text key, struct tamis_text *ret);

/* Sender and recipient as a header tells them; empty where it does not. */
void answer_envelope(struct str header, struct str *ret_sender, struct str *ret_recipient);

#endif
