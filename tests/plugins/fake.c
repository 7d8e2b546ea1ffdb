/* SPDX-License-Identifier: MIT
 *
 * fake.c: the functions of the dialect; what they tell is true of the servers in memory.
 */
#include "plugins/fake_private.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* ---- connections ------------------------------------------------------------------------------------------------ */

static struct viewd_conn *open_conn(const struct viewd_host *host, const struct viewd_database_spec *db,
                                    struct viewd_err *err)
{
	struct viewd_conn *conn = NULL;
	fake_lock();
	struct fake_server *s = fake_server_of_url(db->url);
	if (fake_enter(s, NULL, FAKE_open, db->name, err)) {
		conn = talloc_zero(NULL, struct viewd_conn);
		conn->server = s;
		conn->host = host;
		conn->database = talloc_strdup(conn, db->name);
		conn->epoch = s->epoch;
		s->n_connections++;
	}
	fake_unlock();
	return conn;
}

static void close_conn(struct viewd_conn **conn_ptr)
{
	struct viewd_conn *conn = talloc_move(NULL, conn_ptr);
	struct viewd_err ignored;
	if (conn == NULL)
		return;
	fake_lock();
	if (conn->in_cancel)
		fake_violation("close beside cancel");
	if (fake_enter(conn->server, NULL, FAKE_close, conn->database, &ignored) && conn->busy)
		fake_violation("close beside another call");
	conn->server->n_connections--;
	fake_unlock();
	talloc_free(conn);
}

static void cancel(struct viewd_conn *conn)
{
	struct viewd_err ignored;
	fake_lock();
	conn->in_cancel = true;
	if (fake_enter(conn->server, NULL, FAKE_cancel, conn->database, &ignored) && conn->busy)
		conn->cancelled = true;
	fake_wake();
	conn->in_cancel = false;
	fake_unlock();
}

static bool alive(struct viewd_conn *conn)
{
	struct viewd_err ignored;
	fake_lock();
	bool ok = fake_enter(conn->server, conn, FAKE_alive, conn->database, &ignored);
	if (ok)
		fake_leave(conn);
	fake_unlock();
	return ok;
}

static bool prepare(struct viewd_conn *conn, struct viewd_recorded_sink rows, struct viewd_err *err)
{
	fake_lock();
	bool ok = fake_enter(conn->server, conn, FAKE_prepare, conn->database, err), more = ok;
	for (size_t i = 0; more && i < FAKE_BUCKETS; i++)
		for (const struct fake_object *o = conn->server->buckets[i]; o != NULL && more; o = o->next) {
			const struct viewd_recorded row = {.struct_size = sizeof row,
			                                   .name = o->owner,
			                                   .relation = o->name,
			                                   .method = o->method,
			                                   .on_remove = o->drop_on_remove ? VIEWD_REMOVE_DROP : VIEWD_REMOVE_KEEP,
			                                   .captured =
			                                       o->owner != NULL && fake_is_captured(conn->server, o->owner)};
			more = o->owner == NULL || rows.fn(rows.ctx, &row);
		}
	if (ok)
		fake_leave(conn);
	fake_unlock();
	return ok;
}

/* ---- views ------------------------------------------------------------------------------------------------------ */

bool fake_is_ours(const struct fake_object *o, const struct viewd_view_spec *view)
{
	return o->owner != NULL && strcmp(o->owner, view->name) == 0 && o->kind != VIEWD_KIND_NONE &&
	       o->id == o->recorded_id;
}

static void describe(const struct fake_object *o, const struct viewd_view_spec *view, struct viewd_found *out)
{
	char hash[17], index_hash[17];
	fake_digests(view, hash, index_hash);
	out->kind = o->kind;
	out->recorded = o->owner != NULL && strcmp(o->owner, view->name) == 0;
	out->ours = fake_is_ours(o, view);
	out->touched_outside = o->touched;
	out->matches = !o->touched && o->definition != NULL && strcmp(o->definition, view->definition) == 0;
	out->populated = o->populated;
	out->can_concurrently = o->populated && view->n_unique_key > 0;
	out->indexes_present = strcmp(o->index_hash, index_hash) == 0;
	snprintf(out->recorded_hash, sizeof out->recorded_hash, "%s", o->hash);
	snprintf(out->recorded_index_hash, sizeof out->recorded_index_hash, "%s", o->index_hash);
	out->last_success_us = out->data_timestamp_us = o->filled_us;
	out->duration_us = o->duration_us;
	out->rows = o->rows;
}

