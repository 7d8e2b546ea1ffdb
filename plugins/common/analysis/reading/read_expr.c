/* SPDX-License-Identifier: MIT */
#include "common/analysis/reading/read.h"

#include <string.h>
#include <talloc.h>

static struct expr *new_expr(struct reader *reader, enum expr_kind kind, int at)
{
	struct expr *expr = talloc_zero(reader->mem, struct expr);
	assert(expr != NULL);
	expr->kind = kind;
	expr->at = at;
	expr->name = expr->qualifier = expr->schema = "";
	return expr;
}

static void add_arg(struct reader *reader, struct expr *expr, struct expr *arg)
{
	struct expr_list *list = &expr->args;
	list->items = talloc_realloc(reader->mem, list->items, struct expr *, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = arg;
	if (arg->at >= 0 && (expr->at < 0 || arg->at < expr->at))
		expr->at = arg->at;
}

/* Reads the node of a field as one more argument; a missing one is left out. */
static bool add_field(struct reader *reader, struct expr *expr, json_t *body, const char *field)
{
	json_t *node = json_object_get(body, field);
	if (node == NULL)
		return true;
	struct expr *arg = read_expr(reader, node);
	if (arg == NULL)
		return false;
	add_arg(reader, expr, arg);
	return true;
}

static bool add_array(struct reader *reader, struct expr *expr, json_t *array)
{
	struct expr_list list;
	if (!read_list(reader, array, &list))
		return false;
	for (size_t i = 0; i < list.n; i++)
		add_arg(reader, expr, list.items[i]);
	return true;
}

bool read_list(struct reader *reader, json_t *array, struct expr_list *out)
{
	*out = (struct expr_list){talloc_zero_array(reader->mem, struct expr *, (unsigned)json_array_size(array) + 1), 0};
	assert(out->items != NULL);
	for (size_t i = 0; i < json_array_size(array); i++)
		if ((out->items[out->n++] = read_expr(reader, json_array_get(array, i))) == NULL)
			return false;
	return true;
}

/* ---- one function for each kind of node ---- */

static struct expr *read_column(struct reader *reader, json_t *body)
{
	json_t *fields = json_object_get(body, "fields");
	size_t n;
	const char **names = read_names(reader, fields, &n);
	bool star = n > 0 && json_object_get(json_array_get(fields, n - 1), "A_Star") != NULL;
	struct expr *expr = new_expr(reader, star ? EXPR_STAR : EXPR_COLUMN, read_at(body));
	if (n == 0 || n > 3)
		return refuse(reader->no, expr->at, "a name of many parts", "the analysis does not know it", "") ? expr : NULL;
	expr->name = names[n - 1];
	expr->qualifier = n > 1 ? names[n - 2] : "";
	expr->schema = n > 2 ? names[n - 3] : "";
	return expr;
}

/* A constant's text is different for different constants; that of NULL is empty. */
static const char *const_text(struct reader *reader, json_t *body)
{
	static const char *const kinds[][2] = {{"sval", "'"}, {"fval", ""}, {"bsval", "bit "}};
	json_t *integer = json_object_get(body, "ival"), *boolean = json_object_get(body, "boolval");
	if (integer != NULL)
		return talloc_asprintf(reader->mem, "%d", (int)json_integer_value(json_object_get(integer, "ival")));
	if (boolean != NULL)
		return json_is_true(json_object_get(boolean, "boolval")) ? "true" : "false";
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		json_t *value = json_object_get(body, kinds[i][0]);
		if (value != NULL)
			return talloc_asprintf(reader->mem, "%s%s", kinds[i][1], read_text(reader, value, kinds[i][0]));
	}
	return json_is_true(json_object_get(body, "isnull")) ? "" : NULL;
}

static struct expr *read_const(struct reader *reader, json_t *body)
{
	struct expr *expr = new_expr(reader, EXPR_CONST, read_at(body));
	expr->name = const_text(reader, body);
	if (expr->name != NULL)
		return expr;
	refuse(reader->no, expr->at, "a constant", "the analysis does not know its kind", "");
	return NULL;
}

static enum expr_kind operator_kind(const char *kind, const char *name)
{
	if (strcmp(kind, "AEXPR_NOT_DISTINCT") == 0 || (strcmp(kind, "AEXPR_OP") == 0 && strcmp(name, "<=>") == 0))
		return EXPR_SAME;
	return strcmp(kind, "AEXPR_OP") == 0 ? EXPR_COMPARE : EXPR_OTHER;
}

