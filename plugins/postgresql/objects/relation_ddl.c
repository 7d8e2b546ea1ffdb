/* SPDX-License-Identifier: MIT
 *
 * relation_ddl.c: the statements that make a relation again, printed by the server.
 *
 * Parameters: $1 the relation's oid, $2 the kind word it will have, $3 the stage schema, $4 names of indexes to leave
 * out, one a line.
 */
#include "postgresql/objects/tree.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"

/* Columns of every part: order, phase, of_column, what, sql. */
#define STAGE "pg_catalog.quote_ident($3) || '.'"
#define REL STAGE " || pg_catalog.quote_ident(c.relname)"
#define FINAL "pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)"
#define COLUMN "pg_catalog.quote_ident(a.attname)"
#define FROM_C " FROM c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
#define FROM_A FROM_C " JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped"
#define FROM_I \
	FROM_C \
	" JOIN pg_catalog.pg_index i ON i.indrelid = c.oid JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid" \
	" AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = x.oid AND k.conrelid = c.oid)" \
	" AND pg_catalog.strpos(E'\\n' || $4 || E'\\n', E'\\n' || x.relname || E'\\n') = 0"
/* clang-format off */
#define OPTIONS(list, prefix) \
	"(SELECT pg_catalog.string_agg(" prefix " || pg_catalog.quote_ident(pg_catalog.split_part(o, '=', 1)) || '='" \
	" || pg_catalog.quote_literal(pg_catalog.substr(o, pg_catalog.strpos(o, '=') + 1)), ', ' ORDER BY o)" \
	" FROM pg_catalog.unnest(" list ") AS o)"
/* clang-format on */
#define TOAST "(SELECT t.reloptions FROM pg_catalog.pg_class t WHERE t.oid = c.reltoastrelid)"
/* Servers keep notes of their own among the column options (pg_attver since 15.20): only what a user can mean is
 * carried over. */
#define ATTOPTIONS "ARRAY(SELECT u FROM pg_catalog.unnest(a.attoptions) AS u WHERE u ~ '^n_distinct')"
#define COMMENT(class, oid, sub) \
	"(SELECT pg_catalog.quote_literal(m.description) FROM pg_catalog.pg_description m WHERE m.objoid = " oid \
	" AND m.classoid = 'pg_catalog." class "'::pg_catalog.regclass AND m.objsubid = " sub ")"
#define GRANTEE \
	"CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE " \
	"pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END"
#define GRANTABLE "CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"
#define PART(order, phase, of_column) "SELECT " order ", '" phase "', " of_column ", "
#define INDEX_HEAD \
	"'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX ' || " \
	"pg_catalog.quote_ident(x.relname) || ' ON ' || "

/* clang-format off */
static const char create_sql[] =
	PART("1", "c", "false") "'definition', 'CREATE VIEW ' || " REL " || coalesce(' WITH (' || "
	OPTIONS("c.reloptions", "''") " || ')', '')"
	" || ' AS ' || pg_catalog.pg_get_viewdef(c.oid)" FROM_C " WHERE c.relkind = 'v'"
	" UNION ALL " PART("1", "c", "false") "'definition', 'CREATE MATERIALIZED VIEW ' || " REL
	" || coalesce((SELECT ' USING ' || pg_catalog.quote_ident(amname) FROM pg_catalog.pg_am WHERE oid = c.relam), '')"
	" || coalesce(' WITH (' || " OPTIONS("c.reloptions", "''") " || ')', '')"
	" || coalesce((SELECT ' TABLESPACE ' || pg_catalog.quote_ident(spcname) FROM pg_catalog.pg_tablespace WHERE oid = "
	"c.reltablespace), '')"
	" || ' AS ' || pg_catalog.rtrim(pg_catalog.pg_get_viewdef(c.oid), '; ') || ' WITH NO DATA'" FROM_C
	" WHERE c.relkind = 'm'";

static const char index_sql[] =
	/* pg_get_indexdef always writes the relation with its schema: the head is replaced, the rest is the server's. */
	PART("2", "i", "true") "'index ' || x.relname, " INDEX_HEAD REL " || CASE WHEN "
	"pg_catalog.starts_with(pg_catalog.pg_get_indexdef(x.oid), " INDEX_HEAD FINAL ")"
	" THEN pg_catalog.substr(pg_catalog.pg_get_indexdef(x.oid), pg_catalog.length(" INDEX_HEAD FINAL ") + 1)"
	" ELSE ' (unreadable)' END" FROM_I " WHERE i.indisvalid"
	" UNION ALL " PART("3", "i", "true") "'index ' || x.relname, 'ALTER INDEX ' || " STAGE
	" || pg_catalog.quote_ident(x.relname)"
	" || ' SET TABLESPACE ' || pg_catalog.quote_ident(s.spcname)" FROM_I " JOIN pg_catalog.pg_tablespace s ON s.oid = "
	"x.reltablespace"
	" UNION ALL " PART("3", "i", "true") "'index ' || x.relname, 'ALTER INDEX ' || " STAGE
	" || pg_catalog.quote_ident(x.relname)"
	" || ' ALTER COLUMN ' || a.attnum || ' SET STATISTICS ' || a.attstattarget" FROM_I
	" JOIN pg_catalog.pg_attribute a ON a.attrelid = x.oid AND a.attstattarget >= 0"
	" UNION ALL " PART("3", "i", "true") "'index ' || x.relname, 'ALTER TABLE ' || " REL " || ' CLUSTER ON '"
	" || pg_catalog.quote_ident(x.relname)" FROM_I " WHERE i.indisclustered"
	" UNION ALL " PART("3", "i", "true") "'index ' || x.relname, 'COMMENT ON INDEX ' || " STAGE
	" || pg_catalog.quote_ident(x.relname)"
	" || ' IS ' || " COMMENT("pg_class", "x.oid", "0") FROM_I
	" UNION ALL " PART("4", "i", "true") "'constraint ' || k.conname, 'ALTER TABLE ' || " REL " || ' ADD CONSTRAINT '"
	" || pg_catalog.quote_ident(k.conname) || ' ' || pg_catalog.pg_get_constraintdef(k.oid)" FROM_C
	" JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype IN ('c', 'p', 'u')";

