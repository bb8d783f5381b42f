/* mailbox.c - names of mailboxes
 * SPDX-License-Identifier: BSD-2-Clause */
#include "vm/mailbox.h"

#include "base/limits.h"
#include "base/utf8.h"

/* RFC 5198 2 has no controls of either set and no U+2028, U+2029; a line end
 * in a name would be one in a header or a protocol line. */
static bool
is_control(uint32_t code)
{
	return code < ' ' || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

const char *
mailbox_check(struct str name)
{
	if (!name.len)
		return "is an invalid folder name: it is empty";
	if (name.len > LIMIT_MAILBOX)
		return "is an invalid folder name: it is too long";
	for (size_t at = 0; at < name.len;) {
		uint32_t code;
		size_t n;

		if (name.s[at] >= ' ' && name.s[at] < 0x7f) {   /* as almost all are */
			at++;
			continue;
		}
		n = utf8_next(str_sub(name, at, name.len), &code);
		if (!n)
			return "is an invalid folder name: it is not UTF-8";
		if (is_control(code))
			return "is an invalid folder name: it has a control character in it";
		at += n;
	}
	return NULL;
}

bool
mailbox_is_inbox(struct str name)
{
	return str_iis(name, "INBOX");
}
