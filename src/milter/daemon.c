/* daemon.c - what all sessions share
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "host/diag.h"
#include "host/digest.h"
#include "host/log.h"
#include "host/moment.h"
#include "host/secret.h"
#include "host/text.h"

static const char *const point_name[] = {
#define POINT(name, text) [name] = text,
#include "milter/points.def"
#undef POINT
};

enum {
	DESCRIPTORS_KEPT = 64,          /* for rules, journal, copies */
	ROOM_SECONDS = 2                /* that a message at its end waits for others to leave */
};

int64_t
daemon_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* --- faults on purpose */

/* TAMIS_FAULT=NAME:N dies the Nth time that point is passed; =count only counts. */
static int
daemon_fault(struct daemon *d)
{
	const char *text = getenv("TAMIS_FAULT"), *colon = text ? strchr(text, ':') : NULL;

	d->fault_point = -1;
	d->counting = text != NULL;
	if (!colon)
		return 0;
	for (int i = 0; i < POINTS; i++) {
		if (strlen(point_name[i]) == (size_t)(colon - text) && !strncmp(point_name[i], text, (size_t)(colon - text))) {
			d->fault_point = i;
			d->fault_after = (unsigned)strtoul(colon + 1, NULL, 10);
			return 0;
		}
	}
	fprintf(stderr, "tamis-milter: TAMIS_FAULT: there is no point \"%.*s\"\n", (int)(colon - text), text);
	return -1;
}

void
daemon_pass(struct daemon *d, enum point p)
{
	unsigned n = atomic_fetch_add_explicit(&d->fired[p], 1, memory_order_relaxed) + 1;

	if (d->fault_point == (int)p && n == d->fault_after)
		kill(getpid(), SIGKILL);
}

void
daemon_tell_points(const struct daemon *d)
{
	for (int i = 0; d->counting && i < POINTS; i++)
		log_line(LOG_NOTICE, NULL, "point=%s fired=%u", point_name[i], atomic_load(&d->fired[i]));
}

/* --- configuration and rules in force */

#define RULES_FILE "user=%.*s rules=%.*s"
#define RULES_PLACE RULES_FILE " line=%u column=%u"

static void
daemon_rules_report(void *ctx, struct str user, const struct tamis_diagnostic *d, const char *path)
{
	const int level = d->severity == TAMIS_ERROR ? LOG_ERR : LOG_WARNING;
	const char *kind = d->severity == TAMIS_ERROR ? "error" : "warning";
	/* where the mistake is, which may be in a script that his rules include */
	struct str file = d->place.file.len ? text_str(d->place.file) : str_from(path);

	(void)ctx;
	if (d->place.line)
		log_line(level, NULL, d->hint ? RULES_PLACE " %s=%s hint=%s" : RULES_PLACE " %s=%s", STR_ARG(user), STR_ARG(file),
		         d->place.line, d->place.column, kind, d->text, d->hint);
	else
		log_line(level, NULL, d->hint ? RULES_FILE " %s=%s hint=%s" : RULES_FILE " %s=%s", STR_ARG(user), STR_ARG(file), kind,
		         d->text, d->hint);
}

/* NULL: the site's rules are wrong, and the diag was told. */
static struct setup *
setup_new(struct conf *take_conf, struct rulebook *old, struct diag *diag)
{
	struct rulebook *rules = rulebook_new(take_conf, old);
	struct setup *s;

	if (rulebook_check(rules, diag) < 0) {
		rulebook_free(rules);
		conf_unref(take_conf);
		return NULL;
	}
	rulebook_on_report(rules, daemon_rules_report, NULL);
	s = mem_alloc(sizeof *s);
	atomic_init(&s->refs, 1);
	s->conf = take_conf;
	s->rules = rules;
	return s;
}

void
setup_unref(struct setup *s)
{
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	rulebook_free(s->rules);
	conf_unref(s->conf);
	free(s);
}

struct setup *
daemon_setup(struct daemon *d)
{
	struct setup *s;

	pthread_mutex_lock(&d->lock);
	s = d->setup;
	atomic_fetch_add(&s->refs, 1);
	pthread_mutex_unlock(&d->lock);
	return s;
}

