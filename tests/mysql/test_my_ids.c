/* SPDX-License-Identifier: MIT
 *
 * Sets of numbers of a log's rows.
 */
#include "my_support.h"

#include <stdlib.h>

#include "mysql/incremental/ids.h"

/* ---- against a plain set of small numbers ---- */

#define N 60

static struct ids from_bits(uint64_t bits)
{
	struct ids ids = {.mem = harness_ctx()};
	for (int i = 1; i < N; i++)
		if (bits >> i & 1)
			ids_append(&ids, i, i);
	return ids;
}

static uint64_t to_bits(const struct ids *ids)
{
	uint64_t bits = 0;
	for (int i = 1; i < N; i++)
		bits |= (uint64_t)ids_contain(ids, i) << i;
	return bits;
}

static uint64_t some_bits(unsigned *seed)
{
	uint64_t bits = 0;
	bool on = false;
	for (int i = 1; i < N; i++) {
		on = rand_r(seed) % 4 == 0 ? !on : on;
		bits |= (uint64_t)on << i;
	}
	return bits;
}

static const char *text_of(const struct ids *ids)
{
	return ids_add_text(talloc_strdup(harness_ctx(), ""), ids);
}

static void sets_behave_like_sets(void)
{
	unsigned seed = 7;
	for (int round = 0; round < 500; round++) {
		uint64_t a = some_bits(&seed), b = some_bits(&seed);
		int below = 1 + (int)(rand_r(&seed) % N);
		struct ids x = from_bits(a), y = from_bits(b), read = {.mem = harness_ctx()};
		CHECK(to_bits(&x) == a);
		REQUIRE(ids_read(&read, text_of(&x)));
		CHECK_STR(text_of(&read), text_of(&x));
		ids_unite(&x, &y);
		CHECK(to_bits(&x) == (a | b));
		ids_intersect(&x, &y);
		CHECK(to_bits(&x) == b);
		ids_intersect(&y, &read);
		CHECK(to_bits(&y) == (a & b));
		ids_forget_below(&x, below);
		CHECK(to_bits(&x) == (b >> below << below));
		ids_forget_above(&x, N - below);
		CHECK(to_bits(&x) == ((b >> below << below) & ((UINT64_C(2) << (N - below)) - 1)));
		for (int i = N; i < N + 20; i += 2)
			ids_append(&x, i, i);
		CHECK(ids_contain(&x, N + 18) && !ids_contain(&x, N + 19));
	}
}

/* ---- texts ---- */

static void neighbours_are_one_range(void)
{
	struct ids ids = {.mem = harness_ctx()}, more = {.mem = harness_ctx()};
	CHECK_STR(text_of(&ids), "");
	ids_append(&ids, 17, 20);
	ids_append(&ids, 21, 21);
	ids_append(&ids, 30, 30);
	ids_append(&more, 22, 28);
	CHECK_STR(text_of(&ids), "17-21,30");
	ids_unite(&ids, &more);
	CHECK_STR(text_of(&ids), "17-28,30");
}

static void other_texts_are_refused(void)
{
	static const char *const bad[] = {"x", "1,", ",1", "2-1", "1-", "-1", "1 2", "5,4", "1-3,3", "1234567890123456789",
	                                  "*"};
	struct ids ids = {.mem = harness_ctx()};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!ids_read(&ids, bad[i]));
	CHECK(ids_read(&ids, ""));
	CHECK_INT(ids.n, 0);
}

/* ---- conditions ---- */

static const char *counted(const char *condition)
{
	return my_ask("SELECT COUNT(*) FROM seq_1_to_5000 WHERE %s", condition);
}

static void conditions_are_what_the_set_says(void)
{
	struct ids ids = {.mem = harness_ctx()};
	char *text = harness_ctx();
	CHECK_STR(counted(ids_add_inside(talloc_strdup(text, ""), &ids, "seq")), "0");
	CHECK_STR(counted(ids_add_outside(talloc_strdup(text, ""), &ids, "seq", 11)), "4990");
	ids_append(&ids, 100, 199);
	CHECK_STR(counted(ids_add_inside(talloc_strdup(text, ""), &ids, "seq")), "100");
	CHECK_STR(counted(ids_add_outside(talloc_strdup(text, ""), &ids, "seq", 11)), "4890");
	CHECK_STR(counted(ids_add_outside(talloc_strdup(text, ""), &ids, "seq", 150)), "4801");
	for (int i = 1000; i < 2000; i += 2) /* more than are written as ranges */
		ids_append(&ids, i, i);
	ids_append(&ids, 2500, 2999);
	CHECK_STR(counted(ids_add_inside(talloc_strdup(text, ""), &ids, "seq")), "1100");
	CHECK_STR(counted(ids_add_outside(talloc_strdup(text, ""), &ids, "seq", 11)), "3890");
}

static const struct harness_test tests[] = {
	{"sets behave like sets", sets_behave_like_sets},
	{"neighbours are one range", neighbours_are_one_range},
	{"other texts are refused", other_texts_are_refused},
	{"conditions are what the set says", conditions_are_what_the_set_says},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql row numbers", tests))
