/* SPDX-License-Identifier: MIT
 *
 * look.c: asks whether change logs are as they were made, and what they hold that a view has not read. One question
 * for all logs of a view, since a turn to the server costs as much as the answer.
 */
#include "postgresql/incremental/log_objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/incremental/change_log.h"
#include "common/sqltext/sqltext.h"
#include "common/text/copy.h"
#include "common/text/number.h"
#include "postgresql/incremental/glance.h"

#define GENERIC_PLANS_VERSION 120000

/* ---- sound ---- */

/* SQL: called(oid), the users' functions that a definition with these names may call: those of a name, those behind
 * operators and casts, which it does not name, and what these call themselves. Of that the server knows only a part, so
 * every function counts whose name occurs in a body. Bodies in C (13) and the server's own (12) say nothing. */
#define USERS "16384" /* the first oid that is not the server's own */
/* clang-format off */
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
/* clang-format on */

/* One text a log of everything that decides whether changes are logged, and what a definition's keys were derived from;
 * also of the functions that it calls, and of the view's inner nodes. What the catalogue writes in place (statistics)
 * is not in it. Whether the log fits is found out when the text is another one than at the last reading. $1 the
 * sources, $2 the logs' numbers, $3 the view; {} is for names in the definition. */
/* clang-format off */
static const char sound_form[] =
	"WITH RECURSIVE " CALLED_SQL ", f AS MATERIALIZED (SELECT pg_catalog.string_agg(f.oid || ' ' || f.xmin::text, ' ' "
	"ORDER BY f.oid) AS text FROM called c JOIN pg_catalog.pg_proc f ON f.oid = c.oid)"
	", k AS MATERIALIZED (SELECT pg_catalog.count(*) FILTER (WHERE c.oid IS NULL) AS lacking, "
	"pg_catalog.string_agg(pg_catalog.concat_ws(' ', k.node, c.oid, c.relfilenode, c.xmin), ' ' ORDER BY k.node) AS "
	"text, pg_catalog.string_agg(c.oid::text, ',') AS oids FROM viewd.nodes k LEFT JOIN LATERAL (SELECT c.oid, "
	"c.relfilenode, c.xmin FROM pg_catalog.pg_class c WHERE "
	"c.oid = pg_catalog.to_regclass('viewd.node_' || k.node) OFFSET 0) c ON true WHERE k.view = $3)"
	", v AS MATERIALIZED (SELECT v.log, v.place, pg_catalog.to_regclass(v.source)::pg_catalog.oid AS source, "
	"pg_catalog.to_regclass('viewd.change_' || v.log)::pg_catalog.oid AS change, pg_catalog.to_regclass('viewd.full_' "
	"|| v.log)::pg_catalog.oid AS full, pg_catalog.to_regproc('viewd.log_' || v.log || '_row')::pg_catalog.oid AS "
	"row_function, pg_catalog.to_regproc('viewd.log_' || v.log || '_rows')::pg_catalog.oid AS rows_function, "
	"pg_catalog.to_regproc('viewd.change_is_good')::pg_catalog.oid AS good_function FROM ROWS FROM "
	"(pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) WITH ORDINALITY AS v (source, log, place))"
	" SELECT x.* FROM v CROSS JOIN f CROSS JOIN k CROSS JOIN LATERAL (WITH RECURSIVE " PG_BELOW_SQL("v.source")
	" SELECT CASE WHEN l.oid IS NULL OR q.oid IS NULL OR v.source IS NULL THEN 'its table is gone'"
	" WHEN p.n < CASE WHEN v.row_function IS NULL THEN 2 ELSE 3 END THEN 'its functions are gone'"
	" WHEN NOT (same.yes OR viewd.change_is_good(l.oid, q.oid, v.source)) THEN 'it does not fit the source'"
	" WHEN t.lacking > 0 THEN 'triggers are missing or disabled'"
	" WHEN EXISTS (SELECT FROM (VALUES (v.row_function), (v.rows_function)) u (oid) CROSS JOIN LATERAL (SELECT "
	"d.classid, d.objid FROM "
	"pg_catalog.pg_depend d WHERE d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid = u.oid "
	"OFFSET "
	"0) d JOIN pg_catalog.pg_trigger g ON g.oid = d.objid WHERE d.classid = "
	"'pg_catalog.pg_trigger'::pg_catalog.regclass AND g.tgrelid NOT IN (SELECT b.oid FROM below b)) THEN "
	"'other tables write to it'"
	" WHEN k.lacking > 0 THEN 'an inner node is gone' END, digest.text, v.source, pg_catalog.concat_ws(',', v.source, "
	"v.change, v.full), pg_catalog.concat_ws(',', v.row_function, v.rows_function, v.good_function), k.oids"
	" FROM (SELECT 1) one LEFT JOIN pg_catalog.pg_class l ON l.oid = v.change"
	" LEFT JOIN pg_catalog.pg_class q ON q.oid = v.full"
	" CROSS JOIN LATERAL (SELECT pg_catalog.count(*) AS n, pg_catalog.string_agg(f.oid || ' ' || f.xmin::text, ' ' "
	"ORDER BY f.oid) AS text FROM pg_catalog.pg_proc f WHERE f.oid IN (v.row_function, v.rows_function, "
	"v.good_function) AND f.prosecdef) p"
	" CROSS JOIN LATERAL (SELECT pg_catalog.count(*) FILTER (WHERE g.oid IS NULL OR g.tgenabled NOT IN ('O', 'A')) AS "
	"lacking, pg_catalog.string_agg(pg_catalog.concat_ws(' ', c.oid, c.relfilenode, c.relkind, c.relrowsecurity, "
	"EXISTS (SELECT 1 FROM pg_catalog.pg_subscription_rel r WHERE r.srrelid = c.oid), g.oid, g.xmin, g.tgenabled), ' ' "
	"ORDER BY c.oid, w.suffix) AS text FROM below b CROSS JOIN LATERAL (SELECT * FROM pg_catalog.pg_class c WHERE "
	"c.oid = b.oid AND c.relkind IN ('r', "
	"'p') OFFSET 0) c JOIN " PG_WANTED_SQL("(v.row_function IS NOT NULL)")
	" LEFT JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid AND g.tgname = 'viewd_log_' || v.log || '_' || w.suffix "
	"AND "
	"g.tgfoid = CASE w.kind WHEN 'row' THEN v.row_function ELSE v.rows_function END) t"
	" CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.attnum, a.attname, a.atttypid, "
	"a.atttypmod, a.attcollation, a.attnotnull, a.attisdropped), ' ' ORDER BY a.attrelid, a.attnum) AS text FROM "
	"pg_catalog.pg_attribute a WHERE a.attrelid = ANY (ARRAY[v.source, v.change]) AND a.attnum > 0) s"
	" CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', x.indexrelid, x.indisvalid, "
	"x.indimmediate), ' ' ORDER BY x.indexrelid) AS text FROM pg_catalog.pg_index x WHERE x.indrelid = v.source AND "
	"x.indisunique) i"
	" CROSS JOIN LATERAL (SELECT pg_catalog.md5(pg_catalog.concat_ws(' ', l.oid, l.xmin, l.relfilenode, l.relhasindex, "
	"q.oid, q.xmin, p.text, t.text, s.text, i.text, f.text, k.text)) AS text OFFSET 0) digest"
	" CROSS JOIN LATERAL (SELECT coalesce(pg_catalog.starts_with((SELECT r.looked FROM viewd.log_readers r WHERE r.log "
	"= v.log::pg_catalog.int8 AND r.view = $3), digest.text), false) AS yes OFFSET 0) same"
	") x ORDER BY v.place";
