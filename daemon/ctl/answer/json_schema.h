/* SPDX-License-Identifier: MIT
 *
 * json_schema.h: the fields of `status --json` as documentation. Runs when viewd is built. [any]
 */
#ifndef VIEWD_CTL_ANSWER_JSON_SCHEMA_H
#define VIEWD_CTL_ANSWER_JSON_SCHEMA_H

#include "base/macros.h"

#include <stdio.h>

/* Write to out: the JSON schema (json-schema.org, draft 7) of the array, and the fields as troff with man macros.
 * Return 0, or -1 when out reports an error. */
int json_schema_status(FILE *out) MUST_CHECK;
int json_schema_status_man(FILE *out) MUST_CHECK;

#endif
