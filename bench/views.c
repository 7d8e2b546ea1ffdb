/* SPDX-License-Identifier: MIT */
#include "bench/views.h"

#include "base/clock.h"
#include "base/err.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define TIMES_MAX 1000

_Noreturn void views_die(const char *what, const char *why)
{
	fprintf(stderr, "bench: %s (%s)\n", what, why);
	exit(EXIT_FAILURE);
}

int64_t views_now_us(void)
{
	return clock_system()->mono(clock_system());
}

void views_run(struct views *v, const char *sql)
{
	if (!sqlclient_run(v->client, sql, v->answer, sizeof v->answer))
		views_die(sql, v->answer);
}

bool views_are_on(const struct views *v, const char *engine)
{
	return strcmp(v->engine, engine) == 0;
}

/* ---- the library ---- */

static void on_log(void *ctx UNUSED, enum viewd_log_level level, const char *msg)
{
	if (level <= VIEWD_LOG_WARNING)
		fprintf(stderr, "# %s\n", msg);
}

static int64_t on_now(void *ctx UNUSED)
{
	return clock_system()->wall(clock_system());
}

void views_open(struct views *v, const char *engine, const char *plugin, const char *url, const char *target)
{
	struct viewd_err err = {0};
	void *handle = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
	*v = (struct views){.engine = engine, .client = sqlclient_open(target)};
	v->dialect = handle != NULL ? dlsym(handle, "viewd_dialect") : NULL;
	if (v->dialect == NULL)
		views_die(plugin, "the plugin does not load");
	v->host = (struct viewd_host){.struct_size = sizeof v->host,
	                              .abi_major = VIEWD_ABI_MAJOR,
	                              .abi_minor = VIEWD_ABI_MINOR,
	                              .log = on_log,
	                              .now = on_now};
	v->db = (struct viewd_database_spec){.struct_size = sizeof v->db,
	                                     .name = "shop",
	                                     .url = url,
	                                     .base_dir = "/",
	                                     .connect_timeout_us = 10000000,
	                                     .application_name = "viewd:bench"};
	if (v->dialect->threads != NULL)
		v->dialect->threads->begin();
	if ((v->conn = v->dialect->open(&v->host, &v->db, &err)) == NULL ||
	    !v->dialect->prepare(v->conn, (struct viewd_recorded_sink){0}, &err))
		views_die(url, err.msg);
}

void views_close(struct views *v)
{
	v->dialect->close(&v->conn);
	sqlclient_close(&v->client);
}

/* ---- views ---- */

static struct viewd_view_spec spec_of(const struct bench_view *view)
{
	return (struct viewd_view_spec){
		.struct_size = sizeof(struct viewd_view_spec),
		.name = view->name,
		.relation = view->name,
		.definition = view->definition,
		.method = view->method,
		.mode = view->mode,
		.unique_key = view->key,
		.n_unique_key = view->n_key,
		.materialized_as_table = true,
		.with_data = true,
		.captured = true,
		.lock_timeout_us = 10000000,
	};
}

bool views_refresh(struct views *v, struct bench_view *view, struct viewd_err *err)
{
	struct viewd_view_spec spec = spec_of(view);
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	*err = (struct viewd_err){0};
	view->out = (struct viewd_outcome){0};
	return v->dialect->refresh(v->conn, &spec, &req, &view->out, err);
}

bool views_was_incremental(const struct bench_view *view)
{
	return view->out.did == VIEWD_DID_INCREMENTAL ||
	       (view->out.did == VIEWD_DID_NO_DATA && strncmp(view->out.reason, "incremental", 11) == 0);
}

static const char *columns_query(const struct views *v, const char *relation)
{
	if (views_are_on(v, "postgresql"))
		return talloc_asprintf(
			NULL, "SELECT attname FROM pg_attribute WHERE attrelid = '%s'::regclass AND attnum > 0 ORDER BY attnum",
			relation);
	if (views_are_on(v, "mariadb"))
		return talloc_asprintf(
			NULL,
			"SELECT column_name FROM information_schema.columns WHERE table_schema = "
			"database() AND table_name = '%s' AND column_name <> 'viewd_pk' ORDER BY ordinal_position",
			relation);
	return talloc_asprintf(NULL, "SELECT name FROM pragma_table_info('%s')", relation);
}

