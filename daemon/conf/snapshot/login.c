/* SPDX-License-Identifier: MIT */
#include "conf/snapshot/login.h"

#include "base/mem.h"
#include "conf/snapshot/password.h"

bool login_begin(struct login *login, const struct conf_database *db, const char *purpose, struct viewd_err *err)
{
	*login = (struct login){.mem = mem_need(talloc_new(NULL))};
	conf_database_spec(db, &login->spec);
	login->spec.application_name =
		mem_printf(login->mem, "viewd:%s%s%s", db->name, purpose != NULL ? ":" : "", purpose != NULL ? purpose : "");
	if (!password_read(login->mem, db, &login->password, err))
		return false;
	login->spec.password = login->password;
	return true;
}

void login_end(struct login *login)
{
	password_wipe(&login->password);
	talloc_free(login->mem);
}
