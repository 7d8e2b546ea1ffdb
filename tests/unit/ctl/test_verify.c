/* SPDX-License-Identifier: MIT
 *
 * test_verify.c: viewctl verify --repair: what is refreshed, what is compared again, and what the reply tells. View
 * beta reads alpha.
 */
#include "ctl_support.h"

#include "base/err.h"
#include "support/harness.h"

#include <string.h>
#include <talloc.h>
#include <unistd.h>

static const struct viewd_verdict equal = {.rows = 7};
static const struct viewd_verdict differs = {.rows = 7, .missing = 2, .unexpected = 1};
static const struct viewd_err locked = {.cls = VIEWD_ERR_CONFLICT, .msg = "lock timeout after 2s"};

/* One call of verify --repair, and its connection. */
struct ask {
	struct rig rig;
	int fd;
};

#define BODY_ALL "{\"all\":true,\"repair\":true}"
#define BODY_ONE "{\"view\":\"alpha\",\"repair\":true}"

static void ask_begin(struct ask *ask, const char *body)
{
	rig_start(&ask->rig, NULL);
	ask->fd = rig_dial(&ask->rig);
	REQUIRE(ask->fd >= 0);
	const char *text = talloc_asprintf(
		harness_ctx(), "POST /v1/verify HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
	rig_send(&ask->rig, ask->fd, text, strlen(text));
	WAIT_UNTIL((loop_once(ask->rig.loop, 1000), ask->rig.engine.n_pending == 1));
}

static struct engine_item item(struct ask *ask, const char *name)
{
	return (struct engine_item){.view = engine_view(&ask->rig.engine, name, "shop"),
	                            .label = name,
	                            .database = "shop",
	                            .result = VIEW_RESULT_SUCCEEDED};
}

/* The engine is asked for this next, and about which views; then it answers. */
static void step(struct ask *ask, const char *what, const char *views, struct engine_item a, struct engine_item b)
{
	const struct engine_item items[] = {a, b};
	REQUIRE(ask->rig.engine.n_pending == 1);
	CHECK_STR(ask->rig.engine.pending[0].what, what);
	CHECK_STR(ask->rig.engine.pending[0].views, views);
	CHECK(fake_answer(&ask->rig.engine, items, b.label != NULL ? 2 : 1));
}

static struct engine_item compared(struct ask *ask, const char *name, const struct viewd_verdict *verdict)
{
	struct engine_item out = item(ask, name);
	out.verdict = verdict;
	return out;
}

static struct engine_item failed(struct ask *ask, const char *name)
{
	struct engine_item out = item(ask, name);
	out.result = VIEW_RESULT_FAILED;
	out.error = &locked;
	return out;
}

static const struct engine_item nothing = {0};

/* "name: equal repaired" and the like, a comma between; then how many have failed. The whole reply is checked. */
static void ask_end(struct ask *ask, const char *want)
{
	char *told = talloc_strdup(harness_ctx(), "");
	json_t *row = NULL;
	size_t i = 0;
	CHECK_INT(ask->rig.engine.n_pending, 0);
	json_t *reply = rig_json(rig_receive(&ask->rig, ask->fd, 5000000, NULL));
	json_array_foreach(json_object_get(reply, "items"), i, row) {
		const json_t *error = json_object_get(json_object_get(row, "error"), "message");
		const json_t *repaired = json_object_get(row, "repaired");
		const char *verdict = error != NULL                                   ? json_string_value(error)
		                      : json_is_true(json_object_get(row, "differs")) ? "differs"
		                                                                      : "equal";
		told =
			talloc_asprintf_append_buffer(told, "%s: %s%s, ", json_string_value(json_object_get(row, "view")), verdict,
		                                  repaired == NULL         ? ""
		                                  : json_is_true(repaired) ? " repaired"
		                                                           : " not repaired");
	}
	json_int_t n = json_integer_value(json_object_get(reply, "failed"));
	CHECK_INT(json_is_true(json_object_get(reply, "ok")), n == 0);
	CHECK_STR(talloc_asprintf_append_buffer(told, "%d", (int)n), want);
	json_decref(reply);
	close(ask->fd);
	rig_stop(&ask->rig);
}

static void equal_ones_are_left_alone(void)
{
	struct ask ask;
	ask_begin(&ask, BODY_ALL);
	step(&ask, "verify", "alpha beta", compared(&ask, "alpha", &equal), compared(&ask, "beta", &equal));
	ask_end(&ask, "alpha: equal, beta: equal, 0");
}

/* Beta was equal to its definition over the wrong rows of alpha. */
static void readers_are_repaired_too(void)
{
	struct ask ask;
	ask_begin(&ask, BODY_ALL);
	step(&ask, "verify", "alpha beta", compared(&ask, "alpha", &differs), compared(&ask, "beta", &equal));
	step(&ask, "refresh all rows", "alpha beta", item(&ask, "alpha"), item(&ask, "beta"));
	step(&ask, "verify", "alpha beta", compared(&ask, "alpha", &equal), compared(&ask, "beta", &equal));
	ask_end(&ask, "alpha: equal repaired, beta: equal repaired, 0");
}

static void all_are_compared_again(void)
{
	struct ask ask;
	ask_begin(&ask, BODY_ALL);
	step(&ask, "verify", "alpha beta", compared(&ask, "alpha", &equal), compared(&ask, "beta", &differs));
	step(&ask, "refresh all rows", "beta", item(&ask, "beta"), nothing);
	step(&ask, "verify", "alpha beta", compared(&ask, "alpha", &differs), compared(&ask, "beta", &equal));
	ask_end(&ask, "alpha: differs, beta: equal repaired, 1");
}

static void only_what_was_named_is_touched(void)
{
	struct ask ask;
	ask_begin(&ask, BODY_ONE);
	step(&ask, "verify", "alpha", compared(&ask, "alpha", &differs), nothing);
	step(&ask, "refresh all rows", "alpha", item(&ask, "alpha"), nothing);
	step(&ask, "verify", "alpha", compared(&ask, "alpha", &equal), nothing);
	ask_end(&ask, "alpha: equal repaired, 0");
}

static void errors_of_the_refresh_are_told(void)
{
	struct ask ask;
	ask_begin(&ask, BODY_ONE);
	step(&ask, "verify", "alpha", compared(&ask, "alpha", &differs), nothing);
	step(&ask, "refresh all rows", "alpha", failed(&ask, "alpha"), nothing);
	step(&ask, "verify", "alpha", compared(&ask, "alpha", &differs), nothing);
	ask_end(&ask, "alpha: lock timeout after 2s not repaired, 1");
	ask_begin(&ask, BODY_ONE);
	step(&ask, "verify", "alpha", compared(&ask, "alpha", &differs), nothing);
	struct engine_item skipped = item(&ask, "alpha");
	skipped.result = VIEW_RESULT_SKIPPED;
	step(&ask, "refresh all rows", "alpha", skipped, nothing);
	step(&ask, "verify", "alpha", compared(&ask, "alpha", &differs), nothing);
	ask_end(&ask, "alpha: its refresh ended as SKIPPED not repaired, 1");
}

/* Somebody else's refresh may have mended what ours could not. */
static void the_last_comparison_decides(void)
{
	struct ask ask;
	ask_begin(&ask, BODY_ONE);
	step(&ask, "verify", "alpha", compared(&ask, "alpha", &differs), nothing);
	step(&ask, "refresh all rows", "alpha", failed(&ask, "alpha"), nothing);
	step(&ask, "verify", "alpha", compared(&ask, "alpha", &equal), nothing);
	ask_end(&ask, "alpha: equal repaired, 0");
}

/* A view that could not be compared is not refreshed, and stays an error. */
static void errors_of_the_comparison_are_told(void)
{
	struct ask ask;
	ask_begin(&ask, BODY_ALL);
	step(&ask, "verify", "alpha beta", failed(&ask, "alpha"), compared(&ask, "beta", &differs));
	step(&ask, "refresh all rows", "beta", item(&ask, "beta"), nothing);
	step(&ask, "verify", "alpha beta", failed(&ask, "alpha"), compared(&ask, "beta", &equal));
	ask_end(&ask, "alpha: lock timeout after 2s, beta: equal repaired, 1");
}

static void vanished_views_count(void)
{
	struct ask ask;
	ask_begin(&ask, BODY_ALL);
	step(&ask, "verify", "alpha beta", compared(&ask, "alpha", &differs), compared(&ask, "beta", &equal));
	struct engine_item gone = item(&ask, "beta");
	gone.view = NULL;
	gone.result = VIEW_RESULT_CANCELLED;
	ask.rig.engine.gone = "beta";
	step(&ask, "refresh all rows", "alpha beta", item(&ask, "alpha"), gone);
	step(&ask, "verify", "alpha", compared(&ask, "alpha", &equal), nothing);
	ask_end(&ask, "alpha: equal repaired, beta: view 'beta' has been removed meanwhile, 1");
	ask_begin(&ask, BODY_ONE);
	step(&ask, "verify", "alpha", compared(&ask, "alpha", &differs), nothing);
	ask.rig.engine.gone = "alpha";
	step(&ask, "refresh all rows", "alpha", item(&ask, "alpha"), nothing);
	ask_end(&ask, "alpha: view 'alpha' has been removed meanwhile, 1");
}

static const struct harness_test tests[] = {
	{"equal ones are left alone", equal_ones_are_left_alone},
	{"readers are repaired too", readers_are_repaired_too},
	{"all are compared again", all_are_compared_again},
	{"only what was named is touched", only_what_was_named_is_touched},
	{"errors of the refresh are told", errors_of_the_refresh_are_told},
	{"the last comparison decides", the_last_comparison_decides},
	{"errors of the comparison are told", errors_of_the_comparison_are_told},
	{"vanished views count", vanished_views_count},
};
HARNESS_MAIN(SUITE("verify", tests))
