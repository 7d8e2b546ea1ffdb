/* SPDX-License-Identifier: MIT
 *
 * log.c: making and removing a change log.
 */
#include "postgresql/incremental/log_objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/incremental/change_log.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

/* ---- making ---- */

static bool found_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0] != NULL && v[0][0] == 't';
	return false;
}

static const struct db_reader found[] = {{found_fn, "T", "a change log"}};

static bool take_columns_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	char **columns = ctx;
	*columns = sql_add(*columns, "%s%s", (*columns)[0] != '\0' ? ", " : "", v[0]);
	return true;
}

static const struct db_reader take_columns[] = {{take_columns_fn, "t", "the columns of a change log"}};

/* The source's columns as they are logged, in the order of the log. */
static bool columns_to_log(struct viewd_conn *conn, void *mem, const struct change_log *log, const char *source,
                           char **columns_r, struct viewd_err *err)
{
	const char *params[] = {source};
	char *sql =
		sql_add(sql_new(mem), "SELECT pg_catalog.format(CASE WHEN b.oid = s.atttypid THEN '%%1$I' ELSE "
	                          "'%%1$I::%%2$s AS %%1$I' END, s.attname, pg_catalog.format_type(b.oid, b.mod)) FROM "
	                          "(VALUES ");
	for (size_t i = 0; i < log->n_columns; i++)
		sql = sql_add(sql, "%s(%zu, %s)", i > 0 ? ", " : "", i, literal_quoted(&pg_syntax, mem, log->columns[i]));
	sql = sql_add(sql, ") AS v (place, name) JOIN pg_catalog.pg_attribute s ON s.attrelid = "
	                   "$1::pg_catalog.regclass AND s.attname = v.name AND s.attnum > 0 AND NOT s.attisdropped CROSS "
	                   "JOIN LATERAL " PG_BASE_TYPE_SQL " AS b ORDER BY v.place");
	*columns_r = sql_new(mem);
	return pg_op_query(&conn->db, sql, params, 1, take_columns, columns_r, err);
}

/* The columns of sums get the types of the query that makes them. */
static const char *rows_to_log(void *mem, const struct change_log *log, const char *source, const char *columns)
{
	const struct log_sums *sums = log->sums;
	if (sums == NULL)
		return talloc_asprintf(mem, "(SELECT %s FROM %s) AS viewd_c", columns, source);
	return talloc_asprintf(mem, "(SELECT %s FROM %s) AS viewd_c, (%s%s%s) AS viewd_s", columns, source, sums->before,
	                       source, sums->after);
}

/* The first row says that nothing has emptied the table. */
static bool make_table(struct viewd_conn *conn, void *mem, const struct change_log *log, const char *source,
                       struct viewd_err *err)
{
	char *table = change_log_table(&conn->db, mem, log->number);
	char *columns = NULL;
	bool there = false;
	const char *params[] = {table};
	if (!pg_op_query(&conn->db, "SELECT pg_catalog.to_regclass($1) IS NOT NULL", params, 1, found, &there, err))
		return false;
	if (there)
		return true;
	return columns_to_log(conn, mem, log, source, &columns, err) &&
	       pg_execf(conn, err,
	                "CREATE UNLOGGED TABLE %s AS SELECT '0'::pg_catalog.xid8 AS viewd_xid, 0::pg_catalog.int2 AS "
	                "viewd_sign, viewd_c.*%s FROM %s WITH NO DATA",
	                table, log->sums != NULL ? ", viewd_s.*" : "", rows_to_log(mem, log, source, columns)) &&
	       pg_execf(conn, err, "INSERT INTO %s (viewd_xid, viewd_sign) VALUES ('0', 0)", table) &&
	       pg_execf(conn, err, "CREATE SEQUENCE IF NOT EXISTS viewd.full_%" PRId64, log->number);
}

struct trigger_list {
	void *mem;
	char **statements;
	size_t n;
};

static bool take_statement_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct trigger_list *list = ctx;
	list->statements = talloc_realloc(list->mem, list->statements, char *, list->n + 1);
	assert(list->statements != NULL);
	list->statements[list->n++] = talloc_strdup(list->mem, v[0]);
	return true;
}

static const struct db_reader take_statement[] = {{take_statement_fn, "t", "triggers of a change log"}};

#define TRIGGER_SQL \
	"pg_catalog.pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgname = 'viewd_log_' || $2 || '_' || " \
	"w.suffix"

