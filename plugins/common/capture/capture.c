/* SPDX-License-Identifier: MIT */
#include "common/capture/capture.h"

#include "base/err.h"
#include "base/words.h"
#include "common/depends/heard.h"
#include "common/depends/objects.h"
#include "common/state/marks.h"
#include "common/state/state.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>
#include <talloc.h>

#define CAPTURE_LOCK_TIMEOUT_US \
	INT64_C(2000000) /* creating a trigger waits for the source's writers no longer than this */
#define CAPTURE_TIMEOUT_US INT64_C(30000000)

/* Rows of the view in `captures`: one for each entry, whoever hears it, and one for doubts. */
static bool register_all(struct db *db, const char *view, const struct heard_list *list, bool followed,
                         struct viewd_err *err)
{
	struct mark_wanted *wanted = talloc_zero_array(list->mem, struct mark_wanted, (unsigned)list->n + 1);
	bool polled = false;
	size_t n = list->n;
	assert(wanted != NULL);
	for (size_t i = 0; i < list->n; i++) {
		wanted[i] = (struct mark_wanted){list->items[i].entry->source, word_heard(list->items[i].by)};
		polled |= list->items[i].by == VIEWD_HEARD_POLL;
	}
	if (polled && db->syntax->state.polls_late)
		wanted[n++] = (struct mark_wanted){MARKS_DOUBT_SOURCE, MARKS_DOUBT};
	return marks_register(db, view, wanted, n, err) && state_set_followed(db, view, followed, err) &&
	       objects_register(db, &list->found, err) && objects_sweep(db, err);
}

static bool lock(struct db *db, struct viewd_err *err)
{
	return db->ops->capture.lock == NULL || db->ops->capture.lock(db, err);
}

static void unlock(struct db *db)
{
	if (db->ops->capture.unlock != NULL)
		db->ops->capture.unlock(db);
}

/* Triggers first: a change between the two is then in the log, and a view registered anew is stale anyway. */
static bool set_up(struct db *db, const struct viewd_view_spec *view, struct heard_list *list, bool followed,
                   struct viewd_err *err)
{
	if (!heard_cut_cycles(db, view, list, err))
		return false;
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i].by == VIEWD_HEARD_TRIGGER &&
		    !db->ops->capture.make_trigger(db, &list->items[i].entry->rel, err))
			return err_wrap(err, "source '%s'", list->items[i].entry->rel.name);
	return register_all(db, view->name, list, followed, err) && capture_sweep(db, err);
}

static bool capture_in_transaction(struct db *db, const struct viewd_view_spec *view, struct heard_list *list,
                                   bool followed, struct viewd_err *err)
{
	bool transaction = db->syntax->has.transactional_ddl;
	if (transaction && !db->ops->begin(db, DB_BEGIN_WRITE, err))
		return false;
	bool locked = lock(db, err);
	bool done = locked && set_up(db, view, list, followed, err) && (!transaction || db->ops->commit(db, err));
	if (!done)
		db->ops->rollback(db);
	if (locked)
		unlock(db);
	return done;
}

static bool make_ready(struct db *db, const struct heard_list *list, struct viewd_err *err)
{
	for (size_t i = 0; i < list->n && db->ops->capture.ready_triggers != NULL; i++)
		if (list->items[i].by == VIEWD_HEARD_TRIGGER &&
		    !db->ops->capture.ready_triggers(db, &list->items[i].entry->rel, err))
			return err_wrap(err, "source '%s'", list->items[i].entry->rel.name);
	return true;
}

bool dialect_capture(struct viewd_conn *conn, const struct viewd_view_spec *view,
                     const struct viewd_capture_request *req, struct viewd_captured *out,
                     struct viewd_text_sink warnings, struct viewd_err *err)
{
	struct db *db = (struct db *)(void *)conn; /* its first member, see dialect.h */
	struct heard_list list = {.mem = talloc_new(NULL)};
	struct viewd_captured captured;
	db_enter(db);
	bool done = db->ops->set_limits(db, CAPTURE_TIMEOUT_US, CAPTURE_LOCK_TIMEOUT_US, err) &&
	            db_use_settings(db, view, err) && heard_find(db, view, req, &list, err) &&
	            heard_choose(db, req, &list, &captured, warnings, err) && make_ready(db, &list, err) &&
	            capture_in_transaction(db, view, &list, req->mode != VIEWD_CAPTURE_NONE, err);
	if (done) {
		*out = captured;
		heard_tell(&list, req->dependencies);
	}
	talloc_free(list.mem);
	db_leave(db);
	return done;
}

/* ---- triggers nobody needs ---- */

struct sweep {
	struct db *db;
	void *mem;
	char **items;
	size_t n;
};

static bool take_source_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct sweep *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, char *, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = talloc_strdup(list->mem, v[0]);
	return true;
}

static const struct db_reader take_source[] = {{take_source_fn, "t", "sources and their triggers"}};

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
	if (db->ops->capture.list_triggers == NULL)
		return true;
	if (!lock(db, err))
		return false;
	void *mem = talloc_new(NULL);
	struct sweep needed = {.db = db, .mem = mem}, there = {.db = db, .mem = mem};
	bool good = marks_sources(db, "trigger", take_source, &needed, err) &&
	            db->ops->capture.list_triggers(db, take_source, &there, err);
	db_failpoint(db, "capture:sweep");
	for (size_t i = 0; i < there.n && good; i++)
		good = contains(&needed, there.items[i]) || db->ops->capture.drop_trigger(db, there.items[i], err);
	talloc_free(mem);
	unlock(db);
	return good;
}
