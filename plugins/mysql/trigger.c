/* SPDX-License-Identifier: MIT
 *
 * trigger.c: row triggers that append to viewd_changes: one row a changed row, so that no two writers wait for each other. They run
 * with viewd's privileges; a writer needs none. viewd_triggers is written before a trigger is made, so none is forgotten.
 *
 * One row a statement would do, but nothing that a trigger can see tells one statement or transaction from the next for certain: user variables
 * outlive ROLLBACK and ROLLBACK TO SAVEPOINT, which take the row of the log with them; now(6) stands still after SET TIMESTAMP; looking
 * whether a row of this transaction is there costs as much as writing one (and locks a gap at REPEATABLE READ when it is not).
 */
#include "mysql/notice.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/digest.h"
#include "common/sqltext.h"

#define ER_BINLOG_CREATE_ROUTINE_NEED_SUPER 1419

/* One trigger: what it is on, and what it writes. */
struct plan {
	const struct relation *table;
	const char *event;
	const char *condition; /* NULL: always */
	const char *source;    /* what is written: the source, quoted */
};

struct plans {
	struct plan *items;
	size_t n;
};

static void add_plan(void *mem, struct plans *all, struct plan plan)
{
	all->items = talloc_realloc(mem, all->items, struct plan, (unsigned)all->n + 1);
	all->items[all->n++] = plan;
}

/* The three of the source itself, and those of the tables whose foreign keys write it. */
static bool plan_all(struct viewd_conn *conn, void *mem, const struct relation *source, struct plans *all, struct viewd_err *err)
{
	const char *quoted = relation_quoted(&my_syntax, mem, source);
	struct cascades *list = talloc_zero(mem, struct cascades);

	list->mem = mem;
	if (!cascade_find(conn, source, list, err))
		return false;
	add_plan(mem, all, (struct plan){source, "INSERT", NULL, quoted});
	add_plan(mem, all, (struct plan){source, "UPDATE", NULL, quoted});
	add_plan(mem, all, (struct plan){source, "DELETE", NULL, quoted});
	for (size_t i = 0; i < list->n; i++) {
		const struct cascade *c = &list->items[i];
		if (c->on_delete)
			add_plan(mem, all, (struct plan){&c->parent, "DELETE", NULL, quoted});
		if (c->on_update)
			add_plan(mem, all, (struct plan){&c->parent, "UPDATE", c->changed, quoted});
	}
	return true;
}

/* "viewd_i_" and 16 digits. Two databases of viewd may watch one table: the URL's database is part of it. */
static void trigger_name(struct viewd_conn *conn, const struct plan *plan, char out[static IDENT_MAX])
{
	char hash[DIGEST_SIZE];
	char *table = relation_quoted(&my_syntax, conn, plan->table);
	char *text = talloc_asprintf(table, "%s\n%s\n%s\n%s", conn->url->database, plan->source, table, plan->event);

	digest_text(text, hash);
	snprintf(out, IDENT_MAX, "viewd_%c_%.16s", plan->event[0] - 'A' + 'a', hash);
	talloc_free(table);
}

static char *trigger_body(struct viewd_conn *conn, void *mem, const struct plan *plan)
{
	struct relation log = {.name = "viewd_changes"};
	my_place(conn, &log, &log);
	char *insert = talloc_asprintf(mem, "INSERT INTO %s (source) VALUES (%s)", relation_quoted(&my_syntax, mem, &log),
	                               literal_quoted(&my_syntax, mem, plan->source));

	if (plan->condition == NULL)
		return insert;
	return talloc_asprintf(mem, "IF %s THEN %s; END IF", plan->condition, insert);
}

static char *trigger_quoted(void *mem, const char *schema, const char *name)
{
	struct relation rel = {.schema = ""};

	snprintf(rel.schema, sizeof rel.schema, "%s", schema);
	snprintf(rel.name, sizeof rel.name, "%s", name);
	return relation_quoted(&my_syntax, mem, &rel);
}

static bool is_there(struct viewd_conn *conn, void *mem, const struct plan *plan, bool *there_r, struct viewd_err *err)
{
	char name[IDENT_MAX];
	int64_t n;

	trigger_name(conn, plan, name);
	const char *params[] = {plan->table->schema, plan->table->name, name, trigger_body(conn, mem, plan)};
	if (!my_query_int(conn,
	                  "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ?"
	                  " AND TRIGGER_NAME = ? AND ACTION_STATEMENT = ?",
	                  params, ARRAY_LEN(params), &n, err))
		return false;
	*there_r = n > 0;
	return true;
}

