/* SPDX-License-Identifier: MIT
 *
 * Three steps of server_kill.sh: begin, run (the server is killed at VIEWD_TEST_PLACE), check (after its restart).
 * VIEWD_TEST_CHANGE: refresh (in place), swap, create or replace; VIEWD_TEST_METHODS: the old and the new method, t or
 * s each.
 */
#include "my_support.h"

#include <signal.h>
#include <stdlib.h>

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		harness_skip("run tests/mysql/server_kill.sh");
	return value;
}

static bool refreshes(void)
{
	return strcmp(setting("VIEWD_TEST_CHANGE"), "refresh") == 0 || strcmp(setting("VIEWD_TEST_CHANGE"), "swap") == 0;
}

static struct viewd_view_spec view_of(int which)
{
	bool table = setting("VIEWD_TEST_METHODS")[which] == 't';
	struct viewd_view_spec view = my_view("v", table ? VIEWD_METHOD_TABLE : VIEWD_METHOD_SIMPLE,
	                                      which == 1 && !refreshes() ? my_after : my_before);

	if (strcmp(setting("VIEWD_TEST_CHANGE"), "swap") == 0)
		view.mode = VIEWD_MODE_SWAP;
	return view;
}

static void begin(void)
{
	const char *change = setting("VIEWD_TEST_CHANGE");

	my_fresh();
	struct viewd_view_spec old = view_of(0);
	struct viewd_conn *conn = my_session();
	if (strcmp(change, "create") != 0)
		my_applied(conn, &old, VIEWD_CHANGE_CREATE);
}

static bool reached;

static void kill_server(void *ctx UNUSED, const char *place)
{
	if (strcmp(place, setting("VIEWD_TEST_PLACE")) != 0)
		return;
	reached = kill((pid_t)atoi(setting("VIEWD_TEST_SERVER")), SIGKILL) == 0;
}

static void run(void)
{
	struct viewd_host host = my_host;
	struct viewd_database_spec spec = my_spec();
	struct viewd_view_spec view = view_of(1);
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL"};
	const char *change = setting("VIEWD_TEST_CHANGE");
	struct viewd_outcome out;
	struct viewd_err err = {0};

	host.failpoint = kill_server;
	struct viewd_conn *conn = DIALECT->open(&host, &spec, &err);
	REQUIRE_OK(conn != NULL, &err);
	bool done;
	if (refreshes())
		done = DIALECT->refresh(conn, &view, &req, &out, &err);
	else
		done = DIALECT->apply(conn, &view, strcmp(change, "create") == 0 ? VIEWD_CHANGE_CREATE : VIEWD_CHANGE_REPLACE,
		                      &out, &err);
	CHECK(reached);
	CHECK(done || err.cls == VIEWD_ERR_LOST || err.cls == VIEWD_ERR_CONNECT);
	DIALECT->close(&conn);
}

static void check(void)
{
	struct viewd_view_spec old = view_of(0), new = view_of(1);
	struct viewd_conn *conn = my_session();

	CHECK_STR(my_leftovers(), "0,0");
	my_check_whole(conn, &old, &new, setting("VIEWD_TEST_PLACE"));
}

static const struct harness_test tests[] = {
	{"begin", begin},
	{"run", run},
	{"check", check},
};
HARNESS_MAIN(SUITE("server", tests))
