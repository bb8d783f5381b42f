/* srs.c - the sender rewriting scheme
 * SPDX-License-Identifier: BSD-2-Clause */
#include "host/srs.h"

#include "host/digest.h"

enum { DAY = 86400, DAYS_ROUND = 1024, DAY_DIGITS = 2, TAG = 4 };

struct parts {
	struct str local, domain;       /* the local part without quotes */
	bool quoted;
	struct buf text;                /* of a local part that had quotes */
};

/* --- spelling */

/* What may stand in a local part or a domain without quotes; UTF-8 as RFC 6531 has it. */
static bool
is_plain(struct str v, const char *also)
{
	for (size_t i = 0; i < v.len; i++) {
		unsigned char c = (unsigned char)v.s[i];

		if (c < 0x80 && !char_is_digit((char)c) && (unsigned)(char_lower((char)c) - 'a') >= 26 && (!c || !strchr(also, c)))
			return false;
	}
	return v.len > 0;
}

#define PLAIN ".!#$%&'*+-/=?^_`{|}~"

/* A quoted string (RFC 5321 4.1.2) and nothing else. */
static bool
local_unquote(struct str v, struct buf *ret)
{
	if (v.len < 3 || v.s[v.len - 1] != '"')
		return false;
	for (size_t i = 1; i < v.len - 1; i++) {
		if (v.s[i] == '"' || (v.s[i] == '\\' && ++i == v.len - 1) || (unsigned char)v.s[i] < ' ' || v.s[i] == 0x7f)
			return false;
		buf_putc(ret, v.s[i]);
	}
	return true;
}

/* False: no address that we rewrite.  To be ended by parts_done() in any case. */
static bool
address_split(struct str v, struct parts *ret)
{
	*ret = (struct parts){ .text = { 0 } };
	if (!str_split_last(v, '@', &ret->local, &ret->domain))
		return false;
	ret->quoted = ret->local.len && ret->local.s[0] == '"';
	if (ret->quoted) {
		if (!local_unquote(ret->local, &ret->text))
			return false;
		ret->local = buf_str(&ret->text);
	}
	return (ret->quoted || is_plain(ret->local, PLAIN)) && is_plain(ret->domain, ".-");
}

static void
parts_done(struct parts *p)
{
	buf_done(&p->text);
}

/* What needs no quotes (RFC 5321 4.1.2). */
static bool
is_dot_string(struct str v)
{
	return is_plain(v, PLAIN) && v.s[0] != '.' && v.s[v.len - 1] != '.' && str_find(v, STR("..")) < 0;
}

/* What came without quotes leaves without them, wherever its dots are. */
static void
local_write(struct str v, bool quoted, struct buf *ret)
{
	if (!quoted) {
		buf_add(ret, v);
		return;
	}
	buf_putc(ret, '"');
	for (size_t i = 0; i < v.len; i++) {
		if (v.s[i] == '"' || v.s[i] == '\\')
			buf_putc(ret, '\\');
		buf_putc(ret, v.s[i]);
	}
	buf_putc(ret, '"');
}

/* "SRS0=" and the like: the rest, with its separator */
static bool
is_tagged(struct str local, const char *tag, struct str *ret)
{
	if (local.len <= TAG || !str_istarts(local, str_from(tag)) || !strchr("=+-", local.s[TAG]))
		return false;
	*ret = str_sub(local, TAG, local.len);
	return true;
}

/* Up to the next "="; false: there is none. */
static bool
part_next(struct str *v, struct str *ret)
{
	const char *end = memchr(v->s, '=', v->len);
	size_t n = end ? (size_t)(end - v->s) : 0;

	if (!n)
		return false;
	*ret = str_sub(*v, 0, n);
	*v = str_sub(*v, n + 1, v->len);
	return true;
}

/* Case is ignored: some mail servers change it. */
static void
hash_of(const uint8_t key[32], const char *tag, const struct str *part, size_t n, char ret[SRS_HASH + 1])
{
	char text[DIGEST_BASE32];
	uint8_t out[DIGEST_SIZE];
	struct buf b = { 0 };

	buf_puts(&b, tag);
	for (size_t i = 0; i < n; i++) {
		buf_putc(&b, '\0');
		buf_add(&b, part[i]);
	}
	str_lower_into(b.s, buf_str(&b));
	digest_hmac(key, buf_str(&b), out);
	digest_base32(out, sizeof out, text);
	memcpy(ret, text, SRS_HASH);
	ret[SRS_HASH] = '\0';
	buf_done(&b);
}

static bool
hash_is(const uint8_t key[32], const char *tag, const struct str *part, size_t n, struct str given)
{
	char hash[SRS_HASH + 1], lower[SRS_HASH];

	if (given.len != SRS_HASH)
		return false;
	hash_of(key, tag, part, n, hash);
	str_lower_into(lower, given);
	return digest_same(hash, lower, SRS_HASH);
}

/* --- days, in two digits of base32 */

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

static int
day_of(int64_t seconds)
{
	return (int)(seconds / DAY % DAYS_ROUND);
}

static void
day_print(int day, char ret[DAY_DIGITS + 1])
{
	ret[0] = digits[day / 32];
	ret[1] = digits[day % 32];
	ret[2] = '\0';
}

/* one of tomorrow, by another machine's clock, is good as well */
static bool
day_is_good(struct str v, int64_t now)
{
	const char *high, *low;
	int age;

	if (v.len != DAY_DIGITS || !v.s[0] || !v.s[1] || !(high = strchr(digits, char_lower(v.s[0]))) ||
	    !(low = strchr(digits, char_lower(v.s[1]))))
		return false;
	age = (day_of(now) - (int)((high - digits) * 32 + (low - digits)) + DAYS_ROUND) % DAYS_ROUND;
	return age <= SRS_DAYS || age == DAYS_ROUND - 1;
}

