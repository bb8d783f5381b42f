/* unicode.h - one form for what can be written in several: NFC, domains in ASCII
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_UNICODE_H
#define HOST_UNICODE_H

#include "base/arena.h"

/* Valid UTF-8 in NFC (UAX 15).  False: it has no such form. */
bool unicode_nfc(struct arena *, struct str, struct str *ret);
/* Labels in UTF-8 as A-labels (RFC 5891).  False: one of them can be none. */
bool unicode_domain(struct arena *, struct str, struct str *ret);

#endif
