/* SPDX-License-Identifier: MIT
 *
 * check.h: judging a view's settings without a connection.
 */
#ifndef VIEWD_COMMON_CHECK_H
#define VIEWD_COMMON_CHECK_H

#include "common/ident.h"
#include "common/lexer.h"

/* What offline judgement yields. */
struct checked {
	struct viewd_resolved resolved;
	struct relation rel;
	char *definition; /* cleaned, talloc'ed */
};

/* Everything that can be judged without a server: relation, one query, method, mode, unique_key, columns, indexes, options.
 * Fills *out. Errors are VIEWD_ERR_CONFIG. [any] */
bool check_view(const struct syntax *syn, void *mem_ctx, const struct viewd_view_spec *view, struct checked *out,
                struct viewd_err *err) MUST_CHECK;

/* Words for messages and the state table: simple materialized table. */
const char *method_word(enum viewd_method method);
const char *mode_word(enum viewd_refresh_mode mode);
const char *did_word(enum viewd_did did);
const char *kind_word(enum viewd_kind kind);
bool method_from_word(const char *word, enum viewd_method *out_r) MUST_CHECK;

#endif
