/* tamis.h - compile Sieve rules; ask them what becomes of a message for one recipient
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TAMIS_H
#define TAMIS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
/* The engine opens no file, keeps no state, reads no clock, sends nothing: it asks its host and returns
   effects.  Threads may share a program; a message, with its recipients and outcomes, belongs to one thread
   at a time.  Free outcomes before their recipient, recipients before their message.  Text that goes in is
   copied unless "borrowed"; text that comes out lives as long as the object it was got from. */
struct tamis_program;                   /* compiled rules and includes: immutable, counted */
struct tamis_message;                   /* connection, sender, fields, body; parsed on demand, once for all recipients */
struct tamis_recipient;                 /* one recipient of it: address, clock, answers; from RCPT TO to the end */
struct tamis_outcome;                   /* what one or more runs for a recipient decided; its edits of the message */

struct tamis_text { const char *s; size_t len; };                       /* s is never NULL */
struct tamis_place { struct tamis_text file; unsigned line, column, length; };
struct tamis_option { struct tamis_text name, value; };

enum tamis_stage { TAMIS_ENVELOPE, TAMIS_HEADER, TAMIS_BODY };
enum tamis_status {
	TAMIS_DECIDED,          /* the effects are final */
	TAMIS_UNDECIDED,        /* not at this stage: run again at the next, with a fresh outcome */
	TAMIS_WAITING,          /* questions are open: answer them, then run again at this stage */
	TAMIS_FAILED            /* run-time error, limit or stop(): reported; the only effect is a keep */
};
enum tamis_answer { TAMIS_UNAVAILABLE = -2, TAMIS_LATER = -1, TAMIS_NO = 0, TAMIS_YES = 1 };

enum tamis_effect_kind { TAMIS_KEEP, TAMIS_DISCARD, TAMIS_REJECT, TAMIS_FILE, TAMIS_REDIRECT, TAMIS_SEND,
	TAMIS_HEADER_ADD, TAMIS_HEADER_DELETE, TAMIS_HEADER_REPLACE, TAMIS_BODY_REPLACE, TAMIS_QUARANTINE,
	TAMIS_REMEMBER, TAMIS_NOTIFY, TAMIS_HOLD, TAMIS_EFFECTS };
struct tamis_effect {
	enum tamis_effect_kind kind;
	struct tamis_text name;                 /* the command's: "fileinto"; "keep" when implicit */
	bool implicit;                          /* the keep that nothing cancelled */
	bool early;                             /* REJECT: may be said at RCPT TO, and a text that SMTP cannot carry be replaced
	                                           (RFC 5429 2.1); else only at the end, and word for word (2.2) */
	unsigned version;                       /* of the message: how many edits came before (tamis_outcome_write) */
	struct tamis_place place;               /* the command */
	unsigned run, again;                    /* which run of the outcome had it first: 1, 2...; which last, if several; else 0 */
	size_t noptions;                        /* by name: a new tag never edits this header; libtamis(3) lists them */
	const struct tamis_option *options;
};
struct tamis_diagnostic { enum { TAMIS_ERROR, TAMIS_WARNING, TAMIS_NOTE } severity; struct tamis_place place;
	const char *text, *hint; };                                     /* hint may be NULL */
/* What a trace shows.  RULE: a condition begins (name: "if", "elsif") and RULE_END: it came out so (result).  TEST: a
   test begins; then VALUE for each value it saw (result -1: it was only counted), MATCHED for the key that matched
   (text: the key; value: the value), NEAREST for the key that came closest when none did, or what is missing; RESULT
   ends it.  ASSIGNED: a variable (name) became text.  ACTION: a command ran (text: its arguments; value: why it did nothing, or empty).  ASKED: a
   question (name, text: key, value: answer). */
struct tamis_event {
	enum { TAMIS_RULE, TAMIS_RULE_END, TAMIS_TEST, TAMIS_VALUE, TAMIS_MATCHED, TAMIS_NEAREST, TAMIS_RESULT, TAMIS_ACTION,
	       TAMIS_ASKED, TAMIS_ASSIGNED } kind;
	struct tamis_place place;
	struct tamis_text name, text, value;
	int result;                                                     /* 1, 0, -1 unknown */
};

