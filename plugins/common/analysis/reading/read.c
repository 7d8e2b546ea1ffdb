/* SPDX-License-Identifier: MIT */
#include "common/analysis/reading/read.h"

#include <string.h>
#include <talloc.h>

const char *read_kind(json_t *node, json_t **body_r)
{
	void *iter = json_object_iter(node);
	*body_r = iter != NULL ? json_object_iter_value(iter) : NULL;
	return iter != NULL ? json_object_iter_key(iter) : "";
}

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);
	for (const char *p = words; (p = strstr(p, word)) != NULL; p += len)
		if ((p == words || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

bool read_only(struct reader *reader, json_t *body, const char *kind, const char *fields)
{
	const char *key;
	json_t *value;
	json_object_foreach(body, key, value) {
		if (!has_word(fields, key) && strcmp(key, "location") != 0) {
			char *name = talloc_asprintf(reader->mem, "%s.%s", kind, key);
			assert(name != NULL);
			return refuse_named(reader->no, read_at(body), "construct", name, "the analysis does not know it", "");
		}
	}
	return true;
}

const char *read_text(struct reader *reader, json_t *body, const char *field)
{
	const char *text = json_string_value(json_object_get(body, field));
	if (text == NULL)
		return "";
	char *copy = talloc_strdup(reader->mem, text);
	assert(copy != NULL);
	return copy;
}

const char **read_names(struct reader *reader, json_t *array, size_t *n_r)
{
	size_t n = json_array_size(array);
	const char **names = talloc_array(reader->mem, const char *, (unsigned)n + 1);
	assert(names != NULL);
	for (size_t i = 0; i < n; i++)
		names[i] = read_text(reader, json_object_get(json_array_get(array, i), "String"), "sval");
	*n_r = n;
	return names;
}

static int nearer(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* The position of the first part, for nodes that have none of their own. */
static int first_at(json_t *node, int depth)
{
	int at = -1;
	const char *key;
	json_t *part;
	size_t i;
	if (depth == 0)
		return -1;
	json_object_foreach(node, key, part)
		at = nearer(at, strcmp(key, "location") == 0 ? (int)json_integer_value(part) : first_at(part, depth - 1));
	json_array_foreach(node, i, part)
		at = nearer(at, first_at(part, depth - 1));
	return at;
}

int read_at(json_t *body)
{
	json_t *at = json_object_get(body, "location");
	return at != NULL ? (int)json_integer_value(at) : -1;
}

int read_near(json_t *body)
{
	return first_at(body, 12);
}

bool read_budget(struct reader *reader, int at)
{
	if (++reader->nodes <= READ_NODES_MAX && reader->depth <= READ_DEPTH_MAX)
		return true;
	return refuse(reader->no, at, "a very large query", "it is not looked at", "split it into views on views");
}

/* ---- FROM ---- */

static struct from *new_from(struct reader *reader, enum from_kind kind, int at)
{
	struct from *from = talloc_zero(reader->mem, struct from);
	assert(from != NULL);
	*from = (struct from){.kind = kind, .at = at, .schema = "", .name = "", .alias = ""};
	return from;
}

static const struct with *find_with(const struct with *with, const char *name)
{
	while (with != NULL && strcmp(with->name, name) != 0)
		with = with->before;
	return with;
}

static bool read_alias(struct reader *reader, json_t *body, struct from *from)
{
	json_t *alias = json_object_get(body, "alias");
	if (alias == NULL)
		return true;
	from->alias = read_text(reader, alias, "aliasname");
	json_t *columns = json_object_get(alias, "colnames");
	if (columns != NULL && from->kind == FROM_TABLE)
		return refuse(reader->no, from->at, "columns renamed at a table", "the analysis does not follow them",
		              "rename them in the list of columns");
	if (columns != NULL)
		from->columns = read_names(reader, columns, &from->n_columns);
	return true;
}

/* A WITH query is read again wherever its name stands, so that each place has its own tables. */
static struct from *read_with(struct reader *reader, const struct with *with, struct from *from)
{
	const struct with *outside = reader->with;
	from->kind = FROM_QUERY;
	if (from->n_columns == 0 && with->n_columns > 0) {
		from->columns = with->columns;
		from->n_columns = with->n_columns;
	}
	reader->with = with->before;
	from->query = read_query(reader, with->query);
	reader->with = outside;
	return from->query != NULL ? from : NULL;
}

static struct from *read_table(struct reader *reader, json_t *body)
{
	if (!read_only(reader, body, "RangeVar", "schemaname relname inh relpersistence alias"))
		return NULL;
	struct from *from = new_from(reader, FROM_TABLE, read_at(body));
	from->schema = read_text(reader, body, "schemaname");
	from->name = from->alias = read_text(reader, body, "relname");
	if (!json_is_true(json_object_get(body, "inh"))) {
		refuse(reader->no, from->at, "ONLY", "rows of the table's children are left out", "read the table itself");
		return NULL;
	}
	const struct with *with = from->schema[0] == '\0' ? find_with(reader->with, from->name) : NULL;
	if (with != NULL)
		from->kind = FROM_QUERY;
	if (!read_alias(reader, body, from))
		return NULL;
	return with != NULL ? read_with(reader, with, from) : from;
}

static struct from *read_subselect(struct reader *reader, json_t *body)
{
	json_t *query = json_object_get(json_object_get(body, "subquery"), "SelectStmt");
	if (!read_only(reader, body, "RangeSubselect", "lateral subquery alias"))
		return NULL;
	struct from *from = new_from(reader, FROM_QUERY, -1);
	from->lateral = json_is_true(json_object_get(body, "lateral"));
	if (!read_alias(reader, body, from) || (from->query = read_query(reader, query)) == NULL)
		return NULL;
	from->at = from->query->at;
	return from;
}

static struct from *read_from(struct reader *reader, json_t *node);

static bool join_kind(const char *word, enum join_kind *out)
{
	static const char *const words[] = {"JOIN_INNER", "JOIN_LEFT", "JOIN_RIGHT", "JOIN_FULL"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], word) == 0) {
			*out = (enum join_kind)i;
			return true;
		}
	}
	return false;
}

