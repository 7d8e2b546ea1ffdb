/* SPDX-License-Identifier: MIT */
#include "core/model/edges.h"

#include "base/log.h"
#include "base/mem.h"
#include "conf/snapshot/view_name.h"
#include "core/model/group.h"
#include "core/model/views.h"
#include "sched/graph.h"

#include <string.h>

void edges_invalidate(struct engine *eng)
{
	eng->edges.dirty = eng->captures.dirty = true;
}

static bool same_sources(const struct view *view, const struct source *sources, size_t n)
{
	if (view->reads.n_sources != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(view->reads.sources[i].schema, sources[i].schema) != 0 ||
		    strcmp(view->reads.sources[i].name, sources[i].name) != 0)
			return false;
	return true;
}

void edges_set_sources(struct view *view, const struct source *sources, size_t n)
{
	if (view->reads.sources != NULL && same_sources(view, sources, n))
		return;
	free(view->reads.sources);
	/* One block: the array, then its text. A name is the end of the full one. */
	size_t text = 0;
	for (size_t i = 0; i < n; i++)
		text += 2 * (strlen(sources[i].schema) + 1) + strlen(sources[i].name) + 1;
	char *block = mem_need(calloc(1, n * sizeof(struct source) + text + 1));
	view->reads.sources = (struct source *)(void *)block;
	view->reads.n_sources = (uint32_t)n;
	char *p = block + n * sizeof(struct source);
	for (size_t i = 0; i < n; i++) {
		struct source *own = &view->reads.sources[i];
		own->kind = sources[i].kind;
		own->schema = p;
		own->full = p = stpcpy(p, sources[i].schema) + 1;
		own->name = p = stpcpy(stpcpy(p, sources[i].schema), sources[i].schema[0] != '\0' ? "." : "");
		p = stpcpy(p, sources[i].name) + 1;
	}
	edges_invalidate(view->eng);
}

/* ---- finding instances by place --------------------------------------------------------------------------------- */

static int compare_place(const char *a_schema, const char *a_name, const char *b_schema, const char *b_name)
{
	int c = strcmp(a_name, b_name);
	return c != 0 ? c : strcmp(a_schema, b_schema);
}

static int by_place(const void *a, const void *b)
{
	const struct view *x = *(struct view *const *)a, *y = *(struct view *const *)b;
	return compare_place(x->relation.schema, x->relation.name, y->relation.schema, y->relation.name);
}

/* Instances of the database whose place is known, sorted by it. */
static struct view **placed(struct database *db, void *mem_ctx, size_t *n_r)
{
	struct view **list = mem_array(mem_ctx, struct view *, db->n_views);
	size_t n = 0;
	for (size_t i = 0; i < db->n_views; i++)
		if (db->views[i]->relation.name != NULL)
			list[n++] = db->views[i];
	qsort(list, n, sizeof *list, by_place);
	*n_r = n;
	return list;
}

