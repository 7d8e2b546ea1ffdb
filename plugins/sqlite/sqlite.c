/* SPDX-License-Identifier: MIT
 *
 * sqlite.c: the SQLite dialect: its description, its hooks.
 */
#include "common/capture/capture.h"
#include "common/dialect.h"
#include "sqlite/capture/trigger.h"
#include "sqlite/conn/conn.h"
#include "sqlite/conn/definition.h"
#include "sqlite/conn/syntax.h"
#include "sqlite/depends/walk.h"
#include "sqlite/examine.h"
#include "sqlite/existing.h"
#include "sqlite/incremental/incremental.h"
#include "sqlite/leave.h"
#include "sqlite/objects/catalogue.h"
#include "sqlite/refresh/replace.h"
#include "sqlite/watch/watch.h"

const struct db_ops sqlite_ops = {
	.exec = sqlite_op_exec,
	.query = sqlite_op_query,
	.begin = sqlite_op_begin,
	.commit = sqlite_op_commit,
	.rollback = sqlite_op_rollback,
	.set_limits = sqlite_op_set_limits,
	.find_object = sqlite_op_find_object,
	.list_sources = sqlite_op_list_sources,
	.query_columns = sqlite_op_query_columns,
	.list_indexes = sqlite_op_list_indexes,
	.session =
		{
			.enter = sqlite_op_enter,
			.definitions_version = sqlite_op_definitions_version,
		},
	.catalogue =
		{
			.wanted_canonical = sqlite_op_wanted_canonical,
			.view_text = sqlite_op_view_text,
			.list_dependants = sqlite_op_list_dependants,
			.lacking = sqlite_op_lacking,
		},
	.change =
		{
			.replace = sqlite_op_replace,
			.rename = sqlite_op_rename,
		},
	.depends =
		{
			.walk = sqlite_op_walk,
			.changed_objects = sqlite_op_changed_objects,
			.know = sqlite_op_know,
		},
	.capture =
		{
			.choose = sqlite_op_choose_capture,
			.make_trigger = sqlite_op_make_trigger,
			.list_triggers = sqlite_op_list_triggers,
			.drop_trigger = sqlite_op_drop_trigger,
		},
	.leaving =
		{
			.list = sqlite_op_list_leavings,
			.clean_leftovers = sqlite_op_clean_logs,
		},
	.existing =
		{
			.list = sqlite_op_list_existing,
		},
	.incremental =
		{
			.begins_after_us = 2000,
			.make_log = sqlite_op_make_log,
			.drop_log = sqlite_op_drop_log,
			.look_log = sqlite_op_look_log,
			.unread = sqlite_op_unread,
			.read_log = sqlite_op_read_log,
			.add_keys = sqlite_op_add_keys,
			.has_key = sqlite_op_has_key,
			.drop_keys = sqlite_op_drop_keys,
			.index_part = sqlite_op_index_part,
			.apply_part = sqlite_op_apply_part,
			.make_node = sqlite_op_make_node,
			.nodes_lose_types = true,
			.images_guess = true,
			/* 1 and 1.0 are equal; where all are whole numbers, as sums demand, equal ones are the same. */
			.roll = {.move = sqlite_op_move_roll, .extreme_odd = "typeof({}) = 'real'"},
			/* Sums of whole numbers alone are exact, whatever type the column is declared with. */
			.stuck = "typeof({}) <> 'integer'",
			/* avg() adds floats: as long as no sum on the way reaches 2^53, it is exact. */
			.average = "(CAST({a} AS REAL) / nullif({b}, 0))",
			.average_large = "({}) NOT BETWEEN -67108864 AND 67108864",
			.average_stuck = "({a} > 0 OR {b} > 134217727)",
		},
};

static bool check_view(const struct viewd_database_spec *db UNUSED, const struct viewd_view_spec *view,
                       struct viewd_resolved *out, struct viewd_text_sink mentions, struct viewd_err *err)
{
	return dialect_check_view(&sqlite_syntax, view, out, mentions, err);
}

static bool render(const struct viewd_database_spec *db UNUSED, const struct viewd_view_spec *view,
                   enum viewd_render_kind kind, const struct viewd_render_flags *flags,
                   struct viewd_text_sink statements, struct viewd_err *err)
{
	return dialect_render(&sqlite_syntax, view, kind, flags, statements, err);
}

static const struct viewd_capture_ops capture_ops = {
	.struct_size = sizeof capture_ops,
	.set = dialect_capture,
	.watch_open = sqlite_watch_open,
	.watch_next = sqlite_watch_next,
	.watch_wake = sqlite_watch_wake,
	.watch_close = sqlite_watch_close,
};

static const struct viewd_advice_ops advice_ops = {
	.struct_size = sizeof advice_ops,
	.existing = dialect_existing,
	.examine = sqlite_examine,
};

VIEWD_DIALECT_EXPORT = {
	.abi_major = VIEWD_ABI_MAJOR,
	.abi_minor = VIEWD_ABI_MINOR,
	.struct_size = sizeof(struct viewd_dialect),
	.name = "sqlite",
	.version = "SQLite " SQLITE_VERSION,
	.caps = VIEWD_CAP_SINGLE_WRITER | VIEWD_CAP_CAPTURE_TRIGGER | VIEWD_CAP_CAPTURE_POLL | VIEWD_CAP_TYPES,
	.options = sqlite_options,
	.n_options = SQLITE_N_OPTIONS,
	.url_form = "sqlite:///relative.db or sqlite:////absolute.db",
	.check_database = sqlite_check_database,
	.check_view = check_view,
	.render = render,
	.open = sqlite_conn_open,
	.close = sqlite_conn_close,
	.cancel = sqlite_conn_cancel,
	.alive = sqlite_conn_alive,
	.prepare = dialect_prepare,
	.inspect = dialect_inspect,
	.apply = dialect_apply,
	.refresh = dialect_refresh,
	.record_failure = dialect_record_failure,
	.verify = dialect_verify,
	.history = dialect_history,
	.explain = dialect_explain,
	.capture = &capture_ops,
	.refresh_group = dialect_refresh_group,
	.uninstall = dialect_uninstall,
	.definition = dialect_definition,
	.rename = dialect_rename,
	.recorded = dialect_recorded,
	.advice = &advice_ops,
};
