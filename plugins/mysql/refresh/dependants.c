/* SPDX-License-Identifier: MIT
 *
 * dependants.c: before a name is given to another object, do the views that read it still find their columns?
 *
 * Each view's canonical text is written again with the new object's name in the place of the live one's and prepared,
 * not run.
 */
#include "mysql/refresh/shadow_table.h"

#include <string.h>

#include "base/err.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"

#define ER_BAD_FIELD_ERROR 1054

struct view_reader {
	char schema[IDENT_MAX];
	char name[IDENT_MAX];
};

struct view_readers {
	void *mem;
	struct view_reader *items;
	size_t n;
};

static bool take_reader_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct view_readers *all = ctx;

	all->items = talloc_realloc(all->mem, all->items, struct view_reader, all->n + 1);
	struct view_reader *reader = &all->items[all->n++];
	snprintf(reader->schema, sizeof reader->schema, "%s", values[1]);
	snprintf(reader->name, sizeof reader->name, "%s", values[2]);
	return true;
}

static const struct db_reader take_reader[] = {{take_reader_fn, "ttt", "the readers of a relation"}};

struct rewrite {
	const struct shadow *shadow;
	const char *text;
	char *sql;
	size_t done;         /* bytes of text already copied */
	char *column_prefix; /* `db`.`live`. of columns of a base table */
};

/* Copies text up to end; three-part column names lose their database, because the table gets an alias. */
static void copy_until(struct rewrite *rw, size_t end)
{
	size_t prefix = strlen(rw->column_prefix);
	char *name = ident_append(&my_syntax, sql_new(rw->sql), rw->shadow->live.name);

	while (rw->done < end) {
		if (end - rw->done > prefix && strncmp(rw->text + rw->done, rw->column_prefix, prefix) == 0) {
			rw->sql = sql_add(rw->sql, "%s.", name);
			rw->done += prefix;
			continue;
		}
		struct lex_token tok;
		const char *at = rw->text + rw->done;
		tok = lex_next(my_syntax.lexer.flags, &at);
		rw->sql = sql_add(rw->sql, "%.*s", (int)tok.len, tok.text);
		rw->done += tok.len;
	}
}

static bool has_alias(const char *at)
{
	struct lex_token tok;

	do {
		tok = lex_next(my_syntax.lexer.flags, &at);
	} while (tok.kind == LEX_SPACE || tok.kind == LEX_COMMENT);
	return tok.kind == LEX_IDENT || lex_is(&tok, "as");
}

static bool replace_ref(void *ctx, const struct relation *ref, size_t start, size_t len)
{
	struct rewrite *rw = ctx;
	const struct relation *live = &rw->shadow->live;

	if (strcmp(ref->schema, live->schema) != 0 || strcmp(ref->name, live->name) != 0)
		return true;
	copy_until(rw, start);
	rw->sql = sql_add(rw->sql, "%s", relation_quoted(&my_syntax, rw->sql, &rw->shadow->fresh));
	rw->done = start + len;
	if (!has_alias(rw->text + rw->done))
		rw->sql = ident_append(&my_syntax, sql_add(rw->sql, " "), live->name);
	return true;
}

static char *rewrite(void *mem, const struct shadow *shadow, const char *text)
{
	char *live = relation_quoted(&my_syntax, mem, &shadow->live);
	struct rewrite rw = {.shadow = shadow, .text = text, .sql = sql_new(mem)};

	rw.column_prefix = talloc_asprintf(mem, "%s.", live);
	my_scan_refs(text, replace_ref, &rw);
	copy_until(&rw, strlen(text));
	return rw.sql;
}

/* Would the statement find its columns? Anything else that is wrong with it was wrong before. */
static bool finds_columns(struct viewd_conn *conn, const char *sql)
{
	MYSQL_STMT *stmt = mysql_stmt_init(conn->my);
	bool finds = stmt == NULL || mysql_stmt_prepare(stmt, sql, (unsigned long)strlen(sql)) == 0 ||
	             mysql_stmt_errno(stmt) != ER_BAD_FIELD_ERROR;

	if (stmt != NULL)
		mysql_stmt_close(stmt);
	return finds;
}

static bool check_reader(const struct shadow *shadow, const struct view_reader *reader, bool *finds_r,
                         struct viewd_err *err)
{
	struct relation rel = {.schema = ""};
	void *mem = talloc_new(shadow->conn);
	char *text;

	memcpy(rel.schema, reader->schema, sizeof rel.schema);
	memcpy(rel.name, reader->name, sizeof rel.name);
	bool done = my_view_text(shadow->conn, mem, &rel, &text, err);
	if (done)
		*finds_r = text == NULL || text[0] == '\0' || finds_columns(shadow->conn, rewrite(mem, shadow, text));
	talloc_free(mem);
	return done;
}

static bool judge_broken(struct task *task, const char *broken, struct viewd_err *err)
{
	if (broken[0] == '\0')
		return true;
	if (task->view->cascade) {
		db_log(task->db, VIEWD_LOG_WARNING, "views read columns of '%s' that it no longer has: %s", task->rel.name,
		       broken);
		return true;
	}
	err_set(err, VIEWD_ERR_CONFIG, "'%s' cannot be replaced (these views read columns that would be gone: %.400s)",
	        task->rel.name, broken);
	return err_hint(err, "change those views first, or set cascade = yes to leave them broken");
}

bool my_check_dependants(struct task *task, const struct shadow *shadow, struct viewd_err *err)
{
	struct view_readers all = {.mem = talloc_new(task->mem)};
	char *broken = sql_new(all.mem);
	bool done = my_list_dependants(task->db, &task->rel, take_reader, &all, err);

	for (size_t i = 0; done && i < all.n; i++) {
		bool finds = true;
		done = check_reader(shadow, &all.items[i], &finds, err);
		if (done && !finds)
			broken = sql_add(broken, "%s%s.%s", broken[0] != '\0' ? ", " : "", all.items[i].schema, all.items[i].name);
	}
	done = done && judge_broken(task, broken, err);
	talloc_free(all.mem);
	return done;
}
