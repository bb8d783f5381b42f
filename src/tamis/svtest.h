/* svtest.h - runs test suites in the dialect vnd.dovecot.testsuite
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A suite is a script; what it asks for by its own commands is done here, by
 * a mail system in memory.  Its blocks are not kept apart: what one did to
 * message, result, store or settings, the next one finds. */
#ifndef TAMIS_SVTEST_H
#define TAMIS_SVTEST_H

#include "tamis/session.h"
#include "tamis/tracing.h"

/* --- svtest_store.c: mailboxes and what was sent */

struct svtest_stored {
	struct str text;
	struct str flags;               /* with blanks between them */
};

struct svtest_folder {
	struct str name;
	VEC(struct svtest_stored) message;
};

/* a message on its way to one recipient */
struct svtest_sent {
	struct str from, to, text;
};

/* an annotation of a mailbox, or of the server (no mailbox) */
struct svtest_annotation {
	struct str mailbox, name, value;
};

struct svtest_store {
	struct arena arena;
	VEC(struct svtest_annotation) annotation;
	VEC(struct svtest_folder) folder;
	VEC(struct svtest_sent) outbox;
};

void svtest_store_done(struct svtest_store *);
/* NULL, or why no folder can have that name. */
const char *svtest_store_name(struct str name);
/* NULL: there is none of that name; INBOX always is. */
struct svtest_folder *svtest_store_find(struct svtest_store *, struct str name);
/* false: there is one */
bool svtest_store_create(struct svtest_store *, struct str name);
void svtest_store_put(struct svtest_store *, struct svtest_folder *, struct str text, struct str flags);
/* NULL, or why that is no annotation. */
const char *svtest_store_annotate(struct svtest_store *, struct str mailbox, struct str name, struct str value);
void svtest_store_send(struct svtest_store *, struct str from, struct str to, struct str text);

/* --- svtest_result.c: the actions that were not carried out yet, and those that were */

struct svtest_action {
	const struct tamis_effect *effect;      /* it comes from; NULL: that is gone */
	enum tamis_effect_kind kind;
	struct str name;                /* as tests of the result have it */
	const struct tamis_option *options;
	size_t noptions;
	struct str text;                /* the message as it was when the action ran, or that it sends */
	struct str flags;
	bool cancels;                   /* the implicit keep */
	bool done;
};

struct svtest_result {
	VEC(struct svtest_action) action;
	struct tamis_outcome *outcome;  /* has the message as it was edited; borrowed */
	struct str keep_flags;          /* of the implicit keep */
	bool kept;                      /* the message is in INBOX already */
};

/* --- the suite */

enum { SVTEST_DEPTH = 8 };

struct svtest_envelope {
	struct str from, to, orig_to, auth;
};

struct svtest_scene {
	struct str text;
	struct svtest_envelope envelope;
	struct str flags;               /* that it was stored with */
	struct tamis_message *message;
	struct tamis_recipient *recipient;
};

struct svtest_script {
	struct str name;                /* under which it was saved */
	struct str path;                /* as the suite has it */
	unsigned config;                /* which settings it was compiled with */
	struct tamis_program *program;
};

struct svtest_setting {
	struct str name, value;
	bool set;                       /* else it was taken back */
};

struct svtest_verdict {
	struct str name;
	unsigned line;                  /* of the test */
	bool ok;
	struct str reason;              /* why it failed; may be empty */
	unsigned failed_at;             /* its line */
};

/* who hears of the results */
struct svtest_listener {
	void (*result)(void *ctx, const struct svtest_verdict *);
	void *ctx;
};

struct svtest_options {
	const struct settings *set;
	bool log;                       /* print what is logged */
	bool expect_failure;
	FILE *out;                      /* NULL: only the listener hears */
	FILE *trace, *dump;             /* NULL: none */
	struct svtest_listener listener;
};

struct svtest {
	const struct svtest_options *options;
	const char *path;
	struct arena arena;             /* all that lives as long as the suite */
	char *directory;                /* of the suite; absolute */
	struct session session;
	struct tamis_limits limits;     /* of the suite itself: hardly any */
	struct tamis_program *suite;
	struct tamis_program *addresses[2];     /* finds sender, recipient */
	struct tamis_outcome *outcome;
	/* tests */
	unsigned tests, failures;
	bool inside;                    /* of a test */
	struct str name;                /* of the newest one */
	unsigned begun_at, line;        /* of it; of what the suite said last */
	unsigned depth;                 /* of scripts that scripts run; at most SVTEST_DEPTH */
	bool told, failed;              /* the script in the suite that is running talks to us; it failed a test */
	/* what scripts see and do */
	VEC(struct svtest_scene *) scene;       /* the last one is current; the others may still be looked at */
	struct svtest_result result;
	struct svtest_store store;
	VEC(struct str) log;            /* texts of errors */
	VEC(struct str) blamed;         /* files with errors in the current compilation */
	/* scripts */
	struct svtest_script current;   /* without a name */
	VEC(struct svtest_script) saved;
	/* settings: wanted, and in force */
	VEC(struct svtest_setting) setting, config;
	unsigned nconfig;               /* how often settings came into force */
	struct buf reply;
	struct tracing tracing;
};

