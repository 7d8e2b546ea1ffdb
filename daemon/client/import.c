/* SPDX-License-Identifier: MIT
 *
 * import.c: viewctl import: the views that a database has, as sections of a configuration.
 */
#include "core/offline/import.h"
#include "base/err.h"
#include "base/paths.h"
#include "client/client.h"
#include "client/print/print.h"
#include "conf/conf.h"
#include "conf/read/quote.h"
#include "conf/snapshot/url.h"
#include "ctl/text/json_text.h"
#include "plugin/loader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

struct import {
	const struct client *client;
	struct registry *registry;
	const char *directory; /* where definitions go as files; NULL: none are written */
	struct conf_database db;
	char **names; /* of sections so far */
	size_t n;
	char *text; /* the sections */
	json_t *views;
	size_t n_left_out;
	bool any_rows; /* of a materialized view, which somebody has refreshed so far */
	bool failed;
	struct viewd_err err;
};

/* ---- text ---- */

static void put(struct import *im, const char *line)
{
	im->text = talloc_asprintf_append_buffer(im->text, "%s\n", line);
	assert(im->text != NULL);
}

static bool put_key(struct import *im, const char *key, const char *value)
{
	char *line = value != NULL ? quote_line(im->client->mem_ctx, key, value) : NULL;
	if (line != NULL)
		put(im, line);
	return line != NULL;
}

/* A value that no line can hold is told in a comment, so that nobody misses it. */
static void put_optional(struct import *im, const char *key, const char *value)
{
	if (value != NULL && !put_key(im, key, value))
		put(im, talloc_asprintf(im->client->mem_ctx, "; %s: no line of a configuration can hold it", key));
}

static bool is_taken(const struct import *im, const char *name)
{
	for (size_t i = 0; i < im->n; i++)
		if (strcmp(im->names[i], name) == 0)
			return true;
	return false;
}

static const char *section_name(struct import *im, const char *relation)
{
	void *mem = im->client->mem_ctx;
	char *stem = quote_name(mem, relation), *name = stem;
	for (int i = 2; is_taken(im, name); i++)
		name = talloc_asprintf(mem, "%s_%d", stem, i);
	im->names = talloc_realloc(mem, im->names, char *, (unsigned)im->n + 1);
	assert(im->names != NULL);
	im->names[im->n++] = name;
	return name;
}

/* ---- definitions ---- */

/* False: err. An existing file is never written over. */
static bool write_file(struct import *im, const char *name, const char *text)
{
	char *path = talloc_asprintf(im->client->mem_ctx, "%s/%s", im->directory, name);
	FILE *file = fopen(path, "wx");
	if (file == NULL)
		return err_sys(&im->err, VIEWD_ERR_RESOURCE, errno, "file '%s' cannot be made", path);
	bool written = fprintf(file, "%s\n", text) > 0;
	if ((fclose(file) != 0) | !written)
		return err_sys(&im->err, VIEWD_ERR_RESOURCE, errno, "file '%s' cannot be written", path);
	return true;
}

/* False: no line can hold it, and there is no directory, or it cannot be written. */
static bool put_definition(struct import *im, const char *name, const struct viewd_existing *row)
{
	if (im->directory == NULL)
		return put_key(im, "definition", row->one_line);
	char *file = talloc_asprintf(im->client->mem_ctx, "%s.sql", name);
	if (!write_file(im, file, row->definition)) {
		im->failed = true;
		return false;
	}
	return put_key(im, "definition_file", file);
}

static void put_indexes(struct import *im, const struct viewd_existing *row)
{
	void *mem = im->client->mem_ctx;
	for (size_t i = 0; i < row->n_indexes; i++) {
		char *key = talloc_asprintf(mem, "index_%s", quote_name(mem, row->indexes[i].name));
		put_optional(im, key, row->indexes[i].text);
	}
}

static void leave_out(struct import *im, const struct viewd_existing *row, const char *why)
{
	put(im, "");
	char *line = talloc_asprintf(im->client->mem_ctx, "; %s is left out: %s", row->name, why);
	put(im, look_clean(im->client->mem_ctx, line, false)); /* a newline in a name would end the comment */
	im->n_left_out++;
}

static void put_section(struct import *im, const char *name, const struct viewd_existing *row)
{
	put(im, "");
	put(im, talloc_asprintf(im->client->mem_ctx, "[view %s]", name));
	put_key(im, "database", im->db.name);
	if (strcmp(row->relation, name) != 0)
		put_optional(im, "relation", row->relation);
	put_key(im, "method", row->kind == VIEWD_KIND_MATVIEW ? "materialized" : "simple");
	put_key(im, "adopt", "yes");
	put_optional(im, "description", row->comment);
	put_optional(im, "unique_key", row->unique_key);
	put_optional(im, "options", row->options);
	put_indexes(im, row);
}

