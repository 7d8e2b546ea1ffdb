/* SPDX-License-Identifier: MIT
 *
 * incremental_ops.h: what a dialect does so that views can be kept incrementally: a part of struct db_ops (db.h), whose
 * rules hold here too.
 */
#ifndef VIEWD_COMMON_CONN_INCREMENTAL_OPS_H
#define VIEWD_COMMON_CONN_INCREMENTAL_OPS_H

#include "base/macros.h"
#include "common/sqltext/ident.h"
#include "viewd_dialect.h"

struct change_log; /* change_log.h */
struct db;
struct key_question; /* key_set.h */
struct key_search;
struct key_set;
struct node_table;   /* node_table.h */
struct part;         /* part.h */
struct part_written; /* part.h */
struct roll;         /* roll.h */
struct task;         /* task.h */

/* Inner nodes where they are not kept as elsewhere. {0}: nothing is different. */
struct db_roll_ops {
	/* Puts the rows of a query into a node's empty table, whose columns are in the query's order. NULL: INSERT ..
	 * SELECT reads what the transaction sees. */
	bool (*fill_node)(struct db *db, const struct node_table *table, const char *query, struct viewd_err *err);
	/* SQL: the bytes of a value {}, where equal groups may have other bytes; and a sum {} of counts as a count. NULL:
	 * equal groups have equal bytes, or none that matter. */
	const char *spelling, *whole_number;
	/* The part's rows of these keys are computed anew, and the sums of their groups move by what differs; these groups
	 * are added to the set, unless it has no columns. NULL: the old rows are taken away by add_to_roll, and the new
	 * ones added. */
	bool (*move)(struct db *db, const struct roll *roll, const struct key_set *keys, struct key_set *groups,
	             struct viewd_err *err);
	/* SQL: may a value {} equal one of other bytes? Least and greatest values of a part are kept with the sums of their
	 * groups where there is none such: move finds the next one when one is gone, by an index that make_node makes.
	 * NULL: they are not kept so. */
	const char *extreme_odd;
	/* A column of the logs that is the same for all images of one transaction. Where there is one, make_log also makes
	 * logs of sums, and refuses with CONFIG what might fail in a writer's statement. NULL: logs hold images. */
	const char *transaction;
	/* An image that a reader's own refresh has written is told to that refresh, and to the next one again. */
	bool own_images_again;
	/* Do columns of these types take the same values over from each other, to the byte? NULL: if they are equal. */
	bool (*same_values)(const char *type_a, const char *type_b);
	/* A relation of at most so many rows is compared as a whole with what its roll yields. 0: the groups that were
	 * touched are always looked for. */
	int64_t few;
	/* Takes off the roll what the part's rows of the keys add to it, computes these rows anew, and adds them again.
	 * gone, come: queries of what they add, over the part's table, before and after. rows: as find_differing has told.
	 * NULL: by add_to_roll and apply_part. Not asked where there is move. */
	bool (*exchange)(struct db *db, const struct roll *roll, const struct key_set *keys, const char *gone,
	                 const char *come, const char *rows, struct viewd_err *err);
	/* Leaves those keys in the set whose rows in the part's table are other ones than the part's query yields now.
	 * *rows_r: the dialect's own, for exchange, talloc'ed on mem_ctx; NULL: these rows are to be computed then. NULL:
	 * all keys stay. */
	bool (*find_differing)(struct db *db, void *mem_ctx, const struct roll *roll, struct key_set *keys,
	                       const char **rows_r, struct viewd_err *err);
	/* Moves a roll and writes its result: by images, a query of the columns of the roll's table that are added; NULL:
	 * by the part's rows of these keys, which are computed and written too. *stuck_r: a sum cannot be moved any more,
	 * so nothing that was written may stay. NULL: one step after the other. */
	bool (*move_all)(struct db *db, const struct roll *roll, const char *images, const struct key_set *keys,
	                 struct part_written *out, bool *stuck_r, struct viewd_err *err);
};

/* Hooks that save an incremental refresh round trips to a server. {0}: each question is a round trip of its own. */
struct db_turn_ops {
	/* All logs of a reader are looked at as look_log does, at once: ask asks, like query_later. When the answers have
	 * come, position and last_looked of each are there, and judge tells the rest. NULL, both: look_logs, or
	 * look_log. */
	bool (*ask)(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
	            struct viewd_err *err);
	bool (*judge)(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
	              struct viewd_err *err);
	/* SQL for the position that read_log tells. talloc'ed. NULL: read_log. */
	char *(*position)(void *mem_ctx, const struct change_log *log);
	/* Finds the keys of an empty set in one statement. Where a step has more values than limit, the set counts more
	 * keys than limit. has_key must know the set of a step. later: asked like query_later; a set that stays at fewer
	 * than no keys is to be searched again. NULL: by add_keys, one step after the other. */
	bool (*search_keys)(struct db *db, struct key_set *set, const struct key_search *search, int64_t limit, bool later,
	                    struct viewd_err *err);
	/* add_keys for several questions, none of which needs another one's answer. NULL: one after the other. */
	bool (*add_keys_each)(struct db *db, const struct key_question *questions, size_t n, struct viewd_err *err);
	/* In the transaction of a refresh that computes all rows: what a log lacks since it was emptied comes back, if
	 * later readings may then believe what it holds. NULL: nothing is lacking. */
	bool (*mend)(struct db *db, const struct change_log *log, struct viewd_err *err);
};

