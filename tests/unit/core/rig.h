/* SPDX-License-Identifier: MIT
 *
 * rig.h: an engine on the fake dialect with a clock that the test moves, for the tests of core/.
 */
#ifndef VIEWD_TESTS_UNIT_CORE_RIG_H
#define VIEWD_TESTS_UNIT_CORE_RIG_H

#include "base/span.h"
#include "core/model/model.h"
#include "core/runtime.h"
#include "plugins/fake.h"
#include "support/harness.h"

struct rig {
	struct loop *loop;
	struct worker_pool *pool;
	struct registry *registry;
	struct clock_fake clock;
	struct engine *eng;
	bool idle; /* the engine has said so */
};

/* An engine without a configuration; servers are empty. Besides fake there is fakeone: the same with SINGLE_WRITER
 * and without groups. */
struct rig *rig_new(void);

/* Loads the text as viewd.conf and puts it in force. */
void rig_commit(struct rig *rig, const char *text);

/* rig_new, rig_commit, rig_settle. */
struct rig *rig_start(const char *text);

/* Stops the engine, waits for it, checks that no contract was broken. */
void rig_free(struct rig **rig);

/* Ends the engine and begins another one in the same state directory, with the text in force and settled. */
void rig_restart(struct rig *rig, const char *text);

/* One round of the loop; false after the deadline. */
bool rig_turn(struct rig *rig, int64_t deadline);

/* Runs the loop until the condition holds; fails the test after ten seconds. */
#define RUN_UNTIL(rig, cond) \
	do { \
		int64_t deadline_ = harness_deadline(10 * SPAN_SECOND); \
		while (!(cond) && rig_turn(rig, deadline_)) \
			; \
		if (!harness_check((cond), __FILE__, __LINE__, "timed out waiting for %s", #cond)) \
			harness_abort(); \
	} while (0)

/* Tasks that workers have, but for the watches. */
size_t rig_working(const struct rig *rig);

/* Nothing runs, waits, probes or is still to be told. */
bool rig_is_settled(const struct rig *rig);
void rig_settle(struct rig *rig);

/* Moves the clock and starts what is due then. Does not run the loop. */
void rig_advance(struct rig *rig, int64_t us);

/* RUN_UNTIL for what is due at once, which needs the clock to move. */
#define UNTIL(rig, cond) RUN_UNTIL(rig, (rig_advance(rig, 1), cond))

/* Signals of that server have come, been served, and nothing is left over. */
bool rig_is_fresh(struct rig *rig, const char *server);

/* rig_start; then captures are registered on the servers d and e, what that made stale is refreshed, the clock is moved
 * away from there. */
struct rig *rig_start_fresh(const char *text);

/* A table of that server changes, and the view's database has told so. */
void rig_change(struct rig *rig, const char *server, const char *table, const char *view);

/* The instance meant by "name" or "db:name". */
struct view *rig_view(struct rig *rig, const char *name);
struct view_status rig_status(struct rig *rig, const char *name);
/* "ACTIVE IDLE SUCCEEDED": state, activity, result. In the test's memory. */
const char *rig_words(struct rig *rig, const char *name);
struct database *rig_db(struct rig *rig, const char *name);

/* The outcome of a request. */
struct rig_report {
	bool done;
	size_t n;
	struct {
		char label[64];
		enum view_result result;
		int did;
		int64_t rows, rows_written;
		enum viewd_change change;
		enum viewd_err_class cls;
		char msg[300];
		char reason[300];
		bool has_verdict;
		struct viewd_verdict verdict;
	} items[16];
};
void rig_done(void *report, const struct engine_report *r);

/* Asks for a refresh by hand of the views named (space separated), and does not wait. */
void rig_refresh(struct rig *rig, const char *names, struct rig_report *report);
/* Asks and waits. */
struct rig_report rig_refresh_now(struct rig *rig, const char *names);
struct rig_report rig_create_now(struct rig *rig, const char *names);
struct rig_report rig_drop_now(struct rig *rig, const char *names);
/* The instances, in the test's memory. */
struct view **rig_views(struct rig *rig, const char *names, size_t *n_r);

#define DB "[database d]\nurl = fake://d\n"
#define VIEW(name, from) "[view " name "]\ndatabase = d\nmethod = table\ndefinition = 'SELECT * FROM " from "'\n"

#endif
