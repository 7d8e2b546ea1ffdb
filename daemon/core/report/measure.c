/* SPDX-License-Identifier: MIT */
#include "core/report/measure.h"

#include "core/model/model.h"

static void measure(const struct database *db, struct database_measure *m)
{
	bool stands_by = db->err != NULL && db->err->cls == VIEWD_ERR_STANDBY;
	*m = (struct database_measure){
		.name = db->conf->name,
		.up = db->state == DB_UP || stands_by,
		.leader = db->state == DB_UP,
		.behind = db->state == DB_UP && db->dialect->capture != NULL && !db->watch.looked,
		.views = db->n_views,
		.running = db->work.n_busy,
		.counts = db->counts,
	};
	for (size_t i = 0; i < db->n_views; i++)
		m->waiting += db->views[i]->members != NULL;
}

void engine_each_database(struct engine *eng, void (*fn)(void *ctx, const struct database_measure *m), void *ctx)
{
	struct database_measure m;
	for (size_t i = 0; i < eng->n_dbs; i++) {
		measure(eng->dbs[i], &m);
		fn(ctx, &m);
	}
}

const struct view_counts *view_counts(const struct view *view)
{
	return &view->record.n;
}
