/* source.c - messages one after the other: files, mailboxes, directories
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/mbox.h"
#include "host/source.h"
#include "tamis.h"

enum {
	READ_HEADER = 16 * 1024,        /* holds the header of nearly every message */
	READ_FIRST = 64 * 1024,         /* holds most messages */
	MESSAGE_MAX = 1 << 30           /* bytes of one message */
};

struct entry {
	const char *name;
	int directory;                  /* index of it */
	bool regular;                   /* as readdir knows; else fstat() tells */
};

struct source {
	enum { ONE, MBOX, DIRECTORY } kind;
	char *path;
	struct buf name, text;
	bool done;
	int fd;                         /* ONE */
	struct mbox *mbox;
	int dir[2];
	const char *sub[2];             /* "cur/", "new/", or "" and NULL */
	struct arena names;
	VEC(struct entry) entry;
	size_t next;
};

unsigned
source_wants(unsigned needs)
{
	return (needs & TAMIS_NEEDS_BODY ? SOURCE_BODY : 0) | (needs & TAMIS_NEEDS_SIZE ? SOURCE_SIZE : 0);
}

/* RFC 5322 2.2: printable characters but ":"; blanks before the colon are an
 * obsolete form (4.5). */
static bool
source_is_field(const char *line, const char *end)
{
	const char *p = line;

	while (p < end && *p > ' ' && *p < 0x7f && *p != ':')
		p++;
	if (p == line)
		return false;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p < end && *p == ':';
}

static bool
source_is_from(struct str text)
{
	return str_starts(text, STR("From ")) || str_starts(text, STR(">From "));
}

size_t
source_header_end(struct str text, bool *ret_found)
{
	const char *p = text.s, *end = text.s + text.len, *stop;

	*ret_found = true;
	for (; p < end; p = stop + 1) {
		stop = memchr(p, '\n', (size_t)(end - p));
		if (!stop)
			break;
		if (*p == '\n' || (*p == '\r' && p + 1 == stop))
			return (size_t)(stop + 1 - text.s);
		if ((*p == ' ' || *p == '\t') && p > text.s)
			continue;
		if (!source_is_field(p, stop) && (p > text.s || !source_is_from(text)))
			return (size_t)(p - text.s);
	}
	*ret_found = false;
	return text.len;
}

uint64_t
source_octets(struct str text)
{
	enum { BLOCK = 128 };           /* a constant, so that compilers make vectors of it */
	const unsigned char *p = (const unsigned char *)text.s;
	uint64_t bare = 0;
	size_t i = 1, k;

	if (text.len && p[0] == '\n')
		bare++;
	for (; i + BLOCK <= text.len; i += BLOCK) {
		unsigned char n = 0;

		for (k = 0; k < BLOCK; k++)
			n = (unsigned char)(n + ((p[i + k] == '\n') & (p[i + k - 1] != '\r')));
		bare += n;
	}
	for (; i < text.len; i++)
		bare += (p[i] == '\n') & (p[i - 1] != '\r');
	return text.len + bare;
}

static int
source_add(struct source *s, DIR *d, int directory)
{
	struct dirent *e;

	while (errno = 0, (e = readdir(d))) {
		if (e->d_name[0] == '.' || e->d_type == DT_DIR)
			continue;
		vec_push(&s->entry, (struct entry){
			.name = arena_str(&s->names, str_from(e->d_name)).s,
			.directory = directory,
			.regular = e->d_type == DT_REG,
		});
	}
	return errno ? -1 : 0;
}

/* The entries of a directory below fd (of fd itself if name is "."); the
 * descriptor stays open in s->dir. */
static int
source_list(struct source *s, int fd, const char *name, int directory)
{
	int sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), copy, rc, error;
	DIR *d;

	if (sub < 0)
		return -1;
	s->dir[directory] = sub;
	copy = dup(sub);
	d = copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		if (copy >= 0)
			close(copy);
		return -1;
	}
	rc = source_add(s, d, directory);
	error = errno;
	closedir(d);
	errno = error;
	return rc;
}

