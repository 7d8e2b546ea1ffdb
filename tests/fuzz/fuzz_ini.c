/* SPDX-License-Identifier: MIT
 *
 * fuzz_ini.c: any bytes as a configuration file: through scan and iniparser, and through a whole load.
 */
#include "conf/read/ini.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* iniparser_load reads the very bytes that the scan accepted: any difference is an error that names iniparser, and the
 * scan is there to make that impossible. */
static void check_problems(const struct conf_problems *problems)
{
	for (size_t i = 0; i < problems->n; i++) {
		require(strncmp(problems->items[i].text, "f.conf:", 7) == 0);
		/* names cannot hold the colon */
		require(strstr(problems->items[i].text, ": iniparser ") == NULL);
	}
}

static void fuzz_parse(const uint8_t *data, size_t size)
{
	void *ctx = talloc_new(NULL);
	struct report *report = report_new(ctx);
	unsigned file = report_file(report, "f.conf");
	struct conf_problems problems;
	struct scan scan;
	bool good = ini_parse(ctx, arena_new(ctx), report, file, (const char *)data, size, &scan);
	report_finish(report, ctx, &problems);
	require(good == (problems.n_errors == 0));
	check_problems(&problems);
	for (size_t i = 0; i < scan.n_sections; i++)
		require(scan.sections[i].first + scan.sections[i].n <= scan.n_entries);
	talloc_free(ctx);
}

/* Other files are not read: an input must not reach out of the fuzzer. */
static bool names_files(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 5 <= size; i++)
		if (strncasecmp((const char *)data + i, "inclu", 5) == 0 ||
		    strncasecmp((const char *)data + i, "_file", 5) == 0)
			return true;
	return false;
}

static void fuzz_load(const uint8_t *data, size_t size)
{
	char path[40];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	require(fd >= 0 && fchmod(fd, 0600) == 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	struct conf_problems problems;
	void *ctx = talloc_new(NULL);
	struct conf *conf = conf_load(ctx, path, NULL, &problems);
	require((conf == NULL) == (problems.n_errors > 0));
	conf_unref(&conf);
	talloc_free(ctx);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_parse(data, size);
	if (!names_files(data, size))
		fuzz_load(data, size);
	return 0;
}
