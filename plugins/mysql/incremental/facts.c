/* SPDX-License-Identifier: MIT
 *
 * facts.c: asks the server what a change log and its source are now.
 */
#include "mysql/incremental/log.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/text/digest.h"
#include "common/text/number.h"
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

/* ---- questions ---- */

/* No question here may have the server make a table on disk, as those of information_schema do whose answers have long
 * texts: that takes longer than all others together. One alone tells when a procedure was made, so it is asked once for
 * all logs, as a SHOW, which is quicker than the same question to information_schema. Without it a procedure that was
 * dropped and made again, with the text that it had, would go unnoticed. */

static char *definition_query(const struct log_plan *plan, const struct relation *rel)
{
	return talloc_asprintf(plan->mem, "SHOW CREATE TABLE %s", relation_quoted(&my_syntax, plan->mem, rel));
}

static char *trigger_query(const struct log_plan *plan, size_t i)
{
	const struct log_trigger *t = &plan->triggers[i];
	return talloc_asprintf(plan->mem, "SHOW CREATE TRIGGER %s", trigger_quoted(plan->mem, t->table.schema, t->name));
}

/* Answers with Db, Name, Type, Definer, Modified, Created, Security_type, Comment, .. */
static char *procedures_query(void *mem, const struct facts_told *told, size_t n)
{
	char *sql = sql_add(sql_new(mem), "SHOW PROCEDURE STATUS WHERE ");
	bool one = true;
	for (size_t i = 1; i < n; i++)
		one &= strcmp(told[0].plan->source->schema, told[i].plan->source->schema) == 0;
	if (one)
		sql = sql_add(sql, "Db = %s AND ", literal_quoted(&my_syntax, mem, told[0].plan->source->schema));
	sql = sql_add(sql, "Name IN (");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ARRAY_LEN(told[i].plan->routines); k++)
			sql = sql_add(sql, "%s%s", i + k > 0 ? ", " : "",
			              literal_quoted(&my_syntax, mem, told[i].plan->routines[k].name));
	return sql_add(sql, ")");
}

struct told_list {
	struct facts_told *items;
	size_t n;
};

static bool take_procedure_fn(void *ctx, const char *const *v, size_t n)
{
	const struct told_list *list = ctx;
	for (size_t i = 0; i < list->n; i++) {
		struct facts_told *t = &list->items[i];
		for (size_t r = 0; r < ARRAY_LEN(t->routines); r++)
			if (strcmp(v[0], t->plan->source->schema) == 0 && strcmp(v[1], t->plan->routines[r].name) == 0)
				for (size_t k = 1; k < n; k++)
					t->routines[r] = sql_add(t->routines[r], "%s\n", v[k] != NULL ? v[k] : "");
	}
	return true;
}

static bool take_life_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	const struct told_list *list = ctx;
	for (size_t i = 0; i < list->n; i++) {
		struct facts_told *t = &list->items[i];
		if (t->source_file != NULL && strcmp(t->source_file, v[0]) == 0)
			t->source_life += number_or(v[1], 0);
		if (t->log_file != NULL && strcmp(t->log_file, v[0]) == 0)
			t->log_life += number_or(v[1], 0);
	}
	return true;
}

static const struct db_reader take_procedure[] = {{take_procedure_fn, "tt*", "the procedures of change logs"}};
static const struct db_reader take_life[] = {{take_life_fn, "tn", "which lives tables are in"}};

static void begin_facts(struct facts_told *t)
{
	t->source = sql_new(t->plan->mem);
	t->log = sql_new(t->plan->mem);
	t->triggers = sql_new(t->plan->mem);
	for (size_t r = 0; r < ARRAY_LEN(t->routines); r++)
		t->routines[r] = sql_new(t->plan->mem);
	t->source_life = t->log_life = 0;
}

static char *digest_of(const struct facts_told *t)
{
	char hash[DIGEST_SIZE];
	strip_counter(t->source);
	strip_counter(t->log);
	digest_text(talloc_asprintf(t->plan->mem, "%s%" PRId64 "\n%s%" PRId64 "\n%s%s%s%s", t->source, t->source_life,
	                            t->log, t->log_life, t->triggers, t->routines[0], t->routines[1], *t->rights),
	            hash);
	return talloc_strdup(t->plan->mem, hash);
}

