/* SPDX-License-Identifier: MIT
 *
 * diff.h: the differences between two snapshots, object by object. Values count, not where they are written: a moved
 * line, a setting moved to [view-defaults] or a query moved into a file is no change.
 */
#ifndef VIEWD_CONF_SNAPSHOT_DIFF_H
#define VIEWD_CONF_SNAPSHOT_DIFF_H

#include "conf/conf.h"
#include "conf/schema/option.h"

enum conf_diff_what { CONF_DIFF_UNCHANGED, CONF_DIFF_ADDED, CONF_DIFF_REMOVED, CONF_DIFF_CHANGED };

struct conf_diff_entry {
	const char *name; /* of the section; "" for [viewd] */
	enum conf_diff_what what;
	enum option_reload reload; /* CHANGED: the strongest class among keys */
	struct conf_list keys;     /* CHANGED: which keys differ, as users write them (definition_sqlite, index_a) */
};

struct conf_diff {
	struct conf_diff_entry daemon;           /* UNCHANGED or CHANGED; ADDED when there was no old snapshot */
	const struct conf_diff_entry *databases; /* those of the new snapshot in its order, then the removed ones */
	size_t n_databases;
	const struct conf_diff_entry *views; /* likewise */
	size_t n_views;
	size_t n_differences; /* entries that are not UNCHANGED */
};

/* Compares. old may be NULL: everything is new. The result is one talloc tree on mem_ctx with copies of all names, so
 * it may outlive both snapshots. Never NULL. [any] */
struct conf_diff *conf_diff_new(void *mem_ctx, const struct conf *old, const struct conf *new);

/* The entry of a view or database, or NULL; by linear search. */
const struct conf_diff_entry *conf_diff_view(const struct conf_diff *diff, const char *name);
const struct conf_diff_entry *conf_diff_database(const struct conf_diff *diff, const char *name);

/* unchanged added removed changed */
const char *conf_diff_word(enum conf_diff_what what);

#endif
