/* SPDX-License-Identifier: MIT
 *
 * catalogue.c: finds what exists under a name.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/objects/task.h"
#include "postgresql/conn/pooled.h"
#include "postgresql/pg.h"

#define PATH_SQL "SELECT pg_catalog.set_config('search_path', $1, $2::boolean)"
#define PATH_PARAMS(conn, path) \
	{ \
		path, pg_settings_local(conn) \
	}

static void queue_narrow(struct viewd_conn *conn)
{
	const char *params[] = PATH_PARAMS(conn, "pg_catalog");
	pg_queue(conn, PATH_SQL, params, ARRAY_LEN(params), NULL, NULL);
}

bool pg_path_narrow(struct viewd_conn *conn, struct viewd_err *err)
{
	const char *params[] = PATH_PARAMS(conn, "pg_catalog");
	return pg_op_exec(&conn->db, PATH_SQL, params, ARRAY_LEN(params), NULL, err);
}

bool pg_path_restore(struct viewd_conn *conn, struct viewd_err *err)
{
	const char *params[] = PATH_PARAMS(conn, conn->search_path);
	return pg_op_exec(&conn->db, PATH_SQL, params, ARRAY_LEN(params), NULL, err);
}

/* Usable for CONCURRENTLY: unique, valid, immediate, whole (no WHERE), plain columns. Same rule as
 * is_usable_unique_index() in the server's matview.c. The refresh also makes a temporary table as the owner. */
/* clang-format off */
#define FIND_SQL(canonical, outdated) \
	"SELECT c.oid::text, c.relkind::text, c.relispopulated, " canonical "," \
	" c.relkind = 'm' AND EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND" \
	" i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL)," \
	" pg_catalog.pg_has_role(c.relowner, 'USAGE')," \
	" pg_catalog.pg_get_userbyid(c.relowner)," \
	" c.relkind = 'm' AND pg_catalog.has_database_privilege(c.relowner, pg_catalog.current_database(), 'TEMPORARY')," \
	" n.oid IS NOT NULL AND pg_catalog.has_schema_privilege(n.oid, 'CREATE'), n.oid IS NOT NULL, " outdated \
	" FROM (SELECT 1) AS one" \
	" LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = $1" \
	" LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = $2"
/* clang-format on */

enum find_column {
	F_OID,
	F_KIND,
	F_POPULATED,
	F_CANONICAL,
	F_UNIQUE,
	F_OWNER_OK,
	F_OWNER,
	F_TEMP,
	F_MAY_CREATE,
	F_SCHEMA,
	F_OUTDATED
};

static enum viewd_kind kind_of_relkind(const char *relkind)
{
	switch (relkind[0]) {
	case 'v':
		return VIEWD_KIND_VIEW;
	case 'm':
		return VIEWD_KIND_MATVIEW;
	case 'r':
	case 'p':
		return VIEWD_KIND_TABLE;
	default:
		return VIEWD_KIND_OTHER;
	}
}

static const char *text_of(const char *value)
{
	return value != NULL ? value : "";
}

static bool is_true(const char *value)
{
	return value != NULL && value[0] == 't';
}

static void describe_absent(const char *const *v, struct db_object *out)
{
	if (!is_true(v[F_SCHEMA]))
		snprintf(out->detail, sizeof out->detail, "schema '%.60s' does not exist", out->schema);
	else if (!is_true(v[F_MAY_CREATE]))
		snprintf(out->detail, sizeof out->detail, "no privilege to create in schema '%.60s' (GRANT CREATE ON SCHEMA)",
		         out->schema);
}

static void describe(const char *const *v, struct db_object *out)
{
	if (!is_true(v[F_OWNER_OK])) {
		snprintf(out->detail, sizeof out->detail, "owned by role '%.60s': only its owner may refresh or replace it",
		         text_of(v[F_OWNER]));
		return;
	}
	if (out->kind != VIEWD_KIND_MATVIEW)
		return;
	if (!out->populated)
		snprintf(out->detail, sizeof out->detail, "holds no data yet, so its first refresh is a full one");
	else if (!is_true(v[F_UNIQUE]))
		snprintf(out->detail, sizeof out->detail,
		         "no unique index on plain columns without WHERE (set unique_key), so a refresh blocks readers");
	else if (!is_true(v[F_TEMP]))
		snprintf(out->detail, sizeof out->detail,
		         "role '%.60s' may not create temporary tables (GRANT TEMPORARY ON DATABASE), "
		         "which a concurrent refresh needs",
		         text_of(v[F_OWNER]));
}

