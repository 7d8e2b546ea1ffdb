/* SPDX-License-Identifier: MIT
 *
 * part.h: rows of a definition that belong to values of a key, kept by computing the affected values anew
 * (docs/adr/008-incremental-nodes.md).
 */
#ifndef VIEWD_COMMON_INCREMENTAL_PART_H
#define VIEWD_COMMON_INCREMENTAL_PART_H

#include "common/analysis/analysis.h"
#include "common/generate/generate.h"
#include "common/incremental/change_log.h"
#include "common/incremental/key_set.h"

/* A table of the definition, once for each place where it stands. */
struct part_source {
	const struct analysis_source *said;
	struct change_log *log;
	int64_t before[2];     /* unread images at the last two searches */
	bool proven[2];        /* the dialect's own, of the first one: rows of keys have been computed, in each form */
	unsigned narrow_after; /* searches that do not ask it which keys have rows: it has left most of them */
	unsigned meet_after;   /* likewise, its partner which images count */
};

struct part {
	struct relation rel; /* holds the rows */
	const char *definition;
	const struct columns *columns; /* of rel, in its order; inner: what the definition calls them */
	size_t key[KEY_WIDTH_MAX];     /* positions of the key among the columns */
	size_t n_key;
	const size_t *row; /* positions of what identifies a row; n 0: rows may be equal */
	size_t n_row;
	bool one_each; /* n_row is 0, and rel is believed to have one row for a value of the key at most */
	struct part_source *sources;
	size_t n_sources;
	bool few;              /* rel is believed to have few rows */
	struct key_set *early; /* keys that were asked for before it was known what logs hold; NULL: none were */
	int form;              /* which way the keys are pushed into the definition: 0 or 1 */
};

/* Rows that an application of keys has written. */
struct part_written {
	int64_t inserted, updated, deleted;
};

/* Asks for them together with what logs hold, as a guess that these hold news where they did at the last two refreshes:
 * part_affected takes the answer if so. keys has the width and the name of the set, and lives on mem. [worker] */
bool part_ask(struct db *db, void *mem, const char *view, struct part *part, int64_t limit, const struct key_set *keys,
              struct viewd_err *err) MUST_CHECK;

/* Adds the keys that the unread images of all sources touch to keys. More than limit of them: *all_r, and no more is
 * looked for. [worker] */
bool part_affected(struct db *db, const char *view, const struct part *part, int64_t limit, struct key_set *keys,
                   bool *all_r, struct viewd_err *err) MUST_CHECK;

#endif
