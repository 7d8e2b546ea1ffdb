/* SPDX-License-Identifier: MIT
 *
 * my_support.h: sessions and views for tests of the MySQL dialect against a real server.
 *
 * tests/mysql/run.sh starts the server and sets VIEWD_TEST_MARIADB to the directory that holds its socket `sock`.
 * Each test program has it do so: HARNESS_SERVER_MAIN(MY_SERVER, ...).
 */
#ifndef VIEWD_TESTS_MY_SUPPORT_H
#define VIEWD_TESTS_MY_SUPPORT_H

#include "mysql/my.h"
#include "support/harness.h"

extern const struct viewd_dialect viewd_dialect_mysql;

/* The dialect under test. */
#define DIALECT (&viewd_dialect_mysql)

#define MY_SERVER "tests/mysql/run.sh", "VIEWD_TEST_MARIADB"

/* Empties databases shop and other, makes account viewd with the privileges that the manual asks for. Skips without a
 * server. */
void my_fresh(void);

/* The database spec of the account viewd. The url belongs to harness_ctx(). */
struct viewd_database_spec my_spec(void);

/* A prepared connection of the dialect, closed after the test. */
struct viewd_conn *my_session(void);
/* The same without prepare(). */
struct viewd_conn *my_unprepared(void);

/* The action at a failpoint. at: NULL nothing. */
struct my_kill {
	const char *at;         /* place */
	const char *const *sql; /* NULL: kill the process; else statements that root runs there, NULL ends */
};
extern struct my_kill my_kill;
extern const struct viewd_host my_host;

/* A plain connection as root to database shop; closed after the test. Threads open their own with my_root_open(). */
MYSQL *my_root(void);
MYSQL *my_root_open(void);

/* One statement as root, which must succeed. */
void my_do(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* All values of the result; NULL is "null"; columns and rows are joined with , and ;. */
const char *my_ask(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* How many objects with viewd's temporary names and how many intents exist. */
const char *my_leftovers(void);

/* A definition that reads the table. */
const char *my_select_from(const char *schema, const char *table);
struct viewd_view_spec my_view(const char *name, enum viewd_method method, const char *definition);
struct viewd_outcome my_applied(struct viewd_conn *conn, const struct viewd_view_spec *view, enum viewd_change change);
struct viewd_outcome my_refreshed(struct viewd_conn *conn, const struct viewd_view_spec *view);
struct viewd_found my_found(struct viewd_conn *conn, const struct viewd_view_spec *view);
bool my_refresh_fails(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_err *err);

/* Two definitions of view v over table sales. */
extern const char my_before[], my_after[];
/* Whatever was killed at place: v is old or new as a whole, equal to its definition, and recorded as what it is; or was
 * never made. */
void my_check_whole(struct viewd_conn *conn, const struct viewd_view_spec *old, const struct viewd_view_spec *new,
                    const char *place);

int64_t my_mono(void);

#endif
