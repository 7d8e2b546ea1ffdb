/* SPDX-License-Identifier: MIT */
#include "sqlite/conn/files.h"

#include "base/err.h"
#include "sqlite/conn/conn.h"
#include "sqlite/conn/file_facts.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

#define BITS(mode) ((mode)&0777)
#define GROUP_BITS(mode) (((mode) >> 3) & 7)
#define OTHER_BITS(mode) ((mode)&7)

/* ---- whether files can be shared ---- */

/* The group that a new file in the directory of path gets by itself. */
static gid_t natural_group(const char *path)
{
	char directory[PATH_MAX];
	struct stat st;
	file_directory(path, directory);
	return stat(directory, &st) == 0 && (st.st_mode & S_ISGID) != 0 ? st.st_gid : getegid();
}

/* Do members of its group have a right that everybody else lacks? */
static bool needs_group(const struct stat *st)
{
	return (GROUP_BITS(st->st_mode) & ~OTHER_BITS(st->st_mode)) != 0;
}

static bool refuse_file(const char *path, const struct stat *st, const char *why, struct viewd_err *err)
{
	char directory[PATH_MAX], user[64], group[64], file[192], dir[192] = "gone";
	struct stat dir_st;
	file_directory(path, directory);
	file_user_name(geteuid(), user);
	file_group_name(st->st_gid, group);
	file_describe(st, file);
	if (stat(directory, &dir_st) == 0)
		file_describe(&dir_st, dir);
	err_set(err, VIEWD_ERR_CONNECT,
	        "database file '%.200s' (%s) cannot be used: files that user '%s' makes beside it "
	        "in '%.150s' (%s) would lock its present users out (%s)",
	        path, file, user, directory, dir, why);
	return err_hint(err,
	                "put user %s into group %s (usermod -a -G), or let the directory give its group to new files "
	                "(chgrp %s, chmod g+s)",
	                user, group, group);
}

bool sqlite_files_group_fits(const char *path, const struct stat *st)
{
	return !needs_group(st) || natural_group(path) == st->st_gid || file_is_member(st->st_gid);
}

bool sqlite_files_owner_fits(const struct stat *st)
{
	bool needs = st->st_uid != geteuid() && BITS(st->st_mode) >> 6 != OTHER_BITS(st->st_mode);
	return !needs || file_owner_is_member(st);
}

bool sqlite_files_check(const char *path, struct viewd_err *err)
{
	struct stat st;
	if (geteuid() == 0 || stat(path, &st) != 0)
		return true;
	if (!sqlite_files_group_fits(path, &st))
		return refuse_file(path, &st, "they cannot have its group", err);
	if (!sqlite_files_owner_fits(&st))
		return refuse_file(path, &st, "its owner is not in its group", err);
	return true;
}

/* ---- making files that are shared ---- */

static bool is_given(const struct stat *st, const struct stat *db)
{
	return st->st_gid == db->st_gid && (geteuid() != 0 || st->st_uid == db->st_uid);
}

/* A new file of ours gets the database's group and mode; root gives the owner too. */
static bool adjust(int fd, const struct stat *db)
{
	return fchown(fd, geteuid() == 0 ? db->st_uid : (uid_t)-1, db->st_gid) == 0 && fchmod(fd, BITS(db->st_mode)) == 0;
}

/* Under its final name it is never to be seen with another group. What fails here SQLite does in its own way. */
static void make_file(const char *path, const struct stat *db)
{
	char name[PATH_MAX];
	snprintf(name, sizeof name, "%.*s.XXXXXX", PATH_MAX - 8, path);
	int fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return;
	if (adjust(fd, db) && link(name, path) != 0 && errno != EEXIST)
		errno = 0; /* no links here: sqlite_files_share gives it away afterwards */
	close(fd);
	unlink(name);
}

/* Never opened here: a lock that this process holds on the file would go with the descriptor. */
static void share(const char *path, const struct stat *db)
{
	struct stat st = {.st_uid = geteuid(), .st_gid = natural_group(path)};
	bool there = lstat(path, &st) == 0;
	if (!there && errno == ENOENT && !is_given(&st, db))
		make_file(path, db);
	if (!there)
		return;
	bool ours = S_ISREG(st.st_mode) && (st.st_uid == geteuid() || geteuid() == 0);
	if (ours && !is_given(&st, db) && lchown(path, geteuid() == 0 ? db->st_uid : (uid_t)-1, db->st_gid) != 0)
		return; /* sqlite_files_check has refused what matters */
}

static void share_beside(const char *path, const char *suffix, bool create)
{
	char name[PATH_MAX];
	struct stat db, st;
	snprintf(name, sizeof name, "%.*s%s", PATH_MAX - 16, path, suffix);
	if (stat(path, &db) == 0 && (create || lstat(name, &st) == 0))
		share(name, &db);
}

