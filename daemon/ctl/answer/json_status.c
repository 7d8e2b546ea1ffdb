/* SPDX-License-Identifier: MIT
 *
 * json_status.c: one view of `status` as JSON text.
 */
#include "ctl/answer/json_status.h"

#include "base/words.h"
#include "ctl/text/json_err.h"

static void put_text(struct text_out *out, const char *key, const char *text)
{
	text_out_raw(out, key);
	text_out_string(out, text);
}

static void put_time(struct text_out *out, const char *key, int64_t wall_us)
{
	text_out_raw(out, key);
	text_out_time(out, wall_us);
}

static const char *known(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static void put_words(struct text_out *out, const struct view_status *st)
{
	put_text(out, "{\"name\":", st->name);
	put_text(out, ",\"database\":", st->database->name);
	put_text(out, ",\"relation\":", st->relation);
	put_text(out, ",\"method\":", st->method);
	put_text(out, ",\"refresh_mode\":", st->refresh_mode);
	put_text(out, ",\"state\":", view_state_word(st->state));
	put_text(out, ",\"activity\":", view_activity_word(st->activity));
	put_text(out, ",\"trigger\":", st->trigger != VIEW_TRIGGER_NONE ? view_trigger_word(st->trigger) : NULL);
	put_text(out, ",\"action\":", st->did >= 0 ? word_did((enum viewd_did)st->did) : NULL);
	put_text(out, ",\"result\":", st->result != VIEW_RESULT_NONE ? view_result_word(st->result) : NULL);
}

static void put_numbers(struct text_out *out, const struct view_status *st)
{
	put_time(out, ",\"last_refresh_time\":", st->last_refresh_us);
	put_time(out, ",\"last_success_time\":", st->last_success_us);
	put_time(out, ",\"next_refresh_time\":", st->next_refresh_us);
	put_time(out, ",\"data_timestamp\":", st->data_timestamp_us);
	put_text(out, ",\"freshness\":", view_freshness_word(st->freshness));
	put_time(out, ",\"stale_since\":", st->stale_since_us);
	text_out_raw(out, ",\"lag_seconds\":");
	text_out_seconds(out, st->lag_us);
	text_out_raw(out, ",\"age_seconds\":");
	text_out_seconds(out, st->age_us);
	text_out_raw(out, ",\"is_stale\":");
	if (st->freshness == VIEW_FRESHNESS_UNKNOWN)
		text_out_raw(out, "null");
	else
		text_out_bool(out, st->freshness == VIEW_FRESHNESS_STALE);
	text_out_raw(out, ",\"duration_ms\":");
	text_out_ms(out, st->last_refresh_us == 0 ? -1 : st->duration_us);
	text_out_raw(out, ",\"rows\":");
	text_out_count(out, st->rows);
	text_out_raw(out, ",\"rows_written\":");
	text_out_count(out, st->rows_written);
	text_out_raw(out, ",\"consecutive_errors\":");
	text_out_count(out, st->consecutive_errors);
	text_out_raw(out, ",\"error\":");
	text_out_err(out, st->error);
}

static void put_labels(struct text_out *out, const char *key, size_t n, struct view *const *views)
{
	text_out_raw(out, key);
	for (size_t i = 0; i < n; i++)
		put_text(out, i > 0 ? "," : "", view_label(views[i]));
	text_out_raw(out, "]");
}

static void put_dependency(struct text_out *out, size_t i, const struct view_dependency *row)
{
	put_text(out, i > 0 ? ",{\"name\":" : "{\"name\":", row->name);
	put_text(out, ",\"kind\":", word_depends(row->kind));
	put_text(out, ",\"heard_by\":", row->heard_by != VIEWD_HEARD_NONE ? word_heard(row->heard_by) : NULL);
	put_text(out, ",\"reason\":", row->reason);
	text_out_raw(out, "}");
}

static void put_edges(struct text_out *out, const struct view *view)
{
	struct view *const *views = NULL;
	const struct view_dependency *rows = NULL;
	size_t n = view_dependencies(view, &rows);
	text_out_raw(out, ",\"sources\":[");
	for (size_t i = 0; i < n; i++)
		put_dependency(out, i, &rows[i]);
	text_out_raw(out, "]");
	n = view_upstream(view, &views);
	put_labels(out, ",\"upstream\":[", n, views);
	n = view_downstream(view, &views);
	put_labels(out, ",\"downstream\":[", n, views);
	put_text(out, ",\"refresh_group\":", view_group(view));
}

static void put_plans(struct text_out *out, const struct view_status *st)
{
	put_time(out, ",\"running_since\":", st->running_since_us);
	text_out_raw(out, ",\"expected_ms\":");
	text_out_ms(out, st->expected_us);
	put_text(out, ",\"schedule\":", known(st->schedule));
	put_text(out, ",\"waits_for\":", known(st->waits_for));
	put_text(out, ",\"reason\":", known(st->reason));
	put_text(out, ",\"owner\":", st->conf->owner);
	put_text(out, ",\"description\":", st->conf->description);
}

void json_status_put(struct text_out *out, struct engine *eng, const struct view *view)
{
	struct view_status st = {0};
	engine_status(eng, view, &st);
	put_words(out, &st);
	put_numbers(out, &st);
	put_edges(out, view);
	put_plans(out, &st);
	text_out_raw(out, "}");
}