static struct from *read_join(struct reader *reader, json_t *body)
{
	struct from *from = new_from(reader, FROM_JOIN, -1);
	json_t *on = json_object_get(body, "quals");
	if (json_is_true(json_object_get(body, "isNatural"))) {
		refuse(reader->no, read_near(body), "NATURAL JOIN", "what it compares changes with the columns of the tables",
		       "write ON or USING");
		return NULL;
	}
	if (!read_only(reader, body, "JoinExpr", "jointype larg rarg usingClause quals") ||
	    !join_kind(read_text(reader, body, "jointype"), &from->join))
		return NULL;
	from->left = read_from(reader, json_object_get(body, "larg"));
	from->right = from->left != NULL ? read_from(reader, json_object_get(body, "rarg")) : NULL;
	if (from->right == NULL || (on != NULL && (from->on = read_expr(reader, on)) == NULL))
		return NULL;
	from->using_names = read_names(reader, json_object_get(body, "usingClause"), &from->n_using);
	from->at = from->left->at;
	return from;
}

static struct from *read_from(struct reader *reader, json_t *node)
{
	static const struct {
		const char *kind, *construct, *why, *help;
	} refused[] = {
		{"RangeFunction", "a function in FROM", "nothing tells which rows of it change", "read a table"},
		{"RangeTableSample", "TABLESAMPLE", "each time other rows are taken", "use a condition on a column"},
		{"RangeTableFunc", "a table made of a document", "nothing tells which rows of it change", "read a table"},
	};
	json_t *body;
	const char *kind = read_kind(node, &body);
	struct from *from = NULL;
	if (!read_budget(reader, read_at(body)))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (strcmp(kind, refused[i].kind) == 0)
			refuse(reader->no, read_near(body), refused[i].construct, refused[i].why, refused[i].help);
	reader->depth++;
	if (strcmp(kind, "RangeVar") == 0)
		from = read_table(reader, body);
	else if (strcmp(kind, "RangeSubselect") == 0)
		from = read_subselect(reader, body);
	else if (strcmp(kind, "JoinExpr") == 0)
		from = read_join(reader, body);
	else
		refuse_named(reader->no, read_at(body), "construct", kind, "the analysis does not know it", "");
	reader->depth--;
	return from;
}

