/* SPDX-License-Identifier: MIT
 *
 * stage.c: building a tree aside and exchanging it for the old one.
 *
 * The stage is a schema that lives inside the transaction: nobody else ever sees it, and a killed session leaves
 * nothing behind. Objects are built there under their final names, so that exchanging them is a matter of the catalogue
 * alone: while readers have to wait, no row is read or written.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "postgresql/objects/tree.h"

/* All locks of one attempt together, doubled from attempt to attempt. Shorter than deadlock_timeout (1 s): if a reader
 * holds one of the relations and waits for another, we give way before the server picks a victim, so the victim is
 * never the reader. */
#define ATTEMPT_MIN_US INT64_C(50000)
#define ATTEMPT_MAX_US INT64_C(400000)
#define PAUSE_US INT64_C(20000)

bool stage_open(struct viewd_conn *conn, struct tree *tree, struct viewd_err *err)
{
	for (size_t i = tree->stage_given ? 1 : 0; i < tree->n_schemas; i++) {
		if (pg_execf(conn, err, "CREATE SCHEMA \"%s\"", tree->stages[i]))
			continue;
		if (err != NULL && strcmp(err->sqlstate, "42501") == 0)
			err_hint(err, "a view is built aside before it is exchanged: GRANT CREATE ON DATABASE to the role, or make "
			              "the schema "
			              "viewd_stage and grant CREATE and USAGE on it");
		return false;
	}
	return true;
}

static bool lock_limit(struct viewd_conn *conn, int64_t us, struct viewd_err *err)
{
	return pg_execf(conn, err, "SET LOCAL lock_timeout = %lld", (long long)(us < 1000 ? 1 : us / 1000));
}

/* LOCK TABLE knows no materialized views and follows views into what they read. Setting the owner to what it is changes
 * nothing and takes exactly the lock that dropping will need. Readers of a dependant lock it before the view: so do
 * we. */
static bool lock_once(struct viewd_conn *conn, const struct tree *tree, int64_t window_us, struct viewd_err *err)
{
	const struct clock *clk = clock_system();
	int64_t end = clk->mono(clk) + window_us;
	for (size_t i = tree->n_nodes; i-- > 0;) {
		char *owner = ident_append(&pg_syntax, talloc_strdup(tree, ""), tree->nodes[i].owner);
		bool ok = lock_limit(conn, end - clk->mono(clk), err) &&
		          pg_execf(conn, err, "ALTER TABLE %s OWNER TO %s", tree->nodes[i].quoted, owner);
		talloc_free(owner);
		if (!ok)
			return err_wrap(err, "locking %s", tree->nodes[i].quoted);
	}
	return true;
}

static void pause_us(int64_t us)
{
	struct timespec ts = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
	nanosleep(&ts, NULL);
}

bool stage_lock(struct viewd_conn *conn, const struct tree *tree, int64_t lock_timeout_us, struct viewd_err *err)
{
	const struct clock *clk = clock_system();
	int64_t end = clk->mono(clk) + lock_timeout_us;
	struct viewd_err failed;
	for (int64_t window = ATTEMPT_MIN_US;; window = window < ATTEMPT_MAX_US ? 2 * window : window) {
		int64_t left = end - clk->mono(clk);
		if (!pg_exec(conn, "SAVEPOINT viewd_lock", err))
			return false;
		if (lock_once(conn, tree, left < window ? left : window, &failed))
			return pg_exec(conn, "RELEASE SAVEPOINT viewd_lock", err) && lock_limit(conn, lock_timeout_us, err);
		pg_savepoint_undo(conn, "viewd_lock");
		if (failed.cls != VIEWD_ERR_CONFLICT || end - clk->mono(clk) <= PAUSE_US)
			break;
		pause_us(PAUSE_US + clk->mono(clk) % PAUSE_US);
	}
	if (err != NULL)
		*err = failed;
	return false;
}

static bool copy_oid_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct tree_node *node = ctx;
	node->new_oid = talloc_strdup(NULL, v[0]);
	return false;
}

static const struct db_reader copy_oid[] = {{copy_oid_fn, "t", "an object that was made aside"}};

static bool find_new(struct viewd_conn *conn, struct tree *tree, size_t i, struct viewd_err *err)
{
	struct tree_node *node = &tree->nodes[i];
	const char *params[] = {tree->stages[node->place], node->name};
	if (!pg_op_query(
			&conn->db,
			"SELECT c.oid::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
			" WHERE n.nspname = $1 AND c.relname = $2",
			params, 2, copy_oid, node, err))
		return false;
	if (node->new_oid == NULL)
		return err_set(err, VIEWD_ERR_BUG, "relation %s was not built", node->staged);
	talloc_steal(tree, node->new_oid);
	return true;
}

