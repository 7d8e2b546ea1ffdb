/* SPDX-License-Identifier: MIT
 *
 * knowledge.h: collects a catalogue's answers, row by row, for the analysis (common/analysis/facts.h). A dialect's
 * db_ops.depends.know runs its queries with these readers; ctx is the struct knowledge. [worker]
 */
#ifndef VIEWD_COMMON_DEPENDS_KNOWLEDGE_H
#define VIEWD_COMMON_DEPENDS_KNOWLEDGE_H

#include "common/analysis/facts.h"
#include "common/conn/db.h"

/* Empty, on mem_ctx. */
struct knowledge *knowledge_new(void *mem_ctx);

/* schema, name, kind (a word of VIEWD_DEPENDS), estimated rows or NULL, why it cannot be followed or NULL. The first
 * of several relations of one name is what the name alone means. */
extern const struct db_reader knowledge_relations[];

/* schema, relation, name, type (integer, decimal, float, text, plain, other), digits behind the point or NULL, the type
 * as it is written, 1 when it may be NULL, estimated number of values or NULL; where the engine has columns that * does
 * not mean, something for such a one, else NULL. After the relations, in order. */
extern const struct db_reader knowledge_columns[];

/* schema, relation, name of a unique key, column, or NULL where it is an expression. After the columns, in order of
 * the keys. */
extern const struct db_reader knowledge_keys[];

/* schema, relation, name of an index that finds rows by its first columns, column, or NULL where it is an expression, 1
 * for one whose values have few rows each. After the columns, in order of the indexes. */
extern const struct db_reader knowledge_indexes[];

/* name, volatility (i immutable, s stable under the settings that viewd pins, v anything else), 1 for an aggregate, 1
 * for one that returns several rows. */
extern const struct db_reader knowledge_functions[];

/* Names of functions, separated by blanks, that give the same result for the same arguments. */
void knowledge_pure(struct knowledge *knowledge, const char *names);

/* A sum has as many digits as its longest term. digits: SQL for how many a value {} has; shorter: for a value {a} with
 * {b} of them. */
void knowledge_sums_keep_scale(struct knowledge *knowledge, const char *digits, const char *shorter);

/* Functions by which sums are summed again (common/analysis/facts.h). All arguments must live as long as the
 * knowledge. */
void knowledge_sums_again(struct knowledge *knowledge, const char *counts, const char *small,
                          const char *const *small_types);

/* SQL that stands for avg(x) over its sum {a} and count {b}; NULL: nothing does. large: SQL that says of a term {} that
 * it is to be counted; NULL: none is. */
void knowledge_average(struct knowledge *knowledge, const char *text, const char *large);

/* Least and greatest values are moved where there is no term {} of which the SQL is true; NULL: they are not. */
void knowledge_extremes(struct knowledge *knowledge, const char *odd);

/* The names in a definition as SQL literals, separated by commas. */
char *knowledge_names(const struct syntax *syn, void *mem_ctx, const char *definition);

/* All of it; lives as long as the knowledge. */
const struct facts *knowledge_facts(struct knowledge *knowledge);

#endif
