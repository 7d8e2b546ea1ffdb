/* SPDX-License-Identifier: MIT */
#include "base/err.h"
#include "conf/load/load.h"
#include "conf/schema/schema.h"
#include "conf/snapshot/url.h"

#include <string.h>
#include <sys/stat.h>
#include <talloc.h>

static const struct conf_origin from_nowhere = {.file = CONF_FILE_DEFAULT};

static struct conf_origin *origins_new(struct load *load, size_t n)
{
	struct conf_origin *origins = arena_array(load->arena, struct conf_origin, n);
	for (size_t i = 0; i < n; i++)
		origins[i] = from_nowhere;
	return origins;
}

static struct conf_origin origin_of(const struct load_section *s, unsigned line)
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
	report_error(load->report, &at, "the value would be cut here; wrap it in '...' or \"...\" (a comment goes on a line of its own)");
	return false;
}

static void set_entry(struct load *load, const struct load_section *s, const struct option_row *row,
                      const struct scan_entry *entry, void *base, struct conf_origin *origin)
{
	struct viewd_err err = {0};
	/* Set even when the value is wrong: the key is not missing. */
	*origin = origin_of(s, entry->line);
	if (!check_comment(load, s, row, entry))
		return;
	if (option_set(row, load->arena, load->files[s->file].base_dir, base, entry->value, &err))
		return;
	struct report_at at = load_at(s, entry);
	report_err(load->report, &at, &err);
}

static void unknown_key(struct load *load, const struct load_section *s, const struct option_table *table, const char *near,
                        const struct scan_entry *entry)
{
	struct report_at at = load_at(s, entry);
	if (near == NULL)
		near = option_nearest(table, entry->key);
	if (near != NULL)
		report_error(load->report, &at, "unknown key; did you mean %s", near);
	else
		report_error(load->report, &at, "unknown key; see viewd.conf(5) for the keys of [%s]", table->section);
}

static void check_required(struct load *load, const struct load_section *s, const struct option_table *table,
                           const struct conf_origin *origins)
{
	struct report_at at = load_at(s, NULL);
	for (size_t i = 0; i < table->n; i++)
		if ((table->rows[i].flags & OPTION_REQUIRED) != 0 && origins[i].file == CONF_FILE_DEFAULT)
			report_error(load->report, &at, "%s is missing; add it (%s)", table->rows[i].key, table->rows[i].help);
}

void build_daemon(struct load *load)
{
	struct conf_daemon *daemon = &load->box->conf.daemon;
	struct conf_origin *origins = origins_new(load, schema_daemon.n);
	const struct load_section *s = &load->daemon;
	option_set_defaults(&schema_daemon, load->arena, daemon);
	daemon->origins = origins;
	if (s->sec == NULL)
		return;
	const struct scan_entry *entries = load_entries(load, s);
	for (uint32_t i = 0; i < s->sec->n; i++) {
		const struct option_row *row = option_find(&schema_daemon, entries[i].key);
		if (row == NULL)
			unknown_key(load, s, &schema_daemon, NULL, &entries[i]);
		else
			set_entry(load, s, row, &entries[i], daemon, &origins[row - schema_daemon.rows]);
	}
}

/* ---- databases ---- */

static struct load_dialect *ask_dialect(struct load *load, const char *name)
{
	for (size_t i = 0; i < load->n_known; i++)
		if (strcmp(load->known[i].name, name) == 0)
			return &load->known[i];
	load->known = talloc_realloc(load->tmp, load->known, struct load_dialect, load->n_known + 1);
	assert(load->known != NULL);
	struct load_dialect *d = &load->known[load->n_known++];
	*d = (struct load_dialect){.name = name, .available = true};
	if (load->dialects != NULL)
		d->available = load->dialects->find(load->dialects->ctx, name, load->box->conf.daemon.plugin_dir, &d->rows, &d->n, &d->err);
	return d;
}

static const struct viewd_dialect_option *dialect_row(const struct load_dialect *d, const char *key, size_t *i_r)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->rows[i].key, key) == 0) {
			*i_r = i;
			return &d->rows[i];
		}
	return NULL;
}

