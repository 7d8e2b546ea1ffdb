/* SPDX-License-Identifier: MIT
 *
 * Replacing what exists, and dropping what others read.
 */
#include "base/err.h"
#include "contract/contract.h"

static void a_new_definition_replaces_the_old(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const enum viewd_method methods[] = {VIEWD_METHOD_SIMPLE, VIEWD_METHOD_MATERIALIZED, VIEWD_METHOD_TABLE};
	static const char *const names[] = {"v_simple", "v_materialized", "v_table"};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct viewd_view_spec view = contract_view(names[i], methods[i], "SELECT id FROM products");
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		view.definition = "SELECT name, id FROM products WHERE in_stock = 1";
		APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
		CHECK_STR(contract_sql("SELECT count(*) FROM %s WHERE name <> '';", names[i]), "9");
		INSPECT(&c, &view);
		CHECK(c.found.ours && !c.found.touched_outside && c.found.populated);
		VERIFY_EQUAL(&c, &view);
	}
	contract_end(&c);
}

static void the_method_can_change(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const enum viewd_method turns[] = {VIEWD_METHOD_TABLE,  VIEWD_METHOD_SIMPLE, VIEWD_METHOD_MATERIALIZED,
	                                          VIEWD_METHOD_SIMPLE, VIEWD_METHOD_TABLE,  VIEWD_METHOD_MATERIALIZED};
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_SIMPLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	for (size_t i = 0; i < ARRAY_LEN(turns); i++) {
		view.method = turns[i];
		APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
		INSPECT(&c, &view);
		CHECK(c.found.ours && c.found.populated);
		CHECK_STR(contract_sql("SELECT count(*) FROM v;"), "10");
	}
	contract_end(&c);
}

static void a_reader_survives_a_replacement(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const enum viewd_method methods[] = {VIEWD_METHOD_SIMPLE, VIEWD_METHOD_MATERIALIZED, VIEWD_METHOD_TABLE};
	static const char *const names[] = {"v_simple", "v_materialized", "v_table"};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct viewd_view_spec view = contract_view(names[i], methods[i], "SELECT id, name FROM products");
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		contract_sql("CREATE VIEW reader_%s AS SELECT id FROM %s;", names[i], names[i]);
		view.definition = "SELECT id, category FROM products WHERE id <= 3";
		APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
		CHECK_STR(contract_sql("SELECT id FROM reader_%s ORDER BY id;", names[i]), "1\n2\n3");
		contract_sql("UPDATE products SET name = name;");
		REFRESH(&c, &view);
		CHECK_STR(contract_sql("SELECT count(*) FROM reader_%s;", names[i]), "3");
	}
	contract_end(&c);
}

static void a_failed_replacement_changes_nothing(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const enum viewd_method methods[] = {VIEWD_METHOD_SIMPLE, VIEWD_METHOD_MATERIALIZED, VIEWD_METHOD_TABLE};
	static const char *const names[] = {"v_simple", "v_materialized", "v_table"};
	static const char *const key[] = {"category"};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct viewd_view_spec view = contract_view(names[i], methods[i], "SELECT id, category FROM products");
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		view.definition = "SELECT id, category FROM gone";
		CHECK_REFUSED(contract_apply(&c, &view, VIEWD_CHANGE_REPLACE), &c, VIEWD_ERR_MISSING);
		CHECK_STR(contract_sql("SELECT count(*) FROM %s;", names[i]), "10");
		if (methods[i] != VIEWD_METHOD_SIMPLE) {
			view.definition = "SELECT id, category FROM products WHERE id > 1";
			view.unique_key = key;
			view.n_unique_key = 1;
			CHECK_REFUSED(contract_apply(&c, &view, VIEWD_CHANGE_REPLACE), &c, VIEWD_ERR_QUERY);
			CHECK_STR(contract_sql("SELECT count(*) FROM %s;", names[i]), "10");
			view.n_unique_key = 0;
		}
		view.definition = "SELECT id, category FROM products";
		INSPECT(&c, &view);
		CHECK(c.found.ours && !c.found.touched_outside);
		VERIFY_EQUAL(&c, &view);
	}
	contract_end(&c);
}

static void another_relation_moves_the_view(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	view.relation = "moved";
	INSPECT(&c, &view);
	CHECK(c.found.kind == VIEWD_KIND_NONE && c.found.recorded);
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	CHECK_STR(contract_sql("SELECT count(*) FROM moved;"), "10");
	INSPECT(&c, &view);
	CHECK(c.found.ours);
	view.relation = "v";
	INSPECT(&c, &view);
	CHECK_INT(c.found.kind, VIEWD_KIND_NONE);
	contract_end(&c);
}

static void a_change_from_outside_is_seen(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	contract_sql("ALTER TABLE v ADD COLUMN extra integer;");
	INSPECT(&c, &view);
	CHECK(c.found.ours && c.found.touched_outside);
	APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
	INSPECT(&c, &view);
	CHECK(c.found.ours && !c.found.touched_outside);
	VERIFY_EQUAL(&c, &view);
	contract_end(&c);
}

static void readers_stop_a_drop_unless_it_cascades(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	contract_sql("CREATE VIEW reader AS SELECT id FROM v; CREATE VIEW reader_of_reader AS SELECT id FROM reader;");
	CHECK_REFUSED(contract_apply(&c, &view, VIEWD_CHANGE_DROP), &c, VIEWD_ERR_QUERY);
	CHECK_STR(contract_sql("SELECT count(*) FROM reader_of_reader;"), "10");
	INSPECT(&c, &view);
	CHECK(c.found.ours);
	view.cascade = true;
	APPLY(&c, &view, VIEWD_CHANGE_DROP);
	contract_sql(
		"CREATE TABLE v (id integer); CREATE TABLE reader (id integer); CREATE TABLE reader_of_reader (id integer);");
	contract_end(&c);
}

static const struct harness_test tests[] = {
	{"a new definition replaces the old", a_new_definition_replaces_the_old},
	{"the method can change", the_method_can_change},
	{"a reader survives a replacement", a_reader_survives_a_replacement},
	{"a failed replacement changes nothing", a_failed_replacement_changes_nothing},
	{"another relation moves the view", another_relation_moves_the_view},
	{"a change from outside is seen", a_change_from_outside_is_seen},
	{"readers stop a drop unless it cascades", readers_stop_a_drop_unless_it_cascades},
};
const struct harness_suite contract_replace = SUITE("replace", tests);
