/* SPDX-License-Identifier: MIT
 *
 * Creating, inspecting, adopting and dropping.
 */
#include "base/err.h"
#include "contract/contract.h"

#include <stdio.h>
#include <talloc.h>

static void creates_each_method(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const enum viewd_method methods[] = {VIEWD_METHOD_SIMPLE, VIEWD_METHOD_MATERIALIZED, VIEWD_METHOD_TABLE};
	static const char *const names[] = {"v_simple", "v_materialized", "v_table"};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct viewd_view_spec view = contract_view(names[i], methods[i], contract_stats_definition);
		INSPECT(&c, &view);
		CHECK_INT(c.found.kind, VIEWD_KIND_NONE);
		CHECK(!c.found.recorded && !c.found.ours);
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		CHECK_INT(c.outcome.did, methods[i] == VIEWD_METHOD_SIMPLE ? VIEWD_DID_NO_DATA : VIEWD_DID_REINITIALIZE);
		CHECK(c.outcome.data_timestamp_us > 0);
		if (methods[i] != VIEWD_METHOD_SIMPLE)
			CHECK_INT(c.outcome.rows, 4);
		INSPECT(&c, &view);
		CHECK(c.found.recorded && c.found.ours && !c.found.touched_outside && c.found.populated);
		CHECK(c.found.data_timestamp_us > 0);
		CHECK_STR(c.found.name, names[i]);
		CHECK_STR(
			contract_sql("SELECT category, product_count, min_price, max_price FROM %s ORDER BY category;", names[i]),
			"Books|2|39.99|45.99\nClothing|2|19.99|59.99\nElectronics|3|79.99|999.99\nKitchen|2|49.99|89.99");
		VERIFY_EQUAL(&c, &view);
		CHECK_INT(c.verdict.rows, 4);
	}
	contract_end(&c);
}

static void kinds_are_told(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec simple = contract_view("v", VIEWD_METHOD_SIMPLE, "SELECT id FROM products");
	struct viewd_view_spec mat = contract_view("m", VIEWD_METHOD_MATERIALIZED, "SELECT id FROM products");
	APPLY(&c, &simple, VIEWD_CHANGE_CREATE);
	APPLY(&c, &mat, VIEWD_CHANGE_CREATE);
	INSPECT(&c, &simple);
	CHECK_INT(c.found.kind, VIEWD_KIND_VIEW);
	INSPECT(&c, &mat);
	CHECK_INT(c.found.kind, contract_has(&c, VIEWD_CAP_MATERIALIZED) ? VIEWD_KIND_MATVIEW : VIEWD_KIND_TABLE);
	contract_end(&c);
}

/* Commas, dots, quotes of both kinds, blanks and capitals in every name that a view can say. */
static void names_are_read_once(void)
{
	struct contract c;
	contract_begin(&c);
	const char *table = contract_quote("Order, \"Lines\".all `of`"), *key = contract_quote("Unit, \"Price\".x"),
			   *by = contract_quote("Order By");
	contract_sql(
		"CREATE TABLE %s (%s integer, %s varchar(20), id integer); INSERT INTO %s VALUES (1, 'x', 5), (2, 'y', 6);",
		table, key, by, table);
	const char *const keys[] = {by, key, "ID"}, *const sources[] = {table};
	const struct viewd_column columns[] = {{key, NULL}, {by, NULL}, {"Id", NULL}};
	const struct viewd_index indexes[] = {{"kept", talloc_asprintf(harness_ctx(), "(%s DESC, %s)", key, by)}};
	struct viewd_view_spec view =
		contract_view("v", VIEWD_METHOD_TABLE, talloc_asprintf(harness_ctx(), "SELECT * FROM %s", table));
	view.relation = contract_quote("My, \"View\".`it`");
	view.mode = VIEWD_MODE_DIFF;
	view.unique_key = keys;
	view.n_unique_key = ARRAY_LEN(keys);
	view.columns = columns;
	view.n_columns = ARRAY_LEN(columns);
	view.indexes = indexes;
	view.n_indexes = ARRAY_LEN(indexes);
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	struct viewd_capture_request req = {.struct_size = sizeof req, .names = sources, .n_names = 1};
	struct viewd_captured captured = {0};
	if (c.dialect->capture != NULL)
		REQUIRE_OK(c.dialect->capture->set(c.conn, &view, &req, &captured, (struct viewd_text_sink){0}, &c.err),
		           &c.err);
	contract_sql("UPDATE %s SET id = 7 WHERE %s = 1;", table, key);
	REFRESH(&c, &view);
	CHECK_INT(c.outcome.rows_written, 2);
	VERIFY_EQUAL(&c, &view);
	INSPECT(&c, &view);
	CHECK(c.found.indexes_present);
	CHECK_STR(contract_sql("SELECT %s, %s, id FROM %s ORDER BY %s;", key, by, view.relation, key), "1|x|7\n2|y|6");
	contract_end(&c);
}

