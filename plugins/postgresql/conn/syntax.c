/* SPDX-License-Identifier: MIT
 *
 * syntax.c: PostgreSQL's SQL as data.
 */
#include "postgresql/pg.h"

#define NO_SWAP \
	"views and foreign keys of PostgreSQL bind to the table itself and would go on reading the old one; use auto, " \
	"full or diff"
#define NO_CONTENTS "a simple view holds no data to refresh; use auto, or method = materialized"

/* clang-format off */
#define ACL \
	"SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace," \
	" LATERAL pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) a" \
	" WHERE n.nspname = $1 AND c.relname = $2 AND a.privilege_type = "

const struct syntax pg_syntax = {
	.dialect = "PostgreSQL",
	.lexer.flags = LEX_NESTED_COMMENTS | LEX_E_STRINGS | LEX_DOLLAR_QUOTES,
	.names.quote = '"',
	.names.fold_lower = true,
	.names.max = 63,
	.names.max_parts = 2,
	.clock.words = "current_date current_time current_timestamp localtime localtimestamp",
	.clock.calls = "now clock_timestamp statement_timestamp transaction_timestamp timeofday",
	.lexer.placeholder = '$',

	.grants.has = ACL "$3 AND (a.grantee = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = $4)"
					  " OR (a.grantee = 0 AND $4 = 'public'))",
	.grants.readers = ACL "'SELECT' AND a.grantee <> c.relowner",
	.has.materialized_views = true,
	.has.refresh_concurrently = true,
	.has.view_or_replace = true,
	.has.drop_cascade = true,
	.has.view_options = true,
	.has.table_options = true,
	.has.transactional_ddl = true,

	.table.from_query = " WITH NO DATA",
	.table.suffix = "",
	.role.set = "SET LOCAL ROLE {}",
	.role.reset = "RESET ROLE",
	.notify = "SELECT pg_catalog.pg_notify($1, $2)",
	.temporary.schema = "pg_temp",
	.temporary.drop = "DROP TABLE",

	.mode_refusal = {
		[VIEWD_METHOD_SIMPLE] = {
			[VIEWD_MODE_FULL] = NO_CONTENTS,
			[VIEWD_MODE_CONCURRENTLY] = NO_CONTENTS,
			[VIEWD_MODE_DIFF] = NO_CONTENTS,
			[VIEWD_MODE_SWAP] = NO_CONTENTS,
			[VIEWD_MODE_INCREMENTAL] = NO_CONTENTS,
		},
		[VIEWD_METHOD_MATERIALIZED] = {
			[VIEWD_MODE_DIFF] = "the rows of a materialized view cannot be changed one by one; use concurrently (the "
			                    "server's own "
			                    "diff), or method = table",
			[VIEWD_MODE_SWAP] = "views bind to the materialized view itself and would go on reading the old one; use "
			                    "concurrently, which does not block readers",
			},
		[VIEWD_METHOD_TABLE] = {
			[VIEWD_MODE_CONCURRENTLY] = "only materialized views are refreshed concurrently; a table is refreshed in "
			                            "one "
			                            "transaction that readers do not notice, use auto, full or diff",
			[VIEWD_MODE_SWAP] = NO_SWAP,
		},
	},

	/* The text of a row, not of the value: that cast takes blanks off the end of a bpchar. */
	.diff.stage_uncollated = true,
	.verify_value = "(ROW({})::text COLLATE \"C\")",
	.diff.same_value = "ROW({a})::pg_catalog.record OPERATOR(pg_catalog.*=) ROW({b})::pg_catalog.record",

	/* Not IF NOT EXISTS: that asks for the privilege to create even when the schema exists, and two sessions that come
	 * at the same moment would meet in the catalogue's unique index. USAGE lets applications call request_refresh(). */
	.state.setup = {
		"DO $viewd$ BEGIN"
		" IF pg_catalog.to_regnamespace('viewd') IS NULL THEN CREATE SCHEMA viewd;"
		" GRANT USAGE ON SCHEMA viewd TO PUBLIC; END IF;"
		" EXCEPTION WHEN duplicate_schema OR unique_violation THEN NULL; END $viewd$",
	},
	/* 1000 are REQUESTS_ROUND. Of the texts, which are anybody's, no more than a view's name can be long. */
	.state.take_requests = "WITH q (id) AS (SELECT id FROM viewd.requests ORDER BY id LIMIT 1000 FOR UPDATE SKIP "
	                       "LOCKED)"
	                 " DELETE FROM viewd.requests r USING q WHERE r.id = q.id RETURNING r.id, "
	                 "pg_catalog.substr(r.view, 1, 300)",
	.state.prefix = "viewd.",
	.state.views = "viewd.view_state",
	.state.history = "viewd.refresh_history",
	.types.text = "text",
	.types.key = "text",
	.types.bigint = "bigint",
	.types.time = "timestamptz",
	.types.serial_key = "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
	.state.captures_index = "CREATE INDEX IF NOT EXISTS captures_source ON viewd.captures (source)",
	.state.history_index = "CREATE INDEX IF NOT EXISTS refresh_history_view ON viewd.refresh_history (view, id)",
	.state.history_inline = "",
	.state.polls_late = true,
	.state.suffix = "",
	.time.in = "{}::timestamptz",
	.time.out = "pg_catalog.to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
	.state.for_update = " FOR UPDATE",
	.state.upsert_clause = " ON CONFLICT (name) DO UPDATE SET ",
	.state.upsert_value = "excluded.{}",

	.lease.where = " WHERE one",
	.lease.now = "pg_catalog.clock_timestamp()",
	.lease.seconds = "pg_catalog.make_interval(secs => {})",
	.lease.recorded = ", since = pg_catalog.now()",

	.views.is_table = "SELECT 1 FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass('viewd.views') AND relkind "
	                  "= 'r'",
	.views.move = {
		"ALTER TABLE viewd.views ADD COLUMN followed bigint NOT NULL DEFAULT 0, ADD COLUMN place text,"
		" ADD COLUMN kept bigint NOT NULL DEFAULT 0",
		"ALTER TABLE viewd.views RENAME TO view_state",
	},
	.views.form = "SELECT pg_catalog.pg_get_viewdef(pg_catalog.to_regclass('viewd.views'))",
	/* The grant is made once, with the view: what an administrator has revoked since stays so. A schema of somebody
	 * else's is theirs to open. */
	.views.make = {
		"DO $viewd$ BEGIN CREATE OR REPLACE VIEW viewd.views AS {};"
		" EXCEPTION WHEN invalid_table_definition THEN DROP VIEW viewd.views; CREATE VIEW viewd.views AS {}; END "
		"$viewd$",
		"GRANT SELECT ON viewd.views TO PUBLIC",
		"DO $viewd$ BEGIN IF (SELECT pg_catalog.pg_has_role(nspowner, 'USAGE') FROM pg_catalog.pg_namespace WHERE "
		"nspname = 'viewd') THEN"
		" GRANT USAGE ON SCHEMA viewd TO PUBLIC; END IF; END $viewd$",
	},
	.views.pending = "c.mode = 'trigger' AND EXISTS (SELECT 1 FROM viewd.unread() u (source) WHERE u.source = c.source "
	                 "OR u.source = '*')",
	.views.deaf = "(c.mode = 'trigger' AND pg_catalog.pg_is_in_recovery()) OR (c.mode = 'doubt' AND viewd.committed() "
	              "> 1)",
	/* The error text may quote what a definition says and what rows hold. */
	.views.error = "CASE WHEN pg_catalog.has_table_privilege('viewd.view_state'::pg_catalog.regclass, 'SELECT') THEN "
	               "v.last_error END",
	.time.seconds_since = "CASE WHEN {} IS NOT NULL THEN pg_catalog.round(GREATEST(EXTRACT(epoch FROM "
	                      "pg_catalog.statement_timestamp() - {})::numeric, 0), 3) END",
};
/* clang-format on */
