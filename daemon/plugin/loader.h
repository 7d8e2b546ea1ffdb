/* SPDX-License-Identifier: MIT
 *
 * loader.h: finds, vets and opens dialect plugins; keeps them for the life of the process.
 *
 * A plugin's file is plugin_dir/viewd_NAME.so. A scheme that is no dialect's name is looked for in what the dialects
 * say: then, and when a message has to tell what there is, all plugins of the directory are opened. A file must be
 * regular, owned by root or by us, and not writable by others; version and size are judged before anything else in it
 * is touched. Nothing is ever closed again.
 */
#ifndef VIEWD_PLUGIN_LOADER_H
#define VIEWD_PLUGIN_LOADER_H

#include "base/macros.h"
#include "viewd_dialect.h"

struct registry;

/* Empty. Lives in the talloc tree of mem_ctx. */
struct registry *registry_new(void *mem_ctx);

/* A dialect linked into the program (tests). Same judgement of version and size. The first of one name stays. */
bool registry_add(struct registry *reg, const struct viewd_dialect *dialect, struct viewd_err *err) MUST_CHECK;

/* The dialect of that name, or else the first by name that has this scheme; its file is opened the first time. NULL
 * with class PLUGIN and file, reason and remedy in err. Of two threads that open the same one both get the same.
 * [any] */
const struct viewd_dialect *registry_open(struct registry *reg, const char *plugin_dir, const char *word,
                                          struct viewd_err *err);

/* A dialect that is open already, by its name, or NULL. [any] */
const struct viewd_dialect *registry_find(const struct registry *reg, const char *name);

/* Tells of each dialect that is installed, in the order of names, and opens it; then of those that were added. dialect
 * is NULL for one that cannot be used, and why_not says why. name lives until fn returns, which stops with false.
 * [any] */
typedef bool registry_each_fn(void *ctx, const char *name, const struct viewd_dialect *dialect,
                              const struct viewd_err *why_not);
void registry_each(struct registry *reg, const char *plugin_dir, registry_each_fn *fn, void *ctx);

#endif
