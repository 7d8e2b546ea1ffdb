/* SPDX-License-Identifier: MIT
 *
 * define.c: definition, definition_DIALECT, definition_file, definition_file_DIALECT and index_NAME.
 */
#include "base/err.h"
#include "base/utf8.h"
#include "conf/load/load.h"
#include "conf/read/file.h"
#include "conf/schema/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <talloc.h>

#define DEFINITION_SIZE_MAX ((size_t)1024 * 1024)

/* Settings that are being collected for one view. */
struct define {
	struct load *load;
	const struct load_section *s;
	struct conf_definition *definitions;
	struct conf_origin *definition_origins;
	size_t n_definitions;
	struct viewd_index *indexes;
	struct conf_origin *index_origins;
	size_t n_indexes;
};

static bool fail_at(const struct define *d, const struct scan_entry *entry, const char *text)
{
	struct report_at at = load_at(d->s, entry);
	report_error(d->load->report, &at, "%s", text);
	return false;
}

static int directory_fd(struct load_file *file)
{
	if (file->dir_fd < 0)
		file->dir_fd = open(file->base_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return file->dir_fd;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The query without the white space around it; NULL when nothing is left. */
static const char *trimmed(struct arena *arena, const char *text, size_t len)
{
	while (len > 0 && is_space(text[len - 1]))
		len--;
	while (len > 0 && is_space(text[0])) {
		text++;
		len--;
	}
	return len > 0 ? arena_strndup(arena, text, len) : NULL;
}

static bool check_text(const char *text, size_t len, struct viewd_err *err)
{
	size_t at;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		return err_set(err, VIEWD_ERR_CONFIG, "file begins with a byte order mark");
	if (utf8_valid_bytes(text, len, &at))
		return true;
	size_t line = 1;
	for (size_t i = 0; i < at; i++)
		line += text[i] == '\n';
	return err_set(err, VIEWD_ERR_CONFIG, text[at] == '\0' ? "line %zu holds a NUL byte" : "line %zu is not UTF-8",
	               line);
}

static bool read_definition(const struct define *d, const struct scan_entry *entry, const char **text_r)
{
	const struct file_rule rule = {.min_size = 1, .max_size = DEFINITION_SIZE_MAX, .owned = true, .nofollow = true};
	struct load_file *file = &d->load->files[d->s->file];
	struct report_at at = load_at(d->s, entry);
	struct viewd_err err = {0};
	char *text;
	size_t len;
	if (!file_read(d->load->tmp, directory_fd(file), entry->value, &rule, &text, &len, &err)) {
		err_wrap(&err, "'%s'", entry->value);
		report_err(d->load->report, &at, &err);
		return false;
	}
	bool good = check_text(text, len, &err);
	if (good)
		*text_r = trimmed(d->load->arena, text, len);
	if (good && *text_r == NULL)
		good = err_set(&err, VIEWD_ERR_CONFIG, "file holds white space only");
	if (!good) {
		err_wrap(&err, "'%s'", entry->value);
		report_err(d->load->report, &at, &err);
	}
	talloc_free(text);
	return good;
}

static bool same_dialect(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* definition and definition_file say the same thing twice. */
static bool check_twice(const struct define *d, const struct scan_entry *entry, const char *dialect)
{
	for (size_t i = 0; i < d->n_definitions; i++) {
		if (!same_dialect(d->definitions[i].dialect, dialect))
			continue;
		struct report_at at = load_at(d->s, entry);
		report_error(d->load->report, &at, "there is a definition%s%s already (line %u); keep the query or the file",
		             dialect != NULL ? " for " : "", dialect != NULL ? dialect : "", d->definition_origins[i].line);
		return false;
	}
	return true;
}

/* "definition_file_sqlite" -> sqlite, in a file. */
static const char *dialect_part(const char *key, bool *file_r)
{
	const char *rest = key + strlen("definition");
	*file_r = strcmp(rest, "_file") == 0 || strncmp(rest, "_file_", 6) == 0;
	if (*file_r)
		rest += strlen("_file");
	return rest[0] == '_' ? rest + 1 : NULL;
}

static void add_definition(struct define *d, const struct scan_entry *entry)
{
	bool from_file;
	struct arena *arena = d->load->arena;
	const char *dialect = dialect_part(entry->key, &from_file), *text = NULL;
	if (entry->value[0] == '\0' || !check_twice(d, entry, dialect))
		return; /* an empty value is reported by its row */
	if (from_file ? !read_definition(d, entry, &text)
	              : (text = trimmed(arena, entry->value, strlen(entry->value))) == NULL)
		text = "";
	d->definition_origins[d->n_definitions] = (struct conf_origin){.file = (uint16_t)d->s->file, .line = entry->line};
	d->definitions[d->n_definitions++] = (struct conf_definition){
		.dialect = dialect != NULL ? arena_strdup(arena, dialect) : NULL,
		.text = text,
		.file = from_file ? arena_strdup(arena, entry->value) : NULL,
	};
}

/* Own indexes replace inherited ones of the same name. */
static void put_index(struct define *d, const struct viewd_index *index, struct conf_origin origin)
{
	size_t i = 0;
	while (i < d->n_indexes && strcmp(d->indexes[i].name, index->name) != 0)
		i++;
	d->indexes[i] = *index;
	d->index_origins[i] = origin;
	d->n_indexes += i == d->n_indexes;
}

static void add_index(struct define *d, const struct scan_entry *entry)
{
	if (entry->value[0] == '\0')
		return; /* reported by its row */
	if (strchr(entry->value, '(') == NULL)
		fail_at(d, entry, "an index without its columns; write (column, ...) or UNIQUE (column, ...)");
	struct viewd_index index = {.name = arena_strdup(d->load->arena, entry->key + strlen("index_")),
	                            .text = arena_strdup(d->load->arena, entry->value)};
	put_index(d, &index, (struct conf_origin){.file = (uint16_t)d->s->file, .line = entry->line});
}

static enum option_type type_of(const struct scan_entry *entry)
{
	const struct option_row *row = option_find(&schema_view, entry->key);
	return row != NULL ? row->type : OPTION_TYPE_COUNT;
}

static void count_kinds(const struct scan_entry *entries, size_t n, size_t *definitions_r, size_t *indexes_r)
{
	for (size_t i = 0; i < n; i++) {
		enum option_type type = type_of(&entries[i]);
		*definitions_r += type == OPTION_DEFINITION;
		*indexes_r += type == OPTION_INDEX;
	}
}

void define_view(struct load *load, const struct load_section *s, const struct conf_view *inherited,
                 struct conf_view *view, struct conf_origin **origins_r, size_t *n_r)
{
	const struct scan_entry *entries = load_entries(load, s);
	size_t n_definitions = 0, n_indexes = inherited->n_indexes;
	count_kinds(entries, s->sec->n, &n_definitions, &n_indexes);
	size_t n = schema_view.n + n_definitions + n_indexes;
	struct conf_origin *origins = talloc_array(load->tmp, struct conf_origin, (unsigned)n);
	assert(origins != NULL);
	for (size_t i = 0; i < n; i++)
		origins[i] = (struct conf_origin){.file = CONF_FILE_DEFAULT};
	struct conf_origin *index_origins = arena_array(load->scratch, struct conf_origin, n_indexes);
	struct define d = {
		.load = load, .s = s, .definition_origins = origins + schema_view.n, .index_origins = index_origins};
	d.definitions = arena_array(load->arena, struct conf_definition, n_definitions);
	d.indexes = arena_array(load->arena, struct viewd_index, n_indexes);
	for (size_t i = 0; i < inherited->n_indexes; i++)
		put_index(&d, &inherited->indexes[i],
		          conf_origin_of(inherited->origins, schema_view.n + inherited->n_definitions + i));
	for (uint32_t i = 0; i < s->sec->n; i++)
		if (type_of(&entries[i]) == OPTION_DEFINITION)
			add_definition(&d, &entries[i]);
		else if (type_of(&entries[i]) == OPTION_INDEX)
			add_index(&d, &entries[i]);
	memcpy(origins + schema_view.n + d.n_definitions, index_origins, d.n_indexes * sizeof *origins);
	view->definitions = d.definitions;
	view->n_definitions = d.n_definitions;
	view->indexes = d.indexes;
	view->n_indexes = d.n_indexes;
	*origins_r = origins;
	*n_r = schema_view.n + d.n_definitions + d.n_indexes;
}
