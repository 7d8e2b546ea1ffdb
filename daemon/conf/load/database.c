/* SPDX-License-Identifier: MIT */
#include "base/err.h"
#include "conf/load/dialect.h"
#include "conf/load/section.h"
#include "conf/schema/schema.h"
#include "conf/snapshot/url.h"

#include <string.h>
#include <sys/stat.h>

/* The URL first: it says which other keys there are. */
static const struct load_dialect *choose_dialect(struct load *load, const struct load_section *s,
                                                 struct conf_database *db)
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
	const char *scheme = url_scheme(load->arena, entry->value, &err);
	db->dialect = scheme;
	if (scheme == NULL) {
		report_error(load->report, &at, "%s; write %s", err.msg, dialect_url_forms(load));
		return NULL;
	}
	const struct load_dialect *d = dialect_ask(load, scheme);
	db->dialect = d->is.name;
	if (!d->available && load->dialects->may_be_absent)
		report_warning(load->report, &at, "%s; its views are FAILED until viewd is started with a usable plugin",
		               d->err.msg);
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
	own->origins[own->n] = section_origin(s, entry->line);
	own->kv[own->n++] =
		(struct viewd_kv){.key = arena_strdup(load->arena, key), .value = arena_strdup(load->arena, entry->value)};
}

static void foreign_key(struct load *load, const struct load_section *s, const struct load_dialect *dialect,
                        const char *near, const struct scan_entry *entry)
{
	struct report_at at = load_at(s, entry);
	const char *other = dialect_with_key(load, entry->key);
	if (other != NULL)
		report_error(load->report, &at, "the key belongs to dialect %s, the URL of this section says %s; remove it",
		             other, dialect->is.name);
	else
		section_unknown_key(load, s, &schema_database, near, entry);
}

static void database_entry(struct load *load, const struct load_section *s, const struct scan_entry *entry,
                           struct conf_database *db, struct conf_origin *origins, struct own_keys *own)
{
	const struct option_row *row = option_find(&schema_database, entry->key);
	const char *near = NULL;
	if (row != NULL)
		section_set(load, s, row, entry, db, &origins[row - schema_database.rows]);
	else if (own->dialect == NULL && option_nearest(&schema_database, entry->key) == NULL)
		return; /* a key of the dialect that is not available, perhaps */
	else if (own->dialect == NULL)
		section_unknown_key(load, s, &schema_database, NULL, entry);
	else if (dialect_key(&own->dialect->is, entry->key, &near) != NULL)
		put_own(load, own, s, entry->key, entry);
	else
		foreign_key(load, s, own->dialect, near, entry);
}

static void own_defaults(struct own_keys *own)
{
	for (size_t i = 0; own->dialect != NULL && i < own->dialect->is.n_options; i++) {
		const struct viewd_dialect_option *row = &own->dialect->is.options[i];
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
	if (db->password_credential != NULL &&
	    (strchr(db->password_credential, '/') != NULL || db->password_credential[0] == '.'))
		report_error(load->report, &at, "password_credential is a path; write the credential's name only");
	if (db->url != NULL && url_has_password(db->url) && readable_by_all(report_file_name(load->report, s->file)))
		report_warning(load->report, &at,
		               "the URL holds a password and everybody can read this file; use password_file");
}

static void build_database(struct load *load, const struct load_section *s, struct conf_database *db)
{
	option_set_defaults(&schema_database, load->arena, db);
	db->name = arena_strdup(load->arena, s->name);
	db->base_dir = load->files[s->file].base_dir;
	db->where = section_origin(s, s->sec->line);
	struct own_keys own = {.dialect = choose_dialect(load, s, db)};
	size_t most = s->sec->n + (own.dialect != NULL ? own.dialect->is.n_options : 0);
	struct conf_origin *origins = section_origins(load, schema_database.n + most);
	own.kv = arena_array(load->arena, struct viewd_kv, most);
	own.origins = origins + schema_database.n;
	const struct scan_entry *entries = load_entries(load, s);
	for (uint32_t i = 0; i < s->sec->n; i++)
		database_entry(load, s, &entries[i], db, origins, &own);
	own_defaults(&own);
	db->options = own.kv;
	db->n_options = own.n;
	db->origins = origins;
	section_check_required(load, s, &schema_database, origins);
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
