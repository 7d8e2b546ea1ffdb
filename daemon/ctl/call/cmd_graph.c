/* SPDX-License-Identifier: MIT
 *
 * cmd_graph.c: graph.
 */
#include "ctl/call/handlers.h"

#include "ctl/answer/json.h"
#include "ctl/text/json_explain.h"

struct graph_reply {
	struct engine *engine;
	json_t *views;
	json_t *edges;
};

static void add_edge(json_t *edges, const char *from, const char *kind, const struct view *to)
{
	json_t *edge = json_object();
	json_object_set_new(edge, "from", json_text(from));
	json_object_set_new(edge, "from_kind", json_text(kind));
	json_object_set_new(edge, "to", json_text(view_label(to)));
	json_object_set_new(edge, "database", json_text(view_database(to)));
	json_array_append_new(edges, edge);
}

/* A node reads another node, or a relation by its name in the graph. */
static json_t *node_reads(const struct view *view, const json_t *source)
{
	json_t *reads = json_object();
	const json_t *node = json_object_get(source, "of_node");
	const char *schema = json_string_value(json_object_get(source, "schema"));
	const char *name = json_string_value(json_object_get(source, "name"));
	bool of_view = false;
	const char *known = name != NULL ? view_read_name(view, schema != NULL ? schema : "", name, &of_view) : NULL;
	if (node != NULL)
		json_object_set_new(reads, "node", json_integer(json_integer_value(node)));
	else
		json_object_set_new(reads, "from", json_text(known != NULL ? known : name));
	json_object_set_new(reads, "from_kind", json_text(node != NULL ? "node" : of_view ? "view" : "source"));
	return reads;
}

/* The nodes of a view that is kept incrementally. */
static json_t *graph_nodes(const struct view *view)
{
	const struct viewd_explained *facts;
	size_t n = view_nodes(view, &facts), i, k;
	json_t *outline = json_explained_new(), *node, *source;
	for (i = 0; i < n; i++)
		(void)json_explained_add(outline, &facts[i]);
	json_t *nodes = json_incref(json_object_get(outline, "nodes"));
	json_decref(outline);
	json_array_foreach(nodes, i, node) {
		json_t *reads = json_array();
		json_array_foreach(json_object_get(node, "sources"), k, source)
			json_array_append_new(reads, node_reads(view, source));
		json_object_set_new(node, "reads", reads);
		json_object_del(node, "sources");
	}
	return nodes;
}

static bool graph_view(void *ctx, struct view *view)
{
	struct graph_reply *g = ctx;
	struct view_status st = {0};
	engine_status(g->engine, view, &st);
	json_t *node = json_object();
	json_object_set_new(node, "view", json_text(view_label(view)));
	json_object_set_new(node, "database", json_text(view_database(view)));
	json_object_set_new(node, "relation", json_text(st.relation));
	json_object_set_new(node, "method", json_text(st.method));
	json_object_set_new(node, "state", json_text(view_state_word(st.state)));
	json_object_set_new(node, "freshness", json_text(view_freshness_word(st.freshness)));
	json_object_set_new(node, "refresh_group", json_text(view_group(view)));
	json_object_set_new(node, "nodes", graph_nodes(view));
	json_array_append_new(g->views, node);
	struct view *const *upstream = NULL;
	size_t n = view_upstream(view, &upstream);
	for (size_t i = 0; i < n; i++)
		add_edge(g->edges, view_label(upstream[i]), "view", view);
	const char *const *sources = NULL;
	n = view_sources(view, &sources);
	for (size_t i = 0; i < n; i++)
		add_edge(g->edges, sources[i], "source", view);
	return true;
}

void cmd_graph(struct call *call)
{
	struct graph_reply g = {.engine = call_ctl(call)->engine, .views = json_array(), .edges = json_array()};
	engine_each_view(g.engine, graph_view, &g);
	json_t *body = json_reply();
	json_object_set_new(body, "views", g.views);
	json_object_set_new(body, "edges", g.edges);
	call_reply(call, body);
}
