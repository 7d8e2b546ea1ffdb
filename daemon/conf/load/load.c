/* SPDX-License-Identifier: MIT */
#include "conf/load/load.h"
#include "base/err.h"
#include "base/nearest.h"
#include "conf/read/ini.h"
#include "conf/schema/schema.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#define FILES_MAX 10000

struct report_at load_at(const struct load_section *s, const struct scan_entry *entry)
{
	struct report_at at = {.file = s->file, .line = s->sec->line, .section = s->sec->name};
	if (entry != NULL) {
		at.line = entry->line;
		at.key = entry->key;
	}
	return at;
}

const struct scan_entry *load_entries(const struct load *load, const struct load_section *s)
{
	return s->sec->n > 0 ? load->files[s->file].scan.entries + s->sec->first : NULL;
}

/* The directory of path, absolute as far as that can be found out. */
static const char *directory_of(struct load *load, const char *path)
{
	char real[PATH_MAX];
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? talloc_strdup(load->tmp, ".")
	                          : talloc_strndup(load->tmp, path, slash == path ? 1 : (size_t)(slash - path));
	const char *found = realpath(dir, real) != NULL ? real : dir;
	const char *copy = arena_strdup(load->arena, found);
	talloc_free(dir);
	return copy;
}

/* named: the setting that names it; NULL for the main file. */
static void read_file(struct load *load, const char *path, const struct report_at *named)
{
	unsigned number = report_file(load->report, path);
	load->files = talloc_realloc(load->tmp, load->files, struct load_file, number + 1);
	assert(load->files != NULL);
	struct load_file *file = &load->files[number];
	*file = (struct load_file){.dir_fd = -1};
	ini_read(load->tmp, load->scratch, load->report, number, named, &file->scan);
	const char *dir = directory_of(load, path);
	/* files of one directory share its name */
	file->base_dir =
		number > 0 && strcmp(dir, load->files[number - 1].base_dir) == 0 ? load->files[number - 1].base_dir : dir;
}

