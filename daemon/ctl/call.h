/* SPDX-License-Identifier: MIT
 *
 * call.h: one call of a command: parsed parameters in, one JSON reply out, now or later. Handlers know nothing of sockets; who
 * made the call gets the reply through a function. All on the loop thread.
 */
#ifndef VIEWD_CTL_CALL_H
#define VIEWD_CTL_CALL_H

#include "core/engine.h"
#include "ctl/args.h"

#include <jansson.h>

struct reload;
struct registry;

/* What commands act on. The pointers outlive every call. */
struct ctl {
	struct engine *engine;
	struct reload *reload;
	struct registry *registry;
	const char *version;
};

struct call; /* also a talloc context for what a handler keeps until its reply */

/* The reply, exactly once a call. status is an HTTP status; body is the receiver's. The call is gone when it returns. */
typedef void call_reply_fn(void *ctx, int status, json_t *body);

/* Starts a command; args are moved under the call. reply may come before this returns. */
void call_start(const struct ctl *ctl, struct args *args, call_reply_fn *reply, void *ctx);

/* ---- for handlers -------------------------------------------------------------------------------------------- */

const struct ctl *call_ctl(const struct call *call);
const struct args *call_args(const struct call *call);

/* Ends the call. body's reference is taken. */
void call_reply(struct call *call, json_t *body);
void call_fail(struct call *call, const struct viewd_err *err);

/* The instances meant by parameter "view" (or the flag "all", or nothing given when empty_is_all). On false the call has been
 * answered. The array belongs to the call. */
bool call_views(struct call *call, bool empty_is_all, struct view ***views_r, size_t *n_r) MUST_CHECK;

/* {"schema": 1, "error": {...}} for an error that has no error record's class ("usage", "denied"), and the HTTP status of one that has. */
json_t *call_error_body(const char *class_word, const struct viewd_err *err);
int call_error_status(const struct viewd_err *err);

#endif
