/* SPDX-License-Identifier: MIT
 *
 * Definitions in SQLite: what they may do and how they are read, with functions, virtual tables, texts in double
 * quotes, row numbers.
 */
#include "base/err.h"
#include "unit/plugins/sqlite_fixture.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define VIRTUAL_TABLES \
	"CREATE TABLE t (id INTEGER PRIMARY KEY, labels TEXT); INSERT INTO t VALUES (1, '[\"a\",\"b\"]'), (2, '[\"b\"]');" \
	"CREATE VIRTUAL TABLE words USING fts5(body); INSERT INTO words VALUES ('hello world');" \
	"CREATE VIRTUAL TABLE terms USING fts5vocab(words, row);" \
	"CREATE VIRTUAL TABLE w4 USING fts4(body); INSERT INTO w4 VALUES ('hello');" \
	"CREATE VIRTUAL TABLE box USING rtree(id, x0, x1); INSERT INTO box VALUES (1, 0, 1);" \
	"CREATE VIEW counted AS SELECT (SELECT count(*) FROM words) + (SELECT count(*) FROM w4) + (SELECT count(*) FROM " \
	"box) AS n;" \
	"CREATE VIEW through AS SELECT j.value AS label FROM t, json_each(t.labels) AS j;"

static void what_leaves_the_file_or_writes_is_refused_by_name(void)
{
	struct fixture f;
	fixture_open_all(&f);
	fixture_user_sql(&f, VIRTUAL_TABLES "CREATE VIEW merged AS SELECT optimize(w4) AS a FROM w4; CREATE VIEW loader AS "
	                                    "SELECT load_extension('x') AS a");
	static const struct {
		const char *definition, *message;
	} cases[] = {
		{"SELECT load_extension('x') AS a", "function load_extension is not allowed"},
		{"SELECT fts3_tokenizer('x') AS a", "function fts3_tokenizer is not allowed"},
		{"SELECT optimize(w4) AS a FROM w4", "function optimize is not allowed in what viewd runs (it writes"},
		{"SELECT a FROM merged", "function optimize is not allowed"},
		{"SELECT rtreecheck('box') AS a", "function rtreecheck is not allowed"},
		{"SELECT readfile('/etc/passwd') AS a", "no such function: readfile"},
		{"SELECT * FROM pragma_journal_mode", "pragma journal_mode is not allowed"},
		{"SELECT * FROM pragma_user_version", "pragma user_version is not allowed"},
		{"SELECT * FROM pragma_incremental_vacuum(3)", "no such table"},
		{"SELECT * FROM pragma_integrity_check", "pragma integrity_check is not allowed"},
		{"WITH x AS (SELECT 1) DELETE FROM t RETURNING id",
	     "writing t is not allowed in what viewd runs (a definition only reads)"},
		{"WITH x AS (SELECT 1) INSERT INTO box_node VALUES (9, 9) RETURNING nodeno", "box_node may not be modified"},
		{"WITH x AS (SELECT 1) UPDATE sqlite_master SET sql = 'x' RETURNING 1", "sqlite_master may not be modified"},
		{"SELECT a FROM loader", "unsafe use of load_extension()"},
		{"SELECT a FROM (VALUES (1)) AS q(a)", "syntax error"},
		{"SELECT ?1 + id AS a FROM t", "definition holds a parameter"},
		{"SELECT :x AS a", "definition holds a parameter"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct viewd_view_spec view = fixture_table_of(cases[i].definition);
		bool made = fixture_apply(&f, &view, VIEWD_CHANGE_CREATE);
		harness_check(!made && strstr(f.err.msg, cases[i].message) != NULL, __FILE__, __LINE__, "%s: made %d, %s: %s",
		              cases[i].definition, made, err_class_word(f.err.cls), f.err.msg);
	}
	CHECK_STR(fixture_user_rows(&f, "SELECT name FROM sqlite_master WHERE name = 'v'"), "");
	CHECK_STR(fixture_user_rows(&f, "SELECT count(*) FROM w4; SELECT count(*) FROM t; PRAGMA user_version"),
	          "1\n2\n0\n");
	fixture_close_all(&f);
}

static void table_functions_and_virtual_tables_are_read(void)
{
	static const char *const definitions[] = {
		"SELECT j.value AS label, count(*) AS n FROM t, json_each(t.labels) AS j GROUP BY j.value",
		"SELECT t.id AS id, e.fullkey AS k FROM t, json_tree(t.labels) AS e",
		"SELECT label FROM through",
		"SELECT n FROM counted",
		"SELECT rowid AS n, highlight(words, 0, '<', '>') AS h, bm25(words) AS b FROM words('hello')",
		"SELECT count(*) AS n FROM words",
		"SELECT term, doc FROM terms",
		"SELECT count(*) AS n FROM w4",
		"SELECT snippet(w4) AS s FROM w4 WHERE w4 MATCH 'hello'",
		"SELECT id, x0 FROM box WHERE x1 >= 0",
		"SELECT name, type FROM pragma_table_info('t')",
		"SELECT name FROM pragma_index_list('t')",
		"SELECT name FROM dbstat WHERE name = 't'",
		"SELECT name FROM sqlite_master WHERE type = 'table'",
	};
	struct fixture f;
	fixture_open_all(&f);
	fixture_user_sql(&f, VIRTUAL_TABLES);
	for (size_t i = 0; i < ARRAY_LEN(definitions) * 2; i++) {
		struct viewd_view_spec view = fixture_table_of(definitions[i / 2]);
		struct viewd_verdict verdict = {0};
		view.method = i % 2 == 0 ? VIEWD_METHOD_TABLE : VIEWD_METHOD_SIMPLE;
		APPLY(&f, &view, VIEWD_CHANGE_CREATE);
		if (i % 2 == 0) {
			fixture_user_sql(&f, "INSERT INTO t (labels) VALUES ('[\"c\"]'); INSERT INTO words VALUES ('hello again');"
			                     "INSERT INTO w4 VALUES ('hello again'); INSERT INTO box (x0, x1) VALUES (3, 4)");
			CHECK_OK(fixture_refresh(&f, &view), &f.err);
			CHECK_OK(f.dialect->verify(f.conn, &view, &verdict, &f.err), &f.err);
			harness_check(verdict.missing == 0 && verdict.unexpected == 0, __FILE__, __LINE__, "%s", view.definition);
		}
		APPLY(&f, &view, VIEWD_CHANGE_DROP);
	}
	fixture_close_all(&f);
}

static bool add_source(void *ctx, const struct viewd_source *source)
{
	char **list = ctx;
	*list = talloc_asprintf_append(*list, "%s ", source->name);
	return true;
}

/* Table functions are no sources: what they read is in their arguments. */
static void sources_are_what_rows_come_from(void)
{
	static const struct {
		const char *definition, *sources;
	} cases[] = {
		{"SELECT j.value AS label FROM t, json_each(t.labels) AS j", "t "},
		{"SELECT label FROM through", "through t "},
		{"SELECT body FROM words", "words "},
		{"SELECT id FROM box", "box "},
		{"WITH q AS (SELECT id FROM t) SELECT "
	     "count(*) AS n FROM q, json_tree('{}')",
	     "t "},
	};
	struct fixture f;
	fixture_open_all(&f);
	fixture_user_sql(&f, VIRTUAL_TABLES);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct viewd_view_spec view = fixture_table_of(cases[i].definition);
		char *list = talloc_strdup(harness_ctx(), "");
		CHECK_OK(f.dialect->inspect(f.conn, &view, &f.found, (struct viewd_source_sink){add_source, &list}, &f.err),
		         &f.err);
		CHECK_STR(list, cases[i].sources);
	}
	fixture_close_all(&f);
}

