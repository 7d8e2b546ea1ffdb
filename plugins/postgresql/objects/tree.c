/* SPDX-License-Identifier: MIT
 *
 * tree.c: finding what reads a view, and what would be lost by making it again.
 */
#include "postgresql/objects/tree.h"
#include "postgresql/conn/pooled.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/text/digest.h"

/* Rules named _RETURN are what makes a view; following only those, there is no cycle. UNION removes repeated (oid,
 * depth). */
/* clang-format off */
#define TREE_SQL \
	"WITH RECURSIVE reads (oid, depth) AS (" \
	" SELECT c.oid, 0 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace" \
	"  WHERE n.nspname = $1 AND c.relname = $2 UNION" \
	" SELECT w.ev_class, r.depth + 1 FROM reads r" \
	" JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = r.oid" \
	"  AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass" \
	" JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid AND w.rulename = '_RETURN' AND w.ev_class <> r.oid)," \
	" tree (oid, depth) AS (SELECT oid, pg_catalog.max(depth) FROM reads GROUP BY oid) "
/* clang-format on */

static const char nodes_sql[] = TREE_SQL
	"SELECT c.oid::text, c.relkind::text, n.nspname, c.relname, pg_catalog.quote_ident(n.nspname) || '.'"
	" || pg_catalog.quote_ident(c.relname), pg_catalog.pg_get_userbyid(c.relowner), c.relispopulated, t.depth"
	" FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" ORDER BY t.depth, n.nspname, c.relname";

/* Everything that hangs from a node and is not made again by relation_ddl.c. */
/* clang-format off */
static const char obstacles_sql[] = TREE_SQL
	", rels AS (SELECT c.* FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid),"
	" known (classid, objid) AS ("
	" SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass::oid, w.oid FROM pg_catalog.pg_rewrite w JOIN rels ON "
	"rels.oid = w.ev_class"
	" UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, i.indexrelid FROM pg_catalog.pg_index i"
	"  JOIN rels ON rels.oid = i.indrelid"
	" UNION ALL SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, reltoastrelid FROM rels"
	" UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::oid, reltype FROM rels"
	" UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::oid, y.typarray FROM rels"
	"  JOIN pg_catalog.pg_type y ON y.oid = rels.reltype"
	" UNION ALL SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass::oid, f.oid FROM pg_catalog.pg_attrdef f"
	"  JOIN rels ON rels.oid = f.adrelid JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = "
	"f.adnum"
	"  WHERE a.attgenerated = ''"
	" UNION ALL SELECT 'pg_catalog.pg_trigger'::pg_catalog.regclass::oid, g.oid FROM pg_catalog.pg_trigger g"
	"  JOIN rels ON rels.oid = g.tgrelid WHERE NOT g.tgisinternal"
	" UNION ALL SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass::oid, s.oid FROM pg_catalog.pg_statistic_ext "
	"s"
	"  JOIN rels ON rels.oid = s.stxrelid"
	" UNION ALL SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass::oid, k.oid FROM pg_catalog.pg_constraint k"
	"  JOIN rels ON rels.oid = k.conrelid WHERE k.contype IN ('c', 'p', 'u'))"
	" SELECT pg_catalog.string_agg(DISTINCT what, ', ' ORDER BY what) FROM ("
	" SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) AS what FROM pg_catalog.pg_depend d"
	"  JOIN rels ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = rels.oid"
	"  WHERE (d.classid, d.objid) NOT IN (SELECT classid, objid FROM known)"
	" UNION ALL SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_catalog.pg_depend d"
	"  JOIN rels ON true JOIN pg_catalog.pg_type y ON y.oid = rels.reltype"
	"  WHERE d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refobjid IN (y.oid, y.typarray)"
	"   AND (d.classid, d.objid) NOT IN (SELECT classid, objid FROM known)"
	" UNION ALL SELECT rels.relname || ' (owned by role ' || pg_catalog.pg_get_userbyid(relowner) || ')' FROM rels"
	"  WHERE NOT pg_catalog.pg_has_role(relowner, 'USAGE')"
	" UNION ALL SELECT rels.relname || ' (temporary)' FROM rels WHERE relpersistence = 't'"
	" UNION ALL SELECT rels.relname || ' (row security)' FROM rels WHERE relrowsecurity"
	" UNION ALL SELECT rels.relname || ' (member of an extension)' FROM rels JOIN pg_catalog.pg_depend d"
	"  ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = rels.oid AND d.deptype = 'e'"
	" UNION ALL SELECT rels.relname || ' (security label)' FROM rels JOIN pg_catalog.pg_seclabel l"
	"  ON l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND l.objoid = rels.oid"
	" UNION ALL SELECT rels.relname || ' (privileges granted by role ' || pg_catalog.pg_get_userbyid(x.grantor) || ')' "
	"FROM rels,"
	"  pg_catalog.aclexplode(rels.relacl) x WHERE x.grantor <> rels.relowner"
	" UNION ALL SELECT rels.relname || ' (privileges granted by role ' || pg_catalog.pg_get_userbyid(x.grantor) || ')' "
	"FROM rels"
	"  JOIN pg_catalog.pg_attribute a ON a.attrelid = rels.oid, pg_catalog.aclexplode(a.attacl) x"
	"  WHERE x.grantor <> rels.relowner) AS obstacles";
