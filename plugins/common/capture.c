/* SPDX-License-Identifier: MIT */
#include "common/capture.h"

#include "base/err.h"
#include "common/marks.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define CAPTURE_LOCK_TIMEOUT_US INT64_C(2000000) /* creating a trigger waits for the source's writers no longer than this */
#define CAPTURE_TIMEOUT_US INT64_C(30000000)

const char *capture_word(enum viewd_capture mode)
{
	static const char *const words[VIEWD_CAPTURE_COUNT] = {
		[VIEWD_CAPTURE_AUTO] = "auto", [VIEWD_CAPTURE_TRIGGER] = "trigger", [VIEWD_CAPTURE_BINLOG] = "binlog",
		[VIEWD_CAPTURE_POLL] = "poll", [VIEWD_CAPTURE_NONE] = "none",
	};
	return words[mode];
}

/* The relations to watch: as written in `sources`, else what inspect found. NULL: err. */
static struct relation *wanted_sources(struct db *db, void *mem, const struct viewd_capture_request *req, size_t *n_r,
                                       struct viewd_err *err)
{
	size_t n = req->n_names > 0 ? req->n_names : req->n_sources;
	struct relation *list = talloc_zero_array(mem, struct relation, (unsigned)n + 1);
	struct db_object found;
	assert(list != NULL);
	for (size_t i = 0; i < n; i++) {
		if (req->n_names == 0) {
			snprintf(list[i].schema, sizeof list[i].schema, "%s", req->sources[i].schema);
			snprintf(list[i].name, sizeof list[i].name, "%s", req->sources[i].name);
			continue;
		}
		if (!relation_parse(db->syntax, req->names[i], &list[i], err) || !db->ops->find_object(db, &list[i], &found, err))
			return NULL;
		if (found.kind != VIEWD_KIND_TABLE) {
			err_set(err, found.kind == VIEWD_KIND_NONE ? VIEWD_ERR_MISSING : VIEWD_ERR_CONFIG, "source '%s' is not a table that exists",
			        req->names[i]);
			return NULL;
		}
		snprintf(list[i].schema, sizeof list[i].schema, "%s", found.schema);
		snprintf(list[i].name, sizeof list[i].name, "%s", found.name);
	}
	*n_r = n;
	return list;
}

/* All rows the view should have: base sources by the chosen mode, kept ones by the refreshes of viewd itself. */
static bool register_all(struct db *db, void *mem, const char *view, const struct viewd_capture_request *req,
                         const struct relation *base, size_t n_base, enum viewd_capture mode, struct viewd_err *err)
{
	struct mark_wanted *wanted = talloc_zero_array(mem, struct mark_wanted, (unsigned)(n_base + req->n_kept) + 1);
	size_t n = 0;
	assert(wanted != NULL);
	for (size_t i = 0; i < n_base && mode != VIEWD_CAPTURE_NONE; i++)
		wanted[n++] = (struct mark_wanted){relation_quoted(db->syntax, mem, &base[i]), capture_word(mode)};
	for (size_t i = 0; i < req->n_kept; i++)
		wanted[n++] = (struct mark_wanted){marks_source(db, mem, req->kept[i].schema, req->kept[i].name), "kept"};
	return marks_register(db, view, wanted, n, err);
}

static bool lock(struct db *db, struct viewd_err *err)
{
	return db->ops->captures_lock == NULL || db->ops->captures_lock(db, err);
}

static void unlock(struct db *db)
{
	if (db->ops->captures_unlock != NULL)
		db->ops->captures_unlock(db);
}

/* Triggers first: a change between the two is then in the log, and a view registered anew is stale anyway. */
static bool set_up(struct db *db, void *mem, const char *view, const struct viewd_capture_request *req, const struct relation *base,
                   size_t n_base, enum viewd_capture mode, struct viewd_err *err)
{
	for (size_t i = 0; i < n_base && mode == VIEWD_CAPTURE_TRIGGER; i++)
		if (!db->ops->make_trigger(db, &base[i], err))
			return err_wrap(err, "source '%s'", base[i].name);
	return register_all(db, mem, view, req, base, n_base, mode, err) && capture_sweep(db, err);
}

