/* SPDX-License-Identifier: MIT
 *
 * postgresql.c: the dialect as the daemon sees it.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/capture/capture.h"
#include "common/dialect.h"
#include "common/objects/task.h"
#include "common/text/number.h"
#include "postgresql/incremental/log_objects.h"
#include "postgresql/objects/lacking.h"
#include "postgresql/pg.h"
#include "postgresql/refresh/elsewhere.h"
#include "postgresql/watch/watch.h"

static void op_enter(struct db *db)
{
	pg_conn_fresh(pg_of(db));
	pg_queue_forget(pg_of(db));
}

static enum viewd_refresh_mode op_choose_mode(struct task *task, char reason[static 256])
{
	const struct db_object *found = &task->found;
	if (task->resolved.method == VIEWD_METHOD_MATERIALIZED) {
		if (found->can_concurrently) {
			snprintf(reason, 256, "concurrently: it holds data and has a usable unique index");
			return VIEWD_MODE_CONCURRENTLY;
		}
		snprintf(reason, 256, "full: %.240s", found->detail);
		return VIEWD_MODE_FULL;
	}
	if (task->columns != NULL && task->columns->n_key > 0) {
		snprintf(reason, 256, "diff: unique_key tells rows apart, so only changed rows are written");
		return VIEWD_MODE_DIFF;
	}
	snprintf(reason, 256, "full: without unique_key rows cannot be told apart");
	return VIEWD_MODE_FULL;
}

static bool count_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], 0);
	return false;
}

static const struct db_reader count_row[] = {{count_row_fn, "n", "how many rows were written"}};

/* The server counts for its statistics anyway, exactly; what is counted here is not yet sent to them. */
static bool op_count_written(struct task *task, int64_t *count_r, struct viewd_err *err)
{
	char oid[sizeof task->found.identity];
	snprintf(oid, sizeof oid, "%.*s", (int)strcspn(task->found.identity, ":"), task->found.identity);
	const char *params[] = {oid};
	return pg_op_query(task->db,
	                   "SELECT CASE WHEN pg_catalog.current_setting('track_counts') = 'on' THEN "
	                   "pg_catalog.pg_stat_get_xact_tuples_inserted($1::oid) "
	                   "+ pg_catalog.pg_stat_get_xact_tuples_updated($1::oid) + "
	                   "pg_catalog.pg_stat_get_xact_tuples_deleted($1::oid) ELSE -1 END",
	                   params, 1, count_row, count_r, err);
}

const struct db_ops pg_ops = {
	.exec = pg_op_exec,
	.query = pg_op_query,
	.begin = pg_op_begin,
	.commit = pg_op_commit,
	.rollback = pg_op_rollback,
	.set_limits = pg_op_set_limits,
	.find_object = pg_op_find_object,
	.list_sources = pg_op_list_sources,
	.query_columns = pg_op_query_columns,
	.list_indexes = pg_op_list_indexes,
	.session =
		{
			.exec_later = pg_op_exec_later,
			.query_later = pg_op_query_later,
			.flush = pg_op_flush,
			.commit_lazily = pg_op_commit_lazily,
			.enter = op_enter,
		},
	.catalogue =
		{
			.find_identity = pg_op_find_identity,
			.identity_along = pg_op_identity_along,
			.has_index = pg_op_has_index,
			.wanted_canonical = pg_op_wanted_canonical,
			.view_text = pg_op_view_text,
			.agree_type = pg_op_agree_type,
			.lacking = pg_op_lacking,
			.is_on_path = pg_op_is_on_path,
		},
	.rights =
		{
			.judge_place = pg_op_judge_place,
			.rows_apart = pg_op_rows_apart,
			.judge_table = pg_op_judge_table,
			.probe_as = pg_op_probe_as,
		},
	.change =
		{
			.replace = pg_op_replace,
			.rename = pg_rename,
		},
	.refresh =
		{
			.diff = pg_op_diff,
			.find_elsewhere = pg_op_find_elsewhere,
			.fetch_elsewhere = pg_op_fetch_elsewhere,
			.count_written = op_count_written,
			.choose_mode = op_choose_mode,
		},
	.group =
		{
			.keep_out = pg_op_keep_out,
			.keep_out_budget = pg_op_keep_out_budget,
			.carry = pg_op_carry,
			.commit = pg_op_commit_group,
		},
	.depends =
		{
			.walk = pg_op_walk,
			.changed_objects = pg_op_changed_objects,
			.know = pg_op_know,
		},
	.capture =
		{
			.choose = pg_op_choose_capture,
			.lock = pg_op_captures_lock,
			.ready_triggers = pg_op_ready_triggers,
			.make_trigger = pg_op_make_trigger,
			.list_triggers = pg_op_list_triggers,
			.drop_trigger = pg_op_drop_trigger,
		},
	.returning =
		{
			.state_place = pg_op_state_place,
			.came_along = pg_op_came_along,
		},
	.incremental =
		{
			.begins_after_us = 5000,
			.make_log = pg_op_make_log,
			.drop_log = pg_op_drop_log,
			.turns =
				{
					.ask = pg_op_ask_logs,
					.judge = pg_op_judge_logs,
					.position = pg_op_position,
					.mend = pg_op_mend_log,
					.search_keys = pg_op_search_keys,
				},
			.unread = pg_op_unread,
			.purge_log = pg_op_purge_log,
			.add_keys = pg_op_add_keys,
			.has_key = pg_op_has_key,
			.make_node = pg_op_make_node,
			.roll = {.move_all = pg_op_move_roll, .own_images_again = true, .transaction = "viewd_xid"},
			.stuck = "{}::pg_catalog.numeric OPERATOR(pg_catalog.=) 'NaN'",
			.average = "({a}::numeric / nullif({b}, 0))",
			.index_part = pg_op_index_part,
			.apply_part = pg_op_apply_part,
		},
	.leaving =
		{
			.list = pg_op_list_leavings,
			.clean_leftovers = pg_op_clean_leftovers,
		},
	.existing =
		{
			.list = pg_op_list_existing,
			.indexes = pg_op_existing_indexes,
		},
};

