/* SPDX-License-Identifier: MIT */
#include "sched/backoff.h"

int64_t backoff_delay(int64_t base, int64_t max, int streak, uint64_t seed)
{
	int64_t delay = base < 1 ? 1 : base;
	for (int i = 1; i < streak && delay < max; i++)
		delay *= 2;
	if (delay > max)
		delay = max;
	/* A multiplicative hash is random enough to keep a hundred clients apart. */
	uint64_t spread = (seed * UINT64_C(0x9e3779b97f4a7c15)) >> 32;
	return delay - delay / 4 + (int64_t)(spread % (uint64_t)(delay / 2 + 1));
}
