/* SPDX-License-Identifier: MIT
 *
 * orphans.h: objects that viewd has made, by its own records in the databases, and that no section names any more.
 * [any]
 */
#ifndef VIEWD_CORE_OFFLINE_ORPHANS_H
#define VIEWD_CORE_OFFLINE_ORPHANS_H

#include "base/macros.h"
#include "conf/conf.h"

struct registry;

/* Texts live until the sink returns. */
struct offline_orphan {
	const char *database;
	const char *name;                    /* of the section that was */
	const char *relation;                /* quoted */
	const char *kind;                    /* "table" ... */
	int64_t created_us, last_success_us; /* 0: unknown, never */
	const char *remove;                  /* the statements that drop it, separated by "; " */
	const struct viewd_err *error;       /* not NULL: all but the database is NULL, and it could not be asked */
};
struct offline_orphan_sink {
	void (*fn)(void *ctx, const struct offline_orphan *orphan);
	void *ctx;
};

/* Connects to each database and lists its orphans. What somebody has dropped, or put in the place of ours, is none.
 * Changes nothing, and takes no lock that keeps a daemon out. Blocks. */
void offline_orphans(const struct conf *conf, struct registry *registry, struct offline_orphan_sink sink);

#endif
