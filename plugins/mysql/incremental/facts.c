/* SPDX-License-Identifier: MIT
 *
 * facts.c: what a change log and its source are now.
 */
#include "mysql/incremental/log.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/text/digest.h"
#include "mysql/capture/capture.h"

static bool add_values_fn(void *ctx, const char *const *values, size_t n)
{
	char **text = ctx;
	for (size_t i = 0; i < n; i++)
		*text = sql_add(*text, "%s\n", values[i] != NULL ? values[i] : "");
	return true;
}

static const struct db_reader add_values[] = {{add_values_fn, "*", "what a change log depends on"}};

/* The number that the next row gets says nothing of the table. */
static void strip_counter(char *text)
{
	static const char word[] = " AUTO_INCREMENT=";
	for (char *at = text; (at = strstr(at, word)) != NULL; at++) {
		char *end = at + strlen(word);
		while (isdigit((unsigned char)*end))
			end++;
		memmove(at, end, strlen(end) + 1);
	}
}

/* *there_r false: there is no such table. */
static bool add_table(const struct log_plan *plan, const struct relation *rel, char **text, bool *there_r,
                      struct viewd_err *err)
{
	struct viewd_err failure = {0};
	char *definition = sql_new(plan->mem), *life = NULL;
	char *sql = talloc_asprintf(plan->mem, "SHOW CREATE TABLE %s", relation_quoted(&my_syntax, plan->mem, rel));
	*there_r = my_query(&plan->conn->db, sql, NULL, 0, add_values, &definition, &failure);
	if (!*there_r && failure.cls != VIEWD_ERR_MISSING) {
		if (err != NULL)
			*err = failure;
		return false;
	}
	if (*there_r && !tables_life(plan->conn, plan->mem, rel, &life, err))
		return false;
	strip_counter(definition);
	*text = sql_add(*text, "%s\n%s\n", definition, life != NULL ? life : "");
	return true;
}

/* clang-format off */
#define TRIGGERS_SQL \
	" FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? AND EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = " \
	"? " \
	"AND TRIGGER_NAME IN ("
/* clang-format on */
#define ROUTINES_SQL \
	" FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ? AND ROUTINE_NAME IN (?, ?) AND ROUTINE_TYPE = " \
	"'PROCEDURE' ORDER BY ROUTINE_NAME"

static bool is_on(const struct log_trigger *trigger, const struct relation *table)
{
	return strcmp(trigger->table.name, table->name) == 0 && strcmp(trigger->table.schema, table->schema) == 0;
}

static bool ask_triggers(const struct log_plan *plan, const char *what, const struct db_reader *row, void *ctx,
                         struct viewd_err *err)
{
	for (size_t first = 0, n; first < plan->n_triggers; first += n) {
		const struct relation *table = &plan->triggers[first].table;
		const char *params[] = {table->schema, table->schema, table->name};
		char *sql = talloc_asprintf(plan->mem, "SELECT %s" TRIGGERS_SQL, what);
		for (n = 0; first + n < plan->n_triggers && is_on(&plan->triggers[first + n], table); n++)
			sql = sql_add(sql, "%s'%s'", n > 0 ? ", " : "", plan->triggers[first + n].name);
		if (!my_query(&plan->conn->db, sql_add(sql, ") ORDER BY TRIGGER_NAME"), params, ARRAY_LEN(params), row, ctx,
		              err))
			return false;
	}
	return true;
}

static bool ask_routines(const struct log_plan *plan, const char *what, const struct db_reader *row, void *ctx,
                         struct viewd_err *err)
{
	const char *params[] = {plan->source->schema, plan->routines[0].name, plan->routines[1].name};
	char *sql = talloc_asprintf(plan->mem, "SELECT %s" ROUTINES_SQL, what);
	return my_query(&plan->conn->db, sql, params, ARRAY_LEN(params), row, ctx, err);
}

/* Of a role, whether it still has what its triggers need. */
static bool add_rights(const struct log_plan *plan, char **text, struct viewd_err *err)
{
	struct definer definer;
	if (!my_query(&plan->conn->db, "SHOW GRANTS", NULL, 0, add_values, text, err))
		return false;
	if (strstr(*text, "\n" DEFINER_ROLE) == NULL)
		return true;
	if (!definer_enter_reading(plan->conn, plan->source, &definer, err))
		return false;
	definer_leave(plan->conn, &definer);
	*text = sql_add(*text, "%s\n", definer.name);
	return true;
}

bool log_facts(struct log_plan *plan, char **digest_r, char why[static 192], struct viewd_err *err)
{
	struct relation log;
	bool source_there = false, log_there = false;
	char *text = sql_new(plan->mem), hash[DIGEST_SIZE];
	log_relation(plan->conn, plan->table, &log);
	if (!add_table(plan, plan->source, &text, &source_there, err) ||
	    (strstr(text, " FOREIGN KEY ") != NULL && !log_add_parents(plan, err)) ||
	    !add_table(plan, &log, &text, &log_there, err) ||
	    !ask_triggers(plan,
	                  "EVENT_OBJECT_TABLE, TRIGGER_NAME, EVENT_MANIPULATION, ACTION_TIMING, ACTION_STATEMENT, DEFINER, "
	                  "CREATED, SQL_MODE",
	                  add_values, &text, err) ||
	    !ask_routines(plan, "ROUTINE_NAME, ROUTINE_COMMENT, DEFINER, LAST_ALTERED, SECURITY_TYPE", add_values, &text,
	                  err) ||
	    !add_rights(plan, &text, err))
		return false;
	snprintf(why, 192, "%s", source_there ? log_there ? "" : "the log is gone" : "the table is gone");
	digest_text(text, hash);
	*digest_r = talloc_strdup(plan->mem, source_there && log_there ? hash : "");
	return true;
}

