/* SPDX-License-Identifier: MIT
 *
 * test_doubt.c: which definitions of a plan only wait for what the same plan makes.
 */
#include "core/plan/doubt.h"
#include "support/harness.h"

#include "base/err.h"

#include <talloc.h>

#define MANY 20000

static struct viewd_err *missing(const char *message)
{
	struct viewd_err *err = talloc_zero(harness_ctx(), struct viewd_err);
	err_set(err, VIEWD_ERR_MISSING, "%s", message);
	return err;
}

/* NULL: it can be computed. */
static struct doubt made(const char *name, const char *message)
{
	return (struct doubt){.database = "db",
	                      .schema = "",
	                      .name = name,
	                      .made = true,
	                      .unusable = message != NULL ? missing(message) : NULL};
}

static void what_is_made_before_explains_it(void)
{
	struct doubt all[] = {made("c", "no such table: b"), made("b", "relation \"A\" does not exist"), made("a", NULL)};
	doubts_settle(all, 3);
	CHECK(all[0].upstream == &all[1] && all[1].upstream == &all[2] && all[2].upstream == NULL);
	CHECK(!doubt_is_left(&all[0]) && !doubt_is_left(&all[1]) && !doubt_is_left(&all[2]));
}

static void a_ring_is_left(void)
{
	struct doubt all[] = {made("a", "no b"), made("b", "no a"), made("c", "no b"), made("d", "no d")};
	doubts_settle(all, 4);
	for (int i = 0; i < 4; i++)
		CHECK(doubt_is_left(&all[i]));
}

/* One member can be had in another way than by the ring. */
static void a_ring_with_a_way_in_is_not(void)
{
	struct doubt all[] = {made("a", "no b, no c"), made("b", "no a"), made("c", NULL)};
	doubts_settle(all, 3);
	CHECK(all[0].upstream == &all[2] && all[1].upstream == &all[0]);
}

static void names_are_whole_words(void)
{
	struct doubt all[] = {made("a", NULL),
	                      made("two words", NULL),
	                      made("x", "no such table: ab"),
	                      made("y", "no such table: main.a"),
	                      made("z", "Table 'shop.two words' doesn't exist"),
	                      made("w", "no such table: two wordsmiths"),
	                      made("\"", "no such table: q")};
	doubts_settle(all, 7);
	CHECK(doubt_is_left(&all[2]) && doubt_is_left(&all[5]) && doubt_is_left(&all[6]));
	CHECK(all[3].upstream == &all[0] && all[4].upstream == &all[1]);
}

static void a_name_in_another_schema_is_another(void)
{
	struct doubt all[] = {made("a", NULL),
	                      made("v", "relation \"other.a\" does not exist"),
	                      made("w", "Table 'another.a' doesn't exist"),
	                      made("x", "no table \"Sales\".\"a\""),
	                      made("y", "relation \"sales.a\" does not exist"),
	                      made("z", "relation \"a\" does not exist")};
	all[0].schema = "sales";
	doubts_settle(all, 6);
	CHECK(doubt_is_left(&all[1]) && doubt_is_left(&all[2]));
	CHECK(!doubt_is_left(&all[3]) && !doubt_is_left(&all[4]) && !doubt_is_left(&all[5]));
}

static void what_is_not_made_explains_nothing(void)
{
	struct doubt all[] = {made("a", NULL), made("b", NULL), made("x", "no a"), made("y", "no b")};
	all[0].made = false;
	all[1].database = "other";
	doubts_settle(all, 4);
	CHECK(doubt_is_left(&all[2]) && doubt_is_left(&all[3]));
}

static void other_errors_are_left(void)
{
	struct doubt all[] = {made("a", NULL), made("x", NULL)};
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_QUERY, "syntax error near a");
	all[1].unusable = &err;
	doubts_settle(all, 2);
	CHECK(doubt_is_left(&all[1]));
}

/* The loop does it. */
static void very_many_are_no_trouble(void)
{
	struct doubt *all = talloc_array(harness_ctx(), struct doubt, MANY);
	for (int i = 0; i < MANY; i++) {
		const char *name = talloc_asprintf(all, "v%d", i);
		all[i] = made(name, i + 1 < MANY ? talloc_asprintf(all, "no such table: v%d", i + 1) : NULL);
	}
	int64_t deadline = harness_deadline(INT64_C(5000000));
	doubts_settle(all, MANY);
	CHECK(harness_pause(deadline));
	CHECK(all[0].upstream == &all[1] && all[MANY - 2].upstream == &all[MANY - 1]);
}

static const struct harness_test tests[] = {
	{"what is made before explains it", what_is_made_before_explains_it},
	{"a ring is left", a_ring_is_left},
	{"a ring with a way in is not", a_ring_with_a_way_in_is_not},
	{"names are whole words", names_are_whole_words},
	{"a name in another schema is another", a_name_in_another_schema_is_another},
	{"what is not made explains nothing", what_is_not_made_explains_nothing},
	{"other errors are left", other_errors_are_left},
	{"very many are no trouble", very_many_are_no_trouble},
};
HARNESS_MAIN(SUITE("doubts", tests))
