/* conf_table.c - the settings of tamis.conf: names, types, ranges, defaults, help
 * SPDX-License-Identifier: BSD-2-Clause */
#include "host/conf_table.h"
#include "host/conf_value.h"
#include "host/limit.h"

#define AT(field) offsetof(struct conf, field)
#define TEXT(n, d, h, ...) { .name = #n, .type = CONF_TEXT, .offset = AT(n), .standard = (d), .help = (h), __VA_ARGS__ }
#define LIST(n, c, h, ...) { .name = #n, .type = CONF_LIST, .offset = AT(n), .standard = "", .help = (h), .check = (c), \
	.empty = true, __VA_ARGS__ }
#define CHOICE(n, c, d, h, ...) { .name = #n, .type = CONF_CHOICE, .offset = AT(n), .standard = (d), .help = (h), \
	.choices = (c), __VA_ARGS__ }
#define NUMBER(n, t, d, from, to, h, ...) { .name = #n, .type = (t), .offset = AT(n), .standard = (d), .help = (h), \
	.least = (from), .most = (to), __VA_ARGS__ }

static const struct conf_row rows[] = {
	CHOICE(mode, "edge|final|strip", "edge", "\"edge\" faces the world, \"final\" stands behind the queue and gets one recipient at a "
	       "time, \"strip\" runs no rules and takes away forged fields before other milters see them"),
	CHOICE(mta, "auto|postfix|sendmail", "auto", "whose rules split addresses; \"auto\" believes what the mail server says of itself"),
	TEXT(socket, "unix:/run/tamis/tamis.sock", "where the mail server finds us: unix:/PATH, inet:PORT@HOST, inet6:PORT@HOST, fd:NUMBER",
	     .check = conf_value_socket),
	NUMBER(socket_mode, CONF_OCTAL, "0660", 0, 0777, "permissions of a unix socket"),
	TEXT(socket_group, "", "group of a unix socket; empty: that of the process", .empty = true, .check = conf_value_word),
	TEXT(user, "", "whom to become after a start as root; empty: nobody else", .empty = true, .check = conf_value_word),
	TEXT(pid_file, "", "where to write the process id", .empty = true, .check = conf_value_path),
	TEXT(state_dir, "/var/lib/tamis", "what must outlive a restart: the journal, what runs", .check = conf_value_path),
	TEXT(secret_file, "/var/lib/tamis/secret", "32 random bytes behind what only we can have written; made at the first start",
	     .empty = true, .check = conf_value_path),
	TEXT(hostname, "", "our name in Received fields and reports; empty: the mail server's", .empty = true, .check = conf_value_domain),
	TEXT(authserv_id, "", "whose Authentication-Results fields are believed; empty: nobody's", .empty = true, .check = conf_value_word),

	TEXT(rules_dir, "", "directory of the users' rules; empty: nobody has rules", .empty = true, .check = conf_value_path),
	TEXT(rules_file, "%d/%u.sieve", "a user's rules below rules_dir: %u the local part, %d the domain, %% a percent sign",
	     .check = conf_value_template),
	TEXT(global_dir, "", "directory of scripts for \"include :global\"", .empty = true, .check = conf_value_path),
	TEXT(users, "", "file of addresses, alias domains and logins", .empty = true, .check = conf_value_path),
	LIST(site_before, conf_value_path, "scripts that run before the user's, in this order"),
	LIST(site_after, conf_value_path, "scripts that run after the user's, in this order"),
	LIST(local_domains, conf_value_domain, "whose recipients are ours; empty: domains with a directory of rules, and those of users"),
	CHOICE(localpart_case, "fold|exact", "fold", "are Alice@ and alice@ the same user?"),
	TEXT(recipient_delimiter, "+", "characters that end the user's name in a local part; empty: none", .empty = true,
	     .check = conf_value_delimiter),
	TEXT(time_zone, "UTC", "zone of dates for which rules name none: +0100, or a name as Europe/Paris", .check = conf_value_zone),
	LIST(own_clients, conf_value_client, "addresses and networks whose refusals would come back to us: backup MX, lists, fetch hosts"),
	LIST(deny_extensions, conf_value_extension, "extensions that users' rules may not use"),
	LIST(protect_add, conf_value_field, "header fields that rules may not add"),
	LIST(protect_delete, conf_value_field, "header fields that rules may not delete"),

	CHOICE(effect, "observe|tag|refuse|full", "observe", "\"observe\" only logs what would happen, \"tag\" says it in a header field, \"refuse\" "
	       "refuses and leaves all else to a daemon behind the queue, \"full\" does it",
	       .scoped = 1 + CONF_SCOPED_EFFECT),
	CHOICE(fileinto_by, "none|detail|header", "none", "how a mailbox reaches the store: not at all, as user+mailbox@domain, in a secret header field"),
	CHOICE(refuse_late, "keep|bounce", "keep", "what becomes of a refusal that comes too late for the sender's server"),
	CHOICE(redirect_sender, "keep|user|srs|null", "keep", "envelope sender of redirects"),
	TEXT(srs_domain, "", "domain of rewritten senders", .empty = true, .check = conf_value_domain),
	TEXT(copy_to, "", "port without milters that takes individual copies: smtp:HOST:PORT, lmtp:unix:/PATH", .empty = true,
	     .check = conf_value_port),
	TEXT(filtered_to, "", "port with milters for redirects to users of ours", .empty = true, .check = conf_value_port),
	TEXT(quarantine_to, "", "address that gets what rules of some of the recipients put in quarantine; empty: only what all of them put there is held", .empty = true, .check = conf_value_mailbox),
	TEXT(refusal_text, "the recipient's rules refuse this message", "said for a reason that SMTP cannot carry", .check = conf_value_sentence),

	NUMBER(journal_days, CONF_TIME, "5d", 1, 60, "for how long a retry is known", .unit = 86400),
	NUMBER(trouble_times, CONF_NUMBER, "3", 1, 1000, "internal errors of one message before it passes without the rules that are in trouble"),
	NUMBER(trouble_seconds, CONF_TIME, "1h", 1, 7 * 86400, "how long one message may meet internal errors before it passes without the rules that are in trouble"),
	NUMBER(overload_after, CONF_TIME, "60s", 1, 86400, "how long overload may delay mail that no rules can withhold"),
	NUMBER(rcpt_deadline, CONF_TIME, "10s", 1, 25, "for one recipient's rules at RCPT TO"),
	NUMBER(message_deadline, CONF_TIME, "200s", 1, 280, "for everything at the end of a message"),
	NUMBER(drain_seconds, CONF_TIME, "30s", 0, 600, "for messages that are being decided when we are to stop"),
	NUMBER(max_messages, CONF_NUMBER, "64", 1, 65536, "messages that are decided at the same time"),
	NUMBER(max_recipients, CONF_NUMBER, "1000", 1, 100000, "recipients of one message; more are told to come back"),
	NUMBER(max_header, CONF_SIZE, "1M", 4096, 1 << 30, "bytes of one message's header"),
	NUMBER(max_memory, CONF_SIZE, "1M", 4096, 1 << 30, "bytes of one message that are held in memory; more go to a file"),
	NUMBER(max_hops, CONF_NUMBER, "20", 5, 1000, "Received fields; more are a loop"),
	NUMBER(max_programs, CONF_NUMBER, "5000", 1, 10000000, "compiled scripts that are kept"),
	TEXT(spill_dir, "/tmp", "where messages over max_memory go", .check = conf_value_path),

	{ .name = "log", .type = CONF_SWITCH, .offset = AT(log_stderr), .standard = "syslog", .choices = "syslog|stderr",
	  .help = "where the log goes" },
	TEXT(log_facility, "mail", "facility of syslog lines",
	     .choices = "mail|daemon|user|auth|local0|local1|local2|local3|local4|local5|local6|local7"),
};
enum { ROWS = sizeof(rows) / sizeof(*rows) };