/* ALWAYS, so that replica sessions fire it too, is for owners only. */
/* clang-format off */
static const char lacking_sql[] =
	"WITH RECURSIVE " PG_BELOW_SQL("$1::pg_catalog.regclass::pg_catalog.oid")
	" SELECT x.sql FROM below b JOIN pg_catalog.pg_class c ON c.oid = b.oid AND c.relkind IN ('r', 'p') JOIN "
	PG_WANTED_SQL("(pg_catalog.to_regproc('viewd.log_' || $2 || '_row') IS NOT NULL)") " LEFT JOIN " TRIGGER_SQL
	" CROSS JOIN LATERAL (VALUES (1, CASE WHEN g.oid IS NOT NULL AND g.tgfoid IS DISTINCT FROM "
	"pg_catalog.to_regproc('viewd.log_' || $2 || '_' || w.kind)::pg_catalog.oid THEN pg_catalog.format('DROP TRIGGER "
	"viewd_log_%s_%s ON %s', $2, w.suffix, c.oid::pg_catalog.regclass) END), (2, CASE WHEN g.oid IS NULL OR g.tgfoid "
	"IS "
	"DISTINCT FROM pg_catalog.to_regproc('viewd.log_' || $2 || '_' || w.kind)::pg_catalog.oid THEN "
	"pg_catalog.format('CREATE TRIGGER viewd_log_%s_%s AFTER %s ON %s%s EXECUTE FUNCTION viewd.log_%1$s_%6$s()', $2, "
	"w.suffix, w.event, c.oid::pg_catalog.regclass, w.how, w.kind) END), (3, CASE WHEN (g.oid IS NULL OR g.tgenabled "
	"<> "
	"'A') AND pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN pg_catalog.format('ALTER TABLE ONLY %s ENABLE ALWAYS "
	"TRIGGER viewd_log_%s_%s', c.oid::pg_catalog.regclass, $2, w.suffix) END)) AS x (step, sql)"
	" WHERE x.sql IS NOT NULL ORDER BY c.oid, w.suffix, x.step";
/* clang-format on */

/* The right that the role lacks, in words that it can be given by. */
static bool denied(struct viewd_conn *conn, const char *right, const char *on, struct viewd_err *err)
{
	if (err == NULL || err->cls != VIEWD_ERR_DENIED)
		return false;
	char *role = ident_append(&pg_syntax, sql_new(NULL), PQuser(conn->pg));
	err_hint(err, "GRANT %s ON %s TO %s: an incremental refresh needs it", right, on, role);
	talloc_free(role);
	return false;
}

/* A writer that waits for one of these locks while this session waits for another must not be the one who ends a
 * deadlock: this session waits for less time than it takes to look for one. */
static bool make_triggers(struct viewd_conn *conn, void *mem, const struct change_log *log, const char *source,
                          struct viewd_err *err)
{
	struct trigger_list list = {.mem = mem};
	const char *params[] = {source, talloc_asprintf(mem, "%" PRId64, log->number)};
	if (!pg_op_query(&conn->db, lacking_sql, params, 2, take_statement, &list, err))
		return false;
	bool done = list.n == 0 || pg_exec(conn, "SET LOCAL lock_timeout = 250", err);
	for (size_t i = 0; i < list.n && done; i++)
		done = pg_exec(conn, list.statements[i], err);
	return done || denied(conn, "TRIGGER", source, err);
}

/* Has this transaction made any of the functions? */
static bool are_new(struct viewd_conn *conn, const struct change_log *log, bool *new_r, struct viewd_err *err)
{
	char sql[400];
	snprintf(sql, sizeof sql,
	         "SELECT EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.oid IN "
	         "(pg_catalog.to_regproc('viewd.change_is_good'), pg_catalog.to_regproc('viewd.log_%" PRId64
	         "_row'), pg_catalog.to_regproc('viewd.log_%" PRId64
	         "_rows')) AND p.xmin = pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid)",
	         log->number, log->number);
	*new_r = false;
	return pg_op_query(&conn->db, sql, NULL, 0, found, new_r, err);
}

/* Makes a table of the logged columns alone. The source's other columns do not matter. */
static bool make_trial(struct viewd_conn *conn, const struct change_log *log, const char *source, struct viewd_err *err)
{
	char *columns = sql_names(&pg_syntax, sql_new(NULL), NULL, log->columns, log->n_columns);
	char *database = sql_add(sql_new(columns), "DATABASE ");
	bool done =
		pg_execf(conn, err, "CREATE TEMPORARY TABLE viewd_try AS SELECT %s, 0 AS viewd_try FROM %s WITH NO DATA",
	             columns, source) ||
		denied(conn, "TEMPORARY", ident_append(&pg_syntax, database, PQdb(conn->pg)), err);
	talloc_free(columns);
	return done;
}

/* Each statement of the functions is run once, by triggers on a table of the source's shape: viewd meets what a writer
 * would. */
