/* SPDX-License-Identifier: MIT */
#include "work/file_hints.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/macros.h"
#include "base/mem.h"
#include "base/span.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/queue.h>
#include <unistd.h>

/* After it has read, the loop reads no more for so long: writers may write 100,000 times a second, and what they do in
 * between is one event in the kernel. The first write after a pause is told at once. */
#define REST (2 * SPAN_MS)
#define ROUNDS_MAX 3
#define OF_DIRECTORY (IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_ATTRIB)
/* How long a file beside the first one may be denied: who makes it sets its rights and its owner right after. */
#define DENIED_MAX SPAN_SECOND

LIST_HEAD(use_list, use);

/* Something that inotify watches: a directory, or a file. */
struct place {
	int wd;
	struct use_list uses;
	UT_hash_handle hh;
};

/* Somebody asked for it. */
struct use {
	LIST_ENTRY(use) of_place, of_owner;
	struct place *place;
	struct viewd_hints *owner;
	bool directory; /* only files of the owner's names count */
};

struct viewd_hints {
	struct file_hints *hub;
	struct use_list uses;
	char *path;       /* of the first file */
	const char *name; /* its last part, in path */
	const char *const *suffixes;
	int wake;
	atomic_bool news;
	atomic_bool appeared; /* files that have to be watched as well */
	int64_t denied_since; /* on the monotonic clock; 0: all that are there are watched */
};

struct file_hints {
	struct loop *loop;
	_Atomic int fd;  /* -1: the system has given none */
	_Atomic int why; /* errno then */
	struct loop_reader *reader;
	struct loop_timer *rest;
	pthread_mutex_t lock; /* of everything below, and of all lists; never around what a file system may hold up */
	struct place *places;
	uint64_t ended; /* how often inotify has told the end of a watch, or lost events, so far */
};

/* ---- the loop ---------------------------------------------------------------------------------------------------- */

static void tell(struct viewd_hints *h, bool appeared)
{
	const uint64_t one = 1;
	if (appeared)
		h->appeared = true;
	if (!atomic_exchange(&h->news, true) && write(h->wake, &one, sizeof one) < 0)
		return; /* full: it is awake */
}

static bool is_one_of(const struct viewd_hints *h, const char *name)
{
	size_t len = strlen(h->name);
	if (strncmp(name, h->name, len) != 0)
		return false;
	for (const char *const *suffix = h->suffixes; *suffix != NULL; suffix++)
		if (strcmp(name + len, *suffix) == 0)
			return true;
	return false;
}

static void forget_place(struct file_hints *hub, struct place *place)
{
	struct use *use;
	while ((use = LIST_FIRST(&place->uses)) != NULL) {
		LIST_REMOVE(use, of_place);
		LIST_REMOVE(use, of_owner);
		free(use);
	}
	HASH_DEL(hub->places, place);
	free(place);
}

static void tell_of_place(struct file_hints *hub, const struct inotify_event *ev)
{
	struct place *place;
	struct use *use;
	if ((ev->mask & IN_IGNORED) != 0)
		hub->ended++;
	HASH_FIND_INT(hub->places, &ev->wd, place);
	if (place == NULL)
		return;
	bool appeared = (ev->mask & (IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_IGNORED)) != 0;
	LIST_FOREACH(use, &place->uses, of_place)
		if (!use->directory || ev->len == 0 || is_one_of(use->owner, ev->name))
			tell(use->owner, appeared);
	if ((ev->mask & IN_IGNORED) != 0)
		forget_place(hub, place);
}

/* Ends of watches may be among what is lost, also of one that is not noted yet. */
static void tell_after_loss(struct file_hints *hub)
{
	struct place *place, *next;
	struct use *use;
	hub->ended++;
	HASH_ITER(hh, hub->places, place, next)
	LIST_FOREACH(use, &place->uses, of_place)
		tell(use->owner, true);
}

