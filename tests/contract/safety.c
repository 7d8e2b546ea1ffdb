/* SPDX-License-Identifier: MIT
 *
 * A user's objects are never touched, whatever they are called.
 */
#include "base/err.h"
#include "contract/contract.h"

#include <talloc.h>

static void a_users_table_is_never_touched(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	contract_sql("CREATE TABLE v (id integer, precious varchar(20)); INSERT INTO v VALUES (1, 'keep me');");
	static const enum viewd_method methods[] = {VIEWD_METHOD_SIMPLE, VIEWD_METHOD_MATERIALIZED, VIEWD_METHOD_TABLE};
	static const enum viewd_change changes[] = {VIEWD_CHANGE_CREATE, VIEWD_CHANGE_ADOPT, VIEWD_CHANGE_REPLACE,
	                                            VIEWD_CHANGE_DROP};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct viewd_view_spec view = contract_view("v", methods[i], "SELECT id FROM products");
		view.cascade = true;
		INSPECT(&c, &view);
		CHECK(c.found.kind == VIEWD_KIND_TABLE && !c.found.ours && !c.found.recorded);
		for (size_t j = 0; j < ARRAY_LEN(changes); j++)
			CHECK_REFUSED(contract_apply(&c, &view, changes[j]), &c, VIEWD_ERR_EXISTS);
		CHECK_REFUSED(contract_refresh(&c, &view), &c, VIEWD_ERR_EXISTS);
	}
	CHECK_STR(contract_sql("SELECT id, precious FROM v;"), "1|keep me");
	contract_end(&c);
}

/* Ours is dropped behind viewd's back, and a table of the same name and shape takes its place. */
static void a_usurper_is_never_touched(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const enum viewd_change changes[] = {VIEWD_CHANGE_CREATE, VIEWD_CHANGE_REPLACE, VIEWD_CHANGE_DROP,
	                                            VIEWD_CHANGE_REINDEX};
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	contract_sql("DROP TABLE v; CREATE TABLE v (id integer); INSERT INTO v VALUES (77);");
	INSPECT(&c, &view);
	CHECK(c.found.kind == VIEWD_KIND_TABLE && c.found.recorded && !c.found.ours);
	CHECK_REFUSED(contract_refresh(&c, &view), &c, VIEWD_ERR_EXISTS);
	for (size_t j = 0; j < ARRAY_LEN(changes); j++)
		CHECK_REFUSED(contract_apply(&c, &view, changes[j]), &c, VIEWD_ERR_EXISTS);
	CHECK_STR(contract_sql("SELECT id FROM v;"), "77");
	contract_end(&c);
}

/* The former place of a moved view holds a user's table by now. */
static void a_usurper_of_a_former_place_is_never_touched(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	contract_sql("DROP TABLE v; CREATE TABLE v (id integer); INSERT INTO v VALUES (77);");
	view.relation = "elsewhere";
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	APPLY(&c, &view, VIEWD_CHANGE_DROP);
	CHECK_STR(contract_sql("SELECT id FROM v;"), "77");
	contract_end(&c);
}

static void a_users_view_is_not_replaced(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const enum viewd_change changes[] = {VIEWD_CHANGE_CREATE, VIEWD_CHANGE_REPLACE, VIEWD_CHANGE_DROP};
	contract_sql("CREATE VIEW v AS SELECT id FROM products WHERE id = 5;");
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_SIMPLE, "SELECT id FROM products");
	for (size_t j = 0; j < ARRAY_LEN(changes); j++) {
		CHECK_REFUSED(contract_apply(&c, &view, changes[j]), &c, VIEWD_ERR_EXISTS);
		CHECK_CONTAINS(c.err.hint, "adopt");
	}
	CHECK_STR(contract_sql("SELECT id FROM v;"), "5");
	contract_end(&c);
}

/* Identifiers are quoted or refused; nothing but the object of exactly that name is touched. */
static void hostile_names_are_harmless(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const char *const names[] = {
		"\"; DROP TABLE products;--",
		"a\"b",
		"a`b",
		"%s%n%d",
		"../products",
		"select",
		"Mixed Case",
		"it's",
		"back\\slash",
		"a.b",
		"\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
		"na\xc3\xafve",
		"-- comment",
		"/* x */",
		"$1",
		"?",
		"semi;colon",
		"tab",
		"(paren)",
		"{}",
		"new\"\"line",
		"0123456789012345678901234567890123456789012345678901234567890",
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *relation = contract_quote(names[i]);
		struct viewd_view_spec view = contract_view("hostile", VIEWD_METHOD_TABLE, "SELECT id, name FROM products");
		static const char *const key[] = {"id"};
		view.relation = relation;
		view.unique_key = key;
		view.n_unique_key = 1;
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		INSPECT(&c, &view);
		CHECK_STR(c.found.name, names[i]);
		CHECK(c.found.ours && c.found.indexes_present);
		CHECK_STR(contract_sql("SELECT count(*) FROM %s;", relation), "10");
		REFRESH(&c, &view);
		view.definition = "SELECT id, name, category FROM products";
		APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
		VERIFY_EQUAL(&c, &view);
		APPLY(&c, &view, VIEWD_CHANGE_DROP);
		CHECK_STR(contract_sql("SELECT count(*) FROM products;"), "10");
	}
	contract_end(&c);
}

