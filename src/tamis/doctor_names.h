/* doctor_names.h - names under which the mail server delivers to the same mailboxes
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_DOCTOR_NAMES_H
#define TAMIS_DOCTOR_NAMES_H

#include "tamis/doctor.h"

struct names_known {
	bool any;                       /* users of one have rules */
	struct str unknown;             /* "localhost, [192.0.2.1]": those whose users have none; begins empty */
};

/* One that is there already is not there twice. */
void names_add_domain(const struct doctor *, struct names_known *, struct str domain);
/* Of the machine itself, with its domain. */
void names_add_host(const struct doctor *, struct names_known *);
/* Of the machine's network interfaces. */
void names_add_addresses(const struct doctor *, struct names_known *, bool only_loopback, bool ipv6);
/* Words of a file; what cannot be read has none. */
void names_add_file(const struct doctor *, struct names_known *, const char *path);
enum doctor_level names_level(const struct names_known *, struct str *ret_what);

#define NAMES_REMEDY "mail to alice@ such a name reaches Alice past her rules: make it an alias domain in the users map " \
	"(\"@localhost @example.org\"), or have the server refuse mail for it"

#endif
