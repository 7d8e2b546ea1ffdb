/* SPDX-License-Identifier: MIT
 *
 * words.h: the words for the choices of viewd_types.h: in messages, JSON and the state tables. Static; "unknown" for
 * what is none of them. [any]
 */
#ifndef VIEWD_BASE_WORDS_H
#define VIEWD_BASE_WORDS_H

#include "base/macros.h"
#include "viewd_dialect.h"

const char *word_method(enum viewd_method m);      /* simple materialized table */
const char *word_mode(enum viewd_refresh_mode m);  /* auto full concurrently diff swap incremental */
const char *word_did(enum viewd_did d);            /* NO_DATA FULL CONCURRENT DIFF SWAP INCREMENTAL REINITIALIZE */
const char *word_change(enum viewd_change c);      /* nothing create adopt replace reindex drop refuse keep */
const char *word_kind(enum viewd_kind k);          /* nothing, view, materialized view, table, other object */
const char *word_depends(enum viewd_depends kind); /* table view function ... */
const char *word_heard(enum viewd_heard heard);    /* none trigger binlog poll kept look vouched */

/* The choice that a word stands for; false: none. */
bool method_of_word(const char *word, enum viewd_method *out_r) MUST_CHECK;
bool depends_of_word(const char *word, enum viewd_depends *out_r) MUST_CHECK;

#endif
