/* SPDX-License-Identifier: MIT */
#include "common/incremental/sums/choose.h"

#include "common/incremental/chain.h"
#include "common/incremental/sums/sums.h"
#include "common/state/learnt.h"
#include "common/text/number.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define WORD_SUMS "sums"
#define BARRED_US (INT64_C(24) * 3600 * 1000000)

#define MANY_IMAGES 500 /* fewer are read in no time */
#define TIMES_FEWER 8   /* rows of sums than images: then the trigger saves more than it costs */
#define LOOKS_TO_SUMS 3
#define TIMES_FEWER_AT_ONCE 64 /* a statement that wrote so many rows of a group leaves no doubt */

/* Statements of single rows. */
#define SOME_SUMS 20
#define TIMES_FEWER_STILL 2
#define LOOKS_TO_IMAGES 8

/* Images are counted in so many out of so many refreshes that have read many. */
#define LOOKS_OUT_OF 16

struct sums_choice sums_recall(struct db *db, const char *view, const char *digest)
{
	struct learnt fact;
	struct sums_choice choice = {false};
	if (db->ops->incremental.roll.transaction == NULL)
		return choice;
	learnt_find(db, view, LEARNT_SUMS, digest, &fact);
	choice.wanted = fact.known && strcmp(fact.text, WORD_SUMS) == 0;
	choice.barred = fact.known && !choice.wanted && db_now(db) - fact.time_us < BARRED_US;
	return choice;
}

bool sums_weigh(struct sums_choice *choice, int64_t images, int64_t rows)
{
	if (choice->wanted ? rows < SOME_SUMS : images < MANY_IMAGES)
		return false;
	bool other = choice->wanted ? images < TIMES_FEWER_STILL * rows : images >= TIMES_FEWER * rows;
	choice->agreed = other ? choice->agreed + 1 : 0;
	if (!choice->wanted && images >= TIMES_FEWER_AT_ONCE * rows)
		return true;
	return choice->agreed >= (choice->wanted ? LOOKS_TO_IMAGES : LOOKS_TO_SUMS);
}

/* ---- looking at the logs ---- */

struct added {
	const struct roll *roll;
	const struct part_source *source;
};

/* The i-th roll that images, or sums, are added to; false: there are no more. */
static bool find_added(const struct chain *chain, size_t i, struct added *out)
{
	if (chain->top == NULL) {
		*out = (struct added){chain->roll, &chain->part.sources[0]};
		return i == 0 && chain->roll != NULL && chain->roll->images;
	}
	for (size_t k = 0; k < chain->top->n_pieces; k++) {
		const struct piece *piece = &chain->top->pieces[k];
		if (piece->same != NULL || piece->roll == NULL || !piece->roll->images || i-- > 0)
			continue;
		*out = (struct added){piece->roll, &piece->part.sources[0]};
		return true;
	}
	return false;
}

static bool is_due(struct chain *chain)
{
	struct sums_choice *choice = &chain->sums;
	struct added added;
	bool many = false;
	for (size_t i = 0; find_added(chain, i, &added); i++)
		many |= added.source->log->unread >= (choice->wanted ? SOME_SUMS : MANY_IMAGES);
	return many && !choice->barred && (choice->wanted || choice->chances++ % LOOKS_OUT_OF < LOOKS_TO_SUMS);
}

struct density {
	int64_t images, rows;
};

static bool take_density_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct density *density = ctx;
	density->images += number_or(v[0], 0);
	density->rows += number_or(v[1], 0);
	return false;
}

static const struct db_reader take_density[] = {{take_density_fn, "nn", "images and sums of a change log"}};

static bool measure(struct db *db, void *mem, const struct chain *chain, struct density *out, struct viewd_err *err)
{
	struct added added;
	*out = (struct density){0, 0};
	for (size_t i = 0; find_added(chain, i, &added); i++)
		if (!db->ops->query(db, sums_density(db, mem, added.roll, added.source->said, added.source->log), NULL, 0,
		                    take_density, out, err))
			return false;
	return true;
}

/* ---- choosing ---- */

static void choose(struct db *db, struct chain *chain, const char *word)
{
	struct viewd_err failed = {0};
	chain->sums.made = learnt_save(db, chain->view, LEARNT_SUMS, chain->digest, word, &failed);
	if (!chain->sums.made)
		db_log(db, VIEWD_LOG_DEBUG, "view '%s', whether its logs hold sums stays as it is (%s)", chain->view,
		       failed.msg);
}

void sums_refuse(struct db *db, struct chain *chain, const char *why)
{
	char text[LEARNT_TEXT_SIZE];
	snprintf(text, sizeof text, "images: %s", why);
	db_log(db, VIEWD_LOG_INFO, "view '%s', its change logs hold images instead of sums (%s)", chain->view, why);
	choose(db, chain, text);
}

bool sums_consider(struct db *db, struct chain *chain)
{
	struct viewd_err failed = {0};
	struct density density;
	if (db->ops->incremental.roll.transaction == NULL || !is_due(chain))
		return false;
	void *mem = talloc_new(NULL);
	if (!measure(db, mem, chain, &density, &failed))
		db_log(db, VIEWD_LOG_DEBUG, "view '%s', its change logs are not measured (%s)", chain->view, failed.msg);
	else if (!sums_weigh(&chain->sums, density.images, density.rows))
		; /* it stays as it is */
	else if (chain->sums.wanted)
		sums_refuse(db, chain, "statements write few rows of a group");
	else
		choose(db, chain, WORD_SUMS);
	talloc_free(mem);
	return true;
}
