/* SPDX-License-Identifier: MIT
 *
 * Facts learnt of an incremental view are known to whatever connection refreshes it next.
 */
#include "base/err.h"
#include "contract/kept.h"

#include <string.h>
#include <talloc.h>

#define FOUND "an audit has found a difference"

static const char rows_of_things[] = "SELECT id, price FROM thing";

static void change(void)
{
	contract_sql("UPDATE thing SET price = price + 1 WHERE id = 1;");
}

static void asked_for_all(struct contract *c, const struct viewd_view_spec *view)
{
	struct viewd_refresh_request req = {
		.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1, .force_full = true};
	REQUIRE_OK(c->dialect->refresh(c->conn, view, &req, &c->outcome, &c->err), &c->err);
	CHECK_CONTAINS(c->outcome.reason, "it was asked for");
	VERIFY_EQUAL(c, view);
}

static void takes_all_as_found_wrong(struct contract *c, const struct viewd_view_spec *view)
{
	change();
	kept_takes_all(c, view);
	CHECK_CONTAINS(c->outcome.reason, FOUND);
}

/* The first refresh by keys of a connection is audited. */
static void find_wrong(struct contract *c, const struct viewd_view_spec *view)
{
	contract_sql("UPDATE v SET price = price + 1000;");
	expect_log("rows were not as their definition says");
	takes_all_as_found_wrong(c, view);
}

static struct viewd_view_spec begin(struct contract *c)
{
	kept_begin(c);
	kept_owners();
	struct viewd_view_spec view = kept_view("v", rows_of_things);
	kept_make(c, &view);
	return view;
}

static void swap(struct contract *c, struct viewd_conn **other)
{
	struct viewd_conn *conn = c->conn;
	c->conn = *other;
	*other = conn;
}

static void a_view_found_wrong_stays_so(void)
{
	struct contract c;
	struct viewd_view_spec view = begin(&c);
	find_wrong(&c, &view);
	takes_all_as_found_wrong(&c, &view);
	contract_reconnect(&c);
	takes_all_as_found_wrong(&c, &view);
	REFRESH(&c, &view); /* without news */
	CHECK_INT(c.outcome.did, VIEWD_DID_NO_DATA);
	CHECK_CONTAINS(c.outcome.reason, FOUND);
	contract_reconnect(&c);
	asked_for_all(&c, &view);
	change();
	kept_keeps_by(&c, &view, 2);
	contract_reconnect(&c);
	change();
	kept_keeps_by(&c, &view, 2);
	contract_end(&c);
}

static void other_connections_know_of_it(void)
{
	struct contract c;
	struct viewd_view_spec view = begin(&c);
	struct viewd_conn *other = contract_open(&c);
	change();
	swap(&c, &other);
	kept_keeps_by(&c, &view, 2);
	swap(&c, &other);
	find_wrong(&c, &view);
	swap(&c, &other);
	takes_all_as_found_wrong(&c, &view);
	asked_for_all(&c, &view);
	swap(&c, &other);
	change();
	kept_keeps_by(&c, &view, 2);
	c.dialect->close(&other);
	contract_end(&c);
}

static void history_tells_of_it(void)
{
	struct contract c;
	struct viewd_view_spec view = begin(&c);
	find_wrong(&c, &view);
	const char *last = talloc_asprintf(harness_ctx(), "SELECT error FROM %s ORDER BY id DESC LIMIT 1;",
	                                   contract_state("refresh_history"));
	CHECK_CONTAINS(contract_sql("%s", last), FOUND);
	takes_all_as_found_wrong(&c, &view);
	CHECK_CONTAINS(contract_sql("%s", last), FOUND);
	asked_for_all(&c, &view);
	CHECK_STR(contract_sql("%s", last), "");
	contract_end(&c);
}

