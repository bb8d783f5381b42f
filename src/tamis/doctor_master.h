/* doctor_master.h - the services of a Postfix, and what each of them was told
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_DOCTOR_MASTER_H
#define TAMIS_DOCTOR_MASTER_H

#include "tamis/doctor_maps.h"

struct master_service {
	struct str name, type, command; /* "127.0.0.1:10026", "inet", "smtpd" */
	bool chrooted;
	struct str maps;                /* its smtpd_milter_maps, if it asks any, and whether we are in it */
	struct maps_found in_maps;
};

/* What somebody is to us; several may be. */
enum master_role {
	MASTER_ASKS = 1,                /* its mail is asked about */
	MASTER_FINAL = 2,               /* it is, behind the queue */
	MASTER_COPIES = 4,              /* the port of copy_to */
	MASTER_FILTERED = 8,            /* the port of filtered_to */
	/* these two may ask for some clients only, by smtpd_milter_maps */
	MASTER_FRONT = 16,              /* it asks, and hands its mail to one that asks behind the queue */
	MASTER_BEFORE = 32,             /* it asks before the queue, though others are asked about behind it */
	MASTER_DARK = 64,               /* it may do one of the two: its tables cannot be looked through */
	MASTER_SOME = 128,              /* not behind the queue: it asks by smtpd_milter_maps alone */
	MASTER_ASKED = MASTER_ASKS | MASTER_SOME
};
unsigned master_roles(const struct doctor *, const struct master_service *);

/* What it was told, else what main.cf says; service NULL: main.cf. */
struct str master_parameter(const struct doctor *, const struct master_service *, const char *name);
/* What smtpd asks, if smtpd_milter_maps has no other list for the client: empty as well if it is to ask nobody. */
struct str master_milters(const struct doctor *, const struct master_service *);
/* The service of that name and type; NULL. */
const struct master_service *master_find(const struct doctor *, struct str name, const char *type);
/* The cleanup that takes its mail; NULL. */
const struct master_service *master_cleanup(const struct doctor *, const struct master_service *);
/* Does it hand mail to cleanup that no smtpd took, for which cleanup asks milters? */
bool master_is_local(const struct doctor *, const struct master_service *);
/* The next word of a list between blanks and commas; what is in braces is one.  false: there is none. */
bool master_next_word(struct str *rest, struct str *ret);
/* Is that word in a list of words? */
bool master_has_word(const struct doctor *, struct str list, const char *word);

/* "smtp" is 25; 0: there is no such port. */
unsigned master_port_number(const struct doctor *, struct str);
/* The service at a port such as "smtp:127.0.0.1:10026"; NULL.  Only one of this machine can be seen. */
const struct master_service *master_port(const struct doctor *, const char *where);
bool master_is_here(const char *where);
/* The service that its content_filter leads to, by that transport; NULL. */
const struct master_service *master_hop(const struct doctor *, const struct master_service *, struct str *ret_transport);

/* Of a list of milters: the one that we are; its name, and an attribute of { NAME, ATTRIBUTE=VALUE }, or empty. */
bool master_is_socket(const struct doctor *, struct str name);
struct master_milter {
	struct str name, text;
	bool last;
};
bool master_milter(const struct doctor *, struct str list, struct master_milter *ret);
struct str master_attribute(const struct doctor *, const struct master_milter *, const char *name);

/* The worst that one of those with such a role is, and what was seen of it; fine if there is none. */
typedef enum doctor_level master_look(const struct doctor *, const struct master_service *, struct str *ret_what);
enum doctor_level master_worst(const struct doctor *, unsigned roles, master_look *, struct str *ret_what);

#endif
