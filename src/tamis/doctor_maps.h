/* doctor_maps.h - milters that Postfix asks for some clients only
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_DOCTOR_MAPS_H
#define TAMIS_DOCTOR_MAPS_H

#include "tamis/doctor.h"

/* UNKNOWN: a table that cannot be looked through. */
enum doctor_maps { MAPS_OTHERS, MAPS_UNKNOWN, MAPS_OURS };

/* What tables have for clients: the lists of milters that we are in, equal ones once. */
struct maps_found {
	enum doctor_maps how;
	struct str *list;
	size_t n;
};

/* Of a value of smtpd_milter_maps. */
struct maps_found maps_look(const struct doctor *, struct str tables);

#endif