static void another_definition_forgets_it(void)
{
	struct contract c;
	struct viewd_view_spec view = begin(&c);
	find_wrong(&c, &view);
	view.definition = "SELECT id, owner, price FROM thing";
	APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
	REFRESH(&c, &view);
	change();
	kept_keeps_by(&c, &view, 2);
	view.definition = rows_of_things;
	APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
	REFRESH(&c, &view);
	change();
	kept_keeps_by(&c, &view, 2);
	contract_end(&c);
}

static const char *known(void)
{
	return contract_sql("SELECT count(*) FROM %s;", contract_state("learnt"));
}

static void a_view_that_is_gone_leaves_nothing(void)
{
	struct contract c;
	struct viewd_view_spec view = begin(&c);
	find_wrong(&c, &view);
	CHECK_STR(known(), "1");
	APPLY(&c, &view, VIEWD_CHANGE_DROP);
	CHECK_STR(known(), "0");
	contract_end(&c);
}

/* ---- what refreshes take ---- */

/* One refresh in sixteen writes it. */
static void refresh_often(struct contract *c, const struct viewd_view_spec *view)
{
	for (int i = 0; i < 16; i++) {
		change();
		kept_keeps(c, view);
	}
	CHECK_STR(known(), "1");
}

/* As if all of it were slow but the second form. */
static void plant(struct contract *c, const char *numbers)
{
	contract_sql("UPDATE %s SET text = 'part %s' WHERE fact = 'costs';", contract_state("learnt"), numbers);
	contract_reconnect(c);
}

static void the_form_is_remembered(void)
{
	static const char *const definitions[] = {
		rows_of_things,
		"SELECT t.id, t.price, o.name FROM thing t LEFT JOIN owner o ON o.id = t.owner",
		"SELECT owner, id, sum(price) OVER (PARTITION BY owner) AS total FROM thing",
	};
	static const char *const changes[] = {
		"UPDATE thing SET price = price + 1 WHERE id IN (1, 4);",
		"INSERT INTO thing VALUES (6, 3, 60, 'f'), (7, NULL, 70, NULL), (8, 4, NULL, NULL);",
		"UPDATE thing SET owner = NULL, price = 2 WHERE id = 1; UPDATE thing SET owner = 1 WHERE id = 7;",
		"UPDATE thing SET id = 9, price = 0 WHERE id = 2; DELETE FROM thing WHERE owner IS NULL;",
	};
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		struct contract c;
		kept_begin(&c);
		kept_owners();
		struct viewd_view_spec view = kept_view("v", definitions[i]);
		kept_make(&c, &view);
		refresh_often(&c, &view);
		plant(&c, "1 1e+06 1e+06 5 50 5e+06 500 5e+07 5 50 500 500 5000");
		for (size_t k = 0; k < ARRAY_LEN(changes); k++) {
			contract_sql("%s", changes[k]);
			kept_keeps(&c, &view);
			CHECK_CONTAINS(c.outcome.reason, "in the second form");
		}
		contract_end(&c);
	}
}

/* Anybody may have written there. */
static void what_is_not_readable_is_not_known(void)
{
	static const char *const texts[] = {"", "1", "1 1e+06 1e+06 5 50 5e+06 500 5e+07 5 50 500 500 words",
	                                    "9 0 0 0 0 0 0 0 0 0 0 0 0"};
	struct contract c;
	struct viewd_view_spec view = begin(&c);
	refresh_often(&c, &view);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		plant(&c, texts[i]);
		change();
		kept_keeps(&c, &view);
		CHECK(strstr(c.outcome.reason, "second form") == NULL);
	}
	contract_end(&c);
}

static const struct harness_test tests[] = {
	{"a view found wrong stays so", a_view_found_wrong_stays_so},
	{"other connections know of it", other_connections_know_of_it},
	{"history tells of it", history_tells_of_it},
	{"another definition forgets it", another_definition_forgets_it},
	{"a view that is gone leaves nothing", a_view_that_is_gone_leaves_nothing},
	{"the form is remembered", the_form_is_remembered},
	{"what is not readable is not known", what_is_not_readable_is_not_known},
};
const struct harness_suite contract_learnt = SUITE("learnt", tests);
