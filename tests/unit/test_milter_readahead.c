/* test_milter_readahead.c - libmilter's poll(), read(), accept() and close(), where it reads from mail servers
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/readahead.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static char directory[] = "/tmp/test_readahead.XXXXXX";
static struct sockaddr_un place = { .sun_family = AF_UNIX };
static int listener;

struct pair {
	int server, milter;
};

static void
setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(place.sun_path, sizeof place.sun_path, "%s/s", directory);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&place, sizeof place), 0);
	ck_assert_int_eq(listen(listener, 16), 0);
	readahead_of(listener);
}

static void
teardown(void)
{
	readahead_of(-1);
	close(listener);
	ck_assert_int_eq(unlink(place.sun_path), 0);
	ck_assert_int_eq(rmdir(directory), 0);
}

static struct pair
pair_open(void)
{
	struct pair p = { .server = socket(AF_UNIX, SOCK_STREAM, 0) };

	ck_assert_int_ge(p.server, 0);
	ck_assert_int_eq(connect(p.server, (struct sockaddr *)&place, sizeof place), 0);
	p.milter = accept(listener, NULL, NULL);
	ck_assert_int_ge(p.milter, 0);
	return p;
}

static void
pair_close(struct pair *p)
{
	close(p->server);
	close(p->milter);
}

static void
say(const struct pair *p, const char *text)
{
	ck_assert_int_eq(send(p->server, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static short
ready(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n = poll(&p, 1, ms);

	ck_assert_int_eq(n, p.revents ? 1 : 0);
	return p.revents;
}

static int
left_in_kernel(int fd)
{
	int n = -1;

	ck_assert_int_eq(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

static void
expect_read(int fd, size_t most, const char *text)
{
	char room[64] = "";

	ck_assert_int_eq(read(fd, room, most), (ssize_t)strlen(text));
	ck_assert_str_eq(room, text);
}

/* A connection of which libmilter has read the first command. */
static struct pair
pair_new(void)
{
	struct pair p = pair_open();

	say(&p, "0002Ox");
	expect_read(p.milter, 5, "0002O");
	expect_read(p.milter, 1, "x");
	return p;
}

/* Who does not ask us for both parts of a command reads them in another way. */
START_TEST(who_reads)
{
	struct pair p = pair_open(), q = pair_open();

	say(&p, "0002Ox");
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	ck_assert_int_eq(left_in_kernel(p.milter), 6);
	expect_read(p.milter, 5, "0002O");
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	ck_assert_int_eq(left_in_kernel(p.milter), 1);
	expect_read(p.milter, 1, "x");
	say(&p, "0002Oy");
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	ck_assert_int_eq(left_in_kernel(p.milter), 0);

	say(&q, "0002Ox0002Ox");
	expect_read(q.milter, 5, "0002O");
	expect_read(q.milter, 5, "x0002");
	ck_assert_int_eq(ready(q.milter, 0), POLLIN);
	ck_assert_int_eq(left_in_kernel(q.milter), 2);
	pair_close(&p);
	pair_close(&q);
}
END_TEST

START_TEST(in_pieces)
{
	struct pair p = pair_new();

	ck_assert_int_eq(ready(p.milter, 0), 0);
	say(&p, "0005Mfrom0003Rto");
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	ck_assert_int_eq(left_in_kernel(p.milter), 0);          /* that is what it is for */
	expect_read(p.milter, 5, "0005M");
	ck_assert_int_eq(ready(p.milter, 1000), POLLIN);
	expect_read(p.milter, 4, "from");
	say(&p, "more");
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	ck_assert_int_eq(left_in_kernel(p.milter), 4);          /* nothing is fetched while there is something */
	expect_read(p.milter, 60, "0003Rto");
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	expect_read(p.milter, 4, "more");
	ck_assert_int_eq(ready(p.milter, 0), 0);
	pair_close(&p);
}
END_TEST

/* Who reads without asking poll() waits as ever. */
START_TEST(without_poll)
{
	struct pair p = pair_new();

	say(&p, "abc");
	expect_read(p.milter, 2, "ab");
	ck_assert_int_eq(left_in_kernel(p.milter), 1);
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	expect_read(p.milter, 2, "c");
	ck_assert_int_eq(read(p.milter, NULL, 0), 0);
	pair_close(&p);
}
END_TEST

static long
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

START_TEST(nothing_there)
{
	struct pair p = pair_new();
	long began = now();

	ck_assert_int_eq(ready(p.milter, 200), 0);
	ck_assert_int_ge(now() - began, 199);
	pair_close(&p);
}
END_TEST

