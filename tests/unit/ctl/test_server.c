/* SPDX-License-Identifier: MIT
 *
 * test_server.c: what the control server answers, and what it survives.
 */
#include "ctl_support.h"

#include "support/harness.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <talloc.h>
#include <time.h>
#include <unistd.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static json_t *body_of(const char *reply)
{
	json_t *json = json_loads(rig_body(reply), 0, NULL);
	harness_check(json != NULL, __FILE__, __LINE__, "no JSON in: %.200s", reply);
	return json;
}

static void check_error(const char *reply, const char *status, const char *cls, const char *message)
{
	json_t *json = body_of(reply);
	json_t *error = json_object_get(json, "error");
	CHECK_CONTAINS(reply, status);
	CHECK_INT(json_integer_value(json_object_get(json, "schema")), 1);
	CHECK_STR(json_string_value(json_object_get(error, "class")), cls);
	CHECK_CONTAINS(json_string_value(json_object_get(error, "message")), message);
	CHECK(json_object_get(error, "code") != NULL && json_object_get(error, "hint") != NULL);
	json_decref(json);
}

static bool still_answers(struct rig *rig)
{
	return strstr(rig_ask(rig, GET("/v1/status")), "200 OK") != NULL;
}

/* The promise of the manual, word by word. */
static void status_has_its_fields(void)
{
	static const char expected[] =
		"{\"name\":\"alpha\",\"database\":\"shop\",\"relation\":\"\\\"public\\\".\\\"alpha\\\"\","
		"\"method\":\"materialized\","
		"\"refresh_mode\":\"concurrently\",\"state\":\"ACTIVE\",\"activity\":\"IDLE\",\"trigger\":\"SCHEDULED\","
		"\"action\":\"CONCURRENT\",\"result\":\"SUCCEEDED\",\"last_refresh_time\":\"2023-11-14T22:13:20.123Z\","
		"\"last_success_time\":\"2023-11-14T22:13:20.123Z\",\"next_refresh_time\":null,"
		"\"data_timestamp\":\"2023-11-14T22:13:20.000Z\",\"freshness\":\"FRESH\",\"stale_since\":null,"
		"\"lag_seconds\":0.0,"
		"\"age_seconds\":2.5,\"is_stale\":false,\"duration_ms\":12,\"rows\":7,"
		"\"rows_written\":2,\"consecutive_errors\":0,\"error\":null,\"sources\":[{\"name\":\"public.orders\","
		"\"kind\":\"table\","
		"\"heard_by\":\"trigger\",\"reason\":null},{\"name\":\"function "
		"public.f()\",\"kind\":\"function\",\"heard_by\":null,"
		"\"reason\":\"it is volatile\"}],"
		"\"upstream\":[],\"downstream\":[\"beta\"],\"refresh_group\":null}";
	struct rig rig;
	rig_start(&rig, NULL);
	json_t *json = body_of(rig_ask(&rig, GET("/v1/status")));
	CHECK_INT(json_array_size(json), 2);
	char *text = json_dumps(json_array_get(json, 0), JSON_COMPACT);
	CHECK_STR(text, expected);
	free(text);
	json_t *error = json_object_get(json_array_get(json, 1), "error");
	CHECK_STR(json_string_value(json_object_get(error, "class")), "conflict");
	CHECK_STR(json_string_value(json_object_get(error, "code")), "55P03");
	json_decref(json);
	rig_stop(&rig);
}

static void every_look_answers(void)
{
	static const char *const paths[] = {
		"/v1/status?view=alpha", "/v1/show?view=alpha", "/v1/why?view=shop:alpha", "/v1/explain?view=alpha",
		"/v1/history?view=alpha&limit=2",
		"/v1/graph",             "/v1/daemon",
	};
	struct rig rig;
	rig_start(&rig, NULL);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		char *reply = rig_ask(&rig, talloc_asprintf(harness_ctx(), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]));
		CHECK_CONTAINS(reply, "200 OK");
		CHECK_CONTAINS(reply, "application/json");
		json_decref(body_of(reply));
	}
	rig_stop(&rig);
}

