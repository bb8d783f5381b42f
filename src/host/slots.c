/* slots.c - which rules were running when the daemon died
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "host/digest.h"
#include "host/file.h"
#include "host/log.h"
#include "host/moment.h"
#include "host/slots.h"

#define MAGIC "tamis slots 2\n"
#define HEADER "# Rules that were running when the daemon died, how often, and when last.  Twice: they are not run\n" \
	"# until they change, or until the line is removed.  Comments are not kept.\n"

enum { USER_MAX = 320, ASIDE_BYTES = 1 << 20, DAY = 86400, LOOK_MS = 500, BOOT_BYTES = 64, BOOT_APART = 10 /* seconds */ };

/* FREE -> TAKEN (being filled) -> BUSY -> FREE; COUNTED: a case that could not be written to "aside" yet */
enum state { FREE, TAKEN, BUSY, COUNTED };

struct slot {
	_Atomic uint32_t state;
	uint32_t times;                 /* of a COUNTED one */
	uint8_t program[32], fingerprint[32];
	char user[USER_MAX + 1];
};

struct file {
	char magic[32];
	char boot[BOOT_BYTES];          /* which run of the machine */
	_Atomic uint32_t stopped;       /* the process was told to end: what stands here did no harm */
	struct slot slot[SLOTS_MAX];
};

struct slots_case {
	unsigned times;
	int64_t time;                   /* seconds */
	uint8_t program[32];
	bool unwritten;
	char user[USER_MAX + 1];
};

struct slots {
	int directory, fd;
	struct file *file;
	pthread_mutex_t lock;           /* of all that follows */
	_Atomic int64_t look;           /* when "aside" is to be looked at again: CLOCK_MONOTONIC milliseconds */
	atomic_bool any;                /* were there cases then?  Both are read without the lock, too. */
	VEC(struct slots_case) cases;
	struct stat read;               /* the file that was read; all zero: none */
};

/* As it is written: one word or more, on one line. */
static void
user_clean(char to[USER_MAX + 1], struct str user)
{
	size_t n = user.len < USER_MAX ? user.len : USER_MAX;

	for (size_t i = 0; i < n; i++)
		to[i] = (unsigned char)user.s[i] < ' ' || user.s[i] == 0x7f ? '?' : user.s[i];
	to[n] = '\0';
}

/* --- cases */

static struct slots_case *
case_find(struct slots *s, const char *user, const uint8_t program[32])
{
	for (size_t i = 0; i < s->cases.n; i++)
		if (!memcmp(s->cases.v[i].program, program, 32) && !strcmp(s->cases.v[i].user, user))
			return &s->cases.v[i];
	return NULL;
}

static struct slots_case *
case_oldest(struct slots *s)
{
	struct slots_case *oldest = s->cases.v;

	for (size_t i = 1; i < s->cases.n; i++)
		if (s->cases.v[i].time < oldest->time)
			oldest = &s->cases.v[i];
	return oldest;
}

static struct slots_case *
case_add(struct slots *s, const char *user, const uint8_t program[32])
{
	struct slots_case *c = case_find(s, user, program), fresh = { 0 };

	if (c)
		return c;
	memcpy(fresh.user, user, strlen(user));
	memcpy(fresh.program, program, 32);
	if (s->cases.n >= SLOTS_ASIDE_MAX) {
		c = case_oldest(s);
		*c = fresh;
		return c;
	}
	vec_push(&s->cases, fresh);
	return &s->cases.v[s->cases.n - 1];
}

/* The next word of *v; empty: there is none. */
static struct str
word_next(struct str *v)
{
	const char *blank = memchr(v->s, ' ', v->len);
	size_t n = blank ? (size_t)(blank - v->s) : v->len;
	struct str word = str_sub(*v, 0, n);

	*v = str_sub(*v, blank ? n + 1 : n, v->len);
	return word;
}

