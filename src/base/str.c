/* str.c - comparing, searching and hashing spans of bytes
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/str.h"

enum { FIND_SHORT = 256 };      /* bytes */

bool
str_ieq(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (a.s[i] != b.s[i] && char_lower(a.s[i]) != char_lower(b.s[i]))
			return false;
	return true;
}

bool
str_istarts(struct str v, struct str prefix)
{
	return v.len >= prefix.len && str_ieq(str_sub(v, 0, prefix.len), prefix);
}

int
str_cmp(struct str a, struct str b)
{
	int order = memcmp(a.s, b.s, a.len < b.len ? a.len : b.len);

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
str_split_last(struct str v, char c, struct str *ret_before, struct str *ret_behind)
{
	const char *at = v.len ? memrchr(v.s, c, v.len) : NULL;
	size_t n = at ? (size_t)(at - v.s) : 0;

	*ret_before = at ? str_sub(v, 0, n) : v;
	*ret_behind = at ? str_sub(v, n + 1, v.len) : STR_EMPTY;
	return at != NULL;
}

struct str
str_trim(struct str v)
{
	while (v.len && is_blank(v.s[v.len - 1]))
		v.len--;
	while (v.len && is_blank(*v.s)) {
		v.s++;
		v.len--;
	}
	return v;
}

/* The work is bounded by the product of the lengths: for short ones only. */
static ptrdiff_t
find_short(struct str hay, struct str needle)
{
	const char *p = hay.s, *end = hay.s + hay.len - needle.len + 1;
	char last = needle.s[needle.len - 1];

	for (; p < end && (p = memchr(p, *needle.s, (size_t)(end - p))); p++)
		if (p[needle.len - 1] == last && !memcmp(p, needle.s, needle.len))
			return p - hay.s;
	return -1;
}

ptrdiff_t
str_find(struct str hay, struct str needle)
{
	const char *at;

	if (!needle.len)
		return 0;
	if (needle.len > hay.len)
		return -1;
	/* memmem() prepares a table of the needle, which takes longer than to search a usual field */
	if (hay.len <= FIND_SHORT)
		return find_short(hay, needle);
	at = memmem(hay.s, hay.len, needle.s, needle.len);
	return at ? at - hay.s : -1;
}

static uint64_t
read64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* Bit 7 of each of eight bytes that is "A" to "Z": added so that it tells whether a byte is at least "A", and whether it
 * is beyond "Z"; bytes above 0x7f are none. */
static uint64_t
word_capitals(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101u, high = ones << 7;
	uint64_t low = word & ~high;

	return (low + ones * (0x80 - 'A')) & ~(low + ones * (0x7f - 'Z')) & ~word & high;
}

bool
str_has_capital(struct str v)
{
	size_t i = 0;

	for (; i + 8 <= v.len; i += 8)
		if (word_capitals(read64(v.s + i)))
			return true;
	if (i < v.len && i)
		return word_capitals(read64(v.s + v.len - 8)) != 0;
	for (; i < v.len; i++)
		if (char_lower(v.s[i]) != v.s[i])
			return true;
	return false;
}

enum { BLOCK = 16, WORD = sizeof(uint64_t) };

/* A loop of constant length, in a place of its own, becomes a vector. */
static inline void
lower_block(char *dst, const char *src)
{
	char block[BLOCK];

	memcpy(block, src, BLOCK);
	for (int i = 0; i < BLOCK; i++)
		block[i] = char_lower(block[i]);
	memcpy(dst, block, BLOCK);
}

static inline void
lower_word(char *dst, const char *src)
{
	uint64_t word = read64(src);

	word |= word_capitals(word) >> 2;
	memcpy(dst, &word, WORD);
}

/* The rest is taken together with bytes before it, which are the same in lower case. */
void
str_lower_into(char *dst, struct str src)
{
	size_t i = 0;

	if (src.len >= BLOCK) {
		for (; i + BLOCK <= src.len; i += BLOCK)
			lower_block(dst + i, src.s + i);
		if (i < src.len)
			lower_block(dst + src.len - BLOCK, src.s + src.len - BLOCK);
	} else if (src.len >= WORD) {
		lower_word(dst, src.s);
		if (src.len > WORD)
			lower_word(dst + src.len - WORD, src.s + src.len - WORD);
	} else {
		for (; i < src.len; i++)
			dst[i] = char_lower(src.s[i]);
	}
}

static uint64_t
read32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* both halves of the product, folded */
static uint64_t
mix(uint64_t a, uint64_t b)
{
#ifdef __SIZEOF_INT128__
	__extension__ unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
	uint64_t ah = a >> 32, al = (uint32_t)a, bh = b >> 32, bl = (uint32_t)b;
	uint64_t low = al * bl, middle = ah * bl + (low >> 32);
	uint64_t cross = al * bh + (uint32_t)middle;

	return (cross << 32 | (uint32_t)low)
	       ^ (ah * bh + (middle >> 32) + (cross >> 32));
#endif
}

/* Both factors of every product depend on the seed: nobody who does not know
 * it can make one of them zero, which would forget all that came before. */
uint64_t
str_hash(struct str v, uint64_t seed)
{
	static const uint64_t odd[3] = {
		0x9e3779b97f4a7c15, 0xd1b54a32d192ed03, 0x8cb92ba72f3d8dd7,
	};
	const char *p = v.s;
	size_t n = v.len;
	uint64_t h = seed ^ odd[0];
	uint64_t key = mix(seed ^ odd[1], odd[2]);
	uint64_t a, b;

	for (; n > 16; p += 16, n -= 16)
		h = mix(read64(p) ^ key, read64(p + 8) ^ h);
	if (n >= 8) {
		a = read64(p);
		b = read64(p + n - 8);
	} else if (n >= 4) {
		a = read32(p);
		b = read32(p + n - 4);
	} else if (n) {
		a = (uint64_t)(unsigned char)p[0] << 16
		    | (uint64_t)(unsigned char)p[n / 2] << 8
		    | (unsigned char)p[n - 1];
		b = 0;
	} else {
		a = b = 0;
	}
	h = mix(a ^ key, b ^ h);
	return mix(h ^ v.len, key ^ odd[0]);
}

static pthread_once_t seed_once = PTHREAD_ONCE_INIT;
static uint64_t seed_value;     /* written once, before anybody reads it */

static void
seed_draw(void)
{
	char *to = (char *)&seed_value;
	size_t have = 0;

	while (have < sizeof seed_value) {
		ssize_t n = getrandom(to + have, sizeof seed_value - have, 0);

		/* only a signal can come between; a kernel without it is none of ours */
		if (n > 0)
			have += (size_t)n;
	}
}

uint64_t
str_seed(void)
{
	pthread_once(&seed_once, seed_draw);
	return seed_value;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Only cells within `limit` of the diagonal can matter.  Row i keeps, at d,
 * the distance of the first i bytes of a and the first i + d - limit of b. */
unsigned
str_distance(struct str a, struct str b, unsigned limit)
{
	enum { MOST = 15 };
	unsigned rows[3][2 * MOST + 3];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2], *swap;
	unsigned far, width;

	limit = least(limit, MOST);
	far = limit + 1;
	width = 2 * limit + 1;
	if (a.len > b.len + limit || b.len > a.len + limit)
		return far;
	/* a cell of `far` at either side, so that d - 1 and d + 1 exist */
	for (unsigned d = 0; d < width + 2; d++) {
		before[d] = above[d] = row[d] = far;
		if (d > limit && d <= width)
			above[d] = d - limit - 1;
	}
	for (size_t i = 1; i <= a.len; i++) {
		unsigned best = far;

		for (unsigned d = 1; d <= width; d++) {
			size_t j = i + d - limit - 1;   /* wraps if negative */
			unsigned cost;

			row[d] = far;
			if (j > b.len)
				continue;
			if (!j) {
				row[d] = (unsigned)i;
				best = least(best, row[d]);
				continue;
			}
			cost = char_lower(a.s[i - 1]) != char_lower(b.s[j - 1]);
			row[d] = least(above[d] + cost, far);
			row[d] = least(row[d], least(row[d - 1], above[d + 1]) + 1);
			if (i > 1 && j > 1 && char_lower(a.s[i - 1]) == char_lower(b.s[j - 2])
			    && char_lower(a.s[i - 2]) == char_lower(b.s[j - 1]))
				row[d] = least(row[d], before[d] + 1);
			best = least(best, row[d]);
		}
		if (best > limit)
			return far;
		swap = before;
		before = above;
		above = row;
		row = swap;
	}
	return least(above[b.len - a.len + limit + 1], far);
}

int
str_number(struct str v, uint64_t *ret)
{
	uint64_t n = 0;

	if (!v.len)
		return 0;
	for (size_t i = 0; i < v.len; i++) {
		if (!char_is_digit(v.s[i]) || __builtin_mul_overflow(n, 10u, &n)
		    || __builtin_add_overflow(n, (uint64_t)(v.s[i] - '0'), &n))
			return 0;
	}
	*ret = n;
	return 1;
}

uint32_t
str_hash_seeded(struct str v)
{
	return (uint32_t)str_hash(v, str_seed());
}
