/* SPDX-License-Identifier: MIT
 *
 * log.h: declarations that the files of incremental/ share. Functions run on the thread of their connection.
 *
 * The log of a source is table viewd_change_<number> of the URL's database. Three triggers of the source call one
 * procedure beside it, for the reasons that trigger_procedure.h gives; a second procedure calls the first one as a
 * trigger does, so that viewd meets what a writer would. The first LOG_SLOTS rows of the table are not images: that
 * they are there says that nobody has emptied it, and each holds the number from which writers count how long the log
 * has become.
 */
#ifndef VIEWD_MYSQL_INCREMENTAL_LOG_H
#define VIEWD_MYSQL_INCREMENTAL_LOG_H

#include "common/incremental/change_log.h"
#include "mysql/capture/trigger_procedure.h"
#include "mysql/incremental/ids.h"
#include "mysql/my.h"

#define LOG_SLOTS "16"
#define LOG_N_SLOTS 16
#define LOG_TRIES "1024"           /* numbers behind the slots' for rows that are taken back at once */
#define LOG_FIRST "1041"           /* the number of the first row that tells of a change */
#define LOG_ENOUGH "50000"         /* rows that nobody has taken off; then a writer leaves one that says "everything" */
#define LOG_ENOUGH_NODES "1000000" /* in a cluster, roughly */
#define LOG_EVERYTHING "2"
#define LOG_ROUTINES "viewd_(change|tried)"
#define LOG_PARENTS "viewd_lc"
#define LOG_TRIED "3" /* a row that is taken back at once: a writer's number would be missing from then on */
#define LOG_TRIED_ID "1 + " LOG_SLOTS " + MOD(CONNECTION_ID(), " LOG_TRIES ")"

/* The temporary tables of a refresh. */
#define LOG_STAGE "viewd_stage"
#define LOG_DIFFER "viewd_differ"
#define LOG_MORE "viewd_more"
#define LOG_BOTH "viewd_both"

/* Foreign keys change rows of a table without its triggers; then their parents' triggers say "everything". */
struct log_trigger {
	struct relation table;
	const char *event;
	char name[IDENT_MAX];
	char *body;
};

struct log_routine {
	char name[IDENT_MAX];
	char *parameters; /* with the parentheses */
	char *body;
	char comment[80];
};

/* The objects of one log. */
struct log_plan {
	struct viewd_conn *conn;
	void *mem;
	int64_t number;
	const struct relation *source;
	const char *const *columns;
	size_t n;
	char **types;                 /* of the source's columns, with character set and collation */
	char *shape;                  /* names and types, one a line */
	char *table;                  /* unquoted */
	struct log_trigger *triggers; /* the first three are the source's own */
	size_t n_triggers;
	struct log_routine routines[2]; /* what triggers call, and what tries it */
};

/* ---- log_text.c */

#define LOG_OWN_TRIGGERS 3

/* The names alone, of a log whose columns need not be known. */
void log_names(struct viewd_conn *conn, void *mem, int64_t number, const struct relation *source, struct log_plan *out);
/* Adds the triggers of parents. The number of columns must be set. */
bool log_add_parents(struct log_plan *plan, struct viewd_err *err) MUST_CHECK;
/* All of it, from what the source is now. MISSING when it lacks a column. */
bool log_plan(struct viewd_conn *conn, void *mem, const struct change_log *log, struct log_plan *out,
              struct viewd_err *err) MUST_CHECK;
/* log_plan.shape of the table as it is now. */
bool log_shape_of(struct viewd_conn *conn, void *mem, const struct relation *table, const char *where, char **shape_r,
                  struct viewd_err *err) MUST_CHECK;
/* The log's table as the URL's database has it. */
void log_relation(struct viewd_conn *conn, const char *table, struct relation *out);
/* The names of the procedures in other databases than the URL's, as a regular expression. */
void log_routines_elsewhere(struct viewd_conn *conn, char out[static IDENT_MAX]);
/* Does this body of a trigger in the database belong to a log of viewd's, and was it written for the URL's database? */
bool log_body_is_ours(struct viewd_conn *conn, const char *schema, const char *body);

/* ---- facts.c */

