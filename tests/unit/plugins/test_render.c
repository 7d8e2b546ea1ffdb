/* SPDX-License-Identifier: MIT
 *
 * The statements that each built dialect renders, and its refusals, without a connection. Dialects that were not built
 * are skipped.
 */
#include "base/err.h"
#include "support/harness.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

enum which { POSTGRESQL, MYSQL, SQLITE };
static const char *const names[] = {"postgresql", "mysql", "sqlite"};
static const char *const urls[] = {"postgresql:///x", "mysql://h/x", "sqlite:////x.db"};

static const struct viewd_dialect *dialect(enum which which)
{
	const char *build = getenv("VIEWD_BUILD");
	char *path = talloc_asprintf(harness_ctx(), "%s/.libs/viewd_%s.so", build != NULL ? build : ".", names[which]);
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL)
		harness_skip(dlerror());
	const struct viewd_dialect *found = dlsym(handle, "viewd_dialect");
	REQUIRE(found != NULL);
	return found;
}

static bool append(void *ctx, const char *text)
{
	char **out = ctx;
	*out = talloc_asprintf_append_buffer(*out, "%s;\n", text);
	return true;
}

/* All statements, each ended by ";\n", or "error: ...". */
static const char *rendered(enum which which, const struct viewd_view_spec *view, enum viewd_render_kind kind,
                            struct viewd_render_flags flags)
{
	struct viewd_err err = {0};
	char *out = talloc_strdup(harness_ctx(), "");
	struct viewd_database_spec db = {.struct_size = sizeof db, .name = "d", .url = urls[which], .base_dir = "/"};
	if (dialect(which)->render(&db, view, kind, &flags, (struct viewd_text_sink){append, &out}, &err))
		return out;
	return talloc_asprintf(harness_ctx(), "error: %s", err.msg);
}

static struct viewd_view_spec view_of(enum viewd_method method)
{
	return (struct viewd_view_spec){.struct_size = sizeof(struct viewd_view_spec),
	                                .name = "v",
	                                .relation = "\"Order Stats\"",
	                                .definition = "SELECT id, total FROM orders; -- all",
	                                .method = method,
	                                .materialized_as_table = true,
	                                .with_data = true,
	                                .on_remove = VIEWD_REMOVE_KEEP,
	                                .lock_timeout_us = 1};
}

static const struct viewd_render_flags plain = {0};
static const struct viewd_render_flags replace = {.or_replace = true};

static void simple_views(void)
{
	struct viewd_view_spec view = view_of(VIEWD_METHOD_SIMPLE);
	CHECK_STR(rendered(POSTGRESQL, &view, VIEWD_RENDER_CREATE, plain),
	          "CREATE VIEW \"Order Stats\" AS\nSELECT id, total FROM orders;\n");
	CHECK_STR(rendered(POSTGRESQL, &view, VIEWD_RENDER_CREATE, replace),
	          "CREATE OR REPLACE VIEW \"Order Stats\" AS\nSELECT id, total FROM orders;\n");
	CHECK_STR(rendered(POSTGRESQL, &view, VIEWD_RENDER_REFRESH, plain), "");
	CHECK_STR(
		rendered(POSTGRESQL, &view, VIEWD_RENDER_DROP, (struct viewd_render_flags){.if_exists = true, .cascade = true}),
		"DROP VIEW IF EXISTS \"Order Stats\" CASCADE;\n");
}

/* The statements of an incremental refresh are not in the files. Whoever reads the rendered statements is told so. */
static void incremental_views(void)
{
	struct viewd_view_spec view = view_of(VIEWD_METHOD_TABLE);
	view.mode = VIEWD_MODE_INCREMENTAL;
	const char *create = rendered(SQLITE, &view, VIEWD_RENDER_CREATE, replace);
	CHECK_CONTAINS(create, ";\n-- refresh_mode = incremental: change logs");
	CHECK_CONTAINS(create, "viewctl explain tells.\nCREATE TABLE \"Order Stats\"");
	const char *refresh = rendered(SQLITE, &view, VIEWD_RENDER_REFRESH, plain);
	CHECK(strncmp(refresh, "-- refresh_mode = incremental: these compute all rows", 53) == 0);
	CHECK_CONTAINS(refresh, "\nDELETE FROM \"Order Stats\";\n");
	view.mode = VIEWD_MODE_FULL;
	CHECK(strncmp(rendered(SQLITE, &view, VIEWD_RENDER_REFRESH, plain), "DELETE FROM", 11) == 0);
}

