/* SPDX-License-Identifier: MIT
 *
 * test_sessions.c: what the end of one session says about its database, and cancels that come at an unlucky moment.
 */
#include "core/database.h"
#include "unit/core/rig.h"

/* ---- an old session's end ---------------------------------------------------------------------------------------------------- */

static void late_failure_of_an_old_session(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x") VIEW("b", "t_x") "max_retries = 0\n");
	struct rig_report slow, r;
	fake_do("d", "hang refresh a");
	rig_refresh(rig, "a", &slow);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	expect_log("database 'd', cannot be used (the connection to server 'd' broke)");
	expect_log("view 'b', refresh failed (lost");
	fake_do("d", "sever");
	r = rig_refresh_now(rig, "b");
	CHECK_INT(r.items[0].result, VIEW_RESULT_FAILED);
	CHECK_INT(rig_db(rig, "d")->state, DB_DOWN);
	database_probe(rig_db(rig, "d"));
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_UP && rig_view(rig, "b")->job == NULL);
	size_t prepared = fake_calls("d", "prepare", NULL);
	expect_log("view 'a', refresh failed (lost");
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, slow.done);
	CHECK_INT(rig_db(rig, "d")->state, DB_UP);
	rig_settle(rig);
	r = rig_refresh_now(rig, "b");
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK_INT(fake_calls("d", "prepare", NULL), prepared);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"a late failure of an old session", late_failure_of_an_old_session},
};
HARNESS_MAIN(SUITE("sessions", tests))
