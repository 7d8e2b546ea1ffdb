/* SPDX-License-Identifier: MIT
 *
 * json.c: the daemon's records as JSON.
 */
#include "ctl/answer/json.h"

#include "base/mem.h"
#include "base/words.h"
#include "ctl/answer/json_planned.h"
#include "ctl/answer/json_status.h"

json_t *json_ms(int64_t us)
{
	return us < 0 ? json_null() : json_integer((us + 500) / 1000);
}

json_t *json_count(int64_t n)
{
	return n < 0 ? json_null() : json_integer(n);
}

static json_t *texts(size_t n, const char *const *items)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_text(items[i]));
	return list;
}

static json_t *word_or_null(bool known, const char *word)
{
	return known ? json_text(word) : json_null();
}

json_t *json_view(struct engine *eng, const struct view *view)
{
	struct text_out text = {0};
	json_status_put(&text, eng, view, JSON_STATUS_ALL);
	return text_out_parse(&text);
}

static json_t *item_head(const struct engine_item *item)
{
	json_t *out = json_object();
	json_object_set_new(out, "view", json_text(item->label));
	json_object_set_new(out, "database", json_text(item->database));
	return out;
}

json_t *json_item(const struct engine_item *item)
{
	json_t *out = item_head(item);
	json_object_set_new(out, "result", word_or_null(item->result != VIEW_RESULT_NONE, view_result_word(item->result)));
	json_object_set_new(out, "action",
	                    word_or_null(item->did >= 0, item->did >= 0 ? word_did((enum viewd_did)item->did) : ""));
	json_object_set_new(out, "rows", json_count(item->rows));
	json_object_set_new(out, "rows_written", json_count(item->rows_written));
	json_object_set_new(out, "duration_ms", json_ms(item->duration_us));
	json_object_set_new(out, "error", json_err(item->error));
	return out;
}

json_t *json_change(const struct engine_item *item)
{
	json_t *out = item_head(item);
	/* what failed before it was decided is not "nothing" */
	bool decided = item->change != VIEWD_CHANGE_NOTHING || item->error == NULL || item->error->cls == VIEWD_ERR_OK;
	json_object_set_new(out, "change", word_or_null(decided, word_change(item->change)));
	json_object_set_new(out, "reason", json_text(item->reason));
	json_object_set_new(out, "locks", json_text(item->locks));
	if (item->definition != NULL)
		json_object_set_new(out, "definition", json_text(item->definition));
	json_object_set_new(out, "refresh_group", json_text(item->group));
	json_object_set_new(out, "rows", json_count(item->rows));
	json_object_set_new(out, "duration_ms", json_ms(item->duration_us));
	json_object_set_new(out, "error", json_err(item->error));
	return out;
}

json_t *json_verdict(const struct engine_item *item)
{
	const struct viewd_verdict *v = item->verdict;
	json_t *out = item_head(item);
	json_object_set_new(out, "rows", v != NULL ? json_count(v->rows) : json_null());
	json_object_set_new(out, "missing", v != NULL ? json_count(v->missing) : json_null());
	json_object_set_new(out, "unexpected", v != NULL ? json_count(v->unexpected) : json_null());
	json_object_set_new(out, "differs", v != NULL ? json_boolean(v->missing != 0 || v->unexpected != 0) : json_null());
	json_object_set_new(out, "error", json_err(item->error));
	return out;
}

json_t *json_history_row(const struct viewd_history_row *row)
{
	json_t *out = json_object();
	json_object_set_new(out, "started", json_time(row->started_us));
	json_object_set_new(out, "duration_ms", json_ms(row->duration_us));
	json_object_set_new(out, "trigger", json_text(row->trigger));
	json_object_set_new(out, "action", json_text(row->action));
	json_object_set_new(out, "result", json_text(row->result));
	json_object_set_new(out, "rows", json_count(row->rows));
	json_object_set_new(out, "rows_written", json_count(row->rows_written));
	json_object_set_new(out, "error", json_text(row->error));
	return out;
}

static const char *outcome_word(enum reload_outcome outcome)
{
	switch (outcome) {
	case RELOAD_COMMITTED:
		return "committed";
	case RELOAD_UNCHANGED:
		return "unchanged";
	case RELOAD_REFUSED:
		return "refused";
	case RELOAD_DRY_RUN:
		return "dry-run";
	}
	return "unknown";
}

static json_t *reload_entries(const struct reload_report *report)
{
	json_t *list = json_array();
	for (size_t i = 0; i < report->n_entries; i++) {
		const struct reload_entry *e = &report->entries[i];
		json_t *one = json_object();
		json_object_set_new(one, "what", json_text(e->what));
		json_object_set_new(one, "name", json_text(e->name));
		json_object_set_new(one, "change", json_text(e->change));
		json_object_set_new(one, "detail", json_text(e->detail));
		json_array_append_new(list, one);
	}
	return list;
}

json_t *json_reload(const struct reload_report *report)
{
	json_t *out = json_reply();
	json_t *problems = json_array();
	for (size_t i = 0; i < report->n_problems; i++) {
		json_t *one = json_object();
		json_object_set_new(one, "text", json_text(report->problems[i].text));
		json_object_set_new(one, "warning", json_boolean(report->problems[i].warning));
		json_array_append_new(problems, one);
	}
	json_object_set_new(out, "outcome", json_text(outcome_word(report->outcome)));
	json_object_set_new(out, "generation", json_integer(report->generation));
	json_object_set_new(out, "duration_ms", json_ms(report->duration_us));
	json_object_set_new(out, "problems", problems);
	json_object_set_new(out, "changes", reload_entries(report));
	json_object_set_new(out, "restart_needed", texts(report->n_restart_needed, report->restart_needed));
	json_t *items = report->n_planned > 0 ? json_array() : NULL;
	for (size_t i = 0; i < report->n_planned; i++)
		json_array_append_new(items, json_planned(&report->planned[i]));
	if (items != NULL)
		json_object_set_new(out, "items", items);
	return out;
}

json_t *json_reply(void)
{
	json_t *out = mem_need(json_object());
	json_object_set_new(out, "schema", json_integer(CTL_SCHEMA));
	return out;
}
