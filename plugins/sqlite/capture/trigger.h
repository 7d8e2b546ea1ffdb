/* SPDX-License-Identifier: MIT
 *
 * trigger.h: triggers that mark views. Functions run on the thread of their connection.
 */
#ifndef VIEWD_SQLITE_CAPTURE_TRIGGER_H
#define VIEWD_SQLITE_CAPTURE_TRIGGER_H

#include "sqlite/conn/conn.h"

/* SQL: how viewd's triggers are told from others, in sqlite_master: by name, and by what they do. */
#define SQLITE_OWN_TRIGGERS "type = 'trigger' AND name GLOB 'viewd_[iud]_*' AND sql GLOB '*UPDATE viewd_captures SET *'"

bool sqlite_op_choose_capture(struct db *db, enum viewd_capture wanted, const struct relation *sources, size_t n,
                              struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err);
bool sqlite_op_make_trigger(struct db *db, const struct relation *source, struct viewd_err *err);
bool sqlite_op_list_triggers(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);
bool sqlite_op_drop_trigger(struct db *db, const char *source, struct viewd_err *err);
/* Tables that were dropped and made again get their triggers back, and their views are marked. */
bool sqlite_mend_triggers(struct db *db, struct viewd_err *err) MUST_CHECK;

#endif
