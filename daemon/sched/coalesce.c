/* SPDX-License-Identifier: MIT */
#include "sched/coalesce.h"

int64_t coalesce_start(const struct coalesce *c, int64_t first_change, int64_t last_change, int64_t last_start)
{
	if (first_change == 0)
		return 0;
	int64_t start = last_change + c->debounce;
	if (c->max_delay > 0 && start > first_change + c->max_delay)
		start = first_change + c->max_delay;
	if (c->at_most_every > 0 && last_start > 0 && start < last_start + c->at_most_every)
		start = last_start + c->at_most_every;
	return start;
}