static void hash_is_recorded(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	struct viewd_resolved resolved = {0};
	REQUIRE_OK(c.dialect->check_view(&c.db, &view, &resolved, (struct viewd_text_sink){0}, &c.err), &c.err);
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	INSPECT(&c, &view);
	CHECK_STR(c.found.recorded_hash, resolved.hash);
	CHECK_STR(c.found.recorded_index_hash, resolved.index_hash);
	contract_end(&c);
}

static void without_data_stays_empty(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_MATERIALIZED, "SELECT id FROM products");
	view.with_data = false;
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	CHECK_INT(c.outcome.did, VIEWD_DID_NO_DATA);
	INSPECT(&c, &view);
	CHECK(c.found.ours && !c.found.populated);
	CHECK_INT(c.found.data_timestamp_us, 0);
	REFRESH(&c, &view);
	INSPECT(&c, &view);
	CHECK(c.found.populated);
	CHECK_STR(contract_sql("SELECT count(*) FROM v;"), "10");
	contract_end(&c);
}

struct names {
	char text[512];
};

static bool collect_source(void *ctx, const struct viewd_source *src)
{
	struct names *names = ctx;
	size_t len = strlen(names->text);
	snprintf(names->text + len, sizeof names->text - len, "%s:%d ", src->name, (int)src->kind);
	return true;
}

static void sources_are_found_through_views(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	contract_sql("CREATE TABLE other (id integer); CREATE VIEW inner_view AS SELECT id, category FROM products;");
	struct viewd_view_spec view = contract_view(
		"v", VIEWD_METHOD_TABLE, "SELECT count(*) AS n FROM inner_view WHERE id NOT IN (SELECT id FROM other)");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	struct names names = {""};
	REQUIRE_OK(c.dialect->inspect(c.conn, &view, &c.found, (struct viewd_source_sink){collect_source, &names}, &c.err),
	           &c.err);
	char table[64];
	snprintf(table, sizeof table, "products:%d ", VIEWD_KIND_TABLE);
	CHECK_CONTAINS(names.text, table);
	snprintf(table, sizeof table, "other:%d ", VIEWD_KIND_TABLE);
	CHECK_CONTAINS(names.text, table);
	snprintf(table, sizeof table, "inner_view:%d ", VIEWD_KIND_VIEW);
	CHECK_CONTAINS(names.text, table);
	contract_end(&c);
}

static void a_missing_source_is_no_failure_of_inspect(void)
{
	struct contract c;
	contract_begin(&c);
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM not_there_yet");
	struct names names = {""};
	REQUIRE_OK(c.dialect->inspect(c.conn, &view, &c.found, (struct viewd_source_sink){collect_source, &names}, &c.err),
	           &c.err);
	CHECK_INT(c.found.kind, VIEWD_KIND_NONE);
	CHECK_CONTAINS(c.found.detail, "not_there_yet");
	CHECK(c.found.sources_unknown);
	CHECK_REFUSED(contract_apply(&c, &view, VIEWD_CHANGE_CREATE), &c, VIEWD_ERR_MISSING);
	INSPECT(&c, &view);
	CHECK(!c.found.recorded);
	contract_end(&c);
}

