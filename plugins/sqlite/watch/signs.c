/* SPDX-License-Identifier: MIT */
#include "sqlite/watch/signs.h"

#include "base/err.h"
#include "base/span.h"
#include "sqlite/conn/conn.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <talloc.h>
#include <unistd.h>

/* Endings that the names of a database's files add to its own. Others that are written beside them wake nobody. */
static const char *const suffixes[] = {"", "-wal", "-journal", NULL};

/* How long a file beside the database may be denied: SQLite sets its rights and its owner after it has made it. */
#define DENIED_MAX SPAN_SECOND

struct signs {
	const struct viewd_hint_ops *ops; /* the host's; NULL: inotify below */
	struct viewd_hints *hints;
	int fd;        /* inotify, or the eventfd that hints are written to */
	int directory; /* its number in inotify; the others are the database's own files */
	const char *path, *name;
	int64_t denied_since; /* on the monotonic clock; 0: all files that are there are watched */
};

/* ---- the host's hints ---- */

static bool open_hints(struct signs *s, const struct viewd_host *host)
{
	s->ops = host->hints;
	s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s->hints = s->fd < 0 ? NULL : s->ops->open(host->ctx, s->path, suffixes, s->fd);
	return s->hints != NULL;
}

static bool take_hints(struct signs *s, int *why_r)
{
	uint64_t count;
	bool woken = read(s->fd, &count, sizeof count) == (ssize_t)sizeof count;
	return woken && s->ops->take(s->hints, why_r);
}

/* ---- inotify ---- */

static bool is_absent(int why)
{
	return why == ENOENT || why == ENOTDIR;
}

/* A change of its rights is a sign as well. */
static bool may_be_denied(struct signs *s)
{
	int64_t now = sqlite_mono_us();
	if (s->denied_since == 0)
		s->denied_since = now;
	return now - s->denied_since < DENIED_MAX;
}

/* Files that are there now. *why_r: the first one is not, or one of them cannot be watched. patient: one beside the
 * first may be denied for a while. */
static bool watch_files(struct signs *s, bool patient, int *why_r)
{
	bool denied = false;
	*why_r = 0;
	for (size_t i = 0; suffixes[i] != NULL && *why_r == 0; i++) {
		char *path = talloc_asprintf(s, "%s%s", s->path, suffixes[i]);
		int why = inotify_add_watch(s->fd, path, IN_MODIFY) >= 0 ? 0 : errno;
		talloc_free(path);
		if (i > 0 && patient && why == EACCES && may_be_denied(s))
			denied = true;
		else if (i == 0 || !is_absent(why))
			*why_r = why;
	}
	if (!denied && *why_r == 0)
		s->denied_since = 0;
	return *why_r == 0;
}

static bool open_inotify(struct signs *s)
{
	int why;
	char *copy = talloc_strdup(s, s->path);
	s->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	s->directory = s->fd < 0 ? -1
	                         : inotify_add_watch(s->fd, dirname(copy),
	                                             IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_ATTRIB);
	if (s->directory < 0 || watch_files(s, false, &why))
		return s->directory >= 0;
	errno = why;
	return false;
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
static bool take_inotify(struct signs *s, int *why_r)
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
			appeared = appeared || (ev->mask & (IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_Q_OVERFLOW)) != 0;
		}
	/* Looks that follow find whatever was written before. */
	appeared = appeared || (ours && s->denied_since != 0);
	if (appeared && !watch_files(s, true, why_r) && is_absent(*why_r))
		*why_r = 0;
	return ours;
}

/* ---- either ---- */

static bool has_hints(const struct viewd_host *host)
{
	return host->struct_size >= sizeof *host && host->hints != NULL;
}

static bool refuse(const char *path, int why, struct viewd_err *err)
{
	err_sys(err, VIEWD_ERR_RESOURCE, why, "cannot watch %s and the files beside it", path);
	return (why == EMFILE || why == ENOSPC) &&
	       err_hint(err,
	                "raise fs.inotify.max_user_instances and fs.inotify.max_user_watches by sysctl: programs of this"
	                " user watch too many files");
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
	return refuse(path, why, err);
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

bool signs_take(struct signs *s, bool *any_r, struct viewd_err *err)
{
	int why = 0;
	*any_r = s->ops != NULL ? take_hints(s, &why) : take_inotify(s, &why);
	return why == 0 || refuse(s->path, why, err);
}