static bool try_functions(struct viewd_conn *conn, const struct change_log *log, const char *source,
                          struct viewd_err *err)
{
	static const char *const tries[] = {
		"INSERT INTO pg_temp.viewd_try DEFAULT VALUES",
		"UPDATE pg_temp.viewd_try SET viewd_try = 1",
		"DELETE FROM pg_temp.viewd_try",
		"TRUNCATE pg_temp.viewd_try",
		"DROP TABLE pg_temp.viewd_try",
	};
	static const char *const triggers[][2] = {
		{"INSERT ON pg_temp.viewd_try FOR EACH ROW", "row"},
		{"UPDATE ON pg_temp.viewd_try REFERENCING OLD TABLE AS viewd_old NEW TABLE AS viewd_new FOR EACH STATEMENT",
	     "rows"},
		{"DELETE ON pg_temp.viewd_try REFERENCING OLD TABLE AS viewd_old FOR EACH STATEMENT", "rows"},
		{"TRUNCATE ON pg_temp.viewd_try FOR EACH STATEMENT", "rows"},
		{"INSERT ON pg_temp.viewd_try REFERENCING NEW TABLE AS viewd_new FOR EACH STATEMENT", "rows"},
	};
	bool tried = true;
	if (!are_new(conn, log, &tried, err) || !tried)
		return !tried;
	bool done = make_trial(conn, log, source, err) && (log->sums == NULL || pg_sums_are_harmless(conn, log, err));
	for (size_t i = log->sums != NULL; i < ARRAY_LEN(triggers) && done; i++)
		done = pg_execf(conn, err, "CREATE TRIGGER try_%zu AFTER %s EXECUTE FUNCTION viewd.log_%" PRId64 "_%s()", i,
		                triggers[i][0], log->number, triggers[i][1]);
	for (size_t i = 0; i < ARRAY_LEN(tries) && done; i++)
		done = pg_exec(conn, tries[i], err);
	return done &&
	       pg_execf(conn, err, "DELETE FROM viewd.change_%" PRId64 " WHERE viewd_xid = pg_catalog.pg_current_xact_id()",
	                log->number);
}

/* Types without a value that stands for nothing, and the like: the table cannot be followed so; all else goes on. */
static bool refuse(struct viewd_err *err)
{
	if (err == NULL || err->cls != VIEWD_ERR_QUERY)
		return false;
	err->cls = VIEWD_ERR_CONFIG;
	return err_hint(err, "its changes cannot be logged as they are; refresh_mode = auto always works");
}

bool pg_op_make_log(struct db *db, const struct change_log *log, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	void *mem = talloc_new(NULL);
	char *source = relation_quoted(&pg_syntax, mem, &log->source);
	bool ready = make_table(conn, mem, log, source, err) && pg_change_functions(conn, mem, log, source, err) &&
	             try_functions(conn, log, source, err);
	bool done = ready ? make_triggers(conn, mem, log, source, err) : refuse(err);
	talloc_free(mem);
	return done;
}

/* ---- removing ---- */

static const char drops_sql[] =
	"SELECT pg_catalog.format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::pg_catalog.regclass) FROM "
	"pg_catalog.pg_trigger g JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid WHERE g.tgfoid IN "
	"(pg_catalog.to_regproc('viewd.log_' || $1 || '_row')::pg_catalog.oid, pg_catalog.to_regproc('viewd.log_' || $1 || "
	"'_rows')::pg_catalog.oid) AND NOT g.tgisinternal AND g.tgparentid = 0 AND pg_catalog.pg_has_role(c.relowner, "
	"'USAGE') ORDER BY c.oid";

/* Triggers on tables of others go with the functions, which takes the same locks. */
bool pg_op_drop_log(struct db *db, int64_t number, const struct relation *source UNUSED, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	struct trigger_list list = {.mem = talloc_new(NULL)};
	const char *params[] = {talloc_asprintf(list.mem, "%" PRId64, number)};
	bool done = pg_op_query(db, drops_sql, params, 1, take_statement, &list, err) &&
	            pg_exec(conn, "SET LOCAL lock_timeout = 250", err);
	for (size_t i = 0; i < list.n && done; i++)
		done = pg_exec(conn, list.statements[i], err);
	done = done &&
	       pg_execf(conn, err, "DROP FUNCTION IF EXISTS viewd.log_%s_row(), viewd.log_%s_rows() CASCADE", params[0],
	                params[0]) &&
	       pg_execf(conn, err, "DROP TABLE IF EXISTS viewd.change_%s", params[0]) &&
	       pg_execf(conn, err, "DROP SEQUENCE IF EXISTS viewd.full_%s", params[0]);
	talloc_free(list.mem);
	return done;
}
