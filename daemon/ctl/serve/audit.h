/* SPDX-License-Identifier: MIT
 *
 * audit.h: one log line for each changing command: who, what, and what came of it. [loop]
 */
#ifndef VIEWD_CTL_SERVE_AUDIT_H
#define VIEWD_CTL_SERVE_AUDIT_H

#include <jansson.h>
#include <stdbool.h>

/* who_what: "uid 0 pid 7, refresh a --wait". The outcome is read from the reply: its HTTP status, `ok`, `failed`,
 * `error`. */
void audit_log(const char *who_what, int status, const json_t *body, bool client_left);

#endif