/* clang-format on */

const char *tree_kind_word(char relkind)
{
	return relkind == 'v' ? "VIEW" : relkind == 'm' ? "MATERIALIZED VIEW" : "TABLE";
}

static size_t place_of(struct tree *tree, const char *schema)
{
	for (size_t i = 0; i < tree->n_schemas; i++)
		if (strcmp(tree->schemas[i], schema) == 0)
			return i;
	tree->schemas = talloc_realloc(tree, tree->schemas, char *, tree->n_schemas + 1);
	tree->schemas[tree->n_schemas] = talloc_strdup(tree, schema);
	return tree->n_schemas++;
}

static bool node_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct tree *tree = ctx;
	tree->nodes = talloc_realloc(tree, tree->nodes, struct tree_node, tree->n_nodes + 1);
	struct tree_node *node = &tree->nodes[tree->n_nodes++];
	*node = (struct tree_node){
		.oid = talloc_strdup(tree, v[0]),
		.kind = v[1][0],
		.schema = talloc_strdup(tree, v[2]),
		.name = talloc_strdup(tree, v[3]),
		.quoted = talloc_strdup(tree, v[4]),
		.owner = talloc_strdup(tree, v[5]),
		.populated = v[6][0] == 't',
		.place = place_of(tree, v[2]),
	};
	return true;
}

static const struct db_reader node_row[] = {{node_row_fn, "tttttttT", "the objects to replace"}};

static bool obstacle_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	char **found = ctx;
	*found = v[0] != NULL ? talloc_strdup(NULL, v[0]) : NULL;
	return false;
}

static const struct db_reader obstacle_row[] = {{obstacle_row_fn, "T", "what is in the way"}};

static bool refuse_obstacles(struct viewd_conn *conn, const struct relation *rel, const char *const *params,
                             struct viewd_err *err)
{
	char *found = NULL;
	if (!pg_op_query(&conn->db, obstacles_sql, params, 2, obstacle_row, &found, err))
		return false;
	if (found == NULL)
		return true;
	err_set(err, VIEWD_ERR_QUERY, "relation %s.%s cannot be replaced, what depends on it cannot be made again (%.400s)",
	        rel->schema, rel->name, found);
	talloc_free(found);
	err_object(err, "%.70s.%.70s", rel->schema, rel->name);
	return err_hint(err, "drop these and make them again afterwards, or become a member of the owning role");
}

static char *add_schema(char *path, const char *schema)
{
	return ident_append(&pg_syntax, talloc_strdup_append_buffer(path, ", "), schema);
}

