/* SPDX-License-Identifier: MIT
 *
 * freshness.h: is an instance fresh, stale, or does nobody know? The one place that decides it
 * (docs/adr/005-dependencies.md). Loop thread.
 */
#ifndef VIEWD_CORE_PLAN_FRESHNESS_H
#define VIEWD_CORE_PLAN_FRESHNESS_H

#include "core/model/state.h"

struct freshness {
	enum view_freshness word;
	int64_t stale_since_us; /* wall clock: the first change that is missing; 0: not STALE, or nobody knows since when */
};

/* Of the instance and of everything of viewd's that it reads. */
struct freshness freshness_of(const struct view *view);

/* One sentence for each reason why it is UNKNOWN, whatever else it is; none when it is not. Returns how many. fn may be
 * NULL. */
size_t freshness_reasons(const struct view *view, void (*fn)(void *ctx, const char *reason), void *ctx);

/* Is there no reason of its own, apart from what it reads of viewd's, why it might be UNKNOWN? */
bool freshness_is_known(const struct view *view);

/* Does something that its contents depend on change without anybody's being told, so that only a refresh makes its data
 * new? Its own entries only; what is still being set up or looked at does not count. */
bool freshness_unheard(const struct view *view);

/* Do changes of all that it reads reach it? Then its data is current until the first one is told. */
bool freshness_is_followed(const struct view *view);

#endif
