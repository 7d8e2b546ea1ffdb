/* SPDX-License-Identifier: MIT
 *
 * trigger_functions.c: what viewd's triggers call. Each source has a function of its own, note_7, and a sequence,
 * flood_7, that says whether writers shall leave log rows (never called: yes) or the source counts as changed anyway
 * (flood.c). A sequence is read where it is, in shared memory, by no snapshot; it is written ahead like any change, so
 * it is as true after a crash as what else had been written by then.
 *
 * A function of its own, with everything written out, is a third cheaper for writers than one that reads its arguments.
 *
 * No statement of a writer fails by any of this, whatever has become of the things used here, and while they are
 * as they should be no subtransaction has a number. log_is_good() looks at all of them. As it is called IMMUTABLE,
 * with the numbers of the log and the flag written as regclass constants (which need not exist), the server asks it
 * when it plans the expression and keeps the answer until the catalogue's rows of one of the two change. Where the
 * answer is no, note_with_care() does what can be done, by names, in a subtransaction that may fail. What is lost then
 * is noticed by the watcher (pg_functions_sound).
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/conn/numbered.h"
#include "common/text/number.h"
#include "postgresql/pg.h"

#define BODY_MAX 4096

static bool found_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0] != NULL && v[0][0] == 't';
	return false;
}

static const struct db_reader found_row[] = {{found_row_fn, "T", "what writers use"}};

struct function {
	bool exists, same;
};

static bool function_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(struct function *)ctx = (struct function){true, v[0][0] == 't'};
	return false;
}

static const struct db_reader function_row[] = {{function_row_fn, "t", "a function of viewd"}};

/* Replacing what is equal would make every session of the server plan it anew. Who replaces a function must have the
 * right to call it. */
bool pg_function_make(struct viewd_conn *conn, const char *signature, const char *head, const char *body,
                      const char *privilege, struct viewd_err *err)
{
	const char *params[] = {signature, body};
	struct function found = {false, false};
	if (!pg_op_query(&conn->db,
	                 "SELECT prosrc = $2 AND prosecdef AND pg_catalog.has_function_privilege(oid, 'EXECUTE') FROM "
	                 "pg_catalog.pg_proc"
	                 " WHERE oid = pg_catalog.to_regprocedure($1)",
	                 params, 2, function_row, &found, err))
		return false;
	if (found.same)
		return true;
	char *literal = literal_quoted(&pg_syntax, conn, body);
	bool made =
		(!found.exists || pg_execf(conn, err, "GRANT EXECUTE ON FUNCTION %s TO CURRENT_USER", signature)) &&
		pg_execf(conn, err, "CREATE OR REPLACE FUNCTION %s LANGUAGE plpgsql SECURITY DEFINER AS %s", head, literal) &&
		pg_exec(conn, privilege, err);
	talloc_free(literal);
	return made;
}

struct entry {
	int64_t id;
	bool foreign;
};

static bool entry_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(struct entry *)ctx = (struct entry){number_or(v[0], 0), v[1][0] == 't'};
	return false;
}

static const struct db_reader entry_row[] = {{entry_row_fn, "nt", "a source that is registered"}};

/* The row stays locked: of two sessions that make the same function one waits. */
static bool register_source(struct viewd_conn *conn, const char *source, struct entry *out, struct viewd_err *err)
{
	static const char lock_sql[] =
		PG_TREE_SQL("SELECT $1::text") " SELECT s.id, EXISTS (SELECT 1 FROM tree t JOIN pg_catalog.pg_class c ON c.oid "
									   "= t.oid WHERE c.relkind = 'f')"
									   " FROM viewd.sources s WHERE s.source = $1 FOR UPDATE OF s";
	const char *params[] = {source};
	return pg_op_exec(&conn->db, "INSERT INTO viewd.sources (source) VALUES ($1) ON CONFLICT DO NOTHING", params, 1,
	                  NULL, err) &&
	       pg_op_query(&conn->db, lock_sql, params, 1, entry_row, out, err);
}