static bool explain(struct viewd_err *err)
{
	if (err != NULL && err->native == ER_BINLOG_CREATE_ROUTINE_NEED_SUPER)
		return err_hint(err, "with a binary log the server lets ordinary accounts make triggers only if log_bin_trust_function_creators is on");
	if (err != NULL && err->cls == VIEWD_ERR_DENIED)
		return err_hint(err, "grant TRIGGER on the table's database, or set capture = binlog or poll");
	return false;
}

/* What has the name is another one's body, or was left on a table that was renamed. */
static bool make(struct viewd_conn *conn, void *mem, const struct plan *plan, struct viewd_err *err)
{
	char name[IDENT_MAX];
	bool there;

	if (!is_there(conn, mem, plan, &there, err))
		return false;
	if (there)
		return true;
	trigger_name(conn, plan, name);
	const char *params[] = {plan->source, plan->table->schema, name};
	char *quoted = trigger_quoted(mem, plan->table->schema, name);
	char *drop = talloc_asprintf(mem, "DROP TRIGGER IF EXISTS %s", quoted);
	char *create = talloc_asprintf(mem, "CREATE TRIGGER %s AFTER %s ON %s FOR EACH ROW %s", quoted, plan->event,
	                               relation_quoted(&my_syntax, mem, plan->table), trigger_body(conn, mem, plan));
	if (!my_exec(&conn->db, "INSERT IGNORE INTO viewd_triggers VALUES (?, ?, ?)", params, ARRAY_LEN(params), NULL, err))
		return false;
	return (db_exec(&conn->db, drop, err) && db_exec(&conn->db, create, err)) || explain(err);
}

bool my_make_trigger(struct db *db, const struct relation *source, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	struct viewd_err failure = {0};
	struct plans all = {.items = NULL};
	void *mem = talloc_new(NULL);
	bool good = tables_remember(conn, source, &failure) && plan_all(conn, mem, source, &all, &failure);

	for (size_t i = 0; i < all.n && good; i++)
		good = make(conn, mem, &all.items[i], &failure);
	talloc_free(mem);
	if (!good && err != NULL)
		*err = failure;
	return good;
}

bool trigger_lacks(struct viewd_conn *conn, const struct relation *source, bool *lacks_r, struct viewd_err *err)
{
	struct plans all = {.items = NULL};
	struct db_object found;
	void *mem = talloc_new(NULL);
	bool lacks = false, there = true;
	bool good = my_find_object(&conn->db, source, &found, err);

	if (good && found.kind == VIEWD_KIND_TABLE)
		good = plan_all(conn, mem, source, &all, err);
	for (size_t i = 0; i < all.n && good; i++) {
		good = is_there(conn, mem, &all.items[i], &there, err);
		lacks = lacks || !there;
	}
	talloc_free(mem);
	if (good)
		*lacks_r = lacks;
	return good;
}

bool my_list_triggers(struct db *db, db_row_fn *row, void *ctx, struct viewd_err *err)
{
	return my_query(db, "SELECT DISTINCT source FROM viewd_triggers", NULL, 0, row, ctx, err);
}

/* ---- dropping */

static bool keep_quoted(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct texts *list = ctx;
	const char *const quoted[] = {trigger_quoted(list->mem, v[0], v[1])};

	return texts_keep(list, quoted, 1);
}

static bool drop_one(struct viewd_conn *conn, const char *trigger, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	char *sql = talloc_asprintf(conn, "DROP TRIGGER IF EXISTS %s", trigger);
	bool done = db_exec(&conn->db, sql, &failure);

	talloc_free(sql);
	if (done || failure.cls == VIEWD_ERR_MISSING) /* the database went with it */
		return true;
	if (err != NULL)
		*err = failure;
	return false;
}

bool my_drop_trigger(struct db *db, const char *source, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	struct texts list = {.mem = talloc_new(NULL)};
	const char *params[] = {source};
	bool good = my_query(db, "SELECT trigger_schema, trigger_name FROM viewd_triggers WHERE source = ?", params, 1, keep_quoted, &list, err);

	for (size_t i = 0; i < list.n && good; i++)
		good = drop_one(conn, list.items[i], err);
	good = good && my_exec(db, "DELETE FROM viewd_triggers WHERE source = ?", params, 1, NULL, err) && tables_forget(conn, source, err);
	talloc_free(list.mem);
	return good;
}
