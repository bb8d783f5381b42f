/* limits.h - every limit by its name, with the reason for its size
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * libtamis(3) and doc/ext pages quote these numbers; a test reaches each. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* --- rules, when compiled */
#define LIMIT_SCRIPT_SIZE       (1u << 20)      /* bytes of one script */
#define LIMIT_NESTING           64              /* blocks in blocks, tests in tests: each */
#define LIMIT_STRING            (1u << 20)      /* bytes of one string in rules */
#define LIMIT_LIST              1000000         /* strings in one list */
#define LIMIT_ERRORS            100             /* diagnostics reported for one script */
#define LIMIT_INCLUDES          255             /* scripts in one program (RFC 6609 suggests a limit) */
#define LIMIT_INCLUDE_NESTING   10              /* RFC 6609: at least 3 */
#define LIMIT_INCLUDE_DEEPEST   100             /* whatever the host says: both compiler and machine recurse */
#define LIMIT_VARIABLES         4096            /* names per script (RFC 5229 4: at least 128) */
#define LIMIT_VARIABLE_NAME     64              /* bytes (RFC 5229: at least 32) */
#define LIMIT_LOOPS             4               /* loops in loops */
#define AUTOMATON_MAX           (8u << 20)      /* key bytes that one automaton may hold */
#define LIMIT_PATTERN           65536           /* bytes of one regular expression */
#define LIMIT_REGEX_NESTING     100             /* groups in groups of one */
#define LIMIT_REGEX_SIZE        (8u << 20)      /* bytes that PCRE2 may take to compile one */
#define LIMIT_REGEXES_SIZE      (64u << 20)     /* bytes of all of one program, or made in one run, with machine code */

/* --- a run */
#define LIMIT_WORK              20000000u       /* units (vm/run.h), about 2 s of a slow machine */
#define LIMIT_MEMORY            (64u << 20)     /* bytes of one run's arena */
#define LIMIT_ACTIONS           32              /* RFC 5228 2.10.6 */
#define LIMIT_REDIRECTS         4               /* RFC 5228 4.2: a small number */
#define LIMIT_VARIABLE_VALUE    65536           /* bytes (RFC 5229: at least 4000) */
#define LIMIT_MATCH_VARIABLES   32              /* ${0} to ${31} */
#define LIMIT_MAILBOX           1000            /* bytes of a mailbox's name */
#define LIMIT_REGEX_MATCH       1000000u        /* PCRE2 match limit of one match */
#define LIMIT_REGEX_DEPTH       10000u          /* PCRE2 heap (KiB) for one match */
#define STOP_EVERY              4096u           /* units between two polls of the host's stop() */

/* --- edits of the header (vm/edit.c) */
#define LIMIT_EDITS             500             /* of one script's run */
#define LIMIT_FIELD_NAME        997             /* bytes: it and the colon are on one line (RFC 5322 2.1.1) */
#define LIMIT_FIELD_VALUE       2048            /* bytes, before they are encoded */
#define LIMIT_FIELD_VALUE_LEAST 998             /* what a host may lower that to (RFC 5293 4) */

/* --- answers (vm/reply.c) */
#define LIMIT_REPLY_SECONDS     (365u * 86400u) /* for which an address is remembered (RFC 5230 4.1: over 30 days) */
#define LIMIT_REPLY_SUBJECT     256             /* characters */
#define LIMIT_REPLY_REFERENCES  2000            /* bytes of message-ids that are repeated */
#define LIMIT_REPLY_ID          900             /* bytes of one, which has to fit a line */
#define LIMIT_REPLY_HANDLE      64              /* bytes that are kept as they are; a longer one by its hash */

/* --- a message */
#define LIMIT_FIELDS            100000          /* header fields looked at */
#define LIMIT_ADDRESSES         100000          /* addresses of one field */
#define LIMIT_ODD_ADDRESS       2048            /* bytes of an odd address that a second parser is asked about */
#define LIMIT_PARTS             10000           /* MIME parts of one message */
#define LIMIT_PART_NESTING      100             /* multiparts in multiparts */

/* --- what hosts read */
#define LIMIT_SOCKET_PATH       103             /* bytes of a unix socket that is made: its name is longer until it is whole */
#define LIMIT_PIPE_SECONDS      10              /* for which a configuration or users map that is a pipe is waited for */
#define LIMIT_CONF_SIZE         (16u << 20)     /* bytes of tamis.conf */
#define LIMIT_RULES_TIMES       8               /* scripts of the greatest size in rules with all that they include */
#define LIMIT_RULES_SAID        10              /* lines in the log about one version of a script */
#define LIMIT_GOODS_SIZE        (64u << 20)     /* bytes of last good versions that no file could keep */
#define LIMIT_USERS_SIZE        (256u << 20)    /* bytes of the users map */
#define LIMIT_USERS             1000            /* users that one name in it stands for */
#define LIMIT_USERS_CHAIN       20              /* steps from a name to its users */
#define LIMIT_CONF_LIST         100000          /* values of one setting in it */

#endif
