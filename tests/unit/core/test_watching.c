/* SPDX-License-Identifier: MIT
 *
 * test_watching.c: the watcher of a database and its probes: which may begin when, and what the end of one means for
 * the other.
 */
#include "unit/core/rig.h"

#include "base/err.h"
#include "core/engine/database.h"
#include "core/exec/job.h"
#include "core/report/wait.h"

#include <pthread.h>
#include <talloc.h>

/* ---- a watch that does what the test says; one at a time -------------------------------------------------------- */

static struct viewd_watch {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool hold_open, lose; /* the test's wishes */
	bool opening, open;
	int opened; /* so often */
} the_watch = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static void set(bool *flag, bool value)
{
	pthread_mutex_lock(&the_watch.lock);
	*flag = value;
	pthread_cond_broadcast(&the_watch.moved);
	pthread_mutex_unlock(&the_watch.lock);
}

static bool get(const bool *flag)
{
	pthread_mutex_lock(&the_watch.lock);
	bool value = *flag;
	pthread_mutex_unlock(&the_watch.lock);
	return value;
}

static struct viewd_watch *watch_open(const struct viewd_host *host UNUSED, const struct viewd_database_spec *db UNUSED,
                                      struct viewd_err *err UNUSED)
{
	pthread_mutex_lock(&the_watch.lock);
	the_watch.opening = true;
	while (the_watch.hold_open)
		pthread_cond_wait(&the_watch.moved, &the_watch.lock);
	the_watch.opening = false;
	the_watch.open = true;
	the_watch.opened++;
	pthread_mutex_unlock(&the_watch.lock);
	return &the_watch;
}

static bool woken;

static bool watch_next(struct viewd_watch *watch, int64_t timeout_us UNUSED, struct viewd_signal_sink signals UNUSED,
                       struct viewd_err *err)
{
	pthread_mutex_lock(&watch->lock);
	while (!watch->lose && !woken)
		pthread_cond_wait(&watch->moved, &watch->lock);
	bool lost = watch->lose;
	watch->lose = woken = false;
	pthread_mutex_unlock(&watch->lock);
	return !lost || err_set(err, VIEWD_ERR_LOST, "the watch is gone");
}

static void watch_wake(struct viewd_watch *watch UNUSED)
{
	set(&woken, true);
}

static void watch_close(struct viewd_watch **watch)
{
	set(&the_watch.open, false);
	*watch = NULL;
}

static int captured; /* calls so far; under the lock of the_watch */

static bool capture(struct viewd_conn *conn UNUSED, const struct viewd_view_spec *view UNUSED,
                    const struct viewd_capture_request *req UNUSED, struct viewd_captured *out,
                    struct viewd_text_sink warnings UNUSED, struct viewd_err *err UNUSED)
{
	pthread_mutex_lock(&the_watch.lock);
	captured++;
	pthread_mutex_unlock(&the_watch.lock);
	*out = (struct viewd_captured){.mode = VIEWD_CAPTURE_TRIGGER};
	return true;
}

static int captures_so_far(void)
{
	pthread_mutex_lock(&the_watch.lock);
	int n = captured;
	pthread_mutex_unlock(&the_watch.lock);
	return n;
}

static struct rig *watched_rig(void)
{
	struct viewd_err err;
	struct rig *rig = rig_new();
	static const struct viewd_capture_ops ops = {
		.struct_size = sizeof ops,
		.set = capture,
		.watch_open = watch_open,
		.watch_next = watch_next,
		.watch_wake = watch_wake,
		.watch_close = watch_close,
	};
	struct viewd_dialect watched = viewd_dialect_fake;
	watched.name = "fakewatch";
	watched.capture = &ops;
	REQUIRE_OK(registry_add(rig->registry, &watched, &err), &err);
	the_watch.hold_open = the_watch.lose = woken = false;
	the_watch.opened = 0;
	return rig;
}

#define WATCHED "[database d]\nurl = fakewatch://d\n"
#define MOVED "[database d]\nurl = fakewatch://e\n"

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static void section_changes_while_the_watch_opens(void)
{
	struct rig *rig = watched_rig();
	the_watch.hold_open = true;
	rig_commit(rig, WATCHED VIEW("a", "t_x"));
	RUN_UNTIL(rig, get(&the_watch.opening));
	rig_commit(rig, MOVED VIEW("a", "t_x"));
	CHECK(rig_db(rig, "d")->watch.watcher != NULL); /* another one: nobody waits for the first */
	set(&the_watch.hold_open, false);
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_UP);
	RUN_UNTIL(rig, fake_kind("e", "a") == VIEWD_KIND_TABLE);
	CHECK_INT(fake_calls("d", "prepare", NULL), 0);
	rig_free(&rig);
}

