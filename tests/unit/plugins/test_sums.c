/* SPDX-License-Identifier: MIT
 *
 * Sums that a log holds instead of images: their SQL, and when they are chosen (common/incremental/sums/).
 */
#include "common/incremental/roll.h"
#include "common/incremental/sums/choose.h"
#include "common/incremental/sums/sums.h"
#include "support/harness.h"
#include "unit/plugins/analysis_facts.h"
#include "unit/plugins/plugins_support.h"

#include <string.h>
#include <talloc.h>

static const struct log_sums *sums_of(const char *query)
{
	const struct analysis *analysis = analysis_run(harness_ctx(), &like_postgresql, query, &rule_facts, 0);
	struct roll *roll = talloc_zero(harness_ctx(), struct roll);
	REQUIRE(analysis->possible && analysis->n_nodes == 1 && analysis->nodes[0].kind == ANALYSIS_ROLL);
	*roll = (struct roll){.texts = analysis->nodes[0].texts, .images = true};
	roll_plan(harness_ctx(), roll, &analysis->nodes[0]);
	return sums_of_roll(harness_ctx(), &like_postgresql, roll, &analysis->nodes[0].sources[0]);
}

static void sums_are_those_of_the_roll(void)
{
	const struct log_sums *sums = sums_of(
		"select g, sum(x) as s, count(*) as n, avg(a) as m from r1 as q where x > 3 and g is not null group by g");
	CHECK_STR(sums->before, "SELECT g AS viewd_g1, coalesce(sum(x), 0) AS viewd_s1, count(x) AS viewd_n1, "
	                        "coalesce(sum(a), 0) AS viewd_s3, count(a) AS viewd_n3, count(*) AS viewd_cnt FROM ");
	CHECK_STR(sums->after, " AS \"q\" WHERE (x > 3) AND (g is not null) GROUP BY 1");
	CHECK_INT(sums->n_names, 6);
	CHECK_STR(sums->names[0], "viewd_g1");
	CHECK_STR(sums->names[5], "viewd_cnt");
	const struct log_sums *none = sums_of("select count(*) as n from r1 where x = 1");
	CHECK_STR(none->before, "SELECT count(*) AS viewd_cnt FROM ");
	CHECK_STR(none->after, " AS \"r1\" WHERE (x = 1) HAVING count(*) > 0");
	CHECK(strcmp(none->digest, sums->digest) != 0);
}

static void sums_are_chosen_slowly(void)
{
	struct sums_choice choice = {false};
	CHECK(!sums_weigh(&choice, 10000, 200));
	CHECK(!sums_weigh(&choice, 10000, 1300)); /* not few enough */
	CHECK(!sums_weigh(&choice, 10000, 200));
	CHECK(!sums_weigh(&choice, 400, 1)); /* says nothing */
	CHECK(!sums_weigh(&choice, 10000, 1250));
	CHECK(sums_weigh(&choice, 500, 10));
	choice = (struct sums_choice){.wanted = true};
	for (int i = 0; i < 7; i++)
		CHECK(!sums_weigh(&choice, 39, 20));
	CHECK(!sums_weigh(&choice, 10, 10)); /* says nothing */
	CHECK(sums_weigh(&choice, 20, 20));
	choice.agreed = 0;
	for (int i = 0; i < 100; i++)
		CHECK(!sums_weigh(&choice, 40, 20));
}

static void many_rows_of_few_groups_leave_no_doubt(void)
{
	struct sums_choice choice = {false};
	CHECK(!sums_weigh(&choice, 499, 1)); /* says nothing */
	CHECK(!sums_weigh(&choice, 639, 10));
	CHECK(sums_weigh(&choice, 640, 10));
}

static const struct harness_test tests[] = {
	{"sums are those of the roll", sums_are_those_of_the_roll},
	{"sums are chosen slowly", sums_are_chosen_slowly},
	{"many rows of few groups leave no doubt", many_rows_of_few_groups_leave_no_doubt},
};
HARNESS_MAIN(SUITE("sums", tests))
