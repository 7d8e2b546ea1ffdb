/* SPDX-License-Identifier: MIT
 *
 * index.c: lists the indexes of a relation, and finds one that is as a definition asks for. Two indexes are the same
 * when the server describes them alike, whatever their names: the declared one is made on an empty copy of the
 * relation, compared, and undone.
 */
#include <talloc.h>

#include "base/err.h"
#include "common/objects/task.h"
#include "postgresql/pg.h"

#define PROBE "viewd_probe_table"

bool pg_op_list_indexes(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                        struct viewd_err *err)
{
	const char *schema = rel->schema[0] != '\0' ? rel->schema : pg_of(db)->default_schema;
	const char *params[] = {schema, rel->name};
	return pg_op_query(db,
	                   "SELECT x.relname FROM pg_catalog.pg_index i"
	                   " JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid"
	                   " JOIN pg_catalog.pg_class c ON c.oid = i.indrelid"
	                   " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	                   " WHERE n.nspname = $1 AND c.relname = $2 AND i.indisvalid ORDER BY 1",
	                   params, 2, row, ctx, err);
}

/* The columns by name, since those of the copy may have other numbers. Storage parameters count only where they are
 * declared. */
/* clang-format off */
static const char equal_sql[] =
	"WITH shape AS (SELECT i.indrelid, x.reloptions, i.indisvalid AND i.indisready AND i.indimmediate AS usable, "
	"pg_catalog.concat_ws('|',"
	" x.relam, i.indisunique, i.indnkeyatts, i.indoption, i.indclass, i.indcollation,"
	" pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct', pg_catalog.quote_nullable(pg_catalog.pg_get_expr(i.indpred, "
	"i.indrelid)),"
	" (SELECT pg_catalog.string_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false), ',' ORDER BY k)"
	" FROM pg_catalog.generate_series(1, i.indnatts) AS k)) AS text"
	" FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid)"
	" SELECT EXISTS (SELECT 1 FROM shape s, shape p WHERE p.indrelid = pg_catalog.to_regclass('pg_temp." PROBE "')"
	" AND s.indrelid = (SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
	"c.relnamespace"
	" WHERE n.nspname = $1 AND c.relname = $2) AND s.usable AND s.text = p.text"
	" AND (p.reloptions IS NULL OR s.reloptions @> p.reloptions))";
/* clang-format on */

static bool take_answer_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0][0] == 't';
	return false;
}

static const struct db_reader take_answer[] = {{take_answer_fn, "t", "whether an index is there"}};

static bool compare_index(struct task *task, size_t number, const struct relation *on, bool *there_r,
                          struct viewd_err *err)
{
	static const struct relation probe = {.schema = "pg_temp", .name = PROBE};
	const char *params[] = {on->schema[0] != '\0' ? on->schema : pg_of(task->db)->default_schema, on->name};
	return pg_execf(pg_of(task->db), err, "CREATE TEMPORARY TABLE " PROBE " (LIKE %s)",
	                relation_quoted(&pg_syntax, task->mem, on)) &&
	       pg_exec(pg_of(task->db), gen_index_create(&task->gen, number, &probe), err) &&
	       pg_op_query(task->db, equal_sql, params, ARRAY_LEN(params), take_answer, there_r, err);
}

/* An index that cannot be made on the copy is not there: making it in earnest tells what is wrong. */
static bool says_no(const struct viewd_err *failed)
{
	return failed->cls == VIEWD_ERR_QUERY || failed->cls == VIEWD_ERR_MISSING || failed->cls == VIEWD_ERR_DENIED ||
	       failed->cls == VIEWD_ERR_CONFIG || failed->cls == VIEWD_ERR_EXISTS;
}

bool pg_op_has_index(struct task *task, size_t number, const struct relation *on, bool *there_r, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	struct viewd_err failed = {0};
	bool opened;
	*there_r = false;
	if (!pg_scratch_begin(conn, &opened, err))
		return false;
	bool good = compare_index(task, number, on, there_r, &failed) || says_no(&failed);
	pg_scratch_end(conn, opened);
	if (!good && err != NULL)
		*err = failed;
	return good;
}