/* A digest of all that a log depends on: the definitions of source and log, which of their lives they are in, triggers
 * and procedures, and what viewd's account may do. "" and why: something is not there. talloc'ed. */
bool log_facts(struct log_plan *plan, char **digest_r, char why[static 192], struct viewd_err *err) MUST_CHECK;
/* Is all of it there as planned, and the definer's? */
bool log_is_right(const struct log_plan *plan, const struct definer *definer, bool *right_r, char why[static 192],
                  struct viewd_err *err) MUST_CHECK;

/* The facts that log_facts digests, asked for several logs at once. */
struct facts_told {
	struct log_plan *plan;
	char *source, *log, *triggers, *routines[2]; /* definitions, and what else tells of them */
	char *source_file, *log_file;
	int64_t source_life, log_life;
	char **rights; /* of all of them */
};

/* Adds the questions of n logs. False: the files of a table are named in a way that the server alone knows. */
bool facts_ask(struct facts_told *told, size_t n, struct my_questions *list) MUST_CHECK;
/* The digest of log_facts; NULL: it takes more than these questions. talloc'ed on the plan's memory. */
char *facts_digest(const struct facts_told *told);

/* ---- seen.c */

struct seen {
	struct ids ids;
	int64_t newest; /* the highest number that was read, also of a row that is gone */
	bool absent;    /* nothing is kept for this reader: it has everything to read */
};

/* A reader's position; false: it has none, or one of another version. */
bool seen_read(void *mem, const char *position, struct seen *out);
/* A position that is another one than all before. talloc'ed */
char *seen_text(struct viewd_conn *conn, void *mem, const struct seen *seen);

/* ---- log.c */

/* Leaves a row as a trigger would; the caller takes it back. What a handler swallows would be lost. */
bool log_try(const struct log_plan *plan, bool *works_r, struct viewd_err *err) MUST_CHECK;
/* Can changes of this table be logged at all? */
bool log_may(const struct log_plan *plan, char why[static 192]);

struct part_written;

/* ---- apply.c */

/* The rows of keys, computed by the definition for these alone, named as the relation's columns. *shadowed_r: the query
 * may fail where another would do, which joined asks for. talloc'ed */
char *part_keyed_query(struct viewd_conn *conn, void *mem, const struct part *part, const struct key_set *keys,
                       bool joined, bool *shadowed_r);

/* All rows of a definition, named as the columns. talloc'ed */
char *whole_query(void *mem, const struct columns *columns, const char *definition);

/* ---- part_diff.c: the rows of a relation against those that it should have */

struct difference {
	struct viewd_conn *conn;
	void *mem;
	const struct relation *rel;
	const struct columns *columns;
	const size_t *row; /* positions of what identifies a row */
	size_t n_row;
	const char *stage; /* quoted: where the rows are that it should have; NULL: LOG_STAGE */
	char *filter;      /* over t: the rows of the relation that count; NULL: all */
	bool nulls_not;    /* identify no row */
	bool few;          /* the relation is believed to have few rows */
	bool binary;       /* columns of bytes are compared as well, though they may have zero ones */
};

/* By the type of a column: is its text that of a number, one of characters, or one of bytes? */
bool value_is_number(const char *type);
bool value_is_text(const char *type);
bool value_is_binary(const char *type);
/* Adds a value of such a column, or of a time, to SQL. NULL: none. */
char *value_add(char *sql, const char *type, const char *value);
/* Do texts tell every byte of the relation's columns? */
bool compared_may(const struct difference *d);
/* Makes LOG_STAGE, empty, with the relation's columns. From then on the relation keeps its name to the end of the
 * transaction. */
bool difference_stage(const struct difference *d, struct viewd_err *err) MUST_CHECK;
/* SQL that puts the rows of a query, whose columns have these names, into a table (quoted), as the transaction's
 * snapshot has them. talloc'ed */
char *fill_text(void *mem, const char *into, const char *query, const char *const *names, size_t n);
/* Runs fill_text for a query whose columns are named as the relation's. */
bool difference_fill(const struct difference *d, const char *into, const char *query, struct viewd_err *err) MUST_CHECK;
/* Makes the relation's rows those of the stage. */
bool difference_apply(const struct difference *d, struct part_written *out, struct viewd_err *err) MUST_CHECK;