static int
source_order(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int
source_directory(struct source *s, int fd)
{
	bool maildir = !faccessat(fd, "cur", F_OK, 0) && !faccessat(fd, "new", F_OK, 0);
	int rc;

	s->kind = DIRECTORY;
	if (maildir) {
		s->sub[0] = "cur/";
		s->sub[1] = "new/";
		rc = source_list(s, fd, "cur", 0);
		if (!rc)
			rc = source_list(s, fd, "new", 1);
	} else {
		s->sub[0] = "";
		rc = source_list(s, fd, ".", 0);
	}
	if (!rc && s->entry.n)
		qsort(s->entry.v, s->entry.n, sizeof(*s->entry.v), source_order);
	return rc;
}

/* A message, or an mbox?  Its first bytes tell; they stay in s->text. */
static int
source_stream(struct source *s, int fd)
{
	char *room = buf_room(&s->text, READ_FIRST);
	int mbox;
	ssize_t n;

	while ((mbox = mbox_begins(buf_str(&s->text))) < 0 && s->text.len < READ_FIRST) {
		n = read(fd, room + s->text.len, READ_FIRST - s->text.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (!n)
			break;
		s->text.len += (size_t)n;
	}
	s->fd = fd;
	s->kind = ONE;
	if (mbox > 0) {
		s->kind = MBOX;
		s->mbox = mbox_new(fd, buf_str(&s->text));
	}
	return 0;
}

struct source *
source_open(const char *path)
{
	struct source *s = mem_alloc(sizeof(*s));
	bool in = !strcmp(path, "-");
	struct stat st;
	int fd, rc, error;

	*s = (struct source){ .path = mem_strdup(in ? "stdin" : path), .fd = -1, .dir = { -1, -1 } };
	fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = -1;
	} else if (S_ISDIR(st.st_mode)) {
		rc = source_directory(s, fd);
	} else {
		if (!in && !S_ISREG(st.st_mode))
			fcntl(fd, F_SETFL, 0);
		rc = source_stream(s, fd);
	}
	error = errno;
	if (fd >= 0 && fd != s->fd && !in)
		close(fd);
	if (rc < 0)
		s = source_free(s);
	errno = error;
	return s;
}

struct source *
source_free(struct source *s)
{
	int i;

	if (!s)
		return NULL;
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	for (i = 0; i < 2; i++)
		if (s->dir[i] >= 0)
			close(s->dir[i]);
	mbox_free(s->mbox);
	free(s->path);
	buf_done(&s->name);
	buf_done(&s->text);
	vec_done(&s->entry);
	arena_done(&s->names);
	free(s);
	return NULL;
}

size_t
source_count(const struct source *s)
{
	return s->kind == DIRECTORY ? s->entry.n : s->kind == ONE;
}

void
source_progress(const struct source *s, uint64_t *ret_done, uint64_t *ret_all)
{
	*ret_done = *ret_all = 0;
	if (s->kind == MBOX)
		mbox_progress(s->mbox, ret_done, ret_all);
}

/* Reads on until the end, or, for the header alone, until that is complete. */
static int
source_read(struct source *s, int fd, unsigned wants, size_t *ret_header)
{
	size_t want = s->text.len ? 0 : wants ? READ_FIRST : READ_HEADER;
	bool found = false;

	for (;;) {
		ssize_t n = 0;

		if (want) {
			n = read(fd, buf_room(&s->text, want), want);
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return -1;
			s->text.len += (size_t)n;
		}
		if (!found)
			*ret_header = source_header_end((struct str){ s->text.s, s->text.len }, &found);
		if ((found && !wants) || (want && !n))
			return 0;
		if (s->text.len > MESSAGE_MAX) {
			errno = EFBIG;
			return -1;
		}
		want = s->text.len < READ_FIRST ? READ_FIRST - s->text.len : s->text.len;
	}
}

/* What the message in s->text looks like from outside. */
static void
source_describe(const struct str text, size_t header, unsigned wants, uint64_t size, struct source_message *ret)
{
	ret->header = str_sub(text, 0, header);
	ret->body = wants & SOURCE_BODY ? str_sub(text, header, text.len) : STR_EMPTY;
	ret->size = wants & SOURCE_SIZE ? source_octets(text) : size > text.len ? size : text.len;
}

/* ",S=1234" of a Maildir's file name */
static bool
source_named_size(struct str name, struct str key, uint64_t *ret)
{
	ptrdiff_t at = str_find(name, key);
	size_t from, to;

	if (at < 0)
		return false;
	from = to = (size_t)at + key.len;
	while (to < name.len && char_is_digit(name.s[to]))
		to++;
	return str_number(str_sub(name, from, to), ret);
}

/* A Maildir's file names may tell the size of the file, and that with CRLF at
 * each line end: if the first is right, the second is believed. */
static bool
source_known_size(struct source *s, const struct entry *e, int fd, uint64_t *ret)
{
	struct str name = str_from(e->name);
	struct stat st;
	uint64_t size, octets;

	if (!s->sub[1] || !source_named_size(name, STR(",S="), &size) || !source_named_size(name, STR(",W="), &octets) ||
	    fstat(fd, &st) < 0 || (uint64_t)st.st_size != size || octets < size || octets > size * 2)
		return false;
	*ret = octets;
	return true;
}

static int
source_file(struct source *s, const struct entry *e, unsigned wants, struct source_message *ret)
{
	struct stat st = { 0 };
	uint64_t size = 0;
	size_t header = 0;
	int fd, rc = 0, error;

	buf_reset(&s->name);
	buf_printf(&s->name, "%s/%s%s", s->path, s->sub[e->directory], e->name);
	ret->name = buf_str(&s->name);
	ret->file = e->name;
	fd = openat(s->dir[e->directory], e->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -1;
	if (!e->regular && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		rc = 1;
	} else {
		if ((wants & SOURCE_SIZE) && source_known_size(s, e, fd, &size))
			wants &= ~(unsigned)SOURCE_SIZE;
		buf_reset(&s->text);
		rc = source_read(s, fd, wants, &header);
	}
	error = errno;
	close(fd);
	errno = error;
	if (!rc)
		source_describe(buf_str(&s->text), header, wants, size ? size : (uint64_t)st.st_size, ret);
	return rc;
}

static int
source_one(struct source *s, unsigned wants, struct source_message *ret)
{
	const char *slash = strrchr(s->path, '/');
	struct stat st;
	size_t header;

	if (s->done)
		return 0;
	s->done = true;
	ret->name = str_from(s->path);
	ret->file = slash ? slash + 1 : s->path;
	if (source_read(s, s->fd, wants, &header) < 0)
		return -1;
	source_describe(buf_str(&s->text), header, wants,
	                !fstat(s->fd, &st) && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0, ret);
	return 1;
}

int
source_next(struct source *s, unsigned wants, struct source_message *ret)
{
	struct str text;
	size_t number;
	bool found;
	int rc;

	*ret = (struct source_message){ .name = str_from(s->path), .file = "", .header = STR_EMPTY, .body = STR_EMPTY };
	if (s->kind == ONE)
		return source_one(s, wants, ret);
	if (s->kind == DIRECTORY) {
		while (s->next < s->entry.n) {
			rc = source_file(s, &s->entry.v[s->next++], wants, ret);
			if (rc <= 0)            /* > 0: something that is no file */
				return rc < 0 ? rc : 1;
		}
		return 0;
	}
	rc = mbox_next(s->mbox, &text, &number);
	if (rc) {
		buf_reset(&s->name);
		buf_printf(&s->name, "%s:%zu", s->path, number);
		ret->name = buf_str(&s->name);
		if (rc > 0)
			source_describe(text, source_header_end(text, &found), wants, text.len, ret);
	}
	return rc;
}