bool tree_set_path(struct viewd_conn *conn, const struct tree *tree, bool staged, struct viewd_err *err)
{
	char *path = talloc_strdup(conn, "pg_catalog");
	for (size_t i = 0; i < tree->n_schemas; i++) {
		if (staged)
			path = add_schema(path, tree->stages[i]);
		path = add_schema(path, tree->schemas[i]);
	}
	path = talloc_strdup_append_buffer(path, ", pg_temp");
	const char *params[] = {path, pg_settings_local(conn)};
	bool ok =
		pg_op_exec(&conn->db, "SELECT pg_catalog.set_config('search_path', $1, $2::boolean)", params, 2, NULL, err);
	talloc_free(path);
	return ok;
}

static void digest_all(struct tree *tree)
{
	char *text = talloc_strdup(tree, "");
	for (size_t i = 0; i < tree->n_nodes; i++) {
		const struct tree_node *node = &tree->nodes[i];
		text = talloc_asprintf_append_buffer(text, "%s %c %s %s %d\n", node->oid, node->kind, node->quoted, node->owner,
		                                     node->populated);
	}
	for (size_t i = 0; i < tree->n_statements; i++)
		text = talloc_asprintf_append_buffer(text, "%zu %s\n", tree->statements[i].node, tree->statements[i].sql);
	digest_text(text, tree->digest);
	talloc_free(text);
}

/* An administrator who does not want to give CREATE on the database makes the schema viewd_stage once. */
static bool given_stage_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0] != NULL && v[0][0] == 't';
	return false;
}

static const struct db_reader given_stage[] = {{given_stage_fn, "T", "privileges on a schema"}};

static bool name_stages(struct viewd_conn *conn, struct tree *tree, const struct relation *rel, struct viewd_err *err)
{
	if (!pg_own_check(conn, err) ||
	    !pg_op_query(&conn->db,
	                 "SELECT pg_catalog.has_schema_privilege(oid, 'CREATE, USAGE') FROM pg_catalog.pg_namespace"
	                 " WHERE nspname = 'viewd_stage'",
	                 NULL, 0, given_stage, &tree->stage_given, err))
		return false;
	char stem[IDENT_MAX];
	ident_temporary(rel, "viewd_stage_", stem);
	tree->stages = talloc_array(tree, char *, tree->n_schemas);
	for (size_t i = 0; i < tree->n_schemas; i++) {
		tree->stages[i] =
			i == 0 && tree->stage_given ? talloc_strdup(tree, "viewd_stage") : talloc_asprintf(tree, "%s_%zu", stem, i);
		for (size_t j = 0; j < tree->n_nodes; j++)
			if (tree->nodes[j].place == i)
				tree->nodes[j].staged =
					ident_append(&pg_syntax, talloc_asprintf(tree, "\"%s\".", tree->stages[i]), tree->nodes[j].name);
	}
	return true;
}

static bool load(struct viewd_conn *conn, struct tree *tree, const struct tree_wish *wish, struct viewd_err *err)
{
	const struct relation *rel = &wish->rel;
	const char *params[] = {rel->schema, rel->name};
	if (!refuse_obstacles(conn, rel, params, err) || !pg_op_query(&conn->db, nodes_sql, params, 2, node_row, tree, err))
		return false;
	if (tree->n_nodes == 0)
		return err_set(err, VIEWD_ERR_MISSING, "relation %s.%s does not exist any more", rel->schema, rel->name);
	if (!name_stages(conn, tree, rel, err) || !tree_set_path(conn, tree, false, err))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < tree->n_nodes; i++)
		ok = i == 0 ? tree_capture(conn, tree, i, wish->new_kind, wish->own_indexes, err)
		            : tree_capture(conn, tree, i, tree->nodes[i].kind, "", err);
	struct viewd_err ignored;
	return pg_path_restore(conn, ok ? err : &ignored) && ok;
}

struct tree *tree_load(struct viewd_conn *conn, void *mem_ctx, const struct tree_wish *wish, struct viewd_err *err)
{
	struct tree *tree = talloc_zero(mem_ctx, struct tree);
	if (!load(conn, tree, wish, err)) {
		talloc_free(tree);
		return NULL;
	}
	digest_all(tree);
	return tree;
}
