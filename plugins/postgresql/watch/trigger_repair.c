/* SPDX-License-Identifier: MIT
 *
 * trigger_repair.c: triggers that are not as they should be. They are put right where that is possible; of what is left
 * the server's counters are read as where triggers cannot be made.
 */
#include "postgresql/watch/watch.h"

#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/state/marks.h"

#define GAP_MISSING "missing"
#define GAP_DISABLED "disabled"
#define GAP_SUBSCRIBED "subscribed"
#define GAP_QUIET "quiet" /* in replica sessions, of which we were told at the beginning: it is only put right */

struct gap {
	char *source, *relation, *what;
};
struct gaps {
	void *mem;
	struct gap *items;
	size_t n;
	char *text;
	char *sources;    /* those that are not noticed, as an array */
	const char *last; /* one of them */
};

static bool is_blind(const struct gap *gap)
{
	return strcmp(gap->what, GAP_QUIET) != 0;
}

static char *add_element(char *array, const char *text)
{
	array[strlen(array) - 1] = '\0';
	array = talloc_asprintf_append(array, array[1] != '\0' ? ",\"" : "\"");
	for (; *text != '\0'; text++)
		array = talloc_asprintf_append(array, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
	return talloc_strdup_append(array, "\"}");
}

static bool take_gap_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct gaps *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, struct gap, list->n + 1);
	assert(list->items != NULL);
	struct gap *gap = &list->items[list->n++];
	*gap = (struct gap){talloc_strdup(list->mem, v[0]), talloc_strdup(list->mem, v[1]), talloc_strdup(list->mem, v[2])};
	if (!is_blind(gap))
		return true;
	list->text = talloc_asprintf_append_buffer(list->text, "%s %s %s\n", v[0], v[1], v[2]);
	if (strcmp(list->last, gap->source) != 0)
		list->sources = add_element(list->sources, gap->source);
	list->last = gap->source;
	return true;
}

static const struct db_reader take_gap[] = {{take_gap_fn, "ttt", "triggers that are lacking"}};

static bool find_gaps(struct viewd_watch *w, struct gaps *list, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] = PG_TREE_SQL(
		"SELECT DISTINCT source FROM viewd.captures WHERE mode = 'trigger'") " SELECT * FROM ("
		"SELECT t.source, pg_catalog.format('%I.%I', n.nspname, c.relname), CASE WHEN g.oid IS NULL THEN '" GAP_MISSING
		"'"
		" WHEN g.tgenabled IN ('D', 'R') THEN '" GAP_DISABLED "'"
		" WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_subscription_rel r WHERE r.srrelid = c.oid) THEN '" GAP_SUBSCRIBED
		"'"
		" WHEN g.tgenabled = 'O' AND pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN '" GAP_QUIET "' END"
		PG_TRIGGERS_SQL
		" WHERE c.relpersistence <> 't') AS gap (source, relation, what) WHERE what IS NOT NULL ORDER BY 1, 2";
	/* clang-format on */
	list->n = 0;
	list->last = "";
	list->text = talloc_strdup(list->mem, "");
	list->sources = talloc_strdup(list->mem, "{}");
	return pg_op_query(&w->conn->db, sql, NULL, 0, take_gap, list, err);
}

static void tell_gap(struct viewd_watch *w, const struct gap *gap)
{
	const char *name = w->conn->db.database_name;
	if (strcmp(gap->what, GAP_MISSING) == 0)
		pg_log(w->conn, VIEWD_LOG_WARNING,
		       "database '%s', table %s had no trigger of viewd (a new table or "
		       "partition): it is made, views of %s are refreshed",
		       name, gap->relation, gap->source);
	else if (strcmp(gap->what, GAP_DISABLED) == 0)
		pg_log(w->conn, VIEWD_LOG_WARNING,
		       "database '%s', viewd's trigger on table %s is disabled: its changes are "
		       "noticed late, by the server's counters",
		       name, gap->relation);
	else if (strcmp(gap->what, GAP_SUBSCRIBED) == 0)
		pg_log(w->conn, VIEWD_LOG_WARNING,
		       "database '%s', table %s is written by logical replication: its changes are "
		       "noticed late, by the server's counters",
		       name, gap->relation);
}

static bool mend_triggers(struct viewd_watch *w, const struct gap *gap, struct viewd_err *err)
{
	struct db *db = &w->conn->db;
	struct relation rel;
	return relation_parse(db->syntax, gap->source, &rel, err) && pg_op_ready_triggers(db, &rel, err) &&
	       (!is_blind(gap) || marks_touch(db, gap->source, NULL, err));
}

/* A source that cannot be mended now is tried again at the next heartbeat; only a lost connection ends the watch. */
static bool mend_or_leave(struct viewd_watch *w, const struct gap *gap, bool news, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	if (mend_triggers(w, gap, &failed))
		return true;
	if (failed.cls == VIEWD_ERR_LOST || failed.cls == VIEWD_ERR_CONNECT || failed.cls == VIEWD_ERR_STANDBY) {
		if (err != NULL)
			*err = failed;
		return false;
	}
	if (news)
		pg_log(w->conn, VIEWD_LOG_WARNING, "database '%s', table %s has no trigger of viewd (%s)",
		       w->conn->db.database_name, gap->relation, failed.msg);
	return true;
}

static bool can_be_mended(const struct gap *gap)
{
	return strcmp(gap->what, GAP_MISSING) == 0 || !is_blind(gap);
}

/* Each source once: that makes all it lacks, or waits for a lock. */
static bool mend_all(struct viewd_watch *w, const struct gaps *list, bool news, struct viewd_err *err)
{
	const char *tried = "";
	bool good = true;
	for (size_t i = 0; good && i < list->n; i++) {
		const struct gap *gap = &list->items[i];
		if (news)
			tell_gap(w, gap);
		if (!can_be_mended(gap) || strcmp(tried, gap->source) == 0)
			continue;
		tried = gap->source;
		good = mend_or_leave(w, gap, news, err);
	}
	return good;
}

static bool touch(struct viewd_watch *w, const char *sources, struct viewd_err *err)
{
	const char *params[] = {sources};
	return strcmp(sources, "{}") == 0 ||
	       pg_op_exec(&w->conn->db, "UPDATE viewd.captures c SET " PG_RAISE " WHERE source = ANY ($1::text[])", params,
	                  1, NULL, err);
}

static void remember(struct viewd_watch *w, const struct gaps *list)
{
	talloc_free(w->gaps);
	talloc_free(w->blind);
	w->gaps = talloc_strdup(w, list->text);
	w->blind = talloc_strdup(w, list->sources);
}

bool pg_repair_triggers(struct viewd_watch *w, struct viewd_err *err)
{
	struct gaps list = {.mem = talloc_new(NULL)};
	bool good = find_gaps(w, &list, err);
	bool news = w->gaps == NULL || strcmp(w->gaps, list.text) != 0;
	/* A trigger is back: nobody knows what it has missed. */
	good = good && (!news || w->blind == NULL || touch(w, w->blind, err)) && mend_all(w, &list, news, err) &&
	       (list.n == 0 || find_gaps(w, &list, err));
	if (good)
		remember(w, &list);
	talloc_free(list.mem);
	return good;
}
