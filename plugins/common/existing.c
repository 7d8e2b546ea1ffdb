/* SPDX-License-Identifier: MIT
 *
 * existing.c: the views that a database has before viewd comes, as their sections would describe them.
 */
#include "base/err.h"
#include "common/dialect.h"
#include "common/sqltext/ident.h"
#include "common/sqltext/lexer.h"
#include "common/state/state.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define LIST_TIMEOUT_US INT64_C(60000000)
#define LIST_LOCK_US INT64_C(5000000)

struct found {
	struct relation rel;
	enum viewd_kind kind;
	const char *definition, *options, *comment, *remark;
};

struct survey {
	struct db *db;
	void *mem;
	struct viewd_existing_sink rows;
	struct found *items;
	size_t n;
	char **kept; /* relations that viewd keeps, quoted */
	size_t n_kept;
};

/* Names of what other tools build aside, or leave when they are interrupted. */
static const struct {
	const char *prefix, *suffix, *remark;
} leftovers[] = {
	{"_scenic_sbs_", "", "Scenic builds a view aside under such a name; a change of it was interrupted"},
	{"", "__dbt_tmp", "dbt builds a model under such a name; a run of it was interrupted"},
	{"", "__dbt_backup", "dbt moves what it replaces to such a name; a run of it was interrupted"},
};

static const char *remark_on(const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < ARRAY_LEN(leftovers); i++) {
		size_t prefix = strlen(leftovers[i].prefix), suffix = strlen(leftovers[i].suffix);
		if (len > prefix + suffix && strncmp(name, leftovers[i].prefix, prefix) == 0 &&
		    strcmp(name + len - suffix, leftovers[i].suffix) == 0)
			return leftovers[i].remark;
	}
	return NULL;
}

/* ---- names ---- */

/* May a name stand in `relation` without quotes, and mean the same? */
static bool is_plain(const struct syntax *syn, const char *name)
{
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz_0123456789", upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	for (const char *c = name; *c != '\0'; c++)
		if (strchr(lower, *c) == NULL && (syn->names.fold_lower || strchr(upper, *c) == NULL))
			return false;
	return name[0] != '\0' && (name[0] < '0' || name[0] > '9');
}

static char *add_part(const struct syntax *syn, char *text, const char *name)
{
	return is_plain(syn, name) ? talloc_strdup_append(text, name) : ident_append(syn, text, name);
}

static char *written(const struct syntax *syn, void *mem, const struct relation *rel)
{
	char *text = talloc_strdup(mem, "");
	if (rel->schema[0] != '\0')
		text = talloc_strdup_append(add_part(syn, text, rel->schema), ".");
	return add_part(syn, text, rel->name);
}

/* ---- what there is ---- */

static char *copy(struct survey *s, const char *text)
{
	char *out = text != NULL && text[0] != '\0' ? talloc_strdup(s->mem, text) : NULL;
	assert(out != NULL || text == NULL || text[0] == '\0');
	return out;
}

static bool take_found_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct survey *s = ctx;
	s->items = talloc_realloc(s->mem, s->items, struct found, (unsigned)s->n + 1);
	assert(s->items != NULL);
	struct found *f = &s->items[s->n++];
	*f = (struct found){.kind = strcmp(v[2], "MATVIEW") == 0 ? VIEWD_KIND_MATVIEW : VIEWD_KIND_VIEW};
	snprintf(f->rel.schema, sizeof f->rel.schema, "%s", v[0]);
	snprintf(f->rel.name, sizeof f->rel.name, "%s", v[1]);
	f->definition = copy(s, v[3]);
	f->options = copy(s, v[4]);
	f->comment = copy(s, v[5]);
	f->remark = v[6] != NULL ? copy(s, v[6]) : remark_on(f->rel.name);
	return true;
}

static const struct db_reader take_found[] = {{take_found_fn, "tttTTTT", "the views of the database"}};

static bool take_kept(void *ctx, const struct viewd_recorded *row)
{
	struct survey *s = ctx;
	s->kept = talloc_realloc(s->mem, s->kept, char *, (unsigned)s->n_kept + 1);
	assert(s->kept != NULL);
	s->kept[s->n_kept++] = talloc_strdup(s->mem, row->relation);
	return true;
}

