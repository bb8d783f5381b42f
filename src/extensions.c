/* extensions.c - every extension, by the list of the files of ext/
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/command.h"

#define X(name) extern const struct extension ext_##name;
#include "extensions.list"
#undef X

const struct extension *const extensions[] = {
#define X(name) &ext_##name,
#include "extensions.list"
#undef X
	NULL
};
