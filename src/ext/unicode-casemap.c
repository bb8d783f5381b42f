/* unicode-casemap.c - the comparator that knows the letters of all scripts (RFC 5051)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/command.h"
#include "mail/casemap.h"
#include "mail/cell.h"

static const struct comparator comparators[] = {
	{ .name = "i;unicode-casemap", .summary = "letters of all scripts without case", .document = "RFC 5051",
	  .form = CELL_UNICODE, .canonical = casemap_unicode, .order = str_cmp, .substring = true },
};

const struct extension ext_unicode_casemap = {
	.name = "comparator-i;unicode-casemap", .document = "RFC 5051", .summary = "comparing without case in all scripts",
	.comparators = comparators, .ncomparators = COUNT(comparators),
};
