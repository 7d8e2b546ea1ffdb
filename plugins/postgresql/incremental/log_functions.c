/* SPDX-License-Identifier: MIT
 *
 * log_functions.c: the functions that triggers of a change log run in the writers' transactions. As with the functions
 * that note changes (capture/trigger_functions.c), no statement of a writer fails by any of this: change_is_good()
 * looks at the log and at the columns of the source, and the server keeps its answer until the catalogue's rows of one
 * of them change. Where it says no nothing is logged, and the next look at the log finds that out.
 *
 * What fails while it is asked (a lock that takes too long, no memory) may be gone by then: the log is said to be full,
 * or else gets a row that says "everything", so its readers compute all rows. The server would keep a "no" that comes
 * from such a failure, so it is none.
 *
 * Statements of several rows leave their images as sets, or sums of them for each group. What is on both sides, to the
 * byte, is left out.
 */
#include "postgresql/incremental/log_objects.h"

#include <inttypes.h>
#include <talloc.h>

#include "common/incremental/change_log.h"
#include "common/sqltext/sqltext.h"

#define GOOD_SIGNATURE "viewd.change_is_good(regclass,regclass,regclass)"
/* The log is written by its name, which it may have lost. Its sequence has the same number. */
#define GOOD_BODY \
	"BEGIN RETURN EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace" \
	" WHERE c.oid = $1 AND n.nspname = 'viewd' AND c.relkind = 'r' AND c.relchecks = 0 AND NOT c.relrowsecurity" \
	" AND NOT c.relispartition AND pg_catalog.has_table_privilege(c.oid, 'INSERT')" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid)" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid)" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid))" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a LEFT JOIN pg_catalog.pg_attribute s ON s.attrelid = $3" \
	" AND s.attname = a.attname AND s.attnum > 0 AND NOT s.attisdropped LEFT JOIN LATERAL " PG_BASE_TYPE_SQL " AS b " \
	"ON true WHERE a.attrelid = $1 AND a.attnum > 0" \
	" AND (a.attisdropped OR a.attnotnull OR a.attgenerated <> '' OR a.attidentity <> ''" \
	"  OR CASE a.attnum WHEN 1 THEN a.attname <> 'viewd_xid' OR a.atttypid <> 'xid8'::regtype" \
	"  WHEN 2 THEN a.attname <> 'viewd_sign' OR a.atttypid <> 'int2'::regtype" \
	"  ELSE pg_catalog.left(a.attname::text, 6) <> 'viewd_' AND (s.attnum IS NULL OR b.oid <> a.atttypid" \
	"  OR b.mod <> a.atttypmod OR s.attcollation <> a.attcollation) END))" \
	" AND EXISTS (SELECT FROM pg_catalog.pg_class q JOIN pg_catalog.pg_class c ON c.oid = $1 WHERE q.oid = $2" \
	" AND c.relname = 'change_' || pg_catalog.substr(q.relname::text, 6) AND q.relkind = 'S'" \
	" AND CASE WHEN q.relkind = 'S' THEN pg_catalog.has_sequence_privilege(q.oid, 'USAGE')" \
	" AND pg_catalog.has_sequence_privilege(q.oid, 'UPDATE') END);" \
	" EXCEPTION WHEN undefined_object OR undefined_table OR undefined_column OR undefined_function OR " \
	"invalid_schema_name OR insufficient_privilege THEN RETURN false; END"

/* In the server's format(): $1 the log, $2 its sequence, $3 the source, all oids; $4 the number, $5 the columns, $6
 * likewise of NEW, $7 the cap, $8 and $9 what is logged of the old and of the new rows.
 *
 * A function that is gone, or may not be called, fails where an expression names it. A block that may fail and writes
 * nothing takes no transaction id, and is cheaper than to ask for the name and the rights first. Each expression costs
 * a single-row statement about 0.7 microseconds, so there is one. */
#define XID "pg_catalog.pg_current_xact_id()"
#define FULL "PERFORM pg_catalog.setval('%2$s'::pg_catalog.regclass, 1);"
#define GUARD \
	" BEGIN IF (CASE WHEN viewd.change_is_good('%1$s'::pg_catalog.regclass, '%2$s'::pg_catalog.regclass, " \
	"'%3$s'::pg_catalog.regclass) THEN pg_catalog.pg_sequence_last_value('%2$s'::pg_catalog.regclass) IS NULL END) " \
	"IS NOT TRUE THEN RETURN NULL; END IF; EXCEPTION WHEN OTHERS THEN BEGIN " FULL \
	" EXCEPTION WHEN OTHERS THEN BEGIN " \
	"IF pg_catalog.pg_relation_size('%1$s'::pg_catalog.regclass) OPERATOR(pg_catalog.<) (%7$s::pg_catalog.int8 " \
	"OPERATOR(pg_catalog.*) 8192) THEN INSERT INTO viewd.change_%4$s (viewd_xid, viewd_sign) VALUES (" XID ", 2); " \
	"END IF; EXCEPTION WHEN OTHERS THEN NULL; END; END; RETURN NULL; END;"
#define OVER " THEN " FULL " END IF;"
#define END " RETURN NULL; END"
#define INTO "INSERT INTO viewd.change_%4$s (viewd_xid, viewd_sign%5$s) "

/* Rows are compared as texts, in which floats have all their digits whatever the session wants. Sums are made by the
 * server's own functions, of constants as viewd's session reads them (conn.c). */
