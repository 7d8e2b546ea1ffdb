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

/* The promise of the manual, word by word. */
static void status_has_its_fields(void)
{
	static const char expected[] =
		"{\"name\":\"alpha\",\"database\":\"shop\",\"relation\":\"\\\"public\\\".\\\"alpha\\\"\",\"method\":"
		"\"materialized\","
		"\"refresh_mode\":\"concurrently\",\"state\":\"ACTIVE\",\"activity\":\"IDLE\",\"trigger\":\"SCHEDULED\","
		"\"action\":\"CONCURRENT\",\"result\":\"SUCCEEDED\",\"last_refresh_time\":\"2023-11-14T22:13:20.123Z\","
		"\"last_success_time\":\"2023-11-14T22:13:20.123Z\",\"next_refresh_time\":null,"
		"\"data_timestamp\":\"2023-11-14T22:13:20.000Z\",\"freshness\":\"FRESH\",\"stale_since\":null,\"lag_seconds\":"
		"0.0,"
		"\"age_seconds\":2.5,\"is_stale\":false,\"duration_ms\":12,\"rows\":7,"
		"\"rows_written\":2,\"consecutive_errors\":0,\"error\":null,\"sources\":[{\"name\":\"public.orders\",\"kind\":"
		"\"table\","
		"\"heard_by\":\"trigger\",\"reason\":null},{\"name\":\"function "
		"public.f()\",\"kind\":\"function\",\"heard_by\":null,"
		"\"reason\":\"it is volatile\"}],"
		"\"upstream\":[],\"downstream\":[\"beta\"],\"refresh_group\":null,\"running_since\":null,\"expected_ms\":0,"
		"\"schedule\":\"every 5m\",\"waits_for\":null,"
		"\"reason\":\"because\",\"owner\":null,\"description\":null}";
	struct rig rig;
	rig_start(&rig, NULL);
	json_t *json = rig_json(rig_ask(&rig, GET("/v1/status")));
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

/* An error has the same four fields wherever it is told; a hint that nobody gave is null. */
static void errors_have_four_fields(void)
{
	static const char expected[] =
		"{\"class\":\"conflict\",\"code\":\"55P03\",\"message\":\"lock timeout after 2s\",\"hint\":null}";
	struct rig rig;
	rig_start(&rig, NULL);
	rig.engine.fail = true;
	CHECK_CONTAINS(rig_ask(&rig, GET("/v1/status")), expected);
	CHECK_CONTAINS(rig_ask(&rig, GET("/v1/explain?view=alpha")), "\"message\":\"permission denied\",\"hint\":null}");
	static const char refresh[] = "POST /v1/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: "
								  "28\r\n\r\n{\"view\":\"alpha\",\"wait\":true}";
	int fd = rig_dial(&rig);
	rig_send(&rig, fd, refresh, sizeof(refresh) - 1);
	WAIT_UNTIL((loop_once(rig.loop, 1000), rig.engine.n_pending > 0));
	CHECK(fake_finish(&rig.engine));
	CHECK_CONTAINS(rig_receive(&rig, fd, 5000000, NULL), expected);
	close(fd);
	rig_stop(&rig);
}

static void every_look_answers(void)
{
	static const char *const paths[] = {
		"/v1/status?view=alpha",
		"/v1/show?view=alpha",
		"/v1/why?view=shop:alpha",
		"/v1/explain?view=alpha",
		"/v1/history?view=alpha&limit=2",
		"/v1/graph",
		"/v1/info",
	};
	struct rig rig;
	rig_start(&rig, NULL);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		char *reply = rig_ask(&rig, talloc_asprintf(harness_ctx(), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]));
		CHECK_CONTAINS(reply, "200 OK");
		CHECK_CONTAINS(reply, "application/json");
		json_decref(rig_json(reply));
	}
	rig_stop(&rig);
}

static void bad_requests_are_explained(void)
{
	struct rig rig;
	rig_start(&rig, NULL);
	rig_check_error(rig_ask(&rig, GET("/v2/status")), " 404 ", "usage", "path '/v2/status' is not known");
	rig_check_error(rig_post(&rig, "/v1/status", "{}"), " 405 ", "usage", "takes GET");
	CHECK_CONTAINS(rig_ask(&rig, GET("/v1/refresh")), "Allow: POST");
	rig_check_error(rig_ask(&rig, "DELETE /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"), " 405 ", "usage", "takes GET");
	rig_check_error(rig_ask(&rig, GET("/v1/status?nope=1")), " 400 ", "usage", "no parameter 'nope'");
	rig_check_error(rig_ask(&rig, GET("/v1/status?fields=name,nam")), " 400 ", "usage", "'nam' is none of status");
	rig_check_error(rig_ask(&rig, GET("/v1/show")), " 400 ", "usage", "show needs VIEW");
	rig_check_error(rig_ask(&rig, GET("/v1/show?view=gamma")), " 404 ", "missing", "view 'gamma' is not known");
	rig_check_error(rig_post(&rig, "/v1/refresh", "{"), " 400 ", "usage", "not JSON");
	rig_check_error(rig_post(&rig, "/v1/refresh", "{}"), " 400 ", "usage", "needs a view");
	rig_check_error(rig_ask(&rig, "FROB /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"), " 405 ", "usage", "takes GET");
	CHECK(rig_still_answers(&rig));
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
	CHECK(rig_still_answers(&rig));
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

	static const char chunked[] =
		"POST /v1/refresh HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6400000\r\n";
	fd = rig_dial(&rig);
	rig_send(&rig, fd, chunked, sizeof(chunked) - 1);
	CHECK(rig_send(&rig, fd, flood, size) < size);
	rig_receive(&rig, fd, 5000000, &ended);
	CHECK(ended);
	close(fd);
	CHECK(rig_still_answers(&rig));
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

static void removed_socket_is_made_again(void)
{
	struct rig rig;
	struct stat st;
	rig_start(&rig, NULL);
	expect_log("removed by somebody: made again");
	REQUIRE(unlink(rig.path) == 0);
	WAIT_UNTIL((loop_once(rig.loop, 1000), lstat(rig.path, &st) == 0));
	CHECK(rig_still_answers(&rig));
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
	CHECK(rig_still_answers(&rig));
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
	CHECK(rig_still_answers(&rig));
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
	{"errors have four fields", errors_have_four_fields},
	{"every look answers", every_look_answers},
	{"bad requests are explained", bad_requests_are_explained},
	{"garbage is survived", garbage_is_survived},
	{"endless input is cut", endless_input_is_cut},
	{"a half-closed connection gets its reply", half_close_is_fine},
	{"a removed socket is made again", removed_socket_is_made_again},
	{"a second daemon is refused", second_daemon_is_refused},
	{"without descriptors nothing spins", without_descriptors_nothing_spins},
	{"strangers may only look", strangers_may_only_look},
};
HARNESS_MAIN(SUITE("server", tests))
