/* SPDX-License-Identifier: MIT
 *
 * dependencies.h: everything that the contents of a view depend on, as the walk over its definition finds it
 * (docs/adr/005-dependencies.md).
 */
#ifndef VIEWD_COMMON_DEPENDS_DEPENDENCIES_H
#define VIEWD_COMMON_DEPENDS_DEPENDENCIES_H

#include "common/conn/db.h"

/* One entry. Texts live on the list's talloc context; those that may be NULL say so. */
struct dependency {
	enum viewd_depends kind;
	struct relation rel;  /* of a relation: as the catalogue spells it; else empty */
	const char *source;   /* its name in `captures` and for people; unique in the list */
	const char *identity; /* the engine's handle, which survives a rename; NULL: none */
	const char *stamp;    /* cheap text that differs whenever the digest may differ; NULL without a digest */
	const char *digest;   /* of what matters of its definition; NULL: nothing can be compared */
	const char *unheard;  /* why nothing can tell of its changes; NULL: something can, or it has no rows */
};

struct dependencies {
	void *mem;
	struct dependency *items;
	size_t n;
};

/* Adds a copy of entry, unless one of the same source is there; then what the new one knows and the other does not is
 * filled in. entry->source may be NULL for a relation: its quoted name. */
void dependencies_add(struct db *db, struct dependencies *list, const struct dependency *entry);

/* Fills an empty list (list->mem is set): by db_ops.depends.walk, or from db_ops.list_sources where the dialect has no
 * walk. [worker] */
bool dependencies_walk(struct db *db, const struct viewd_view_spec *view, const char *definition,
                       struct dependencies *list, struct viewd_err *err) MUST_CHECK;

/* Hands the relations of a list to a sink. */
void dependencies_sources(const struct dependencies *list, struct viewd_source_sink sink);

#endif
