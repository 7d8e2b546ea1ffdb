/* SPDX-License-Identifier: MIT
 *
 * mysql.c: the dialect's two tables of functions.
 */
#include "common/capture/capture.h"
#include "common/dialect.h"
#include "mysql/capture/capture.h"
#include "mysql/conn/row_key.h"
#include "mysql/depends/walk.h"
#include "mysql/incremental/log.h"
#include "mysql/refresh/shadow_table.h"
#include "mysql/watch/watch.h"

const struct db_ops my_ops = {
	.exec = my_exec,
	.query = my_query,
	.begin = my_begin,
	.commit = my_commit,
	.rollback = my_rollback,
	.set_limits = my_set_limits,
	.find_object = my_find_object,
	.list_sources = my_list_sources,
	.query_columns = my_query_columns,
	.list_indexes = my_list_indexes,
	.session =
		{
			.exec_later = my_exec_later,
			.query_later = my_query_later,
			.flush = my_flush,
			.enter = my_enter,
			.use_settings = my_use_settings,
			.end_hook = my_end_hook,
		},
	.catalogue =
		{
			.find_identity = my_find_identity,
			.identity_along = my_identity_along,
			.wanted_canonical = my_wanted_canonical,
			.view_text = my_op_view_text,
			.list_dependants = my_list_dependants,
			.lacking = my_lacking,
			.agree_type = my_agree_type,
		},
	.change =
		{
			.create = my_create,
			.replace = my_replace,
			.rename = my_rename,
		},
	.refresh =
		{
			.swap = my_swap,
			.full = my_full,
			.diff = my_diff,
			.choose_mode = my_choose_mode,
		},
	.group =
		{
			.refresh = my_refresh_group,
		},
	.depends =
		{
			.walk = my_walk,
			.changed_objects = my_changed_objects,
			.digest_of = my_digest_of,
			.know = my_know,
		},
	.capture =
		{
			.choose = my_choose_capture,
			.lock = my_op_captures_lock,
			.unlock = my_captures_unlock,
			.make_trigger = my_make_trigger,
			.list_triggers = my_list_triggers,
			.drop_trigger = my_drop_trigger,
		},
	.returning =
		{
			.state_place = my_state_place,
			.relocate = my_relocate,
			.forget_place = my_forget_place,
		},
	.incremental =
		{
			.possible = my_incremental_possible,
			.begins_after_us = 5000,
			.make_log = my_make_log,
			.drop_log = my_drop_log,
			.look_logs = my_look_logs,
			.unread = my_unread,
			.read_log = my_read_log,
			.purge_log = my_purge_log,
			.turns = {.add_keys_each = my_add_keys_each},
			.add_keys = my_add_keys,
			.has_key = my_has_key,
			.drop_keys = my_drop_keys,
			.index_part = my_index_part,
			.apply_part = my_apply_part,
			.make_node = my_make_node,
			.roll = {.fill_node = my_fill_node,
                     .same_values = my_same_values,
                     .spelling = "CAST({} AS BINARY)",
                     .whole_number = "CAST({} AS SIGNED)",
                     .few = 500,
                     .exchange = my_exchange_rows,
                     .find_differing = my_find_differing},
			.add_to_roll = my_add_to_roll,
			.average = "({a} / nullif({b}, 0))",
			.whole = my_whole,
		},
	.leaving =
		{
			.list = my_list_leavings,
			.clean_leftovers = my_clean_leftovers,
		},
	.existing =
		{
			.list = my_list_existing,
		},
};

static bool check_view_here(const struct viewd_database_spec *db UNUSED, const struct viewd_view_spec *view,
                            struct viewd_resolved *out, struct viewd_text_sink mentions, struct viewd_err *err)
{
	return my_settings_check_view(view, err) && dialect_check_view(&my_syntax, view, out, mentions, err);
}

static bool render_here(const struct viewd_database_spec *db, const struct viewd_view_spec *view,
                        enum viewd_render_kind kind, const struct viewd_render_flags *flags,
                        struct viewd_text_sink statements, struct viewd_err *err)
{
	return my_settings_check_view(view, err) && my_settings_render(db, view, kind, statements) &&
	       dialect_render(&my_syntax, view, kind, flags, statements, err);
}

static bool prepare_here(struct viewd_conn *conn, struct viewd_recorded_sink rows, struct viewd_err *err)
{
	return my_require_writable(conn, err) && dialect_prepare(conn, rows, err) && row_keys_add(conn, err);
}

static const struct viewd_thread_ops thread_ops = {
	.struct_size = sizeof thread_ops,
	.begin = my_thread_begin,
	.end = my_thread_end,
};

static const struct viewd_capture_ops capture_ops = {
	.struct_size = sizeof capture_ops,
	.set = dialect_capture,
	.watch_open = my_watch_open,
	.watch_next = my_watch_next,
	.watch_wake = my_watch_wake,
	.watch_close = my_watch_close,
};

static const struct viewd_advice_ops advice_ops = {
	.struct_size = sizeof advice_ops,
	.existing = dialect_existing,
	.examine = my_examine,
};

static const char *const schemes[] = {"mariadb", NULL};

VIEWD_DIALECT_EXPORT = {
	.abi_major = VIEWD_ABI_MAJOR,
	.abi_minor = VIEWD_ABI_MINOR,
	.struct_size = sizeof(struct viewd_dialect),
	.name = "mysql",
	.version = "MySQL 8.0+, MariaDB 10.6+",
	.caps = VIEWD_CAP_CAPTURE_TRIGGER | VIEWD_CAP_CAPTURE_BINLOG | VIEWD_CAP_CAPTURE_POLL | VIEWD_CAP_TYPES,
	.options = my_options,
	.n_options = MY_N_OPTIONS,
	.schemes = schemes,
	.url_form = "mysql://user@host/name",
	.check_database = my_check_database,
	.check_view = check_view_here,
	.render = render_here,
	.open = my_open,
	.close = my_close,
	.cancel = my_cancel,
	.alive = my_alive,
	.prepare = prepare_here,
	.inspect = dialect_inspect,
	.apply = dialect_apply,
	.refresh = dialect_refresh,
	.record_failure = dialect_record_failure,
	.verify = dialect_verify,
	.history = dialect_history,
	.explain = dialect_explain,
	.threads = &thread_ops,
	.capture = &capture_ops,
	.refresh_group = dialect_refresh_group,
	.uninstall = dialect_uninstall,
	.definition = dialect_definition,
	.rename = dialect_rename,
	.recorded = dialect_recorded,
	.advice = &advice_ops,
};
