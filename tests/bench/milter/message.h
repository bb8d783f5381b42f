/* message.h - a message as it comes to a mail server
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stddef.h>
#include <stdint.h>

enum { MESSAGE_FIELDS = 12, MESSAGE_VALUE_MAX = 480 };

const char *message_name(unsigned field);
/* At most MESSAGE_VALUE_MAX bytes, with a bare LF where it is folded: how many. */
int message_value(char *ret_value, unsigned field, unsigned user, uint64_t run, long number);
/* So many bytes; the last line may have no end.  Who calls frees it; NULL: there is no memory. */
char *message_body(size_t len);

#endif
