/* SPDX-License-Identifier: MIT
 *
 * login.h: the record by which a dialect opens a session. It has the password for as long as that takes. [any]
 */
#ifndef VIEWD_CONF_SNAPSHOT_LOGIN_H
#define VIEWD_CONF_SNAPSHOT_LOGIN_H

#include "conf/conf.h"

struct login {
	struct viewd_database_spec spec; /* valid until login_end */
	char *password;
	void *mem;
};

/* Fills in the section's spec, the password, and application_name "viewd:DATABASE" or "viewd:DATABASE:PURPOSE" (purpose
 * NULL: none). False: the password cannot be had. login_end follows in any case. */
bool login_begin(struct login *login, const struct conf_database *db, const char *purpose,
                 struct viewd_err *err) MUST_CHECK;

/* Wipes the password and frees what login_begin made, if anything. */
void login_end(struct login *login);

#endif
