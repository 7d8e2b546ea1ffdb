/* SPDX-License-Identifier: MIT
 *
 * replace.c: a view gets another definition, method or set of columns, with everything that reads it kept and no gap
 * for readers.
 *
 * Three ways, the gentlest that works: CREATE OR REPLACE VIEW; new rows in the same table; else the whole tree of
 * dependants is built aside and exchanged.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/objects/steps.h"
#include "postgresql/objects/tree.h"

/* ---- CREATE OR REPLACE VIEW: keeps owner, privileges, comments and dependants by itself */

static bool replace_view(struct task *task, bool *done_r, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	static const struct viewd_render_flags or_replace = {.or_replace = true};
	struct viewd_err failed;
	char *sql = gen_create(&task->gen, &or_replace, err);
	if (sql == NULL || !pg_exec(conn, "SAVEPOINT viewd_replace", err))
		return false;
	if (pg_exec(conn, sql, &failed)) {
		*done_r = true;
		return pg_exec(conn, "RELEASE SAVEPOINT viewd_replace", err);
	}
	pg_savepoint_undo(conn, "viewd_replace");
	*done_r = false;
	/* invalid_table_definition: a column is gone, renamed, moved or of another type */
	if (strcmp(failed.sqlstate, "42P16") == 0)
		return true;
	if (err != NULL)
		*err = failed;
	return false;
}

/* ---- the same table */

struct table_columns {
	const char **names;
	const char **types;
	void *mem;
	size_t n;
};

static bool column_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct table_columns *tc = ctx;
	tc->names = talloc_realloc(tc->mem, tc->names, const char *, tc->n + 1);
	tc->types = talloc_realloc(tc->mem, tc->types, const char *, tc->n + 1);
	tc->names[tc->n] = talloc_strdup(tc->mem, v[0]);
	tc->types[tc->n++] = talloc_strdup(tc->mem, v[1]);
	return true;
}

static const struct db_reader column_row[] = {{column_row_fn, "tt", "the columns of a table"}};

/* The type of the table's column of that name; NULL: there is none. */
static const char *type_of(const struct table_columns *tc, const char *name)
{
	for (size_t i = 0; i < tc->n; i++)
		if (strcmp(tc->names[i], name) == 0)
			return tc->types[i];
	return NULL;
}

/* By name: the order of columns does not matter to anybody who names them. */
static bool same_columns(struct task *task, const struct table_columns *tc, bool *same_r, struct viewd_err *err)
{
	bool same = tc->n == task->columns->n;
	for (size_t i = 0; same && i < task->columns->n; i++) {
		const struct viewd_column *c = &task->columns->items[i];
		const char *type = type_of(tc, c->name);
		const char *agreed = c->type;
		same = type != NULL && c->type != NULL;
		if (same && strcmp(type, c->type) != 0 && !pg_op_agree_type(task->db, task->mem, c->type, type, &agreed, err))
			return false;
		/* Details of which the view's type says nothing are the type's own: one that the table brings in is another
		 * one. */
		same = same && agreed != NULL && strcmp(agreed, c->type) == 0;
	}
	*same_r = same;
	return true;
}

static bool same_table(struct task *task, bool *same_r, struct viewd_err *err)
{
	struct table_columns tc = {.mem = task->mem};
	const char *params[] = {task->rel.schema, task->rel.name};
	return pg_op_query(task->db,
	                   "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) || " PG_COLLATE_SQL
	                   " FROM pg_catalog.pg_attribute a"
	                   " JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = "
	                   "c.relnamespace"
	                   " WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped",
	                   params, 2, column_row, &tc, err) &&
	       same_columns(task, &tc, same_r, err);
}

static bool set_options(struct viewd_conn *conn, const struct task *task, const struct relation *rel,
                        struct viewd_err *err)
{
	const struct viewd_view_spec *view = task->view;
	char *sql = talloc_asprintf(task->mem, "ALTER TABLE %s SET (", relation_quoted(&pg_syntax, task->mem, rel));
	for (size_t i = 0; i < view->n_options; i++)
		sql = talloc_asprintf_append_buffer(sql, "%s%s=%s", i > 0 ? ", " : "", view->options[i].key,
		                                    literal_quoted(&pg_syntax, task->mem, view->options[i].value));
	return view->n_options == 0 || pg_execf(conn, err, "%s)", sql);
}

static bool refill_table(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	if (!set_options(pg_of(task->db), task, &task->rel, err) || !index_make_all(task, &task->rel, err) ||
	    !task_recheck(task, err))
		return false;
	db_failpoint(task->db, "replace:checked");
	snprintf(out->reason, sizeof out->reason, "same columns: the rows were replaced in the same table");
	/* The table is checked once more under the lock that DELETE took: somebody else's table gets its rows back with the
	 * transaction. */
	return rows_judge_table(task, err) && db_exec(task->db, gen_delete(&task->gen, &task->rel), err) &&
	       task_recheck(task, err) && create_fill(task, out, err);
}

/* ---- build aside and exchange */

static char relkind_of(enum viewd_method method)
{
	switch (method) {
	case VIEWD_METHOD_SIMPLE:
		return 'v';
	case VIEWD_METHOD_MATERIALIZED:
		return 'm';
	case VIEWD_METHOD_TABLE:
	case VIEWD_METHOD_COUNT:
		break;
	}
	return 'r';
}

struct place {
	const char *tablespace;
	const char *access_method;
	void *mem;
};

