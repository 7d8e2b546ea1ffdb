/* SPDX-License-Identifier: MIT
 *
 * sources.c: finds what a view reads in the server's own text of the view.
 *
 * information_schema.VIEWS.VIEW_DEFINITION holds every table as `database`.`table`; a column may look the same
 * (`alias`.`column`), so only what stands after FROM, JOIN or a comma of a FROM list counts.
 */
#include "mysql/my.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"

#define MAX_DEPTH 256
#define MAX_SOURCES 4096

/* One level of parentheses. */
struct level {
	bool in_from;  /* between FROM and the next clause */
	bool function; /* EXTRACT(x FROM y) and the like: FROM means something else */
};

struct ref_scan {
	const char *begin;
	const char *at;
	struct level levels[MAX_DEPTH];
	size_t depth;
	bool expect;         /* a table comes next */
	bool maybe_function; /* the last token was a word that takes FROM inside its parentheses */
};

static struct lex_token next_solid(struct ref_scan *scan)
{
	struct lex_token tok;

	do {
		tok = lex_next(my_syntax.lexer.flags, &scan->at);
	} while (tok.kind == LEX_SPACE || tok.kind == LEX_COMMENT);
	return tok;
}

static bool is_any(const struct lex_token *tok, const char *const *words)
{
	for (; *words != NULL; words++)
		if (lex_is(tok, *words))
			return true;
	return false;
}

static void see_word(struct ref_scan *scan, const struct lex_token *tok)
{
	static const char *const clauses[] = {"where", "group",  "having",    "order",  "limit",
	                                      "union", "except", "intersect", "window", NULL};
	static const char *const conditions[] = {"on", "using", "use", "force", "ignore", "partition", NULL};
	static const char *const with_from[] = {"extract", "trim", "substring", "substr", "position", NULL};
	struct level *level = &scan->levels[scan->depth];

	scan->maybe_function = is_any(tok, with_from);
	if (lex_is(tok, "select")) {
		level->function = level->in_from = scan->expect = false;
	} else if (lex_is(tok, "from") && !level->function) {
		level->in_from = scan->expect = true;
	} else if (lex_is(tok, "join") || lex_is(tok, "straight_join")) {
		scan->expect = level->in_from;
	} else if (is_any(tok, clauses)) {
		level->in_from = scan->expect = false;
	} else if (is_any(tok, conditions)) {
		scan->expect = false;
	} else if (!lex_is(tok, "lateral")) {
		scan->expect = false;
	}
}

static void see_mark(struct ref_scan *scan, char mark)
{
	struct level *level = &scan->levels[scan->depth];

	if (mark == '(' && scan->depth + 1 < MAX_DEPTH) {
		scan->levels[++scan->depth] = (struct level){.in_from = scan->expect, .function = scan->maybe_function};
	} else if (mark == ')' && scan->depth > 0) {
		scan->depth--;
		scan->expect = false;
	} else if (mark == ',') {
		scan->expect = level->in_from;
	}
	scan->maybe_function = false;
}

/* `a``b` -> a`b; false when it does not fit. */
static bool unquote(const struct lex_token *tok, char out[static IDENT_MAX])
{
	size_t n = 0;

	for (size_t i = 1; i + 1 < tok->len; i++) {
		if (n + 1 >= IDENT_MAX)
			return false;
		out[n++] = tok->text[i];
		if (tok->text[i] == '`')
			i++;
	}
	out[n] = '\0';
	return true;
}

/* tok is a quoted name where a table is expected: reads the rest of `db`.`table`. A single name is one of a WITH
 * clause. */
static bool read_ref(struct ref_scan *scan, const struct lex_token *tok, struct relation *out)
{
	const char *before = scan->at;
	struct lex_token dot = next_solid(scan);
	struct lex_token name = next_solid(scan);

	if (dot.text[0] != '.' || name.kind != LEX_IDENT) {
		scan->at = before;
		return false;
	}
	return unquote(tok, out->schema) && unquote(&name, out->name);
}

