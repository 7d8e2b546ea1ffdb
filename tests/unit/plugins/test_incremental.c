/* SPDX-License-Identifier: MIT
 *
 * The pieces that the analysis takes from the text of a definition as it is written, and the choice between keys and
 * all rows. Tables r1, r2 have a primary key id and whole numbers that may be NULL.
 */
#include "common/analysis/texts.h"
#include "common/incremental/cost.h"
#include "support/harness.h"
#include "unit/plugins/analysis_facts.h"
#include "unit/plugins/plugins_support.h"

#include <math.h>
#include <talloc.h>

static char *joined(const struct analysis_list *list, const char *between)
{
	char *text = talloc_strdup(harness_ctx(), "");
	for (size_t i = 0; i < list->n; i++)
		text = talloc_asprintf_append(text, "%s%s", i > 0 ? between : "", list->items[i]);
	return text;
}

static const struct analysis *analysed(const char *query, unsigned options)
{
	return analysis_run(harness_ctx(), &like_postgresql, query, &rule_facts, options);
}

/* ---- conditions on one table ---- */

static const struct filter_row {
	const char *condition, *filters;
	bool complete;
} filter_rows[] = {
	{"x > 3", "x > 3", true},
	{"x > 3 and g = 1", "x > 3; g = 1", true},
	{"(x > 3 and g = 1)", "x > 3; g = 1", true},
	{"x between 1 and 3 and g = 1", "x between 1 and 3; g = 1", true},
	{"(x + 1) * 2 = 4 and g = 1", "(x + 1) * 2 = 4; g = 1", true},
	{"((x)) = 4", "((x)) = 4", true},
	{"case when x = 1 and g = 2 then 1 else 2 end = 1 and a = 3",
     "case when x = 1 and g = 2 then 1 else 2 end = 1; a = 3", true},
	{"x in (1, 2) and coalesce(g, 1) = 1", "x in (1, 2); coalesce(g, 1) = 1", true},
	{"(x = 1 or g = 2) and a = 3", "(x = 1 or g = 2); a = 3", true},
	{"x = 1 or g = 2", "", false},
	{"not x = 1", "not x = 1", true},
	{"public.r1.x = 1 and r1.g = 2", "r1.g = 2", false},
	{"to_char(x, '9') = '3' and g is not null", "to_char(x, '9') = '3'; g is not null", true},
	{"/* ( */ x > 3 -- and g = 1\n", "x > 3", true},
	{"1 = 0", "", false},
};

static void filters_are_as_written(void)
{
	for (size_t i = 0; i < ARRAY_LEN(filter_rows); i++) {
		const struct filter_row *row = &filter_rows[i];
		char *query =
			talloc_asprintf(harness_ctx(), "select g, a, count(*) n from r1 where %s group by g, a", row->condition);
		const struct analysis *analysis = analysed(query, ANALYSIS_ONE_PART);
		CHECK(analysis->possible);
		if (!analysis->possible)
			continue;
		CHECK_STR(joined(&analysis->nodes[0].sources[0].filters, "; "), row->filters);
		CHECK_INT(analysis->nodes[0].sources[0].complete, row->complete);
	}
}

/* ---- keys ---- */

static void the_way_is_told_in_pieces(void)
{
	const struct analysis *analysis =
		analysed("select r1.id, r1.g, r2.b from r1 left join r2 on r2.a = r1.a where r1.x > 0", ANALYSIS_ONE_PART);
	CHECK(analysis->possible);
	const struct analysis_node *node = &analysis->nodes[0];
	CHECK_STR(joined(&node->key_columns, ","), "id");
	CHECK_STR(node->sources[0].pairs[0].from, "id");
	CHECK_INT(node->sources[0].next, 0);
	CHECK_STR(node->sources[1].pairs[0].from, "a");
	CHECK_STR(node->sources[1].pairs[0].to, "a");
	CHECK_INT(node->sources[1].next, 1);
	CHECK(!node->sources[1].pairs[0].null_safe);
	CHECK_INT(node->row_columns.n, 0); /* several rows of r2 fit one of r1 */
}

