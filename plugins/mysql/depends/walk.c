/* SPDX-License-Identifier: MIT
 *
 * walk.c: everything that a definition depends on, through plain views and stored functions.
 *
 * The definition and plain views are read in the server's own text of them. A function's body is text as well, and
 * since it can have no dynamic SQL, whatever it reads is named there: every word in it that is the name of a table
 * counts, perhaps too many.
 */
#include "mysql/depends/walk.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/sqltext/timeword.h"
#include "common/state/state.h"
#include "mysql/conn/texts.h"

#define MAX_ENTRIES 4096

struct walk {
	struct viewd_conn *conn;
	struct dependencies *list;
	void *mem;
	struct viewd_err *err;
	bool good;
	const char *home;     /* the database of the text that is being read */
	const char *function; /* the stored function whose body is read, NULL: a view's text */
	struct texts read;    /* what a body was found to read, quoted */
	struct texts natives; /* the server's own functions and key words, lower case; empty: unknown */
};

static bool walk_text(struct walk *w, const char *text, const char *home, const char *function);

static bool is_listed(const struct dependencies *list, const char *source)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].source, source) == 0)
			return true;
	return false;
}

static void add_unheard(struct walk *w, enum viewd_depends kind, const char *source, const char *reason)
{
	const struct dependency entry = {.kind = kind, .source = source, .unheard = reason};

	dependencies_add(&w->conn->db, w->list, &entry);
}

static bool fail_walk(struct walk *w)
{
	w->good = false;
	return false;
}

/* ---- relations */

struct relation_row {
	char type[64], engine[64];
	bool there;
};

static bool take_relation_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct relation_row *row = ctx;

	row->there = true;
	snprintf(row->type, sizeof row->type, "%s", v[0] != NULL ? v[0] : "");
	snprintf(row->engine, sizeof row->engine, "%s", v[1] != NULL ? v[1] : "");
	return false;
}

static const struct db_reader take_relation[] = {{take_relation_fn, "TT", "what a name stands for"}};

static bool is_catalogue(const char *schema)
{
	static const char *const names[] = {"information_schema", "performance_schema", "mysql", "sys"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(names[i], schema) == 0)
			return true;
	return false;
}

/* Only these have their rows for themselves: FEDERATED, CONNECT and others have them from elsewhere, MERGE from tables
 * that are written directly. An engine that the server does not tell is believed to be one of these. */
static bool is_elsewhere(const char *engine)
{
	static const char *const names[] = {"",        "InnoDB",  "MyISAM", "Aria",    "MEMORY",
	                                    "ARCHIVE", "ROCKSDB", "TokuDB", "SEQUENCE"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(names[i], engine) == 0)
			return false;
	return true;
}

/* viewd's own tables of the URL's database. */
static bool is_own(const struct walk *w, const struct relation *rel)
{
	static const char *const names[] = {"viewd_changes", "viewd_slots",   "viewd_triggers", "viewd_tables",
	                                    "viewd_daemon",  "viewd_intents", "viewd_position"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(names[i], rel->name) == 0)
			return strcasecmp(w->conn->url->database, rel->schema) == 0;
	return state_is_table(rel->name) && strcasecmp(w->conn->url->database, rel->schema) == 0;
}

/* seq_1_to_10, seq_1_to_10_step_2: rows that the engine SEQUENCE makes up, the same for ever. */
static bool is_made_up(const char *name)
{
	unsigned long long from, to, step;
	int end = 0, more = 0;

	if (sscanf(name, "seq_%llu_to_%llu%n_step_%llu%n", &from, &to, &end, &step, &more) < 2)
		return false;
	return name[more > 0 ? more : end] == '\0';
}

static bool add_view(struct walk *w, struct dependency *entry)
{
	const struct relation rel = entry->rel;
	char *text;

	entry->kind = VIEWD_DEPENDS_VIEW;
	if (!my_view_text(w->conn, w->mem, &rel, &text, w->err))
		return fail_walk(w);
	bool hidden = text == NULL || text[0] == '\0';
	if (hidden)
		entry->unheard = "the server hides its text (the account needs SHOW VIEW on it)";
	dependencies_add(&w->conn->db, w->list, entry);
	return hidden || walk_text(w, text, rel.schema, NULL);
}

