/* SPDX-License-Identifier: MIT */
#include "plugin/loader.h"

#include "base/err.h"
#include "base/nearest.h"
#include "plugin/vet.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

/* A list that only grows at its head: readers need no lock. */
struct entry {
	const struct viewd_dialect *dialect;
	struct viewd_dialect padded; /* copy of a plugin built against an older, shorter struct */
	struct entry *next;
};
struct registry {
	struct entry *_Atomic head;
};

static int free_entries(struct registry *reg)
{
	for (struct entry *e = atomic_load(&reg->head), *next; e != NULL; e = next) {
		next = e->next;
		free(e);
	}
	return 0;
}

struct registry *registry_new(void *mem_ctx)
{
	struct registry *reg = talloc_zero(mem_ctx, struct registry);
	if (reg == NULL)
		abort();
	talloc_set_destructor(reg, free_entries);
	return reg;
}

static const struct viewd_dialect *find_from(const struct entry *e, const char *name)
{
	for (; e != NULL; e = e->next)
		if (strcmp(e->dialect->name, name) == 0)
			return e->dialect;
	return NULL;
}

const struct viewd_dialect *registry_find(const struct registry *reg, const char *name)
{
	return find_from(atomic_load(&reg->head), name);
}

/* The first three fields protect the rest: nothing else is read before they are found good. */
static bool judge_version(const struct viewd_dialect *d, struct viewd_err *err)
{
	if (d->abi_major != VIEWD_ABI_MAJOR || d->abi_minor > VIEWD_ABI_MINOR) {
		err_set(err, VIEWD_ERR_PLUGIN, "built for ABI %u.%u, this viewd offers %u.%u", d->abi_major, d->abi_minor,
		        VIEWD_ABI_MAJOR, VIEWD_ABI_MINOR);
		return err_hint(err, "install the plugin that came with this viewd, or rebuild it");
	}
	if (d->struct_size < offsetof(struct viewd_dialect, threads)) {
		err_set(err, VIEWD_ERR_PLUGIN, "its description has %u bytes, at least %zu are needed", d->struct_size,
		        offsetof(struct viewd_dialect, threads));
		return err_hint(err, "rebuild the plugin with this viewd's viewd_dialect.h");
	}
	return true;
}

static const char *missing_function(const struct viewd_dialect *d)
{
	const struct {
		const char *name;
		bool present;
	} needed[] = {
		{"check_database", d->check_database != NULL},
		{"check_view", d->check_view != NULL},
		{"render", d->render != NULL},
		{"open", d->open != NULL},
		{"close", d->close != NULL},
		{"cancel", d->cancel != NULL},
		{"alive", d->alive != NULL},
		{"prepare", d->prepare != NULL},
		{"inspect", d->inspect != NULL},
		{"apply", d->apply != NULL},
		{"refresh", d->refresh != NULL},
		{"record_failure", d->record_failure != NULL},
		{"verify", d->verify != NULL},
		{"history", d->history != NULL},
	};
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!needed[i].present)
			return needed[i].name;
	return NULL;
}

/* A group is there as a whole or not at all. */
static const char *missing_in_group(const struct viewd_dialect *d)
{
	const struct viewd_capture_ops *capture = d->capture;
	if (d->threads != NULL && d->threads->begin == NULL)
		return "threads.begin";
	if (capture == NULL)
		return NULL;
	return capture->set == NULL           ? "capture.set"
	       : capture->watch_open == NULL  ? "capture.watch_open"
	       : capture->watch_next == NULL  ? "capture.watch_next"
	       : capture->watch_wake == NULL  ? "capture.watch_wake"
	       : capture->watch_close == NULL ? "capture.watch_close"
	                                      : NULL;
}

static bool judge_schemes(const struct viewd_dialect *d, struct viewd_err *err)
{
	for (const char *const *s = d->schemes; s != NULL && *s != NULL; s++)
		if (!vet_name(*s))
			return err_set(err, VIEWD_ERR_PLUGIN, "'%.64s' cannot be a scheme of it", *s);
	return true;
}

/* name NULL: whatever the dialect calls itself. */
static bool judge_contents(const struct viewd_dialect *d, const char *name, struct viewd_err *err)
{
	if (d->name == NULL || d->version == NULL)
		return err_set(err, VIEWD_ERR_PLUGIN, "it has no name or version");
	if (name != NULL && strcmp(d->name, name) != 0)
		return err_set(err, VIEWD_ERR_PLUGIN, "it calls itself '%.64s', not '%s'", d->name, name);
	const char *missing = missing_function(d);
	if (missing == NULL)
		missing = missing_in_group(d);
	if (missing != NULL)
		return err_set(err, VIEWD_ERR_PLUGIN, "it lacks the function %s", missing);
	return judge_schemes(d, err);
}

/* A dialect that another thread has opened meanwhile stays the one. */
static const struct viewd_dialect *insert(struct registry *reg, const struct viewd_dialect *found)
{
	struct entry *e = calloc(1, sizeof *e), *head = atomic_load(&reg->head);
	if (e == NULL)
		abort();
	size_t size = found->struct_size < sizeof e->padded ? found->struct_size : sizeof e->padded;
	memcpy(&e->padded, found, size);
	e->dialect = &e->padded;
	do {
		const struct viewd_dialect *other = find_from(head, found->name);
		if (other != NULL) {
			free(e);
			return other;
		}
		e->next = head;
	} while (!atomic_compare_exchange_weak(&reg->head, &head, e));
	return e->dialect;
}

