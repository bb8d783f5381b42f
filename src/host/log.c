/* log.c - what happened, one line for each event, in syslog or on standard error
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"
#include "host/log.h"

enum { REPEAT_SECONDS = 60 };

/* Where lines go, and the last warning; everything under the lock. */
static struct {
	pthread_mutex_t lock;
	bool syslog;
	char *ident;
	struct buf prefix;              /* of a line on standard error */
	int last_level;
	struct buf last, last_id;       /* empty: none */
	unsigned repeats;
	int64_t since;
} where = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const struct {
	const char *name;
	int value;
} facilities[] = {
	{ "mail", LOG_MAIL }, { "daemon", LOG_DAEMON }, { "user", LOG_USER }, { "auth", LOG_AUTH },
	{ "local0", LOG_LOCAL0 }, { "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 }, { "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 }, { "local7", LOG_LOCAL7 },
};

static const char *const level_word[] = {
	[LOG_ERR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice", [LOG_INFO] = NULL,
};

static int64_t
seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* --- values */

static bool
is_shown(uint32_t code)
{
	return (code > ' ' && code < 0x7f) || (code > 0xa0 && code != 0x2028 && code != 0x2029);
}

/* visible ASCII but '"', '=' and '\' */
static const bool is_plain[256] = {
	['!'] = true, ['#' ... '<'] = true, ['>' ... '['] = true, [']' ... '~'] = true,
};

/* Bytes at the beginning that need no second look, as most values have nothing else. */
static size_t
plain_run(struct str v)
{
	size_t n = 0;

	while (n < v.len && is_plain[(unsigned char)v.s[n]])
		n++;
	return n;
}

static bool
wants_quotes(struct str v)
{
	uint32_t code;
	size_t n = plain_run(v);

	if (!v.len)
		return true;
	for (v = str_sub(v, n, v.len); v.len; v = str_sub(v, n, v.len)) {
		n = utf8_next(v, &code);
		if (!n || !is_shown(code) || code == '"' || code == '\\' || code == '=')
			return true;
	}
	return false;
}

static void
escape(struct buf *out, struct str v)
{
	uint32_t code;
	size_t n;

	for (; v.len; v = str_sub(v, n, v.len)) {
		n = plain_run(v);
		if (n) {
			buf_add(out, str_sub(v, 0, n));
			continue;
		}
		n = utf8_next(v, &code);
		if (n && (code == '"' || code == '\\'))
			buf_printf(out, "\\%c", (char)code);
		else if (n && (code == ' ' || is_shown(code)))
			buf_add(out, str_sub(v, 0, n));
		else
			for (size_t i = 0, k = n ? n : (n = 1); i < k; i++)
				buf_printf(out, "\\x%02X", (unsigned char)v.s[i]);
	}
}

static void
value_add(struct buf *out, struct str v, bool quoted)
{
	struct str cut = v.len > LOG_VALUE_MAX ? utf8_cut(v, LOG_VALUE_MAX) : v;
	bool quotes;

	if (v.len && plain_run(cut) == v.len) {
		buf_add(out, v);
		return;
	}
	quotes = !quoted && (cut.len < v.len || wants_quotes(v));
	if (quotes)
		buf_putc(out, '"');
	escape(out, cut);
	if (cut.len < v.len)
		buf_puts(out, "...");
	if (quotes)
		buf_putc(out, '"');
}

/* --- formats */

/* so that it can be handed on by its address */
struct arguments {
	va_list list;
};

static void
number_add(struct buf *out, char conversion, int longs, struct arguments *args)
{
	if (conversion == 'd' || conversion == 'i') {
		long long v = longs == 2 ? va_arg(args->list, long long) : longs ? va_arg(args->list, long) : va_arg(args->list, int);

		if (v < 0)
			buf_putc(out, '-');
		buf_number(out, v < 0 ? -(unsigned long long)v : (unsigned long long)v);
	} else {
		unsigned long long v = longs == 2 ? va_arg(args->list, unsigned long long) :
		                       longs ? va_arg(args->list, unsigned long) : va_arg(args->list, unsigned);

		if (conversion == 'x')
			buf_printf(out, "%llx", v);
		else
			buf_number(out, v);
	}
}

/* What follows a "%"; returns what follows that, or NULL if it is none of ours. */
static const char *
conversion_add(struct buf *out, const char *f, bool quoted, struct arguments *args)
{
	int precision = -1, longs = 0;
	const char *s;

	if (f[0] == '.' && f[1] == '*') {
		precision = va_arg(args->list, int);
		f += 2;
	}
	for (; *f == 'l'; f++)
		longs++;
	if (*f == 'z' || *f == 'j') {
		longs = *f == 'j' ? 2 : 1;
		f++;
	}
	if (*f == 's') {
		s = va_arg(args->list, const char *);
		s = s ? s : "";
		value_add(out, (struct str){ s, precision < 0 ? strlen(s) : (size_t)precision }, quoted);
	} else if (*f && strchr("diux", *f)) {
		number_add(out, *f, longs, args);
	} else if (*f == '%') {
		buf_putc(out, '%');
	} else {
		return NULL;
	}
	return f + 1;
}

static void
format_add(struct buf *out, const char *f, struct arguments *args)
{
	bool quoted = false;

	/* what comes after a conversion that is none of ours cannot be told: better no values than wrong ones */
	while (f && *f) {
		size_t n = 0;

		for (; f[n] && f[n] != '%'; n++)
			quoted ^= f[n] == '"';
		buf_add(out, (struct str){ f, n });
		f = f[n] ? conversion_add(out, f + n + 1, quoted, args) : NULL;
	}
}

/* --- lines */

enum { LINE_USUAL = 1024 };             /* bytes: what most lines need */

/* The beginning of a line; under the lock. */
static void
line_begin(struct buf *line)
{
	if (where.prefix.len)
		buf_add(line, buf_str(&where.prefix));
	else if (!where.syslog)
		buf_printf(line, "tamis[%ld]: ", (long)getpid());
}

static void
line_write(struct buf *line)
{
	struct str rest;

	buf_putc(line, '\n');
	for (rest = buf_str(line); rest.len; ) {
		ssize_t n = write(STDERR_FILENO, rest.s, rest.len);

		if (n < 0 && errno != EINTR)
			break;
		rest = str_sub(rest, n > 0 ? (size_t)n : 0, rest.len);
	}
}

/* What stands before the text. */
static void
line_about(struct buf *line, int level, const char *id)
{
	if (id && *id) {
		escape(line, utf8_cut(str_from(id), LOG_VALUE_MAX));
		buf_puts(line, ": ");
	}
	if (level_word[level])
		buf_printf(line, "level=%s ", level_word[level]);
}

static void
line_end(struct buf *line, bool to_syslog, int level)
{
	if (line->len > LOG_LINE_MAX)
		line->len = utf8_cut(buf_str(line), LOG_LINE_MAX).len;
	if (to_syslog)
		syslog(level, "%.*s", STR_ARG(buf_str(line)));
	else
		line_write(line);
}

static void
write_repeats(void)
{
	struct buf line = { 0 };
	char text[64];

	if (where.repeats) {
		snprintf(text, sizeof text, "event=repeated times=%u ", where.repeats);
		line_begin(&line);
		line_about(&line, where.last_level, where.last_id.len ? buf_str(&where.last_id).s : NULL);
		buf_puts(&line, text);
		/* others may have said much since */
		buf_add(&line, buf_str(&where.last));
		line_end(&line, where.syslog, where.last_level);
	}
	buf_done(&line);
	where.repeats = 0;
	buf_reset(&where.last);
	buf_reset(&where.last_id);
}

/* Is it what the last warning said?  Then it is counted. */
static bool
is_repeated(int level, struct str id, struct str text)
{
	int64_t now = seconds_now();

	if (level == where.last_level && where.last.len && str_eq(text, buf_str(&where.last)) &&
	    str_eq(id, buf_str(&where.last_id)) && now - where.since < REPEAT_SECONDS) {
		where.repeats++;
		return true;
	}
	write_repeats();
	where.last_level = level;
	where.since = now;
	buf_add(&where.last, text);
	buf_add(&where.last_id, id);
	return false;
}

void
log_line(int level, const char *id, const char *format, ...)
{
	char room[LINE_USUAL];
	struct buf line = BUF_ON(room);
	int saved = errno;
	struct arguments args;
	bool to_syslog;
	size_t text;

	if (level < LOG_ERR || level > LOG_INFO)
		level = level < LOG_ERR ? LOG_ERR : LOG_INFO;
	pthread_mutex_lock(&where.lock);
	line_begin(&line);
	to_syslog = where.syslog;
	pthread_mutex_unlock(&where.lock);
	line_about(&line, level, id);
	text = line.len;
	va_start(args.list, format);
	format_add(&line, format, &args);
	va_end(args.list);
	if (level > LOG_WARNING) {
		/* nobody waits for another's line: the system keeps one whole that is written at once */
		line_end(&line, to_syslog, level);
	} else {
		pthread_mutex_lock(&where.lock);
		if (!is_repeated(level, id ? str_from(id) : STR_EMPTY, str_sub(buf_str(&line), text, line.len)))
			line_end(&line, to_syslog, level);
		pthread_mutex_unlock(&where.lock);
	}
	buf_done(&line);
	errno = saved;
}

/* --- where */

int
log_facility(const char *name)
{
	for (size_t i = 0; i < sizeof facilities / sizeof *facilities; i++)
		if (!strcmp(facilities[i].name, name))
			return facilities[i].value;
	return -1;
}

void
log_open(bool to_stderr, const char *facility, const char *ident)
{
	int value = log_facility(facility);
	char *copy = strdup(ident);

	if (!copy)
		abort();
	pthread_mutex_lock(&where.lock);
	write_repeats();
	if (where.syslog)
		closelog();
	free(where.ident);
	where.ident = copy;
	where.syslog = !to_stderr;
	buf_reset(&where.prefix);
	if (to_stderr)
		buf_printf(&where.prefix, "%s[%ld]: ", ident, (long)getpid());
	else
		openlog(where.ident, LOG_PID | LOG_NDELAY, value < 0 ? LOG_MAIL : value);
	pthread_mutex_unlock(&where.lock);
}

void
log_close(void)
{
	pthread_mutex_lock(&where.lock);
	write_repeats();
	if (where.syslog)
		closelog();
	where.syslog = false;
	free(where.ident);
	where.ident = NULL;
	buf_done(&where.prefix);
	buf_done(&where.last);
	buf_done(&where.last_id);
	pthread_mutex_unlock(&where.lock);
}
