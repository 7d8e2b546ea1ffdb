/* SPDX-License-Identifier: MIT
 *
 * shape.h: the columns and keys of a source, as the triggers of a change log have to know them. [worker]
 */
#ifndef VIEWD_SQLITE_INCREMENTAL_SHAPE_H
#define VIEWD_SQLITE_INCREMENTAL_SHAPE_H

#include "common/conn/db.h"

struct shape_column {
	const char *name;
	const char *affinity; /* a type that has it */
	const char *collation;
	bool generated;
	bool replaced; /* NOT NULL with a default: ON CONFLICT REPLACE puts the default in the place of NULL */
};

/* Columns whose values occur once: a row that has them in REPLACE's way goes without a trigger. */
struct shape_key {
	const struct shape_column **columns;
	const char **collations; /* by which they are compared */
	size_t n;
	char *condition; /* of the rows that a partial index holds, its columns unqualified; NULL: all rows */
	const struct shape_column **conditional; /* what it may read */
	size_t n_conditional;
};

struct shape {
	bool there; /* an ordinary table */
	bool strict, without_rowid;
	struct shape_column *columns;
	size_t n_columns;
	struct shape_key *keys;
	size_t n_keys;
	const char *row_id;     /* a name of the row number; NULL: no statement can give one */
	const char *row_column; /* the column that is the row number as well; NULL */
	bool odd;               /* a unique index over an expression */
};

/* Reads the shape of a table of the file; everything hangs on mem_ctx. An absent one is no failure. */
bool shape_read(struct db *db, void *mem_ctx, const struct relation *source, struct shape *out,
                struct viewd_err *err) MUST_CHECK;

/* By its name in any case; NULL: there is none. */
const struct shape_column *shape_column(const struct shape *shape, const char *name);

#endif
