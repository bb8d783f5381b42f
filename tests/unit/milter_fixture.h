/* milter_fixture.h - a daemon in this process, and a mail server that writes down what it is told
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_MILTER_FIXTURE_H
#define TESTS_MILTER_FIXTURE_H

#include <stdarg.h>
#include <sys/syscall.h>
#include <time.h>

#include "milter/daemon.h"
#include "milter/session.h"
#include "rulebook.h"
#include "smtp_sink.h"

/* --- a clock that runs as a test wants it: each look at it takes so many milliseconds */

static _Atomic int64_t clock_ahead, clock_step;

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = (int)syscall(SYS_clock_gettime, id, ts);

	if (id == CLOCK_MONOTONIC) {
		int64_t ms = atomic_fetch_add(&clock_ahead, clock_step) + ts->tv_nsec / 1000000;

		ts->tv_sec += ms / 1000;
		ts->tv_nsec = ms % 1000 * 1000000;
	}
	return rc;
}

/* --- a mail server */

struct recorder {
	struct buf said;                /* "+x@example.net | -<a@example.org> | accept" */
	pthread_mutex_t lock;
	const char *macros;             /* "i=ID {rcpt_addr}=a@example.org" */
	const char *fails;              /* "+", "-", "top", "end", "del", "from": that cannot be told any more */
	atomic_uint progress;
};

static inline int
recorder_say(struct recorder *r, const char *verb, const char *format, ...)
{
	va_list args;
	char text[4000];

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	pthread_mutex_lock(&r->lock);
	buf_printf(&r->said, "%s%s%s", r->said.len ? " | " : "", verb, text);
	pthread_mutex_unlock(&r->lock);
	return r->fails && !strcmp(r->fails, verb) ? -1 : 0;
}

static inline const char *
recorder_macro(void *ctx, const char *name)
{
	static _Thread_local char value[300];
	struct recorder *r = ctx;
	char key[60];
	const char *at, *end;

	snprintf(key, sizeof key, "%s=", name);
	at = r->macros ? strstr(r->macros, key) : NULL;
	if (!at)
		return NULL;
	at += strlen(key);
	end = strchr(at, ' ');
	snprintf(value, sizeof value, "%.*s", (int)(end ? (size_t)(end - at) : strlen(at)), at);
	return value;
}

static inline int
recorder_add(void *ctx, const char *address, const char *args)
{
	return recorder_say(ctx, "+", *args ? "%s %s" : "%s", address, args);
}

static inline int
recorder_delete(void *ctx, const char *argument)
{
	return recorder_say(ctx, "-", "%s", argument);
}

static inline int
recorder_sender(void *ctx, const char *address)
{
	return recorder_say(ctx, "from", " <%s>", address);
}

static inline int
recorder_insert(void *ctx, const char *name, const char *value)
{
	/* nobody can foretell the name */
	return recorder_say(ctx, "top", " %.*s:%s", str_starts(str_from(name), STR("Tamis-File-")) ? 10 : 100, name, value);
}

static inline int
recorder_append(void *ctx, const char *name, const char *value)
{
	return recorder_say(ctx, "end", " %s:%s", name, value);
}

static inline int
recorder_cut(void *ctx, const char *name, int index)
{
	return recorder_say(ctx, "del", " %s %d", name, index);
}

static inline int
recorder_quarantine(void *ctx, const char *reason)
{
	return recorder_say(ctx, "quarantine", " %s", reason);
}

static inline void
recorder_progress(void *ctx)
{
	struct recorder *r = ctx;

	r->progress++;
}

/* The next field, unfolded; empty: the header is over. */
static inline struct str
recorder_field(struct str *rest)
{
	static _Thread_local char text[2000];
	size_t i = 0, n = 0;

	for (; i < rest->len; i++) {
		if (rest->s[i] != '\r' && rest->s[i] != '\n' && n < sizeof text - 1)
			text[n++] = rest->s[i];
		if (rest->s[i] == '\n' && (!n || i + 1 == rest->len || (rest->s[i + 1] != ' ' && rest->s[i + 1] != '\t')))
			break;
	}
	text[n] = '\0';
	*rest = str_sub(*rest, i + (i < rest->len), rest->len);
	return (struct str){ text, n };
}

/* What left as a copy: its envelope, and those of its fields that rules or we make. */
static inline void
recorder_copy(void *ctx, struct sink *s)
{
	struct buf b = { 0 };
	struct str rest = buf_str(&s->message);

	while (rest.len) {
		struct str line = recorder_field(&rest);

		if (!line.len)
			break;
		if (str_starts(line, STR("Tamis-File-")))
			buf_printf(&b, " [Tamis-File%s]", strchr(line.s, ':') ? "" : "?");
		else if (str_starts(line, STR("Tamis-Redirected: ")))
			buf_printf(&b, " [%.*s]", (int)strcspn(line.s + 18, " ") + 18, line.s);
		else if (str_istarts(line, STR("X-")) || str_starts(line, STR("Tamis-")))
			buf_printf(&b, " [%.*s]", STR_ARG(line));
		else if (str_starts(line, STR("Content-Type: multipart/report")))
			buf_puts(&b, " [report]");
	}
	if (!rest.len)
		buf_puts(&b, " [no body]");
	recorder_say(ctx, "copy", " %s%s", buf_str(&s->taken).s, buf_str(&b).s);
	buf_done(&b);
}

