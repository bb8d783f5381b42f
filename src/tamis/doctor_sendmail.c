/* doctor_sendmail.c - traps in Sendmail's configuration
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "host/file.h"
#include "tamis/doctor_master.h"
#include "tamis/doctor_names.h"

enum { CF_MAX = 4 << 20 };              /* bytes of a sendmail.cf */

bool
doctor_ask_sendmail(struct doctor *d, struct str *ret)
{
	struct buf b = { 0 };
	bool read = file_read(AT_FDCWD, d->cf, &b, CF_MAX) == 0;

	if (!read)
		*ret = arena_printf(d->arena, "%s: %s", d->cf, strerror(errno));
	/* a line goes on where the next one begins with a blank */
	for (size_t i = 0; i + 1 < b.len; i++)
		if (b.s[i] == '\n' && (b.s[i + 1] == ' ' || b.s[i + 1] == '\t'))
			b.s[i] = ' ';
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

/* What tamis-milter takes it for. */
static enum doctor_level
look_kind(const struct doctor *d, struct str *ret)
{
	*ret = d->conf->mta == CONF_MTA_AUTO ? STR("auto") : d->conf->mta == CONF_MTA_SENDMAIL ? STR("sendmail") : STR("postfix");
	return d->conf->mta == CONF_MTA_POSTFIX ? DOCTOR_ERROR : DOCTOR_FINE;
}

/* Of "Xtamis, S=unix:/run/tamis/milter.sock, F=T, ...", whose socket has the name of ours: is it another?  By another path it
 * may be the same. */
static bool
is_other_socket(const struct doctor *d, struct str line)
{
	const char *ours = strchr(d->conf->socket, '/'), *path = memchr(line.s, '/', line.len), *comma;
	struct stat a, b;
	bool we, they;

	if (!ours || !path)
		return false;
	line = str_sub(line, (size_t)(path - line.s), line.len);
	comma = memchr(line.s, ',', line.len);
	line = arena_str(d->arena, str_trim(str_sub(line, 0, comma ? (size_t)(comma - line.s) : line.len)));
	if (str_is(line, ours))
		return false;
	we = stat(ours, &a) == 0;
	they = stat(line.s, &b) == 0;
	return we && they ? a.st_dev != b.st_dev || a.st_ino != b.st_ino : we || they;
}

static struct str
filter_line(const struct doctor *d)
{
	const char *slash = strrchr(d->conf->socket, '/'), *colon = strchr(d->conf->socket, ':');
	struct str rest = d->cf_text, line;

	do {
		line = line_with(rest, "X", slash ? slash : colon ? colon + 1 : d->conf->socket);
		if (line.len)
			rest = str_sub(rest, (size_t)(line.s + line.len - rest.s), rest.len);
	} while (line.len && is_other_socket(d, line));
	return line;
}

static enum doctor_level
look_action(const struct doctor *d, struct str *ret)
{
	*ret = filter_line(d);
	/* F=4 hangs up as well, which a sender takes as the same */
	return !ret->len || str_find(*ret, STR("F=T")) >= 0 || str_find(*ret, STR("F=4")) >= 0 ? DOCTOR_FINE : DOCTOR_ERROR;
}

/* "T=C:30s;S:30s;R:30s;E:5m": of that letter in seconds, or what holds when it is not told. */
static unsigned
seconds_of(struct str line, char letter, unsigned standard)
{
	ptrdiff_t at = str_find(line, STR("T="));
	const char *p = at < 0 ? NULL : line.s + at + 2, *end = line.s + line.len;
	unsigned n = 0;

	for (; p && p < end && *p != ','; p++) {
		if (p + 1 >= end || *p != letter || p[1] != ':')
			continue;
		for (p += 2; p < end && char_is_digit(*p) && n < 1000000; p++)
			n = n * 10 + (unsigned)(*p - '0');
		return n * (p < end && *p == 'm' ? 60 : p < end && *p == 'h' ? 3600 : 1);
	}
	return standard;
}

/* R: is for each answer, but at the end of a message the daemon says every two seconds that work goes on; E: is for all of
 * that together. */
static enum doctor_level
look_timeouts(const struct doctor *d, struct str *ret)
{
	struct str line = filter_line(d);
	unsigned reply = seconds_of(line, 'R', 10), all = seconds_of(line, 'E', 300);   /* Sendmail's own defaults */

	if (!line.len)
		return DOCTOR_FINE;
	*ret = arena_printf(d->arena, "R:%us, E:%us; here rcpt_deadline %us, message_deadline %us", reply, all,
	                    (unsigned)d->conf->rcpt_deadline, (unsigned)d->conf->message_deadline);
	return reply > d->conf->rcpt_deadline && all > d->conf->message_deadline ? DOCTOR_FINE : DOCTOR_ERROR;
}

/* --- its place */

/* The next of "tamis-strip;tamis", also with commas. */
static struct str
next_filter(struct str *rest)
{
	struct str name;
	size_t n = 0;

	while (n < rest->len && rest->s[n] != ';' && rest->s[n] != ',')
		n++;
	name = str_trim(str_sub(*rest, 0, n));
	*rest = str_sub(*rest, n + (n < rest->len), rest->len);
	return name;
}

/* The names of "O InputMailFilters=first, second" before ours and behind it; false: ours is not there. */
static bool
find_place(const struct doctor *d, struct str *ret_filters, size_t *ret_before, size_t *ret_behind)
{
	struct str line = filter_line(d), filters = str_trim(line_with(d->cf_text, "O InputMailFilters", "")), name, rest;
	const char *comma = memchr(line.s, ',', line.len);
	bool found = false;

	*ret_filters = filters;
	*ret_before = *ret_behind = 0;
	if (!comma || !filters.len)
		return false;
	name = str_trim(str_sub(line, 1, (size_t)(comma - line.s)));
	rest = str_sub(filters, (size_t)(str_find(filters, STR("=")) + 1), filters.len);
	while (rest.len) {
		if (str_eq(next_filter(&rest), name))
			found = true;
		else
			++*(found ? ret_behind : ret_before);
	}
	return found;
}

static enum doctor_level
look_last(const struct doctor *d, struct str *ret)
{
	size_t before, behind;

	return find_place(d, ret, &before, &behind) && behind && d->conf->mode != CONF_STRIP ? DOCTOR_ERROR : DOCTOR_FINE;
}

/* What senders write must be gone before others add theirs. */
static enum doctor_level
look_first(const struct doctor *d, struct str *ret)
{
	size_t before, behind;

	if (!find_place(d, ret, &before, &behind))
		return DOCTOR_FINE;
	if (d->conf->mode == CONF_STRIP)
		return before ? DOCTOR_ERROR : DOCTOR_FINE;
	return before || d->conf->mode == CONF_FINAL ? DOCTOR_FINE : DOCTOR_WARNING;
}

/* Sendmail takes no socket from a directory that anybody can write, nor from below one. */
static enum doctor_level
look_directory(const struct doctor *d, struct str *ret)
{
	const char *path = strchr(d->conf->socket, '/');
	struct stat st;

	for (const char *slash = path ? strrchr(path, '/') : NULL; slash; slash = memrchr(path, '/', (size_t)(slash - path))) {
		struct str directory = slash == path ? STR("/") : arena_str(d->arena, (struct str){ path, (size_t)(slash - path) });

		if (stat(directory.s, &st) < 0 || !(st.st_mode & 022))
			continue;
		*ret = arena_printf(d->arena, "%s: mode %04o", directory.s, (unsigned)(st.st_mode & 07777));
		return st.st_mode & 02 ? DOCTOR_ERROR : DOCTOR_WARNING;
	}
	*ret = str_from(d->conf->socket);
	return DOCTOR_FINE;
}

/* --- ports */

/* "O DaemonPortOptions=Name=MTA, Addr=127.0.0.1, Port=10026": the value of that name; empty.  Sendmail looks at the first
 * letter of a name alone. */
static struct str
option_of(struct str line, const char *name, bool *ret_told)
{
	*ret_told = false;
	line = str_sub(line, (size_t)(str_find(line, STR("=")) + 1), line.len);
	while (line.len) {
		const char *stop = memchr(line.s, ',', line.len);
		struct str one = str_trim(str_sub(line, 0, stop ? (size_t)(stop - line.s) : line.len));
		ptrdiff_t eq = str_find(one, STR("="));

		line = str_sub(line, stop ? (size_t)(stop + 1 - line.s) : line.len, line.len);
		if (eq < 1 || char_lower(*one.s) != char_lower(*name))
			continue;
		*ret_told = true;
		return str_trim(str_sub(one, (size_t)eq + 1, one.len));
	}
	return STR_EMPTY;
}

/* The daemon that listens at a port of this machine; empty. */
static struct str
daemon_at(const struct doctor *d, const char *where)
{
	struct str text = d->cf_text, port = str_from(strrchr(where, ':') + 1), line;
	const unsigned number = master_port_number(d, port);
	bool told;

	while (text.len) {
		const char *stop = memchr(text.s, '\n', text.len);

		line = str_sub(text, 0, stop ? (size_t)(stop - text.s) : text.len);
		text = str_sub(text, line.len + (stop != NULL), text.len);
		if (str_starts(line, STR("O DaemonPortOptions=")) && number &&
		    master_port_number(d, option_of(line, "Port", &told)) == number)
			return line;
	}
	return STR_EMPTY;
}

/* A port of another machine: *ret says so. */
static bool
is_elsewhere(const struct doctor *d, const char *where, struct str *ret)
{
	if (master_is_here(where))
		return false;
	*ret = arena_printf(d->arena, "%s: another machine, whose settings are not seen", where);
	return true;
}

static enum doctor_level
look_port(const struct doctor *d, struct str *ret)
{
	const char *where = d->conf->copy_to;
	struct str line, filters;
	bool told;

	*ret = *where ? str_from(where) : STR("not set");
	if (!str_starts(*ret, STR("smtp:")) || strchr(where, '/'))
		return DOCTOR_FINE;
	if (is_elsewhere(d, where, ret))
		return DOCTOR_NOTE;
	line = daemon_at(d, where);
	*ret = line.len ? line : arena_printf(d->arena, "%s: no daemon has that port", where);
	filters = option_of(line, "InputMailFilters", &told);
	return line.len && told && !filters.len ? DOCTOR_FINE : DOCTOR_ERROR;
}

static bool
has_filter(struct str filters, struct str name)
{
	while (filters.len)
		if (str_eq(next_filter(&filters), name))
			return true;
	return false;
}

/* MAIL_FILTER defines one that nobody asks.  The port of redirects is of no account. */
static bool
is_asked(const struct doctor *d, struct str name)
{
	struct str text = d->cf_text, redirects = *d->conf->filtered_to ? daemon_at(d, d->conf->filtered_to) : STR_EMPTY;
	bool told;

	while (text.len) {
		const char *stop = memchr(text.s, '\n', text.len);
		struct str line = str_sub(text, 0, stop ? (size_t)(stop - text.s) : text.len);

		text = str_sub(text, line.len + (stop != NULL), text.len);
		if (str_starts(line, STR("O InputMailFilters=")) &&
		    has_filter(str_sub(line, strlen("O InputMailFilters="), line.len), name))
			return true;
		if (str_starts(line, STR("O DaemonPortOptions=")) && line.s != redirects.s &&
		    has_filter(option_of(line, "InputMailFilters", &told), name))
			return true;
	}
	return false;
}

static enum doctor_level
look_attached(const struct doctor *d, struct str *ret)
{
	struct str line = filter_line(d);
	const char *comma = memchr(line.s, ',', line.len);

	*ret = line;
	if (!line.len)
		*ret = arena_printf(d->arena, "no filter in %s has this socket", d->cf);
	else if (comma && !is_asked(d, str_trim(str_sub(line, 1, (size_t)(comma - line.s)))))
		*ret = arena_printf(d->arena, "%.*s: it is in no list of InputMailFilters, so nobody asks it", STR_ARG(line));
	else
		return DOCTOR_FINE;
	return DOCTOR_ERROR;
}

/* What rules have redirected is asked about there, and counts how often it has been.  Behind the queue the port is that of
 * the first Sendmail, which is not seen. */
static enum doctor_level
look_filtered(const struct doctor *d, struct str *ret)
{
	const char *where = d->conf->filtered_to;
	struct str line, filters, all = line_with(d->cf_text, "O InputMailFilters=", ""), ours = filter_line(d);
	const char *comma = memchr(ours.s, ',', ours.len);
	bool told;

	*ret = *where ? str_from(where) : STR("not set");
	if (!*where || strchr(where, '/') || d->conf->effect == CONF_REFUSE)
		return DOCTOR_FINE;
	if (is_elsewhere(d, where, ret))
		return DOCTOR_NOTE;
	line = daemon_at(d, where);
	if (!line.len) {
		*ret = arena_printf(d->arena, "%s: no daemon of %s has that port", where, d->cf);
		return d->conf->mode == CONF_FINAL ? DOCTOR_FINE : DOCTOR_NOTE;
	}
	*ret = line;
	filters = option_of(line, "InputMailFilters", &told);
	if (!told)
		filters = str_sub(all, (size_t)(str_find(all, STR("=")) + 1), all.len);
	if (has_filter(filters, STR("tamis-strip")))
		return DOCTOR_ERROR;
	/* that there is no filter of ours at all is told already */
	return !comma || has_filter(filters, str_trim(str_sub(ours, 1, (size_t)(comma - ours.s)))) ? DOCTOR_FINE : DOCTOR_ERROR;
}

static enum doctor_level
look_reach(const struct doctor *d, struct str *ret)
{
	const char *where = d->conf->copy_to;
	bool told;

	if (!str_starts(str_from(where), STR("smtp:")) || !master_is_here(where))
		return DOCTOR_FINE;
	*ret = daemon_at(d, where);
	return !ret->len || str_starts(option_of(*ret, "Addr", &told), STR("127.")) ? DOCTOR_FINE : DOCTOR_WARNING;
}

/* It counts the processes of all daemons, and refuses at each. */
static enum doctor_level
look_children(const struct doctor *d, struct str *ret)
{
	uint64_t most;

	*ret = str_trim(line_with(d->cf_text, "O MaxDaemonChildren=", ""));
	if (!*d->conf->copy_to || d->conf->effect == CONF_REFUSE || !ret->len)
		return DOCTOR_FINE;
	return str_number(str_sub(*ret, (size_t)(str_find(*ret, STR("=")) + 1), ret->len), &most) && !most ? DOCTOR_FINE : DOCTOR_WARNING;
}

static enum doctor_level
look_delimiter(const struct doctor *d, struct str *ret)
{
	*ret = arena_printf(d->arena, "\"+\", here \"%s\"", d->conf->recipient_delimiter);
	return !strcmp(d->conf->recipient_delimiter, "+") ? DOCTOR_FINE : DOCTOR_ERROR;
}

/* Sendmail takes the machine's own name and its $j for its own as well, whatever class w says. */
static void
add_own(const struct doctor *d, struct names_known *k)
{
	struct str j = str_trim(line_with(d->cf_text, "Dj", ""));

	if (j.len && !memchr(j.s, '$', j.len))
		names_add_domain(d, k, str_sub(j, 2, j.len));
	names_add_host(d, k);
}

/* Class w: "Cwlocalhost example.org", "Fw-o /etc/mail/local-host-names". */
static void
add_class(const struct doctor *d, struct names_known *k, struct str line)
{
	struct str values = str_sub(line, 2, line.len), word;

	while (master_next_word(&values, &word)) {
		if (line.s[0] == 'C')
			names_add_domain(d, k, word);
		else if (word.s[0] == '/')
			names_add_file(d, k, arena_str(d->arena, word).s);
	}
}

static enum doctor_level
look_names(const struct doctor *d, struct str *ret)
{
	struct names_known k = { .unknown = STR_EMPTY };
	struct str text = d->cf_text, probes = line_with(d->cf_text, "O DontProbeInterfaces=", "");

	while (text.len) {
		const char *stop = memchr(text.s, '\n', text.len);
		struct str line = str_sub(text, 0, stop ? (size_t)(stop - text.s) : text.len);

		text = str_sub(text, line.len + (stop != NULL), text.len);
		if (str_starts(line, STR("Cw")) || str_starts(line, STR("Fw")))
			add_class(d, &k, line);
	}
	add_own(d, &k);
	if (str_find(probes, STR("=True")) < 0)
		names_add_addresses(d, &k, false, true);
	return names_level(&k, ret);
}

const struct doctor_trap doctor_sendmail[] = {
	{ "mta", look_kind, "set mta = sendmail in tamis.conf: otherwise this server is taken for a Postfix, and a recipient who "
	  "discards takes the message away from others with the same mailbox" },
	{ "filter", look_attached, "add INPUT_MAIL_FILTER(`tamis', `S=unix:..., F=T, T=C:30s;S:30s;R:5m;E:5m')" },
	{ "F=T", look_action, "set F=T at the filter: without it mail passes without rules while the milter is away, and may come "
	  "twice when it dies; with F=R it is refused" },
	{ "timeouts", look_timeouts, "set R: in T=... above rcpt_deadline, and E: above message_deadline: Sendmail gives up "
	  "while rules run" },
	{ "last filter", look_last, "name tamis-milter last: recipients that a later filter refuses would be added again" },
	{ "first filter", look_first, "make tamis-strip the first of all filters: senders can forge our fields "
	  "(doc/sendmail.md)" },
	{ "socket's directory", look_directory, "put the socket below /run, into a directory that only its owner can write "
	  "(chmod go-w): Sendmail takes none from below one that everybody can write, and without GroupWritableDirPathSafe "
	  "none from below one that its group can" },
	{ "copy_to", look_port, "give that port a daemon: DAEMON_OPTIONS(`Name=tamis-copies, Addr=127.0.0.1, Port=..., InputMailFilters=')" },
	{ "filtered_to", look_filtered, "give that port a daemon: DAEMON_OPTIONS(`Name=tamis-redirects, "
	  "Addr=127.0.0.1, Port=..., InputMailFilters=tamis'); tamis-strip would remove what counts how often a "
	  "message has come round" },
	{ "open port", look_reach, "set Addr=127.0.0.1 there: whoever reaches it is past all filters" },
	{ "children", look_children, "unset confMAX_DAEMON_CHILDREN, and set children=... in DAEMON_OPTIONS of the "
	  "daemon that faces the world: when clients use all of them no copy is taken, and mail that needs one is "
	  "told to try again later" },
	{ "names", look_names, NAMES_REMEDY },
	{ "delimiter", look_delimiter, "Sendmail's is +: set recipient_delimiter = +" },
	{ NULL, NULL, NULL }
};
