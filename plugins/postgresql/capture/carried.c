/* SPDX-License-Identifier: MIT
 *
 * carried.c: a refresh does not write the marks of what it has read in its own transaction: the watcher updates them
 * all the time. They are carried over in another one, right behind it or later.
 */
#include "base/err.h"
#include "postgresql/pg.h"

/* The rows that are carried over: others may add more, or do the same, meanwhile. Their numbers stay in a setting, so
 * that all of it takes one turn. */
#define CARRIED "ANY (nullif(pg_catalog.current_setting('viewd.carried', true), '')::pg_catalog.int8[])"

void pg_carried_queue(struct viewd_conn *conn)
{
	/* clang-format off */
	static const char *const steps[] = {
		("SELECT pg_catalog.set_config('synchronous_commit', 'off', true), pg_catalog.set_config('viewd.carried', "
		 "pg_catalog.array_agg(id)::text, true) FROM (SELECT id FROM viewd.carried FOR UPDATE SKIP LOCKED) AS rows"),
		("UPDATE viewd.captures c SET clean_seq = t.seq FROM (SELECT view, source, pg_catalog.max(seq) AS seq FROM "
		 "viewd.carried"
		 " WHERE id = " CARRIED " AND seq IS NOT NULL GROUP BY view, source) t"
		 " WHERE c.view = t.view AND c.source = t.source AND c.clean_seq < t.seq"),
		("UPDATE viewd.captures c SET " PG_RAISE " WHERE EXISTS (SELECT 1"
		 " FROM viewd.carried t WHERE t.id = " CARRIED " AND t.seq IS NULL AND t.source = c.source"
		 " AND c.view <> ALL (t.members))"),
		"DELETE FROM viewd.carried WHERE id = " CARRIED,
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		pg_queue_again(conn, steps[i], NULL, 0, NULL, NULL);
}

void pg_carried_put_off(struct db *db, const struct viewd_err *why)
{
	pg_op_rollback(db);
	pg_log(pg_of(db), VIEWD_LOG_WARNING, "database '%s', change marks of a group are settled later (%s)",
	       db->database_name, why->msg);
}

/* Marks that are left here are carried over by the next run, by prepare, or by the watch. So nobody waits for the disk:
 * what a crash undoes is done again. */
void pg_op_carry_over(struct db *db)
{
	struct viewd_err failed = {0};
	bool begun = pg_op_begin(db, DB_BEGIN_WRITE, &failed);
	if (begun)
		pg_carried_queue(pg_of(db));
	if (!begun || !pg_op_commit(db, &failed))
		pg_carried_put_off(db, &failed);
}

static bool left_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0][0] == 't';
	return false;
}

static const struct db_reader left_row[] = {{left_row_fn, "t", "whether marks are left"}};

bool pg_carried_left(struct viewd_conn *conn)
{
	struct viewd_err failed = {0};
	bool left = false;
	if (!pg_op_query(&conn->db, "SELECT EXISTS (SELECT FROM viewd.carried)", NULL, 0, left_row, &left, &failed))
		pg_carried_put_off(&conn->db, &failed);
	else if (left)
		pg_op_carry_over(&conn->db);
	return left;
}