static bool find_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct db_object *out = ctx;
	out->outdated = is_true(v[F_OUTDATED]);
	if (v[F_OID] == NULL) {
		describe_absent(v, out);
		return false;
	}
	out->kind = kind_of_relkind(text_of(v[F_KIND]));
	if (out->kind != VIEWD_KIND_OTHER)
		snprintf(out->identity, sizeof out->identity, "%s:%s", v[F_OID], text_of(v[F_KIND]));
	snprintf(out->canonical, sizeof out->canonical, "%s", text_of(v[F_CANONICAL]));
	out->populated = is_true(v[F_POPULATED]);
	out->can_concurrently =
		out->kind == VIEWD_KIND_MATVIEW && out->populated && is_true(v[F_UNIQUE]) && is_true(v[F_TEMP]);
	describe(v, out);
	return false;
}

static const struct db_reader find_row[] = {{find_row_fn, "TTTTTTTTTTT", "what a name stands for"}};

static struct db_object unknown(const struct viewd_conn *conn, const struct relation *rel)
{
	struct db_object found = {.kind = VIEWD_KIND_NONE};
	snprintf(found.schema, sizeof found.schema, "%s", rel->schema[0] != '\0' ? rel->schema : conn->default_schema);
	snprintf(found.name, sizeof found.name, "%s", rel->name);
	return found;
}

/* Should the look fail, outside a transaction too, then the path was never set. */
bool pg_op_find_object(struct db *db, const struct relation *rel, struct db_object *out, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	struct db_object found = unknown(conn, rel);
	const char *params[] = {found.schema, found.name};
	const char *path[] = PATH_PARAMS(conn, conn->search_path);
	queue_narrow(conn);
	pg_queue(conn, FIND_SQL(PG_CANONICAL_SQL, "false"), params, ARRAY_LEN(params), find_row, &found);
	if (!pg_query_with_queue(conn, PATH_SQL, path, ARRAY_LEN(path), NULL, NULL, err))
		return false;
	*out = found;
	return true;
}

/* to_regclass() sees the present, whatever the transaction's snapshot. */
static void queue_identity(struct viewd_conn *conn, const struct task *task, struct db_object *out)
{
	static const char present[] =
		FIND_SQL("''", "pg_catalog.to_regclass(pg_catalog.format('%I.%I', $1::text, $2::text))::pg_catalog.oid IS "
	                   "DISTINCT FROM c.oid");
	*out = unknown(conn, &task->rel);
	const char *params[] = {out->schema, out->name};
	pg_queue_again(conn, task->group != NULL ? present : FIND_SQL("''", "false"), params, ARRAY_LEN(params), find_row,
	               out);
}

bool pg_op_find_identity(struct task *task, struct db_object *out, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	struct db_object found;
	if (conn->along.asked && conn->along.task == task) {
		*out = conn->along.found;
		conn->along = (struct pg_along){0};
		return true;
	}
	queue_identity(conn, task, &found);
	if (!pg_flush(conn, err))
		return false;
	*out = found;
	return true;
}

void pg_op_identity_along(struct db *db, struct task *task)
{
	pg_of(db)->along = (struct pg_along){.task = task};
}

bool pg_query_writing(struct viewd_conn *conn, const struct relation *rel, const char *sql, const char *const *params,
                      size_t n_params, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct pg_along *along = &conn->along;
	pg_queue_again(conn, sql, params, n_params, row, ctx);
	if (along->task != NULL && strcmp(along->task->rel.name, rel->name) == 0 &&
	    strcmp(along->task->rel.schema, rel->schema) == 0) {
		queue_identity(conn, along->task, &along->found);
		along->asked = true;
	}
	return pg_flush(conn, err);
}

static const struct db_reader take_text[] = {{db_take_text, "T", "the definition of a view"}};

/* Every name with its schema. */
bool pg_op_view_text(struct db *db, void *mem_ctx, const struct relation *rel, char **text_r, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	struct db_text text = {.mem = mem_ctx};
	const char *params[] = {rel->schema[0] != '\0' ? rel->schema : conn->default_schema, rel->name};
	const char *path[] = PATH_PARAMS(conn, conn->search_path);
	queue_narrow(conn);
	pg_queue(conn,
	         "SELECT pg_catalog.pg_get_viewdef(c.oid) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON "
	         "n.oid = c.relnamespace"
	         " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('v', 'm')",
	         params, ARRAY_LEN(params), take_text, &text);
	if (!pg_query_with_queue(conn, PATH_SQL, path, ARRAY_LEN(path), NULL, NULL, err))
		return false;
	*text_r = text.value;
	return true;
}