static const struct {
	const char *query, *key, *rows;
} row_rows[] = {
	{"select g, count(*) n from r1 group by g", "g", "g"},
	{"select g as h, a, count(*) n from r1 group by g, a", "h,a", "h,a"},
	{"select distinct g, a from r1", "g,a", "g,a"},
	{"select * from r1", "id", "id"},
	{"select id as k, x from r1 where x > 1", "k", "k"},
	{"select r1.id, r2.b from r1 join r2 on r2.id = r1.a", "id", "id"},
	{"select distinct on (id) id, g from r1 order by id, g", "id", ""},
};

static void rows_are_identified(void)
{
	for (size_t i = 0; i < ARRAY_LEN(row_rows); i++) {
		const struct analysis *analysis = analysed(row_rows[i].query, ANALYSIS_ONE_PART);
		CHECK(analysis->possible);
		if (!analysis->possible)
			continue;
		CHECK_STR(joined(&analysis->nodes[0].key_columns, ","), row_rows[i].key);
		CHECK_STR(joined(&analysis->nodes[0].row_columns, ","), row_rows[i].rows);
	}
}

/* ---- rolls ---- */

static const struct {
	const char *query, *list, *having;
} text_rows[] = {
	{"select g, count(*) as n, sum(x) as s from r1 group by g",
     "viewd_n.g1 AS \"g\", viewd_n.cnt as n, (CASE WHEN viewd_n.n2 > 0 THEN viewd_n.s2 END) as s", NULL},
	{"select 1 + sum(x) / count(a) as ratio, g h from r1 where a = 2 group by g order by 1",
     "1 + (CASE WHEN viewd_n.n1 > 0 THEN viewd_n.s1 END) / viewd_n.n2 as ratio, viewd_n.g1 h", NULL},
	{"select r1.g, count(x) n from r1 group by r1.g having count(x) > 2 and g > 1", "viewd_n.g1 AS \"g\", viewd_n.n1 n",
     "viewd_n.n1 > 2 and viewd_n.g1 > 1"},
	{"select to_char(g, '9') k, count(*) n from r1 group by to_char(g, '9')", "viewd_n.g1 k, viewd_n.cnt n", NULL},
	{"select sum(x) s from r1", "(CASE WHEN viewd_n.n1 > 0 THEN viewd_n.s1 END) s", NULL},
	{"select g, count(*) n from r1 where exists (select 1 from r2 where r2.a = r1.id) group by g",
     "viewd_n.g1 AS \"g\", viewd_n.cnt n", NULL},
	{"select r1.g, count(r2.b) n from r1 left join r2 on r2.id = r1.a group by r1.g",
     "viewd_n.g1 AS \"g\", viewd_n.n1 n", NULL},
	{"select q.g, count(*) n from (select g, id from r1) q where q.id > 1 group by q.g",
     "viewd_n.g1 AS \"g\", viewd_n.cnt n", NULL},
	{"select g, count(*) from r1 group by g", NULL, NULL},
	{"select g, g + 1 as h, count(*) n from r1 group by g, g + 1", NULL, NULL},
	{"select g, count(*) filter (where x > 1) n from r1 group by g", NULL, NULL},
	{"select g, max(x) m from r1 group by g", NULL, NULL},
	{"with q as (select * from r1) select g, count(*) n from q group by g", NULL, NULL},
};

static void rolls_are_taken_apart(void)
{
	for (size_t i = 0; i < ARRAY_LEN(text_rows); i++) {
		const struct analysis *analysis = analysed(text_rows[i].query, 0);
		CHECK(analysis->possible);
		if (!analysis->possible)
			continue;
		CHECK_INT(analysis->nodes[analysis->n_nodes - 1].kind, ANALYSIS_ROLL);
		const struct analysis_texts *texts = analysis->nodes[analysis->n_nodes - 1].texts;
		CHECK_STR(texts != NULL ? texts->list : "", text_rows[i].list != NULL ? text_rows[i].list : "");
		CHECK_STR(texts != NULL && texts->having != NULL ? texts->having : "",
		          text_rows[i].having != NULL ? text_rows[i].having : "");
	}
}

