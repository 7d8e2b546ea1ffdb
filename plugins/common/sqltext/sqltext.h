/* SPDX-License-Identifier: MIT
 *
 * sqltext.h: growing SQL text. A text is a talloc string; every function returns the (possibly moved) text and never
 * NULL. [any]
 */
#ifndef VIEWD_COMMON_SQLTEXT_SQLTEXT_H
#define VIEWD_COMMON_SQLTEXT_SQLTEXT_H

#include "base/macros.h"
#include "common/sqltext/syntax.h"

/* An empty text on mem_ctx. */
char *sql_new(void *mem_ctx);

/* Appends formatted text; the caller has quoted everything that comes from outside. */
char *sql_add(char *sql, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Appends tmpl with every `{}` replaced by value. A NULL tmpl appends nothing. */
char *sql_template(char *sql, const char *tmpl, const char *value);

/* Appends tmpl with {a} and {b} replaced. */
char *sql_template2(char *sql, const char *tmpl, const char *a, const char *b);

/* Appends the placeholder of parameter number n (from 1). */
char *sql_param(const struct syntax *syn, char *sql, int n);

/* "a", "b", "c": names quoted and joined; prefix (may be NULL) goes before each: `s."a", s."b"`. */
char *sql_names(const struct syntax *syn, char *sql, const char *prefix, const char *const *names, size_t n);

#endif
