/* log.c - what happened, one line for each event, in syslog or on standard error
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/utf8.h"
#include "host/log.h"
#include "host/moment.h"
#include "host/outlet.h"

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

/* --- values */

/* What is not seen, and what has letters around it seen in another order: a line of the log is what it looks like. */
static const struct range {
	uint32_t first, last;
} unseen[] = {
	{ 0, ' ' }, { 0x7f, 0xa0 }, { 0xad, 0xad }, { 0x61c, 0x61c }, { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
	{ 0xfeff, 0xfeff },
};

static bool
is_shown(uint32_t code)
{
	for (const struct range *r = unseen; r < unseen + sizeof(unseen) / sizeof(*unseen); r++)
		if (code >= r->first && code <= r->last)
			return false;
	return true;
}

/* visible ASCII but '"', '=' and '\' */
static const bool is_plain[256] = {
	['!'] = true, ['#' ... '<'] = true, ['>' ... '['] = true, [']' ... '~'] = true,
};

static bool
four_are_plain(const char *p)
{
	const unsigned char *c = (const unsigned char *)p;

	return is_plain[c[0]] & is_plain[c[1]] & is_plain[c[2]] & is_plain[c[3]];
}

/* Bytes at the beginning that need no second look, as most values have nothing else. */
static size_t
plain_run(struct str v)
{
	size_t n = 0;

	while (n + 4 <= v.len && four_are_plain(v.s + n))
		n += 4;
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
	const bool quotes = strchr(f, '"') != NULL;
	bool quoted = false;

	/* what comes after a conversion that is none of ours cannot be told: better no values than wrong ones */
	while (f && *f) {
		const char *end = strchrnul(f, '%');
		struct str text = { f, (size_t)(end - f) };

		for (const char *q = f; quotes && (q = memchr(q, '"', (size_t)(end - q))); q++)
			quoted = !quoted;
		buf_add(out, text);
		f = *end ? conversion_add(out, end + 1, quoted, args) : NULL;
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

/* What stands before the text. */
static void
line_about(struct buf *line, int level, const char *id)
{
	if (id && *id) {
		value_add(line, utf8_cut(str_from(id), LOG_VALUE_MAX), true);
		buf_add(line, STR(": "));
	}
	if (level_word[level])
		buf_printf(line, "level=%s ", level_word[level]);
}

static void
line_end(struct buf *line, bool to_syslog, int level)
{
	if (line->len > LOG_LINE_MAX)
		line->len = utf8_cut(buf_str(line), LOG_LINE_MAX).len;
	outlet_put(to_syslog, level, buf_str(line));
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

void
log_anew(void)
{
	pthread_mutex_lock(&where.lock);
	write_repeats();
	pthread_mutex_unlock(&where.lock);
}

/* Is it what the last warning said?  Then it is counted. */
static bool
is_repeated(int level, struct str id, struct str text)
{
	int64_t now = moment_seconds();

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

/* A line that is being put together. */
struct saying {
	struct buf line;
	int level;
	const char *id;
	bool syslog;
	size_t text;                    /* where that begins, behind level and id */
};

static void
saying_begin(struct saying *s, int level, const char *id)
{
	s->level = level < LOG_ERR ? LOG_ERR : level > LOG_INFO ? LOG_INFO : level;
	s->id = id;
	pthread_mutex_lock(&where.lock);
	line_begin(&s->line);
	s->syslog = where.syslog;
	pthread_mutex_unlock(&where.lock);
	line_about(&s->line, s->level, id);
	s->text = s->line.len;
}

static void
saying_end(struct saying *s)
{
	unsigned lost;

	if (s->level > LOG_WARNING) {
		line_end(&s->line, s->syslog, s->level);
	} else {
		pthread_mutex_lock(&where.lock);
		if (!is_repeated(s->level, s->id ? str_from(s->id) : STR_EMPTY,
		                 str_sub(buf_str(&s->line), s->text, s->line.len)))
			line_end(&s->line, s->syslog, s->level);
		pthread_mutex_unlock(&where.lock);
	}
	buf_done(&s->line);
	lost = outlet_lost();
	if (lost)
		log_line(LOG_WARNING, NULL, "event=lost lines=%u error=%s", lost, "the log was not read in time");
}

void
log_line(int level, const char *id, const char *format, ...)
{
	char room[LINE_USUAL];
	struct saying s = { .line = BUF_ON(room) };
	int saved = errno;
	struct arguments args;

	saying_begin(&s, level, id);
	va_start(args.list, format);
	format_add(&s.line, format, &args);
	va_end(args.list);
	saying_end(&s);
	errno = saved;
}

static void
key_add(struct buf *line, const char *key, bool first)
{
	size_t n = strlen(key);
	char *to = buf_room(line, n + 2);

	if (!first)
		*to++ = ' ';
	to = (char *)mempcpy(to, key, n);
	*to++ = '=';
	line->len = (size_t)(to - line->s);
}

void
log_values(int level, const char *id, const struct log_value *v, size_t n)
{
	char room[LINE_USUAL];
	struct saying s = { .line = BUF_ON(room) };
	int saved = errno;

	saying_begin(&s, level, id);
	for (size_t i = 0; i < n; i++) {
		key_add(&s.line, v[i].key, !i);
		value_add(&s.line, v[i].value, false);
	}
	saying_end(&s);
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

int
log_start(void)
{
	bool to_syslog;

	pthread_mutex_lock(&where.lock);
	to_syslog = where.syslog;
	pthread_mutex_unlock(&where.lock);
	return outlet_start(to_syslog);
}

void
log_close(void)
{
	pthread_mutex_lock(&where.lock);
	write_repeats();
	pthread_mutex_unlock(&where.lock);
	outlet_stop();
	pthread_mutex_lock(&where.lock);
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
