/* SPDX-License-Identifier: MIT */
#include "sched/graph.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define NONE UINT32_MAX

/* Edges as two linked lists in arrays: by their start and by their end. */
struct edge {
	uint32_t from, to;
	uint32_t next_out, next_in;
};
struct graph {
	uint32_t n;
	uint32_t *first_out, *first_in;
	struct edge *edges;
	uint32_t n_edges, room;
};

static uint32_t *filled(void *mem_ctx, uint32_t n, uint32_t value)
{
	uint32_t *a = talloc_array(mem_ctx, uint32_t, n + 1);
	if (a == NULL)
		abort();
	for (uint32_t i = 0; i < n; i++)
		a[i] = value;
	return a;
}

struct graph *graph_new(void *mem_ctx, uint32_t n)
{
	struct graph *g = talloc_zero(mem_ctx, struct graph);
	if (g == NULL)
		abort();
	g->n = n;
	g->first_out = filled(g, n, NONE);
	g->first_in = filled(g, n, NONE);
	return g;
}

void graph_edge(struct graph *g, uint32_t from, uint32_t to)
{
	if (g->n_edges == g->room) {
		g->room = g->room == 0 ? 64 : g->room * 2;
		g->edges = talloc_realloc(g, g->edges, struct edge, g->room);
		if (g->edges == NULL)
			abort();
	}
	g->edges[g->n_edges] = (struct edge){from, to, g->first_out[from], g->first_in[to]};
	g->first_out[from] = g->first_in[to] = g->n_edges++;
}

size_t graph_rank(const struct graph *g, uint32_t *rank)
{
	void *tmp = talloc_new(NULL);
	uint32_t *waits = filled(tmp, g->n, 0), *queue = filled(tmp, g->n, 0);
	size_t head = 0, tail = 0;
	for (uint32_t e = 0; e < g->n_edges; e++)
		waits[g->edges[e].to]++;
	for (uint32_t i = 0; i < g->n; i++) {
		rank[i] = waits[i] == 0 ? 0 : GRAPH_CYCLIC;
		if (waits[i] == 0)
			queue[tail++] = i;
	}
	/* A node is queued when its last upstream was taken; its level was raised by each of them (kept aside in level). */
	uint32_t *level = filled(tmp, g->n, 0);
	while (head < tail) {
		uint32_t node = queue[head++];
		for (uint32_t e = g->first_out[node]; e != NONE; e = g->edges[e].next_out) {
			uint32_t to = g->edges[e].to;
			if (level[to] < rank[node] + 1)
				level[to] = rank[node] + 1;
			if (--waits[to] == 0) {
				rank[to] = level[to];
				queue[tail++] = to;
			}
		}
	}
	talloc_free(tmp);
	return g->n - tail;
}

/* A cyclic node always has a cyclic node before it: walking backwards must meet itself. */
static uint32_t cyclic_before(const struct graph *g, const uint32_t *rank, uint32_t node)
{
	for (uint32_t e = g->first_in[node]; e != NONE; e = g->edges[e].next_in)
		if (rank[g->edges[e].from] == GRAPH_CYCLIC)
			return g->edges[e].from;
	abort();
}

size_t graph_cycle(const struct graph *g, const uint32_t *rank, uint32_t start, void *mem_ctx, uint32_t **nodes_r)
{
	uint32_t *seen_at = filled(mem_ctx, g->n, NONE), *path = filled(mem_ctx, g->n, NONE);
	uint32_t length = 0, node = start;
	while (seen_at[node] == NONE) {
		seen_at[node] = length;
		path[length++] = node;
		node = cyclic_before(g, rank, node);
	}
	uint32_t n = length - seen_at[node];
	uint32_t *nodes = filled(mem_ctx, n, 0);
	for (uint32_t i = 0; i < n; i++)
		nodes[i] = path[length - 1 - i];
	talloc_free(seen_at);
	talloc_free(path);
	*nodes_r = nodes;
	return n;
}