static bool place_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct place *place = ctx;
	place->tablespace = talloc_strdup(place->mem, v[0]);
	place->access_method = talloc_strdup(place->mem, v[1]);
	return false;
}

static const struct db_reader place_row[] = {{place_row_fn, "tt", "the place of a relation"}};

/* A table that is created next goes to the old object's tablespace, with its access method. Until
 * stage_build_dependants, which say their own. */
static bool inherit_place(struct viewd_conn *conn, const struct tree *tree, struct task *task, struct viewd_err *err)
{
	const char *oid[] = {tree->nodes[0].oid};
	struct place place = {.mem = task->mem, .tablespace = "", .access_method = "heap"};
	if (!pg_op_query(&conn->db,
	                 "SELECT coalesce(s.spcname, ''), coalesce(m.amname, 'heap') FROM pg_catalog.pg_class c"
	                 " LEFT JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace"
	                 " LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam WHERE c.oid = $1::oid",
	                 oid, 1, place_row, &place, err))
		return false;
	const char *params[] = {place.tablespace, place.access_method};
	return place.tablespace[0] == '\0' && strcmp(place.access_method, "heap") == 0
	           ? true
	           : pg_op_exec(&conn->db,
	                        "SELECT pg_catalog.set_config('default_tablespace', $1, true),"
	                        " pg_catalog.set_config('default_table_access_method', $2, true)",
	                        params, 2, NULL, err);
}

static void warn_lost_indexes(struct viewd_conn *conn, const struct tree *tree)
{
	for (size_t i = 0; i < tree->n_statements; i++)
		if (tree->statements[i].node == 0 && tree->statements[i].phase == TREE_INDEX)
			pg_log(conn, VIEWD_LOG_WARNING, "%s of %s is not kept (a simple view has no indexes)",
			       tree->statements[i].what, tree->nodes[0].quoted);
}

/* The view itself, in its stage, under its final name: by the shared recipes, which believe that it belongs there. */
static bool build_view(struct task *task, struct tree *tree, struct viewd_outcome *out, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	struct relation final = task->rel;
	snprintf(task->rel.schema, sizeof task->rel.schema, "%s", tree->stages[tree->nodes[0].place]);
	task->gen.rel = task->rel;
	task->state.indexes[0] = '\0';
	bool simple = task->resolved.method == VIEWD_METHOD_SIMPLE;
	if (simple)
		warn_lost_indexes(conn, tree);
	bool ok = inherit_place(conn, tree, task, err) && create_object(task, err) &&
	          (simple || tree_run(conn, tree, 0, TREE_INDEX, err)) && index_make_all(task, &task->rel, err) &&
	          tree_run(conn, tree, 0, TREE_DRESS, err) && (simple || set_options(conn, task, &task->rel, err)) &&
	          create_fill(task, out, err);
	task->rel = final;
	task->gen.rel = final;
	return ok;
}

/* Under lock, before anything is destroyed: is all still what was read when building began? */
static bool check_unchanged(struct task *task, const struct tree *tree, const struct tree_wish *wish,
                            struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	struct tree *now = tree_load(conn, task->mem, wish, err);
	if (now == NULL)
		return false;
	bool same = strcmp(now->digest, tree->digest) == 0;
	talloc_free(now);
	return same ||
	       err_set(err, VIEWD_ERR_CONFLICT, "relation %s or its dependants changed while its successor was built",
	               tree->nodes[0].quoted);
}

static bool exchange(struct task *task, struct tree *tree, const struct tree_wish *wish, struct viewd_outcome *out,
                     struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	if (!stage_open(conn, tree, err) || !build_view(task, tree, out, err) || !stage_build_dependants(conn, tree, err))
		return false;
	db_failpoint(task->db, "replace:built");
	if (!stage_lock(conn, tree, task->view->lock_timeout_us, err) || !check_unchanged(task, tree, wish, err) ||
	    !task_recheck(task, err))
		return false;
	db_failpoint(task->db, "replace:locked");
	if (!stage_exchange(conn, tree, err))
		return false;
	db_failpoint(task->db, "replace:exchanged");
	if (tree->n_nodes > 1)
		snprintf(out->reason, sizeof out->reason, "built aside and exchanged together with %zu dependant%s",
		         tree->n_nodes - 1, tree->n_nodes > 2 ? "s" : "");
	else
		snprintf(out->reason, sizeof out->reason, "built aside and exchanged");
	return true;
}

static bool replace_tree(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct tree_wish wish = {
		.rel = task->rel,
		.new_kind = relkind_of(task->resolved.method),
		.own_indexes = talloc_strdup(task->mem, task->state.indexes),
	};
	struct tree *tree = tree_load(pg_of(task->db), task->mem, &wish, err);
	return tree != NULL && exchange(task, tree, &wish, out, err);
}

bool pg_op_replace(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	bool done = false;
	out->did = VIEWD_DID_REINITIALIZE;
	if (task->found.kind == VIEWD_KIND_NONE)
		return create_replacement(task, out, err);
	if (task->found.kind == VIEWD_KIND_VIEW && task->resolved.method == VIEWD_METHOD_SIMPLE) {
		snprintf(out->reason, sizeof out->reason, "replaced in place (CREATE OR REPLACE VIEW)");
		if (!replace_view(task, &done, err) || done)
			return done;
	}
	if (task->found.kind == VIEWD_KIND_TABLE && task->resolved.method == VIEWD_METHOD_TABLE) {
		if (!same_table(task, &done, err))
			return false;
		if (done)
			return refill_table(task, out, err);
	}
	return replace_tree(task, out, err);
}
