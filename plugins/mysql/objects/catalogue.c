/* SPDX-License-Identifier: MIT
 *
 * catalogue.c: finds objects in information_schema.
 */
#include "mysql/conn/row_key.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/text/digest.h"
#include "common/text/number.h"
#include "mysql/objects/tag.h"

char *my_where(const struct viewd_conn *conn, void *mem_ctx, const struct relation *rel)
{
	char *schema = literal_quoted(&my_syntax, mem_ctx, rel->schema);
	char *name = literal_quoted(&my_syntax, mem_ctx, rel->name);
	char *sql = sql_new(mem_ctx);

	/* The plain comparison lets the server open one table only; the catalogue's collation ignores case, hence the
	 * second. */
	sql = sql_add(sql, "TABLE_SCHEMA = %s AND TABLE_NAME = %s", schema, name);
	if (!conn->names_fold)
		sql = sql_add(sql, " AND BINARY TABLE_SCHEMA = %s AND BINARY TABLE_NAME = %s", schema, name);
	return sql;
}

void my_place(const struct viewd_conn *conn, const struct relation *rel, struct relation *out)
{
	*out = *rel;
	if (rel->schema[0] == '\0')
		snprintf(out->schema, sizeof out->schema, "%s", conn->url->database);
}

static enum viewd_kind kind_of_table_type(const char *table_type)
{
	if (strcmp(table_type, "BASE TABLE") == 0 || strcmp(table_type, "SYSTEM VERSIONED") == 0)
		return VIEWD_KIND_TABLE;
	if (strcmp(table_type, "VIEW") == 0)
		return VIEWD_KIND_VIEW;
	return VIEWD_KIND_OTHER;
}

struct look {
	struct db_object *object;
	char unreadable[160]; /* the server's reason, where it could not open the table */
};

static bool read_object_fn(void *ctx, const char *const *values, size_t n)
{
	struct look *look = ctx;
	struct tag tag;

	look->object->kind = kind_of_table_type(values[0]);
	look->object->bytes = -1;
	if (look->object->kind != VIEWD_KIND_TABLE)
		return false;
	if (n > 4) { /* an engine without transactions has no size */
		look->object->bytes = number_or(values[3], -1);
		look->object->indexed = values[4] != NULL;
	}
	if (values[2] == NULL) /* no engine: the comment is an error message, for example of a lock */
		snprintf(look->unreadable, sizeof look->unreadable, "%s", values[1]);
	else if (tag_parse(values[1], &tag))
		snprintf(look->object->identity, sizeof look->object->identity, "table:%s", tag.uid);
	return false;
}

static const struct db_reader read_object[] = {{read_object_fn, "ttT*", "what a name stands for"}};

static bool add_values_fn(void *ctx, const char *const *values, size_t n)
{
	char **text = ctx;

	for (size_t i = 0; i < n; i++)
		*text = sql_add(*text, "%s\n", values[i] != NULL ? values[i] : "");
	return true;
}

static const struct db_reader add_values[] = {{add_values_fn, "*", "what a table consists of"}};

static bool table_canonical(struct viewd_conn *conn, void *mem, const char *where, struct db_object *object,
                            struct viewd_err *err)
{
	char *text = sql_new(mem);
	char *sql =
		talloc_asprintf(mem,
	                    "SELECT COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME, IS_NULLABLE FROM information_schema.COLUMNS"
	                    " WHERE %s" NOT_ROW_KEY " ORDER BY ORDINAL_POSITION",
	                    where);

	if (!my_query(&conn->db, sql, NULL, 0, add_values, &text, err))
		return false;
	digest_text(text, object->canonical);
	object->populated = true;
	return true;
}

static bool view_canonical(struct viewd_conn *conn, void *mem, const struct relation *rel, struct db_object *object,
                           struct viewd_err *err)
{
	char *text;

	if (!my_view_text(conn, mem, rel, &text, err))
		return false;
	if (text == NULL || text[0] == '\0') {
		snprintf(object->detail, sizeof object->detail, "its definition cannot be read (the account needs SHOW VIEW)");
		return true;
	}
	digest_text(text, object->canonical);
	snprintf(object->identity, sizeof object->identity, "view:%s", object->canonical);
	object->populated = true;
	return true;
}

