/* lines.c - the lines of the journal, as they stand in its file
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/digest.h"
#include "host/lines.h"

enum { LINE_MOST = 2 + 2 * JOURNAL_KEY + 1 + 20 + 1 + JOURNAL_TEXT_MAX + 1 };

void
lines_add(struct buf *out, char kind, const uint8_t *key, int64_t time, struct str text)
{
	char hex[DIGEST_HEX];

	digest_hex(key, JOURNAL_KEY, hex);
	buf_printf(out, "%c %s %lld ", kind, hex, (long long)time);
	for (size_t i = 0; i < text.len && i < JOURNAL_TEXT_MAX; i++)
		buf_putc(out, (unsigned char)text.s[i] < ' ' || text.s[i] == 0x7f ? '?' : text.s[i]);
	buf_putc(out, '\n');
}

bool
lines_parse(struct str v, struct journal_line *ret)
{
	uint64_t time;
	const char *blank;

	if (v.len < 2 + 2 * JOURNAL_KEY + 1 || (v.s[0] != 'K' && v.s[0] != 'T') || v.s[1] != ' ' ||
	    v.s[2 + 2 * JOURNAL_KEY] != ' ' || !digest_unhex(str_sub(v, 2, 2 + 2 * JOURNAL_KEY), ret->key, JOURNAL_KEY))
		return false;
	ret->kind = v.s[0];
	v = str_sub(v, 3 + 2 * JOURNAL_KEY, v.len);
	blank = memchr(v.s, ' ', v.len);
	if (!blank || !str_number(str_sub(v, 0, (size_t)(blank - v.s)), &time) || !time || time > INT64_MAX / 2)
		return false;
	ret->time = (int64_t)time;
	ret->text = str_sub(v, (size_t)(blank + 1 - v.s), v.len);
	return true;
}

off_t
lines_read(int fd, void (*each)(void *ctx, struct str line), void *ctx)
{
	char bytes[65536];
	size_t have = 0;
	off_t at = 0, good = 0;
	bool skipping = false;          /* the rest of a line that is too long to be one */

	for (;;) {
		ssize_t n = pread(fd, bytes + have, sizeof bytes - have, at);
		char *start = bytes, *end;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -1 : good;
		at += n;
		have += (size_t)n;
		while ((end = memchr(start, '\n', have))) {
			each(ctx, skipping ? STR_EMPTY : (struct str){ start, (size_t)(end - start) });
			skipping = false;
			have -= (size_t)(end + 1 - start);
			start = end + 1;
			good = at - (off_t)have;
		}
		memmove(bytes, start, have);
		if (have > LINE_MOST) {
			skipping = true;
			have = 0;
		}
	}
}

int
lines_write(int fd, struct str v, off_t at)
{
	while (v.len) {
		ssize_t n = pwrite(fd, v.s, v.len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : EIO;
		at += n;
		v = str_sub(v, (size_t)n, v.len);
	}
	return 0;
}
