/* SPDX-License-Identifier: MIT
 *
 * file_facts.h: users, groups and modes of files, for decisions and for messages. [worker]
 */
#ifndef VIEWD_SQLITE_CONN_FILE_FACTS_H
#define VIEWD_SQLITE_CONN_FILE_FACTS_H

#include "base/macros.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

/* Names, or numbers where there is no name. */
void file_user_name(uid_t uid, char out[static 64]);
void file_group_name(gid_t gid, char out[static 64]);

/* "owner a, group b, mode 0640" */
void file_describe(const struct stat *st, char out[static 192]);

void file_directory(const char *path, char out[static PATH_MAX]);

/* Is this process in the group? */
bool file_is_member(gid_t gid);

/* Is the file's owner in its group? Unknown users are taken to be, and so is root. */
bool file_owner_is_member(const struct stat *st);

#endif