#define ROWS_SETTINGS " SET extra_float_digits = 1"
#define SUMS_SETTINGS \
	ROWS_SETTINGS " SET search_path = pg_catalog, pg_temp SET DateStyle = 'ISO, YMD' SET TimeZone = 'UTC'" \
				  " SET standard_conforming_strings = on SET array_nulls = on SET transform_null_equals = off"

static const char row_form[] =
	"DECLARE place pg_catalog.tid; BEGIN" GUARD " " INTO "VALUES (" XID ", 1%6$s) RETURNING ctid INTO place;"
	" IF place OPERATOR(pg_catalog.>=) '(%7$s,0)'::pg_catalog.tid" OVER END;

/* clang-format off */
static const char rows_form[] =
	"#variable_conflict use_column\nBEGIN" GUARD
	" IF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN " INTO
	"SELECT " XID ", viewd_d.viewd_sign%5$s FROM (SELECT viewd_b.*, pg_catalog.sum(viewd_b.viewd_sign) OVER (PARTITION "
	"BY (ROW(1%5$s)::pg_catalog.text) COLLATE pg_catalog.\"C\") AS viewd_sum FROM (SELECT -1 AS viewd_sign%5$s FROM "
	"%8$s UNION ALL SELECT 1%5$s FROM %9$s) AS viewd_b) AS viewd_d WHERE viewd_d.viewd_sum "
	"OPERATOR(pg_catalog.<>) 0;"
	" ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN " INTO "SELECT " XID ", -1%5$s FROM %8$s;"
	" ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN " INTO "SELECT " XID ", 1%5$s FROM %9$s;"
	" ELSE INSERT INTO viewd.change_%4$s (viewd_xid, viewd_sign) VALUES (" XID ", 2); END IF;"
	" IF pg_catalog.pg_relation_size('%1$s'::pg_catalog.regclass) OPERATOR(pg_catalog.>=) (%7$s::pg_catalog.int8 "
	"OPERATOR(pg_catalog.*) 8192)" OVER END;
/* clang-format on */

static bool take_body_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	char **body_r = ctx;
	*body_r = talloc_strdup(*body_r, v[0]);
	return false;
}

static const struct db_reader take_body[] = {{take_body_fn, "t", "the body of a function"}};

/* SQL: what the log holds for the rows in a transition table. */
static const char *logged_rows(void *mem, const struct change_log *log, const char *table)
{
	if (log->sums == NULL)
		return table;
	return talloc_asprintf(mem, "(%s%s%s) AS viewd_s", log->sums->before, table, log->sums->after);
}

static char *add_columns(char *sql, const struct change_log *log, const char *before)
{
	const char **names = log->sums != NULL ? log->sums->names : log->columns;
	size_t n = log->sums != NULL ? log->sums->n_names : log->n_columns;
	for (size_t i = 0; i < n; i++)
		sql = ident_append(&pg_syntax, sql_add(sql, "%s", before), names[i]);
	return sql;
}

static bool make_one(struct viewd_conn *conn, void *mem, const struct change_log *log, const char *source,
                     const char *suffix, const char *form, const char *settings, struct viewd_err *err)
{
	char *number = talloc_asprintf(mem, "%" PRId64, log->number);
	char *signature = talloc_asprintf(mem, "viewd.log_%s_%s()", number, suffix);
	char *columns = add_columns(sql_new(mem), log, ", "), *fresh = add_columns(sql_new(mem), log, ", NEW."),
		 *body = talloc_new(mem), *table = change_log_table(&conn->db, mem, log->number);
	char *sequence = talloc_asprintf(mem, "viewd.full_%s", number), *cap = talloc_asprintf(mem, "%d", PG_CHANGE_BLOCKS);
	const char *old_rows = logged_rows(mem, log, "viewd_old"), *new_rows = logged_rows(mem, log, "viewd_new");
	const char *params[] = {form, table, sequence, source, number, columns, fresh, cap, old_rows, new_rows};
	return pg_op_query(&conn->db,
	                   "SELECT pg_catalog.format($1, $2::pg_catalog.regclass::pg_catalog.oid, "
	                   "$3::pg_catalog.regclass::pg_catalog.oid, $4::pg_catalog.regclass::pg_catalog.oid, $5::text, "
	                   "$6::text, $7::text, $8::text, $9::text, $10::text)",
	                   params, ARRAY_LEN(params), take_body, &body, err) &&
	       pg_function_make(conn, signature, talloc_asprintf(mem, "%s RETURNS trigger%s", signature, settings), body,
	                        talloc_asprintf(mem, "REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC", signature), err);
}

bool pg_change_functions(struct viewd_conn *conn, void *mem, const struct change_log *log, const char *source,
                         struct viewd_err *err)
{
	return pg_function_make(conn, GOOD_SIGNATURE,
	                        GOOD_SIGNATURE " RETURNS boolean IMMUTABLE SET search_path = pg_catalog, pg_temp",
	                        GOOD_BODY, "REVOKE EXECUTE ON FUNCTION " GOOD_SIGNATURE " FROM PUBLIC", err) &&
	       (log->sums != NULL || make_one(conn, mem, log, source, "row", row_form, "", err)) &&
	       make_one(conn, mem, log, source, "rows", rows_form, log->sums != NULL ? SUMS_SETTINGS : ROWS_SETTINGS, err);
}
