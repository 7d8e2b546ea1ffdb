/* SPDX-License-Identifier: MIT
 *
 * json_status.c: one view of `status` as JSON text.
 */
#include "ctl/answer/json_status.h"

#include "base/err.h"
#include "base/words.h"
#include "ctl/answer/status_fields.h"
#include "ctl/text/json_err.h"

#include <assert.h>
#include <string.h>

/* -1: unknown */
static int staleness(const struct view_status *st)
{
	return st->freshness == VIEW_FRESHNESS_UNKNOWN ? -1 : st->freshness == VIEW_FRESHNESS_STALE;
}

static void put_yes_or_null(struct text_out *out, int yes)
{
	if (yes < 0)
		text_out_raw(out, "null");
	else
		text_out_bool(out, yes > 0);
}

static void put_labels(struct text_out *out, size_t n, struct view *const *views)
{
	text_out_raw(out, "[");
	for (size_t i = 0; i < n; i++)
		text_out_pair(out, i > 0 ? "," : "", view_label(views[i]));
	text_out_raw(out, "]");
}

static void put_upstream(struct text_out *out, const struct view *view)
{
	struct view *const *views = NULL;
	size_t n = view_upstream(view, &views);
	put_labels(out, n, views);
}

static void put_downstream(struct text_out *out, const struct view *view)
{
	struct view *const *views = NULL;
	size_t n = view_downstream(view, &views);
	put_labels(out, n, views);
}

static void put_dependency(struct text_out *out, size_t i, const struct view_dependency *row)
{
	text_out_pair(out, i > 0 ? ",{\"name\":" : "{\"name\":", row->name);
	text_out_pair(out, ",\"kind\":", word_depends(row->kind));
	text_out_pair(out, ",\"heard_by\":", row->heard_by != VIEWD_HEARD_NONE ? word_heard(row->heard_by) : NULL);
	text_out_pair(out, ",\"reason\":", row->reason);
	text_out_raw(out, "}");
}

static void put_sources(struct text_out *out, const struct view *view)
{
	const struct view_dependency *rows = NULL;
	size_t n = view_dependencies(view, &rows);
	text_out_raw(out, "[");
	for (size_t i = 0; i < n; i++)
		put_dependency(out, i, &rows[i]);
	text_out_raw(out, "]");
}

#define put_TEXT text_out_string
#define put_TEXT_OR_NULL text_out_string
#define put_WORD text_out_string
#define put_WORD_OR_NULL text_out_string
#define put_TIME text_out_time
#define put_SECONDS text_out_seconds
#define put_MS text_out_ms
#define put_COUNT text_out_count
#define put_YES_OR_NULL put_yes_or_null
#define put_ERROR text_out_err
#define put_SOURCES put_sources
#define put_UPSTREAM put_upstream
#define put_DOWNSTREAM put_downstream

enum field {
#define FIELD(key, kind, words, value, doc) FIELD_##key,
	STATUS_FIELDS(FIELD)
#undef FIELD
		N_FIELDS
};
static_assert(N_FIELDS < 64, "one bit each");

static const char *const field_names[] = {
#define NAME(key, kind, words, value, doc) #key,
	STATUS_FIELDS(NAME)
#undef NAME
};

static void put_fields(struct text_out *out, const struct view_status *st, const struct view *view, uint64_t fields)
{
	const char *before = "{\"";
#define PUT(key, kind, words, value, doc) \
	if ((fields & UINT64_C(1) << FIELD_##key) != 0) { \
		text_out_raw(out, before); \
		text_out_raw(out, #key "\":"); \
		put_##kind(out, value); \
		before = ",\""; \
	}
	STATUS_FIELDS(PUT)
#undef PUT
	text_out_raw(out, "}");
}

void json_status_put(struct text_out *out, struct engine *eng, const struct view *view, uint64_t fields)
{
	struct view_status st = {0};
	engine_status(eng, view, &st);
	put_fields(out, &st, view, fields);
}

bool json_status_choose(const char *names, uint64_t *fields_r, struct viewd_err *err)
{
	uint64_t fields = 0;
	for (const char *at = names; *at != '\0';) {
		size_t i = 0, len = strcspn(at, ",");
		while (i < N_FIELDS && (strncmp(field_names[i], at, len) != 0 || field_names[i][len] != '\0'))
			i++;
		if (i == N_FIELDS) {
			err_set(err, VIEWD_ERR_CONFIG, "fields: '%.*s' is none of status", (int)len, at);
			return err_hint(err, "viewctl(1) lists the fields of status --json");
		}
		fields |= UINT64_C(1) << i;
		at += len + (at[len] == ',');
	}
	*fields_r = fields;
	return true;
}