static void simple_views_elsewhere(void)
{
	struct viewd_view_spec view = view_of(VIEWD_METHOD_SIMPLE);
	CHECK_STR(rendered(SQLITE, &view, VIEWD_RENDER_CREATE, (struct viewd_render_flags){.if_not_exists = true}),
	          "CREATE VIEW IF NOT EXISTS \"Order Stats\" AS\nSELECT id, total FROM orders;\n");
	CHECK_STR(rendered(SQLITE, &view, VIEWD_RENDER_CREATE, replace),
	          "DROP VIEW IF EXISTS \"Order Stats\";\nCREATE VIEW \"Order Stats\" AS\nSELECT id, total FROM orders;\n");
	CHECK_STR(rendered(SQLITE, &view, VIEWD_RENDER_DROP, (struct viewd_render_flags){.cascade = true}),
	          "DROP VIEW \"Order Stats\";\n");
}

static void simple_views_on_mysql(void)
{
	struct viewd_view_spec view = view_of(VIEWD_METHOD_SIMPLE);
	CHECK_STR(rendered(MYSQL, &view, VIEWD_RENDER_CREATE, replace),
	          "CREATE OR REPLACE VIEW `Order Stats` AS\nSELECT id, total FROM orders;\n");
	CHECK_STR(rendered(MYSQL, &view, VIEWD_RENDER_REFRESH, plain), "");
}

static void forms_that_are_missing_are_refused(void)
{
	struct viewd_view_spec view = view_of(VIEWD_METHOD_SIMPLE);
	CHECK_CONTAINS(rendered(POSTGRESQL, &view, VIEWD_RENDER_CREATE, (struct viewd_render_flags){.if_not_exists = true}),
	               "has no CREATE VIEW IF NOT EXISTS");
	CHECK_CONTAINS(rendered(POSTGRESQL, &view, VIEWD_RENDER_CREATE,
	                        (struct viewd_render_flags){.if_not_exists = true, .or_replace = true}),
	               "exclude each other");
}

static void materialized_views(void)
{
	static const char *const key[] = {"id"};
	static const struct viewd_kv options[] = {{"fillfactor", "90"}, {"toast.x", "it's"}};
	struct viewd_view_spec view = view_of(VIEWD_METHOD_MATERIALIZED);
	view.unique_key = key;
	view.n_unique_key = 1;
	view.options = options;
	view.n_options = 2;
	CHECK_STR(rendered(POSTGRESQL, &view, VIEWD_RENDER_CREATE, replace),
	          "DROP MATERIALIZED VIEW IF EXISTS \"Order Stats\";\n"
	          "CREATE MATERIALIZED VIEW \"Order Stats\" WITH (fillfactor=90, toast.x='it''s') AS\nSELECT id, total "
	          "FROM orders\nWITH NO DATA;\n"
	          "REFRESH MATERIALIZED VIEW \"Order Stats\";\n"
	          "CREATE UNIQUE INDEX \"Order Stats_key_bb229b22\" ON \"Order Stats\" (\"id\");\n");
	CHECK_STR(rendered(POSTGRESQL, &view, VIEWD_RENDER_REFRESH, plain), "REFRESH MATERIALIZED VIEW \"Order Stats\";\n");
	view.mode = VIEWD_MODE_CONCURRENTLY;
	CHECK_STR(rendered(POSTGRESQL, &view, VIEWD_RENDER_REFRESH, plain),
	          "REFRESH MATERIALIZED VIEW CONCURRENTLY \"Order Stats\";\n");
	CHECK_STR(rendered(POSTGRESQL, &view, VIEWD_RENDER_DROP, plain), "DROP MATERIALIZED VIEW \"Order Stats\";\n");
}

