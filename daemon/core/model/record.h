/* SPDX-License-Identifier: MIT
 *
 * record.h: those facts of an instance that have setters: state, error, nodes, relation. The rest of the record is
 * written where it is decided. [loop]
 */
#ifndef VIEWD_CORE_MODEL_RECORD_H
#define VIEWD_CORE_MODEL_RECORD_H

#include "core/model/model.h"

/* Changes the state, logs the change and tells those who listen (EVENT_STATE). commit.c gives a new instance its first
 * state. A disabled instance stays DISABLED; a refused one keeps its state. */
void view_set_state(struct view *view, enum view_state state);

/* Keeps a copy of the error, or forgets it (NULL). A refused instance keeps the error that says why. */
void view_set_error(struct view *view, const struct viewd_err *err);

/* Takes over what a refresh has told of the view's nodes, in place of what was known; *facts is NULL then. */
void view_take_nodes(struct view *view, struct viewd_explained **facts, size_t n);

/* The text of the relation. It is known before the place is. */
void view_set_text(struct view *view, const char *text);

/* Where the catalogue has the relation; and is it there? */
void view_set_place(struct view *view, const char *schema, const char *name);
bool view_stands_at(const struct view *view, const char *schema, const char *name);

#endif
