/* SPDX-License-Identifier: MIT */
#include "mysql/capture/trigger_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/text/digest.h"
#include "mysql/depends/cascade.h"

/* "viewd_i_" and 16 digits. The same in a copy of the database; but two databases of viewd may watch one table of a
 * third. */
static void name_trigger(struct viewd_conn *conn, void *mem, const char *source, struct trigger_plan *plan)
{
	const char *home = note_is_home(conn, plan->table->schema) ? "" : conn->url->database;
	char hash[DIGEST_SIZE];

	digest_text(
		talloc_asprintf(mem, "2\n%s\n%s\n%s\n%s", home, source, body_relation(conn, mem, plan->table), plan->event),
		hash);
	snprintf(plan->name, sizeof plan->name, "viewd_%c_%.16s", plan->event[0] - 'A' + 'a', hash);
}

static void add_plan(struct viewd_conn *conn, void *mem, struct trigger_plans *all, const struct relation *table,
                     const char *event, const char *condition)
{
	struct trigger_plan plan = {.table = table, .event = event, .condition = condition};

	name_trigger(conn, mem, all->source, &plan);
	plan.body = body_text(conn, mem, table->schema, all->source, condition);
	all->items = talloc_realloc(mem, all->items, struct trigger_plan, (unsigned)all->n + 1);
	all->items[all->n++] = plan;
}

bool trigger_plan_all(struct viewd_conn *conn, void *mem, const struct relation *source, struct trigger_plans *all,
                      struct viewd_err *err)
{
	struct cascades *list = talloc_zero(mem, struct cascades);

	list->mem = mem;
	*all = (struct trigger_plans){.source = body_relation(conn, mem, source)};
	if (!cascade_find(conn, source, list, err))
		return false;
	add_plan(conn, mem, all, source, "INSERT", NULL);
	add_plan(conn, mem, all, source, "UPDATE", NULL);
	add_plan(conn, mem, all, source, "DELETE", NULL);
	for (size_t i = 0; i < list->n; i++) {
		const struct cascade *c = &list->items[i];
		if (c->on_delete)
			add_plan(conn, mem, all, &c->parent, "DELETE", NULL);
		if (c->on_update)
			add_plan(conn, mem, all, &c->parent, "UPDATE", c->differs);
	}
	return true;
}

/* ---- what is there */

char *trigger_quoted(void *mem, const char *schema, const char *name)
{
	struct relation rel = {.schema = ""};

	snprintf(rel.schema, sizeof rel.schema, "%s", schema);
	snprintf(rel.name, sizeof rel.name, "%s", name);
	return relation_quoted(&my_syntax, mem, &rel);
}

static bool take_seen_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct trigger_seen *seen = ctx;

	seen->there = true;
	seen->hidden = v[0] == NULL;
	seen->body = talloc_strdup(seen->mem, v[0] != NULL ? v[0] : "");
	snprintf(seen->definer, sizeof seen->definer, "%s", v[1] != NULL ? v[1] : "");
	return false;
}

static const struct db_reader take_seen[] = {{take_seen_fn, "TT", "a trigger"}};

bool trigger_see(struct viewd_conn *conn, void *mem, const char *schema, const char *table, const char *name,
                 struct trigger_seen *out, struct viewd_err *err)
{
	const char *params[] = {schema, schema, name, table};
	char *sql =
		talloc_asprintf(mem,
	                    "SELECT ACTION_STATEMENT, DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?"
	                    " AND EVENT_OBJECT_SCHEMA = ? AND TRIGGER_NAME = ?%s",
	                    table != NULL ? " AND EVENT_OBJECT_TABLE = ?" : "");

	*out = (struct trigger_seen){.mem = mem};
	return my_query(&conn->db, sql, params, table != NULL ? 4 : 3, take_seen, out, err) &&
	       (!out->hidden || trigger_hidden(conn, schema, name, err));
}

bool trigger_hidden(struct viewd_conn *conn, const char *schema, const char *name, struct viewd_err *err)
{
	conn->denied.now = true;
	err_set(err, VIEWD_ERR_DENIED, "trigger '%.64s' of database '%.64s' cannot be seen", name, schema);
	return err_hint(err, "grant TRIGGER on %.64s.* to viewd's account", schema);
}

/* MariaDB shows the triggers of a table to who has any right there, MySQL to who has TRIGGER. The server tells apart
 * what is not there (1360) and what may not be seen. */
bool trigger_absent(struct viewd_conn *conn, const char *schema, const char *name, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	char *sql = talloc_strdup(NULL, "SHOW CREATE TRIGGER ");

	sql = talloc_strdup_append(sql, trigger_quoted(sql, schema, name));
	bool shown = db_exec(&conn->db, sql, &failure);
	talloc_free(sql);
	if (shown || failure.cls == VIEWD_ERR_QUERY || failure.cls == VIEWD_ERR_MISSING)
		return true;
	if (failure.cls == VIEWD_ERR_DENIED)
		return trigger_hidden(conn, schema, name, err);
	if (err != NULL)
		*err = failure;
	return false;
}

bool trigger_is_there(struct viewd_conn *conn, void *mem, const struct trigger_plan *plan,
                      const struct definer *definer, bool *there_r, struct viewd_err *err)
{
	struct trigger_seen seen;

	if (!trigger_see(conn, mem, plan->table->schema, plan->table->name, plan->name, &seen, err))
		return false;
	*there_r =
		seen.there && strcmp(seen.body, plan->body) == 0 && (definer == NULL || definer_same(definer, seen.definer));
	return true;
}
