/* SPDX-License-Identifier: MIT */
#include "mysql/conn/row_key.h"

#include <stdio.h>

#include "common/sqltext/sqltext.h"

#define DEFINITION "`" ROW_KEY "` BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY"
#define SCRATCH "viewd_scratch"
#define ER_TABLE_WITHOUT_PK 3750

/* *native_r: the server's number of its refusal, 0: the table could be made. */
static bool try_table(struct viewd_conn *conn, const char *columns, int32_t *native_r)
{
	struct viewd_err failure = {0};
	char *sql = talloc_asprintf(conn, "CREATE TEMPORARY TABLE " SCRATCH " (%s) ENGINE=InnoDB", columns);
	bool made = db_exec(&conn->db, sql, &failure);

	talloc_free(sql);
	*native_r = failure.native;
	return made ? db_exec(&conn->db, "DROP TEMPORARY TABLE " SCRATCH, &failure) : failure.cls != VIEWD_ERR_CANCELLED;
}

void row_key_ask(struct viewd_conn *conn)
{
	int32_t keyless = 0, keyed = 0;

	if (conn->db.row_key.known || conn->lost)
		return;
	conn->db.row_key.known = try_table(conn, "n INT", &keyless) && try_table(conn, "n INT, " DEFINITION, &keyed);
	conn->db.row_key.table = conn->db.row_key.known && keyed == 0 ? DEFINITION : NULL;
	conn->db.row_key.temporary = keyless == ER_TABLE_WITHOUT_PK ? conn->db.row_key.table : NULL;
}

/* ---- tables of an earlier viewd ---- */

struct keyless {
	void *mem;
	struct relation *items;
	size_t n;
};

static bool take_keyless_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct keyless *list = ctx;

	list->items = talloc_realloc(list->mem, list->items, struct relation, (unsigned)list->n + 1);
	struct relation *rel = &list->items[list->n++];
	*rel = (struct relation){.schema = ""};
	snprintf(rel->schema, sizeof rel->schema, "%s", v[0]);
	snprintf(rel->name, sizeof rel->name, "%s", v[1]);
	return true;
}

static const struct db_reader take_keyless[] = {{take_keyless_fn, "tt", "tables without a primary key"}};

/* A comment alone does not tell: CREATE TABLE ... LIKE copies it. */
/* clang-format off */
static const char keyless_sql[] =
	"SELECT t.TABLE_SCHEMA, t.TABLE_NAME FROM information_schema.TABLES t"
	" LEFT JOIN information_schema.TABLE_CONSTRAINTS k"
	" ON k.TABLE_SCHEMA = t.TABLE_SCHEMA AND k.TABLE_NAME = t.TABLE_NAME AND k.CONSTRAINT_TYPE = 'PRIMARY KEY'"
	" WHERE t.TABLE_TYPE = 'BASE TABLE' AND k.CONSTRAINT_NAME IS NULL"
	" AND ((t.TABLE_COMMENT LIKE 'viewd:%' AND (CONCAT('table:', SUBSTRING(t.TABLE_COMMENT, 7, 32)),"
	" CONCAT('`', REPLACE(t.TABLE_SCHEMA, '`', '``'), '`.`', REPLACE(t.TABLE_NAME, '`', '``'), '`')) IN"
	" (SELECT identity, relation FROM viewd_view_state))"
	" OR (t.TABLE_SCHEMA = DATABASE() AND t.TABLE_NAME IN (SELECT CONCAT('viewd_node_', node) FROM viewd_nodes)))";
/* clang-format on */

static bool add_one(struct viewd_conn *conn, const struct relation *rel, struct viewd_err *err)
{
	char *name = relation_quoted(&my_syntax, conn, rel);
	char *sql = talloc_asprintf(name, "ALTER TABLE %s ADD COLUMN %s", name, conn->db.row_key.table);
	struct viewd_err failure = {0};
	bool done = db_exec(&conn->db, sql, &failure);

	talloc_free(name);
	if (done || !conn->lost) {
		if (!done)
			db_log(&conn->db, VIEWD_LOG_DEBUG, "table '%s' has no primary key yet (%s)", rel->name, failure.msg);
		return true;
	}
	if (err != NULL)
		*err = failure;
	return false;
}

bool row_keys_add(struct viewd_conn *conn, struct viewd_err *err)
{
	struct keyless list = {.mem = talloc_new(conn)};
	bool done = conn->db.row_key.table == NULL || my_query(&conn->db, keyless_sql, NULL, 0, take_keyless, &list, err);

	for (size_t i = 0; done && i < list.n; i++)
		done = add_one(conn, &list.items[i], err);
	talloc_free(list.mem);
	return done;
}