/* Where viewd has not been there are none. */
static bool list_kept(struct survey *s, struct viewd_err *err)
{
	bool there = false;
	return state_exists(s->db, &there, err) &&
	       (!there || state_list(s->db, (struct viewd_recorded_sink){take_kept, s}, err));
}

static bool is_kept(const struct survey *s, const struct found *f)
{
	struct db_object object = {0};
	struct viewd_err ignored;
	if (s->n_kept == 0 || !s->db->ops->find_object(s->db, &f->rel, &object, &ignored))
		return false;
	struct relation rel = f->rel;
	snprintf(rel.schema, sizeof rel.schema, "%s", object.schema);
	const char *full = relation_quoted(s->db->syntax, s->mem, &rel);
	for (size_t i = 0; i < s->n_kept; i++)
		if (strcmp(s->kept[i], full) == 0)
			return true;
	return false;
}

/* ---- its indexes ---- */

struct indexes {
	struct survey *s;
	struct viewd_index *items;
	size_t n;
	const char *key;
};

static bool take_index_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct indexes *list = ctx;
	if (list->key == NULL && v[2] != NULL) {
		list->key = copy(list->s, v[2]);
		return true;
	}
	list->items = talloc_realloc(list->s->mem, list->items, struct viewd_index, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = (struct viewd_index){.name = copy(list->s, v[0]), .text = copy(list->s, v[1])};
	return true;
}

static const struct db_reader take_index[] = {{take_index_fn, "ttT", "the indexes of a view"}};

static bool list_indexes(struct survey *s, const struct found *f, struct indexes *out, struct viewd_err *err)
{
	*out = (struct indexes){.s = s};
	return f->kind != VIEWD_KIND_MATVIEW || s->db->ops->existing.indexes == NULL ||
	       s->db->ops->existing.indexes(s->db, &f->rel, take_index, out, err);
}

/* The query without what surrounds it, as check_view reads it; what it does not read stays as it is. */
static char *query_of(struct survey *s, const struct found *f)
{
	struct viewd_err ignored;
	char *query = f->definition != NULL ? lex_one_query(s->db->syntax, s->mem, f->definition, &ignored) : NULL;
	return query != NULL || f->definition == NULL ? query : talloc_strdup(s->mem, f->definition);
}

static bool tell(struct survey *s, const struct found *f, bool *more_r, struct viewd_err *err)
{
	struct indexes indexes;
	if (!list_indexes(s, f, &indexes, err))
		return false;
	char *query = query_of(s, f), *line = query != NULL ? lex_normalise(s->db->syntax, s->mem, query) : NULL;
	struct viewd_existing row = {
		.struct_size = sizeof row,
		.kind = f->kind,
		.name = f->rel.name,
		.relation = written(s->db->syntax, s->mem, &f->rel),
		.definition = query,
		.one_line = line != NULL && strpbrk(line, "\r\n") == NULL ? line : NULL,
		.unique_key = indexes.key,
		.indexes = indexes.items,
		.n_indexes = indexes.n,
		.options = f->options,
		.comment = f->comment,
		.remark = f->remark,
	};
	*more_r = s->rows.fn(s->rows.ctx, &row);
	return true;
}

static bool survey(struct survey *s, const char *schema, struct viewd_err *err)
{
	struct db *db = s->db;
	if (db->ops->existing.list == NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "the dialect for %s does not tell what views there are",
		               db->syntax->dialect);
	if (!db->ops->set_limits(db, LIST_TIMEOUT_US, LIST_LOCK_US, err) ||
	    !db->ops->existing.list(db, schema, take_found, s, err) || !list_kept(s, err))
		return false;
	bool good = true, more = true;
	for (size_t i = 0; i < s->n && good && more; i++)
		good = is_kept(s, &s->items[i]) || tell(s, &s->items[i], &more, err);
	return good;
}

bool dialect_existing(struct viewd_conn *conn, const char *schema, struct viewd_existing_sink rows,
                      struct viewd_err *err)
{
	struct db *db = (struct db *)(void *)conn; /* its first member, see dialect.h */
	struct survey s = {.db = db, .mem = talloc_new(NULL), .rows = rows};
	db_enter(db);
	bool good = survey(&s, schema, err);
	db_leave(db);
	talloc_free(s.mem);
	return good;
}