/* ---- is it as planned? ---- */

struct found {
	const struct log_plan *plan;
	const struct definer *definer;
	size_t n_right;
	const struct log_trigger *hidden; /* the account may not see what it does */
};

/* {table, name, event, timing, body, definer} */
static bool judge_trigger_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct found *found = ctx;
	const struct log_plan *plan = found->plan;
	for (size_t i = 0; i < plan->n_triggers; i++) {
		const struct log_trigger *t = &plan->triggers[i];
		if (strcmp(t->name, v[1]) != 0)
			continue;
		if (v[4] == NULL || v[5] == NULL) {
			found->hidden = t;
			return false;
		}
		found->n_right += strcmp(t->event, v[2]) == 0 && strcmp(v[3], "AFTER") == 0 && strcmp(t->body, v[4]) == 0 &&
		                  definer_same(found->definer, v[5]) &&
		                  (plan->conn->names_fold || strcmp(v[0], t->table.name) == 0);
	}
	return true;
}

/* {name, comment, definer} */
static bool judge_routine_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct found *found = ctx;
	for (size_t i = 0; i < ARRAY_LEN(found->plan->routines); i++) {
		const struct log_routine *r = &found->plan->routines[i];
		found->n_right +=
			strcmp(r->name, v[0]) == 0 && strcmp(r->comment, v[1]) == 0 && definer_same(found->definer, v[2]);
	}
	return true;
}

static const struct db_reader judge_trigger[] = {{judge_trigger_fn, "ttttTT", "the triggers of a change log"}};
static const struct db_reader judge_routine[] = {{judge_routine_fn, "ttt", "the procedures of a change log"}};

static bool judge(const struct log_plan *plan, const struct definer *definer, const char **why_r, struct viewd_err *err)
{
	struct found triggers = {plan, definer, 0, NULL}, routines = {plan, definer, 0, NULL};
	struct relation log;
	char *shape = NULL;
	log_relation(plan->conn, plan->table, &log);
	if (!ask_triggers(plan,
	                  "EVENT_OBJECT_TABLE, TRIGGER_NAME, EVENT_MANIPULATION, ACTION_TIMING, ACTION_STATEMENT, DEFINER",
	                  judge_trigger, &triggers, err) ||
	    (triggers.hidden != NULL &&
	     !trigger_hidden(plan->conn, triggers.hidden->table.schema, triggers.hidden->name, err)) ||
	    !ask_routines(plan, "ROUTINE_NAME, ROUTINE_COMMENT, DEFINER", judge_routine, &routines, err) ||
	    !log_shape_of(plan->conn, plan->mem, &log, " AND COLUMN_NAME NOT LIKE 'viewd\\_%'", &shape, err))
		return false;
	if (triggers.n_right < plan->n_triggers)
		*why_r = "its triggers are not there as they should be";
	else if (routines.n_right < ARRAY_LEN(plan->routines))
		*why_r = "its procedures are not there as they should be";
	else if (strcmp(shape, plan->shape) != 0)
		*why_r = "its columns are not those of the table";
	return true;
}

/* Whatever else its columns are, a table that somebody has emptied lacks these rows. */
static bool has_slots(const struct log_plan *plan, bool *has_r, struct viewd_err *err)
{
	struct relation log;
	int64_t n = 0;
	log_relation(plan->conn, plan->table, &log);
	char *sql = talloc_asprintf(plan->mem,
	                            "SELECT COUNT(*) FROM %s WHERE viewd_id <= " LOG_SLOTS
	                            " AND viewd_sign = 0 AND viewd_base IS NOT NULL",
	                            relation_quoted(&my_syntax, plan->mem, &log));
	if (!my_query_int(plan->conn, sql, NULL, 0, &n, err))
		return false;
	*has_r = n == LOG_N_SLOTS;
	return true;
}

bool log_is_right(const struct log_plan *plan, const struct definer *definer, bool *right_r, char why[static 192],
                  struct viewd_err *err)
{
	struct viewd_err failure = {0};
	const char *reason = "";
	bool full = false;
	if (!judge(plan, definer, &reason, err))
		return false;
	if (reason[0] == '\0' && !has_slots(plan, &full, &failure)) {
		if (failure.cls != VIEWD_ERR_MISSING && failure.cls != VIEWD_ERR_QUERY) {
			if (err != NULL)
				*err = failure;
			return false;
		}
		reason = "the log is not the one that was made";
	}
	if (reason[0] == '\0' && !full)
		reason = "the log was emptied";
	snprintf(why, 192, "%s", reason);
	*right_r = reason[0] == '\0';
	return true;
}