static void bad_requests_are_explained(void)
{
	struct rig rig;
	rig_start(&rig, NULL);
	check_error(rig_ask(&rig, GET("/v2/status")), " 404 ", "usage", "path '/v2/status' is not known");
	check_error(rig_post(&rig, "/v1/status", "{}"), " 405 ", "usage", "takes GET");
	CHECK_CONTAINS(rig_ask(&rig, GET("/v1/refresh")), "Allow: POST");
	check_error(rig_ask(&rig, "DELETE /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"), " 405 ", "usage", "takes GET");
	check_error(rig_ask(&rig, GET("/v1/status?nope=1")), " 400 ", "usage", "no parameter 'nope'");
	check_error(rig_ask(&rig, GET("/v1/show")), " 400 ", "usage", "show needs VIEW");
	check_error(rig_ask(&rig, GET("/v1/show?view=gamma")), " 404 ", "missing", "view 'gamma' is not known");
	check_error(rig_post(&rig, "/v1/refresh", "{"), " 400 ", "usage", "not JSON");
	check_error(rig_post(&rig, "/v1/refresh", "{}"), " 400 ", "usage", "needs a view");
	check_error(rig_ask(&rig, "FROB /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"), " 405 ", "usage", "takes GET");
	CHECK(still_answers(&rig));
	rig_stop(&rig);
}

static void garbage_is_survived(void)
{
	static const char binary[] = "\0\1\2\xff\xfe\r\n\r\n\0garbage\r\n\r\n";
	struct rig rig;
	bool ended = false;
	rig_start(&rig, NULL);
	int fd = rig_dial(&rig);
	rig_send(&rig, fd, binary, sizeof(binary));
	rig_receive(&rig, fd, 5000000, &ended);
	CHECK(ended);
	close(fd);
	for (int i = 0; i < 200; i++) {
		char noise[64];
		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (char)((i * 7919 + (int)k * 104729) >> 3);
		noise[sizeof(noise) - 1] = '\n';
		fd = rig_dial(&rig);
		if (fd >= 0) {
			rig_send(&rig, fd, noise, sizeof(noise));
			close(fd);
		}
		rig_run(&rig, 0);
	}
	rig_run(&rig, 20000);
	CHECK(still_answers(&rig));
	rig_stop(&rig);
}

/* 100 MiB announced, sent in pieces without an end, and as one line without an end: none is read to its end. */
static void endless_input_is_cut(void)
{
	struct rig rig;
	bool ended = false;
	size_t size = (size_t)4 << 20;
	char *flood = talloc_size(harness_ctx(), size);
	memset(flood, 'a', size);
	rig_start(&rig, NULL);
	CHECK_CONTAINS(rig_ask(&rig, "POST /v1/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: 104857600\r\n\r\n"), " 413 ");

	int fd = rig_dial(&rig);
	CHECK(rig_send(&rig, fd, flood, size) < size);
	rig_receive(&rig, fd, 5000000, &ended);
	CHECK(ended);
	close(fd);

	static const char chunked[] = "POST /v1/refresh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
	                              "chunked\r\n\r\n6400000\r\n";
	fd = rig_dial(&rig);
	rig_send(&rig, fd, chunked, sizeof(chunked) - 1);
	CHECK(rig_send(&rig, fd, flood, size) < size);
	rig_receive(&rig, fd, 5000000, &ended);
	CHECK(ended);
	close(fd);
	CHECK(still_answers(&rig));
	rig_stop(&rig);
}

