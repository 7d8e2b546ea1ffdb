/* SPDX-License-Identifier: MIT
 *
 * password.h: reads a database password at connect time.
 */
#ifndef VIEWD_CONF_SNAPSHOT_PASSWORD_H
#define VIEWD_CONF_SNAPSHOT_PASSWORD_H

#include "conf/conf.h"

/* From password_file (regular file, owner root or us, no access for others) or $CREDENTIALS_DIRECTORY/NAME; one
 * trailing newline is cut. *password_r is talloc'ed on mem_ctx (wipe it with password_wipe) or NULL when the section
 * names neither. [any] */
bool password_read(void *mem_ctx, const struct conf_database *db, char **password_r, struct viewd_err *err) MUST_CHECK;

/* Overwrites and frees; accepts NULL; leaves NULL. */
void password_wipe(char **password);

#endif
