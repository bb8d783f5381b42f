/* rulefile.c - a user's files, below a directory that they never leave
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/digest.h"
#include "host/file.h"
#include "host/rulefile.h"

enum { YOUNG = 2 };                     /* seconds: the coarsest clock of a file system that is in use */

#define OPEN_DIRECTORY (O_PATH | O_DIRECTORY | O_CLOEXEC)

/* Is what could not be opened as a directory a symbolic link? */
static bool
rulefile_is_link(int fd, const char *name)
{
	struct stat st;

	return !fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISLNK(st.st_mode);
}

static enum rulefile_result
rulefile_failed(const char **why)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
		return RULEFILE_NONE;
	case ELOOP:
		*why = "is a symbolic link";
		return RULEFILE_REFUSED;
	case ENXIO:
	case ENODEV:
		*why = "is no file";
		return RULEFILE_REFUSED;
	case EACCES:
	case EPERM:
		*why = "may not be read";
		return RULEFILE_REFUSED;
	default:
		return RULEFILE_TROUBLE;
	}
}

/* The directory of the last part of the name, and that part. */
static enum rulefile_result
rulefile_walk(const char *root, const char *name, int *ret_fd, const char **ret_leaf, const char **why)
{
	int fd = open(root, OPEN_DIRECTORY), next, error;
	char part[NAME_MAX + 1];
	const char *slash;

	while (fd >= 0 && (slash = strchr(name, '/'))) {
		size_t n = (size_t)(slash - name);

		if (n > NAME_MAX) {
			close(fd);
			return RULEFILE_NONE;
		}
		memcpy(part, name, n);
		part[n] = '\0';
		next = openat(fd, part, OPEN_DIRECTORY | O_NOFOLLOW);
		if (next < 0 && errno == ENOTDIR)
			errno = rulefile_is_link(fd, part) ? ELOOP : ENOTDIR;
		error = errno;
		close(fd);
		errno = error;
		fd = next;
		name = slash + 1;
	}
	if (fd < 0)
		return rulefile_failed(why);
	*ret_fd = fd;
	*ret_leaf = name;
	return RULEFILE_FINE;
}

/* By rulefile_forget(): nobody may write it, not even we. */
static bool
is_marked(const struct stat *st)
{
	return !(st->st_mode & S_IWUSR) && st->st_uid == geteuid();
}

static void
rulefile_stamp(const struct stat *st, struct rulefile_stamp *ret)
{
	*ret = (struct rulefile_stamp){ true, is_marked(st), st->st_dev, st->st_ino, st->st_size, st->st_mtim, st->st_ctim };
}

/* NULL, or why it does not count. */
static const char *
rulefile_judge(int directory, const struct stat *st)
{
	struct stat above;

	if (!S_ISREG(st->st_mode))
		return "is no file";
	if (st->st_mode & S_IWOTH)
		return "may be written by everybody";
	if (st->st_mode & S_IWGRP)
		return "may be written by its group";
	if (st->st_uid && st->st_uid != geteuid() && (fstat(directory, &above) < 0 || st->st_uid != above.st_uid))
		return "belongs neither to root nor to us nor to the owner of its directory";
	return NULL;
}

static enum rulefile_result
rulefile_read_in(int directory, const char *leaf, size_t max, struct buf *text, struct rulefile_stamp *stamp, const char **why)
{
	int fd = openat(directory, leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), error;
	enum rulefile_result rc = RULEFILE_FINE;
	struct stat st;

	if (fd < 0) {
		error = errno;
		if (!fstatat(directory, leaf, &st, AT_SYMLINK_NOFOLLOW))
			rulefile_stamp(&st, stamp);
		errno = error;
		return rulefile_failed(why);
	}
	if (fstat(fd, &st) < 0) {
		rc = RULEFILE_TROUBLE;
	} else {
		rulefile_stamp(&st, stamp);
		*why = rulefile_judge(directory, &st);
		if (*why)
			rc = RULEFILE_REFUSED;
		else if (file_read_fd(fd, text, max) < 0 && errno != EFBIG)
			rc = RULEFILE_TROUBLE;
	}
	error = errno;
	close(fd);
	errno = error;
	return rc;
}

enum rulefile_result
rulefile_read(const char *root, const char *name, size_t max, struct buf *text, struct rulefile_stamp *ret_stamp,
              const char **ret_why)
{
	enum rulefile_result rc;
	const char *leaf;
	int fd, error;

	*ret_stamp = (struct rulefile_stamp){ 0 };
	rc = rulefile_walk(root, name, &fd, &leaf, ret_why);
	if (rc != RULEFILE_FINE)
		return rc;
	rc = rulefile_read_in(fd, leaf, max, text, ret_stamp, ret_why);
	error = errno;
	close(fd);
	errno = error;
	return rc;
}

enum rulefile_result
rulefile_stat_path(const char *path, struct rulefile_stamp *ret_stamp)
{
	struct stat st;
	enum rulefile_result rc;
	const char *why;

	*ret_stamp = (struct rulefile_stamp){ 0 };
	if (!lstat(path, &st)) {
		rulefile_stamp(&st, ret_stamp);
		return RULEFILE_FINE;
	}
	rc = rulefile_failed(&why);
	return rc == RULEFILE_REFUSED ? RULEFILE_NONE : rc;
}

