/* SPDX-License-Identifier: MIT
 *
 * offline.c: asks dialects about databases and views without connecting.
 */
#include "core/offline/offline.h"

#include "base/err.h"
#include "conf/schema/schema.h"
#include "conf/snapshot/view_name.h"
#include "core/model/model.h"
#include "core/plan/capturable.h"
#include "core/plan/groupable.h"
#include "plugin/loader.h"

#include <string.h>
#include <talloc.h>

static struct conf_dialect as_conf(const struct viewd_dialect *d)
{
	return (struct conf_dialect){
		.name = d->name,
		.schemes = d->schemes,
		.url_form = d->url_form,
		.options = d->options,
		.n_options = d->n_options,
	};
}

static bool find_dialect(void *ctx, const char *word, const char *plugin_dir, struct conf_dialect *out,
                         struct viewd_err *err)
{
	const struct viewd_dialect *d = registry_open(ctx, plugin_dir, word, err);
	if (d != NULL)
		*out = as_conf(d);
	return d != NULL;
}

struct listing {
	void (*fn)(void *ctx, const struct conf_dialect *dialect);
	void *ctx;
};

static bool list_one(void *ctx, const char *name, const struct viewd_dialect *d, const struct viewd_err *why_not UNUSED)
{
	const struct listing *l = ctx;
	struct conf_dialect dialect = d != NULL ? as_conf(d) : (struct conf_dialect){.name = name};
	l->fn(l->ctx, &dialect);
	return true;
}

static void list_dialects(void *ctx, const char *plugin_dir,
                          void (*fn)(void *fn_ctx, const struct conf_dialect *dialect), void *fn_ctx)
{
	registry_each(ctx, plugin_dir, list_one, &(struct listing){.fn = fn, .ctx = fn_ctx});
}

struct conf_dialects offline_dialects(struct registry *registry)
{
	return (struct conf_dialects){.find = find_dialect, .list = list_dialects, .ctx = registry};
}

/* ---- checking -------------------------------------------------------------------------------------------------- */

struct checker {
	void *mem_ctx;
	const struct conf *conf;
	struct registry *registry;
	bool may_be_absent;
	struct conf_problem *items;
	size_t n;
	size_t n_errors;
};

static const char *origin_file(const struct conf *conf, struct conf_origin where)
{
	return where.file < conf->n_files ? conf->files[where.file] : conf->main_file;
}

static void add_problem(struct checker *c, struct conf_origin where, const char *section, const struct viewd_err *err)
{
	c->items = talloc_realloc(c->mem_ctx, c->items, struct conf_problem, c->n + 1);
	assert(c->items != NULL);
	char *text = talloc_asprintf(c->mem_ctx, "%s:%u: [%s] %s%s%s", origin_file(c->conf, where), where.line, section,
	                             err->msg, err->hint[0] != '\0' ? "; " : "", err->hint);
	assert(text != NULL);
	err_redact(text);
	c->items[c->n++] = (struct conf_problem){.text = text};
	c->n_errors++;
}

static void check_one_database(struct checker *c, const struct conf_database *db)
{
	struct viewd_err err = {0};
	struct viewd_database_spec spec;
	conf_database_spec(db, &spec);
	const struct viewd_dialect *dialect = registry_open(c->registry, c->conf->daemon.plugin_dir, db->dialect, &err);
	if (dialect == NULL ? c->may_be_absent : dialect->check_database(&spec, &err))
		return;
	char *section = talloc_asprintf(c->mem_ctx, "database %s", db->name);
	add_problem(c, db->where, section, &err);
	talloc_free(section);
}

static bool no_definition(const struct conf_view *view, const char *dialect, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "view '%s' has no definition for %s", view->name, dialect);
	return err_hint(err, "give definition, definition_file or definition_%s", dialect);
}

