/* SPDX-License-Identifier: MIT
 *
 * client.h: one run of viewctl. viewctl has one thread.
 */
#ifndef VIEWD_CLIENT_CLIENT_H
#define VIEWD_CLIENT_CLIENT_H

#include "client/http.h"
#include "client/print/look.h"
#include "ctl/command/args.h"

#include <jansson.h>
#include <stdio.h>

/* Exit statuses, as documented. */
enum client_exit { CLIENT_DONE = 0, CLIENT_FAILED = 1, CLIENT_USAGE = 2, CLIENT_UNREACHABLE = 3, CLIENT_TIMED_OUT = 4 };

struct client {
	void *mem_ctx; /* talloc: lives until the end */
	const char *socket;
	bool json;
	struct look look; /* of out */
	FILE *out;
	FILE *err;
};

/* All of main. out and err are where text goes. */
enum client_exit client_main(int argc, char *const argv[], FILE *out, FILE *err);

/* "viewctl: message", and the hint on a line of its own. */
void client_complain(const struct client *client, const struct viewd_err *err);

/* Prints a reply as the options say (JSON, or the command's printer) and judges it: error objects and `ok: false` give
 * CLIENT_FAILED. */
enum client_exit client_show(const struct client *client, const struct args *args, long status, const json_t *body);

/* remote.c: asks the daemon. */
enum client_exit client_remote(const struct client *client, const struct args *args);

/* Tells why there is no reply. */
enum client_exit client_not_replied(const struct client *client, enum http_end end, const struct http_reply *reply);

/* events.c: prints events as they come. */
enum client_exit client_events(const struct client *client, const struct args *args);

/* offline.c: commands that need no daemon: check, and explain, render and uninstall with a file. */
enum client_exit client_check(const struct client *client, const struct args *args);
enum client_exit client_explain(const struct client *client, const struct args *args);
enum client_exit client_render(const struct client *client, const struct args *args);
enum client_exit client_uninstall(const struct client *client, const struct args *args);

/* doctor.c */
enum client_exit client_doctor(const struct client *client, const struct args *args);

/* graph.c */
enum client_exit client_graph(const struct client *client, const struct args *args);

/* list.c */
enum client_exit client_list(const struct client *client, const struct args *args);

/* plan.c */
enum client_exit client_plan(const struct client *client, const struct args *args);

/* import.c */
enum client_exit client_import(const struct client *client, const struct args *args);

#endif
