/* SPDX-License-Identifier: MIT
 *
 * test_spool.c: the queue of log lines and its writer; what a line becomes in the journal.
 */
#include "work/spool.h"

#include "support/harness.h"
#include "sys/journal.h"

#include <stdatomic.h>
#include <talloc.h>
#include <unistd.h>

#define PATIENCE INT64_C(60000000)

/* A reader of the log who may not read. */
struct reader {
	int gate[2]; /* a byte lets one line through; closed: all */
	atomic_int begun;
	int n;
	char text[64][120];
	enum viewd_log_level levels[64];
};

static void write_line(void *ctx, enum viewd_log_level level, const char *line)
{
	struct reader *r = ctx;
	char byte;
	r->begun++;
	while (read(r->gate[0], &byte, 1) < 0)
		;
	if (r->n == 64)
		return;
	r->levels[r->n] = level;
	snprintf(r->text[r->n++], sizeof r->text[0], "%s", line);
}

static struct spool *begin(struct reader *r, struct loop **loop, size_t room)
{
	*r = (struct reader){.n = 0};
	REQUIRE(pipe(r->gate) == 0);
	*loop = loop_new();
	struct spool *spool = spool_new(*loop, room, write_line, r);
	REQUIRE(spool != NULL);
	return spool;
}

static void open_gate(struct reader *r)
{
	close(r->gate[1]);
}

static void end(struct reader *r, struct loop **loop, struct spool **spool)
{
	CHECK(spool_free(spool, PATIENCE));
	CHECK(*spool == NULL);
	loop_free(loop);
	close(r->gate[0]);
}

static void lines_keep_their_order(void)
{
	struct reader r;
	struct loop *loop;
	struct spool *spool = begin(&r, &loop, 100000);
	char text[20];
	open_gate(&r);
	for (int i = 0; i < 50; i++) {
		snprintf(text, sizeof text, "line %d", i);
		spool_put(spool, i % 7 == 0 ? VIEWD_LOG_ERROR : VIEWD_LOG_DEBUG, text);
	}
	CHECK(spool_flush(spool, PATIENCE));
	CHECK_INT(r.n, 50);
	for (int i = 0; i < r.n; i++) {
		snprintf(text, sizeof text, "line %d", i);
		CHECK_STR(r.text[i], text);
		CHECK_INT(r.levels[i], i % 7 == 0 ? VIEWD_LOG_ERROR : VIEWD_LOG_DEBUG);
	}
	end(&r, &loop, &spool);
}

/* The contents of the log when it is read again, one word a line. */
static const char *told(const struct reader *r)
{
	char *text = talloc_strdup(harness_ctx(), "");
	for (int i = 0; i < r->n; i++)
		text = talloc_asprintf_append(text, "%s%.24s", i > 0 ? "; " : "", r->text[i]);
	return text;
}

static void what_was_dropped_is_counted_in_its_place(void)
{
	static char big[701];
	struct reader r;
	struct loop *loop;
	struct spool *spool = begin(&r, &loop, 4096);
	memset(big, 'x', sizeof big - 1);
	int64_t deadline = harness_deadline(PATIENCE);
	spool_put(spool, VIEWD_LOG_INFO, "first");
	while (r.begun == 0 && harness_pause(deadline))
		; /* the writer is stuck with it */
	for (int i = 0; i < 10; i++)
		spool_put(spool, VIEWD_LOG_INFO, big); /* four have room */
	spool_put(spool, VIEWD_LOG_ERROR, "an error");
	spool_put(spool, VIEWD_LOG_DEBUG, big);
	spool_put(spool, VIEWD_LOG_DEBUG, big);
	CHECK(!spool_flush(spool, 1000));
	open_gate(&r);
	CHECK(spool_flush(spool, PATIENCE));
	memset(big + 24, 0, 1);
	CHECK_STR(told(&r),
	          talloc_asprintf(harness_ctx(),
	                          "first; %s; %s; %s; %s; log, dropped 6 lines (no; an error; log, dropped 2 lines (no",
	                          big, big, big, big));
	CHECK_INT(r.levels[5], VIEWD_LOG_WARNING);
	end(&r, &loop, &spool);
}

static void a_flood_of_errors_is_bounded_too(void)
{
	struct reader r;
	struct loop *loop;
	struct spool *spool = begin(&r, &loop, 1000);
	for (int i = 0; i < 100000; i++)
		spool_put(spool, VIEWD_LOG_ERROR, "again and again");
	CHECK(!spool_flush(spool, 1000));
	open_gate(&r);
	CHECK(spool_flush(spool, PATIENCE));
	CHECK(r.n < 30);
	end(&r, &loop, &spool);
}

