/* SPDX-License-Identifier: MIT
 *
 * examine_files.c: the rights are to come from the group of the database file, as docs/sqlite.md advises: its members,
 * the directory, which gives its group to new files, and the files beside it.
 */
#include "sqlite/examine_files.h"

#include "base/utf8.h"
#include "sqlite/conn/file_facts.h"
#include "sqlite/conn/files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#define MAY_NOT_ENTER "user '%s' may not enter directory '%s' (%s)"
#define ELSEWHERE "put the database into a directory of its own, which its group may write"

struct visit {
	void *mem;
	struct viewd_finding_sink findings;
	char user[64];
	gid_t gid; /* of the database; this user's own where that is root's */
	char group[64];
	bool told;
};

struct place {
	const char *path;
	struct stat st;
	char about[192];
};

/* ---- telling ---- */

/* Would it reach the shell as something else? Whoever shows the command shows no such bytes. */
static bool is_unsafe(const char *text)
{
	int32_t c;
	while ((c = utf8_next(&text)) > 0)
		if (utf8_is_control(c))
			return true;
	return c < 0;
}

/* $'..' of bash and others: each byte that is not plain ASCII by its number. */
static char *shell_bytes(void *mem, const char *text)
{
	char *word = talloc_strdup(mem, "$'");
	for (const char *p = text; *p != '\0'; p++)
		if (*p >= ' ' && *p <= '~' && *p != '\'' && *p != '\\')
			word = talloc_strndup_append_buffer(word, p, 1);
		else
			word = talloc_asprintf_append_buffer(word, "\\%03o", (unsigned char)*p);
	return talloc_strdup_append_buffer(word, "'");
}

/* A word of a shell's command line. */
static char *shell_word(void *mem, const char *text)
{
	bool plain = *text != '\0';
	for (const char *p = text; *p != '\0'; p++)
		plain = plain && (isalnum((unsigned char)*p) || strchr("_./-", *p) != NULL);
	if (plain)
		return talloc_strdup(mem, text);
	if (is_unsafe(text))
		return shell_bytes(mem, text);
	char *word = talloc_strdup(mem, "'");
	for (const char *p = text; *p != '\0'; p++)
		if (*p == '\'')
			word = talloc_strdup_append_buffer(word, "'\\''");
		else
			word = talloc_strndup_append_buffer(word, p, 1);
	return talloc_strdup_append_buffer(word, "'");
}

PRINTF_LIKE(4, 5)
static void tell(struct visit *v, const char *command, const char *advice, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const struct viewd_finding finding = {
		.struct_size = sizeof finding,
		.missing = true,
		.what = talloc_vasprintf(v->mem, fmt, ap),
		.advice = advice,
		.command = command,
	};
	va_end(ap);
	v->findings.fn(v->findings.ctx, &finding);
	v->told = true;
}

static bool look_at(const char *path, struct place *out)
{
	out->path = path;
	if (stat(path, &out->st) != 0)
		return false;
	file_describe(&out->st, out->about);
	return true;
}

/* Once this user is in the group: may he do this? */
static bool would_reach(const struct visit *v, const struct stat *st, mode_t want)
{
	mode_t has = st->st_mode & 7;
	if (st->st_uid == geteuid())
		has = (st->st_mode >> 6) & 7;
	else if (st->st_gid == v->gid || file_is_member(st->st_gid))
		has = (st->st_mode >> 3) & 7;
	return (has & want) == want;
}

static const char *group_command(struct visit *v, const struct place *p, const char *bits)
{
	char *path = shell_word(v->mem, p->path);
	if (p->st.st_uid == geteuid())
		return talloc_asprintf(v->mem, "chmod u+%.*s %s", (int)strcspn(bits, "s"), bits, path);
	if (p->st.st_gid == v->gid)
		return talloc_asprintf(v->mem, "chmod g+%s %s", bits, path);
	return talloc_asprintf(v->mem, "chgrp %s %s && chmod g+%s %s", shell_word(v->mem, v->group), path, bits, path);
}

/* ---- the way ---- */

/* Members of its group may enter it then, and this user is one of them. */
static void tell_way_by_group(struct visit *v, const struct place *p, const char *advice)
{
	char group[64];
	file_group_name(p->st.st_gid, group);
	if ((p->st.st_mode & 0010) == 0)
		tell(v, talloc_asprintf(v->mem, "chmod g+x %s", shell_word(v->mem, p->path)), advice, MAY_NOT_ENTER, v->user,
		     p->path, p->about);
	if (!file_is_member(p->st.st_gid))
		tell(v, talloc_asprintf(v->mem, "usermod -a -G %s %s", shell_word(v->mem, group), shell_word(v->mem, v->user)),
		     advice, "user '%s' is not in group '%s' of directory '%s' (%s)", v->user, group, p->path, p->about);
	else if (!v->told)
		tell(v, NULL, advice, MAY_NOT_ENTER, v->user, p->path, p->about);
}