/* SQL: may the log be written like this? Nothing else runs when a row is put into it. */
/* clang-format off */
#define LOG_IS_GOOD_SQL(log) \
	"EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN " \
	"pg_catalog.pg_attribute a" \
	" ON a.attrelid = c.oid AND a.attnum = 1 WHERE c.oid = " log " AND n.nspname = 'viewd' AND c.relname = 'changes' " \
	"AND c.relkind = 'r'" \
	" AND c.relnatts = 1 AND c.relchecks = 0 AND NOT c.relrowsecurity AND NOT c.relispartition" \
	" AND a.atttypid = 'pg_catalog.text'::pg_catalog.regtype AND NOT a.attisdropped AND a.attgenerated = '' AND " \
	"a.attidentity = ''" \
	" AND pg_catalog.has_table_privilege(c.oid, 'INSERT') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = c.oid)" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid)" \
	" AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid)" \
	" AND pg_catalog.has_function_privilege('pg_catalog.pg_try_advisory_xact_lock_shared(bigint)', 'EXECUTE'))"
#define FLAG_IS_GOOD_SQL(flag) \
	"EXISTS (SELECT FROM pg_catalog.pg_class q WHERE q.oid = " flag " AND q.relkind = 'S'" \
	" AND CASE WHEN q.relkind = 'S' THEN pg_catalog.has_sequence_privilege(q.oid, 'USAGE')" \
	" AND pg_catalog.has_sequence_privilege(q.oid, 'UPDATE') END)"
/* clang-format on */

#define GOOD_SIGNATURE "viewd.log_is_good(regclass,regclass)"
/* clang-format off */
#define GOOD_BODY \
	"BEGIN RETURN " LOG_IS_GOOD_SQL("$1") " AND ($2 = $1 OR " FLAG_IS_GOOD_SQL("$2") "); EXCEPTION WHEN OTHERS THEN " \
	"RETURN false; END"
/* clang-format on */

/* A row, and where the log has become too long the flag: from then on this source counts as changed. */
#define LOG_IS_FULL " '(" PG_LOG_BLOCKS ",0)'::pg_catalog.tid "
/* clang-format off */
#define WRITE(source, flag) \
	" INSERT INTO viewd.changes VALUES (" source ") RETURNING ctid INTO place;" \
	" IF place OPERATOR(pg_catalog.>=)" LOG_IS_FULL "THEN PERFORM pg_catalog.setval(" flag ", " PG_FLAG_FULL \
	"); END IF;"
/* clang-format on */

#define CARE_SIGNATURE "viewd.note_with_care(bigint,text)"
/* clang-format off */
#define CARE_BODY \
	"DECLARE own pg_catalog.xid8 := pg_catalog.pg_current_xact_id(); place pg_catalog.tid;" \
	" flag pg_catalog.regclass := pg_catalog.to_regclass('viewd.flood_' OPERATOR(pg_catalog.||) $1);" \
	" up pg_catalog.int8; BEGIN BEGIN up := pg_catalog.pg_sequence_last_value(flag); EXCEPTION WHEN OTHERS THEN NULL;" \
	" END; IF up IS NULL THEN" WRITE("$2", "flag") \
	" END IF; IF up IS DISTINCT FROM 1 THEN" PG_WAKE " END IF; END"
/* clang-format on */

/* $1 to $4 in the server's format(): the number of the source, its flag, its name as a literal, the log.
 *
 * A name that cannot be resolved, or a function that may not be called, fails where an expression is read first, so
 * what names them stands in a block that may fail. As nothing is written there, it takes no transaction id. For a
 * single-row statement PL/pgSQL's cost is the number of expressions: whoever need not leave a row evaluates one. */
#define LOG "'%4$s'::pg_catalog.regclass"
#define FLAG "'%2$s'::pg_catalog.regclass"
/* The flag's value while writers need not leave rows. */
#define FLAG_UP "1"
#define LOOK(statements) " BEGIN" statements " EXCEPTION WHEN OTHERS THEN NULL; END;"
#define IF_GOOD(flag, value) "CASE WHEN viewd.log_is_good(" LOG ", " flag ") THEN " value " END"
#define LAST_VALUE "pg_catalog.pg_sequence_last_value(" FLAG ")"
#define WITH_CARE(number, source) \
	" BEGIN PERFORM viewd.note_with_care(" number ", " source \
	"); EXCEPTION WHEN OTHERS THEN NULL; END; RETURN NULL; END"

