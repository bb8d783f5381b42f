/* outlet.c - lines of the log on their way out
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A log that is busy is written every few milliseconds, a line in a silence at once.  Lines wait in the order in which
 * they were said: for syslog with their level in front and a NUL behind, for standard error as they are written. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "host/outlet.h"

static struct {
	pthread_mutex_t lock;           /* of all that follows */
	pthread_cond_t said, room, end; /* a line; room for one; all are written */
	pthread_t thread;
	bool running, ending, ended;
	bool syslog;
	bool idle;                      /* the thread waits for the first line after a silence */
	bool hurried;                   /* what was said is not to wait for the next write */
	bool stuck;                     /* somebody has waited long enough */
	_Atomic unsigned lost;
	struct buf waiting;
} outlet = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct timespec
outlet_in(unsigned milliseconds)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += milliseconds / 1000;
	t.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

/* --- out */

static void
outlet_stderr(struct str rest)
{
	struct pollfd out = { .fd = STDERR_FILENO, .events = POLLOUT };

	while (rest.len) {
		ssize_t n = write(out.fd, rest.s, rest.len);

		/* it may be a descriptor that somebody else has made non-blocking */
		if (n < 0 && errno != EINTR && (errno != EAGAIN || poll(&out, 1, OUTLET_PATIENCE) <= 0))
			break;
		rest = str_sub(rest, n > 0 ? (size_t)n : 0, rest.len);
	}
}

static void
outlet_syslog(struct str lines)
{
	while (lines.len) {
		size_t len = strlen(lines.s + 1);

		syslog(lines.s[0], "%s", lines.s + 1);
		lines = str_sub(lines, len + 2, lines.len);
	}
}

static void
outlet_out(bool to_syslog, struct str lines)
{
	if (to_syslog)
		outlet_syslog(lines);
	else
		outlet_stderr(lines);
}

static void
outlet_add(struct buf *to, bool to_syslog, int level, struct str line)
{
	if (to_syslog)
		buf_putc(to, (char)level);
	buf_add(to, line);
	buf_putc(to, to_syslog ? '\0' : '\n');
}

/* --- the thread */

/* Writes all that waits; under the lock, but not while it writes. */
static void
outlet_write(struct buf *spare)
{
	struct buf lines = outlet.waiting;

	outlet.waiting = *spare;
	outlet.hurried = outlet.stuck = false;
	pthread_cond_broadcast(&outlet.room);
	pthread_mutex_unlock(&outlet.lock);
	outlet_out(outlet.syslog, buf_str(&lines));
	buf_reset(&lines);
	*spare = lines;
	pthread_mutex_lock(&outlet.lock);
}

static void
outlet_rest(void)
{
	const struct timespec until = outlet_in(OUTLET_REST);

	while (!outlet.hurried && !outlet.ending)
		if (pthread_cond_timedwait(&outlet.said, &outlet.lock, &until) == ETIMEDOUT)
			break;
}

static void *
outlet_run(void *unused)
{
	struct buf spare = { 0 };

	pthread_mutex_lock(&outlet.lock);
	while (outlet.waiting.len || !outlet.ending) {
		if (outlet.waiting.len) {
			outlet_write(&spare);
			outlet_rest();
			continue;
		}
		outlet.idle = true;
		pthread_cond_wait(&outlet.said, &outlet.lock);
	}
	outlet.ended = true;
	pthread_cond_broadcast(&outlet.end);
	pthread_mutex_unlock(&outlet.lock);
	buf_done(&spare);
	return unused;
}

/* --- in */

/* Waits for room, once: a log that nobody reads delays no more than that.  Under the lock. */
static bool
outlet_wait(size_t len)
{
	const struct timespec until = outlet_in(OUTLET_PATIENCE);

	while (outlet.waiting.len + len > OUTLET_ROOM && !outlet.stuck)
		if (pthread_cond_timedwait(&outlet.room, &outlet.lock, &until) == ETIMEDOUT)
			outlet.stuck = true;
	return outlet.waiting.len + len <= OUTLET_ROOM;
}

static bool
outlet_has_room(size_t len)
{
	return outlet.waiting.len + len <= OUTLET_ROOM || outlet_wait(len);
}

/* Under the lock. */
static void
outlet_enqueue(int level, struct str line)
{
	if (outlet.ending || !outlet_has_room(line.len + 2)) {
		outlet.lost++;
		return;
	}
	outlet_add(&outlet.waiting, outlet.syslog, level, line);
	outlet.hurried |= level <= LOG_WARNING;
	if (outlet.idle || outlet.hurried) {
		outlet.idle = false;
		pthread_cond_signal(&outlet.said);
	}
}

void
outlet_put(bool to_syslog, int level, struct str line)
{
	struct buf alone = { 0 };
	bool running;

	pthread_mutex_lock(&outlet.lock);
	running = outlet.running;
	if (running)
		outlet_enqueue(level, line);
	pthread_mutex_unlock(&outlet.lock);
	if (running)
		return;
	outlet_add(&alone, to_syslog, level, line);
	outlet_out(to_syslog, buf_str(&alone));
	buf_done(&alone);
}

unsigned
outlet_lost(void)
{
	unsigned lost = 0;

	if (!atomic_load_explicit(&outlet.lost, memory_order_relaxed))
		return 0;
	pthread_mutex_lock(&outlet.lock);
	if (!outlet.stuck && !outlet.ending)
		lost = atomic_exchange(&outlet.lost, 0);
	pthread_mutex_unlock(&outlet.lock);
	return lost;
}

/* --- beginning and end */

int
outlet_start(bool to_syslog)
{
	pthread_condattr_t attr;
	bool running;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&outlet.said, &attr);
	pthread_cond_init(&outlet.room, &attr);
	pthread_cond_init(&outlet.end, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_lock(&outlet.lock);
	outlet.syslog = to_syslog;
	outlet.ending = outlet.ended = outlet.stuck = outlet.hurried = false;
	outlet.lost = 0;
	outlet.running = running = pthread_create(&outlet.thread, NULL, outlet_run, NULL) == 0;
	pthread_mutex_unlock(&outlet.lock);
	return running ? 0 : -1;
}

void
outlet_stop(void)
{
	const struct timespec until = outlet_in(OUTLET_PATIENCE);
	bool ended;

	pthread_mutex_lock(&outlet.lock);
	if (!outlet.running) {
		pthread_mutex_unlock(&outlet.lock);
		return;
	}
	outlet.ending = true;
	pthread_cond_signal(&outlet.said);
	while (!outlet.ended)
		if (pthread_cond_timedwait(&outlet.end, &outlet.lock, &until) == ETIMEDOUT)
			break;
	ended = outlet.ended;
	outlet.running = !ended;
	if (ended)
		buf_done(&outlet.waiting);
	pthread_mutex_unlock(&outlet.lock);
	if (ended)
		pthread_join(outlet.thread, NULL);
}