static bool ignore_mention(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static bool ask_dialect(const struct viewd_dialect *dialect, const struct viewd_database_spec *db,
                        const struct conf_view *view, struct viewd_resolved *resolved, struct viewd_err *err)
{
	if (conf_definition_for(view, dialect->name) == NULL)
		return no_definition(view, dialect->name, err);
	struct viewd_view_spec spec;
	conf_view_spec(view, dialect->name, &spec);
	return dialect->check_view(db, &spec, resolved, (struct viewd_text_sink){.fn = ignore_mention}, err);
}

static bool method_of(const struct conf *conf, const struct viewd_dialect *dialect, const struct conf_view *view,
                      const char *database, enum viewd_method *method_r)
{
	struct viewd_err err;
	struct viewd_database_spec spec;
	struct viewd_resolved resolved;
	const struct conf_database *db = conf_find_database(conf, database);
	if (db == NULL)
		return false;
	conf_database_spec(db, &spec);
	if (!ask_dialect(dialect, &spec, view, &resolved, &err))
		return false;
	*method_r = resolved.method;
	return true;
}

bool offline_method_changes(const struct conf *old, const struct conf *new, struct registry *registry, const char *view,
                            enum viewd_method *from, enum viewd_method *to)
{
	const struct conf_view *before = old != NULL ? conf_find_view(old, view) : NULL, *now = conf_find_view(new, view);
	for (size_t i = 0; before != NULL && now != NULL && i < now->database.n; i++) {
		const struct conf_database *db = conf_find_database(new, now->database.items[i]);
		const struct viewd_dialect *dialect = db != NULL ? registry_find(registry, db->dialect) : NULL;
		if (dialect != NULL && method_of(old, dialect, before, now->database.items[i], from) &&
		    method_of(new, dialect, now, now->database.items[i], to) && *from != *to)
			return true;
	}
	return false;
}

/* Where the key is set; the section's header when it is not. */
static struct conf_origin key_origin(const struct conf_view *view, const char *key)
{
	struct conf_origin origin = conf_origin_of(view->origins, schema_row(&schema_view, key));
	return origin.file != CONF_FILE_DEFAULT ? origin : view->where;
}

/* A dialect that cannot be opened was reported with its database. */
static void check_one_view(struct checker *c, const struct conf_view *view, const struct conf_database *db)
{
	struct viewd_err err = {0};
	const struct viewd_dialect *dialect = registry_find(c->registry, db->dialect);
	if (dialect == NULL)
		return;
	struct viewd_database_spec spec;
	struct viewd_resolved resolved = {.method = VIEWD_METHOD_SIMPLE};
	struct conf_origin where = view->where;
	conf_database_spec(db, &spec);
	if (ask_dialect(dialect, &spec, view, &resolved, &err)) {
		if (capturable_refuse(view, dialect, &resolved, &err))
			where = key_origin(view, "on_change");
		else if (capturable_refuse_mode(view, dialect, &resolved, &err))
			where = key_origin(view, "capture");
		else if (groupable_refuse(view, dialect, &resolved, &err))
			where = key_origin(view, "refresh_group");
		else
			return;
	}
	char *section = view->database.n > 1 ? talloc_asprintf(c->mem_ctx, "view %s] on [database %s", view->name, db->name)
	                                     : talloc_asprintf(c->mem_ctx, "view %s", view->name);
	add_problem(c, where, section, &err);
	talloc_free(section);
}

static void check_all(struct checker *c)
{
	const struct conf *conf = c->conf;
	for (size_t i = 0; i < conf->n_databases; i++)
		check_one_database(c, &conf->databases[i]);
	for (size_t i = 0; i < conf->n_views; i++) {
		const struct conf_view *view = &conf->views[i];
		for (size_t k = 0; view->enabled && k < view->database.n; k++) {
			const struct conf_database *db = conf_find_database(conf, view->database.items[k]);
			if (db != NULL)
				check_one_view(c, view, db);
		}
	}
}

bool offline_check(void *mem_ctx, const struct conf *conf, const struct conf_dialects *dialects,
                   struct conf_problems *problems)
{
	struct checker c = {
		.mem_ctx = mem_ctx, .conf = conf, .registry = dialects->ctx, .may_be_absent = dialects->may_be_absent};
	if (problems->n > 0) {
		c.items = talloc_array(mem_ctx, struct conf_problem, (unsigned)problems->n);
		assert(c.items != NULL);
		memcpy(c.items, problems->items, problems->n * sizeof(*c.items));
		c.n = problems->n;
	}
	check_all(&c);
	problems->items = c.items;
	problems->n = c.n;
	problems->n_errors += c.n_errors;
	return c.n_errors == 0;
}

/* ---- rendering ------------------------------------------------------------------------------------------------- */

bool offline_render_kind(const char *word, enum viewd_render_kind *kind_r)
{
	static const char *const words[] = {
		[VIEWD_RENDER_CREATE] = "create",
		[VIEWD_RENDER_REFRESH] = "refresh",
		[VIEWD_RENDER_DROP] = "drop",
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], word) == 0) {
			*kind_r = (enum viewd_render_kind)i;
			return true;
		}
	}
	return false;
}

/* The view meant by NAME or DATABASE:NAME; *db_name_r is set only by the second form. */
static const struct conf_view *find_view(const struct conf *conf, const char *text, const char **db_name_r,
                                         struct viewd_err *err)
{
	struct view_name meant = view_name_split(text);
	const struct conf_view *view = conf_find_view(conf, meant.name);
	if (view == NULL) {
		err_set(err, VIEWD_ERR_MISSING, "view '%s' is not in the configuration", text);
		return NULL;
	}
	if (meant.database == NULL)
		return view;
	for (size_t i = 0; i < view->database.n; i++) {
		if (view_name_allows(&meant, view->database.items[i])) {
			*db_name_r = view->database.items[i];
			return view;
		}
	}
	err_set(err, VIEWD_ERR_MISSING, "view '%s' is not declared for database '%.*s'", view->name,
	        (int)meant.database_len, meant.database);
	return NULL;
}

