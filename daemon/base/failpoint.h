/* SPDX-License-Identifier: MIT
 *
 * failpoint.h: places where a test may kill or stall the process. Compiled in with --enable-failpoints only.
 *
 * VIEWD_FAILPOINT=place:action[:n][,place:action...] in the environment; action is kill (SIGKILL ourselves) or stop
 * (SIGSTOP ourselves); n: the n-th hit (default 1). A place ending in '*' matches by prefix.
 */
#ifndef VIEWD_BASE_FAILPOINT_H
#define VIEWD_BASE_FAILPOINT_H

/* The process is at that place. Does nothing in a build without failpoints. [any] */
void failpoint_hit(const char *place);

#endif
