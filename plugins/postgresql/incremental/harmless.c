/* SPDX-License-Identifier: MIT
 *
 * harmless.c: judges whether the query of a log's sums can fail for some row. Triggers run it in the writers'
 * statements. The server resolves it, and what it has made of it, the tree behind a view, is compared with what is
 * known never to fail: its own comparisons, and sums and products that have room. Whatever is not known is refused.
 */
#include "postgresql/incremental/log_objects.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/incremental/change_log.h"
#include "common/sqltext/sqltext.h"

/* As servers of different age call them. */
#define NODES \
	"{QUERY,RTE,RANGETBLENTRY,RTEPERMISSIONINFO,ALIAS,FROMEXPR,RANGETBLREF,TARGETENTRY,VAR,CONST,OPEXPR,DISTINCTEXPR," \
	"SCALARARRAYOPEXPR,BOOLEXPR,NULLTEST,BOOLEANTEST,CASE,CASEEXPR,WHEN,CASEWHEN,CASETESTEXPR,COALESCE,COALESCEEXPR," \
	"RELABELTYPE,ARRAY,ARRAYEXPR,FUNCEXPR,AGGREF,SORTGROUPCLAUSE}"

#define COMPARISONS \
	"^(int[248]|int24|int28|int42|int48|int82|int84|text|text_|bpchar|numeric_|date_|time_|timestamp_|timestamptz_|" \
	"uuid_|bool|bytea|enum_|char)(eq|ne|lt|le|gt|ge)$"

/* Casts to something wider, and what is added up. */
#define WIDENING \
	"{pg_catalog.int4(smallint),pg_catalog.int8(smallint),pg_catalog.int8(integer),pg_catalog.numeric(smallint)," \
	"pg_catalog.numeric(integer),pg_catalog.numeric(bigint),pg_catalog.text(character),pg_catalog.count()," \
	"\"pg_catalog.count(\\\"any\\\")\",pg_catalog.sum(smallint),pg_catalog.sum(integer),pg_catalog.sum(bigint)," \
	"pg_catalog.sum(numeric)}"

/* Functions of decimals with a declared number of digits, at most a thousand: 131072 have room. */
#define DECIMALS "{numeric_add,numeric_sub,numeric_mul,numeric_uminus}"
#define FACTORS_MAX "50"

#define HARMLESS(function) \
	"(" function ".pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND (" function ".proname ~ '" COMPARISONS \
	"' OR " function ".oid = ANY ('" WIDENING "'::pg_catalog.regprocedure[]) OR " function \
	".proname = ANY ('" DECIMALS \
	"') AND r.tree !~ ':vartype 1700 :vartypmod -1 ' AND (SELECT pg_catalog.count(*) FROM " \
	"pg_catalog.regexp_matches(r.tree, '\\{OPEXPR', 'g')) <= " FACTORS_MAX "))"

/* A word of an enumeration may be renamed. A domain hides how many digits there are, and what becomes of it is asked of
 * the log's columns too, which are NULL. What a time zone's name means a session may set, and a function that sets it
 * reads a file at each call: a moment is written without letters. $1 the query's text. */
