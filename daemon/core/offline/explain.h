/* SPDX-License-Identifier: MIT
 *
 * explain.h: asks a database, without a daemon, how a view can be kept incrementally. [any]
 */
#ifndef VIEWD_CORE_OFFLINE_EXPLAIN_H
#define VIEWD_CORE_OFFLINE_EXPLAIN_H

#include "base/macros.h"
#include "conf/conf.h"
#include "viewd_dialect.h"

struct registry;

/* Connects to the database of the view (NAME or DATABASE:NAME; the first that it is declared for) and has the dialect
 * explain it. Blocks. *err is filled on failure. */
bool offline_explain(const struct conf *conf, struct registry *registry, const char *view,
                     struct viewd_explained_sink facts, struct viewd_err *err) MUST_CHECK;

#endif