/* Keeping views incrementally (incremental/). {0}: the dialect cannot. All of them run in a transaction unless said
 * otherwise. */
struct db_incremental_ops {
	/* Can this server do it at all? *why_r: what prevents it, a literal; NULL: it can. Outside a transaction. NULL: it
	 * can. */
	bool (*possible)(struct db *db, const char **why_r, struct viewd_err *err);
	/* refresh_mode auto begins by itself to keep a view so whose refreshes take longer: that is more than one by its
	 * logs takes at least, and worth what a log costs writers. 0: it does not begin. */
	int64_t begins_after_us;
	/* Makes the table, the triggers and what else a log of this number and these columns needs, as far as it is not
	 * there as it should be. Under capture.lock; in a transaction where DDL has one. */
	bool (*make_log)(struct db *db, const struct change_log *log, struct viewd_err *err);
	/* Removes all of that. What is gone is no error. */
	bool (*drop_log)(struct db *db, int64_t number, const struct relation *source, struct viewd_err *err);
	/* Fills unread, everything, unsound, why and looked (talloc'ed on mem_ctx) for a reader; position and looked are
	 * those stored at its last reading, NULL: it has never read. unsound: log, trigger or source are not as make_log
	 * leaves them, so changes may be lost until it is called again. everything: unsound; or never read; or looked
	 * differs from the stored one; or the log says so (it overflowed, the table was truncated). */
	bool (*look_log)(struct db *db, void *mem_ctx, const char *view, struct change_log *log, const char *position,
	                 const char *looked, struct viewd_err *err);
	/* All logs of a reader are looked at likewise, at once; position and last_looked of each are there when the next
	 * call of flush has come back. Where one is unsound, the others need not be told. NULL: look_log, one after the
	 * other. */
	bool (*look_logs)(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
	                  struct viewd_err *err);
	struct db_turn_ops turns;
	/* SQL: a relation, in parentheses, of the images that a reader has not read. talloc'ed */
	char *(*unread)(struct db *db, void *mem_ctx, const char *view, const struct change_log *log);
	/* The reader has read all that the transaction sees; *position_r (talloc'ed) is stored for it. */
	bool (*read_log)(struct db *db, void *mem_ctx, const char *view, const struct change_log *log, char **position_r,
	                 struct viewd_err *err);
	/* Outside a transaction, after its commit: removes what all readers have read. Best effort. NULL: read_log has. */
	void (*purge_log)(struct db *db, const struct change_log *log);

	/* Adds the distinct rows of a query to a set, and counts it. The query may contain has_key of the set `with`. */
	bool (*add_keys)(struct db *db, struct key_set *set, const char *query, const struct key_set *with,
	                 struct viewd_err *err);
	/* SQL: "these columns (quoted, set->width of them) are in the set". null_safe: NULL is in it as well if a row with
	 * NULL is. talloc'ed. */
	char *(*has_key)(void *mem_ctx, const struct key_set *set, const char *const *columns, bool null_safe);
	/* The set is no longer needed. NULL: nothing to do. */
	void (*drop_keys)(struct db *db, struct key_set *set);
	/* Has the relation an index that begins with the columns of the key, or makes one. Outside a transaction. Where
	 * rows of the relation cannot be updated one after the other, since they may exchange what is unique in it, n_row
	 * becomes 0. NULL: rows are found without. */
	bool (*index_part)(struct db *db, struct part *part, struct viewd_err *err);
	/* Makes the rows of part->rel that belong to the keys those that the definition yields now; keys NULL: all rows.
	 * Unchanged rows, to the byte, are not written. */
	bool (*apply_part)(struct db *db, const struct part *part, const struct key_set *keys, struct part_written *out,
	                   struct viewd_err *err);
	/* Makes the table of an inner node, empty, with its indexes. In a transaction where DDL has one. NULL: parts
	 * only. */
	bool (*make_node)(struct db *db, const struct node_table *table, struct viewd_err *err);
	struct db_roll_ops roll;
	/* The table of a node has neither the types nor the collations of its query: keys and groups must be spelled in
	 * one way. */
	bool nodes_lose_types;
	/* Images may tell of rows that did not change: they say which keys to look at, and cannot be added up. */
	bool images_guess;
	/* Adds the rows of a query, which has the columns of the roll's table, to those of their groups; groups that are
	 * not there come. The query may contain has_key of the set `with`. NULL where roll.move_all is there, or
	 * images_guess and roll.move. */
	bool (*add_to_roll)(struct db *db, const struct roll *roll, const char *query, const struct key_set *with,
	                    struct viewd_err *err);
	/* SQL: is the sum {} a value that nothing can be taken away from (NaN)? NULL: there are none. */
	const char *stuck;
	/* SQL that stands for avg(x) over a roll, slots {a} its sum and {b} its count; NULL: averages are not rolled. */
	const char *average;
	/* SQL: is a term {} so large that an average may be rounded on the way, and so depends on the order of its terms?
	 * Such terms are counted. average_stuck: SQL that says so of a group, slots {a} their number and {b} that of all
	 * terms. NULL, both: none is. */
	const char *average_large, *average_stuck;
	/* All rows of the task's relation, as the transaction's snapshot has them. NULL: as for a refresh by diff or in
	 * full. */
	bool (*whole)(struct task *task, struct viewd_outcome *out, struct viewd_err *err);
};

#endif
