/* rulebook.h - whose rules: found at each look-up, compiled once, kept by content
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Threads may share one.  Files are looked at each time, so that a change needs no signal; compiling happens outside of
 * all locks.  One user's trouble is never another's. */
#ifndef HOST_RULEBOOK_H
#define HOST_RULEBOOK_H

#include "host/canonical.h"

struct diag;
struct rulebook;

/* What was compiled for the one before is taken over by content; NULL: there is none. */
struct rulebook *rulebook_new(struct conf *, struct rulebook *old);
struct rulebook *rulebook_free(struct rulebook *);
/* Told what is wrong with rules, once for each content; from any thread.  The place names real files; path is that of the
 * script that was compiled; user is empty for the site's.  Before the first look-up. */
void rulebook_on_report(struct rulebook *, void (*report)(void *ctx, struct str user, const struct tamis_diagnostic *,
                        const char *path), void *ctx);
/* Are all of the site's scripts fine?  What is not is reported.  0 or -1. */
int rulebook_check(struct rulebook *, struct diag *);

/* Who a recipient is, and what runs for him: counted, immutable. */
struct ruleset {
	struct str user;                /* "alice@example.org"; of an address of several users that address */
	struct str path;                /* of the user's rules in force; where he has none of his own, of the last of the site's */
	struct tamis_program **program; /* before, the user's, after */
	size_t n;
	ptrdiff_t of_user;              /* which of them is the user's; -1: none */
	enum conf_effect effect;
	unsigned needs;                 /* sequence_needs() */
	uint32_t effects;               /* of all of them: tamis_program_effects() */
	bool protected_;                /* postmaster, abuse: a user's rules never refuse or discard */
	uint8_t content[32];            /* digest of everything that was compiled */
	struct tamis_limits limits;
	struct ruleset_private *private;
};

/* 1: *ret is his; 0: nobody's, to be left alone; -1: it cannot be told now: errno.  An address of several users gets the
 * site's scripts only. */
int rulebook_find(struct rulebook *, bool sendmail, struct str rcpt, struct ruleset **ret);
/* The same of an address that is split already.  What is found lives in the arena, and is to be given back before that is. */
/* ret_broken, which may be NULL: the file of his own rules, if they are broken and were never better; else empty. */
int rulebook_of(struct rulebook *, struct arena *, const struct canonical *, struct ruleset **ret, struct str *ret_broken);
/* What is to be done by the rules that he has or would have. */
enum conf_effect rulebook_effect(struct rulebook *, struct arena *, const struct canonical *);
struct ruleset *ruleset_ref(struct ruleset *);
struct ruleset *ruleset_unref(struct ruleset *);
/* The file that a place of its programs is in, as people know it. */
struct str ruleset_file(const struct ruleset *, struct tamis_text file);
/* Is that run of a sequence (struct tamis_effect) the one of the user's own rules, and what they include? */
bool ruleset_is_users(const struct ruleset *, unsigned run);

/* May that login act for the user whose address that is? */
bool rulebook_owns(struct rulebook *, struct str login, struct str address);
/* For struct tamis_host of runs: ctx is the rulebook. */
int rulebook_load(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret);
/* How many programs and such things are kept. */
size_t rulebook_size(struct rulebook *);

#endif