/* --- all together */

static struct daemon server;
static struct sink port;
static struct recorder recorder;
static struct mta mta;

#define REQUIRE "require [\"ereject\", \"reject\", \"fileinto\", \"copy\", \"editheader\", \"imap4flags\", " \
	"\"envelope\", \"vnd.tamis.quarantine\", \"body\", \"variables\", \"environment\", \"regex\", \"subaddress\", \"include\", \"encoded-character\"];\n"

/* "a RULES", one user a line; "a" alone takes his away. */
static inline void
rules(const char *text)
{
	struct str rest = str_from(text);
	char path[200];

	while (rest.len) {
		const char *end = memchr(rest.s, '\n', rest.len);
		struct str line = str_sub(rest, 0, end ? (size_t)(end - rest.s) : rest.len);
		const char *blank = memchr(line.s, ' ', line.len);
		size_t n = blank ? (size_t)(blank - line.s) : line.len;
		struct buf b = { 0 };

		rest = str_sub(rest, line.len + (end != NULL), rest.len);
		snprintf(path, sizeof path, "rules/example.org/%.*s.sieve", (int)n, line.s);
		buf_printf(&b, REQUIRE "%.*s\n", STR_ARG(str_sub(line, n, line.len)));
		if (blank)
			replace(path, buf_str(&b).s);
		else
			unlink(at(path));
		buf_done(&b);
	}
}

static inline struct conf *
configuration(const char *more)
{
	struct buf b = { 0 };
	struct conf *c;

	/* what the test says itself counts */
	if (!strstr(more, "copy_to"))
		buf_printf(&b, "copy_to = smtp:127.0.0.1:%u\n", port.port);
	if (strncmp(more, "effect =", 8))
		buf_puts(&b, "effect = full\n");
	if (!strstr(more, "hostname ="))
		buf_puts(&b, "hostname = mx.example.org\n");
	if (strstr(more, "filtered"))
		buf_printf(&b, "filtered_to = smtp:127.0.0.1:%u\n", port.port);
	if (!strstr(more, "spill_dir"))
		buf_printf(&b, "spill_dir = %s\n", dir);
	if (!strstr(more, "secret_file"))
		buf_printf(&b, "secret_file = %s/secret\n", dir);
	buf_printf(&b, "state_dir = %s/state\nlog = stderr\n", dir);
	buf_puts(&b, !strncmp(more, "filtered", 8) ? more + 8 : more);
	c = configure(buf_str(&b).s);
	buf_done(&b);
	return c;
}

static inline void
begin(const char *more)
{
	struct conf *c = configuration(more);
	static char path[600];
	struct diag d;

	snprintf(path, sizeof path, "%s", at("tamis.conf"));
	diag_init(&d, stderr);
	ck_assert_int_eq(daemon_init(&server, path, c, &d), 0);
	diag_done(&d);
}

static inline void
end(void)
{
	clock_ahead = clock_step = 0;   /* libcheck has a look as well */
	slots_close(server.slots);
	journal_close(server.journal);
	pool_done(&server.pool);
	setup_unref(server.setup);
	conf_unref(server.start);
	pthread_mutex_destroy(&server.lock);
	memset(&server, 0, sizeof server);
}

