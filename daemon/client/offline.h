/* SPDX-License-Identifier: MIT
 *
 * offline.h: commands that read the files themselves. viewctl has one thread.
 */
#ifndef VIEWD_CLIENT_OFFLINE_H
#define VIEWD_CLIENT_OFFLINE_H

#include "client/client.h"
#include "conf/conf.h"
#include "plugin/loader.h"

typedef enum client_exit client_with_conf_fn(const struct client *client, const struct args *args,
                                             const struct conf *conf, struct registry *registry);

/* Loads the configuration that --config names, else the caller's own, and calls fn; prints what is wrong with it
 * otherwise. */
enum client_exit client_with_conf(const struct client *client, const struct args *args, client_with_conf_fn *fn);

/* The end of a command that computes its answer here: shows body and drops the reference. With NULL it complains of
 * err. */
enum client_exit client_answer(const struct client *client, const struct args *args, json_t *body,
                               const struct viewd_err *err);

#endif
