/* replay.c - runs a fuzz target over files, without a fuzzer
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* The bytes end where their memory ends, so that a read behind them is seen. */
static int
replay_file(const char *path)
{
	FILE *in = fopen(path, "rb");
	uint8_t *data = NULL;
	long size = -1;
	int rc = -1;

	if (!in || fseek(in, 0, SEEK_END) || (size = ftell(in)) < 0 || fseek(in, 0, SEEK_SET))
		goto out;
	data = malloc((size_t)size + !size);
	if (!data || fread(data, 1, (size_t)size, in) != (size_t)size)
		goto out;
	rc = LLVMFuzzerTestOneInput(data, (size_t)size);
out:
	if (rc)
		perror(path);
	free(data);
	if (in)
		fclose(in);
	return rc;
}

static int
replay_directory(const char *path)
{
	struct dirent **entry;
	char file[4096];
	int n = scandir(path, &entry, NULL, alphasort), rc = n < 0 ? -1 : 0, replayed = 0;

	if (rc)
		perror(path);
	for (int i = 0; i < n; i++) {
		if (entry[i]->d_name[0] != '.') {
			snprintf(file, sizeof file, "%s/%s", path, entry[i]->d_name);
			rc |= replay_file(file);
			replayed++;
		}
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
	if (!rc && !replayed) {
		fprintf(stderr, "%s: no input\n", path);
		rc = -1;
	}
	return rc;
}

int
main(int argc, char **argv)
{
	int rc = argc < 2 ? -1 : 0;

	if (rc)
		fprintf(stderr, "usage: %s DIRECTORY...\n", argv[0]);
	for (int i = 1; i < argc; i++)
		rc |= replay_directory(argv[i]);
	return rc ? 1 : 0;
}
