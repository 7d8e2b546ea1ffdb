/* SPDX-License-Identifier: MIT
 *
 * swap_blockers.c: what forbids exchanging a table's name: foreign keys and triggers stay with the old table (and would
 * be lost with it), while views and grants follow the name.
 *
 * Foreign keys of other databases are not searched for, that would open every table of the server; DROP TABLE refuses
 * for them and the names are exchanged back (shadow_table.c). MySQL shows triggers only to accounts with the TRIGGER
 * privilege.
 */
#include "common/text/number.h"
#include "mysql/refresh/shadow_table.h"

#include <stdio.h>

#include "common/sqltext/sqltext.h"

/* clang-format off */
static const char question[] =
	"(SELECT 0, TABLE_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = {a} AND "
	"REFERENCED_TABLE_SCHEMA = {a}"
	" AND REFERENCED_TABLE_NAME = {b} LIMIT 1)"
	" UNION ALL (SELECT 1, CONSTRAINT_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = {a} AND "
	"TABLE_NAME = {b}"
	" AND REFERENCED_TABLE_NAME IS NOT NULL LIMIT 1)"
	" UNION ALL (SELECT 2, TRIGGER_NAME FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = {a} AND "
	"EVENT_OBJECT_TABLE = {b}"
	" LIMIT 1)";
/* clang-format on */

/* {number of the question, name of what was found} */
static bool take_first_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	static const char *const found[] = {"a foreign key refers to it from table", "it has the foreign key",
	                                    "it has the trigger"};
	char *reason = ctx;
	int64_t which = number_or(v[0], -1);

	snprintf(reason, 256, "%s '%.150s'", which >= 0 && which < 3 ? found[which] : "it is bound to", v[1]);
	return false;
}

static const struct db_reader take_first[] = {{take_first_fn, "nt", "what keeps a name in its place"}};

bool swap_blocked(struct viewd_conn *conn, const struct relation *rel, bool *blocked_r, char reason[static 256],
                  struct viewd_err *err)
{
	void *mem = talloc_new(conn);
	char *sql = sql_template2(sql_new(mem), question, literal_quoted(&my_syntax, mem, rel->schema),
	                          literal_quoted(&my_syntax, mem, rel->name));
	char first[256] = "";
	bool done = my_query(&conn->db, sql, NULL, 0, take_first, first, err);

	if (done) {
		*blocked_r = first[0] != '\0';
		snprintf(reason, 256, "%s", first);
	}
	talloc_free(mem);
	return done;
}
