/* SPDX-License-Identifier: MIT
 *
 * log_text.c: the names and texts of what a change log consists of.
 */
#include "mysql/incremental/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/text/digest.h"
#include "mysql/depends/cascade.h"

#define PROCEDURE "viewd_change"
#define TRYING "viewd_tried"

/* ---- names ---- */

static char *name_of(struct viewd_conn *conn, void *mem, const char *schema, const char *stem, int64_t number)
{
	char name[IDENT_MAX];
	note_name_in(conn, schema, talloc_asprintf(mem, "%s_%" PRId64, stem, number), name);
	return talloc_strdup(mem, name);
}

static void set_name(char out[static IDENT_MAX], const char *name)
{
	snprintf(out, IDENT_MAX, "%s", name);
}

void log_names(struct viewd_conn *conn, void *mem, int64_t number, const struct relation *source, struct log_plan *out)
{
	static const struct {
		const char *event, *stem;
	} triggers[] = {{"INSERT", "viewd_li"}, {"UPDATE", "viewd_lu"}, {"DELETE", "viewd_ld"}};
	*out = (struct log_plan){.conn = conn, .mem = mem, .number = number, .source = source};
	out->table = change_log_table(&conn->db, mem, number);
	out->n_triggers = ARRAY_LEN(triggers);
	out->triggers = talloc_zero_array(mem, struct log_trigger, ARRAY_LEN(triggers));
	assert(out->triggers != NULL);
	for (size_t i = 0; i < ARRAY_LEN(triggers); i++) {
		out->triggers[i].event = triggers[i].event;
		out->triggers[i].table = *source;
		set_name(out->triggers[i].name, name_of(conn, mem, source->schema, triggers[i].stem, number));
	}
	set_name(out->routines[0].name, name_of(conn, mem, source->schema, PROCEDURE, number));
	set_name(out->routines[1].name, name_of(conn, mem, source->schema, TRYING, number));
}

void log_relation(struct viewd_conn *conn, const char *table, struct relation *out)
{
	struct relation rel = {.schema = ""};
	snprintf(rel.name, sizeof rel.name, "%s", table);
	my_place(conn, &rel, out);
}

void log_routines_elsewhere(struct viewd_conn *conn, char out[static IDENT_MAX])
{
	char digits[IDENT_MAX];
	my_lock_name(conn, "", digits);
	snprintf(out, IDENT_MAX, "^" LOG_ROUTINES "_[0-9]+_%.16s$", digits);
}

bool log_body_is_ours(struct viewd_conn *conn, const char *schema, const char *body)
{
	int64_t number = 0;
	const char *call = strstr(body, "CALL " PROCEDURE "_");
	if (call == NULL || strncmp(body, "BEGIN DECLARE CONTINUE HANDLER FOR ", 35) != 0 ||
	    sscanf(call, "CALL " PROCEDURE "_%" SCNd64, &number) != 1)
		return false;
	char *text = talloc_strdup(NULL, "CALL ");
	text = sql_add(text, "%s(", name_of(conn, text, schema, PROCEDURE, number));
	bool ours = strncmp(call, text, strlen(text)) == 0;
	talloc_free(text);
	return ours;
}

/* ---- columns ---- */

struct columns_found {
	const struct log_plan *plan;
	char **types; /* in the order of the plan's columns */
	char *shape;
	void *mem;
};

/* MariaDB remarks on how a value is stored. */
static char *clean_type(void *mem, const char *type, const char *charset, const char *collation)
{
	char *clean = talloc_strdup(mem, type), *quote = strrchr(clean, '\'');
	char *remark = strstr(quote != NULL ? quote : clean, " /*");
	if (remark != NULL)
		*remark = '\0';
	return charset != NULL && collation != NULL
	           ? talloc_asprintf(mem, "%s CHARACTER SET %s COLLATE %s", clean, charset, collation)
	           : clean;
}

