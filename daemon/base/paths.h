/* SPDX-License-Identifier: MIT
 *
 * paths.h: where files are when nobody says where. The system's daemon has one place each, whatever the prefix of the
 * installation. A plain user's daemon has the places of the XDG base directory specification. [any]
 *
 * Texts are allocated on mem_ctx (a talloc context) and never NULL.
 */
#ifndef VIEWD_BASE_PATHS_H
#define VIEWD_BASE_PATHS_H

#include "base/macros.h"
#include "viewd_dialect.h"

#include <sys/types.h>

/* The system's configuration. */
#define PATHS_CONF "/etc/viewd/viewd.conf"

/* The configuration file of who calls. A plain user has $XDG_CONFIG_HOME/viewd/viewd.conf, where there is one or where
 * the system has no configuration. */
char *paths_conf(void *mem_ctx);

/* The places that belong to a configuration. In a unit of systemd: the one directory that $RUNTIME_DIRECTORY or
 * $STATE_DIRECTORY names. Else those of the system for PATHS_CONF, for root, and without $XDG_RUNTIME_DIR (a service of
 * the system has none). Else $XDG_RUNTIME_DIR/viewd/control.sock and $XDG_STATE_HOME/viewd. */
char *paths_control_socket(void *mem_ctx, const char *conf);
char *paths_state_dir(void *mem_ctx, const char *conf);

/* For who only calls viewd: a unit without a control socket in its $RUNTIME_DIRECTORY is that of another service, whose
 * directory is then forgotten. Before the first thread. */
void paths_leave_foreign_unit(void);

/* Makes the directory and its parents as far as they are missing, each with this mode. */
bool paths_make_dir(const char *dir, mode_t mode, struct viewd_err *err) MUST_CHECK;

#endif