/* ---- of several logs ---- */

static bool runs_as_role(const struct facts_told *t)
{
	bool role = false;
	for (size_t r = 0; r < ARRAY_LEN(t->routines); r++)
		role |= strstr(t->routines[r], "\n" DEFINER_ROLE) != NULL;
	return role;
}

static bool ask_lives(struct told_list *told, struct my_questions *list)
{
	char *files = sql_new(list->mem);
	for (size_t i = 0; i < told->n; i++) {
		struct facts_told *t = &told->items[i];
		struct relation log;
		log_relation(t->plan->conn, t->plan->table, &log);
		t->source_file = tables_file(list->mem, t->plan->source);
		t->log_file = tables_file(list->mem, &log);
		if (t->source_file == NULL || t->log_file == NULL)
			return false;
		files = sql_add(files, "%s'%s', '%s'", i > 0 ? ", " : "", t->source_file, t->log_file);
	}
	my_ask_later(list, tables_lives_query(told->items[0].plan->conn, list->mem, files), take_life, told);
	return true;
}

static void ask_one(struct facts_told *t, struct my_questions *list)
{
	struct relation log;
	log_relation(t->plan->conn, t->plan->table, &log);
	begin_facts(t);
	my_ask_later(list, definition_query(t->plan, t->plan->source), add_values, &t->source);
	my_ask_later(list, definition_query(t->plan, &log), add_values, &t->log);
	for (size_t i = 0; i < t->plan->n_triggers; i++)
		my_ask_later(list, trigger_query(t->plan, i), add_values, &t->triggers);
}

bool facts_ask(struct facts_told *told, size_t n, struct my_questions *list)
{
	struct told_list *all = talloc(list->mem, struct told_list);
	assert(all != NULL);
	*all = (struct told_list){told, n};
	*told[0].rights = sql_new(list->mem);
	for (size_t i = 0; i < n; i++)
		ask_one(&told[i], list);
	my_ask_later(list, procedures_query(list->mem, told, n), take_procedure, all);
	my_ask_later(list, talloc_strdup(list->mem, "SHOW GRANTS"), add_values, told[0].rights);
	return ask_lives(all, list);
}

/* Parents have triggers, and of a role more has to be known. */
char *facts_digest(const struct facts_told *t)
{
	if (strstr(t->source, " FOREIGN KEY ") != NULL || runs_as_role(t))
		return NULL;
	return digest_of(t);
}

/* ---- of one log ---- */

static bool is_gone(const struct viewd_err *failure)
{
	return failure->cls == VIEWD_ERR_MISSING || failure->cls == VIEWD_ERR_DENIED;
}

/* *there_r false: there is no such thing, or it is hidden. */
static bool ask_alone(const struct log_plan *plan, const char *sql, char **text, bool *there_r, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	*there_r = my_query(&plan->conn->db, sql, NULL, 0, add_values, text, &failure);
	if (*there_r || is_gone(&failure))
		return true;
	if (err != NULL)
		*err = failure;
	return false;
}

static bool ask_table(const struct log_plan *plan, const struct relation *rel, char **text, int64_t *life_r,
                      bool *there_r, struct viewd_err *err)
{
	char *life = NULL;
	struct viewd_err failure = {0};
	*there_r = my_query(&plan->conn->db, definition_query(plan, rel), NULL, 0, add_values, text, &failure);
	if (!*there_r && failure.cls != VIEWD_ERR_MISSING) {
		if (err != NULL)
			*err = failure;
		return false;
	}
	if (*there_r && !tables_life(plan->conn, plan->mem, rel, &life, err))
		return false;
	*life_r = number_or(life, 0);
	return true;
}

/* The grants of the account. With a role as definer also: does the role still have what its triggers need? */
static bool ask_rights(const struct facts_told *t, struct viewd_err *err)
{
	struct definer definer;
	const struct log_plan *plan = t->plan;
	if (!my_query(&plan->conn->db, "SHOW GRANTS", NULL, 0, add_values, t->rights, err))
		return false;
	if (!runs_as_role(t))
		return true;
	if (!definer_enter_reading(plan->conn, plan->source, &definer, err))
		return false;
	definer_leave(plan->conn, &definer);
	*t->rights = sql_add(*t->rights, "%s\n", definer.name);
	return true;
}

