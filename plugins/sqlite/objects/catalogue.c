/* SPDX-License-Identifier: MIT
 *
 * catalogue.c: looks objects and indexes up in sqlite_master.
 */
#include "sqlite/objects/catalogue.h"
#include "sqlite/objects/known.h"

#include "common/objects/task.h"
#include "common/sqltext/lexer.h"
#include "common/text/digest.h"
#include "sqlite/conn/syntax.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

#define TAG_BEGIN "/* viewd:"
#define TAG_DIGITS 32

/* The tag that viewd puts behind the name in its CREATE statements; SQLite keeps the text of CREATE as it was written.
 * Only a comment token in that very place counts: `viewd:` in a literal, a column name or the definition does not. */
static bool read_tag(const char *sql, char out[static TAG_DIGITS + 1])
{
	struct lex_token tok;
	for (const char *p = sql; (tok = lex_next(sqlite_syntax.lexer.flags, &p)).kind != LEX_END;) {
		if (tok.kind == LEX_OTHER || lex_is(&tok, "AS"))
			return false;
		if (tok.kind != LEX_COMMENT)
			continue;
		size_t skip = strlen(TAG_BEGIN);
		if (tok.len != skip + TAG_DIGITS + 3 || strncmp(tok.text, TAG_BEGIN, skip) != 0)
			return false;
		snprintf(out, TAG_DIGITS + 1, "%.*s", TAG_DIGITS, tok.text + skip);
		return strspn(out, "0123456789abcdef") == TAG_DIGITS;
	}
	return false;
}

const char *sqlite_view_definition(const char *sql)
{
	struct lex_token tok;
	for (const char *p = sql; (tok = lex_next(sqlite_syntax.lexer.flags, &p)).kind != LEX_END;)
		if (lex_is(&tok, "AS"))
			return p;
	return sql;
}

static void digest_normal(const char *sql, char out[static DIGEST_SIZE])
{
	char *normal = lex_normalise(&sqlite_syntax, NULL, sql);
	digest_text(normal, out);
	talloc_free(normal);
}

/* A view without our tag can be adopted: its text identifies it. A table without our tag is a user's and never
 * viewd's. */
static void identify(struct db_object *out, const char *sql)
{
	char tag[TAG_DIGITS + 1], digest[DIGEST_SIZE];
	if (read_tag(sql, tag)) {
		snprintf(out->identity, sizeof out->identity, "tag:%s", tag);
	} else if (out->kind == VIEWD_KIND_VIEW) {
		digest_text(sql, digest);
		snprintf(out->identity, sizeof out->identity, "text:%s", digest);
	}
	digest_normal(out->kind == VIEWD_KIND_VIEW ? sqlite_view_definition(sql) : sql, out->canonical);
}

static bool read_object_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct db_object *out = ctx;
	const char *sql = values[2] != NULL ? values[2] : "";
	if (strcmp(values[0], "view") == 0)
		out->kind = VIEWD_KIND_VIEW;
	else if (strcmp(values[0], "table") == 0)
		out->kind = strncasecmp(sql, "CREATE VIRTUAL", 14) == 0 ? VIEWD_KIND_OTHER : VIEWD_KIND_TABLE;
	else
		out->kind = VIEWD_KIND_OTHER;
	snprintf(out->name, sizeof out->name, "%.255s", values[1]);
	out->populated = true;
	identify(out, sql);
	return false;
}

static const struct db_reader read_object[] = {{read_object_fn, "ttT", "what a name stands for"}};

/* Tables, views and indexes share one name space, which ignores ASCII case. */
static bool look_up(struct db *db, const char *name, struct db_object *out, struct viewd_err *err)
{
	const char *params[] = {name};
	return sqlite_op_query(
		db, "SELECT type, name, sql FROM main.sqlite_master WHERE name = ? COLLATE NOCASE AND type <> 'trigger'",
		params, 1, read_object, out, err);
}

bool sqlite_op_find_object(struct db *db, const struct relation *rel, struct db_object *out, struct viewd_err *err)
{
	char *question = talloc_asprintf(NULL, "object %s", rel->name);
	const void *known = NULL;
	struct db_object *found = talloc_zero(question, struct db_object);
	assert(found != NULL);
	found->kind = VIEWD_KIND_NONE;
	bool done = sqlite_known_find(db, question, &known, err) && (known != NULL || look_up(db, rel->name, found, err));
	if (done)
		memcpy(out, known != NULL ? known : found, sizeof *out);
	if (done && known == NULL)
		sqlite_known_keep(sqlite_conn_of(db), question, found);
	talloc_free(question);
	return done;
}