/* Named limits; a run or a script that reaches one fails with a diagnostic that names it. */
struct tamis_limits {
	uint64_t work;                  /* units of one run: an instruction, 64 bytes touched, a MIME part (default 20 million) */
	size_t memory;                  /* bytes that one run may allocate (64 MiB) */
	size_t script_size;             /* bytes of one script (1 MiB) */
	unsigned nesting;               /* blocks in blocks, tests in tests: each (64; at most 64) */
	unsigned actions, redirects;    /* of one script's run (32, 4) */
	unsigned includes, include_nesting;     /* scripts in one program, includes in includes (255, 10) */
	size_t variable_value;          /* bytes; a longer value is cut at a character (65,536) */
	unsigned variables;             /* names in one script (4,096) */
	size_t field_value;             /* bytes of a header field that rules add (2,048; at least 998) */
};
extern const struct tamis_limits tamis_limits_default;

/* Any callback may be NULL.  They may use the objects of the run, and may run other programs, but not free. */
struct tamis_host {
	void *ctx;
	const struct tamis_limits *limits;                              /* NULL: tamis_limits_default */
	uint32_t effects;                                               /* 1u << kind that it can perform; 0: all */
	bool (*allow)(void *ctx, struct tamis_text extension);          /* may rules require it? */
	/* kind "personal" or "global": an included script; "zone": TZif data (RFC 8536) of an IANA zone; "unfit-mailbox":
	   why messages cannot be filed into the mailbox of that name here, in words, while rules are compiled, and
	   "unfit-quarantine": why not all can be put in quarantine.  1 found, 0 no such thing, < 0 cannot be told now; what is
	   found stays valid until the compilation or run ends. */
	int  (*load)(void *ctx, struct tamis_text kind, struct tamis_text name, struct tamis_text *ret);
	enum tamis_answer (*ask)(void *ctx, struct tamis_recipient *, struct tamis_text what, struct tamis_text key,
	                         struct tamis_text *ret);               /* yes and no are kept for the recipient */
	bool (*stop)(void *ctx);                                        /* polled as work is done: give up now? */
	void (*report)(void *ctx, const struct tamis_diagnostic *);     /* compile and run-time */
	void (*trace)(void *ctx, const struct tamis_event *);           /* NULL costs nothing */
};

/* NULL after reporting every error.  RESIDENT: will run often, so spend time on indexes and JIT; NO_INDEX: RESIDENT
   without the index over tests (the outcome is the same); BORROW: the rules, and all that load() gives, are borrowed
   until the program is freed, and followed by a NUL. */
enum { TAMIS_RESIDENT = 1, TAMIS_NO_INDEX = 2, TAMIS_BORROW = 4 };
struct tamis_program *tamis_compile(const struct tamis_host *, struct tamis_text name, struct tamis_text rules, unsigned flags);
struct tamis_program *tamis_program_ref(struct tamis_program *);
struct tamis_program *tamis_program_unref(struct tamis_program *);      /* frees accept and return NULL */
enum { TAMIS_NEEDS_HEADER = 1, TAMIS_NEEDS_SIZE = 2, TAMIS_NEEDS_BODY = 4, TAMIS_NEEDS_STATE = 8 };
unsigned tamis_program_needs(const struct tamis_program *);
uint32_t tamis_program_effects(const struct tamis_program *);
void tamis_program_dump(const struct tamis_program *, void (*line)(void *ctx, const char *), void *ctx);
/* Every condition, test and action in the order of the source, with the earliest stage at which it can be decided. */
struct tamis_point {
	enum { TAMIS_POINT_RULE, TAMIS_POINT_TEST, TAMIS_POINT_ACTION } kind;
	struct tamis_place place;
	struct tamis_text name;                 /* of the command */
	enum tamis_stage stage;                 /* RULE: of the whole condition; ACTION: with all that must be decided before it */
	bool late;                              /* a refusal that could be final at ENVELOPE if a stop followed it */
};
void tamis_program_points(const struct tamis_program *, void (*point)(void *ctx, const struct tamis_point *), void *ctx);

