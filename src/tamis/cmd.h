/* cmd.h - a command is one file with one struct cmd
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_CMD_H
#define TAMIS_CMD_H

#include "base/buf.h"

enum {
	CMD_DONE = -1,                  /* fine, and nothing else is to be done */
	CMD_FINE = 0,
	CMD_WRONG = 1,                  /* rules are wrong, a run failed, a test failed */
	CMD_USAGE = 2,                  /* also: no such file */
	CMD_AGAIN = 75                  /* a trouble that may pass: try again (EX_TEMPFAIL) */
};

enum option_kind {
	OPTION_FLAG,                    /* bool */
	OPTION_COUNT,                   /* unsigned: how often */
	OPTION_NUMBER,                  /* uint64_t */
	OPTION_TEXT,                    /* const char *: the last one given */
	OPTION_LIST,                    /* struct texts: all that were given */
	OPTION_CHOICE                   /* unsigned: 1 + the index in "a|b|c", which is `arg` */
};

struct texts {
	const char **v;
	size_t n, cap;
};

struct cmd_option {
	char letter;                    /* or 0 */
	enum option_kind kind;
	const char *name, *arg, *help;
	size_t offset;                  /* of its value in what the group says */
	unsigned bare;                  /* of a choice: its value when no "=" follows; else 0 */
};

/* A table ends with a row without name.  The values of an own group are in the
 * command's own struct, all others in struct settings. */
struct option_group {
	const char *title;
	const struct cmd_option *options;
	bool own;
};

struct settings {
	/* rules */
	struct texts rules, allow, deny, limits;
	const char *global;
	bool no_index;
	/* messages */
	const char *from, *to, *now;
	struct texts env;
	unsigned stage;
	/* output */
	bool json, quiet;
	unsigned color;
	/* general */
	bool help, no_color;
};
extern const struct option_group options_scripts, options_rules, options_messages, options_output, options_text, options_general;

enum { CMD_GROUPS = 6 };

struct cmd {
	const char *name;
	const char *usage;              /* what stands behind "tamis NAME" */
	const char *summary;            /* one line, lower case */
	const char *help;               /* paragraphs for --help; may be NULL */
	const struct option_group *groups[CMD_GROUPS];
	size_t own_size;                /* of its own struct, zeroed, given to run */
	size_t min, max;                /* operands; max 0: any number */
	int (*run)(const struct settings *, void *own, struct texts operands);
};

/* all of them; ends with NULL.  The struct of cmd_NAME.c is named cmd_NAME. */
extern const struct cmd *const cmds[];
extern const struct cmd cmd_check, cmd_run, cmd_trace, cmd_explain,
	cmd_diff, cmd_test, cmd_dump, cmd_conf, cmd_filing, cmd_doctor, cmd_help;

/* For "tamis NAME --help" and "tamis help NAME". */
void cmd_print_help(const struct cmd *);
/* "tamis NAME: text" on standard error, and the way to --help. */
int cmd_usage(const struct cmd *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "tamis: what: reason" for errno; 2 or 75. */
int cmd_error(const char *what, int error);
/* Of exit codes of several things the one that counts: 75, else 2, else 1. */
int cmd_worse(int, int);

/* The closest of some words, if close enough to be meant; else NULL. */
const char *cmd_meant(struct str word, const char *(*name)(size_t i));

/* --- option.c */
/* Values go into settings and own; what is no option is pushed to operands.  0 or CMD_USAGE. */
int option_parse(const struct cmd *, int argc, char **argv, struct settings *, void *own, struct texts *operands);
void option_print(const struct cmd *);
/* Frees lists. */
void option_done(const struct cmd *, struct settings *, void *own);

#endif
