/* SPDX-License-Identifier: MIT
 *
 * graph.h: dependency order over numbered nodes. Pure, iterative (a chain of any length is fine), linear in nodes plus
 * edges. [any]
 */
#ifndef VIEWD_SCHED_GRAPH_H
#define VIEWD_SCHED_GRAPH_H

#include "base/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct graph;

/* n nodes, no edges. Lives in the talloc tree of mem_ctx. */
struct graph *graph_new(void *mem_ctx, uint32_t n);

/* `to` comes after `from`. Duplicates and self edges are allowed (a self edge is a cycle). */
void graph_edge(struct graph *g, uint32_t from, uint32_t to);

/* Fills rank[i] with the node's level: 0 for nodes with nothing before them, else 1 + the highest before. Nodes on or
 * behind a cycle get GRAPH_CYCLIC. Returns how many those are. */
#define GRAPH_CYCLIC UINT32_MAX
size_t graph_rank(const struct graph *g, uint32_t *rank);

/* One cycle through or reachable backwards from node start, which must be GRAPH_CYCLIC: writes its nodes in order to a
 * talloc array on mem_ctx and returns their number; the last depends on the one before, the first on the last. */
size_t graph_cycle(const struct graph *g, const uint32_t *rank, uint32_t start, void *mem_ctx, uint32_t **nodes_r);

#endif