/* --- forward */

static int
address_add(struct str local, bool quoted, const char *domain, struct buf *ret)
{
	struct buf written = { 0 };
	int rc = -1;

	local_write(local, quoted, &written);
	if (written.len <= SRS_LOCAL_MAX && written.len + 1 + strlen(domain) <= SRS_ADDRESS_MAX) {
		buf_add(ret, buf_str(&written));
		buf_printf(ret, "@%s", domain);
		rc = 0;
	}
	buf_done(&written);
	return rc;
}

static void
make_srs0(const uint8_t key[32], const struct parts *sender, int64_t now, struct buf *local)
{
	char day[DAY_DIGITS + 1], hash[SRS_HASH + 1];

	day_print(day_of(now), day);
	hash_of(key, "srs0", (struct str[]){ str_from(day), sender->domain, sender->local }, 3, hash);
	buf_printf(local, "SRS0=%s=%s=%.*s=%.*s", hash, day, STR_ARG(sender->domain), STR_ARG(sender->local));
}

static void
make_srs1(const uint8_t key[32], struct str first, struct str rest, struct buf *local)
{
	char hash[SRS_HASH + 1];

	hash_of(key, "srs1", (struct str[]){ first, rest }, 2, hash);
	buf_printf(local, "SRS1=%s=%.*s=%.*s", hash, STR_ARG(first), STR_ARG(rest));
}

/* Of another's SRS1: whom it goes back to first, and what he wrote. */
static bool
srs1_split(struct str rest, struct str *ret_hash, struct str *ret_first, struct str *ret_rest)
{
	rest = str_sub(rest, 1, rest.len);
	if (!part_next(&rest, ret_hash) || !part_next(&rest, ret_first) || rest.len < 2 || !strchr("=+-", rest.s[0]))
		return false;
	*ret_rest = rest;
	return true;
}

/* The local part of a sender of somebody else.  What another made of ours is ours again: the way back from here is that of the
 * first time. */
static void
make_local(const uint8_t key[32], const struct parts *sender, const char *domain, int64_t now, struct buf *local)
{
	struct str rest, hash, first, inner;

	if (is_tagged(sender->local, "SRS0", &rest) && rest.len > 1)
		make_srs1(key, sender->domain, rest, local);
	else if (!is_tagged(sender->local, "SRS1", &rest) || !srs1_split(rest, &hash, &first, &inner))
		make_srs0(key, sender, now, local);
	else if (str_iis(first, domain))
		buf_printf(local, "SRS0%.*s", STR_ARG(inner));
	else
		make_srs1(key, first, inner, local);
}

int
srs_forward(const uint8_t key[32], struct str sender, const char *domain, int64_t now_seconds, struct buf *ret)
{
	struct buf local = { 0 };
	struct parts parts;
	int rc = -1;

	if (!sender.len)
		return 0;
	if (address_split(sender, &parts)) {
		if (str_iis(parts.domain, domain)) {
			buf_add(ret, sender);
			rc = 0;
		} else {
			make_local(key, &parts, domain, now_seconds, &local);
			rc = address_add(buf_str(&local), parts.quoted && !is_dot_string(parts.local), domain, ret);
		}
	}
	buf_done(&local);
	parts_done(&parts);
	return rc;
}

/* --- reverse */

static enum srs_result
reverse_srs0(const uint8_t key[32], struct str rest, bool quoted, int64_t now, struct buf *ret)
{
	struct str hash, day, domain;

	rest = str_sub(rest, 1, rest.len);
	if (!part_next(&rest, &hash) || !part_next(&rest, &day) || !part_next(&rest, &domain) || !rest.len ||
	    !hash_is(key, "srs0", (struct str[]){ day, domain, rest }, 3, hash))
		return SRS_FORGED;
	if (!day_is_good(day, now))
		return SRS_EXPIRED;
	local_write(rest, quoted && !is_dot_string(rest), ret);
	buf_printf(ret, "@%.*s", STR_ARG(domain));
	return SRS_OURS;
}

static enum srs_result
reverse_srs1(const uint8_t key[32], struct str rest, bool quoted, struct buf *ret)
{
	struct str hash, first, inner;
	struct buf local = { 0 };

	if (!srs1_split(rest, &hash, &first, &inner) || !hash_is(key, "srs1", (struct str[]){ first, inner }, 2, hash))
		return SRS_FORGED;
	buf_printf(&local, "SRS0%.*s", STR_ARG(inner));
	local_write(buf_str(&local), quoted && !is_dot_string(buf_str(&local)), ret);
	buf_printf(ret, "@%.*s", STR_ARG(first));
	buf_done(&local);
	return SRS_OURS;
}

enum srs_result
srs_reverse(const uint8_t key[32], struct str address, const char *domain, int64_t now_seconds, struct buf *ret)
{
	enum srs_result rc = SRS_NONE;
	struct parts parts;
	struct str rest;

	if (address_split(address, &parts) && str_iis(parts.domain, domain)) {
		if (is_tagged(parts.local, "SRS0", &rest))
			rc = reverse_srs0(key, rest, parts.quoted, now_seconds, ret);
		else if (is_tagged(parts.local, "SRS1", &rest))
			rc = reverse_srs1(key, rest, parts.quoted, ret);
	}
	parts_done(&parts);
	return rc;
}
