/* daemon.h - what all sessions share: configuration and rules in force, journal, limits
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_DAEMON_H
#define MILTER_DAEMON_H

#include <pthread.h>
#include <stdatomic.h>

#include "host/conf.h"
#include "host/journal.h"
#include "host/rulebook.h"
#include "host/slots.h"
#include "milter/forecast.h"
#include "milter/pool.h"

/* Configuration and rules that were loaded together; counted: a message ends with the one that it began with. */
struct setup {
	atomic_uint refs;
	struct conf *conf;
	struct rulebook *rules;
};

/* The places at which the tests of faults kill the process, and count how often they came by (TAMIS_FAULT). */
enum point {
#define POINT(name, text) name,
#include "milter/points.def"
#undef POINT
	POINTS
};

/* A copy that is leaving; two sessions may have the same message, when a client lost patience with the first. */
struct leaving {
	const uint8_t *key;
	struct leaving *next;
};

struct daemon {
	const char *conf_path;
	struct conf *start;             /* the configuration that it was started with */
	pthread_mutex_t lock;           /* of setup, leaving */
	struct setup *setup;
	struct leaving *leaving;
	struct journal *journal;
	struct slots *slots;
	struct pool pool;
	struct forecast forecast;
	uint8_t secret[32];
	/* messages at their end, and since when there were too many: CLOCK_MONOTONIC milliseconds, 0: there are not */
	atomic_uint ending;
	atomic_llong overloaded;
	/* those of them that wait for what they have sent by the filtered port, and that is decided first */
	atomic_uint redirecting;
	/* those that wait until one of them leaves */
	atomic_uint waiting;
	pthread_mutex_t room_lock;
	pthread_cond_t room;
	atomic_bool stopping;
	atomic_bool lost;               /* libmilter serves no more: whoever started us is to do it again */
	bool counting;                  /* TAMIS_FAULT is set */
	atomic_uint fired[POINTS];
	int fault_point;                /* -1: none */
	unsigned fault_after;
	atomic_uint connections;
	unsigned connections_max;       /* by the descriptors that we may have */
};

struct diag;

/* 0, or -1 after saying why to the diag or on standard error. */
int daemon_init(struct daemon *, const char *conf_path, struct conf *take_conf, struct diag *);
/* Loads configuration and site rules anew; keeps the old ones, and says so in the log, if they are wrong. */
void daemon_reload(struct daemon *);

/* The last thing that is done: from here on a run that ends with the process is no fault of the rules. */
void daemon_stop(struct daemon *);

struct setup *daemon_setup(struct daemon *);
void setup_unref(struct setup *);

/* May one more message be at its end now, or soon?  1: yes, and daemon_leave() is due.  0: no, later.  -1: no, and there
 * have been too many for overload_after seconds.  came_round: it may be one that another waits for. */
int daemon_enter(struct daemon *, const struct conf *, bool came_round);
void daemon_leave(struct daemon *);

/* False: another session is about to send what has that key (32 bytes); else daemon_sent() is due. */
bool daemon_send(struct daemon *, struct leaving *, const uint8_t *key);
void daemon_sent(struct daemon *, struct leaving *);

void daemon_pass(struct daemon *, enum point);

static inline void
daemon_point(struct daemon *d, enum point p)
{
	if (d->counting)
		daemon_pass(d, p);
}

/* In the log, if TAMIS_FAULT is set. */
void daemon_tell_points(const struct daemon *);
int64_t daemon_now(void);               /* microseconds since 1970 */

#endif