START_TEST(the_end)
{
	struct pair p = pair_new();
	char c;

	say(&p, "last");
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	close(p.server);
	expect_read(p.milter, 2, "la");
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	expect_read(p.milter, 2, "st");
	ck_assert_int_eq(ready(p.milter, 1000), POLLIN | POLLHUP);
	ck_assert_int_eq(read(p.milter, &c, 1), 0);
	ck_assert_int_eq(ready(p.milter, 1000), POLLIN | POLLHUP);
	close(p.milter);
	ck_assert_int_eq(ready(p.milter, 0), POLLNVAL);
	ck_assert_int_eq(read(p.milter, &c, 1), -1);
	ck_assert_int_eq(errno, EBADF);
}
END_TEST

static void
leave_unread(struct pair *p)
{
	say(p, "left");
	ck_assert_int_eq(ready(p->milter, 0), POLLIN);
	expect_read(p->milter, 1, "l");
	pair_close(p);
}

/* What one connection leaves unread is nobody else's. */
START_TEST(number_used_again)
{
	struct pair p = pair_new();
	int ends[2], number = p.milter;

	leave_unread(&p);
	p = pair_new();
	ck_assert_int_eq(p.milter, number);
	ck_assert_int_eq(ready(number, 0), 0);
	say(&p, "own");
	expect_read(number, 60, "own");
	leave_unread(&p);
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(ends[1], number);
	ck_assert_int_eq(dup2(ends[0], number), number);
	close(ends[0]);
	ck_assert_int_eq(ready(number, 0), POLLHUP);
	expect_read(number, 60, "");
	close(number);
}
END_TEST

START_TEST(accepted_by_others)
{
	struct pair p;

	readahead_of(-1);
	p = pair_new();
	say(&p, "text");
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	ck_assert_int_eq(left_in_kernel(p.milter), 4);
	expect_read(p.milter, 60, "text");
	ck_assert_int_eq(poll(NULL, 0, 0), 0);
	ck_assert_int_eq(close(-1), -1);
	ck_assert_int_eq(accept(-1, NULL, NULL), -1);
	pair_close(&p);
}
END_TEST