const char *const conf_scope_names[CONF_SCOPES] = {
	[CONF_SCOPE_DOMAIN] = "domain", [CONF_SCOPE_USER] = "user", [CONF_SCOPE_RULES] = "rules",
};

static void
conf_table_limit(size_t i, struct arena *a, struct conf_row *ret)
{
	struct str name = arena_printf(a, "limit_%s", limit_name(i));
	char *p;

	for (p = (char *)name.s; (p = strchr(p, '-')); )
		*p = '_';
	*ret = (struct conf_row){
		.name = name.s,
		.type = CONF_LIMIT,
		.offset = i,
		.standard = arena_printf(a, "%llu", (unsigned long long)limit_value(&tamis_limits_default, i)).s,
		.help = limit_help(i),
	};
	limit_range(str_from(limit_name(i)), &ret->least, &ret->most);
}

bool
conf_table_row(size_t i, struct arena *a, struct conf_row *ret)
{
	if (i < ROWS)
		*ret = rows[i];
	else if (limit_name(i - ROWS))
		conf_table_limit(i - ROWS, a, ret);
	else
		return false;
	return true;
}

size_t
conf_table_size(void)
{
	size_t n = ROWS;

	while (limit_name(n - ROWS))
		n++;
	return n;
}

const char *
conf_table_type(enum conf_type type)
{
	static const char *const names[] = {
		[CONF_TEXT] = "text", [CONF_NUMBER] = "number", [CONF_SIZE] = "size", [CONF_TIME] = "time",
		[CONF_OCTAL] = "octal number", [CONF_CHOICE] = "word", [CONF_SWITCH] = "word", [CONF_LIST] = "list",
		[CONF_LIMIT] = "number",
	};

	return names[type];
}

bool
conf_table_choice(const char *choices, unsigned i, struct str *ret)
{
	struct str rest = str_from(choices);
	ptrdiff_t bar;

	for (;; i--) {
		bar = str_find(rest, STR("|"));
		if (!i) {
			*ret = bar < 0 ? rest : str_sub(rest, 0, (size_t)bar);
			return true;
		}
		if (bar < 0)
			return false;
		rest = str_sub(rest, (size_t)bar + 1, rest.len);
	}
}
