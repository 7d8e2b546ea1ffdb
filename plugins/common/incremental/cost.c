/* SPDX-License-Identifier: MIT */
#include "common/incremental/cost.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define FADE 0.95       /* a run counts half after 14 further ones */
#define SWITCH_BACK 0.7 /* what has been dearer must have become cheaper by this much */
#define TRY_EVERY 20
#define TRY_UP_TO 3.0    /* times as dear: not tried beyond */
#define UNKNOWN_MAX 5000 /* keys, while nothing is known of their cost */

/* When keys are not looked for. */
#define SKIP_FROM 1.5 /* times all rows */
#define IMAGES_RISE 1.05

/* When whole refreshes are cheaper. */
#define ROUND_FADE 0.9
#define ROUNDS_MIN 5.0    /* about seven, the older ones counting less */
#define ROUND_AT_MOST 5.0 /* times computing all rows, or what is free: what one of them counts */
#define ROUNDS_CALM 9.0   /* about 22: a doubt is forgotten */
#define ROUNDS_DEAR 1.1
#define ROUND_FREE 2000.0 /* microseconds: what takes less need not be saved */
#define FIXED_MAX 3000.0  /* microseconds that a refresh takes besides its rows, at most: more was a bad time */

/* When the other form is tried. */
#define FORM_AFTER 4.5  /* runs, each counting a bit less than the next */
#define FORM_TWICE 1.5  /* fewer runs than this: the first one may have met cold caches */
#define FORM_WORTH 0.25 /* of all rows: keys that take less are quick enough */
#define FORM_HINT 0.5   /* an audit that took so much less says that it may pay all the same */
#define FORM_TRY_EVERY 100
#define FORM_FAILED_US INT64_C(1000000000000) /* longer than anything takes */

/* How often audits run. */
#define AUDIT_EVERY 50   /* refreshes */
#define AUDIT_SHARE 0.05 /* of the time that refreshes take: no more in the long run */

static double mean(double before, int64_t us)
{
	double now = us > 0 ? (double)us : 1.0;
	return before > 0 ? 0.7 * before + 0.3 * now : now;
}

void cost_learn_whole(struct cost *cost, int64_t us)
{
	cost->whole_us = mean(cost->whole_us, us);
}

void cost_learn_before(struct cost *cost, int64_t us)
{
	cost->before_us = (double)us;
}

/* Writing only what differs takes more than a refresh took before, which also had to begin and to end. How much more is
 * found out once. */
static void compare_with_before(struct cost *cost, double us)
{
	double rest = cost->before_us - us;
	if (cost->before_us > 0 && us > 0) {
		cost->plain_share = rest < 0 ? cost->before_us / us : 1;
		cost->plain_fixed_us = rest < 0 ? 0 : rest < FIXED_MAX ? rest : FIXED_MAX;
	}
	cost->before_us = 0;
}

void cost_learn_plain(struct cost *cost, int64_t us)
{
	compare_with_before(cost, (double)us);
	double now = (double)us * (cost->plain_share > 0 ? cost->plain_share : 1) + cost->plain_fixed_us;
	if (cost_doubts(cost)) {
		cost->plain_us = 0;
		cost->confirmed = true;
	}
	cost->plain_us = mean(cost->plain_us, (int64_t)now);
}

bool cost_doubts(const struct cost *cost)
{
	return cost->doubted && !cost->confirmed;
}

static bool is_dear(const struct cost *cost)
{
	return cost->rounds >= ROUNDS_MIN && cost->round_us > ROUNDS_DEAR * cost->plain_round_us &&
	       cost->round_us > ROUND_FREE * cost->rounds;
}

/* The first time it is doubted. */
static bool conclude(struct cost *cost)
{
	bool again = cost->confirmed;
	if (cost->rounds >= ROUNDS_CALM)
		cost->doubted = cost->confirmed = false;
	if (!is_dear(cost))
		return false;
	cost->doubted = true;
	if (!again)
		cost->rounds = cost->round_us = cost->plain_round_us = 0;
	return again;
}

bool cost_learn_round(struct cost *cost, int64_t us, int64_t total_us)
{
	double plain = cost->plain_us, now = (double)(cost->plain_share > 0 && total_us > us ? total_us : us);
	double most = ROUND_AT_MOST * (plain > ROUND_FREE ? plain : ROUND_FREE);
	if (cost->plain_us <= 0 || cost_doubts(cost))
		return false;
	cost->rounds = cost->rounds * ROUND_FADE + 1;
	cost->round_us = cost->round_us * ROUND_FADE + (now < most ? now : most);
	cost->plain_round_us = cost->plain_round_us * ROUND_FADE + cost->plain_us;
	return conclude(cost);
}

