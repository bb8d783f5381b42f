/* limit.h - the engine's limits by name, for "--limit NAME=VALUE"
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_LIMIT_H
#define HOST_LIMIT_H

#include "base/str.h"
#include "tamis.h"

enum { LIMIT_UNKNOWN = -1, LIMIT_BAD_VALUE = -2 };

/* "script-size=8M".  0, or one of the above; *ret_name is what stands before "=". */
int limit_set(struct tamis_limits *, struct str setting, struct str *ret_name);
/* what it may be set to */
void limit_range(struct str name, uint64_t *ret_least, uint64_t *ret_most);
/* The names, one after the other; NULL past the last. */
const char *limit_name(size_t i);
const char *limit_help(size_t i);
uint64_t limit_value(const struct tamis_limits *, size_t i);

#endif