static bool take_column_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct columns_found *found = ctx;
	char *type = clean_type(found->mem, v[1], v[2], v[3]);
	if (found->plan == NULL) {
		found->shape = sql_add(found->shape, "%s %s\n", v[0], type);
		return true;
	}
	for (size_t i = 0; i < found->plan->n; i++)
		if (ident_same(&my_syntax, found->plan->columns[i], v[0]))
			found->types[i] = type;
	return true;
}

static const struct db_reader take_column[] = {{take_column_fn, "ttTT", "the columns of a table"}};

static bool ask_columns(struct viewd_conn *conn, const struct relation *table, const char *where,
                        struct columns_found *found, struct viewd_err *err)
{
	char *sql = talloc_asprintf(found->mem,
	                            "SELECT COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME, COLLATION_NAME FROM "
	                            "information_schema.COLUMNS WHERE %s%s ORDER BY ORDINAL_POSITION",
	                            my_where(conn, found->mem, table), where);
	return my_query(&conn->db, sql, NULL, 0, take_column, found, err);
}

bool log_shape_of(struct viewd_conn *conn, void *mem, const struct relation *table, const char *where, char **shape_r,
                  struct viewd_err *err)
{
	struct columns_found found = {.shape = sql_new(mem), .mem = mem};
	if (!ask_columns(conn, table, where, &found, err))
		return false;
	*shape_r = found.shape;
	return true;
}

static bool find_types(struct log_plan *plan, struct viewd_err *err)
{
	struct columns_found found = {.plan = plan, .mem = plan->mem};
	found.types = talloc_zero_array(plan->mem, char *, (unsigned)plan->n + 1);
	assert(found.types != NULL);
	if (!ask_columns(plan->conn, plan->source, "", &found, err))
		return false;
	plan->types = found.types;
	plan->shape = sql_new(plan->mem);
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->types[i] == NULL)
			return err_set(err, VIEWD_ERR_MISSING, "table '%s' has no column '%s' any more", plan->source->name,
			               plan->columns[i]);
		plan->shape = sql_add(plan->shape, "%s %s\n", plan->columns[i], plan->types[i]);
	}
	return true;
}

/* ---- texts ---- */

/* The log as the procedure names it: a dump of its database may be loaded under any name. */
static char *table_from(const struct log_plan *plan)
{
	struct relation rel;
	if (note_is_home(plan->conn, plan->source->schema))
		return ident_append(&my_syntax, sql_new(plan->mem), plan->table);
	log_relation(plan->conn, plan->table, &rel);
	return relation_quoted(&my_syntax, plan->mem, &rel);
}

static char *with_parameters(const struct log_plan *plan, char *sql, const char *prefix, const char *suffix)
{
	for (size_t i = 0; i < plan->n; i++)
		sql = sql_add(sql, ", %sviewd_p%zu%s", prefix, i + 1, suffix);
	return sql;
}

/* SQL: from which number on rows are too many, in viewd_other; NULL: it cannot be told. A slot says from where to
 * count, and is locked because a read without a lock would begin the writer's snapshot. In a cluster the lock would be
 * in the way of a purge by way of another node, and the writer be ended; there the server's own count will do. It may
 * be far off after a start, and who replaces a row there may be ended as well, so it takes many more. */
static char *ask_bound(const struct log_plan *plan, const char *table)
{
	bool home = note_is_home(plan->conn, plan->source->schema);
	char *schema = home ? talloc_strdup(plan->mem, "DATABASE()")
	                    : literal_quoted(&my_syntax, plan->mem, plan->conn->url->database);
	if (plan->conn->node.certifies)
		return talloc_asprintf(plan->mem,
		                       "SELECT IF(t.TABLE_ROWS > " LOG_ENOUGH_NODES
		                       ", 0, NULL) INTO viewd_other FROM information_schema.TABLES t WHERE "
		                       "t.TABLE_SCHEMA = %s AND t.TABLE_NAME = '%s'; ",
		                       schema, plan->table);
	return talloc_asprintf(plan->mem,
	                       "SELECT MAX(s.viewd_base) + " LOG_ENOUGH
	                       " INTO viewd_other FROM %s s WHERE s.viewd_id = 1 + MOD(CONNECTION_ID(), " LOG_SLOTS
	                       ") LOCK IN SHARE MODE SKIP LOCKED; ",
	                       table);
}

