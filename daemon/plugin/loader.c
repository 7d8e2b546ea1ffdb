/* SPDX-License-Identifier: MIT */
#include "plugin/loader.h"

#include "base/err.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

/* A list that only grows at its head: readers need no lock. */
struct entry {
	const struct viewd_dialect *dialect;
	struct viewd_dialect padded; /* copy of a plugin built against an older, shorter struct */
	struct entry *next;
};
struct registry {
	struct entry *_Atomic head;
};

struct registry *registry_new(void *mem_ctx)
{
	struct registry *reg = talloc_zero(mem_ctx, struct registry);
	if (reg == NULL)
		abort();
	return reg;
}

const struct viewd_dialect *registry_find(const struct registry *reg, const char *name)
{
	for (struct entry *e = atomic_load(&reg->head); e != NULL; e = e->next)
		if (strcmp(e->dialect->name, name) == 0)
			return e->dialect;
	return NULL;
}

/* The first three fields protect the rest: nothing else is read before they are found good. */
static bool judge_version(const struct viewd_dialect *d, struct viewd_err *err)
{
	if (d->abi_major != VIEWD_ABI_MAJOR || d->abi_minor > VIEWD_ABI_MINOR) {
		err_set(err, VIEWD_ERR_PLUGIN, "built for ABI %u.%u, this viewd offers %u.%u", d->abi_major, d->abi_minor,
		        VIEWD_ABI_MAJOR, VIEWD_ABI_MINOR);
		return err_hint(err, "install the plugin that came with this viewd, or rebuild it");
	}
	if (d->struct_size < offsetof(struct viewd_dialect, threads)) {
		err_set(err, VIEWD_ERR_PLUGIN, "its description has %u bytes, at least %zu are needed", d->struct_size,
		        offsetof(struct viewd_dialect, threads));
		return err_hint(err, "rebuild the plugin with this viewd's viewd_dialect.h");
	}
	return true;
}

static const char *missing_function(const struct viewd_dialect *d)
{
	const struct {
		const char *name;
		bool present;
	} needed[] = {
		{"check_database", d->check_database != NULL}, {"check_view", d->check_view != NULL},
		{"render", d->render != NULL},                 {"open", d->open != NULL},
		{"close", d->close != NULL},                   {"cancel", d->cancel != NULL},
		{"alive", d->alive != NULL},                   {"prepare", d->prepare != NULL},
		{"inspect", d->inspect != NULL},               {"apply", d->apply != NULL},
		{"refresh", d->refresh != NULL},               {"record_failure", d->record_failure != NULL},
		{"verify", d->verify != NULL},                 {"history", d->history != NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!needed[i].present)
			return needed[i].name;
	return NULL;
}

/* A group is there as a whole or not at all. */
static const char *missing_in_group(const struct viewd_dialect *d)
{
	const struct viewd_capture_ops *capture = d->capture;
	if (d->threads != NULL && d->threads->begin == NULL)
		return "threads.begin";
	if (capture == NULL)
		return NULL;
	return capture->set == NULL           ? "capture.set"
	       : capture->watch_open == NULL  ? "capture.watch_open"
	       : capture->watch_next == NULL  ? "capture.watch_next"
	       : capture->watch_wake == NULL  ? "capture.watch_wake"
	       : capture->watch_close == NULL ? "capture.watch_close"
	                                      : NULL;
}

/* name NULL: whatever the dialect calls itself. */
static bool judge_contents(const struct viewd_dialect *d, const char *name, struct viewd_err *err)
{
	if (d->name == NULL || d->version == NULL)
		return err_set(err, VIEWD_ERR_PLUGIN, "it has no name or version");
	if (name != NULL && strcmp(d->name, name) != 0)
		return err_set(err, VIEWD_ERR_PLUGIN, "it calls itself '%.64s', not '%s'", d->name, name);
	const char *missing = missing_function(d);
	if (missing == NULL)
		missing = missing_in_group(d);
	if (missing != NULL)
		return err_set(err, VIEWD_ERR_PLUGIN, "it lacks the function %s", missing);
	return true;
}

static const struct viewd_dialect *insert(struct registry *reg, const struct viewd_dialect *found)
{
	struct entry *e = talloc_zero(reg, struct entry);
	if (e == NULL)
		abort();
	size_t size = found->struct_size < sizeof e->padded ? found->struct_size : sizeof e->padded;
	memcpy(&e->padded, found, size);
	e->dialect = &e->padded;
	e->next = atomic_load(&reg->head);
	atomic_store(&reg->head, e);
	return e->dialect;
}

bool registry_add(struct registry *reg, const struct viewd_dialect *dialect, struct viewd_err *err)
{
	if (!judge_version(dialect, err) || !judge_contents(dialect, NULL, err))
		return false;
	insert(reg, dialect);
	return true;
}

static bool name_is_plain(const char *name)
{
	return name[0] != '\0' && strlen(name) <= 32 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

/* Whoever can write the file runs code as us. */
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

/* dlopen maps what the headers promise; touching a page that the file does not have would end the process with SIGBUS. */
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

static int is_plugin(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len > strlen("viewd_.so") && strncmp(entry->d_name, "viewd_", 6) == 0 && strcmp(entry->d_name + len - 3, ".so") == 0;
}

/* What a URL's scheme can ask for instead: the names of the plugins that are there. */
static bool tell_installed(int dirfd, struct viewd_err *err)
{
	struct dirent **entries = NULL;
	char names[256] = "";
	size_t len = 0;
	int n = scandirat(dirfd, ".", &entries, is_plugin, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name + 6;
		if (len < sizeof names)
			len += (size_t)snprintf(names + len, sizeof names - len, "%s%.*s", i > 0 ? ", " : "", (int)strlen(name) - 3, name);
		free(entries[i]);
	}
	free(entries);
	return err_set(err, VIEWD_ERR_PLUGIN, "it is not there; the dialects installed are: %s", n > 0 ? names : "none");
}

/* The directory, then the file through its directory's descriptor, so that what is judged is what is opened. */
static int open_vetted(const char *dir, const char *file, struct viewd_err *err)
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
		if (fd < 0 && errno == ENOENT)
			tell_installed(dirfd, err);
		else if (fd < 0)
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

static const struct viewd_dialect *open_symbol(const char *path, struct viewd_err *err)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		err_set(err, VIEWD_ERR_PLUGIN, "%s", dlerror());
		return NULL;
	}
	const struct viewd_dialect *d = dlsym(handle, "viewd_dialect");
	if (d == NULL)
		err_set(err, VIEWD_ERR_PLUGIN, "it exports no symbol viewd_dialect");
	return d;
}

const struct viewd_dialect *registry_open(struct registry *reg, const char *plugin_dir, const char *name,
                                          struct viewd_err *err)
{
	const struct viewd_dialect *d = registry_find(reg, name);
	if (d != NULL)
		return d;
	char file[64], path[PATH_MAX];
	if (!name_is_plain(name)) {
		err_set(err, VIEWD_ERR_PLUGIN, "'%.64s' cannot be a dialect's name", name);
		err_hint(err, "a name has at most 32 of a-z, 0-9 and _");
		return NULL;
	}
	snprintf(file, sizeof file, "viewd_%s.so", name);
	snprintf(path, sizeof path, "%s/%s", plugin_dir, file);
	int fd = open_vetted(plugin_dir, file, err);
	if (fd >= 0) {
		d = open_symbol(path, err);
		close(fd);
	}
	if (d == NULL || !judge_version(d, err) || !judge_contents(d, name, err)) {
		err_wrap(err, "plugin %s cannot be used", path);
		return NULL;
	}
	return insert(reg, d);
}
