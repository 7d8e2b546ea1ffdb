/* SPDX-License-Identifier: MIT
 *
 * How often the binary log is read while it is written without pause.
 */
#include "my_support.h"

#include <poll.h>
#include <stdio.h>

#include "base/err.h"
#include "mysql/watch/rest.h"

#define SHORT INT64_C(100000)
#define PATIENCE INT64_C(15000000)

/* ---- when there is a rest */

static void a_single_change_is_followed_by_a_short_rest(void)
{
	struct rest rest = {0};
	for (int64_t now = SPAN_SECOND; now < 3 * SPAN_SECOND; now += 10 * SPAN_MS) {
		rest_after_reading(&rest, now, now + 500);
		CHECK(rest.until == now + 500 + REST_SHORT);
		CHECK(!rest_is_long(&rest));
	}
}

static void in_a_stream_rests_grow_to_a_bound(void)
{
	struct rest rest = {0};
	int64_t now = SPAN_SECOND, readings = 0;
	for (; now < 3 * SPAN_SECOND; now = rest.until + 100, readings++)
		rest_after_reading(&rest, now, now + 500);
	CHECK(rest.length == REST_LONG);
	CHECK(rest_is_long(&rest));
	CHECK(readings <= 2 * SPAN_SECOND / REST_LONG + 10);
	rest_after_reading(&rest, now + SPAN_SECOND, now + SPAN_SECOND);
	CHECK(rest.length == REST_SHORT);
}

/* ---- a server's log */

struct heard {
	int64_t marks, seq;
};

static bool hear(void *ctx, const struct viewd_signal *signal)
{
	struct heard *heard = ctx;
	if (signal->kind == VIEWD_SIGNAL_STALE && signal->seq != heard->seq) {
		heard->marks++;
		heard->seq = signal->seq;
	}
	return true;
}

static bool keep_quiet(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static struct viewd_watch *watch_sales(void)
{
	const struct viewd_source source = {"shop", "sales", VIEWD_KIND_TABLE};
	struct viewd_view_spec spec = my_view("v", VIEWD_METHOD_TABLE, my_select_from("shop", "sales"));
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_BINLOG, .sources = &source, .n_sources = 1};
	struct viewd_database_spec database = my_spec();
	struct viewd_captured out;
	struct viewd_err err = {0};
	REQUIRE_OK(DIALECT->capture->set(my_session(), &spec, &req, &out, (struct viewd_text_sink){keep_quiet, NULL}, &err),
	           &err);
	struct viewd_watch *watch = DIALECT->capture->watch_open(&my_host, &database, &err);
	REQUIRE_OK(watch != NULL, &err);
	return watch;
}

static void listen_once(struct viewd_watch *watch, struct heard *heard)
{
	struct viewd_err err = {0};
	REQUIRE_OK(DIALECT->capture->watch_next(watch, SHORT, (struct viewd_signal_sink){hear, heard}, &err), &err);
}

static bool has_ended(MYSQL *writer)
{
	struct pollfd pfd = {.fd = mysql_get_socket(writer), .events = POLLIN};
	return poll(&pfd, 1, 0) > 0;
}

/* Each mark is a commit of viewd's, beside those of the writers. */
static void a_stream_is_not_marked_event_by_event(void)
{
	static const char stream[] = "BEGIN NOT ATOMIC FOR i IN 1..3000 DO INSERT INTO sales (region, amount) VALUES ('a', "
								 "i); END FOR; END";
	struct heard heard = {0};
	if (my_ask("SELECT @@log_bin")[0] != '1')
		harness_skip("the server has no binary log");
	my_fresh();
	my_do("GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO viewd@localhost");
	struct viewd_watch *watch = watch_sales();
	for (int64_t end = my_mono() + PATIENCE; heard.marks == 0 && my_mono() < end;)
		listen_once(watch, &heard);
	MYSQL *writer = my_root_open();
	int64_t begin = my_mono(), end = begin;
	heard.marks = 0;
	CHECK(mysql_send_query(writer, stream, sizeof stream - 1) == 0);
	for (; !has_ended(writer) && end < begin + 4 * PATIENCE; end = my_mono())
		listen_once(watch, &heard);
	CHECK(mysql_read_query_result(writer) == 0);
	mysql_close(writer);
	fprintf(stderr, "# %lld marks in %lld ms\n", (long long)heard.marks, (long long)((end - begin) / SPAN_MS));
	CHECK(heard.marks >= 1);
	CHECK(heard.marks <= 15 + 2 * (end - begin) / REST_LONG);
	int64_t before = heard.seq;
	my_do("INSERT INTO sales (region, amount) VALUES ('b', 1)");
	for (end = my_mono() + PATIENCE; heard.seq == before && my_mono() < end;)
		listen_once(watch, &heard);
	CHECK(heard.seq != before);
	DIALECT->capture->watch_close(&watch);
}

static const struct harness_test tests[] = {
	{"a single change is followed by a short rest", a_single_change_is_followed_by_a_short_rest},
	{"in a stream rests grow to a bound", in_a_stream_rests_grow_to_a_bound},
	{"a stream is not marked event by event", a_stream_is_not_marked_event_by_event},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql binlog stream", tests))
