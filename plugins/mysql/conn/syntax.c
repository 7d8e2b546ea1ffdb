/* SPDX-License-Identifier: MIT
 *
 * syntax.c: MySQL's and MariaDB's SQL as data. Where the two differ the form that both take is used.
 */
#include "mysql/my.h"

#define NO_CONCURRENTLY "MySQL and MariaDB have no REFRESH ... CONCURRENTLY; swap and full never block readers"
#define NOTHING_TO_REFRESH "a simple view holds no rows, so there is nothing to refresh"

/* clang-format off */
const struct syntax my_syntax = {
	.dialect = "MySQL/MariaDB",
	.lexer.flags = LEX_AT_VARIABLES | LEX_HASH_COMMENTS | LEX_DASH_NEEDS_BLANK | LEX_EXECUTABLE_COMMENTS |
                   LEX_BACKSLASH | LEX_BACKTICK | LEX_DOUBLE_IS_STRING,
	.names.quote = '`',
	.names.max = 64,
	.names.max_in_chars = true,
	.names.max_parts = 2,
	.clock.words =
		"current_date current_time current_timestamp localtime localtimestamp utc_date utc_time utc_timestamp",
	.clock.calls = "now curdate curtime sysdate",
	.clock.defaults = "unix_timestamp",
	.names.no_trailing_blank = true,
	.names.bmp_only = true,
	.lexer.literal_backslash = true,
	.lexer.placeholder = '?',

	.has.view_settings = true,
	.grants.hosts = true,
	/* MariaDB would make an account that nobody has, without a password. */
	.grants.guard = "/*M!100100 SET STATEMENT sql_mode = 'NO_AUTO_CREATE_USER' FOR */ ",
	/* An account that may not read the grants of others sees its own alone. A role has an empty host. */
	.grants.has =
		"SELECT CASE WHEN EXISTS (SELECT 1 FROM information_schema.TABLE_PRIVILEGES p,"
		" (SELECT ? AS s, ? AS n, ? AS what, ? AS who) g WHERE p.TABLE_SCHEMA = g.s AND p.TABLE_NAME = g.n"
		" AND p.PRIVILEGE_TYPE = g.what AND REPLACE(p.GRANTEE, '''', '') IN (g.who, CONCAT(g.who, '@'),"
		" CONCAT(g.who, '@%'))) THEN 1"
		" WHEN (SELECT COUNT(DISTINCT GRANTEE) FROM information_schema.USER_PRIVILEGES) > 1 THEN 0 ELSE -1 END",
	.has.view_or_replace = true,
	.has.view_if_not_exists = false, /* MariaDB has it, MySQL only since 9.1 */
	.table.drops_index = true,

	/* Types come from the probe view: CREATE ... SELECT would bring NOT NULL and zero lengths along */
	.table.from_query = NULL,
	.table.suffix = " ENGINE=InnoDB",
	.table.comment = " COMMENT='viewd:{}'",
	.diff.stage_key = ", KEY viewd_key ({})",
	.temporary.drop = "DROP TEMPORARY TABLE",

	.mode_refusal =
		{
			[VIEWD_METHOD_SIMPLE] =
				{
					[VIEWD_MODE_CONCURRENTLY] = NOTHING_TO_REFRESH,
					[VIEWD_MODE_DIFF] = NOTHING_TO_REFRESH,
					[VIEWD_MODE_SWAP] = NOTHING_TO_REFRESH,
					[VIEWD_MODE_INCREMENTAL] = NOTHING_TO_REFRESH,
				},
			[VIEWD_METHOD_TABLE] =
				{
					[VIEWD_MODE_CONCURRENTLY] = NO_CONCURRENTLY,
				},
		},

	.group_refusal = {[VIEWD_MODE_DIFF] = "the tables of a group are filled aside and exchanged by name"},

	/* A hash of the bytes: grouping long texts themselves would compare only the first max_sort_length bytes. */
	.verify_value = "SHA2(CAST({} AS BINARY), 256)",
	/* The text of a FLOAT has six digits, fewer than it holds; the bytes tell 0.0 from -0.0 and one collation's equals
	 * apart. */
	.diff.same_value = "({a} <=> {b} AND CAST({a} AS BINARY) <=> CAST({b} AS BINARY))",

	.state.prefix = "viewd_",
	.state.views = "viewd_view_state",
	.state.history = "viewd_refresh_history",
	.types.text = "MEDIUMTEXT",
	.types.key = "VARCHAR(255)",
	.types.bigint = "BIGINT",
	.types.time = "DATETIME(6)",
	.types.serial_key = "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
	.state.history_inline = ", KEY viewd_history_view (`view`, `id`)",
	.state.suffix = " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
	.time.in = "CAST({} AS DATETIME(6))",
	.time.out = "{}",
	.time.without_zone = true,
	.state.for_update = " FOR UPDATE",
	.state.upsert_clause = " ON DUPLICATE KEY UPDATE ",
	.state.upsert_value = "VALUES({})",

	.lease.where = " WHERE id = 1",
	.lease.now = "UTC_TIMESTAMP(6)",
	.lease.seconds = "INTERVAL {} SECOND",
	.lease.recorded = "",

	.views.is_table =
		"SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'viewd_views' AND "
		"TABLE_TYPE = 'BASE TABLE'",
	.views.move = {"ALTER TABLE viewd_views ADD COLUMN followed BIGINT NOT NULL DEFAULT 0, ADD COLUMN place MEDIUMTEXT,"
                   " ADD COLUMN kept BIGINT NOT NULL DEFAULT 0, RENAME TO viewd_view_state"},
	.views.form =
		"SELECT VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = "
		"'viewd_views'"
		" AND SECURITY_TYPE = 'INVOKER'",
	/* A view with the rights of its definer cannot be read, locked or dumped any more once that account is gone. */
	.views.make = {"CREATE OR REPLACE SQL SECURITY INVOKER VIEW viewd_views AS {}"},
	/* The log names a table of this database without it. */
	.views.pending =
		"c.`mode` = 'trigger' AND EXISTS (SELECT 1 FROM (SELECT DISTINCT source FROM viewd_changes) l WHERE l.source = "
		"c.source"
		" OR RIGHT(c.source, CHAR_LENGTH(l.source) + 1) = CONCAT('.', l.source))",
	.time.seconds_since = "GREATEST(TIMESTAMPDIFF(MICROSECOND, {}, UTC_TIMESTAMP(6)), 0) / 1000000",
};
/* clang-format on */
