/* test_host_slots.c - rules that kill the daemon twice are set aside
 * SPDX-License-Identifier: BSD-2-Clause */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "host/file.h"
#include "host/slots.h"
#include "directory_fixture.h"

static const uint8_t rules[32] = { 1, 2, 3 }, others[32] = { 1, 2, 4 }, message[32] = { 7 };

static void
setup(void)
{
	directory_make("slots");
}

static void
teardown(void)
{
	unlink(path_of("slots"));
	unlink(path_of("aside"));
	unlink(path_of("aside.new"));
	rmdir(directory);
}

static struct slots *
open_quietly(void)
{
	struct slots *s;
	int error = 0, kept = dup(2);

	close(2);               /* cases are logged */
	s = slots_open(directory, &error);
	dup2(kept, 2);
	close(kept);
	ck_assert_msg(s != NULL, "%s", strerror(error));
	return s;
}

/* A process that runs those rules of alice, and others to their end, and is killed. */
static void
die(const uint8_t *program, const char *user)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct slots *s = open_quietly();
		int mine = slots_begin(s, str_from(user), program, message), other = slots_begin(s, STR("bob"), program, message);

		slots_end(s, other);
		if (mine >= 0)
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static bool
is_aside(const char *user, const uint8_t *program)
{
	struct slots *s = open_quietly();
	bool aside = slots_aside(s, str_from(user), program);

	slots_close(s);
	return aside;
}

START_TEST(test_killed)
{
	ck_assert(!is_aside("alice", rules));
	die(rules, "alice");
	ck_assert(!is_aside("alice", rules));
	ck_assert(!is_aside("alice", rules));           /* counted once */
	die(rules, "alice");
	ck_assert(is_aside("alice", rules));
	ck_assert(is_aside("alice", rules));
	ck_assert(!is_aside("alice", others));          /* they have changed */
	ck_assert(!is_aside("bob", rules));
	ck_assert(!is_aside("alic", rules));
}
END_TEST

START_TEST(test_changed_rules)
{
	die(rules, "alice");
	die(others, "alice");
	ck_assert(!is_aside("alice", rules));
	ck_assert(!is_aside("alice", others));
}
END_TEST

START_TEST(test_orderly)
{
	for (int i = 0; i < 3; i++) {
		struct slots *s = open_quietly();

		slots_end(s, slots_begin(s, STR("alice"), rules, message));
		slots_close(s);
	}
	ck_assert(!is_aside("alice", rules));
	ck_assert_int_lt(access(path_of("aside"), F_OK), 0);
}
END_TEST

static void
set_aside(struct buf *text)
{
	die(rules, "alice");
	die(rules, "alice");
	ck_assert(is_aside("alice", rules));
	buf_reset(text);
	ck_assert_int_eq(file_read(AT_FDCWD, path_of("aside"), text, 100000), 0);
}

