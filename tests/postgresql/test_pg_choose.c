/* SPDX-License-Identifier: MIT
 *
 * How each source is noticed, and what is done where a server allows less.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "pg_watch_support.h"

static bool reason_row(void *ctx, const struct viewd_dependency *entry)
{
	char **text = ctx;
	*text = talloc_asprintf_append(*text, "%s: %d %s\n", entry->name, (int)entry->heard_by,
	                               entry->reason != NULL ? entry->reason : "");
	return true;
}

static const char *chosen(struct viewd_conn *conn, enum viewd_capture mode, const char *definition)
{
	char *text = talloc_strdup(harness_ctx(), "");
	struct viewd_view_spec view = pg_followed_view("v", definition);
	struct viewd_capture_request req = {.struct_size = sizeof req, .mode = mode, .dependencies = {reason_row, &text}};
	struct viewd_captured out;
	struct viewd_err err = {0};
	REQUIRE_OK(DIALECT->capture->set(conn, &view, &req, &out, (struct viewd_text_sink){NULL, NULL}, &err), &err);
	return text;
}

static void falls_back_for_each_source(void)
{
	struct viewd_conn *app, *conn = pg_two_tables(&app);
	char *heard[2];
	pg_do(app, "CREATE TABLE closed (id int)");
	pg_do(app, "REVOKE TRIGGER ON closed FROM viewd");
	heard[0] = talloc_asprintf(harness_ctx(), "\"public\".\"closed\": %d ", VIEWD_HEARD_POLL);
	heard[1] = talloc_asprintf(harness_ctx(), "\"public\".\"sale\": %d ", VIEWD_HEARD_TRIGGER);
	const char *text = chosen(conn, VIEWD_CAPTURE_AUTO, "SELECT s.id, c.id AS c FROM sale s, closed c");
	CHECK_CONTAINS(text, heard[0]);
	CHECK_CONTAINS(text, heard[1]);
	CHECK_CONTAINS(text, "lacks TRIGGER on public.closed");
	struct viewd_conn *admin = pg_session("postgres");
	pg_do(admin, "ALTER ROLE viewd SET track_counts = off");
	text = chosen(conn, VIEWD_CAPTURE_AUTO, "SELECT s.id, c.id AS c FROM sale s, closed c");
	pg_do(admin, "ALTER ROLE viewd RESET track_counts");
	CHECK_CONTAINS(
		text, talloc_asprintf(harness_ctx(), "\"public\".\"closed\": %d the server does not count", VIEWD_HEARD_NONE));
	CHECK_CONTAINS(text, heard[1]);
}

/* Refused for a reason that no privilege tells: here, somebody's event trigger. */
static void falls_back_when_the_server_refuses(void)
{
	struct viewd_conn *app, *conn = pg_two_tables(&app);
	struct viewd_database_spec spec = pg_spec("postgres");
	struct viewd_err err = {0};
	spec.url = talloc_asprintf(harness_ctx(), "postgresql://postgres@/shop?%s", getenv("VIEWD_TEST_PG"));
	struct viewd_conn *admin = DIALECT->open(&pg_host, &spec, &err);
	REQUIRE_OK(admin != NULL, &err);
	pg_do(admin, "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no "
	             "triggers here''; END'");
	pg_do(admin,
	      "CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER') EXECUTE FUNCTION refuse()");
	const char *text = chosen(conn, VIEWD_CAPTURE_AUTO, "SELECT id FROM sale");
	DIALECT->close(&admin);
	CHECK_CONTAINS(text, talloc_asprintf(harness_ctx(), "\"public\".\"sale\": %d ", VIEWD_HEARD_POLL));
	CHECK_CONTAINS(text, "no triggers here");
}

/* Nobody counts what a refresh writes: that is not the same as nothing. */
static void uncounted_rows_are_not_none(void)
{
	struct viewd_conn *app, *conn = pg_two_tables(&app), *admin = pg_session("postgres");
	static const char *const key[] = {"id"};
	struct viewd_view_spec low = pg_view("low", VIEWD_METHOD_MATERIALIZED, "SELECT id FROM sale");
	low.unique_key = key;
	low.n_unique_key = 1;
	pg_apply(conn, &low, VIEWD_CHANGE_CREATE);
	CHECK_INT(pg_refreshed(conn, &low).did, VIEWD_DID_NO_DATA);
	pg_do(admin, "ALTER ROLE viewd SET track_counts = off");
	struct viewd_conn *blind = pg_session("viewd");
	pg_do(admin, "ALTER ROLE viewd RESET track_counts");
	pg_do(app, "INSERT INTO sale VALUES (1, 1, 'a')");
	CHECK_INT(pg_refreshed(blind, &low).did, VIEWD_DID_CONCURRENT);
}

static const struct harness_test tests[] = {
	{"falls back for each source", falls_back_for_each_source},
	{"falls back when the server refuses", falls_back_when_the_server_refuses},
	{"uncounted rows are not none", uncounted_rows_are_not_none},
};

HARNESS_SERVER_MAIN(PG_SERVER, SUITE("pg choose", tests))
