/* SPDX-License-Identifier: MIT
 *
 * refresh_mode auto begins by itself to keep a view by what has changed, and gives that up. Time is made here: a
 * refresh takes as long as the test says. VIEWD_CONTRACT_BEGINS: the dialect begins by itself (begins_after_us).
 */
#include "base/clock.h"
#include "contract/kept.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define ROUNDS_MAX 20

struct pretended {
	int64_t more_us;  /* than the clock says */
	int64_t begin_us; /* that a refresh takes to begin */
	int64_t each_us;  /* from one look at the clock to the next one */
};

static int64_t now(void *ctx)
{
	struct pretended *time = ctx;
	time->more_us += time->each_us;
	return clock_system()->wall(clock_system()) + time->more_us;
}

static void pass(void *ctx, const char *place)
{
	struct pretended *time = ctx;
	if (strcmp(place, "refresh:begin") == 0)
		time->more_us += time->begin_us;
}

static bool take_source(void *ctx, const struct viewd_source *source)
{
	struct viewd_source *out = ctx;
	*out = (struct viewd_source){talloc_strdup(harness_ctx(), source->schema),
	                             talloc_strdup(harness_ctx(), source->name), source->kind};
	return true;
}

static bool ignore(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static void follow(struct contract *c, const struct viewd_view_spec *view, enum viewd_capture mode)
{
	struct viewd_source source = {0};
	struct viewd_captured out;
	struct viewd_capture_request req = {.struct_size = sizeof req, .mode = mode, .sources = &source, .n_sources = 1};
	REQUIRE_OK(c->dialect->inspect(c->conn, view, &c->found, (struct viewd_source_sink){take_source, &source}, &c->err),
	           &c->err);
	REQUIRE_OK(c->dialect->capture->set(c->conn, view, &req, &out, (struct viewd_text_sink){ignore, NULL}, &c->err),
	           &c->err);
	REQUIRE(out.mode == mode);
}

static struct viewd_view_spec begin(struct contract *c, struct pretended *time, enum viewd_capture mode)
{
	if (getenv("VIEWD_CONTRACT_BEGINS") == NULL)
		harness_skip("auto does not begin by itself");
	kept_begin(c);
	c->host.ctx = time;
	c->host.now = now;
	c->host.failpoint = pass;
	contract_reconnect(c);
	kept_owners();
	struct viewd_view_spec view = kept_view("v", "SELECT id, price FROM thing");
	view.mode = VIEWD_MODE_AUTO;
	view.captured = true;
	APPLY(c, &view, VIEWD_CHANGE_CREATE);
	follow(c, &view, mode);
	return view;
}

static const char *changed(struct contract *c, const struct viewd_view_spec *view)
{
	contract_sql("UPDATE thing SET price = price + 1 WHERE id = 1;");
	REFRESH(c, view);
	VERIFY_EQUAL(c, view);
	return c->outcome.reason;
}

static void refresh_thrice(struct contract *c, const struct viewd_view_spec *view)
{
	for (int i = 0; i < 3; i++)
		CHECK(strstr(changed(c, view), "incremental: ") == NULL);
}

static void what_takes_long_is_kept(void)
{
	struct contract c;
	struct pretended time = {.begin_us = 6000};
	struct viewd_view_spec view = begin(&c, &time, VIEWD_CAPTURE_TRIGGER);
	refresh_thrice(&c, &view);
	CHECK_CONTAINS(changed(&c, &view), "all rows: ");
	CHECK_CONTAINS(changed(&c, &view), "incremental: 1 keys of 2 images, ");
	CHECK_CONTAINS(c.outcome.reason, " ms expected, all rows ");
	contract_reconnect(&c);
	CHECK_CONTAINS(changed(&c, &view), "incremental: ");
	contract_end(&c);
}

static void what_is_quick_is_not(void)
{
	struct contract c;
	struct pretended time = {0};
	struct viewd_view_spec view = begin(&c, &time, VIEWD_CAPTURE_TRIGGER);
	for (int i = 0; i < 2; i++) {
		time.begin_us = 60000;
		CHECK(strstr(changed(&c, &view), "incremental: ") == NULL);
		CHECK(strstr(changed(&c, &view), "incremental: ") == NULL);
		time.begin_us = -1000000; /* however slow the machine is */
		CHECK(strstr(changed(&c, &view), "incremental: ") == NULL);
	}
	CHECK_STR(contract_sql("SELECT count(*) FROM %s;", contract_state("change_logs")), "0");
	contract_end(&c);
}

static void who_has_no_triggers_gets_none(void)
{
	struct contract c;
	struct pretended time = {.begin_us = 60000};
	struct viewd_view_spec view = begin(&c, &time, VIEWD_CAPTURE_POLL);
	refresh_thrice(&c, &view);
	CHECK_CONTAINS(changed(&c, &view), "its sources are not followed by triggers");
	CHECK_STR(contract_sql("SELECT count(*) FROM %s;", contract_state("change_logs")), "0");
	contract_end(&c);
}

static void refresh_until_given_up(struct contract *c, struct pretended *time, const struct viewd_view_spec *view)
{
	const char *reason = "";
	time->each_us = 100000;
	for (int i = 0; i < ROUNDS_MAX && strstr(reason, "an incremental refresh has taken") == NULL; i++)
		reason = changed(c, view);
	CHECK_CONTAINS(reason, "an incremental refresh has taken");
	time->each_us = 0;
}

static void what_is_no_quicker_is_given_up(void)
{
	struct contract c;
	struct pretended time = {.begin_us = 60000};
	struct viewd_view_spec view = begin(&c, &time, VIEWD_CAPTURE_TRIGGER);
	refresh_thrice(&c, &view);
	refresh_until_given_up(&c, &time, &view);
	CHECK_STR(contract_sql("SELECT count(*) FROM %s;", contract_state("change_logs")), "0");
	contract_end(&c);
}

static void exchange(struct contract *c, struct viewd_conn **other)
{
	struct viewd_conn *conn = c->conn;
	c->conn = *other;
	*other = conn;
}

/* Two connections keep a view so, and one of them gives that up. pass_us: until the other one refreshes it. */
static void give_up_by_one(struct contract *c, int64_t pass_us, bool shared)
{
	struct pretended time = {.begin_us = 60000};
	struct viewd_view_spec view = begin(c, &time, VIEWD_CAPTURE_TRIGGER);
	struct viewd_view_spec sharing = kept_view("w", "SELECT id, price FROM thing");
	sharing.mode = shared ? VIEWD_MODE_INCREMENTAL : VIEWD_MODE_FULL;
	APPLY(c, &sharing, VIEWD_CHANGE_CREATE);
	REFRESH(c, &sharing);
	struct viewd_conn *other = contract_open(c);
	REQUIRE_OK(c->dialect->prepare(other, (struct viewd_recorded_sink){0}, &c->err), &c->err);
	refresh_thrice(c, &view);
	CHECK_CONTAINS(changed(c, &view), "all rows: ");
	exchange(c, &other);
	CHECK_CONTAINS(changed(c, &view), "incremental: ");
	exchange(c, &other);
	int64_t before = time.more_us;
	refresh_until_given_up(c, &time, &view);
	time.more_us = before + pass_us;
	exchange(c, &other);
	const char *reason = changed(c, &view);
	CHECK(strstr(reason, "incremental: ") == NULL);
	CHECK_CONTAINS(reason, "an incremental refresh has taken");
	CHECK_STR(contract_sql("SELECT count(*) FROM %s WHERE view = 'v';", contract_state("log_readers")), "0");
	c->dialect->close(&other);
	contract_end(c);
}

static void what_one_gives_up_no_other_takes_up(void)
{
	struct contract c;
	give_up_by_one(&c, 0, false);
}

static void the_same_where_others_read_its_logs(void)
{
	struct contract c;
	give_up_by_one(&c, 11000000, true);
}

static const struct harness_test tests[] = {
	{"what takes long is kept", what_takes_long_is_kept},
	{"what is quick is not", what_is_quick_is_not},
	{"who has no triggers gets none", who_has_no_triggers_gets_none},
	{"what is no quicker is given up", what_is_no_quicker_is_given_up},
	{"what one gives up no other takes up", what_one_gives_up_no_other_takes_up},
	{"the same where others read its logs", the_same_where_others_read_its_logs},
};
const struct harness_suite contract_auto = SUITE("auto", tests);