/* Nothing but a count is left, and that finds no reader either. */
static void a_count_is_waited_for_as_a_line_is(void)
{
	struct reader r;
	struct loop *loop;
	struct spool *spool = begin(&r, &loop, 10);
	spool_put(spool, VIEWD_LOG_ERROR, "more than ten bytes");
	CHECK(!spool_flush(spool, 1000));
	open_gate(&r);
	CHECK(spool_flush(spool, PATIENCE));
	CHECK_STR(told(&r), "log, dropped 1 lines (no");
	end(&r, &loop, &spool);
}

/* ---- the journal ---- */

static const char *entry_of(enum viewd_log_level level, const char *line)
{
	struct journal_entry entry;
	char *text = talloc_strdup(harness_ctx(), "");
	journal_entry(harness_ctx(), level, line, &entry);
	for (size_t i = 0; i < entry.n; i++)
		text = talloc_asprintf_append(text, "%s\n", entry.fields[i]);
	return text;
}

static void lines_have_fields(void)
{
	CHECK_STR(entry_of(VIEWD_LOG_DEBUG, "watch, looked"),
	          "PRIORITY=7\nSYSLOG_IDENTIFIER=viewd\nMESSAGE=watch, looked\n");
	const char *text = entry_of(VIEWD_LOG_ERROR, "view 'daily', refresh failed (lock timeout after 2s)");
	CHECK_CONTAINS(text, "PRIORITY=3\n");
	CHECK_CONTAINS(text, "MESSAGE=view 'daily', refresh failed (lock timeout after 2s)\n");
	CHECK_CONTAINS(text, "\nVIEWD_VIEW=daily\n");
	CHECK_CONTAINS(text, "\nMESSAGE_ID=5f1d5c1b7a0e4d0c9f3d8a4d1c0b7e12\n");
	text = entry_of(VIEWD_LOG_WARNING, "database 'shop', cannot be used (x=y)");
	CHECK_CONTAINS(text, "PRIORITY=4\n");
	CHECK_CONTAINS(text, "\nVIEWD_DATABASE=shop\n");
	CHECK(strstr(text, "VIEWD_VIEW") == NULL);
	text = entry_of(VIEWD_LOG_WARNING, "view 'shop:daily', is read by a view that is not kept");
	CHECK_CONTAINS(text, "\nVIEWD_DATABASE=shop\nVIEWD_VIEW=daily\n");
	CHECK_CONTAINS(entry_of(VIEWD_LOG_INFO, "stopping"), "\nMESSAGE_ID=5f1d5c1b7a0e4d0c9f3d8a4d1c0b7e15\n");
	CHECK_CONTAINS(entry_of(VIEWD_LOG_INFO, "viewd 0.1, ready: 1 views on 1 databases"),
	               "\nMESSAGE_ID=5f1d5c1b7a0e4d0c9f3d8a4d1c0b7e11\n");
	CHECK_CONTAINS(entry_of(VIEWD_LOG_WARNING, "log, dropped 6 lines (nobody read them in time)"),
	               "\nMESSAGE_ID=5f1d5c1b7a0e4d0c9f3d8a4d1c0b7e14\n");
	CHECK(strstr(entry_of(VIEWD_LOG_INFO, "view 'stopping', is new"), "MESSAGE_ID") == NULL);
	CHECK(strstr(entry_of(VIEWD_LOG_INFO, "stopping, as told"), "MESSAGE_ID") == NULL);
	CHECK(strstr(entry_of(VIEWD_LOG_ERROR, "view 'v', creation failed (view 'w', refresh failed (x), ready: )"),
	             "MESSAGE_ID") == NULL);
	CHECK(strstr(entry_of(VIEWD_LOG_INFO, "a view 'x' is not the subject"), "VIEWD_VIEW") == NULL);
	CHECK_CONTAINS(entry_of(VIEWD_LOG_INFO, "view 'never closed"), "VIEWD_VIEW=never closed\n");
}

static const struct harness_test tests[] = {
	{"lines keep their order", lines_keep_their_order},
	{"what was dropped is counted in its place", what_was_dropped_is_counted_in_its_place},
	{"a flood of errors is bounded too", a_flood_of_errors_is_bounded_too},
	{"a count is waited for as a line is", a_count_is_waited_for_as_a_line_is},
	{"lines have fields", lines_have_fields},
};
HARNESS_MAIN(SUITE("spool", tests))
