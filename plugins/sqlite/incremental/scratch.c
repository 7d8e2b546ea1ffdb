/* SPDX-License-Identifier: MIT */
#include "sqlite/incremental/scratch.h"

#include "common/sqltext/sqltext.h"
#include "sqlite/conn/conn.h"

#include <talloc.h>

/* A transaction that was rolled back has taken along what it made, so the library is asked each time. */
static bool is_there(struct db *db, const char *name)
{
	return sqlite3_table_column_metadata(sqlite_conn_of(db)->handle, "temp", name, NULL, NULL, NULL, NULL, NULL,
	                                     NULL) == SQLITE_OK;
}

static bool make(struct db *db, const char *name, const char *columns, const char *index, struct viewd_err *err)
{
	char *sql = sql_add(sql_new(NULL), "CREATE TABLE temp.\"%s\" (%s)", name, columns);
	bool done = db_exec(db, sql, err);
	if (done && index != NULL)
		done = db_exec(db, sql_add(sql_new(sql), "CREATE INDEX temp.\"%s_i\" ON \"%s\" (%s)", name, name, index), err);
	talloc_free(sql);
	return done;
}

bool scratch_open(struct db *db, const char *name, const char *columns, const char *index, struct viewd_err *err)
{
	return is_there(db, name) ? scratch_empty(db, name, err) : make(db, name, columns, index, err);
}

bool scratch_empty(struct db *db, const char *name, struct viewd_err *err)
{
	char *sql = sql_add(sql_new(NULL), "DELETE FROM temp.\"%s\"", name);
	bool done = db_exec(db, sql, err);
	talloc_free(sql);
	return done;
}