void my_scan_refs(const char *canonical, my_ref_fn *each, void *ctx)
{
	struct ref_scan scan = {.begin = canonical, .at = canonical};
	struct lex_token tok;
	struct relation ref;

	while ((tok = next_solid(&scan)).kind != LEX_END) {
		if (tok.kind == LEX_WORD) {
			see_word(&scan, &tok);
		} else if (tok.kind == LEX_OTHER) {
			see_mark(&scan, tok.text[0]);
		} else {
			bool table = tok.kind == LEX_IDENT && scan.expect && read_ref(&scan, &tok, &ref);
			scan.expect = scan.maybe_function = false;
			if (table && !each(ctx, &ref, (size_t)(tok.text - canonical), (size_t)(scan.at - tok.text)))
				return;
		}
	}
}

/* ---- what a definition reads, through views too */

struct found_source {
	struct relation rel;
	enum viewd_kind kind;
};

struct closure {
	void *mem;
	struct found_source *items;
	size_t n;
};

static bool closure_add(void *ctx, const struct relation *ref, size_t start UNUSED, size_t len UNUSED)
{
	struct closure *all = ctx;

	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->items[i].rel.schema, ref->schema) == 0 && strcmp(all->items[i].rel.name, ref->name) == 0)
			return true;
	if (all->n == MAX_SOURCES)
		return false;
	all->items = talloc_realloc(all->mem, all->items, struct found_source, all->n + 1);
	all->items[all->n++] = (struct found_source){.rel = *ref};
	return true;
}

/* The kind of one source; when it is a view, what that reads is appended. */
static bool closure_step(struct viewd_conn *conn, struct closure *all, size_t i, struct viewd_err *err)
{
	struct relation rel = all->items[i].rel;
	struct db_object object;
	char *text;

	if (!my_find_object(&conn->db, &rel, &object, err))
		return false;
	all->items[i].kind = object.kind;
	if (object.kind != VIEWD_KIND_VIEW)
		return true;
	if (!my_view_text(conn, all->mem, &rel, &text, err))
		return false;
	if (text == NULL || text[0] == '\0')
		db_log(&conn->db, VIEWD_LOG_WARNING, "view '%s' hides what it reads (the account needs SHOW VIEW on it)",
		       rel.name);
	else
		my_scan_refs(text, closure_add, all);
	return true;
}

bool my_probe_text(struct viewd_conn *conn, void *mem, const char *definition, char **text_r, struct viewd_err *err)
{
	struct relation probe;
	char *text = NULL;

	if (!my_probe_open(conn, definition, &probe, err))
		return false;
	bool done = my_view_text(conn, mem, &probe, &text, err);
	my_probe_close(conn, &probe);
	if (done && (text == NULL || text[0] == '\0')) {
		err_set(err, VIEWD_ERR_DENIED, "sources cannot be found (the server hides the text of a view just made)");
		return err_hint(err, "GRANT SHOW VIEW on the database of the url");
	}
	*text_r = text;
	return done;
}

static bool read_probe(struct viewd_conn *conn, struct closure *all, const char *definition, struct viewd_err *err)
{
	char *text;

	if (!my_probe_text(conn, all->mem, definition, &text, err))
		return false;
	my_scan_refs(text, closure_add, all);
	return true;
}

/* ---- without the privilege to make a view: every identifier of the definition that names a table counts */

static bool add_name(void *ctx, const char *name)
{
	char **list = ctx;
	char *literal = literal_quoted(&my_syntax, NULL, name);

	*list = sql_add(*list, ", %s", literal);
	talloc_free(literal);
	return true;
}

static bool add_table_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct relation rel = {.schema = ""};

	snprintf(rel.schema, sizeof rel.schema, "%s", values[0]);
	snprintf(rel.name, sizeof rel.name, "%s", values[1]);
	closure_add(ctx, &rel, 0, 0);
	return true;
}

static const struct db_reader add_table[] = {{add_table_fn, "tt", "tables that may be sources"}};

