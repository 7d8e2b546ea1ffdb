/* SPDX-License-Identifier: MIT
 *
 * test_server_clients.c: clients of the control server that are slow, deaf, many, or leave.
 */
#include "ctl_support.h"

#include "support/harness.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

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
	CHECK(rig_still_answers(&rig));
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
	CHECK(rig_still_answers(&rig));
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
	CHECK(rig_still_answers(&rig));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	rig_run(&rig, 50000);
	CHECK(rig_still_answers(&rig));
	rig_run(&rig, 50000);
	CHECK_INT(count_fds(), before);
	rig_stop(&rig);
}

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
	CHECK(rig_still_answers(&rig));
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
	rig_check_error(rig_ask(&rig, REFRESH_WAIT), " 503 ", "resource", "too many calls");
	CHECK(rig_still_answers(&rig));
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

static const struct harness_test tests[] = {
	{"slow senders are cut", slow_senders_are_cut},
	{"clients that never read are cut", deaf_clients_are_cut},
	{"floods do not shut others out", floods_do_not_shut_others_out},
	{"waiting outlives the idle limit", waiting_outlives_the_idle_limit},
	{"clients may leave", clients_may_leave},
	{"the server may stop first", server_may_stop_first},
	{"pending calls are bounded", pending_calls_are_bounded},
};
HARNESS_MAIN(SUITE("server clients", tests))
