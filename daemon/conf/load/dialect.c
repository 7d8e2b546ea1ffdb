/* SPDX-License-Identifier: MIT */
#include "conf/load/dialect.h"

#include "base/nearest.h"

#include <string.h>
#include <talloc.h>

#define WORDS_MAX 64

static const struct load_dialect *asked(const struct load *load, const char *word)
{
	for (size_t i = 0; i < load->n_asked; i++)
		if (strcmp(load->asked[i]->word, word) == 0)
			return load->asked[i];
	return NULL;
}

const struct load_dialect *dialect_ask(struct load *load, const char *word)
{
	const struct load_dialect *known = asked(load, word);
	if (known != NULL)
		return known;
	struct load_dialect *d = talloc_zero(load->tmp, struct load_dialect);
	load->asked = talloc_realloc(load->tmp, load->asked, const struct load_dialect *, load->n_asked + 1);
	assert(d != NULL && load->asked != NULL);
	load->asked[load->n_asked++] = d;
	d->word = arena_strdup(load->arena, word);
	d->available = load->dialects == NULL ||
	               load->dialects->find(load->dialects->ctx, word, load->box->conf.daemon.plugin_dir, &d->is, &d->err);
	if (load->dialects == NULL || !d->available)
		d->is = (struct conf_dialect){.name = d->word};
	d->is.name = arena_strdup(load->arena, d->is.name);
	return d;
}

bool dialect_is_there(const struct load *load, const char *name)
{
	for (size_t i = 0; i < load->n_asked; i++)
		if (load->asked[i]->available && strcmp(load->asked[i]->is.name, name) == 0)
			return true;
	return false;
}

const struct viewd_dialect_option *dialect_key(const struct conf_dialect *dialect, const char *key, const char **near_r)
{
	const char *words[WORDS_MAX];
	size_t n = 0;
	for (size_t i = 0; i < dialect->n_options; i++) {
		if (strcmp(dialect->options[i].key, key) == 0)
			return &dialect->options[i];
		if (n < ARRAY_LEN(words))
			words[n++] = dialect->options[i].key;
	}
	if (near_r != NULL)
		*near_r = nearest_word(words, n, key);
	return NULL;
}

/* ---- all that are installed ---- */

static void add_installed(void *ctx, const struct conf_dialect *dialect)
{
	struct load *load = ctx;
	load->installed = talloc_realloc(load->tmp, load->installed, struct conf_dialect, load->n_installed + 1);
	assert(load->installed != NULL);
	struct conf_dialect *d = &load->installed[load->n_installed++];
	*d = *dialect;
	d->name = arena_strdup(load->arena, dialect->name);
}

static void list_installed(struct load *load)
{
	if (load->listed || load->dialects == NULL)
		return;
	load->listed = true;
	load->dialects->list(load->dialects->ctx, load->box->conf.daemon.plugin_dir, add_installed, load);
}

const char *dialect_with_key(struct load *load, const char *key)
{
	list_installed(load);
	for (size_t i = 0; i < load->n_installed; i++)
		if (dialect_key(&load->installed[i], key, NULL) != NULL)
			return load->installed[i].name;
	return NULL;
}

/* The name of the installed dialect that is called so, or whose scheme is like that. */
static const char *nearest_dialect(const struct load *load, const char *word)
{
	const char *words[WORDS_MAX] = {NULL}, *names[WORDS_MAX] = {NULL};
	size_t n = 0;
	for (size_t i = 0; i < load->n_installed; i++) {
		const struct conf_dialect *d = &load->installed[i];
		for (const char *const *s = d->schemes; s != NULL && *s != NULL && n + 1 < WORDS_MAX; s++) {
			names[n] = d->name;
			words[n++] = *s;
		}
		if (n < WORDS_MAX) {
			names[n] = d->name;
			words[n++] = d->name;
		}
	}
	const char *near = nearest_word(words, n, word);
	for (size_t i = 0; i < n; i++)
		if (near == words[i])
			return names[i];
	return NULL;
}

/* A database's dialect that is not available is called what its URL says. */
static bool is_used(const struct load *load, const char *name)
{
	const struct conf *conf = &load->box->conf;
	for (size_t i = 0; i < conf->n_databases; i++)
		if (conf->databases[i].dialect != NULL && strcmp(conf->databases[i].dialect, name) == 0)
			return true;
	return false;
}

enum dialect_suffix dialect_suffix(struct load *load, const char *suffix, const char **near_r)
{
	if (load->dialects == NULL || is_used(load, suffix))
		return DIALECT_SUFFIX_GOOD;
	const struct load_dialect *d = dialect_ask(load, suffix);
	*near_r = d->is.name;
	if (d->available)
		return strcmp(d->is.name, suffix) == 0 ? DIALECT_SUFFIX_GOOD : DIALECT_SUFFIX_MISTAKE;
	list_installed(load);
	for (size_t i = 0; i < load->n_installed; i++)
		if (strcmp(load->installed[i].name, suffix) == 0)
			return DIALECT_SUFFIX_GOOD;
	*near_r = nearest_dialect(load, suffix);
	return *near_r != NULL ? DIALECT_SUFFIX_MISTAKE : DIALECT_SUFFIX_UNKNOWN;
}

static const char *join(struct load *load, const char *(*text_of)(const struct conf_dialect *dialect))
{
	list_installed(load);
	char *text = talloc_strdup(load->tmp, "");
	for (size_t i = 0; i < load->n_installed; i++) {
		const char *item = text_of(&load->installed[i]);
		if (item != NULL)
			text = talloc_asprintf_append_buffer(text, "%s%s", text[0] != '\0' ? ", " : "", item);
	}
	return text;
}

static const char *name_of(const struct conf_dialect *dialect)
{
	return dialect->name;
}

static const char *form_of(const struct conf_dialect *dialect)
{
	return dialect->url_form;
}

const char *dialect_names(struct load *load)
{
	const char *names = join(load, name_of);
	return names[0] != '\0' ? names : "none";
}

const char *dialect_url_forms(struct load *load)
{
	const char *forms = join(load, form_of);
	return forms[0] != '\0' ? forms : "SCHEME://user@host/name, where the scheme is the name of a dialect";
}
