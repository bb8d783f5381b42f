/* journal.c - what left already, so that a retry does not send it twice
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who adds a line joins the batch that is being collected.  One of them writes
 * the batch and syncs, while the next one is collected: under load one sync
 * serves many. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "host/digest.h"
#include "host/file.h"
#include "host/fresh.h"
#include "host/journal.h"
#include "host/ledger.h"
#include "host/lines.h"
#include "host/log.h"
#include "host/steady.h"

enum {
	OWED_MOST = 1 << 20,            /* bytes of lines that wait for room on the disk; more are not written any more */
	DEAD_LEAST = 1000,              /* lines: fewer are not worth a new file */
	DAY = 86400,
	RENEWED = 60,                   /* seconds; an older line is written once more */
	STOP_WAIT = 10000, STOP_LOOK = 10,      /* milliseconds */
};

struct key {
	uint8_t bytes[JOURNAL_KEY];
};

struct batch {
	struct buf lines;
	size_t nlines;
	VEC(struct key) keys;           /* to be known when it is written */
	int64_t time;
	unsigned refs;
	bool done;
	int error;
};

struct journal {
	int directory, lock_fd, fd;
	int64_t lifetime;               /* seconds */
	struct steady clock;
	pthread_mutex_t lock;           /* of all that follows */
	pthread_cond_t written;
	struct ledger keys, troubles;
	struct batch *batch;            /* being collected; NULL: none */
	bool writing;
	bool doubtful;                  /* nobody knows what of the file is on the disk: it wants a new one */
	bool ahead;                     /* lines that were read have times that are still to come */
	struct buf owed;                /* lines of what has happened and could not be written */
	size_t nowed;
	size_t unwritten;               /* bytes of a line that could not be written; 0: lines as long can be */
	off_t size;                     /* up to where it is good */
	size_t lines, compact_at;
};

static int64_t
now(const struct journal *j)
{
	return steady_now(&j->clock);
}

static bool
is_live(const struct journal *j, const struct ledger_entry *e)
{
	return e && e->time > now(j) - j->lifetime;
}

/* --- a new file without what is dead */

/* Has somebody taken lines away?  What they said is known; texts are gone with them. */
static bool
is_cut(const struct journal *j)
{
	struct stat st;

	return fstat(j->fd, &st) == 0 && st.st_size < j->size;
}

/* Was all of the file too long ago to be remembered? */
static bool
is_over(struct journal *j)
{
	ledger_forget(&j->keys, now(j) - j->lifetime);
	ledger_forget(&j->troubles, now(j) - j->lifetime);
	return j->size > 0 && !j->owed.len && !j->keys.n && !j->troubles.n;
}

static void
forget_some(struct journal *j, struct ledger *l, const char *what)
{
	ledger_forget(l, now(j) - j->lifetime);
	if (l->n < JOURNAL_ENTRIES_MAX)
		return;
	ledger_forget(l, ledger_quarter(l));
	log_line(LOG_WARNING, NULL, "event=journal-full forgotten=%s left=%zu", what, l->n);
}

/* Until it is renamed, the old file counts; then the new one, which is on the disk. */
static int
compact(struct journal *j)
{
	struct fresh f = { .directory = j->directory, .old = j->fd, .cut = is_cut(j), .keys = &j->keys, .troubles = &j->troubles };
	int error;

	forget_some(j, &j->keys, "keys");
	forget_some(j, &j->troubles, "troubles");
	error = fresh_write(&f);
	if (error) {
		j->compact_at = j->lines + DEAD_LEAST;
		return error;
	}
	close(j->fd);
	j->fd = f.fd;
	j->size = f.size;
	j->lines = f.lines;
	j->compact_at = 2 * f.lines + DEAD_LEAST;
	/* before that, a crash may bring the old one back, without what will be added to the new one */
	j->doubtful = fsync(j->directory) < 0;
	return j->doubtful ? errno : 0;
}

/* --- adding */

