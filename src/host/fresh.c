/* fresh.c - the journal as a new file, without what is dead
 * SPDX-License-Identifier: BSD-2-Clause */
#include "host/fresh.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "host/lines.h"

enum { FLUSH = 65536 };                 /* bytes that are written at a time */

struct copy {
	struct fresh *f;
	struct buf out;
	int error;
};

static void
copy_flush(struct copy *c)
{
	if (!c->error)
		c->error = lines_write(c->f->fd, buf_str(&c->out), c->f->size);
	c->f->size += (off_t)c->out.len;
	buf_reset(&c->out);
}

static void
copy_end_line(struct copy *c)
{
	c->f->lines++;
	if (c->out.len > FLUSH)
		copy_flush(c);
}

static void
copy_line(void *ctx, struct str text)
{
	const struct ledger_entry *e;
	struct copy *c = ctx;
	struct journal_line line;

	if (!lines_parse(text, &line) || line.kind != 'K')
		return;
	e = ledger_find(c->f->keys, line.key);
	if (!e || e->time > line.time)
		return;
	/* of a line from a time that is still to come what is known of it is the time when it was read */
	lines_add(&c->out, 'K', line.key, e->time, line.text);
	copy_end_line(c);
}

static void
copy_known(struct copy *c, char kind, const struct ledger *l)
{
	char times[16];

	for (size_t i = 0; i < l->size; i++) {
		const struct ledger_entry *e = &l->slot[i];

		if (!e->time)
			continue;
		snprintf(times, sizeof times, "%u", e->times);
		lines_add(&c->out, kind, e->key, e->time, str_from(kind == 'T' ? times : "known"));
		copy_end_line(c);
	}
}

int
fresh_write(struct fresh *f)
{
	struct copy c = { .f = f };

	f->size = 0;
	f->lines = 0;
	f->fd = openat(f->directory, "journal.new", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->fd < 0)
		return errno;
	if (f->cut)
		copy_known(&c, 'K', f->keys);
	else if (lines_read(f->old, copy_line, &c) < 0)
		c.error = errno;
	copy_known(&c, 'T', f->troubles);
	copy_flush(&c);
	buf_done(&c.out);
	if (!c.error && (fsync(f->fd) < 0 || renameat(f->directory, "journal.new", f->directory, "journal") < 0))
		c.error = errno;
	if (c.error) {
		close(f->fd);
		unlinkat(f->directory, "journal.new", 0);
	}
	return c.error;
}
