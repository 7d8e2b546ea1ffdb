/* SPDX-License-Identifier: MIT
 *
 * test_follow.c: replies in pieces, and calls that stay: status of many views, wait, events.
 */
#include "ctl_support.h"

#include "support/harness.h"

#include <jansson.h>
#include <sys/socket.h>
#include <talloc.h>
#include <unistd.h>

static int ask_and_stay(struct rig *rig, const char *text)
{
	int fd = rig_dial(rig);
	REQUIRE(fd >= 0);
	rig_send(rig, fd, text, strlen(text));
	rig_run(rig, 20000);
	return fd;
}

static size_t received(int fd)
{
	char buf[65536];
	size_t sum = 0;
	for (ssize_t n; (n = recv(fd, buf, sizeof(buf), 0)) > 0;)
		sum += (size_t)n;
	return sum;
}

static void long_listings_come_in_pieces(void)
{
	struct rig rig;
	rig_start(&rig, NULL);
	rig.engine.n_extra = 9998;
	int64_t deadline = harness_deadline(100000000);
	int pieces = 0;
	int fd = rig_dial(&rig);
	size_t len = 0, room = 16 * 1024 * 1024; /* growing it would take longer than what is tested */
	char *reply = talloc_zero_array(harness_ctx(), char, (unsigned)room);
	ssize_t n = -1;
	rig_send(&rig, fd, GET("/v1/status"), strlen(GET("/v1/status")));
	while (n != 0 && harness_pause(deadline)) {
		size_t before = len;
		loop_once(rig.loop, 1000);
		while (len + 1 < room && (n = recv(fd, reply + len, room - len - 1, 0)) > 0)
			len += (size_t)n;
		pieces += len > before;
	}
	json_t *list = json_loads(rig_body(reply), 0, NULL);
	CHECK_INT(json_array_size(list), 10000);
	/* the whole listing is some six megabytes; one turn of the loop writes a fraction of that */
	CHECK(pieces > 20);
	json_decref(list);
	close(fd);
	rig_stop(&rig);
}

static void a_listing_nobody_reads_is_given_up(void)
{
	struct rig rig;
	rig_start(&rig, NULL);
	rig.engine.n_extra = 9998;
	int fd = ask_and_stay(&rig, GET("/v1/status"));
	shutdown(fd, SHUT_RD);
	close(fd);
	rig_run(&rig, 50000);
	CHECK_CONTAINS(rig_ask(&rig, GET("/v1/info")), "200 OK");
	rig_stop(&rig);
}

static void waits_end(void)
{
	struct rig rig;
	rig_start(&rig, NULL);
	int fd = ask_and_stay(&rig, GET("/v1/wait?view=alpha&newer-than=2026-11-22T08:44:01Z"));
	CHECK_INT(rig.engine.n_waiters, 1);
	fake_end_wait(&rig.engine);
	CHECK_CONTAINS(rig_receive(&rig, fd, 5000000, NULL), "\"data_timestamp\":\"2023-11-14T22:13:20.000Z\"");
	close(fd);
	rig.engine.fail = true;
	fd = ask_and_stay(&rig, GET("/v1/wait?view=alpha"));
	fake_end_wait(&rig.engine);
	CHECK_CONTAINS(rig_receive(&rig, fd, 5000000, NULL), "lock timeout after 2s");
	close(fd);
	CHECK_CONTAINS(rig_ask(&rig, GET("/v1/wait?view=alpha&newer-than=soon")), "is not a time");
	CHECK_CONTAINS(rig_ask(&rig, GET("/v1/wait?view=gamma")), " 404 ");
	rig_stop(&rig);
}

