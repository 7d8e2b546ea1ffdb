/* SPDX-License-Identifier: MIT
 *
 * log_objects.h: what a change log consists of in PostgreSQL, by its number 7: the unlogged table change_7, the
 * sequence full_7 (never called: writers log), the functions log_7_row and log_7_rows, and triggers on the source and
 * on everything below it: viewd_log_7_i for each inserted row, viewd_log_7_u, _d and _t for each statement; among
 * partitions viewd_log_7_n for each statement that inserts. A log of sums has no function log_7_row: all its triggers
 * are for statements. Functions run on the thread of their connection.
 *
 * Rows of the table: viewd_sign -1 and 1 are old and new images, or sums of them, which stand in columns viewd_g1 ..,
 * viewd_s1 ..; the source's columns are NULL beside them, and say what the sums were made from. 2 says that everything
 * may have changed. The one with 0 is there from the beginning: a crash empties the table. Its viewd_xid is 0, or after
 * an overflow what the xmin of a position must have reached to be believed (overflow.c).
 */
#ifndef VIEWD_POSTGRESQL_INCREMENTAL_LOG_OBJECTS_H
#define VIEWD_POSTGRESQL_INCREMENTAL_LOG_OBJECTS_H

#include "postgresql/pg.h"

#define PG_CHANGE_BLOCKS 4096 /* of 8 KiB: where the table is as long as this, writers log no more */

/* SQL: the relations below a source (its oid), that one first. */
#define PG_BELOW_SQL(source) \
	"below (oid) AS (SELECT " source \
	" UNION SELECT i.inhrelid FROM below b JOIN pg_catalog.pg_inherits i ON i.inhparent = b.oid)"

/* SQL: the triggers that each relation c below the source ought to have: w (suffix, event, how, kind). by_row: the log
 * has a function for rows. A row that an UPDATE moves to another partition fires row triggers for INSERT there, and is
 * among the rows of the statement too: so partitions have none. */
#define PG_WANTED_SQL(by_row) \
	"(VALUES ('i', 'INSERT', ' FOR EACH ROW', 'row'), ('n', 'INSERT', ' REFERENCING NEW TABLE AS viewd_new FOR EACH " \
	"STATEMENT', 'rows'), ('u', 'UPDATE', ' REFERENCING OLD TABLE AS viewd_old NEW TABLE AS " \
	"viewd_new FOR EACH STATEMENT', 'rows'), ('d', 'DELETE', ' REFERENCING OLD TABLE AS viewd_old FOR EACH " \
	"STATEMENT', " \
	"'rows'), ('t', 'TRUNCATE', ' FOR EACH STATEMENT', 'rows')) AS w (suffix, event, how, kind) ON w.suffix <> CASE " \
	"WHEN c.relkind = 'p' OR c.relispartition OR NOT " by_row " THEN 'i' ELSE 'n' END"

/* SQL: the type and typmod below all domains of a column s of pg_attribute, as (oid, mod). Columns of a log have this
 * type: a NULL of viewd's would be in the way of who gives a domain a constraint. */
#define PG_BASE_TYPE_SQL \
	"(WITH RECURSIVE u AS (SELECT s.atttypid AS oid, s.atttypmod AS mod UNION ALL SELECT y.typbasetype, y.typtypmod " \
	"FROM u JOIN pg_catalog.pg_type y ON y.oid = u.oid WHERE y.typtype = 'd') SELECT u.oid, u.mod FROM u JOIN " \
	"pg_catalog.pg_type y ON y.oid = u.oid WHERE y.typtype <> 'd')"

/* Is there nothing in the query of a log's sums that may fail, or mean another thing in another session, whatever rows
 * a statement writes? pg_temp.viewd_try has the source's columns. Otherwise an error that says what there is. */
bool pg_sums_are_harmless(struct viewd_conn *conn, const struct change_log *log, struct viewd_err *err);

/* Makes the functions of a log, whose table and sequence are there; replaces nothing that is equal. */
bool pg_change_functions(struct viewd_conn *conn, void *mem, const struct change_log *log, const char *source,
                         struct viewd_err *err);

/* Functions named pg_op_ do what struct db_incremental_ops says. */
bool pg_op_make_log(struct db *db, const struct change_log *log, struct viewd_err *err);
bool pg_op_drop_log(struct db *db, int64_t number, const struct relation *source, struct viewd_err *err);
bool pg_op_ask_logs(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                    struct viewd_err *err);
bool pg_op_judge_logs(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                      struct viewd_err *err);
char *pg_op_unread(struct db *db, void *mem_ctx, const char *view, const struct change_log *log);
char *pg_op_position(void *mem_ctx, const struct change_log *log);
bool pg_op_mend_log(struct db *db, const struct change_log *log, struct viewd_err *err);
void pg_op_purge_log(struct db *db, const struct change_log *log);
bool pg_op_add_keys(struct db *db, struct key_set *set, const char *query, const struct key_set *with,
                    struct viewd_err *err);
bool pg_op_search_keys(struct db *db, struct key_set *set, const struct key_search *search, int64_t limit, bool later,
                       struct viewd_err *err);
/* Appends "ROWS FROM (unnest($1::a[]), unnest($2::b[]))": the keys as rows, parameters from `first` on. */
char *pg_keys_unnest(char *sql, const struct key_set *set, size_t first);
char *pg_op_has_key(void *mem_ctx, const struct key_set *set, const char *const *columns, bool null_safe);
/* Does an index take NULL for equal to NULL? */
bool pg_nulls_equal(struct viewd_conn *conn);
bool pg_op_make_node(struct db *db, const struct node_table *table, struct viewd_err *err);
bool pg_op_move_roll(struct db *db, const struct roll *roll, const char *images, const struct key_set *keys,
                     struct part_written *out, bool *stuck_r, struct viewd_err *err);
bool pg_op_index_part(struct db *db, struct part *part, struct viewd_err *err);
bool pg_op_apply_part(struct db *db, const struct part *part, const struct key_set *keys, struct part_written *out,
                      struct viewd_err *err);

#endif
