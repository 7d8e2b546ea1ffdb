/* SPDX-License-Identifier: MIT
 *
 * hinder.c: what forbids exchanging a table's name: foreign keys and triggers stay with the old table (and would be lost with
 * it), while views and grants follow the name.
 *
 * Foreign keys of other databases are not searched for, that would open every table of the server; DROP TABLE refuses for them and the
 * names are exchanged back (aside.c). MySQL shows triggers only to accounts with the TRIGGER privilege.
 */
#include "mysql/aside.h"

#include <stdio.h>

#include "common/sqltext.h"

struct check {
	const char *sql;    /* {a}: the schema's literal, {b}: the table's */
	const char *before; /* the reason is before 'what was found' */
};

static const struct check checks[] = {
	{"SELECT TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = {a} AND REFERENCED_TABLE_SCHEMA = {a}"
	 " AND REFERENCED_TABLE_NAME = {b} LIMIT 1",
	 "a foreign key refers to it from table"},
	{"SELECT CONSTRAINT_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = {a} AND TABLE_NAME = {b}"
	 " AND REFERENCED_TABLE_NAME IS NOT NULL LIMIT 1",
	 "it has the foreign key"},
	{"SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = {a} AND EVENT_OBJECT_TABLE = {b} LIMIT 1",
	 "it has the trigger"},
};

bool hinder_find(struct viewd_conn *conn, const struct relation *rel, bool *hindered_r, char reason[static 256],
                 struct viewd_err *err)
{
	void *mem = talloc_new(conn);
	char *schema = literal_quoted(&my_syntax, mem, rel->schema);
	char *name = literal_quoted(&my_syntax, mem, rel->name);
	char *found = NULL;
	bool done = true;

	for (size_t i = 0; done && found == NULL && i < ARRAY_LEN(checks); i++) {
		char *sql = sql_template2(sql_new(mem), checks[i].sql, schema, name);
		done = my_query_text(conn, mem, sql, NULL, 0, &found, err);
		if (done && found != NULL)
			snprintf(reason, 256, "%s '%.150s'", checks[i].before, found);
	}
	if (done)
		*hindered_r = found != NULL;
	talloc_free(mem);
	return done;
}
