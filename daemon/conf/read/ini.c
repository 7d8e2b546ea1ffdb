/* SPDX-License-Identifier: MIT */
#include "conf/read/ini.h"

#include "base/err.h"
#include "conf/read/file.h"
#include "conf/read/names.h"

#include <errno.h>
#include <fcntl.h>
#include <iniparser/iniparser.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <talloc.h>
#include <unistd.h>

/* iniparser searches its dictionary from the start for every key it adds. Cut at section headers into pieces of about
 * this many bytes, a file of any size loads in linear time; a header begins a new context for iniparser anyway. */
#define PIECE_SIZE ((size_t)16 * 1024)

struct ini {
	struct report *report;
	unsigned file;
	const char *bytes;
	size_t len;
	const struct scan *scan;
	int fd;
};

/* Errors of a file have been said by the scan, with line and column. */
static int quiet(const char *format UNUSED, ...)
{
	return 0;
}

static bool fail_at(const struct ini *ini, unsigned line, const char *section, const char *key, const char *text)
{
	struct report_at at = {.file = ini->file, .line = line, .section = section, .key = key};
	report_error(ini->report, &at, "%s", text);
	return false;
}

static bool write_piece(const struct ini *ini, size_t from, size_t to)
{
	if (ftruncate(ini->fd, 0) != 0)
		return false;
	while (from < to) {
		ssize_t n = pwrite(ini->fd, ini->bytes + from, to - from, lseek(ini->fd, 0, SEEK_END));
		if (n < 0 && errno != EINTR)
			return false;
		from += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* iniparser_load takes a path only. */
static dictionary *load_piece(const struct ini *ini, size_t from, size_t to)
{
	char path[40];
	if (!write_piece(ini, from, to))
		return NULL;
	snprintf(path, sizeof path, "/proc/self/fd/%d", ini->fd);
	iniparser_set_error_callback(quiet);
	dictionary *dict = iniparser_load(path);
	iniparser_set_error_callback(NULL);
	return dict;
}

/* The value under name. iniparser keeps the order of the file, so the n-th name is nearly always the one; the search is
 * linear. *found_r: false when the name is not there at all. */
static const char *value_of(const dictionary *dict, size_t n, const char *name, bool *found_r)
{
	*found_r = true;
	if (n < (size_t)dict->size && dict->key[n] != NULL && strcmp(dict->key[n], name) == 0)
		return dict->val[n];
	*found_r = iniparser_find_entry(dict, name) != 0;
	return iniparser_getstring(dict, name, NULL);
}

static bool compare_entry(const struct ini *ini, const dictionary *dict, size_t n, const struct scan_section *sec,
                          const struct scan_entry *entry)
{
	char name[2 * SCAN_LINE_MAX + 2];
	bool found;
	snprintf(name, sizeof name, "%s:%s", sec->name, entry->key);
	const char *theirs = value_of(dict, n, name, &found);
	if (!found)
		return fail_at(ini, entry->line, sec->name, entry->key,
		               "iniparser does not see this setting; write it in a plainer way");
	if (theirs == NULL || strcmp(theirs, entry->value) != 0)
		return fail_at(ini, entry->line, sec->name, entry->key,
		               "iniparser reads another value than is written here; wrap the value in '...' or \"...\"");
	return true;
}

/* Every section and every setting of the scan is in dict with the same value, and nothing else is. */
static bool compare_sections(const struct ini *ini, const dictionary *dict, size_t first, size_t end)
{
	size_t n = 0;
	bool same = true;
	for (size_t i = first; i < end; i++) {
		const struct scan_section *sec = &ini->scan->sections[i];
		bool found;
		value_of(dict, n++, sec->name, &found);
		if (!found)
			same = fail_at(ini, sec->line, sec->name, NULL, "iniparser does not see this section; choose another name");
		for (uint32_t j = sec->first; j < sec->first + sec->n; j++)
			same &= compare_entry(ini, dict, n++, sec, &ini->scan->entries[j]);
	}
	if (same && n != (size_t)dict->n)
		return fail_at(ini, ini->scan->sections[first].line, ini->scan->sections[first].name, NULL,
		               "iniparser sees more than is written from here on; write it in a plainer way");
	return same;
}

static bool check_piece(const struct ini *ini, size_t first, size_t end, size_t from, size_t to)
{
	const struct scan_section *sec = &ini->scan->sections[first];
	dictionary *dict = load_piece(ini, from, to);
	if (dict == NULL)
		return fail_at(ini, sec->line, sec->name, NULL, "iniparser refuses the file from here on");
	bool same = compare_sections(ini, dict, first, end);
	iniparser_freedict(dict);
	return same;
}

static bool check_pieces(const struct ini *ini)
{
	const struct scan *scan = ini->scan;
	size_t first = 0, from = 0;
	bool same = true;
	for (size_t i = 1; i <= scan->n_sections; i++) {
		size_t to = i < scan->n_sections ? scan->sections[i].offset : ini->len;
		if (i < scan->n_sections && to - from < PIECE_SIZE)
			continue;
		same &= check_piece(ini, first, i, from, to);
		first = i;
		from = to;
	}
	return same;
}

static bool check_duplicate_sections(struct report *report, unsigned file, const struct scan *scan)
{
	struct name_set *seen = names_new(NULL, scan->n_sections);
	bool good = true;
	for (uint32_t i = 0; i < scan->n_sections; i++) {
		uint32_t other;
		if (names_add(seen, scan->sections[i].name, i, &other))
			continue;
		struct report_at at = {.file = file, .line = scan->sections[i].line, .section = scan->sections[i].name};
		report_error(report, &at, "the section exists already (at line %u); put all settings into one",
		             scan->sections[other].line);
		good = false;
	}
	talloc_free(seen);
	return good;
}

bool ini_parse(void *mem_ctx, struct arena *arena, struct report *report, unsigned file, const char *bytes, size_t len,
               struct scan *out_r)
{
	bool good = scan_bytes(mem_ctx, arena, report, file, bytes, len, out_r);
	good &= check_duplicate_sections(report, file, out_r);
	if (!good || out_r->n_sections == 0)
		return good;
	struct ini ini = {.report = report, .file = file, .bytes = bytes, .len = len, .scan = out_r};
	if (access("/proc/self/fd", X_OK) != 0)
		return fail_at(&ini, 0, NULL, NULL, "file cannot be handed to iniparser (/proc is not mounted)");
	ini.fd = memfd_create("viewd-ini", MFD_CLOEXEC);
	if (ini.fd < 0)
		return fail_at(&ini, 0, NULL, NULL, "file cannot be handed to iniparser (memfd_create failed)");
	good = check_pieces(&ini);
	close(ini.fd);
	return good;
}

static bool unreadable(struct report *report, unsigned file, const struct report_at *named, struct viewd_err *err)
{
	if (named == NULL)
		report_err(report, &(struct report_at){.file = file}, err);
	else
		report_error(report, named, "%s: %s%s%s", report_file_name(report, file), err->msg,
		             err->hint[0] != '\0' ? "; " : "", err->hint);
	return false;
}

bool ini_read(void *mem_ctx, struct arena *arena, struct report *report, unsigned file, const struct report_at *named,
              struct scan *out_r)
{
	const struct file_rule rule = {.max_size = INI_SIZE_MAX};
	struct viewd_err err;
	char *bytes;
	size_t len;
	*out_r = (struct scan){0};
	if (!file_read(mem_ctx, AT_FDCWD, report_file_name(report, file), &rule, &bytes, &len, &err))
		return unreadable(report, file, named, &err);
	bool good = ini_parse(mem_ctx, arena, report, file, bytes, len, out_r);
	talloc_free(bytes);
	return good;
}
