/* SPDX-License-Identifier: MIT
 *
 * heard.h: a view's dependencies, each with who tells of its changes. [worker]
 */
#ifndef VIEWD_COMMON_DEPENDS_HEARD_H
#define VIEWD_COMMON_DEPENDS_HEARD_H

#include "common/depends/dependencies.h"

struct heard {
	const struct dependency *entry;
	enum viewd_heard by;
	bool followed;      /* its rows are to be captured; by is open until heard_choose has run */
	const char *reason; /* NULL: nothing to add */
};

struct heard_list {
	void *mem;
	struct dependencies found;
	struct heard *items; /* one for each of found */
	size_t n;
	struct relation *followed; /* the relations whose rows are captured, in the order of items */
	size_t n_followed;
};

/* Walks the definition and sorts what is found. A view without a definition, as when a capture ends, has the sources of
 * the request. list->mem is set. */
bool heard_find(struct db *db, const struct viewd_view_spec *view, const struct viewd_capture_request *req,
                struct heard_list *list, struct viewd_err *err) MUST_CHECK;

/* Has the dialect choose how each followed relation is heard. out: the mode in force and why, for people. */
bool heard_choose(struct db *db, const struct viewd_capture_request *req, struct heard_list *list,
                  struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err) MUST_CHECK;

/* Names in a function, and what follows this view, through other views or not, are heard by nobody. Under the lock of
 * captures, after heard_choose. cycles.c */
bool heard_cut_cycles(struct db *db, const struct viewd_view_spec *view, struct heard_list *list,
                      struct viewd_err *err) MUST_CHECK;

/* Hands out the list. */
void heard_tell(const struct heard_list *list, struct viewd_dependency_sink sink);

#endif
