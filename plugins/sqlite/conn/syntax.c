/* SPDX-License-Identifier: MIT */
#include "sqlite/conn/syntax.h"

#define NO_MATVIEW "SQLite has no materialized views"
#define NO_READER_LOCK \
	"a refresh is one transaction and readers keep the old rows until it commits: full and diff never block them"
#define NO_SWAP "renaming a table rewrites the views that read it to follow the old one"
#define NO_ROWS "a simple view stores no rows"

/* clang-format off */
const struct syntax sqlite_syntax = {
	.dialect = "SQLite",
	.lexer.flags = LEX_AT_VARIABLES | LEX_BACKTICK | LEX_BRACKETS,
	.names.quote = '"',
	.names.max = 255, /* SQLite itself has no limit */
	.names.max_parts = 1,
	.names.any_case = true,
	.clock.words = "current_date current_time current_timestamp",
	.clock.defaults = "date time datetime julianday unixepoch timediff",
	.clock.formats = "strftime",
	.lexer.placeholder = '?',
	.has.view_if_not_exists = true,
	.lexer.quoted_may_be_text = true,
	.has.transactional_ddl = true,
	.state.leave_at_once = true,
	.table.name_tag = " /* viewd:{} */",
	.temporary.schema = "temp",
	.diff.stage_first = true,
	.diff.row_ids = {"_rowid_", "rowid", "oid"},
	.diff.stage_index = true, /* a correlated subquery gets no automatic index */
	.temporary.drop = "DROP TABLE",
	.mode_refusal = {
		[VIEWD_METHOD_SIMPLE] = {
			[VIEWD_MODE_FULL] = NO_ROWS, [VIEWD_MODE_CONCURRENTLY] = NO_ROWS, [VIEWD_MODE_DIFF] = NO_ROWS,
			[VIEWD_MODE_SWAP] = NO_ROWS, [VIEWD_MODE_INCREMENTAL] = NO_ROWS,
		},
		[VIEWD_METHOD_MATERIALIZED] = {
			[VIEWD_MODE_FULL] = NO_MATVIEW, [VIEWD_MODE_CONCURRENTLY] = NO_MATVIEW, [VIEWD_MODE_DIFF] = NO_MATVIEW,
			[VIEWD_MODE_SWAP] = NO_MATVIEW, [VIEWD_MODE_INCREMENTAL] = NO_MATVIEW,
		},
		[VIEWD_METHOD_TABLE] = {
			[VIEWD_MODE_CONCURRENTLY] = NO_READER_LOCK, [VIEWD_MODE_SWAP] = NO_SWAP,
		},
	},
	/* quote() tells 1 from 1.0 from '1' and NULL from 'NULL' (https://sqlite.org/lang_corefunc.html#quote). */
	.verify_value = "quote({})",
	.diff.same_value = "({a} IS {b} COLLATE BINARY AND typeof({a}) = typeof({b}))",
	.state.setup = {"CREATE TABLE IF NOT EXISTS viewd_position (id INTEGER PRIMARY KEY CHECK (id = 1), position TEXT "
	                "NOT NULL)"},
	.state.prefix = "viewd_",
	.state.views = "viewd_view_state",
	.state.history = "viewd_refresh_history",
	.types.text = "TEXT",
	.types.key = "TEXT",
	.types.bigint = "INTEGER",
	.types.time = "TEXT",
	.types.serial_key = "INTEGER PRIMARY KEY",
	.state.counts_end = true,
	.state.captures_note = " /* triggers on the application's tables (viewd_i_..., viewd_u_..., viewd_d_...) write "
	                       "here: without this table or this name those"
	                 " tables cannot be written. `viewctl uninstall` takes the triggers out, then this table. */",
	.state.captures_index = "CREATE INDEX IF NOT EXISTS viewd_captures_source ON viewd_captures (source)",
	.state.history_index = "CREATE INDEX IF NOT EXISTS viewd_refresh_history_view ON viewd_refresh_history (view, id)",
	.time.in = "{}",
	.time.out = "{}",
	.state.upsert_clause = " ON CONFLICT (name) DO UPDATE SET ",
	.state.upsert_value = "excluded.{}",

	.views.is_table = "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = 'viewd_views'",
	/* RENAME fails when any view of the file is broken. */
	.views.copied = true,
	.views.move = {"INSERT OR IGNORE INTO main.viewd_view_state SELECT *, 0, NULL, 0, NULL FROM main.viewd_views",
	"DROP TABLE main.viewd_views"},
	.views.form = "SELECT sql FROM main.sqlite_master WHERE type = 'view' AND name = 'viewd_views'",
	.views.make = {"DROP VIEW IF EXISTS main.viewd_views", "CREATE VIEW main.viewd_views AS {}"},
	.time.seconds_since = "MAX(ROUND((julianday('now') - julianday({})) * 86400.0, 3), 0.0)",
};
/* clang-format on */