static bool ask_triggers_alone(struct facts_told *t, struct viewd_err *err)
{
	bool there;
	for (size_t i = 0; i < t->plan->n_triggers; i++)
		if (!ask_alone(t->plan, trigger_query(t->plan, i), &t->triggers, &there, err))
			return false;
	return true;
}

bool log_facts(struct log_plan *plan, char **digest_r, char why[static 192], struct viewd_err *err)
{
	struct relation log;
	bool source_there = false, log_there = false;
	char *rights = sql_new(plan->mem);
	struct facts_told t = {.plan = plan, .rights = &rights};
	struct told_list one = {&t, 1};
	begin_facts(&t);
	log_relation(plan->conn, plan->table, &log);
	if (!ask_table(plan, plan->source, &t.source, &t.source_life, &source_there, err) ||
	    (strstr(t.source, " FOREIGN KEY ") != NULL && !log_add_parents(plan, err)) ||
	    !ask_table(plan, &log, &t.log, &t.log_life, &log_there, err) || !ask_triggers_alone(&t, err) ||
	    !my_query(&plan->conn->db, procedures_query(plan->mem, &t, 1), NULL, 0, take_procedure, &one, err) ||
	    !ask_rights(&t, err))
		return false;
	snprintf(why, 192, "%s", source_there ? log_there ? "" : "the log is gone" : "the table is gone");
	*digest_r = source_there && log_there ? digest_of(&t) : talloc_strdup(plan->mem, "");
	return true;
}

/* ---- is it as planned? ---- */

static bool is_on(const struct log_trigger *trigger, const struct relation *table)
{
	return strcmp(trigger->table.name, table->name) == 0 && strcmp(trigger->table.schema, table->schema) == 0;
}

/* The triggers on one table, from the first on; *next_r: the first one on another table. */
static char *triggers_query(const struct log_plan *plan, size_t first, const char *what, size_t *next_r)
{
	const struct relation *table = &plan->triggers[first].table;
	char *schema = literal_quoted(&my_syntax, plan->mem, table->schema);
	size_t n = 0;
	char *sql = talloc_asprintf(plan->mem,
	                            "SELECT %s FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = %s AND "
	                            "EVENT_OBJECT_SCHEMA = %s AND EVENT_OBJECT_TABLE = %s AND TRIGGER_NAME IN (",
	                            what, schema, schema, literal_quoted(&my_syntax, plan->mem, table->name));
	for (; first + n < plan->n_triggers && is_on(&plan->triggers[first + n], table); n++)
		sql = sql_add(sql, "%s'%s'", n > 0 ? ", " : "", plan->triggers[first + n].name);
	*next_r = first + n;
	return sql_add(sql, ") ORDER BY TRIGGER_NAME");
}

static bool ask_triggers(const struct log_plan *plan, const char *what, const struct db_reader *row, void *ctx,
                         struct viewd_err *err)
{
	for (size_t first = 0; first < plan->n_triggers;)
		if (!my_query(&plan->conn->db, triggers_query(plan, first, what, &first), NULL, 0, row, ctx, err))
			return false;
	return true;
}

static char *routines_query(const struct log_plan *plan, const char *what)
{
	return talloc_asprintf(plan->mem,
	                       "SELECT %s FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = %s AND ROUTINE_NAME IN "
	                       "(%s, %s) AND ROUTINE_TYPE = 'PROCEDURE' ORDER BY ROUTINE_NAME",
	                       what, literal_quoted(&my_syntax, plan->mem, plan->source->schema),
	                       literal_quoted(&my_syntax, plan->mem, plan->routines[0].name),
	                       literal_quoted(&my_syntax, plan->mem, plan->routines[1].name));
}

static bool ask_routines(const struct log_plan *plan, const char *what, const struct db_reader *row, void *ctx,
                         struct viewd_err *err)
{
	return my_query(&plan->conn->db, routines_query(plan, what), NULL, 0, row, ctx, err);
}

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
