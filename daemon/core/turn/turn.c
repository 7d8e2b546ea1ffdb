/* SPDX-License-Identifier: MIT */
#include "core/turn/turn.h"

#include "core/engine/capture.h"
#include "core/engine/uninstall.h"
#include "core/flow/wave.h"
#include "core/model/events.h"
#include "core/turn/finish.h"
#include "core/turn/start.h"

void turn_run(void *engine)
{
	struct engine *eng = engine;
	eng->turn.planned = false;
	finish_ended(eng);
	for (size_t i = 0; i < eng->n_dbs && !eng->stop.stopping; i++)
		start_ready(eng->dbs[(eng->next_db + i) % eng->n_dbs]);
	if (eng->n_dbs > 0)
		eng->next_db = (eng->next_db + 1) % eng->n_dbs;
	uninstall_review(eng);
	capture_review(eng);
	wave_report_finished(eng);
	event_tell(eng, &(struct event){.kind = EVENT_TURN});
	if (eng->stop.stopping && eng->count.sessions == 0 && eng->stop.fn != NULL)
		eng->stop.fn(eng->stop.ctx);
}
