/* SPDX-License-Identifier: MIT
 *
 * backoff.h: the wait before another attempt. [any]
 */
#ifndef VIEWD_SCHED_BACKOFF_H
#define VIEWD_SCHED_BACKOFF_H

#include <stdint.h>

/* The wait before attempt number streak+1 after streak failures in a row (1: first failure): base doubled each time, at
 * most max, plus or minus a quarter of jitter taken from seed. Microseconds. Pure. */
int64_t backoff_delay(int64_t base, int64_t max, int streak, uint64_t seed);

#endif
