/* SPDX-License-Identifier: MIT
 *
 * choose.h: are the logs of a view's rolls to hold images or sums (docs/adr/025-sums-in-the-trigger.md)? Statements of
 * many rows in few groups make sums; single rows leave images. What was chosen stands in the state table `learnt`.
 */
#ifndef VIEWD_COMMON_INCREMENTAL_SUMS_CHOOSE_H
#define VIEWD_COMMON_INCREMENTAL_SUMS_CHOOSE_H

#include "common/conn/db.h"

struct chain;

/* The choice between sums and images for one view, as its connection knows it. */
struct sums_choice {
	bool wanted;      /* sums, where rows are added up */
	bool barred;      /* they were tried of late, and are not to be */
	bool made;        /* another choice than that of the chain, which is to be made anew */
	unsigned chances; /* refreshes after which the logs might have been looked at */
	unsigned agreed;  /* looks in a row that speak for the other choice */
};

/* The choice that is recorded for a definition. Outside a transaction, best effort. [worker] */
struct sums_choice sums_recall(struct db *db, const char *view, const char *digest);

/* Compares the number of images with the number of rows of sums that are, or would be, made of them. True: the other
 * choice is better, and has been for some time. Pure. */
bool sums_weigh(struct sums_choice *choice, int64_t images, int64_t rows);

/* After a refresh, and before what it has read is removed: looks at the logs, now and then, and chooses anew. True:
 * what was read ought to be removed, so that it is not seen again. Outside a transaction, best effort. [worker] */
bool sums_consider(struct db *db, struct chain *chain);

/* Logs of sums cannot be made, or do not pay: images for a day. Best effort. [worker] */
void sums_refuse(struct db *db, struct chain *chain, const char *why);

#endif