/* A writer who finds the log too long leaves a row that says so in place of his own. One such row of a connection is
 * enough: the next one takes its place in the same moment, whichever of the two a reader sees. To ask costs four times
 * as much as to write the row, so one row in 32 asks, and all those of a connection that has met the end. */
static char *bound_text(const struct log_plan *plan, const char *table)
{
	char *names = sql_new(plan->mem);
	for (size_t i = 0; i < plan->n; i++)
		names = sql_add(ident_append(&my_syntax, sql_add(names, ", "), plan->columns[i]), " = NULL");
	return talloc_asprintf(
		plan->mem,
		"BEGIN DECLARE viewd_own BIGINT DEFAULT LAST_INSERT_ID(); DECLARE viewd_other BIGINT; "
		"IF viewd_s <> " LOG_TRIED " AND (MOD(viewd_own, 32) = 0 OR @%s IS NOT NULL) THEN %sIF viewd_own > viewd_other "
		"THEN UPDATE %s SET viewd_sign = " LOG_EVERYTHING "%s WHERE viewd_id = viewd_own; "
		"SELECT MAX(s.viewd_id) INTO viewd_other FROM %s s WHERE s.viewd_id = @%s AND s.viewd_sign = " LOG_EVERYTHING
		" FOR UPDATE SKIP LOCKED; SET @%s = viewd_own; DELETE FROM %s WHERE viewd_id "
		"= viewd_other; ELSE SET @%s = NULL; END IF; END IF; END; ",
		plan->table, ask_bound(plan, table), table, names, table, plan->table, plan->table, table, plan->table);
}

static char *guarded(const struct log_plan *plan, const char *body)
{
	const char *schema = plan->source->schema;
	if (note_is_home(plan->conn, schema))
		return talloc_asprintf(plan->mem, "%s%sEND", note_inner_head, body);
	return talloc_asprintf(plan->mem, "%sIF DATABASE() = %s THEN %sEND IF; END", note_inner_head,
	                       literal_quoted(&my_syntax, plan->mem, schema), body);
}

static void plan_routines(struct log_plan *plan)
{
	char *table = table_from(plan), hash[DIGEST_SIZE];
	struct log_routine *note = &plan->routines[0], *trying = &plan->routines[1];
	char *insert = sql_add(sql_new(plan->mem), "INSERT INTO %s (viewd_id, viewd_sign", table);
	char *nothing = sql_new(plan->mem);
	note->parameters = sql_add(sql_new(plan->mem), "(viewd_s TINYINT");
	for (size_t i = 0; i < plan->n; i++) {
		note->parameters = sql_add(note->parameters, ", viewd_p%zu %s", i + 1, plan->types[i]);
		insert = ident_append(&my_syntax, sql_add(insert, ", "), plan->columns[i]);
		nothing = sql_add(nothing, ", NULL");
	}
	note->parameters = sql_add(note->parameters, ")");
	insert = sql_add(
		with_parameters(plan, sql_add(insert, ") VALUES (IF(viewd_s = " LOG_TRIED ", " LOG_TRIED_ID ", NULL), viewd_s"),
	                    "", ""),
		"); ");
	note->body = guarded(plan, sql_add(insert, "%s", bound_text(plan, table)));
	trying->parameters = talloc_strdup(plan->mem, "()");
	trying->body = talloc_asprintf(plan->mem, "%sCALL %s(" LOG_TRIED "%s); END", note_head, note->name, nothing);
	for (size_t i = 0; i < ARRAY_LEN(plan->routines); i++) {
		struct log_routine *r = &plan->routines[i];
		digest_text(talloc_asprintf(plan->mem, "%s%s", r->parameters, r->body), hash);
		snprintf(r->comment, sizeof r->comment, NOTE_COMMENT "%.16s", hash);
	}
}

