/* SPDX-License-Identifier: MIT */
#include "sqlite/watch/signs.h"

#include "base/err.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <talloc.h>
#include <unistd.h>

/* Endings that the names of a database's files add to its own. Others that are written beside them wake nobody. */
static const char *const suffixes[] = {"", "-wal", "-journal", NULL};

struct signs {
	const struct viewd_hint_ops *ops; /* the host's; NULL: inotify below */
	struct viewd_hints *hints;
	int fd;        /* inotify, or the eventfd that hints are written to */
	int directory; /* its number in inotify; the others are the database's own files */
	const char *path, *name;
};

/* ---- the host's hints ---- */

static bool open_hints(struct signs *s, const struct viewd_host *host)
{
	s->ops = host->hints;
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->hints = s->fd < 0 ? NULL : s->ops->open(host->ctx, s->path, suffixes, s->fd);
	return s->hints != NULL;
}

static bool take_hints(struct signs *s)
{
	uint64_t count;
	bool woken = read(s->fd, &count, sizeof count) == (ssize_t)sizeof count;
	return woken && s->ops->take(s->hints);
}

/* ---- inotify ---- */

/* Files that are there now. */
static bool watch_files(struct signs *s)
{
	bool there = false;
	for (size_t i = 0; suffixes[i] != NULL; i++) {
		char *path = talloc_asprintf(s, "%s%s", s->path, suffixes[i]);
		bool watched = inotify_add_watch(s->fd, path, IN_MODIFY) >= 0;
		talloc_free(path);
		there = there || (watched && i == 0);
	}
	return there;
}

static bool open_inotify(struct signs *s)
{
	char *copy = talloc_strdup(s, s->path);
	s->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	s->directory =
		s->fd < 0 ? -1 : inotify_add_watch(s->fd, dirname(copy), IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE);
	return s->directory >= 0 && watch_files(s);
}

static bool is_ours(const struct signs *s, const struct inotify_event *ev)
{
	size_t len = strlen(s->name);
	if (ev->wd != s->directory) /* a lost event, or a file of the database */
		return true;
	bool ours = false;
	for (size_t i = 0; ev->len > 0 && suffixes[i] != NULL; i++)
		ours = ours || (strncmp(ev->name, s->name, len) == 0 && strcmp(ev->name + len, suffixes[i]) == 0);
	return ours;
}

/* Reads what inotify has, until the database's own files are among it; true then. What is left says so the next
 * time. */
static bool take_inotify(struct signs *s)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool ours = false, appeared = false;
	for (ssize_t got; !ours && (got = read(s->fd, buf, sizeof buf)) > 0;)
		for (char *p = buf; p < buf + got;) {
			const struct inotify_event *ev = (const struct inotify_event *)(const void *)p;
			p += sizeof *ev + ev->len;
			if (!is_ours(s, ev))
				continue;
			ours = true;
			appeared = appeared || (ev->mask & (IN_CREATE | IN_MOVED_TO)) != 0;
		}
	if (appeared)
		watch_files(s); /* what was written before is found by the looks that follow */
	return ours;
}

/* ---- either ---- */

static bool has_hints(const struct viewd_host *host)
{
	return host->struct_size >= sizeof *host && host->hints != NULL;
}

bool signs_open(void *mem_ctx, const struct viewd_host *host, const char *path, struct signs **signs_r,
                struct viewd_err *err)
{
	struct signs *s = talloc_zero(mem_ctx, struct signs);
	s->fd = s->directory = -1;
	s->path = talloc_strdup(s, path);
	s->name = strrchr(s->path, '/') != NULL ? strrchr(s->path, '/') + 1 : s->path;
	if (has_hints(host) ? open_hints(s, host) : open_inotify(s)) {
		*signs_r = s;
		return true;
	}
	int why = errno;
	signs_close(&s);
	err_sys(err, VIEWD_ERR_RESOURCE, why, "cannot watch the directory of %s", path);
	return (why == EMFILE || why == ENOSPC) &&
	       err_hint(err,
	                "raise fs.inotify.max_user_instances and fs.inotify.max_user_watches by sysctl: programs of this"
	                " user watch too many files");
}

void signs_close(struct signs **signs)
{
	struct signs *s = *signs;
	if (s == NULL)
		return;
	if (s->hints != NULL)
		s->ops->close(&s->hints);
	if (s->fd >= 0)
		close(s->fd);
	TALLOC_FREE(*signs);
}

int signs_fd(const struct signs *s)
{
	return s->fd;
}

bool signs_take(struct signs *s)
{
	return s->ops != NULL ? take_hints(s) : take_inotify(s);
}
