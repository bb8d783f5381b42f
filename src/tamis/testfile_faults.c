/* testfile_faults.c - each question fails once: mail is kept all the same
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tamis/testfile_faults.h"

enum { FAULTS_MAX = 1000 };     /* questions of one run that are made to fail */

/* Our own trouble never refuses, throws away or loses mail.  NULL: nothing of that. */
static const char *
testfile_faults_last(const struct testfile_decision *d, const struct testfile_decision *good)
{
	if (str_eq(d->text, good->text))
		return NULL;
	if (d->status != TAMIS_DECIDED && d->status != TAMIS_FAILED)
		return good->status == TAMIS_DECIDED || good->status == TAMIS_FAILED ? "nothing is decided" : NULL;
	if (d->refuses && !good->refuses)
		return "the message is refused";
	if (d->discards && !good->discards)
		return "the message is discarded";
	if (d->quarantines && !good->quarantines)
		return "the message is put in quarantine";
	/* what is as it was planned may have lost an answer or a copy, but not the message */
	if (!d->keeps && !d->files && !(d->redirects && good->redirects) && !d->refuses && !d->discards && !d->quarantines)
		return "the message is not kept";
	return NULL;
}

/* Before all is known the answer may yet come, so nothing else may be decided. */
static const char *
testfile_faults_early(const struct testfile_decision *d, const struct testfile_decision *good)
{
	if (d->status == TAMIS_UNDECIDED || d->status == TAMIS_WAITING || str_eq(d->text, good->text))
		return NULL;
	return "the plan is another";
}

static void
testfile_faults_one(struct testfile_run *r, unsigned line, enum tamis_stage stage, const struct testfile_decision *good,
                    struct testfile_decision *ret)
{
	struct tamis_recipient *recipient = testfile_run_recipient(r);
	struct testfile_failure *f;
	const char *wrong;

	testfile_run_decide(r, TESTFILE_PLAIN, recipient, stage, false, ret);
	tamis_recipient_free(recipient);
	if (ret->asked < r->host.fail)
		return;
	wrong = stage == TAMIS_BODY ? testfile_faults_last(ret, good) : testfile_faults_early(ret, good);
	if (!wrong)
		return;
	f = testfile_run_fail(r, line, arena_printf(&r->arena, "when question %u fails at stage \"%s\", %s", r->host.fail,
	                                            testfile_stages[stage], wrong));
	f->expected = good->text;
	f->got = ret->text;
}

void
testfile_faults(struct testfile_run *r, unsigned line, const struct testfile_decision *good)
{
	struct testfile_decision d;
	unsigned stage;

	for (stage = TAMIS_ENVELOPE; stage <= r->stage; stage++) {
		for (r->host.fail = 1; r->host.fail <= FAULTS_MAX; r->host.fail++) {
			testfile_faults_one(r, line, (enum tamis_stage)stage, good, &d);
			if (d.asked < r->host.fail)
				break;
		}
	}
	r->host.fail = 0;
}
