/* SPDX-License-Identifier: MIT
 *
 * dialect.h: functions that a dialect plugs straight into its struct viewd_dialect.
 *
 * All treat struct viewd_conn * as struct db *: struct db is the first member of every dialect's struct viewd_conn.
 */
#ifndef VIEWD_COMMON_DIALECT_H
#define VIEWD_COMMON_DIALECT_H

#include "common/conn/db.h"

/* [any] With the dialect's syntax; a dialect wraps them in two lines each. */
bool dialect_check_view(const struct syntax *syn, const struct viewd_view_spec *view, struct viewd_resolved *out,
                        struct viewd_text_sink mentions, struct viewd_err *err) MUST_CHECK;
bool dialect_render(const struct syntax *syn, const struct viewd_view_spec *view, enum viewd_render_kind kind,
                    const struct viewd_render_flags *flags, struct viewd_text_sink statements,
                    struct viewd_err *err) MUST_CHECK;

/* [worker] Same signatures as in struct viewd_dialect. */
bool dialect_prepare(struct viewd_conn *conn, struct viewd_recorded_sink rows, struct viewd_err *err);
bool dialect_inspect(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_found *out,
                     struct viewd_source_sink sources, struct viewd_err *err);
bool dialect_apply(struct viewd_conn *conn, const struct viewd_view_spec *view, enum viewd_change change,
                   struct viewd_outcome *out, struct viewd_err *err);
bool dialect_refresh(struct viewd_conn *conn, const struct viewd_view_spec *view,
                     const struct viewd_refresh_request *req, struct viewd_outcome *out, struct viewd_err *err);
bool dialect_record_failure(struct viewd_conn *conn, const struct viewd_view_spec *view,
                            const struct viewd_refresh_request *req, enum viewd_failure how,
                            const struct viewd_err *failure, struct viewd_err *err);
bool dialect_verify(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_verdict *out,
                    struct viewd_err *err);
bool dialect_refresh_group(struct viewd_conn *conn, const struct viewd_group_item *const *items, size_t n,
                           size_t *failed_r, struct viewd_err *err);
bool dialect_uninstall(struct viewd_conn *conn, const struct viewd_uninstall_request *req,
                       struct viewd_text_sink statements, struct viewd_err *err);
bool dialect_definition(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_text_sink text,
                        struct viewd_err *err);
bool dialect_rename(struct viewd_conn *conn, const struct viewd_view_spec *view, const char *from, bool look,
                    char what[256], struct viewd_err *err);
bool dialect_explain(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_explained_sink facts,
                     struct viewd_err *err);
bool dialect_existing(struct viewd_conn *conn, const char *schema, struct viewd_existing_sink rows,
                      struct viewd_err *err);
bool dialect_history(struct viewd_conn *conn, const struct viewd_view_spec *view, int limit,
                     struct viewd_history_sink rows, struct viewd_err *err);

bool dialect_recorded(struct viewd_conn *conn, struct viewd_recorded_sink rows, struct viewd_err *err);

#endif
