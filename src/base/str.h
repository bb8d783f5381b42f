/* str.h - a span of bytes that somebody else owns
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* s is never NULL; the bytes are not NUL-terminated unless somebody says so */
struct str {
	const char *s;
	size_t len;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define STR_EMPTY ((struct str){ "", 0 })
/* for printf("%.*s") */
#define STR_ARG(v) (int)(v).len, (v).s

static inline struct str
str_from(const char *s)
{
	return (struct str){ s, strlen(s) };
}

static inline struct str
str_sub(struct str v, size_t from, size_t to)
{
	return (struct str){ v.s + from, to - from };
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.len == b.len && !memcmp(a.s, b.s, a.len);
}

static inline bool
str_is(struct str a, const char *literal)
{
	return a.len == strlen(literal) && !memcmp(a.s, literal, a.len);
}

/* in bytes all the way, so that a loop of it becomes vectors of bytes */
static inline char
char_lower(char c)
{
	return (char)(c + ((unsigned char)(c - 'A') < 26 ? 'a' - 'A' : 0));
}

static inline bool
char_is_digit(char c)
{
	return (unsigned)(unsigned char)c - '0' < 10u;
}

/* ASCII only, as RFC 5228 wants of identifiers, tags and header names */
bool str_ieq(struct str, struct str);
static inline bool
str_iis(struct str a, const char *literal)
{
	struct str b = str_from(literal);

	return a.len == b.len && str_ieq(a, b);
}
static inline bool
str_starts(struct str v, struct str prefix)
{
	return v.len >= prefix.len && !memcmp(v.s, prefix.s, prefix.len);
}
bool str_istarts(struct str, struct str prefix);
/* What stands before the last c of v, and behind it: so are addresses split at their "@" (RFC 5321 4.1.2: there may be others
 * in quotes before it).  false: there is none, and all of v is before it. */
bool str_split_last(struct str v, char c, struct str *ret_before, struct str *ret_behind);
/* < 0, 0, > 0: octets, the shorter of equal prefixes first */
int str_cmp(struct str, struct str);
/* without blanks (space, tab, CR, LF) at either end */
struct str str_trim(struct str);
/* offset of the first occurrence, or -1 */
ptrdiff_t str_find(struct str hay, struct str needle);
/* is there an ASCII letter A to Z? */
bool str_has_capital(struct str);
/* dst may be src */
void str_lower_into(char *dst, struct str src);
/* Seeded, so that nobody can choose keys that collide: the seed is one per
 * process, drawn at its first use. */
uint64_t str_hash(struct str, uint64_t seed);
uint64_t str_seed(void);
/* with the seed of the process */
uint32_t str_hash_seeded(struct str);
/* Damerau-Levenshtein distance, ASCII case ignored; anything over `limit` is
 * returned as limit + 1 (for "did you mean") */
unsigned str_distance(struct str, struct str, unsigned limit);
/* Decimal digits only, at least one: 1, or 0 when it is not a number or does
 * not fit */
int str_number(struct str, uint64_t *ret);

#endif
