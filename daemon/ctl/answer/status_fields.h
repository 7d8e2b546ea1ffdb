/* SPDX-License-Identifier: MIT
 *
 * status_fields.h: every field of a view in `status --json`, one row each. The JSON text, its schema and the manual
 * come from these rows.
 */
#ifndef VIEWD_CTL_ANSWER_STATUS_FIELDS_H
#define VIEWD_CTL_ANSWER_STATUS_FIELDS_H

/* key, kind (a type of json_schema.c and a put_KIND of json_status.c), words (of the WORD kinds; a list of
 * json_schema.c), value (of st, a struct view_status, and view), meaning. */
/* clang-format off */
#define STATUS_FIELDS(X)                                                                                              \
	X(name, TEXT, none, st->name, "name of the section")                                                              \
	X(database, TEXT, none, st->database->name, "name of the database section")                                       \
	X(relation, TEXT_OR_NULL, none, st->relation, "the object, quoted, with its schema once that is known")           \
	X(method, WORD, methods, st->method, "what kind of object it is")                                                 \
	X(refresh_mode, WORD, modes, st->refresh_mode, "how the rows get there, as the files say")                        \
	X(state, WORD, states, view_state_word(st->state), "whether viewd keeps it")                                      \
	X(activity, WORD, activities, view_activity_word(st->activity), "what viewd does with it now")                    \
	X(trigger, WORD_OR_NULL, triggers, st->trigger != VIEW_TRIGGER_NONE ? view_trigger_word(st->trigger) : NULL,      \
	  "what started the last refresh")                                                                                \
	X(action, WORD_OR_NULL, actions, st->did >= 0 ? word_did((enum viewd_did)st->did) : NULL,                         \
	  "what the last refresh did")                                                                                    \
	X(result, WORD_OR_NULL, results, st->result != VIEW_RESULT_NONE ? view_result_word(st->result) : NULL,            \
	  "how the last refresh ended")                                                                                   \
	X(last_refresh_time, TIME, none, st->last_refresh_us, "begin of the last refresh")                                \
	X(last_success_time, TIME, none, st->last_success_us, "the last refresh that succeeded")                          \
	X(next_refresh_time, TIME, none, st->next_refresh_us, "when it is due next")                                      \
	X(data_timestamp, TIME, none, st->data_timestamp_us, "the moment the data is true for")                           \
	X(freshness, WORD, freshnesses, view_freshness_word(st->freshness), "whether a known change is missing")          \
	X(stale_since, TIME, none, st->stale_since_us, "the first change that is missing")                                \
	X(lag_seconds, SECONDS, none, st->lag_us, "how far behind the data is; 0 while FRESH, null while UNKNOWN")        \
	X(age_seconds, SECONDS, none, st->age_us, "since the last success")                                               \
	X(is_stale, YES_OR_NULL, none, staleness(st), "freshness is STALE; null while UNKNOWN")                           \
	X(duration_ms, MS, none, st->last_refresh_us == 0 ? -1 : st->duration_us, "how long the last refresh took")       \
	X(rows, COUNT, none, st->rows, "rows of the view")                                                                \
	X(rows_written, COUNT, none, st->rows_written, "rows that the last refresh wrote")                                \
	X(consecutive_errors, COUNT, none, st->consecutive_errors, "failures in a row")                                   \
	X(error, ERROR, none, st->error, "what is wrong with it: class, code, message, hint")                             \
	X(sources, SOURCES, none, view, "what its contents depend on, and how each is heard: name, kind, heard_by, "      \
	  "reason")                                                                                                       \
	X(upstream, UPSTREAM, none, view, "views that it reads")                                                          \
	X(downstream, DOWNSTREAM, none, view, "views that read it")                                                       \
	X(refresh_group, TEXT_OR_NULL, none, view_group(view), "the group that it is refreshed with")                     \
	X(running_since, TIME, none, st->running_since_us, "begin of the refresh that runs")                              \
	X(expected_ms, MS, none, st->expected_us, "what a refresh will hardly exceed")                                    \
	X(schedule, TEXT_OR_NULL, none, text_out_known(st->schedule), "when it is refreshed, in words")                   \
	X(waits_for, TEXT_OR_NULL, none, text_out_known(st->waits_for), "what a waiting refresh waits for")               \
	X(reason, TEXT_OR_NULL, none, text_out_known(st->reason), "why the last refresh was what action says")            \
	X(owner, TEXT_OR_NULL, none, st->conf->owner, "the key owner of its section")                                     \
	X(description, TEXT_OR_NULL, none, st->conf->description, "the key description of its section")
/* clang-format on */

#endif
