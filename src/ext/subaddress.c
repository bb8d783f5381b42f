/* subaddress.c - the user and the detail of a local part (RFC 5233)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * RFC 5233 4: the split must be that of the mail system around us.  Which
 * characters separate is the host's knowledge, a fact; how they do is what
 * Postfix and Sendmail do. */
#include "vm/run.h"

static const struct str delimiter_fact = { "vnd.tamis.recipient-delimiter", 29 };

/* Addresses that no mail system splits. */
static bool
is_whole(struct str local, struct str delimiters)
{
	static const struct str request = { "-request", 8 };

	if (str_iis(local, "postmaster") || str_iis(local, "mailer-daemon") || str_iis(local, "double-bounce"))
		return true;
	if (!memchr(delimiters.s, '-', delimiters.len))
		return false;
	return str_istarts(local, STR("owner-")) ||
	       (local.len > request.len && str_ieq(str_sub(local, local.len - request.len, local.len), request));
}

/* Where the delimiter is; 0: there is none, or nobody before it. */
static size_t
split_at(struct run *r, struct str local)
{
	const struct cell *fact = run_fact(r, delimiter_fact);
	struct str delimiters = fact ? fact->v : STR("+");
	size_t at = 0;

	if (is_whole(local, delimiters))
		return 0;
	while (at < local.len && !memchr(delimiters.s, local.s[at], delimiters.len))
		at++;
	return at < local.len ? at : 0;
}

static int
user_part(struct run *r, struct str local, struct str domain, struct str all, struct str *ret)
{
	size_t at = split_at(r, local);

	(void)domain;
	(void)all;
	*ret = at ? str_sub(local, 0, at) : local;
	return YES;
}

static int
detail_part(struct run *r, struct str local, struct str domain, struct str all, struct str *ret)
{
	size_t at = split_at(r, local);

	(void)domain;
	(void)all;
	if (!at)
		return NO;
	*ret = str_sub(local, at + 1, local.len);
	return YES;
}

static const struct address_part parts[] = {
	{ .name = ":user", .summary = "the local part without its detail", .part = user_part },
	{ .name = ":detail", .summary = "what stands behind the delimiter in the local part", .part = detail_part },
};

const struct extension ext_subaddress = {
	.name = "subaddress", .document = "RFC 5233", .summary = "tells the user from the detail in \"user+detail@domain\"",
	.address_parts = parts, .naddress_parts = COUNT(parts),
};