/* clang-format off */
#define OWN_FORM(first) \
	"DECLARE place pg_catalog.tid; up pg_catalog.int8; BEGIN" first \
	LOOK(" IF (" IF_GOOD(FLAG, LAST_VALUE " OPERATOR(pg_catalog.=) " FLAG_UP "::pg_catalog.int8") \
	     ") THEN RETURN NULL; END IF; up := " IF_GOOD(FLAG, "coalesce(" LAST_VALUE ", 0)") ";") \
	" IF up OPERATOR(pg_catalog.=) 0::pg_catalog.int8 THEN" WRITE("%3$s", FLAG) PG_WAKE " RETURN NULL;" \
	" ELSIF up OPERATOR(pg_catalog.=) " PG_FLAG_FULL "::pg_catalog.int8 THEN" PG_WAKE " RETURN NULL;" \
	" ELSIF up IS NOT NULL THEN RETURN NULL; END IF;" \
	WITH_CARE("%1$s", "%3$s")
/* clang-format on */

static const char own_form[] = OWN_FORM("");
/* A write to a foreign table alone has no transaction id here. It gets one before it reads the flag, so that it can be
 * waited for. */
static const char foreign_form[] = OWN_FORM(" PERFORM pg_catalog.pg_current_xact_id();");

static const char common_form[] = "DECLARE good pg_catalog.bool; BEGIN" LOOK(
	" good := viewd.log_is_good(" LOG ", " LOG
	");") " IF good THEN INSERT INTO viewd.changes VALUES (TG_ARGV[0]);" PG_WAKE
		  " RETURN NULL; END IF;" WITH_CARE("0", "TG_ARGV[0]");

#define FORM_SQL(form, number, source) \
	"pg_catalog.format(" form ", " number ", coalesce(pg_catalog.to_regclass('viewd.flood_' || " number \
	")::oid, 0), pg_catalog.quote_literal(" source "), coalesce(pg_catalog.to_regclass('viewd.changes')::oid, 0))"

static bool take_text_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	snprintf(ctx, BODY_MAX, "%s", v[0]);
	return false;
}

static const struct db_reader take_text[] = {{take_text_fn, "t", "the body of a function"}};

static bool make_from(struct viewd_conn *conn, const char *signature, const char *form, const char *number,
                      const char *source, struct viewd_err *err)
{
	const char *params[] = {form, number, source};
	char body[BODY_MAX] = "", head[80], privilege[120];
	snprintf(head, sizeof head, "%s RETURNS trigger", signature);
	snprintf(privilege, sizeof privilege, "REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC", signature);
	return pg_op_query(&conn->db, "SELECT " FORM_SQL("$1", "$2::text", "$3::text"), params, 3, take_text, body, err) &&
	       pg_function_make(conn, signature, head, body, privilege, err);
}

bool pg_functions_base(struct viewd_conn *conn, struct viewd_err *err)
{
	return pg_function_make(conn, GOOD_SIGNATURE,
	                        GOOD_SIGNATURE " RETURNS boolean IMMUTABLE SET search_path = pg_catalog, pg_temp",
	                        GOOD_BODY, "REVOKE EXECUTE ON FUNCTION " GOOD_SIGNATURE " FROM PUBLIC", err) &&
	       pg_function_make(conn, CARE_SIGNATURE, CARE_SIGNATURE " RETURNS void", CARE_BODY,
	                        "REVOKE EXECUTE ON FUNCTION " CARE_SIGNATURE " FROM PUBLIC", err) &&
	       make_from(conn, "viewd.note_change()", common_form, "0", "", err);
}

static bool make_own(struct viewd_conn *conn, void *mem, const struct entry *entry, const char *source,
                     char **signature_r, struct viewd_err *err)
{
	char *signature = talloc_asprintf(mem, "viewd.note_%lld()", (long long)entry->id);
	char *number = talloc_asprintf(mem, "%lld", (long long)entry->id);
	if (!pg_execf(conn, err, "CREATE SEQUENCE IF NOT EXISTS viewd.flood_%s", number) ||
	    !make_from(conn, signature, entry->foreign ? foreign_form : own_form, number, source, err))
		return false;
	*signature_r = signature;
	return true;
}

