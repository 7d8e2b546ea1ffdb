/* SPDX-License-Identifier: MIT
 *
 * view_status.h: the record of status: all that others are told about an instance. [loop]
 */
#ifndef VIEWD_CORE_MODEL_VIEW_STATUS_H
#define VIEWD_CORE_MODEL_VIEW_STATUS_H

#include "conf/conf.h"
#include "core/model/view_words.h"
#include "viewd_dialect.h"

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
	int did; /* enum viewd_did, -1 none */
	int64_t last_refresh_us;
	int64_t last_success_us;
	int64_t next_refresh_us;
	int64_t data_timestamp_us;
	enum view_freshness freshness;
	int64_t stale_since_us; /* the first change that is missing; 0: not STALE, or unknown */
	/* How far behind the data is: 0 while FRESH, since the first missing change while STALE, -1 unknown */
	int64_t lag_us;
	int64_t age_us;           /* since the last success; -1: never */
	int64_t running_since_us; /* begin of the refresh that runs; 0 none */
	int64_t expected_us;      /* how long a refresh will hardly exceed; -1 unknown */
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
