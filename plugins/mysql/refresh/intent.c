/* SPDX-License-Identifier: MIT
 *
 * intent.c: the row that says what is being made, so that a kill at any moment leaves a state that can be told apart.
 *
 * viewd_intents holds the state row as it will be. It is written before anything is built, again right before RENAME
 * (which commits by itself), and goes away in the transaction that writes the state row.
 */
#include "mysql/refresh/shadow_table.h"

#include <string.h>

#include "base/err.h"
#include "base/span.h"
#include "base/words.h"
#include "common/state/marks.h"
#include "common/text/copy.h"

#define RECOVER_WAIT_US (3 * SPAN_SECOND)

bool intent_setup(struct viewd_conn *conn, struct viewd_err *err)
{
	return db_exec(&conn->db,
	               "CREATE TABLE IF NOT EXISTS viewd_intents (name VARCHAR(255) NOT NULL PRIMARY KEY, schema_name "
	               "VARCHAR(64) NOT NULL,"
	               " table_name VARCHAR(64) NOT NULL, relation TEXT NOT NULL, method VARCHAR(32) NOT NULL,"
	               " definition_hash CHAR(64) NOT NULL, index_hash CHAR(64) NOT NULL, identity VARCHAR(128) NOT NULL,"
	               " canonical VARCHAR(64) NOT NULL, on_remove VARCHAR(16) NOT NULL, indexes TEXT NOT NULL)"
	               " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
	               err);
}

bool intent_write(struct task *task, const struct state_row *row, struct viewd_err *err)
{
	const char *params[] = {task->view->name,         task->rel.schema,     task->rel.name,  row->relation,
	                        word_method(row->method), row->definition_hash, row->index_hash, row->identity,
	                        row->canonical,           row->on_remove,       row->indexes};

	return task->db->ops->exec(task->db, "REPLACE INTO viewd_intents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", params,
	                           ARRAY_LEN(params), NULL, err);
}

static bool delete_intent(struct viewd_conn *conn, const char *view, struct viewd_err *err)
{
	const char *params[] = {view};

	return my_exec(&conn->db, "DELETE FROM viewd_intents WHERE name = ?", params, 1, NULL, err);
}

void intent_forget(struct viewd_conn *conn, const char *view)
{
	struct viewd_err err;

	if (!delete_intent(conn, view, &err))
		db_log(&conn->db, VIEWD_LOG_WARNING, "intent of view '%s' was left over (%s)", view, err.msg);
}

static bool fulfil(struct viewd_conn *conn, const char *view, const struct state_row *row, struct viewd_err *err)
{
	bool done = my_begin(&conn->db, DB_BEGIN_WRITE, err) && state_save(&conn->db, view, row, err) &&
	            delete_intent(conn, view, err) && my_commit(&conn->db, err);

	if (!done)
		my_rollback(&conn->db);
	return done;
}

bool intent_fulfil(struct task *task, const struct state_row *row, struct viewd_err *err)
{
	return fulfil(my_conn(task->db), task->view->name, row, err);
}

/* ---- after a crash */

struct intent {
	char name[256];
	struct relation rel;
	struct state_row row;
};

struct intents {
	void *mem;
	struct intent *items;
	size_t n;
};

static bool take_intent_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct intents *all = ctx;
	struct intent in = {.row = {.rows = -1}};

	copy_text(in.name, sizeof in.name, v[0]);
	copy_text(in.rel.schema, sizeof in.rel.schema, v[1]);
	copy_text(in.rel.name, sizeof in.rel.name, v[2]);
	copy_text(in.row.relation, sizeof in.row.relation, v[3]);
	if (v[4] == NULL || !method_of_word(v[4], &in.row.method))
		in.row.method = VIEWD_METHOD_TABLE;
	copy_text(in.row.definition_hash, sizeof in.row.definition_hash, v[5]);
	copy_text(in.row.index_hash, sizeof in.row.index_hash, v[6]);
	copy_text(in.row.identity, sizeof in.row.identity, v[7]);
	copy_text(in.row.canonical, sizeof in.row.canonical, v[8]);
	copy_text(in.row.on_remove, sizeof in.row.on_remove, v[9]);
	copy_text(in.row.indexes, sizeof in.row.indexes, v[10]);
	all->items = talloc_realloc(all->mem, all->items, struct intent, all->n + 1);
	all->items[all->n++] = in;
	return true;
}

static const struct db_reader take_intent[] = {{take_intent_fn, "TTTTTTTTTTT", "changes that were not finished"}};

static bool settle(struct viewd_conn *conn, const struct intent *in, struct shadow *shadow, struct viewd_err *err)
{
	struct db_object live;

	if (!my_find_object(&conn->db, &in->rel, &live, err))
		return false;
	bool happened = in->row.identity[0] != '\0' && strcmp(live.identity, in->row.identity) == 0;
	/* Views that read it have not been told either. */
	if (happened && (!marks_touch(&conn->db, in->row.relation, NULL, err) || !fulfil(conn, in->name, &in->row, err)))
		return false;
	if (!shadow_clear(shadow, true, err))
		return false;
	db_log(&conn->db, VIEWD_LOG_INFO, "view '%s', an interrupted change was %s", in->name,
	       happened ? "completed" : "undone");
	return happened || delete_intent(conn, in->name, err);
}

static bool recover_one(struct viewd_conn *conn, const struct intent *in, struct viewd_err *err)
{
	struct shadow shadow;
	struct viewd_err busy = {0};

	shadow_names(conn, &in->rel, &shadow);
	if (!shadow_lock(&shadow, RECOVER_WAIT_US, &busy)) {
		if (busy.cls != VIEWD_ERR_CONFLICT) {
			*err = busy;
			return false;
		}
		db_log(&conn->db, VIEWD_LOG_INFO, "view '%s' is being changed by another connection", in->name);
		return true;
	}
	bool done = settle(conn, in, &shadow, err);
	if (!conn->lost)
		shadow_unlock(&shadow);
	return done;
}

bool intent_recover(struct viewd_conn *conn, struct viewd_err *err)
{
	struct intents all = {.mem = talloc_new(conn)};
	bool done = my_query(&conn->db, "SELECT * FROM viewd_intents", NULL, 0, take_intent, &all, err);

	for (size_t i = 0; done && i < all.n; i++)
		done = recover_one(conn, &all.items[i], err);
	talloc_free(all.mem);
	return done;
}
