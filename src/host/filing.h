/* filing.h - a secret field that tells a mail store's own rules where to file (fileinto_by = header)
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     Tamis-File-mzxw6ytboi3dcmrt...: [\Seen $work] Lists/tamis
 *
 * The name of the field is the secret: each user has another, and who does
 * not know it cannot file into that user's folders.  The store's script of
 * that user looks for it, files, sets the flags and takes the field away. */
#ifndef HOST_FILING_H
#define HOST_FILING_H

#include "base/buf.h"
#include "host/secret.h"

/* Can the folder be the detail of an address (fileinto_by = detail)?  Can it be said in the field? */
bool filing_is_detail(struct str folder);
bool filing_is_field(struct str folder);
/* "Tamis-File-...": for the canonical user */
struct str filing_name(struct arena *, const uint8_t secret[SECRET_SIZE], struct str user);
/* "Name: value\r\n", in ASCII; or empty when the folder cannot be said in a field */
struct str filing_field(struct arena *, const uint8_t secret[SECRET_SIZE], struct str user, struct str folder, struct str flags);
/* The script, for a store that knows fileinto, imap4flags, editheader and variables. */
void filing_script(struct buf *, const uint8_t secret[SECRET_SIZE], struct str user);

#endif
