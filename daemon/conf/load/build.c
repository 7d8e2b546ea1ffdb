/* SPDX-License-Identifier: MIT */
#include "base/paths.h"
#include "conf/load/load.h"
#include "conf/load/section.h"
#include "conf/schema/schema.h"

#include <string.h>
#include <talloc.h>

/* The rows have the places of the system's daemon. */
static void use_places(struct load *load, struct conf_daemon *daemon)
{
	const char *main_file = report_file_name(load->report, 0);
	daemon->control_socket = arena_strdup(load->arena, paths_control_socket(load->tmp, main_file));
	daemon->state_dir = arena_strdup(load->arena, paths_state_dir(load->tmp, main_file));
}

void build_daemon(struct load *load)
{
	struct conf_daemon *daemon = &load->box->conf.daemon;
	struct conf_origin *origins = section_origins(load, schema_daemon.n);
	const struct load_section *s = &load->daemon;
	option_set_defaults(&schema_daemon, load->arena, daemon);
	use_places(load, daemon);
	daemon->origins = origins;
	if (s->sec == NULL)
		return;
	const struct scan_entry *entries = load_entries(load, s);
	for (uint32_t i = 0; i < s->sec->n; i++) {
		const struct option_row *row = option_find(&schema_daemon, entries[i].key);
		if (row == NULL)
			section_unknown_key(load, s, &schema_daemon, NULL, &entries[i]);
		else
			section_set(load, s, row, &entries[i], daemon, &origins[row - schema_daemon.rows]);
	}
}

/* ---- views ---- */

static void view_entry(struct load *load, const struct load_section *s, const struct scan_entry *entry, bool defaults,
                       struct conf_view *view, struct conf_origin *origins)
{
	const struct option_row *row = option_find(&schema_view, entry->key);
	struct report_at at = load_at(s, entry);
	if (row == NULL)
		section_unknown_key(load, s, &schema_view, NULL, entry);
	else if (defaults && (row->flags & OPTION_OWN) != 0)
		report_error(load->report, &at, "the key cannot be a default for all views; write it in a [view NAME] section");
	else
		section_set(load, s, row, entry, view, &origins[row - schema_view.rows]);
}

/* Keeps those that are not "default". */
static const struct conf_origins *keep_origins(struct load *load, const struct conf_origins *inherited,
                                               const struct conf_origin *origins, size_t n)
{
	size_t n_set = 0;
	for (size_t i = 0; i < n; i++)
		n_set += origins[i].file != CONF_FILE_DEFAULT;
	struct conf_origins *kept = arena_alloc(load->arena, sizeof *kept + n_set * sizeof kept->set[0]);
	kept->inherited = inherited;
	for (size_t i = 0; i < n; i++)
		if (origins[i].file != CONF_FILE_DEFAULT)
			kept->set[kept->n++] = (struct conf_set_origin){(uint32_t)i, origins[i]};
	return kept;
}

/* Every view starts as a copy of the defaults: what it does not set itself is shared. */
static void build_view(struct load *load, const struct load_section *s, const struct conf_view *base, bool defaults,
                       struct conf_view *view)
{
	struct conf_origin *origins;
	size_t n;
	*view = *base;
	view->name = arena_strdup(load->arena, s->name);
	view->where = section_origin(s, s->sec->line);
	define_view(load, s, base, view, &origins, &n);
	const struct scan_entry *entries = load_entries(load, s);
	for (uint32_t i = 0; i < s->sec->n; i++)
		view_entry(load, s, &entries[i], defaults, view, origins);
	for (size_t i = 0; defaults && i < n; i++)
		origins[i].from_defaults = origins[i].file != CONF_FILE_DEFAULT;
	view->origins = keep_origins(load, base->origins, origins, n);
	for (size_t i = 0; i < schema_view.n; i++)
		if (origins[i].file == CONF_FILE_DEFAULT)
			origins[i] = conf_origin_of(base->origins, i);
	if (!defaults)
		section_check_required(load, s, &schema_view, origins);
	talloc_free(origins);
}

/* The view that all others start from: the rows' defaults, then [view-defaults]. */
static void build_defaults(struct load *load, struct conf_view *view)
{
	struct conf_view rows = {.name = ""};
	option_set_defaults(&schema_view, load->arena, &rows);
	if (load->defaults.sec == NULL) {
		*view = rows;
		return;
	}
	build_view(load, &load->defaults, &rows, true, view);
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
