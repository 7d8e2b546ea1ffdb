/* SPDX-License-Identifier: MIT
 *
 * leave.c: what takes viewd out of a database: triggers, whose tables may be in other databases, the procedures they
 * call, then the tables; and the tag in the comments of its views' tables, which are ordinary ones from then on. Each
 * statement commits by itself and locks one table.
 */
#include "mysql/capture/trigger_procedure.h"

#include <string.h>

#include "common/sqltext/sqltext.h"
#include "common/text/number.h"
#include "mysql/incremental/log.h"
#include "mysql/objects/tag.h"

#define TRIGGERS_SQL \
	"SELECT TRIGGER_SCHEMA, TRIGGER_NAME, ACTION_STATEMENT FROM information_schema.TRIGGERS" \
	" WHERE TRIGGER_NAME REGEXP '^viewd_([iud]_[0-9a-f]{16}|l[iudc]_[0-9]+(_[0-9a-f]{16})?)$' ORDER BY 1, 2"

/* In the URL's database by their plain names, elsewhere by those of trigger_procedure.h, which say whose they are. */
/* clang-format off */
#define ROUTINES_SQL \
	"SELECT 'DROP PROCEDURE', ROUTINE_SCHEMA, ROUTINE_NAME, '' FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = " \
	"'PROCEDURE'" \
	" AND ROUTINE_COMMENT LIKE '" NOTE_COMMENT "%' AND (ROUTINE_NAME IN (?, ?) OR ROUTINE_NAME REGEXP ? OR " \
	"ROUTINE_SCHEMA = DATABASE() AND (ROUTINE_NAME IN ('" NOTE_PREFIX "', '" NOTE_TEST_PREFIX "') OR ROUTINE_NAME " \
	"REGEXP '^" LOG_ROUTINES "_[0-9]+$')) ORDER BY 2, 3"
/* clang-format on */

/* The tables that are always there (viewd_log_seen: of an older version), and probes that a killed process has left. */
/* clang-format off */
#define TABLES_SQL \
	"SELECT CONCAT('DROP ', IF(t.TABLE_TYPE = 'VIEW', 'VIEW', 'TABLE')), t.TABLE_SCHEMA, t.TABLE_NAME, ''" \
	" FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = DATABASE() AND (t.TABLE_NAME LIKE 'viewd\\_probe\\_%'" \
	" AND t.TABLE_TYPE = 'VIEW' OR t.TABLE_NAME IN ('viewd_changes', 'viewd_slots', 'viewd_triggers', " \
	"'viewd_tables', 'viewd_position'," \
	" 'viewd_intents', 'viewd_daemon', 'viewd_probed'," \
	" 'viewd_log_seen', " STATE_TABLES_SQL ") OR t.TABLE_NAME REGEXP " \
	"'^viewd_(change|node)_[0-9]+$')" \
	" ORDER BY t.TABLE_TYPE <> 'VIEW', t.TABLE_NAME = 'viewd_view_state', t.TABLE_NAME"
/* clang-format on */

struct leavings {
	struct viewd_conn *conn;
	void *mem;
	const struct db_reader *row;
	void *ctx;
	bool more, good;
	struct viewd_err *err;
	struct texts recorded, shown; /* triggers, quoted: those that viewd has written down, and those in the catalogue */
	struct texts parents;         /* what the names begin with, quoted, that a log's triggers on parents have */
};

static char *quoted(void *mem, const char *schema, const char *name)
{
	char *text = ident_append(&my_syntax, talloc_strdup(mem, ""), schema);

	return ident_append(&my_syntax, talloc_strdup_append(text, "."), name);
}

static bool give(struct leavings *list, const char *sql)
{
	const char *const values[] = {sql};

	list->good = db_give(list->row, list->ctx, values, 1, &list->more, list->err);
	return list->good && list->more;
}

static bool is_recorded(const struct leavings *list, const char *name)
{
	for (size_t i = 0; i < list->parents.n; i++)
		if (strncmp(name, list->parents.items[i], strlen(list->parents.items[i])) == 0)
			return true;
	return texts_contain(&list->recorded, name);
}

/* Whether viewd_triggers knows it or not. What may not be seen is taken for viewd's where nobody else's is to be
 * expected: in its own database, or where it has written it down. */
static bool give_trigger_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct leavings *list = ctx;
	const char *const name[] = {quoted(list->mem, v[0], v[1])};

	texts_keep(&list->shown, name, 1);
	if (v[2] == NULL) {
		list->good = (!note_is_home(list->conn, v[0]) && !is_recorded(list, name[0])) ||
		             trigger_hidden(list->conn, v[0], v[1], list->err);
		return list->good;
	}
	return (!body_is_ours(list->conn, v[0], v[2]) && !log_body_is_ours(list->conn, v[0], v[2])) ||
	       give(list, talloc_asprintf(list->mem, "DROP TRIGGER %s", name[0]));
}

static bool give_one_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct leavings *list = ctx;

	return give(list, talloc_asprintf(list->mem, "%s %s%s", v[0], quoted(list->mem, v[1], v[2]), v[3]));
}

static const struct db_reader give_trigger[] = {{give_trigger_fn, "ttT", "triggers"}};
static const struct db_reader give_one[] = {{give_one_fn, "tttt", "what is left of viewd"}};

/* ---- triggers ---- */

static bool has_column(struct viewd_conn *conn, const char *table, const char *column, bool *has_r,
                       struct viewd_err *err)
{
	const char *params[] = {table, column};
	int64_t n;

	if (!my_query_int(conn,
	                  "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND "
	                  "TABLE_NAME = ? AND COLUMN_NAME = ?",
	                  params, ARRAY_LEN(params), &n, err))
		return false;
	*has_r = n > 0;
	return true;
}

