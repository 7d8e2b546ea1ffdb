/* SPDX-License-Identifier: MIT
 *
 * roll.h: sums and counts of groups, moved by what was there and what is there now (docs/adr/008-incremental-nodes.md):
 * by the logged images of one table, or by the rows of a part. The result is computed from them for the groups that
 * were touched.
 */
#ifndef VIEWD_COMMON_INCREMENTAL_ROLL_H
#define VIEWD_COMMON_INCREMENTAL_ROLL_H

#include "common/analysis/texts.h"
#include "common/incremental/node_table.h"
#include "common/incremental/part.h"

struct roll {
	const struct analysis_texts *texts;
	bool images; /* of the images of one table; else of a part */
	/* SQL: the bytes of the group {}. Groups that are spelled otherwise are told apart in the tables, so that a
	 * spelling which is left in no row is not shown. NULL: equal groups have equal bytes. */
	const char *spelling;
	struct node_table table; /* g1 .., more of them for spelling, s1, n1 .., cnt */
	struct node_table below; /* of the part: f1 .., and the same */
	struct part part;        /* fills it; unless images */
	struct part result;      /* the relation, over the roll; of a piece the definition alone */
	bool few;                /* groups: those that were touched are not looked for, the result is compared as a whole */
	bool stuck;              /* a sum cannot be moved any more: the view is to be kept without */
};

/* Fills roll->table, and what belongs to the part; texts, images and spelling are there. talloc'ed on mem. */
void roll_plan(void *mem, struct roll *roll, const struct analysis_node *part);

/* Names of the columns of a roll's table that are added up: s1, n1, m1 .., cnt. talloc'ed on mem. */
size_t roll_sums(void *mem, const struct analysis_texts *texts, const char ***names_r);

/* Names of those that hold a least or greatest value: e1 .. talloc'ed on mem. */
size_t roll_extremes(void *mem, const struct analysis_texts *texts, const char ***names_r);

/* Names of all columns of a roll: first table.n_unique of groups, then those that are added up, then extremes.
 * talloc'ed on mem. */
size_t roll_columns(void *mem, const struct roll *roll, const char ***names_r);

/* Appends "g AS g1, .., count(*) AS cnt": groups, sums and counts of rows as they are, names with the prefix; and
 * " GROUP BY" the groups, which are the first columns after `before` other ones. */
char *roll_select(char *sql, const struct roll *roll, const char *prefix);
char *roll_group_by(char *sql, const struct roll *roll, size_t before);

/* Appends the groups alone, each followed by a comma. */
char *roll_groups(char *sql, const struct roll *roll, const char *prefix);

/* Appends the sum of a column over rows that came, less that over rows that went: by the alias's viewd_sign. Arguments
 * are never negated: the least number has no opposite. */
char *roll_difference(char *sql, const char *aggregate, const char *arg, const char *alias);
/* SQL: the result over the roll's rows, which come from `rows` ("relation AS viewd_n"). talloc'ed on mem. */
char *roll_result(void *mem, const struct roll *roll, const char *rows);

/* SQL: has a row viewd_s of the roll a sum that cannot be moved any more? NULL: there are none. talloc'ed on mem. */
const char *roll_stuck(struct db *db, void *mem, const struct roll *roll);

/* Makes the query of what is computed from the tables, once these have their names. */
void roll_bind(struct db *db, void *mem, struct roll *roll);

/* Does the server take the statements, and do they yield the definition's types? Called once tables and logs are there.
 * [worker] */
bool roll_check(struct db *db, void *mem, const char *view, const struct roll *roll, const struct part_source *source,
                const char *definition, struct viewd_err *err) MUST_CHECK;

/* In the refresh's transaction: all rows of the nodes. [worker] */
bool roll_fill(struct db *db, void *mem, struct roll *roll, struct viewd_err *err) MUST_CHECK;

/* Moves the nodes by the images that the view has not read, or their sums, or by the part's rows of these keys; writes
 * the relation's rows of the touched groups. [worker] */
bool roll_images_apply(struct db *db, void *mem, const char *view, struct roll *roll, const struct part_source *source,
                       struct part_written *out, struct viewd_err *err) MUST_CHECK;
bool roll_keys_apply(struct db *db, void *mem, struct roll *roll, const struct key_set *keys, struct part_written *out,
                     struct viewd_err *err) MUST_CHECK;

#endif