/* Facts are envelope parts and environment items: "from", "auth", "remote-ip"...; "to" belongs to a recipient. */
struct tamis_message *tamis_message_new(void);
void tamis_message_reset(struct tamis_message *);                       /* for the next one; keeps its memory; its recipients are to be reset too */
void tamis_message_fact(struct tamis_message *, struct tamis_text name, struct tamis_text value);
/* tell() is called once, when somebody asks for a fact or the first one is told, and tells what it knows; never, if nobody does */
void tamis_message_facts(struct tamis_message *, void (*tell)(void *ctx, struct tamis_message *), void *ctx);
void tamis_message_header(struct tamis_message *, struct tamis_text block);             /* borrowed; LF or CRLF */
void tamis_message_body(struct tamis_message *, struct tamis_text body, uint64_t size); /* borrowed, perhaps a mapped file;
                                                   empty if no program needs it; size is that of the whole message */
struct tamis_message *tamis_message_free(struct tamis_message *);

/* The clock (microseconds, UTC) and the seed of all randomness are given once, so that runs and retries agree. */
struct tamis_recipient *tamis_recipient_new(struct tamis_message *, struct tamis_text address, int64_t now, const uint8_t seed[32]);
/* Another one of that message, which may have been reset; keeps its memory.  Outcomes of the one before are to be reset too. */
void tamis_recipient_reset(struct tamis_recipient *, struct tamis_text address, int64_t now, const uint8_t seed[32]);
void tamis_recipient_fact(struct tamis_recipient *, struct tamis_text name, struct tamis_text value);
void tamis_recipient_answer(struct tamis_recipient *, struct tamis_text what, struct tamis_text key, enum tamis_answer, struct tamis_text value);
struct tamis_recipient *tamis_recipient_free(struct tamis_recipient *);
/* The questions that a run may ask as far as can be told at this stage: collect those of all recipients, ask
   the store once, hand in the answers. */
void tamis_questions(const struct tamis_program *, struct tamis_recipient *, enum tamis_stage,
                     void (*want)(void *ctx, struct tamis_recipient *, struct tamis_text what, struct tamis_text key), void *ctx);

/* Runs on one outcome add up: site rules, then the user's; each sees the edits of those before it, and takes back the keep
   of the one before it, which meant "go on".  A FAILED run leaves what earlier ones decided and adds a keep. */
struct tamis_outcome *tamis_outcome_new(struct tamis_recipient *);
void tamis_outcome_reset(struct tamis_outcome *);                       /* as a new one of its recipient; keeps its memory */
void tamis_outcome_switch(struct tamis_outcome *, struct tamis_recipient *);    /* from here on this message, unedited */
void tamis_outcome_clear(struct tamis_outcome *);                       /* forgets effects and flags so far; edits stay */
enum tamis_status tamis_run(const struct tamis_program *, struct tamis_outcome *, enum tamis_stage, const struct tamis_host *);
const struct tamis_effect *tamis_outcome_next(const struct tamis_outcome *, const struct tamis_effect *previous);
/* false: something cancelled the implicit keep and nothing kept, so that no later script of a sequence is to run */
bool tamis_outcome_keeps(const struct tamis_outcome *);
bool tamis_outcome_degraded(const struct tamis_outcome *);              /* an unavailable answer mattered: nothing refuses */
int tamis_outcome_write(const struct tamis_outcome *, unsigned version, int (*write)(void *ctx, struct tamis_text), void *ctx);
/* The message that an effect of kind SEND sends, to its option "to" and from <>: lines end in CRLF.  What write() returned,
   or -1 without a call of it: the effect is of another kind. */
int tamis_reply_write(const struct tamis_outcome *, const struct tamis_effect *, int (*write)(void *ctx, struct tamis_text), void *ctx);
struct tamis_outcome *tamis_outcome_free(struct tamis_outcome *);

/* For tools: every word of the language, from the tables. */
struct tamis_word {
	const char *extension;                  /* capability: "fileinto"; "" for what needs no require */
	const char *kind;                       /* "extension", "action", "control", "test", "tag", "match type", "comparator" */
	const char *name;                       /* "fileinto", ":copy"... */
	const char *summary;                    /* one line */
	const char *document;                   /* "RFC 5228" */
};
bool tamis_word(size_t i, struct tamis_word *ret);              /* false past the last */
/* "fileinto [:copy] <mailbox: string>" for a command, else "": as snprintf(). */
size_t tamis_usage(const struct tamis_word *, char *out, size_t size);
const char *tamis_version(void);
#ifdef __cplusplus
}
#endif
#endif