/* clang-format on */

struct looking {
	struct change_log *logs;
	struct pg_seen *seen; /* one for each of them */
	size_t n, sound, unread;
	bool glanced;
};

static bool take_sound_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct looking *looking = ctx;
	if (looking->sound == looking->n)
		return false;
	struct change_log *log = &looking->logs[looking->sound];
	struct pg_seen *seen = &looking->seen[looking->sound++];
	log->unsound = v[0] != NULL;
	if (v[0] != NULL)
		copy_text(log->why, sizeof log->why, v[0]);
	copy_text(seen->digest, sizeof seen->digest, v[1]);
	copy_text(seen->source, sizeof seen->source, v[2]);
	copy_text(seen->relations, sizeof seen->relations, v[3]);
	copy_text(seen->functions, sizeof seen->functions, v[4]);
	copy_text(seen->nodes, sizeof seen->nodes, v[5]);
	return true;
}

static const struct db_reader take_sound[] = {{take_sound_fn, "TTTTTT", "what change logs are"}};

/* Appends an element to the text of an array, which "{" begins. */
static char *add_element(char *text, const char *element)
{
	text = sql_add(text, "%s\"", text[0] == '{' && text[1] == '\0' ? "" : ",");
	for (; *element != '\0'; element++)
		text = sql_add(text, "%s%c", *element == '"' || *element == '\\' ? "\\" : "", *element);
	return sql_add(text, "\"");
}

