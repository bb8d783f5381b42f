/* doctor_run.c - what another program says
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/file.h"
#include "tamis/doctor.h"

enum { OUTPUT_MAX = 1 << 20 };          /* bytes of a program's output that are read */

bool
doctor_run(const char *const *argv, struct buf *out)
{
	int pipes[2], status = 0;
	pid_t pid;

	if (pipe(pipes) < 0)
		return false;
	pid = fork();
	if (pid == 0) {
		dup2(pipes[1], STDOUT_FILENO);
		close(pipes[0]);
		close(pipes[1]);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(pipes[1]);
	if (pid > 0)
		file_read_fd(pipes[0], out, OUTPUT_MAX);
	close(pipes[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
