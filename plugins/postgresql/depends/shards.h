/* SPDX-License-Identifier: MIT
 *
 * shards.h: tables whose rows lie in shards of other names, mostly on other servers (Citus). What is done to them
 * touches neither the triggers nor the counters of the table that has the name, and the files of the shards are not
 * here. A table may become one at any time.
 */
#ifndef VIEWD_POSTGRESQL_DEPENDS_SHARDS_H
#define VIEWD_POSTGRESQL_DEPENDS_SHARDS_H

#include "postgresql/depends/walk.h"

#define SHARDS_UNHEARD "its rows are in shards (pg_dist_partition): what is done there is not told here"

/* SQL: are the rows of the relation in shards? Only where shards_listed(). */
#define SHARDED_SQL(oid) "EXISTS (SELECT FROM pg_catalog.pg_dist_partition d WHERE d.logicalrelid = " oid ")"

/* Does the server have a list of such tables? */
bool shards_listed(struct viewd_conn *conn, bool *listed_r, struct viewd_err *err) MUST_CHECK;

/* Tells of each such table in the list of a walk that nothing hears it. */
bool walk_shards(struct walk *w, struct viewd_err *err) MUST_CHECK;

#endif