static json_t *view_json(const char *name, const struct viewd_existing *row)
{
	json_t *out = json_object();
	json_object_set_new(out, "name", json_text(name));
	json_object_set_new(out, "relation", json_text(row->relation));
	json_object_set_new(out, "method", json_text(row->kind == VIEWD_KIND_MATVIEW ? "materialized" : "simple"));
	json_object_set_new(out, "unique_key", json_text(row->unique_key));
	json_object_set_new(out, "definition", json_text(row->definition));
	return out;
}

static bool take_view(void *ctx, const struct viewd_existing *row)
{
	struct import *im = ctx;
	if (row->remark != NULL || row->definition == NULL) {
		leave_out(im, row, row->remark != NULL ? row->remark : "its definition may not be read by this account");
		return true;
	}
	if (quote_line(im->client->mem_ctx, "relation", row->relation) == NULL) {
		leave_out(im, row, "no line of a configuration can hold its name");
		return true;
	}
	size_t before = strlen(im->text);
	const char *name = section_name(im, row->name);
	put_section(im, name, row);
	if (!put_definition(im, name, row)) {
		im->text[before] = '\0';
		im->text = talloc_strdup(im->client->mem_ctx, im->text);
		leave_out(im, row, "no line can hold its definition; --directory DIR writes it into a file");
		return !im->failed;
	}
	im->any_rows |= row->kind == VIEWD_KIND_MATVIEW;
	json_array_append_new(im->views, view_json(name, row));
	return true;
}

/* ---- the database ---- */

/* The last part of the URL's path, without what follows a dot: "shop" of "sqlite:////srv/shop.db". */
static char *database_name(void *mem_ctx, const char *url)
{
	const char *place = url_place(url);
	size_t len = strcspn(place, "?");
	const char *slash = memrchr(place, '/', len), *start = slash != NULL ? slash + 1 : place;
	char *part = talloc_strndup(mem_ctx, start, len - (size_t)(start - place));
	part[strcspn(part, ".")] = '\0';
	return part[0] != '\0' ? quote_name(mem_ctx, part) : talloc_strdup(mem_ctx, "database");
}

/* A password belongs into a file of its own. */
static void put_database(struct import *im)
{
	void *mem = im->client->mem_ctx;
	put(im, talloc_asprintf(mem, "[database %s]", im->db.name));
	if (url_has_password(im->db.url)) {
		put(im, "; put the password, which is not written here, into a file that only viewd can read:");
		put(im, talloc_asprintf(mem, "; password_file = %s.password", im->db.name));
	}
	put_optional(im, "url", url_without_password(mem, im->db.url));
}

static bool use_url(struct import *im, const char *config, const char *url, struct viewd_err *err)
{
	void *mem = im->client->mem_ctx;
	struct conf_places places;
	char *here = get_current_dir_name();
	conf_places(mem, config, &places);
	bool good = offline_database(mem, im->registry, places.plugin_dir, database_name(mem, url), url,
	                             here != NULL ? talloc_strdup(mem, here) : "/", &im->db, err);
	free(here);
	if (good)
		put_database(im);
	return good;
}

static void put_result(struct import *im)
{
	const struct client *client = im->client;
	if (im->any_rows) {
		put(im, "");
		put(im, "; Nothing refreshes a materialized view until its section, or [view-defaults], says when:");
		put(im, "; on_change = yes, or every = 5m, for example.");
	}
	json_t *body = json_pack("{s:i, s:o, s:o, s:I}", "schema", 1, "text", json_text(im->text), "views",
	                         json_incref(im->views), "left_out", (json_int_t)im->n_left_out);
	if (client->json)
		print_json(client->out, body);
	else
		look_put_data(client->out, im->text, &client->look);
	json_decref(body);
}

enum client_exit client_import(const struct client *client, const struct args *args)
{
	void *mem = client->mem_ctx;
	struct import im = {.client = client,
	                    .registry = registry_new(mem),
	                    .directory = args_text(args, "directory"),
	                    .text = talloc_strdup(mem, ""),
	                    .views = json_array()};
	const char *config = args_text(args, "config") != NULL ? args_text(args, "config") : paths_conf(mem);
	struct viewd_err err = {0};
	bool good = use_url(&im, config, args_text(args, "url"), &err) &&
	            offline_import(im.registry, &im.db, args_text(args, "schema"),
	                           (struct viewd_existing_sink){take_view, &im}, &err);
	if (good && !im.failed)
		put_result(&im);
	else
		client_complain(client, good ? &im.err : &err);
	json_decref(im.views);
	return good && !im.failed ? CLIENT_DONE : CLIENT_FAILED;
}
