/* SPDX-License-Identifier: MIT
 *
 * ident.h: reading and writing identifiers by an engine's rule.
 */
#ifndef VIEWD_COMMON_SQLTEXT_IDENT_H
#define VIEWD_COMMON_SQLTEXT_IDENT_H

#include "base/macros.h"
#include "common/sqltext/syntax.h"

#define IDENT_MAX 256 /* bytes with the NUL: 63 bytes or 64 four-byte characters fit */

/* A parsed relation: catalogue spelling, unquoted. schema is empty when not written. */
struct relation {
	char schema[IDENT_MAX];
	char name[IDENT_MAX];
};

/* Reads `name`, `schema.name`, with "..." or `...` quoted parts keeping their case and unquoted parts folded as the
 * engine does. Refuses: empty parts, too many parts, parts longer than the engine keeps (they would be cut), control
 * characters, invalid UTF-8, unbalanced quotes. [any] */
bool relation_parse(const struct syntax *syn, const char *text, struct relation *out, struct viewd_err *err) MUST_CHECK;

/* One identifier, same checks, for columns and index names. */
bool ident_parse(const struct syntax *syn, const char *text, char out[static IDENT_MAX],
                 struct viewd_err *err) MUST_CHECK;

/* Do two unquoted column names mean the same column? Engines that fold to lower case compare exactly, the others ignore
 * case. [any] */
bool ident_same(const struct syntax *syn, const char *a, const char *b);

/* Appends name quoted by the engine's rule to a growing talloc string; never fails. */
char *ident_append(const struct syntax *syn, char *sql, const char *name);

/* "schema"."name" or "name", talloc'ed on mem_ctx. */
char *relation_quoted(const struct syntax *syn, void *mem_ctx, const struct relation *rel);

/* A name for something temporary that belongs to rel: prefix + 16 hex digits, always short enough, same for the same
 * input. */
void ident_temporary(const struct relation *rel, const char *prefix, char out[static IDENT_MAX]);

/* A string literal by the engine's rule ('' doubled; a backslash-safe form where the engine needs one), talloc'ed. */
char *literal_quoted(const struct syntax *syn, void *mem_ctx, const char *text);

#endif