static void tables_on_sqlite(void)
{
	static const struct viewd_column columns[] = {{"Total", "NUMERIC"}, {"id", "INTEGER"}};
	static const struct viewd_index indexes[] = {{"by_total", "(total DESC)"}};
	struct viewd_view_spec view = view_of(VIEWD_METHOD_MATERIALIZED);
	CHECK_STR(rendered(SQLITE, &view, VIEWD_RENDER_REFRESH, plain),
	          "DELETE FROM \"Order Stats\";\nINSERT INTO \"Order Stats\"\nSELECT id, total FROM orders;\n");
	view.columns = columns;
	view.n_columns = 2;
	view.indexes = indexes;
	view.n_indexes = 1;
	CHECK_STR(rendered(SQLITE, &view, VIEWD_RENDER_CREATE, (struct viewd_render_flags){.if_not_exists = true}),
	          "CREATE TABLE IF NOT EXISTS \"Order Stats\" (\n\t\"Total\" NUMERIC,\n\t\"id\" INTEGER\n);\n"
	          "INSERT INTO \"Order Stats\" (\"Total\", \"id\")\nSELECT viewd_q.\"Total\", viewd_q.\"id\"\nFROM "
	          "(\nSELECT id, total FROM orders\n) AS viewd_q;\n"
	          "CREATE INDEX \"Order Stats_by_total_1ecb85d9\" ON \"Order Stats\" (total DESC);\n");
	CHECK_STR(rendered(SQLITE, &view, VIEWD_RENDER_DROP, plain), "DROP TABLE \"Order Stats\";\n");
}

static void tables_on_postgresql(void)
{
	static const struct viewd_column columns[] = {{"total", NULL}, {"id", NULL}};
	struct viewd_view_spec view = view_of(VIEWD_METHOD_TABLE);
	view.relation = "Sales.Stats";
	view.with_data = false;
	view.columns = columns;
	view.n_columns = 2;
	CHECK_STR(rendered(POSTGRESQL, &view, VIEWD_RENDER_CREATE, plain),
	          "CREATE TABLE \"sales\".\"stats\" AS\nSELECT \"total\", \"id\"\nFROM (\nSELECT id, total FROM orders\n) "
	          "AS viewd_q WITH NO DATA;\n");
}

static void a_diff_is_shown(void)
{
	static const struct viewd_column columns[] = {{"id", "INTEGER"}, {"total", "NUMERIC"}};
	static const char *const key[] = {"id"};
	struct viewd_view_spec view = view_of(VIEWD_METHOD_TABLE);
	view.mode = VIEWD_MODE_DIFF;
	view.unique_key = key;
	view.n_unique_key = 1;
	CHECK_CONTAINS(rendered(SQLITE, &view, VIEWD_RENDER_REFRESH, plain), "columns are not declared");
	view.columns = columns;
	view.n_columns = 2;
	const char *sql = rendered(SQLITE, &view, VIEWD_RENDER_REFRESH, plain);
	CHECK_CONTAINS(sql, "CREATE TEMPORARY TABLE \"temp\".\"viewd_stage_");
	CHECK_CONTAINS(sql, "CREATE INDEX \"temp\".\"viewd_stage_");
	CHECK_CONTAINS(sql, "DELETE FROM \"Order Stats\" WHERE NOT (\"Order Stats\".\"id\" IS NULL) AND NOT EXISTS (SELECT "
	                    "1 FROM \"temp\".\"viewd_stage_");
	CHECK_CONTAINS(sql, "DELETE FROM \"Order Stats\" WHERE (\"Order Stats\".\"id\" IS NULL);");
	CHECK_CONTAINS(sql, "s.\"id\" = \"Order Stats\".\"id\" AND (s.\"id\" IS \"Order Stats\".\"id\" COLLATE BINARY");
}

/* ---- what is refused before anything is rendered ---- */

static const char *refusal(enum which which, const struct viewd_view_spec *view)
{
	struct viewd_err err = {0};
	struct viewd_resolved resolved;
	struct viewd_database_spec db = {.struct_size = sizeof db, .name = "d", .url = urls[which], .base_dir = "/"};
	if (dialect(which)->check_view(&db, view, &resolved, (struct viewd_text_sink){0}, &err))
		return "";
	CHECK_INT(err.cls, VIEWD_ERR_CONFIG);
	return talloc_strdup(harness_ctx(), err.msg);
}

