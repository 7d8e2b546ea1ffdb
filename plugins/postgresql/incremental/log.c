/* SPDX-License-Identifier: MIT
 *
 * log.c: making and removing a change log, and looking whether it is as it was made.
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

/* The first row says that nothing has emptied the table. */
static bool make_table(struct viewd_conn *conn, void *mem, const struct change_log *log, const char *source,
                       struct viewd_err *err)
{
	char *table = change_log_table(&conn->db, mem, log->number);
	char *columns = sql_names(&pg_syntax, sql_new(mem), NULL, log->columns, log->n_columns);
	bool there = false;
	const char *params[] = {table};
	if (!pg_op_query(&conn->db, "SELECT pg_catalog.to_regclass($1) IS NOT NULL", params, 1, found, &there, err))
		return false;
	if (there)
		return true;
	return pg_execf(conn, err,
	                "CREATE UNLOGGED TABLE %s AS SELECT '0'::pg_catalog.xid8 AS viewd_xid, 0::pg_catalog.int2 AS "
	                "viewd_sign, %s FROM %s WITH NO DATA",
	                table, columns, source) &&
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

/* SQL: the triggers that each relation c below the source ought to have: w (suffix, event, how, kind). A row that an
 * UPDATE moves to another partition fires row triggers for INSERT there, and is among the rows of the statement too: so
 * partitions have none. */
#define WANTED_SQL \
	"(VALUES ('i', 'INSERT', ' FOR EACH ROW', 'row'), ('n', 'INSERT', ' REFERENCING NEW TABLE AS viewd_new FOR EACH " \
	"STATEMENT', 'rows'), ('u', 'UPDATE', ' REFERENCING OLD TABLE AS viewd_old NEW TABLE AS " \
	"viewd_new FOR EACH STATEMENT', 'rows'), ('d', 'DELETE', ' REFERENCING OLD TABLE AS viewd_old FOR EACH " \
	"STATEMENT', " \
	"'rows'), ('t', 'TRUNCATE', ' FOR EACH STATEMENT', 'rows')) AS w (suffix, event, how, kind) ON (c.relkind = 'p' " \
	"OR " \
	"c.relispartition) AND w.suffix <> 'i' OR NOT (c.relkind = 'p' OR c.relispartition) AND w.suffix <> 'n'"
#define TRIGGER_SQL \
	"pg_catalog.pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgname = 'viewd_log_' || $2 || '_' || " \
	"w.suffix"

/* ALWAYS, so that replica sessions fire it too, is for owners only. */
static const char lacking_sql[] =
	"WITH RECURSIVE " PG_BELOW_SQL("$1::pg_catalog.regclass::pg_catalog.oid")
	" SELECT x.sql FROM below b JOIN pg_catalog.pg_class c ON c.oid = b.oid AND c.relkind IN ('r', 'p') JOIN "
	WANTED_SQL " LEFT JOIN " TRIGGER_SQL
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

/* What the role lacks, in words that it can be given by. */
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

/* Of the columns that are logged, the source's other ones being nobody's affair. */
static bool make_trial(struct viewd_conn *conn, const struct change_log *log, const char *source,
                       struct viewd_err *err)
{
	char *columns = sql_names(&pg_syntax, sql_new(NULL), NULL, log->columns, log->n_columns);
	char *database = sql_add(sql_new(columns), "DATABASE ");
	bool done = pg_execf(conn, err,
	                     "CREATE TEMPORARY TABLE viewd_try AS SELECT %s, 0 AS viewd_try FROM %s WITH NO DATA", columns,
	                     source) ||
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
	bool done = make_trial(conn, log, source, err);
	for (size_t i = 0; i < ARRAY_LEN(triggers) && done; i++)
		done = pg_execf(conn, err, "CREATE TRIGGER try_%zu AFTER %s EXECUTE FUNCTION viewd.log_%" PRId64 "_%s()", i,
		                triggers[i][0], log->number, triggers[i][1]);
	for (size_t i = 0; i < ARRAY_LEN(tries) && done; i++)
		done = pg_exec(conn, tries[i], err);
	return done && pg_execf(conn, err, "DELETE FROM viewd.change_%" PRId64 " WHERE viewd_xid = "
	                                   "pg_catalog.pg_current_xact_id()", log->number);
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

bool pg_op_drop_log(struct db *db, int64_t number, const struct relation *source UNUSED, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	struct trigger_list list = {.mem = talloc_new(NULL)};
	const char *params[] = {talloc_asprintf(list.mem, "%" PRId64, number)};
	bool done = pg_op_query(db, drops_sql, params, 1, take_statement, &list, err) &&
	            (list.n == 0 || pg_exec(conn, "SET LOCAL lock_timeout = 250", err));
	for (size_t i = 0; i < list.n && done; i++)
		done = pg_exec(conn, list.statements[i], err);
	done = done && pg_execf(conn, err, "DROP FUNCTION IF EXISTS viewd.log_%s_row(), viewd.log_%s_rows() CASCADE",
	                        params[0], params[0]) &&
	       pg_execf(conn, err, "DROP TABLE IF EXISTS viewd.change_%s", params[0]) &&
	       pg_execf(conn, err, "DROP SEQUENCE IF EXISTS viewd.full_%s", params[0]);
	talloc_free(list.mem);
	return done;
}

/* ---- looking ---- */

/* SQL: called(oid), the users' functions that a definition with these names may call: those of a name, those behind
 * operators and casts, which it does not name, and what these call themselves. Of that the server knows only a part, so
 * every function counts whose name occurs in a body. Bodies in C (13) and the server's own (12) say nothing. */
#define USERS "16384" /* the first oid that is not the server's own */
#define CALLED_SQL \
	"called (oid) AS (SELECT s.oid FROM (SELECT f.oid FROM pg_catalog.pg_proc f WHERE f.oid >= " USERS " AND " \
	"f.proname = ANY (ARRAY[{}]::pg_catalog.name[]) UNION SELECT f.oid FROM pg_catalog.pg_operator o JOIN " \
	"pg_catalog.pg_proc f ON f.oid = o.oprcode AND f.prolang NOT IN (12, 13) WHERE o.oid >= " USERS \
	" UNION SELECT f.oid FROM pg_catalog.pg_cast t JOIN pg_catalog.pg_proc f ON f.oid = t.castfunc AND f.prolang NOT " \
	"IN (12, 13) WHERE t.oid >= " USERS ") s UNION SELECT d.oid FROM called c JOIN pg_catalog.pg_proc f ON f.oid = " \
	"c.oid CROSS JOIN LATERAL (SELECT d.refobjid AS oid FROM pg_catalog.pg_depend d WHERE d.classid = " \
	"'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = f.oid AND d.refclassid = " \
	"'pg_catalog.pg_proc'::pg_catalog.regclass UNION ALL SELECT p.oid FROM pg_catalog.pg_proc p WHERE f.prolang NOT " \
	"IN (12, 13) AND p.oid >= " USERS " AND p.pronamespace <> 'viewd'::pg_catalog.regnamespace AND " \
	"pg_catalog.strpos(f.prosrc, p.proname::text) > 0) d)"

/* One text of everything that decides whether changes are logged, and what a definition's keys were derived from; also
 * of the functions that it calls, and of the view's inner nodes. What the catalogue writes in place (statistics) is not
 * in it. $1 the source, $2 the log's number, $3 the view; {} is for names in the definition. */
static const char sound_form[] =
	"WITH RECURSIVE " PG_BELOW_SQL("pg_catalog.to_regclass($1)::pg_catalog.oid") ", " CALLED_SQL
	" SELECT CASE WHEN l.oid IS NULL OR q.oid IS NULL OR pg_catalog.to_regclass($1) IS NULL THEN 'its table is gone'"
	" WHEN p.n < 3 THEN 'its functions are gone'"
	" WHEN NOT viewd.change_is_good(l.oid, q.oid, pg_catalog.to_regclass($1)) THEN 'it does not fit the source'"
	" WHEN t.lacking > 0 THEN 'triggers are missing or disabled'"
	" WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgfoid IN (pg_catalog.to_regproc('viewd.log_' || $2 || "
	"'_row')::pg_catalog.oid, pg_catalog.to_regproc('viewd.log_' || $2 || '_rows')::pg_catalog.oid) AND g.tgrelid NOT "
	"IN "
	"(SELECT b.oid FROM below b)) THEN 'other tables write to it'"
	" WHEN k.lacking > 0 THEN 'an inner node is gone' END,"
	" pg_catalog.md5(pg_catalog.concat_ws(' ', l.oid, l.xmin, l.relfilenode, q.oid, q.xmin, p.text, t.text, s.text, "
	"i.text, f.text, k.text))"
	" FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_class l ON l.oid = pg_catalog.to_regclass('viewd.change_' || $2)"
	" LEFT JOIN pg_catalog.pg_class q ON q.oid = pg_catalog.to_regclass('viewd.full_' || $2)"
	" CROSS JOIN LATERAL (SELECT pg_catalog.count(*) AS n, pg_catalog.string_agg(f.oid || ' ' || f.xmin::text, ' ' "
	"ORDER "
	"BY f.oid) AS text FROM pg_catalog.pg_proc f WHERE f.oid IN (pg_catalog.to_regproc('viewd.log_' || $2 || '_row'), "
	"pg_catalog.to_regproc('viewd.log_' || $2 || '_rows'), pg_catalog.to_regproc('viewd.change_is_good')) AND "
	"f.prosecdef) p"
	" CROSS JOIN LATERAL (SELECT pg_catalog.count(*) FILTER (WHERE g.oid IS NULL OR g.tgenabled NOT IN ('O', 'A')) AS "
	"lacking, pg_catalog.string_agg(pg_catalog.concat_ws(' ', c.oid, c.relfilenode, c.relkind, c.relrowsecurity, "
	"EXISTS (SELECT 1 FROM pg_catalog.pg_subscription_rel r WHERE r.srrelid = c.oid), "
	"g.oid, "
	"g.xmin, g.tgenabled), ' ' ORDER BY c.oid, w.suffix) AS text FROM below b JOIN pg_catalog.pg_class c ON c.oid = "
	"b.oid "
	"AND c.relkind IN ('r', 'p') JOIN " WANTED_SQL
	" LEFT JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid AND g.tgname = 'viewd_log_' || $2 || '_' || w.suffix AND "
	"g.tgfoid = pg_catalog.to_regproc('viewd.log_' || $2 || '_' || w.kind)::pg_catalog.oid) t"
	" CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.attnum, a.attname, a.atttypid, "
	"a.atttypmod, a.attcollation, a.attnotnull, a.attisdropped), ' ' ORDER BY a.attnum) AS text FROM "
	"pg_catalog.pg_attribute a WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0) s"
	" CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', x.indexrelid, x.indisvalid, "
	"x.indimmediate), ' ' ORDER BY x.indexrelid) AS text FROM pg_catalog.pg_index x WHERE x.indrelid = "
	"pg_catalog.to_regclass($1) AND x.indisunique) i"
	" CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(f.oid || ' ' || f.xmin::text, ' ' ORDER BY f.oid) AS text FROM "
	"called c JOIN pg_catalog.pg_proc f ON f.oid = c.oid) f"
	" CROSS JOIN LATERAL (SELECT pg_catalog.count(*) FILTER (WHERE c.oid IS NULL) AS lacking, "
	"pg_catalog.string_agg(pg_catalog.concat_ws(' ', k.node, c.oid, c.relfilenode, c.xmin), ' ' ORDER BY k.node) AS "
	"text "
	"FROM viewd.nodes k LEFT JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass('viewd.node_' || k.node) "
	"WHERE k.view = $3) k";

static bool take_sound_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct change_log *log = ctx;
	log->unsound = v[0] != NULL;
	snprintf(log->why, sizeof log->why, "%s", v[0] != NULL ? v[0] : "");
	log->looked = v[1] != NULL ? talloc_strdup(log->looked, v[1]) : NULL;
	return false;
}

static const struct db_reader take_sound[] = {{take_sound_fn, "TT", "what a change log is"}};

/* $1 the position, or NULL. */
#define UNREAD_SQL(position) \
	"viewd_xid >= pg_catalog.pg_snapshot_xmin(" position ") AND NOT pg_catalog.pg_visible_in_snapshot(viewd_xid, " \
	position ")"

static bool take_unread_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct change_log *log = ctx;
	const char *why = NULL;
	log->unread = number_or(v[0], 0);
	if (v[1][0] != 't')
		why = "the log was emptied";
	else if (v[2][0] == 't')
		why = "more was changed than the log holds";
	else if (v[3][0] == 't')
		why = "the table was truncated";
	else if (v[4][0] == 't')
		why = "more was changed a while ago than the log holds";
	log->everything |= why != NULL;
	if (why != NULL)
		snprintf(log->why, sizeof log->why, "%s", why);
	log->looked = talloc_asprintf(log->looked, "%s %s", log->looked, v[5]);
	return false;
}

