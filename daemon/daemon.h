/* SPDX-License-Identifier: MIT
 *
 * daemon.h: the daemon as one function. For the main thread.
 */
#ifndef VIEWD_DAEMON_H
#define VIEWD_DAEMON_H

/* Exit codes (also in the unit's RestartPreventExitStatus). */
#define DAEMON_EXIT_OK 0
#define DAEMON_EXIT_FAILURE 1
#define DAEMON_EXIT_USAGE 2
#define DAEMON_EXIT_CONFIG 78 /* EX_CONFIG: a restart would not help */

/* Runs viewd with these arguments until it is told to stop. Returns the exit code. */
int daemon_main(int argc, char **argv);

#endif
