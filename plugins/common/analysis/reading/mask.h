/* SPDX-License-Identifier: MIT
 *
 * mask.h: a definition in an engine's SQL as text that libpg_query can read, with every position kept.
 */
#ifndef VIEWD_COMMON_ANALYSIS_READING_MASK_H
#define VIEWD_COMMON_ANALYSIS_READING_MASK_H

#include "common/analysis/reading/refusal.h"
#include "common/sqltext/lexer.h"

#define MASK_TEXT_MAX 65536  /* bytes of a definition that is looked at */
#define MASK_TOKENS_MAX 4000 /* and tokens: the parser's stack grows with them */

/* Text of the same length: comments are blanks, names are quoted as PostgreSQL quotes them, the contents of strings
 * that an engine reads in its own way are letters. Nothing that is looked at later depends on these contents.
 * talloc'ed on mem_ctx; NULL with a refusal when a token means something else to PostgreSQL. [any] */
char *mask_text(const struct syntax *syn, void *mem_ctx, const char *text, struct refusal *no);

#endif
