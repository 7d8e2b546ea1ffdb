/* SPDX-License-Identifier: MIT
 *
 * Settings under which definitions run: those of a database, and those of one view.
 */
#include "my_support.h"

#include <string.h>

#include "base/err.h"

static void settings_are_judged(void)
{
	static const struct {
		const char *key, *value, *message;
	} cases[] = {
		{"sql_mode", "none", NULL},
		{"sql_mode", "", NULL},
		{"sql_mode", "strict_trans_tables, NO_ZERO_DATE", NULL},
		{"sql_mode", "NO_ZERO_DATE,ANSI_QUOTES", "sql_mode 'ANSI_QUOTES' is not one"},
		{"sql_mode", "x', autocommit = 0, @y = '", "sql_mode 'x'' is not one"},
		{"group_concat_max_len", "1000000", NULL},
		{"group_concat_max_len", "1M", "'1M' is not such a number"},
		{"group_concat_max_len", "-1", "'-1' is not such a number"},
		{"sql_modes", "none", "key 'sql_modes' is not known"},
		{"time_zone", "UTC", "key 'time_zone' is not known"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct viewd_kv option = {cases[i].key, cases[i].value};
		const struct viewd_database_spec spec = {.struct_size = sizeof spec,
		                                         .name = "shop",
		                                         .url = "mysql://u@h/shop",
		                                         .base_dir = "/",
		                                         .options = &option,
		                                         .n_options = 1};
		struct viewd_err err = {0};
		bool good = DIALECT->check_database(&spec, &err);
		harness_check(good == (cases[i].message == NULL), __FILE__, __LINE__, "%s: %s", cases[i].value, err.msg);
		if (cases[i].message != NULL)
			CHECK_CONTAINS(err.msg, cases[i].message);
	}
}

/* Rows that a plain SELECT reads with a warning: at creation, at a refresh, and when the session was renewed in
 * between. */
static void definitions_run_under_the_settings(void)
{
	static const struct viewd_kv options[] = {{"sql_mode", "none"}, {"group_concat_max_len", "100000"}};
	struct viewd_database_spec spec = my_spec();
	struct viewd_err err = {0};
	struct viewd_outcome out;

	my_fresh();
	my_do("CREATE TABLE old_rows (id INT PRIMARY KEY, code VARCHAR(10), day VARCHAR(12))");
	my_do("INSERT INTO old_rows VALUES (1, '12 kg', '2026-13-01'), (2, '7', '2026-01-01')");
	struct viewd_view_spec view =
		my_view("v", VIEWD_METHOD_TABLE,
	            "SELECT o.id, cast(code AS unsigned) AS n, "
	            "str_to_date(day, '%Y-%m-%d') AS d, g.w"
	            " FROM old_rows o JOIN (SELECT group_concat(repeat('x', 100)) AS w FROM seq_1_to_500) g");
	CHECK(!DIALECT->apply(my_session(), &view, VIEWD_CHANGE_CREATE, &out, &err));
	my_fresh();
	my_do("CREATE TABLE old_rows (id INT PRIMARY KEY, code VARCHAR(10), day VARCHAR(12))");
	my_do("INSERT INTO old_rows VALUES (1, '12 kg', '2026-13-01'), (2, '7', '2026-01-01')");
	spec.options = options;
	spec.n_options = ARRAY_LEN(options);
	struct viewd_conn *conn = DIALECT->open(&my_host, &spec, &err);
	REQUIRE_OK(conn != NULL, &err);
	REQUIRE_OK(DIALECT->prepare(conn, (struct viewd_recorded_sink){0}, &err), &err);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	CHECK_STR(my_ask("SELECT id, n, d, length(w) FROM v ORDER BY id"), "1,12,null,50499;2,7,2026-01-01,50499");
	conn->hooked = true;
	my_refreshed(conn, &view);
	CHECK_STR(my_ask("SELECT sum(n) FROM v"), "19");
	DIALECT->close(&conn);
}

static struct viewd_view_spec set(struct viewd_view_spec view, const struct viewd_kv *settings, size_t n)
{
	view.settings = settings;
	view.n_settings = n;
	return view;
}

static void settings_of_a_view_are_judged(void)
{
	static const struct {
		const char *key, *value, *message;
	} cases[] = {
		{"sql_mode", "none", NULL},
		{"sql_mode", "NO_ZERO_DATE ONLY_FULL_GROUP_BY", NULL},
		{"sql_mode", "\"NO_ZERO_DATE,ONLY_FULL_GROUP_BY\"", NULL},
		{"sql_mode", "ANSI", "settings: sql_mode 'ANSI' is not one"},
		{"group_concat_max_len", "100000000", NULL},
		{"group_concat_max_len", "3", "'3' is not such a number"},
		{"div_precision_increment", "99999999999999999999", "is not such a number"},
		{"time_zone", "+03:00", NULL},
		{"optimizer_switch", "\"mrr=on,mrr_cost_based=off\"", NULL},
		{"time_zone", "UTC', autocommit = 0, @x = '", "holds what no value of it does"},
		{"autocommit", "0", "'autocommit' is not a setting that a view may have"},
		{"max_statement_time", "1", "is not a setting"},
	};
	const struct viewd_database_spec spec = {
		.struct_size = sizeof spec, .name = "shop", .url = "mysql://u@h/shop", .base_dir = "/"};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct viewd_kv setting = {cases[i].key, cases[i].value};
		struct viewd_view_spec view = set(my_view("v", VIEWD_METHOD_TABLE, "SELECT 1 AS n"), &setting, 1);
		struct viewd_resolved resolved;
		struct viewd_err err = {0};
		bool good = DIALECT->check_view(&spec, &view, &resolved, (struct viewd_text_sink){0}, &err);
		harness_check(good == (cases[i].message == NULL), __FILE__, __LINE__, "%s: %s", cases[i].value, err.msg);
		if (cases[i].message != NULL)
			CHECK_CONTAINS(err.msg, cases[i].message);
		view.method = VIEWD_METHOD_SIMPLE;
		CHECK(!DIALECT->check_view(&spec, &view, &resolved, (struct viewd_text_sink){0}, &err));
	}
}