static void
write_aside(const char *text)
{
	FILE *f = fopen(path_of("aside"), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

/* It is looked at twice a second. */
static void
look_again(void)
{
	usleep(600 * 1000);
}

/* An operator removes the line, or the file, while the daemon runs. */
START_TEST(test_operator)
{
	struct buf text = { 0 };
	struct slots *s;

	set_aside(&text);
	ck_assert_ptr_nonnull(strstr(buf_str(&text).s, "\n2 20"));
	ck_assert_ptr_nonnull(strstr(text.s, "Z 0102030000000000000000000000000000000000000000000000000000000000 alice\n"));
	s = open_quietly();
	ck_assert(slots_aside(s, STR("alice"), rules));
	write_aside("# nobody\n");
	look_again();
	ck_assert(!slots_aside(s, STR("alice"), rules));
	write_aside(text.s);
	look_again();
	ck_assert(slots_aside(s, STR("alice"), rules));
	unlink(path_of("aside"));
	look_again();
	ck_assert(!slots_aside(s, STR("alice"), rules));
	slots_close(s);
	ck_assert(!is_aside("alice", rules));
	buf_done(&text);
}
END_TEST

#define HASH " 0102030000000000000000000000000000000000000000000000000000000000 "

START_TEST(test_lines)
{
	static const struct {
		const char *line;
		bool aside;
	} lines[] = {
		{ "2 2020-01-01T00:00:00Z" HASH "alice\n", true }, { "9 2020-01-01T00:00:00Z" HASH "alice", true },
		{ "1 2020-01-01T00:00:00Z" HASH "alice\n", false }, { "2 yesterday" HASH "alice\n", false },
		{ "2 2020-01-01T00:00:00Z 0102 alice\n", false }, { "2 2020-01-01T00:00:00Z" HASH "\n", false },
		{ "x\n\n2\n2 \n \n", false }, { "-2 2020-01-01T00:00:00Z" HASH "alice\n", false },
		{ "# 2 2020-01-01T00:00:00Z" HASH "alice\n", false }, { "2 2020-01-01T00:00:00Z" HASH "alice smith\n", false },
	};

	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		write_aside(lines[i].line);
		ck_assert_int_eq(is_aside("alice", rules), lines[i].aside);
	}
}
END_TEST

/* One that happened once is forgotten after a week. */
START_TEST(test_suspect)
{
	write_aside("1 2020-01-01T00:00:00Z" HASH "alice\n1 2099-01-01T00:00:00Z" HASH "bob\n");
	die(rules, "alice");
	die(rules, "bob");
	ck_assert(!is_aside("alice", rules));
	ck_assert(is_aside("bob", rules));
}
END_TEST

/* What could not be written to "aside" counts all the same, and is written later. */
START_TEST(test_not_written)
{
	ck_assert_int_eq(mkdir(path_of("aside.new"), 0700), 0);
	die(rules, "alice");
	die(rules, "alice");
	ck_assert(is_aside("alice", rules));
	ck_assert_int_lt(access(path_of("aside"), F_OK), 0);
	rmdir(path_of("aside.new"));
	ck_assert(is_aside("alice", rules));
	ck_assert_int_eq(access(path_of("aside"), F_OK), 0);
	ck_assert(is_aside("alice", rules));
}
END_TEST

static void
overwrite(off_t at, const char *bytes)
{
	int fd = open(path_of("slots"), O_WRONLY);

	ck_assert_int_eq(pwrite(fd, bytes, strlen(bytes), at), (ssize_t)strlen(bytes));
	close(fd);
}

/* The machine went down, or the file is none of ours: nobody's rules did that. */
START_TEST(test_machine)
{
	for (int i = 0; i < 3; i++) {
		die(rules, "alice");
		overwrite(_i ? 32 : 0, "something else");
	}
	ck_assert(!is_aside("alice", rules));
	ck_assert_int_eq(truncate(path_of("slots"), 1000), 0);
	ck_assert(!is_aside("alice", rules));
}
END_TEST

/* For this process alone.  Root may; others may in a user namespace of their own, if the machine lets them have one. */
static bool
hide_boot_id(void)
{
	return (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/proc/sys/kernel/random", "tmpfs", 0, NULL) == 0;
}

static bool
can_hide_boot_id(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(!hide_boot_id());
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

/* As if it had gone up so much later. */
static void
move_boot(int seconds)
{
	struct buf text = { 0 };
	char since[64];
	uint64_t n = 0;

	ck_assert_int_eq(file_read(AT_FDCWD, path_of("slots"), &text, 100 << 20), 0);
	ck_assert_msg(!strncmp(text.s + 32, "since ", 6), "%.32s", text.s + 32);
	ck_assert(str_number(str_from(text.s + 38), &n));
	snprintf(since, sizeof since, "since %llu", (unsigned long long)n + (unsigned long long)seconds);
	overwrite(32, since);
	buf_done(&text);
}

START_TEST(test_machine_without_a_name)
{
	ck_assert(hide_boot_id());
	for (int i = 0; i < 3; i++) {
		die(rules, "alice");
		move_boot(_i ? -100 : 100);
		ck_assert(!is_aside("alice", rules));
	}
	die(rules, "alice");
	move_boot(_i ? -5 : 5);
	ck_assert(!is_aside("alice", rules));
	die(rules, "alice");
	ck_assert(is_aside("alice", rules));
}
END_TEST

START_TEST(test_odd_users)
{
	struct buf name = { 0 };

	buf_puts(&name, "al ice\n2 ");
	for (int i = 0; i < 1000; i++)
		buf_putc(&name, 'x');
	die(rules, buf_str(&name).s);
	die(rules, name.s);
	ck_assert(is_aside(name.s, rules));
	buf_done(&name);
}
END_TEST

START_TEST(test_full)
{
	struct slots *s = open_quietly();
	int error = 0;

	for (int i = 0; i < SLOTS_MAX; i++)
		ck_assert_int_ge(slots_begin(s, STR("alice"), rules, message), 0);
	ck_assert_int_eq(slots_begin(s, STR("alice"), rules, message), -1);
	slots_end(s, -1);
	slots_end(s, 5);
	ck_assert_int_eq(slots_begin(s, STR("alice"), rules, message), 5);
	ck_assert_ptr_null(slots_open(directory, &error));
	ck_assert_int_eq(error, EWOULDBLOCK);
	slots_close(s);
	ck_assert_ptr_null(slots_open("/nonexistent", &error));
	ck_assert_int_eq(error, ENOENT);
}
END_TEST

/* Not one after the other: that would dirty all of the file, and find none of it in the cache. */
START_TEST(test_first_slot)
{
	struct slots *s = open_quietly();

	ck_assert_int_eq(slots_begin(s, STR("alice"), rules, message), 0);
	ck_assert_int_eq(slots_begin(s, STR("bob"), rules, message), 1);
	slots_end(s, 0);
	ck_assert_int_eq(slots_begin(s, STR("carol"), rules, message), 0);
	slots_end(s, 1);
	slots_end(s, 0);
	ck_assert_int_eq(slots_begin(s, STR("dave"), rules, message), 0);
	slots_end(s, 0);
	slots_close(s);
}
END_TEST

START_TEST(test_many_cases)
{
	struct buf text = { 0 };

	for (int i = 0; i < 2 * SLOTS_ASIDE_MAX; i++)
		buf_printf(&text, "2 20%02d-01-01T00:00:00Z" HASH "user%d\n", 10 + i / 100, i);
	write_aside(buf_str(&text).s);
	ck_assert(!is_aside("user0", rules));
	ck_assert(is_aside("user1999", rules));
	die(rules, "alice");
	die(rules, "alice");
	ck_assert(is_aside("alice", rules));
	buf_done(&text);
}
END_TEST

enum { THREADS = 8, EACH = 20000 };

static void *
run_many(void *ctx)
{
	struct slots *s = ctx;
	int failed = 0;

	for (int i = 0; i < EACH; i++) {
		int slot = slots_begin(s, STR("alice"), rules, message);

		failed += slot < 0;
		slots_end(s, slot);
	}
	return failed ? ctx : NULL;
}

START_TEST(test_threads)
{
	struct slots *s = open_quietly();
	pthread_t thread[THREADS];

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, run_many, s), 0);
	for (int i = 0; i < THREADS; i++) {
		void *failed = s;

		pthread_join(thread[i], &failed);
		ck_assert_ptr_null(failed);
	}
	slots_close(s);
	ck_assert(!is_aside("alice", rules));
	ck_assert_int_lt(access(path_of("aside"), F_OK), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("host_slots");
	TCase *t = tcase_create("host_slots");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_killed);
	tcase_add_test(t, test_changed_rules);
	tcase_add_test(t, test_orderly);
	tcase_add_test(t, test_operator);
	tcase_add_test(t, test_lines);
	tcase_add_test(t, test_suspect);
	tcase_add_test(t, test_not_written);
	tcase_add_loop_test(t, test_machine, 0, 2);
	if (can_hide_boot_id())
		tcase_add_loop_test(t, test_machine_without_a_name, 0, 2);
	else
		puts("ok - a machine without a name # SKIP here nobody may hide its boot_id");
	tcase_add_test(t, test_odd_users);
	tcase_add_test(t, test_full);
	tcase_add_test(t, test_first_slot);
	tcase_add_test(t, test_many_cases);
	tcase_add_test(t, test_threads);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
