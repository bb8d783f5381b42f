/* rulelook.h - a look at a file of rules and those that it includes: for rulescript.c
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_RULELOOK_H
#define HOST_RULELOOK_H

#include <stdatomic.h>

#include "host/diag.h"
#include "host/digest.h"
#include "host/rulescript.h"

struct watched {
	char *path;
	struct rulefile_stamp stamp;
	bool directory;                 /* on the way to a file: whatever is in it, as long as it is the same */
};

struct rulescript {
	atomic_uint count;
	bool there, young;
	struct tamis_program *program;
	uint8_t content[DIGEST_SIZE];
	uint8_t alone[DIGEST_SIZE];     /* of the script without its includes */
	char *path;
	VEC(struct watched) file;       /* all that it depends on, there or not */
	_Atomic int64_t looked;         /* in which second at directories, too */
};

/* A file that a compilation asked for. */
struct wanted {
	bool global;
	char *name;
};

/* On the shelf, under the digest of a script without its includes: which files it wants; under that of all of it: the
 * program; or nothing at all, which only says that something was said already. */
struct shelved {
	atomic_uint count;
	struct tamis_program *program;
	VEC(struct wanted) wants;
};

/* A file as this look found it: read once, so that all agree. */
struct seen {
	char *root, *name;
	enum rulefile_result result;
	const char *why;
	int error;                      /* of one that is trouble */
	bool said;                      /* that it does not count */
	bool counted;                   /* among what these rules read */
	struct rulefile_stamp stamp;
	struct buf text;
};

struct look {
	const struct rulescript_host *host;
	const struct rulescript_file *file;
	struct str user;
	struct rulescript *version;     /* being made */
	char *directory;                /* of the file, below its root, with "/" behind it; or empty */
	const char *leaf;
	bool good;                      /* the last good copies are meant */
	bool good_global;               /* of what is in global_dir as well */
	bool guessing;                  /* what equal rules of others want is looked at: these may not */
	size_t read;                    /* bytes of those, or of the others */
	int error;                      /* what kept us from telling; 0 */
	time_t now;
	struct arena arena;
	VEC(struct seen *) seen;
	/* of one compilation */
	struct diag *diag;
	VEC(struct wanted) wants;
	bool refused;                   /* one of those does not count */
	VEC(struct tamis_diagnostic) said;      /* their texts are the arena's */
};

void look_init(struct look *, const struct rulescript_host *, const struct rulescript_file *, struct str user);
void look_done(struct look *);

struct seen *look_see(struct look *, const char *root, const char *name);
/* The text of a good version that no file could keep, for the configurations to come; NULL: there is none any more. */
void look_keep_text(struct look *, const char *root, const char *good, const struct str *text);
/* One that the script includes: of global_dir, or of its own directory.  Of the last good version that is its copy: without
 * one it had none. */
struct seen *look_included(struct look *, bool global, const char *leaf);
/* Others are to be read now: what was is not among them. */
void look_measure_anew(struct look *);
/* What those are below: global_dir, or the root of the rules. */
const char *look_root(const struct look *, bool global);
/* Below that, beside the rules: ".NAME.good" of NAME itself, ".N+NAME+PART.kept" of a part that it includes, N bytes being
 * those of NAME; of a script of global_dir ".SCRIPT.good", whoever includes it. */
const char *look_good_name(struct look *, bool global, const char *leaf);
const char *look_path(struct look *, const struct seen *);
/* Rules that were removed have no good version any more; `main`: as they are now. */
void look_forget(struct look *, const struct seen *main);
/* What the version that is good now would include is not there: nor is it in its good version. */
void look_unkeep(struct look *, bool global, const char *leaf);

void look_want(struct look *, bool global, const char *name);
void look_wants_done(struct look *);

/* True the first time that this is to be said of this. */
bool look_claim(struct look *, const char *what, const char *root, const char *name, struct str of);
void look_say(struct look *, const struct tamis_diagnostic *, const char *path);
/* That a file does not count, and why. */
void look_refuse(struct look *, const struct seen *);
/* A file that was not there is: when it goes again it is refused again, for that reason. */
void look_is_back(struct look *, const struct seen *, const char *why);
/* Keeps it for look_say_all(); ctx is a struct look. */
void look_report(void *ctx, const struct tamis_diagnostic *);
bool look_has_errors(const struct look *);
void look_say_all(struct look *, const char *path);

/* --- rulescript.c: things on the shelf */
void *shelved_unref(void *);
struct shelved *shelved_new(struct tamis_program *);

#endif
