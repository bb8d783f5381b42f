/* digest.h - SHA-256, HMAC-SHA-256, random bytes, and how they are spelled
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_DIGEST_H
#define HOST_DIGEST_H

#include "base/str.h"

#define DIGEST_SIZE 32
/* characters of a digest in base32 or in hexadecimal, with the NUL */
#define DIGEST_BASE32 53
#define DIGEST_HEX 65

/* SHA-256 of what is added piece by piece; may be copied */
struct digest {
	uint64_t state[16];
};

void digest_init(struct digest *);
void digest_add(struct digest *, struct str);
/* Its length goes before it, so that what is added so can never be cut in another way into the same digest. */
void digest_add_part(struct digest *, struct str);
void digest_end(struct digest *, uint8_t out[DIGEST_SIZE]);

static inline struct str
digest_str(const uint8_t v[DIGEST_SIZE])
{
	return (struct str){ (const char *)v, DIGEST_SIZE };
}

void digest_hmac(const uint8_t key[DIGEST_SIZE], struct str data, uint8_t out[DIGEST_SIZE]);
void digest_random(void *out, size_t n);
/* Random bytes for what needs no secret: the system is asked for many at once. */
void digest_seed(uint8_t out[DIGEST_SIZE]);
/* in a time that does not tell where they differ */
bool digest_same(const void *a, const void *b, size_t n);

/* RFC 4648 6 in lower case, without padding; NUL-terminated: (8n + 4) / 5 + 1 bytes */
void digest_base32(const uint8_t *, size_t n, char *out);
/* lower case, NUL-terminated: 2n + 1 bytes */
void digest_hex(const uint8_t *, size_t n, char *out);
/* Either case.  True if v is exactly 2n digits. */
bool digest_unhex(struct str v, uint8_t *out, size_t n);

#endif
