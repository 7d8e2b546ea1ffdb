/* SPDX-License-Identifier: MIT
 *
 * views.h: views of a dialect's library, refreshed without the daemon, for programs that measure: beside them the same
 * rows as a client would keep them. Failures end the process.
 */
#ifndef BENCH_VIEWS_H
#define BENCH_VIEWS_H

#include "support/sqlclient.h"
#include "viewd_dialect.h"

struct views {
	const char *engine; /* postgresql, mariadb, sqlite */
	const struct viewd_dialect *dialect;
	struct viewd_conn *conn;
	struct viewd_host host;
	struct viewd_database_spec db;
	struct sqlclient *client;
	char answer[65536]; /* of the client's last statement */
};

struct bench_view {
	const char *name;
	char *definition;
	const char **key;
	size_t n_key;
	enum viewd_method method;
	enum viewd_refresh_mode mode;
	bool made;
	char *bytes;              /* SQL for what tells its rows apart, byte by byte */
	struct viewd_outcome out; /* of the last refresh */
};

/* Opens the dialect's library and a client of the same database. */
void views_open(struct views *v, const char *engine, const char *plugin, const char *url, const char *target);
void views_close(struct views *v);

bool views_are_on(const struct views *v, const char *engine);

/* Runs one statement of the client's. */
void views_run(struct views *v, const char *sql);

/* Makes the view, unless that is done, and its first rows. False: err says why. */
bool views_create(struct views *v, struct bench_view *view, struct viewd_err *err);

/* Refreshes it: view->out. False: err says why. */
bool views_refresh(struct views *v, struct bench_view *view, struct viewd_err *err);

/* As on_change does after changes of sources: a refresh that a crash of the server undoes is asked for again by its
 * mark. */
void views_mark(struct views *v);

/* Rows that the view and the relation do not have as often, byte by byte. */
int64_t views_differences(struct views *v, const struct bench_view *view, const char *relation);

/* Was the last refresh incremental? */
bool views_was_incremental(const struct bench_view *view);

int64_t views_now_us(void);
double views_median_ms(const int64_t *times, size_t n);

_Noreturn void views_die(const char *what, const char *why);

#endif
