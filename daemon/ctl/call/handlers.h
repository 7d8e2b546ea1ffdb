/* SPDX-License-Identifier: MIT
 *
 * handlers.h: the function behind each command. A handler looks at call_args() and ends the call exactly once, now or
 * later. [loop]
 */
#ifndef VIEWD_CTL_CALL_HANDLERS_H
#define VIEWD_CTL_CALL_HANDLERS_H

#include "ctl/call/call.h"

typedef void handler_fn(struct call *call);

/* The handler of a command that is not LOCAL. */
handler_fn *handler_for(enum command_id id);

/* cmd_status.c */
handler_fn cmd_status, cmd_show, cmd_why, cmd_info;
/* cmd_history.c */
handler_fn cmd_history;
/* cmd_graph.c */
handler_fn cmd_graph;
/* cmd_metrics.c */
handler_fn cmd_metrics;
/* cmd_page.c */
handler_fn cmd_page, cmd_view, cmd_healthz, cmd_readyz;
/* cmd_explain.c */
handler_fn cmd_explain;
/* cmd_run.c */
handler_fn cmd_refresh, cmd_create, cmd_adopt, cmd_drop, cmd_pause, cmd_resume, cmd_cancel;
/* cmd_verify.c */
handler_fn cmd_verify;
/* cmd_follow.c */
handler_fn cmd_wait, cmd_events;
/* cmd_conf.c */
handler_fn cmd_plan, cmd_render, cmd_reload;
/* cmd_uninstall.c */
handler_fn cmd_uninstall;

#endif