static bool capture_in_transaction(struct db *db, void *mem, const char *view, const struct viewd_capture_request *req,
                                   const struct relation *base, size_t n_base, enum viewd_capture mode, struct viewd_err *err)
{
	bool transaction = db->syntax->transactional_ddl;
	if (transaction && !db->ops->begin(db, DB_BEGIN_WRITE, err))
		return false;
	bool locked = lock(db, err);
	bool done = locked && set_up(db, mem, view, req, base, n_base, mode, err) && (!transaction || db->ops->commit(db, err));
	if (!done)
		db->ops->rollback(db);
	if (locked)
		unlock(db);
	return done;
}

static bool make_ready(struct db *db, const struct relation *base, size_t n_base, enum viewd_capture mode, struct viewd_err *err)
{
	for (size_t i = 0; i < n_base && mode == VIEWD_CAPTURE_TRIGGER && db->ops->ready_triggers != NULL; i++)
		if (!db->ops->ready_triggers(db, &base[i], err))
			return err_wrap(err, "source '%s'", base[i].name);
	return true;
}

static bool choose(struct db *db, const struct viewd_capture_request *req, const struct relation *base, size_t n_base,
                   struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err)
{
	*out = (struct viewd_captured){.mode = req->mode};
	if (req->mode == VIEWD_CAPTURE_NONE)
		return true;
	if (n_base > 0)
		return db->ops->choose_capture(db, req->mode, base, n_base, out, warnings, err);
	snprintf(out->reason, sizeof out->reason, "it reads only views that viewd keeps: their refreshes tell");
	out->mode = VIEWD_CAPTURE_NONE;
	return true;
}

bool dialect_capture(struct viewd_conn *conn, const struct viewd_view_spec *view, const struct viewd_capture_request *req,
                     struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err)
{
	struct db *db = (struct db *)(void *)conn; /* its first member, see dialect.h */
	void *mem = talloc_new(NULL);
	size_t n = 0;
	struct viewd_captured captured;
	if (db->ops->enter != NULL)
		db->ops->enter(db);
	struct relation *base = NULL;
	bool done = db->ops->set_limits(db, CAPTURE_TIMEOUT_US, CAPTURE_LOCK_TIMEOUT_US, err) &&
	            (base = wanted_sources(db, mem, req, &n, err)) != NULL && choose(db, req, base, n, &captured, warnings, err) &&
	            make_ready(db, base, n, captured.mode, err) && capture_in_transaction(db, mem, view->name, req, base, n, captured.mode, err);
	if (done)
		*out = captured;
	talloc_free(mem);
	return done;
}

/* ---- triggers nobody needs ---- */

struct sweep {
	struct db *db;
	void *mem;
	char **items;
	size_t n;
};

static bool keep(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct sweep *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, char *, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = talloc_strdup(list->mem, v[0]);
	return true;
}

static bool contains(const struct sweep *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

/* Unlocked, it could take a trigger that has just been made for a view which is about to be registered. */
bool capture_sweep(struct db *db, struct viewd_err *err)
{
	if (db->ops->list_triggers == NULL)
		return true;
	if (!lock(db, err))
		return false;
	void *mem = talloc_new(NULL);
	struct sweep needed = {.db = db, .mem = mem}, there = {.db = db, .mem = mem};
	bool good = marks_sources(db, "trigger", keep, &needed, err) && db->ops->list_triggers(db, keep, &there, err);
	db_failpoint(db, "capture:sweep");
	for (size_t i = 0; i < there.n && good; i++)
		good = contains(&needed, there.items[i]) || db->ops->drop_trigger(db, there.items[i], err);
	talloc_free(mem);
	unlock(db);
	return good;
}