static const char dress_sql[] =
	PART("5", "d", "false") "'options', 'ALTER TABLE ' || " REL " || ' SET (' || " OPTIONS("c.reloptions", "''")
	" || ')'" FROM_C
	" WHERE c.relkind IN ('m', 'r') AND $2 <> 'VIEW'"
	" UNION ALL " PART("5", "d", "false") "'options', 'ALTER TABLE ' || " REL " || ' SET (' || "
	OPTIONS(TOAST, "'toast.'") " || ')'" FROM_C
	" WHERE $2 <> 'VIEW'"
	" UNION ALL " PART("6", "d", "true") "'column ' || a.attname, 'ALTER TABLE ' || " REL " || ' ALTER COLUMN ' || "
	COLUMN
	" || ' SET STATISTICS ' || a.attstattarget" FROM_A " WHERE a.attstattarget >= 0 AND $2 <> 'VIEW'"
	" UNION ALL " PART("6", "d", "true") "'column ' || a.attname, 'ALTER TABLE ' || " REL " || ' ALTER COLUMN ' || "
	COLUMN
	" || ' SET (' || " OPTIONS(ATTOPTIONS, "''") " || ')'" FROM_A " WHERE $2 <> 'VIEW'"
	" UNION ALL " PART("6", "d", "true") "'column ' || a.attname, 'ALTER TABLE ' || " REL " || ' ALTER COLUMN ' || "
	COLUMN
	" || ' SET STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE "
	"'EXTENDED' END" FROM_A
	" JOIN pg_catalog.pg_type y ON y.oid = a.atttypid WHERE a.attstorage <> y.typstorage AND c.relkind <> 'v' AND $2 "
	"<> 'VIEW'"
	" UNION ALL " PART("6", "d", "true") "'column ' || a.attname, 'ALTER TABLE ' || " REL " || ' ALTER COLUMN ' || "
	COLUMN
	" || ' SET DEFAULT ' || pg_catalog.pg_get_expr(f.adbin, f.adrelid)" FROM_A
	" JOIN pg_catalog.pg_attrdef f ON f.adrelid = c.oid AND f.adnum = a.attnum WHERE $2 <> 'MATERIALIZED VIEW'"
	" UNION ALL " PART("6", "d", "true") "'column ' || a.attname, 'ALTER TABLE ' || " REL " || ' ALTER COLUMN ' || "
	COLUMN
	" || ' SET NOT NULL'" FROM_A " WHERE a.attnotnull AND c.relkind = 'r' AND $2 = 'TABLE'"
	" UNION ALL " PART("7", "d", "false") "'comment', 'COMMENT ON ' || $2 || ' ' || " REL " || ' IS ' || "
	COMMENT("pg_class", "c.oid", "0") FROM_C
	" UNION ALL " PART("7", "d", "true") "'comment on column ' || a.attname, 'COMMENT ON COLUMN ' || " REL " || '.' || "
	COLUMN
	" || ' IS ' || " COMMENT("pg_class", "c.oid", "a.attnum") FROM_A;