void cost_learn_keys(struct cost *cost, int form, int64_t keys, int64_t us)
{
	struct cost_line *line = &cost->forms[form];
	double x = (double)keys, y = us > 0 ? (double)us : 1.0;
	line->runs = line->runs * FADE + 1;
	line->keys = line->keys * FADE + x;
	line->time_us = line->time_us * FADE + y;
	line->keys_squared = line->keys_squared * FADE + x * x;
	line->keys_time = line->keys_time * FADE + x * y;
}

void cost_learn_hint(struct cost *cost, int form, int64_t keys, int64_t us)
{
	if (form == cost->form || keys <= 0)
		return;
	cost->hint_keys = (double)keys;
	cost->hint_us = us > 0 ? (double)us : 1.0;
}

bool cost_audit_due(struct cost *cost, int64_t us)
{
	cost->refresh_us = mean(cost->refresh_us, us);
	cost->until_audit -= 1;
	return cost->until_audit <= 0;
}

void cost_audit_after(struct cost *cost, unsigned n)
{
	cost->until_audit = n;
}

void cost_learn_audit(struct cost *cost, int64_t us)
{
	double rest = cost->refresh_us > 0 ? (double)us / (AUDIT_SHARE * cost->refresh_us) : 0;
	cost->until_audit = rest > AUDIT_EVERY ? rest : AUDIT_EVERY;
}

/* Where both fail it is for another reason, and nothing is known of the one that failed first. */
bool cost_learn_failure(struct cost *cost, int form)
{
	struct cost_line *other = &cost->forms[form == 0 ? 1 : 0];
	bool failed = other->time_us >= FORM_FAILED_US;
	cost->trying = false;
	if (failed)
		*other = (struct cost_line){0};
	if (failed || other->runs < 1)
		return false;
	cost->forms[form] = (struct cost_line){0};
	cost_learn_keys(cost, form, 1, FORM_FAILED_US);
	return true;
}

/* A line through runs of nearly equal size says nothing about its slope: then cost grows in proportion, which is too
 * much rather than too little. */
static double on_line(const struct cost_line *line, double x)
{
	if (line->runs < 1)
		return -1;
	double mean_x = line->keys / line->runs, mean_y = line->time_us / line->runs;
	double spread = line->keys_squared / line->runs - mean_x * mean_x;
	if (spread <= 0.01 * mean_x * mean_x + 0.5)
		return x > 2 * mean_x && mean_x > 0 ? mean_y * x / mean_x : mean_y;
	double slope = (line->keys_time / line->runs - mean_x * mean_y) / spread;
	double guess = mean_y + (slope > 0 ? slope : 0) * (x - mean_x);
	return guess > 0.1 * mean_y ? guess : 0.1 * mean_y;
}

double cost_of_form(const struct cost *cost, int form, int64_t keys)
{
	return on_line(&cost->forms[form], (double)keys);
}

int64_t cost_usual_keys(const struct cost *cost, int form)
{
	const struct cost_line *line = &cost->forms[form];
	if (line->runs < 1 || line->time_us >= FORM_FAILED_US)
		return 0;
	return line->keys / line->runs < 1 ? 1 : (int64_t)(line->keys / line->runs + 0.5);
}

static int other_form(const struct cost *cost)
{
	return cost->form == 0 ? 1 : 0;
}

double cost_of_keys(const struct cost *cost, int64_t keys)
{
	return cost_of_form(cost, cost->trying ? other_form(cost) : cost->form, keys);
}

/* ---- the form ---- */

/* now: what the form in use is expected to take. The other one is not expected to take much longer than all rows. */
static bool worth_a_first_try(const struct cost *cost, double now)
{
	double whole = cost->whole_us, same = on_line(&cost->forms[cost->form], cost->hint_keys);
	bool hinted = cost->hint_us > 0, many = cost->forms[cost->form].runs > FORM_AFTER;
	if (whole > 0 && now > whole)
		return !hinted || cost->hint_us < whole;
	if (hinted && cost->hint_us < FORM_HINT * same)
		return many;
	return many && whole > 0 && now > FORM_WORTH * whole && (!hinted || cost->hint_us < TRY_UP_TO * same);
}

static bool worth_trying(const struct cost *cost, double now, double then)
{
	const struct cost_line *other = &cost->forms[other_form(cost)];
	double best = cost->whole_us > 0 && cost->whole_us < now ? cost->whole_us : now;
	if (now < 0)
		return false;
	if (then < 0)
		return worth_a_first_try(cost, now);
	return then < TRY_UP_TO * best && (other->runs < FORM_TWICE || cost->since_other >= FORM_TRY_EVERY);
}