void sqlite_files_share(const char *path)
{
	share_beside(path, "-wal", false);
	share_beside(path, "-shm", false);
	share_beside(path, "-journal", false);
}

/* ---- the layer under SQLite ---- */

struct sqlite_layer {
	sqlite3_vfs vfs; /* first: SQLite hands it back */
	sqlite3_vfs *base;
	char name[40];
};

/* name is FILE and this suffix: FILE into out. */
static bool strip(const char *name, const char *suffix, char out[static PATH_MAX])
{
	size_t len = strlen(name), tail = strlen(suffix);
	if (len <= tail || len - tail >= PATH_MAX || strcmp(name + len - tail, suffix) != 0)
		return false;
	snprintf(out, PATH_MAX, "%.*s", (int)(len - tail), name);
	return true;
}

/* One that another user's SQLite keeps (journal_mode = truncate, persist). The write lock is held and it is not hot,
 * else it would have been rolled back before; SQLite itself would try to write it, fail, and remove it then. */
static void drop_useless_journal(const char *name)
{
	if (faccessat(AT_FDCWD, name, R_OK | W_OK, AT_EACCESS) != 0 && errno == EACCES && unlink(name) != 0)
		return; /* SQLite says that it cannot be opened */
}

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	struct sqlite_layer *layer = CONTAINER_OF(vfs, struct sqlite_layer, vfs);
	char path[PATH_MAX];
	bool makes = name != NULL && (flags & SQLITE_OPEN_CREATE) != 0;
	if (makes && (flags & SQLITE_OPEN_WAL) != 0 && strip(name, "-wal", path)) {
		share_beside(path, "-shm", true); /* made without a call of its own */
		share_beside(path, "-wal", true);
	} else if (makes && (flags & SQLITE_OPEN_MAIN_JOURNAL) != 0 && strip(name, "-journal", path)) {
		drop_useless_journal(name);
		share_beside(path, "-journal", true);
	}
	return layer->base->xOpen(layer->base, name, file, flags, out_flags);
}

/* Registered for this one connection: it goes with the connection, and the plugin can be unloaded. */
int sqlite_files_open(struct viewd_conn *conn, const char *path, int flags)
{
	sqlite3_vfs *base = sqlite3_vfs_find(NULL);
	struct sqlite_layer *layer = talloc_zero(conn, struct sqlite_layer);
	assert(layer != NULL && base != NULL);
	layer->base = base;
	layer->vfs = *base;
	layer->vfs.pNext = NULL;
	layer->vfs.xOpen = on_open;
	snprintf(layer->name, sizeof layer->name, "viewd-%p", (void *)conn);
	layer->vfs.zName = layer->name;
	int rc = sqlite3_vfs_register(&layer->vfs, 0);
	if (rc != SQLITE_OK)
		return rc;
	conn->layer = layer;
	return sqlite3_open_v2(path, &conn->handle, flags, layer->name);
}

void sqlite_files_end(struct viewd_conn *conn)
{
	if (conn->layer != NULL)
		sqlite3_vfs_unregister(&conn->layer->vfs);
	TALLOC_FREE(conn->layer);
}

/* ---- the lock file ---- */

void sqlite_files_share_lock(int fd, const char *path)
{
	struct stat db, st;
	if (stat(path, &db) != 0 || fstat(fd, &st) != 0 || (st.st_uid != geteuid() && geteuid() != 0))
		return;
	mode_t mode = 0600 | (db.st_mode & S_IWGRP ? 0060 : 0) | (db.st_mode & S_IWOTH ? 0006 : 0);
	if (st.st_gid != db.st_gid && fchown(fd, geteuid() == 0 ? db.st_uid : (uid_t)-1, db.st_gid) != 0)
		mode = 0600 | (mode & 0006);
	if (fchmod(fd, mode) != 0)
		return; /* a viewd of another user will name the file */
}

/* ---- what is in the way ---- */

static bool may(const char *what, const char *path, int mode, char *out, size_t size)
{
	char user[64], about[192] = "gone";
	struct stat st;
	if (faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 || errno == ENOENT)
		return true;
	int why = errno;
	file_user_name(geteuid(), user);
	if (stat(path, &st) == 0)
		file_describe(&st, about);
	snprintf(out, size, "user '%s' may not write %s '%.150s' (%s%s)", user, what, path, about,
	         why == EROFS ? "; file system read-only for it" : "");
	return false;
}

void sqlite_files_explain(const char *path, char *out, size_t size)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char name[PATH_MAX];
	out[0] = '\0';
	file_directory(path, name);
	if (!may("directory", name, W_OK | X_OK, out, size))
		return;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(name, sizeof name, "%.*s%s", PATH_MAX - 16, path, suffixes[i]);
		if (!may("file", name, R_OK | W_OK, out, size))
			return;
	}
}
