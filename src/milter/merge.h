/* merge.h - one message, one answer, several plans
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A mail server takes one verdict and one content for all recipients of a
 * message.  The merge decides what of all plans the server's own message
 * carries and what goes as individual copies, and how recipients that
 * redirect to each other interfere.  It does nothing and asks nobody. */
#ifndef MILTER_MERGE_H
#define MILTER_MERGE_H

#include "milter/plan.h"

struct merge_rcpt {
	struct str canonical;           /* who that is, for comparisons */
	struct str address;             /* as the client wrote it, without "<>" */
	struct str group;               /* recipients that are one to the server; empty: of its own */
	struct plan *plan;
	bool refused;                   /* at RCPT TO: no recipient any more */
	bool silent;                    /* the sender wants no report of a refusal */
	bool quiet;                     /* ... nor of a failure */
	bool wishes;                    /* what he wants to know goes along with copies, and not with who is added */
	bool elsewhere;                 /* what he keeps comes to another address than that in the envelope */
	bool stays;                     /* a copy was refused by the port: he is kept in the envelope */
	/* the result */
	bool removed;                   /* from the envelope */
	bool ignored;                   /* a redirect of his was: it leads to himself or nowhere */
	enum { LATE_NOT, LATE_KEPT, LATE_TOLD } late;   /* he refused it, and it is not refused */
	const struct delivery *plain;   /* NULL, or one whose edits, mark or sender are left out: nothing can go as a copy */
	/* he keeps what was to be put in quarantine: there is none for him alone, or of what comes to another address */
	enum { HELD, UNHELD_SHARED, UNHELD_ELSEWHERE } unheld;
};

struct keyset;

struct merge {
	/* what is so */
	struct merge_rcpt *rcpt;
	size_t n;
	struct arena *arena;
	bool can_refuse;                /* the client is the sender's side */
	bool can_copy;                  /* there is a port for copies */
	bool to_store;                  /* it takes mail for users of its own only: no redirects */
	bool many_fields;               /* in the header: the server would be busy for long if it deleted some of them */
	bool drops_resent;              /* the server leaves away what fields of who sends it on are added: there were none */
	bool can_report;                /* refusals may be reported to the sender later */
	bool has_body;                  /* copies can have all of it */
	bool utf8;                      /* the port may take SMTPUTF8, for which the client did not ask */
	bool own_hears;                 /* who is the sender in place of the client's is told, whatever that one wants to know */
	bool can_hold;                  /* the server can hold the message, for all of them */
	bool one_mailbox;               /* recipients of one group have one: it gets one copy, not one for each of their names */
	bool can_set_aside;             /* there is an address for copies in quarantine */
	/* NULL, or: may the words of that refusal be said in SMTP? */
	bool (*speakable)(void *ctx, const struct plan *);
	void *ctx;
	/* of merge_plans() itself: NULL */
	struct keyset *index, *by_address, *by_group;
	struct merge_rcpt **order;
	size_t contents;                /* how many there are: delivery.content */
	/* the result */
	bool refuse;                    /* the message as a whole */
	bool hold;                      /* likewise */
	const struct delivery *content; /* that of the server's message; NULL: as it came */
	size_t content_of;              /* whose */
};

/* Who that is among the recipients: the first, and one who is still one before one who was refused.  NULL: nobody. */
struct merge_rcpt *merge_find(const struct merge *, struct str canonical);
/* The name under which copies for him are compared. */
struct str merge_mailbox(const struct merge *, const struct merge_rcpt *);

/* To be called again, with plans as they are, when deliveries were done or refused. */
void merge_plans(struct merge *);

#endif
