/* rulelimits.c - what rules may do here, by the configuration
 * SPDX-License-Identifier: BSD-2-Clause */
#include "host/filing.h"
#include "host/rulelimits.h"
#include "host/rules.h"

static const char *const denied_always[] = { "vacation", "vacation-seconds" };

static bool
is_listed(const struct conf_list *l, struct str name)
{
	size_t i;

	for (i = 0; i < l->n && !str_is(name, l->v[i]); i++)
		;
	return i < l->n;
}

static const char *
rulelimits_denied(void *ctx, struct str extension)
{
	const struct conf *c = ctx;
	size_t i;

	for (i = 0; i < sizeof(denied_always) / sizeof(*denied_always); i++)
		if (str_is(extension, denied_always[i]))
			return "answers are not sent by tamis-milter, which remembers nobody whom it answered";
	return is_listed(&c->deny_extensions, extension) ? "deny_extensions of tamis.conf has it" : NULL;
}

static const char *
rulelimits_unfit(void *ctx, struct str mailbox)
{
	const struct conf *c = ctx;

	if (c->fileinto_by == CONF_FILEINTO_DETAIL && !filing_is_detail(mailbox))
		return "with fileinto_by = detail its name has 1 to 32 letters, digits, - and _";
	if (c->fileinto_by == CONF_FILEINTO_HEADER && !filing_is_field(mailbox))
		return "with fileinto_by = header its name is up to 800 bytes of UTF-8 without controls, and no blanks at its ends";
	return NULL;
}

void
rulelimits_set(const struct conf *c, bool site, struct rules *r)
{
	size_t i;

	r->limits = c->limits;
	r->global = c->global_dir;
	for (i = 0; i < sizeof(denied_always) / sizeof(*denied_always); i++)
		vec_push(&r->deny, str_from(denied_always[i]));
	for (i = 0; !site && i < c->deny_extensions.n; i++)
		vec_push(&r->deny, str_from(c->deny_extensions.v[i]));
	r->denied = rulelimits_denied;
	r->denied_ctx = (void *)(uintptr_t)c;
	r->effects = 1u << TAMIS_KEEP | 1u << TAMIS_DISCARD | 1u << TAMIS_REJECT | 1u << TAMIS_REDIRECT |
	             1u << TAMIS_HEADER_ADD | 1u << TAMIS_HEADER_DELETE | 1u << TAMIS_QUARANTINE;
	if (c->fileinto_by != CONF_FILEINTO_NONE)
		r->effects |= 1u << TAMIS_FILE;
	/* behind the queue each message has one recipient, and is held for him */
	if (!c->quarantine_to[0] && c->mode != CONF_FINAL)
		r->unfit_quarantine = "quarantine_to of tamis.conf is not set, so only what all recipients of a message put there is held";
	r->unfit = rulelimits_unfit;
	r->unfit_ctx = (void *)(uintptr_t)c;
}