static const char finish_sql[] =
	PART("10", "f", "false") "'owner', 'ALTER TABLE ' || " FINAL " || ' OWNER TO ' || "
	"pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner))"
	FROM_C
	" UNION ALL " PART("12", "f", "false") "'privileges', 'GRANT ' || x.privilege_type || ' ON TABLE ' || " FINAL
	" || ' TO ' || " GRANTEE
	" || " GRANTABLE FROM_C ", pg_catalog.aclexplode(c.relacl) x"
	" UNION ALL " PART("13", "f", "true") "'privileges on column ' || a.attname, 'GRANT ' || x.privilege_type || ' (' "
	"|| " COLUMN
	" || ') ON TABLE ' || " FINAL " || ' TO ' || " GRANTEE " || " GRANTABLE FROM_A ", pg_catalog.aclexplode(a.attacl) x"
	" UNION ALL " PART("14", "f", "false") "'trigger ' || g.tgname, pg_catalog.pg_get_triggerdef(g.oid)" FROM_C
	" JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal"
	" UNION ALL " PART("15", "f", "false") "'trigger ' || g.tgname, 'ALTER TABLE ' || " FINAL " || CASE g.tgenabled "
	"WHEN 'D' THEN ' DISABLE'"
	" WHEN 'R' THEN ' ENABLE REPLICA' ELSE ' ENABLE ALWAYS' END || ' TRIGGER ' || pg_catalog.quote_ident(g.tgname)"
	FROM_C
	" JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'O'"
	" UNION ALL " PART("14", "f", "false") "'rule ' || w.rulename, pg_catalog.pg_get_ruledef(w.oid)" FROM_C
	" JOIN pg_catalog.pg_rewrite w ON w.ev_class = c.oid AND w.rulename <> '_RETURN'"
	" UNION ALL " PART("15", "f", "false") "'rule ' || w.rulename, 'ALTER TABLE ' || " FINAL " || CASE w.ev_enabled "
	"WHEN 'D' THEN ' DISABLE'"
	" WHEN 'R' THEN ' ENABLE REPLICA' ELSE ' ENABLE ALWAYS' END || ' RULE ' || pg_catalog.quote_ident(w.rulename)"
	FROM_C
	" JOIN pg_catalog.pg_rewrite w ON w.ev_class = c.oid AND w.rulename <> '_RETURN' AND w.ev_enabled <> 'O'"
	" UNION ALL " PART("14", "f", "true") "'statistics ' || s.stxname, pg_catalog.pg_get_statisticsobjdef(s.oid)" FROM_C
	" JOIN pg_catalog.pg_statistic_ext s ON s.stxrelid = c.oid WHERE $2 <> 'VIEW'";
/* clang-format on */

static const char *const parts[] = {create_sql, index_sql, dress_sql, finish_sql};

struct capture_ctx {
	struct tree *tree;
	size_t node;
};

static bool statement_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	const struct capture_ctx *cc = ctx;
	struct tree *tree = cc->tree;
	tree->statements = talloc_realloc(tree, tree->statements, struct tree_statement, tree->n_statements + 1);
	tree->statements[tree->n_statements++] = (struct tree_statement){
		.node = cc->node,
		.phase = (enum tree_phase)v[1][0],
		.of_column = v[2][0] == 't',
		.what = talloc_strdup(tree, v[3]),
		.sql = talloc_strdup(tree, v[4]),
	};
	return true;
}

static const struct db_reader statement_row[] = {{statement_row_fn, "Ttttt", "what belongs to a relation"}};

bool tree_capture(struct viewd_conn *conn, struct tree *tree, size_t node, char new_kind, const char *own_indexes,
                  struct viewd_err *err)
{
	struct capture_ctx cc = {.tree = tree, .node = node};
	const char *params[] = {tree->nodes[node].oid, tree_kind_word(new_kind), tree->stages[tree->nodes[node].place],
	                        own_indexes};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		char *sql =
			talloc_asprintf(tree,
		                    "WITH c AS (SELECT * FROM pg_catalog.pg_class WHERE oid = $1::oid) SELECT * FROM (%s)"
		                    " AS part (ord, phase, of_column, what, sql) WHERE sql IS NOT NULL"
		                    " AND $2::text <> '' AND $3::text <> '' AND $4::text IS NOT NULL ORDER BY ord, what, sql",
		                    parts[i]);
		bool ok = pg_op_query(&conn->db, sql, params, 4, statement_row, &cc, err);
		talloc_free(sql);
		if (!ok)
			return err_wrap(err, "reading what belongs to %s", tree->nodes[node].quoted);
	}
	return true;
}

static bool run_tolerantly(struct viewd_conn *conn, const char *sql, const char *what, struct viewd_err *err)
{
	struct viewd_err failed;
	if (!pg_exec(conn, "SAVEPOINT viewd_dress", err))
		return false;
	if (pg_exec(conn, sql, &failed))
		return pg_exec(conn, "RELEASE SAVEPOINT viewd_dress", err);
	pg_savepoint_undo(conn, "viewd_dress");
	if (strcmp(failed.sqlstate, "42703") != 0 && strcmp(failed.sqlstate, "42704") != 0) {
		if (err != NULL)
			*err = failed;
		return false;
	}
	pg_log(conn, VIEWD_LOG_WARNING, "%s is not kept (%s)", what, failed.msg);
	return true;
}

bool tree_run(struct viewd_conn *conn, const struct tree *tree, size_t node, enum tree_phase phase,
              struct viewd_err *err)
{
	bool ok = true;
	for (size_t i = 0; ok && i < tree->n_statements; i++) {
		const struct tree_statement *st = &tree->statements[i];
		if (st->node != node || st->phase != phase)
			continue;
		ok = node == 0 && st->of_column ? run_tolerantly(conn, st->sql, st->what, err) : pg_exec(conn, st->sql, err);
		if (!ok)
			err_wrap(err, "%s of %s", st->what, tree->nodes[node].quoted);
	}
	return ok;
}
