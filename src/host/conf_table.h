/* conf_table.h - the settings of tamis.conf: for the files conf*.c
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_CONF_TABLE_H
#define HOST_CONF_TABLE_H

#include <stdatomic.h>

#include "base/names.h"
#include "host/conf.h"

enum conf_type { CONF_TEXT, CONF_NUMBER, CONF_SIZE, CONF_TIME, CONF_OCTAL, CONF_CHOICE, CONF_SWITCH, CONF_LIST, CONF_LIMIT };
/* settings that sections may have; they are choices */
enum { CONF_SCOPED_EFFECT, CONF_SCOPED };

struct conf_row {
	const char *name;
	enum conf_type type;
	size_t offset;
	const char *standard;
	const char *help;
	const char *choices;            /* "edge|final": the first is 0; of a SWITCH the second is true */
	uint64_t least, most;           /* most 0: no bounds */
	uint64_t unit;                  /* of a TIME: seconds for a bare number and in the struct; 0: 1 */
	bool empty;                     /* "" stands for none */
	unsigned scoped;                /* 1 + CONF_SCOPED_..., or 0 */
	/* NULL, or what is wrong with a text or an item of a list, to be put behind its value */
	const char *(*check)(struct str value);
};

/* The rows, then those of limit.c as "limit_work"...; false past the last. */
bool conf_table_row(size_t i, struct arena *, struct conf_row *ret);
size_t conf_table_size(void);
const char *conf_table_type(enum conf_type);

/* An item of "a|b|c": false past the last. */
bool conf_table_choice(const char *choices, unsigned i, struct str *ret);

/* Where a value stands in the file; line 0: it is the default. */
struct conf_place {
	unsigned line, column, length;
};

struct conf_block {                     /* of addresses; IPv4 as ::ffff:a.b.c.d */
	uint8_t address[16];
	unsigned bits;
};

enum conf_scope_kind { CONF_SCOPE_DOMAIN, CONF_SCOPE_USER, CONF_SCOPE_RULES, CONF_SCOPES };
extern const char *const conf_scope_names[CONF_SCOPES];

struct conf_scope {
	enum conf_scope_kind kind;
	struct str name;
	struct conf_place place, set[CONF_SCOPED];
	unsigned value[CONF_SCOPED];
};

struct conf_private {
	atomic_uint count;
	struct arena arena;
	const char *path;
	struct conf_place *place;       /* for each row */
	VEC(struct conf_block) block;
	VEC(struct conf_scope) scope;
	struct names key;               /* of scopes: the kind's first letter and the name */
	struct names domain;            /* local_domains */
	struct users *users;
};

/* --- conf_client.c */
/* "192.0.2.0/24": NULL, or what is wrong with it. */
const char *conf_client_parse(struct str, struct conf_block *ret);
bool conf_client_in(const struct conf_block *, const uint8_t address[16]);
bool conf_client_address(struct str ip, uint8_t ret[16]);

/* --- conf_read.c: the file's text; errors are reported, the first says how many */
struct conf_read {
	struct conf *conf;
	struct diag *diag;
	struct str file, text;
	unsigned errors;
	bool *wrong;                    /* for each row: it is set, and its value could not be had */
};
void conf_read_text(struct conf_read *);
/* The default of every row. */
void conf_read_standards(struct conf_read *);
__attribute__((format(printf, 5, 6)))
void conf_read_report(struct conf_read *, bool error, struct conf_place, const char *hint, const char *format, ...);

/* --- conf_check.c: settings that contradict each other; of what could not be had nothing is said */
void conf_check(struct conf_read *);
/* Sections of who is no user, when the file users has been read. */
void conf_check_scopes(struct conf_read *);

#endif
