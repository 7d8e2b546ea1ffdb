/* SPDX-License-Identifier: MIT
 *
 * offline.h: asks the dialects about a configuration, without any connection: the checks of `viewctl check`, `viewd
 * --check` and reload, and the SQL of `render`. The same code in the daemon and in viewctl.
 */
#ifndef VIEWD_CORE_OFFLINE_OFFLINE_H
#define VIEWD_CORE_OFFLINE_OFFLINE_H

#include "base/macros.h"
#include "conf/conf.h"
#include "viewd_dialect.h"

struct registry;

/* Opens the dialect of every database and asks it about the database and about every view on it. Problems are appended
 * to *problems (new memory on mem_ctx, talloc) as "file:line: [section] what was wrong; what would be right". False
 * when at least one error was found. Plugins are opened, nothing else is touched; where they may be absent, their
 * databases and views are not judged. [any] */
bool offline_check(void *mem_ctx, const struct conf *conf, const struct conf_dialects *dialects,
                   struct conf_problems *problems);

/* Do the dialects see another method in a view of both snapshots? *from is that of its object, *to the next one. Opens
 * no plugin. [any] */
bool offline_method_changes(const struct conf *old, const struct conf *new, struct registry *registry, const char *view,
                            enum viewd_method *from, enum viewd_method *to);

/* conf_load's question about the keys of a dialect, answered by opening the plugin. The struct points to *registry; the
 * ctx member is the registry itself. */
struct conf_dialects offline_dialects(struct registry *registry);

struct offline_render {
	const char *view;     /* NAME or DATABASE:NAME */
	const char *dialect;  /* NULL: the database's */
	const char *database; /* NULL: the view's first, or its first of that dialect */
	enum viewd_render_kind kind;
	struct viewd_render_flags flags;
};

/* "create", "refresh", "drop". */
bool offline_render_kind(const char *word, enum viewd_render_kind *kind_r) MUST_CHECK;

/* The statements, without a final semicolon, one a call of sink.fn. *dialect_r (may be NULL) is the dialect used. */
bool offline_render(const struct conf *conf, struct registry *registry, const struct offline_render *what,
                    struct viewd_text_sink sink, const char **dialect_r, struct viewd_err *err) MUST_CHECK;

/* The view meant by NAME or DATABASE:NAME, and the database: that one, `database` when it is not NULL, or the view's
 * first. */
bool offline_pick(const struct conf *conf, const char *text, const char *database, const struct conf_view **view_r,
                  const struct conf_database **db_r, struct viewd_err *err) MUST_CHECK;

#endif
