/* forecast.c - will these rules be decided at the header?
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A place counts how often they were not; beyond FORECAST_SURE, the messages at which they were not asked.  Two threads
 * may take a count away from each other, which does no harm. */
#include "milter/forecast.h"

static _Atomic uint8_t *
forecast_place(struct forecast *f, const uint8_t content[32])
{
	return &f->late[((unsigned)content[0] << 8 | content[1]) % FORECAST_SIZE];
}

static uint8_t
forecast_count(const _Atomic uint8_t *place)
{
	return atomic_load_explicit(place, memory_order_relaxed);
}

static void
forecast_set(_Atomic uint8_t *place, uint8_t n)
{
	atomic_store_explicit(place, n, memory_order_relaxed);
}

bool
forecast_late(struct forecast *f, const uint8_t content[32])
{
	_Atomic uint8_t *place = forecast_place(f, content);
	uint8_t n = forecast_count(place);

	if (n < FORECAST_SURE)
		return false;
	/* one more failure after the rest, and they rest again */
	forecast_set(place, n < FORECAST_SURE + FORECAST_REST - 1 ? (uint8_t)(n + 1) : FORECAST_SURE - 1);
	return true;
}

void
forecast_learn(struct forecast *f, const uint8_t content[32], bool decided)
{
	_Atomic uint8_t *place = forecast_place(f, content);
	uint8_t n = forecast_count(place);

	if (decided && n)
		forecast_set(place, 0);
	else if (!decided && n < FORECAST_SURE)
		forecast_set(place, (uint8_t)(n + 1));
}