/* The question for the object that has the name at, and whose it is. more: what else is asked of it. */
static char *look_text(struct viewd_conn *conn, void *mem, const struct relation *at, const char *more,
                       struct look *look)
{
	struct db_object *object = look->object;

	*object = (struct db_object){.kind = VIEWD_KIND_NONE};
	snprintf(object->schema, sizeof object->schema, "%s", at->schema);
	snprintf(object->name, sizeof object->name, "%s", at->name);
	return talloc_asprintf(
		mem,
		"SELECT IFNULL(TABLE_TYPE, ''), IFNULL(TABLE_COMMENT, ''), ENGINE%s FROM information_schema.TABLES WHERE %s",
		more, my_where(conn, mem, at));
}

static bool judge_look(const struct look *look, struct viewd_err *err)
{
	return look->unreadable[0] == '\0' || err_set(err, VIEWD_ERR_CONFLICT, "table '%s' cannot be looked at (%s)",
	                                              look->object->name, look->unreadable);
}

static bool look_at(struct viewd_conn *conn, void *mem, const struct relation *at, const char *more,
                    struct db_object *object, struct viewd_err *err)
{
	struct look look = {.object = object};
	char *sql = look_text(conn, mem, at, more, &look);

	return my_query_later(&conn->db, sql, NULL, 0, read_object, &look, err) && my_flush(&conn->db, err) &&
	       judge_look(&look, err);
}

static char *more_of_table(struct viewd_conn *conn, void *mem, const struct relation *at)
{
	return talloc_asprintf(mem,
	                       ", IF(ENGINE = 'InnoDB', DATA_LENGTH + INDEX_LENGTH, NULL), (SELECT 1 FROM "
	                       "information_schema.STATISTICS WHERE %s" NOT_ROW_KEY " LIMIT 1)",
	                       my_where(conn, mem, at));
}

/* A table with its size and whether it has an index. Naming it in a statement keeps the name's meaning until the
 * transaction ends. */
static bool look_at_table(struct task *task, bool keep, struct db_object *out, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(task->db);
	void *mem = talloc_new(conn);
	struct relation at;

	my_place(conn, &task->rel, &at);
	const char *kept =
		keep ? talloc_asprintf(mem, ", (SELECT 1 FROM %s LIMIT 0)", relation_quoted(&my_syntax, mem, &at)) : "";
	bool done = look_at(conn, mem, &at, sql_add(more_of_table(conn, mem, &at), "%s", kept), out, err);
	talloc_free(mem);
	return done;
}

/* ---- asked along with something else ---- */

struct my_along {
	const struct task *task;
	bool answered;
	struct db_object found;
	struct look look;
};

void my_identity_along(struct db *db, struct task *task)
{
	struct viewd_conn *conn = my_conn(db);

	TALLOC_FREE(conn->later.along);
	if (task == NULL || !task->state.present || task->state.method != VIEWD_METHOD_TABLE)
		return;
	conn->later.along = talloc_zero(conn, struct my_along);
	assert(conn->later.along != NULL);
	conn->later.along->task = task;
	conn->later.along->look.object = &conn->later.along->found;
}

void my_ask_identity(struct viewd_conn *conn, const struct relation *rel, struct my_questions *list)
{
	struct my_along *along = conn->later.along;
	struct relation at, wanted;

	if (along == NULL)
		return;
	my_place(conn, rel, &at);
	my_place(conn, &along->task->rel, &wanted);
	if (strcmp(at.name, wanted.name) != 0 || strcmp(at.schema, wanted.schema) != 0)
		return;
	char *sql = look_text(conn, list->mem, &at, more_of_table(conn, list->mem, &at), &along->look);
	along->answered = false;
	my_ask_later(list, sql, read_object, &along->look);
	list->items[list->n - 1].answered_r = &along->answered;
}

