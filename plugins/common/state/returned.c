/* SPDX-License-Identifier: MIT */
#include "common/state/returned.h"

#include "base/err.h"
#include "base/words.h"
#include "common/sqltext/sqltext.h"
#include "common/state/marks.h"
#include "common/state/state.h"
#include "common/state/stmt.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* A row from elsewhere, and what has been found out about it. */
struct copied {
	char *name, *relation, *method, *identity, *canonical, *from;
	const char *fault; /* why the object there is not its own; NULL: it is */
	char now[128];     /* identity here */
};
struct copies {
	void *mem;
	struct copied *items;
	size_t n;
};

bool returned_place(struct db *db, void *mem_ctx, char **place_r, struct viewd_err *err)
{
	*place_r = NULL;
	return db->ops->returning.state_place == NULL || db->ops->returning.state_place(db, mem_ctx, place_r, err);
}

/* ---- the rows ---- */

static bool take_copied_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct copies *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, struct copied, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = (struct copied){
		.name = talloc_strdup(list->mem, v[0]),
		.relation = talloc_strdup(list->mem, v[1]),
		.method = talloc_strdup(list->mem, v[2]),
		.identity = talloc_strdup(list->mem, v[3]),
		.canonical = talloc_strdup(list->mem, v[4]),
		.from = talloc_strdup(list->mem, v[5]),
	};
	return true;
}

static const struct db_reader take_copied[] = {{take_copied_fn, "tttttt", "views that were recorded elsewhere"}};

static bool list_copies(struct db *db, const char *place, struct copies *list, struct viewd_err *err)
{
	static const char *const names[] = {"name", "relation", "method", "identity", "canonical", "place"};
	struct stmt st = stmt_new(db);
	stmt_text(&st, "SELECT ");
	stmt_names(&st, names, ARRAY_LEN(names));
	st.sql = sql_add(st.sql, " FROM %s WHERE place <> ", db->syntax->state.views);
	stmt_param(&st, place);
	return stmt_query(&st, take_copied, list, err);
}

/* ---- each of them ---- */

static enum viewd_kind kind_of_word(const char *word)
{
	enum viewd_method method = VIEWD_METHOD_TABLE;
	if (!method_of_word(word, &method) || method == VIEWD_METHOD_TABLE)
		return VIEWD_KIND_TABLE;
	return method == VIEWD_METHOD_SIMPLE ? VIEWD_KIND_VIEW : VIEWD_KIND_MATVIEW;
}

/* A table may be a user's, so more is asked of it: that it has the recorded identity, where that comes along; else that
 * it is no older than the state, since a copy makes the schema of the state before any table. */
static bool judge_table(struct db *db, const struct copied *row, const struct db_object *found, const char **fault_r,
                        struct viewd_err *err)
{
	bool same = found->identity[0] != '\0' && strcmp(found->identity, row->identity) == 0, along = true;
	if (db->ops->returning.came_along == NULL) {
		*fault_r = same ? NULL : "it does not have viewd's mark";
		return true;
	}
	if (strcmp(found->canonical, row->canonical) != 0) {
		*fault_r = "it has other columns";
		return true;
	}
	if (!same && !db->ops->returning.came_along(db, found, row->identity, &along, err))
		return false;
	*fault_r = along ? NULL : "it was there before viewd's state came";
	return true;
}

static bool judge_copy(struct db *db, void *mem, struct copied *row, struct viewd_err *err)
{
	struct relation rel;
	struct db_object found = {0};
	row->fault = "its name cannot be read";
	if (!relation_parse(db->syntax, row->relation, &rel, NULL))
		return true;
	if (db->ops->returning.relocate != NULL)
		db->ops->returning.relocate(db, row->from, &rel);
	if (!db->ops->find_object(db, &rel, &found, err))
		return false;
	row->relation = relation_quoted(db->syntax, mem, &rel);
	snprintf(row->now, sizeof row->now, "%s", found.identity);
	row->fault = NULL;
	if (found.kind == VIEWD_KIND_NONE)
		row->fault = "";
	else if (found.kind != kind_of_word(row->method))
		row->fault = "it is of another kind";
	else if (found.kind == VIEWD_KIND_TABLE)
		return judge_table(db, row, &found, &row->fault, err);
	else if (found.canonical[0] == '\0' || strcmp(found.canonical, row->canonical) != 0)
		row->fault = "it has another definition, or the server writes it in another way";
	return true;
}

