/* test_milter_daemon.c - messages at their end wait for room, but not for long
 * SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "host/moment.h"
#include "milter/daemon.h"
#include "milter_fixture.h"

static void *
leave_soon(void *ms)
{
	usleep(*(const unsigned *)ms * 1000);
	daemon_leave(&server);
	return NULL;
}

START_TEST(test_room)
{
	const struct conf *c;
	unsigned ms = 200;
	pthread_t thread;
	int64_t begun, took, least = INT64_MAX;
	int i;

	begin("max_messages = 2\noverload_after = 1s\n");
	c = server.setup->conf;
	ck_assert_int_eq(daemon_enter(&server, c, false), 1);
	ck_assert_int_eq(daemon_enter(&server, c, false), 1);
	for (i = 0; i < 3; i++) {
		begun = moment_clock();
		ck_assert_int_eq(pthread_create(&thread, NULL, leave_soon, &ms), 0);
		ck_assert_int_eq(daemon_enter(&server, c, false), 1);
		took = moment_clock() - begun;
		ck_assert_int_ge(took, 150);
		least = took < least ? took : least;
		pthread_join(thread, NULL);
	}
	ck_assert_int_lt(least, 1900);
	/* nobody leaves */
	begun = moment_clock();
	ck_assert_int_eq(daemon_enter(&server, c, false), 0);
	ck_assert_int_ge(moment_clock() - begun, 1900);
	ck_assert_int_eq(daemon_enter(&server, c, false), -1);
	daemon_leave(&server);
	daemon_leave(&server);
	/* that they were too many is over */
	ck_assert_int_eq(daemon_enter(&server, c, false), 1);
	ck_assert_int_eq(daemon_enter(&server, c, false), 1);
	ck_assert_int_eq(daemon_enter(&server, c, false), 0);
	end();
}
END_TEST

/* What others wait for does not wait for them; of those that nobody waits for there are no more. */
START_TEST(test_round)
{
	const struct conf *c;

	begin("max_messages = 1\n");
	c = server.setup->conf;
	ck_assert_int_eq(daemon_enter(&server, c, false), 1);
	ck_assert_int_eq(daemon_enter(&server, c, true), 0);
	for (int i = 0; i < 3; i++) {
		atomic_fetch_add(&server.redirecting, 1);
		ck_assert_int_eq(daemon_enter(&server, c, true), 1);
	}
	ck_assert_int_eq(daemon_enter(&server, c, true), 0);
	daemon_leave(&server);
	ck_assert_int_eq(daemon_enter(&server, c, false), 0);
	end();
}
END_TEST

static void
tests(TCase *t)
{
	tcase_add_test(t, test_room);
	tcase_add_test(t, test_round);
}

int
main(void)
{
	return milter_suite("milter/daemon", tests);
}
