/* SPDX-License-Identifier: MIT */
#include "common/objects/check.h"

#include "base/err.h"
#include "base/words.h"
#include "common/generate/columns.h"
#include "common/objects/grants.h"
#include "common/objects/hooks.h"
#include "common/sqltext/sqltext.h"
#include "common/sqltext/timeword.h"
#include "common/text/digest.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* A mode that writes single rows needs a table, also where there are materialized views. */
static bool resolve_method(const struct syntax *syn, const struct viewd_view_spec *view, enum viewd_method *out_r,
                           struct viewd_err *err)
{
	bool native = syn->has.materialized_views, by_rows = view->mode == VIEWD_MODE_INCREMENTAL;
	*out_r = view->method;
	if (view->method != VIEWD_METHOD_MATERIALIZED || (native && !by_rows))
		return true;
	if (!view->materialized_as_table) {
		if (native)
			err_set(err, VIEWD_ERR_CONFIG,
			        "refresh_mode incremental cannot work for method materialized on %s (the rows of a materialized "
			        "view cannot be written one by one)",
			        syn->dialect);
		else
			err_set(err, VIEWD_ERR_CONFIG, "method materialized cannot work (%s has no materialized views)",
			        syn->dialect);
		return err_hint(err, "set materialized_as_table = yes, or method = table");
	}
	*out_r = VIEWD_METHOD_TABLE;
	return true;
}

static bool has_unique_index(const struct syntax *syn, const struct viewd_view_spec *view)
{
	bool unique;
	const char *rest;
	for (size_t i = 0; i < view->n_indexes; i++)
		if (lex_index_text(syn, view->indexes[i].text, &unique, &rest, NULL) && unique &&
		    !lex_has_word(syn, rest, "WHERE"))
			return true;
	return view->n_unique_key > 0;
}

static bool check_mode(const struct syntax *syn, const struct viewd_view_spec *view, enum viewd_method method,
                       struct viewd_err *err)
{
	const char *why = syn->mode_refusal[method][view->mode];
	const char *hint = "refresh_mode = auto always works";
	if (why == NULL && view->mode == VIEWD_MODE_DIFF && view->n_unique_key == 0) {
		why = "a diff finds rows by their unique_key, and none is set";
		hint = "set unique_key to the columns that identify a row";
	}
	if (why == NULL && view->mode == VIEWD_MODE_CONCURRENTLY && !has_unique_index(syn, view)) {
		why = "it needs a unique index over plain columns and all rows";
		hint = "set unique_key, or add an index_NAME = UNIQUE (...)";
	}
	if (why == NULL)
		return true;
	err_set(err, VIEWD_ERR_CONFIG, "refresh_mode %s cannot work for method %s on %s (%s)", word_mode(view->mode),
	        word_method(method), syn->dialect, why);
	return err_hint(err, "%s", hint);
}

static bool check_group(const struct syntax *syn, const struct viewd_view_spec *view, enum viewd_method method,
                        struct viewd_err *err)
{
	const char *why = syn->group_refusal[view->mode];
	if (view->refresh_group == NULL || method == VIEWD_METHOD_SIMPLE || why == NULL)
		return true;
	err_set(err, VIEWD_ERR_CONFIG, "refresh_mode %s cannot work with refresh_group on %s (%s)", word_mode(view->mode),
	        syn->dialect, why);
	return err_hint(err, "refresh_mode = auto always works");
}

static bool check_indexes(const struct syntax *syn, const struct viewd_view_spec *view, enum viewd_method method,
                          struct viewd_err *err)
{
	if (method == VIEWD_METHOD_SIMPLE && view->n_indexes > 0) {
		err_set(err, VIEWD_ERR_CONFIG, "index_%s cannot work (a simple view stores no rows)", view->indexes[0].name);
		return err_hint(err, "use method = materialized or table");
	}
	for (size_t i = 0; i < view->n_indexes; i++) {
		bool unique;
		const char *rest;
		char name[IDENT_MAX];
		if (!lex_index_text(syn, view->indexes[i].text, &unique, &rest, err) ||
		    !ident_parse(syn, view->indexes[i].name, name, err))
			return err_wrap(err, "index_%s", view->indexes[i].name);
	}
	return true;
}