/* The state row may come with the same answer. */
bool my_find_identity(struct task *task, struct db_object *out, struct viewd_err *err)
{
	struct my_along *along = my_conn(task->db)->later.along;

	if (along != NULL && along->task == task && along->answered) {
		*out = along->found;
		along->answered = false;
		return judge_look(&along->look, err);
	}
	if (!look_at_table(task, false, out, err))
		return false;
	return (task->state.present && task->state.method == VIEWD_METHOD_TABLE) ||
	       my_find_object(task->db, &task->rel, out, err);
}

bool my_keep_object(struct task *task, struct viewd_err *err)
{
	struct db_object found;

	if (!look_at_table(task, true, &found, err))
		return false;
	task->found = found;
	return task_require_ours(task, err);
}

bool my_find_object(struct db *db, const struct relation *rel, struct db_object *out, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	void *mem = talloc_new(conn);
	struct db_object object;
	struct relation at;

	my_place(conn, rel, &at);
	char *where = my_where(conn, mem, &at);
	bool done = look_at(conn, mem, &at, "", &object, err);
	if (done && object.kind == VIEWD_KIND_TABLE)
		done = table_canonical(conn, mem, where, &object, err);
	if (done && object.kind == VIEWD_KIND_VIEW)
		done = view_canonical(conn, mem, &at, &object, err);
	talloc_free(mem);
	if (done)
		*out = object;
	return done;
}

bool my_find_tag(struct viewd_conn *conn, const struct relation *rel, bool *exists_r, struct tag *tag_r,
                 struct viewd_err *err)
{
	struct tag tag = {.uid = ""};
	char *where = my_where(conn, conn, rel);
	char *sql = talloc_asprintf(where, "SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE %s", where);
	char *text;
	bool done = my_query_text(conn, where, sql, NULL, 0, &text, err);

	if (done) {
		*exists_r = text != NULL;
		if (text == NULL || !tag_parse(text, &tag))
			memset(&tag, 0, sizeof tag);
		*tag_r = tag;
	}
	talloc_free(where);
	return done;
}

bool my_view_text(struct viewd_conn *conn, void *mem_ctx, const struct relation *rel, char **text_r,
                  struct viewd_err *err)
{
	char *where = my_where(conn, mem_ctx, rel);
	char *sql = talloc_asprintf(where, "SELECT VIEW_DEFINITION FROM information_schema.VIEWS WHERE %s", where);
	bool done = my_query_text(conn, mem_ctx, sql, NULL, 0, text_r, err);

	talloc_free(where);
	return done;
}

bool my_op_view_text(struct db *db, void *mem_ctx, const struct relation *rel, char **text_r, struct viewd_err *err)
{
	struct relation at;

	my_place(my_conn(db), rel, &at);
	return my_view_text(my_conn(db), mem_ctx, &at, text_r, err);
}

bool my_list_indexes(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                     struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	struct relation at;

	my_place(conn, rel, &at);
	char *where = my_where(conn, conn, &at);
	char *sql = talloc_asprintf(
		where, "SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS WHERE %s" NOT_ROW_KEY, where);
	bool done = my_query(db, sql, NULL, 0, row, ctx, err);
	talloc_free(where);
	return done;
}

/* In every language of the server the text names the table as 'schema.table' (errmsg-utf8.txt, ER_NO_SUCH_TABLE). */
bool my_lacking(struct db *db UNUSED, const char *definition UNUSED, const struct viewd_err *failure,
                struct viewd_source_sink missing, struct viewd_err *err UNUSED)
{
	const char *schema = failure->native == 1146 ? strchr(failure->msg, '\'') : NULL;
	const char *dot = schema != NULL ? strchr(++schema, '.') : NULL;
	const char *end = dot != NULL ? strchr(dot, '\'') : NULL;
	struct relation rel;
	if (end == NULL)
		return true;
	snprintf(rel.schema, sizeof rel.schema, "%.*s", (int)(dot - schema), schema);
	snprintf(rel.name, sizeof rel.name, "%.*s", (int)(end - dot - 1), dot + 1);
	(void)missing.fn(missing.ctx,
	                 &(struct viewd_source){.schema = rel.schema, .name = rel.name, .kind = VIEWD_KIND_NONE});
	return true;
}
