/* SPDX-License-Identifier: MIT */
#include "plugin/vet.h"

#include "base/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

#define PREFIX "viewd_"
#define SUFFIX ".so"

bool vet_name(const char *name)
{
	return name[0] != '\0' && strlen(name) <= 32 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

char *vet_file(void *mem_ctx, const char *name)
{
	return talloc_asprintf(mem_ctx, PREFIX "%s" SUFFIX, name);
}

bool vet_there(const char *dir, const char *name)
{
	struct stat st;
	int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return true;
	char *file = vet_file(NULL, name);
	bool there = fstatat(dirfd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
	talloc_free(file);
	close(dirfd);
	return there;
}

/* A user who can write the file can run code as viewd. */
static bool judge_owner(const struct stat *st, const char *what, struct viewd_err *err)
{
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		err_set(err, VIEWD_ERR_PLUGIN, "%s is owned by uid %u", what, (unsigned)st->st_uid);
		return err_hint(err, "it must be owned by root or by the user viewd runs as");
	}
	if ((st->st_mode & 022) != 0 && !(S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0)) {
		err_set(err, VIEWD_ERR_PLUGIN, "%s is writable by others (mode %03o)", what, (unsigned)(st->st_mode & 0777));
		return err_hint(err, "chmod go-w it");
	}
	return true;
}

/* dlopen maps what the headers promise; touching a page that the file does not have would end the process with
 * SIGBUS. */
static bool judge_elf(int fd, off_t size, struct viewd_err *err)
{
	ElfW(Ehdr) head;
	ElfW(Phdr) part;
	if (pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return err_set(err, VIEWD_ERR_PLUGIN, "it is not a shared object");
	if (head.e_phentsize != sizeof part)
		return err_set(err, VIEWD_ERR_PLUGIN, "it is a shared object for another machine");
	for (unsigned i = 0; i < head.e_phnum; i++) {
		off_t at = (off_t)head.e_phoff + (off_t)(i * sizeof part);
		bool whole = pread(fd, &part, sizeof part, at) == (ssize_t)sizeof part;
		if (whole && part.p_type == PT_LOAD)
			whole = part.p_offset <= (uint64_t)size && part.p_filesz <= (uint64_t)size - part.p_offset;
		if (!whole) {
			err_set(err, VIEWD_ERR_PLUGIN, "it is cut off after %lld bytes", (long long)size);
			return err_hint(err, "install it again");
		}
	}
	return true;
}

int vet_open(const char *dir, const char *file, struct viewd_err *err)
{
	int fd = -1;
	struct stat st;
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0) {
		err_sys(err, VIEWD_ERR_PLUGIN, errno, "cannot open plugin_dir %s", dir);
		return -1;
	}
	if (fstat(dirfd, &st) == 0 && judge_owner(&st, "its directory", err)) {
		fd = openat(dirfd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			err_sys(err, VIEWD_ERR_PLUGIN, errno, "cannot open it");
	}
	close(dirfd);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && judge_owner(&st, "it", err) &&
	    judge_elf(fd, st.st_size, err))
		return fd;
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		err_set(err, VIEWD_ERR_PLUGIN, "it is not a regular file with contents");
	close(fd);
	return -1;
}

/* Length of NAME in viewd_NAME.so; 0: the file is called otherwise. */
static size_t name_length(const char *file)
{
	size_t len = strlen(file), around = strlen(PREFIX) + strlen(SUFFIX);
	bool like =
		len > around && strncmp(file, PREFIX, strlen(PREFIX)) == 0 && strcmp(file + len - strlen(SUFFIX), SUFFIX) == 0;
	return like ? len - around : 0;
}

static int is_plugin(const struct dirent *entry)
{
	return name_length(entry->d_name) > 0;
}

char **vet_names(void *mem_ctx, const char *dir)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, is_plugin, alphasort);
	char **names = talloc_zero_array(mem_ctx, char *, n > 0 ? (size_t)n + 1 : 1);
	if (names == NULL)
		abort();
	size_t kept = 0;
	for (int i = 0; i < n; i++) {
		char *name = talloc_strndup(names, entries[i]->d_name + strlen(PREFIX), name_length(entries[i]->d_name));
		if (name != NULL && vet_name(name))
			names[kept++] = name;
		free(entries[i]);
	}
	free(entries);
	return names;
}