/* Is a table of the application gone that the definition reads? */
static bool is_unreadable(struct fake_server *s, const char *definition)
{
	char name[128];
	for (const char *pos = NULL; fake_next_source(definition, &pos, name, sizeof name);)
		if (fake_is_base(name) && fake_need(s, name)->kind == VIEWD_KIND_NONE)
			return true;
	return false;
}

/* Sources, through plain views too. */
static bool tell_sources(struct fake_server *s, const char *definition, int depth, struct viewd_source_sink sink)
{
	char name[128];
	for (const char *pos = NULL; fake_next_source(definition, &pos, name, sizeof name);) {
		const struct fake_object *o = fake_is_base(name) ? fake_need(s, name) : fake_find(s, name);
		const struct viewd_source src = {.schema = "main", .name = name, .kind = o != NULL ? o->kind : VIEWD_KIND_NONE};
		if (o == NULL || o->kind == VIEWD_KIND_NONE)
			continue;
		if (!sink.fn(sink.ctx, &src))
			return false;
		if (o->kind == VIEWD_KIND_VIEW && o->definition != NULL && depth < 32 &&
		    !tell_sources(s, o->definition, depth + 1, sink))
			return false;
	}
	return true;
}

size_t fake_compared(const char *server, const char *object)
{
	fake_lock();
	const struct fake_object *o = fake_find(fake_server_named(server), object);
	size_t n = o != NULL ? o->compared : 0;
	fake_unlock();
	return n;
}

static bool inspect(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_found *out,
                    struct viewd_source_sink sources, struct viewd_err *err)
{
	char name[256];
	fake_plain_name(view->relation, name, sizeof name);
	fake_lock();
	bool ok = fake_enter(conn->server, conn, FAKE_inspect, name, err);
	if (ok) {
		struct fake_object *o = fake_find(conn->server, name);
		*out = (struct viewd_found){.schema = "main", .rows = -1};
		snprintf(out->name, sizeof out->name, "%s", name);
		if (o != NULL) {
			describe(o, view, out);
			o->compared += view->compare_columns == VIEWD_COMPARE_TYPES;
		}
		if (sources.fn != NULL && o != NULL && o->kind != VIEWD_KIND_NONE &&
		    is_unreadable(conn->server, view->definition)) {
			out->sources_unknown = out->unreadable = true;
			snprintf(out->detail, sizeof out->detail, "a table is gone");
		} else if (sources.fn != NULL && o != NULL && o->definition != NULL && o->kind != VIEWD_KIND_NONE)
			tell_sources(conn->server, o->definition, 0, sources);
		fake_leave(conn);
	}
	fake_unlock();
	return ok;
}

bool fake_fill_rows(struct viewd_conn *conn, struct fake_object *o, const struct viewd_view_spec *view,
                    struct viewd_outcome *out, struct viewd_err *err)
{
	int64_t rows, before = o->rows;
	uint64_t content;
	if (!fake_evaluate(conn->server, view->definition, 0, &rows, &content, err))
		return false;
	bool same = view->n_unique_key > 0 && o->populated && o->content == content;
	if (o->kind != VIEWD_KIND_VIEW) {
		o->populated = true;
		o->rows = rows;
		o->content = content;
		o->filled_us = fake_now(conn);
		o->duration_us = 1;
	}
	out->rows = rows;
	out->rows_written = same ? 0 : before > rows ? before - rows : rows;
	if (same)
		out->did = VIEWD_DID_NO_DATA;
	return true;
}

