/* SPDX-License-Identifier: MIT */
#include "postgresql/depends/shards.h"

#include <string.h>

static bool listed_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0][0] == 't';
	return false;
}

static const struct db_reader listed_row[] = {{listed_row_fn, "t", "whether there is a list of shards"}};

bool shards_listed(struct viewd_conn *conn, bool *listed_r, struct viewd_err *err)
{
	return pg_op_query(&conn->db, "SELECT pg_catalog.to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL", NULL, 0,
	                   listed_row, listed_r, err);
}

static bool take_sharded_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct dependencies *list = ctx;
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].identity != NULL && strcmp(list->items[i].identity, v[0]) == 0)
			list->items[i].unheard = SHARDS_UNHEARD;
	return true;
}

static const struct db_reader take_sharded[] = {{take_sharded_fn, "t", "a table whose rows are in shards"}};

bool walk_shards(struct walk *w, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"SELECT 'r' || c.oid FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'f') AND " SHARDED_SQL("c.oid");
	/* clang-format on */
	bool listed = false;
	return shards_listed(w->conn, &listed, err) &&
	       (!listed || pg_op_query(&w->conn->db, sql, NULL, 0, take_sharded, w->list, err));
}