bool pg_functions_function(struct viewd_conn *conn, void *mem_ctx, const char *source, char **signature_r,
                           struct viewd_err *err)
{
	struct entry entry = {.id = 0};
	return register_source(conn, source, &entry, err) && make_own(conn, mem_ctx, &entry, source, signature_r, err);
}

bool pg_functions_forget(struct viewd_conn *conn, const char *source, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"DELETE FROM viewd.sources WHERE source = $1 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g"
		" WHERE g.tgfoid IN (" PG_NOTE_FUNCTIONS_SQL ")"
		" AND g.tgargs = pg_catalog.convert_to($1, pg_catalog.getdatabaseencoding()) || '\\x00'::bytea) RETURNING id, "
		"false";
	/* clang-format on */
	const char *params[] = {source};
	struct entry entry = {.id = 0};
	return pg_op_query(&conn->db, sql, params, 1, entry_row, &entry, err) &&
	       (entry.id == 0 || (pg_execf(conn, err, "DROP FUNCTION IF EXISTS viewd.note_%lld()", (long long)entry.id) &&
	                          pg_execf(conn, err, "DROP SEQUENCE IF EXISTS viewd.flood_%lld", (long long)entry.id)));
}

/* ---- what has become of it */

bool pg_functions_log_good(struct viewd_conn *conn, bool *good_r, struct viewd_err *err)
{
	return pg_op_query(&conn->db, "SELECT " LOG_IS_GOOD_SQL("pg_catalog.to_regclass('viewd.changes')"), NULL, 0,
	                   found_row, good_r, err);
}

bool pg_functions_sound(struct viewd_conn *conn, bool *sound_r, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"SELECT " LOG_IS_GOOD_SQL("pg_catalog.to_regclass('viewd.changes')") " AND NOT EXISTS (SELECT FROM (VALUES"
		" ('" GOOD_SIGNATURE "', $1), ('" CARE_SIGNATURE "', $2), ('viewd.note_change()', " FORM_SQL("$3", "'0'", "''")
		")) AS b (signature, body)"
		" LEFT JOIN pg_catalog.pg_proc p ON p.oid = pg_catalog.to_regprocedure(b.signature) WHERE p.oid IS NULL OR "
		"p.prosrc <> b.body"
		" OR NOT p.prosecdef OR NOT pg_catalog.has_function_privilege(p.oid, 'EXECUTE'))"
		" AND NOT EXISTS (SELECT FROM viewd.sources s JOIN pg_catalog.pg_proc p ON p.pronamespace = "
		"pg_catalog.to_regnamespace('viewd')"
		" AND p.proname = 'note_' || s.id WHERE p.prosrc NOT IN (" FORM_SQL("$4", "s.id::text", "s.source") ", "
		FORM_SQL("$5", "s.id::text", "s.source") ")"
		" OR NOT p.prosecdef OR NOT " FLAG_IS_GOOD_SQL("pg_catalog.to_regclass('viewd.flood_' || s.id)") ")";
	/* clang-format on */
	const char *params[] = {GOOD_BODY, CARE_BODY, common_form, own_form, foreign_form};
	return pg_op_query(&conn->db, sql, params, ARRAY_LEN(params), found_row, sound_r, err);
}

static const struct db_reader take_named[] = {{numbered_take, "nt", "sources with functions"}};

bool pg_functions_remake(struct viewd_conn *conn, struct viewd_err *err)
{
	static const char sql[] =
		"SELECT s.id, s.source FROM viewd.sources s JOIN pg_catalog.pg_proc p"
		" ON p.pronamespace = pg_catalog.to_regnamespace('viewd') AND p.proname = 'note_' || s.id";
	struct numbered_list list = {.mem = talloc_new(NULL)};
	char *signature;
	bool good = pg_op_query(&conn->db, sql, NULL, 0, take_named, &list, err);
	for (size_t i = 0; good && i < list.n; i++)
		good = pg_functions_function(conn, list.mem, list.items[i].text, &signature, err) &&
		       pg_execf(conn, err, "GRANT ALL ON SEQUENCE viewd.flood_%lld TO CURRENT_USER",
		                (long long)list.items[i].number);
	talloc_free(list.mem);
	return good;
}
