/* SPDX-License-Identifier: MIT
 *
 * cost.h: what refreshing some keys, in either form, and computing all rows has taken so far, and which of these to do
 * now (docs/adr/011-choosing-a-refresh.md). [any]
 */
#ifndef VIEWD_COMMON_INCREMENTAL_COST_H
#define VIEWD_COMMON_INCREMENTAL_COST_H

#include "base/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* Sums over the recent runs by keys, from which a line is fitted. */
struct cost_line {
	double runs, keys, time_us, keys_squared, keys_time;
};

#define COST_FORMS 2

struct cost {
	double keys_per_image; /* the fewest of late; 0: none have been found */
	unsigned since_looked; /* runs since keys were last looked for */
	double plain_us;       /* of computing the relation's rows alone, without inner nodes; 0: never measured */
	double before_us;      /* of a refresh before the view was kept so; 0: not known, or taken in */
	double plain_share;    /* of what was measured here, what a refresh without all of this takes; 0: not known */
	double plain_fixed_us; /* likewise, and besides */
	double rounds, round_us, plain_round_us; /* recent refreshes: what they took, and would have taken so */
	bool doubted;    /* they took longer, and may have met a bad time: all rows are measured before that counts */
	bool confirmed;  /* since then they have been measured */
	double whole_us; /* of computing all rows, recent runs count more; 0: never measured */
	struct cost_line forms[COST_FORMS];
	int form;                  /* that is in use (part.h) */
	bool trying;               /* but the other one runs this time */
	unsigned since_other;      /* runs since that one was last tried */
	double hint_keys, hint_us; /* what an audit took in the other form; 0: none has run */
	bool whole_last;
	unsigned since_keys; /* runs since keys were last computed although all rows were cheaper */
	double refresh_us;   /* of a refresh by keys, recent ones count more; 0: none has run */
	double until_audit;  /* refreshes before the next one */
	bool recalled;       /* what other connections have measured was asked for */
};

/* Takes in a run. */
void cost_learn_whole(struct cost *cost, int64_t us);
void cost_learn_plain(struct cost *cost, int64_t us);

/* Notes what a refresh has taken before the view was kept incrementally, for the next cost_learn_plain. */
void cost_learn_before(struct cost *cost, int64_t us);

/* Notes that the images of a run had this number of keys. */
void cost_learn_images(struct cost *cost, int64_t images, int64_t keys);
void cost_learn_keys(struct cost *cost, int form, int64_t keys, int64_t us);

/* The time that an audit has taken is a hint for a form that was never measured. */
void cost_learn_hint(struct cost *cost, int form, int64_t keys, int64_t us);

/* A run in this form has failed. True: the other one has worked, and is used from now on. */
bool cost_learn_failure(struct cost *cost, int form);

/* After a refresh by keys that has taken so long: is it to be audited? The first one is. */
bool cost_audit_due(struct cost *cost, int64_t us);

/* The first audit is that of the n-th refresh by keys. */
void cost_audit_after(struct cost *cost, unsigned n);

/* An audit has taken so long. The longer, the more refreshes come before the next. */
void cost_learn_audit(struct cost *cost, int64_t us);

/* Microseconds that so many keys are expected to take in this form; negative: nothing is known. */
double cost_of_form(const struct cost *cost, int form, int64_t keys);

/* How many keys its runs had, recent ones counting more; 0: there were none. */
int64_t cost_usual_keys(const struct cost *cost, int form);

/* The time is that of the form that was chosen last. */
double cost_of_keys(const struct cost *cost, int64_t keys);

/* The form to compute these keys by. The other one is tried when that may pay, taken when it is much cheaper, and tried
 * again now and then. Remembers what it has answered. */
int cost_choose_form(struct cost *cost, int64_t keys);

/* After that: are all rows expected to be cheaper than these keys? What is dearer is tried now and then, since a
 * measurement may be out of date. Remembers what it has answered. */
bool cost_choose_whole(struct cost *cost, int64_t keys);

/* Takes in a whole refresh, whatever it has chosen: us for its rows, total_us from its begin to its end (0: it shares a
 * transaction). True: for some time now it would have cost less to compute the relation's rows alone each time, and
 * did so again after these were measured anew. A single refresh that took very long does not decide. */
bool cost_learn_round(struct cost *cost, int64_t us, int64_t total_us);

/* Are all rows to be computed, so that it is known what they take now? */
bool cost_doubts(const struct cost *cost);

/* Before keys are looked for, which takes long where there are many: these images touch so many (*keys_r, guessed low)
 * that all rows are much cheaper. Not always true where that is so, since a guess may be out of date. */
bool cost_skips_keys(struct cost *cost, int64_t images, int64_t *keys_r);

/* The learnt costs as a text for the state table, and back. False, and cost untouched: the text holds none. */
#define COST_TEXT_SIZE 256
void cost_write(const struct cost *cost, char text[static COST_TEXT_SIZE]);
bool cost_read(struct cost *cost, const char *text);

#endif
