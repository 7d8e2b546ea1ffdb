/* SPDX-License-Identifier: MIT
 *
 * plan.h: asks the databases, without a daemon, what one with these files would do to each object. [any]
 */
#ifndef VIEWD_CORE_OFFLINE_PLAN_H
#define VIEWD_CORE_OFFLINE_PLAN_H

#include "base/macros.h"
#include "conf/conf.h"

struct registry;

/* One view on one database. Texts live until the sink returns. */
struct offline_planned {
	const char *view; /* NAME, or DATABASE:NAME when it is declared for several */
	const char *database;
	const char *change;            /* the word of VIEWD_CHANGE; NULL: it could not be decided */
	const char *reason;            /* why; "" none */
	const char *locks;             /* what readers and writers meet meanwhile; "" nothing */
	const char *group;             /* refresh_group; NULL: none */
	int64_t duration_us;           /* of the last refresh; 0: none is known */
	const struct viewd_err *error; /* NULL: none */
};
struct offline_planned_sink {
	void (*fn)(void *ctx, const struct offline_planned *planned);
	void *ctx;
};

/* As offline_plan, for one database of conf and those of its views that are meant: meant stands beside conf->views. */
void offline_plan_database(const struct conf *conf, struct registry *registry, const struct conf_database *db,
                           const bool *meant, struct offline_planned_sink sink);

/* Connects to each database of these views (NAME or DATABASE:NAME; n 0: all that are enabled), and decides about each.
 * Changes nothing, and takes no lock that keeps a daemon out. A database that cannot be reached is an error of each of
 * its views. Blocks. False: err, a view is not in the configuration. */
bool offline_plan(const struct conf *conf, struct registry *registry, const char *const *views, size_t n,
                  struct offline_planned_sink sink, struct viewd_err *err) MUST_CHECK;

#endif
