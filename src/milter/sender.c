/* sender.c - is the envelope sender who it says?
 * SPDX-License-Identifier: BSD-2-Clause */
#include "milter/sender.h"

#include "host/srs.h"
#include "milter/fields.h"

/* --- Authentication-Results (RFC 8601 2.2) */

struct results {
	const char *p, *end;
};

static void
skip_comments(struct results *r)
{
	int depth = 0;

	for (; r->p < r->end; r->p++) {
		if (*r->p == '(')
			depth++;
		else if (*r->p == ')' && depth)
			depth--;
		else if (depth && *r->p == '\\' && r->p + 1 < r->end)
			r->p++;
		else if (!depth && !strchr(" \t\r\n", *r->p))
			return;
	}
}

/* A token, or a quoted string without its quotes; empty at ";", "=" and the end. */
static struct str
next_word(struct results *r)
{
	const char *begun;
	struct str v;

	skip_comments(r);
	begun = r->p;
	if (r->p < r->end && *r->p == '"') {
		for (r->p++; r->p < r->end && *r->p != '"'; r->p++)
			if (*r->p == '\\' && r->p + 1 < r->end)
				r->p++;
		v = (struct str){ begun + 1, (size_t)(r->p - begun - 1) };
		r->p += r->p < r->end;
		return v;
	}
	while (r->p < r->end && !strchr(" \t\r\n;=()\"", *r->p))
		r->p++;
	return (struct str){ begun, (size_t)(r->p - begun) };
}

static bool
next_is(struct results *r, char c)
{
	skip_comments(r);
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static struct str
domain_of(struct str address)
{
	struct str local, domain;

	return str_split_last(address, '@', &local, &domain) ? domain : address;
}

/* The domain itself, or one above it that is no top-level domain. */
static bool
vouches(struct str d, struct str domain)
{
	return str_ieq(d, domain) ||
	       (memchr(d.s, '.', d.len) && d.len < domain.len && domain.s[domain.len - d.len - 1] == '.' &&
	        str_ieq(d, str_sub(domain, domain.len - d.len, domain.len)));
}

/* method=result and its properties, up to ";" */
static bool
result_proves(struct results *r, struct str domain)
{
	struct str method = next_word(r), result, property, value;
	bool spf, dkim, proves = false;

	if (!next_is(r, '='))
		return false;
	result = next_word(r);
	spf = str_iis(method, "spf") && str_iis(result, "pass");
	dkim = str_iis(method, "dkim") && str_iis(result, "pass");
	for (;;) {
		property = next_word(r);
		if (!property.len || !next_is(r, '='))
			return proves;
		value = next_word(r);
		if (spf && str_iis(property, "smtp.mailfrom"))
			proves |= str_ieq(domain_of(value), domain);
		if (dkim && str_iis(property, "header.d"))
			proves |= vouches(value, domain);
	}
}

bool
sender_is_result(struct str field, struct str authserv_id)
{
	struct results r = { field.s, field.s + field.len };

	return authserv_id.len && str_ieq(next_word(&r), authserv_id);
}

static bool
field_proves(struct str field, struct str authserv_id, struct str domain)
{
	struct results r = { field.s, field.s + field.len };
	struct str version;

	/* filters write their name as it is; comments before it and quotes are ways round checks of the header */
	if (!str_istarts(str_trim(field), authserv_id) || !str_ieq(next_word(&r), authserv_id))
		return false;
	version = next_word(&r);
	if (version.len && !str_is(version, "1"))
		return false;
	while (next_is(&r, ';'))
		if (result_proves(&r, domain))
			return true;
	return false;
}

/* A sender that a redirect of ours rewrote: who says that the domain is ours says nothing of whom it leads to, and what goes
 * to that address by the port for copies finds nobody there who sends it on. */
static bool
sender_is_rewritten(const struct transaction *t)
{
	struct buf whose = { 0 };
	bool is = *t->conf->srs_domain &&
	          srs_reverse(t->daemon->secret, t->sender, t->conf->srs_domain, daemon_now() / 1000000, &whose) != SRS_NONE;

	buf_done(&whose);
	return is;
}

bool
sender_authentic(struct transaction *t)
{
	struct str authserv_id = str_from(t->conf->authserv_id), domain = domain_of(t->sender);
	struct str rest = buf_str(&t->header), name, value;

	if (!t->sender.len)
		return false;
	if (sender_is_rewritten(t))
		return false;
	if (t->login.len && rulebook_owns(t->setup->rules, t->login, t->sender))
		return true;
	while (authserv_id.len && fields_next(&rest, &name, &value))
		if (str_iis(name, "Authentication-Results") && field_proves(value, authserv_id, domain))
			return true;
	return false;
}