static const struct db_reader take_unread[] = {{take_unread_fn, "nttttt", "what a change log holds"}};

/* The value of the sequence is another one after each time that writers were let on (overflow.c). */

static bool count_unread(struct viewd_conn *conn, struct change_log *log, const char *position, struct viewd_err *err)
{
	char sql[1500], number[24], limit[24];
	snprintf(number, sizeof number, "%" PRId64, log->number);
	snprintf(limit, sizeof limit, "%d", LOG_UNREAD_MAX + 1);
	snprintf(sql, sizeof sql,
	         "SELECT (SELECT pg_catalog.count(*) FROM (SELECT 1 FROM viewd.change_%s WHERE viewd_sign IN (-1, 1) AND "
	         UNREAD_SQL("$1::pg_catalog.pg_snapshot") " LIMIT %s) u), EXISTS (SELECT 1 FROM viewd.change_%s WHERE "
	         "viewd_sign = 0), pg_catalog.pg_sequence_last_value('viewd.full_%s') IS NOT NULL, EXISTS (SELECT 1 FROM "
	         "viewd.change_%s WHERE viewd_sign = 2 AND " UNREAD_SQL("$1::pg_catalog.pg_snapshot") "), EXISTS (SELECT 1 "
	         "FROM viewd.change_%s WHERE viewd_sign = 0 AND viewd_xid > "
	         "pg_catalog.pg_snapshot_xmin($1::pg_catalog.pg_snapshot)), (SELECT last_value FROM viewd.full_%s)",
	         number, limit, number, number, number, number, number);
	return pg_query_with_queue(conn, sql, &position, 1, take_unread, log, err);
}

