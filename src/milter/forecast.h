/* forecast.h - will these rules be decided at the header?
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Rules that ask for the size or the body are run at the header all the same: they may come to their end there, and the
 * body need not be received.  Those that did not for many messages will hardly do so for the next one: they run once, at
 * the end, and now and then are tried again.  It is a guess, never a verdict: what is decided is the same. */
#ifndef MILTER_FORECAST_H
#define MILTER_FORECAST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	FORECAST_SIZE = 4096,           /* rules that are told apart; others share a place, and its guess */
	FORECAST_SURE = 8,              /* times undecided in a row before they are not asked any more */
	FORECAST_REST = 32              /* messages at which they are not asked then */
};

struct forecast {
	_Atomic uint8_t late[FORECAST_SIZE];
};

/* content: the digest of the rules.  True: they had better not be run before the end. */
bool forecast_late(struct forecast *, const uint8_t content[32]);
void forecast_learn(struct forecast *, const uint8_t content[32], bool decided);

#endif
