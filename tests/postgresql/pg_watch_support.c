/* SPDX-License-Identifier: MIT */
#include "pg_watch_support.h"

#include <talloc.h>

#include "base/clock.h"
#include "base/err.h"

static int watch_close(struct viewd_watch **holder)
{
	DIALECT->capture->watch_close(holder);
	return 0;
}

static void open_watch(struct pg_stage *s)
{
	struct viewd_err err = {0};
	struct viewd_database_spec spec = pg_spec("viewd");
	int64_t deadline = harness_deadline(5000000);
	do
		/* The lock of a session that was just ended may last a moment */
		s->watch = DIALECT->capture->watch_open(&pg_host, &spec, &err);
	while (s->watch == NULL && err.cls == VIEWD_ERR_STANDBY && harness_pause(deadline));
	REQUIRE_OK(s->watch != NULL, &err);
}

struct viewd_conn *pg_two_tables(struct viewd_conn **app_r)
{
	pg_fresh();
	struct viewd_conn *conn = pg_session("viewd");
	pg_prepared(conn);
	*app_r = pg_session("app");
	pg_do(*app_r, "ALTER DEFAULT PRIVILEGES GRANT SELECT, TRIGGER ON TABLES TO viewd");
	pg_do(*app_r, "CREATE TABLE sale (id int PRIMARY KEY, amount int, word text)");
	pg_do(*app_r, "CREATE TABLE other (id int)");
	return conn;
}

struct viewd_view_spec pg_followed_view(const char *name, const char *definition)
{
	struct viewd_view_spec view = pg_view(name, VIEWD_METHOD_TABLE, definition);
	view.captured = true;
	return view;
}

void pg_stage_open(struct pg_stage *s)
{
	pg_fresh();
	*s = (struct pg_stage){.conn = pg_session("viewd"), .app = pg_session("app")};
	pg_prepared(s->conn);
	pg_do(s->app, "ALTER DEFAULT PRIVILEGES GRANT SELECT, TRIGGER ON TABLES TO viewd");
	pg_do(s->app, "CREATE TABLE sale (id int PRIMARY KEY, amount int)");
	pg_do(s->app, "INSERT INTO sale VALUES (1, 1), (2, 2)");
	open_watch(s);
	s->holder = talloc_size(harness_ctx(), sizeof *s->holder);
	*s->holder = s->watch;
	talloc_set_type(s->holder, struct viewd_watch *);
	talloc_set_destructor(s->holder, watch_close);
}

void pg_stage_rewatch(struct pg_stage *s)
{
	DIALECT->capture->watch_close(s->holder);
	open_watch(s);
	*s->holder = s->watch;
}

bool pg_try_capture(struct pg_stage *s, enum viewd_capture mode, struct viewd_err *err)
{
	struct viewd_source sources[4];
	for (size_t i = 0; i < s->n_names; i++)
		sources[i] = (struct viewd_source){.schema = "public", .name = s->names[i], .kind = VIEWD_KIND_TABLE};
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = mode, .sources = sources, .n_sources = s->n_names};
	return DIALECT->capture->set(s->conn, &s->view, &req, &s->captured, (struct viewd_text_sink){NULL, NULL}, err);
}

void pg_stage_capture(struct pg_stage *s, enum viewd_capture mode, const char *definition, const char *const *names,
                      size_t n)
{
	struct viewd_err err = {0};
	bool exists = s->view.name != NULL;
	s->names = names;
	s->n_names = n;
	s->view = pg_view("totals", VIEWD_METHOD_MATERIALIZED, definition);
	pg_apply(s->conn, &s->view, exists ? VIEWD_CHANGE_REPLACE : VIEWD_CHANGE_CREATE);
	s->view.captured = true;
	REQUIRE_OK(pg_try_capture(s, mode, &err), &err);
	DIALECT->capture->watch_wake(s->watch);
	REQUIRE(pg_told(s));
	while (pg_told_within(s, 1500000))
		pg_stage_refresh(s);
}

void pg_stage_begin(struct pg_stage *s, enum viewd_capture mode)
{
	static const char *const names[] = {"sale"};
	pg_stage_open(s);
	pg_stage_capture(s, mode, "SELECT count(*) AS n FROM sale", names, 1);
}

void pg_stage_own(struct pg_stage *s)
{
	static const char *const names[] = {"own"};
	pg_stage_open(s);
	pg_do(s->conn, "CREATE TABLE own (id int)");
	pg_stage_capture(s, VIEWD_CAPTURE_TRIGGER, "SELECT count(*) AS n FROM own", names, 1);
}

struct viewd_outcome pg_stage_refresh(struct pg_stage *s)
{
	return pg_refreshed(s->conn, &s->view);
}

static bool count_signal(void *ctx, const struct viewd_signal *signal)
{
	struct pg_stage *s = ctx;
	if (signal->kind == VIEWD_SIGNAL_REQUEST)
		s->requests++;
	else if (signal->kind == VIEWD_SIGNAL_DOUBT) {
		s->doubts++;
		s->doubted = signal->seq != 0;
	} else if (signal->kind == VIEWD_SIGNAL_STALE) {
		s->stale++;
		s->seq = signal->seq;
	}
	return true;
}

bool pg_look_watch(struct pg_stage *s, int64_t timeout_us)
{
	struct viewd_err err = {0};
	REQUIRE_OK(DIALECT->capture->watch_next(s->watch, timeout_us, (struct viewd_signal_sink){count_signal, s}, &err),
	           &err);
	return true;
}

bool pg_told_within(struct pg_stage *s, int64_t timeout_us)
{
	const struct clock *clk = clock_system();
	int64_t deadline = clk->mono(clk) + timeout_us, now;
	s->stale = 0;
	while (s->stale == 0 && (now = clk->mono(clk)) < deadline)
		pg_look_watch(s, deadline - now);
	return s->stale > 0;
}

bool pg_told(struct pg_stage *s)
{
	return pg_told_within(s, 10000000);
}

void pg_keep_awake(struct pg_stage *s)
{
	for (int i = 0; i < 50 && s->watch->asleep; i++) {
		pg_do(s->app,
		      talloc_asprintf(harness_ctx(), "INSERT INTO sale VALUES (%d, 1) ON CONFLICT DO NOTHING", 100 + i));
		pg_look_watch(s, 1000000);
	}
	REQUIRE(!s->watch->asleep);
}

void pg_beat(struct pg_stage *s)
{
	s->watch->heartbeat_us = 0;
}
