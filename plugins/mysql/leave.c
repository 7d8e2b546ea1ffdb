/* SPDX-License-Identifier: MIT
 *
 * leave.c: what takes viewd out of a database: triggers, whose tables may be in other databases, the procedures they
 * call, then the tables; and the tag in the comments of its views' tables, which are ordinary ones from then on. Each
 * statement commits by itself and locks one table.
 */
#include "mysql/capture/trigger_procedure.h"

#include <string.h>

#include "mysql/incremental/log.h"
#include "mysql/objects/tag.h"

#define TRIGGERS_SQL \
	"SELECT TRIGGER_SCHEMA, TRIGGER_NAME, ACTION_STATEMENT FROM information_schema.TRIGGERS" \
	" WHERE TRIGGER_NAME REGEXP '^viewd_([iud]_[0-9a-f]{16}|l[iudc]_[0-9]+(_[0-9a-f]{16})?)$' ORDER BY 1, 2"

/* In the URL's database by their plain names, elsewhere by those of trigger_procedure.h, which say whose they are. */
#define ROUTINES_SQL \
	"SELECT 'DROP PROCEDURE', ROUTINE_SCHEMA, ROUTINE_NAME, '' FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = " \
	"'PROCEDURE'" \
	" AND ROUTINE_COMMENT LIKE '" NOTE_COMMENT "%' AND (ROUTINE_NAME IN (?, ?) OR ROUTINE_NAME REGEXP ? OR " \
	"ROUTINE_SCHEMA = DATABASE() AND (ROUTINE_NAME IN ('" NOTE_PREFIX "', '" NOTE_TEST_PREFIX "') OR ROUTINE_NAME " \
	"REGEXP '^" LOG_ROUTINES "_[0-9]+$')) ORDER BY 2, 3"

/* The tables that are always there, and probes that a killed process has left. */
#define TABLES_SQL \
	"SELECT CONCAT('DROP ', IF(t.TABLE_TYPE = 'VIEW', 'VIEW', 'TABLE')), t.TABLE_SCHEMA, t.TABLE_NAME, ''" \
	" FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = DATABASE() AND (t.TABLE_NAME LIKE 'viewd\\_probe\\_%'" \
	" AND t.TABLE_TYPE = 'VIEW' OR t.TABLE_NAME IN ('viewd_changes', 'viewd_slots', 'viewd_triggers', " \
	"'viewd_tables', 'viewd_position'," \
	" 'viewd_intents', 'viewd_daemon', '" LOG_SEEN "', " STATE_TABLES_SQL ") OR t.TABLE_NAME REGEXP " \
	"'^viewd_change_[0-9]+$')" \
	" ORDER BY t.TABLE_TYPE <> 'VIEW', t.TABLE_NAME = 'viewd_view_state', t.TABLE_NAME"

struct leavings {
	struct viewd_conn *conn;
	void *mem;
	const struct db_reader *row;
	void *ctx;
	bool more, good;
	struct viewd_err *err;
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

/* Whether viewd_triggers knows it or not. */
static bool give_trigger_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct leavings *list = ctx;

	const char *body = v[2] != NULL ? v[2] : "";

	return (!body_is_ours(list->conn, v[0], body) && !log_body_is_ours(list->conn, v[0], body)) ||
	       give(list, talloc_asprintf(list->mem, "DROP TRIGGER %s", quoted(list->mem, v[0], v[1])));
}

static bool give_one_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct leavings *list = ctx;

	return give(list, talloc_asprintf(list->mem, "%s %s%s", v[0], quoted(list->mem, v[1], v[2]), v[3]));
}

static const struct db_reader give_trigger[] = {{give_trigger_fn, "ttT", "triggers"}};
static const struct db_reader give_one[] = {{give_one_fn, "tttt", "what is left of viewd"}};

static bool has_identity(struct viewd_conn *conn, const char *name, bool *has_r, struct viewd_err *err)
{
	int64_t n;

	if (!my_query_int(conn, "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND "
	                        "TABLE_NAME = ?"
	                        " AND COLUMN_NAME = 'identity'", &name, 1, &n, err))
		return false;
	*has_r = n > 0;
	return true;
}

/* What is built aside goes; what has its name stays, without the tag. A comment that only looks like a tag may be
 * anybody's: those count that viewd has written down, as the object of a view or as one that was being made when it was
 * killed. */
static bool list_tagged(struct viewd_conn *conn, struct leavings *list, struct viewd_err *err)
{
	/* viewd_views: of an earlier version */
	static const char *const tables[] = {"viewd_view_state", "viewd_views", "viewd_intents"};
	char *known = talloc_strdup(list->mem, "SELECT '' AS identity");

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		bool has;
		if (!has_identity(conn, tables[i], &has, err))
			return false;
		if (has)
			known = talloc_asprintf_append(known, " UNION SELECT identity FROM %s", tables[i]);
	}
	char *sql = talloc_asprintf(list->mem,
	                            "SELECT IF(t.TABLE_NAME REGEXP '^viewd_(new|old)_[0-9a-f]{16}$', 'DROP TABLE', 'ALTER "
	                            "TABLE'), t.TABLE_SCHEMA,"
	                            " t.TABLE_NAME, IF(t.TABLE_NAME REGEXP '^viewd_(new|old)_[0-9a-f]{16}$', '', CONCAT(' "
	                            "COMMENT = ', QUOTE('')))"
	                            " FROM information_schema.TABLES t JOIN (%s) k ON k.identity = CONCAT('table:', "
	                            "SUBSTRING(t.TABLE_COMMENT, %zu, 32))"
	                            " WHERE t.TABLE_COMMENT LIKE '" TAG_PREFIX "%%' ORDER BY 1, 2, 3",
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
	struct leavings list = {
		.conn = conn, .mem = talloc_new(NULL), .row = row, .ctx = ctx, .more = true, .good = true, .err = err};
	bool good = my_query(db, TRIGGERS_SQL, NULL, 0, give_trigger, &list, err) &&
	            (!list.more || !list.good || list_routines(conn, &list, err)) &&
	            (!list.more || !list.good || list_tagged(conn, &list, err)) &&
	            (!list.more || !list.good || my_query(db, TABLES_SQL, NULL, 0, give_one, &list, err));

	talloc_free(list.mem);
	return good && list.good;
}
