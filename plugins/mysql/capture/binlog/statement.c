/* SPDX-License-Identifier: MIT
 *
 * statement.c: interprets a statement of the binary log.
 *
 * Definitions (TRUNCATE, ALTER, RENAME ...) are logged as text, whatever the format, and as they were written: behind
 * SET STATEMENT ... FOR, in comments that the server executes. Only what is known to change nothing is passed over. The
 * tables that a definition names have changed. They are not parsed; a name that is found counts, with its database,
 * because viewd itself renames tables of the same names elsewhere. Rows that were changed by a session in statement
 * format are another matter: triggers, functions and views may have changed what the text does not name.
 */
#include "mysql/capture/binlog/targets.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"

/* Comments that the server executes become code, others blanks. talloc'ed. */
static char *without_comments(void *mem, const char *sql)
{
	char *out = sql_new(mem);
	struct lex_token tok;

	while ((tok = lex_next(my_syntax.lexer.flags, &sql)).kind != LEX_END) {
		const char *code = tok.text + 2 + (tok.len > 2 && tok.text[2] == 'M');
		if (tok.kind != LEX_COMMENT) {
			out = sql_add(out, "%.*s", (int)tok.len, tok.text);
		} else if (tok.text[0] == '/' && code[0] == '!') {
			code += 1 + strspn(code + 1, "0123456789");
			out = sql_add(out, " %.*s ", (int)(tok.text + tok.len - 2 - code), code);
		} else {
			out = sql_add(out, " ");
		}
	}
	return out;
}

/* ---- names */

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static void add_char(char out[static IDENT_MAX], size_t *len, char c)
{
	if (*len < IDENT_MAX - 1)
		out[(*len)++] = c;
	out[*len] = '\0';
}

/* Reads what may be a name at *p: bare (it may begin with a digit), or in backticks or double quotes (ANSI_QUOTES). */
static bool read_name(const char **p, char out[static IDENT_MAX])
{
	const char *s = *p;
	char quote = *s;
	size_t len = 0;

	out[0] = '\0';
	if (quote == '`' || quote == '"') {
		for (s++; *s != '\0' && (*s != quote || s[1] == quote); s++) {
			s += *s == quote;
			add_char(out, &len, *s);
		}
		*p = s + (*s == quote);
		return true;
	}
	for (; is_name_char(*s); s++)
		add_char(out, &len, *s);
	*p = s;
	return len > 0;
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t\r\n\f\v");
}

/* The next name, with its database when one is written; everything else is passed over. False at the end. */
static bool next_relation(const char **p, struct relation *out)
{
	*out = (struct relation){.schema = ""};
	while (!read_name(p, out->name)) {
		if (**p == '\0')
			return false;
		lex_next(my_syntax.lexer.flags, p); /* a string as a whole, or one character */
	}
	const char *after = skip_blanks(*p);
	if (*after != '.')
		return true;
	*p = skip_blanks(after + 1);
	memcpy(out->schema, out->name, sizeof out->schema);
	read_name(p, out->name);
	return true;
}

/* ---- kinds */

/* The first word and, for CREATE, ALTER and DROP, what is made: without OR REPLACE, DEFINER = x and what views have
 * before their name. */
struct head {
	char verb[IDENT_MAX], object[IDENT_MAX];
	bool replaces;
};

static bool is_word(const char *word, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcasecmp(word, *list) == 0)
			return true;
	return false;
}

static const char *skip_opening(const char *s)
{
	return s + strspn(s, "( \t\r\n\f\v;");
}

/* Reads a word that is no name in quotes. */
static bool read_word(const char **p, char out[static IDENT_MAX])
{
	const char *s = skip_blanks(*p);

	out[0] = '\0';
	if (!is_name_char(*s) || !read_name(&s, out))
		return false;
	*p = s;
	return true;
}

/* Behind SET STATEMENT x = y, ... FOR, however often; a FOR in parentheses or strings is no end. NULL: there is no
 * end. */
static const char *skip_settings(const char *sql)
{
	char word[IDENT_MAX];
	const char *at = skip_opening(sql), *rest = at;
	int depth = 0;

	if (!read_word(&rest, word) || strcasecmp(word, "SET") != 0 || !read_word(&rest, word) ||
	    strcasecmp(word, "STATEMENT") != 0)
		return at;
	for (;;) {
		struct lex_token tok = lex_next(my_syntax.lexer.flags, &rest);
		if (tok.kind == LEX_END)
			return NULL;
		if (tok.kind == LEX_OTHER)
			depth += (tok.text[0] == '(') - (tok.text[0] == ')');
		if (depth == 0 && lex_is(&tok, "FOR"))
			return skip_settings(rest);
	}
}

/* Behind the account or role of DEFINER = x: a name, with @ and a name, or CURRENT_USER and parentheses. */
static void skip_definer(const char **p)
{
	char name[IDENT_MAX];
	const char *s = skip_blanks(*p);

	s = skip_blanks(s + (*s == '='));
	for (bool more = true; more;) {
		if (*s == '\'')
			lex_next(my_syntax.lexer.flags, &s);
		else
			read_name(&s, name);
		s += strspn(s, "()");
		more = *s == '@';
		s += more;
	}
	*p = s;
}