enum rulefile_result
rulefile_stat(const char *root, const char *name, struct rulefile_stamp *ret_stamp)
{
	char path[PATH_MAX];

	*ret_stamp = (struct rulefile_stamp){ 0 };
	if (snprintf(path, sizeof(path), "%s/%s", root, name) >= (int)sizeof(path))
		return RULEFILE_NONE;
	return rulefile_stat_path(path, ret_stamp);
}

int
rulefile_enter(const char *directory)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/.", directory) >= (int)sizeof(path))
		return ENAMETOOLONG;
	return access(path, X_OK) < 0 ? errno : 0;
}

enum rulefile_result
rulefile_directory(const char *root, const char *name)
{
	const char *leaf, *why;
	struct buf path = { 0 };
	enum rulefile_result rc;
	int fd;

	buf_printf(&path, "%s/.", name);
	rc = rulefile_walk(root, buf_str(&path).s, &fd, &leaf, &why);
	buf_done(&path);
	if (rc == RULEFILE_FINE)
		close(fd);
	return rc == RULEFILE_REFUSED ? RULEFILE_NONE : rc;
}

static bool
is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool
rulefile_is(const struct rulefile_stamp *a, const struct rulefile_stamp *b)
{
	if (!a->there || !b->there)
		return a->there == b->there;
	return a->device == b->device && a->inode == b->inode;
}

bool
rulefile_same(const struct rulefile_stamp *a, const struct rulefile_stamp *b)
{
	if (!a->there || !b->there)
		return a->there == b->there;
	return rulefile_is(a, b) && a->size == b->size &&
	       is_same_time(a->modified, b->modified) && is_same_time(a->changed, b->changed);
}

bool
rulefile_young(const struct rulefile_stamp *s, time_t read_at)
{
	return s->there && (s->changed.tv_sec > read_at - YOUNG || s->modified.tv_sec > read_at - YOUNG);
}

static int
rulefile_write_fd(int fd, struct str text)
{
	while (text.len) {
		ssize_t n = write(fd, text.s, text.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		text = str_sub(text, (size_t)n, text.len);
	}
	return fsync(fd) < 0 ? errno : 0;
}

int
rulefile_write(const char *root, const char *name, struct str text)
{
	char made[64];
	const char *leaf, *why;
	int directory, fd, error;
	uint64_t number;

	errno = 0;
	if (rulefile_walk(root, name, &directory, &leaf, &why) != RULEFILE_FINE)
		return errno ? errno : ENOENT;
	digest_random(&number, sizeof(number));
	snprintf(made, sizeof(made), ".tamis-%016llx", (unsigned long long)number);
	fd = openat(directory, made, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	error = fd < 0 ? errno : rulefile_write_fd(fd, text);
	if (fd >= 0) {
		close(fd);
		if (!error && renameat(directory, made, directory, leaf) < 0)
			error = errno;
		if (error)
			unlinkat(directory, made, 0);
	}
	close(directory);
	return error;
}

/* The mark: nobody may write it, not even we, and its time is that of the mark.  Others' files are left alone, in whatever
 * way they came here. */
static int
rulefile_mark(int fd, bool away)
{
	const struct timespec times[2] = { { 0, UTIME_OMIT }, { 0, UTIME_NOW } };

	if (fchmod(fd, away ? S_IRUSR : S_IRUSR | S_IWUSR) < 0 || (away && futimens(fd, times) < 0))
		return errno;
	return 0;
}

static int
rulefile_forget_in(int directory, const char *leaf, bool away, time_t when)
{
	int fd = openat(directory, leaf, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), error = 0;
	struct stat st;
	bool marked;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_uid == geteuid()) {
		marked = is_marked(&st);
		if (marked && when > st.st_mtim.tv_sec + RULEFILE_AWAY)
			error = unlinkat(directory, leaf, 0) < 0 ? errno : 0;
		else if (marked != away)
			error = rulefile_mark(fd, away);
	}
	close(fd);
	return error;
}

int
rulefile_forget(const char *root, const char *name, bool away, time_t when)
{
	const char *leaf, *why;
	int directory, error;

	errno = 0;
	if (rulefile_walk(root, name, &directory, &leaf, &why) != RULEFILE_FINE)
		return errno;
	error = rulefile_forget_in(directory, leaf, away, when);
	close(directory);
	return error;
}

/* Names below a directory, none of which leads out of it or is hidden. */
static bool
rulefile_names_ok(struct str path)
{
	struct str rest = path;
	const char *slash;

	do {
		slash = memchr(rest.s, '/', rest.len);
		size_t n = slash ? (size_t)(slash - rest.s) : rest.len;

		if (!n || n > NAME_MAX || rest.s[0] == '.')
			return false;
		rest = str_sub(rest, slash ? n + 1 : n, rest.len);
	} while (slash);
	return path.len < PATH_MAX / 2 && !memchr(path.s, '\0', path.len);
}

bool
rulefile_expand(struct arena *a, const char *template, struct str local, struct str domain, struct str *ret)
{
	char room[256];
	struct buf b = BUF_ON(room);
	const char *p = template, *percent;
	bool fine;

	while (*(percent = strchrnul(p, '%'))) {
		buf_add(&b, (struct str){ p, (size_t)(percent - p) });
		buf_add(&b, percent[1] == '%' ? STR("%") : percent[1] == 'u' ? local : domain);
		p = percent + 2;
	}
	buf_add(&b, (struct str){ p, (size_t)(percent - p) });
	fine = rulefile_names_ok(buf_str(&b));
	if (fine)
		*ret = buf_copy(&b, a);
	buf_done(&b);
	return fine;
}
