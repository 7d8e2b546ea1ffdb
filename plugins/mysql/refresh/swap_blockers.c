/* SPDX-License-Identifier: MIT
 *
 * swap_blockers.c: what forbids exchanging a table's name: foreign keys and triggers stay with the old table (and would
 * be lost with it), while views and grants follow the name.
 *
 * Foreign keys of other databases are not searched for, that would open every table of the server; DROP TABLE refuses
 * for them and the names are exchanged back (shadow_table.c). MySQL shows triggers only to accounts with the TRIGGER
 * privilege.
 *
 * Triggers of a change log of viewd (incremental/log.h) are no loss: its readers find the log broken, make it anew and
 * compute all their rows. Where there is another way than to exchange names it is the better one, since these triggers
 * then hand over what has changed.
 */
#include "common/text/number.h"
#include "mysql/incremental/log.h"
#include "mysql/refresh/shadow_table.h"

#include <stdio.h>

#include "common/sqltext/sqltext.h"

/* clang-format off */
static const char question[] =
	"(SELECT 0, TABLE_NAME, NULL FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = {a} AND "
	"REFERENCED_TABLE_SCHEMA = {a}"
	" AND REFERENCED_TABLE_NAME = {b} LIMIT 1)"
	" UNION ALL (SELECT 1, CONSTRAINT_NAME, NULL FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = {a} AND "
	"TABLE_NAME = {b}"
	" AND REFERENCED_TABLE_NAME IS NOT NULL LIMIT 1)"
	" UNION ALL (SELECT 2, TRIGGER_NAME, ACTION_STATEMENT FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = "
	"{a} AND EVENT_OBJECT_TABLE = {b})";
/* clang-format on */

struct search {
	struct viewd_conn *conn;
	const struct relation *rel;
	struct swap_blocker *out;
};

/* {number of the question, name of what was found, what a trigger does} */
static bool take_blocker_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	static const char *const found[] = {"a foreign key refers to it from table", "it has the foreign key",
	                                    "it has the trigger"};
	const struct search *search = ctx;
	struct swap_blocker *out = search->out;
	int64_t which = number_or(v[0], -1);

	out->log_only = which == 2 && v[2] != NULL && log_body_is_ours(search->conn, search->rel->schema, v[2]);
	out->blocked = true;
	snprintf(out->reason, sizeof out->reason, "%s '%.150s'", which >= 0 && which < 3 ? found[which] : "it is bound to",
	         v[1]);
	return out->log_only;
}

static const struct db_reader take_blocker[] = {{take_blocker_fn, "ntT", "what keeps a name in its place"}};

bool swap_blocked(struct viewd_conn *conn, const struct relation *rel, struct swap_blocker *out, struct viewd_err *err)
{
	struct search search = {conn, rel, out};
	void *mem = talloc_new(conn);
	char *sql = sql_template2(sql_new(mem), question, literal_quoted(&my_syntax, mem, rel->schema),
	                          literal_quoted(&my_syntax, mem, rel->name));
	*out = (struct swap_blocker){.blocked = false};
	bool done = my_query(&conn->db, sql, NULL, 0, take_blocker, &search, err);

	talloc_free(mem);
	return done;
}
