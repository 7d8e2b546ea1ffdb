/* SPDX-License-Identifier: MIT
 *
 * freshness.h: the freshness of an instance: fresh, stale or unknown. The one place that decides it
 * (docs/adr/005-dependencies.md). [loop]
 */
#ifndef VIEWD_CORE_PLAN_FRESHNESS_H
#define VIEWD_CORE_PLAN_FRESHNESS_H

#include "core/model/model.h"

struct freshness {
	enum view_freshness word;
	int64_t stale_since_us; /* wall clock: the first change that is missing; 0: not STALE, or nobody knows since when */
};

/* The word for the instance, and for all instances that it reads, together. */
struct freshness freshness_of(const struct view *view);

/* One sentence for each reason why it is UNKNOWN, whatever else it is; none when it is not. Returns how many. fn may be
 * NULL. */
size_t freshness_reasons(const struct view *view, void (*fn)(void *ctx, const char *reason), void *ctx);

/* Is there no reason why it might be UNKNOWN but those of instances that it reads? */
bool freshness_is_known(const struct view *view);

/* Does something that its contents depend on change without anybody's being told, so that only a refresh makes its data
 * new? Its own entries only; what is still being set up or looked at does not count. */
bool freshness_unheard(const struct view *view);

/* The keys by which the view's section could bound or end its being unheard, as a clause; "": there are none, or it is
 * heard. A static text. */
const char *freshness_help(const struct view *view);

/* Is a change known, on_change being on, that the data lacks or that a refresh is at work on? */
bool freshness_lacks_a_change(const struct view *view);

/* When the first change was made that its data lacks, as far as its own sources tell; wall clock, 0: none. */
int64_t freshness_missing_since(const struct view *view);

/* Do changes of all that it reads reach it? Then its data is current until the first one is told. */
bool freshness_is_followed(const struct view *view);

#endif