/* libmilter waits for all connections of which it does not serve one now. */
START_TEST(several)
{
	struct pair p[3] = { pair_new(), pair_new(), pair_new() };
	struct pollfd all[5];
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	for (int i = 0; i < 3; i++)
		all[i] = (struct pollfd){ .fd = p[i].milter, .events = POLLIN };
	all[3] = (struct pollfd){ .fd = ends[0], .events = POLLIN };
	all[4] = (struct pollfd){ .fd = -1, .events = POLLIN };
	ck_assert_int_eq(poll(all, 5, 0), 0);
	say(&p[1], "text");
	ck_assert_int_eq(poll(all, 5, 1000), 1);
	ck_assert_int_eq(all[1].revents, POLLIN);
	ck_assert_int_eq(left_in_kernel(p[1].milter), 4);       /* only who will read it fetches it */

	ck_assert_int_eq(ready(p[1].milter, 0), POLLIN);
	expect_read(p[1].milter, 1, "t");
	ck_assert_int_eq(poll(all, 5, -1), 1);                  /* what is fetched is not in the kernel any more */
	ck_assert_int_eq(all[1].revents, POLLIN);
	ck_assert_int_eq(all[0].revents | all[2].revents | all[3].revents | all[4].revents, 0);
	all[1].events = POLLOUT;
	ck_assert_int_eq(poll(all, 5, -1), 1);
	ck_assert_int_eq(all[1].revents, POLLOUT);
	all[1].events = POLLIN;
	say(&p[2], "text");
	ck_assert_int_eq(write(ends[1], "!", 1), 1);
	close(p[0].server);
	ck_assert_int_eq(poll(all, 5, -1), 4);
	ck_assert_int_eq(all[0].revents, POLLIN | POLLHUP);
	ck_assert_int_eq(all[1].revents, POLLIN);
	ck_assert_int_eq(all[2].revents, POLLIN);
	ck_assert_int_eq(all[3].revents, POLLIN);
	expect_read(p[1].milter, 60, "ext");
	all[0].fd = all[2].fd = all[3].fd = -1;
	ck_assert_int_eq(poll(all, 5, 0), 0);
	for (int i = 1; i < 3; i++)
		pair_close(&p[i]);
	close(p[0].milter);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static void
stream(unsigned char *to, size_t from, size_t n, size_t which)
{
	for (size_t k = 0; k < n; k++)
		to[k] = (unsigned char)((from + k) * 31 / 7 + which);
}

/* All sizes, by both sides at random: not a byte is lost, doubled or out of order, and nobody waits for what is there. */
START_TEST(any_sizes)
{
	enum { PAIRS = 3, TOTAL = 3 * 1024 * 1024, MOST = 100 * 1000 };
	static unsigned char out[MOST], in[MOST], wanted[MOST];
	static const size_t sizes[] = { 1, 5, 30, 300, 4000, 4096, 8191, 8192, 8193, 30000, 65536, MOST };
	struct pair p[PAIRS];
	size_t said[PAIRS] = { 0 }, heard[PAIRS] = { 0 };
	unsigned seed = (unsigned)_i;

	for (int i = 0; i < PAIRS; i++)
		p[i] = pair_new();
	for (bool busy = true; busy;) {
		busy = false;
		for (int i = 0; i < PAIRS; i++) {
			size_t n = sizes[(size_t)rand_r(&seed) % (sizeof(sizes) / sizeof(*sizes))];
			ssize_t done;

			n = n < TOTAL - said[i] ? n : TOTAL - said[i];
			stream(out, said[i], n, (size_t)i);
			done = rand_r(&seed) % 3 ? send(p[i].server, out, n, MSG_DONTWAIT) : 0;
			said[i] += done > 0 ? (size_t)done : 0;
			for (int reads = rand_r(&seed) % 4; reads > 0; reads--) {
				n = sizes[(size_t)rand_r(&seed) % (sizeof(sizes) / sizeof(*sizes))];
				if (said[i] == heard[i]) {
					ck_assert_int_eq(ready(p[i].milter, 0), 0);
					break;
				}
				ck_assert_int_eq(ready(p[i].milter, 0), POLLIN);
				done = read(p[i].milter, in, n);
				ck_assert_int_gt(done, 0);
				ck_assert_int_le(done, (ssize_t)n);
				stream(wanted, heard[i], (size_t)done, (size_t)i);
				ck_assert_mem_eq(in, wanted, (size_t)done);
				heard[i] += (size_t)done;
			}
			busy = busy || heard[i] < TOTAL;
		}
	}
	for (int i = 0; i < PAIRS; i++)
		pair_close(&p[i]);
}
END_TEST

/* A large piece of a body is not copied a chunk at a time: its rest is read where it is to be. */
START_TEST(large_reads)
{
	static char out[60000], in[60000];
	struct pair p = pair_new();

	ck_assert_int_eq(send(p.server, out, sizeof out, MSG_DONTWAIT), (ssize_t)sizeof out);
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	ck_assert_int_eq(read(p.milter, in, sizeof in), (ssize_t)sizeof in);
	pair_close(&p);
}
END_TEST

#ifdef __GLIBC__
extern int __poll_chk(struct pollfd *, nfds_t, int ms, size_t room);
extern ssize_t __read_chk(int fd, void *to, size_t len, size_t room);

/* As a libmilter may call them that was built with _FORTIFY_SOURCE. */
START_TEST(fortified)
{
	struct pair p = pair_new();
	struct pollfd one = { .fd = p.milter, .events = POLLIN };
	char room[64] = "";

	say(&p, "0005Mfrom");
	ck_assert_int_eq(__poll_chk(&one, 1, 0, sizeof one), 1);
	ck_assert_int_eq(left_in_kernel(p.milter), 0);
	ck_assert_int_eq(__read_chk(p.milter, room, 5, sizeof room), 5);
	ck_assert_int_eq(__read_chk(p.milter, room + 5, sizeof room - 5, sizeof room - 5), 4);
	ck_assert_str_eq(room, "0005Mfrom");
	pair_close(&p);
}
END_TEST

START_TEST(read_beyond)
{
	struct pair p = pair_new();
	char room[64];

	say(&p, "0005Mfrom");
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	teardown();             /* nobody else will */
	ck_assert_int_lt(__read_chk(p.milter, room, 5, 4), 0);
}
END_TEST

START_TEST(poll_beyond)
{
	struct pair p = pair_new();
	struct pollfd one = { .fd = p.milter, .events = POLLIN };

	say(&p, "0005Mfrom");
	ck_assert_int_eq(ready(p.milter, 0), POLLIN);
	teardown();             /* nobody else will */
	ck_assert_int_lt(__poll_chk(&one, 1, 0, sizeof one - 1), 0);
}
END_TEST
#endif

int
main(void)
{
	Suite *s = suite_create("milter/readahead");
	TCase *c = tcase_create("readahead");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, who_reads);
	tcase_add_test(c, in_pieces);
	tcase_add_test(c, without_poll);
	tcase_add_test(c, nothing_there);
	tcase_add_test(c, the_end);
	tcase_add_test(c, number_used_again);
	tcase_add_test(c, accepted_by_others);
	tcase_add_test(c, several);
	tcase_add_loop_test(c, any_sizes, 0, 5);
	tcase_add_test(c, large_reads);
#ifdef __GLIBC__
	tcase_add_test(c, fortified);
	tcase_add_test_raise_signal(c, read_beyond, SIGABRT);
	tcase_add_test_raise_signal(c, poll_beyond, SIGABRT);
#endif
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
