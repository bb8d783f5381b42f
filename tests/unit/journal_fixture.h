/* journal_fixture.h - a clock, a disk and a directory for tests of the journal
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_JOURNAL_FIXTURE_H
#define TESTS_JOURNAL_FIXTURE_H

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "host/journal.h"
#include "directory_fixture.h"

/* --- instead of the system's: counted, slow or failing as a test wants it */

static atomic_int syncs;
static int sync_error;
static long sync_nanoseconds;
static atomic_bool sync_held;           /* it does not come back while that is so */

int
fdatasync(int fd)
{
	(void)fd;
	syncs++;
	if (sync_nanoseconds)
		thrd_sleep(&(struct timespec){ .tv_nsec = sync_nanoseconds }, NULL);
	while (sync_held)
		thrd_sleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	errno = sync_error;
	return sync_error ? -1 : 0;
}

static int64_t clock_now = 1800000000, clock_steady;

int
clock_gettime(clockid_t clock, struct timespec *ret)
{
	(void)clock;
	*ret = (struct timespec){ .tv_sec = clock_steady };
	return 0;
}

time_t
time(time_t *ret)
{
	if (ret)
		*ret = clock_now;
	return clock_now;
}

/* Files grow no more than that; -1: they do. */
static inline void
limit_size(off_t n)
{
	struct rlimit r;

	getrlimit(RLIMIT_FSIZE, &r);
	r.rlim_cur = n < 0 ? r.rlim_max : (rlim_t)n;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &r), 0);
}

/* --- a directory for each test */

static void
setup(void)
{
	directory_make("journal");
	signal(SIGXFSZ, SIG_IGN);
}

static void
teardown(void)
{
	unlink(path_of("journal"));
	unlink(path_of("journal.lock"));
	rmdir(path_of("journal.new"));
	rmdir(directory);
}

static struct journal *
open_one(void)
{
	struct journal *j;
	int error = 0;

	j = journal_open(directory, 5, &error);
	ck_assert_msg(j != NULL, "%s", strerror(error));
	return j;
}

static const uint8_t *
key_of(int n)
{
	static _Thread_local uint8_t key[JOURNAL_KEY];

	memset(key, 0, sizeof key);
	memcpy(key, &n, sizeof n);
	return key;
}

#endif