static struct view *find_place(struct view **list, size_t n, const struct source *src)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = compare_place(list[mid]->relation.schema, list[mid]->relation.name, src->schema, src->name);
		if (c == 0)
			return list[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* ---- guessing before the catalogue knows ------------------------------------------------------------------------ */

struct guess {
	const struct database *db;
	char *key; /* lower-cased last part of the relation */
	struct view *view;
};
struct guesses {
	struct guess *rows;
	size_t n;
};

static void lower(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

/* The last part of `Sales."Category Stats"` without its quotes. */
static char *last_part(void *mem_ctx, const char *relation)
{
	const char *dot = strrchr(relation, '.');
	const char *part = dot != NULL ? dot + 1 : relation;
	part += strspn(part, "\"`'");
	char *key = mem_need(talloc_strndup(mem_ctx, part, strcspn(part, "\"`'")));
	lower(key);
	return key;
}

static int by_key(const void *a, const void *b)
{
	const struct guess *x = a, *y = b;
	if (x->db != y->db)
		return x->db < y->db ? -1 : 1;
	return strcmp(x->key, y->key);
}

struct guesses *edges_guesses(struct engine *eng, void *mem_ctx)
{
	struct guesses *g = mem_new(mem_ctx, struct guesses);
	g->rows = mem_array(g, struct guess, eng->n_views);
	for (size_t i = 0; i < eng->n_views; i++) {
		struct view *v = eng->views[i];
		const char *relation = v->conf->relation != NULL ? v->conf->relation : v->conf->name;
		g->rows[g->n++] = (struct guess){.db = v->db, .key = last_part(g->rows, relation), .view = v};
	}
	qsort(g->rows, g->n, sizeof *g->rows, by_key);
	return g;
}

struct view *edges_guess(const struct guesses *g, const struct database *db, const char *identifier)
{
	char *key = mem_strdup(NULL, identifier);
	lower(key);
	const struct guess wanted = {.db = db, .key = key};
	const struct guess *row = bsearch(&wanted, g->rows, g->n, sizeof *g->rows, by_key);
	talloc_free(key);
	return row != NULL ? row->view : NULL;
}

/* Breadth first, so it is the shortest way back. */
struct way_back {
	struct view **queue; /* in the order they were reached */
	size_t *from, n;     /* index of the one that mentions it */
};

static bool reached(const struct way_back *way, const struct view *v)
{
	size_t i = 1; /* the first is where it has to lead back to */
	while (i < way->n && way->queue[i] != v)
		i++;
	return i < way->n;
}

static char *tell_way(const struct way_back *way, size_t last, void *mem_ctx)
{
	char *text = mem_strdup(mem_ctx, way->queue[0]->label);
	for (size_t i = last; i != 0; i = way->from[i])
		text = mem_printf(mem_ctx, "%s -> %s", way->queue[i]->label, text);
	return mem_printf(mem_ctx, "%s -> %s", way->queue[0]->label, text);
}

char *edges_guessed_cycle(struct view *view, void *mem_ctx)
{
	void *tmp = talloc_new(NULL);
	struct guesses *g = edges_guesses(view->eng, tmp);
	struct way_back way = {.queue = mem_array(tmp, struct view *, view->eng->n_views + 1),
	                       .from = mem_array(tmp, size_t, view->eng->n_views + 1),
	                       .n = 1};
	char *text = NULL;
	way.queue[0] = view;
	for (size_t i = 0; i < way.n && text == NULL; i++)
		for (const char **name = way.queue[i]->reads.guesses; name != NULL && *name != NULL && text == NULL; name++) {
			struct view *up = edges_guess(g, view->db, *name);
			if (up == view)
				text = tell_way(&way, i, mem_ctx);
			else if (up != NULL && !reached(&way, up)) {
				way.from[way.n] = i;
				way.queue[way.n++] = up;
			}
		}
	talloc_free(tmp);
	return text;
}

/* ---- edges ------------------------------------------------------------------------------------------------------ */

static void add_pointer(struct view *owner, struct view ***list, uint32_t *n, struct view *v)
{
	for (uint32_t i = 0; i < *n; i++)
		if ((*list)[i] == v)
			return;
	/* Room grows by powers of two. */
	if ((*n & (*n - 1)) == 0)
		*list = mem_grow(owner, *list, struct view *, *n == 0 ? 1 : *n * 2);
	(*list)[(*n)++] = v;
}

static void connect_views(struct view *up, struct view *down)
{
	if (up == down)
		return;
	size_t before = down->graph.n_up;
	add_pointer(down, &down->graph.up, &down->graph.n_up, up);
	if (down->graph.n_up == before)
		return;
	if ((up->graph.n_down & (up->graph.n_down - 1)) == 0)
		up->graph.down = mem_grow(up, up->graph.down, struct view *, up->graph.n_down == 0 ? 1 : up->graph.n_down * 2);
	up->graph.down[up->graph.n_down++] = down;
}

static void forget_edges(struct view *v)
{
	TALLOC_FREE(v->graph.up);
	TALLOC_FREE(v->graph.down);
	v->graph.n_up = v->graph.n_down = 0;
}

static void connect_sources(struct view *v, struct view **list, size_t n)
{
	for (size_t i = 0; i < v->reads.n_sources; i++) {
		struct view *up = find_place(list, n, &v->reads.sources[i]);
		v->reads.sources[i].base = up == NULL && v->reads.sources[i].kind != VIEWD_KIND_VIEW;
		if (up != NULL)
			connect_views(up, v);
	}
}

/* `name` on the same database, or `db:name`. */
static void connect_declared(struct view *v)
{
	for (size_t i = 0; i < v->conf->depends_on.n; i++) {
		struct view_name name = view_name_split(v->conf->depends_on.items[i]);
		char *db = name.database != NULL ? mem_need(talloc_strndup(v, name.database, name.database_len)) : NULL;
		struct view *up = views_find(v->eng, name.name, db != NULL ? db : v->db->conf->name);
		talloc_free(db);
		if (up != NULL)
			connect_views(up, v);
	}
}

/* ---- levels and cycles ------------------------------------------------------------------------------------------ */

static struct graph *graph_of(struct engine *eng, void *mem_ctx)
{
	struct graph *g = graph_new(mem_ctx, (uint32_t)eng->n_views);
	for (size_t i = 0; i < eng->n_views; i++)
		eng->views[i]->graph.node = (uint32_t)i;
	for (size_t i = 0; i < eng->n_views; i++)
		for (size_t k = 0; k < eng->views[i]->graph.n_up; k++)
			graph_edge(g, eng->views[i]->graph.up[k]->graph.node, (uint32_t)i);
	return g;
}

char *edges_cycle_text(const struct view *view, void *mem_ctx)
{
	struct engine *eng = view->eng;
	void *tmp = talloc_new(NULL);
	struct graph *g = graph_of(eng, tmp);
	uint32_t *rank = mem_array(tmp, uint32_t, eng->n_views), *nodes;
	graph_rank(g, rank);
	char *text = mem_strdup(mem_ctx, "");
	if (rank[view->graph.node] == GRAPH_CYCLIC) {
		size_t n = graph_cycle(g, rank, view->graph.node, tmp, &nodes);
		for (size_t i = 0; i <= n; i++)
			text = mem_need(talloc_asprintf_append(text, "%s%s", i > 0 ? " -> " : "", eng->views[nodes[i % n]]->label));
	}
	talloc_free(tmp);
	return text;
}

static void rank_views(struct engine *eng)
{
	void *tmp = talloc_new(NULL);
	struct graph *g = graph_of(eng, tmp);
	uint32_t *rank = mem_array(tmp, uint32_t, eng->n_views);
	size_t cyclic = graph_rank(g, rank);
	bool told = false;
	for (size_t i = 0; i < eng->n_views; i++) {
		struct view *v = eng->views[i];
		bool news = rank[i] == GRAPH_CYCLIC && v->graph.rank != GRAPH_CYCLIC;
		v->graph.rank = rank[i];
		if (news && !told) {
			log_error("view '%s', depends on itself (%s); %zu views on or behind the cycle are not refreshed", v->label,
			          edges_cycle_text(v, tmp), cyclic);
			told = true;
		}
	}
	talloc_free(tmp);
}

void edges_forget(struct engine *eng)
{
	for (size_t i = 0; i < eng->n_views; i++)
		forget_edges(eng->views[i]);
	eng->edges.gone = true;
	edges_invalidate(eng);
}

void edges_update(struct engine *eng)
{
	if (!eng->edges.dirty)
		return;
	eng->edges.dirty = eng->edges.gone = false;
	for (size_t i = 0; i < eng->n_views; i++)
		forget_edges(eng->views[i]);
	for (size_t d = 0; d < eng->n_dbs; d++) {
		void *tmp = talloc_new(NULL);
		size_t n;
		struct view **list = placed(eng->dbs[d], tmp, &n);
		for (size_t i = 0; i < eng->dbs[d]->n_views; i++)
			connect_sources(eng->dbs[d]->views[i], list, n);
		talloc_free(tmp);
	}
	for (size_t i = 0; i < eng->n_views; i++)
		connect_declared(eng->views[i]);
	rank_views(eng);
	group_check_order(eng);
}
