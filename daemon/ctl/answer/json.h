/* SPDX-License-Identifier: MIT
 *
 * json.h: the daemon's records as JSON. All functions return a new reference and never NULL. [loop]
 */
#ifndef VIEWD_CTL_ANSWER_JSON_H
#define VIEWD_CTL_ANSWER_JSON_H

#include "core/engine.h"
#include "ctl/text/json_err.h"
#include "ctl/text/json_text.h"
#include "reload.h"

#include <jansson.h>

/* The version of every object reply, key "schema". */
#define CTL_SCHEMA 1

/* Whole milliseconds, null when negative. A count, null when negative. */
json_t *json_ms(int64_t us);
json_t *json_count(int64_t n);

/* One element of `GET /v1/status`: exactly the fields of the manual. */
json_t *json_view(struct engine *eng, const struct view *view);

/* {view, database, result, action, rows, rows_written, duration_ms, error} of one finished refresh or drop. */
json_t *json_item(const struct engine_item *item);

/* {view, database, change, reason, locks, refresh_group, rows, duration_ms, error} of one planned or applied change,
 * and definition when there is one to tell. duration_ms of a plan: of the last refresh. */
json_t *json_change(const struct engine_item *item);

/* {view, database, rows, missing, unexpected, differs, error}. */
json_t *json_verdict(const struct engine_item *item);

/* {started, duration_ms, trigger, action, result, rows, rows_written, error} of one past run. */
json_t *json_history_row(const struct viewd_history_row *row);

/* {schema, outcome, generation, duration_ms, problems, changes, restart_needed}, and items where databases were asked:
 * those of json_planned(). */
json_t *json_reload(const struct reload_report *report);

/* {"schema": 1}. */
json_t *json_reply(void);

#endif
