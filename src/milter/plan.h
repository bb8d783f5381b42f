/* plan.h - what a recipient's rules decided, as deliveries
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_PLAN_H
#define MILTER_PLAN_H

#include "host/conf.h"
#include "host/rulebook.h"

enum delivery_kind {
	DELIVERY_SELF,                  /* to the recipient as the client named him */
	DELIVERY_ADDRESS,               /* to another address: a redirect, a folder by its detail */
	DELIVERY_REPORT,                /* a late refusal: what tells the sender (RFC 3464, RFC 3798) */
	DELIVERY_QUARANTINE             /* to nobody, until somebody has looked at it: held by the server, or to quarantine_to */
};

/* How a delivery comes about. */
enum delivery_way {
	WAY_QUEUE,                      /* by the message that the server has */
	WAY_COPY,                       /* by an individual copy of ours */
	WAY_COVERED,                    /* by another delivery, or another recipient's own plan */
	WAY_DONE                        /* by an earlier attempt at this message: the journal says so */
};

struct delivery {
	enum delivery_kind kind;
	struct str target;              /* address without "<>"; of SELF empty */
	struct str canonical;           /* for comparisons */
	struct str folder;              /* of SELF by a secret field: where it is to be filed */
	bool redirect;
	bool copies;                    /* ":copy": it does not stand for the keep */
	bool site;                      /* it is a script of the site that delivers, not the user's */
	bool filtered;                  /* a redirect to somebody with rules here: through the filtered port */
	bool utf8;                      /* a redirect that servers elsewhere take with SMTPUTF8 only */
	bool may_return;                /* its address may be another name of a recipient, who would be taken away with it */
	/* What the content is: equal edits, mark and sender make equal contents. */
	unsigned version;               /* edits of the outcome that come before it */
	struct str edits;               /* those, in a form that can be compared */
	bool resends;                   /* they add fields of who sends it on (Resent-From) */
	struct str mark;                /* a field of ours above all others: "Name: value\r\n", or empty */
	bool own_sender;
	struct str sender;              /* without "<>" */
	/* filled by the merge and by what is done then */
	enum delivery_way way;
	bool done;                      /* the journal has it */
	bool apart;                     /* not by the message that the server has: what the client wants to know would be lost */
	const struct delivery *with;    /* NULL, or the copy that stands for this one as well */
	unsigned content;               /* equal numbers: equal contents */
	uint8_t key[32];                /* in the journal, if keyed */
	bool keyed;
};

struct plan {
	bool unfiltered;                /* no rules in force: the content must not be touched */
	bool refuses, exact;            /* exact: "reject", whose words are not replaced (RFC 5429 2.2) */
	struct str reason;
	struct str quarantine;          /* why it is put there */
	const char *note;               /* NULL, or what of it cannot be done here */
	struct str late_mark;           /* the mark of a refusal that could not be said */
	struct str kept_mark;           /* that of a message that could not be put in quarantine, or is in it for all */
	struct str instead;             /* in words, what is done of a postmaster's plan, for rules that close him; else empty */
	bool closes;                    /* it is his own rules that refuse, discard or set aside */
	struct str home, home_canonical;        /* the address of his keeps; empty: as the client named him */
	VEC(struct delivery) d;
};

/* What a plan is made from. */
struct plan_maker {
	struct arena *arena;            /* what the plan points into, besides the outcome */
	const struct conf *conf;
	const struct ruleset *rules;
	bool sendmail;
	struct str address;             /* the recipient as given, without "<>" */
	bool has_detail;                /* of that address */
	struct str sender;              /* of the envelope, without "<>" */
	const uint8_t *secret;          /* of the site: 32 bytes */
	int64_t now;                    /* seconds since 1970 */
};

/* An address in the form in which two are compared. */
struct str plan_canonical(struct arena *, const struct conf *, bool sendmail, struct str address);
/* The keep of somebody whose rules are not asked. */
void plan_keep(struct plan *);
void plan_make(const struct plan_maker *, const struct tamis_outcome *, struct plan *);
/* What he keeps comes to that address, if it is one: nobody has the one that was given. */
void plan_move(const struct conf *, bool sendmail, struct arena *, struct str address, struct plan *);
void plan_done(struct plan *);
/* A keep, wherever his keeps go.  Is there one, or what cancels it by itself? */
bool plan_is_keep(const struct plan *, const struct delivery *);
bool plan_has_keep(const struct plan *);
bool plan_keeps(const struct plan *);
/* A keep in place of what cannot be done; add: to the others. */
struct delivery plan_new_keep(const struct plan *, struct str mark);
void plan_add_keep(struct plan *, struct str mark);
/* A redirect of his that leads nowhere was taken away. */
void plan_without_redirect(struct plan *);
/* "keep, fileinto \"X\"": in words, as "tamis run" prints it: what the rules say */
struct str plan_words(struct arena *, const struct tamis_outcome *, enum tamis_status);
/* The reason as SMTP can carry it: may it be said word for word? */
bool plan_speakable(const struct plan *);

#endif
