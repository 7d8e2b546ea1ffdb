/* SPDX-License-Identifier: MIT
 *
 * changed_objects.c: finds objects that views depend on and that may have changed, for all views at once.
 */
#include "common/depends/objects.h"
#include "postgresql/depends/stamp.h"
#include "postgresql/pg.h"

/* An object that is gone is told once. When a relation of that name exists again, that is told once more: "back", as
 * its digest is for whoever walks there anew. */
/* clang-format off */
#define LOOK_SQL(pending) \
	"WITH RECURSIVE alls AS MATERIALIZED (SELECT source, identity, pg_catalog.substr(identity, 1, 1) AS cls, " \
	"pg_catalog.substr(identity, 2)::oid AS oid," \
	" stamp, digest FROM viewd.objects WHERE identity ~ '^[rftcm][0-9]+$')," \
	" obj AS (SELECT DISTINCT ON (identity) * FROM alls)" PG_STAMPS_SQL(pending) \
	" SELECT o.source, s.stamp, CASE WHEN s.identity IS NOT NULL THEN " PG_DIGEST_SQL " WHEN b.back THEN '" \
	OBJECT_BACK "' END, o.digest, " PG_DOUBT_SQL \
	" FROM alls o LEFT JOIN stamps s ON s.identity = o.identity CROSS JOIN LATERAL (SELECT CASE WHEN s.identity IS " \
	"NULL AND o.cls = 'r' THEN EXISTS (" \
	" SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace" \
	" WHERE n.nspname = (pg_catalog.parse_ident(o.source))[1] AND c.relname = (pg_catalog.parse_ident(o.source))[2]) " \
	"ELSE false END) AS b (back)" \
	" WHERE s.stamp IS DISTINCT FROM o.stamp AND (s.identity IS NOT NULL OR o.digest <> CASE WHEN b.back THEN '" \
	OBJECT_BACK "' ELSE '' END)"
/* clang-format on */

bool pg_op_changed_objects(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	static const char sql[] = LOOK_SQL(PG_NOT_PENDING), sql13[] = LOOK_SQL("");
	struct viewd_conn *conn = pg_of(db);
	return pg_query_with_queue(conn, PQserverVersion(conn->pg) < 140000 ? sql13 : sql, NULL, 0, row, ctx, err);
}
