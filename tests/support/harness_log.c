/* SPDX-License-Identifier: MIT
 *
 * harness_log.c: the log of one test, and what it was expected to be.
 */
#include "base/log.h"
#include "support/harness.h"
#include "support/harness_private.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <talloc.h>

#define MAX_EXPECTED 16

struct line {
	enum viewd_log_level level;
	char *text;
};

static struct {
	atomic_flag busy; /* lines come from any thread */
	struct line *lines;
	size_t n;
	const char *expected[MAX_EXPECTED];
	size_t n_expected;
} seen = {.busy = ATOMIC_FLAG_INIT};

static void lock(void)
{
	while (atomic_flag_test_and_set_explicit(&seen.busy, memory_order_acquire))
		;
}

static void unlock(void)
{
	atomic_flag_clear_explicit(&seen.busy, memory_order_release);
}

static void record(void *ctx UNUSED, enum viewd_log_level level, const char *text)
{
	lock();
	seen.lines = realloc(seen.lines, (seen.n + 1) * sizeof *seen.lines);
	char *copy = strdup(text);
	assert(seen.lines != NULL && copy != NULL);
	seen.lines[seen.n++] = (struct line){level, copy};
	unlock();
}

void harness_log_begin(void)
{
	seen.n_expected = 0;
	log_set_level(VIEWD_LOG_DEBUG);
	log_set_sink(record, NULL);
}

void expect_log(const char *part)
{
	assert(seen.n_expected < MAX_EXPECTED);
	seen.expected[seen.n_expected++] = part;
}

size_t harness_log_count(const char *part)
{
	size_t count = 0;
	lock();
	for (size_t i = 0; i < seen.n; i++)
		count += strstr(seen.lines[i].text, part) != NULL;
	unlock();
	return count;
}

static bool is_expected(const struct line *line)
{
	for (size_t i = 0; i < seen.n_expected; i++)
		if (strstr(line->text, seen.expected[i]) != NULL)
			return true;
	return false;
}

static bool was_logged(const char *part)
{
	for (size_t i = 0; i < seen.n; i++)
		if (seen.lines[i].level <= VIEWD_LOG_WARNING && strstr(seen.lines[i].text, part) != NULL)
			return true;
	return false;
}

void harness_log_end(bool skipped)
{
	log_set_sink(NULL, NULL);
	lock();
	for (size_t i = 0; i < seen.n; i++)
		if (seen.lines[i].level <= VIEWD_LOG_WARNING)
			harness_check(is_expected(&seen.lines[i]), "log", 0, "undeclared line: %s", seen.lines[i].text);
	for (size_t i = 0; i < seen.n_expected && !skipped; i++)
		harness_check(was_logged(seen.expected[i]), "log", 0, "declared line did not come: %s", seen.expected[i]);
	for (size_t i = 0; i < seen.n; i++)
		free(seen.lines[i].text);
	free(seen.lines);
	seen.lines = NULL;
	seen.n = 0;
	unlock();
}
