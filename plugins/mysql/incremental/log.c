/* SPDX-License-Identifier: MIT
 *
 * log.c: making and removing a change log. Every statement commits by itself: what a killed process leaves is found
 * not to be as it should be, and made again.
 */
#include "mysql/incremental/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "mysql/capture/capture.h"

#define NO_BLOCKS "MySQL has no statement that takes rows of a snapshot into a table (BEGIN NOT ATOMIC); MariaDB has it"
#define NO_LIVES "without the privilege PROCESS viewd does not see that a table was truncated; " GRANT_PROCESS
#define TABLE_SUFFIX " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
/* A value of the source's column fits the log's, whatever it is: also a date of zeros. */
#define PLAINLY "SET STATEMENT sql_mode = '' FOR "

bool my_incremental_possible(struct db *db, const char **why_r, struct viewd_err *err UNUSED)
{
	struct viewd_conn *conn = my_conn(db);
	*why_r = !conn->mariadb ? NO_BLOCKS : !tables_can_compare(conn) ? NO_LIVES : NULL;
	return true;
}

/* ---- removing ---- */

struct listed {
	struct viewd_conn *conn;
	void *mem;
	struct texts drops, seen, hidden; /* hidden: triggers, the account may not see what they do */
};

static void add_drop(struct listed *list, const char *what, const char *schema, const char *name)
{
	const char *const sql[] = {
		talloc_asprintf(list->mem, "DROP %s IF EXISTS %s", what, trigger_quoted(list->mem, schema, name))};
	texts_keep(&list->drops, sql, 1);
}

static bool take_trigger_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct listed *list = ctx;
	texts_keep(v[2] != NULL ? &list->seen : &list->hidden, v + 1, 1);
	if (v[2] != NULL && log_body_is_ours(list->conn, v[0], v[2]))
		add_drop(list, "TRIGGER", v[0], v[1]);
	return true;
}

static bool take_routine_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct listed *list = ctx;
	if (strncmp(v[2], NOTE_COMMENT, strlen(NOTE_COMMENT)) == 0)
		add_drop(list, "PROCEDURE", v[0], v[1]);
	return true;
}

static const struct db_reader take_trigger[] = {{take_trigger_fn, "ttT", "the triggers of a change log"}};
static const struct db_reader take_routine[] = {{take_routine_fn, "ttt", "the procedures of a change log"}};

/* Triggers first: that waits for their writers. Whatever table they are on now. */
static bool list_objects(const struct log_plan *plan, struct listed *list, struct viewd_err *err)
{
	const char *schema = plan->source->schema;
	char *parents = talloc_asprintf(plan->mem, "^" LOG_PARENTS "_%" PRId64 "_[0-9a-f]{16}$", plan->number);
	const char *names[] = {schema, plan->triggers[0].name, plan->triggers[1].name, plan->triggers[2].name, parents};
	const char *routines[] = {schema, plan->routines[0].name, plan->routines[1].name};
	return my_query(&plan->conn->db,
	                "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, ACTION_STATEMENT FROM "
	                "information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? AND (TRIGGER_NAME IN (?, ?, ?) OR "
	                "TRIGGER_NAME REGEXP ?)",
	                names, ARRAY_LEN(names), take_trigger, list, err) &&
	       my_query(&plan->conn->db,
	                "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_COMMENT FROM "
	                "information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ? AND ROUTINE_NAME IN (?, ?) AND ROUTINE_TYPE "
	                "= 'PROCEDURE'",
	                routines, ARRAY_LEN(routines), take_routine, list, err);
}

/* A trigger that stayed would call what is gone. */
static bool none_stays(const struct log_plan *plan, const struct listed *list, struct viewd_err *err)
{
	const char *schema = plan->source->schema;
	if (list->hidden.n > 0)
		return trigger_hidden(plan->conn, schema, list->hidden.items[0], err);
	for (size_t i = 0; i < LOG_OWN_TRIGGERS; i++)
		if (!texts_contain(&list->seen, plan->triggers[i].name) &&
		    !trigger_absent(plan->conn, schema, plan->triggers[i].name, err))
			return false;
	return true;
}

static bool remove_all(const struct log_plan *plan, struct viewd_err *err)
{
	struct texts none = {.mem = plan->mem};
	struct listed list = {.conn = plan->conn, .mem = plan->mem, .drops = none, .seen = none, .hidden = none};
	struct relation log;
	log_relation(plan->conn, plan->table, &log);
	if (!list_objects(plan, &list, err) || !none_stays(plan, &list, err))
		return false;
	add_drop(&list, "TABLE", log.schema, log.name);
	for (size_t i = 0; i < list.drops.n; i++)
		if (!db_exec(&plan->conn->db, list.drops.items[i], err))
			return false;
	return true;
}

bool my_drop_log(struct db *db, int64_t number, const struct relation *source, struct viewd_err *err)
{
	struct relation at;
	struct log_plan plan;
	void *mem = talloc_new(NULL);
	my_place(my_conn(db), source, &at);
	log_names(my_conn(db), mem, number, &at, &plan);
	bool done = remove_all(&plan, err);
	talloc_free(mem);
	return done;
}

/* ---- making ---- */

bool log_may(const struct log_plan *plan, char why[static 192])
{
	static const char *const taken[] = {"viewd_keys", "viewd_values_0", "viewd_values_1", "viewd_audit", "viewd_groups",
	                                    LOG_STAGE,    LOG_DIFFER,       LOG_MORE,         LOG_BOTH};
	why[0] = '\0';
	for (size_t i = 0; i < plan->n_triggers; i++)
		if (strcmp(plan->triggers[i].table.schema, plan->source->schema) != 0)
			snprintf(why, 192, "foreign keys of table '%.64s' in another database change its rows",
			         plan->triggers[i].table.name);
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		if (strcasecmp(plan->source->name, taken[i]) == 0 || strncasecmp(plan->source->name, "viewd_keys_", 11) == 0)
			snprintf(why, 192, "it has the name of a temporary table of viewd");
	return why[0] == '\0';
}

