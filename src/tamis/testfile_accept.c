/* testfile_accept.c - writes what came out into the test file
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tamis/testfile_accept.h"

static bool
ends_in_crlf(struct str line)
{
	return line.len > 1 && line.s[line.len - 2] == '\r' && line.s[line.len - 1] == '\n';
}

void
testfile_accept_start(struct testfile_accept *a, const struct testfile *file)
{
	struct str rest = buf_str(&file->text), line;
	const bool crlf = testfile_line(&rest, &line) && ends_in_crlf(line);

	*a = (struct testfile_accept){ .file = file, .done = buf_str(&file->text).s, .newline = crlf ? "\r\n" : "\n" };
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
		buf_add(&a->text, str_from(a->newline));
}

/* Lines end as those of the file do. */
static void
testfile_accept_text(struct testfile_accept *a, struct str text)
{
	struct buf b = { 0 };
	struct str rest, line;

	testfile_escape(&b, text);
	rest = buf_str(&b);
	while (testfile_line(&rest, &line)) {
		line.len -= ends_in_crlf(line) ? 2 : 1;
		buf_add(&a->text, line);
		buf_add(&a->text, str_from(a->newline));
	}
	buf_done(&b);
}

/* Blank lines at the end of a section are not compared, so they stay. */
static void
testfile_accept_one(struct testfile_accept *a, const struct testfile_failure *f)
{
	struct str old = f->section ? f->section->body : (struct str){ f->at, 0 };

	testfile_accept_copy(a, old.s);
	testfile_accept_newline(a);
	if (!f->section)
		buf_printf(&a->text, "-- %s%s", testfile_kind_name(f->kind), a->newline);
	testfile_accept_text(a, f->got);
	old = testfile_trimmed(old);
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
testfile_accept_replace(struct testfile_accept *a, const char *path, const char *temporary, int fd)
{
	const char *p = a->text.s, *end = p + a->text.len;
	struct stat st;
	ssize_t n;

	if (!stat(path, &st) && fchmod(fd, st.st_mode & 07777) < 0)
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
	return rename(temporary, path);
}

int
testfile_accept_write(struct testfile_accept *a)
{
	struct buf name = { 0 };
	char *path;
	int fd, rc = -1, error;

	if (!a->n)
		return 0;
	/* A link stays one. */
	path = realpath(a->file->path, NULL);
	if (!path)
		return -1;
	testfile_accept_copy(a, a->file->text.s + a->file->text.len);
	buf_printf(&name, "%s.XXXXXX", path);
	fd = mkostemp(name.s, O_CLOEXEC);
	if (fd >= 0) {
		rc = testfile_accept_replace(a, path, name.s, fd);
		error = errno;
		close(fd);
		if (rc < 0)
			unlink(name.s);
		errno = error;
	}
	buf_done(&name);
	free(path);
	return rc;
}

void
testfile_accept_done(struct testfile_accept *a)
{
	buf_done(&a->text);
}
