/* conf_value.h - what a value of tamis.conf must look like, and how it is shown
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_CONF_VALUE_H
#define HOST_CONF_VALUE_H

#include "host/conf_table.h"

/* NULL, or what is wrong, to be put behind the value in quotes. */
const char *conf_value_socket(struct str);
const char *conf_value_word(struct str);
const char *conf_value_extension(struct str);
const char *conf_value_path(struct str);
struct str conf_value_squeeze(struct arena *, struct str path);
const char *conf_value_domain(struct str);
const char *conf_value_template(struct str);
const char *conf_value_delimiter(struct str);
const char *conf_value_client(struct str);
const char *conf_value_field(struct str);
const char *conf_value_port(struct str);
const char *conf_value_mailbox(struct str);
const char *conf_value_sentence(struct str);
const char *conf_value_zone(struct str);

/* Number, size, time, octal number, limit: 1 *ret, 0 out of range, -1 none at all. */
int conf_value_number(const struct conf_row *, struct str, uint64_t *ret);
/* "a number from 1 to 30" */
struct str conf_value_range(const struct conf_row *, struct arena *);
/* As it would stand in the file. */
struct str conf_value_show(const struct conf *, const struct conf_row *, struct arena *);
/* In quotes if it has to be. */
void conf_value_quote(struct buf *, struct str, bool item);

#endif
