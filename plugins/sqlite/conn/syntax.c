/* SPDX-License-Identifier: MIT */
#include "sqlite/conn/syntax.h"

#define NO_MATVIEW "SQLite has no materialized views"
#define NO_READER_LOCK "a refresh is one transaction and readers keep the old rows until it commits: full and diff never block them"
#define NO_SWAP "renaming a table rewrites the views that read it to follow the old one"
#define NO_INCREMENTAL "changes are not captured row by row"
#define NO_ROWS "a simple view stores no rows"

const struct syntax sqlite_syntax = {
	.dialect = "SQLite",
	.lexer = LEX_BACKTICK | LEX_BRACKETS,
	.quote = '"',
	.max_ident = 255, /* SQLite itself has no limit */
	.max_parts = 1,
	.clock_words = "current_date current_time current_timestamp",
	.clock_defaults = "date time datetime julianday unixepoch timediff",
	.clock_formats = "strftime",
	.placeholder = '?',
	.view_if_not_exists = true,
	.quoted_may_be_text = true,
	.transactional_ddl = true,
	.leave_at_once = true,
	.name_tag = " /* viewd:{} */",
	.temporary_schema = "temp",
	.stage_first = true,
	.row_ids = {"_rowid_", "rowid", "oid"},
	.stage_index = true, /* a correlated subquery gets no automatic index */
	.drop_temporary = "DROP TABLE",
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
			[VIEWD_MODE_INCREMENTAL] = NO_INCREMENTAL,
		},
	},
	/* quote() tells 1 from 1.0 from '1' and NULL from 'NULL' (https://sqlite.org/lang_corefunc.html#quote). */
	.verify_value = "quote({})",
	.same_value = "({a} IS {b} COLLATE BINARY AND typeof({a}) = typeof({b}))",
	.state_setup = {"CREATE TABLE IF NOT EXISTS viewd_position (id INTEGER PRIMARY KEY CHECK (id = 1), position TEXT NOT NULL)"},
	.state_prefix = "viewd_",
	.views_table = "viewd_view_state",
	.history_table = "viewd_refresh_history",
	.type_text = "TEXT",
	.type_key = "TEXT",
	.type_bigint = "INTEGER",
	.type_time = "TEXT",
	.type_serial_key = "INTEGER PRIMARY KEY",
	.counts_end = true,
	.captures_note = " /* triggers on the application's tables (viewd_i_..., viewd_u_..., viewd_d_...) write here: without this table or this name those"
	                 " tables cannot be written. `viewctl uninstall` takes the triggers out, then this table. */",
	.captures_index = "CREATE INDEX IF NOT EXISTS viewd_captures_source ON viewd_captures (source)",
	.history_index = "CREATE INDEX IF NOT EXISTS viewd_refresh_history_view ON viewd_refresh_history (view, id)",
	.time_in = "{}",
	.time_out = "{}",
	.upsert_clause = " ON CONFLICT (name) DO UPDATE SET ",
	.upsert_value = "excluded.{}",

	.views_is_table = "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = 'viewd_views'",
	/* RENAME fails when any view of the file is broken. */
	.views_copied = true,
	.views_move = {"INSERT OR IGNORE INTO main.viewd_view_state SELECT *, 0, NULL, 0 FROM main.viewd_views", "DROP TABLE main.viewd_views"},
	.views_form = "SELECT sql FROM main.sqlite_master WHERE type = 'view' AND name = 'viewd_views'",
	.views_make = {"DROP VIEW IF EXISTS main.viewd_views", "CREATE VIEW main.viewd_views AS {}"},
	.seconds_since = "MAX(ROUND((julianday('now') - julianday({})) * 86400.0, 3), 0.0)",
};