/* What is looked at when the daemon starts, and not again. */
static const struct {
	const char *name;
	size_t offset;
	bool text;
} at_start[] = {
#define TEXT(name) { #name, offsetof(struct conf, name), true }
#define NUMBER(name) { #name, offsetof(struct conf, name), false }
	TEXT(socket), NUMBER(socket_mode), TEXT(socket_group), TEXT(user), TEXT(pid_file), TEXT(state_dir), TEXT(secret_file),
	NUMBER(journal_days), NUMBER(drain_seconds), TEXT(log_facility),
#undef TEXT
#undef NUMBER
};

/* Those that are others now: they wait for the next start. */
static void
daemon_waiting(const struct conf *start, const struct conf *now, struct buf *ret)
{
	for (size_t i = 0; i < sizeof at_start / sizeof *at_start; i++) {
		const void *a = (const char *)start + at_start[i].offset, *b = (const char *)now + at_start[i].offset;
		bool same = at_start[i].text ? !strcmp(*(const char *const *)a, *(const char *const *)b) :
		            *(const uint64_t *)a == *(const uint64_t *)b;

		if (!same)
			buf_printf(ret, "%s%s", ret->len ? ", " : "", at_start[i].name);
	}
	if (start->log_stderr != now->log_stderr)
		buf_printf(ret, "%slog", ret->len ? ", " : "");
}

static void
daemon_reloaded(const struct daemon *d)
{
	struct buf waiting = { 0 };

	daemon_waiting(d->start, d->setup->conf, &waiting);
	if (waiting.len)
		log_line(LOG_WARNING, NULL, "reload=%s conf=%s next_start=%s hint=%s", "done", d->conf_path, buf_str(&waiting).s,
		         "these settings are in force when the daemon is started again");
	else
		log_line(LOG_NOTICE, NULL, "reload=%s conf=%s", "done", d->conf_path);
	buf_done(&waiting);
}

/* The first of what was found, which may be seen by us alone: who is root may read what we may not. */
static void
daemon_not_reloaded(const struct daemon *d, unsigned errors, char *report)
{
	fputs(report, stderr);
	report[strcspn(report, "\n")] = '\0';
	log_line(LOG_ERR, NULL, "reload=%s conf=%s errors=%u error=%s hint=%s", "failed: the old configuration stays in force",
	         d->conf_path, errors, report, "tamis-milter -n tells what is wrong");
}

void
daemon_reload(struct daemon *d)
{
	struct diag diag;
	struct conf *conf;
	struct setup *fresh = NULL, *old = NULL;
	char *report = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&report, &len);

	if (!f)
		abort();                /* out of memory */
	diag_init(&diag, f);
	conf = conf_load(d->conf_path, &diag);
	if (conf)
		fresh = setup_new(conf, d->setup->rules, &diag);
	fclose(f);
	log_anew();
	if (fresh) {
		pthread_mutex_lock(&d->lock);
		old = d->setup;
		d->setup = fresh;
		pthread_mutex_unlock(&d->lock);
		daemon_reloaded(d);
	} else {
		daemon_not_reloaded(d, diag.errors, report);
	}
	free(report);
	setup_unref(old);
	diag_done(&diag);
}

static int
daemon_secret(struct daemon *d, const char *path)
{
	if (!*path)
		digest_random(d->secret, sizeof d->secret);
	if (!*path || secret_load(path, true, d->secret) == 0)
		return 0;
	fprintf(stderr, "tamis-milter: secret_file %s: %s\n", path,
	        errno == ERANGE ? "it has less than 32 bytes; remove it to have a new one made" : strerror(errno));
	return -1;
}

/* What is wrong with a file of state_dir: links are not followed there, and pipes and the like hold nothing. */
static int
daemon_state_wrong(const char *name, const char *directory, int error)
{
	const char *why = error == EWOULDBLOCK ? "another tamis-milter uses it" :
	                  error == EINVAL || error == ELOOP ? "there is something of that name that is no file; remove it" : strerror(error);

	fprintf(stderr, "tamis-milter: %s in state_dir %s: %s\n", name, directory, why);
	return -1;
}

/* --- beginning and end */

static void
daemon_descriptors(struct daemon *d)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	d->connections_max = limit.rlim_cur > DESCRIPTORS_KEPT * 2 ? (unsigned)(limit.rlim_cur - DESCRIPTORS_KEPT) : 64;
}