/* Option names are words with dots (toast.autovacuum_enabled); values are quoted later. */
static bool check_options(const struct syntax *syn, const struct viewd_view_spec *view, enum viewd_method method,
                          struct viewd_err *err)
{
	bool have = method == VIEWD_METHOD_TABLE ? syn->has.table_options : syn->has.view_options;
	if (view->n_options > 0 && !have) {
		err_set(err, VIEWD_ERR_CONFIG, "options cannot work (%s has no WITH (...) for this method)", syn->dialect);
		return err_hint(err, "remove options, or use it only in the view's section for another database");
	}
	for (size_t i = 0; i < view->n_options; i++) {
		const char *key = view->options[i].key;
		if (*key == '\0' || strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_.") != strlen(key))
			return err_set(err, VIEWD_ERR_CONFIG, "option name '%s' is not a word", key);
	}
	return true;
}

/* Settings and their values are the dialect's. */
static bool check_settings(const struct syntax *syn, const struct viewd_view_spec *view, enum viewd_method method,
                           struct viewd_err *err)
{
	if (view->n_settings == 0 || (syn->has.view_settings && method != VIEWD_METHOD_SIMPLE))
		return true;
	if (syn->has.view_settings) {
		err_set(err, VIEWD_ERR_CONFIG,
		        "settings cannot work (whoever reads a simple view does so under settings of his own)");
		return err_hint(err, "use method = materialized or table");
	}
	err_set(err, VIEWD_ERR_CONFIG, "settings cannot work (%s has none that viewd sets for one view)", syn->dialect);
	return err_hint(err, "remove settings, or use it only in the view's section for another database");
}

/* Fields are separated by a byte that none of them can hold. */
static char *add_field(char *text, const char *field)
{
	return sql_add(text, "%s\x1f", field != NULL ? field : "");
}

static void hash_definition(const struct syntax *syn, void *mem, const struct viewd_view_spec *view,
                            const struct columns *cols, struct checked *out)
{
	char *text = add_field(sql_new(mem), lex_normalise(syn, mem, out->definition));
	text = add_field(text, word_method(out->resolved.method));
	text = add_field(text, out->resolved.relation);
	for (size_t i = 0; i < cols->n; i++)
		text = add_field(add_field(text, cols->items[i].name), cols->items[i].type);
	text = add_field(text, "options");
	for (size_t i = 0; i < view->n_options; i++)
		text = add_field(add_field(text, view->options[i].key), view->options[i].value);
	if (view->n_settings > 0)
		text = add_field(text, "settings");
	for (size_t i = 0; i < view->n_settings; i++)
		text = add_field(add_field(text, view->settings[i].key), view->settings[i].value);
	digest_text(text, out->resolved.hash);
}

static void hash_indexes(void *mem, const struct viewd_view_spec *view, const struct columns *cols,
                         struct viewd_resolved *out)
{
	char *text = sql_new(mem);
	for (size_t i = 0; i < cols->n_key; i++)
		text = add_field(text, cols->key[i]);
	text = add_field(text, "indexes");
	for (size_t i = 0; i < view->n_indexes; i++)
		text = add_field(add_field(text, view->indexes[i].name), view->indexes[i].text);
	if (view->grants != NULL)
		text = add_field(add_field(text, "grants"), view->grants);
	digest_text(text, out->index_hash);
}

static bool check_query(const struct syntax *syn, void *mem, const struct viewd_view_spec *view, struct checked *out,
                        struct viewd_err *err)
{
	if (view->definition == NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "definition is missing");
		return err_hint(err, "set definition or definition_file");
	}
	out->definition = lex_one_query(syn, mem, view->definition, err);
	return out->definition != NULL;
}

static bool check_relation(const struct syntax *syn, void *mem, const struct viewd_view_spec *view, struct checked *out,
                           struct viewd_err *err)
{
	if (!relation_parse(syn, view->relation != NULL ? view->relation : view->name, &out->rel, err)) {
		err_wrap(err, "relation");
		return err_hint(err, "set relation, for example relation = '\"Order Stats\"'");
	}
	snprintf(out->resolved.relation, sizeof out->resolved.relation, "%s", relation_quoted(syn, mem, &out->rel));
	return true;
}

bool check_view(const struct syntax *syn, void *mem_ctx, const struct viewd_view_spec *view, struct checked *out,
                struct viewd_err *err)
{
	struct checked checked = {.resolved.mode = view->mode};
	if (!check_relation(syn, mem_ctx, view, &checked, err) || !check_query(syn, mem_ctx, view, &checked, err) ||
	    !resolve_method(syn, view, &checked.resolved.method, err))
		return false;
	enum viewd_method method = checked.resolved.method;
	struct columns *cols = columns_declared(syn, mem_ctx, view, err);
	if (cols == NULL || !check_mode(syn, view, method, err) || !check_group(syn, view, method, err) ||
	    !check_indexes(syn, view, method, err) || !check_options(syn, view, method, err) ||
	    !check_settings(syn, view, method, err) || !hooks_check(syn, view, err) || !grants_check(syn, view, err))
		return false;
	timeword_find(syn, checked.definition, checked.resolved.reads_clock, sizeof checked.resolved.reads_clock);
	hash_definition(syn, mem_ctx, view, cols, &checked);
	hash_indexes(mem_ctx, view, cols, &checked.resolved);
	*out = checked;
	return true;
}