static void a_roll_reads_what_the_definition_reads(void)
{
	const struct analysis *analysis = analysed("select g, sum(x * 2) s from r1 /* all */ where a = 1 group by g", 0);
	const struct analysis_texts *texts = analysis->nodes[0].texts;
	CHECK(texts != NULL);
	CHECK_STR(texts->rows, "from r1 /* all */ where a = 1");
	CHECK_STR(joined(&texts->groups, ","), "g");
	CHECK_STR(texts->terms[0].arg, "x * 2");
	CHECK(texts->terms[0].summed);
}

/* ---- cost ---- */

#define KEY_US 100.0
#define WHOLE_US 20000.0

/* A trace of batches: what always computing all rows takes, and what choosing takes. */
static double run_trace(const int64_t *keys, size_t n, double key_us, double whole_us)
{
	struct cost cost = {0};
	double chosen = 0;
	cost_learn_whole(&cost, (int64_t)whole_us);
	for (size_t i = 0; i < n; i++) {
		double by_keys = 500 + key_us * (double)keys[i];
		if (cost_choose_whole(&cost, keys[i])) {
			cost_learn_whole(&cost, (int64_t)whole_us);
			chosen += whole_us;
		} else {
			cost_learn_keys(&cost, 0, keys[i], (int64_t)by_keys);
			chosen += by_keys;
		}
	}
	return chosen / ((double)n * whole_us);
}

static void small_batches_are_done_by_keys(void)
{
	int64_t keys[200];
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		keys[i] = (int64_t)(i % 7) + 1;
	CHECK(run_trace(keys, ARRAY_LEN(keys), KEY_US, WHOLE_US) < 0.06);
}

static void large_batches_are_done_as_a_whole(void)
{
	int64_t keys[400];
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		keys[i] = 1000 + (int64_t)(i * 37 % 200);
	CHECK(run_trace(keys, ARRAY_LEN(keys), KEY_US, WHOLE_US) < 1.10);
}

static void changing_batches_are_told_apart(void)
{
	int64_t keys[600];
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		keys[i] = i / 20 % 2 == 0 ? 10 : 2000;
	CHECK(run_trace(keys, ARRAY_LEN(keys), KEY_US, WHOLE_US) < 0.62);
}

static void what_is_dearer_is_tried_again(void)
{
	struct cost cost = {0};
	size_t tries = 0;
	cost_learn_whole(&cost, 10000);
	cost_learn_keys(&cost, 0, 100, 15000);
	for (int i = 0; i < 100; i++)
		tries += !cost_choose_whole(&cost, 100);
	CHECK_INT(tries, 5);
}

/* ---- forms ---- */

/* Each form takes base + each * keys microseconds. */
struct forms {
	double base[COST_FORMS], each[COST_FORMS], whole;
	struct cost cost;
	size_t runs[COST_FORMS], wholes;
	double us;
};

static double by_form(const struct forms *f, int form, int64_t keys)
{
	return f->base[form] + f->each[form] * (double)keys;
}

/* may: all rows may be chosen, as in mode auto. */
static void run_forms(struct forms *f, size_t n, int64_t keys, bool may)
{
	for (size_t i = 0; i < n; i++) {
		int form = cost_choose_form(&f->cost, keys);
		if (may && cost_choose_whole(&f->cost, keys)) {
			cost_learn_whole(&f->cost, (int64_t)f->whole);
			f->wholes++;
			f->us += f->whole;
			continue;
		}
		cost_learn_keys(&f->cost, form, keys, (int64_t)by_form(f, form, keys));
		f->runs[form]++;
		f->us += by_form(f, form, keys);
	}
}

static void whole_known(struct forms *f)
{
	cost_learn_whole(&f->cost, (int64_t)f->whole);
}

static void the_quicker_form_is_found(void)
{
	struct forms f = {.base = {500, 3000}, .each = {100, 1}, .whole = 20000};
	whole_known(&f);
	run_forms(&f, 100, 100, false);
	CHECK(f.runs[0] <= 8 && f.cost.form == 1);
	f = (struct forms){.base = {500, 3000}, .each = {1000, 1}, .whole = 20000};
	whole_known(&f);
	run_forms(&f, 100, 100, true); /* dearer than all rows in the form that is known */
	CHECK(f.runs[0] <= 2 && f.runs[1] >= 95 && f.wholes <= 2);
}

