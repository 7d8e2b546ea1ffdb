/* SPDX-License-Identifier: MIT
 *
 * The process dies at every failpoint of every operation; after the next prepare the view is the old or the new one,
 * whole, the state row tells which, and nothing is left over.
 */
#include "my_support.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct scene {
	enum viewd_method from, to;
	enum viewd_change change; /* NOTHING: a refresh */
	const char *places[8];
	enum viewd_refresh_mode mode;
};

static void child(const struct viewd_view_spec *view, enum viewd_change change)
{
	struct viewd_database_spec spec = my_spec();
	struct viewd_conn *conn = DIALECT->open(&my_host, &spec, NULL);
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL"};
	struct viewd_outcome out;
	struct viewd_err err;

	if (change == VIEWD_CHANGE_NOTHING)
		DIALECT->refresh(conn, view, &req, &out, &err);
	else
		DIALECT->apply(conn, view, change, &out, &err);
	_exit(0);
}

/* Runs the operation in a process that is killed at place. */
static void die_at(const char *place, const struct viewd_view_spec *view, enum viewd_change change)
{
	int status = 0;

	my_kill.at = place;
	pid_t pid = fork();
	if (pid == 0)
		child(view, change);
	waitpid(pid, &status, 0);
	my_kill.at = NULL;
	harness_check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, __FILE__, __LINE__, "'%s' was reached", place);
}

static void play(const struct scene *scene, const char *place)
{
	my_fresh();
	struct viewd_view_spec old = my_view("v", scene->from, my_before), new = my_view("v", scene->to, my_after);
	struct viewd_conn *conn = my_session();
	int64_t stamp = 0;

	old.mode = new.mode = scene->mode;
	if (scene->change == VIEWD_CHANGE_NOTHING)
		new = old;
	if (scene->change != VIEWD_CHANGE_CREATE)
		stamp = my_applied(conn, &old, VIEWD_CHANGE_CREATE).data_timestamp_us;
	die_at(place, &new, scene->change);
	conn = my_session();
	CHECK_STR(my_leftovers(), "0,0");
	my_check_whole(conn, &old, &new, place);
	if (scene->change == VIEWD_CHANGE_NOTHING && strcmp(place, "mysql:renamed") == 0)
		CHECK(my_found(conn, &new).data_timestamp_us > stamp);
}

static void play_all(const struct scene *scene)
{
	for (size_t i = 0; scene->places[i] != NULL; i++)
		play(scene, scene->places[i]);
}

static void a_refresh_dies(void)
{
	play_all(&(struct scene){
		VIEWD_METHOD_TABLE,
		VIEWD_METHOD_TABLE,
		VIEWD_CHANGE_NOTHING,
		{"refresh:begin", "mysql:staged", "mysql:filled", "mysql:renamed", "refresh:filled", "refresh:recorded"},
		VIEWD_MODE_SWAP});
	play_all(&(struct scene){VIEWD_METHOD_TABLE,
	                         VIEWD_METHOD_TABLE,
	                         VIEWD_CHANGE_NOTHING,
	                         {"refresh:begin", "mysql:filled", "refresh:emptied", "refresh:filled", "refresh:recorded"},
	                         VIEWD_MODE_FULL});
}

static void a_create_dies(void)
{
	play_all(&(struct scene){
		VIEWD_METHOD_TABLE,
		VIEWD_METHOD_TABLE,
		VIEWD_CHANGE_CREATE,
		{"create:begin", "mysql:staged", "mysql:filled", "mysql:intended", "mysql:renamed", "create:recorded"},
		VIEWD_MODE_AUTO});
	play_all(&(struct scene){VIEWD_METHOD_SIMPLE,
	                         VIEWD_METHOD_SIMPLE,
	                         VIEWD_CHANGE_CREATE,
	                         {"mysql:staged", "mysql:intended", "mysql:renamed", "create:recorded"},
	                         VIEWD_MODE_AUTO});
}

static void a_replacement_dies(void)
{
	static const enum viewd_method methods[] = {VIEWD_METHOD_SIMPLE, VIEWD_METHOD_TABLE};

	for (size_t from = 0; from < 2; from++)
		for (size_t to = 0; to < 2; to++)
			play_all(&(struct scene){
				methods[from],
				methods[to],
				VIEWD_CHANGE_REPLACE,
				{"mysql:staged", "mysql:intended", "mysql:renamed", "mysql:dropped", "replace:recorded"},
				VIEWD_MODE_AUTO});
}

static const struct harness_test tests[] = {
	{"a refresh dies", a_refresh_dies},
	{"a create dies", a_create_dies},
	{"a replacement dies", a_replacement_dies},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql crash", tests))
