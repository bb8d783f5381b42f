/* rulescript.h - one file of rules with what it includes: compiled once, followed as it changes
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Programs are kept by content, so that equal scripts are one program, and a file that was only touched is not compiled
 * again.  What is wrong is said once for each content.  When a script compiles, it and what it includes is kept
 * beside the files, as ".NAME.good" and the like: that is what runs while one of them is broken, until NAME is removed. */
#ifndef HOST_RULESCRIPT_H
#define HOST_RULESCRIPT_H

#include "host/conf.h"
#include "host/lru.h"
#include "host/rulefile.h"

/* Users' scripts have this name in places, whatever their path: equal ones are one program.  No included script can be
 * called so. */
#define RULESCRIPT_NAME ".rules"

/* What scripts are compiled for. */
struct rulescript_host {
	struct conf *conf;              /* borrowed */
	struct lru *shelf;              /* programs, and what was said, by content */
	struct lru *versions;           /* of files, by path */
	struct lru *known;              /* the same, of whatever those were compiled for: while nobody can look */
	struct lru *goods;              /* texts of last good versions that could not be kept in a file, by its path */
	void (*report)(void *ctx, struct str user, const struct tamis_diagnostic *, const char *path);
	void *report_ctx;
};

/* What a file was when it was looked at: counted, immutable. */
struct rulescript;
struct lru *rulescript_shelf(size_t max);
struct lru *rulescript_versions(size_t max);
/* Outlives what scripts are compiled for. */
struct lru *rulescript_goods(size_t max);
struct rulescript *rulescript_ref(struct rulescript *);
struct rulescript *rulescript_unref(struct rulescript *);

struct rulescript_file {
	const char *root, *name;        /* as rulefile.h has it */
	bool site;                      /* an administrator's */
};

/* 1 there is one, perhaps broken; 0 there is none; -1 it cannot be told now.  `user` is for the report. */
int rulescript_find(const struct rulescript_host *, const struct rulescript_file *, struct str user, struct rulescript **ret);
/* NULL: it is broken, and was never better. */
struct tamis_program *rulescript_program(const struct rulescript *);
/* Of everything that was compiled. */
const uint8_t *rulescript_content(const struct rulescript *);
/* Of the file in force. */
const char *rulescript_path(const struct rulescript *);

#endif
