/* SPDX-License-Identifier: MIT */
#include "unit/plugins/plugins_support.h"

/* Where viewd's own tables are, for tests that read them. */
#define STATE_TABLES .state_prefix = "viewd_", .views_table = "viewd_view_state", .history_table = "viewd_refresh_history", .time_in = "{}", .time_out = "{}", .for_update = ""

const struct syntax like_postgresql = {
	.dialect = "PostgreSQL", .lexer = LEX_NESTED_COMMENTS | LEX_E_STRINGS | LEX_DOLLAR_QUOTES, .quote = '"', .fold_lower = true,
	.max_ident = 63, .max_parts = 2, .placeholder = '$', .table_suffix = "", STATE_TABLES,
};
const struct syntax like_mysql = {
	.dialect = "MySQL", .quote = '`', .max_ident = 64, .max_ident_in_chars = true, .max_parts = 2, .no_trailing_blank = true,
	.bmp_only = true, .literal_backslash = true, .placeholder = '?', .table_suffix = "", STATE_TABLES,
	.lexer = LEX_HASH_COMMENTS | LEX_DASH_NEEDS_BLANK | LEX_EXECUTABLE_COMMENTS | LEX_BACKSLASH | LEX_BACKTICK | LEX_DOUBLE_IS_STRING,
};
const struct syntax like_sqlite = {
	.dialect = "SQLite", .lexer = LEX_BACKTICK | LEX_BRACKETS, .quote = '"', .max_ident = 255, .max_parts = 1, .placeholder = '?',
	.table_suffix = "", .counts_end = true, STATE_TABLES,
};