/* ---- the rest of a SELECT ---- */

static bool read_items(struct reader *reader, json_t *array, struct query *query)
{
	query->n_items = json_array_size(array);
	query->items = talloc_zero_array(reader->mem, struct select_item, (unsigned)query->n_items + 1);
	assert(query->items != NULL);
	for (size_t i = 0; i < query->n_items; i++) {
		json_t *target = json_object_get(json_array_get(array, i), "ResTarget");
		struct expr *expr = read_expr(reader, json_object_get(target, "val"));
		if (expr == NULL)
			return false;
		const char *name = read_text(reader, target, "name");
		query->items[i] = (struct select_item){expr, name[0] != '\0' || expr->kind != EXPR_COLUMN ? name : expr->name};
		if (query->at < 0 || (expr->at >= 0 && expr->at < query->at))
			query->at = expr->at;
	}
	return true;
}

static bool read_froms(struct reader *reader, json_t *array, struct query *query)
{
	query->n_from = json_array_size(array);
	query->from = talloc_zero_array(reader->mem, struct from *, (unsigned)query->n_from + 1);
	assert(query->from != NULL);
	for (size_t i = 0; i < query->n_from; i++)
		if ((query->from[i] = read_from(reader, json_array_get(array, i))) == NULL)
			return false;
	return true;
}

static bool read_windows(struct reader *reader, json_t *array, struct query *query)
{
	query->n_windows = json_array_size(array);
	query->windows = talloc_zero_array(reader->mem, struct window *, (unsigned)query->n_windows + 1);
	assert(query->windows != NULL);
	for (size_t i = 0; i < query->n_windows; i++)
		if ((query->windows[i] = read_window(reader, json_object_get(json_array_get(array, i), "WindowDef"))) == NULL)
			return false;
	return true;
}

static bool read_order(struct reader *reader, json_t *array, struct expr_list *out)
{
	json_t *list = json_array();
	for (size_t i = 0; i < json_array_size(array); i++)
		json_array_append(list, json_object_get(json_object_get(json_array_get(array, i), "SortBy"), "node"));
	bool good = read_list(reader, list, out);
	json_decref(list);
	return good;
}

/* DISTINCT is a list with one empty item. */
static bool read_distinct(struct reader *reader, json_t *array, struct query *query)
{
	query->distinct = array != NULL && json_object_size(json_array_get(array, 0)) == 0;
	return array == NULL || query->distinct || read_list(reader, array, &query->distinct_on);
}

static bool read_optional(struct reader *reader, json_t *body, const char *field, struct expr **out)
{
	json_t *node = json_object_get(body, field);
	return node == NULL || (*out = read_expr(reader, node)) != NULL;
}

static bool read_limit(struct reader *reader, json_t *body, struct query *query)
{
	static const char *const fields[] = {"limitOffset", "limitCount"};
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		json_t *node = json_object_get(body, fields[i]);
		if (node != NULL && json_object_get(node, "A_Const") == NULL)
			return refuse(reader->no, read_near(node), "a computed LIMIT or OFFSET", "the analysis does not look at it",
			              "write a number");
	}
	return read_optional(reader, body, "limitOffset", &query->limit) &&
	       read_optional(reader, body, "limitCount", &query->limit);
}