static void what_is_quick_enough_is_left_alone(void)
{
	struct forms f = {.base = {500, 19000}, .each = {10, 1}, .whole = 20000};
	whole_known(&f);
	run_forms(&f, 1000, 10, false);
	CHECK_INT(f.runs[1], 0);
	cost_learn_hint(&f.cost, 1, 20, 15000); /* dearer */
	run_forms(&f, 1000, 10, true);
	CHECK_INT(f.runs[1], 0);
	f = (struct forms){.base = {500, 19000}, .each = {10, 1}, .whole = 20000};
	run_forms(&f, 1000, 10, false); /* nothing is known of all rows */
	CHECK_INT(f.runs[1], 0);
}

static void an_audit_tells_that_it_may_pay(void)
{
	struct forms f = {.base = {3000, 100}, .each = {10, 10}, .whole = 200000};
	whole_known(&f);
	run_forms(&f, 10, 10, false);
	CHECK_INT(f.runs[1], 0);
	cost_learn_hint(&f.cost, 1, 20, 300);
	run_forms(&f, 100, 10, false);
	CHECK_INT(f.runs[1], 100);
}

/* audits_of(N, US, AUDIT_US): after how many of n refreshes that take us each there is an audit that takes audit_us. */
static int audits_of(int n, int64_t us, int64_t audit_us)
{
	struct cost cost = {0};
	int audits = 0;

	for (int i = 0; i < n; i++)
		if (cost_audit_due(&cost, us)) {
			cost_learn_audit(&cost, audit_us);
			audits++;
		}
	return audits;
}

static void audits_take_a_small_part_of_the_time(void)
{
	CHECK_INT(audits_of(1, 10000, 1000), 1);
	CHECK_INT(audits_of(1000, 10000, 10000), 20);
	CHECK_INT(audits_of(10000, 10000, 2000000), 3); /* each is worth 4000 refreshes of a twentieth of their time */
}

static void a_slower_form_is_tried_rarely(void)
{
	struct forms f = {.base = {5000, 9000}, .each = {10, 10}, .whole = 10000};
	whole_known(&f);
	run_forms(&f, 1000, 10, false);
	CHECK(f.runs[1] >= 8 && f.runs[1] <= 12 && f.cost.form == 0);
	CHECK(f.us < 1000 * by_form(&f, 0, 10) * 1.02);
	f = (struct forms){.base = {5000, 900000}, .each = {10, 10}, .whole = 10000}; /* much slower: once */
	whole_known(&f);
	run_forms(&f, 1000, 10, false);
	CHECK_INT(f.runs[1], 1);
}

/* Nearly equal ones do not take turns. */
static void forms_are_not_changed_for_little(void)
{
	struct forms f = {.base = {5000, 4600}, .each = {10, 10}, .whole = 10000};
	whole_known(&f);
	run_forms(&f, 500, 10, false);
	CHECK_INT(f.cost.form, 0);
	f.base[0] = 9500; /* its plan has become another */
	run_forms(&f, 100, 10, false);
	CHECK_INT(f.cost.form, 1);
}

/* Few keys by one form, many by the other. */
static void each_batch_has_its_form(void)
{
	struct forms f = {.base = {100, 5000}, .each = {100, 1}, .whole = 12000};
	whole_known(&f);
	for (int i = 0; i < 40; i++) {
		run_forms(&f, 1, 100, false);
		run_forms(&f, 1, 1, false);
	}
	f.us = 0;
	for (int i = 0; i < 20; i++) {
		run_forms(&f, 1, 100, false);
		run_forms(&f, 1, 1, false);
	}
	CHECK(f.us < 20 * (by_form(&f, 1, 100) + by_form(&f, 0, 1)) * 1.2);
}

static void a_form_that_fails_is_not_used(void)
{
	struct forms f = {.base = {500, 3000}, .each = {100, 1}, .whole = 20000};
	CHECK(!cost_learn_failure(&f.cost, 0)); /* there is no other that has worked */
	whole_known(&f);
	run_forms(&f, 3, 150, false);
	while (cost_choose_form(&f.cost, 150) == 0)
		cost_learn_keys(&f.cost, 0, 150, 15500);
	CHECK(cost_learn_failure(&f.cost, 1));
	run_forms(&f, 500, 150, true);
	CHECK_INT(f.runs[1], 0);
	CHECK(!cost_learn_failure(&f.cost, 0)); /* nor does the other: it was something else */
	run_forms(&f, 100, 150, false);
	CHECK_INT(f.cost.form, 1);
}

