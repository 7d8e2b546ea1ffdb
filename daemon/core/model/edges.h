/* SPDX-License-Identifier: MIT
 *
 * edges.h: edges: one instance reads another. Sources found in the catalogue plus depends_on become edges between
 * instances. [loop]
 */
#ifndef VIEWD_CORE_MODEL_EDGES_H
#define VIEWD_CORE_MODEL_EDGES_H

#include "core/model/model.h"

/* Rebuilds edges, base sources and levels if anything changed since the last time. A new cycle is logged; instances on
 * it have the rank GRAPH_CYCLIC and are not refreshed. */
void edges_update(struct engine *eng);

/* Forgets all edges at once: instances they point to are about to go. */
void edges_forget(struct engine *eng);

/* Sources changed: rebuild before the next use. */
void edges_invalidate(struct engine *eng);

/* Replaces what the definition reads (copies). */
void edges_set_sources(struct view *view, const struct source *sources, size_t n);

/* An index that tells which instance an identifier in a definition could mean. In the talloc tree of mem_ctx; good
 * until instances come or go. */
struct guesses;
struct guesses *edges_guesses(struct engine *eng, void *mem_ctx);
/* The instance of that database whose relation ends in the identifier, or NULL. A guess: good for an order of creation
 * only. */
struct view *edges_guess(const struct guesses *g, const struct database *db, const char *identifier);

/* "a -> b -> a" when what definitions mention leads back to the instance, as far as the catalogue does not know better;
 * else NULL. On mem_ctx. */
char *edges_guessed_cycle(struct view *view, void *mem_ctx);

/* "a -> b -> a" for an instance on or behind a cycle; talloc'ed on mem_ctx. */
char *edges_cycle_text(const struct view *view, void *mem_ctx);

#endif
