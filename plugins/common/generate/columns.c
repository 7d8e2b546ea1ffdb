/* SPDX-License-Identifier: MIT */
#include "common/generate/columns.h"

#include "base/err.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

static char *copy_text(void *mem_ctx, const char *text)
{
	char *out = talloc_strdup(mem_ctx, text);
	assert(out != NULL);
	return out;
}

static const struct viewd_column *find_column(const struct syntax *syn, const struct columns *cols, const char *name)
{
	for (size_t i = 0; i < cols->n; i++)
		if (ident_same(syn, cols->items[i].name, name))
			return &cols->items[i];
	return NULL;
}

static void append(struct columns *cols, const char *name, const char *type, const char *inner)
{
	cols->items = talloc_realloc(cols, cols->items, struct viewd_column, cols->n + 1);
	cols->names = talloc_realloc(cols, cols->names, const char *, cols->n + 1);
	cols->inner = talloc_realloc(cols, cols->inner, const char *, cols->n + 1);
	assert(cols->items != NULL && cols->names != NULL && cols->inner != NULL);
	name = copy_text(cols, name);
	cols->names[cols->n] = name;
	cols->inner[cols->n] = inner != NULL ? copy_text(cols, inner) : name;
	cols->items[cols->n++] =
		(struct viewd_column){.name = name, .type = type != NULL && *type != '\0' ? copy_text(cols, type) : NULL};
}

static bool refuse_key(const struct columns *cols, const char *name, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "unique_key column '%s' is not among the view's columns", name);
	for (size_t i = 0; i < cols->n; i++)
		if (strcasecmp(cols->names[i], name) == 0)
			return err_hint(err, "the column is '%s'; write \"%s\", and single quotes around the whole value",
			                cols->names[i], cols->names[i]);
	return err_hint(err, "name columns that the definition yields");
}

/* The unique_key as identifiers; each must be among the columns once these are known. */
static bool read_key(const struct syntax *syn, struct columns *cols, const struct viewd_view_spec *view,
                     struct viewd_err *err)
{
	cols->key = talloc_zero_array(cols, const char *, view->n_unique_key + 1);
	assert(cols->key != NULL);
	for (size_t i = 0; i < view->n_unique_key; i++) {
		char name[IDENT_MAX];
		if (!ident_parse(syn, view->unique_key[i], name, err))
			return err_wrap(err, "unique_key");
		if (cols->n > 0 && find_column(syn, cols, name) == NULL)
			return refuse_key(cols, name, err);
		for (size_t k = 0; k < cols->n_key; k++)
			if (ident_same(syn, cols->key[k], name))
				return err_set(err, VIEWD_ERR_CONFIG, "unique_key names '%s' twice", name);
		cols->key[cols->n_key++] = copy_text(cols, name);
	}
	return true;
}

static bool declare(const struct syntax *syn, struct columns *cols, const struct viewd_column *column,
                    struct viewd_err *err)
{
	char name[IDENT_MAX];
	if (!ident_parse(syn, column->name, name, err))
		return err_wrap(err, "columns");
	if (find_column(syn, cols, name) != NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "columns name '%s' twice", name);
	if (column->type != NULL && !lex_type_text(syn, column->type, err))
		return err_wrap(err, "column '%s'", name);
	append(cols, name, column->type, NULL);
	return true;
}

struct columns *columns_declared(const struct syntax *syn, void *mem_ctx, const struct viewd_view_spec *view,
                                 struct viewd_err *err)
{
	struct columns *cols = talloc_zero(mem_ctx, struct columns);
	assert(cols != NULL);
	cols->declared = view->n_columns > 0;
	bool good = true;
	for (size_t i = 0; good && i < view->n_columns; i++)
		good = declare(syn, cols, &view->columns[i], err);
	if (!good || !read_key(syn, cols, view, err))
		TALLOC_FREE(cols);
	return cols;
}

static bool collect_fn(void *ctx, const char *const *values, size_t n)
{
	append(ctx, values[0] != NULL ? values[0] : "", values[1], n > 2 ? values[2] : NULL);
	return true;
}

static const struct db_reader collect[] = {{collect_fn, "TT*", "the columns of a query"}};

static bool refuse_bad_names(const struct syntax *syn, const struct columns *actual, struct viewd_err *err)
{
	for (size_t i = 0; i < actual->n; i++) {
		const char *name = actual->items[i].name;
		if (name[0] == '\0')
			return err_set(err, VIEWD_ERR_CONFIG, "column %zu of the definition has no name", i + 1);
		if (strlen(name) >= IDENT_MAX) {
			err_set(err, VIEWD_ERR_CONFIG, "column %zu of the definition has a name that is too long", i + 1);
			return err_hint(err, "name it with AS");
		}
		if (find_column(syn, actual, name) != &actual->items[i]) {
			err_set(err, VIEWD_ERR_CONFIG, "definition yields two columns named '%s'", name);
			return err_hint(err, "rename one with AS");
		}
	}
	return true;
}

/* "missing a, b" of what is in `from` and not in `in`; NULL when nothing is. */
static char *difference(const struct syntax *syn, const struct columns *from, const struct columns *in)
{
	char *list = NULL;
	for (size_t i = 0; i < from->n; i++)
		if (find_column(syn, in, from->items[i].name) == NULL)
			list = list == NULL ? copy_text(talloc_parent(from), from->items[i].name)
			                    : sql_add(list, ", %s", from->items[i].name);
	return list;
}