static void impossible_modes_say_why(void)
{
	static const char *const key[] = {"id"};
	struct viewd_view_spec view = view_of(VIEWD_METHOD_SIMPLE);
	view.mode = VIEWD_MODE_DIFF;
	CHECK_CONTAINS(refusal(SQLITE, &view), "a simple view stores no rows");
	view.method = VIEWD_METHOD_TABLE;
	CHECK_CONTAINS(refusal(SQLITE, &view), "unique_key");
	view.unique_key = key;
	view.n_unique_key = 1;
	CHECK_STR(refusal(SQLITE, &view), "");
	view.mode = VIEWD_MODE_SWAP;
	CHECK_CONTAINS(refusal(SQLITE, &view), "rewrites the views");
	view.method = VIEWD_METHOD_MATERIALIZED;
	view.materialized_as_table = false;
	CHECK_CONTAINS(refusal(SQLITE, &view), "has no materialized views");
}

/* Read once, by the engine's rule: PostgreSQL folds plain names, SQLite ignores case. */
static void keys_are_read_as_the_engine_does(void)
{
	static const struct viewd_column columns[] = {{"\"createdAt\"", "date"}, {"ID", "integer"}};
	static const char *const quoted[] = {"\"createdAt\"", "Id"}, *const folded[] = {"createdAt"},
							 *const twice[] = {"ID", "\"id\""};
	struct viewd_view_spec view = view_of(VIEWD_METHOD_TABLE);
	view.columns = columns;
	view.n_columns = 2;
	view.unique_key = quoted;
	view.n_unique_key = 2;
	CHECK_CONTAINS(rendered(POSTGRESQL, &view, VIEWD_RENDER_CREATE, plain), "(\"createdAt\", \"id\")");
	CHECK_CONTAINS(rendered(SQLITE, &view, VIEWD_RENDER_CREATE, plain), "(\"createdAt\", \"Id\")");
	CHECK_CONTAINS(rendered(MYSQL, &view, VIEWD_RENDER_CREATE, plain), "(`createdAt`, `Id`)");
	view.unique_key = twice;
	CHECK_CONTAINS(refusal(POSTGRESQL, &view), "unique_key names 'id' twice");
	CHECK_CONTAINS(refusal(SQLITE, &view), "unique_key names 'id' twice");
	view.unique_key = folded;
	view.n_unique_key = 1;
	CHECK_CONTAINS(refusal(POSTGRESQL, &view), "unique_key column 'createdat' is not among the view's columns");
	CHECK_STR(refusal(SQLITE, &view), "");
}

/* Single rows can be written into a table only. */
static void incremental_means_a_table(void)
{
	struct viewd_view_spec view = view_of(VIEWD_METHOD_MATERIALIZED);
	view.mode = VIEWD_MODE_INCREMENTAL;
	CHECK_CONTAINS(rendered(POSTGRESQL, &view, VIEWD_RENDER_CREATE, plain), "CREATE TABLE \"Order Stats\"");
	view.materialized_as_table = false;
	CHECK_CONTAINS(refusal(POSTGRESQL, &view), "the rows of a materialized view cannot be written one by one");
}

static void concurrently_needs_a_unique_index(void)
{
	static const struct viewd_index partial[] = {{"x", "UNIQUE (id) WHERE id > 0"}}, full[] = {{"x", "UNIQUE (id)"}};
	struct viewd_view_spec view = view_of(VIEWD_METHOD_MATERIALIZED);
	view.mode = VIEWD_MODE_CONCURRENTLY;
	CHECK_CONTAINS(refusal(POSTGRESQL, &view), "unique index");
	view.indexes = partial;
	view.n_indexes = 1;
	CHECK_CONTAINS(refusal(POSTGRESQL, &view), "unique index");
	view.indexes = full;
	CHECK_STR(refusal(POSTGRESQL, &view), "");
}