static char *add_bytes(const struct views *v, char *sql, const char *column)
{
	const char *comma = sql[0] != '\0' ? ", " : "";
	if (views_are_on(v, "sqlite"))
		return talloc_asprintf_append_buffer(sql, "%stypeof(%s) || quote(%s)", comma[0] != '\0' ? " || ',' || " : "",
		                                     column, column);
	if (views_are_on(v, "mariadb"))
		return talloc_asprintf_append_buffer(sql, "%sQUOTE(CAST(%s AS BINARY))", comma, column);
	return talloc_asprintf_append_buffer(sql, "%s%s", comma, column);
}

static void find_bytes(struct views *v, struct bench_view *view)
{
	char *rest = v->answer, *name, *bytes = talloc_strdup(NULL, "");
	views_run(v, columns_query(v, view->name));
	while ((name = strsep(&rest, "\n")) != NULL && name[0] != '\0')
		bytes = add_bytes(v, bytes, name);
	view->bytes = views_are_on(v, "sqlite")    ? bytes
	              : views_are_on(v, "mariadb") ? talloc_asprintf(NULL, "MD5(CONCAT_WS(',', %s))", bytes)
	                                           : talloc_asprintf(NULL, "md5(ROW(%s)::text)", bytes);
}

/* A mark as the daemon's watch makes it: without one, no mode but incremental begins to keep a view. */
static void mark(struct views *v, const struct bench_view *view)
{
	const char *insert = views_are_on(v, "postgresql") ? "INSERT INTO viewd.captures (view"
	                     : views_are_on(v, "mariadb")  ? "INSERT INTO viewd_captures (`view`"
	                                                   : "INSERT INTO viewd_captures (view";
	views_run(v, talloc_asprintf(
					 NULL, "%s, source, mode, dirty_seq, clean_seq) VALUES ('%s', 'public.bench', 'trigger', 1, 0)",
					 insert, view->name));
}

void views_mark(struct views *v)
{
	const char *table = views_are_on(v, "postgresql") ? "viewd.captures" : "viewd_captures";
	views_run(v, talloc_asprintf(NULL, "UPDATE %s SET dirty_seq = dirty_seq + 1 WHERE source = 'public.bench'", table));
}

bool views_create(struct views *v, struct bench_view *view, struct viewd_err *err)
{
	struct viewd_view_spec spec = spec_of(view);
	if (!view->made && v->dialect->apply(v->conn, &spec, VIEWD_CHANGE_CREATE, &view->out, err)) {
		view->made = true;
		mark(v, view);
	}
	if (!view->made || !views_refresh(v, view, err))
		return false;
	find_bytes(v, view);
	return true;
}

int64_t views_differences(struct views *v, const struct bench_view *view, const char *relation)
{
	const char *collate = views_are_on(v, "postgresql") ? " COLLATE \"C\"" : "";
	views_run(v, talloc_asprintf(NULL,
	                             "SELECT count(*) FROM (SELECT r FROM (SELECT %s%s AS r, 1 AS n FROM %s v UNION ALL "
	                             "SELECT %s%s, -1 FROM %s f) x GROUP BY r HAVING sum(n) <> 0) y",
	                             view->bytes, collate, view->name, view->bytes, collate, relation));
	return strtol(v->answer, NULL, 10);
}

/* ---- times ---- */

static int ascending(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return *a < *b ? -1 : *a > *b;
}

double views_median_ms(const int64_t *times, size_t n)
{
	int64_t sorted[TIMES_MAX];
	if (n == 0 || n > TIMES_MAX)
		views_die("median", "no such number of times");
	memcpy(sorted, times, n * sizeof *times);
	qsort(sorted, n, sizeof *sorted, ascending);
	return (double)(n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2] + sorted[n / 2 - 1]) / 2) / 1e3;
}
