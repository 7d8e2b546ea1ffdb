/* SPDX-License-Identifier: MIT */
#include "unit/plugins/sqlite_fixture.h"

#include "base/clock.h"
#include "base/log.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <talloc.h>

static void on_log(void *ctx UNUSED, enum viewd_log_level level, const char *msg)
{
	log_event(level, "%s", msg);
}

static int64_t on_now(void *ctx UNUSED)
{
	return clock_system()->wall(clock_system());
}

void fixture_user_sql(struct fixture *f, const char *sql)
{
	char *why = NULL;
	int rc = sqlite3_exec(f->user, sql, NULL, NULL, &why);
	harness_check(rc == SQLITE_OK, __FILE__, __LINE__, "%s: %s", sql, why != NULL ? why : "");
	sqlite3_free(why);
}

static int append_row(void *ctx, int n, char **values, char **names UNUSED)
{
	char **out = ctx;
	for (int i = 0; i < n; i++)
		*out = talloc_asprintf_append_buffer(*out, "%s%s", i > 0 ? "|" : "", values[i] != NULL ? values[i] : "");
	*out = talloc_strdup_append_buffer(*out, "\n");
	return 0;
}

const char *fixture_user_rows(struct fixture *f, const char *sql)
{
	char *out = talloc_strdup(harness_ctx(), "");
	CHECK_INT(sqlite3_exec(f->user, sql, append_row, &out, NULL), SQLITE_OK);
	return out;
}

void fixture_load(struct fixture *f)
{
	const char *build = getenv("VIEWD_BUILD");
	*f = (struct fixture){0};
	void *handle = dlopen(talloc_asprintf(harness_ctx(), "%s/.libs/viewd_sqlite.so", build != NULL ? build : "."),
	                      RTLD_NOW | RTLD_LOCAL);
	REQUIRE(handle != NULL);
	f->dialect = dlsym(handle, "viewd_dialect");
	REQUIRE(f->dialect != NULL);
	f->host = (struct viewd_host){.struct_size = sizeof f->host, .log = on_log, .now = on_now};
	f->db = (struct viewd_database_spec){
		.struct_size = sizeof f->db, .name = "files", .url = "sqlite:///test.db", .base_dir = harness_dir()};
}

void fixture_open_all(struct fixture *f)
{
	fixture_load(f);
	REQUIRE(sqlite3_open(harness_path("test.db"), &f->user) == SQLITE_OK);
	fixture_user_sql(f, "PRAGMA journal_mode = WAL");
	f->conn = f->dialect->open(&f->host, &f->db, &f->err);
	REQUIRE_OK(f->conn != NULL, &f->err);
	REQUIRE_OK(f->dialect->prepare(f->conn, (struct viewd_recorded_sink){0}, &f->err), &f->err);
}

void fixture_close_all(struct fixture *f)
{
	f->dialect->close(&f->conn);
	sqlite3_close(f->user);
}

struct viewd_view_spec fixture_table_of(const char *definition)
{
	return (struct viewd_view_spec){.struct_size = sizeof(struct viewd_view_spec),
	                                .name = "v",
	                                .relation = "v",
	                                .definition = definition,
	                                .method = VIEWD_METHOD_TABLE,
	                                .with_data = true,
	                                .materialized_as_table = true,
	                                .on_remove = VIEWD_REMOVE_KEEP,
	                                .lock_timeout_us = 500000};
}

bool fixture_apply(struct fixture *f, const struct viewd_view_spec *view, enum viewd_change change)
{
	f->err = (struct viewd_err){0};
	return f->dialect->apply(f->conn, view, change, &f->out, &f->err);
}

bool fixture_refresh(struct fixture *f, const struct viewd_view_spec *view)
{
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	f->err = (struct viewd_err){0};
	return f->dialect->refresh(f->conn, view, &req, &f->out, &f->err);
}