static bool add_found(struct walk *w, struct dependency *entry, const struct relation_row *row)
{
	if (strcmp(row->type, "VIEW") == 0)
		return add_view(w, entry);
	if (is_own(w, &entry->rel))
		entry->unheard = STATE_UNHEARD;
	if (strcmp(row->type, "SEQUENCE") == 0) {
		entry->kind = VIEWD_DEPENDS_SEQUENCE;
		entry->unheard = "a sequence moves without a row being written";
	} else if (is_elsewhere(row->engine)) {
		entry->kind = VIEWD_DEPENDS_FOREIGN;
		entry->unheard = talloc_asprintf(w->mem, "its engine %s has the rows from elsewhere", row->engine);
	}
	dependencies_add(&w->conn->db, w->list, entry);
	return true;
}

/* Adds what stands for a relation in a text, and what it reads in its turn. */
static bool add_relation(struct walk *w, const struct relation *rel)
{
	struct dependency entry = {.kind = VIEWD_DEPENDS_TABLE, .rel = *rel};
	char *quoted = relation_quoted(&my_syntax, w->mem, rel), *digest;
	struct relation_row row = {.there = false};

	if (is_listed(w->list, quoted) || w->list->n >= MAX_ENTRIES)
		return true;
	if (is_catalogue(rel->schema)) {
		entry.kind = VIEWD_DEPENDS_CATALOGUE;
		entry.unheard = "nothing tells of what the server has in its own tables";
		dependencies_add(&w->conn->db, w->list, &entry);
		return true;
	}
	char *sql = talloc_asprintf(w->mem, "SELECT TABLE_TYPE, ENGINE FROM information_schema.TABLES WHERE %s",
	                            my_where(w->conn, w->mem, rel));
	if (!my_query(&w->conn->db, sql, NULL, 0, take_relation, &row, w->err) ||
	    !look_at_object(w->conn, w->mem, rel, false, &digest, w->err))
		return fail_walk(w);
	if (is_made_up(rel->name) && (!row.there || strcasecmp(row.engine, "SEQUENCE") == 0))
		return true;
	if (!row.there || digest == NULL) {
		err_set(w->err, VIEWD_ERR_MISSING, "table %s does not exist, or the account may not see it", quoted);
		return fail_walk(w);
	}
	entry.stamp = entry.digest = digest;
	return add_found(w, &entry, &row);
}

static bool see_ref(void *ctx, const struct relation *ref, size_t start UNUSED, size_t len UNUSED)
{
	return add_relation(ctx, ref);
}

/* ---- functions */

struct body {
	void *mem;
	bool there;
	char *text; /* NULL: hidden */
};

static bool take_body_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct body *body = ctx;

	body->there = true;
	body->text = v[0] != NULL ? talloc_strdup(body->mem, v[0]) : NULL;
	return false;
}

static const struct db_reader take_body[] = {{take_body_fn, "T", "the body of a function"}};

static bool find_body(struct walk *w, const struct relation *name, struct body *out)
{
	const char *params[] = {name->schema, name->name};

	*out = (struct body){.mem = w->mem};
	return my_query(&w->conn->db,
	                "SELECT ROUTINE_DEFINITION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ? AND "
	                "ROUTINE_NAME = ?"
	                " AND ROUTINE_TYPE = 'FUNCTION'",
	                params, ARRAY_LEN(params), take_body, out, w->err) ||
	       fail_walk(w);
}

