/* SPDX-License-Identifier: MIT */
#include "sqlite/conn/file_facts.h"

#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <talloc.h>
#include <unistd.h>

#define GROUPS_MAX 256 /* of a database's owner; with more it is taken to be in the right one */

void file_user_name(uid_t uid, char out[static 64])
{
	char buf[4096];
	struct passwd pw, *found = NULL;
	if (getpwuid_r(uid, &pw, buf, sizeof buf, &found) == 0 && found != NULL)
		snprintf(out, 64, "%.60s", pw.pw_name);
	else
		snprintf(out, 64, "%u", (unsigned)uid);
}

void file_group_name(gid_t gid, char out[static 64])
{
	char buf[16384];
	struct group gr, *found = NULL;
	if (getgrgid_r(gid, &gr, buf, sizeof buf, &found) == 0 && found != NULL)
		snprintf(out, 64, "%.60s", gr.gr_name);
	else
		snprintf(out, 64, "%u", (unsigned)gid);
}

void file_describe(const struct stat *st, char out[static 192])
{
	char user[64], group[64];
	file_user_name(st->st_uid, user);
	file_group_name(st->st_gid, group);
	snprintf(out, 192, "owner %s, group %s, mode %04o", user, group, (unsigned)(st->st_mode & 07777));
}

void file_directory(const char *path, char out[static PATH_MAX])
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", path);
	snprintf(out, PATH_MAX, "%s", dirname(copy));
}

bool file_is_member(gid_t gid)
{
	int room = getgroups(0, NULL);
	gid_t *list = talloc_array(NULL, gid_t, room > 0 ? (unsigned)room : 1);
	int n = room > 0 ? getgroups(room, list) : 0;
	bool found = gid == getegid();
	for (int i = 0; i < n && !found; i++)
		found = list[i] == gid;
	talloc_free(list);
	return found;
}

bool file_owner_is_member(const struct stat *st)
{
	char buf[4096];
	struct passwd pw, *found = NULL;
	gid_t list[GROUPS_MAX];
	int n = GROUPS_MAX;
	if (st->st_uid == 0 || getpwuid_r(st->st_uid, &pw, buf, sizeof buf, &found) != 0 || found == NULL ||
	    getgrouplist(pw.pw_name, pw.pw_gid, list, &n) < 0)
		return true;
	for (int i = 0; i < n; i++)
		if (list[i] == st->st_gid)
			return true;
	return false;
}
