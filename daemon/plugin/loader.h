/* SPDX-License-Identifier: MIT
 *
 * loader.h: finds, vets and opens dialect plugins; keeps them for the life of the process.
 *
 * A plugin is named, never searched for: plugin_dir/viewd_NAME.so. Its file must be regular, owned by root or by us, and not
 * writable by others; version and size are judged before anything else in it is touched. Nothing is ever closed again.
 */
#ifndef VIEWD_PLUGIN_LOADER_H
#define VIEWD_PLUGIN_LOADER_H

#include "base/check.h"
#include "viewd_dialect.h"

struct registry;

/* Empty. Lives in the talloc tree of mem_ctx. */
struct registry *registry_new(void *mem_ctx);

/* A dialect linked into the program (tests). Same judgement of version and size. */
bool registry_add(struct registry *reg, const struct viewd_dialect *dialect, struct viewd_err *err) MUST_CHECK;

/* Returns the dialect, opening its file the first time. NULL with class PLUGIN and file, reason and remedy in err. One
 * thread at a time may open; registry_find may run beside it. */
const struct viewd_dialect *registry_open(struct registry *reg, const char *plugin_dir, const char *name,
                                          struct viewd_err *err);

/* A dialect that is open already, or NULL. [any thread] */
const struct viewd_dialect *registry_find(const struct registry *reg, const char *name);

#endif