static void wrong_settings_are_refused(void)
{
	static const struct viewd_index index[] = {{"x", "(id)"}}, stacked[] = {{"x", "(id); DROP TABLE y"}};
	static const struct viewd_kv options[] = {{"fillfactor", "90"}};
	static const struct viewd_column twice[] = {{"id", NULL}, {"ID", NULL}}, only_id[] = {{"id", NULL}},
									 bad_type[] = {{"id", "int); DROP TABLE x; --"}};
	static const char *const key[] = {"nope"};
	struct viewd_view_spec view = view_of(VIEWD_METHOD_SIMPLE);
	view.indexes = index;
	view.n_indexes = 1;
	CHECK_CONTAINS(refusal(SQLITE, &view), "stores no rows");
	view = view_of(VIEWD_METHOD_TABLE);
	view.indexes = stacked;
	view.n_indexes = 1;
	CHECK_CONTAINS(refusal(SQLITE, &view), "semicolon");
	view = view_of(VIEWD_METHOD_TABLE);
	view.options = options;
	view.n_options = 1;
	CHECK_CONTAINS(refusal(SQLITE, &view), "options");
	view = view_of(VIEWD_METHOD_TABLE);
	view.settings = options;
	view.n_settings = 1;
	CHECK_CONTAINS(refusal(SQLITE, &view), "settings cannot work");
	CHECK_CONTAINS(refusal(POSTGRESQL, &view), "settings cannot work");
	view = view_of(VIEWD_METHOD_TABLE);
	view.columns = twice;
	view.n_columns = 2;
	CHECK_CONTAINS(refusal(SQLITE, &view), "twice");
	view.columns = bad_type;
	view.n_columns = 1;
	CHECK_CONTAINS(refusal(SQLITE, &view), "not a column type");
	view = view_of(VIEWD_METHOD_TABLE);
	view.columns = only_id;
	view.n_columns = 1;
	view.unique_key = key;
	view.n_unique_key = 1;
	CHECK_CONTAINS(refusal(SQLITE, &view), "'nope' is not among");
	view = view_of(VIEWD_METHOD_TABLE);
	view.definition = NULL;
	CHECK_CONTAINS(refusal(SQLITE, &view), "definition is missing");
}

/* The word of the clock that the dialect finds in the query; NULL: it refuses the query. */
static const char *clock_word(enum which which, const char *query)
{
	struct viewd_err err = {0};
	struct viewd_resolved out = {0};
	struct viewd_database_spec db = {.struct_size = sizeof db, .name = "d", .url = urls[which], .base_dir = "/"};
	struct viewd_view_spec view = view_of(VIEWD_METHOD_TABLE);
	view.definition = query;
	if (!CHECK_OK(dialect(which)->check_view(&db, &view, &out, (struct viewd_text_sink){0}, &err), &err))
		return NULL;
	return talloc_strdup(harness_ctx(), out.reads_clock);
}

