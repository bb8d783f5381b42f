/* engine.c - what compiling and running cost, without start-up and without reading
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * usage: engine [-n] [-r ROUNDS] RULES DIRECTORY
 *
 * Compiles the rules, then runs them over every file of the directory (a
 * Maildir's cur, say), all in memory; prints medians of the rounds in processor
 * time.  -n: without the index. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tamis.h"

enum { ROUNDS_MOST = 101, MESSAGES_MOST = 20000 };

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct tamis_text
slurp(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	char *data;
	size_t n = 0;
	ssize_t k;

	if (fd < 0 || fstat(fd, &st) < 0) {
		perror(path);
		exit(2);
	}
	data = malloc((size_t)st.st_size + 1);
	if (!data)
		abort();
	while ((k = read(fd, data + n, (size_t)st.st_size - n)) > 0)
		n += (size_t)k;
	close(fd);
	return (struct tamis_text){ data, n };
}

static void
report(void *ctx, const struct tamis_diagnostic *d)
{
	(void)ctx;
	fprintf(stderr, "%.*s:%u: %s\n", (int)d->place.file.len, d->place.file.s, d->place.line, d->text);
}

static int
order(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof *v, order);
	return v[n / 2];
}

/* up to and with the empty line */
static size_t
header_length(struct tamis_text m)
{
	const char *p = m.s, *end = m.s + m.len;

	while (p < end && (p = memchr(p, '\n', (size_t)(end - p)))) {
		p++;
		if (p < end && *p == '\n')
			return (size_t)(p + 1 - m.s);
		if (end - p > 1 && p[0] == '\r' && p[1] == '\n')
			return (size_t)(p + 2 - m.s);
	}
	return m.len;
}

static long
run_all(const struct tamis_program *p, const struct tamis_host *host, struct tamis_message *m, const struct tamis_text *text,
        int n)
{
	static const uint8_t seed[32];
	long effects = 0;

	for (int i = 0; i < n; i++) {
		size_t head = header_length(text[i]);
		struct tamis_recipient *r;
		struct tamis_outcome *o;

		tamis_message_reset(m);
		tamis_message_fact(m, (struct tamis_text){ "from", 4 }, (struct tamis_text){ "a@b.example", 11 });
		tamis_message_header(m, (struct tamis_text){ text[i].s, head });
		tamis_message_body(m, (struct tamis_text){ text[i].s + head, text[i].len - head }, text[i].len);
		r = tamis_recipient_new(m, (struct tamis_text){ "jane.doe@corp.example", 21 }, 1762000000000000, seed);
		o = tamis_outcome_new(r);
		tamis_run(p, o, TAMIS_BODY, host);
		for (const struct tamis_effect *e = NULL; (e = tamis_outcome_next(o, e));)
			effects++;
		tamis_outcome_free(o);
		tamis_recipient_free(r);
	}
	return effects;
}

static int
load_all(const char *directory, struct tamis_text *text)
{
	DIR *d = opendir(directory);
	struct dirent *e;
	char path[4096];
	int n = 0;

	if (!d) {
		perror(directory);
		exit(2);
	}
	while (n < MESSAGES_MOST && (e = readdir(d)))
		if (e->d_name[0] != '.') {
			snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
			text[n++] = slurp(path);
		}
	closedir(d);
	return n;
}

/* the time of each round */
static void
compile_rounds(const struct tamis_host *host, struct tamis_text rules, int rounds, double *ret)
{
	for (int i = 0; i < rounds; i++) {
		double start = now();
		struct tamis_program *p = tamis_compile(host, (struct tamis_text){ "rules", 5 }, rules, 0);

		ret[i] = now() - start;
		if (!p)
			exit(1);
		tamis_program_unref(p);
	}
}

/* the time of each round for one message; returns the number of effects */
static long
run_rounds(const struct tamis_program *p, const struct tamis_host *host, const struct tamis_text *text, int n, int rounds,
           double *ret)
{
	struct tamis_message *m = tamis_message_new();
	long effects = 0;

	for (int i = 0; i < rounds; i++) {
		double start = now();

		effects = run_all(p, host, m, text, n);
		ret[i] = (now() - start) / (n ? n : 1);
	}
	tamis_message_free(m);
	return effects;
}

static void
measure(const char *path, const char *directory, unsigned flags, int rounds)
{
	static struct tamis_text text[MESSAGES_MOST];
	struct tamis_limits limits = tamis_limits_default;
	struct tamis_host host = { .limits = &limits, .report = report };
	struct tamis_text rules = slurp(path);
	double compile[ROUNDS_MOST], run[ROUNDS_MOST];
	int n = load_all(directory, text);
	struct tamis_program *p;
	long effects;

	limits.script_size = 64u << 20;
	compile_rounds(&host, rules, rounds, compile);
	p = tamis_compile(&host, (struct tamis_text){ "rules", 5 }, rules, flags);
	effects = run_rounds(p, &host, text, n, rounds, run);
	printf("compile %.3f ms, %.0f MB/s; run %.2f us a message; %d messages, %ld effects, medians of %d\n",
	       median(compile, rounds) / 1e3, (double)rules.len / median(compile, rounds), median(run, rounds), n, effects, rounds);
	tamis_program_unref(p);
	for (int i = 0; i < n; i++)
		free((void *)text[i].s);
	free((void *)rules.s);
}

int
main(int argc, char **argv)
{
	unsigned flags = TAMIS_RESIDENT;
	int rounds = 5, c;

	while ((c = getopt(argc, argv, "nr:")) != -1)
		if (c == 'n')
			flags |= TAMIS_NO_INDEX;
		else if (c == 'r' && atoi(optarg) > 0 && atoi(optarg) <= ROUNDS_MOST)
			rounds = atoi(optarg);
		else
			return 2;
	if (argc - optind != 2) {
		fprintf(stderr, "usage: engine [-n] [-r ROUNDS] RULES DIRECTORY\n");
		return 2;
	}
	measure(argv[optind], argv[optind + 1], flags, rounds);
	return 0;
}
