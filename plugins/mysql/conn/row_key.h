/* SPDX-License-Identifier: MIT
 *
 * row_key.h: the primary key of each table that viewd makes for rows of a definition: an invisible number which nobody
 * reads, in the last column. Clusters refuse tables without a key.
 */
#ifndef VIEWD_MYSQL_CONN_ROW_KEY_H
#define VIEWD_MYSQL_CONN_ROW_KEY_H

#include "mysql/my.h"

#define ROW_KEY "viewd_pk"

/* Condition on a row of information_schema.COLUMNS or STATISTICS: another column than the key. */
#define NOT_ROW_KEY " AND COLUMN_NAME <> '" ROW_KEY "'"

/* Finds out, once a session, whether tables can have it, and whether temporary ones must: db.row_key. */
void row_key_ask(struct viewd_conn *conn);

/* Gives it to the tables of views and of nodes that have no primary key. One that is in use gets it another time. */
bool row_keys_add(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;

#endif
