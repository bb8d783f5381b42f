/* filing.c - a secret field that tells a mail store's own rules where to file
 * SPDX-License-Identifier: BSD-2-Clause */
#include "host/filing.h"

#include "base/fold.h"
#include "base/utf8.h"
#include "host/digest.h"

enum {
	DETAIL_MAX = 32,                /* bytes of a folder's name that becomes a detail */
	FOLDER_MAX = 800                /* bytes: the field stays within the 998 of a line (RFC 5322 2.1.1) */
};

bool
filing_is_detail(struct str folder)
{
	for (size_t i = 0; i < folder.len; i++) {
		char c = folder.s[i];

		if (!char_is_digit(c) && (unsigned)char_lower(c) - 'a' >= 26u && c != '_' && c != '-')
			return false;
	}
	return folder.len && folder.len <= DETAIL_MAX;
}

struct str
filing_name(struct arena *arena, const uint8_t secret[SECRET_SIZE], struct str user)
{
	uint8_t key[DIGEST_SIZE], name[DIGEST_SIZE];
	char text[DIGEST_BASE32];

	digest_hmac(secret, user, key);
	digest_hmac(key, STR("file 1"), name);
	digest_base32(name, 16, text);
	return arena_printf(arena, "Tamis-File-%s", text);
}

static bool
is_plain(struct str v)
{
	for (size_t i = 0; i < v.len; i++)
		if ((unsigned char)v.s[i] < 0x20 || v.s[i] == 0x7f)
			return false;
	return utf8_check(v) < 0;
}

bool
filing_is_field(struct str folder)
{
	return folder.len && folder.len <= FOLDER_MAX && is_plain(folder) && str_trim(folder).len == folder.len;
}

struct str
filing_field(struct arena *arena, const uint8_t secret[SECRET_SIZE], struct str user, struct str folder, struct str flags)
{
	struct buf b = { 0 };
	struct str ret;

	if (!filing_is_field(folder) || !is_plain(flags) || folder.len + flags.len > FOLDER_MAX ||
	    memchr(flags.s, ']', flags.len))
		return STR_EMPTY;
	fold_literal(&b, filing_name(arena, secret, user), arena_printf(arena, "[%.*s] %.*s", STR_ARG(flags), STR_ARG(folder)), "\r\n");
	ret = buf_copy(&b, arena);
	buf_done(&b);
	return ret;
}

void
filing_script(struct buf *b, const uint8_t secret[SECRET_SIZE], struct str user)
{
	struct arena arena = { 0 };
	struct str name = filing_name(&arena, secret, user);

	buf_printf(b, "# Files what tamis decided for %.*s.  Keep it secret: who knows the name of the field can file here.\n"
	           "require [\"editheader\", \"fileinto\", \"imap4flags\", \"variables\"];\n\n"
	           "if header :matches \"%.*s\" \"[*] *\" {\n"
	           "\tset \"flags\" \"${1}\";\n"
	           "\tset \"folder\" \"${2}\";\n"
	           "\tdeleteheader \"%.*s\";\n"
	           "\tsetflag \"${flags}\";\n"
	           "\tfileinto \"${folder}\";\n"
	           "}\n", STR_ARG(user), STR_ARG(name), STR_ARG(name));
	arena_done(&arena);
}
