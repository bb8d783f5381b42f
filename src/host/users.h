/* users.h - the users map: addresses, alias domains and logins, and whose they are
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     al@example.org          alice@example.org
 *     team@example.org        alice@example.org, bob@example.org
 *     @example.net            @example.org
 *     login:alice             alice@example.org */
#ifndef HOST_USERS_H
#define HOST_USERS_H

#include "host/canonical.h"

struct diag;
struct users;

/* NULL after reporting everything that is wrong with it; errno is then 0, or why it could not be read. */
struct users *users_load(const struct conf *, const char *path, struct diag *);
struct users *users_free(struct users *);

/* Whose address is it?  At least one user; one that is not in the map is his own, alias domains aside. */
struct users_found {
	const struct str *user;         /* lives as long as the map, or the arena */
	size_t n;
	bool listed;                    /* the map knows the address, the user or the domain */
};
/* The map may be NULL. */
void users_find(const struct users *, struct arena *, const struct canonical *, struct users_found *ret);
/* Does something stand for that user?  Of an alias domain: the one that it stands for, else the domain itself. */
bool users_knows(const struct users *, struct str user);
struct str users_real_domain(const struct users *, struct str domain);
/* Is the address that of one user alone, and may this login act for him?  A login that the map does not know is the user
 * of that address, if it looks like one. */
bool users_owns(const struct conf *, const struct users *, struct str login, struct str address);

#endif
