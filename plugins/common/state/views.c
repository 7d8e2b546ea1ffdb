/* SPDX-License-Identifier: MIT */
#include "common/state/views.h"

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/state/state.h"
#include "common/text/digest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* ---- the table of before ---- */

static bool carry_out(struct db *db, const char *const *steps, size_t n, struct viewd_err *err)
{
	bool transaction = db->syntax->has.transactional_ddl;
	if (transaction && !db->ops->begin(db, DB_BEGIN_WRITE, err))
		return false;
	bool done = true;
	for (size_t i = 0; done && i < n && steps[i] != NULL; i++)
		done = db_exec(db, steps[i], err);
	done = done && (!transaction || db->ops->commit(db, err));
	if (!done && transaction)
		db->ops->rollback(db);
	return done;
}

static bool note_row_fn(void *ctx, const char *const *v UNUSED, size_t n UNUSED)
{
	*(bool *)ctx = true;
	return false;
}

static const struct db_reader note_row[] = {{note_row_fn, "T", "the state tables"}};

bool views_move(struct db *db, struct viewd_err *err)
{
	const struct syntax *syn = db->syntax;
	bool old = false;
	if (syn->views.is_table == NULL)
		return true;
	return db->ops->query(db, syn->views.is_table, NULL, 0, note_row, &old, err) &&
	       (!old || carry_out(db, syn->views.move, ARRAY_LEN(syn->views.move), err));
}

/* ---- the view ---- */

/* Without what a definition says and what identifies objects. */
static const char *const shown[] = {
	"name",           "relation",    "method", "created_time", "changed_time", "last_refresh_time", "last_success_time",
	"data_timestamp", "duration_ms", "rows",   "rows_written", "last_trigger", "last_action",       "last_result"};

/* entries: one row for each thing a view depends on; own: what is known of each view for itself, 2 stale, 1 unknown;
 * reach: each view with itself and all that it reads of viewd's. A change that the data lacks is not older than the
 * data. Of a simple view nothing is written down, so it is called fresh where everything else is. Quotes become the
 * engine's. Each expression has a name: MySQL takes its text for one, which is too long to be loaded from a dump. */
/* clang-format off */
#define ENTRIES_SQL \
	"(\"view\", dirty, deaf, changed) AS (SELECT c.\"view\", CASE WHEN (c.dirty_seq > c.clean_seq AND c.\"mode\" <> " \
	"'doubt') OR ({pending}) THEN 1 ELSE 0 END AS dirty," \
	" CASE WHEN c.\"mode\" = 'none' OR (c.dirty_seq > c.clean_seq AND c.\"mode\" = 'doubt') OR ({deaf}) THEN 1 " \
	"ELSE 0 END AS deaf," \
	" CASE WHEN c.dirty_seq > c.clean_seq AND c.\"mode\" <> 'doubt' THEN c.changed_time END AS changed" \
	" FROM {captures} c),"

#define OWN_SQL(entries) \
	" own (\"name\", \"method\", word, missing) AS (SELECT v.\"name\", v.\"method\", CASE WHEN v.\"method\" = " \
	"'simple' THEN 0" \
	" WHEN v.last_success_time IS NULL OR e.dirty > 0 THEN 2 WHEN e.deaf > 0 OR (e.deaf IS NULL AND v.followed = 0) " \
	"THEN 1 ELSE 0 END AS word," \
	" CASE WHEN e.dirty > 0 AND v.\"method\" <> 'simple' THEN CASE WHEN e.untold = 0 AND e.changed > " \
	"v.data_timestamp THEN e.changed" \
	" ELSE COALESCE(v.data_timestamp, e.changed) END END AS missing" \
	" FROM {state} v LEFT JOIN (SELECT x.\"view\", MAX(x.dirty) AS dirty, MAX(x.deaf) AS deaf, MIN(x.changed) AS " \
	"changed," \
	" MAX(CASE WHEN x.dirty > 0 AND x.changed IS NULL THEN 1 ELSE 0 END) AS untold FROM " entries \
	" x GROUP BY x.\"view\") e" \
	" ON e.\"view\" = v.\"name\"),"
/* clang-format on */

#define REACH_SQL \
	" reach (\"name\", below) AS (SELECT v.\"name\", v.\"name\" AS below FROM {state} v UNION SELECT r.\"name\", " \
	"v.\"name\" " \
	"FROM reach r" \
	" JOIN {captures} c ON c.\"view\" = r.below AND c.\"mode\" = 'kept' JOIN {state} v ON v.relation = c.source),"

#define WORDS_SQL \
	" words (\"name\", word, missing) AS (SELECT r.\"name\", CASE WHEN MAX(o.\"method\") = 'simple' AND " \
	"MIN(o.\"method\") = 'simple'" \
	" AND EXISTS (SELECT 1 FROM own w WHERE w.word > 0) THEN 1 ELSE MAX(o.word) END AS word, MIN(o.missing) AS " \
	"missing FROM reach r" \
	" JOIN own o ON o.\"name\" = r.below GROUP BY r.\"name\")"

