/* test_milter_spool.c - the body of a message: in memory, in a file, and when there is no room
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "milter/spool.h"

static char directory[] = "/tmp/test_spool.XXXXXX";
static struct spool spool;

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	spool_init(&spool);
}

static void
teardown(void)
{
	spool_done(&spool);
	ck_assert_int_eq(rmdir(directory), 0);          /* so nothing is left in it */
}

static struct str
text(void)
{
	struct str v;

	ck_assert_int_eq(spool_text(&spool, &v), 0);
	return v;
}

START_TEST(in_memory)
{
	ck_assert_uint_eq(text().len, 0);
	ck_assert_int_eq(spool_add(&spool, STR("one\0"), 8, "/nonexistent"), 0);
	ck_assert_int_eq(spool_add(&spool, STR("four"), 8, "/nonexistent"), 0);
	ck_assert(str_eq(text(), STR("one\0four")));
	ck_assert_uint_eq(spool.size, 8);
	ck_assert_int_lt(spool.fd, 0);
}
END_TEST

START_TEST(in_a_file)
{
	int fd = dup(0);

	close(fd);
	ck_assert_int_eq(spool_add(&spool, STR("one\0"), 8, directory), 0);
	ck_assert_int_eq(spool_add(&spool, STR("five5"), 8, directory), 0);
	ck_assert_int_ge(spool.fd, 0);
	ck_assert_int_eq(spool_add(&spool, STR("more"), 8, directory), 0);
	ck_assert(str_eq(text(), STR("one\0five5more")));
	ck_assert(str_eq(text(), STR("one\0five5more")));
	ck_assert_uint_eq(spool.size, 13);
	/* the next message is in memory again, and the file is closed */
	spool_reset(&spool);
	ck_assert_uint_eq(text().len, 0);
	ck_assert_int_eq(spool_add(&spool, STR("two"), 8, directory), 0);
	ck_assert(str_eq(text(), STR("two")));
	ck_assert_int_eq(dup(0), fd);
	close(fd);
}
END_TEST

START_TEST(no_directory)
{
	struct str v;

	ck_assert_int_eq(spool_add(&spool, STR("one"), 8, "/nonexistent"), 0);
	ck_assert_int_lt(spool_add(&spool, STR("too much"), 8, "/nonexistent"), 0);
	/* and from then on, with that reason, though a small one would fit */
	errno = 0;
	ck_assert_int_lt(spool_add(&spool, STR("x"), 100, directory), 0);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_lt(spool_text(&spool, &v), 0);
	spool_reset(&spool);
	ck_assert_int_eq(spool_add(&spool, STR("x"), 8, directory), 0);
	ck_assert(str_eq(text(), STR("x")));
}
END_TEST

START_TEST(no_room)
{
	struct rlimit limit, small;
	char bytes[1000] = "";
	struct str v;
	int rc = 0;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = (struct rlimit){ 2500, limit.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 5; i++)
		rc |= spool_add(&spool, (struct str){ bytes, sizeof bytes }, 100, directory);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_lt(rc, 0);
	/* half of a body is none */
	ck_assert_int_lt(spool_text(&spool, &v), 0);
	ck_assert_int_lt(spool_add(&spool, STR("x"), 100, directory), 0);
	spool_reset(&spool);
	ck_assert_uint_eq(text().len, 0);
}
END_TEST

/* A connection that had a large message holds little. */
START_TEST(memory_is_given_back)
{
	static char bytes[1 << 20];

	ck_assert_int_eq(spool_add(&spool, (struct str){ bytes, sizeof bytes }, sizeof bytes, directory), 0);
	ck_assert_int_lt(spool.fd, 0);
	spool_reset(&spool);
	ck_assert_uint_le(spool.memory.cap, 256 * 1024);
	ck_assert_int_eq(spool_add(&spool, STR("small"), 100, directory), 0);
	spool_reset(&spool);
	ck_assert_uint_gt(spool.memory.cap, 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("milter/spool");
	TCase *t = tcase_create("spool");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, in_memory);
	tcase_add_test(t, in_a_file);
	tcase_add_test(t, no_directory);
	tcase_add_test(t, no_room);
	tcase_add_test(t, memory_is_given_back);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