/* The operator, and which form of it where one operator has several. */
static const char *operator_name(struct reader *reader, const char *form, const char *name)
{
	static const char *const forms[][2] = {{"AEXPR_OP_ANY", "ANY"},
	                                       {"AEXPR_OP_ALL", "ALL"},
	                                       {"AEXPR_NULLIF", "in NULLIF"},
	                                       {"AEXPR_IN", "in IN"},
	                                       {"AEXPR_DISTINCT", "IS DISTINCT"}};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (strcmp(form, forms[i][0]) != 0)
			continue;
		const char *text = talloc_asprintf(reader->mem, "%s %s", name, forms[i][1]);
		assert(text != NULL);
		return text;
	}
	return name;
}

/* An operator by its name; with its schema where one is written that is not the engine's own, since nobody knows what
 * it does. No name: `otherwise`. */
static const char *read_operator_name(struct reader *reader, json_t *list, const char *otherwise)
{
	size_t n;
	const char **names = read_names(reader, list, &n);
	if (n == 0)
		return otherwise;
	if (n == 1 || strcmp(names[n - 2], "pg_catalog") == 0)
		return names[n - 1];
	const char *text = talloc_asprintf(reader->mem, "%s.%s", names[n - 2], names[n - 1]);
	assert(text != NULL);
	return text;
}

static struct expr *read_operator(struct reader *reader, json_t *body)
{
	const char *name = read_operator_name(reader, json_object_get(body, "name"), "");
	struct expr *expr = new_expr(reader, operator_kind(read_text(reader, body, "kind"), name), read_at(body));
	const char *form = read_text(reader, body, "kind");
	expr->name = operator_name(reader, form, name);
	if (!read_only(reader, body, "A_Expr", "kind name lexpr rexpr"))
		return NULL;
	return add_field(reader, expr, body, "lexpr") && add_field(reader, expr, body, "rexpr") ? expr : NULL;
}

/* AND within AND and OR within OR become one. */
static struct expr *read_bool(struct reader *reader, json_t *body)
{
	const char *op = read_text(reader, body, "boolop");
	enum expr_kind kind = strcmp(op, "AND_EXPR") == 0 ? EXPR_AND : strcmp(op, "OR_EXPR") == 0 ? EXPR_OR : EXPR_NOT;
	struct expr *expr = new_expr(reader, kind, -1);
	struct expr_list list;
	if (!read_list(reader, json_object_get(body, "args"), &list))
		return NULL;
	for (size_t i = 0; i < list.n; i++) {
		struct expr *arg = list.items[i];
		if (arg->kind != kind || kind == EXPR_NOT)
			add_arg(reader, expr, arg);
		else
			for (size_t k = 0; k < arg->args.n; k++)
				add_arg(reader, expr, arg->args.items[k]);
	}
	if (kind == EXPR_NOT && list.n == 1 && list.items[0]->kind == EXPR_SUBQUERY &&
	    list.items[0]->subquery == SUBQUERY_IN) {
		list.items[0]->subquery = SUBQUERY_NOT_IN;
		return list.items[0];
	}
	if (kind == EXPR_NOT)
		expr->at = read_at(body);
	return expr;
}

#define FRAME_ROWS 4 /* FRAMEOPTION_ROWS of PostgreSQL's parsenodes.h */

/* How far a frame reaches is a number, if anything. */
static bool read_offset(struct reader *reader, json_t *body, const char *field)
{
	json_t *node = json_object_get(body, field);
	return node == NULL || json_object_get(node, "A_Const") != NULL ||
	       refuse(reader->no, read_near(node), "a frame of computed width", "the analysis does not look at it",
	              "write a number");
}

struct window *read_window(struct reader *reader, json_t *body)
{
	struct window *window = talloc_zero(reader->mem, struct window);
	assert(window != NULL);
	json_t *order = json_object_get(body, "orderClause"), *nodes = json_array();
	window->at = read_at(body);
	window->name = read_text(reader, body, "name");
	if (window->name[0] == '\0')
		window->name = read_text(reader, body, "refname");
	for (size_t i = 0; i < json_array_size(order); i++)
		json_array_append(nodes, json_object_get(json_object_get(json_array_get(order, i), "SortBy"), "node"));
	window->rows = (json_integer_value(json_object_get(body, "frameOptions")) & FRAME_ROWS) != 0;
	bool good = read_offset(reader, body, "startOffset") && read_offset(reader, body, "endOffset") &&
	            read_only(reader, body, "WindowDef",
	                      "name refname partitionClause orderClause frameOptions startOffset endOffset") &&
	            read_list(reader, json_object_get(body, "partitionClause"), &window->partition) &&
	            read_list(reader, nodes, &window->order);
	json_decref(nodes);
	return good ? window : NULL;
}