/* Is it still the file of that name, and in order?  Else there will be a new one. */
static int
make_sure(struct journal *j)
{
	struct stat st, named = { 0 };

	if (fstat(j->fd, &st) < 0 || (fstatat(j->directory, "journal", &named, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT))
		return errno;
	if (st.st_ino != named.st_ino || st.st_dev != named.st_dev || is_cut(j))
		j->doubtful = true;
	if (j->doubtful)
		return compact(j);
	if (j->lines >= j->compact_at || j->keys.n >= JOURNAL_ENTRIES_MAX || j->troubles.n >= JOURNAL_ENTRIES_MAX)
		compact(j);             /* if it fails, the old one is still good */
	return 0;
}

static int
batch_write(struct journal *j, const struct batch *b)
{
	int error = lines_write(j->fd, buf_str(&b->lines), j->size);

	if (error) {
		if (ftruncate(j->fd, j->size) < 0)
			j->doubtful = true;
	} else if (fdatasync(j->fd) < 0) {
		/* the kernel may have forgotten what it could not write, and would not say so again */
		error = errno;
		j->doubtful = true;
	}
	return error;
}

/* The first that were owed are written; others may have come meanwhile. */
static void
lead_paid(struct journal *j, size_t bytes, size_t lines)
{
	if (!bytes)
		return;
	memmove(j->owed.s, j->owed.s + bytes, j->owed.len - bytes);
	j->owed.len -= bytes;
	j->nowed -= lines;
}

/* Writes the batch that was collected; the lock is held, but not while it is written. */
static void
lead(struct journal *j)
{
	struct batch *b = j->batch;

	const size_t owed = j->owed.len, nowed = j->nowed;

	j->writing = true;
	b->error = make_sure(j);
	j->batch = NULL;
	buf_add(&b->lines, buf_str(&j->owed));
	b->nlines += nowed;
	if (!b->error) {
		pthread_mutex_unlock(&j->lock);
		b->error = batch_write(j, b);
		pthread_mutex_lock(&j->lock);
	}
	if (!b->error) {
		j->size += (off_t)b->lines.len;
		j->lines += b->nlines;
		for (size_t i = 0; i < b->keys.n; i++)
			ledger_put(&j->keys, b->keys.v[i].bytes, b->time, 0);
		lead_paid(j, owed, nowed);
	}
	if (b->error)
		j->unwritten = b->lines.len / b->nlines;
	else if (b->lines.len >= j->unwritten)
		j->unwritten = 0;
	j->writing = false;
	b->done = true;
	pthread_cond_broadcast(&j->written);
}

static struct batch *
batch_join(struct journal *j)
{
	if (!j->batch) {
		j->batch = mem_alloc(sizeof *j->batch);
		*j->batch = (struct batch){ .time = now(j) };
	}
	j->batch->refs++;
	j->batch->nlines++;
	return j->batch;
}

/* The errno of the batch, when it is done. */
static int
batch_wait(struct journal *j, struct batch *b)
{
	int error;

	while (!b->done) {
		if (j->writing)
			pthread_cond_wait(&j->written, &j->lock);
		else
			lead(j);
	}
	error = b->error;
	if (!--b->refs) {
		buf_done(&b->lines);
		vec_done(&b->keys);
		free(b);
	}
	return error;
}

/* Is the line that it has as good as a new one?  What is added for what comes after it has to be known as long as that. */
static bool
is_recent(const struct journal *j, const struct ledger_entry *e)
{
	return e && e->time > now(j) - RENEWED;
}

/* 0 or an errno. */
static int
add(struct journal *j, const uint8_t key[JOURNAL_KEY], struct str text)
{
	struct batch *b;
	struct key k;

	if (!j->unwritten && is_recent(j, ledger_find(&j->keys, key)))
		return 0;
	memcpy(k.bytes, key, JOURNAL_KEY);
	b = batch_join(j);
	lines_add(&b->lines, 'K', key, b->time, text);
	vec_push(&b->keys, k);
	return batch_wait(j, b);
}

int
journal_add(struct journal *j, const uint8_t key[JOURNAL_KEY], struct str text)
{
	int error;

	pthread_mutex_lock(&j->lock);
	error = add(j, key, text);
	pthread_mutex_unlock(&j->lock);
	errno = error;
	return error ? -1 : 0;
}

static void
owe(struct journal *j, const uint8_t key[JOURNAL_KEY], struct str text)
{
	const int64_t at = now(j);

	/* that has a line already, which counts as long as its time is the one that is known */
	if (is_live(j, ledger_find(&j->keys, key)))
		return;
	if (j->owed.len < OWED_MOST) {
		lines_add(&j->owed, 'K', key, at, text);
		j->nowed++;
	}
	ledger_put(&j->keys, key, at, 0);
}

int
journal_note(struct journal *j, const uint8_t key[JOURNAL_KEY], struct str text)
{
	int error;

	pthread_mutex_lock(&j->lock);
	error = add(j, key, text);
	if (error)
		owe(j, key, text);
	pthread_mutex_unlock(&j->lock);
	errno = error;
	return error ? -1 : 0;
}

bool
journal_has(struct journal *j, const uint8_t key[JOURNAL_KEY])
{
	bool has;

	pthread_mutex_lock(&j->lock);
	has = is_live(j, ledger_find(&j->keys, key));
	pthread_mutex_unlock(&j->lock);
	return has;
}

bool
journal_is_empty(struct journal *j)
{
	return ledger_is_empty(&j->keys);
}

/* --- troubles */

static bool
is_enough(const struct journal *j, const struct ledger_entry *e, unsigned times, unsigned seconds)
{
	return e->times >= times || now(j) - e->time >= seconds;
}

static void
troubles_write(struct journal *j, const uint8_t fingerprint[JOURNAL_KEY], int64_t first, uint32_t times)
{
	struct batch *b = batch_join(j);
	char count[16];

	snprintf(count, sizeof count, "%u", times);
	lines_add(&b->lines, 'T', fingerprint, first, str_from(count));
	batch_wait(j, b);
}

bool
journal_trouble(struct journal *j, const uint8_t fingerprint[JOURNAL_KEY], unsigned times, unsigned seconds)
{
	const struct ledger_entry *e;
	bool enough;

	pthread_mutex_lock(&j->lock);
	e = ledger_find(&j->troubles, fingerprint);
	if (is_live(j, e))
		ledger_put(&j->troubles, fingerprint, e->time, e->times < UINT32_MAX ? e->times + 1 : e->times);
	else
		ledger_put(&j->troubles, fingerprint, now(j), 1);
	e = ledger_find(&j->troubles, fingerprint);
	enough = is_enough(j, e, times, seconds);
	troubles_write(j, fingerprint, e->time, e->times);
	pthread_mutex_unlock(&j->lock);
	return enough;
}

void
journal_calm(struct journal *j, const uint8_t fingerprint[JOURNAL_KEY])
{
	const struct ledger_entry *e;
	int64_t first;

	pthread_mutex_lock(&j->lock);
	e = ledger_find(&j->troubles, fingerprint);
	if (e) {
		first = e->time;
		ledger_remove(&j->troubles, fingerprint);
		troubles_write(j, fingerprint, first, 0);
	}
	pthread_mutex_unlock(&j->lock);
}

bool
journal_is_calm(struct journal *j)
{
	return ledger_is_empty(&j->troubles);
}

bool
journal_troubled(struct journal *j, const uint8_t fingerprint[JOURNAL_KEY], unsigned times, unsigned seconds)
{
	const struct ledger_entry *e;
	bool enough;

	pthread_mutex_lock(&j->lock);
	e = ledger_find(&j->troubles, fingerprint);
	enough = is_live(j, e) && is_enough(j, e, times, seconds);
	pthread_mutex_unlock(&j->lock);
	return enough;
}

/* --- opening */

static void
load_line(void *ctx, struct str text)
{
	struct journal *j = ctx;
	struct journal_line line;
	uint64_t times;

	j->lines++;
	if (!lines_parse(text, &line) || line.time <= now(j) - j->lifetime)
		return;
	/* the clock was ahead when it was written, or is behind: trouble that has yet to begin would have no end */
	if (line.time > now(j)) {
		line.time = now(j);
		j->ahead = true;
	}
	if (line.kind == 'K')
		ledger_put(&j->keys, line.key, line.time, 0);
	else if (!str_number(line.text, &times) || times > UINT32_MAX)
		return;
	else if (!times)
		ledger_remove(&j->troubles, line.key);
	else
		ledger_put(&j->troubles, line.key, line.time, (uint32_t)times);
	if (j->keys.n >= JOURNAL_ENTRIES_MAX + JOURNAL_ENTRIES_MAX / 4)
		forget_some(j, &j->keys, "keys");
	if (j->troubles.n >= JOURNAL_ENTRIES_MAX + JOURNAL_ENTRIES_MAX / 4)
		forget_some(j, &j->troubles, "troubles");
}

static void
newest_line(void *ctx, struct str text)
{
	int64_t *newest = ctx;
	struct journal_line line;

	if (lines_parse(text, &line) && line.time > *newest)
		*newest = line.time;
}

/* Is all of it too old to be remembered, it is rather the clock that is wrong: time goes on from where it was. */
static int
start_clock(struct journal *j)
{
	int64_t at = time(NULL), newest = 0;

	if (lines_read(j->fd, newest_line, &newest) < 0)
		return -1;
	j->clock = steady_start(newest && newest <= at - j->lifetime ? newest : at);
	return 0;
}

static int
open_files(struct journal *j, const char *directory)
{
	const int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	struct stat st;

	j->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->directory < 0)
		return -1;
	/* its own file: the journal itself is replaced from time to time */
	j->lock_fd = openat(j->directory, "journal.lock", flags, 0600);
	if (j->lock_fd < 0 || file_lock(j->lock_fd) < 0)
		return -1;
	j->fd = openat(j->directory, "journal", flags, 0600);
	if (j->fd < 0 || fstat(j->fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	/* what a crash left of a last line is nothing, and will be written over */
	if (start_clock(j) < 0 || (j->size = lines_read(j->fd, load_line, j)) < 0)
		return -1;
	return fsync(j->directory);
}

/* Who is writing, and who waits to, is let finish; a disk that hangs is not waited for for ever. */
static void
stop_writing(struct journal *j)
{
	const struct timespec a_while = { .tv_nsec = STOP_LOOK * 1000000 };

	for (int n = 0; (j->writing || j->batch) && n < STOP_WAIT / STOP_LOOK; n++) {
		pthread_mutex_unlock(&j->lock);
		nanosleep(&a_while, NULL);
		pthread_mutex_lock(&j->lock);
	}
}

void
journal_stop(struct journal *j)
{
	struct batch b = { 0 };

	pthread_mutex_lock(&j->lock);
	stop_writing(j);
	/* a last attempt */
	if (j->owed.len && !j->writing && !make_sure(j)) {
		buf_add(&b.lines, buf_str(&j->owed));
		if (!batch_write(j, &b)) {
			j->size += (off_t)j->owed.len;
			j->lines += j->nowed;
			lead_paid(j, j->owed.len, j->nowed);
		}
	}
	/* by lines that are all old who starts next would take its clock to be wrong, and go on from where they were new */
	if (!j->writing && is_over(j))
		compact(j);
	pthread_mutex_unlock(&j->lock);
	buf_done(&b.lines);
}

struct journal *
journal_open(const char *directory, unsigned days, int *ret_errno)
{
	struct journal *j = mem_alloc(sizeof *j);

	*j = (struct journal){ .directory = -1, .lock_fd = -1, .fd = -1, .lifetime = (int64_t)days * DAY };
	if (pthread_mutex_init(&j->lock, NULL) != 0 || pthread_cond_init(&j->written, NULL) != 0)
		abort();
	if (open_files(j, directory) < 0) {
		*ret_errno = errno;
		return journal_close(j);
	}
	j->compact_at = 2 * (j->keys.n + j->troubles.n) + DEAD_LEAST;
	if (j->ahead || j->lines > 2 * (j->keys.n + j->troubles.n) || j->keys.n >= JOURNAL_ENTRIES_MAX)
		compact(j);             /* if it fails, the old one is still good */
	return j;
}

struct journal *
journal_close(struct journal *j)
{
	if (!j)
		return NULL;
	journal_stop(j);
	buf_done(&j->owed);
	if (j->fd >= 0)
		close(j->fd);
	if (j->lock_fd >= 0)
		close(j->lock_fd);
	if (j->directory >= 0)
		close(j->directory);
	ledger_done(&j->keys);
	ledger_done(&j->troubles);
	pthread_mutex_destroy(&j->lock);
	pthread_cond_destroy(&j->written);
	free(j);
	return NULL;
}