static bool refuse_mismatch(const struct syntax *syn, const struct columns *declared, const struct columns *actual,
                            struct viewd_err *err)
{
	char *missing = difference(syn, declared, actual), *unexpected = difference(syn, actual, declared);
	if (missing == NULL && unexpected == NULL)
		return true;
	err_set(err, VIEWD_ERR_CONFIG, "definition does not yield the declared columns (%s%s%s%s%s)",
	        missing != NULL ? "missing: " : "", missing != NULL ? missing : "",
	        missing != NULL && unexpected != NULL ? "; " : "", unexpected != NULL ? "unexpected: " : "",
	        unexpected != NULL ? unexpected : "");
	return err_hint(err, "columns are matched by name; give each output column the declared name with AS");
}

/* Gives the declared columns the query's types where none is declared, and compares the others where the engine can.
 * Names of the definition's inside are taken over. */
static bool merge_types(struct db *db, struct columns *declared, const struct columns *actual, struct viewd_err *err)
{
	for (size_t i = 0; i < declared->n; i++) {
		struct viewd_column *want = &declared->items[i];
		const struct viewd_column *have = find_column(db->syntax, actual, want->name);
		const char *type = want->type;
		declared->inner[i] = copy_text(declared, actual->inner[have - actual->items]);
		if (want->type == NULL)
			type = have->type;
		else if (db->ops->catalogue.agree_type != NULL && have->type != NULL &&
		         !db->ops->catalogue.agree_type(db, declared, want->type, have->type, &type, err))
			return err_wrap(err, "column '%s'", want->name);
		if (type == NULL && want->type != NULL) {
			err_set(err, VIEWD_ERR_CONFIG, "column '%s' is declared as %s, but the definition yields %s", want->name,
			        want->type, have->type);
			return err_hint(err, "change the declaration, or cast the column in the definition");
		}
		want->type = type;
	}
	return true;
}

static bool resolve(struct db *db, struct columns *declared, struct columns *actual, const char *definition,
                    struct viewd_err *err)
{
	if (!db->ops->query_columns(db, definition, collect, actual, err) || !refuse_bad_names(db->syntax, actual, err))
		return false;
	if (!declared->declared)
		return true;
	return refuse_mismatch(db->syntax, declared, actual, err) && merge_types(db, declared, actual, err);
}

struct columns *columns_resolve(struct db *db, void *mem_ctx, const struct viewd_view_spec *view,
                                const char *definition, struct viewd_err *err)
{
	struct columns *declared = columns_declared(db->syntax, mem_ctx, view, err);
	if (declared == NULL)
		return NULL;
	struct columns *actual = talloc_zero(mem_ctx, struct columns);
	assert(actual != NULL);
	if (!resolve(db, declared, actual, definition, err))
		return NULL;
	if (declared->declared)
		return declared;
	return read_key(db->syntax, actual, view, err) ? actual : NULL;
}

struct columns *columns_of_query(struct db *db, void *mem_ctx, const char *query, struct viewd_err *err)
{
	struct columns *cols = talloc_zero(mem_ctx, struct columns);
	assert(cols != NULL);
	if (!db->ops->query_columns(db, query, collect, cols, err))
		TALLOC_FREE(cols);
	return cols;
}

struct columns *columns_of(struct db *db, void *mem_ctx, const struct relation *rel, struct viewd_err *err)
{
	char *quoted = relation_quoted(db->syntax, NULL, rel), *query = talloc_asprintf(quoted, "SELECT * FROM %s", quoted);
	assert(query != NULL);
	struct columns *cols = columns_of_query(db, mem_ctx, query, err);
	talloc_free(quoted);
	return cols;
}

static void note_difference(char *text, size_t size, const char *what, const char *name)
{
	size_t len = strlen(text);
	snprintf(text + len, size - len, "%s%s %s", len > 0 ? ", " : "", what, name);
}

void columns_compare(const struct syntax *syn, const struct columns *yields, const struct columns *has, bool types,
                     char *text, size_t size)
{
	text[0] = '\0';
	for (size_t i = 0; i < yields->n; i++) {
		const struct viewd_column *own = &yields->items[i], *other = find_column(syn, has, own->name);
		if (other == NULL)
			note_difference(text, size, "new", own->name);
		else if (types && strcmp(own->type != NULL ? own->type : "", other->type != NULL ? other->type : "") != 0)
			note_difference(text, size, "another type of", own->name);
	}
	for (size_t i = 0; i < has->n; i++)
		if (find_column(syn, yields, has->items[i].name) == NULL)
			note_difference(text, size, "without", has->items[i].name);
}

bool columns_narrow(const struct syntax *syn, struct columns *cols, const struct columns *has, struct viewd_err *err)
{
	size_t n = 0;
	for (size_t i = 0; i < has->n; i++)
		if (find_column(syn, cols, has->items[i].name) == NULL) {
			err_set(err, VIEWD_ERR_QUERY, "definition no longer yields column '%s', which the view has",
			        has->items[i].name);
			return err_hint(err, "bring the column back, or let the view be made anew (on_configuration_change = "
			                     "apply, or viewctl create)");
		}
	for (size_t i = 0; i < cols->n; i++) {
		if (find_column(syn, has, cols->items[i].name) == NULL)
			continue;
		cols->items[n] = cols->items[i];
		cols->names[n] = cols->names[i];
		cols->inner[n++] = cols->inner[i];
	}
	cols->n = n;
	return true;
}