static void
daemon_room_init(struct daemon *d)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&d->room_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&d->room, &attr);
	pthread_condattr_destroy(&attr);
}

int
daemon_init(struct daemon *d, const char *conf_path, struct conf *take_conf, struct diag *diag)
{
	const char *dir = take_conf->state_dir;
	int error = 0;

	memset(d, 0, sizeof *d);
	d->conf_path = conf_path;
	d->start = conf_ref(take_conf);
	pthread_mutex_init(&d->lock, NULL);
	pool_init(&d->pool);
	daemon_room_init(d);
	d->setup = setup_new(take_conf, NULL, diag);
	if (!d->setup)
		return -1;
	daemon_descriptors(d);
	if (daemon_fault(d) < 0 || daemon_secret(d, take_conf->secret_file) < 0)
		return -1;
	d->journal = journal_open(dir, (unsigned)take_conf->journal_days, &error);
	if (!d->journal)
		return daemon_state_wrong("journal", dir, error);
	d->slots = slots_open(dir, &error);
	return d->slots ? 0 : daemon_state_wrong("slots", dir, error);
}

void
daemon_stop(struct daemon *d)
{
	journal_stop(d->journal);
	slots_stop(d->slots);
}

/* --- not too many at once */

/* What came by the filtered port has that of its own which the one that sent it has: else all of those would wait for it. */
static bool
daemon_has_room(struct daemon *d, const struct conf *conf, bool came_round)
{
	if (atomic_fetch_add(&d->ending, 1) < conf->max_messages + (came_round ? atomic_load(&d->redirecting) : 0))
		return true;
	atomic_fetch_sub(&d->ending, 1);
	return false;
}

/* Most messages are at their end for a moment only: a burst of them is no reason to send any away. */
static bool
daemon_wait(struct daemon *d, const struct conf *conf, bool came_round)
{
	struct timespec until;
	bool entered;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ROOM_SECONDS;
	/* before looking: who leaves from here on wakes us */
	atomic_fetch_add(&d->waiting, 1);
	pthread_mutex_lock(&d->room_lock);
	while (!(entered = daemon_has_room(d, conf, came_round)) && !rc)
		rc = pthread_cond_timedwait(&d->room, &d->room_lock, &until);
	pthread_mutex_unlock(&d->room_lock);
	atomic_fetch_sub(&d->waiting, 1);
	return entered;
}

int
daemon_enter(struct daemon *d, const struct conf *conf, bool came_round)
{
	long long none = 0, since;

	if (daemon_has_room(d, conf, came_round) || daemon_wait(d, conf, came_round)) {
		/* the crowd is gone when half of the room is free */
		if (atomic_load(&d->ending) <= (conf->max_messages + 1) / 2)
			atomic_store(&d->overloaded, 0);
		return 1;
	}
	atomic_compare_exchange_strong(&d->overloaded, &none, moment_clock());
	since = atomic_load(&d->overloaded);
	return since && moment_clock() - since > (int64_t)conf->overload_after * 1000 ? -1 : 0;
}

void
daemon_leave(struct daemon *d)
{
	atomic_fetch_sub(&d->ending, 1);
	if (!atomic_load(&d->waiting))
		return;
	pthread_mutex_lock(&d->room_lock);
	pthread_cond_signal(&d->room);
	pthread_mutex_unlock(&d->room_lock);
}

/* --- each copy once */

bool
daemon_send(struct daemon *d, struct leaving *one, const uint8_t *key)
{
	struct leaving *other;

	pthread_mutex_lock(&d->lock);
	for (other = d->leaving; other && memcmp(other->key, key, JOURNAL_KEY); other = other->next)
		;
	if (!other) {
		*one = (struct leaving){ key, d->leaving };
		d->leaving = one;
	}
	pthread_mutex_unlock(&d->lock);
	return !other;
}

void
daemon_sent(struct daemon *d, struct leaving *one)
{
	struct leaving **at;

	pthread_mutex_lock(&d->lock);
	for (at = &d->leaving; *at != one; at = &(*at)->next)
		;
	*at = one->next;
	pthread_mutex_unlock(&d->lock);
}
