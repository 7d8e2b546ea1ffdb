/* SPDX-License-Identifier: MIT
 *
 * show.h: effective settings with their origin.
 */
#ifndef VIEWD_CONF_SNAPSHOT_SHOW_H
#define VIEWD_CONF_SNAPSHOT_SHOW_H

#include "conf/conf.h"

/* One setting. value: as a user would write it, secrets redacted; NULL when the key has no value. origin: "file:line",
 * "file:line [view-defaults]" or "default". All strings live until the function returns. */
struct conf_setting {
	const char *key;
	const char *value;
	const char *origin;
	const char *help; /* one line */
};
typedef void conf_show_fn(void *ctx, const struct conf_setting *setting);

/* Calls fn once a key, in the order of the manual. [any] */
void conf_show_daemon(const struct conf *conf, conf_show_fn *fn, void *ctx);
void conf_show_database(const struct conf *conf, const struct conf_database *db, conf_show_fn *fn, void *ctx);
void conf_show_view(const struct conf *conf, const struct conf_view *view, conf_show_fn *fn, void *ctx);

/* "file:line" and so on, as above, allocated on mem_ctx. */
char *conf_origin_text(void *mem_ctx, const struct conf *conf, struct conf_origin origin);

/* "file:line: [viewd] key", allocated on mem_ctx: for messages about a value that only its use can
 * judge. The key must be one of the section; at a default the line is left out. */
char *conf_daemon_place(void *mem_ctx, const struct conf *conf, const char *key);

/* The place of a view's key ("method", "definition", "index_a", "definition_sqlite"), or of the section's header when
 * the key is not set: for messages about a value that only a dialect can judge. "file:line", allocated on mem_ctx. */
char *conf_view_place(void *mem_ctx, const struct conf *conf, const struct conf_view *view, const char *key);

#endif
