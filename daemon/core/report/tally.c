/* SPDX-License-Identifier: MIT */
#include "core/report/tally.h"

#include "base/mem.h"
#include "core/model/events.h"
#include "core/model/model.h"
#include "core/report/past.h"

static void count_duration(struct duration_counts *c, int64_t us)
{
	static const int64_t bounds[] = COUNTS_BOUNDS;
	_Static_assert(ARRAY_LEN(bounds) + 1 == COUNTS_BUCKETS, "one bucket more than bounds");
	size_t i = 0;
	while (i < ARRAY_LEN(bounds) && us > bounds[i])
		i++;
	c->n[i]++;
	c->sum_us += us;
}

static void count_run(struct view *view, const struct event_run *run)
{
	struct view_counts *own = &view->record.n;
	struct database_counts *of_db = view->db->counts;
	size_t action = run->did >= 0 ? (size_t)run->did : VIEWD_DID_COUNT;
	bool failed = run->result == VIEW_RESULT_FAILED;
	own->runs += failed || run->result == VIEW_RESULT_SUCCEEDED;
	own->failures += failed;
	of_db->runs[run->result][action]++;
	if (run->duration_us >= 0)
		count_duration(&of_db->durations[action], run->duration_us);
	if (run->rows_written <= 0)
		return;
	own->rows_written += run->rows_written;
	of_db->rows_written += run->rows_written;
}

static void on_event(void *ctx UNUSED, const struct event *event)
{
	if (event->kind == EVENT_RUN) {
		past_note_run(event->view, event->run);
		count_run(event->view, event->run);
	} else if (event->kind == EVENT_CHANGED) {
		event->view->record.n.changes++;
		event->view->db->counts->changes++;
	}
}

void tally_begin(struct engine *eng)
{
	struct event_listener *listener = mem_new(eng, struct event_listener);
	listener->fn = on_event;
	event_listen(eng, listener);
}
