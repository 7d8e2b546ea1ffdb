/* SPDX-License-Identifier: MIT
 *
 * my_incremental.h: views that are kept incrementally on MariaDB, for tests. Each refresh is compared with the
 * definition at its own snapshot.
 */
#ifndef VIEWD_TESTS_MY_INCREMENTAL_H
#define VIEWD_TESTS_MY_INCREMENTAL_H

#include "my_support.h"

#define N_WRITERS 3
#define N_EACH 40 /* accounts of one writer */

/* Totals of each owner; accounts with their owners' group. */
extern const char my_totals[], my_joined[];

struct my_scene {
	struct viewd_conn *conn;
	struct viewd_view_spec view;
	const char *compared; /* definition; NULL: nothing is compared */
	int64_t n_compared, differing, torn;
};

/* Accounts and their owners. */
void my_incremental_tables(void);
struct viewd_view_spec my_incremental(const char *name, const char *definition);
/* View v over these tables, refreshed once. */
struct my_scene *my_incremental_begin(const char *definition);
/* Refreshes, compares, and tells how it went: "incremental 3", "nothing 0", "all 12". */
const char *my_compared(struct my_scene *s);
/* View v, refreshed many times while transactions move amounts between accounts, and accounts between owners: its rows
 * are those of one moment, and no transaction fails. */
void my_beside_writers(const char *definition);
/* How many rows the newest log has, and its name. */
const char *my_log_rows(void);
const char *my_log_name(void);

#endif