static void events_came(void *ctx)
{
	struct file_hints *hub = ctx;
	char buf[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t got = read(hub->fd, buf, sizeof buf); /* what is left comes in the next round */
	pthread_mutex_lock(&hub->lock);
	for (char *p = buf; p < buf + got;) {
		const struct inotify_event *ev = (const struct inotify_event *)(const void *)p;
		p += sizeof *ev + ev->len;
		if ((ev->mask & IN_Q_OVERFLOW) != 0)
			tell_after_loss(hub);
		else
			tell_of_place(hub, ev);
	}
	pthread_mutex_unlock(&hub->lock);
	if (got > (ssize_t)sizeof buf / 2)
		return; /* so many files are written that the kernel's queue could overflow */
	loop_reader_pause(hub->reader);
	loop_timer_set(hub->rest, REST);
}

static void rested(void *ctx)
{
	struct file_hints *hub = ctx;
	loop_reader_resume(hub->reader);
}

struct file_hints *file_hints_new(struct loop *loop)
{
	struct file_hints *hub = mem_need(calloc(1, sizeof *hub));
	pthread_mutex_init(&hub->lock, NULL);
	hub->loop = loop;
	hub->fd = -1;
	return hub;
}

void file_hints_begin(struct file_hints *hub)
{
	if (hub->fd >= 0)
		return;
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	hub->why = fd < 0 ? errno : 0;
	if (fd >= 0) {
		hub->reader = loop_reader_new(hub->loop, fd, events_came, hub);
		hub->rest = loop_timer_new(hub->loop, rested, hub);
	}
	hub->fd = fd;
}

void file_hints_free(struct file_hints **hints)
{
	struct file_hints *hub = *hints;
	struct place *place, *next;
	if (hub == NULL)
		return;
	*hints = NULL;
	loop_timer_free(&hub->rest);
	loop_reader_free(&hub->reader);
	HASH_ITER(hh, hub->places, place, next)
	forget_place(hub, place);
	if (hub->fd >= 0)
		close(hub->fd);
	pthread_mutex_destroy(&hub->lock);
	free(hub);
}

/* ---- the threads of watches -------------------------------------------------------------------------------------- */

static void use_place(struct viewd_hints *h, int wd, bool directory)
{
	struct file_hints *hub = h->hub;
	struct place *place;
	struct use *use;
	HASH_FIND_INT(hub->places, &wd, place);
	if (place == NULL) {
		place = mem_need(calloc(1, sizeof *place));
		place->wd = wd;
		HASH_ADD_INT(hub->places, wd, place);
	}
	LIST_FOREACH(use, &h->uses, of_owner)
		if (use->place == place)
			return;
	use = mem_need(calloc(1, sizeof *use));
	*use = (struct use){.place = place, .owner = h, .directory = directory};
	LIST_INSERT_HEAD(&place->uses, use, of_place);
	LIST_INSERT_HEAD(&h->uses, use, of_owner);
}

static uint64_t count_ended(struct file_hints *hub)
{
	pthread_mutex_lock(&hub->lock);
	uint64_t ended = hub->ended;
	pthread_mutex_unlock(&hub->lock);
	return ended;
}

/* False: some watch has ended since it was counted, perhaps this one. In the last round it is noted all the same, and
 * the owner is told to add it anew. */
static bool note(struct viewd_hints *h, int wd, bool directory, uint64_t ended, bool last)
{
	pthread_mutex_lock(&h->hub->lock);
	bool good = h->hub->ended == ended;
	if (good || last)
		use_place(h, wd, directory);
	pthread_mutex_unlock(&h->hub->lock);
	if (!good && last)
		tell(h, true);
	return good || last;
}

/* No lock is held while the file system is asked: one that hangs keeps nobody else waiting. So another thread may end
 * the very watch that inotify has just named. Its end that was told before the number was noted counts here, and one
 * that is told later is heard as a sign that the file is to be watched anew. Other watches may end all the time, hence
 * the last round. */
static bool add(struct viewd_hints *h, const char *path, uint32_t what, bool directory)
{
	for (int round = 1;; round++) {
		uint64_t ended = count_ended(h->hub);
		int wd = inotify_add_watch(h->hub->fd, path, what);
		if (wd < 0) {
			errno = h->hub->fd < 0 ? h->hub->why : errno;
			return false;
		}
		if (note(h, wd, directory, ended, round == ROUNDS_MAX))
			return true;
	}
}

static bool is_absent(int why)
{
	return why == ENOENT || why == ENOTDIR;
}

/* A change of its rights is told; whatever else is told meanwhile is another occasion. */
static bool may_be_denied(struct viewd_hints *h)
{
	int64_t now = clock_system()->mono(clock_system());
	if (h->denied_since == 0)
		h->denied_since = now;
	h->appeared = true;
	return now - h->denied_since < DENIED_MAX;
}

/* Files that are there now. *why_r: the first one is not, or one of them cannot be watched. patient: one beside the
 * first may be denied for a while. */
static bool add_files(struct viewd_hints *h, bool patient, int *why_r)
{
	char path[PATH_MAX];
	bool denied = false;
	for (size_t i = 0; h->suffixes[i] != NULL; i++) {
		snprintf(path, sizeof path, "%s%s", h->path, h->suffixes[i]);
		if (add(h, path, IN_MODIFY, false) || (i > 0 && is_absent(errno)))
			continue;
		*why_r = errno;
		if (i == 0 || errno != EACCES || !patient || !may_be_denied(h))
			return false;
		denied = true;
	}
	*why_r = 0;
	if (!denied)
		h->denied_since = 0;
	return true;
}

static bool add_directory(struct viewd_hints *h, int *why_r)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s", h->path);
	bool added = add(h, dirname(path), OF_DIRECTORY, true);
	*why_r = added ? 0 : errno;
	return added;
}

