/* zone.h - time zone data from the system's directory
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_ZONE_H
#define HOST_ZONE_H

#include "base/buf.h"

struct zone_file {
	char *name;
	struct buf data;
};

/* What was asked for so far and is there: a zone is read once. */
struct zones {
	VEC(struct zone_file *) file;
};

void zones_done(struct zones *);
/* TZif data (RFC 8536) of "Europe/Paris".  1; 0: no such zone; -1: it could
 * not be read now.  The data stays valid until zones_done(). */
int zones_load(struct zones *, struct str name, struct str *ret);

#endif
