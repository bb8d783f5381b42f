/* json.c - JSON output, by way of jansson
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "base/utf8.h"
#include "host/json.h"

json_t *
json_text(struct str v)
{
	struct arena a = { 0 };
	json_t *ret;

	if (utf8_check(v) < 0)
		ret = json_stringn(v.s, v.len);
	else {
		v = utf8_repair(&a, v);
		ret = json_stringn(v.s, v.len);
		arena_done(&a);
	}
	if (!ret)
		abort();
	return ret;
}

json_t *
json_truth(int result)
{
	return result > 0 ? json_true() : result ? json_null() : json_false();
}

void
json_put(json_t *object, const char *key, json_t *take_value)
{
	if (json_object_set_new(object, key, take_value) < 0)
		abort();
}

void
json_line(FILE *out, json_t *take_value)
{
	json_dumpf(take_value, out, 0);
	putc('\n', out);
	json_decref(take_value);
}
