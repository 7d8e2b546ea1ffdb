/* SPDX-License-Identifier: MIT
 *
 * wave_link.c: links the members of a wave: each waits for those before it.
 */
#include "core/flow/wave.h"

#include "base/mem.h"
#include "core/model/edges.h"
#include "core/model/group.h"
#include "sched/graph.h"

static void add_after(struct wave *wave, struct member *before, struct member *after)
{
	before->after = mem_grow(wave, before->after, uint32_t, before->n_after + 1);
	before->after[before->n_after++] = (uint32_t)(after - wave->members);
	after->n_waits++;
}

/* A plain view may lie between members of a group, and must not keep it waiting for itself. */
static bool stands_in_order(const struct member *m, const struct view *up)
{
	return up->walk.wave_member != NULL && (m->head == NULL || up->relation.method != VIEWD_METHOD_SIMPLE);
}

/* Walks from a member along its upstream edges, through instances that are not in the wave, to the members it has to
 * wait for. */
static void link_upstream(struct wave *wave, struct member *m)
{
	struct engine *eng = wave->eng;
	void *tmp = talloc_new(NULL);
	struct view **stack = NULL;
	size_t depth = 1, room = 0;
	uint64_t visit = ++eng->visit;
	stack = mem_grow(tmp, stack, struct view *, (room = 16));
	stack[0] = m->view;
	m->view->walk.visit = visit;
	while (depth > 0) {
		struct view *v = stack[--depth];
		for (size_t i = 0; i < v->graph.n_up; i++) {
			struct view *up = v->graph.up[i];
			if (up->walk.visit == visit)
				continue;
			up->walk.visit = visit;
			if (stands_in_order(m, up)) {
				if (wave_head(up->walk.wave_member) == wave_head(m))
					continue;
				if (wave->order == WAVE_DOWNSTREAM_FIRST)
					add_after(wave, m, up->walk.wave_member);
				else
					add_after(wave, up->walk.wave_member, wave_head(m));
				continue;
			}
			if (depth == room)
				stack = mem_grow(tmp, stack, struct view *, (room *= 2));
			stack[depth++] = up;
		}
	}
	talloc_free(tmp);
}

static void link_guesses(struct wave *wave, struct member *m, const struct guesses *guesses)
{
	for (size_t i = 0; m->view->reads.guesses != NULL && m->view->reads.guesses[i] != NULL; i++) {
		struct view *up = edges_guess(guesses, m->view->db, m->view->reads.guesses[i]);
		if (up != NULL && up->walk.wave_member != NULL && wave_head(up->walk.wave_member) != wave_head(m))
			add_after(wave, up->walk.wave_member, wave_head(m));
	}
}

/* Members on a cycle would wait for each other for ever. */
static void break_cycles(struct wave *wave)
{
	struct graph *g = graph_new(wave, (uint32_t)wave->n);
	uint32_t *rank = mem_array(g, uint32_t, wave->n);
	for (uint32_t i = 0; i < wave->n; i++)
		for (uint32_t k = 0; k < wave->members[i].n_after; k++)
			graph_edge(g, (uint32_t)(wave_head(&wave->members[i]) - wave->members), wave->members[i].after[k]);
	if (graph_rank(g, rank) > 0)
		for (size_t i = 0; i < wave->n; i++)
			if (rank[i] == GRAPH_CYCLIC)
				wave->members[i].n_waits = 0;
	talloc_free(g);
}

/* A refresh asked for before the catalogue has been looked at has only guesses to go by. */
static bool edges_are_unknown(const struct wave *wave)
{
	for (size_t i = 0; i < wave->n && wave->order == WAVE_UPSTREAM_FIRST; i++)
		if (wave->members[i].view->reads.guesses != NULL)
			return true;
	return false;
}

static void find_heads(struct wave *wave)
{
	for (size_t i = wave->n; wave->kind == JOB_REFRESH && i-- > 0;) {
		struct member *m = &wave->members[i];
		struct group *g = group_of(m->view);
		if (g == NULL)
			continue;
		m->next_mate = g->head;
		g->head = m;
	}
	for (size_t i = 0; i < wave->n; i++) {
		struct group *g = group_of(wave->members[i].view);
		if (g == NULL || g->head != &wave->members[i])
			continue;
		for (struct member *m = g->head; m != NULL; m = m->next_mate)
			m->head = g->head;
		g->head = NULL;
	}
}

void wave_link(struct wave *wave)
{
	if (wave->order == WAVE_ANY)
		return;
	edges_update(wave->eng);
	find_heads(wave);
	for (size_t i = 0; i < wave->n; i++)
		wave->members[i].view->walk.wave_member = &wave->members[i];
	struct guesses *guesses =
		wave->order == WAVE_GUESSED || edges_are_unknown(wave) ? edges_guesses(wave->eng, wave) : NULL;
	for (size_t i = 0; i < wave->n; i++) {
		link_upstream(wave, &wave->members[i]);
		if (guesses != NULL)
			link_guesses(wave, &wave->members[i], guesses);
	}
	talloc_free(guesses);
	for (size_t i = 0; i < wave->n; i++)
		wave->members[i].view->walk.wave_member = NULL;
	break_cycles(wave);
}
