/* SPDX-License-Identifier: MIT
 *
 * program.h: runs one program to its end. The only file that starts programs.
 */
#ifndef VIEWD_WORK_PROGRAM_H
#define VIEWD_WORK_PROGRAM_H

#include "base/macros.h"
#include "viewd_dialect.h"

struct program {
	char *const *argv; /* up to a NULL; the first is an absolute path */
	char *const *envp; /* "NAME=value" up to a NULL: the whole environment */
	int64_t timeout_us;
	int stop_fd;        /* becomes readable when the program is to end at once; -1: none */
	int in_fd, out_fd;  /* standard input and output; 0: /dev/null, and standard error */
	uint64_t files_max; /* its soft limit of open files; 0: that of this process */
};

/* Starts the program in a process group of its own, with these files and standard error, no other descriptor and
 * default signals, and waits for its end. When the time is over, or the wait is to stop, its group is told to end
 * (SIGTERM), and killed after two seconds. What it has left in its group when it ends is killed. No zombie stays. True:
 * it has ended with status 0. False: err says what else. [worker, or viewctl] */
bool program_run(const struct program *program, struct viewd_err *err) MUST_CHECK;

#endif
