/* SPDX-License-Identifier: MIT
 *
 * pg_support.h: sessions and views for tests of the PostgreSQL dialect against a real server.
 *
 * tests/postgresql/run.sh starts the server and names it in VIEWD_TEST_PG, a URL without user and database. Each test
 * program has it do so: HARNESS_SERVER_MAIN(PG_SERVER, ...).
 */
#ifndef VIEWD_TESTS_PG_SUPPORT_H
#define VIEWD_TESTS_PG_SUPPORT_H

#include "postgresql/pg.h"
#include "support/harness.h"

extern const struct viewd_dialect viewd_dialect_postgresql;

/* The dialect under test. */
#define DIALECT (&viewd_dialect_postgresql)

#define PG_SERVER "tests/postgresql/run.sh", "VIEWD_TEST_PG"

/* A fresh database; the role viewd may create in it, the role app owns the application's tables. Skips without a
 * server. */
void pg_fresh(void);

/* A session of the role (viewd, app, other or postgres), closed after the test. */
struct viewd_conn *pg_session(const char *role);
struct viewd_conn *pg_session_of(const struct viewd_database_spec *spec);

/* One statement, which must succeed. */
void pg_do(struct viewd_conn *conn, const char *sql);

/* The first value of the result, "" when there is none, "null" for NULL; columns and rows are joined with , and ;. */
const char *pg_ask(struct viewd_conn *conn, const char *sql);

/* A view spec with defaults; change fields as needed. */
struct viewd_view_spec pg_view(const char *name, enum viewd_method method, const char *definition);

/* prepare() with nothing to list. */
void pg_prepared(struct viewd_conn *conn);

/* apply() that must succeed; returns the outcome. */
struct viewd_outcome pg_apply(struct viewd_conn *conn, const struct viewd_view_spec *view, enum viewd_change change);

/* refresh() that must succeed. */
struct viewd_outcome pg_refreshed(struct viewd_conn *conn, const struct viewd_view_spec *view);

/* How many rows of the view's relation and of its definition have no equal in the other, as text. By texts: 1.5 and
 * 1.50 are two. */
const char *pg_differing(struct viewd_conn *conn, const struct viewd_view_spec *view);

/* inspect() that must succeed. */
struct viewd_found pg_look(struct viewd_conn *conn, const struct viewd_view_spec *view);

/* viewd's session, that of the application, and a view that a test fills in. */
struct pg_scene {
	struct viewd_conn *conn, *app;
	struct viewd_view_spec view;
};

/* A fresh, prepared database with the application's table sale (id, product, amount) of 100 rows, on which viewd may
 * make triggers. */
void pg_begin_sale(struct pg_scene *s);

/* The database spec of a role. The url belongs to harness_ctx(). */
struct viewd_database_spec pg_spec(const char *role);
extern const struct viewd_host pg_host;

#endif
