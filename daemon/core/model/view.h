/* SPDX-License-Identifier: MIT
 *
 * view.h: the run-time record of one view on one database (an instance), and the words for its state.
 *
 * Written on the loop thread only, through the functions of core/. Everything here can be rebuilt from the files and
 * the database; nothing here is the truth about the data.
 */
#ifndef VIEWD_CORE_MODEL_VIEW_H
#define VIEWD_CORE_MODEL_VIEW_H

#include "conf/conf.h"
#include "viewd_dialect.h"

/* symbol, meaning */
#define VIEW_STATES(X) \
	X(ACTIVE, "the object exists, and viewd keeps it") \
	X(PAUSED, "paused by an administrator; only manual refreshes run") \
	X(SUSPENDED, "too many failures in a row; waits for resume or a manual success") \
	X(MISSING, "the object does not exist in the database") \
	X(FAILED, "viewd cannot keep it at present; the error says why") \
	X(STANDBY, "somebody else keeps the database, or it takes no writes; viewd takes over when that ends") \
	X(DISABLED, "left alone: its section says enabled = no")
enum view_state {
#define VIEW_STATE_ENUM(sym, doc) VIEW_STATE_##sym,
	VIEW_STATES(VIEW_STATE_ENUM)
#undef VIEW_STATE_ENUM
	VIEW_STATE_COUNT
};

#define VIEW_ACTIVITIES(X) \
	X(IDLE, "nothing to do") \
	X(WAITING, "a refresh is queued: for its upstreams, a free slot or the database") \
	X(REFRESHING, "a statement is running")
enum view_activity {
#define VIEW_ACTIVITY_ENUM(sym, doc) VIEW_ACTIVITY_##sym,
	VIEW_ACTIVITIES(VIEW_ACTIVITY_ENUM)
#undef VIEW_ACTIVITY_ENUM
	VIEW_ACTIVITY_COUNT
};

#define VIEW_RESULTS(X) \
	X(NONE, "has not run yet") \
	X(SUCCEEDED, "the contents are those of data_timestamp") \
	X(FAILED, "the last good contents stay") \
	X(CANCELLED, "stopped on request; the last good contents stay") \
	X(UPSTREAM_FAILED, "not tried or not kept, because a view it reads, or one of its refresh_group, failed") \
	X(SKIPPED, "not tried, because it was paused, running already or not needed")
enum view_result {
#define VIEW_RESULT_ENUM(sym, doc) VIEW_RESULT_##sym,
	VIEW_RESULTS(VIEW_RESULT_ENUM)
#undef VIEW_RESULT_ENUM
	VIEW_RESULT_COUNT
};

#define VIEW_TRIGGERS(X) \
	X(NONE, "has not run yet") \
	X(INITIAL, "filled when it was created or redefined") \
	X(SCHEDULED, "every, after, cron, target_lag or max_staleness") \
	X(CHANGE, "a source changed") \
	X(UPSTREAM, "a view it reads was refreshed") \
	X(MANUAL, "viewctl refresh, or a request in SQL") \
	X(CATCH_UP, "was due while viewd or the database was away") \
	X(RETRY, "the last attempt failed")
enum view_trigger {
#define VIEW_TRIGGER_ENUM(sym, doc) VIEW_TRIGGER_##sym,
	VIEW_TRIGGERS(VIEW_TRIGGER_ENUM)
#undef VIEW_TRIGGER_ENUM
	VIEW_TRIGGER_COUNT
};

#define VIEW_FRESHNESSES(X) \
	X(FRESH, "all that was committed before the last look is in it") \
	X(STALE, "a known change is not in it") \
	X(UNKNOWN, "something it reads cannot be heard; why lists what")
enum view_freshness {
#define VIEW_FRESHNESS_ENUM(sym, doc) VIEW_FRESHNESS_##sym,
	VIEW_FRESHNESSES(VIEW_FRESHNESS_ENUM)
#undef VIEW_FRESHNESS_ENUM
	VIEW_FRESHNESS_COUNT
};

/* The words; static, never NULL. NONE gives "NONE" (JSON shows null). */
const char *view_state_word(enum view_state s);
const char *view_activity_word(enum view_activity a);
const char *view_result_word(enum view_result r);
const char *view_trigger_word(enum view_trigger t);
const char *view_freshness_word(enum view_freshness f);

/* Everything `status`, `show` and `why` tell about an instance. A snapshot by value: strings point into the engine and
 * are valid until control returns to the loop. Times are wall-clock microseconds, 0 unknown; counts are -1 when
 * unknown. */
struct view_status {
	const struct conf_view *conf;
	const struct conf_database *database;
	const char *name;
	const char *relation; /* canonical quoted text, schema included once it is known */
	const char *method;   /* words; after resolution */
	const char *refresh_mode;
	enum view_state state;
	enum view_activity activity;
	enum view_trigger trigger;
	enum view_result result;
	int action; /* enum viewd_did, -1 none */
	int64_t last_refresh_us;
	int64_t last_success_us;
	int64_t next_refresh_us;
	int64_t data_timestamp_us;
	enum view_freshness freshness;
	int64_t stale_since_us; /* the first change that is missing; 0: not STALE, or unknown */
	/* How far behind the data is: 0 while FRESH, since the first missing change while STALE, -1 unknown */
	int64_t lag_us;
	int64_t age_us; /* since the last success; -1: never */
	int64_t duration_us;
	int64_t rows;
	int64_t rows_written;
	int64_t consecutive_errors;
	const struct viewd_err *error; /* NULL when none */
	const char *reason;            /* why the last refresh went the way it did; "" unknown */
	const char *waits_for;         /* what a WAITING instance waits for; "" nothing */
	const char *schedule;          /* "every 5m", "cron 0 4 * * * (UTC), on change", "manual" */
};

/* One entry of what an instance's contents depend on. Texts live as long as the engine. */
struct view_dependency {
	const char *name;
	enum viewd_depends kind;
	enum viewd_heard heard_by;
	const char *reason; /* NULL: nothing to add */
};

#endif