static void watch_is_lost_while_a_prepare_runs(void)
{
	struct rig *rig = watched_rig();
	expect_log("database 'd', cannot be used (the watch is gone)");
	fake_do("d", "block prepare d");
	rig_commit(rig, WATCHED VIEW("a", "t_x"));
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	set(&the_watch.lose, true);
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN);
	fake_do("d", "release prepare d");
	RUN_UNTIL(rig, rig_working(rig) == 0);
	CHECK_INT(rig_db(rig, "d")->state, DB_DOWN); /* nobody holds the lock: it must not be used */
	database_probe(rig_db(rig, "d"));
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_UP);
	CHECK(rig_db(rig, "d")->watch.watcher != NULL);
	RUN_UNTIL(rig, fake_kind("d", "a") == VIEWD_KIND_TABLE);
	rig_free(&rig);
}

static void capture_does_not_wait_for_another_databases_setup(void)
{
	struct rig *rig = watched_rig();
	captured = 0;
	fake_do("e", "block apply slow");
	rig_commit(rig, WATCHED VIEW("a", "t_x") "on_change = yes\n[database e]\nurl = fake://e\n"
	                                         "[view slow]\ndatabase = e\nmethod = table\ndefinition = SELECT 1\n");
	RUN_UNTIL(rig, fake_waiting("e") == 1);
	RUN_UNTIL(rig, captures_so_far() > 0);
	CHECK_INT(fake_waiting("e"), 1);
	fake_do("e", "release apply slow");
	RUN_UNTIL(rig, rig_view(rig, "slow")->relation.reconciled);
	rig_free(&rig);
}

static void prepare_does_not_overtake_the_watch(void)
{
	struct rig *rig = watched_rig();
	struct database *db;
	expect_log("database 'd', cannot be used (the watch is gone)");
	rig_commit(rig, WATCHED VIEW("a", "t_x"));
	db = rig_db(rig, "d");
	RUN_UNTIL(rig, db->state == DB_UP && fake_kind("d", "a") == VIEWD_KIND_TABLE && rig_view(rig, "a")->job == NULL);
	set(&the_watch.lose, true);
	RUN_UNTIL(rig, db->state == DB_DOWN);
	fake_do("d", "block prepare d");
	database_probe(db);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	set(&the_watch.lose, true);
	/* Nobody waits for that one any more: it was cancelled */
	RUN_UNTIL(rig, db->state == DB_DOWN && rig_working(rig) == 0);
	size_t before = fake_calls("d", "prepare", NULL);
	fake_do("d", "release prepare d");
	the_watch.hold_open = true;
	database_probe(db);
	RUN_UNTIL(rig, get(&the_watch.opening));
	for (int i = 0; i < 20; i++)
		rig_turn(rig, 0);
	CHECK_INT(fake_calls("d", "prepare", NULL), before);
	set(&the_watch.hold_open, false);
	RUN_UNTIL(rig, db->state == DB_UP);
	CHECK_INT(fake_calls("d", "prepare", NULL), before + 1);
	rig_free(&rig);
}

/* Each has a watch, whose thread does nothing else. */
static void more_databases_than_worker_threads(void)
{
	enum { MANY = 100 };
	char *text = talloc_strdup(harness_ctx(), "");
	for (int i = 0; i < MANY; i++)
		text = talloc_asprintf_append(text,
		                              "[database d%d]\nurl = fake://d%d\n[view v%d]\ndatabase = d%d\nmethod = table\n"
		                              "on_change = yes\ndefinition = SELECT * FROM t_x\n",
		                              i, i, i, i);
	struct rig *rig = rig_new(); /* its pool has 64 threads */
	rig_commit(rig, text);
	for (int i = 0; i < MANY; i++) {
		const char *db = talloc_asprintf(harness_ctx(), "d%d", i), *view = talloc_asprintf(harness_ctx(), "v%d", i);
		RUN_UNTIL(rig, fake_rows(db, view) == 1);
		CHECK_INT(fake_watches(db), 1);
	}
	rig_settle(rig);
	rig_free(&rig);
}

#define FOLLOWER VIEW("a", "t_x") "on_change = yes\n"

struct told {
	size_t n;
	enum viewd_err_class cls;
};

static void told(void *ctx, int64_t data_timestamp_us UNUSED, const struct viewd_err *err)
{
	struct told *t = ctx;
	t->n++;
	t->cls = err != NULL ? err->cls : VIEWD_ERR_OK;
}

static struct rig *following(void)
{
	struct rig *rig = rig_start(DB FOLLOWER);
	UNTIL(rig, rig_is_settled(rig) && fake_stale("d") == 0 && rig_status(rig, "a").freshness == VIEW_FRESHNESS_FRESH);
	return rig;
}