/* One of the system's, such as /root, is not opened. */
static void tell_way(struct visit *v, const struct place *p)
{
	static const char again[] = "run doctor again then: it has not seen what lies behind";
	if (p->st.st_uid == geteuid())
		tell(v, talloc_asprintf(v->mem, "chmod u+x %s", shell_word(v->mem, p->path)), again, MAY_NOT_ENTER, v->user,
		     p->path, p->about);
	else if (p->st.st_gid == 0)
		tell(v, NULL, ELSEWHERE, MAY_NOT_ENTER, v->user, p->path, p->about);
	else
		tell_way_by_group(v, p, again);
}

/* The first directory on the way that cannot be entered; what lies behind it cannot be seen. */
static void examine_way(struct visit *v, const char *directory)
{
	for (const char *slash = directory; slash != NULL && !v->told; slash = strchr(slash + 1, '/')) {
		size_t len = slash == directory ? 1 : (size_t)(slash - directory);
		struct place p;
		if (look_at(talloc_strndup(v->mem, directory, len), &p) && S_ISDIR(p.st.st_mode) &&
		    faccessat(AT_FDCWD, p.path, X_OK, AT_EACCESS) != 0)
			tell_way(v, &p);
	}
}

/* ---- the group ---- */

static bool lacks_access(const struct place *p, int mode)
{
	return p->st.st_uid != geteuid() && faccessat(AT_FDCWD, p->path, mode, AT_EACCESS) != 0 && errno == EACCES;
}

static void examine_members(struct visit *v, const struct place *file, const struct place *dir)
{
	bool joins = !sqlite_files_group_fits(file->path, &file->st) || lacks_access(file, R_OK | W_OK) ||
	             lacks_access(dir, W_OK | X_OK);
	const char *group = shell_word(v->mem, v->group);
	if (joins && !file_is_member(v->gid))
		tell(v, talloc_asprintf(v->mem, "usermod -a -G %s %s", group, shell_word(v->mem, v->user)),
		     "it counts when viewd is started anew", "user '%s' is not in group '%s' of database file '%s' (%s)",
		     v->user, v->group, file->path, file->about);
	if (sqlite_files_owner_fits(&file->st))
		return;
	char owner[64];
	file_user_name(file->st.st_uid, owner);
	tell(
		v, talloc_asprintf(v->mem, "usermod -a -G %s %s", group, shell_word(v->mem, owner)),
		"it counts when the application is started anew",
		"the owner of database file '%s' (%s) is not in its group: files that user '%s' makes beside it would lock the "
		"owner out",
		file->path, file->about, v->user);
}

/* ---- the directory and the files ---- */

static bool told_read_only(struct visit *v, const struct place *dir)
{
	if (faccessat(AT_FDCWD, dir->path, W_OK, AT_EACCESS) == 0 || errno != EROFS)
		return false;
	tell(v, NULL,
	     talloc_asprintf(v->mem, "under systemd: ReadWritePaths=%s in [Service] of the unit (systemctl edit viewd)",
	                     dir->path),
	     "directory '%s' (%s) is on a file system that is read-only for user '%s'", dir->path, dir->about, v->user);
	return true;
}

/* One of the system's, such as /var/lib, is not given to a group. */
static void examine_directory(struct visit *v, const struct place *dir, const char *why)
{
	if (dir->st.st_uid == 0 && dir->st.st_gid == 0)
		tell(v, NULL, ELSEWHERE, "%s", why);
	else
		tell(v, group_command(v, dir, "rwxs"), NULL, "%s", why);
}

static void examine_beside(struct visit *v, const struct place *file, const struct place *dir)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	bool shares = dir->st.st_gid == v->gid && (dir->st.st_mode & S_ISGID) != 0;
	bool writable = would_reach(v, &dir->st, 3);
	if (!writable)
		examine_directory(
			v, dir,
			talloc_asprintf(v->mem, "user '%s' may not write directory '%s' (%s)", v->user, dir->path, dir->about));
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		struct place p;
		if (!look_at(talloc_asprintf(v->mem, "%s%s", file->path, suffixes[i]), &p) || would_reach(v, &p.st, 6))
			continue;
		tell(v, group_command(v, &p, "rw"), NULL, "user '%s' may not write file '%s' (%s)", v->user, p.path, p.about);
		if (i == 0 || p.st.st_gid == v->gid || shares || !writable || (dir->st.st_mode & S_ISVTX) != 0)
			continue;
		examine_directory(v, dir,
		                  talloc_asprintf(v->mem, "files that others make in directory '%s' (%s) do not get group '%s'",
		                                  dir->path, dir->about, v->group));
		shares = true;
	}
}

bool sqlite_examine_files(const char *path, struct viewd_finding_sink findings)
{
	struct visit v = {.mem = talloc_new(NULL), .findings = findings};
	char directory[PATH_MAX];
	struct place file, dir;
	file_directory(path, directory);
	file_user_name(geteuid(), v.user);
	if (geteuid() != 0)
		examine_way(&v, talloc_asprintf(v.mem, "%s/", directory));
	if (geteuid() != 0 && !v.told && look_at(directory, &dir) && !told_read_only(&v, &dir) && look_at(path, &file)) {
		v.gid = file.st.st_gid != 0 ? file.st.st_gid : getegid();
		file_group_name(v.gid, v.group);
		examine_members(&v, &file, &dir);
		examine_beside(&v, &file, &dir);
	}
	talloc_free(v.mem);
	return v.told;
}