static void impossible_names_are_refused(void)
{
	struct contract c;
	contract_begin(&c);
	char *long_name = talloc_strdup(harness_ctx(), "");
	for (int i = 0; i < 300; i++)
		long_name = talloc_strdup_append_buffer(long_name, "x");
	const char *names[] = {"",         "\"\"",         "\"open",       "a..b", "a.b.c.d", "\"nl\n\"",
	                       "\"\x01\"", "\"\xff\xfe\"", "\"\xc0\xaf\"", "a b",  "a;b",     long_name};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct viewd_view_spec view = contract_view("hostile", VIEWD_METHOD_TABLE, "SELECT 1 AS one");
		struct viewd_resolved resolved;
		view.relation = names[i];
		CHECK_REFUSED(c.dialect->check_view(&c.db, &view, &resolved, (struct viewd_text_sink){0}, &c.err), &c,
		              VIEWD_ERR_CONFIG);
		CHECK_REFUSED(contract_apply(&c, &view, VIEWD_CHANGE_CREATE), &c, VIEWD_ERR_CONFIG);
	}
	contract_end(&c);
}

static void hostile_definitions_are_refused(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const char *const definitions[] = {
		"",
		";",
		"-- nothing",
		"SELECT 1 AS a; DROP TABLE products",
		"SELECT 1 AS a; SELECT 2 AS a",
		"DROP TABLE products",
		"DELETE FROM products",
		"COMMIT",
		"ROLLBACK",
		"SELECT 1 AS a) x; DROP TABLE products; --",
		"SELECT 'open",
		"SELECT (1 AS a",
		"SELECT 1 AS a /* open",
		"ATTACH 'x' AS y",
		"SET ROLE postgres",
		"COPY products TO PROGRAM 'id'",
		"PRAGMA writable_schema = 1",
		"INSERT INTO products SELECT * FROM products",
		"EXPLAIN SELECT 1",
		"SELECT 1 AS a \xff",
	};
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, definitions[i]);
		struct viewd_resolved resolved;
		CHECK_REFUSED(c.dialect->check_view(&c.db, &view, &resolved, (struct viewd_text_sink){0}, &c.err), &c,
		              VIEWD_ERR_CONFIG);
		CHECK_REFUSED(contract_apply(&c, &view, VIEWD_CHANGE_CREATE), &c, VIEWD_ERR_CONFIG);
	}
	CHECK_STR(contract_sql("SELECT count(*) FROM products;"), "10");
	contract_end(&c);
}

/* Texts that look dangerous and are not. */
static void odd_definitions_work(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const char *const definitions[] = {
		"SELECT 'a;b' AS a",
		"SELECT 'it''s :x %s $1 ?' AS a;",
		"WITH q AS (SELECT id FROM products) SELECT id AS a FROM q -- end",
		"(SELECT 1 AS a)",
		"SELECT id % 2 AS a FROM products WHERE name LIKE '%e%' /* c */ ;  ",
		"SELECT 1 AS a UNION ALL SELECT 1",
	};
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		if (definitions[i][0] == '(' && !contract_takes(definitions[i]))
			continue;
		struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, definitions[i]);
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		REFRESH(&c, &view);
		VERIFY_EQUAL(&c, &view);
		view.method = VIEWD_METHOD_SIMPLE;
		APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
		VERIFY_EQUAL(&c, &view);
		APPLY(&c, &view, VIEWD_CHANGE_DROP);
	}
	contract_end(&c);
}

static const struct harness_test tests[] = {
	{"a user's table is never touched", a_users_table_is_never_touched},
	{"a usurper is never touched", a_usurper_is_never_touched},
	{"a usurper of a former place is never touched", a_usurper_of_a_former_place_is_never_touched},
	{"a user's view is not replaced", a_users_view_is_not_replaced},
	{"hostile names are harmless", hostile_names_are_harmless},
	{"impossible names are refused", impossible_names_are_refused},
	{"hostile definitions are refused", hostile_definitions_are_refused},
	{"odd definitions work", odd_definitions_work},
};
const struct harness_suite contract_safety = SUITE("safety", tests);