/* An oid array literal. */
static char *oids(void *mem_ctx, const struct tree *tree, size_t n, bool new)
{
	char *text = talloc_strdup(mem_ctx, "{");
	for (size_t i = 0; i < n; i++)
		text = talloc_asprintf_append_buffer(text, "%s%s", i > 0 ? "," : "",
		                                     new ? tree->nodes[i].new_oid : tree->nodes[i].oid);
	return talloc_strdup_append_buffer(text, "}");
}

/* Does the new dependant read exactly the relations the old one reads, new for old? A name that means something else in
 * the stage's search path must not go unnoticed. */
static const char same_reads_sql[] =
	"WITH pairs (o, w) AS (SELECT * FROM ROWS FROM (pg_catalog.unnest($3::oid[]), pg_catalog.unnest($4::oid[]))),"
	" reads (v, oid) AS (SELECT w.ev_class, d.refobjid FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_depend d"
	"  ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid"
	"  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> w.ev_class"
	"  WHERE w.rulename = '_RETURN' AND w.ev_class IN ($1::oid, $2::oid)),"
	" a AS (SELECT coalesce(p.w, r.oid) FROM reads r LEFT JOIN pairs p ON p.o = r.oid WHERE r.v = $1::oid),"
	" b AS (SELECT oid FROM reads WHERE v = $2::oid)"
	" SELECT count(*) FROM ((SELECT * FROM a EXCEPT SELECT * FROM b) UNION ALL (SELECT * FROM b EXCEPT SELECT * FROM "
	"a)) AS diff";

static bool is_zero_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = strcmp(v[0], "0") == 0;
	return false;
}

static const struct db_reader is_zero[] = {{is_zero_fn, "t", "what a view reads"}};

static bool prove_reads(struct viewd_conn *conn, const struct tree *tree, size_t i, struct viewd_err *err)
{
	const struct tree_node *node = &tree->nodes[i];
	void *tmp = talloc_new(NULL);
	const char *params[] = {node->oid, node->new_oid, oids(tmp, tree, i, false), oids(tmp, tree, i, true)};
	bool same = false;
	bool ok = pg_op_query(&conn->db, same_reads_sql, params, 4, is_zero, &same, err);
	talloc_free(tmp);
	if (!ok || same)
		return ok;
	return err_set(err, VIEWD_ERR_QUERY,
	               "dependant %s cannot be made again (names it reads are hidden by others of the same name)",
	               node->quoted);
}

static void analyze_quietly(struct viewd_conn *conn, const char *quoted)
{
	struct viewd_err ignored;
	if (!pg_exec(conn, "SAVEPOINT viewd_analyze", &ignored))
		return;
	if (pg_execf(conn, &ignored, "ANALYZE %s", quoted) && pg_exec(conn, "RELEASE SAVEPOINT viewd_analyze", &ignored))
		return;
	pg_savepoint_undo(conn, "viewd_analyze");
}

static bool build(struct viewd_conn *conn, struct tree *tree, size_t i, struct viewd_err *err)
{
	const struct tree_node *node = &tree->nodes[i];
	if (!tree_run(conn, tree, i, TREE_CREATE, err) || !tree_run(conn, tree, i, TREE_INDEX, err) ||
	    !tree_run(conn, tree, i, TREE_DRESS, err))
		return false;
	if (node->kind != 'm' || !node->populated)
		return true;
	if (!pg_execf(conn, err, "REFRESH MATERIALIZED VIEW %s", node->staged))
		return err_wrap(err, "filling %s", node->quoted);
	analyze_quietly(conn, node->staged);
	return true;
}

static bool dependant_failed(const struct tree_node *node, struct viewd_err *err)
{
	err_wrap(err, "dependant %s cannot be kept", node->quoted);
	if (err != NULL && strcmp(err->sqlstate, "42703") == 0)
		return err_hint(err, "keep the column for now, change what reads it, then drop the column");
	return false;
}

bool stage_build_dependants(struct viewd_conn *conn, struct tree *tree, struct viewd_err *err)
{
	if (!find_new(conn, tree, 0, err) || !tree_set_path(conn, tree, true, err))
		return false;
	for (size_t i = 1; i < tree->n_nodes; i++)
		if (!build(conn, tree, i, err) || !find_new(conn, tree, i, err) || !prove_reads(conn, tree, i, err))
			return dependant_failed(&tree->nodes[i], err);
	return pg_path_restore(conn, err);
}

/* ---- exchange */

static bool drop_old(struct viewd_conn *conn, const struct tree *tree, struct viewd_err *err)
{
	for (size_t i = tree->n_nodes; i-- > 0;)
		if (!pg_execf(conn, err, "DROP %s %s", tree_kind_word(tree->nodes[i].kind), tree->nodes[i].quoted))
			return false;
	return true;
}