static void what_reads_the_clock(void)
{
	static const struct {
		enum which which;
		const char *query, *word;
	} cases[] = {
		{POSTGRESQL, "SELECT id, total FROM orders WHERE at > now()", "now()"},
		{POSTGRESQL, "SELECT id, total FROM orders WHERE at > pg_catalog.Now ( )", "Now()"},
		{POSTGRESQL, "SELECT id, total FROM orders WHERE day = Current_Date", "Current_Date"},
		{POSTGRESQL, "SELECT id, CURRENT_TIMESTAMP(0) AS total FROM orders", "CURRENT_TIMESTAMP()"},
		{POSTGRESQL, "SELECT id, localtimestamp - clock_timestamp() AS total FROM orders", "localtimestamp"},
		{POSTGRESQL, "SELECT id, statement_timestamp() AS total FROM orders", "statement_timestamp()"},
		{POSTGRESQL, "SELECT id, transaction_timestamp() AS total FROM orders", "transaction_timestamp()"},
		{POSTGRESQL, "SELECT id, timeofday() AS total FROM orders", "timeofday()"},
		{POSTGRESQL, "SELECT id, 'now()' AS total FROM orders -- now()", ""},
		{POSTGRESQL, "SELECT id, $$current_date$$ AS total, \"current_date\" FROM orders /* now() */", ""},
		{POSTGRESQL, "SELECT now AS id, o.localtime AS total, x AS current_date, utc_date FROM orders o", ""},
		{POSTGRESQL, "SELECT id, date(at) AS total, date '2026-01-01' FROM orders", ""},
		{MYSQL, "SELECT id, total FROM orders WHERE at > NOW(6)", "NOW()"},
		{MYSQL, "SELECT id, utc_timestamp AS total FROM orders", "utc_timestamp"},
		{MYSQL, "SELECT id, curdate() AS total FROM orders", "curdate()"},
		{MYSQL, "SELECT id, sysdate() AS total FROM orders", "sysdate()"},
		{MYSQL, "SELECT id, unix_timestamp() AS total FROM orders", "unix_timestamp()"},
		{MYSQL, "SELECT id, unix_timestamp(at) AS total FROM orders", ""},
		{MYSQL, "SELECT id, `curdate` AS total, \"now()\" FROM orders # now()", ""},
		{MYSQL, "SELECT id, date(at) AS total, now FROM orders", ""},
		{SQLITE, "SELECT id, date('now', '-1 day') AS total FROM orders", "date()"},
		{SQLITE, "SELECT id, datetime(\"NOW\") AS total FROM orders", "datetime()"},
		{SQLITE, "SELECT id, julianday() AS total FROM orders", "julianday()"},
		{SQLITE, "SELECT id, strftime('%s') AS total FROM orders", "strftime()"},
		{SQLITE, "SELECT id, strftime('%s', coalesce(at, 'now')) AS total FROM orders", "strftime()"},
		{SQLITE, "SELECT id, CURRENT_TIME AS total FROM orders", "CURRENT_TIME"},
		{SQLITE, "SELECT id, strftime('%s', at) AS total, date(at, '+1 day'), unixepoch((at)) FROM orders", ""},
		{SQLITE, "SELECT id, date AS total, time, [current_date], 'now' FROM orders", ""},
		{SQLITE, "SELECT id, now() AS total FROM orders", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK_STR(clock_word(cases[i].which, cases[i].query), cases[i].word);
}

static struct viewd_resolved resolved(const struct viewd_view_spec *view)
{
	struct viewd_err err = {0};
	struct viewd_resolved out = {0};
	struct viewd_database_spec db = {.struct_size = sizeof db, .name = "d", .url = urls[SQLITE], .base_dir = "/"};
	CHECK_OK(dialect(SQLITE)->check_view(&db, view, &out, (struct viewd_text_sink){0}, &err), &err);
	return out;
}

static void the_hash_tells_what_matters(void)
{
	static const struct viewd_index index[] = {{"x", "(id)"}};
	struct viewd_view_spec view = view_of(VIEWD_METHOD_TABLE);
	struct viewd_resolved first = resolved(&view);
	view.definition = "SELECT  id,\n total /* sum */ FROM orders";
	CHECK_STR(resolved(&view).hash, first.hash);
	view.method = VIEWD_METHOD_MATERIALIZED;
	CHECK_STR(resolved(&view).hash, first.hash);
	CHECK_INT(resolved(&view).method, VIEWD_METHOD_TABLE);
	view.indexes = index;
	view.n_indexes = 1;
	CHECK_STR(resolved(&view).hash, first.hash);
	CHECK(strcmp(resolved(&view).index_hash, first.index_hash) != 0);
	view.method = VIEWD_METHOD_SIMPLE;
	view.n_indexes = 0;
	CHECK(strcmp(resolved(&view).hash, first.hash) != 0);
	view = view_of(VIEWD_METHOD_TABLE);
	view.relation = "other";
	CHECK(strcmp(resolved(&view).hash, first.hash) != 0);
	view = view_of(VIEWD_METHOD_TABLE);
	view.definition = "SELECT id, total FROM \"orders\"";
	CHECK(strcmp(resolved(&view).hash, first.hash) != 0);
}

static const struct harness_test tests[] = {
	{"simple views", simple_views},
	{"incremental views", incremental_views},
	{"simple views elsewhere", simple_views_elsewhere},
	{"simple views on mysql", simple_views_on_mysql},
	{"forms that are missing are refused", forms_that_are_missing_are_refused},
	{"materialized views", materialized_views},
	{"tables on sqlite", tables_on_sqlite},
	{"tables on postgresql", tables_on_postgresql},
	{"a diff is shown", a_diff_is_shown},
	{"impossible modes say why", impossible_modes_say_why},
	{"incremental means a table", incremental_means_a_table},
	{"concurrently needs a unique index", concurrently_needs_a_unique_index},
	{"keys are read as the engine does", keys_are_read_as_the_engine_does},
	{"wrong settings are refused", wrong_settings_are_refused},
	{"what reads the clock", what_reads_the_clock},
	{"the hash tells what matters", the_hash_tells_what_matters},
};
HARNESS_MAIN(SUITE("render", tests))
