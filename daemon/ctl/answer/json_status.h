/* SPDX-License-Identifier: MIT
 *
 * json_status.h: one view of `status` as JSON text (status_fields.h). [loop]
 */
#ifndef VIEWD_CTL_ANSWER_JSON_STATUS_H
#define VIEWD_CTL_ANSWER_JSON_STATUS_H

#include "base/macros.h"
#include "core/engine.h"
#include "ctl/text/text_out.h"

#include <stdint.h>

/* Every field of the manual. */
#define JSON_STATUS_ALL UINT64_MAX

/* Appends one element of `GET /v1/status`: these fields, JSON_STATUS_ALL or what json_status_choose() gave. */
void json_status_put(struct text_out *out, struct engine *eng, const struct view *view, uint64_t fields);

/* names: of fields, separated by commas. False with err (class CONFIG) when status has no such field. [any] */
bool json_status_choose(const char *names, uint64_t *fields_r, struct viewd_err *err) MUST_CHECK;

#endif
