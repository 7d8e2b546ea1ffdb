/* SPDX-License-Identifier: MIT */
#include "base/paths.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

#define SYSTEM_SOCKET "/run/viewd/control.sock"
#define SYSTEM_STATE "/var/lib/viewd"

/* The specification says that a relative path is to be ignored. */
static const char *absolute(const char *name)
{
	const char *value = getenv(name);
	return value != NULL && value[0] == '/' ? value : NULL;
}

/* $XDG_NAME, else $HOME and the default below it; NULL without either. */
static char *home_path(void *mem_ctx, const char *name, const char *below, const char *file)
{
	const char *base = absolute(name), *home = absolute("HOME");
	if (base != NULL)
		return talloc_asprintf(mem_ctx, "%s/%s", base, file);
	return home != NULL ? talloc_asprintf(mem_ctx, "%s/%s/%s", home, below, file) : NULL;
}

static char *system_path(void *mem_ctx, const char *path)
{
	char *copy = talloc_strdup(mem_ctx, path);
	assert(copy != NULL);
	return copy;
}

/* A file that cannot be looked at is there: the directory of the system's is closed to strangers. */
static bool may_exist(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

char *paths_conf(void *mem_ctx)
{
	char *own = geteuid() != 0 ? home_path(mem_ctx, "XDG_CONFIG_HOME", ".config", "viewd/viewd.conf") : NULL;
	struct stat st;
	if (own != NULL && (stat(own, &st) == 0 || !may_exist(PATHS_CONF)))
		return own;
	talloc_free(own);
	return system_path(mem_ctx, PATHS_CONF);
}

static bool is_users(const char *conf)
{
	return geteuid() != 0 && absolute("XDG_RUNTIME_DIR") != NULL && strcmp(conf, PATHS_CONF) != 0;
}

/* A directory that systemd has made for the unit (systemd.exec(5)): one, or a list with colons, which says nothing. */
static char *unit_path(void *mem_ctx, const char *name, const char *file)
{
	const char *dir = absolute(name);
	if (dir == NULL || strchr(dir, ':') != NULL)
		return NULL;
	return file != NULL ? talloc_asprintf(mem_ctx, "%s/%s", dir, file) : talloc_strdup(mem_ctx, dir);
}

char *paths_control_socket(void *mem_ctx, const char *conf)
{
	char *unit = unit_path(mem_ctx, "RUNTIME_DIRECTORY", "control.sock");
	if (unit != NULL)
		return unit;
	if (!is_users(conf))
		return system_path(mem_ctx, SYSTEM_SOCKET);
	return home_path(mem_ctx, "XDG_RUNTIME_DIR", "", "viewd/control.sock");
}

void paths_leave_foreign_unit(void)
{
	char *unit = unit_path(NULL, "RUNTIME_DIRECTORY", "control.sock");
	if (unit != NULL && !may_exist(unit))
		unsetenv("RUNTIME_DIRECTORY");
	talloc_free(unit);
}

char *paths_state_dir(void *mem_ctx, const char *conf)
{
	char *unit = unit_path(mem_ctx, "STATE_DIRECTORY", NULL);
	if (unit != NULL)
		return unit;
	char *own = is_users(conf) ? home_path(mem_ctx, "XDG_STATE_HOME", ".local/state", "viewd") : NULL;
	return own != NULL ? own : system_path(mem_ctx, SYSTEM_STATE);
}

bool paths_make_dir(const char *dir, mode_t mode, struct viewd_err *err)
{
	char *path = talloc_strdup(NULL, dir);
	assert(path != NULL);
	bool made = true;
	for (char *slash = path; made && slash != NULL;) {
		slash = strchr(slash + 1, '/');
		if (slash != NULL)
			*slash = '\0';
		made = mkdir(path, mode) == 0 || errno == EEXIST;
		if (!made)
			err_sys(err, VIEWD_ERR_RESOURCE, errno, "directory '%s' cannot be made", path);
		if (slash != NULL)
			*slash = '/';
	}
	talloc_free(path);
	return made;
}
