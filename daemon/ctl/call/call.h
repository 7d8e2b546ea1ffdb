/* SPDX-License-Identifier: MIT
 *
 * call.h: one call of a command: parsed parameters in, one JSON reply out, now or later. Handlers know nothing of
 * sockets; who made the call gets the reply through a function. [loop]
 */
#ifndef VIEWD_CTL_CALL_CALL_H
#define VIEWD_CTL_CALL_CALL_H

#include "core/engine.h"
#include "ctl/command/args.h"
#include "ctl/text/text_out.h"

#include <jansson.h>

struct reload;
struct registry;

/* Everything that commands act on. The pointers outlive every call. */
struct ctl {
	struct engine *engine;
	struct reload *reload;
	struct registry *registry;
	const char *version;
};

struct call; /* also a talloc context for what a handler keeps until its reply */

/* Pieces that a stream has to give at the moment. */
enum call_more {
	CALL_MORE,  /* ask again once this has gone out */
	CALL_LATER, /* nothing more until call_kick */
	CALL_END
};

/* A reply that is made piece by piece, as fast as the client takes it: at most one piece is on its way. */
struct call_stream {
	const char *content_type;
	const char *heartbeat;                                   /* sent when nothing else was for a while; NULL: nothing */
	enum call_more (*fill)(void *ctx, struct text_out *out); /* appends one piece; must be quick */
	void *ctx;
};

/* Where a call's reply goes: exactly one of reply and stream, once. */
struct call_receiver {
	/* status is an HTTP status; body is the receiver's. The call is gone when it returns. */
	void (*reply)(void *ctx, int status, json_t *body);
	/* Calls fill for the first time before it returns; the stream may be at its end then. */
	void (*stream)(void *ctx, const struct call_stream *stream);
	void (*kick)(void *ctx); /* the stream has something to give again */
	void (*drop)(void *ctx); /* the client is too slow: part with it */
};

/* A call of a command; args are moved under it. receiver is static. Nothing happens before call_run. */
struct call *call_new(const struct ctl *ctl, struct args *args, const struct call_receiver *receiver, void *ctx);

/* Before call_run; the text is copied, NULL is none. */
void call_set_accept(struct call *call, const char *accept);

/* Runs the handler. The reply may come, and the call be gone, before this returns. */
void call_run(struct call *call);

/* The client left, or the stream has ended. True: the call is gone. False: its reply will still come. */
bool call_gone(struct call *call) MUST_CHECK;

/* ---- for handlers -------------------------------------------------------------------------------------------- */

const struct ctl *call_ctl(const struct call *call);
const struct args *call_args(const struct call *call);
/* The formats that the caller accepts (the Accept header); "" when he does not say. */
const char *call_accept(const struct call *call);

/* Instead of a reply. stream is copied. The call may be gone when this returns. */
void call_stream(struct call *call, const struct call_stream *stream);
void call_kick(struct call *call);
void call_drop(struct call *call);

/* fn runs when the client has left before the reply, or the stream has ended; the call is freed after it, without a
 * reply. A stream needs none if it has nothing to clean up. */
void call_on_gone(struct call *call, void (*fn)(void *ctx), void *ctx);

/* Ends the call. body's reference is taken. */
void call_reply(struct call *call, json_t *body);
void call_fail(struct call *call, const struct viewd_err *err);

/* The same with an HTTP status of its own. */
void call_reply_as(struct call *call, int status, json_t *body);

/* Ends the call with a list: {"ok", "failed", "items"}. The list's reference is taken; n_bad of its items are not
 * well. */
void call_reply_list(struct call *call, json_t *items, size_t n_bad);

/* Has it an error? */
bool call_item_failed(const struct engine_item *item);

/* Ends the call with what the items of a report became, each made by to_json and judged by good. */
void call_reply_report(struct call *call, const struct engine_report *report,
                       json_t *(*to_json)(const struct engine_item *item),
                       bool (*good)(const struct engine_item *item));

/* The instances meant by parameter "view" (or the flag "all", or nothing given when empty_is_all). On false the call
 * has been answered. The array belongs to the call. */
bool call_views(struct call *call, bool empty_is_all, struct view ***views_r, size_t *n_r) MUST_CHECK;

/* As call_views with empty_is_all, for looking: a text with * ? or [ stands for all instances whose NAME or
 * DATABASE:NAME matches it as a file name would. */
bool call_views_or_patterns(struct call *call, struct view ***views_r, size_t *n_r) MUST_CHECK;

/* As call_views, for work on them: --all leaves out those that are disabled. */
bool call_views_to_work_on(struct call *call, struct view ***views_r, size_t *n_r) MUST_CHECK;

/* The one instance meant by parameter "view". NULL: the call has been answered. */
struct view *call_view(struct call *call) MUST_CHECK;

/* {"schema": 1, "error": {...}} for an error that has no error record's class ("usage", "denied"), and the HTTP status
 * of one that has. */
json_t *call_error_body(const char *class_word, const struct viewd_err *err);
int call_error_status(const struct viewd_err *err);

#endif