/* Runs one suite and prints its report: CMD_FINE, CMD_WRONG, or CMD_USAGE when
 * it cannot be read. */
int svtest_file(const struct svtest_options *, const char *path);

/* "XX: Test CASE FAILED: reason" */
void svtest_case_failed(struct svtest *, const char *reason);
/* " 1: Test 'name' FAILED: reason", and counts it unless a script in a script failed. */
void svtest_test_failed(struct svtest *, struct str reason);
void svtest_test_begins(struct svtest *, struct str name);
void svtest_test_succeeds(struct svtest *);

/* --- svtest_host.c: what scripts ask for by name */
enum tamis_answer svtest_host_ask(void *ctx, struct tamis_recipient *, struct tamis_text what, struct tamis_text key,
                                  struct tamis_text *ret);
struct tamis_host svtest_host(struct svtest *, bool suite);
/* Copies live as long as the suite. */
struct str svtest_host_keep(struct svtest *, struct str);

/* --- svtest_scene.c: the message and its envelope */
void svtest_scene_message(struct svtest *, struct str text);
void svtest_scene_sent(struct svtest *, const struct svtest_sent *);
void svtest_scene_stored(struct svtest *, const struct svtest_stored *);
/* The current message again, unedited, with another envelope. */
void svtest_scene_envelope(struct svtest *, const struct svtest_envelope *);
struct svtest_scene *svtest_scene_current(struct svtest *);
void svtest_scene_done(struct svtest *);
/* "<a@b>" or "a@b": what is inside; false: no path at all */
bool svtest_scene_path(struct str path, bool null_too, bool local_too, struct str *ret);
/* The current message again, unedited. */
void svtest_scene_refresh(struct svtest *);
/* Settings that are facts of a message have changed. */
void svtest_scene_settings(struct svtest *);
/* The outcome's message after so many edits. */
struct str svtest_scene_text(struct svtest *, const struct tamis_outcome *, unsigned version);
extern const char svtest_scene_default[];

/* --- svtest_result.c, too */
/* Takes over what the running script added to the result's outcome. */
void svtest_result_absorb(struct svtest *, struct svtest_result *);
/* Did something cancel the implicit keep? */
bool svtest_result_cancelled(const struct svtest_result *);
/* Carries out what was not carried out yet: did all go well? */
bool svtest_result_execute(struct svtest *, struct svtest_result *);
void svtest_result_reset(struct svtest_result *);
struct str svtest_result_option(const struct svtest_action *, const char *name);
struct str svtest_result_target(const struct svtest_action *);

/* --- svtest_mail.c: messages that are sent; false: nothing was to be sent */
bool svtest_mail_redirect(struct svtest *, const struct svtest_action *);
bool svtest_mail_bounce(struct svtest *, const struct svtest_action *);
void svtest_mail_reply(struct svtest *, const struct svtest_action *);
/* The bytes of such a reply. */
struct str svtest_mail_text(struct svtest *, const struct tamis_outcome *, const struct tamis_effect *);
/* Has a part of it the disposition "attachment"? */
bool svtest_mail_attached(struct str text);

/* --- svtest_script.c */
bool svtest_script_compile(struct svtest *, struct str path);
bool svtest_script_run(struct svtest *, bool append);
bool svtest_script_sequence(struct svtest *, struct str paths);
bool svtest_script_save(struct svtest *, struct str name);
bool svtest_script_load(struct svtest *, struct str name);
void svtest_script_done(struct svtest *);
void svtest_script_clear_log(struct svtest *);
/* An error that has no place. */
void svtest_script_log(struct svtest *, struct str text);
/* The suite itself, dumped if that is wanted: NULL after errors on standard error. */
struct tamis_program *svtest_script_suite(struct svtest *);

/* The absolute path of what the suite names. */
const char *svtest_script_path(struct svtest *, struct str path);

/* --- svtest_dict.c: do settings have included scripts of that kind in a
 * dictionary?  Then what host->load() is to return for this one. */
bool svtest_dict_load(struct svtest *, struct str kind, struct str name, struct tamis_text *ret, int *ret_rc);

/* --- svtest_config.c */
void svtest_config_set(struct svtest *, struct str name, struct str value, bool set);
/* NULL, or what is wrong */
const char *svtest_config_reload(struct svtest *, struct str extension);
/* The value in force; false: none. */
bool svtest_config_get(const struct svtest *, const char *name, struct str *ret);
/* The header fields for which settings forbid that: "forbid_add", "forbid_delete" */
struct str svtest_config_protected(struct svtest *, const char *what);
/* Everything that the engine is told by way of limits. */
void svtest_config_limits(const struct svtest *, struct tamis_limits *);
void svtest_config_done(struct svtest *);

#endif