static bool check_read_url(void *mem_ctx, const struct viewd_database_spec *db, struct viewd_err *err)
{
	struct pg_params params;
	const struct viewd_database_spec *reading = pg_read_spec(mem_ctx, db);
	return reading == NULL || pg_url_params(mem_ctx, reading, &params, err) || err_wrap(err, "read_url");
}

static bool check_database(const struct viewd_database_spec *db, struct viewd_err *err)
{
	void *tmp = talloc_new(NULL);
	struct pg_params params;
	char *path, *owner;
	bool allow;
	bool ok = pg_url_params(tmp, db, &params, err) && pg_search_path(tmp, db, &path, err) &&
	          pg_allow_superuser(db, &allow, err) && pg_schema_owner(tmp, db, &owner, err) &&
	          check_read_url(tmp, db, err);
	talloc_free(tmp);
	return ok;
}

static bool judge_view(const struct viewd_database_spec *db UNUSED, const struct viewd_view_spec *view,
                       struct viewd_resolved *out, struct viewd_text_sink mentions, struct viewd_err *err)
{
	return dialect_check_view(&pg_syntax, view, out, mentions, err);
}

static bool render(const struct viewd_database_spec *db UNUSED, const struct viewd_view_spec *view,
                   enum viewd_render_kind kind, const struct viewd_render_flags *flags,
                   struct viewd_text_sink statements, struct viewd_err *err)
{
	return dialect_render(&pg_syntax, view, kind, flags, statements, err);
}

static const struct viewd_dialect_option options[] = {
	{
		.key = "search_path",
		.default_value = "public",
		.help = "schemas in which unqualified names of definitions are looked up",
		.doc = "A list of schemas, separated by commas. The session gets exactly pg_catalog, these schemas and "
			   "pg_temp, whatever the role's own settings are. A view whose relation is written without a schema "
			   "lives in the first of these schemas that exists.",
	},
	{
		.key = "allow_superuser",
		.default_value = "no",
		.help = "whether the role may be a superuser",
		.doc = "With no, viewd refuses to work as a superuser. Whoever may change a function that a view calls could "
			   "otherwise run code with the rights of the superuser (see CVE-2024-0985). An ordinary role that owns "
			   "the views and may read their sources is enough.",
	},
	{
		.key = "schema_owner",
		.default_value = "",
		.help = "a role that may own the schemas viewd and viewd_stage, besides viewd's own role",
		.doc = "Whoever owns these schemas, or may create in them, could run code with viewd's rights. So they must "
			   "belong to viewd's role, to a superuser or to the role named here, and nobody else may create in them. "
			   "Otherwise viewd refuses the database, and prints the statement that repairs it.",
	},
	{
		.key = "read_url",
		.default_value = "",
		.help = "a standby on which definitions of tables are computed",
		.doc = "A URL as in url, with the same role. Rows of a refresh of a whole table come from there, by COPY "
			   "through viewd, into a temporary table, and what differs is changed. viewd waits until the standby has "
			   "what the changes told of, and refuses a "
			   "server that is not a standby of the one that url names. Materialized views, incremental refreshes, "
			   "members of a refresh_group, views with run_as or a pre_hook, and the first filling are computed on "
			   "the primary. While the standby is away or too far behind, the view keeps its rows and is STALE.",
	},
};

static const struct viewd_capture_ops capture_ops = {
	.struct_size = sizeof capture_ops,
	.set = dialect_capture,
	.watch_open = pg_watch_open,
	.watch_next = pg_watch_next,
	.watch_wake = pg_watch_wake,
	.watch_close = pg_watch_close,
};

static const struct viewd_advice_ops advice_ops = {
	.struct_size = sizeof advice_ops,
	.existing = dialect_existing,
	.examine = pg_examine,
};

static const char *const schemes[] = {"postgres", NULL};

VIEWD_DIALECT_EXPORT = {
	.abi_major = VIEWD_ABI_MAJOR,
	.abi_minor = VIEWD_ABI_MINOR,
	.struct_size = sizeof(struct viewd_dialect),
	.name = "postgresql",
	.version = "1.0",
	.caps = VIEWD_CAP_MATERIALIZED | VIEWD_CAP_CAPTURE_TRIGGER | VIEWD_CAP_CAPTURE_POLL | VIEWD_CAP_TYPES,
	.options = options,
	.n_options = ARRAY_LEN(options),
	.schemes = schemes,
	.url_form = "postgresql://user@host/name",
	.check_database = check_database,
	.check_view = judge_view,
	.render = render,
	.open = pg_conn_open,
	.close = pg_conn_close,
	.cancel = pg_conn_cancel,
	.alive = pg_conn_alive,
	.prepare = pg_prepare,
	.inspect = dialect_inspect,
	.apply = dialect_apply,
	.refresh = dialect_refresh,
	.record_failure = dialect_record_failure,
	.verify = dialect_verify,
	.history = dialect_history,
	.explain = dialect_explain,
	.capture = &capture_ops,
	.maintain = pg_maintain,
	.refresh_group = dialect_refresh_group,
	.uninstall = dialect_uninstall,
	.definition = dialect_definition,
	.rename = dialect_rename,
	.recorded = dialect_recorded,
	.advice = &advice_ops,
};