/* A refresh that has written marks the views that read this one. */
static bool fill(struct viewd_conn *conn, struct fake_object *o, const struct viewd_view_spec *view,
                 const struct fake_seen *seen, struct viewd_outcome *out, struct viewd_err *err)
{
	if (!fake_fill_rows(conn, o, view, out, err))
		return false;
	out->settled_seq = seen->seq;
	fake_settle_marks(conn->server, view->name, seen);
	if (out->rows_written != 0 || out->did != VIEWD_DID_NO_DATA)
		fake_touch(conn->server, o->name, NULL, 0);
	return true;
}

static bool create(struct viewd_conn *conn, const struct viewd_view_spec *view, struct fake_object *o,
                   struct viewd_outcome *out, struct viewd_err *err)
{
	static const enum viewd_kind kinds[] = {[VIEWD_METHOD_SIMPLE] = VIEWD_KIND_VIEW,
	                                        [VIEWD_METHOD_MATERIALIZED] = VIEWD_KIND_MATVIEW,
	                                        [VIEWD_METHOD_TABLE] = VIEWD_KIND_TABLE};
	int64_t rows;
	uint64_t content;
	if (!fake_evaluate(conn->server, view->definition, 0, &rows, &content, err))
		return false;
	o->kind = kinds[view->method];
	o->id = o->recorded_id = ++conn->server->next_id;
	o->method = view->method;
	o->touched = o->populated = false;
	o->rows = -1;
	o->filled_us = 0;
	free(o->definition);
	o->definition = strdup(view->definition);
	fake_digests(view, o->hash, o->index_hash);
	out->did = VIEWD_DID_NO_DATA;
	if (!view->with_data || o->kind == VIEWD_KIND_VIEW)
		return true;
	out->did = VIEWD_DID_REINITIALIZE;
	const struct fake_seen seen = fake_read_marks(conn->server, view->name);
	return fill(conn, o, view, &seen, out, err);
}

/* Does any other object read it? */
static const char *reader_of(struct fake_server *s, const char *name)
{
	char src[128];
	for (size_t i = 0; i < FAKE_BUCKETS; i++)
		for (const struct fake_object *o = s->buckets[i]; o != NULL; o = o->next)
			for (const char *pos = NULL; o->definition != NULL && o->kind != VIEWD_KIND_NONE &&
			                             fake_next_source(o->definition, &pos, src, sizeof src);)
				if (strcmp(src, name) == 0)
					return o->name;
	return NULL;
}

static bool drop(struct fake_server *s, const struct viewd_view_spec *view, struct fake_object *o,
                 struct viewd_err *err)
{
	const char *reader = reader_of(s, o->name);
	if (o->owner == NULL)
		return err_set(err, VIEWD_ERR_MISSING, "view '%s' is not recorded", view->name);
	if (o->kind != VIEWD_KIND_NONE && !fake_is_ours(o, view))
		return err_set(err, VIEWD_ERR_EXISTS, "relation \"%s\" was not made by viewd", o->name);
	if (reader != NULL && !view->cascade)
		return err_set(err, VIEWD_ERR_QUERY, "relation \"%s\" is read by \"%s\"", o->name, reader);
	fake_uncapture(s, view->name);
	fake_forget(s, o);
	return true;
}

static void record(struct fake_object *o, const struct viewd_view_spec *view)
{
	free(o->owner);
	o->owner = strdup(view->name);
	o->drop_on_remove = view->on_remove == VIEWD_REMOVE_DROP;
}