int cost_choose_form(struct cost *cost, int64_t keys)
{
	int other = other_form(cost);
	double now = cost_of_form(cost, cost->form, keys), then = cost_of_form(cost, other, keys);
	cost->trying = false;
	if (then >= 0 && (now < 0 || then < SWITCH_BACK * now)) {
		cost->form = other;
		cost->hint_us = cost->hint_keys = 0;
		cost->since_other = 0;
		return other;
	}
	cost->trying = worth_trying(cost, now, then);
	cost->since_other = cost->trying ? 0 : cost->since_other + 1;
	return cost->trying ? other : cost->form;
}

/* ---- keys or all rows ---- */

static bool whole_is_cheaper(const struct cost *cost, double expected, int64_t keys)
{
	if (expected < 0)
		return keys > UNKNOWN_MAX;
	return cost->whole_us > 0 && expected > cost->whole_us * (cost->whole_last ? SWITCH_BACK : 1.0);
}

bool cost_choose_whole(struct cost *cost, int64_t keys)
{
	if (cost->trying)
		return false;
	double expected = cost_of_keys(cost, keys);
	bool whole = whole_is_cheaper(cost, expected, keys);
	bool near = expected >= 0 && expected < TRY_UP_TO * cost->whole_us;
	cost->since_keys = whole ? cost->since_keys + 1 : 0;
	if (whole && near && cost->since_keys >= TRY_EVERY) {
		cost->since_keys = 0;
		whole = false;
	}
	cost->whole_last = whole;
	return whole;
}

/* A change of another source may have touched many more keys: that says nothing of this one. */
void cost_learn_images(struct cost *cost, int64_t images, int64_t keys)
{
	double now = images > 0 ? (double)keys / (double)images : 0, before = cost->keys_per_image * IMAGES_RISE;
	cost->keys_per_image = before > 0 && before < now ? before : now;
}

bool cost_skips_keys(struct cost *cost, int64_t images, int64_t *keys_r)
{
	int64_t keys = (int64_t)((double)images * cost->keys_per_image);
	double one = cost_of_form(cost, 0, keys), other = cost_of_form(cost, 1, keys);
	double least = one < 0 || (other >= 0 && other < one) ? other : one;
	*keys_r = keys;
	bool skips = keys > 0 && cost->whole_us > 0 && least >= SKIP_FROM * cost->whole_us;
	cost->since_looked = skips && cost->since_looked + 1 < TRY_EVERY ? cost->since_looked + 1 : 0;
	if (cost->since_looked == 0)
		return false;
	cost->whole_last = true;
	return true;
}

/* ---- as a text ---- */

#define LINE_NUMBERS 5
#define FIRST_NUMBERS 3
#define NUMBERS (FIRST_NUMBERS + COST_FORMS * LINE_NUMBERS)

void cost_write(const struct cost *cost, char text[static COST_TEXT_SIZE])
{
	int len = snprintf(text, COST_TEXT_SIZE, "%d %.6g %.6g", cost->form, cost->whole_us, cost->plain_us);
	for (size_t i = 0; i < COST_FORMS; i++) {
		const struct cost_line *line = &cost->forms[i];
		len += snprintf(text + len, (size_t)(COST_TEXT_SIZE - len), " %.6g %.6g %.6g %.6g %.6g", line->runs, line->keys,
		                line->time_us, line->keys_squared, line->keys_time);
	}
}

/* Anybody may have written there. */
static bool read_numbers(const char *text, double numbers[static NUMBERS])
{
	for (size_t i = 0; i < NUMBERS; i++) {
		char *end;
		numbers[i] = strtod(text, &end);
		if (end == text || !isfinite(numbers[i]) || numbers[i] < 0)
			return false;
		text = end;
	}
	return *text == '\0' && (numbers[0] == 0 || numbers[0] == 1);
}

bool cost_read(struct cost *cost, const char *text)
{
	double numbers[NUMBERS];
	if (!read_numbers(text, numbers))
		return false;
	*cost = (struct cost){.form = numbers[0] > 0, .whole_us = numbers[1], .plain_us = numbers[2]};
	for (size_t i = 0; i < COST_FORMS; i++) {
		const double *n = &numbers[FIRST_NUMBERS + i * LINE_NUMBERS];
		cost->forms[i] = (struct cost_line){n[0], n[1], n[2], n[3], n[4]};
	}
	return true;
}