static void
case_parse(struct slots *s, struct str line)
{
	struct str times = word_next(&line), when = word_next(&line), hex = word_next(&line);
	char user[USER_MAX + 1];
	struct slots_case *c;
	uint8_t program[32];
	int64_t time;
	uint64_t n;

	if (!str_number(times, &n) || !n || n > UINT32_MAX || moment_parse(when, &time) <= 0 || !digest_unhex(hex, program, 32) ||
	    !line.len)
		return;
	if (n < SLOTS_TWICE && time / 1000000 <= moment_now() / 1000000 - SLOTS_SUSPECT_DAYS * DAY)
		return;
	user_clean(user, line);
	c = case_add(s, user, program);
	c->times = (unsigned)n;
	c->time = time / 1000000;
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* All zero if it is not there.  False: it cannot be told now. */
static bool
aside_stat(const struct slots *s, struct stat *ret)
{
	memset(ret, 0, sizeof *ret);
	return fstatat(s->directory, "aside", ret, AT_SYMLINK_NOFOLLOW) == 0 || errno == ENOENT;
}

/* Reads "aside" if it is another one than last time.  What could not be written stays. */
static void
aside_read(struct slots *s)
{
	struct stat st;
	struct buf text = { 0 };
	struct str rest;
	size_t kept = 0;

	if (!aside_stat(s, &st))
		return;
	if (is_same(&st, &s->read))
		return;
	if (st.st_ino && (!S_ISREG(st.st_mode) || file_read(s->directory, "aside", &text, ASIDE_BYTES) < 0)) {
		buf_done(&text);
		return;
	}
	for (size_t i = 0; i < s->cases.n; i++)
		if (s->cases.v[i].unwritten)
			s->cases.v[kept++] = s->cases.v[i];
	s->cases.n = kept;
	for (rest = buf_str(&text); rest.len; ) {
		const char *end = memchr(rest.s, '\n', rest.len);
		size_t n = end ? (size_t)(end - rest.s) : rest.len;

		case_parse(s, str_sub(rest, 0, n));
		rest = str_sub(rest, n + (end != NULL), rest.len);
	}
	s->read = st;
	buf_done(&text);
}

static int
write_all(int fd, struct str v)
{
	while (v.len) {
		ssize_t n = write(fd, v.s, v.len);

		if (n < 0 && errno != EINTR)
			return -1;
		v = str_sub(v, n > 0 ? (size_t)n : 0, v.len);
	}
	return 0;
}

static void
case_print(struct buf *out, const struct slots_case *c)
{
	char hex[DIGEST_HEX], when[32];
	time_t time = (time_t)c->time;
	struct tm tm;

	gmtime_r(&time, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	digest_hex(c->program, sizeof c->program, hex);
	buf_printf(out, "%u %s %s %s\n", c->times, when, hex, c->user);
}

static int
aside_write(struct slots *s)
{
	struct buf text = { 0 };
	int fd, rc = -1;

	fd = openat(s->directory, "aside.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -1;
	buf_puts(&text, HEADER);
	for (size_t i = 0; i < s->cases.n; i++)
		case_print(&text, &s->cases.v[i]);
	if (write_all(fd, buf_str(&text)) == 0 && fsync(fd) == 0 &&
	    renameat(s->directory, "aside.new", s->directory, "aside") == 0 && fsync(s->directory) == 0)
		rc = 0;
	close(fd);
	buf_done(&text);
	return rc;
}

/* --- what stood there */

/* Which run of the machine: its name, or where /proc has none when it began. */
static void
boot_read(char boot[BOOT_BYTES])
{
	struct timespec up;
	struct buf b = { 0 };

	memset(boot, 0, BOOT_BYTES);
	if (file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &b, BOOT_BYTES - 1) == 0)
		memcpy(boot, b.s, b.len);
	else if (clock_gettime(CLOCK_BOOTTIME, &up) == 0)
		snprintf(boot, BOOT_BYTES, "since %lld", (long long)(moment_now() / 1000000 - up.tv_sec));
	buf_done(&b);
}

static bool
boot_since(const char boot[BOOT_BYTES], uint64_t *ret)
{
	const struct str v = { boot, strnlen(boot, BOOT_BYTES) };

	return str_starts(v, STR("since ")) && str_number(str_sub(v, 6, v.len), ret);
}

/* A clock that is corrected a little makes no other run; one that is set further does, and no death is counted then. */
static bool
boot_is_same(const char a[BOOT_BYTES], const char b[BOOT_BYTES])
{
	uint64_t x, y;

	if (boot_since(a, &x) && boot_since(b, &y))
		return (x > y ? x - y : y - x) < BOOT_APART;
	return memcmp(a, b, BOOT_BYTES) == 0;
}

static void
slot_count(struct slots *s, struct slot *slot)
{
	uint32_t state = atomic_load(&slot->state);
	struct slots_case *c;

	if (state != COUNTED && (state != BUSY || atomic_load(&s->file->stopped))) {
		memset(slot, 0, sizeof *slot);
		return;
	}
	slot->user[USER_MAX] = '\0';
	slot->times = state == BUSY ? 1 : slot->times;
	atomic_store(&slot->state, COUNTED);
	c = case_add(s, slot->user, slot->program);
	c->times += slot->times;
	c->time = moment_now() / 1000000;
	c->unwritten = true;
	if (state == BUSY)
		log_line(c->times < SLOTS_TWICE ? LOG_WARNING : LOG_ERR, NULL, "event=died-in-rules user=%s times=%u aside=%s",
		         slot->user, c->times, c->times < SLOTS_TWICE ? "no" : "yes");
}

static void
count_cases(struct slots *s)
{
	bool any = false;

	for (size_t i = 0; i < SLOTS_MAX; i++) {
		slot_count(s, &s->file->slot[i]);
		any |= atomic_load(&s->file->slot[i].state) == COUNTED;
	}
	if (!any)
		return;
	if (aside_write(s) < 0) {
		log_line(LOG_ERR, NULL, "event=aside-not-written error=\"%s\"", strerror(errno));
		return;
	}
	memset(s->file->slot, 0, sizeof s->file->slot);
	for (size_t i = 0; i < s->cases.n; i++)
		s->cases.v[i].unwritten = false;
}

/* --- opening */

static int
open_file(struct slots *s, const char *directory)
{
	int error;

	s->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->directory < 0)
		return errno;
	s->fd = openat(s->directory, "slots", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (s->fd < 0 || file_lock(s->fd) < 0)
		return errno;
	if (ftruncate(s->fd, sizeof *s->file) < 0)
		return errno;
	/* a page that the disk has no room for would kill us when it is first written */
	if ((error = posix_fallocate(s->fd, 0, sizeof *s->file)))
		return error;
	s->file = mmap(NULL, sizeof *s->file, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (s->file == MAP_FAILED) {
		s->file = NULL;
		return errno;
	}
	return 0;
}

struct slots *
slots_open(const char *directory, int *ret_errno)
{
	struct slots *s = mem_alloc(sizeof *s);
	char boot[BOOT_BYTES];
	int error;

	*s = (struct slots){ .directory = -1, .fd = -1 };
	if (pthread_mutex_init(&s->lock, NULL) != 0)
		abort();
	if ((error = open_file(s, directory))) {
		*ret_errno = error;
		return slots_close(s);
	}
	boot_read(boot);
	aside_read(s);
	if (strncmp(s->file->magic, MAGIC, sizeof s->file->magic) != 0 || !boot_is_same(s->file->boot, boot))
		memset(s->file, 0, sizeof *s->file);
	count_cases(s);
	atomic_store(&s->file->stopped, 0);
	memcpy(s->file->boot, boot, sizeof boot);
	memcpy(s->file->magic, MAGIC, sizeof MAGIC);
	return s;
}

struct slots *
slots_close(struct slots *s)
{
	if (!s)
		return NULL;
	if (s->file)
		munmap(s->file, sizeof *s->file);
	if (s->fd >= 0)
		close(s->fd);
	if (s->directory >= 0)
		close(s->directory);
	vec_done(&s->cases);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return NULL;
}

void
slots_stop(struct slots *s)
{
	atomic_store(&s->file->stopped, 1);
}

/* --- runs */

/* The first that is free: those in front are in the cache, and few runs take place at the same time. */
int
slots_begin(struct slots *s, struct str user, const uint8_t program[32], const uint8_t fingerprint[32])
{
	for (int i = 0; i < SLOTS_MAX; i++) {
		struct slot *slot = &s->file->slot[i];
		uint32_t expected = FREE;

		if (atomic_load(&slot->state) != FREE || !atomic_compare_exchange_strong(&slot->state, &expected, TAKEN))
			continue;
		memcpy(slot->program, program, sizeof slot->program);
		memcpy(slot->fingerprint, fingerprint, sizeof slot->fingerprint);
		user_clean(slot->user, user);
		atomic_store(&slot->state, BUSY);
		return i;
	}
	return -1;
}

void
slots_end(struct slots *s, int slot)
{
	if (slot >= 0 && slot < SLOTS_MAX)
		atomic_store(&s->file->slot[slot].state, FREE);
}

static int64_t
slots_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

bool
slots_aside(struct slots *s, struct str user, const uint8_t program[32])
{
	char clean[USER_MAX + 1];
	const struct slots_case *c = NULL;
	int64_t now = slots_clock();
	bool aside;

	/* most machines have none */
	if (now < atomic_load_explicit(&s->look, memory_order_acquire) && !atomic_load_explicit(&s->any, memory_order_relaxed))
		return false;
	pthread_mutex_lock(&s->lock);
	if (now >= s->look) {
		aside_read(s);
		atomic_store_explicit(&s->any, s->cases.n > 0, memory_order_relaxed);
		atomic_store_explicit(&s->look, now + LOOK_MS, memory_order_release);
	}
	if (s->cases.n) {
		user_clean(clean, user);
		c = case_find(s, clean, program);
	}
	aside = c && c->times >= SLOTS_TWICE;
	pthread_mutex_unlock(&s->lock);
	return aside;
}