static void half_close_is_fine(void)
{
	struct rig rig;
	bool ended = false;
	rig_start(&rig, NULL);
	int fd = rig_dial(&rig);
	rig_send(&rig, fd, GET("/v1/status"), strlen(GET("/v1/status")));
	shutdown(fd, SHUT_WR);
	CHECK_CONTAINS(rig_receive(&rig, fd, 5000000, &ended), "200 OK");
	CHECK(ended);
	close(fd);
	/* also while the reply takes its time */
	static const char wait[] = "POST /v1/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: "
	                           "28\r\n\r\n{\"view\":\"alpha\",\"wait\":true}";
	fd = rig_dial(&rig);
	rig_send(&rig, fd, wait, sizeof(wait) - 1);
	shutdown(fd, SHUT_WR);
	rig_run(&rig, 1300000);
	CHECK(fake_finish(&rig.engine));
	CHECK_CONTAINS(rig_receive(&rig, fd, 5000000, &ended), "\"result\":\"SUCCEEDED\"");
	CHECK(ended);
	close(fd);
	rig_stop(&rig);
}

static void short_idle(struct ctl_limits *limits)
{
	limits->idle_us = 400000;
}

static size_t count_fds(void)
{
	size_t n = 0;
	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Bytes keep coming, so that no read ever times out: the whole request has its deadline. */
static void slow_senders_are_cut(void)
{
	struct rig rig;
	char byte;
	rig_start(&rig, short_idle);
	int fd = rig_dial(&rig);
	int64_t deadline = harness_deadline(5000000);
	bool cut = false;
	while (!cut && harness_pause(deadline)) {
		rig_run(&rig, 50000);
		cut = send(fd, "G", 1, MSG_NOSIGNAL) < 0 || recv(fd, &byte, 1, 0) == 0;
	}
	CHECK(cut);
	close(fd);
	CHECK(still_answers(&rig));
	rig_stop(&rig);
}

/* More than a socket holds, and a limit well above what making the reply takes. */
static void deaf_clients_are_cut(void)
{
	struct rig rig;
	rig_start(&rig, short_idle);
	rig.engine.n_extra = 1000;
	size_t before = count_fds();
	size_t whole = strlen(rig_ask(&rig, GET("/v1/status")));
	CHECK(whole > 400000);
	WAIT_UNTIL((loop_once(rig.loop, 1000), count_fds() == before));
	int fd = rig_dial(&rig);
	rig_send(&rig, fd, GET("/v1/status"), strlen(GET("/v1/status")));
	WAIT_UNTIL((loop_once(rig.loop, 1000), count_fds() == before + 2));
	WAIT_UNTIL((loop_once(rig.loop, 1000), count_fds() == before + 1));
	bool ended = false;
	size_t got = strlen(rig_receive(&rig, fd, 1000000, &ended));
	CHECK(ended);
	CHECK(got > 0 && got < whole);
	close(fd);
	CHECK(still_answers(&rig));
	rig_stop(&rig);
}

static void few_clients(struct ctl_limits *limits)
{
	limits->clients = 8;
}

static void floods_do_not_shut_others_out(void)
{
	struct rig rig;
	rig_start(&rig, few_clients);
	size_t before = count_fds();
	size_t dialled = 0;
	int fds[100];
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = rig_dial(&rig);
		dialled += fds[i] >= 0;
		rig_run(&rig, 0);
	}
	rig_run(&rig, 50000);
	CHECK(dialled > 50);
	CHECK(count_fds() - before - dialled <= 9);
	CHECK(still_answers(&rig));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	rig_run(&rig, 50000);
	CHECK(still_answers(&rig));
	rig_run(&rig, 50000);
	CHECK_INT(count_fds(), before);
	rig_stop(&rig);
}

#define REFRESH_WAIT "POST /v1/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: " \
	"28\r\n\r\n{\"view\":\"alpha\",\"wait\":true}"

static int ask_and_leave_open(struct rig *rig)
{
	int fd = rig_dial(rig);
	REQUIRE(fd >= 0);
	size_t n = rig->engine.n_pending;
	rig_send(rig, fd, REFRESH_WAIT, strlen(REFRESH_WAIT));
	WAIT_UNTIL((loop_once(rig->loop, 1000), rig->engine.n_pending == n + 1));
	return fd;
}

