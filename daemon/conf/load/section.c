/* SPDX-License-Identifier: MIT */
#include "conf/load/section.h"

#include "base/command.h"
#include "base/err.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

static const struct conf_origin from_nowhere = {.file = CONF_FILE_DEFAULT};

struct conf_origin *section_origins(struct load *load, size_t n)
{
	struct conf_origin *origins = arena_array(load->arena, struct conf_origin, n);
	for (size_t i = 0; i < n; i++)
		origins[i] = from_nowhere;
	return origins;
}

struct conf_origin section_origin(const struct load_section *s, unsigned line)
{
	return (struct conf_origin){.file = (uint16_t)s->file, .line = line};
}

/* A part of the value behind ';' or '#' is a comment for most keys; for text it could be a part of the text. */
static bool check_comment(struct load *load, const struct load_section *s, const struct option_row *row,
                          const struct scan_entry *entry)
{
	if (entry->comment_column == 0 || (row->flags & OPTION_FREE_TEXT) == 0)
		return true;
	struct report_at at = load_at(s, entry);
	at.column = entry->comment_column;
	report_error(load->report, &at,
	             "the value would be cut here; wrap it in '...' or \"...\" (a comment goes on a line of its own)");
	return false;
}

/* Why nobody can run the file, as an errno; 0: somebody can, or this user cannot see it. */
static int program_failure(const char *path)
{
	struct stat st;
	if (stat(path, &st) != 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? errno : 0;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	return S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0 ? 0 : EACCES;
}

/* No error where the files are put in force: views must not stand still because the program that would tell of their
 * failures is away. */
static void check_program(struct load *load, const struct load_section *s, const struct option_row *row,
                          const struct scan_entry *entry)
{
	struct viewd_err err;
	char **words =
		row->type == OPTION_COMMAND && entry->value[0] != '\0' ? command_words(load->tmp, entry->value, &err) : NULL;
	if (words == NULL)
		return;
	struct report_at at = load_at(s, entry);
	int failure = program_failure(words[0]);
	if (failure != 0)
		report_machine(load->report, &at, "%s cannot be run (%s)", words[0], strerror(failure));
	else if (access(words[0], X_OK) != 0)
		report_warning(load->report, &at, "%s cannot be run by the user who checks (%s)", words[0], strerror(errno));
	talloc_free(words);
}

void section_set(struct load *load, const struct load_section *s, const struct option_row *row,
                 const struct scan_entry *entry, void *base, struct conf_origin *origin)
{
	struct viewd_err err = {0};
	/* Set even when the value is wrong: the key is not missing. */
	*origin = section_origin(s, entry->line);
	if (!check_comment(load, s, row, entry))
		return;
	if (option_set(row, load->arena, load->files[s->file].base_dir, base, entry->value, &err)) {
		check_program(load, s, row, entry);
		return;
	}
	struct report_at at = load_at(s, entry);
	report_err(load->report, &at, &err);
}

void section_unknown_key(struct load *load, const struct load_section *s, const struct option_table *table,
                         const char *near, const struct scan_entry *entry)
{
	struct report_at at = load_at(s, entry);
	if (near == NULL)
		near = option_nearest(table, entry->key);
	if (near != NULL)
		report_error(load->report, &at, "unknown key; did you mean %s", near);
	else
		report_error(load->report, &at, "unknown key; see viewd.conf(5) for the keys of [%s]", table->section);
}

void section_check_required(struct load *load, const struct load_section *s, const struct option_table *table,
                            const struct conf_origin *origins)
{
	struct report_at at = load_at(s, NULL);
	for (size_t i = 0; i < table->n; i++)
		if ((table->rows[i].flags & OPTION_REQUIRED) != 0 && origins[i].file == CONF_FILE_DEFAULT)
			report_error(load->report, &at, "%s is missing; add it (%s)", table->rows[i].key, table->rows[i].help);
}
