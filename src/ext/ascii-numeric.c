/* ascii-numeric.c - the comparator of numbers (RFC 4790 9.1)
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lang/command.h"
#include "mail/cell.h"

/* RFC 4790 9.1: leading digits; what does not begin with one is positive infinity, kept as the empty string */
static struct str
numeric_canonical(struct arena *arena, struct str v)
{
	size_t from = 0, to;

	(void)arena;
	while (from + 1 < v.len && v.s[from] == '0' && char_is_digit(v.s[from + 1]))
		from++;
	to = from;
	while (to < v.len && char_is_digit(v.s[to]))
		to++;
	return str_sub(v, from, to);
}

static int
numeric_order(struct str a, struct str b)
{
	if (!a.len || !b.len)
		return (!a.len) - (!b.len);
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return str_cmp(a, b);
}

static const struct comparator comparators[] = {
	{ .name = "i;ascii-numeric", .summary = "the number at the start; what is no number is largest",
	  .document = "RFC 4790 9.1", .form = CELL_NUMERIC, .canonical = numeric_canonical, .order = numeric_order },
};

const struct extension ext_ascii_numeric = {
	.name = "comparator-i;ascii-numeric", .document = "RFC 4790 9.1", .summary = "comparing numbers",
	.comparators = comparators, .ncomparators = COUNT(comparators),
};
