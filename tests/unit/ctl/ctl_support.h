/* SPDX-License-Identifier: MIT
 *
 * ctl_support.h: a control server over the fake engine, and raw clients, all on one thread.
 */
#ifndef VIEWD_TESTS_CTL_SUPPORT_H
#define VIEWD_TESTS_CTL_SUPPORT_H

#include "ctl/serve/server.h"
#include "fake_engine.h"
#include "loop/loop.h"

struct rig {
	struct loop *loop;
	struct engine engine;
	struct ctl ctl;
	struct ctl_limits limits;
	struct ctl_server *server;
	const char *path;
	unsigned port; /* clients connect to 127.0.0.1 there; 0: to path */
};

/* limits: the defaults with changes made by tweak (may be NULL). Ends the test on failure. */
void rig_start(struct rig *rig, void (*tweak)(struct ctl_limits *limits));
void rig_stop(struct rig *rig);

/* Lets the loop work for about us microseconds. */
void rig_run(struct rig *rig, int64_t us);

/* A connected, non-blocking client; -1 when the queue of the listener is full. */
int rig_dial(struct rig *rig);

/* Sends as much as the peer takes without the loop's help in between; returns how much. */
size_t rig_send(struct rig *rig, int fd, const void *data, size_t len);

/* Runs the loop and collects what comes until the end of the stream or timeout_us; talloc'ed on the test's context.
 * *ended_r (may be NULL) says whether the end came. */
char *rig_receive(struct rig *rig, int fd, int64_t timeout_us, bool *ended_r);

/* One exchange on a new connection: sends text, returns the whole reply. */
char *rig_ask(struct rig *rig, const char *text);

/* The body of a reply, pieces put together; talloc'ed on the test's context. */
char *rig_body(const char *reply);

/* A request with a body and its length. */
char *rig_post(struct rig *rig, const char *path, const char *body);

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"
#define REFRESH_WAIT \
	"POST /v1/refresh HTTP/1.1\r\nHost: x\r\nContent-Length: " \
	"28\r\n\r\n{\"view\":\"alpha\",\"wait\":true}"

/* The body of a reply; the caller's. The test fails when it is no JSON. */
json_t *rig_json(const char *reply);
/* Is the reply an error with this status, class and message? */
void rig_check_error(const char *reply, const char *status, const char *cls, const char *message);
bool rig_still_answers(struct rig *rig);

#endif
