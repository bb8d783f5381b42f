/* reason.h - why a message is refused, as SMTP can say it
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef MILTER_REASON_H
#define MILTER_REASON_H

#include "milter/mta.h"
#include "milter/plan.h"

struct transaction;

/* Without its enhanced code, which is empty if rules gave none; refusal_text for what is no ASCII. */
struct str reason_text(const struct conf *, const struct plan *, struct str *ret_code);
/* Line by line, controls as "?"; *lines counts up to VERDICT_LINES. */
void reason_lines(struct buf *, struct str reason, unsigned *lines);
/* The refusal of one recipient. */
void reason_verdict(const struct conf *, const struct plan *, struct verdict *);
/* That of a whole message, by those of its recipients who refuse it. */
void reason_refuse(struct transaction *, struct verdict *);

#endif
