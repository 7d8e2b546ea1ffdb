/* SPDX-License-Identifier: MIT
 *
 * incremental.h: SQLite's side of incremental refreshes (db_incremental_ops). A refresh is one BEGIN IMMEDIATE: nobody
 * writes meanwhile, so log, tables and relation are seen at one moment. [worker]
 */
#ifndef VIEWD_SQLITE_INCREMENTAL_INCREMENTAL_H
#define VIEWD_SQLITE_INCREMENTAL_INCREMENTAL_H

#include "common/incremental/part.h"

/* SQL: the triggers of change logs, and their tables, in sqlite_master: by name, and by what they do. */
#define SQLITE_LOG_TRIGGERS \
	"type = 'trigger' AND name GLOB 'viewd_change_[0-9]*_[iudrs]' AND sql GLOB '*INSERT INTO viewd_change_[0-9]*'"
#define SQLITE_LOG_TABLES "type = 'table' AND name GLOB 'viewd_change_[0-9]*' AND sql GLOB '*(viewd_id INTEGER*'"

/* log.c: change logs */
bool sqlite_op_make_log(struct db *db, const struct change_log *log, struct viewd_err *err);
bool sqlite_op_drop_log(struct db *db, int64_t number, const struct relation *source, struct viewd_err *err);
/* Triggers whose log is gone. */
bool sqlite_op_clean_logs(struct db *db, struct viewd_err *err);
bool sqlite_op_look_log(struct db *db, void *mem_ctx, const char *view, struct change_log *log, const char *position,
                        const char *looked, struct viewd_err *err);

/* read_log.c: their rows */
bool sqlite_look_at_images(struct db *db, struct change_log *log, const char *position, struct viewd_err *err);
char *sqlite_op_unread(struct db *db, void *mem_ctx, const char *view, const struct change_log *log);
bool sqlite_op_read_log(struct db *db, void *mem_ctx, const char *view, const struct change_log *log, char **position_r,
                        struct viewd_err *err);

/* keys.c: sets of keys */
bool sqlite_op_add_keys(struct db *db, struct key_set *set, const char *query, const struct key_set *with,
                        struct viewd_err *err);
char *sqlite_op_has_key(void *mem_ctx, const struct key_set *set, const char *const *columns, bool null_safe);
/* SQL: these columns are those of some key, or NULL where some key has NULL: more rows than has_key finds. keys: their
 * positions in the set, n of them in order. talloc'ed */
char *sqlite_has_columns(void *mem_ctx, const struct key_set *set, const char *const *columns, const size_t *keys,
                         size_t n);
void sqlite_op_drop_keys(struct db *db, struct key_set *set);

/* How the columns of the key are compared, on mem_ctx: the source that has the key itself tells. */
void sqlite_key_collations(struct db *db, void *mem_ctx, const struct part *part,
                           const char *out[static KEY_WIDTH_MAX]);

/* key_index.c: what the names of the indexes begin with that are made for keys */
#define SQLITE_KEY_INDEX "viewd_key_"
bool sqlite_op_index_part(struct db *db, struct part *part, struct viewd_err *err);

/* roll.c: inner nodes */
#define SQLITE_NODE_TABLES "type = 'table' AND name GLOB 'viewd_node_[0-9]*' AND sql GLOB '*cnt*'"
struct node_table;
struct roll;
bool sqlite_op_make_node(struct db *db, const struct node_table *table, struct viewd_err *err);
bool sqlite_op_move_roll(struct db *db, const struct roll *roll, const struct key_set *keys, struct key_set *groups,
                         struct viewd_err *err);

/* apply.c: computing keys anew */
bool sqlite_op_apply_part(struct db *db, const struct part *part, const struct key_set *keys, struct part_written *out,
                          struct viewd_err *err);

#endif
