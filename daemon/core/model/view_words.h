/* SPDX-License-Identifier: MIT
 *
 * view_words.h: the words for an instance: its state, what it does, how its last run went, how fresh it is. [any]
 */
#ifndef VIEWD_CORE_MODEL_VIEW_WORDS_H
#define VIEWD_CORE_MODEL_VIEW_WORDS_H

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
	VIEW_STATES(VIEW_STATE_ENUM) VIEW_STATE_COUNT
#undef VIEW_STATE_ENUM
};

#define VIEW_ACTIVITIES(X) \
	X(IDLE, "nothing to do") \
	X(WAITING, "a refresh is queued: for its upstreams, a free slot or the database") \
	X(REFRESHING, "a statement is running")
enum view_activity {
#define VIEW_ACTIVITY_ENUM(sym, doc) VIEW_ACTIVITY_##sym,
	VIEW_ACTIVITIES(VIEW_ACTIVITY_ENUM) VIEW_ACTIVITY_COUNT
#undef VIEW_ACTIVITY_ENUM
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
	VIEW_RESULTS(VIEW_RESULT_ENUM) VIEW_RESULT_COUNT
#undef VIEW_RESULT_ENUM
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
	VIEW_TRIGGERS(VIEW_TRIGGER_ENUM) VIEW_TRIGGER_COUNT
#undef VIEW_TRIGGER_ENUM
};

#define VIEW_FRESHNESSES(X) \
	X(FRESH, "all that was committed before the last look is in it") \
	X(STALE, "a known change is not in it") \
	X(UNKNOWN, "something it reads cannot be heard; why lists what")
enum view_freshness {
#define VIEW_FRESHNESS_ENUM(sym, doc) VIEW_FRESHNESS_##sym,
	VIEW_FRESHNESSES(VIEW_FRESHNESS_ENUM) VIEW_FRESHNESS_COUNT
#undef VIEW_FRESHNESS_ENUM
};

/* The words; static, never NULL. NONE gives "NONE" (JSON shows null). */
const char *view_state_word(enum view_state s);
const char *view_activity_word(enum view_activity a);
const char *view_result_word(enum view_result r);
const char *view_trigger_word(enum view_trigger t);
const char *view_freshness_word(enum view_freshness f);

#endif