/* The log's table, quoted. talloc'ed */
char *log_quoted(struct viewd_conn *conn, void *mem, const struct change_log *log);

/* ---- key_index.c */

/* SQL: 1 if changed rows of the relation may be written where they are, else 0. NULL: they may not. talloc'ed */
char *in_place_question(const struct difference *d);
/* SQL: 1 if rows that no key tells apart are found by the number that viewd gives to each, else 0. NULL: they are not.
 * talloc'ed */
char *numbered_question(const struct difference *d);

/* ---- compare/compared.c: the same for fewer rows */

#define COMPARED_MAX 200000                /* rows on either side */
#define COMPARED_BYTES (INT64_C(16) << 20) /* likewise, of their texts */

/* Makes the relation's rows those of a query, whose columns are named as the relation's. *done_r false: there are too
 * many, and nothing was written. */
bool compared_apply(const struct difference *d, const char *query, bool *done_r, struct part_written *out,
                    struct viewd_err *err) MUST_CHECK;

/* Compares likewise the rows of a list of keys, which are the first column, and leaves those keys in the set whose rows
 * differ. *rows_r: SQL that inserts the rows of these, "" none, talloc'ed on d->mem. NULL: the rows are too many, or
 * cannot be compared, and are to be computed once more. */
bool compared_keys(const struct difference *d, const char *query, struct key_set *keys, const char **rows_r,
                   struct viewd_err *err) MUST_CHECK;

/* ---- keys.c */

/* Are these whole numbers of one column, which stand in each statement? */
bool keys_are_list(const struct key_set *set);
/* Makes it a list of these numbers. False: one of the texts is no number. */
bool keys_set(struct key_set *set, const char *const *texts, size_t n);
/* SQL: the keys as a table that can be joined. talloc'ed */
char *keys_table(void *mem, const struct key_set *set);

/* ---- the hooks: log.c (make, drop), look.c, seen.c, purge.c, keys.c, apply.c, roll.c */

bool my_incremental_possible(struct db *db, const char **why_r, struct viewd_err *err);
bool my_make_log(struct db *db, const struct change_log *log, struct viewd_err *err);
bool my_drop_log(struct db *db, int64_t number, const struct relation *source, struct viewd_err *err);
bool my_look_logs(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                  struct viewd_err *err);
char *my_unread(struct db *db, void *mem_ctx, const char *view, const struct change_log *log);
bool my_read_log(struct db *db, void *mem_ctx, const char *view, const struct change_log *log, char **position_r,
                 struct viewd_err *err);
void my_purge_log(struct db *db, const struct change_log *log);
bool my_add_keys(struct db *db, struct key_set *set, const char *query, const struct key_set *with,
                 struct viewd_err *err);
bool my_add_keys_each(struct db *db, const struct key_question *questions, size_t n, struct viewd_err *err);
char *my_has_key(void *mem_ctx, const struct key_set *set, const char *const *columns, bool null_safe);
void my_drop_keys(struct db *db, struct key_set *set);
bool my_index_part(struct db *db, struct part *part, struct viewd_err *err);
bool my_apply_part(struct db *db, const struct part *part, const struct key_set *keys, struct part_written *out,
                   struct viewd_err *err);
bool my_make_node(struct db *db, const struct node_table *table, struct viewd_err *err);
bool my_fill_node(struct db *db, const struct node_table *table, const char *query, struct viewd_err *err);
bool my_same_values(const char *type_a, const char *type_b);
bool my_add_to_roll(struct db *db, const struct roll *roll, const char *query, const struct key_set *with,
                    struct viewd_err *err);
bool my_exchange_rows(struct db *db, const struct roll *roll, const struct key_set *keys, const char *gone,
                      const char *come, const char *new_rows, struct viewd_err *err);
bool my_find_differing(struct db *db, void *mem_ctx, const struct roll *roll, struct key_set *keys, const char **rows_r,
                       struct viewd_err *err);
bool my_whole(struct task *task, struct viewd_outcome *out, struct viewd_err *err);

#endif
