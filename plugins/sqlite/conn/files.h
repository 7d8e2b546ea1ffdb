/* SPDX-License-Identifier: MIT
 *
 * files.h: the rights of the files beside a database. SQLite makes FILE-wal, FILE-shm and FILE-journal with the mode
 * of the database file, but with the group of the process; an application that shares the database by its group would
 * be locked out.
 */
#ifndef VIEWD_SQLITE_CONN_FILES_H
#define VIEWD_SQLITE_CONN_FILES_H

#include "base/macros.h"
#include "viewd_dialect.h"

struct viewd_conn;

/* Opens the database file through a file system layer of its own, so that what SQLite makes beside it has the database
 * file's mode and group (its owner too, where viewd is root). Sets conn->handle as sqlite3_open_v2 does; returns its
 * code. The layer hangs on conn and goes when sqlite_files_end is called after the handle was closed. [worker] */
int sqlite_files_open(struct viewd_conn *conn, const char *path, int flags);
void sqlite_files_end(struct viewd_conn *conn);

/* Refuses a file whose present users would be locked out by files that viewd makes beside it, with user, directory and
 * mode. A file that does not exist yet has none. [worker] */
bool sqlite_files_check(const char *path, struct viewd_err *err) MUST_CHECK;

/* The two halves of it: what viewd makes beside the database can have its group; the owner is helped by that group's
 * rights, or needs none. [worker] */
struct stat;
bool sqlite_files_group_fits(const char *path, const struct stat *st);
bool sqlite_files_owner_fits(const struct stat *st);

/* Puts right what SQLite has made beside it all the same (another connection removed a file just then). [worker] */
void sqlite_files_share(const char *path);

/* Gives the lock file to all who may write the database, and to nobody else. */
void sqlite_files_share_lock(int fd, const char *path);

/* The reason that keeps this process from writing the database, for a message: `user 'x' may not write directory '/y'
 * (owner ..., mode ...)`; "" when nothing is found. */
void sqlite_files_explain(const char *path, char *out, size_t size);

#endif
