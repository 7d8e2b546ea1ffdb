/* SPDX-License-Identifier: MIT
 *
 * views.h: the list of instances, and finding one in it. [loop]
 */
#ifndef VIEWD_CORE_MODEL_VIEWS_H
#define VIEWD_CORE_MODEL_VIEWS_H

#include "core/model/model.h"

/* Sorts eng->views by name, then database, and rebuilds every database's own list. */
void views_sort(struct engine *eng);

/* Takes removed instances out of the list; whoever calls it ends them. Sorts. */
void views_drop_removed(struct engine *eng);

/* The instance of that name on that database, or NULL. */
struct view *views_find(struct engine *eng, const char *name, const char *database);

/* The instances of that name, *n_r of them, on whatever database; they stand in the list one behind the other. */
struct view **views_named(struct engine *eng, const char *name, size_t *n_r);

/* Like views_find among the first n only, while more were appended unsorted. *near: where to look first; moved behind
 * the one that is found, so that looking for all in their order is quick. */
struct view *views_find_near(struct engine *eng, size_t n, size_t *near, const char *name, const char *database);

/* An instance that shows nothing yet, in the engine's talloc tree; not in the list until the caller puts it there. */
struct view *views_new(struct engine *eng, struct database *db, const struct conf_view *conf);

#endif