static bool ignore_source(void *ctx UNUSED, const struct viewd_source *source UNUSED)
{
	return true;
}

/* As the application's own connection reads it: text, unless a column has the name. */
static void double_quotes_may_hold_text(void)
{
	struct fixture f;
	fixture_open_all(&f);
	fixture_user_sql(
		&f, "CREATE TABLE c (id INTEGER PRIMARY KEY, country TEXT); INSERT INTO c VALUES (1, 'Brazil'), (2, 'Peru');"
			"CREATE VIEW br AS SELECT id FROM c WHERE country = \"Brazil\"");
	struct viewd_view_spec view = fixture_table_of("SELECT id, \"sold in\" AS w FROM c WHERE \"country\" = \"Brazil\"");
	expect_log("\"sold in\", which is no column");
	for (int i = 0; i < 2; i++) {
		struct viewd_source_sink sources = {ignore_source, NULL};
		CHECK_OK(f.dialect->inspect(f.conn, &view, &f.found, sources, &f.err), &f.err); /* told once */
	}
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	CHECK_STR(fixture_user_rows(&f, "SELECT id, w FROM v"), "1|sold in\n");
	fixture_user_sql(&f, "CREATE TABLE log (a); CREATE INDEX part ON v (id) WHERE w = \"sold in\";"
	                     "CREATE TRIGGER told AFTER INSERT ON v BEGIN INSERT INTO log VALUES (\"written\"); END");
	view.definition = "SELECT br.id, country AS w FROM br JOIN c USING (id)";
	APPLY(&f, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(fixture_user_rows(&f, "SELECT name FROM sqlite_master WHERE name IN ('part', 'told') ORDER BY name"),
	          "part\ntold\n");
	fixture_user_sql(&f, "UPDATE c SET country = 'Brazil' WHERE id = 2");
	CHECK_OK(fixture_refresh(&f, &view), &f.err);
	CHECK_STR(fixture_user_rows(&f, "SELECT DISTINCT a FROM log; SELECT id, w FROM v"),
	          "written\n1|Brazil\n2|Brazil\n");
	fixture_close_all(&f);
}

/* The SQL that viewd writes around a definition never turns a name into text: a column that goes away meanwhile is an
 * error. */
static void a_column_that_goes_away_is_no_text(void)
{
	struct fixture f;
	fixture_open_all(&f);
	fixture_user_sql(&f, "CREATE TABLE c (id INTEGER PRIMARY KEY, a); INSERT INTO c VALUES (1, 2)");
	static const struct viewd_column columns[] = {{"id", NULL}, {"a", NULL}};
	struct viewd_view_spec view = fixture_table_of("SELECT * FROM c");
	view.columns = columns;
	view.n_columns = ARRAY_LEN(columns);
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	fixture_user_sql(&f, "ALTER TABLE c RENAME COLUMN a TO b");
	CHECK(!fixture_refresh(&f, &view));
	view.method = VIEWD_METHOD_SIMPLE;
	CHECK_OK(fixture_apply(&f, &view, VIEWD_CHANGE_DROP), &f.err);
	fixture_user_sql(&f, "ALTER TABLE c RENAME COLUMN b TO a");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	fixture_user_sql(&f, "DROP TABLE c; CREATE TABLE c (id, b)");
	CHECK(sqlite3_exec(f.user, "SELECT * FROM v", NULL, NULL, NULL) != SQLITE_OK);
	fixture_close_all(&f);
}

/* A row's number has another name inside a subquery than in the query itself. */
static void row_numbers_are_columns(void)
{
	static const struct {
		const char *definition, *columns, *rows;
	} cases[] = {
		{"SELECT rowid, t FROM c", "id|INTEGER\nt|TEXT\n", "7|a\n"},
		{"SELECT c.oid, t FROM c", "id|INTEGER\nt|TEXT\n", "7|a\n"},
		{"SELECT _rowid_ AS n, t FROM c", "n|INTEGER\nt|TEXT\n", "7|a\n"},
		{"SELECT rowid, t FROM plain", "rowid|INTEGER\nt|\n", "1|x\n"},
		{"SELECT t, rowid FROM plain", "t|\nrowid|INTEGER\n", "x|1\n"},
	};
	static const struct viewd_column declared[] = {{"t", NULL}, {"id", NULL}};
	static const char *const key[] = {"id"};
	struct viewd_verdict verdict = {0};
	struct fixture f;
	fixture_open_all(&f);
	fixture_user_sql(&f, "CREATE TABLE c (id INTEGER PRIMARY KEY, t TEXT); INSERT INTO c VALUES (7, 'a'); CREATE TABLE "
	                     "plain (t); INSERT INTO plain VALUES ('x')");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct viewd_view_spec view = fixture_table_of(cases[i].definition);
		APPLY(&f, &view, VIEWD_CHANGE_CREATE);
		CHECK_STR(fixture_user_rows(&f, "SELECT name, type FROM pragma_table_info('v')"), cases[i].columns);
		CHECK_OK(fixture_refresh(&f, &view), &f.err);
		CHECK_STR(fixture_user_rows(&f, "SELECT * FROM v"), cases[i].rows);
		CHECK_OK(f.dialect->verify(f.conn, &view, &verdict, &f.err), &f.err);
		CHECK_INT(verdict.missing + verdict.unexpected, 0);
		APPLY(&f, &view, VIEWD_CHANGE_DROP);
	}
	struct viewd_view_spec view = fixture_table_of("SELECT rowid, t FROM c");
	view.columns = declared;
	view.n_columns = ARRAY_LEN(declared);
	view.unique_key = key;
	view.n_unique_key = 1;
	view.mode = VIEWD_MODE_DIFF;
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	fixture_user_sql(&f, "UPDATE c SET t = 'b'");
	CHECK_OK(fixture_refresh(&f, &view), &f.err);
	CHECK_STR(fixture_user_rows(&f, "SELECT * FROM v"), "b|7\n");
	view.definition = "SELECT rowid, id, t FROM c";
	CHECK(!fixture_apply(&f, &view, VIEWD_CHANGE_REPLACE));
	CHECK_CONTAINS(f.err.msg, "two columns named 'id'");
	fixture_close_all(&f);
}

static const struct harness_test tests[] = {
	{"what leaves the file or writes is refused by name", what_leaves_the_file_or_writes_is_refused_by_name},
	{"table functions and virtual tables are read", table_functions_and_virtual_tables_are_read},
	{"sources are what rows come from", sources_are_what_rows_come_from},
	{"double quotes may hold text", double_quotes_may_hold_text},
	{"a column that goes away is no text", a_column_that_goes_away_is_no_text},
	{"row numbers are columns", row_numbers_are_columns},
};
HARNESS_MAIN(SUITE("sqlite definitions", tests))
