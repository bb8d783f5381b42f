/* doctor_sendmail.c - traps in Sendmail's configuration
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>

#include "host/file.h"
#include "tamis/doctor.h"

enum { CF_MAX = 4 << 20 };              /* bytes of a sendmail.cf */

bool
doctor_ask_sendmail(struct doctor *d, struct str *ret)
{
	struct buf b = { 0 };
	bool read = file_read(AT_FDCWD, d->cf, &b, CF_MAX) == 0;

	if (!read)
		*ret = arena_printf(d->arena, "%s: %s", d->cf, strerror(errno));
	d->cf_text = buf_copy(&b, d->arena);
	buf_done(&b);
	return read;
}

/* The line that begins so and has that in it; empty if there is none. */
static struct str
line_with(struct str text, const char *begin, const char *has)
{
	while (text.len) {
		const char *stop = memchr(text.s, '\n', text.len);
		struct str line = str_sub(text, 0, stop ? (size_t)(stop - text.s) : text.len);

		text = str_sub(text, line.len + (stop != NULL), text.len);
		if (str_starts(line, str_from(begin)) && str_find(line, str_from(has)) >= 0)
			return line;
	}
	return STR_EMPTY;
}

/* "Xtamis, S=unix:/run/tamis/milter.sock, F=T, ..." */
static struct str
filter_line(const struct doctor *d)
{
	const char *slash = strrchr(d->conf->socket, '/'), *colon = strchr(d->conf->socket, ':');

	return line_with(d->cf_text, "X", slash ? slash : colon ? colon + 1 : d->conf->socket);
}

static enum doctor_level
look_attached(const struct doctor *d, struct str *ret)
{
	*ret = filter_line(d);
	if (ret->len)
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "no filter in %s has this socket", d->cf);
	return DOCTOR_ERROR;
}

static enum doctor_level
look_action(const struct doctor *d, struct str *ret)
{
	*ret = filter_line(d);
	return !ret->len || str_find(*ret, STR("F=T")) >= 0 ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_last(const struct doctor *d, struct str *ret)
{
	struct str line = filter_line(d), name, filters = line_with(d->cf_text, "O InputMailFilters", "");
	const char *comma = memchr(line.s, ',', line.len);

	*ret = filters;
	if (!comma || !filters.len)
		return DOCTOR_FINE;
	name = str_trim(str_sub(line, 1, (size_t)(comma - line.s)));
	filters = str_trim(filters);
	return filters.len >= name.len && str_eq(str_sub(filters, filters.len - name.len, filters.len), name) ?
	       DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_delimiter(const struct doctor *d, struct str *ret)
{
	*ret = arena_printf(d->arena, "\"+\", here \"%s\"", d->conf->recipient_delimiter);
	return !strcmp(d->conf->recipient_delimiter, "+") ? DOCTOR_FINE : DOCTOR_ERROR;
}

const struct doctor_trap doctor_sendmail[] = {
	{ "filter", look_attached, "add INPUT_MAIL_FILTER(`tamis', `S=unix:..., F=T, T=C:30s;S:30s;R:30s;E:5m')" },
	{ "F=T", look_action, "add F=T to the filter: without it, mail is lost when the milter dies" },
	{ "last filter", look_last, "name tamis-milter last: recipients that a later filter refuses would be added again" },
	{ "delimiter", look_delimiter, "Sendmail's is +: set recipient_delimiter = +" },
	{ NULL, NULL, NULL }
};