bool sqlite_op_list_indexes(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                            struct viewd_err *err)
{
	const char *params[] = {rel->name};
	return sqlite_op_query(db,
	                       "SELECT name FROM main.sqlite_master WHERE type = 'index' AND tbl_name = ? COLLATE NOCASE",
	                       params, 1, row, ctx, err);
}

bool sqlite_op_wanted_canonical(struct task *task, char out[static 65], struct viewd_err *err UNUSED)
{
	struct gen gen = task->gen;
	gen.columns = task->columns;
	digest_normal(gen_query(&gen), out);
	return true;
}

struct text {
	void *mem;
	char *value;
};

static bool take_text_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct text *text = ctx;
	text->value = talloc_strdup(text->mem, sqlite_view_definition(values[0]));
	return false;
}

static const struct db_reader take_text[] = {{take_text_fn, "t", "the definition of a view"}};

bool sqlite_op_view_text(struct db *db, void *mem_ctx, const struct relation *rel, char **text_r, struct viewd_err *err)
{
	struct text text = {.mem = mem_ctx};
	const char *params[] = {rel->name};
	if (!sqlite_op_query(db, "SELECT sql FROM main.sqlite_master WHERE name = ? COLLATE NOCASE AND type = 'view'",
	                     params, 1, take_text, &text, err))
		return false;
	*text_r = text.value != NULL ? text.value + strspn(text.value, " \t\r\n") : NULL;
	return true;
}

/* ---- who reads a relation ---- */

struct reader_list {
	void *mem;
	char **names;
	char **texts;
	size_t n;
};

static bool collect_view_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct reader_list *list = ctx;
	list->names = talloc_realloc(list->mem, list->names, char *, list->n + 1);
	list->texts = talloc_realloc(list->mem, list->texts, char *, list->n + 1);
	list->names[list->n] = talloc_strdup(list->mem, values[0]);
	list->texts[list->n++] = talloc_strdup(list->mem, values[1] != NULL ? values[1] : "");
	return true;
}

static const struct db_reader collect_view[] = {{collect_view_fn, "tT", "the views of the database"}};

struct mention {
	const char *name;
	bool found;
};

static bool compare_mention(void *ctx, const char *text)
{
	struct mention *mention = ctx;
	mention->found = strcasecmp(text, mention->name) == 0;
	return !mention->found;
}

/* By name: a view that mentions the relation anywhere after AS counts as a reader. Too many is safe: it only refuses a
 * drop that would need `cascade`. Asking SQLite to compile each view would miss those that are broken for another
 * reason. */
bool sqlite_op_list_dependants(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                               struct viewd_err *err)
{
	struct reader_list list = {.mem = talloc_new(NULL)};
	bool done = sqlite_op_query(
		db, "SELECT name, sql FROM main.sqlite_master WHERE type = 'view' AND name <> 'viewd_views' ORDER BY name",
		NULL, 0, collect_view, &list, err);
	for (size_t i = 0; done && i < list.n; i++) {
		struct mention mention = {rel->name, false};
		lex_mentions(&sqlite_syntax, sqlite_view_definition(list.texts[i]),
		             (struct viewd_text_sink){compare_mention, &mention});
		const char *values[] = {"VIEW", "", list.names[i]};
		bool more = true;
		if (mention.found && strcasecmp(list.names[i], rel->name) != 0)
			done = db_give(row, ctx, values, 3, &more, err);
		if (!more)
			break;
	}
	talloc_free(list.mem);
	return done;
}

/* The text is fixed in SQLite's source (build.c). A file has one schema, whether it is written or not. */
bool sqlite_op_lacking(struct db *db UNUSED, const char *definition UNUSED, const struct viewd_err *failure,
                       struct viewd_source_sink missing, struct viewd_err *err UNUSED)
{
	static const char before[] = "no such table: ", own[] = "main.";
	const char *name = failure->msg + sizeof before - 1;
	if (strncmp(failure->msg, before, sizeof before - 1) != 0)
		return true;
	name += strncasecmp(name, own, sizeof own - 1) == 0 ? sizeof own - 1 : 0;
	(void)missing.fn(missing.ctx, &(struct viewd_source){.schema = "", .name = name, .kind = VIEWD_KIND_NONE});
	return true;
}