static void costs_are_written_and_read(void)
{
	static const char *const none[] = {"",
	                                   "0",
	                                   "2 0 0 0 0 0 0 0 0 0 0 0 0",
	                                   "0 0 0 0 0 0 0 0 0 0 0 0",
	                                   "0 0 0 0 0 0 0 0 0 0 0 0 0 0",
	                                   "0 -1 0 0 0 0 0 0 0 0 0 0 0",
	                                   "0 nan 0 0 0 0 0 0 0 0 0 0 0",
	                                   "0 inf 0 0 0 0 0 0 0 0 0 0 0",
	                                   "part",
	                                   "0 0 0 0 0 0 0 0 0 0 0 0 x"};
	char text[COST_TEXT_SIZE];
	struct forms f = {.base = {500, 3000}, .each = {100, 1}, .whole = 20000};
	whole_known(&f);
	run_forms(&f, 50, 100, false);
	struct cost back = {0};
	cost_write(&f.cost, text);
	CHECK(cost_read(&back, text));
	CHECK_INT(back.form, 1);
	CHECK(fabs(back.whole_us - f.cost.whole_us) < 1);
	CHECK(fabs(back.plain_us - f.cost.plain_us) < 1);
	for (int form = 0; form < COST_FORMS; form++)
		CHECK(fabs(cost_of_form(&back, form, 300) / cost_of_form(&f.cost, form, 300) - 1) < 0.01);
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		CHECK(!cost_read(&back, none[i]));
	CHECK_INT(back.form, 1);
}

static void many_keys_are_not_looked_for(void)
{
	struct cost cost = {0};
	int64_t keys = 0;
	size_t skipped = 0;
	CHECK(!cost_skips_keys(&cost, 1000000, &keys)); /* nothing is known */
	cost_learn_whole(&cost, 100000);
	for (int64_t i = 1; i <= 10; i++) {
		cost_learn_images(&cost, 200 * i, 100 * i);
		cost_learn_keys(&cost, 0, 100 * i, 1000 + 1000 * i);
	}
	CHECK(!cost_skips_keys(&cost, 20000, &keys)); /* a bit dearer than all rows: counted */
	CHECK_INT(keys, 10000);
	for (int i = 0; i < 100; i++)
		skipped += cost_skips_keys(&cost, 60000, &keys);
	CHECK_INT(keys, 30000);
	CHECK(skipped >= 90 && skipped < 100);
	cost_learn_images(&cost, 1, 20000); /* of another source */
	CHECK(!cost_skips_keys(&cost, 1000, &keys));
	cost_learn_images(&cost, 1000, 0);
	CHECK(!cost_skips_keys(&cost, 60000, &keys));
}

static const struct harness_test tests[] = {
	{"filters are as written", filters_are_as_written},
	{"the way is told in pieces", the_way_is_told_in_pieces},
	{"rows are identified", rows_are_identified},
	{"rolls are taken apart", rolls_are_taken_apart},
	{"a roll reads what the definition reads", a_roll_reads_what_the_definition_reads},
	{"small batches are done by keys", small_batches_are_done_by_keys},
	{"large batches are done as a whole", large_batches_are_done_as_a_whole},
	{"changing batches are told apart", changing_batches_are_told_apart},
	{"what is dearer is tried again", what_is_dearer_is_tried_again},
	{"the quicker form is found", the_quicker_form_is_found},
	{"what is quick enough is left alone", what_is_quick_enough_is_left_alone},
	{"an audit tells that it may pay", an_audit_tells_that_it_may_pay},
	{"audits take a small part of the time", audits_take_a_small_part_of_the_time},
	{"a slower form is tried rarely", a_slower_form_is_tried_rarely},
	{"forms are not changed for little", forms_are_not_changed_for_little},
	{"each batch has its form", each_batch_has_its_form},
	{"a form that fails is not used", a_form_that_fails_is_not_used},
	{"costs are written and read", costs_are_written_and_read},
	{"many keys are not looked for", many_keys_are_not_looked_for},
};
HARNESS_MAIN(SUITE("incremental", tests))
