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

/* Names that a plan has to know of an object, as viewd_found tells them. */
struct doubt_names {
	const char *schema, *name;
	bool bare, any_case;
	const struct viewd_source *lacks; /* what its definition reads that is not there; kinds do not matter */
	size_t n_lacks;                   /* 0: its trouble is another one */
};

/* A view of the plan. Texts are the caller's. */
struct doubt {
	const char *database;
	struct doubt_names names;         /* name NULL: nobody could look, so nothing is doubted */
	bool made;                        /* by the plan, where nothing is now */
	const struct viewd_err *unusable; /* why the definition cannot be computed as things are; NULL: it can */
	const struct doubt *upstream;     /* one that is made before; all it lacks is. NULL: not all of it is */
};

/* Why the definition that this change computes cannot be computed as things are; NULL: it can, or need not be. Belongs
 * to found. */
const struct viewd_err *doubt_of(enum viewd_change change, const struct viewd_found *found);

/* Texts belong to found. Of what it lacks nothing is filled in. */
struct doubt_names doubt_names_of(const struct viewd_found *found);

/* With texts of its own, on mem_ctx. */
struct doubt_names *doubt_names_copy(void *mem_ctx, const struct doubt_names *names);

/* Fills in every upstream. Takes about as long as there are views. */
void doubts_settle(struct doubt *all, size_t n);

/* Creating it would fail. */
static inline bool doubt_is_left(const struct doubt *d)
{
	return d->unusable != NULL && d->upstream == NULL;
}

#endif
