/* readahead.c - what a mail server sent at once is read at once, beneath libmilter
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection is one thread's at a time, and libmilter's locks hand it on; so is what was fetched from it. */
#include "milter/readahead.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* CONNECTIONS: those whose descriptor is beyond it are not read ahead.  CHUNK: envelope and header of most messages.
 * WORTH: so much of a body is dearer to copy than to ask for.  COMMAND: a length and a letter, which come first. */
enum { CONNECTIONS = 64 * 1024, CHUNK = 8 * 1024, WORTH = 4 * 1024, SPARES = 32, COMMAND = 5 };

struct chunk {
	struct chunk *next;             /* of the spares */
	size_t at, end;
	char bytes[CHUNK];
};

/* Of each descriptor.  NULL: it is none of ours.  A connection of ours is not_asked until libmilter has read the five bytes
 * of its first command by our read(), and asked_once until the rest: one that reads by another function would miss what
 * was fetched.  Then it has nothing, or a chunk with at least a byte. */
static struct chunk *_Atomic fetched[CONNECTIONS];
static struct chunk not_asked, asked_once, nothing;     /* marks: what is in them is never used */
static atomic_size_t waiting;           /* descriptors with something that is not read */
static atomic_int from = -1;

static struct chunk *spare;
static size_t nspares;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void
readahead_of(int listener)
{
	atomic_store(&from, listener);
}

/* --- what comes after us */

/* A sanitizer that is part of the program is not behind it, and has to see what it would have seen. */
static void *
system_function(const char *sanitizer, const char *name)
{
	void *f = dlsym(RTLD_DEFAULT, sanitizer);

	return f ? f : dlsym(RTLD_NEXT, name);
}

