/* SPDX-License-Identifier: MIT
 *
 * json_err.h: an error record as JSON: {class, code, message, hint}, where code and hint are null when there is none.
 * One place knows these fields, for the daemon and for viewctl alone. [any]
 */
#ifndef VIEWD_CTL_TEXT_JSON_ERR_H
#define VIEWD_CTL_TEXT_JSON_ERR_H

#include "base/err.h"
#include "ctl/text/text_out.h"

#include <jansson.h>

/* Appends the record; NULL or class OK appends null. */
void text_out_err(struct text_out *out, const struct viewd_err *err);

/* The same as a new reference, never NULL. */
json_t *json_err(const struct viewd_err *err);

/* A new reference, never NULL, with class_word in place of the record's own class. */
json_t *json_failure(const char *class_word, const struct viewd_err *err);

#endif
