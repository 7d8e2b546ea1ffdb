/* SPDX-License-Identifier: MIT
 *
 * check.h: judging a view's settings without a connection.
 */
#ifndef VIEWD_COMMON_OBJECTS_CHECK_H
#define VIEWD_COMMON_OBJECTS_CHECK_H

#include "common/sqltext/ident.h"
#include "common/sqltext/lexer.h"

/* The result of offline judgement. */
struct checked {
	struct viewd_resolved resolved;
	struct relation rel;
	char *definition; /* cleaned, talloc'ed */
};

/* Everything that can be judged without a server: relation, one query, method, mode, unique_key, columns, indexes,
 * options. Fills *out. Errors are VIEWD_ERR_CONFIG. [any] */
bool check_view(const struct syntax *syn, void *mem_ctx, const struct viewd_view_spec *view, struct checked *out,
                struct viewd_err *err) MUST_CHECK;

#endif