static void waiting_outlives_the_idle_limit(void)
{
	struct rig rig;
	rig_start(&rig, short_idle);
	int fd = ask_and_leave_open(&rig);
	rig_run(&rig, 1500000);
	CHECK(fake_finish(&rig.engine));
	CHECK_CONTAINS(rig_receive(&rig, fd, 5000000, NULL), "\"ok\":true");
	CHECK_INT(harness_log_count("refresh alpha --wait: done"), 1);
	close(fd);
	rig.engine.fail = true;
	fd = ask_and_leave_open(&rig);
	CHECK(fake_finish(&rig.engine));
	CHECK_CONTAINS(rig_receive(&rig, fd, 5000000, NULL), "\"failed\":1");
	CHECK_INT(harness_log_count("refresh alpha --wait: 1 failed"), 1);
	close(fd);
	rig_stop(&rig);
}

static void clients_may_leave(void)
{
	struct rig rig;
	rig_start(&rig, NULL);
	size_t before = count_fds();
	close(ask_and_leave_open(&rig));
	/* the sweep notices */
	WAIT_UNTIL((loop_once(rig.loop, 1000), count_fds() == before));
	CHECK(fake_finish(&rig.engine));
	CHECK_INT(harness_log_count("refresh alpha --wait: done, client left"), 1);
	/* it leaves, and the reply comes before anybody noticed */
	close(ask_and_leave_open(&rig));
	CHECK(fake_finish(&rig.engine));
	rig_run(&rig, 50000);
	CHECK(still_answers(&rig));
	rig_stop(&rig);
}

static void server_may_stop_first(void)
{
	struct rig rig;
	rig_start(&rig, NULL);
	int one = ask_and_leave_open(&rig);
	int two = ask_and_leave_open(&rig);
	rig_stop(&rig);
	CHECK(fake_finish(&rig.engine));
	CHECK(fake_finish(&rig.engine));
	CHECK_INT(harness_log_count("client left"), 2);
	close(one);
	close(two);
}

static void few_pending(struct ctl_limits *limits)
{
	limits->pending = 2;
}

static void pending_calls_are_bounded(void)
{
	struct rig rig;
	rig_start(&rig, few_pending);
	int one = ask_and_leave_open(&rig);
	int two = ask_and_leave_open(&rig);
	check_error(rig_ask(&rig, REFRESH_WAIT), " 503 ", "resource", "too many calls");
	CHECK(still_answers(&rig));
	CHECK_CONTAINS(rig_post(&rig, "/v1/cancel", "{\"all\":true}"), "\"cancelled\":2");
	CHECK(fake_finish(&rig.engine));
	rig_receive(&rig, one, 5000000, NULL);
	close(ask_and_leave_open(&rig));
	close(one);
	close(two);
	rig_stop(&rig);
	while (fake_finish(&rig.engine))
		;
}

static void removed_socket_is_made_again(void)
{
	struct rig rig;
	struct stat st;
	rig_start(&rig, NULL);
	expect_log("removed by somebody: made again");
	REQUIRE(unlink(rig.path) == 0);
	WAIT_UNTIL((loop_once(rig.loop, 1000), lstat(rig.path, &st) == 0));
	CHECK(still_answers(&rig));
	expect_log("replaced by somebody");
	REQUIRE(unlink(rig.path) == 0);
	harness_file("control.sock", "not a socket");
	rig_run(&rig, 100000);
	CHECK_INT(harness_log_count("replaced by somebody"), 1);
	rig_stop(&rig);
	CHECK_STR(harness_read(harness_path("control.sock")), "not a socket");
}

static void second_daemon_is_refused(void)
{
	struct rig rig;
	struct viewd_err err = {0};
	rig_start(&rig, NULL);
	CHECK(ctl_server_new(rig.loop, rig.path, &rig.ctl, NULL, &err) == NULL);
	CHECK_INT(err.cls, VIEWD_ERR_EXISTS);
	CHECK_CONTAINS(err.msg, "already running");
	CHECK(still_answers(&rig));
	rig_stop(&rig);
}