static bool append_text(void *ctx, const char *text)
{
	char **all = ctx;

	*all = talloc_asprintf_append(*all, "%s;", text);
	return true;
}

static void settings_of_a_view_are_rendered(void)
{
	static const struct viewd_kv own[] = {{"sql_mode", "none"}, {"time_zone", "UTC"}};
	const struct viewd_database_spec spec = {
		.struct_size = sizeof spec, .name = "shop", .url = "mysql://u@h/shop", .base_dir = "/"};
	const struct viewd_render_flags flags = {0};
	struct viewd_view_spec view = set(my_view("v", VIEWD_METHOD_TABLE, "SELECT 1 AS n"), own, 2);
	char *text = talloc_strdup(harness_ctx(), "");
	struct viewd_err err = {0};

	CHECK_OK(
		DIALECT->render(&spec, &view, VIEWD_RENDER_REFRESH, &flags, (struct viewd_text_sink){append_text, &text}, &err),
		&err);
	CHECK_CONTAINS(text, ", sql_mode = 'NO_ENGINE_SUBSTITUTION', time_zone = 'UTC';");
}

/* Each view has its own, whoever had the session before; another setting is another definition. */
static void each_view_runs_under_its_own_settings(void)
{
	static const struct viewd_kv loose[] = {
		{"sql_mode", "none"}, {"group_concat_max_len", "50"}, {"div_precision_increment", "8"}};
	static const char definition[] =
		"SELECT cast(code AS unsigned) AS n, 1 / 3 AS third, @@group_concat_max_len AS len,"
		" @@time_zone AS zone, if(@@sql_mode LIKE '%STRICT%', 'strict', 'loose') AS mode FROM old_rows";
	struct viewd_outcome out;
	struct viewd_verdict verdict;
	struct viewd_err err = {0};

	my_fresh();
	my_do("CREATE TABLE old_rows (id INT PRIMARY KEY, code VARCHAR(10)) SELECT 1 AS id, '12' AS code");
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec strict = my_view("strict", VIEWD_METHOD_TABLE, definition);
	struct viewd_view_spec own = set(my_view("own", VIEWD_METHOD_TABLE, definition), loose, 3);
	my_applied(conn, &own, VIEWD_CHANGE_CREATE);
	my_applied(conn, &strict, VIEWD_CHANGE_CREATE);
	CHECK_STR(my_ask("SELECT n, third, len, mode FROM own"), "12,0.33333333,50,loose");
	CHECK_STR(my_ask("SELECT n, third, len = @@global.group_concat_max_len, mode FROM strict"), "12,0.3333,1,strict");
	my_do("UPDATE old_rows SET code = '12 kg'");
	my_refreshed(conn, &own);
	CHECK(my_refresh_fails(conn, &strict, &err));
	CHECK_CONTAINS(err.hint, "settings = sql_mode=none");
	REQUIRE_OK(DIALECT->verify(conn, &own, &verdict, &err), &err);
	CHECK_INT(verdict.missing + verdict.unexpected, 0);
	struct viewd_found found = my_found(conn, &own);
	struct viewd_kv changed[] = {loose[0], {"group_concat_max_len", "60"}, {"time_zone", "+01:00"}};
	own = set(own, changed, 3);
	struct viewd_resolved resolved;
	struct viewd_database_spec spec = my_spec();
	REQUIRE_OK(DIALECT->check_view(&spec, &own, &resolved, (struct viewd_text_sink){0}, &err), &err);
	CHECK(strcmp(found.recorded_hash, resolved.hash) != 0);
	my_applied(conn, &own, VIEWD_CHANGE_REPLACE);
	CHECK_STR(my_ask("SELECT n, third, len, zone, mode FROM own"), "12,0.3333,60,+01:00,loose");
	CHECK_STR(my_found(conn, &own).recorded_hash, resolved.hash);
	changed[2] = (struct viewd_kv){"time_zone", "Nowhere/Land"};
	CHECK(!DIALECT->apply(conn, &own, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK_CONTAINS(err.msg, "settings: statement failed (Unknown or incorrect time zone");
	my_do("UPDATE old_rows SET code = '7'");
	my_refreshed(conn, &strict);
	CHECK_STR(my_ask("SELECT n, third, mode FROM strict"), "7,0.3333,strict");
}

static void each_member_of_a_group_has_its_own(void)
{
	static const struct viewd_kv loose[] = {{"sql_mode", "none"}, {"div_precision_increment", "6"}},
								 longer[] = {{"div_precision_increment", "8"}};
	static const char definition[] = "SELECT 1 / 3 AS third";
	struct viewd_err err = {0};
	size_t failed;

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec views[] = {
		set(my_view("a", VIEWD_METHOD_TABLE, "SELECT 1 / 3 AS third, cast('5 kg' AS unsigned) AS n"), loose, 2),
		set(my_view("b", VIEWD_METHOD_TABLE, definition), longer, 1), my_view("c", VIEWD_METHOD_TABLE, definition)};
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL"};
	struct viewd_outcome out[3];
	struct viewd_group_item items[3];
	const struct viewd_group_item *list[3];
	for (size_t i = 0; i < 3; i++) {
		my_applied(conn, &views[i], VIEWD_CHANGE_CREATE);
		items[i] = (struct viewd_group_item){
			.struct_size = sizeof items[i], .view = &views[i], .request = &req, .outcome = &out[i]};
		list[i] = &items[i];
	}
	my_do("UPDATE a SET third = 0");
	REQUIRE_OK(DIALECT->refresh_group(conn, list, 3, &failed, &err), &err);
	CHECK_STR(my_ask("SELECT third, n FROM a"), "0.333333,5");
	CHECK_STR(my_ask("SELECT * FROM b"), "0.33333333");
	CHECK_STR(my_ask("SELECT * FROM c"), "0.3333");
}

/* As the server takes them; the statement that viewd makes of it must take them as well. */
static void hints_go_through(void)
{
	static const char *const definitions[] = {
		"SELECT /*+ MAX_EXECUTION_TIME(1000) */ region FROM sales",
		"SELECT /*+ NO_INDEX_MERGE(sales) */ region /*+ not one */ FROM sales",
		("SELECT STRAIGHT_JOIN s.region FROM sales s IGNORE INDEX (PRIMARY) JOIN sales o USE INDEX (PRIMARY) ON s.id = "
	     "o.id"),
		"WITH x AS (SELECT /*+ QB_NAME(one) */ * FROM sales) SELECT /*+ NO_ICP(x) */ region FROM x",
		"SELECT SQL_BIG_RESULT region FROM sales GROUP BY id",
	};

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, definitions[0]);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		view.definition = definitions[i];
		my_applied(conn, &view, VIEWD_CHANGE_REPLACE);
		my_refreshed(conn, &view);
		CHECK_STR(my_ask("SELECT count(*) FROM v"), my_ask("SELECT count(*) FROM sales"));
	}
	struct viewd_outcome out;
	struct viewd_err err = {0};
	view.definition = "SELECT SQL_NO_CACHE region FROM sales";
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK_CONTAINS(err.hint, "leave out what is for a whole statement");
}

static const struct harness_test offline[] = {
	{"settings are judged", settings_are_judged},
	{"settings of a view are judged", settings_of_a_view_are_judged},
	{"settings of a view are rendered", settings_of_a_view_are_rendered},
};
static const struct harness_test online[] = {
	{"definitions run under the settings", definitions_run_under_the_settings},
	{"each view runs under its own settings", each_view_runs_under_its_own_settings},
	{"each member of a group has its own", each_member_of_a_group_has_its_own},
	{"hints go through", hints_go_through},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql settings offline", offline), SUITE("mysql settings", online))
