/* SPDX-License-Identifier: MIT
 *
 * sqlite_fixture.h: a database file with two users: the dialect, and an application that uses SQLite itself.
 */
#ifndef VIEWD_TESTS_SQLITE_FIXTURE_H
#define VIEWD_TESTS_SQLITE_FIXTURE_H

#include "support/harness.h"

#include <sqlite3.h>

struct fixture {
	const struct viewd_dialect *dialect;
	struct viewd_host host;
	struct viewd_database_spec db;
	struct viewd_conn *conn;
	struct viewd_err err;
	struct viewd_outcome out;
	struct viewd_found found;
	sqlite3 *user; /* the application */
};

/* The plugin and a database section for test.db in harness_dir(); nothing is opened. */
void fixture_load(struct fixture *f);
/* The application's connection (WAL mode) and the dialect's, prepared. */
void fixture_open_all(struct fixture *f);
void fixture_close_all(struct fixture *f);

/* The application runs statements; a query's rows come back as "a|b\n", NULL empty. */
void fixture_user_sql(struct fixture *f, const char *sql);
const char *fixture_user_rows(struct fixture *f, const char *sql);

/* A view `v` of method table with every default. */
struct viewd_view_spec fixture_table_of(const char *definition);
bool fixture_apply(struct fixture *f, const struct viewd_view_spec *view, enum viewd_change change);
bool fixture_refresh(struct fixture *f, const struct viewd_view_spec *view);

#define APPLY(f, view, change) REQUIRE_OK(fixture_apply((f), (view), (change)), &(f)->err)

#endif