/* False: there is none left. *wd_r: what inotify need not watch any more, else -1. The file system may hold that up (a
 * file that is deleted goes with its last watch), so it is the caller's, without the lock. */
static bool leave_place(struct viewd_hints *h, int *wd_r)
{
	*wd_r = -1;
	pthread_mutex_lock(&h->hub->lock);
	struct use *use = LIST_FIRST(&h->uses);
	bool left = use != NULL;
	if (left) {
		struct place *place = use->place;
		LIST_REMOVE(use, of_place);
		LIST_REMOVE(use, of_owner);
		free(use);
		if (LIST_EMPTY(&place->uses)) {
			*wd_r = place->wd;
			forget_place(h->hub, place);
		}
	}
	pthread_mutex_unlock(&h->hub->lock);
	return left;
}

static void hints_close(struct viewd_hints **hints)
{
	struct viewd_hints *h = *hints;
	int wd;
	if (h == NULL)
		return;
	*hints = NULL;
	while (leave_place(h, &wd))
		if (wd >= 0)
			inotify_rm_watch(h->hub->fd, wd);
	free(h->path);
	free(h);
}

static struct viewd_hints *hints_open(void *ctx, const char *path, const char *const *suffixes, int wake)
{
	struct viewd_hints *h = mem_need(calloc(1, sizeof *h));
	int why = 0;
	h->hub = ctx;
	h->path = mem_need(strdup(path));
	h->name = strrchr(h->path, '/') != NULL ? strrchr(h->path, '/') + 1 : h->path;
	h->suffixes = suffixes;
	h->wake = wake;
	bool added = add_directory(h, &why) && add_files(h, false, &why);
	if (added)
		return h;
	hints_close(&h);
	errno = why;
	return NULL;
}

static bool hints_take(struct viewd_hints *h, int *why_r)
{
	int why = 0;
	*why_r = 0;
	bool news = atomic_exchange(&h->news, false);
	if (!atomic_exchange(&h->appeared, false))
		return news;
	bool added = add_directory(h, &why) && add_files(h, true, &why);
	*why_r = added || is_absent(why) ? 0 : why;
	return true;
}

const struct viewd_hint_ops file_hints_ops = {
	.struct_size = sizeof file_hints_ops,
	.open = hints_open,
	.take = hints_take,
	.close = hints_close,
};
