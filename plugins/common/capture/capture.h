/* SPDX-License-Identifier: MIT
 *
 * capture.h: having changes noticed: the part of viewd_dialect.capture that is the same on every engine. [worker]
 */
#ifndef VIEWD_COMMON_CAPTURE_CAPTURE_H
#define VIEWD_COMMON_CAPTURE_CAPTURE_H

#include "common/conn/db.h"

/* Has the signature of struct viewd_dialect, and needs the capture hooks of struct db_ops. One transaction where DDL
 * allows it. */
bool dialect_capture(struct viewd_conn *conn, const struct viewd_view_spec *view,
                     const struct viewd_capture_request *req, struct viewd_captured *out,
                     struct viewd_text_sink warnings, struct viewd_err *err);

/* Drops the triggers of sources that no view is registered for any more. */
bool capture_sweep(struct db *db, struct viewd_err *err) MUST_CHECK;

#endif