/* The URL first: it says which other keys there are. */
static const struct load_dialect *choose_dialect(struct load *load, const struct load_section *s, struct conf_database *db)
{
	const struct scan_entry *entries = load_entries(load, s), *entry = NULL;
	struct viewd_err err;
	for (uint32_t i = 0; i < s->sec->n; i++)
		if (strcmp(entries[i].key, "url") == 0)
			entry = &entries[i];
	if (entry == NULL || entry->value[0] == '\0')
		return NULL; /* reported by the row */
	struct report_at at = load_at(s, entry);
	if (!entry->quoted && strpbrk(entry->value, " \t") != NULL)
		report_error(load->report, &at, "a blank in the URL; write %%20, or wrap the URL in '...'");
	db->dialect = url_dialect(load->arena, entry->value, &err);
	if (db->dialect == NULL) {
		report_err(load->report, &at, &err);
		return NULL;
	}
	const struct load_dialect *d = ask_dialect(load, db->dialect);
	if (!d->available && load->dialects->may_be_absent)
		report_warning(load->report, &at, "%s; its views are FAILED until viewd is started with a usable plugin", d->err.msg);
	else if (!d->available)
		report_err(load->report, &at, &d->err);
	return d->available ? d : NULL;
}

/* The dialect's own keys as they are handed to it: set ones and those with a default. */
struct own_keys {
	const struct load_dialect *dialect; /* NULL: not known, every key may be right */
	struct viewd_kv *kv;
	size_t n;
	struct conf_origin *origins;
};

static void put_own(struct load *load, struct own_keys *own, const struct load_section *s, const char *key,
                    const struct scan_entry *entry)
{
	own->origins[own->n] = origin_of(s, entry->line);
	own->kv[own->n++] = (struct viewd_kv){.key = arena_strdup(load->arena, key), .value = arena_strdup(load->arena, entry->value)};
}

/* Who would know this key? Dialects that other sections use, and the rows that name their dialect. */
static const char *other_dialect(const struct load *load, const struct option_row *row, const char *key)
{
	size_t k;
	for (size_t i = 0; i < load->n_known; i++)
		if (dialect_row(&load->known[i], key, &k) != NULL)
			return load->known[i].name;
	return row != NULL ? row->dialect : NULL;
}

static const char *nearest_own(const struct load_dialect *d, const char *key)
{
	const char *words[64];
	size_t n = 0;
	for (size_t i = 0; i < d->n && n < ARRAY_LEN(words); i++)
		words[n++] = d->rows[i].key;
	return option_nearest_word(words, n, key);
}

static void foreign_key(struct load *load, const struct load_section *s, const struct own_keys *own,
                        const struct option_row *row, const struct scan_entry *entry)
{
	struct report_at at = load_at(s, entry);
	const char *other = other_dialect(load, row, entry->key);
	if (other != NULL)
		report_error(load->report, &at, "the key belongs to dialect %s, the URL of this section says %s; remove it", other,
		             own->dialect->name);
	else
		unknown_key(load, s, &schema_database, nearest_own(own->dialect, entry->key), entry);
}

static void database_entry(struct load *load, const struct load_section *s, const struct scan_entry *entry,
                           struct conf_database *db, struct conf_origin *origins, struct own_keys *own)
{
	const struct option_row *row = option_find(&schema_database, entry->key);
	size_t k;
	bool common = row != NULL && row->type != OPTION_DIALECT;
	if (common)
		set_entry(load, s, row, entry, db, &origins[row - schema_database.rows]);
	else if (own->dialect == NULL && (row != NULL || option_nearest(&schema_database, entry->key) == NULL))
		return; /* a key of the dialect that is not available, perhaps */
	else if (own->dialect == NULL)
		unknown_key(load, s, &schema_database, NULL, entry);
	else if (dialect_row(own->dialect, entry->key, &k) != NULL ||
	         (row != NULL && strcmp(row->dialect, own->dialect->name) == 0))
		put_own(load, own, s, entry->key, entry);
	else
		foreign_key(load, s, own, row, entry);
}

static void own_defaults(struct own_keys *own)
{
	for (size_t i = 0; own->dialect != NULL && i < own->dialect->n; i++) {
		const struct viewd_dialect_option *row = &own->dialect->rows[i];
		bool set = row->default_value == NULL;
		for (size_t k = 0; k < own->n; k++)
			set |= strcmp(own->kv[k].key, row->key) == 0;
		if (!set)
			own->kv[own->n++] = (struct viewd_kv){.key = row->key, .value = row->default_value};
	}
}

static bool readable_by_all(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && (st.st_mode & S_IROTH) != 0;
}

static void check_database(struct load *load, const struct load_section *s, const struct conf_database *db)
{
	struct report_at at = load_at(s, NULL);
	if (db->password_file != NULL && db->password_credential != NULL)
		report_error(load->report, &at, "password_file and password_credential are both set; keep one of them");
	if (db->password_credential != NULL && (strchr(db->password_credential, '/') != NULL || db->password_credential[0] == '.'))
		report_error(load->report, &at, "password_credential is a path; write the credential's name only");
	if (db->url != NULL && url_has_password(db->url) && readable_by_all(report_file_name(load->report, s->file)))
		report_warning(load->report, &at, "the URL holds a password and everybody can read this file; use password_file");
}

