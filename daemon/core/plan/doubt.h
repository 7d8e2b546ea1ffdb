/* SPDX-License-Identifier: MIT
 *
 * doubt.h: definitions in a plan that the engine cannot compute as things are. One whose only trouble is an object that
 * the same plan makes will be computed then; creating another one would fail. [any]
 */
#ifndef VIEWD_CORE_PLAN_DOUBT_H
#define VIEWD_CORE_PLAN_DOUBT_H

#include "core/model/job_record.h"

/* The reason of a change, and the view that comes before it. */
#define DOUBT_SETTLED "%s; '%s', which it reads, comes before it"

/* A view of the plan. Texts are the caller's. */
struct doubt {
	const char *database;
	const char *schema, *name;        /* of the object, as the catalogue has them; schema "": the engine has none */
	bool made;                        /* by the plan, where nothing is now */
	const struct viewd_err *unusable; /* why the definition cannot be computed as things are; NULL: it can */
	const struct doubt *upstream;     /* made before, and its absence is all that is wrong; NULL: there is none */
};

/* Why the definition that this change computes cannot be computed as things are; NULL: it can, or need not be. Belongs
 * to found. */
const struct viewd_err *doubt_of(enum viewd_change change, const struct viewd_found *found);

/* Fills in every upstream. Takes about as long as there are words in the errors. */
void doubts_settle(struct doubt *all, size_t n);

/* Creating it would fail. */
static inline bool doubt_is_left(const struct doubt *d)
{
	return d->unusable != NULL && d->upstream == NULL;
}

#endif