static bool record_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct leavings *list = ctx;
	const char *const name[] = {quoted(list->mem, v[0], v[1])};

	return texts_contain(&list->recorded, name[0]) || texts_keep(&list->recorded, name, 1);
}

static const struct db_reader record[] = {{record_fn, "tt", "the triggers of viewd"}};

/* {number, source} */
static bool record_log_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct leavings *list = ctx;
	struct relation rel, source;
	struct log_plan *plan = talloc_zero(list->mem, struct log_plan);

	if (!relation_parse(&my_syntax, v[1], &rel, NULL))
		return true;
	my_place(list->conn, &rel, &source);
	log_names(list->conn, list->mem, number_or(v[0], 0), &source, plan);
	for (size_t i = 0; i < plan->n_triggers; i++) {
		const char *const name[] = {source.schema, plan->triggers[i].name};
		record_fn(list, name, ARRAY_LEN(name));
	}
	char *prefix[] = {quoted(list->mem, source.schema, talloc_asprintf(list->mem, LOG_PARENTS "_%s_", v[0]))};
	prefix[0][strlen(prefix[0]) - 1] = '\0';
	return texts_keep(&list->parents, (const char *const *)prefix, 1);
}

static const struct db_reader record_log[] = {{record_log_fn, "nt", "the change logs of viewd"}};

/* After a round the tables are gone. */
static bool find_recorded(struct leavings *list, struct viewd_err *err)
{
	struct db *db = &list->conn->db;
	bool triggers = false, logs = false;

	return has_column(list->conn, "viewd_triggers", "source", &triggers, err) &&
	       has_column(list->conn, "viewd_change_logs", "source", &logs, err) &&
	       (!triggers ||
	        my_query(db, "SELECT IF(trigger_schema = '', DATABASE(), trigger_schema), trigger_name FROM viewd_triggers",
	                 NULL, 0, record, list, err)) &&
	       (!logs || my_query(db, "SELECT log, source FROM viewd_change_logs", NULL, 0, record_log, list, err));
}

/* A trigger that stayed would call what is gone, and writers who lock its table would be refused. */
static bool check_absent(const struct leavings *list, struct viewd_err *err)
{
	struct relation rel;

	for (size_t i = 0; i < list->recorded.n; i++)
		if (!texts_contain(&list->shown, list->recorded.items[i]) &&
		    relation_parse(&my_syntax, list->recorded.items[i], &rel, NULL) &&
		    !trigger_absent(list->conn, rel.schema, rel.name, err))
			return false;
	return true;
}

static bool list_triggers(struct leavings *list, struct viewd_err *err)
{
	return find_recorded(list, err) && my_query(&list->conn->db, TRIGGERS_SQL, NULL, 0, give_trigger, list, err) &&
	       (!list->more || !list->good || check_absent(list, err));
}

/* ---- all of it ---- */

/* A table that is built aside goes; one that has its name stays, without the tag. A comment that only looks like a tag
 * may be anybody's: those count that viewd has written down, as the object of a view or as one that was being made when
 * it was killed. */
static bool list_tagged(struct viewd_conn *conn, struct leavings *list, struct viewd_err *err)
{
	/* viewd_views: of an earlier version */
	static const char *const tables[] = {"viewd_view_state", "viewd_views", "viewd_intents"};
	char *known = talloc_strdup(list->mem, "SELECT '' AS identity");

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		bool has;
		if (!has_column(conn, tables[i], "identity", &has, err))
			return false;
		if (has)
			known = talloc_asprintf_append(known, " UNION SELECT identity FROM %s", tables[i]);
	}
	char *sql = talloc_asprintf(
		list->mem,
		"SELECT IF(t.TABLE_NAME REGEXP '^viewd_(new|old)_[0-9a-f]{16}$', 'DROP TABLE', 'ALTER TABLE'), t.TABLE_SCHEMA,"
		" t.TABLE_NAME, IF(t.TABLE_NAME REGEXP '^viewd_(new|old)_[0-9a-f]{16}$', '', CONCAT(' COMMENT = ', QUOTE('')))"
		" FROM information_schema.TABLES t JOIN (%s) k ON k.identity = CONCAT('table:', "
		"SUBSTRING(t.TABLE_COMMENT, %zu, 32)) WHERE t.TABLE_COMMENT LIKE '" TAG_PREFIX "%%' ORDER BY 1, 2, 3",
		known, strlen(TAG_PREFIX) + 1);
	return my_query(&conn->db, sql, NULL, 0, give_one, list, err);
}

static bool list_routines(struct viewd_conn *conn, struct leavings *list, struct viewd_err *err)
{
	char note[IDENT_MAX], test[IDENT_MAX], log[IDENT_MAX];
	const char *params[] = {note, test, log};

	log_routines_elsewhere(conn, log);
	my_lock_name(conn, NOTE_PREFIX "_", note);
	my_lock_name(conn, NOTE_TEST_PREFIX "_", test);
	return my_query(&conn->db, ROUTINES_SQL, params, ARRAY_LEN(params), give_one, list, err);
}

bool my_list_leavings(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	void *mem = talloc_new(NULL);
	struct leavings list = {.conn = conn, .mem = mem, .row = row, .ctx = ctx, .more = true, .good = true, .err = err};
	list.recorded.mem = list.shown.mem = list.parents.mem = mem;
	bool good = list_triggers(&list, err) && (!list.more || !list.good || list_routines(conn, &list, err)) &&
	            (!list.more || !list.good || list_tagged(conn, &list, err)) &&
	            (!list.more || !list.good || my_query(db, TABLES_SQL, NULL, 0, give_one, &list, err));

	talloc_free(mem);
	return good && list.good;
}
