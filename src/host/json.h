/* json.h - JSON output, by way of jansson
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_JSON_H
#define HOST_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "base/str.h"

/* A string; bytes that are not UTF-8 become U+FFFD. */
json_t *json_text(struct str);
/* 1 true, 0 false, else null: what a test came to. */
json_t *json_truth(int result);
/* Sets a key of an object; steals the value. */
void json_put(json_t *object, const char *key, json_t *take_value);
/* One object on one line, then freed. */
void json_line(FILE *, json_t *take_value);

#endif