static void columns_are_matched_by_name(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const enum viewd_method methods[] = {VIEWD_METHOD_SIMPLE, VIEWD_METHOD_MATERIALIZED, VIEWD_METHOD_TABLE};
	static const char *const names[] = {"v_simple", "v_materialized", "v_table"};
	static const struct viewd_column swapped[] = {{"name", NULL}, {"id", NULL}};
	static const struct viewd_column wrong[] = {{"id", NULL}, {"title", NULL}};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct viewd_view_spec view =
			contract_view(names[i], methods[i], "SELECT id, name FROM products WHERE id = 3 -- three");
		view.columns = wrong;
		view.n_columns = 2;
		CHECK_REFUSED(contract_apply(&c, &view, VIEWD_CHANGE_CREATE), &c, VIEWD_ERR_CONFIG);
		CHECK_CONTAINS(c.err.msg, "missing: title");
		CHECK_CONTAINS(c.err.msg, "unexpected: name");
		INSPECT(&c, &view);
		CHECK(c.found.kind == VIEWD_KIND_NONE && !c.found.recorded);
		view.columns = swapped;
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		CHECK_STR(contract_sql("SELECT * FROM %s;", names[i]), "Headphones|3");
		VERIFY_EQUAL(&c, &view);
	}
	contract_end(&c);
}

static void indexes_are_made_and_kept(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const char *const key[] = {"id"};
	static const struct viewd_index before[] = {{"price", "(price DESC)"}, {"name", "(name)"}};
	static const struct viewd_index after[] = {{"price", "(price)"}, {"both", "UNIQUE (name, id)"}};
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_MATERIALIZED, "SELECT id, name, price FROM products");
	view.unique_key = key;
	view.n_unique_key = 1;
	view.indexes = before;
	view.n_indexes = 2;
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	INSPECT(&c, &view);
	CHECK(c.found.indexes_present);
	view.indexes = after;
	INSPECT(&c, &view);
	CHECK(!c.found.indexes_present && c.found.ours);
	APPLY(&c, &view, VIEWD_CHANGE_REINDEX);
	INSPECT(&c, &view);
	CHECK(c.found.indexes_present && c.found.ours && !c.found.touched_outside);
	REFRESH(&c, &view);
	VERIFY_EQUAL(&c, &view);
	contract_end(&c);
}

static void a_dropped_view_is_forgotten(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const enum viewd_method methods[] = {VIEWD_METHOD_SIMPLE, VIEWD_METHOD_MATERIALIZED, VIEWD_METHOD_TABLE};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct viewd_view_spec view = contract_view("v", methods[i], "SELECT id FROM products");
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		view.definition = NULL; /* its section is gone from the files */
		APPLY(&c, &view, VIEWD_CHANGE_DROP);
		view.definition = "SELECT id FROM products";
		INSPECT(&c, &view);
		CHECK(c.found.kind == VIEWD_KIND_NONE && !c.found.recorded);
	}
	contract_end(&c);
}

static bool collect_recorded(void *ctx, const struct viewd_recorded *row)
{
	struct names *names = ctx;
	size_t len = strlen(names->text);
	snprintf(names->text + len, sizeof names->text - len, "%s/%d/%s ", row->name, (int)row->method,
	         row->on_remove == VIEWD_REMOVE_DROP ? "drop" : "keep");
	return true;
}