static bool read_call_parts(struct reader *reader, json_t *body, struct expr_call *call)
{
	json_t *filter = json_object_get(body, "agg_filter"), *over = json_object_get(body, "over");
	call->star = json_is_true(json_object_get(body, "agg_star"));
	call->distinct = json_is_true(json_object_get(body, "agg_distinct"));
	call->ordered = json_object_get(body, "agg_order") != NULL;
	if (filter != NULL && (call->filter = read_expr(reader, filter)) == NULL)
		return false;
	return over == NULL || (call->over = read_window(reader, over)) != NULL;
}

/* The expressions of ORDER BY inside an aggregate are arguments like any other here. */
static bool add_call_order(struct reader *reader, struct expr *expr, json_t *body)
{
	json_t *order = json_object_get(body, "agg_order");
	for (size_t i = 0; i < json_array_size(order); i++)
		if (!add_field(reader, expr, json_object_get(json_array_get(order, i), "SortBy"), "node"))
			return false;
	return true;
}

static struct expr *read_call(struct reader *reader, json_t *body)
{
	size_t n;
	const char **names = read_names(reader, json_object_get(body, "funcname"), &n);
	struct expr *expr = new_expr(reader, EXPR_CALL, read_at(body));
	if (!read_only(
			reader, body, "FuncCall",
			"funcname args agg_order agg_filter over agg_within_group agg_star agg_distinct func_variadic funcformat"))
		return NULL;
	expr->name = n > 0 ? names[n - 1] : "";
	expr->schema = n > 1 ? names[n - 2] : "";
	expr->call = talloc_zero(reader->mem, struct expr_call);
	assert(expr->call != NULL);
	bool good = add_array(reader, expr, json_object_get(body, "args")) && add_call_order(reader, expr, body) &&
	            read_call_parts(reader, body, expr->call);
	return good ? expr : NULL;
}

static enum subquery_kind subquery_kind(struct reader *reader, json_t *body)
{
	const char *type = read_text(reader, body, "subLinkType");
	const char *op = read_operator_name(reader, json_object_get(body, "operName"), "=");
	if (strcmp(type, "EXISTS_SUBLINK") == 0)
		return SUBQUERY_EXISTS;
	if (strcmp(type, "EXPR_SUBLINK") == 0)
		return SUBQUERY_VALUE;
	if (strcmp(type, "ANY_SUBLINK") == 0 && strcmp(op, "=") == 0)
		return SUBQUERY_IN;
	return strcmp(type, "ALL_SUBLINK") == 0 && strcmp(op, "<>") == 0 ? SUBQUERY_NOT_IN : SUBQUERY_OTHER;
}

static struct expr *read_subquery(struct reader *reader, json_t *body)
{
	struct expr *expr = new_expr(reader, EXPR_SUBQUERY, read_at(body));
	if (!read_only(reader, body, "SubLink", "subLinkType testexpr operName subselect"))
		return NULL;
	expr->subquery = subquery_kind(reader, body);
	expr->query = read_query(reader, json_object_get(json_object_get(body, "subselect"), "SelectStmt"));
	if (expr->query != NULL && expr->query->order.n == 0 &&
	    strcmp(read_text(reader, body, "subLinkType"), "ARRAY_SUBLINK") == 0) {
		refuse(reader->no, expr->at, "an array of rows", "it depends on the order of the rows",
		       "give it ORDER BY with columns that leave no two rows equal");
		return NULL;
	}
	return expr->query != NULL && add_field(reader, expr, body, "testexpr") ? expr : NULL;
}

static struct expr *read_case(struct reader *reader, json_t *body)
{
	struct expr *expr = new_expr(reader, EXPR_CASE, read_at(body));
	json_t *whens = json_object_get(body, "args");
	expr->name = json_object_get(body, "arg") != NULL ? "of" : "";
	if (!read_only(reader, body, "CaseExpr", "arg args defresult") || !add_field(reader, expr, body, "arg"))
		return NULL;
	for (size_t i = 0; i < json_array_size(whens); i++)
		if (!add_field(reader, expr, json_object_get(json_array_get(whens, i), "CaseWhen"), "expr"))
			return NULL;
	size_t before = expr->args.n;
	for (size_t i = 0; i < json_array_size(whens); i++)
		if (!add_field(reader, expr, json_object_get(json_array_get(whens, i), "CaseWhen"), "result"))
			return NULL;
	if (!add_field(reader, expr, body, "defresult"))
		return NULL;
	expr->case_results = expr->args.n - before;
	return expr;
}

