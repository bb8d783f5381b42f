/* gmime.c - the only file that sees GMime
 * SPDX-License-Identifier: BSD-2-Clause */
#include <threads.h>

#include <gmime/gmime.h>

#include "base/limits.h"
#include "mail/gmime.h"

static void
gmime_start(void)
{
	static once_flag once = ONCE_FLAG_INIT;

	call_once(&once, g_mime_init);
}

static size_t
count_mailboxes(InternetAddressList *list)
{
	int i, n = internet_address_list_length(list);
	size_t count = 0;

	for (i = 0; i < n; i++) {
		InternetAddress *one = internet_address_list_get_address(list, i);

		if (INTERNET_ADDRESS_IS_GROUP(one))
			count += (size_t)internet_address_list_length(
				internet_address_group_get_members(INTERNET_ADDRESS_GROUP(one)));
		else
			count++;
	}
	return count;
}

static size_t
add_mailbox(struct arena *a, InternetAddress *one, struct str *to)
{
	const char *addr;

	if (!INTERNET_ADDRESS_IS_MAILBOX(one))
		return 0;
	addr = internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one));
	if (!addr || !*addr)
		return 0;
	*to = arena_str(a, str_from(addr));
	return 1;
}

/* Members of a group that are groups themselves (not allowed anywhere) are
 * left out. */
static size_t
add_mailboxes(struct arena *a, InternetAddressList *list, struct str *to)
{
	int i, k, n = internet_address_list_length(list);
	size_t count = 0;

	for (i = 0; i < n; i++) {
		InternetAddress *one = internet_address_list_get_address(list, i);
		InternetAddressList *members;

		if (!INTERNET_ADDRESS_IS_GROUP(one)) {
			count += add_mailbox(a, one, to + count);
			continue;
		}
		members = internet_address_group_get_members(INTERNET_ADDRESS_GROUP(one));
		for (k = 0; k < internet_address_list_length(members); k++)
			count += add_mailbox(a, internet_address_list_get_address(members, k), to + count);
	}
	return count;
}

size_t
gmime_addresses(struct arena *a, struct str piece, struct str **ret)
{
	InternetAddressList *list;
	size_t n = 0;

	if (piece.len > LIMIT_ODD_ADDRESS || memchr(piece.s, '\0', piece.len))
		return 0;
	gmime_start();
	list = internet_address_list_parse(NULL, arena_str(a, piece).s);
	if (!list)
		return 0;
	n = count_mailboxes(list);
	if (n) {
		*ret = ARENA_ARRAY(a, n, struct str);
		n = add_mailboxes(a, list, *ret);
	}
	g_object_unref(list);
	return n;
}

const char *
gmime_charset(const char *label)
{
	gmime_start();
	return g_mime_charset_iconv_name(label);
}

bool
gmime_param(struct arena *a, struct str params, const char *name, struct str *ret)
{
	GMimeParamList *list;
	GMimeParam *param;
	const char *value;

	if (memchr(params.s, '\0', params.len))
		return false;
	gmime_start();
	list = g_mime_param_list_parse(NULL, arena_str(a, params).s);
	if (!list)
		return false;
	param = g_mime_param_list_get_parameter(list, name);
	value = param ? g_mime_param_get_value(param) : NULL;
	if (value)
		*ret = arena_str(a, str_from(value));
	g_object_unref(list);
	return value != NULL;
}

/* The line after "begin 644 name", or NULL */
static const char *
uu_start(struct str v)
{
	const char *line = v.s;

	if (!str_starts(v, STR("begin "))) {
		line = memmem(v.s, v.len, "\nbegin ", 7);
		if (!line)
			return NULL;
		line++;
	}
	line = memchr(line, '\n', v.len - (size_t)(line - v.s));
	return line ? line + 1 : NULL;
}

size_t
gmime_uudecode(char *dst, struct str v)
{
	GMimeEncoding state;
	const char *start = uu_start(v);

	if (!start)
		return 0;
	gmime_start();
	g_mime_encoding_init_decode(&state, GMIME_CONTENT_ENCODING_UUENCODE);
	state.save |= GMIME_UUDECODE_STATE_BEGIN;
	return g_mime_encoding_flush(&state, start, v.len - (size_t)(start - v.s), dst);
}
