/* SPDX-License-Identifier: MIT */
#include "core/model/group.h"

#include "base/log.h"
#include "base/mem.h"
#include "sched/graph.h"

#include <string.h>

/* ---- making ----------------------------------------------------------------------------------------------------- */

void group_forget_all(struct engine *eng)
{
	for (size_t i = 0; i < eng->n_views && eng->edges.grouped; i++)
		eng->views[i]->graph.group = NULL;
	for (size_t i = 0; i < eng->n_dbs; i++)
		TALLOC_FREE(eng->dbs[i]->groups);
	eng->edges.grouped = false;
}

bool group_is_wanted(const struct view *v)
{
	return v->conf->refresh_group != NULL && v->conf->enabled && v->relation.method != VIEWD_METHOD_SIMPLE;
}

/* The group of v and all behind it that say the same name. */
static void make_group(struct database *db, size_t first)
{
	const char *name = db->views[first]->conf->refresh_group;
	struct group *g = mem_new(db->groups, struct group);
	g->name = name;
	g->views = mem_array(g, struct view *, db->n_views - first);
	for (size_t i = first; i < db->n_views; i++)
		if (group_is_wanted(db->views[i]) && strcmp(db->views[i]->conf->refresh_group, name) == 0)
			g->views[g->n++] = db->views[i];
	for (size_t i = 0; i < g->n; i++)
		g->views[i]->graph.group = g;
	db->eng->edges.grouped |= g->n > 1;
}

/* A group of one view is none. */
static void drop_single(struct view *v)
{
	if (v->graph.group == NULL || v->graph.group->n > 1)
		return;
	talloc_free(v->graph.group);
	v->graph.group = NULL;
}

void group_make_all(struct engine *eng)
{
	for (size_t d = 0; d < eng->n_dbs; d++) {
		struct database *db = eng->dbs[d];
		db->groups = talloc_new(db);
		for (size_t i = 0; i < db->n_views; i++)
			if (group_is_wanted(db->views[i]) && db->views[i]->graph.group == NULL)
				make_group(db, i);
		for (size_t i = 0; i < db->n_views; i++)
			drop_single(db->views[i]);
	}
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

struct group *group_of(const struct view *view)
{
	return view->graph.group != NULL && view->graph.group->broken == NULL ? view->graph.group : NULL;
}

/* A sound group is one node, named by its first member. */
static uint32_t node_of(const struct view *v)
{
	const struct group *g = group_of(v);
	return g != NULL ? g->views[0]->graph.node : v->graph.node;
}

static bool is_node(const struct view *v)
{
	return v->relation.method != VIEWD_METHOD_SIMPLE && v->graph.rank != GRAPH_CYCLIC;
}

/* Views that v reads, through plain views: these hold nothing, so they need no order. */
static void add_edges(struct graph *g, const struct view *v, const struct view *through, uint64_t visit)
{
	for (size_t i = 0; i < through->graph.n_up; i++) {
		struct view *up = through->graph.up[i];
		if (up->walk.visit == visit)
			continue;
		up->walk.visit = visit;
		if (up->relation.method == VIEWD_METHOD_SIMPLE)
			add_edges(g, v, up, visit);
		else if (is_node(up) && node_of(up) != node_of(v))
			graph_edge(g, node_of(up), node_of(v));
	}
}

static struct graph *contracted(struct engine *eng, void *mem_ctx)
{
	struct graph *g = graph_new(mem_ctx, (uint32_t)eng->n_views);
	for (size_t i = 0; i < eng->n_views; i++)
		if (is_node(eng->views[i]))
			add_edges(g, eng->views[i], eng->views[i], ++eng->visit);
	return g;
}

static char *describe_node(void *mem_ctx, const struct view *v)
{
	const struct group *g = group_of(v);
	return g != NULL ? mem_printf(mem_ctx, "refresh_group '%s'", g->name) : mem_printf(mem_ctx, "view '%s'", v->label);
}

/* Every group on the cycle is broken by what comes next on it. */
static void break_groups(struct engine *eng, void *tmp, const uint32_t *nodes, size_t n)
{
	char **texts = mem_array(tmp, char *, n);
	for (size_t i = 0; i < n; i++) {
		struct view *v = eng->views[nodes[i]], *next = eng->views[nodes[(i + 1) % n]];
		if (group_of(v) != NULL)
			texts[i] = mem_printf(v->graph.group, "%s lies between members of refresh_group '%s'",
			                      describe_node(tmp, next), v->graph.group->name);
	}
	for (size_t i = 0; i < n; i++)
		if (texts[i] != NULL)
			eng->views[nodes[i]]->graph.group->broken = texts[i];
}

/* Takes the groups of one cycle out of the order; false when there is no cycle any more. */
static bool break_one_cycle(struct engine *eng)
{
	void *tmp = talloc_new(NULL);
	struct graph *g = contracted(eng, tmp);
	uint32_t *rank = mem_array(tmp, uint32_t, eng->n_views), *nodes, i = 0;
	bool cyclic = graph_rank(g, rank) > 0;
	if (cyclic) {
		while (rank[i] != GRAPH_CYCLIC)
			i++;
		size_t n = graph_cycle(g, rank, i, tmp, &nodes);
		break_groups(eng, tmp, nodes, n);
	}
	talloc_free(tmp);
	return cyclic;
}

static void tell_broken(const struct group *g, const char *before)
{
	if (g->broken != NULL && (before == NULL || strcmp(before, g->broken) != 0))
		log_error(
			"database '%s', refresh_group '%s' cannot be refreshed (%s); put that into the group, or take a member out",
			g->views[0]->db->conf->name, g->name, g->broken);
}

void group_check_order(struct engine *eng)
{
	void *tmp = talloc_new(NULL);
	char **before = mem_array(tmp, char *, eng->n_views);
	bool any = false;
	for (size_t i = 0; i < eng->n_views; i++) {
		struct group *g = eng->views[i]->graph.group;
		any |= g != NULL;
		if (g == NULL || g->views[0] != eng->views[i])
			continue;
		before[i] = talloc_steal(tmp, g->broken);
		g->broken = NULL;
	}
	while (any && break_one_cycle(eng))
		continue;
	for (size_t i = 0; i < eng->n_views && any; i++)
		if (eng->views[i]->graph.group != NULL && eng->views[i]->graph.group->views[0] == eng->views[i])
			tell_broken(eng->views[i]->graph.group, before[i]);
	talloc_free(tmp);
}

/* ---- when ------------------------------------------------------------------------------------------------------- */

const struct view *group_held_by(const struct view *view)
{
	const struct group *g = group_of(view);
	for (size_t i = 0; g != NULL && i < g->n; i++)
		if (g->views[i] != view && (g->views[i]->paused || g->views[i]->state == VIEW_STATE_SUSPENDED))
			return g->views[i];
	return NULL;
}

static struct coalesce own_pace(const struct view *v)
{
	return (struct coalesce){
		.debounce = v->conf->debounce, .max_delay = v->conf->max_delay, .at_most_every = v->conf->at_most_every};
}

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

struct coalesce group_pace(const struct view *view)
{
	struct coalesce pace = own_pace(view);
	const struct group *g = group_of(view);
	for (size_t i = 0; g != NULL && i < g->n; i++) {
		struct coalesce other = own_pace(g->views[i]);
		pace.debounce = longer(pace.debounce, other.debounce);
		pace.at_most_every = longer(pace.at_most_every, other.at_most_every);
		if (other.max_delay > 0 && (pace.max_delay == 0 || other.max_delay < pace.max_delay))
			pace.max_delay = other.max_delay;
	}
	return pace;
}
