/* mbox.c - the messages of an mbox
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A message begins at the start, or after an empty line at a line of "From ",
 * a time and a year: not every program quotes such words in a body.
 * Lines of ">" and "From " in bodies lose one ">" (mboxrd; of mboxo files that
 * is right but for a line that began with ">From " when it was sent). */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "host/mbox.h"

enum {
	READ_MORE = 256 * 1024,
	MESSAGE_MAX = 1 << 30           /* bytes of one message */
};

struct mbox {
	int fd;
	bool end, failed;
	struct buf text;
	size_t start;                   /* of the next message's "From " line */
	size_t number;
	uint64_t done, all;
};

int
mbox_begins(struct str text)
{
	static const char from[] = "From ";
	size_t i = text.len < sizeof(from) - 1 ? text.len : sizeof(from) - 1;

	if (memcmp(text.s, from, i))
		return 0;
	/* "From :" is a field: blanks may stand before the colon (RFC 5322 4.5) */
	while (i < text.len && (text.s[i] == ' ' || text.s[i] == '\t'))
		i++;
	return i == text.len ? -1 : text.s[i] != ':';
}

struct mbox *
mbox_new(int fd, struct str first)
{
	struct mbox *m = mem_alloc(sizeof(*m));
	struct stat st;

	*m = (struct mbox){ .fd = fd };
	buf_add(&m->text, first);
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		m->all = (uint64_t)st.st_size;
	return m;
}

struct mbox *
mbox_free(struct mbox *m)
{
	if (m)
		buf_done(&m->text);
	free(m);
	return NULL;
}

void
mbox_progress(const struct mbox *m, uint64_t *ret_done, uint64_t *ret_all)
{
	*ret_done = m->done;
	*ret_all = m->all;
}

/* What was used makes room; more is read behind the rest.  1; 0 at the end; -1: errno. */
static int
mbox_fill(struct mbox *m)
{
	size_t want = READ_MORE;
	ssize_t n;

	if (m->start) {
		memmove(m->text.s, m->text.s + m->start, m->text.len - m->start);
		m->text.len -= m->start;
		m->start = 0;
	}
	if (m->text.len > MESSAGE_MAX) {
		errno = EFBIG;
		return -1;
	}
	do
		n = read(m->fd, buf_room(&m->text, want), want);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		m->text.len += (size_t)n;
	else if (!n)
		m->end = true;
	return n < 0 ? -1 : n > 0;
}

/* "09:30" and "2025" are somewhere in the line. */
static bool
mbox_is_dated(const char *p, const char *end)
{
	bool time = false, year = false;
	unsigned digits = 0;

	for (; p < end && *p != '\n'; p++) {
		if (char_is_digit(*p)) {
			digits++;
			continue;
		}
		time |= digits == 2 && *p == ':' && end - p > 2 && char_is_digit(p[1]) && char_is_digit(p[2]);
		year |= digits == 4;
		digits = 0;
	}
	return time && (year || digits == 4);
}

/* Is the message, which begins at text, over where this "From " stands? */
static bool
mbox_ends(const char *text, const char *p, const char *end)
{
	bool empty = p - text >= 2 && p[-1] == '\n' &&
	             (p[-2] == '\n' || (p - text >= 3 && p[-2] == '\r' && p[-3] == '\n'));

	return empty && mbox_is_dated(p, end);
}

/* Offset of the next "From " line at or after `from`; -1: not in what was read. */
static ptrdiff_t
mbox_find(const struct mbox *m, size_t from)
{
	struct str rest = { m->text.s + from, m->text.len - from };
	ptrdiff_t at;

	while ((at = str_find(rest, STR("\nFrom "))) >= 0) {
		const char *p = rest.s + at + 1;

		/* a line that was not read to its end is looked at again */
		if (!memchr(p, '\n', (size_t)(m->text.s + m->text.len - p)) && !m->end)
			return -1;
		if (mbox_ends(m->text.s + m->start, p, m->text.s + m->text.len))
			return p - m->text.s;
		rest = str_sub(rest, (size_t)at + 1, rest.len);
	}
	return -1;
}

/* Takes one ">" from each line of some ">" and "From ", in place. */
static size_t
mbox_unquote(char *s, size_t len)
{
	struct str rest = { s, len };
	ptrdiff_t at = str_find(rest, STR("\n>"));
	char *to = s, *from = s, *end = s + len;

	while (at >= 0) {
		char *line = (char *)rest.s + at + 1, *p = line;

		while (p < end && *p == '>')
			p++;
		if (end - p >= 5 && !memcmp(p, "From ", 5)) {
			memmove(to, from, (size_t)(line - from));
			to += line - from;
			from = line + 1;
		}
		rest = (struct str){ p, (size_t)(end - p) };
		at = str_find(rest, STR("\n>"));
	}
	if (to == from)
		return len;
	memmove(to, from, (size_t)(end - from));
	return (size_t)(to - s) + (size_t)(end - from);
}

/* The message between two offsets, without its first line and the empty one at its end. */
static struct str
mbox_message(struct mbox *m, size_t from, size_t to)
{
	char *s = m->text.s + from, *end = m->text.s + to;
	char *line = memchr(s, '\n', to - from);

	s = line ? line + 1 : end;
	if (end - s >= 2 && end[-1] == '\n') {
		if (end[-2] == '\n')
			end -= 1;
		else if (end - s >= 3 && end[-2] == '\r' && end[-3] == '\n')
			end -= 2;
	}
	return (struct str){ s, mbox_unquote(s, (size_t)(end - s)) };
}

/* Offset behind the message's start of its last line but one character (the line
 * end before it, for which mbox_find looks), at least `look`. */
static size_t
mbox_last_line(const struct mbox *m, size_t look)
{
	const char *start = m->text.s + m->start;
	const char *line = memrchr(start + look, '\n', m->text.len - m->start - look);

	return line ? (size_t)(line - start) : look;
}

int
mbox_next(struct mbox *m, struct str *ret, size_t *ret_number)
{
	size_t look = 0, from;
	ptrdiff_t at;
	int rc;

	if (m->failed || (m->end && m->start >= m->text.len))
		return 0;
	*ret_number = ++m->number;
	while ((at = mbox_find(m, m->start + look)) < 0 && !m->end) {
		/* not far beyond the last line: its "From " may be cut off, or its date */
		look = mbox_last_line(m, look);
		rc = mbox_fill(m);
		if (rc < 0) {
			m->failed = true;
			return -1;
		}
	}
	from = m->start;
	if (from >= m->text.len)
		return 0;
	m->start = at < 0 ? m->text.len : (size_t)at;
	m->done += m->start - from;
	*ret = mbox_message(m, from, m->start);
	return 1;
}
