/* SPDX-License-Identifier: MIT
 *
 * json_status.h: one view of `status` as JSON text (status_fields.h). [loop]
 */
#ifndef VIEWD_CTL_ANSWER_JSON_STATUS_H
#define VIEWD_CTL_ANSWER_JSON_STATUS_H

#include "core/engine.h"
#include "ctl/text/text_out.h"

/* Appends one element of `GET /v1/status`: exactly the fields of the manual. */
void json_status_put(struct text_out *out, struct engine *eng, const struct view *view);

#endif
