/* test_host_digest.c - digests and their spelling against published vectors; the secret of a site
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory_fixture.h"
#include "host/digest.h"
#include "host/secret.h"

static const struct {
	const char *text, *hex;
} sums[] = {        /* FIPS 180-2, appendix B */
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

START_TEST(test_sha256)
{
	struct str v = str_from(sums[_i].text);
	struct digest whole, pieces;
	uint8_t out[DIGEST_SIZE];
	char hex[DIGEST_HEX];

	digest_init(&whole);
	digest_init(&pieces);
	digest_add(&whole, v);
	for (size_t i = 0; i < v.len; i++)
		digest_add(&pieces, str_sub(v, i, i + 1));
	digest_end(&whole, out);
	digest_hex(out, sizeof out, hex);
	ck_assert_str_eq(hex, sums[_i].hex);
	digest_end(&pieces, out);
	digest_hex(out, sizeof out, hex);
	ck_assert_str_eq(hex, sums[_i].hex);
}
END_TEST

START_TEST(test_parts)
{
	static const struct str cut[][2] = { { { "ab", 2 }, { "c", 1 } }, { { "a", 1 }, { "bc", 2 } } };
	uint8_t out[2][DIGEST_SIZE];

	for (size_t i = 0; i < 2; i++) {
		struct digest d;

		digest_init(&d);
		digest_add_part(&d, cut[i][0]);
		digest_add_part(&d, cut[i][1]);
		digest_end(&d, out[i]);
	}
	ck_assert(!digest_same(out[0], out[1], DIGEST_SIZE));
}
END_TEST

START_TEST(test_hmac)       /* RFC 4231 4.2, 4.3: a shorter key is one with zeros behind it */
{
	uint8_t key[DIGEST_SIZE] = { 0 }, out[DIGEST_SIZE];
	char hex[DIGEST_HEX];

	memset(key, 0x0b, 20);
	digest_hmac(key, STR("Hi There"), out);
	digest_hex(out, sizeof out, hex);
	ck_assert_str_eq(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	memset(key, 0, sizeof key);
	memcpy(key, "Jefe", 4);
	digest_hmac(key, STR("what do ya want for nothing?"), out);
	digest_hex(out, sizeof out, hex);
	ck_assert_str_eq(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
END_TEST

static const struct {
	const char *text, *base32;
} spelled[] = {     /* RFC 4648 10 */
	{ "", "" }, { "f", "my" }, { "fo", "mzxq" }, { "foo", "mzxw6" }, { "foob", "mzxw6yq" }, { "fooba", "mzxw6ytb" },
	{ "foobar", "mzxw6ytboi" },
};

START_TEST(test_base32)
{
	char out[32];

	digest_base32((const uint8_t *)spelled[_i].text, strlen(spelled[_i].text), out);
	ck_assert_str_eq(out, spelled[_i].base32);
	ck_assert_uint_eq(strlen(out), (8 * strlen(spelled[_i].text) + 4) / 5);
}
END_TEST

START_TEST(test_hex)
{
	uint8_t out[2] = { 0 };
	char hex[5];

	ck_assert(digest_unhex(STR("0fAe"), out, 2));
	ck_assert_uint_eq(out[0], 0x0f);
	ck_assert_uint_eq(out[1], 0xae);
	digest_hex(out, 2, hex);
	ck_assert_str_eq(hex, "0fae");
	ck_assert(!digest_unhex(STR("0fa"), out, 2));
	ck_assert(!digest_unhex(STR("0fae0"), out, 2));
	ck_assert(!digest_unhex(STR("0fag"), out, 2));
	ck_assert(!digest_unhex(STR("0f e"), out, 2));
}
END_TEST

START_TEST(test_random)
{
	uint8_t a[DIGEST_SIZE] = { 0 }, b[DIGEST_SIZE] = { 0 }, zero[DIGEST_SIZE] = { 0 };

	digest_random(a, sizeof a);
	digest_random(b, sizeof b);
	ck_assert(!digest_same(a, b, sizeof a));
	ck_assert(!digest_same(a, zero, sizeof a));
	ck_assert(digest_same(a, a, sizeof a));
}
END_TEST

enum { SEEDERS = 4, SEEDS_EACH = 200 };
static uint8_t seeds[SEEDERS][SEEDS_EACH][DIGEST_SIZE];

static void *
take_seeds(void *to)
{
	for (size_t i = 0; i < SEEDS_EACH; i++)
		digest_seed(((uint8_t (*)[DIGEST_SIZE])to)[i]);
	return NULL;
}

static int
compare_seeds(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_SIZE);
}

START_TEST(test_seeds)  /* no two messages have the same, whichever threads they come to */
{
	uint8_t (*all)[DIGEST_SIZE] = seeds[0];
	pthread_t thread[SEEDERS];

	for (size_t i = 0; i < SEEDERS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, take_seeds, seeds[i]), 0);
	for (size_t i = 0; i < SEEDERS; i++)
		pthread_join(thread[i], NULL);
	qsort(all, SEEDERS * SEEDS_EACH, DIGEST_SIZE, compare_seeds);
	for (size_t i = 1; i < SEEDERS * SEEDS_EACH; i++)
		ck_assert(memcmp(all[i - 1], all[i], DIGEST_SIZE) != 0);
}
END_TEST

/* Instead of the system's: which directory was synced when the secret had its name. */
static ino_t synced;

int
fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) && access(path_of("made"), F_OK) == 0)
		synced = st.st_ino;
	return 0;
}

START_TEST(test_secret)
{
	uint8_t a[SECRET_SIZE], b[SECRET_SIZE];

	struct stat st;
	char left[64];
	int fd;

	directory_make("tamis-secret");
	ck_assert_int_eq(stat(directory, &st), 0);
	ck_assert_int_eq(secret_load(path_of("none"), false, a), -1);
	/* by a process of the same number, as in a container, that was killed */
	snprintf(left, sizeof left, "made.%ld", (long)getpid());
	fd = open(path_of(left), O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(secret_load(path_of("made"), true, a), 0);
	ck_assert_uint_eq(synced, st.st_ino);
	unlink(path_of(left));
	ck_assert_int_eq(secret_load(path_of("made"), true, b), 0);
	ck_assert_mem_eq(a, b, sizeof a);
	/* nobody writes it: nothing is waited for */
	ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
	ck_assert_int_eq(secret_load(path_of("fifo"), true, a), -1);
	ck_assert_int_eq(truncate(path_of("made"), SECRET_SIZE - 1), 0);
	ck_assert_int_eq(secret_load(path_of("made"), true, a), -1);
	unlink(path_of("made"));
	unlink(path_of("fifo"));
	rmdir(directory);
}
END_TEST

#define COUNT(a) (int)(sizeof(a) / sizeof(*(a)))

int
main(void)
{
	Suite *suite = suite_create("host_digest");
	TCase *t = tcase_create("host_digest");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(t, test_sha256, 0, COUNT(sums));
	tcase_add_test(t, test_parts);
	tcase_add_test(t, test_hmac);
	tcase_add_loop_test(t, test_base32, 0, COUNT(spelled));
	tcase_add_test(t, test_hex);
	tcase_add_test(t, test_random);
	tcase_add_test(t, test_seeds);
	tcase_add_test(t, test_secret);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