static void records_survive_a_new_connection(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec a = contract_view("a", VIEWD_METHOD_SIMPLE, "SELECT id FROM products");
	struct viewd_view_spec b = contract_view("b", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	b.on_remove = VIEWD_REMOVE_DROP;
	APPLY(&c, &a, VIEWD_CHANGE_CREATE);
	APPLY(&c, &b, VIEWD_CHANGE_CREATE);
	contract_reconnect(&c);
	struct names names = {""};
	char expected[64];
	REQUIRE_OK(c.dialect->prepare(c.conn, (struct viewd_recorded_sink){collect_recorded, &names}, &c.err), &c.err);
	snprintf(expected, sizeof expected, "a/%d/keep b/%d/drop ", VIEWD_METHOD_SIMPLE, VIEWD_METHOD_TABLE);
	CHECK_STR(names.text, expected);
	INSPECT(&c, &b);
	CHECK(c.found.ours);
	contract_end(&c);
}

static void a_view_can_be_adopted(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	contract_sql("CREATE VIEW v AS SELECT id FROM products;");
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_SIMPLE, "SELECT id FROM products");
	INSPECT(&c, &view);
	CHECK(c.found.kind == VIEWD_KIND_VIEW && !c.found.ours && c.found.matches);
	CHECK_REFUSED(contract_apply(&c, &view, VIEWD_CHANGE_CREATE), &c, VIEWD_ERR_EXISTS);
	APPLY(&c, &view, VIEWD_CHANGE_ADOPT);
	INSPECT(&c, &view);
	CHECK(c.found.ours && !c.found.touched_outside);
	view.definition = "SELECT id, name FROM products";
	APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(contract_sql("SELECT name FROM v WHERE id = 1;"), "Laptop");
	contract_end(&c);
}

static void a_different_view_is_adopted_as_different(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	contract_sql("CREATE VIEW v AS SELECT id FROM products WHERE id > 5;");
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_SIMPLE, "SELECT id FROM products");
	INSPECT(&c, &view);
	CHECK(!c.found.matches);
	APPLY(&c, &view, VIEWD_CHANGE_ADOPT);
	INSPECT(&c, &view);
	struct viewd_resolved resolved = {0};
	REQUIRE_OK(c.dialect->check_view(&c.db, &view, &resolved, (struct viewd_text_sink){0}, &c.err), &c.err);
	CHECK(c.found.ours && strcmp(c.found.recorded_hash, resolved.hash) != 0);
	CHECK_STR(contract_sql("SELECT count(*) FROM v;"), "5");
	contract_end(&c);
}

/* By who can hand over the definition that is there. */
static void a_different_view_is_kept_or_refused(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	contract_sql("CREATE VIEW v AS SELECT id FROM products WHERE id > 5;");
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_SIMPLE, "SELECT id FROM products");
	if (c.dialect->definition != NULL)
		APPLY(&c, &view, VIEWD_CHANGE_KEEP);
	else
		CHECK_REFUSED(contract_apply(&c, &view, VIEWD_CHANGE_KEEP), &c, VIEWD_ERR_CONFIG);
	INSPECT(&c, &view);
	CHECK_INT(c.found.kept, c.dialect->definition != NULL);
	CHECK_INT(c.found.recorded, c.dialect->definition != NULL);
	CHECK_STR(contract_sql("SELECT count(*) FROM v;"), "5");
	contract_end(&c);
}

static const struct harness_test tests[] = {
	{"creates each method", creates_each_method},
	{"kinds are told", kinds_are_told},
	{"names are read once", names_are_read_once},
	{"hash is recorded", hash_is_recorded},
	{"without data stays empty", without_data_stays_empty},
	{"sources are found through views", sources_are_found_through_views},
	{"a missing source is no failure of inspect", a_missing_source_is_no_failure_of_inspect},
	{"columns are matched by name", columns_are_matched_by_name},
	{"indexes are made and kept", indexes_are_made_and_kept},
	{"a dropped view is forgotten", a_dropped_view_is_forgotten},
	{"records survive a new connection", records_survive_a_new_connection},
	{"a view can be adopted", a_view_can_be_adopted},
	{"a different view is adopted as different", a_different_view_is_adopted_as_different},
	{"a different view is kept or refused", a_different_view_is_kept_or_refused},
};
const struct harness_suite contract_objects = SUITE("objects", tests);