static char *query_template(struct db *db, void *mem, const char *form)
{
	char *sql = sql_add(sql_new(mem), "WITH RECURSIVE %s " ENTRIES_SQL OWN_SQL("%s") REACH_SQL WORDS_SQL " SELECT ",
	                    form, form);
	for (size_t i = 0; i < ARRAY_LEN(shown); i++)
		sql = sql_add(sql, "v.\"%s\", ", shown[i]);
	sql = sql_add(sql,
	              "%s AS last_error, v.consecutive_errors,"
	              " CASE w.word WHEN 2 THEN 'STALE' WHEN 1 THEN 'UNKNOWN' ELSE 'FRESH' END AS freshness, w.missing AS "
	              "stale_since, CASE w.word WHEN 2 THEN ",
	              db->syntax->views.error != NULL ? db->syntax->views.error : "v.last_error");
	sql = sql_template(sql, db->syntax->time.seconds_since, "w.missing");
	sql = sql_add(sql, " WHEN 1 THEN NULL ELSE 0 END AS lag_seconds, ");
	sql = sql_template(sql, db->syntax->time.seconds_since, "v.last_success_time");
	return sql_add(sql, " AS age_seconds FROM {state} v JOIN words w ON w.\"name\" = v.\"name\"");
}

/* The slots {captures} ... of a template, and its quotes. */
static char *fill(struct db *db, void *mem, const char *tmpl)
{
	const struct {
		const char *slot, *text;
	} slots[] = {
		{"{pending}", db->syntax->views.pending != NULL ? db->syntax->views.pending : "1 = 0"},
		{"{deaf}", db->syntax->views.deaf != NULL ? db->syntax->views.deaf : "1 = 0"},
		{"{captures}", state_table(db, mem, "captures")},
		{"{state}", db->syntax->state.views},
	};
	char *sql = sql_new(mem);
	for (const char *at = tmpl; *at != '\0'; at++) {
		size_t i = 0;
		while (i < ARRAY_LEN(slots) && strncmp(at, slots[i].slot, strlen(slots[i].slot)) != 0)
			i++;
		if (i < ARRAY_LEN(slots)) {
			sql = sql_add(sql, "%s", slots[i].text);
			at += strlen(slots[i].slot) - 1;
		} else
			sql = sql_add(sql, "%c", *at == '"' ? db->syntax->names.quote : *at);
	}
	return sql;
}

/* The digest of a form is the name of its first part, which every server keeps. */
static char *query_of(struct db *db, void *mem, char form[static 32])
{
	char digest[DIGEST_SIZE];
	digest_text(fill(db, mem, query_template(db, mem, "entries")), digest);
	snprintf(form, 32, "entries_%.16s", digest);
	return fill(db, mem, query_template(db, mem, form));
}

struct seen {
	const char *form;
	bool same;
};

static bool compare_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct seen *seen = ctx;
	seen->same = v[0] != NULL && strstr(v[0], seen->form) != NULL;
	return false;
}

static const struct db_reader compare[] = {{compare_fn, "T", "the view of freshness"}};

static bool make_view(struct db *db, void *mem, const char *query, struct viewd_err *err)
{
	const struct syntax *syn = db->syntax;
	const char *steps[ARRAY_LEN(syn->views.make)] = {NULL};
	for (size_t i = 0; i < ARRAY_LEN(steps) && syn->views.make[i] != NULL; i++)
		steps[i] = sql_template(sql_new(mem), syn->views.make[i], query);
	return carry_out(db, steps, ARRAY_LEN(steps), err);
}

/* An error that cannot be mended by trying again leaves viewd itself as it is. */
static bool can_do_without(const struct viewd_err *failure)
{
	return failure->cls == VIEWD_ERR_DENIED || failure->cls == VIEWD_ERR_EXISTS || failure->cls == VIEWD_ERR_MISSING ||
	       failure->cls == VIEWD_ERR_QUERY;
}

bool views_make(struct db *db, struct viewd_err *err)
{
	char form[32];
	if (db->syntax->views.form == NULL)
		return true;
	void *mem = talloc_new(NULL);
	struct viewd_err failure = {0};
	char *query = query_of(db, mem, form);
	struct seen seen = {.form = form};
	bool good = db->ops->query(db, db->syntax->views.form, NULL, 0, compare, &seen, &failure) &&
	            (seen.same || make_view(db, mem, query, &failure));
	talloc_free(mem);
	if (good)
		return true;
	if (can_do_without(&failure)) {
		db_log(db, VIEWD_LOG_WARNING,
		       "database '%s', the view that tells applications how fresh views are is not made (%s)",
		       db->database_name, failure.msg);
		return true;
	}
	if (err != NULL)
		*err = failure;
	return false;
}
