/* testfile_accept.c - writes what came out into the test file
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tamis/testfile_accept.h"

void
testfile_accept_start(struct testfile_accept *a, const struct testfile *file)
{
	*a = (struct testfile_accept){ .file = file, .done = buf_str(&file->text).s };
}

/* What stands there stays. */
static void
testfile_accept_copy(struct testfile_accept *a, const char *until)
{
	buf_add(&a->text, (struct str){ a->done, (size_t)(until - a->done) });
	a->done = until;
}

static void
testfile_accept_newline(struct testfile_accept *a)
{
	if (a->text.len && a->text.s[a->text.len - 1] != '\n')
		buf_putc(&a->text, '\n');
}

/* Blank lines at the end of a section are not compared, so they stay. */
static void
testfile_accept_one(struct testfile_accept *a, const struct testfile_failure *f)
{
	struct str old = f->section ? f->section->body : (struct str){ f->at, 0 };

	testfile_accept_copy(a, old.s);
	testfile_accept_newline(a);
	if (!f->section)
		buf_printf(&a->text, "-- %s\n", testfile_kind_name(f->kind));
	while (old.len > 1 && old.s[old.len - 1] == '\n' && old.s[old.len - 2] == '\n')
		old.len--;
	if (old.len == 1 && *old.s == '\n')
		old.len = 0;
	testfile_escape(&a->text, f->got);
	a->done = old.s + old.len;
	a->n++;
}

void
testfile_accept_case(struct testfile_accept *a, struct testfile_run *r)
{
	size_t i;

	for (i = 0; i < r->failure.n; i++)
		if (!r->failure.v[i].acceptable)
			return;
	for (i = 0; i < r->failure.n; i++)
		testfile_accept_one(a, &r->failure.v[i]);
	r->failure.n = 0;
}

static int
testfile_accept_replace(struct testfile_accept *a, const char *temporary, int fd)
{
	const char *p = a->text.s, *end = p + a->text.len;
	struct stat st;
	ssize_t n;

	if (!stat(a->file->path, &st) && fchmod(fd, st.st_mode & 07777) < 0)
		return -1;
	for (; p < end; p += n) {
		n = write(fd, p, (size_t)(end - p));
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return -1;
	}
	if (fsync(fd) < 0)
		return -1;
	return rename(temporary, a->file->path);
}

int
testfile_accept_write(struct testfile_accept *a)
{
	struct buf name = { 0 };
	int fd, rc = -1, error;

	if (!a->n)
		return 0;
	testfile_accept_copy(a, a->file->text.s + a->file->text.len);
	buf_printf(&name, "%s.XXXXXX", a->file->path);
	fd = mkostemp(name.s, O_CLOEXEC);
	if (fd >= 0) {
		rc = testfile_accept_replace(a, name.s, fd);
		error = errno;
		close(fd);
		if (rc < 0)
			unlink(name.s);
		errno = error;
	}
	buf_done(&name);
	return rc;
}

void
testfile_accept_done(struct testfile_accept *a)
{
	buf_done(&a->text);
}
