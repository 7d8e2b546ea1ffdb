/* SPDX-License-Identifier: MIT
 *
 * import.h: the views that a database has before viewd comes, asked of it without a daemon. [any]
 */
#ifndef VIEWD_CORE_OFFLINE_IMPORT_H
#define VIEWD_CORE_OFFLINE_IMPORT_H

#include "base/macros.h"
#include "conf/conf.h"
#include "viewd_dialect.h"

struct registry;

/* A [database] section that is written nowhere: of that name and URL, with the defaults of the URL's dialect, whose
 * plugin is opened. Relative paths start at base_dir. Memory is of mem_ctx (talloc) and of the arguments. */
bool offline_database(void *mem_ctx, struct registry *registry, const char *plugin_dir, const char *name,
                      const char *url, const char *base_dir, struct conf_database *out,
                      struct viewd_err *err) MUST_CHECK;

/* Connects, and lists the views and materialized views that viewd does not keep; schema NULL: of all schemas. Blocks.
 * The database's plugin is open. *err is filled on failure. */
bool offline_import(struct registry *registry, const struct conf_database *db, const char *schema,
                    struct viewd_existing_sink rows, struct viewd_err *err) MUST_CHECK;

#endif
