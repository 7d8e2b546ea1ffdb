/* SPDX-License-Identifier: MIT
 *
 * test_parts.c: the small parts: arena, names, report, list, words.
 */
#include "base/words.h"
#include "conf/read/arena.h"
#include "conf/read/list.h"
#include "conf/read/names.h"
#include "conf/read/report.h"
#include "support/harness.h"

#include <stdio.h>
#include <talloc.h>

static void arena_pieces(void)
{
	struct arena *arena = arena_new(harness_ctx());
	uint64_t *numbers[400];
	char *texts[400];
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		char text[32];
		snprintf(text, sizeof text, "text %zu", i);
		numbers[i] = arena_array(arena, uint64_t, i + 1);
		texts[i] = arena_strdup(arena, text);
		CHECK((uintptr_t)numbers[i] % sizeof(void *) == 0);
		CHECK(numbers[i][0] == 0 && numbers[i][i] == 0);
		memset(numbers[i], 0xff, sizeof(uint64_t) * (i + 1));
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		char text[32];
		snprintf(text, sizeof text, "text %zu", i);
		CHECK_STR(texts[i], text);
		CHECK(numbers[i][i] == UINT64_MAX);
	}
	char *big = arena_strndup(arena, talloc_zero_array(harness_ctx(), char, 100000), 99999);
	CHECK(big[99999] == '\0');
	CHECK(arena_alloc(arena, 0) != NULL && arena_alloc(arena_new(harness_ctx()), 0) != NULL);
	CHECK_INT(((const char *)arena_memdup(arena, "ab", 2))[1], 'b');
}

static void names_many(void)
{
	struct name_set *names = names_new(harness_ctx(), 0);
	char text[10000][12];
	uint32_t value = 7;
	for (uint32_t i = 0; i < ARRAY_LEN(text); i++) {
		snprintf(text[i], sizeof text[i], "n%u", i);
		CHECK(names_add(names, text[i], i, &value));
	}
	CHECK_INT(value, 7);
	CHECK(!names_add(names, "n77", 1, &value));
	CHECK_INT(value, 77);
	CHECK(!names_add(names, "n77", 1, NULL));
	for (uint32_t i = 0; i < ARRAY_LEN(text); i++)
		CHECK(names_find(names, text[i], &value) && value == i);
	CHECK(!names_find(names, "n10000", &value) && !names_find(names, "", &value));
}

static void report_order(void)
{
	struct report *report = report_new(harness_ctx());
	unsigned a = report_file(report, "a.conf"), b = report_file(report, "b.conf");
	struct viewd_err err = {.msg = "what", .hint = "right"};
	report_error(report, &(struct report_at){.file = b, .line = 1}, "last");
	report_warning(report, &(struct report_at){.file = a, .line = 10, .section = "s"}, "third");
	report_err(report, &(struct report_at){.file = a, .line = 9, .column = 2, .section = "s", .key = "k"}, &err);
	report_error(report, &(struct report_at){.file = a, .line = 10}, "fourth \x1b[31m \xc2\x9b \xc3\xa9");
	report_error(report, &(struct report_at){.file = a}, "first %d", 1);
	struct conf_problems p;
	CHECK_INT(report_n_errors(report), 4);
	report_finish(report, harness_ctx(), &p);
	REQUIRE(p.n == 5 && p.n_errors == 4);
	CHECK_STR(p.items[0].text, "a.conf: first 1");
	CHECK_STR(p.items[1].text, "a.conf:9:2: [s] k: what; right");
	CHECK_STR(p.items[2].text, "a.conf:10: [s]: third");
	CHECK(p.items[2].warning && !p.items[3].warning);
	CHECK_STR(p.items[3].text, "a.conf:10: fourth ?[31m ?? \xc3\xa9");
	CHECK_STR(p.items[4].text, "b.conf:1: last");
}

static void list_items(void)
{
	const char *rest = " a , \"b,c\" , d(e,f) ,, ", *item;
	static const char *const expected[] = {"a", "\"b,c\"", "d(e,f)", "", ""};
	size_t len, n = 0;
	bool open = false;
	while (list_next(&rest, &item, &len, &open)) {
		REQUIRE(n < ARRAY_LEN(expected));
		CHECK_STR(talloc_strndup(harness_ctx(), item, len), expected[n++]);
	}
	CHECK_INT(n, ARRAY_LEN(expected));
	CHECK(!open);
	rest = "a) , b(";
	while (list_next(&rest, &item, &len, &open))
		;
	CHECK(open);
}

static void words(void)
{
	CHECK_STR(word_method(VIEWD_METHOD_TABLE), "table");
	CHECK_STR(word_mode(VIEWD_MODE_INCREMENTAL), "incremental");
	CHECK_STR(word_did(VIEWD_DID_NO_DATA), "NO_DATA");
	CHECK_STR(word_change(VIEWD_CHANGE_REFUSE), "refuse");
	CHECK_STR(word_kind(VIEWD_KIND_MATVIEW), "materialized view");
	CHECK_STR(word_method((enum viewd_method)99), "unknown");
	for (int i = 0; i < VIEWD_METHOD_COUNT; i++)
		CHECK(strcmp(word_method((enum viewd_method)i), "unknown") != 0);
	for (int i = 0; i < VIEWD_MODE_COUNT; i++)
		CHECK(strcmp(word_mode((enum viewd_refresh_mode)i), "unknown") != 0);
	for (int i = 0; i < VIEWD_DID_COUNT; i++)
		CHECK(strcmp(word_did((enum viewd_did)i), "unknown") != 0);
	for (int i = 0; i < VIEWD_CHANGE_COUNT; i++)
		CHECK(strcmp(word_change((enum viewd_change)i), "unknown") != 0);
	for (int i = VIEWD_KIND_NONE; i <= VIEWD_KIND_OTHER; i++)
		CHECK(strcmp(word_kind((enum viewd_kind)i), "unknown") != 0);
}

static const struct harness_test tests[] = {
	{"arena", arena_pieces}, {"names", names_many}, {"report", report_order}, {"list", list_items}, {"words", words},
};
HARNESS_MAIN(SUITE("parts of conf", tests))