static struct expr *read_cast(struct reader *reader, json_t *body)
{
	json_t *type = json_object_get(body, "typeName");
	size_t n;
	const char **names = read_names(reader, json_object_get(type, "names"), &n);
	json_t *mods = json_object_get(type, "typmods"), *mod;
	struct expr *expr = new_expr(reader, EXPR_CAST, read_at(type));
	size_t i;
	char *name = talloc_strdup(reader->mem, n > 0 ? names[n - 1] : "");
	json_array_foreach(mods, i, mod) {
		json_t *integer = json_object_get(json_object_get(mod, "A_Const"), "ival");
		name = talloc_asprintf_append(name, "%s%d", i == 0 ? "(" : ",",
		                              (int)json_integer_value(json_object_get(integer, "ival")));
	}
	expr->name = talloc_asprintf(reader->mem, "%s%s%s", name, mods != NULL ? ")" : "",
	                             json_object_get(type, "arrayBounds") != NULL ? "[]" : "");
	assert(expr->name != NULL);
	return read_only(reader, body, "TypeCast", "arg typeName") && add_field(reader, expr, body, "arg") ? expr : NULL;
}

static struct expr *read_row(struct reader *reader, json_t *body)
{
	struct expr *expr = new_expr(reader, EXPR_ROW, read_at(body));
	return add_array(reader, expr, json_object_get(body, "args")) ? expr : NULL;
}

/* The kind, and which form of it: IS NULL and IS NOT NULL are two. */
static const char *other_name(struct reader *reader, json_t *body, const char *kind)
{
	static const char *const forms[] = {"nulltesttype", "booltesttype", "op"};
	char *name = talloc_strdup(reader->mem, kind);
	size_t n;
	const char **collation = read_names(reader, json_object_get(body, "collname"), &n);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (json_object_get(body, forms[i]) != NULL)
			name = talloc_asprintf_append(name, " %s", read_text(reader, body, forms[i]));
	for (size_t i = 0; i < n; i++)
		name = talloc_asprintf_append(name, " %s", collation[i]);
	assert(name != NULL);
	return name;
}

/* Whatever it does with its arguments, it does always the same. fields: those that hold one argument or a list of
 * them. */
static struct expr *read_other(struct reader *reader, json_t *body, const char *kind)
{
	static const char *const single[] = {"arg"}, *const lists[] = {"args", "elements", "items"};
	struct expr *expr = new_expr(reader, EXPR_OTHER, read_at(body));
	if (!read_only(reader, body, kind, "arg args elements items nulltesttype booltesttype op collname"))
		return NULL;
	expr->name = other_name(reader, body, kind);
	for (size_t i = 0; i < ARRAY_LEN(single); i++)
		if (!add_field(reader, expr, body, single[i]))
			return NULL;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (!add_array(reader, expr, json_object_get(body, lists[i])))
			return NULL;
	return expr;
}

static bool is_other(const char *kind)
{
	static const char *const kinds[] = {"NullTest",    "BooleanTest",   "CoalesceExpr", "MinMaxExpr",
	                                    "A_ArrayExpr", "CollateClause", "List"};
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i], kind) == 0)
			return true;
	return false;
}

static struct expr *refuse_node(struct reader *reader, const char *kind, json_t *body)
{
	static const struct {
		const char *kind, *construct, *why, *help;
	} rows[] = {
		{"SQLValueFunction", "the clock or the user", "its value changes although no row does",
	     "use a schedule, or a column"},
		{"ParamRef", "a parameter", "its value is not part of the definition", "write the value"},
		{"GroupingSet", "grouping sets, ROLLUP or CUBE", "a row of the total belongs to every value of the key",
	     "one view for each grouping"},
		{"GroupingFunc", "GROUPING()", "a row of the total belongs to every value of the key",
	     "one view for each grouping"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(kind, rows[i].kind) == 0)
			refuse(reader->no, read_at(body), rows[i].construct, rows[i].why, rows[i].help);
	refuse_named(reader->no, read_at(body), "construct", kind, "the analysis does not know it", "");
	return NULL;
}

static struct expr *read_body(struct reader *reader, const char *kind, json_t *body)
{
	static const struct {
		const char *kind;
		struct expr *(*read)(struct reader *reader, json_t *body);
	} rows[] = {
		{"ColumnRef", read_column}, {"A_Const", read_const}, {"A_Expr", read_operator},
		{"BoolExpr", read_bool},    {"FuncCall", read_call}, {"SubLink", read_subquery},
		{"CaseExpr", read_case},    {"TypeCast", read_cast}, {"RowExpr", read_row},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(kind, rows[i].kind) == 0)
			return rows[i].read(reader, body);
	return is_other(kind) ? read_other(reader, body, kind) : refuse_node(reader, kind, body);
}

struct expr *read_expr(struct reader *reader, json_t *node)
{
	json_t *body;
	const char *kind = read_kind(node, &body);
	if (!read_budget(reader, read_at(body)))
		return NULL;
	reader->depth++;
	struct expr *expr = read_body(reader, kind, body);
	reader->depth--;
	return expr;
}