static bool refuse(const struct log_plan *plan, struct viewd_err *err)
{
	char why[192];
	if (log_may(plan, why))
		return true;
	err_set(err, VIEWD_ERR_CONFIG, "changes of table '%s' cannot be logged (%s)", plan->source->name, why);
	return err_hint(err, "refresh_mode = auto always works");
}

static bool make_table(const struct log_plan *plan, struct viewd_err *err)
{
	struct db *db = &plan->conn->db;
	struct relation log;
	log_relation(plan->conn, plan->table, &log);
	char *table = relation_quoted(&my_syntax, plan->mem, &log);
	char *sql = sql_add(sql_new(plan->mem),
	                    "CREATE TABLE %s (viewd_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, "
	                    "viewd_sign TINYINT NOT NULL, viewd_base BIGINT",
	                    table);
	for (size_t i = 0; i < plan->n; i++)
		sql = sql_add(ident_append(&my_syntax, sql_add(sql, ", "), plan->columns[i]), " %s NULL DEFAULT NULL",
		              plan->types[i]);
	sql = sql_add(sql, ")" TABLE_SUFFIX " AUTO_INCREMENT=" LOG_FIRST);
	char *slots = talloc_asprintf(plan->mem,
	                              "INSERT INTO %s (viewd_id, viewd_sign, viewd_base) WITH RECURSIVE s (id) AS "
	                              "(SELECT 1 UNION ALL SELECT id + 1 FROM s WHERE id < " LOG_SLOTS
	                              ") SELECT s.id, 0, " LOG_FIRST " FROM s",
	                              table);
	return db_exec(db, sql, err) && db_exec(db, slots, err);
}

static bool make_routines(const struct log_plan *plan, const struct definer *definer, struct viewd_err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(plan->routines); i++) {
		const struct log_routine *r = &plan->routines[i];
		char *sql = talloc_asprintf(plan->mem, PLAINLY "CREATE %sPROCEDURE %s %s MODIFIES SQL DATA COMMENT '%s' %s",
		                            definer_clause(definer), trigger_quoted(plan->mem, plan->source->schema, r->name),
		                            r->parameters, r->comment, r->body);
		if (!db_exec(&plan->conn->db, sql, err))
			return false;
	}
	return true;
}

bool log_try(const struct log_plan *plan, bool *works_r, struct viewd_err *err)
{
	struct relation log;
	int64_t n = 0;
	log_relation(plan->conn, plan->table, &log);
	char *call = talloc_asprintf(plan->mem, "CALL %s()",
	                             trigger_quoted(plan->mem, plan->source->schema, plan->routines[1].name));
	char *count = talloc_asprintf(
		plan->mem, "SELECT COUNT(*) FROM %s WHERE viewd_id = " LOG_TRIED_ID " AND viewd_sign = " LOG_TRIED,
		relation_quoted(&my_syntax, plan->mem, &log));
	if (!db_exec(&plan->conn->db, call, err) || !my_query_int(plan->conn, count, NULL, 0, &n, err))
		return false;
	*works_r = n == 1;
	return true;
}

static bool prove(const struct log_plan *plan, const struct definer *definer, struct viewd_err *err)
{
	bool works = false;
	if (!my_begin(&plan->conn->db, DB_BEGIN_WRITE, err))
		return false;
	bool done = log_try(plan, &works, err);
	my_rollback(&plan->conn->db);
	if (!done || works)
		return done;
	err_set(err, VIEWD_ERR_DENIED, "triggers would leave no images in change log '%s'", plan->table);
	return err_hint(err, "grant EXECUTE on %.64s.* and SELECT, INSERT, UPDATE, DELETE on %.64s.* to %s",
	                plan->source->schema, plan->conn->url->database, definer->role ? DEFINER_ROLE : "viewd's account");
}

static bool make_triggers(const struct log_plan *plan, const struct definer *definer, struct viewd_err *err)
{
	for (size_t i = 0; i < plan->n_triggers; i++) {
		const struct log_trigger *t = &plan->triggers[i];
		struct relation on = {.schema = ""};
		memcpy(on.name, t->table.name, sizeof on.name);
		char *sql = talloc_asprintf(plan->mem, PLAINLY "CREATE %sTRIGGER %s AFTER %s ON %s FOR EACH ROW %s",
		                            definer_clause(definer), t->name, t->event,
		                            relation_quoted(&my_syntax, plan->mem, &on), t->body);
		if (!trigger_create_in(plan->conn, plan->mem, plan->source->schema, sql, err))
			return false;
	}
	return true;
}

/* Triggers come last and go first: writers never meet a half of it. */
static bool make_all(const struct log_plan *plan, const struct definer *definer, struct viewd_err *err)
{
	char why[192];
	bool right = false;
	if (!log_is_right(plan, definer, &right, why, err))
		return false;
	if (right)
		return prove(plan, definer, err);
	return remove_all(plan, err) && make_table(plan, err) && make_routines(plan, definer, err) &&
	       prove(plan, definer, err) && make_triggers(plan, definer, err);
}

bool my_make_log(struct db *db, const struct change_log *log, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	struct definer definer;
	struct log_plan plan;
	void *mem = talloc_new(NULL);
	bool done = log_plan(conn, mem, log, &plan, err) && refuse(&plan, err) &&
	            definer_enter_reading(conn, plan.source, &definer, err);
	if (done) {
		done = make_all(&plan, &definer, err);
		definer_leave(conn, &definer);
	}
	talloc_free(mem);
	return done;
}