/* The database whose settings the SQL is for; NULL without an error: none of the view's is of that dialect. */
static const struct conf_database *pick_database(const struct conf *conf, const struct conf_view *view,
                                                 const char *name, const char *dialect)
{
	if (name != NULL)
		return conf_find_database(conf, name);
	for (size_t i = 0; i < view->database.n; i++) {
		const struct conf_database *db = conf_find_database(conf, view->database.items[i]);
		if (db != NULL && (dialect == NULL || strcmp(db->dialect, dialect) == 0))
			return db;
	}
	return NULL;
}

/* A database that exists on paper only: the dialect's defaults, nothing to connect to. */
static void paper_database(void *mem_ctx, const struct viewd_dialect *dialect, struct viewd_database_spec *out)
{
	struct viewd_kv *options = talloc_array(mem_ctx, struct viewd_kv, (unsigned)dialect->n_options + 1);
	assert(options != NULL);
	size_t n = 0;
	for (size_t i = 0; i < dialect->n_options; i++)
		if (dialect->options[i].default_value != NULL)
			options[n++] = (struct viewd_kv){dialect->options[i].key, dialect->options[i].default_value};
	*out = (struct viewd_database_spec){
		.struct_size = sizeof(*out),
		.name = dialect->name,
		.url = talloc_asprintf(mem_ctx, "%s://", dialect->name),
		.base_dir = "/",
		.options = options,
		.n_options = n,
		.connect_timeout_us = 1000000,
		.application_name = "viewd",
	};
}

/* The dialect that is asked for, else that of the view's database; *db_r is NULL when the view has none of that
 * dialect. */
static const struct viewd_dialect *choose_dialect(const struct conf *conf, struct registry *registry,
                                                  const struct offline_render *what, const struct conf_view *view,
                                                  const char *db_name, const struct conf_database **db_r,
                                                  struct viewd_err *err)
{
	const char *plugin_dir = conf->daemon.plugin_dir;
	const struct viewd_dialect *asked = NULL;
	if (what->dialect != NULL && (asked = registry_open(registry, plugin_dir, what->dialect, err)) == NULL)
		return NULL;
	*db_r = pick_database(conf, view, db_name, asked != NULL ? asked->name : NULL);
	if (asked != NULL)
		return asked;
	if (*db_r != NULL)
		return registry_open(registry, plugin_dir, (*db_r)->dialect, err);
	err_set(err, VIEWD_ERR_MISSING, "database '%s' is not in the configuration", db_name != NULL ? db_name : "");
	return NULL;
}

bool offline_pick(const struct conf *conf, const char *text, const char *database, const struct conf_view **view_r,
                  const struct conf_database **db_r, struct viewd_err *err)
{
	const char *db_name = database;
	*view_r = find_view(conf, text, &db_name, err);
	if (*view_r == NULL)
		return false;
	*db_r = pick_database(conf, *view_r, db_name, NULL);
	return *db_r != NULL ||
	       err_set(err, VIEWD_ERR_MISSING, "database '%s' is not in the configuration", db_name != NULL ? db_name : "");
}

bool offline_render(const struct conf *conf, struct registry *registry, const struct offline_render *what,
                    struct viewd_text_sink sink, const char **dialect_r, struct viewd_err *err)
{
	const char *db_name = what->database;
	const struct conf_view *view = find_view(conf, what->view, &db_name, err);
	if (view == NULL)
		return false;
	const struct conf_database *db;
	const struct viewd_dialect *dialect = choose_dialect(conf, registry, what, view, db_name, &db, err);
	if (dialect == NULL)
		return false;
	void *paper = talloc_new(NULL);
	struct viewd_database_spec db_spec;
	if (db != NULL && strcmp(db->dialect, dialect->name) == 0)
		conf_database_spec(db, &db_spec);
	else
		paper_database(paper, dialect, &db_spec);
	struct viewd_resolved resolved = {.method = VIEWD_METHOD_SIMPLE};
	bool ok = ask_dialect(dialect, &db_spec, view, &resolved, err);
	if (ok) {
		struct viewd_view_spec spec;
		conf_view_spec(view, dialect->name, &spec);
		ok = dialect->render(&db_spec, &spec, what->kind, &what->flags, sink, err);
	}
	talloc_free(paper);
	if (ok && dialect_r != NULL)
		*dialect_r = dialect->name;
	return ok;
}
