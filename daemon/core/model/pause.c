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

static void keep_line(struct engine *eng, const char *line)
{
	size_t n = 0;
	while (eng->paused != NULL && eng->paused[n] != NULL)
		n++;
	eng->paused = mem_grow(eng, eng->paused, char *, n + 2);
	eng->paused[n] = mem_strdup(eng->paused, line);
	eng->paused[n + 1] = NULL;
}

void pause_load(struct engine *eng)
{
	if (eng->state_dir == NULL)
		return;
	char *path = file_name(eng, NULL, ""), *line = NULL;
	size_t room = 0;
	FILE *f = fopen(path, "re");
	if (f == NULL && errno != ENOENT)
		log_warning("cannot read %s (%s); no view is taken as paused", path, strerror(errno));
	while (f != NULL && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '\0')
			keep_line(eng, line);
	}
	free(line);
	if (f != NULL)
		fclose(f);
	talloc_free(path);
}

static bool line_means(const char *line, const struct view *view)
{
	const char *db = view->db->conf->name;
	size_t len = strlen(db);
	return strncmp(line, db, len) == 0 && line[len] == ':' && strcmp(line + len + 1, view->conf->name) == 0;
}

bool pause_remembered(const struct engine *eng, const struct view *view)
{
	for (size_t i = 0; eng->paused != NULL && eng->paused[i] != NULL; i++)
		if (line_means(eng->paused[i], view))
			return true;
	return false;
}

static bool write_all(struct engine *eng, FILE *f)
{
	bool ok = true;
	for (size_t i = 0; i < eng->n_views; i++)
		if (eng->views[i]->paused)
			ok &= fprintf(f, "%s:%s\n", eng->views[i]->db->conf->name, eng->views[i]->conf->name) > 0;
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
