/* SPDX-License-Identifier: MIT */
#include "core/model/views.h"

#include "base/err.h"
#include "base/mem.h"
#include "conf/snapshot/view_name.h"

#include <string.h>

static int compare_names(const char *a_name, const char *a_db, const char *b_name, const char *b_db)
{
	int c = strcmp(a_name, b_name);
	return c != 0 ? c : strcmp(a_db, b_db);
}

static int by_name(const void *a, const void *b)
{
	const struct view *x = *(struct view *const *)a, *y = *(struct view *const *)b;
	return compare_names(x->conf->name, x->db->conf->name, y->conf->name, y->db->conf->name);
}

/* True after most reloads, and found out by far fewer comparisons than sorting takes. */
static bool is_sorted(const struct engine *eng)
{
	for (size_t i = 1; i < eng->n_views; i++)
		if (by_name(&eng->views[i - 1], &eng->views[i]) > 0)
			return false;
	return true;
}

void views_sort(struct engine *eng)
{
	if (!is_sorted(eng))
		qsort(eng->views, eng->n_views, sizeof *eng->views, by_name);
	for (size_t d = 0; d < eng->n_dbs; d++) {
		struct database *db = eng->dbs[d];
		TALLOC_FREE(db->views);
		db->n_views = 0;
	}
	for (size_t i = 0; i < eng->n_views; i++)
		eng->views[i]->db->n_views++;
	for (size_t d = 0; d < eng->n_dbs; d++) {
		eng->dbs[d]->views = mem_array(eng->dbs[d], struct view *, eng->dbs[d]->n_views);
		eng->dbs[d]->n_views = 0;
	}
	for (size_t i = 0; i < eng->n_views; i++) {
		struct database *db = eng->views[i]->db;
		db->views[db->n_views++] = eng->views[i];
	}
}

void views_drop_removed(struct engine *eng)
{
	size_t kept = 0;
	for (size_t i = 0; i < eng->n_views; i++)
		if (!eng->views[i]->removed)
			eng->views[kept++] = eng->views[i];
	eng->n_views = kept;
	views_sort(eng);
}

/* Index of the first of n instances that is not before (name, database). */
static size_t lower_bound(struct engine *eng, size_t n, const char *name, const char *database)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const struct view *v = eng->views[mid];
		if (compare_names(v->conf->name, v->db->conf->name, name, database) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool is_called(const struct view *v, const char *name, const char *database)
{
	return strcmp(v->conf->name, name) == 0 && strcmp(v->db->conf->name, database) == 0;
}

struct view *views_find_near(struct engine *eng, size_t n, size_t *near, const char *name, const char *database)
{
	if (*near >= n || !is_called(eng->views[*near], name, database))
		*near = lower_bound(eng, n, name, database);
	return *near < n && is_called(eng->views[*near], name, database) ? eng->views[(*near)++] : NULL;
}

struct view *views_find(struct engine *eng, const char *name, const char *database)
{
	size_t near = lower_bound(eng, eng->n_views, name, database);
	return views_find_near(eng, eng->n_views, &near, name, database);
}

struct view **views_named(struct engine *eng, const char *name, size_t *n_r)
{
	size_t first = lower_bound(eng, eng->n_views, name, ""), n = 0;
	while (first + n < eng->n_views && strcmp(eng->views[first + n]->conf->name, name) == 0)
		n++;
	*n_r = n;
	return eng->views + first;
}

/* How many letters the names share at their start: enough to suggest what may have been meant. */
static size_t shared_prefix(const char *a, const char *b)
{
	size_t n = 0;
	while (a[n] != '\0' && a[n] == b[n])
		n++;
	return n;
}

static bool not_found(struct engine *eng, const char *text, struct viewd_err *err)
{
	const struct view *best = NULL;
	for (size_t i = 0; i < eng->n_views; i++)
		if (best == NULL || shared_prefix(text, eng->views[i]->conf->name) > shared_prefix(text, best->conf->name))
			best = eng->views[i];
	err_set(err, VIEWD_ERR_MISSING, "there is no view '%.64s' in the configuration", text);
	if (best != NULL && shared_prefix(text, best->conf->name) > 1)
		err_hint(err, "did you mean '%s'?", best->label);
	else
		err_hint(err, "viewctl list prints what viewd once made and no section names any more");
	return false;
}

bool engine_find(struct engine *eng, void *mem_ctx, const char *text, struct view ***views_r, size_t *n_r,
                 struct viewd_err *err)
{
	struct view_name name = view_name_split(text);
	size_t n = *n_r, n_named;
	struct view **named = views_named(eng, name.name, &n_named);
	for (size_t i = 0; i < n_named; i++) {
		if (!view_name_allows(&name, named[i]->db->conf->name))
			continue;
		*views_r = mem_grow(mem_ctx, *views_r, struct view *, n + 1);
		(*views_r)[n++] = named[i];
	}
	if (n == *n_r)
		return not_found(eng, text, err);
	*n_r = n;
	return true;
}

/* A header of talloc's for each of these would take more than most of them. */
static int free_blocks(struct view *v)
{
	free(v->relation.text);
	free(v->reads.sources);
	free(v->record.past);
	return 0;
}

struct view *views_new(struct engine *eng, struct database *db, const struct conf_view *conf)
{
	struct view *v = mem_new(eng, struct view);
	talloc_set_destructor(v, free_blocks);
	v->capture.redefined = 1;
	v->eng = eng;
	v->db = db;
	v->conf = conf;
	v->last.did = -1;
	v->timing.past = SCHEDULE_NO_PAST;
	v->last.rows = v->last.rows_written = -1;
	return v;
}

struct view *engine_view(struct engine *eng, const char *name, const char *database)
{
	return views_find(eng, name, database);
}