static void who_leaves_waits_no_longer(void)
{
	struct rig rig;
	rig_start(&rig, NULL);
	int one = ask_and_stay(&rig, GET("/v1/wait?view=alpha"));
	int two = ask_and_stay(&rig, GET("/v1/wait?view=beta"));
	CHECK_INT(rig.engine.n_waiters, 2);
	close(one);
	WAIT_UNTIL((loop_once(rig.loop, 1000), rig.engine.n_waiters == 1));
	rig_stop(&rig);
	CHECK_INT(rig.engine.n_waiters, 0);
	close(two);
}

static void few_held(struct ctl_limits *limits)
{
	limits->held = 2;
	limits->idle_us = 500000;
	limits->heartbeat_us = 300000;
}

static void held_calls_are_bounded(void)
{
	struct rig rig;
	rig_start(&rig, few_held);
	int one = ask_and_stay(&rig, GET("/v1/events"));
	int two = ask_and_stay(&rig, GET("/v1/wait?view=alpha"));
	CHECK_CONTAINS(rig_ask(&rig, GET("/v1/events")), " 503 ");
	CHECK_CONTAINS(rig_ask(&rig, GET("/v1/status")), "200 OK");
	close(one);
	WAIT_UNTIL((loop_once(rig.loop, 1000), rig.engine.n_observers == 0));
	one = ask_and_stay(&rig, GET("/v1/events"));
	CHECK_INT(rig.engine.n_observers, 1);
	rig_stop(&rig);
	CHECK_INT(rig.engine.n_observers, 0);
	close(one);
	close(two);
}

static void events_are_told(void)
{
	struct rig rig;
	rig_start(&rig, few_held);
	int fd = ask_and_stay(&rig, GET("/v1/events"));
	fake_run(&rig.engine);
	fake_run(&rig.engine);
	/* idle for longer than the limit: a heartbeat, and no end */
	bool ended = true;
	char *reply = rig_receive(&rig, fd, 2500000, &ended);
	CHECK(!ended);
	CHECK_CONTAINS(reply, "Content-Type: text/event-stream");
	char *body = rig_body(reply);
	CHECK_CONTAINS(body, ": viewd\n\n");
	CHECK_CONTAINS(body, "event: run\ndata: {\"time\":\"20");
	CHECK_CONTAINS(body, "\"view\":\"alpha\",\"database\":\"shop\",\"state\":\"ACTIVE\",\"trigger\":\"CHANGE\","
	                     "\"action\":\"FULL\",\"result\":\"SUCCEEDED\",\"rows\":7,\"rows_written\":null,"
	                     "\"duration_ms\":12,\"error\":null}\n\n");
	CHECK_CONTAINS(body, ": still here\n\n");
	close(fd);
	rig_stop(&rig);
}

/* The backlog of a client that does not read is bounded, and the client is parted with. */
static void slow_listeners_are_dropped(void)
{
	struct rig rig;
	rig_start(&rig, NULL);
	int deaf = ask_and_stay(&rig, GET("/v1/events"));
	int keen = ask_and_stay(&rig, GET("/v1/events"));
	size_t heard = 0, told = 0;
	for (; rig.engine.n_observers == 2 && told < 100000; told++) {
		fake_run(&rig.engine);
		loop_once(rig.loop, 0);
		heard += received(keen);
	}
	CHECK(told < 100000);
	WAIT_UNTIL((loop_once(rig.loop, 1000), heard += received(keen), rig.engine.n_observers == 1));
	CHECK(heard > told * 100);
	CHECK(received(deaf) < 2000000);
	close(deaf);
	close(keen);
	rig_stop(&rig);
}

static const struct harness_test tests[] = {
	{"long listings come in pieces", long_listings_come_in_pieces},
	{"a listing nobody reads is given up", a_listing_nobody_reads_is_given_up},
	{"waits end", waits_end},
	{"who leaves waits no longer", who_leaves_waits_no_longer},
	{"held calls are bounded", held_calls_are_bounded},
	{"events are told", events_are_told},
	{"slow listeners are dropped", slow_listeners_are_dropped},
};
HARNESS_MAIN(SUITE("follow", tests))
