/* SPDX-License-Identifier: MIT
 *
 * leftovers.c: puts right, in prepare, what a killed predecessor has left.
 *
 * A table is removed only when its name is one of shadow_table.h, its tag names an object that this state table knows,
 * and nobody holds the lock of its relation.
 */
#include "mysql/capture/capture.h"
#include "mysql/incremental/log.h"
#include "mysql/refresh/shadow_table.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/span.h"
#include "base/words.h"
#include "common/state/marks.h"
#include "common/text/copy.h"
#include "common/text/timetext.h"

#define SWEEP_WAIT_US (3 * SPAN_SECOND)

/* A table under a temporary name, or a recorded view. */
struct row {
	char schema[IDENT_MAX];
	char name[IDENT_MAX]; /* of a view: the digits of its tag */
	char relation[520];
	char view[256];
	int64_t data_timestamp_us;
};

struct rows {
	void *mem;
	struct row *items;
	size_t n;
};

static struct row *add_row(struct rows *all)
{
	all->items = talloc_realloc(all->mem, all->items, struct row, all->n + 1);
	all->items[all->n] = (struct row){.schema = ""};
	return &all->items[all->n++];
}

static bool take_table_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct row *row = add_row(ctx);

	copy_text(row->schema, sizeof row->schema, v[0]);
	copy_text(row->name, sizeof row->name, v[1]);
	return true;
}

static const struct db_reader take_table[] = {{take_table_fn, "TT", "tables that were left over"}};

static bool take_view_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct row *row = add_row(ctx);

	copy_text(row->view, sizeof row->view, v[0]);
	copy_text(row->relation, sizeof row->relation, v[1]);
	row->data_timestamp_us = timetext_parse(v[2]);
	copy_text(row->name, sizeof row->name, v[3]);
	return true;
}

static const struct db_reader take_view[] = {{take_view_fn, "TTTT", "the recorded views"}};

static bool drop_one(struct viewd_conn *conn, const struct row *row, struct viewd_err *err)
{
	struct relation rel = {.schema = ""};
	struct shadow shadow = {.conn = conn};

	copy_text(rel.schema, sizeof rel.schema, row->schema);
	copy_text(rel.name, sizeof rel.name, row->name);
	shadow.live = shadow.fresh = shadow.old = rel;
	snprintf(shadow.lock, sizeof shadow.lock, "viewd_lock_%.16s", row->name + strlen("viewd_new_"));
	if (!shadow_lock(&shadow, SWEEP_WAIT_US, err)) {
		db_log(&conn->db, VIEWD_LOG_INFO, "table '%s' is still being worked on", row->name);
		return err->cls == VIEWD_ERR_CONFLICT;
	}
	bool done = shadow_clear(&shadow, false, err);
	if (!conn->lost)
		shadow_unlock(&shadow);
	return done;
}

/* Tables under a temporary name whose tag is that of a recorded view. The server opens only those whose name fits. */
static bool drop_aside(struct viewd_conn *conn, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] = "SELECT t.TABLE_SCHEMA, t.TABLE_NAME FROM information_schema.TABLES t JOIN "
	                          "viewd_view_state v"
	                          " ON v.identity = CONCAT('table:', SUBSTRING(t.TABLE_COMMENT, 7, 32))"
	                          " WHERE t.TABLE_NAME REGEXP '^viewd_(new|old)_[0-9a-f]{16}$' AND t.TABLE_COMMENT LIKE "
	                          "'viewd:%'";
	/* clang-format on */
	struct rows all = {.mem = talloc_new(conn)};
	bool done = my_query(&conn->db, sql, NULL, 0, take_table, &all, err);

	for (size_t i = 0; done && i < all.n; i++)
		done = drop_one(conn, &all.items[i], err);
	talloc_free(all.mem);
	return done;
}

/* The exchange happened, the state row did not follow any more: the tag tells what it would have said. */
static bool catch_up(struct viewd_conn *conn, const struct row *row, struct viewd_err *err)
{
	struct relation rel, at;
	struct tag tag;
	bool exists;

	if (!relation_parse(&my_syntax, row->relation, &rel, err))
		return false;
	my_place(conn, &rel, &at);
	if (!my_find_tag(conn, &at, &exists, &tag, err))
		return false;
	if (tag.data_timestamp_us <= row->data_timestamp_us || strcmp(tag.uid, row->name) != 0)
		return true;
	struct state_run run = {
		.action = word_did(VIEWD_DID_SWAP),
		.succeeded = true,
		.started_us = tag.data_timestamp_us,
		.duration_us = tag.duration_us,
		.rows = tag.rows,
		.rows_written = tag.rows,
		.data_timestamp_us = tag.data_timestamp_us,
	};
	bool done = my_begin(&conn->db, DB_BEGIN_WRITE, err) && state_record_run(&conn->db, row->view, &run, err) &&
	            marks_touch(&conn->db, row->relation, NULL, err) && my_commit(&conn->db, err);
	if (!done)
		my_rollback(&conn->db);
	return done;
}

static bool catch_up_all(struct viewd_conn *conn, struct viewd_err *err)
{
	static const char sql[] = "SELECT name, relation, data_timestamp, SUBSTRING(identity, 7) FROM viewd_view_state"
							  " WHERE identity LIKE 'table:%'";
	struct rows all = {.mem = talloc_new(conn)};
	bool done = my_query(&conn->db, sql, NULL, 0, take_view, &all, err);

	for (size_t i = 0; done && i < all.n; i++)
		done = catch_up(conn, &all.items[i], err);
	talloc_free(all.mem);
	return done;
}

bool my_clean_leftovers(struct db *db, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	struct viewd_err failure = {0};
	bool done = capture_setup(conn, &failure) && intent_setup(conn, &failure) && my_probe_sweep(conn, &failure) &&
	            intent_recover(conn, &failure) && drop_aside(conn, &failure) && catch_up_all(conn, &failure);

	if (!done && err != NULL)
		*err = failure;
	return done;
}
