/* SPDX-License-Identifier: MIT
 *
 * harness_files.c: temporary files, memory and waiting for one test.
 */
#include "base/clock.h"
#include "support/harness.h"
#include "support/harness_private.h"

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

static struct {
	void *ctx;
	char *dir;
} test;

void *harness_ctx(void)
{
	if (test.ctx == NULL)
		test.ctx = talloc_new(NULL);
	assert(test.ctx != NULL);
	return test.ctx;
}

const char *harness_dir(void)
{
	if (test.dir != NULL)
		return test.dir;
	const char *base = getenv("TMPDIR");
	test.dir = talloc_asprintf(harness_ctx(), "%s/viewd-test.XXXXXX", base != NULL ? base : "/tmp");
	REQUIRE(mkdtemp(test.dir) != NULL);
	return test.dir;
}

const char *harness_path(const char *name)
{
	char *path = talloc_asprintf(harness_ctx(), "%s/%s", harness_dir(), name);
	assert(path != NULL);
	return path;
}

static void make_parents(char *path)
{
	for (char *slash = strchr(path + strlen(harness_dir()) + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		REQUIRE(mkdir(path, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
}

const char *harness_file(const char *name, const char *text)
{
	char *path = talloc_strdup(harness_ctx(), harness_path(name));
	make_parents(path);
	FILE *f = fopen(path, "we");
	REQUIRE(f != NULL);
	fputs(text, f);
	REQUIRE(fclose(f) == 0);
	return path;
}

const char *harness_read(const char *path)
{
	char *text = talloc_strdup(harness_ctx(), "");
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return text;
	char part[4096];
	size_t n;
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		text = talloc_strndup_append_buffer(text, part, n);
	fclose(f);
	return text;
}

static int remove_one(const char *path, const struct stat *st UNUSED, int kind UNUSED, struct FTW *ftw UNUSED)
{
	return remove(path);
}

void harness_files_end(void)
{
	if (test.dir != NULL)
		nftw(test.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	test.dir = NULL;
	talloc_free(test.ctx);
	test.ctx = NULL;
}

int64_t harness_deadline(int64_t timeout_us)
{
	return clock_system()->mono(clock_system()) + timeout_us;
}

bool harness_pause(int64_t deadline)
{
	poll(NULL, 0, 1);
	return clock_system()->mono(clock_system()) < deadline;
}

bool harness_wait(bool (*ready)(void *ctx), void *ctx, int64_t timeout_us)
{
	int64_t deadline = harness_deadline(timeout_us);
	while (!ready(ctx))
		if (!harness_pause(deadline))
			return ready(ctx);
	return true;
}