static void build_database(struct load *load, const struct load_section *s, struct conf_database *db)
{
	option_set_defaults(&schema_database, load->arena, db);
	db->name = arena_strdup(load->arena, s->name);
	db->base_dir = load->files[s->file].base_dir;
	db->where = origin_of(s, s->sec->line);
	struct own_keys own = {.dialect = choose_dialect(load, s, db)};
	size_t most = s->sec->n + (own.dialect != NULL ? own.dialect->n : 0);
	struct conf_origin *origins = origins_new(load, schema_database.n + most);
	own.kv = arena_array(load->arena, struct viewd_kv, most);
	own.origins = origins + schema_database.n;
	const struct scan_entry *entries = load_entries(load, s);
	for (uint32_t i = 0; i < s->sec->n; i++)
		database_entry(load, s, &entries[i], db, origins, &own);
	own_defaults(&own);
	db->options = own.kv;
	db->n_options = own.n;
	db->origins = origins;
	check_required(load, s, &schema_database, origins);
	check_database(load, s, db);
}

void build_databases(struct load *load)
{
	struct conf *conf = &load->box->conf;
	struct conf_database *databases = arena_array(load->arena, struct conf_database, load->databases.n);
	load->box->databases = names_new(load->box, load->databases.n);
	for (size_t i = 0; i < load->databases.n; i++) {
		build_database(load, &load->databases.items[i], &databases[i]);
		names_add(load->box->databases, databases[i].name, (uint32_t)i, NULL);
	}
	conf->databases = databases;
	conf->n_databases = load->databases.n;
}

/* ---- views ---- */

static void view_entry(struct load *load, const struct load_section *s, const struct scan_entry *entry, bool defaults,
                       struct conf_view *view, struct conf_origin *origins)
{
	const struct option_row *row = option_find(&schema_view, entry->key);
	struct report_at at = load_at(s, entry);
	if (row == NULL)
		unknown_key(load, s, &schema_view, NULL, entry);
	else if (defaults && (row->flags & OPTION_OWN) != 0)
		report_error(load->report, &at, "the key cannot be a default for all views; write it in a [view NAME] section");
	else
		set_entry(load, s, row, entry, view, &origins[row - schema_view.rows]);
}

/* Every view starts as a copy of the defaults: what it does not set itself is shared. */
static void build_view(struct load *load, const struct load_section *s, const struct conf_view *base, bool defaults,
                       struct conf_view *view)
{
	struct conf_origin *origins;
	*view = *base;
	view->name = arena_strdup(load->arena, s->name);
	view->where = origin_of(s, s->sec->line);
	define_view(load, s, base, view, &origins);
	memcpy(origins, base->origins, schema_view.n * sizeof *origins);
	const struct scan_entry *entries = load_entries(load, s);
	for (uint32_t i = 0; i < s->sec->n; i++)
		view_entry(load, s, &entries[i], defaults, view, origins);
	view->origins = origins;
	if (!defaults)
		check_required(load, s, &schema_view, origins);
}

/* The view that all others start from: the rows' defaults, then [view-defaults]. */
static void build_defaults(struct load *load, struct conf_view *view)
{
	struct conf_view rows = {.name = ""};
	option_set_defaults(&schema_view, load->arena, &rows);
	rows.origins = origins_new(load, schema_view.n);
	if (load->defaults.sec == NULL) {
		*view = rows;
		return;
	}
	build_view(load, &load->defaults, &rows, true, view);
	size_t n = schema_view.n + view->n_definitions + view->n_indexes;
	struct conf_origin *origins = arena_memdup(load->arena, view->origins, n * sizeof *origins);
	for (size_t i = 0; i < n; i++)
		origins[i].from_defaults = origins[i].file != CONF_FILE_DEFAULT;
	view->origins = origins;
}

void build_views(struct load *load)
{
	struct conf *conf = &load->box->conf;
	struct conf_view *views = arena_array(load->arena, struct conf_view, load->views.n), base;
	build_defaults(load, &base);
	load->box->views = names_new(load->box, load->views.n);
	for (size_t i = 0; i < load->views.n; i++) {
		build_view(load, &load->views.items[i], &base, false, &views[i]);
		names_add(load->box->views, views[i].name, (uint32_t)i, NULL);
	}
	conf->views = views;
	conf->n_views = load->views.n;
	if (load->views.n == 0 && report_n_errors(load->report) == 0)
		report_warning(load->report, &(struct report_at){.file = 0}, "there is no [view NAME] section; nothing to do");
}