static bool change_object(struct viewd_conn *conn, const struct viewd_view_spec *view, enum viewd_change change,
                          struct fake_object *o, struct viewd_outcome *out, struct viewd_err *err)
{
	char hash[17];
	bool ok = true;
	switch (change) {
	case VIEWD_CHANGE_CREATE:
		ok = o->kind == VIEWD_KIND_NONE || err_set(err, VIEWD_ERR_EXISTS, "relation \"%s\" exists", o->name);
		ok = ok && create(conn, view, o, out, err);
		break;
	case VIEWD_CHANGE_REPLACE:
		ok = fake_is_ours(o, view) || err_set(err, VIEWD_ERR_EXISTS, "relation \"%s\" was not made by viewd", o->name);
		ok = ok && create(conn, view, o, out, err);
		break;
	case VIEWD_CHANGE_ADOPT:
		o->recorded_id = o->id;
		break;
	case VIEWD_CHANGE_REINDEX:
		fake_digests(view, hash, o->index_hash);
		break;
	case VIEWD_CHANGE_DROP:
		return drop(conn->server, view, o, err);
	case VIEWD_CHANGE_NOTHING:
	case VIEWD_CHANGE_REFUSE:
	case VIEWD_CHANGE_KEEP:
	case VIEWD_CHANGE_RENAME:
	case VIEWD_CHANGE_COUNT:
		fake_violation("apply was asked for a change that is none");
		return err_set(err, VIEWD_ERR_PLUGIN, "not a change");
	}
	if (ok)
		record(o, view);
	return ok;
}

static bool apply(struct viewd_conn *conn, const struct viewd_view_spec *view, enum viewd_change change,
                  struct viewd_outcome *out, struct viewd_err *err)
{
	char name[256];
	fake_plain_name(view->relation, name, sizeof name);
	fake_lock();
	bool ok = fake_enter(conn->server, conn, FAKE_apply, name, err);
	if (ok) {
		struct viewd_outcome done = {.did = VIEWD_DID_NO_DATA, .rows = -1, .rows_written = -1};
		ok = change_object(conn, view, change, fake_need(conn->server, name), &done, err);
		if (ok)
			*out = done;
		fake_leave(conn);
	}
	fake_unlock();
	return ok;
}

void fake_remember_run(struct viewd_conn *conn, struct fake_object *o, const struct viewd_refresh_request *req,
                       const char *result, const struct viewd_err *failure)
{
	struct fake_run *run = calloc(1, sizeof *run);
	run->started_us = fake_now(conn);
	run->duration_us = 1;
	run->rows = o->rows;
	snprintf(run->trigger, sizeof run->trigger, "%s", req->trigger);
	run->action = failure == NULL ? "FULL" : NULL;
	run->result = result;
	if (failure != NULL)
		snprintf(run->error, sizeof run->error, "%.127s", failure->msg);
	run->next = o->runs;
	o->runs = run;
	/* Three are enough to look at. */
	struct fake_run *last = run->next != NULL ? run->next->next : NULL;
	if (last != NULL) {
		free(last->next);
		last->next = NULL;
	}
}

static bool refresh(struct viewd_conn *conn, const struct viewd_view_spec *view,
                    const struct viewd_refresh_request *req, struct viewd_outcome *out, struct viewd_err *err)
{
	char name[256];
	fake_plain_name(view->relation, name, sizeof name);
	fake_lock();
	/* The marks are read, then the refresh may wait, then the data is read. */
	const struct fake_seen seen = fake_read_marks(conn->server, view->name);
	bool ok = fake_enter(conn->server, conn, FAKE_refresh, name, err);
	if (ok) {
		struct fake_object *o = fake_find(conn->server, name);
		struct viewd_outcome done = {
			.did = VIEWD_DID_FULL, .rows = -1, .rows_written = -1, .reason = "the fake knows no other way"};
		if (o == NULL || o->kind == VIEWD_KIND_NONE)
			ok = err_set(err, VIEWD_ERR_MISSING, "relation \"%s\" does not exist", name);
		else if (!fake_is_ours(o, view))
			ok = err_set(err, VIEWD_ERR_EXISTS, "relation \"%s\" was not made by viewd", name);
		else if (o->kind == VIEWD_KIND_VIEW)
			done.did = VIEWD_DID_NO_DATA;
		else
			ok = fill(conn, o, view, &seen, &done, err);
		if (ok) {
			fake_remember_run(conn, o, req, "SUCCEEDED", NULL);
			*out = done;
		}
		fake_leave(conn);
	}
	fake_unlock();
	return ok;
}

