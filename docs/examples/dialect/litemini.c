/* SPDX-License-Identifier: MIT
 *
 * litemini.c: a whole dialect in three files, built outside the tree of viewd. docs/plugin-guide.md explains it.
 *
 * The dialect keeps views in SQLite files, with litemini:///path as URL. viewd's common library does the work: it
 * knows how views are made, replaced and refreshed. A dialect tells the library three things: what the SQL of its
 * engine looks like (struct syntax), how to run a statement (the first six functions of struct db_ops), and what the
 * catalogue says (the next four). This one notices no changes: schedules do the work.
 *
 * The sections are in the order in which to write a dialect of your own: 1 and 5 are here, 2 and 3 in conn.c, 4 in
 * catalogue.c.
 */
#include "litemini.h"

#include "common/dialect.h"
#include "common/sqltext/lexer.h"

/* ---- 1. the SQL of the engine, as data --------------------------------------------------------------------------- */

#define NO_ROWS "a simple view stores no rows"
#define NO_MATVIEW "SQLite has no materialized views"
#define NEVER_BLOCKS "readers keep the old rows until a refresh commits: full and diff never block them"

/* A field that is not named is NULL, false or 0, which always means: this engine has no such thing. */
const struct syntax mini_syntax = {
	.dialect = "litemini",
	.lexer.flags = LEX_BACKTICK | LEX_BRACKETS,
	.names.quote = '"',
	.names.max = 255,
	.names.max_parts = 1, /* a name, no schema */
	.lexer.placeholder = '?',
	.clock.words = "current_date current_time current_timestamp",
	.clock.defaults = "date time datetime julianday unixepoch timediff",
	.clock.formats = "strftime",
	.has.view_if_not_exists = true,
	.lexer.quoted_may_be_text = true,
	.has.transactional_ddl = true,       /* data, state and history commit together */
	.table.name_tag = " /* viewd:{} */", /* find_object finds it again: that is how viewd knows its own objects */
	.temporary.schema = "temp",
	.diff.stage_index = true,
	.temporary.drop = "DROP TABLE",
	/* clang-format off */
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
			[VIEWD_MODE_CONCURRENTLY] = NEVER_BLOCKS, [VIEWD_MODE_SWAP] = NEVER_BLOCKS,
			[VIEWD_MODE_INCREMENTAL] = "changes are not captured row by row",
		},
	},
	/* clang-format on */
	.verify_value = "quote({})", /* tells 1 from 1.0 from '1' */
	.diff.same_value = "({a} IS {b} COLLATE BINARY AND typeof({a}) = typeof({b}))",
	.state.prefix = "viewd_",
	.state.views = "viewd_view_state",
	.state.history = "viewd_refresh_history",
	.types.text = "TEXT",
	.types.key = "TEXT",
	.types.bigint = "INTEGER",
	.types.time = "TEXT",
	.types.serial_key = "INTEGER PRIMARY KEY",
	.state.history_index = "CREATE INDEX IF NOT EXISTS viewd_refresh_history_view ON viewd_refresh_history (view, id)",
	.time.in = "{}",
	.time.out = "{}",
	.state.upsert_clause = " ON CONFLICT (name) DO UPDATE SET ",
	.state.upsert_value = "excluded.{}",
};

/* ---- 5. the dialect ---------------------------------------------------------------------------------------------- */

const struct db_ops mini_ops = {
	.exec = mini_exec,
	.query = mini_query,
	.begin = mini_begin,
	.commit = mini_commit,
	.rollback = mini_rollback,
	.set_limits = mini_set_limits,
	.find_object = mini_find_object,
	.list_sources = mini_list_sources,
	.query_columns = mini_query_columns,
	.list_indexes = mini_list_indexes,
	.session =
		{
			.enter = mini_enter,
		},
	.catalogue =
		{
			.wanted_canonical = mini_wanted_canonical,
			.list_dependants = mini_list_dependants,
		},
};

static bool judge_view(const struct viewd_database_spec *db UNUSED, const struct viewd_view_spec *view,
                       struct viewd_resolved *out, struct viewd_text_sink mentions, struct viewd_err *err)
{
	return dialect_check_view(&mini_syntax, view, out, mentions, err);
}

static bool render(const struct viewd_database_spec *db UNUSED, const struct viewd_view_spec *view,
                   enum viewd_render_kind kind, const struct viewd_render_flags *flags,
                   struct viewd_text_sink statements, struct viewd_err *err)
{
	return dialect_render(&mini_syntax, view, kind, flags, statements, err);
}

VIEWD_DIALECT_EXPORT = {
	.abi_major = VIEWD_ABI_MAJOR,
	.abi_minor = VIEWD_ABI_MINOR,
	.struct_size = sizeof(struct viewd_dialect),
	.name = "litemini",
	.version = "litemini 1, SQLite " SQLITE_VERSION,
	.caps = VIEWD_CAP_SINGLE_WRITER,
	.url_form = "litemini:////absolute.db",
	.check_database = mini_check_database,
	.check_view = judge_view,
	.render = render,
	.open = mini_open,
	.close = mini_close,
	.cancel = mini_cancel,
	.alive = mini_alive,
	.prepare = dialect_prepare,
	.inspect = dialect_inspect,
	.apply = dialect_apply,
	.refresh = dialect_refresh,
	.record_failure = dialect_record_failure,
	.verify = dialect_verify,
	.history = dialect_history,
	.refresh_group = dialect_refresh_group,
};