static bool add_function(struct walk *w, const struct relation *name, const struct body *body)
{
	char *quoted = relation_quoted(&my_syntax, w->mem, name);
	struct dependency entry = {.kind = VIEWD_DEPENDS_FUNCTION,
	                           .source = talloc_asprintf(w->mem, FUNCTION_PREFIX "%s", quoted)};
	char *digest;

	if (is_listed(w->list, entry.source) || w->list->n >= MAX_ENTRIES)
		return true;
	if (!look_at_object(w->conn, w->mem, name, true, &digest, w->err))
		return fail_walk(w);
	entry.stamp = entry.digest = digest;
	if (body->text == NULL)
		entry.unheard =
			"the server hides its body, so what it reads is unknown (GRANT SELECT ON mysql.proc; MySQL: SHOW_ROUTINE)";
	dependencies_add(&w->conn->db, w->list, &entry);
	return body->text == NULL || walk_text(w, body->text, name->schema, quoted);
}

/* Asked once a walk. A server that does not tell (MySQL, MariaDB before 10.6.3) is believed to have no loaded ones. */
static bool is_native(struct walk *w, const char *name)
{
	static const char *const families[] = {"st_", "mbr", "geom", "point", "line", "poly", "multi"};
	char lower[IDENT_MAX];
	size_t n = 0;

	if (!w->conn->mariadb)
		return true;
	if (w->natives.n == 0 &&
	    !my_query(&w->conn->db,
	              "SELECT LOWER(`FUNCTION`) FROM information_schema.SQL_FUNCTIONS UNION SELECT LOWER(WORD)"
	              " FROM information_schema.KEYWORDS",
	              NULL, 0, texts_reader, &w->natives, NULL))
		return true;
	for (; name[n] != '\0' && n + 1 < sizeof lower; n++)
		lower[n] = name[n] >= 'A' && name[n] <= 'Z' ? (char)(name[n] - 'A' + 'a') : name[n];
	lower[n] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (strncmp(lower, families[i], strlen(families[i])) == 0)
			return true;
	return texts_contain(&w->natives, lower);
}

static bool is_sequence_call(const char *name)
{
	return strcasecmp(name, "nextval") == 0 || strcasecmp(name, "lastval") == 0 || strcasecmp(name, "setval") == 0;
}

static bool see_native(struct walk *w, const struct routine_call *call)
{
	if (is_sequence_call(call->name.name)) {
		struct dependency entry = {.kind = VIEWD_DEPENDS_SEQUENCE,
		                           .rel = call->argument,
		                           .unheard = "a sequence moves without a row being written"};
		if (entry.rel.schema[0] == '\0')
			snprintf(entry.rel.schema, sizeof entry.rel.schema, "%s", w->home);
		dependencies_add(&w->conn->db, w->list, &entry);
	} else if (calls_is_fickle(call->name.name)) {
		add_unheard(w, VIEWD_DEPENDS_OTHER, talloc_asprintf(w->mem, "function %s()", call->name.name),
		            "it gives another value each time");
	} else if (!is_native(w, call->name.name)) {
		add_unheard(w, VIEWD_DEPENDS_OTHER, talloc_asprintf(w->mem, "function %s()", call->name.name),
		            "it is a loaded function, and nobody knows what it reads");
	}
	return true;
}

/* In a body names are as the author wrote them, and what stands before a parenthesis may be a table or a label as
 * well. */
static bool see_call(void *ctx, const struct routine_call *call)
{
	struct walk *w = ctx;
	struct relation name = call->name;
	struct body body;

	if (!call->quoted && name.schema[0] == '\0' &&
	    (w->function == NULL || is_sequence_call(name.name) || calls_is_fickle(name.name)))
		return see_native(w, call);
	if (name.schema[0] == '\0')
		snprintf(name.schema, sizeof name.schema, "%s", w->home);
	if (!find_body(w, &name, &body))
		return false;
	if (body.there)
		return add_function(w, &name, &body);
	char *quoted = relation_quoted(&my_syntax, w->mem, &name);
	if (w->function == NULL)
		add_unheard(w, VIEWD_DEPENDS_FUNCTION, talloc_asprintf(w->mem, FUNCTION_PREFIX "%s", quoted),
		            "the account may not see it, so what it reads is unknown");
	return w->function == NULL || call->quoted || texts_contain(&w->read, quoted) || is_native(w, call->name.name) ||
	       see_native(w, call);
}

/* ---- texts */

