/* directory_fixture.h - a directory for each test
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_DIRECTORY_FIXTURE_H
#define TESTS_DIRECTORY_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static char directory[1000];

static const char *
path_of(const char *name)
{
	static char path[1100];

	snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static void
directory_make(const char *name)
{
	const char *temporary = getenv("TMPDIR");

	snprintf(directory, sizeof directory, "%s/%s.XXXXXX", temporary ? temporary : "/tmp", name);
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

#endif
