/* matcher.h - match type x comparator x keys: the open families of RFC 5228 2.7
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef LANG_MATCHER_H
#define LANG_MATCHER_H

#include "lang/value.h"

struct run;
struct matcher;

/* A comparator (RFC 4790) is a canonical form and an order over it. */
struct comparator {
	const char *name;                               /* "i;ascii-casemap" */
	const char *summary, *document;
	bool initial;                                   /* the one when rules name none */
	int form;                                       /* enum cell_form where a cell keeps it; -1: the octets */
	struct str (*canonical)(struct arena *, struct str);    /* NULL: the octets; may return its argument */
	int (*order)(struct str, struct str);           /* of canonical forms; NULL: equality only */
	bool substring;                                 /* ":contains" and ":matches" make sense */
	bool octets;                                    /* "?" is an octet, not a character */
};

enum { PREPARE_RESIDENT = 1 };

struct match_type {
	const char *name;                               /* ":matches" */
	const char *summary;
	bool initial;
	const char *const *argument;                    /* the words it takes ("gt", "ge"...), NULL-terminated; NULL: none */
	bool substring, order;                          /* what it needs of the comparator */
	bool counts;                                    /* sees the number of values, in decimal, not the values */
	bool captures;                                  /* can set match variables */
	bool raw;                                       /* values are the octets, keys as written: the type folds for itself */
	/* Once for each matcher, at compile time when keys are constant: sets m->prepared.  NULL, or what is wrong
	 * with key *ret_key (text in the arena, or a literal). */
	const char *(*prepare)(struct matcher *, struct arena *, unsigned flags, size_t *ret_key);
	/* NULL, or a warning about constant key *ret_key, or about all of them ("is compared as text...") */
	const char *(*doubt)(const struct matcher *, size_t *ret_key);
	/* YES, NO or ERROR (after run_error); on YES sets *ret_key and, if m->captures, run_captures(). */
	int (*match)(struct run *, const struct matcher *, struct str value, size_t *ret_key);
	/* What a value must contain (in canonical form) to match that key; empty: cannot tell.  NULL: never indexed. */
	struct str (*literal)(const struct matcher *, size_t key);
};

struct matcher {
	const struct match_type *type;
	const struct comparator *comparator;
	uint8_t argument;                               /* index into type->argument */
	bool captures;                                  /* the script can see match variables */
	bool prepared_ok;                               /* constant keys: ready; else prepared at run time */
	uint32_t nkeys;
	const struct str *key;                          /* canonical (as written if type->raw) */
	const struct str *written;                      /* as the rules have them, for people */
	void *prepared;
};

/* Fills key from written and prepares; as match_type.prepare. */
const char *matcher_prepare(struct matcher *, struct arena *, const struct str *written, uint32_t n, unsigned flags,
                            size_t *ret_key);

#endif
