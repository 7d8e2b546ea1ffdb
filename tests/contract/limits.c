/* SPDX-License-Identifier: MIT
 *
 * Time limits, cancelling and locks.
 */
#include "base/clock.h"
#include "base/err.h"
#include "contract/contract.h"

/* A view whose refresh takes minutes once `slow` holds a row, and no time before: EXISTS tells planners that begin with
 * the other join. */
static const char slow_definition[] = "SELECT count(*) AS n FROM numbers a, numbers b, numbers c, slow WHERE a.i + b.i "
									  "+ c.i <> -1 AND EXISTS (SELECT 1 FROM slow)";

static void make_slow(void)
{
	contract_sql("CREATE TABLE slow (x integer); CREATE TABLE numbers (i integer);"
	             "INSERT INTO numbers WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 900) "
	             "SELECT i FROM r;");
}

static int64_t mono(void)
{
	return clock_system()->mono(clock_system());
}

static void the_timeout_is_kept(void)
{
	struct contract c;
	contract_begin(&c);
	make_slow();
	static const enum viewd_method methods[] = {VIEWD_METHOD_MATERIALIZED, VIEWD_METHOD_TABLE};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct viewd_view_spec view = contract_view("v", methods[i], slow_definition);
		contract_sql("DELETE FROM slow;");
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		contract_sql("INSERT INTO slow VALUES (1);");
		view.timeout_us = 300000;
		int64_t begin = mono();
		CHECK_REFUSED(contract_refresh(&c, &view), &c, VIEWD_ERR_TIMEOUT);
		CHECK(mono() - begin >= 250000 && mono() - begin < 30000000);
		CHECK_STR(contract_sql("SELECT n FROM v;"), "0");
		CHECK(c.dialect->alive(c.conn));
		CHECK_REFUSED(contract_verify(&c, &view), &c, VIEWD_ERR_TIMEOUT);
		contract_sql("DELETE FROM slow;");
		view.timeout_us = 60000000;
		REFRESH(&c, &view);
		APPLY(&c, &view, VIEWD_CHANGE_DROP);
	}
	contract_end(&c);
}

static void a_refresh_can_be_cancelled(void)
{
	struct contract c;
	contract_begin(&c);
	make_slow();
	static const enum viewd_method methods[] = {VIEWD_METHOD_MATERIALIZED, VIEWD_METHOD_TABLE};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct viewd_view_spec view = contract_view("v", methods[i], slow_definition);
		contract_sql("DELETE FROM slow;");
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		contract_sql("INSERT INTO slow VALUES (1);");
		struct contract_canceller *canceller = contract_cancel_soon(&c);
		CHECK_REFUSED(contract_refresh(&c, &view), &c, VIEWD_ERR_CANCELLED);
		contract_cancel_join(&canceller);
		CHECK_STR(contract_sql("SELECT n FROM v;"), "0");
		contract_sql("DELETE FROM slow;");
		REFRESH(&c, &view);
		APPLY(&c, &view, VIEWD_CHANGE_DROP);
	}
	contract_end(&c);
}

static void a_cancelled_create_leaves_nothing(void)
{
	struct contract c;
	contract_begin(&c);
	make_slow();
	contract_sql("INSERT INTO slow VALUES (1);");
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_MATERIALIZED, slow_definition);
	struct contract_canceller *canceller = contract_cancel_soon(&c);
	CHECK_REFUSED(contract_apply(&c, &view, VIEWD_CHANGE_CREATE), &c, VIEWD_ERR_CANCELLED);
	contract_cancel_join(&canceller);
	contract_reconnect(&c);
	INSPECT(&c, &view);
	CHECK(c.found.kind == VIEWD_KIND_NONE || c.found.ours);
	contract_sql("DELETE FROM slow;");
	APPLY(&c, &view, c.found.kind == VIEWD_KIND_NONE ? VIEWD_CHANGE_CREATE : VIEWD_CHANGE_REPLACE);
	VERIFY_EQUAL(&c, &view);
	contract_end(&c);
}

static void a_cancel_of_nothing_is_harmless(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	c.dialect->cancel(c.conn);
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	c.dialect->cancel(c.conn);
	REFRESH(&c, &view);
	contract_end(&c);
}

static void a_lock_is_not_waited_for_long(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("held", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	struct contract_holder *holder = contract_hold();
	view.lock_timeout_us = 1000000;
	int64_t begin = mono();
	CHECK_REFUSED(contract_refresh(&c, &view), &c, VIEWD_ERR_CONFLICT);
	CHECK(mono() - begin >= 500000 && mono() - begin < 30000000);
	contract_release(&holder);
	REFRESH(&c, &view);
	VERIFY_EQUAL(&c, &view);
	contract_end(&c);
}

static void two_connections_do_not_disturb_each_other(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	struct viewd_conn *first = c.conn, *second = contract_open(&c);
	for (int i = 0; i < 5; i++) {
		REFRESH(&c, &view);
		c.conn = second;
		REFRESH(&c, &view);
		INSPECT(&c, &view);
		CHECK(c.found.ours);
		c.conn = first;
	}
	c.dialect->close(&second);
	contract_end(&c);
}

static const struct harness_test tests[] = {
	{"the timeout is kept", the_timeout_is_kept},
	{"a refresh can be cancelled", a_refresh_can_be_cancelled},
	{"a cancelled create leaves nothing", a_cancelled_create_leaves_nothing},
	{"a cancel of nothing is harmless", a_cancel_of_nothing_is_harmless},
	{"a lock is not waited for long", a_lock_is_not_waited_for_long},
	{"two connections do not disturb each other", two_connections_do_not_disturb_each_other},
};
const struct harness_suite contract_limits = SUITE("limits", tests);