static bool is_read(const struct load *load, const char *path)
{
	for (unsigned i = 0; i < report_n_files(load->report); i++)
		if (strcmp(report_file_name(load->report, i), path) == 0)
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

/* The pattern as glob(3) takes it: the directory's own bytes mean themselves. */
static char *full_pattern(struct load *load, const char *pattern)
{
	char *text = talloc_strdup(load->tmp, "");
	const char *main_file = report_file_name(load->report, 0);
	const char *slash = strrchr(main_file, '/');
	if (pattern[0] != '/' && slash != NULL)
		for (const char *p = main_file; p <= slash; p++)
			text = talloc_asprintf_append_buffer(text, strchr("*?[]\\", *p) != NULL ? "\\%c" : "%c", *p);
	return talloc_strdup_append_buffer(text, pattern);
}

static void include_matches(struct load *load, const glob_t *found, const struct report_at *at)
{
	qsort(found->gl_pathv, found->gl_pathc, sizeof *found->gl_pathv, by_name);
	for (size_t i = 0; i < found->gl_pathc; i++) {
		const char *path = found->gl_pathv[i];
		if (strcmp(path, report_file_name(load->report, 0)) == 0)
			report_error(load->report, at,
			             "the pattern matches this file itself; keep included files in a directory of their own");
		else if (report_n_files(load->report) >= FILES_MAX)
			report_error(load->report, at, "more than %d files", FILES_MAX);
		else if (!is_read(load, path))
			read_file(load, path, at);
	}
}

static void include_pattern(struct load *load, const char *pattern, const struct report_at *at)
{
	glob_t found;
	char *full = full_pattern(load, pattern);
	bool is_pattern = strpbrk(pattern, "*?[") != NULL;
	int rc = glob(full, GLOB_NOSORT | GLOB_ERR | (is_pattern ? 0 : GLOB_NOCHECK), NULL, &found);
	if (rc == 0)
		include_matches(load, &found, at);
	else if (rc == GLOB_NOMATCH || (rc == GLOB_ABORTED && errno == ENOENT))
		report_warning(load->report, at, "no file matches '%s'", pattern);
	else
		report_error(load->report, at, "'%s' cannot be searched (%s)", pattern,
		             rc == GLOB_NOSPACE ? "out of memory" : strerror(errno));
	if (rc == 0)
		globfree(&found);
	talloc_free(full);
}

static const struct scan_entry *find_entry(const struct load *load, const struct load_section *s, const char *key)
{
	const struct scan_entry *entries = load_entries(load, s);
	for (uint32_t i = 0; i < s->sec->n; i++)
		if (strcmp(entries[i].key, key) == 0)
			return &entries[i];
	return NULL;
}

/* The included files are needed before anything can be built; the row's own parser takes the list apart. */
static void read_includes(struct load *load)
{
	const struct scan *scan = &load->files[0].scan;
	size_t i = 0;
	while (i < scan->n_sections && strcmp(scan->sections[i].name, "viewd") != 0)
		i++;
	if (i == scan->n_sections)
		return;
	const struct load_section s = {.file = 0, .sec = &scan->sections[i]};
	const struct scan_entry *entry = find_entry(load, &s, "include");
	struct conf_daemon parsed = {0};
	struct viewd_err err;
	if (entry == NULL || !option_set(&schema_daemon.rows[schema_row(&schema_daemon, "include")], load->scratch, "",
	                                 &parsed, entry->value, &err))
		return; /* a wrong list is reported when the section is built */
	struct report_at at = load_at(&s, entry);
	for (size_t k = 0; k < parsed.include.n; k++)
		include_pattern(load, parsed.include.items[k], &at);
}

static void append(struct load *load, struct load_sections *list, const struct load_section *s)
{
	if (list->n % 256 == 0)
		list->items = talloc_realloc(load->tmp, list->items, struct load_section, list->n + 256);
	assert(list->items != NULL);
	list->items[list->n++] = *s;
}

static void bad_section(struct load *load, const struct load_section *s, const char *kind, bool named)
{
	static const char *const words[] = {"view", "database", "viewd", "view-defaults"};
	static const char *const forms[] = {"view NAME", "database NAME", "viewd", "view-defaults"};
	struct report_at at = load_at(s, NULL);
	size_t first = named ? 0 : 2;
	const char *near = nearest_word(words + first, 2, kind);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (near == words[i])
			near = forms[i];
	if (near != NULL)
		report_error(load->report, &at, "unknown section; did you mean [%s]", near);
	else
		report_error(load->report, &at,
		             "unknown section; write [viewd], [view-defaults], [database NAME] or [view NAME]");
}

/* "view orders" -> kind "view", name "orders". */
static void sort_section(struct load *load, struct load_section *s)
{
	const char *blank = strchr(s->sec->name, ' ');
	char *kind =
		talloc_strndup(load->tmp, s->sec->name, blank != NULL ? (size_t)(blank - s->sec->name) : strlen(s->sec->name));
	s->name = blank != NULL ? blank + 1 : "";
	bool named = blank != NULL && strchr(s->name, ' ') == NULL;
	if (named && strcmp(kind, "view") == 0)
		append(load, &load->views, s);
	else if (named && strcmp(kind, "database") == 0)
		append(load, &load->databases, s);
	else if (blank == NULL && strcmp(kind, "viewd") == 0)
		load->daemon = *s;
	else if (blank == NULL && strcmp(kind, "view-defaults") == 0)
		load->defaults = *s;
	else
		bad_section(load, s, kind, blank != NULL);
	talloc_free(kind);
}

/* The same section in two files; within one file ini.c has said it. */
static bool is_elsewhere(struct load *load, struct name_set *seen, const struct load_section *s)
{
	uint32_t other;
	if (names_add(seen, s->sec->name, s->file, &other))
		return false;
	if (other == s->file)
		return true;
	const struct scan *scan = &load->files[other].scan;
	size_t i = 0;
	while (strcmp(scan->sections[i].name, s->sec->name) != 0)
		i++;
	struct report_at at = load_at(s, NULL);
	const char *right = strcmp(s->sec->name, "viewd") == 0
	                        ? "it belongs into the main file, and included files cannot include others"
	                        : "keep one of them";
	report_error(load->report, &at, "the section exists already (%s:%u); %s", report_file_name(load->report, other),
	             scan->sections[i].line, right);
	return true;
}

static void sort_sections(struct load *load)
{
	struct name_set *seen = names_new(load->tmp, 64);
	for (unsigned f = 0; f < report_n_files(load->report); f++)
		for (size_t i = 0; i < load->files[f].scan.n_sections; i++) {
			struct load_section s = {.file = f, .sec = &load->files[f].scan.sections[i]};
			if (!is_elsewhere(load, seen, &s))
				sort_section(load, &s);
		}
}

static void keep_files(struct load *load)
{
	struct conf *conf = &load->box->conf;
	conf->n_files = report_n_files(load->report);
	const char **files = arena_array(load->arena, const char *, conf->n_files);
	for (unsigned i = 0; i < conf->n_files; i++)
		files[i] = arena_strdup(load->arena, report_file_name(load->report, i));
	conf->files = files;
	conf->main_file = files[0];
}

static void load_start(struct load *load, const struct conf_dialects *dialects)
{
	load->tmp = talloc_new(NULL);
	load->box = talloc_zero(NULL, struct conf_box);
	assert(load->tmp != NULL && load->box != NULL);
	load->box->refs = 1;
	load->scratch = arena_new(load->tmp);
	load->arena = load->box->arena = arena_new(load->box);
	load->report = report_new(load->tmp);
	load->dialects = dialects;
}

static struct conf *load_end(struct load *load, void *mem_ctx, struct conf_problems *problems)
{
	for (unsigned i = 0; i < report_n_files(load->report); i++)
		if (load->files[i].dir_fd >= 0)
			close(load->files[i].dir_fd);
	report_finish(load->report, mem_ctx, problems);
	struct conf *conf = &load->box->conf;
	if (problems->n_errors > 0)
		conf_unref(&conf);
	talloc_free(load->tmp);
	malloc_trim(0); /* the text of the files is as large as the snapshot */
	return conf;
}

struct conf *conf_load(void *mem_ctx, const char *path, const struct conf_dialects *dialects,
                       struct conf_problems *problems)
{
	struct load load = {0};
	load_start(&load, dialects);
	read_file(&load, path, NULL);
	read_includes(&load);
	sort_sections(&load);
	keep_files(&load);
	build_daemon(&load);
	build_databases(&load);
	build_views(&load);
	check_references(&load);
	return load_end(&load, mem_ctx, problems);
}

void conf_places(void *mem_ctx, const char *path, struct conf_places *out)
{
	struct load load = {0};
	struct conf_problems problems;
	load_start(&load, NULL);
	read_file(&load, path, NULL);
	sort_sections(&load);
	build_daemon(&load);
	const struct conf_daemon *daemon = &load.box->conf.daemon;
	out->control_socket = talloc_strdup(mem_ctx, daemon->control_socket);
	out->plugin_dir = talloc_strdup(mem_ctx, daemon->plugin_dir);
	assert(out->control_socket != NULL && out->plugin_dir != NULL);
	void *ignored = talloc_new(NULL);
	struct conf *conf = load_end(&load, ignored, &problems);
	conf_unref(&conf);
	talloc_free(ignored);
}
