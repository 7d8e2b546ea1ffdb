/* SPDX-License-Identifier: MIT */
#include "base/account.h"

#include "base/err.h"
#include "base/paths.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICE_USER "viewd" /* User= of the unit */

/* Files that are included elsewhere do not count: the one that is named says whose configuration it is. */
static bool is_of_service(const char *conf)
{
	char path[PATH_MAX];
	size_t dir = (size_t)(strrchr(PATHS_CONF, '/') - PATHS_CONF) + 1;
	return realpath(conf, path) != NULL && strncmp(path, PATHS_CONF, dir) == 0;
}

bool account_of_service(const char *conf, struct viewd_err *err)
{
	if (geteuid() != 0 || !is_of_service(conf))
		return true;
	const struct passwd *user = getpwnam(SERVICE_USER);
	if (user == NULL)
		return true;
	if (initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
		return err_set(err, VIEWD_ERR_DENIED, "user '%s', whom the service runs as, cannot be taken on (%s)",
		               user->pw_name, strerror(errno));
	return setenv("HOME", user->pw_dir, 1) == 0 || err_set(err, VIEWD_ERR_RESOURCE, "no memory");
}
