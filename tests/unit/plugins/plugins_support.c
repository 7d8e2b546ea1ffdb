/* SPDX-License-Identifier: MIT */
#include "unit/plugins/plugins_support.h"

/* Where viewd's own tables are, for tests that read them. */
#define STATE_TABLES \
	.state.prefix = "viewd_", .state.views = "viewd_view_state", .state.history = "viewd_refresh_history", \
	.time.in = "{}", .time.out = "{}", .state.for_update = ""

const struct syntax like_postgresql = {
	.dialect = "PostgreSQL",
	.lexer.flags = LEX_NESTED_COMMENTS | LEX_E_STRINGS | LEX_DOLLAR_QUOTES,
	.names.quote = '"',
	.names.fold_lower = true,
	.names.max = 63,
	.names.max_parts = 2,
	.lexer.placeholder = '$',
	.table.suffix = "",
	STATE_TABLES,
};
const struct syntax like_mysql = {
	.dialect = "MySQL",
	.names.quote = '`',
	.names.max = 64,
	.names.max_in_chars = true,
	.names.max_parts = 2,
	.names.no_trailing_blank = true,
	.names.bmp_only = true,
	.lexer.literal_backslash = true,
	.lexer.placeholder = '?',
	.table.suffix = "",
	STATE_TABLES,
	.lexer.flags = LEX_AT_VARIABLES | LEX_HASH_COMMENTS | LEX_DASH_NEEDS_BLANK | LEX_EXECUTABLE_COMMENTS |
                   LEX_BACKSLASH | LEX_BACKTICK | LEX_DOUBLE_IS_STRING,
};
const struct syntax like_sqlite = {
	.dialect = "SQLite",
	.lexer.flags = LEX_AT_VARIABLES | LEX_BACKTICK | LEX_BRACKETS,
	.names.quote = '"',
	.names.max = 255,
	.names.max_parts = 1,
	.lexer.placeholder = '?',
	.table.suffix = "",
	.state.counts_end = true,
	STATE_TABLES,
};