/* The log so far. */
static inline const char *
logged(void)
{
	static char text[1 << 20];
	FILE *f = fopen(at("log"), "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

static inline void
milter_setup(void)
{
	setup();
	unlink(at("rules/example.org/alice.sieve"));
	unlink(at("rules/example.org/bob.sieve"));
	ck_assert_int_eq(mkdir(at("state"), 0700), 0);
	ck_assert_ptr_nonnull(freopen(at("log"), "w", stderr));
	setvbuf(stderr, NULL, _IONBF, 0);
	unsetenv("TAMIS_FAULT");
	clock_step = 0;
	recorder = (struct recorder){ .lock = PTHREAD_MUTEX_INITIALIZER, .macros = "i=ID j=mx.example.org v=Postfix" };
	mta = (struct mta){
		.ctx = &recorder, .macro = recorder_macro, .add_rcpt = recorder_add, .delete_rcpt = recorder_delete,
		.change_sender = recorder_sender, .insert_field = recorder_insert, .append_field = recorder_append,
		.delete_field = recorder_cut, .quarantine = recorder_quarantine, .progress = recorder_progress,
	};
	port = (struct sink){ .take = recorder_copy, .ctx = &recorder };
	sink_start(&port);
}

static inline void
milter_teardown(void)
{
	sink_stop(&port);
	buf_done(&recorder.said);
	teardown();
}

/* --- a message */

static inline void
say_verdict(const char *who, struct verdict *v)
{
	static const char *const kinds[] = {
		[VERDICT_CONTINUE] = "continue", [VERDICT_ACCEPT] = "accept", [VERDICT_SKIP] = "skip", [VERDICT_REFUSE] = "550",
		[VERDICT_AGAIN] = "451",
	};
	struct buf b = { 0 };

	buf_puts(&b, kinds[v->kind]);
	if (v->kind == VERDICT_REFUSE || v->kind == VERDICT_AGAIN) {
		buf_printf(&b, " %s ", v->enhanced);
		for (size_t i = 0; i + 1 < v->lines.len; i++)
			buf_putc(&b, v->lines.s[i] == '\n' ? '/' : v->lines.s[i]);
	}
	recorder_say(&recorder, who, "%s", buf_str(&b).s);
	buf_done(&b);
	buf_done(&v->lines);
}

struct mail {
	const char *from;               /* "s@example.net" if NULL */
	const char *to;                 /* "a b x@example.net"; without "@": at example.org */
	const char *header;             /* lines end in LF */
	const char *body;
	const char *ip;                 /* "192.0.2.1" if NULL */
	unsigned port;
	bool crowded;                   /* by a connection for which there is no room */
	const char *args[4];            /* ESMTP arguments of MAIL */
	const char *rcpt_args[4];
};

static inline void
mail_rcpts(struct session *s, const struct mail *m)
{
	struct arena a = { 0 };
	struct str *to, text = str_from(m->to);
	size_t n = arena_words(&a, &text, 1, &to);

	for (size_t i = 0; i < n; i++) {
		struct str path = arena_printf(&a, memchr(to[i].s, '@', to[i].len) ? "<%.*s>" : "<%.*s@example.org>", STR_ARG(to[i]));
		char *argv[] = { (char *)path.s, (char *)m->rcpt_args[0], (char *)m->rcpt_args[1], (char *)m->rcpt_args[2], NULL };
		struct str who = arena_printf(&a, "%.*s: ", STR_ARG(to[i]));
		struct verdict v = { VERDICT_CONTINUE, "", { 0 } };

		session_rcpt(s, &mta, argv, &v);
		if (v.kind != VERDICT_CONTINUE)
			say_verdict(who.s, &v);
	}
	arena_done(&a);
}

static inline void
mail_header(struct session *s, const char *header)
{
	struct str rest = str_from(header), line;
	struct arena a = { 0 };

	while (rest.len) {
		const char *stop = rest.s, *colon;

		do {
			stop = memchr(stop, '\n', (size_t)(rest.s + rest.len - stop));
			stop = stop ? stop + 1 : rest.s + rest.len;
		} while (*stop == ' ' || *stop == '\t');
		line = arena_str(&a, str_sub(rest, 0, (size_t)(stop - rest.s) - (stop[-1] == '\n')));
		rest = str_sub(rest, (size_t)(stop - rest.s), rest.len);
		colon = strchr(line.s, ':');
		ck_assert_ptr_nonnull(colon);
		session_field(s, arena_str(&a, str_sub(line, 0, (size_t)(colon - line.s))).s, colon + 1);
	}
	arena_done(&a);
}

/* Up to the end of the header: is there more to say? */
static inline bool
mail_begin(struct session *s, const struct mail *m)
{
	struct buf from = { 0 };
	struct verdict v = { VERDICT_CONTINUE, "", { 0 } };
	bool on;

	session_helo(s, "client.example.net");
	buf_printf(&from, "<%s>", m->from ? m->from : "s@example.net");
	session_mail(s, &mta, (char *[]){ from.s, (char *)m->args[0], (char *)m->args[1], (char *)m->args[2], NULL });
	buf_done(&from);
	mail_rcpts(s, m);
	mail_header(s, m->header ? m->header : "From: s@example.net\nSubject: hi\n");
	session_header_end(s, &mta, &v);
	on = v.kind == VERDICT_CONTINUE;
	if (!on)
		say_verdict("header: ", &v);
	return on;
}

static inline void
mail_end(struct session *s, const struct mail *m)
{
	struct verdict v = { VERDICT_CONTINUE, "", { 0 } };

	session_body(s, str_from(m->body ? m->body : "body\r\n"), &v);
	v = (struct verdict){ VERDICT_CONTINUE, "", { 0 } };
	session_end(s, &mta, &v);
	say_verdict("", &v);
}

static inline struct session *
mail_session(const struct mail *m)
{
	const char *ip = m->ip ? m->ip : "192.0.2.1";

	return session_new(&server, "client.example.net", ip, *ip && !m->ip ? 12345 : m->port, m->crowded);
}

/* What the server was told of it, from the beginning to the end. */
static inline const char *
play(const struct mail *m)
{
	struct session *s = mail_session(m);

	buf_reset(&recorder.said);
	if (mail_begin(s, m))
		mail_end(s, m);
	session_free(s);
	return buf_str(&recorder.said).s;
}

static inline void
expect(const char *name, const char *is, const char *should)
{
	const char *log = logged();

	log += strlen(log) > 1500 ? strlen(log) - 1500 : 0;
	ck_assert_msg(!strcmp(is, should), "%s:\n  is:        %s\n  should be: %s\n%s", name, is, should, log);
}

static inline int
milter_suite(const char *name, void (*tests)(TCase *))
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, milter_setup, milter_teardown);
	tests(tcase);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