static void ask_sound(struct viewd_conn *conn, void *mem, const char *view, struct looking *looking)
{
	char *sources = sql_add(sql_new(mem), "{"), *numbers = sql_add(sql_new(mem), "{"), number[24];
	const char *names = looking->n > 0 && looking->logs[0].names != NULL ? looking->logs[0].names : "";
	for (size_t i = 0; i < looking->n; i++) {
		snprintf(number, sizeof number, "%" PRId64, looking->logs[i].number);
		sources = add_element(sources, relation_quoted(&pg_syntax, mem, &looking->logs[i].source));
		numbers = add_element(numbers, number);
	}
	const char *params[] = {sql_add(sources, "}"), sql_add(numbers, "}"), view};
	looking->sound = 0;
	pg_queue_again(conn, sql_template(sql_new(mem), sound_form, names), params, ARRAY_LEN(params), take_sound, looking);
}

/* ---- unread ---- */

/* Most rows are told by comparing numbers: not visible is what is not below `high`, visible what is below `low`. */
#define PLACE_SQL(place) \
	"SELECT p." place ", pg_catalog.pg_snapshot_xmin(p." place ") AS viewd_low, pg_catalog.pg_snapshot_xmax(p." place \
	") AS viewd_high FROM "
#define UNREAD_SQL(place) \
	"(viewd_xid >= viewd_high OR (viewd_xid >= viewd_low AND NOT pg_catalog.pg_visible_in_snapshot(viewd_xid, " place \
	")))"

/* Slots: the log's number, the number of the answer. The sequence has another value after each time that writers were
 * let on (overflow.c). Who has never read has a position that is older than all. */
/* clang-format off */
#define UNREAD_FORM \
	"SELECT pg_catalog.count(*) FILTER (WHERE news AND viewd_sign IN (-1, 1)), pg_catalog.bool_or(viewd_sign = 0), " \
	"pg_catalog.pg_sequence_last_value('viewd.full_%1$" PRId64 "') IS NOT NULL, " \
	"pg_catalog.bool_or(news AND viewd_sign = 2), pg_catalog.bool_or(viewd_sign = 0 AND viewd_xid > viewd_low), " \
	"(SELECT last_value FROM viewd.full_%1$" PRId64 "), " \
	"pg_catalog.count(*) FILTER (WHERE NOT news AND viewd_sign <> 0), %2$zu AS n FROM (WITH r AS MATERIALIZED (" \
	PLACE_SQL("viewd_place") "(SELECT coalesce((SELECT position FROM viewd.log_readers WHERE log = %1$" PRId64 \
	" AND view = $1), '1:1:')::pg_catalog.pg_snapshot AS viewd_place OFFSET 0) p) SELECT viewd_sign, " \
	"viewd_xid, viewd_low, " UNREAD_SQL("viewd_place") " AS news FROM r, viewd.change_%1$" PRId64 ") r"
/* clang-format on */

static bool is_true(const char *value)
{
	return value != NULL && value[0] == 't';
}

static bool take_unread_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct looking *looking = ctx;
	if (looking->unread == looking->n)
		return false;
	struct change_log *log = &looking->logs[looking->unread];
	const char *why = NULL;
	log->unread = number_or(v[0], 0);
	log->read = number_or(v[6], 0);
	if (!is_true(v[1]))
		why = "the log was emptied";
	else if (is_true(v[2]))
		why = "more was changed than the log holds";
	else if (is_true(v[3]))
		why = "the table was truncated, or a change could not be logged";
	else if (is_true(v[4]))
		why = "more was changed a while ago than the log holds";
	log->everything |= why != NULL;
	if (why != NULL && !log->unsound)
		snprintf(log->why, sizeof log->why, "%s", why);
	copy_text(looking->seen[looking->unread++].place, sizeof looking->seen->place, v[5]);
	return true;
}

static const struct db_reader take_unread[] = {{take_unread_fn, "nTtTTtnn", "what change logs hold"}};

/* A log whose table is gone fails the question: then it is asked again with care. */
static void ask_unread(struct viewd_conn *conn, void *mem, const char *view, struct looking *looking)
{
	char *sql = sql_new(mem);
	for (size_t i = 0; i < looking->n; i++) {
		sql = sql_add(sql, "%s", i > 0 ? " UNION ALL " : "");
		sql = sql_add(sql, UNREAD_FORM, looking->logs[i].number, i + 1);
	}
	pg_queue_again(conn, sql_add(sql, " ORDER BY n"), &view, 1, take_unread, looking);
}

static void judge(struct change_log *log)
{
	bool same = log->last_looked != NULL && strcmp(log->last_looked, log->looked) == 0;
	if (log->position == NULL && !log->everything)
		snprintf(log->why, sizeof log->why, "the log has not been read before");
	else if (log->position != NULL && !log->everything && !same)
		snprintf(log->why, sizeof log->why, "the table, its triggers, a function or an inner node was changed");
	log->everything |= log->position == NULL || !same;
}

