/* SPDX-License-Identifier: MIT
 *
 * web.h: the address of http_listen: opened, moved and closed as the configuration says. [loop]
 */
#ifndef VIEWD_CTL_SERVE_WEB_H
#define VIEWD_CTL_SERVE_WEB_H

#include "ctl/call/call.h"

struct loop;
struct web;

/* Serves nothing yet. ctl is used until the end. Never NULL; web_free ends it. */
struct web *web_new(struct loop *loop, const struct ctl *ctl);
void web_free(struct web **web);

/* Listens where conf says, or nowhere. dry_run: only tries. On false everything is as it was before. */
bool web_take(struct web *web, const struct conf *conf, bool dry_run, struct viewd_err *err) MUST_CHECK;

/* The same at the start, where nobody is there to mend it: a failure is logged, and tried again. */
void web_start(struct web *web, const struct conf *conf);

#endif
