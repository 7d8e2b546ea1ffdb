/* SPDX-License-Identifier: MIT
 *
 * cascade.c: InnoDB carries out foreign keys' actions below the server: no trigger of the child fires, and the binary
 * log names the parent alone (https://dev.mysql.com/worklog/task/?id=17024). So whoever notices the child has to look
 * at its parents.
 */
#include "mysql/depends/cascade.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/sqltext/sqltext.h"

static bool acts(const char *rule)
{
	return rule != NULL && strcasecmp(rule, "RESTRICT") != 0 && strcasecmp(rule, "NO ACTION") != 0;
}

static struct cascade *find_or_add(struct cascades *list, const char *schema, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].parent.schema, schema) == 0 && strcmp(list->items[i].parent.name, name) == 0)
			return &list->items[i];
	list->items = talloc_realloc(list->mem, list->items, struct cascade, (unsigned)list->n + 1);
	struct cascade *found = &list->items[list->n++];
	*found = (struct cascade){.on_delete = false};
	snprintf(found->parent.schema, sizeof found->parent.schema, "%s", schema);
	snprintf(found->parent.name, sizeof found->parent.name, "%s", name);
	return found;
}

/* {parent's schema, parent, delete rule, update rule, parent's column} */
static bool take_foreign_key_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct cascades *list = ctx;

	if (!acts(v[2]) && !acts(v[3]))
		return true;
	struct cascade *found = find_or_add(list, v[0], v[1]);
	found->on_delete = found->on_delete || acts(v[2]);
	if (!acts(v[3]))
		return true;
	found->on_update = true;
	char *old = ident_append(&my_syntax, sql_add(sql_new(list->mem), "OLD."), v[4]);
	char *new = ident_append(&my_syntax, sql_add(sql_new(list->mem), "NEW."), v[4]);
	char *text = found->differs != NULL ? sql_add(found->differs, " OR ") : sql_new(list->mem);
	found->differs = sql_template2(sql_add(text, "NOT "), my_syntax.diff.same_value, old, new);
	return true;
}

static const struct db_reader take_foreign_key[] = {{take_foreign_key_fn, "tttTt", "foreign keys"}};

static bool find_parents(struct viewd_conn *conn, const struct relation *child, struct cascades *list,
                         struct viewd_err *err)
{
	const char *params[] = {child->schema, child->name, child->schema, child->name};

	return my_query(&conn->db,
	                "SELECT k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, r.DELETE_RULE, r.UPDATE_RULE, "
	                "k.REFERENCED_COLUMN_NAME"
	                " FROM information_schema.REFERENTIAL_CONSTRAINTS r JOIN information_schema.KEY_COLUMN_USAGE k"
	                " ON k.CONSTRAINT_NAME = r.CONSTRAINT_NAME WHERE r.CONSTRAINT_SCHEMA = ? AND r.TABLE_NAME = ?"
	                " AND k.TABLE_SCHEMA = ? AND k.TABLE_NAME = ? AND k.REFERENCED_TABLE_NAME IS NOT NULL",
	                params, ARRAY_LEN(params), take_foreign_key, list, err);
}

bool cascade_find(struct viewd_conn *conn, const struct relation *child, struct cascades *list, struct viewd_err *err)
{
	if (!find_parents(conn, child, list, err))
		return false;
	for (size_t i = 0; i < list->n; i++) {
		struct relation parent = list->items[i].parent; /* the list moves while it grows */
		if (!find_parents(conn, &parent, list, err))
			return false;
	}
	return true;
}
