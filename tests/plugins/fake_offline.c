/* SPDX-License-Identifier: MIT
 *
 * fake_offline.c: what the dialect says without a connection.
 */
#include "plugins/fake_private.h"

#include "base/err.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

void fake_plain_name(const char *relation, char *out, size_t size)
{
	const char *dot = strrchr(relation, '.');
	size_t n = 0;
	for (const char *p = dot != NULL ? dot + 1 : relation; *p != '\0' && n + 1 < size; p++)
		if (*p != '"')
			out[n++] = *p;
	out[n] = '\0';
}

/* Calls that no server sees still follow the script. */
static bool offline(const struct viewd_database_spec *db, enum fake_op op, const char *object, struct viewd_err *err)
{
	fake_lock();
	bool ok = fake_enter(fake_server_of_url(db->url), NULL, op, object, err);
	fake_unlock();
	return ok;
}

bool fake_judge_database(const struct viewd_database_spec *db, struct viewd_err *err)
{
	for (size_t i = 0; i < db->n_options; i++)
		if (strcmp(db->options[i].value, "bad") == 0) {
			err_set(err, VIEWD_ERR_CONFIG, "%s: 'bad' is not a note", db->options[i].key);
			return err_hint(err, "any other word");
		}
	return offline(db, FAKE_check_database, db->name, err);
}

static void mention_all(const char *definition, struct viewd_text_sink mentions)
{
	char word[128];
	for (const char *p = definition; *p != '\0';) {
		size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		if (n > 0 && n < sizeof word && !isdigit((unsigned char)*p)) {
			memcpy(word, p, n);
			word[n] = '\0';
			if (!mentions.fn(mentions.ctx, word))
				return;
		}
		p += n > 0 ? n : 1;
	}
}

void fake_digests(const struct viewd_view_spec *view, char *hash, char *index_hash)
{
	uint64_t h = fake_hash((uint64_t)view->method, view->definition), ih = fake_hash(1, "");
	for (size_t i = 0; i < view->n_columns; i++)
		h = fake_hash(h, view->columns[i].name);
	for (size_t i = 0; i < view->n_options; i++)
		h = fake_hash(fake_hash(h, view->options[i].key), view->options[i].value);
	for (size_t i = 0; i < view->n_unique_key; i++)
		ih = fake_hash(ih, view->unique_key[i]);
	for (size_t i = 0; i < view->n_indexes; i++)
		ih = fake_hash(fake_hash(ih, view->indexes[i].name), view->indexes[i].text);
	snprintf(hash, 17, "%016llx", (unsigned long long)h);
	snprintf(index_hash, 17, "%016llx", (unsigned long long)ih);
}

bool fake_judge_view(const struct viewd_database_spec *db, const struct viewd_view_spec *view,
                     struct viewd_resolved *out, struct viewd_text_sink mentions, struct viewd_err *err)
{
	char name[256];
	fake_plain_name(view->relation, name, sizeof name);
	if (!offline(db, FAKE_check_view, name, err))
		return false;
	if (strncasecmp(view->definition, "select", 6) != 0) {
		err_set(err, VIEWD_ERR_CONFIG, "the definition is not a query");
		return err_hint(err, "begin it with SELECT");
	}
	*out = (struct viewd_resolved){.method = view->method, .mode = view->mode};
	snprintf(out->relation, sizeof out->relation, "\"%s\"", name);
	fake_digests(view, out->hash, out->index_hash);
	mention_all(view->definition, mentions);
	return true;
}

bool fake_render_view(const struct viewd_database_spec *db, const struct viewd_view_spec *view,
                      enum viewd_render_kind kind, const struct viewd_render_flags *flags,
                      struct viewd_text_sink statements, struct viewd_err *err)
{
	static const char *const verbs[] = {
		[VIEWD_RENDER_CREATE] = "CREATE", [VIEWD_RENDER_REFRESH] = "REFRESH", [VIEWD_RENDER_DROP] = "DROP"};
	if (!offline(db, FAKE_render, view->name, err))
		return false;
	char *text = talloc_asprintf(NULL, "%s%s VIEW %s%s", verbs[kind], flags->or_replace ? " OR REPLACE" : "",
	                             view->relation, flags->cascade ? " CASCADE" : "");
	statements.fn(statements.ctx, text);
	talloc_free(text);
	return true;
}