/* Plans are for whatever parameters: the statements of a refresh are the same each time, and planning them anew costs
 * more than running them. */
static void keep_plans(struct viewd_conn *conn)
{
	if (PQserverVersion(conn->pg) >= GENERIC_PLANS_VERSION)
		pg_queue(conn, "SET LOCAL plan_cache_mode = force_generic_plan", NULL, 0, NULL, NULL);
}

/* The answers go to what is found again by the memory that the reader's answers hang on. */
bool pg_op_ask_logs(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                    struct viewd_err *err UNUSED)
{
	struct looking *looking = talloc_zero(mem_ctx, struct looking);
	assert(looking != NULL);
	if (n == 0)
		return true;
	*looking =
		(struct looking){.logs = logs, .seen = talloc_zero_array(looking, struct pg_seen, (unsigned)n + 1), .n = n};
	assert(looking->seen != NULL);
	logs[0].looking = looking;
	keep_plans(pg_of(db));
	looking->glanced = !logs[0].careful && pg_glance_ask(pg_of(db), logs, n);
	if (!looking->glanced)
		ask_sound(pg_of(db), mem_ctx, view, looking);
	if (!logs[0].careful)
		ask_unread(pg_of(db), mem_ctx, view, looking);
	return true;
}

static bool all_sound(const struct looking *looking)
{
	bool sound = true;
	for (size_t i = 0; i < looking->n; i++)
		sound &= !looking->logs[i].unsound;
	return sound;
}

/* A whole look, unless a glance has been enough. */
static bool see(struct viewd_conn *conn, void *mem_ctx, const char *view, struct looking *looking,
                struct viewd_err *err)
{
	struct change_log *logs = looking->logs;
	if (looking->glanced && pg_glance_same(logs, looking->seen, looking->n))
		return true;
	if (looking->glanced) {
		ask_sound(conn, mem_ctx, view, looking);
		if (!pg_flush(conn, err))
			return false;
	}
	if (!all_sound(looking))
		return true;
	pg_glance_remember(conn, logs, looking->seen, looking->n);
	if (!logs[0].careful)
		return true;
	ask_unread(conn, mem_ctx, view, looking);
	return pg_flush(conn, err);
}

bool pg_op_judge_logs(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                      struct viewd_err *err)
{
	struct looking *looking = n > 0 ? logs[0].looking : NULL;
	if (looking == NULL)
		return true;
	if (!see(pg_of(db), mem_ctx, view, looking, err))
		return false;
	logs[0].looking = NULL;
	for (size_t i = 0; i < n && all_sound(looking); i++) {
		logs[i].looked = talloc_asprintf(mem_ctx, "%s %s", looking->seen[i].digest, looking->seen[i].place);
		judge(&logs[i]);
	}
	return true;
}

char *pg_op_unread(struct db *db, void *mem_ctx, const char *view, const struct change_log *log)
{
	char *sql = talloc_asprintf(
		mem_ctx,
		"(SELECT viewd_l.* FROM %s viewd_l, (" PLACE_SQL(
			"viewd_place") "(SELECT position::pg_catalog.pg_snapshot AS viewd_place FROM viewd.log_readers WHERE log "
						   "= %" PRId64
						   " AND view = %s OFFSET 0) p OFFSET 0) viewd_r WHERE viewd_sign IN (-1, 1) AND " UNREAD_SQL(
							   "viewd_place") ")",
		change_log_table(db, mem_ctx, log->number), log->number, literal_quoted(&pg_syntax, mem_ctx, view));
	assert(sql != NULL);
	return sql;
}

/* A transaction's own images are in no snapshot that can be stored, so the next reading sees them once more. */
static char *add_own(char *sql, const struct change_log *log)
{
	if (!log->summed || !log->shared)
		return sql;
	return sql_add(sql,
	               " AND NOT EXISTS (SELECT 1 FROM viewd.change_%" PRId64
	               " WHERE viewd_xid = pg_catalog.pg_current_xact_id_if_assigned())",
	               log->number);
}

/* While writers log nothing no position is worth anything. */
char *pg_op_position(void *mem_ctx, const struct change_log *log)
{
	char *sql = sql_add(sql_new(mem_ctx),
	                    "CASE WHEN pg_catalog.pg_sequence_last_value('viewd.full_%" PRId64 "') IS NULL", log->number);
	return sql_add(add_own(sql, log), " THEN pg_catalog.pg_current_snapshot()::text END");
}
