/* limit.c - the engine's limits by name
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/buf.h"
#include "host/limit.h"

static const struct limit {
	const char *name, *help;
	size_t offset, size;
} limits[] = {
#define LIMIT(name, field, help) \
	{ name, help, offsetof(struct tamis_limits, field), \
	  sizeof(((struct tamis_limits *)0)->field) }
	LIMIT("work", work, "units of work of one run"),
	LIMIT("memory", memory, "bytes that one run may use"),
	LIMIT("script-size", script_size, "bytes of one script"),
	LIMIT("nesting", nesting, "blocks in blocks, tests in tests"),
	LIMIT("actions", actions, "actions of one script"),
	LIMIT("redirects", redirects, "redirects of one script"),
	LIMIT("includes", includes, "scripts in one program"),
	LIMIT("include-nesting", include_nesting, "includes in includes"),
	LIMIT("variable-value", variable_value, "bytes of a variable"),
	LIMIT("variables", variables, "variables of one script"),
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

	if (!n || (k->size == sizeof(unsigned) && n > UINT32_MAX))
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
