/* transaction.h - one message: its envelope, its recipients, what is known so far
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_TRANSACTION_H
#define MILTER_TRANSACTION_H

#include "host/digest.h"
#include "milter/daemon.h"
#include "milter/mta.h"
#include "milter/plan.h"
#include "milter/spool.h"

/* Of a header that the server edits: Postfix looks through all of it for each edit. */
enum { FIELDS_EDITED = 1000 };

struct rcpt {
	struct str argument;            /* as given, "<>" and all: what delete_rcpt wants */
	struct str address;             /* without "<>" */
	struct canonical parts;         /* of the address */
	bool parsed;                    /* false: it is no address as we know them, and has no parts */
	bool respelled;                 /* the address is the server's: what was given is no address as we know them */
	struct str notify, orcpt;       /* of the client's ESMTP arguments; empty: none */
	struct str canonical;
	struct str group;               /* Sendmail's {rcpt_addr}, or his name in Postfix's queue */
	bool has_detail;                /* what he keeps would go to a folder, by the address that the server delivers to */
	struct ruleset *rules;          /* NULL: left alone */
	struct str broken;              /* the file of rules of his own that cannot be used, or empty */
	struct str srs;                 /* a bounce to a sender that we rewrote: who that was; else empty */
	const char *no_bounce;          /* NULL, or of an address of srs_domain that goes back to nobody: "forged", "expired" */
	enum conf_effect effect;
	struct tamis_recipient *recipient;
	int64_t now;                    /* to his rules: microseconds */
	struct tamis_outcome *outcome;  /* NULL: not decided */
	enum tamis_status status;
	enum tamis_stage stage;         /* at which it was decided */
	struct plan plan;
	struct str instead;             /* of the plan that was made, whatever became of it */
	bool refused;                   /* at RCPT TO */
	bool held;                      /* his rules are why the server holds the message */
	uint8_t fingerprint[32];
	const char *trouble;            /* NULL, or why his rules were not asked */
	bool again;                     /* it may pass: the message is to be tried again */
	bool passed;                    /* it has lasted for long enough: he gets the message without them, marked */
	const char *error;              /* of his run: NULL, or the first one */
	const char *note;               /* NULL, or what of his plan could not be done */
	unsigned ms;                     /* spent on his rules */
	/* memory for what he needs: recipient, when it is his, is among it, and outcome is not */
	struct {
		struct tamis_recipient *recipient;
		struct tamis_outcome *outcome;
	} spare;
};

struct transaction {
	struct daemon *daemon;
	struct setup *setup;
	const struct conf *conf;
	struct arena arena;
	/* of the connection */
	struct str client_host, client_ip, helo;
	struct str host;                /* ours: as we were told, or as the server calls itself; empty: nobody says */
	struct str hostname;            /* the same, or "localhost" */
	bool ours;                      /* the client is not the sender's side: nothing is refused at RCPT TO */
	bool local;                     /* not received by SMTP */
	/* of the message */
	bool sendmail;
	struct str id;                  /* of the queue, "NOQUEUE" while it is not known */
	bool id_known;
	struct str login;               /* {auth_authen} */
	struct str sender;              /* without "<>" */
	struct str ret, envid;          /* of DSN */
	bool smtputf8, eightbit;
	struct tamis_message *message;
	VEC(struct rcpt *) rcpt;
	VEC(struct rcpt *) spare;       /* for recipients to come (milter/pool.h) */
	struct buf header;              /* as received, lines end in CRLF, with the empty line */
	bool header_over;               /* there was more than max_header */
	unsigned nfields;
	unsigned hops;                  /* Received fields */
	unsigned redirected;            /* Tamis-Redirected fields */
	unsigned copies;                /* Received fields of a copy of ours */
	struct spool body;
	uint64_t size;                  /* of the body */
	bool want_body, want_size;
	struct digest body_digest;      /* of what came, if hashing: also where it could not be kept */
	bool hashing;
	uint8_t fingerprint[32];        /* of the message, whoever gets it */
	bool fingerprinted;
	uint8_t header_key[32];         /* under which the journal has messages that were copied */
	bool header_keyed;
	int64_t deadline;               /* of what is being done: CLOCK_MONOTONIC milliseconds */
	const struct mta *ending;       /* the server, which waits for the end of its message; NULL: not yet */
	int64_t told;                   /* when it heard of us last, or that began; 0: it did not */
};

/* --- run.c: rules at the stages */

/* Who that is, and his rules.  0; or -1: it cannot be told now. */
int run_find(struct transaction *, struct rcpt *);
/* Would his rules, if he has any, be watched and nothing more? */
bool run_is_watched(struct transaction *, struct rcpt *);
/* Runs the rules of a recipient who is not decided, while so many come later. */
void run_stage(struct transaction *, struct rcpt *, enum tamis_stage, size_t later);
/* A final refusal at RCPT TO (doc/ARCHITECTURE.md 4)? */
bool run_refuses_early(const struct rcpt *);

/* --- apply.c: what is done in the end */

/* What would be done: nothing at all, or without the body? */
bool apply_nothing(struct transaction *);
bool apply_needs_body(struct transaction *);
void apply_message(struct transaction *, const struct mta *, struct verdict *ret);

/* What takes long calls it on its way: at the end of a message the server is told now and then that work goes on.
 * now: CLOCK_MONOTONIC milliseconds. */
void transaction_goes_on(struct transaction *, int64_t now);

/* --- report lines: one for each recipient */

/* The note on a delivery that the server's message cannot carry as it should be.  shared: because others get it too;
 * else because his own rules do more than one thing with it. */
const char *transaction_left_out(struct transaction *, const struct rcpt *, const struct delivery *, bool shared);
/* What his plan would do, in words. */
struct str transaction_words(struct transaction *, const struct rcpt *);
void transaction_log(struct transaction *, const char *verdict);
void transaction_log_rcpt(struct transaction *, const struct rcpt *, const char *verdict);

#endif