static void read_head(const char *sql, struct head *head)
{
	static const char *const before[] = {"OR", "REPLACE", "DEFINER", NULL};
	char word[IDENT_MAX];

	*head = (struct head){.replaces = false};
	read_word(&sql, head->verb);
	do {
		if (!read_word(&sql, word))
			return;
		head->replaces = head->replaces || strcasecmp(word, "REPLACE") == 0;
		if (strcasecmp(word, "DEFINER") == 0)
			skip_definer(&sql);
	} while (is_word(word, before));
	memcpy(head->object, word, sizeof head->object);
}

/* A row with the second word NULL: whatever follows. */
static bool is_quiet(const struct head *head)
{
	static const char *const quiet[][2] = {
		{"COMMIT", NULL},         {"ROLLBACK", NULL},    {"SAVEPOINT", NULL},     {"RELEASE", "SAVEPOINT"},
		{"START", "TRANSACTION"}, {"XA", NULL},          {"GRANT", NULL},         {"REVOKE", NULL},
		{"CREATE", "USER"},       {"ALTER", "USER"},     {"DROP", "USER"},        {"RENAME", "USER"},
		{"CREATE", "ROLE"},       {"DROP", "ROLE"},      {"SET", "PASSWORD"},     {"SET", "DEFAULT"},
		{"ANALYZE", "TABLE"},     {"ANALYZE", "TABLES"}, {"ANALYZE", "LOCAL"},    {"ANALYZE", "NO_WRITE_TO_BINLOG"},
		{"CHECK", "TABLE"},       {"CHECK", "TABLES"},   {"FLUSH", NULL},         {"CREATE", "EVENT"},
		{"ALTER", "EVENT"},       {"DROP", "EVENT"},     {"CREATE", "TEMPORARY"}, {"DROP", "TEMPORARY"},
	};

	if (strcasecmp(head->verb, "BEGIN") == 0)
		return strcasecmp(head->object, "NOT") != 0;
	for (size_t i = 0; i < ARRAY_LEN(quiet); i++)
		if (strcasecmp(head->verb, quiet[i][0]) == 0 &&
		    (quiet[i][1] == NULL || strcasecmp(head->object, quiet[i][1]) == 0))
			return true;
	return false;
}

/* named_r: what it names has changed its rows; databases_r: it names databases. */
static enum statement_means judge_head(const struct head *head, bool *named_r, bool *databases_r)
{
	static const char *const whole[] = {"TRUNCATE", "ALTER", "RENAME", "REPAIR", NULL};
	static const char *const made[] = {"CREATE", "DROP", NULL}, *const tables[] = {"TABLE", "TABLES", NULL};
	static const char *const bases[] = {"DATABASE", "SCHEMA", NULL};
	static const char *const rows[] = {"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD",    "WITH",  "SELECT",
	                                   "VALUES", "DO",     "CALL",   "EXECUTE", "ANALYZE", "BEGIN", NULL};
	bool base = is_word(head->verb, made) && is_word(head->object, bases);

	*databases_r = base && (head->replaces || strcasecmp(head->verb, "DROP") == 0);
	*named_r =
		*databases_r || is_word(head->verb, whole) || (is_word(head->verb, made) && is_word(head->object, tables));
	if (is_quiet(head))
		return STATEMENT_NOTHING;
	return is_word(head->verb, rows) ? STATEMENT_ANYTHING : STATEMENT_DEFINES;
}

static bool names(const struct viewd_conn *conn, const struct relation *named, const char *database,
                  const struct relation *table)
{
	const char *schema = named->schema[0] != '\0' ? named->schema : database;

	return targets_same(conn, named->name, table->name) && targets_same(conn, schema, table->schema);
}

static void touch_named(const struct viewd_conn *conn, const struct targets *all, const char *sql, const char *database,
                        bool databases, struct texts *touched)
{
	struct relation named;

	while (next_relation(&sql, &named))
		for (size_t i = 0; i < all->n; i++) {
			const struct relation *table = &all->items[i].table;
			if (databases ? targets_same(conn, named.name, table->schema) : names(conn, &named, database, table))
				targets_add(touched, &all->items[i]);
		}
}

enum statement_means targets_statement(const struct viewd_conn *conn, const struct targets *all, const char *statement,
                                       const char *database, struct texts *touched)
{
	struct head head;
	bool named = true, databases = false;
	enum statement_means means = STATEMENT_DEFINES;
	char *text = without_comments(all->mem, statement);
	const char *sql = skip_settings(text);

	if (sql != NULL) {
		read_head(sql, &head);
		means = judge_head(&head, &named, &databases);
	}
	if (means == STATEMENT_DEFINES && named && !utf8_valid(text))
		means = STATEMENT_ANYTHING; /* written in the character set of its client */
	if (means == STATEMENT_DEFINES && named)
		touch_named(conn, all, sql != NULL ? sql : text, database, databases, touched);
	talloc_free(text);
	return means;
}
