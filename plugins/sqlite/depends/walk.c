/* SPDX-License-Identifier: MIT
 *
 * walk.c: everything that the result of a definition depends on. The authorizer tells what is read, through plain
 * views; the schema has the texts.
 */
#include "sqlite/depends/walk.h"
#include "base/words.h"
#include "sqlite/conn/definition.h"

#include "common/depends/dependencies.h"
#include "common/depends/objects.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/timeword.h"
#include "common/state/state.h"
#include "common/text/digest.h"
#include "sqlite/conn/syntax.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

#define OWN_WRITES "the file, as viewd writes it" /* an entry of kind other */

struct walk {
	struct db *db;
	struct dependencies *list;
	char version[24]; /* of the schema */
};

/* ---- the schema ---- */

struct schema_row {
	bool there, virtual;
	enum viewd_depends kind;
	struct relation rel;
	char *text;
};

static bool read_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct schema_row *row = ctx;
	row->there = true;
	row->virtual = strcmp(v[0], "table") == 0 && v[3] != NULL && strcmp(v[3], "0") == 0;
	row->kind = strcmp(v[0], "view") == 0 ? VIEWD_DEPENDS_VIEW
	            : row->virtual            ? VIEWD_DEPENDS_VIRTUAL
	                                      : VIEWD_DEPENDS_TABLE;
	snprintf(row->rel.name, sizeof row->rel.name, "%.255s", v[1]);
	row->text = talloc_strdup(NULL, v[2] != NULL ? v[2] : "");
	return false;
}

static const struct db_reader read_row[] = {{read_row_fn, "ttTT", "an object of the schema"}};

/* The caller frees row->text. */
static bool find_row(struct db *db, const char *name, struct schema_row *row, struct viewd_err *err)
{
	const char *params[] = {name};
	*row = (struct schema_row){.there = false};
	return sqlite_op_query(db,
	                       "SELECT type, name, sql, rootpage FROM main.sqlite_master WHERE name = ? COLLATE NOCASE AND "
	                       "type IN ('table', 'view')",
	                       params, 1, read_row, row, err);
}

/* ALTER TABLE rewrites the text; comments and spaces are no difference. */
static void digest_row(const struct schema_row *row, char out[static DIGEST_SIZE])
{
	char *normal = lex_normalise(&sqlite_syntax, NULL, row->text);
	digest_text(normal, out);
	talloc_free(normal);
}

/* ---- entries ---- */

static void add_other(struct walk *w, enum viewd_depends kind, const char *name, const char *unheard)
{
	dependencies_add(w->db, w->list, &(struct dependency){.kind = kind, .source = name, .unheard = unheard});
}

/* Any change of the schema may be one of what it describes. */
static void add_catalogue(struct walk *w, const char *name)
{
	char *source = talloc_asprintf(w->list->mem, "catalogue %s", name);
	dependencies_add(w->db, w->list,
	                 &(struct dependency){
						 .kind = VIEWD_DEPENDS_CATALOGUE, .source = source, .stamp = w->version, .digest = w->version});
}

/* Modules that need no CREATE VIRTUAL TABLE. */
static void add_module(struct walk *w, const char *name)
{
	static const char *const arguments[] = {"json_each", "json_tree", "generate_series"}; /* read nothing else */
	for (size_t i = 0; i < ARRAY_LEN(arguments); i++)
		if (strcasecmp(name, arguments[i]) == 0)
			return;
	if (strncasecmp(name, "pragma_", 7) == 0 || strcasecmp(name, "sqlite_master") == 0 ||
	    strcasecmp(name, "sqlite_temp_master") == 0) {
		add_catalogue(w, name);
	} else if (strcasecmp(name, "dbstat") == 0) {
		struct dependency entry = {.kind = VIEWD_DEPENDS_VIRTUAL, .rel = {.name = "dbstat"}};
		dependencies_add(w->db, w->list, &entry);
		add_other(w, VIEWD_DEPENDS_OTHER, OWN_WRITES, "dbstat describes pages, which each refresh changes");
	} else {
		char *source = talloc_asprintf(w->list->mem, "virtual table %s", name);
		add_other(w, VIEWD_DEPENDS_OTHER, source, "viewd does not know what this module reads");
	}
}