static bool move_in(struct viewd_conn *conn, const struct tree *tree, struct viewd_err *err)
{
	for (size_t i = 0; i < tree->n_nodes; i++) {
		char *schema = ident_append(&pg_syntax, talloc_strdup(tree, ""), tree->nodes[i].schema);
		bool ok = pg_execf(conn, err, "ALTER TABLE %s SET SCHEMA %s", tree->nodes[i].staged, schema);
		talloc_free(schema);
		if (!ok)
			return false;
	}
	for (size_t i = tree->stage_given ? 1 : 0; i < tree->n_schemas; i++)
		if (!pg_execf(conn, err, "DROP SCHEMA \"%s\"", tree->stages[i]))
			return false;
	return true;
}

/* Default privileges may have given the new relation what the old one had not. */
static const char revoke_sql[] =
	"SELECT pg_catalog.format('REVOKE ALL ON TABLE %s FROM %s', $2::text, pg_catalog.string_agg(DISTINCT"
	" CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END, ', "
	"'))"
	" FROM pg_catalog.pg_class c, pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) x"
	" WHERE c.oid = $1::oid AND ($3::boolean OR x.grantee <> c.relowner) HAVING pg_catalog.count(*) > 0";

static bool copy_text_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	char **text = ctx;
	*text = talloc_strdup(NULL, v[0]);
	return false;
}

static const struct db_reader copy_text[] = {{copy_text_fn, "T", "privileges of an object"}};

static bool clear_privileges(struct viewd_conn *conn, const struct tree *tree, size_t i, struct viewd_err *err)
{
	bool any = false;
	for (size_t s = 0; s < tree->n_statements; s++)
		any |= tree->statements[s].node == i && strcmp(tree->statements[s].what, "privileges") == 0;
	const char *params[] = {tree->nodes[i].new_oid, tree->nodes[i].quoted, any ? "true" : "false"};
	char *sql = NULL;
	if (!pg_op_query(&conn->db, revoke_sql, params, 3, copy_text, &sql, err))
		return false;
	bool ok = sql == NULL || pg_exec(conn, sql, err);
	talloc_free(sql);
	return ok;
}

static bool finish(struct viewd_conn *conn, const struct tree *tree, struct viewd_err *err)
{
	if (!tree_set_path(conn, tree, false, err))
		return false;
	for (size_t i = 0; i < tree->n_nodes; i++)
		if (!clear_privileges(conn, tree, i, err) || !tree_run(conn, tree, i, TREE_FINISH, err))
			return false;
	return pg_path_restore(conn, err);
}

/* Dependants that are viewd's own keep being so: their rows name the new objects. A definition somebody else had
 * changed stays marked as changed. */
static bool update_states(struct viewd_conn *conn, const struct tree *tree, struct viewd_err *err)
{
	bool ok = pg_path_narrow(conn, err);
	for (size_t i = 1; ok && i < tree->n_nodes; i++) {
		const struct tree_node *node = &tree->nodes[i];
		char *old = talloc_asprintf(tree, "%s:%c", node->oid, node->kind),
			 *new = talloc_asprintf(tree, "%s:%c", node->new_oid, node->kind);
		const char *params[] = {old, new, node->new_oid, node->untouched ? "true" : "false"};
		ok = pg_op_exec(
			&conn->db,
			"UPDATE viewd.view_state SET identity = $2, canonical = CASE WHEN $4::boolean THEN " PG_CANONICAL_SQL
			" ELSE canonical END FROM pg_catalog.pg_class c WHERE c.oid = $3::oid AND identity = $1",
			params, 4, NULL, err);
		talloc_free(old);
		talloc_free(new);
	}
	struct viewd_err ignored;
	return pg_path_restore(conn, ok ? err : &ignored) && ok;
}

static bool mark_untouched(struct viewd_conn *conn, struct tree *tree, struct viewd_err *err)
{
	bool ok = pg_path_narrow(conn, err);
	for (size_t i = 1; ok && i < tree->n_nodes; i++) {
		struct tree_node *node = &tree->nodes[i];
		bool same = false;
		const char *params[] = {node->oid};
		ok = pg_op_query(
			&conn->db,
			"SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c WHERE c.oid = $1::oid AND NOT EXISTS (SELECT 1"
			" FROM viewd.view_state v WHERE v.identity = c.oid::text || ':' || c.relkind::text AND v.canonical "
			"= " PG_CANONICAL_SQL ")",
			params, 1, is_zero, &same, err);
		node->untouched = same;
	}
	struct viewd_err ignored;
	return pg_path_restore(conn, ok ? err : &ignored) && ok;
}

bool stage_exchange(struct viewd_conn *conn, struct tree *tree, struct viewd_err *err)
{
	return mark_untouched(conn, tree, err) && drop_old(conn, tree, err) && move_in(conn, tree, err) &&
	       finish(conn, tree, err) && update_states(conn, tree, err);
}
