/* SPDX-License-Identifier: MIT
 *
 * log_text.c: triggers that write images. A writer may be any program with any SQLite since 3.31, so nothing newer is
 * in them; and none of them can fail or wait while its log's table is there.
 */
#include "sqlite/incremental/log_text.h"

#include "common/sqltext/sqltext.h"

#include <stdio.h>
#include <talloc.h>

#define TEXT_OF(x) #x
#define NUMBER(x) TEXT_OF(x)
#define NOTE \
	" /* triggers on the application's table write here: without this table or this name that table cannot be " \
	"written. `viewctl uninstall` takes the triggers out, then this table. */"

struct writing {
	struct db *db;
	void *mem;
	const struct change_log *log;
	const struct shape *shape;
	struct log_text *out;
	char *source; /* quoted */
	char *room;   /* SQL: the log is not full. No floor, no room: what was removed by others is found out by that */
};

static char *quoted(const struct writing *w, const char *prefix, const char *name)
{
	return ident_append(w->db->syntax, sql_add(sql_new(w->mem), "%s", prefix), name);
}

static const struct shape_column *logged(const struct writing *w, size_t i)
{
	return shape_column(w->shape, w->log->columns[i]);
}

/* ", NEW.a, NEW.b" */
static char *add_columns(const struct writing *w, char *sql, const char *prefix)
{
	for (size_t i = 0; i < w->log->n_columns; i++)
		if (logged(w, i) != NULL)
			sql = sql_add(sql, ", %s", quoted(w, prefix, logged(w, i)->name));
	return sql;
}

static char *add_insert(const struct writing *w, char *sql)
{
	return add_columns(w, sql_add(sql, "INSERT INTO %s (viewd_sign", w->out->table), "");
}

static char *add_image(const struct writing *w, char *sql, const char *sign, const char *prefix)
{
	return sql_add(add_columns(w, sql_add(sql, "(%s", sign), prefix), ")");
}

/* "a and b are not the very same": equal values may be of other bytes or types. */
static char *add_differ(const struct writing *w, char *sql, const struct shape_column *column)
{
	char *old = quoted(w, "OLD.", column->name), *new = quoted(w, "NEW.", column->name);
	return sql_add(sql, "%s IS NOT %s COLLATE BINARY OR typeof(%s) <> typeof(%s)", old, new, old, new);
}

/* " OF a, b": an UPDATE of others does not run the trigger. */
struct of {
	char *list;
	bool any; /* a generated column changes by others */
};

static void add_of(const struct writing *w, struct of *of, const struct shape_column *column)
{
	of->any |= column->generated;
	of->list = sql_add(of->list, "%s%s", of->list[0] != '\0' ? ", " : " OF ", quoted(w, "", column->name));
}

/* The row number is changed by names that are not its column's. */
static const char *finish_of(const struct writing *w, struct of *of)
{
	static const char *const names[] = {"_rowid_", "rowid", "oid"};
	for (size_t i = 0; i < ARRAY_LEN(names) && !w->shape->without_rowid; i++)
		if (shape_column(w->shape, names[i]) == NULL)
			of->list = sql_add(of->list, "%s%s", of->list[0] != '\0' ? ", " : " OF ", names[i]);
	return of->any ? "" : of->list;
}

/* "CREATE TRIGGER viewd_change_7_x WHEN ON source" */
static char *begin_trigger(const struct writing *w, char letter, const char *when)
{
	struct log_trigger *trigger = &w->out->triggers[w->out->n_triggers++];
	trigger->name = talloc_asprintf(w->mem, "%s_%c", w->out->table, letter);
	assert(trigger->name != NULL);
	return sql_add(sql_new(w->mem), "CREATE TRIGGER %s %s ON %s", trigger->name, when, w->source);
}

static void end_trigger(const struct writing *w, char *sql)
{
	w->out->triggers[w->out->n_triggers - 1].create = sql_add(sql, " END");
}

static void write_insert(const struct writing *w)
{
	char *sql = sql_add(begin_trigger(w, 'i', "AFTER INSERT"), " WHEN %s BEGIN ", w->room);
	sql = add_image(w, sql_add(add_insert(w, sql), ") VALUES "), SIGN_NEW, "NEW.");
	end_trigger(w, sql_add(sql, ";"));
}

static void write_delete(const struct writing *w)
{
	char *sql = sql_add(begin_trigger(w, 'd', "AFTER DELETE"), " WHEN %s BEGIN ", w->room);
	sql = add_image(w, sql_add(add_insert(w, sql), ") VALUES "), SIGN_OLD, "OLD.");
	end_trigger(w, sql_add(sql, ";"));
}

static void write_update(const struct writing *w)
{
	struct of of = {.list = sql_new(w->mem)};
	char *differ = sql_new(w->mem);
	for (size_t i = 0; i < w->log->n_columns; i++) {
		if (logged(w, i) == NULL)
			continue;
		add_of(w, &of, logged(w, i));
		differ = add_differ(w, sql_add(differ, "%s", differ[0] != '\0' ? " OR " : ""), logged(w, i));
	}
	char *sql = begin_trigger(w, 'u', sql_add(sql_new(w->mem), "AFTER UPDATE%s", finish_of(w, &of)));
	sql = sql_add(sql, " WHEN (%s) AND %s BEGIN ", differ, w->room);
	sql = add_image(w, sql_add(add_insert(w, sql), ") VALUES "), SIGN_OLD, "OLD.");
	end_trigger(w, sql_add(add_image(w, sql_add(sql, ", "), SIGN_NEW, "NEW."), ";"));
}

/* ---- rows that REPLACE removes ---- */