static char *call_text(const struct log_plan *plan, const char *sign, const char *side)
{
	char *sql = sql_add(sql_new(plan->mem), "CALL %s(%s", plan->routines[0].name, sign);
	for (size_t i = 0; i < plan->n; i++)
		sql = ident_append(&my_syntax, sql_add(sql, ", %s.", side), plan->columns[i]);
	return sql_add(sql, "); ");
}

static char *unchanged_text(const struct log_plan *plan)
{
	char *sql = sql_new(plan->mem);
	for (size_t i = 0; i < plan->n; i++) {
		char *old = ident_append(&my_syntax, sql_add(sql_new(plan->mem), "OLD."), plan->columns[i]);
		char *new = ident_append(&my_syntax, sql_add(sql_new(plan->mem), "NEW."), plan->columns[i]);
		sql = sql_template2(sql_add(sql, i > 0 ? " AND " : ""), my_syntax.diff.same_value, old, new);
	}
	return sql;
}

static void plan_triggers(struct log_plan *plan)
{
	char *new = call_text(plan, "1", "NEW"), *old = call_text(plan, "-1", "OLD");
	plan->triggers[0].body = talloc_asprintf(plan->mem, "%s%sEND", note_head, new);
	plan->triggers[1].body =
		talloc_asprintf(plan->mem, "%sIF NOT (%s) THEN %s%sEND IF; END", note_head, unchanged_text(plan), old, new);
	plan->triggers[2].body = talloc_asprintf(plan->mem, "%s%sEND", note_head, old);
}

static void add_parent(struct log_plan *plan, const struct relation *parent, const char *event, const char *condition)
{
	char digest[DIGEST_SIZE], *call = sql_add(sql_new(plan->mem), "CALL %s(" LOG_EVERYTHING, plan->routines[0].name);
	plan->triggers = talloc_realloc(plan->mem, plan->triggers, struct log_trigger, (unsigned)plan->n_triggers + 1);
	assert(plan->triggers != NULL);
	struct log_trigger *t = &plan->triggers[plan->n_triggers++];
	*t = (struct log_trigger){.table = *parent, .event = event};
	for (size_t i = 0; i < plan->n; i++)
		call = sql_add(call, ", NULL");
	t->body = condition != NULL
	              ? talloc_asprintf(plan->mem, "%sIF %s THEN %s); END IF; END", note_head, condition, call)
	              : talloc_asprintf(plan->mem, "%s%s); END", note_head, call);
	digest_text(talloc_asprintf(plan->mem, "%s\n%s\n%s", plan->routines[0].name,
	                            body_relation(plan->conn, plan->mem, parent), event),
	            digest);
	snprintf(t->name, sizeof t->name, LOG_PARENTS "_%" PRId64 "_%.16s", plan->number, digest);
}

bool log_add_parents(struct log_plan *plan, struct viewd_err *err)
{
	struct cascades list = {.mem = plan->mem};
	if (!cascade_find(plan->conn, plan->source, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++) {
		const struct cascade *c = &list.items[i];
		if (c->on_delete)
			add_parent(plan, &c->parent, "DELETE", NULL);
		if (c->on_update)
			add_parent(plan, &c->parent, "UPDATE", c->differs);
	}
	return true;
}

bool log_plan(struct viewd_conn *conn, void *mem, const struct change_log *log, struct log_plan *out,
              struct viewd_err *err)
{
	log_names(conn, mem, log->number, &log->source, out);
	out->columns = log->columns;
	out->n = log->n_columns;
	if (!find_types(out, err))
		return false;
	plan_routines(out);
	plan_triggers(out);
	return log_add_parents(out, err);
}