/* clang-format off */
static const char judge_sql[] =
	"SELECT pg_catalog.min(x.what) FROM (SELECT w.ev_action::text AS tree FROM pg_catalog.pg_rewrite w WHERE "
	"w.ev_class = 'pg_temp.viewd_try_sums'::pg_catalog.regclass) r CROSS JOIN LATERAL ("
	"SELECT pg_catalog.lower(m.found[1]) AS what FROM pg_catalog.regexp_matches(r.tree, '\\{([A-Z_]+)', 'g') AS m "
	"(found) WHERE m.found[1] <> ALL ('" NODES "')"
	" UNION ALL SELECT f.oid::pg_catalog.regprocedure::text FROM pg_catalog.regexp_matches(r.tree, "
	"':(?:funcid|opfuncid|aggfnoid) ([0-9]+)', 'g') AS m (found) JOIN pg_catalog.pg_proc f ON f.oid = "
	"m.found[1]::pg_catalog.oid WHERE NOT " HARMLESS("f")
	" UNION ALL SELECT o.oid::pg_catalog.regoperator::text FROM pg_catalog.regexp_matches(r.tree, ':eqop ([0-9]+)', "
	"'g') AS m (found) JOIN pg_catalog.pg_operator o ON o.oid = m.found[1]::pg_catalog.oid JOIN pg_catalog.pg_proc f "
	"ON f.oid = o.oprcode WHERE NOT " HARMLESS("f")
	" UNION ALL SELECT 'a comparison of texts with two collations' FROM pg_catalog.regexp_matches(r.tree, ':opfuncid "
	"([0-9]+) [^{(]*:inputcollid 0 ', 'g') AS m (found) JOIN pg_catalog.pg_proc f ON f.oid = "
	"m.found[1]::pg_catalog.oid AND f.proname ~ '^(text|bpchar)'"
	" UNION ALL SELECT 'a constant of type ' || y.oid::pg_catalog.regtype FROM pg_catalog.regexp_matches(r.tree, "
	"':consttype ([0-9]+)', 'g') AS m (found) JOIN pg_catalog.pg_type y ON y.oid = m.found[1]::pg_catalog.oid AND "
	"y.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace"
	" UNION ALL SELECT 'a value of type ' || y.oid::pg_catalog.regtype FROM pg_catalog.pg_attribute a JOIN "
	"pg_catalog.pg_type y ON y.oid = a.atttypid AND y.typtype = 'd' WHERE a.attrelid = "
	"'pg_temp.viewd_try'::pg_catalog.regclass AND a.attnum > 0"
	" UNION ALL SELECT 'the name of a time zone' WHERE r.tree ~ ':consttype 1184 ' AND ($1 ~ '[$]|--|/[*]' OR EXISTS "
	"(SELECT FROM pg_catalog.regexp_matches($1, '''([^'']*)''', 'g') AS m (found) WHERE m.found[1] ~ '[0-9]' AND "
	"m.found[1] !~ '^[-+0-9 .:/TtZz]*$'))) x";
/* clang-format on */

struct verdict {
	bool told;
	char what[120];
};

static bool take_verdict_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct verdict *verdict = ctx;
	verdict->told = true;
	snprintf(verdict->what, sizeof verdict->what, "%s", v[0] != NULL ? v[0] : "");
	return false;
}

static const struct db_reader take_verdict[] = {{take_verdict_fn, "T", "what the sums of a log call"}};

/* A backslash, which a setting may take for the beginning of something else, or a number with an exponent, which may
 * have any number of digits. */
static bool is_odd(const char *text)
{
	if (strchr(text, '\\') != NULL)
		return true;
	for (const char *at = text; *at != '\0'; at++)
		if ((*at == 'e' || *at == 'E') && at > text && strchr("0123456789.", at[-1]) != NULL &&
		    strchr("0123456789+-", at[1]) != NULL)
			return true;
	return false;
}

static bool judge(struct viewd_conn *conn, const struct log_sums *sums, struct verdict *out, struct viewd_err *err)
{
	char *text = sql_add(sql_new(NULL), "%s%s", sums->before, sums->after);
	const char *params[] = {text};
	bool odd = is_odd(text);
	if (odd)
		snprintf(out->what, sizeof out->what, "a constant");
	bool done = odd || (pg_execf(conn, err, "CREATE TEMPORARY VIEW viewd_try_sums AS %spg_temp.viewd_try%s",
	                             sums->before, sums->after) &&
	                    pg_op_query(&conn->db, judge_sql, params, 1, take_verdict, out, err) &&
	                    pg_exec(conn, "DROP VIEW pg_temp.viewd_try_sums", err));
	talloc_free(text);
	return done;
}

bool pg_sums_are_harmless(struct viewd_conn *conn, const struct change_log *log, struct viewd_err *err)
{
	struct verdict verdict = {false, ""};
	if (!judge(conn, log->sums, &verdict, err))
		return false;
	return (verdict.told && verdict.what[0] == '\0') ||
	       err_set(err, VIEWD_ERR_CONFIG, "sums of '%s' are not made where rows are written: %s may fail there",
	               log->source.name, verdict.what);
}