bool registry_add(struct registry *reg, const struct viewd_dialect *dialect, struct viewd_err *err)
{
	if (!judge_version(dialect, err) || !judge_contents(dialect, NULL, err))
		return false;
	insert(reg, dialect);
	return true;
}

static const struct viewd_dialect *open_symbol(const char *path, struct viewd_err *err)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		err_set(err, VIEWD_ERR_PLUGIN, "%s", dlerror());
		return NULL;
	}
	const struct viewd_dialect *d = dlsym(handle, "viewd_dialect");
	if (d == NULL)
		err_set(err, VIEWD_ERR_PLUGIN, "it exports no symbol viewd_dialect");
	return d;
}

/* The plugin's file, which must be there. */
static const struct viewd_dialect *open_file(struct registry *reg, const char *plugin_dir, const char *name,
                                             struct viewd_err *err)
{
	const struct viewd_dialect *d = NULL;
	char *file = vet_file(NULL, name), *path = talloc_asprintf(file, "%s/%s", plugin_dir, file);
	int fd = vet_open(plugin_dir, file, err);
	if (fd >= 0) {
		d = open_symbol(path, err);
		close(fd);
	}
	d = d != NULL && judge_version(d, err) && judge_contents(d, name, err) ? insert(reg, d) : NULL;
	if (d == NULL)
		err_wrap(err, "plugin %s cannot be used", path);
	talloc_free(file);
	return d;
}

static bool is_among(char *const *names, const char *name)
{
	while (*names != NULL && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

void registry_each(struct registry *reg, const char *plugin_dir, registry_each_fn *fn, void *ctx)
{
	char **names = vet_names(NULL, plugin_dir);
	bool more = true;
	for (size_t i = 0; more && names[i] != NULL; i++) {
		struct viewd_err err = {.cls = VIEWD_ERR_OK};
		const struct viewd_dialect *d = registry_find(reg, names[i]);
		if (d == NULL)
			d = open_file(reg, plugin_dir, names[i], &err);
		more = fn(ctx, names[i], d, &err);
	}
	for (struct entry *e = atomic_load(&reg->head); more && e != NULL; e = e->next)
		if (!is_among(names, e->dialect->name))
			more = fn(ctx, e->dialect->name, e->dialect, NULL);
	talloc_free(names);
}

/* ---- schemes ---- */

#define WORDS_MAX 64

/* The search for the dialect of a scheme that is no dialect's name. */
struct search {
	const char *scheme;
	const struct viewd_dialect *found;
	char *installed; /* "a (also b), c" */
	char *broken;    /* why the first unusable one is unusable; NULL: all are usable */
	const char *words[WORDS_MAX];
	size_t n_words;
};

static void note_word(struct search *s, const char *word)
{
	if (s->n_words < ARRAY_LEN(s->words))
		s->words[s->n_words++] = talloc_strdup(s->installed, word);
}

static void note_installed(struct search *s, const char *name, const struct viewd_dialect *d,
                           const struct viewd_err *why_not)
{
	note_word(s, name);
	s->installed = talloc_asprintf_append(s->installed, "%s%s%s", s->installed[0] != '\0' ? ", " : "", name,
	                                      d == NULL ? " (cannot be used)" : "");
	if (d == NULL && s->broken == NULL)
		s->broken = talloc_strdup(s->installed, why_not->msg);
	for (const char *const *w = d != NULL ? d->schemes : NULL; w != NULL && *w != NULL; w++) {
		if (strcmp(*w, name) == 0)
			continue;
		note_word(s, *w);
		s->installed = talloc_asprintf_append(s->installed, " or %s", *w);
	}
}

static bool look_for_scheme(void *ctx, const char *name, const struct viewd_dialect *d, const struct viewd_err *why_not)
{
	struct search *s = ctx;
	for (const char *const *w = d != NULL ? d->schemes : NULL; w != NULL && *w != NULL; w++)
		if (strcmp(*w, s->scheme) == 0)
			s->found = d;
	note_installed(s, name, d, why_not);
	return s->found == NULL;
}

static void tell_search(const struct search *s, const char *plugin_dir, struct viewd_err *err)
{
	char *file = vet_file(s->installed, s->scheme);
	err_set(err, VIEWD_ERR_PLUGIN, "plugin %s/%s cannot be used: it is not there; the dialects installed are: %s",
	        plugin_dir, file, s->installed[0] != '\0' ? s->installed : "none");
	const char *near = nearest_word(s->words, s->n_words, s->scheme);
	if (near != NULL)
		err_hint(err, "did you mean %s", near);
	else if (s->broken != NULL)
		err_hint(err, "%s", s->broken);
}

static const struct viewd_dialect *find_scheme(struct registry *reg, const char *plugin_dir, const char *scheme,
                                               struct viewd_err *err)
{
	struct search s = {.scheme = scheme, .installed = talloc_strdup(NULL, "")};
	registry_each(reg, plugin_dir, look_for_scheme, &s);
	if (s.found == NULL)
		tell_search(&s, plugin_dir, err);
	talloc_free(s.installed);
	return s.found;
}

const struct viewd_dialect *registry_open(struct registry *reg, const char *plugin_dir, const char *word,
                                          struct viewd_err *err)
{
	const struct viewd_dialect *d = registry_find(reg, word);
	if (d != NULL)
		return d;
	if (!vet_name(word)) {
		err_set(err, VIEWD_ERR_PLUGIN, "'%.64s' cannot be a dialect's name", word);
		err_hint(err, "a name has at most 32 of a-z, 0-9 and _");
		return NULL;
	}
	return vet_there(plugin_dir, word) ? open_file(reg, plugin_dir, word, err)
	                                   : find_scheme(reg, plugin_dir, word, err);
}