bool pg_op_look_log(struct db *db, void *mem_ctx, const char *view, struct change_log *log, const char *position,
                    const char *looked, struct viewd_err *err)
{
	const char *params[] = {relation_quoted(&pg_syntax, mem_ctx, &log->source),
	                        talloc_asprintf(mem_ctx, "%" PRId64, log->number), view};
	char *sound = sql_template(sql_new(mem_ctx), sound_form, log->names != NULL ? log->names : "");
	log->looked = talloc_strdup(mem_ctx, "");
	if (!pg_query_with_queue(pg_of(db), sound, params, 3, take_sound, log, err))
		return false;
	if (log->unsound)
		return true;
	/* A first reading sees no position, which is older than all. */
	if (!count_unread(pg_of(db), log, position != NULL ? position : "1:1:", err))
		return false;
	if (position == NULL && !log->everything)
		snprintf(log->why, sizeof log->why, "the log has not been read before");
	else if (position != NULL && !log->everything && (looked == NULL || strcmp(looked, log->looked) != 0))
		snprintf(log->why, sizeof log->why, "the table, its triggers, a function or an inner node was changed");
	log->everything |= position == NULL || looked == NULL || strcmp(looked, log->looked) != 0;
	return true;
}

char *pg_op_unread(struct db *db, void *mem_ctx, const char *view, const struct change_log *log)
{
	char *sql = talloc_asprintf(
		mem_ctx,
		"(SELECT viewd_l.* FROM %s viewd_l, (SELECT position::pg_catalog.pg_snapshot AS place FROM viewd.log_readers "
		"WHERE log = %" PRId64 " AND view = %s OFFSET 0) viewd_r WHERE viewd_sign IN (-1, 1) AND " UNREAD_SQL("place")
		")",
		change_log_table(db, mem_ctx, log->number), log->number, literal_quoted(&pg_syntax, mem_ctx, view));
	assert(sql != NULL);
	return sql;
}

static bool take_text_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	char **text_r = ctx;
	*text_r = v[0] != NULL ? talloc_strdup(*text_r, v[0]) : NULL;
	return false;
}

static const struct db_reader take_text[] = {{take_text_fn, "T", "a position"}};

/* While writers log nothing no position is worth anything. */
bool pg_op_read_log(struct db *db, void *mem_ctx, const char *view UNUSED, const struct change_log *log,
                    char **position_r, struct viewd_err *err)
{
	char sql[200];
	snprintf(sql, sizeof sql,
	         "SELECT CASE WHEN pg_catalog.pg_sequence_last_value('viewd.full_%" PRId64 "') IS NULL THEN "
	         "pg_catalog.pg_current_snapshot()::text END",
	         log->number);
	*position_r = talloc_strdup(mem_ctx, "");
	return pg_query_with_queue(pg_of(db), sql, NULL, 0, take_text, position_r, err);
}