static bool record_failure(struct viewd_conn *conn, const struct viewd_view_spec *view,
                           const struct viewd_refresh_request *req, enum viewd_failure how,
                           const struct viewd_err *failure, struct viewd_err *err)
{
	static const char *const words[VIEWD_FAILURE_COUNT] = {
#define FAILURE_WORD(sym, word) [VIEWD_FAILURE_##sym] = (word),
		VIEWD_FAILURES(FAILURE_WORD)
#undef FAILURE_WORD
	};
	char name[256];
	fake_plain_name(view->relation, name, sizeof name);
	fake_lock();
	bool ok = fake_enter(conn->server, conn, FAKE_record_failure, name, err);
	if (ok) {
		struct fake_object *o = fake_find(conn->server, name);
		if (o != NULL && o->owner != NULL)
			fake_remember_run(conn, o, req, words[how], failure);
		fake_leave(conn);
	}
	fake_unlock();
	return ok;
}

static bool verify(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_verdict *out,
                   struct viewd_err *err)
{
	char name[256];
	int64_t rows = 0;
	uint64_t content;
	fake_plain_name(view->relation, name, sizeof name);
	fake_lock();
	bool ok = fake_enter(conn->server, conn, FAKE_verify, name, err);
	if (ok) {
		const struct fake_object *o = fake_find(conn->server, name);
		if (o == NULL || o->kind == VIEWD_KIND_NONE)
			ok = err_set(err, VIEWD_ERR_MISSING, "relation \"%s\" does not exist", name);
		else if ((ok = fake_evaluate(conn->server, view->definition, 0, &rows, &content, err)))
			*out = (struct viewd_verdict){.rows = rows,
			                              .missing = o->rows < rows ? rows - o->rows : 0,
			                              .unexpected = o->rows > rows ? o->rows - rows : 0};
		fake_leave(conn);
	}
	fake_unlock();
	return ok;
}

static bool history(struct viewd_conn *conn, const struct viewd_view_spec *view, int limit,
                    struct viewd_history_sink rows, struct viewd_err *err)
{
	char name[256];
	fake_plain_name(view->relation, name, sizeof name);
	fake_lock();
	bool ok = fake_enter(conn->server, conn, FAKE_history, name, err);
	if (ok) {
		const struct fake_object *o = fake_find(conn->server, name);
		const struct fake_run *run = o != NULL ? o->runs : NULL;
		for (bool more = true; run != NULL && more && limit-- > 0; run = run->next) {
			const struct viewd_history_row row = {.struct_size = sizeof row,
			                                      .started_us = run->started_us,
			                                      .duration_us = run->duration_us,
			                                      .rows = run->rows,
			                                      .rows_written = -1,
			                                      .trigger = run->trigger,
			                                      .action = run->action,
			                                      .result = run->result,
			                                      .error = run->error[0] != '\0' ? run->error : NULL};
			more = rows.fn(rows.ctx, &row);
		}
		fake_leave(conn);
	}
	fake_unlock();
	return ok;
}

static const struct viewd_dialect_option options[] = {
	{.key = "note", .help = "any word but bad", .doc = "Shows that a dialect's own keys reach it."},
};

static const struct viewd_capture_ops capture_ops = {
	.struct_size = sizeof capture_ops,
	.set = fake_capture,
	.watch_open = fake_watch_open,
	.watch_next = fake_watch_next,
	.watch_wake = fake_watch_wake,
	.watch_close = fake_watch_close,
};

VIEWD_DIALECT_EXPORT = {
	.abi_major = VIEWD_ABI_MAJOR,
	.abi_minor = VIEWD_ABI_MINOR,
	.struct_size = sizeof(struct viewd_dialect),
	.name = "fake",
	.version = "1",
	.caps = VIEWD_CAP_MATERIALIZED,
	.options = options,
	.n_options = sizeof options / sizeof *options,
	.check_database = fake_judge_database,
	.check_view = fake_judge_view,
	.render = fake_render_view,
	.open = open_conn,
	.close = close_conn,
	.cancel = cancel,
	.alive = alive,
	.prepare = prepare,
	.inspect = inspect,
	.apply = apply,
	.refresh = refresh,
	.record_failure = record_failure,
	.verify = verify,
	.history = history,
	.capture = &capture_ops,
	.refresh_group = fake_refresh_group,
};
