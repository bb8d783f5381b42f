/* conf.h - tamis.conf: what the daemon was told
 * SPDX-License-Identifier: BSD-2-Clause
 *
 *     mode = edge
 *     rules_dir = /etc/tamis/rules            # a comment
 *     own_clients = 192.0.2.0/24, 2001:db8::/32
 *     refusal_text = "not wanted here"
 *
 *     [domain example.org]
 *     effect = full
 *
 * One table (conf_table.c) has the name, type, range, default and help of each setting. */
#ifndef HOST_CONF_H
#define HOST_CONF_H

#include "base/buf.h"
#include "tamis.h"

enum conf_mode { CONF_EDGE, CONF_FINAL, CONF_STRIP };
enum conf_mta { CONF_MTA_AUTO, CONF_MTA_POSTFIX, CONF_MTA_SENDMAIL };
enum conf_fold { CONF_FOLD, CONF_EXACT };
enum conf_effect { CONF_OBSERVE, CONF_TAG, CONF_REFUSE, CONF_FULL };
enum conf_fileinto { CONF_FILEINTO_NONE, CONF_FILEINTO_DETAIL, CONF_FILEINTO_HEADER };
enum conf_refuse_late { CONF_REFUSE_KEEP, CONF_REFUSE_BOUNCE };
enum conf_redirect_sender { CONF_SENDER_KEEP, CONF_SENDER_USER, CONF_SENDER_SRS, CONF_SENDER_NULL };

struct conf_list {
	const char **v;
	size_t n;
};

struct diag;
struct users;
struct conf_private;

/* Immutable once loaded, counted.  Texts are never NULL: "" is none.  Times are in seconds. */
struct conf {
	/* the daemon */
	enum conf_mode mode;
	enum conf_mta mta;
	const char *socket;
	uint64_t socket_mode;
	const char *socket_group, *user, *pid_file, *state_dir, *secret_file, *hostname, *authserv_id;
	/* whose rules */
	const char *rules_dir, *rules_file, *global_dir, *users;
	struct conf_list site_before, site_after, local_domains;
	enum conf_fold localpart_case;
	const char *recipient_delimiter, *time_zone;
	struct conf_list own_clients, deny_extensions, protect_add, protect_delete;
	/* what is done */
	enum conf_effect effect;                /* of the site: conf_effect_for() knows better */
	enum conf_fileinto fileinto_by;
	enum conf_refuse_late refuse_late;
	enum conf_redirect_sender redirect_sender;
	const char *srs_domain, *copy_to, *filtered_to, *quarantine_to, *refusal_text;
	/* trouble and limits */
	uint64_t journal_days, trouble_times, trouble_seconds, overload_after;
	uint64_t rcpt_deadline, message_deadline, drain_seconds;
	uint64_t max_messages, max_recipients, max_header, max_memory, max_hops, max_programs;
	const char *spill_dir;
	/* log */
	bool log_stderr;
	const char *log_facility;
	struct tamis_limits limits;

	struct conf_private *private;
};

/* The file at `path` ("-": standard input; "": defaults alone) and the users map that it names.  NULL after reporting
 * everything that is wrong to the diag; errno is then 0, or why a file could not be read. */
struct conf *conf_load(const char *path, struct diag *);
/* The same for whoever wants to know everything that is wrong: the configuration even so, with the defaults in place of
 * what could not be had; never NULL. */
struct conf *conf_try(const char *path, struct diag *, bool *ret_wrong);
/* Where it is unless somebody says otherwise. */
const char *conf_standard_path(void);
struct conf *conf_ref(struct conf *);
struct conf *conf_unref(struct conf *);

/* Of a section [rules PATH], else of [user ADDRESS], else of [domain NAME], else of the site.  user and domain are
 * canonical; each may be empty. */
enum conf_effect conf_effect_for(const struct conf *, struct str user, struct str domain, struct str rules);
/* Is that address in own_clients?  IPv4, IPv6, IPv4 in IPv6; "IPv6:" may stand before it. */
bool conf_own_client(const struct conf *, struct str ip);
/* The users map; NULL: there is none. */
const struct users *conf_users(const struct conf *);
/* Is the domain, in canonical form, in local_domains? */
bool conf_local_domain(const struct conf *, struct str domain);
/* Does copy_to name an LMTP server, which takes mail for users of its own only? */
bool conf_copies_to_store(const struct conf *);

/* --- for those who show it */

/* A setting as people see it; `value` and `standard` are as they would stand in the file. */
struct conf_setting {
	const char *name, *type, *choices, *help;       /* choices: "edge|final|strip", or NULL */
	struct str value, standard, range;              /* range: "1 to 30", or empty */
	bool sections;                                  /* may stand in sections */
	unsigned line;                                  /* where it was set, 0: nowhere */
};
/* The settings one after the other; false past the last.  Texts are the arena's. */
bool conf_setting(const struct conf *, size_t i, struct arena *, struct conf_setting *ret);
const char *conf_name(size_t i);
/* What sections set; `section` as it would stand between the brackets. */
struct conf_scoped {
	struct str section;
	const char *name, *value;
	unsigned line;
};
bool conf_scoped(const struct conf *, size_t i, struct arena *, struct conf_scoped *ret);
/* What is wrong with the value of a setting, at the place where it stands in the file. */
void conf_report(const struct conf *, struct diag *, const char *name, const char *hint, const char *text);
/* The file's name, "" for defaults alone. */
const char *conf_path(const struct conf *);

#endif