static void add_clock(struct walk *w, const char *text, const char *view)
{
	char word[64];
	timeword_find(&sqlite_syntax, text, word, sizeof word);
	if (word[0] == '\0')
		return;
	char *source = view == NULL ? talloc_asprintf(w->list->mem, "clock %s", word)
	                            : talloc_asprintf(w->list->mem, "clock %s in view %s", word, view);
	add_other(w, VIEWD_DEPENDS_CLOCK, source, "its value changes with time");
}

static const char *definition_of(const char *text)
{
	struct lex_token tok;
	for (const char *p = text; (tok = lex_next(sqlite_syntax.lexer.flags, &p)).kind != LEX_END;)
		if (lex_is(&tok, "AS"))
			return p;
	return text;
}

/* read: its columns are. Otherwise what is read stands in a view of that name, or in a common table expression that is
 * called like a table. */
static bool add_name(struct walk *w, const char *name, bool read, struct viewd_err *err)
{
	struct schema_row row;
	char digest[DIGEST_SIZE];
	if (!find_row(w->db, name, &row, err))
		return false;
	if (row.there && (read || row.kind == VIEWD_DEPENDS_VIEW)) {
		struct dependency entry = {.kind = row.kind, .rel = row.rel, .stamp = w->version, .digest = digest};
		digest_row(&row, digest);
		if (state_is_table(row.rel.name) || strcasecmp(row.rel.name, "viewd_position") == 0)
			entry.unheard = STATE_UNHEARD;
		dependencies_add(w->db, w->list, &entry);
		if (row.kind == VIEWD_DEPENDS_VIEW)
			add_clock(w, definition_of(row.text), row.rel.name);
	} else if (read) {
		add_module(w, name);
	}
	talloc_free(row.text);
	return true;
}

bool sqlite_op_walk(struct db *db, const struct viewd_view_spec *view UNUSED, const char *definition,
                    struct dependencies *list, struct viewd_err *err)
{
	struct walk w = {.db = db, .list = list};
	struct sqlite_sources found = {.mem = talloc_new(NULL)};
	bool done = sqlite_schema_version(db, w.version, err) && sqlite_read_definition(db, definition, &found, err);
	for (size_t i = 0; i < found.n && done; i++)
		done = add_name(&w, found.items[i].name, found.items[i].read, err);
	for (size_t i = 0; i < found.n_functions && done; i++) {
		char *source = talloc_asprintf(list->mem, "function %s", found.functions[i]);
		add_other(&w, VIEWD_DEPENDS_FUNCTION, source, "its value differs from call to call");
	}
	if (done)
		add_clock(&w, definition, NULL);
	talloc_free(found.mem);
	return done;
}

/* ---- the look ---- */

static bool look_at(struct db *db, const struct object *object, const char *version, const struct db_reader *row,
                    void *ctx, struct viewd_err *err)
{
	char digest[DIGEST_SIZE] = "";
	struct schema_row now = {.there = false};
	struct relation rel;
	const char *values[] = {object->source, version, NULL, object->digest, NULL};
	if (strcmp(object->kind, word_depends(VIEWD_DEPENDS_CATALOGUE)) == 0) {
		values[2] = version;
	} else {
		if (!relation_parse(db->syntax, object->source, &rel, err) || !find_row(db, rel.name, &now, err))
			return false;
		if (now.there) {
			digest_row(&now, digest);
			values[2] = digest;
		}
		talloc_free(now.text);
	}
	bool more;
	return db_give(row, ctx, values, ARRAY_LEN(values), &more, err);
}

/* Each change of the schema gives all of them another stamp; what differs is one query each, which is rare enough. */
bool sqlite_op_changed_objects(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct objects list = {.mem = talloc_new(NULL)};
	char version[24];
	bool good = sqlite_schema_version(db, version, err) && objects_load(db, &list, err);
	for (size_t i = 0; i < list.n && good; i++)
		if (strcmp(list.items[i].stamp, version) != 0)
			good = look_at(db, &list.items[i], version, row, ctx, err);
	talloc_free(list.mem);
	return good;
}

bool sqlite_op_list_sources(struct db *db, const char *definition, struct viewd_source_sink sink, struct viewd_err *err)
{
	struct dependencies list = {.mem = talloc_new(NULL)};
	bool done = sqlite_op_walk(db, NULL, definition, &list, err);
	if (done)
		dependencies_sources(&list, sink);
	talloc_free(list.mem);
	return done;
}