/* ---- what follows ---- */

static bool save(struct db *db, const char *place, const struct copied *row, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "UPDATE %s SET ", db->syntax->state.views);
	stmt_name(&st, "identity");
	stmt_text(&st, " = ");
	stmt_param(&st, row->fault == NULL ? row->now : RETURNED_STRANGER);
	stmt_text(&st, ", relation = ");
	stmt_param(&st, row->relation);
	stmt_text(&st, ", place = ");
	stmt_param(&st, place);
	stmt_text(&st, " WHERE ");
	stmt_name(&st, "name");
	stmt_text(&st, " = ");
	stmt_param(&st, row->name);
	return stmt_run(&st, err);
}

/* Rows about definitions are of other objects as well; walks find it again. */
static bool forget_objects(struct db *db, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	stmt_text(&st, "DELETE FROM ");
	stmt_text(&st, state_table(db, st.sql, "objects"));
	return stmt_run(&st, err);
}

static bool write_all(struct db *db, const char *place, const struct copies *list, struct viewd_err *err)
{
	bool good = true;
	for (size_t i = 0; good && i < list->n; i++)
		good = save(db, place, &list->items[i], err) && (db->ops->returning.forget_place == NULL ||
		                                                 db->ops->returning.forget_place(db, list->items[i].from, err));
	return good && marks_touch_all(db, err) && forget_objects(db, err);
}

static void log_copies(struct db *db, const struct copies *list)
{
	size_t known = 0;
	for (size_t i = 0; i < list->n; i++) {
		const struct copied *row = &list->items[i];
		known += row->fault == NULL;
		if (row->fault != NULL && row->fault[0] != '\0')
			db_log(db, VIEWD_LOG_WARNING, "view '%s', what is there as %s is not its own (%s)", row->name,
			       row->relation, row->fault);
	}
	db_log(
		db, VIEWD_LOG_WARNING,
		"database '%s', it is a copy (restored, copied or moved): %zu of %zu views are known again, all are refreshed",
		db->database_name, known, list->n);
}

/* Looking first: on some engines it ends a transaction. */
static bool know_again(struct db *db, const char *place, struct copies *list, struct viewd_err *err)
{
	for (size_t i = 0; i < list->n; i++)
		if (!judge_copy(db, list->mem, &list->items[i], err))
			return err_wrap(err, "view '%s'", list->items[i].name);
	db_failpoint(db, "returned:judged");
	if (!db->ops->begin(db, DB_BEGIN_WRITE, err))
		return false;
	if (!write_all(db, place, list, err) || !db->ops->commit(db, err)) {
		db->ops->rollback(db);
		return false;
	}
	log_copies(db, list);
	return true;
}

/* Rows of an earlier version say nothing of where they were written. */
static bool claim_unplaced(struct db *db, const char *place, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "UPDATE %s SET place = ", db->syntax->state.views);
	stmt_param(&st, place);
	stmt_text(&st, " WHERE place IS NULL");
	return stmt_run(&st, err);
}

bool returned_recognise(struct db *db, void *mem_ctx, char **place_r, struct viewd_err *err)
{
	char *place = NULL;
	if (!returned_place(db, mem_ctx, &place, err))
		return false;
	struct copies list = {.mem = talloc_new(NULL)};
	bool good = place == NULL || (claim_unplaced(db, place, err) && list_copies(db, place, &list, err) &&
	                              (list.n == 0 || know_again(db, place, &list, err)));
	talloc_free(list.mem);
	if (good)
		*place_r = place;
	return good;
}

bool returned_look(struct db *db, const char *place, struct viewd_err *err)
{
	struct copies list = {.mem = talloc_new(NULL)};
	char *now = NULL;
	bool good = returned_place(db, list.mem, &now, err) && (now == NULL || list_copies(db, now, &list, err));
	if (good && now != NULL && (list.n > 0 || (place != NULL && strcmp(now, place) != 0)))
		good = err_set(err, VIEWD_ERR_LOST, "the state of its views is another one, the database was restored");
	talloc_free(list.mem);
	return good;
}
