/* SPDX-License-Identifier: MIT
 *
 * test_doubt.c: which definitions of a plan only wait for what the same plan makes.
 */
#include "core/plan/doubt.h"
#include "support/harness.h"

#include <string.h>
#include <talloc.h>

#define MANY 20000

static const struct viewd_err lost = {.cls = VIEWD_ERR_MISSING, .msg = "something is missing"};

/* lacks: [SCHEMA.]NAME and more of them, or NULL. */
static struct doubt made(const char *name, const char *lacks)
{
	struct viewd_source *list = talloc_array(harness_ctx(), struct viewd_source, 4);
	size_t n = 0;
	for (const char *at = lacks; at != NULL; n++) {
		const char *end = strchrnul(at, ' '), *dot = memchr(at, '.', (size_t)(end - at));
		const char *first = dot != NULL ? dot + 1 : at;
		list[n].schema = dot != NULL ? talloc_strndup(list, at, (size_t)(dot - at)) : "";
		list[n].name = talloc_strndup(list, first, (size_t)(end - first));
		at = *end != '\0' ? end + 1 : NULL;
	}
	return (struct doubt){.database = "db",
	                      .names = {.schema = "public", .name = name, .bare = true, .lacks = list, .n_lacks = n},
	                      .made = true,
	                      .unusable = lacks != NULL ? &lost : NULL};
}

static void what_is_made_before_explains_it(void)
{
	struct doubt all[] = {made("c", "b"), made("b", "public.a"), made("a", NULL)};
	doubts_settle(all, 3);
	CHECK(all[0].upstream == &all[1] && all[1].upstream == &all[2] && all[2].upstream == NULL);
	CHECK(!doubt_is_left(&all[0]) && !doubt_is_left(&all[1]) && !doubt_is_left(&all[2]));
}

static void all_that_is_lacking_is_to_be_made(void)
{
	struct doubt all[] = {made("a", NULL), made("b", "a"), made("x", "a b"), made("y", "a nosuch"), made("z", "y a")};
	doubts_settle(all, 5);
	CHECK(all[2].upstream == &all[1]);
	CHECK(doubt_is_left(&all[3]) && doubt_is_left(&all[4]));
}

static void a_ring_is_left(void)
{
	struct doubt all[] = {made("a", "b"), made("b", "a"), made("c", "b"), made("d", "d")};
	doubts_settle(all, 4);
	for (int i = 0; i < 4; i++)
		CHECK(doubt_is_left(&all[i]));
}

/* Two views may make an object of one name, in two schemas that are searched. */
static void a_ring_with_a_way_in_is_not(void)
{
	struct doubt all[] = {made("a", "b"), made("b", "a"), made("b", NULL)};
	all[2].names.schema = "other";
	doubts_settle(all, 3);
	CHECK(all[0].upstream == &all[2] && all[1].upstream == &all[0]);
}

static void case_counts_where_the_engine_minds(void)
{
	struct doubt all[] = {made("Stock", NULL), made("x", "stock"), made("y", "Stock")};
	doubts_settle(all, 3);
	CHECK(doubt_is_left(&all[1]) && all[2].upstream == &all[0]);
	struct doubt any[] = {made("Stock", NULL), made("x", "stOCK"), made("y", "stocks")};
	any[0].names.any_case = true;
	doubts_settle(any, 3);
	CHECK(any[1].upstream == &any[0] && doubt_is_left(&any[2]));
}

static void a_name_in_another_schema_is_another(void)
{
	struct doubt all[] = {made("a", NULL), made("v", "other.a"), made("x", "sales.a"), made("y", "a")};
	all[0].names.schema = "sales";
	doubts_settle(all, 4);
	CHECK(doubt_is_left(&all[1]) && !doubt_is_left(&all[2]) && !doubt_is_left(&all[3]));
}

static void a_schema_that_is_not_searched_is_to_be_named(void)
{
	struct doubt all[] = {made("a", NULL), made("v", "a"), made("w", "public.a")};
	all[0].names.bare = false;
	doubts_settle(all, 3);
	CHECK(doubt_is_left(&all[1]) && !doubt_is_left(&all[2]));
}

static void what_is_not_made_explains_nothing(void)
{
	struct doubt all[] = {made("a", NULL), made("b", NULL), made("x", "a"), made("y", "b")};
	all[0].made = false;
	all[1].database = "other";
	doubts_settle(all, 4);
	CHECK(doubt_is_left(&all[2]) && doubt_is_left(&all[3]));
}

static void other_troubles_are_left(void)
{
	struct doubt all[] = {made("a", NULL), made("x", NULL), {.database = "db", .unusable = &lost}};
	all[1].unusable = &lost; /* the engine does not say that a relation is missing */
	doubts_settle(all, 3);
	CHECK(doubt_is_left(&all[1]) && doubt_is_left(&all[2]));
}

static void copies_have_texts_of_their_own(void)
{
	struct doubt one = made("a", "sales.b");
	const struct doubt_names *copy = doubt_names_copy(harness_ctx(), &one.names);
	CHECK(copy->name != one.names.name && copy->bare && !copy->any_case);
	CHECK_STR(copy->name, "a");
	CHECK_INT(copy->n_lacks, 1);
	CHECK(copy->lacks != one.names.lacks);
	CHECK_STR(copy->lacks[0].schema, "sales");
	CHECK_STR(copy->lacks[0].name, "b");
}

/* The loop does it. */
static void very_many_are_no_trouble(void)
{
	struct doubt *all = talloc_array(harness_ctx(), struct doubt, MANY);
	for (int i = 0; i < MANY; i++) {
		const char *name = talloc_asprintf(all, "v%d", i);
		all[i] = made(name, i + 1 < MANY ? talloc_asprintf(all, "v%d", i + 1) : NULL);
	}
	int64_t deadline = harness_deadline(INT64_C(5000000));
	doubts_settle(all, MANY);
	CHECK(harness_pause(deadline));
	CHECK(all[0].upstream == &all[1] && all[MANY - 2].upstream == &all[MANY - 1]);
}

static const struct harness_test tests[] = {
	{"what is made before explains it", what_is_made_before_explains_it},
	{"all that is lacking is to be made", all_that_is_lacking_is_to_be_made},
	{"a ring is left", a_ring_is_left},
	{"a ring with a way in is not", a_ring_with_a_way_in_is_not},
	{"case counts where the engine minds", case_counts_where_the_engine_minds},
	{"a name in another schema is another", a_name_in_another_schema_is_another},
	{"a schema that is not searched is to be named", a_schema_that_is_not_searched_is_to_be_named},
	{"what is not made explains nothing", what_is_not_made_explains_nothing},
	{"other troubles are left", other_troubles_are_left},
	{"copies have texts of their own", copies_have_texts_of_their_own},
	{"very many are no trouble", very_many_are_no_trouble},
};
HARNESS_MAIN(SUITE("doubts", tests))
