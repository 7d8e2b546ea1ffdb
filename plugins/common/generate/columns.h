/* SPDX-License-Identifier: MIT
 *
 * columns.h: the columns a definition yields against those declared, by name.
 */
#ifndef VIEWD_COMMON_GENERATE_COLUMNS_H
#define VIEWD_COMMON_GENERATE_COLUMNS_H

#include "common/conn/db.h"

/* Columns in the order the relation gets them. talloc'ed. */
struct columns {
	struct viewd_column *items; /* type: the declared one, else the query's, else NULL */
	const char **names;         /* the same names as a plain array */
	/* The names in a statement around the definition, where the engine has two names for a column (SQLite: rowid) */
	const char **inner;
	size_t n;
	bool declared;    /* the view has a `columns` key */
	const char **key; /* the unique_key, unquoted */
	size_t n_key;
};

/* Columns that the declaration alone tells (no connection): n is 0 when nothing is declared. Names are read as
 * identifiers. NULL: a bad name or type, one declared twice, or a unique_key column that is not declared. [any] */
struct columns *columns_declared(const struct syntax *syn, void *mem_ctx, const struct viewd_view_spec *view,
                                 struct viewd_err *err);

/* Asks the server what the definition yields and holds it against the declaration: the same names, in any order (the
 * declaration's order wins). Refuses missing, unexpected, doubled and unnamed columns, naming them. [worker] */
struct columns *columns_resolve(struct db *db, void *mem_ctx, const struct viewd_view_spec *view,
                                const char *definition, struct viewd_err *err);

/* Columns that the query yields, as the server says; talloc'ed. [worker] */
struct columns *columns_of_query(struct db *db, void *mem_ctx, const char *query, struct viewd_err *err);

/* Columns that the relation has, in its order. [worker] */
struct columns *columns_of(struct db *db, void *mem_ctx, const struct relation *rel, struct viewd_err *err);

/* "new a, another type of b, without c": what a query yields against what a relation has; "" when nothing differs.
 * types: compared too. */
void columns_compare(const struct syntax *syn, const struct columns *yields, const struct columns *has, bool types,
                     char *text, size_t size);

/* Leaves out of cols what the relation does not have. Fails when the relation has a column that cols lacks. [any] */
bool columns_narrow(const struct syntax *syn, struct columns *cols, const struct columns *has,
                    struct viewd_err *err) MUST_CHECK;

#endif
