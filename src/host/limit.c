/* limit.c - the engine's limits by name
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/buf.h"
#include "host/limit.h"

static const struct limit {
	const char *name, *help;
	size_t offset, size;
	uint64_t least, most;
} limits[] = {
#define LIMIT(name, field, least, most, help) \
	{ name, help, offsetof(struct tamis_limits, field), \
	  sizeof(((struct tamis_limits *)0)->field), least, most }
	LIMIT("work", work, 1, UINT64_MAX, "units of work of one run"),
	LIMIT("memory", memory, 1, SIZE_MAX, "bytes that one run may use"),
	LIMIT("script-size", script_size, 1, UINT32_MAX, "bytes of one script"),
	LIMIT("nesting", nesting, 1, 64, "blocks in blocks, tests in tests"),
	LIMIT("actions", actions, 0, UINT32_MAX, "actions of one script"),
	LIMIT("redirects", redirects, 0, UINT32_MAX, "redirects of one script"),
	LIMIT("includes", includes, 0, UINT32_MAX, "scripts in one program"),
	LIMIT("include-nesting", include_nesting, 0, 100, "includes in includes"),
	LIMIT("variable-value", variable_value, 1, SIZE_MAX, "bytes of a variable"),
	LIMIT("variables", variables, 0, UINT32_MAX, "variables of one script"),
	/* encoded it may be nearly twice as long, and a milter cannot say more than 64 KiB at once */
	LIMIT("field-value", field_value, 998, 16384, "bytes of a header field that rules add"),
#undef LIMIT
};
enum { LIMITS = sizeof(limits) / sizeof(*limits) };

static int
limit_number(struct str v, uint64_t *ret)
{
	static const char suffix[] = "kmg";
	unsigned shift = 0;
	uint64_t n;
	const char *p;

	if (v.len && (p = strchr(suffix, char_lower(v.s[v.len - 1]))) && *p) {
		shift = 10u * (unsigned)(p - suffix + 1);
		v.len--;
	}
	if (!str_number(v, &n) || n > UINT64_MAX >> shift)
		return 0;
	*ret = n << shift;
	return 1;
}

static bool
limit_store(struct tamis_limits *l, const struct limit *k, uint64_t n)
{
	char *p = (char *)l + k->offset;

	if (n < k->least || n > k->most)
		return false;
	if (k->size == sizeof(unsigned)) {
		unsigned u = (unsigned)n;

		memcpy(p, &u, sizeof(u));
	} else {
		memcpy(p, &n, sizeof(n));
	}
	return true;
}

int
limit_set(struct tamis_limits *l, struct str setting, struct str *ret_name)
{
	ptrdiff_t eq = str_find(setting, STR("="));
	uint64_t n;
	size_t i;

	*ret_name = eq < 0 ? setting : str_sub(setting, 0, (size_t)eq);
	for (i = 0; i < LIMITS; i++)
		if (str_is(*ret_name, limits[i].name))
			break;
	if (i == LIMITS)
		return LIMIT_UNKNOWN;
	if (eq < 0 || !limit_number(str_sub(setting, (size_t)eq + 1, setting.len), &n) ||
	    !limit_store(l, &limits[i], n))
		return LIMIT_BAD_VALUE;
	return 0;
}

void
limit_range(struct str name, uint64_t *ret_least, uint64_t *ret_most)
{
	*ret_least = 0;
	*ret_most = UINT64_MAX;
	for (size_t i = 0; i < LIMITS; i++)
		if (str_is(name, limits[i].name)) {
			*ret_least = limits[i].least;
			*ret_most = limits[i].most;
		}
}

const char *
limit_name(size_t i)
{
	return i < LIMITS ? limits[i].name : NULL;
}

const char *
limit_help(size_t i)
{
	return i < LIMITS ? limits[i].help : NULL;
}

uint64_t
limit_value(const struct tamis_limits *l, size_t i)
{
	const char *p = (const char *)l + limits[i].offset;
	uint64_t n;
	unsigned u;

	if (limits[i].size == sizeof(u)) {
		memcpy(&u, p, sizeof(u));
		return u;
	}
	memcpy(&n, p, sizeof(n));
	return n;
}