static bool read_plain(struct reader *reader, json_t *body, struct query *query)
{
	return read_items(reader, json_object_get(body, "targetList"), query) &&
	       read_froms(reader, json_object_get(body, "fromClause"), query) &&
	       read_optional(reader, body, "whereClause", &query->where) &&
	       read_list(reader, json_object_get(body, "groupClause"), &query->groups) &&
	       read_optional(reader, body, "havingClause", &query->having) &&
	       read_windows(reader, json_object_get(body, "windowClause"), query) &&
	       read_distinct(reader, json_object_get(body, "distinctClause"), query);
}

static bool read_branches(struct reader *reader, json_t *body, struct query *query)
{
	query->left = read_query(reader, json_object_get(body, "larg"));
	query->right = query->left != NULL ? read_query(reader, json_object_get(body, "rarg")) : NULL;
	if (query->right == NULL)
		return false;
	query->at = query->right->at;
	return true;
}

static bool set_operation(const char *word, enum query_op *out)
{
	static const char *const words[] = {"SETOP_NONE", "SETOP_UNION", "SETOP_EXCEPT", "SETOP_INTERSECT"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], word) == 0) {
			*out = (enum query_op)i;
			return true;
		}
	}
	return false;
}

/* Adds the queries of a WITH clause to what is visible. */
static bool open_with(struct reader *reader, json_t *clause)
{
	json_t *list = json_object_get(clause, "ctes");
	/* A position of 0 is left out. */
	int at = read_at(clause) < 0 ? 0 : read_at(clause);
	if (json_is_true(json_object_get(clause, "recursive")))
		return refuse(reader->no, at, "WITH RECURSIVE",
		              "which rows a change reaches cannot be told from the changed rows",
		              "as many joins as there are steps, or a table that triggers keep");
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *body = json_object_get(json_array_get(list, i), "CommonTableExpr");
		json_t *query = json_object_get(json_object_get(body, "ctequery"), "SelectStmt");
		if (query == NULL ||
		    !read_only(reader, body, "CommonTableExpr", "ctename aliascolnames ctematerialized ctequery"))
			return refuse(reader->no, read_at(body), "a WITH query that is no SELECT", "it changes data", "");
		struct with *with = talloc_zero(reader->mem, struct with);
		assert(with != NULL);
		*with = (struct with){.name = read_text(reader, body, "ctename"), .query = query, .before = reader->with};
		with->columns = read_names(reader, json_object_get(body, "aliascolnames"), &with->n_columns);
		reader->with = with;
	}
	return true;
}

static bool refuse_clauses(struct reader *reader, json_t *select)
{
	if (json_object_get(select, "lockingClause") != NULL)
		return refuse(reader->no, -1, "FOR UPDATE", "it locks rows of the sources", "leave it out");
	if (json_object_get(select, "intoClause") != NULL)
		return refuse(reader->no, read_near(select), "SELECT INTO", "it makes a table", "leave INTO out");
	if (json_object_get(select, "valuesLists") != NULL)
		return refuse(reader->no, read_near(select), "VALUES", "it reads no table", "");
	return read_only(reader, select, "SelectStmt",
	                 "distinctClause targetList fromClause whereClause groupClause havingClause windowClause "
	                 "sortClause limitOffset limitCount "
	                 "limitOption withClause op all larg rarg");
}

struct query *read_query(struct reader *reader, json_t *select)
{
	struct query *query = talloc_zero(reader->mem, struct query);
	assert(query != NULL);
	const struct with *outside = reader->with;
	query->at = -1;
	reader->depth++;
	bool good =
		select != NULL && read_budget(reader, -1) && refuse_clauses(reader, select) &&
		set_operation(read_text(reader, select, "op"), &query->op) &&
		open_with(reader, json_object_get(select, "withClause")) &&
		(query->op == QUERY_SELECT ? read_plain(reader, select, query) : read_branches(reader, select, query)) &&
		read_order(reader, json_object_get(select, "sortClause"), &query->order) && read_limit(reader, select, query);
	reader->depth--;
	reader->with = outside;
	if (!good)
		refuse(reader->no, -1, "a query", "the analysis does not know its form", "");
	return good ? query : NULL;
}