/* " SELECT -1, t.a, t.b FROM source AS t WHERE ": rows that are in the way of the new one. */
static char *add_rows_in_way(const struct writing *w, char *sql)
{
	sql = sql_add(add_insert(w, sql), ") SELECT " SIGN_OLD);
	return sql_add(add_columns(w, sql, "viewd_t."), " FROM %s AS viewd_t WHERE ", w->source);
}

/* " AND (..)": a row may as well come into an index by what its condition reads, the row number included. */
static char *add_key_differs(const struct writing *w, char *sql, const struct shape_key *key)
{
	for (size_t i = 0; i < key->n; i++)
		sql = add_differ(w, sql_add(sql, "%s", i > 0 ? " OR " : " AND ("), key->columns[i]);
	for (size_t i = 0; i < key->n_conditional; i++)
		sql = add_differ(w, sql_add(sql, " OR "), key->conditional[i]);
	if (key->condition != NULL && w->shape->row_id != NULL)
		sql = sql_add(sql, " OR %s <> %s", quoted(w, "OLD.", w->shape->row_id), quoted(w, "NEW.", w->shape->row_id));
	return sql_add(sql, ")");
}

static char *add_key(const struct writing *w, char *sql, const struct shape_key *key, bool update)
{
	sql = add_rows_in_way(w, sql);
	for (size_t i = 0; i < key->n; i++) {
		const char *name = key->columns[i]->name;
		sql = sql_add(sql, "%s%s = %s COLLATE %s", i > 0 ? " AND " : "", quoted(w, "viewd_t.", name),
		              quoted(w, "NEW.", name), quoted(w, "", key->collations[i]));
	}
	if (key->condition != NULL)
		sql = sql_add(sql, " AND (%s)", key->condition);
	return sql_add(update ? add_key_differs(w, sql, key) : sql, "; ");
}

static char *add_row_id(const struct writing *w, char *sql, bool update)
{
	char *new = quoted(w, "NEW.", w->shape->row_id), *old = quoted(w, "OLD.", w->shape->row_id);
	sql = sql_add(add_rows_in_way(w, sql), "%s = %s", quoted(w, "viewd_t.", w->shape->row_id), new);
	return update ? sql_add(sql, " AND %s <> %s; ", old, new) : sql_add(sql, "; ");
}

/* The row in the way of a default is known too late. */
static char *add_defaults(const struct writing *w, char *sql)
{
	for (size_t k = 0; k < w->shape->n_keys; k++)
		for (size_t i = 0; i < w->shape->keys[k].n; i++)
			if (w->shape->keys[k].columns[i]->replaced)
				sql = sql_template2(sql, "INSERT INTO {a} (viewd_sign) SELECT " SIGN_EVERYTHING " WHERE {b} IS NULL; ",
				                    w->out->table, quoted(w, "NEW.", w->shape->keys[k].columns[i]->name));
	return sql;
}

static char *add_keys(const struct writing *w, char *sql, bool update)
{
	if (w->shape->row_id != NULL)
		sql = add_row_id(w, sql, update);
	for (size_t i = 0; i < w->shape->n_keys; i++)
		sql = add_key(w, sql, &w->shape->keys[i], update);
	return add_defaults(w, sql);
}

/* Replaced rows run no DELETE trigger unless the writer's connection has recursive_triggers on, and a trigger cannot
 * see whether its statement is a REPLACE: a row that then stays was logged for nothing. */
static void write_replace(const struct writing *w)
{
	char *sql = sql_add(begin_trigger(w, 'r', "BEFORE INSERT"), " WHEN %s BEGIN ", w->room);
	end_trigger(w, add_keys(w, sql, false));
}

static void write_update_or_replace(const struct writing *w)
{
	struct of of = {.list = sql_new(w->mem)};
	for (size_t k = 0; k < w->shape->n_keys; k++) {
		const struct shape_key *key = &w->shape->keys[k];
		for (size_t i = 0; i < key->n; i++)
			add_of(w, &of, key->columns[i]);
		for (size_t i = 0; i < key->n_conditional; i++)
			add_of(w, &of, key->conditional[i]);
	}
	if (w->shape->row_column != NULL)
		add_of(w, &of, shape_column(w->shape, w->shape->row_column));
	char *sql = begin_trigger(w, 's', sql_add(sql_new(w->mem), "BEFORE UPDATE%s", finish_of(w, &of)));
	sql = sql_add(sql, " WHEN %s BEGIN ", w->room);
	end_trigger(w, add_keys(w, sql, true));
}

static char *create_table(const struct writing *w)
{
	char *sql = sql_add(sql_new(w->mem), "CREATE TABLE %s" NOTE " (viewd_id INTEGER PRIMARY KEY, viewd_sign INTEGER",
	                    w->out->table);
	for (size_t i = 0; i < w->log->n_columns; i++) {
		const struct shape_column *column = logged(w, i);
		if (column != NULL)
			sql = sql_add(sql, ", %s %s COLLATE %s", quoted(w, "", column->name), column->affinity,
			              quoted(w, "", column->collation));
	}
	return sql_add(sql, ")");
}

void log_text(struct db *db, void *mem_ctx, const struct change_log *log, const struct shape *shape,
              struct log_text *out)
{
	*out = (struct log_text){.table = change_log_table(db, mem_ctx, log->number)};
	struct writing w = {db, mem_ctx, log, shape, out, relation_quoted(db->syntax, mem_ctx, &log->source), NULL};
	w.room =
		sql_template(sql_new(mem_ctx),
	                 "(SELECT max(viewd_id) FROM {}) - (SELECT min(viewd_id) FROM {}) <= " NUMBER(LOG_CAP), out->table);
	out->create = create_table(&w);
	write_insert(&w);
	write_update(&w);
	write_delete(&w);
	if (shape->row_id == NULL && shape->n_keys == 0)
		return;
	write_replace(&w);
	write_update_or_replace(&w);
}
