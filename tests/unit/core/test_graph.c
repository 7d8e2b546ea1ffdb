/* SPDX-License-Identifier: MIT */
#include "sched/graph.h"

#include "support/harness.h"

#include <talloc.h>

static void levels_of_a_diamond(void)
{
	struct graph *g = graph_new(harness_ctx(), 5);
	uint32_t rank[5];
	graph_edge(g, 0, 1);
	graph_edge(g, 0, 2);
	graph_edge(g, 1, 3);
	graph_edge(g, 2, 3);
	graph_edge(g, 2, 3); /* twice is once */
	graph_edge(g, 0, 3); /* a short cut changes nothing */
	CHECK_INT(graph_rank(g, rank), 0);
	CHECK_INT(rank[0], 0);
	CHECK_INT(rank[1], 1);
	CHECK_INT(rank[2], 1);
	CHECK_INT(rank[3], 2);
	CHECK_INT(rank[4], 0);
}

static void chain(uint32_t n)
{
	struct graph *g = graph_new(harness_ctx(), n);
	uint32_t *rank = talloc_array(harness_ctx(), uint32_t, n);
	for (uint32_t i = n - 1; i > 0; i--)
		graph_edge(g, i, i - 1);
	CHECK_INT(graph_rank(g, rank), 0);
	CHECK_INT(rank[0], n - 1);
	CHECK_INT(rank[n - 1], 0);
	graph_edge(g, 0, n - 1);
	uint32_t *nodes;
	CHECK_INT(graph_rank(g, rank), n);
	CHECK_INT(graph_cycle(g, rank, n / 2, harness_ctx(), &nodes), n);
}

static void long_chains(void)
{
	chain(1000);
	chain(100000);
}

static bool has_edge(const uint32_t (*edges)[2], size_t n, uint32_t from, uint32_t to)
{
	for (size_t i = 0; i < n; i++)
		if (edges[i][0] == from && edges[i][1] == to)
			return true;
	return false;
}

/* From start, the cycle has this many nodes, and each is an upstream of the next. */
static void wants_cycle(const uint32_t (*edges)[2], size_t n_edges, uint32_t n, uint32_t start, size_t cyclic,
                        size_t length)
{
	struct graph *g = graph_new(harness_ctx(), n);
	uint32_t *rank = talloc_array(harness_ctx(), uint32_t, n), *nodes;
	for (size_t i = 0; i < n_edges; i++)
		graph_edge(g, edges[i][0], edges[i][1]);
	CHECK_INT(graph_rank(g, rank), cyclic);
	CHECK_INT(rank[start], GRAPH_CYCLIC);
	CHECK_INT(graph_cycle(g, rank, start, harness_ctx(), &nodes), length);
	for (size_t i = 0; i < length; i++)
		CHECK(has_edge(edges, n_edges, nodes[i], nodes[(i + 1) % length]));
}

static void cycles(void)
{
	static const uint32_t one[][2] = {{0, 0}}, two[][2] = {{0, 1}, {1, 0}}, three[][2] = {{0, 1}, {1, 2}, {2, 0}};
	wants_cycle(one, 1, 1, 0, 1, 1);
	wants_cycle(two, 2, 2, 1, 2, 2);
	wants_cycle(three, 3, 3, 2, 3, 3);
}

static void behind_a_cycle(void)
{
	/* 0 -> (1 <-> 2) -> 3 -> 4, and 5 apart */
	static const uint32_t edges[][2] = {{0, 1}, {1, 2}, {2, 1}, {2, 3}, {3, 4}};
	wants_cycle(edges, 5, 6, 4, 4, 2);
	struct graph *g = graph_new(harness_ctx(), 6);
	uint32_t rank[6];
	for (size_t i = 0; i < 5; i++)
		graph_edge(g, edges[i][0], edges[i][1]);
	graph_rank(g, rank);
	CHECK_INT(rank[0], 0);
	CHECK_INT(rank[5], 0);
}

static void empty(void)
{
	struct graph *g = graph_new(harness_ctx(), 0);
	uint32_t rank[1];
	CHECK_INT(graph_rank(g, rank), 0);
}

static const struct harness_test tests[] = {
	{"levels of a diamond", levels_of_a_diamond},
	{"chains of 1000 and 100000", long_chains},
	{"cycles of one, two and three", cycles},
	{"behind a cycle", behind_a_cycle},
	{"no nodes", empty},
};
HARNESS_MAIN(SUITE("graph", tests))