static bool see_mention_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct texts *found = ctx;

	return texts_keep(found, v, 1) && texts_keep(found, v + 1, 1);
}

static const struct db_reader see_mention[] = {{see_mention_fn, "tt", "tables that a body names"}};

/* Tables that a body reads and the account cannot see were not among the tables found. */
static bool see_read(void *ctx, const struct relation *name)
{
	struct walk *w = ctx;
	struct relation at = *name;

	if (at.schema[0] == '\0')
		snprintf(at.schema, sizeof at.schema, "%s", w->home);
	char *quoted = relation_quoted(&my_syntax, w->mem, &at);
	if (!texts_contain(&w->read, quoted) && !is_catalogue(at.schema) && !is_made_up(at.name))
		add_unheard(w, VIEWD_DEPENDS_OTHER, talloc_asprintf(w->mem, "what %s reads as %s", w->function, quoted),
		            "it does not exist, or the account may not see it");
	return true;
}

static bool walk_body(struct walk *w, const char *text)
{
	struct texts found = {.mem = w->mem}, outer = w->read;

	w->read = (struct texts){.mem = w->mem};
	if (!my_mentioned_tables(w->conn, w->home, text, see_mention, &found, w->err))
		return fail_walk(w);
	for (size_t i = 0; i + 1 < found.n && w->good; i += 2) {
		struct relation rel = {.schema = ""};
		snprintf(rel.schema, sizeof rel.schema, "%s", found.items[i]);
		snprintf(rel.name, sizeof rel.name, "%s", found.items[i + 1]);
		const char *const quoted[] = {relation_quoted(&my_syntax, w->mem, &rel)};
		texts_keep(&w->read, quoted, 1);
		add_relation(w, &rel);
	}
	if (w->good)
		calls_scan_reads(text, see_read, w);
	if (w->good)
		calls_scan(text, see_call, w);
	w->read = outer;
	return w->good;
}

static bool walk_text(struct walk *w, const char *text, const char *home, const char *function)
{
	const char *outer_home = w->home, *outer_function = w->function;
	char clock[64];

	w->home = home;
	w->function = function;
	timeword_find(&my_syntax, text, clock, sizeof clock);
	if (clock[0] != '\0')
		add_unheard(w, VIEWD_DEPENDS_CLOCK, talloc_asprintf(w->mem, "clock %s", clock), "its value changes with time");
	if (function != NULL && calls_use_variables(text))
		add_unheard(w, VIEWD_DEPENDS_OTHER, talloc_asprintf(w->mem, "variables in %s", function),
		            "nothing tells when a session or the server sets them");
	if (function != NULL) {
		walk_body(w, text);
	} else {
		my_scan_refs(text, see_ref, w);
		if (w->good)
			calls_scan(text, see_call, w);
	}
	w->home = outer_home;
	w->function = outer_function;
	return w->good;
}

/* Without the privilege to make a view every name of the definition that is a table's counts. */
static bool walk_words(struct walk *w, const char *definition)
{
	add_unheard(w, VIEWD_DEPENDS_OTHER, "what the definition reads",
	            "it is guessed from the words of the definition "
	            "(the account lacks CREATE VIEW"
	            " or SHOW VIEW on the database of the url, or SELECT on what is read)");
	w->function = "the definition";
	return walk_body(w, definition);
}

bool my_walk(struct db *db, const struct viewd_view_spec *view UNUSED, const char *definition,
             struct dependencies *list, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	struct viewd_err failure = {0};
	struct walk w = {.conn = conn,
	                 .list = list,
	                 .mem = talloc_new(NULL),
	                 .err = &failure,
	                 .good = true,
	                 .home = conn->url->database};
	char *text;

	w.read.mem = w.natives.mem = w.mem;
	if (my_probe_text(conn, w.mem, definition, &text, &failure))
		walk_text(&w, text, conn->url->database, NULL);
	else if (failure.cls == VIEWD_ERR_DENIED)
		walk_words(&w, definition);
	else
		w.good = false;
	talloc_free(w.mem);
	if (!w.good && err != NULL)
		*err = failure;
	return w.good;
}
