/* session.h - compiled rules, messages, and what becomes of them
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_SESSION_H
#define TAMIS_SESSION_H

#include "host/answer.h"
#include "host/source.h"
#include "tamis/cmd.h"

struct progress;

/* scripts that run in sequence */
struct programs {
	struct tamis_program **v;
	size_t n, cap;
};

struct session {
	const struct settings *set;
	const struct cmd *cmd;
	struct diag diag;
	struct rules rules;
	struct answer answer;
	struct tamis_message *message;
	enum tamis_stage stage;
	struct source *first;           /* the first source, opened early to know how much there is */
	unsigned errors_shown;          /* of runs */
	bool silent;                    /* the command prints nothing for each message: a bar may always show */
	bool many;                      /* more than one message, or perhaps */
	unsigned flags;                 /* of tamis_compile, by what is to be run */
	struct progress *progress;
	struct json_t *errors;          /* of the current decision, where output is JSON */
	int code;                       /* worst exit code of messages that could not be read */
};

struct session_result {
	struct tamis_recipient *recipient;
	struct tamis_outcome *outcome;
	enum tamis_status status;
	struct json_t *errors;          /* NULL: none, or output is not JSON */
};

/* 0, or the exit code of a command that cannot go on; done is to be called in both cases. */
int session_init(struct session *, const struct cmd *, const struct settings *);
void session_done(struct session *);

/* What of the operands are rules, what messages: those of --rules, else the
 * first operand.  0 or CMD_USAGE. */
int session_operands(const struct cmd *, const struct settings *, struct texts operands,
                     struct texts *ret_rules, struct texts *ret_paths);

/* Is standard input asked for once at most?  0 or CMD_USAGE. */
int session_input(const struct cmd *, struct texts rules, struct texts paths);

/* Looks at what messages there will be, before rules are compiled for them.  No path: standard input. */
int session_expect(struct session *, struct texts paths);
/* Compiles the files in order; all their errors are reported.  CMD_WRONG if there are any. */
int session_compile(struct session *, const char *const *path, size_t n, struct programs *ret);
void programs_done(struct programs *);

/* Calls each() for every message, shows progress, stops when it returns
 * false.  Unreadable ones are reported and passed over. */
int session_each(struct session *, struct texts paths, unsigned needs,
                 bool (*each)(void *ctx, const struct source_message *), void *ctx);
/* The message to decide on from here on, until the next one. */
void session_message(struct session *, const struct source_message *);
/* The decision for it; remembers what the rules wanted remembered. */
void session_decide(struct session *, const struct programs *, struct session_result *ret);
/* Message, status, effects, errors. */
struct json_t *session_json(struct session *, const struct source_message *, const struct session_result *);
void session_result_done(struct session_result *);

#endif