bool my_mentioned_tables(struct viewd_conn *conn, const char *schema, const char *text, const struct db_reader *row,
                         void *ctx, struct viewd_err *err)
{
	char *names = sql_add(sql_new(conn), "''");

	lex_mentions(&my_syntax, text, (struct viewd_text_sink){add_name, &names});
	char *sql = talloc_asprintf(conn,
	                            "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES"
	                            " WHERE (TABLE_SCHEMA = %s OR TABLE_SCHEMA IN (%s)) AND TABLE_NAME IN (%s)",
	                            literal_quoted(&my_syntax, names, schema), names, names);
	bool done = my_query(&conn->db, sql, NULL, 0, row, ctx, err);
	talloc_free(sql);
	talloc_free(names);
	return done;
}

static bool guess(struct viewd_conn *conn, struct closure *all, const char *definition, struct viewd_err *err)
{
	db_log(&conn->db, VIEWD_LOG_WARNING,
	       "sources are guessed from the text of the definition (the account lacks CREATE VIEW)");
	return my_mentioned_tables(conn, conn->url->database, definition, add_table, all, err);
}

static bool find_direct(struct viewd_conn *conn, struct closure *all, const char *definition, struct viewd_err *err)
{
	struct viewd_err failure = {0};

	if (read_probe(conn, all, definition, &failure))
		return true;
	if (failure.cls == VIEWD_ERR_DENIED)
		return guess(conn, all, definition, err);
	if (err != NULL)
		*err = failure;
	return false;
}

bool my_list_sources(struct db *db, const char *definition, struct viewd_source_sink sink, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	struct closure all = {.mem = talloc_new(conn)};
	bool done = find_direct(conn, &all, definition, err);

	for (size_t i = 0; done && i < all.n; i++)
		done = closure_step(conn, &all, i, err);
	for (size_t i = 0; done && i < all.n; i++) {
		struct viewd_source source = {
			.schema = all.items[i].rel.schema, .name = all.items[i].rel.name, .kind = all.items[i].kind};
		if (!sink.fn(sink.ctx, &source))
			break;
	}
	talloc_free(all.mem);
	return done;
}

/* ---- who reads a relation */

struct dependants {
	struct viewd_conn *conn;
	const struct relation *rel;
	const struct db_reader *row;
	void *ctx;
	bool reads; /* the view looked at reads rel */
	bool misfit;
	struct viewd_err *err;
};

static bool same_name(const struct dependants *search, const char *a, const char *b)
{
	return (search->conn->names_fold ? strcasecmp(a, b) : strcmp(a, b)) == 0;
}

static bool match_ref(void *ctx, const struct relation *ref, size_t start UNUSED, size_t len UNUSED)
{
	struct dependants *search = ctx;

	search->reads =
		same_name(search, ref->schema, search->rel->schema) && same_name(search, ref->name, search->rel->name);
	return !search->reads;
}

static bool judge_view_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct dependants *search = ctx;

	search->reads = false;
	my_scan_refs(values[2] != NULL ? values[2] : "", match_ref, search);
	if (!search->reads)
		return true;
	const char *dependant[3] = {"VIEW", values[0], values[1]};
	bool more = false;
	search->misfit = !db_give(search->row, search->ctx, dependant, 3, &more, search->err);
	return !search->misfit && more;
}

static const struct db_reader judge_view[] = {{judge_view_fn, "ttT", "the views of the server"}};

bool my_list_dependants(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                        struct viewd_err *err)
{
	static const char sql[] = "SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS"
							  " WHERE LOCATE(?, VIEW_DEFINITION) > 0 AND TABLE_NAME NOT LIKE 'viewd\\_probe\\_%'";
	struct viewd_conn *conn = my_conn(db);
	struct relation at;

	my_place(conn, rel, &at);
	char *quoted = ident_append(&my_syntax, sql_new(conn), at.name);
	const char *params[] = {quoted};
	struct dependants search = {.conn = conn, .rel = &at, .row = row, .ctx = ctx, .err = err};
	bool done = my_query(db, sql, params, 1, judge_view, &search, err) && !search.misfit;
	talloc_free(quoted);
	return done;
}