static int64_t cpu_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* The limit is below every open descriptor, so that not even the reserve helps. */
static void without_descriptors_nothing_spins(void)
{
	struct rig rig;
	struct rlimit old;
	rig_start(&rig, NULL);
	int fd = rig_dial(&rig);
	REQUIRE(getrlimit(RLIMIT_NOFILE, &old) == 0);
	struct rlimit low = {.rlim_cur = 3, .rlim_max = old.rlim_max};
	REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
	expect_log("accept failed");
	int64_t before = cpu_us();
	int64_t deadline = harness_deadline(500000);
	int rounds = 0;
	while (harness_pause(deadline)) {
		loop_once(rig.loop, 20000);
		rounds++;
	}
	CHECK(cpu_us() - before < 250000);
	CHECK(rounds < 100);
	CHECK(harness_log_count("accept failed") <= 10);
	REQUIRE(setrlimit(RLIMIT_NOFILE, &old) == 0);
	close(fd);
	rig_run(&rig, 200000);
	CHECK(still_answers(&rig));
	rig_stop(&rig);
}

/* In a child of another uid: looks, tries to change. 0: looked and was denied. */
static int stranger(const char *path)
{
	char buf[4096];
	if (setgid(12345) != 0 || setuid(12345) != 0)
		return 10;
	struct rig rig = {.path = path};
	static const char *const asks[] = {GET("/v1/status"), REFRESH_WAIT};
	static const char *const replies[] = {"200 OK", "403"};
	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		int fd = rig_dial(&rig);
		if (fd < 0 || send(fd, asks[i], strlen(asks[i]), 0) < 0)
			return 11;
		fcntl(fd, F_SETFL, 0);
		ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);
		buf[n > 0 ? n : 0] = '\0';
		if (strstr(buf, replies[i]) == NULL)
			return 12 + (int)i;
		close(fd);
	}
	return 0;
}

static void strangers_may_only_look(void)
{
	struct rig rig;
	if (getuid() != 0)
		harness_skip("only root can become somebody else");
	rig_start(&rig, NULL);
	expect_log("uid 12345");
	REQUIRE(chmod(harness_dir(), 0755) == 0 && chmod(rig.path, 0666) == 0);
	fflush(NULL);
	pid_t pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		/* By another program, so that no checker looks for leaks in half of this one. */
		char *command = talloc_asprintf(NULL, "exit %d", stranger(rig.path));
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	int status = -1;
	int64_t deadline = harness_deadline(10000000);
	while (waitpid(pid, &status, WNOHANG) == 0 && harness_pause(deadline))
		loop_once(rig.loop, 1000);
	CHECK_INT(WEXITSTATUS(status), 0);
	CHECK_INT(rig.engine.n_refresh, 0);
	rig_stop(&rig);
}

static const struct harness_test tests[] = {
	{"status has its fields", status_has_its_fields},
	{"every look answers", every_look_answers},
	{"bad requests are explained", bad_requests_are_explained},
	{"garbage is survived", garbage_is_survived},
	{"endless input is cut", endless_input_is_cut},
	{"a half-closed connection gets its reply", half_close_is_fine},
	{"slow senders are cut", slow_senders_are_cut},
	{"clients that never read are cut", deaf_clients_are_cut},
	{"floods do not shut others out", floods_do_not_shut_others_out},
	{"waiting outlives the idle limit", waiting_outlives_the_idle_limit},
	{"clients may leave", clients_may_leave},
	{"the server may stop first", server_may_stop_first},
	{"pending calls are bounded", pending_calls_are_bounded},
	{"a removed socket is made again", removed_socket_is_made_again},
	{"a second daemon is refused", second_daemon_is_refused},
	{"without descriptors nothing spins", without_descriptors_nothing_spins},
	{"strangers may only look", strangers_may_only_look},
};
HARNESS_MAIN(SUITE("server", tests))
