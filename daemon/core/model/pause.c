/* SPDX-License-Identifier: MIT */
#include "core/model/pause.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *file_name(const struct engine *eng, void *mem_ctx, const char *suffix)
{
	return mem_printf(mem_ctx, "%s/paused%s", eng->state_dir, suffix);
}

static size_t count_lines(const struct engine *eng)
{
	size_t n = 0;
	while (eng->paused != NULL && eng->paused[n] != NULL)
		n++;
	return n;
}

/* Takes the line over. */
static void keep_line(struct engine *eng, char *line)
{
	size_t n = count_lines(eng);
	eng->paused = mem_grow(eng, eng->paused, char *, n + 2);
	eng->paused[n] = talloc_steal(eng->paused, line);
	eng->paused[n + 1] = NULL;
}

static char *line_named(void *mem_ctx, const struct view *view, const char *name)
{
	return mem_printf(mem_ctx, "%s:%s", view->db->conf->name, name);
}

static char *line_of(void *mem_ctx, const struct view *view)
{
	return line_named(mem_ctx, view, view->conf->name);
}

void pause_load(struct engine *eng)
{
	if (eng->state_dir == NULL)
		return;
	char *path = file_name(eng, NULL, ""), *line = NULL;
	size_t room = 0;
	FILE *f = fopen(path, "re");
	if (f == NULL && errno != ENOENT)
		log_warning("state file %s, cannot be read, no view is taken as paused (%s)", path, strerror(errno));
	while (f != NULL && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0')
			keep_line(eng, mem_strdup(eng, line));
	}
	free(line);
	if (f != NULL)
		fclose(f);
	talloc_free(path);
}

bool pause_claim(struct engine *eng, const struct view *view)
{
	const char *from = view->conf->renamed_from;
	char *own = line_of(NULL, view), *former = from != NULL ? line_named(own, view, from) : own;
	size_t n = count_lines(eng), kept = 0;
	for (size_t i = 0; i < n; i++)
		if (strcmp(eng->paused[i], own) == 0 || strcmp(eng->paused[i], former) == 0)
			talloc_free(eng->paused[i]);
		else
			eng->paused[kept++] = eng->paused[i];
	if (kept < n)
		eng->paused[kept] = NULL;
	talloc_free(own);
	return kept < n;
}

void pause_leave(struct engine *eng, const struct view *view)
{
	if (view->paused)
		keep_line(eng, line_of(eng, view));
}

static bool write_all(struct engine *eng, FILE *f)
{
	bool ok = true;
	size_t n = count_lines(eng);
	for (size_t i = 0; i < eng->n_views; i++) {
		char *line = eng->views[i]->paused ? line_of(NULL, eng->views[i]) : NULL;
		ok &= line == NULL || fprintf(f, "%s\n", line) > 0;
		talloc_free(line);
	}
	for (size_t i = 0; i < n; i++)
		ok &= fprintf(f, "%s\n", eng->paused[i]) > 0;
	return fflush(f) == 0 && ok;
}

bool pause_save(struct engine *eng, struct viewd_err *err)
{
	if (eng->state_dir == NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "there is no state_dir to remember a pause in");
	char *path = file_name(eng, NULL, ""), *fresh = file_name(eng, NULL, ".new");
	bool ok = false;
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (f != NULL) {
		ok = write_all(eng, f);
		ok &= fclose(f) == 0;
	}
	/* Not synced: the loop must not wait for a disk. A power cut may forget the last pause, a crash of viewd cannot. */
	ok = ok && rename(fresh, path) == 0;
	if (!ok) {
		err_sys(err, VIEWD_ERR_RESOURCE, errno, "cannot write %s", path);
		err_hint(err, "the pause holds until viewd ends; mend state_dir and pause again");
	}
	talloc_free(path);
	talloc_free(fresh);
	return ok;
}
