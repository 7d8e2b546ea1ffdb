/* SPDX-License-Identifier: MIT
 *
 * words.h: the words of viewd_dialect.h's choices, for messages and the state tables: simple materialized table. [any]
 */
#ifndef VIEWD_COMMON_TEXT_WORDS_H
#define VIEWD_COMMON_TEXT_WORDS_H

#include "base/check.h"
#include "viewd_dialect.h"

const char *method_word(enum viewd_method method);
const char *mode_word(enum viewd_refresh_mode mode);
const char *did_word(enum viewd_did did);
const char *kind_word(enum viewd_kind kind);
/* False: no method has that word. */
bool method_from_word(const char *word, enum viewd_method *out_r) MUST_CHECK;

#endif