/* Found at the first call: libraries read and close before main() is called. */
#define SYSTEM_CALL(type, arguments, name, call) \
	static type \
	system_##name arguments \
	{ \
		static type (*_Atomic known) arguments; \
		type (*f) arguments = atomic_load_explicit(&known, memory_order_relaxed); \
		if (!f) { \
			*(void **)&f = system_function("__interceptor_" #name, #name); \
			atomic_store_explicit(&known, f, memory_order_relaxed); \
		} \
		return f call; \
	}

SYSTEM_CALL(int, (struct pollfd *p, nfds_t n, int ms), poll, (p, n, ms))
SYSTEM_CALL(ssize_t, (int fd, void *to, size_t len), read, (fd, to, len))
SYSTEM_CALL(int, (int fd, struct sockaddr *address, socklen_t *len), accept, (fd, address, len))
SYSTEM_CALL(int, (int fd), close, (fd))
#ifdef __GLIBC__
SYSTEM_CALL(int, (struct pollfd *p, nfds_t n, int ms, size_t room), __poll_chk, (p, n, ms, room))
SYSTEM_CALL(ssize_t, (int fd, void *to, size_t len, size_t room), __read_chk, (fd, to, len, room))
#endif

/* --- chunks */

static struct chunk *
chunk_take(void)
{
	struct chunk *c;

	pthread_mutex_lock(&lock);
	c = spare;
	if (c) {
		spare = c->next;
		nspares--;
	}
	pthread_mutex_unlock(&lock);
	return c ? c : malloc(sizeof *c);
}

static void
chunk_give(struct chunk *take_c)
{
	bool kept;

	pthread_mutex_lock(&lock);
	kept = nspares < SPARES;
	if (kept) {
		take_c->next = spare;
		spare = take_c;
		nspares++;
	}
	pthread_mutex_unlock(&lock);
	if (!kept)
		free(take_c);
}

static struct chunk *
chunk_of(int fd)
{
	return fd >= 0 && fd < CONNECTIONS ? atomic_load_explicit(&fetched[fd], memory_order_acquire) : NULL;
}

static bool
chunk_waits(const struct chunk *c)
{
	return c && c != &not_asked && c != &asked_once && c != &nothing;
}

static void
chunk_put(int fd, struct chunk *next)
{
	struct chunk *last = atomic_exchange_explicit(&fetched[fd], next, memory_order_acq_rel);

	if (chunk_waits(next))
		atomic_fetch_add(&waiting, 1);
	if (chunk_waits(last)) {
		atomic_fetch_sub(&waiting, 1);
		chunk_give(last);
	}
}

/* Fetches what is there, if nothing is fetched.  1: there is something to read; 0: there is not; -1: the system tells, of
 * an end or an error. */
static int
chunk_fetch(int fd)
{
	struct chunk *c = chunk_of(fd);
	ssize_t n;

	if (chunk_waits(c))
		return 1;
	c = c == &nothing ? chunk_take() : NULL;
	if (!c)
		return -1;
	n = recv(fd, c->bytes, sizeof c->bytes, MSG_DONTWAIT);
	if (n > 0) {
		c->at = 0;
		c->end = (size_t)n;
		chunk_put(fd, c);
		return 1;
	}
	chunk_give(c);
	return n < 0 && errno == EAGAIN ? 0 : -1;
}

/* --- what libmilter calls
 *
 * By the system's names, but not in the compiler's eyes: headers say more of these functions than we keep. */

#define INSTEAD_OF(name) __asm__(#name) __attribute__((visibility("default")))

int ahead_accept(int listener, struct sockaddr *, socklen_t *) INSTEAD_OF(accept);
int ahead_close(int fd) INSTEAD_OF(close);
ssize_t ahead_read(int fd, void *to, size_t len) INSTEAD_OF(read);
int ahead_poll(struct pollfd *, nfds_t, int ms) INSTEAD_OF(poll);
#ifdef __GLIBC__        /* they are called with _FORTIFY_SOURCE */
int ahead_poll_chk(struct pollfd *, nfds_t, int ms, size_t room) INSTEAD_OF(__poll_chk);
ssize_t ahead_read_chk(int fd, void *to, size_t len, size_t room) INSTEAD_OF(__read_chk);
#endif

int
ahead_accept(int listener, struct sockaddr *address, socklen_t *len)
{
	int fd = system_accept(listener, address, len);

	if (fd >= 0 && fd < CONNECTIONS)
		chunk_put(fd, listener == atomic_load(&from) ? &not_asked : NULL);
	return fd;
}

int
ahead_close(int fd)
{
	if (chunk_of(fd))
		chunk_put(fd, NULL);
	return system_close(fd);
}

ssize_t
ahead_read(int fd, void *to, size_t len)
{
	struct chunk *c = chunk_of(fd);
	size_t n;

	if (c == &not_asked && len == COMMAND)
		chunk_put(fd, &asked_once);
	else if (c == &asked_once && len != COMMAND)
		chunk_put(fd, &nothing);
	if (!chunk_waits(c) || !len)
		return system_read(fd, to, len);
	n = c->end - c->at < len ? c->end - c->at : len;
	memcpy(to, c->bytes + c->at, n);
	c->at += n;
	if (c->at == c->end)
		chunk_put(fd, &nothing);
	if (len - n >= WORTH) {
		ssize_t more = recv(fd, (char *)to + n, len - n, MSG_DONTWAIT);

		n += more > 0 ? (size_t)more : 0;
	}
	return (ssize_t)n;
}

static bool
is_waiting(const struct pollfd *p)
{
	return (p->events & POLLIN) && chunk_waits(chunk_of(p->fd));
}

/* libmilter has a thread that waits for all connections of which no other has the next command. */
static bool
any_waiting(const struct pollfd *p, nfds_t n)
{
	if (!atomic_load_explicit(&waiting, memory_order_relaxed))
		return false;
	for (nfds_t i = 0; i < n; i++)
		if (is_waiting(&p[i]))
			return true;
	return false;
}

static int
poll_waiting(struct pollfd *p, nfds_t n)
{
	bool failed = system_poll(p, n, 0) < 0;
	int ready = 0;

	for (nfds_t i = 0; i < n; i++) {
		if (failed)
			p[i].revents = 0;
		if (is_waiting(&p[i]))
			p[i].revents |= POLLIN;
		ready += p[i].revents != 0;
	}
	return ready;
}

int
ahead_poll(struct pollfd *p, nfds_t n, int ms)
{
	if (n == 1 && (p->events & POLLIN) && chunk_of(p->fd)) {
		int ready = chunk_fetch(p->fd);

		if (ready > 0 || (ready == 0 && ms == 0)) {
			p->revents = ready ? POLLIN : 0;
			return ready;
		}
	} else if (any_waiting(p, n)) {
		return poll_waiting(p, n);
	}
	return system_poll(p, n, ms);
}

#ifdef __GLIBC__
ssize_t
ahead_read_chk(int fd, void *to, size_t len, size_t room)
{
	return len > room ? system___read_chk(fd, to, len, room) : ahead_read(fd, to, len);
}

int
ahead_poll_chk(struct pollfd *p, nfds_t n, int ms, size_t room)
{
	return n > room / sizeof *p ? system___poll_chk(p, n, ms, room) : ahead_poll(p, n, ms);
}
#endif
