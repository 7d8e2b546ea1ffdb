/* SPDX-License-Identifier: MIT */
#include "fuzz/readers.h"

#include "common/depends/objects.h"
#include "common/state/learnt.h"
#include "common/state/marks.h"
#include "common/state/state.h"

#include <stdlib.h>
#include <string.h>

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* A text that was filled in ends within its room. */
static void require_text(const char *text, size_t size)
{
	require(strnlen(text, size) < size);
}

static bool take_history(void *ctx UNUSED, const struct viewd_history_row *row)
{
	const char *const texts[] = {row->trigger, row->action, row->result, row->error};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		require(texts[i] == NULL || strlen(texts[i]) < SIZE_MAX);
	require(row->duration_us >= 0 && row->rows >= -1 && row->rows_written >= -1);
	return true;
}

static bool take_recorded(void *ctx UNUSED, const struct viewd_recorded *row)
{
	require(row->name != NULL && row->relation != NULL && strlen(row->name) + strlen(row->relation) < SIZE_MAX);
	require(row->on_remove == VIEWD_REMOVE_KEEP || row->on_remove == VIEWD_REMOVE_DROP);
	require(row->method < VIEWD_METHOD_COUNT);
	return true;
}

static bool take_signal(void *ctx UNUSED, const struct viewd_signal *signal)
{
	require(signal->view == NULL || strlen(signal->view) < SIZE_MAX);
	return true;
}

static const struct viewd_signal_sink signals = {take_signal, NULL};

static bool take_source_fn(void *ctx UNUSED, const char *const *values, size_t n)
{
	require(n == 1 && values[0] != NULL);
	return true;
}
static const struct db_reader take_source[] = {{take_source_fn, "t", "sources"}};

/* ---- the readers; each returns whether what it read was believed ---- */

/* A row that was read can be written again. */
static bool row_of_a_view(struct db *db, void *mem UNUSED, struct viewd_err *err)
{
	struct state_row row;
	if (!state_load(db, "v", false, &row, err))
		return false;
	require(row.duration_us >= 0 && row.rows >= -1 && row.last_success_us >= 0 && row.data_timestamp_us >= 0);
	require(row.method < VIEWD_METHOD_COUNT);
	require_text(row.relation, sizeof row.relation);
	require_text(row.definition_hash, sizeof row.definition_hash);
	require_text(row.index_hash, sizeof row.index_hash);
	require_text(row.identity, sizeof row.identity);
	require_text(row.canonical, sizeof row.canonical);
	require_text(row.on_remove, sizeof row.on_remove);
	require_text(row.indexes, sizeof row.indexes);
	return !row.present || state_save(db, "v", &row, err);
}

static bool history(struct db *db, void *mem UNUSED, struct viewd_err *err)
{
	return state_history(db, "v", 10, (struct viewd_history_sink){take_history, NULL}, err);
}

static bool recorded(struct db *db, void *mem UNUSED, struct viewd_err *err)
{
	return state_list(db, (struct viewd_recorded_sink){take_recorded, NULL}, err);
}

static bool definition(struct db *db, void *mem, struct viewd_err *err)
{
	char *text;
	return state_definition(db, mem, "v", &text, err) && (text == NULL || state_save_definition(db, "v", text, err));
}

static bool run_recorded(struct db *db, void *mem UNUSED, struct viewd_err *err)
{
	const struct state_run run = {.trigger = "MANUAL", .action = "FULL", .succeeded = true, .run_id = 1, .rows = 1};
	return state_record_run(db, "v", &run, err) && state_annotate(db, "v", "late", err);
}

static bool marks_of_a_view(struct db *db, void *mem, struct viewd_err *err)
{
	struct marks marks;
	if (!marks_read(db, mem, "v", &marks, err))
		return false;
	for (size_t i = 0; i < marks.n; i++)
		require(marks.rows[i].source != NULL);
	return marks_settle(db, "v", &marks, err);
}

static bool marks_of_all(struct db *db, void *mem UNUSED, struct viewd_err *err)
{
	return marks_stale(db, signals, err) && marks_requests(db, signals, err) && marks_touch_ended(db, err) &&
	       marks_sources(db, "trigger", take_source, NULL, err);
}

static bool marks_anew(struct db *db, void *mem UNUSED, struct viewd_err *err)
{
	static const struct mark_wanted wanted[] = {{"\"public\".\"a\"", "trigger"}, {"\"public\".\"b\"", "poll"}};
	return marks_register(db, "v", wanted, ARRAY_LEN(wanted), err);
}

static bool objects_of_all(struct db *db, void *mem, struct viewd_err *err)
{
	struct objects list = {.mem = mem};
	if (!objects_load(db, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++)
		require(list.items[i].source != NULL && list.items[i].digest != NULL);
	return true;
}

static bool objects_anew(struct db *db, void *mem, struct viewd_err *err)
{
	struct dependencies list = {.mem = mem};
	static const struct dependency found[] = {
		{.kind = VIEWD_DEPENDS_TABLE, .source = "a", .identity = "1", .stamp = "s", .digest = "d"},
		{.kind = VIEWD_DEPENDS_TABLE, .source = "b"},
	};
	for (size_t i = 0; i < ARRAY_LEN(found); i++)
		dependencies_add(db, &list, &found[i]);
	return objects_register(db, &list, err) && objects_sweep(db, err);
}

static bool look(struct db *db, void *mem UNUSED, struct viewd_err *err)
{
	bool news = false;
	return objects_look(db, signals, &news, err);
}

static bool facts(struct db *db, void *mem UNUSED, struct viewd_err *err)
{
	struct learnt fact;
	if (!learnt_find_later(db, "v", LEARNT_REFUSED, "digest", &fact, err) || !db_flush(db, err))
		return false;
	require_text(fact.text, sizeof fact.text);
	require(fact.time_us >= 0 && (fact.known || fact.text[0] == '\0'));
	return learnt_save(db, "v", LEARNT_REFUSED, "digest", fact.text, err);
}

void readers_run(struct db *db, void *mem, unsigned which)
{
	static bool (*const readers[])(struct db * db, void *mem, struct viewd_err *err) = {
		row_of_a_view, history,    recorded,       definition,   run_recorded, marks_of_a_view,
		marks_of_all,  marks_anew, objects_of_all, objects_anew, look,         facts,
	};
	struct viewd_err err = {0};
	if (!readers[which % ARRAY_LEN(readers)](db, mem, &err))
		require(err.msg[0] != '\0' && err.cls != VIEWD_ERR_OK);
}