/* The database comes back, the capture is set up again, and warns of the same. */
static void warns_once(void)
{
	struct rig *rig;
	size_t captures;
	expect_log("it reads nothing that could change");
	rig = rig_start(DB "[view a]\ndatabase = d\nmethod = table\ndefinition = SELECT 1\non_change = yes\n");
	UNTIL(rig, rig_is_settled(rig) && fake_calls("d", "capture", "a") > 0);
	captures = fake_calls("d", "capture", "a");
	expect_log("database 'd', cannot be used");
	fake_do("d", "unwatch");
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN);
	database_probe(rig_db(rig, "d"));
	UNTIL(rig, rig_is_settled(rig) && fake_calls("d", "capture", "a") > captures);
	CHECK_INT(harness_log_count("it reads nothing that could change"), 1);
	rig_free(&rig);
}

/* Everything is set up, nobody has told of a change, and yet there may be one. */
static void nothing_is_fresh_before_the_first_look(void)
{
	struct rig *rig = following();
	struct told t = {0};
	expect_log("database 'd', cannot be used");
	fake_do("d", "unwatch");
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN);
	fake_do("d", "deaf");
	fake_do("d", "change t_x");
	fake_do("d", "hang watch_next d");
	database_probe(rig_db(rig, "d"));
	UNTIL(rig, rig_db(rig, "d")->state == DB_UP && rig_is_settled(rig) && rig_view(rig, "a")->capture.digest != 0);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK(rig_status(rig, "a").freshness != VIEW_FRESHNESS_FRESH);
	engine_wait(rig->eng, rig_view(rig, "a"), 0, told, &t);
	rig_settle(rig);
	CHECK_INT(t.n, 0);
	fake_do("d", "release watch_next d");
	UNTIL(rig, t.n == 1 && rig_status(rig, "a").freshness == VIEW_FRESHNESS_FRESH);
	CHECK_INT(t.cls, VIEWD_ERR_OK);
	CHECK_INT(fake_rows("d", "a"), 2);
	rig_free(&rig);
}

/* Rounds that succeed, and say that there is more to look at. */
static void a_look_that_goes_on_is_none(void)
{
	struct rig *rig = following();
	struct told t = {0};
	fake_do("d", "behind");
	UNTIL(rig, rig_status(rig, "a").freshness != VIEW_FRESHNESS_FRESH);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	fake_do("d", "change t_x");
	engine_wait(rig->eng, rig_view(rig, "a"), 0, told, &t);
	size_t rounds = fake_calls("d", "watch_next", NULL);
	RUN_UNTIL(rig, fake_calls("d", "watch_next", NULL) > rounds + 3);
	CHECK_INT(t.n, 0);
	CHECK(rig_status(rig, "a").freshness != VIEW_FRESHNESS_FRESH);
	fake_do("d", "abreast");
	UNTIL(rig, t.n == 1 && rig_status(rig, "a").freshness == VIEW_FRESHNESS_FRESH);
	CHECK_INT(t.cls, VIEWD_ERR_OK);
	CHECK_INT(fake_rows("d", "a"), 2);
	rig_free(&rig);
}

/* A trigger may be gone until its capture has been gone through again. */
static void nothing_is_fresh_before_its_capture_is_checked(void)
{
	struct rig *rig = following();
	expect_log("database 'd', cannot be used");
	fake_do("d", "unwatch");
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN);
	fake_do("d", "hang capture a");
	database_probe(rig_db(rig, "d"));
	RUN_UNTIL(rig, rig_db(rig, "d")->watch.looked && fake_waiting("d") == 1);
	CHECK(rig_status(rig, "a").freshness != VIEW_FRESHNESS_FRESH);
	fake_do("d", "release capture a");
	UNTIL(rig, rig_status(rig, "a").freshness == VIEW_FRESHNESS_FRESH);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"warns once", warns_once},
	{"the section changes while the watch opens", section_changes_while_the_watch_opens},
	{"the watch is lost while a prepare runs", watch_is_lost_while_a_prepare_runs},
	{"capture does not wait for another database's setup", capture_does_not_wait_for_another_databases_setup},
	{"more databases than worker threads", more_databases_than_worker_threads},
	{"nothing is fresh before the first look", nothing_is_fresh_before_the_first_look},
	{"nothing is fresh before its capture is checked", nothing_is_fresh_before_its_capture_is_checked},
	{"a look that goes on is none", a_look_that_goes_on_is_none},
	{"a prepare does not overtake the watch", prepare_does_not_overtake_the_watch},
};
HARNESS_MAIN(SUITE("watching", tests))
