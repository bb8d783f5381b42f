/* digest.c - the only file that sees libsodium
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdlib.h>

#include <sodium.h>

#include "host/digest.h"

_Static_assert(sizeof(struct digest) >= sizeof(crypto_hash_sha256_state), "room for the state");
_Static_assert(_Alignof(struct digest) >= _Alignof(crypto_hash_sha256_state), "aligned as the state");
_Static_assert(crypto_hash_sha256_BYTES == DIGEST_SIZE && crypto_auth_hmacsha256_BYTES == DIGEST_SIZE &&
	crypto_auth_hmacsha256_KEYBYTES == DIGEST_SIZE, "sizes");

static void
start(void)
{
	/* it fails only where the system has no random bytes: then nothing here is worth anything */
	if (sodium_init() < 0)
		abort();
}

static void
digest_start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, start);
}

static const unsigned char *
bytes_of(struct str v)
{
	return (const unsigned char *)v.s;
}

static crypto_hash_sha256_state *
state_of(struct digest *d)
{
	return (crypto_hash_sha256_state *)(void *)d;
}

void
digest_init(struct digest *d)
{
	digest_start();
	crypto_hash_sha256_init(state_of(d));
}

void
digest_add(struct digest *d, struct str v)
{
	crypto_hash_sha256_update(state_of(d), bytes_of(v), v.len);
}

void
digest_add_part(struct digest *d, struct str v)
{
	unsigned char length[8];

	for (size_t i = 0; i < sizeof length; i++)
		length[i] = (unsigned char)((uint64_t)v.len >> (56 - 8 * i));
	crypto_hash_sha256_update(state_of(d), length, sizeof length);
	digest_add(d, v);
}

void
digest_end(struct digest *d, uint8_t out[DIGEST_SIZE])
{
	crypto_hash_sha256_final(state_of(d), out);
}

void
digest_hmac(const uint8_t key[DIGEST_SIZE], struct str data, uint8_t out[DIGEST_SIZE])
{
	digest_start();
	crypto_auth_hmacsha256(out, bytes_of(data), data.len, key);
}

void
digest_random(void *out, size_t n)
{
	digest_start();
	randombytes_buf(out, n);
}

/* All threads share them: those of a daemon come and go, some for one message. */
void
digest_seed(uint8_t out[DIGEST_SIZE])
{
	enum { SEEDS = 64 };
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static uint8_t seed[SEEDS][DIGEST_SIZE];
	static size_t left;
	uint8_t key[randombytes_SEEDBYTES];

	pthread_mutex_lock(&lock);
	if (!left) {
		digest_random(key, sizeof key);
		randombytes_buf_deterministic(seed, sizeof seed, key);
		left = SEEDS;
	}
	memcpy(out, seed[--left], DIGEST_SIZE);
	pthread_mutex_unlock(&lock);
}

bool
digest_same(const void *a, const void *b, size_t n)
{
	return !sodium_memcmp(a, b, n);
}

void
digest_base32(const uint8_t *in, size_t n, char *out)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned held = 0, bits = 0;

	for (size_t i = 0; i < n; i++) {
		held = held << 8 | in[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*out++ = digits[held >> (bits - 5) & 31];
	}
	if (bits)
		*out++ = digits[held << (5 - bits) & 31];
	*out = '\0';
}

void
digest_hex(const uint8_t *in, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[in[i] >> 4];
		*out++ = digits[in[i] & 15];
	}
	*out = '\0';
}

static int
hex_value(char c)
{
	if (char_is_digit(c))
		return c - '0';
	c = char_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
digest_unhex(struct str v, uint8_t *out, size_t n)
{
	if (v.len != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_value(v.s[2 * i]), low = hex_value(v.s[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
