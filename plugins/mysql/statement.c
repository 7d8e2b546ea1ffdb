/* SPDX-License-Identifier: MIT
 *
 * statement.c: what a statement of the binary log means.
 *
 * Definitions (TRUNCATE, ALTER, RENAME ...) are logged as text, whatever the format: the tables they name have changed. They are not
 * parsed; a name that is found counts, with its database, because viewd itself renames tables of the same names elsewhere. Rows that were
 * changed by a session in statement format are another matter: triggers, functions and views may have changed what the text does not name.
 */
#include "mysql/targets.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/lexer.h"
#include "common/sqltext.h"
#include "common/utf8.h"

/* Comments that the server executes become code, others blanks. talloc'ed. */
static char *without_comments(void *mem, const char *sql)
{
	char *out = sql_new(mem);
	struct lex_token tok;

	while ((tok = lex_next(my_syntax.lexer, &sql)).kind != LEX_END) {
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
		lex_next(my_syntax.lexer, p); /* a string as a whole, or one character */
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

/* The first word and, for CREATE and DROP, what is created or dropped. */
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

static void read_head(const char *sql, struct head *head)
{
	char word[IDENT_MAX];

	*head = (struct head){.replaces = false};
	sql += strspn(sql, "( \t\r\n\f\v;");
	read_name(&sql, head->verb);
	do {
		sql = skip_blanks(sql);
		if (!read_name(&sql, word))
			return;
		head->replaces = head->replaces || strcasecmp(word, "REPLACE") == 0;
	} while (strcasecmp(word, "OR") == 0 || strcasecmp(word, "REPLACE") == 0);
	memcpy(head->object, word, sizeof word);
}

static enum statement_means judge(const struct head *head, bool *databases_r)
{
	static const char *const whole[] = {"TRUNCATE", "ALTER", "RENAME", "REPAIR", NULL};
	static const char *const made[] = {"CREATE", "DROP", NULL}, *const tables[] = {"TABLE", "TABLES", NULL};
	static const char *const bases[] = {"DATABASE", "SCHEMA", NULL};
	static const char *const rows[] = {"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "WITH", "SELECT", "VALUES", "DO", "CALL", NULL};

	*databases_r = is_word(head->verb, made) && is_word(head->object, bases);
	if (*databases_r)
		return head->replaces || strcasecmp(head->verb, "DROP") == 0 ? STATEMENT_NAMES : STATEMENT_NOTHING;
	if (is_word(head->verb, whole) || (is_word(head->verb, made) && is_word(head->object, tables)))
		return STATEMENT_NAMES;
	if (is_word(head->verb, rows) || (strcasecmp(head->verb, "ANALYZE") == 0 && !is_word(head->object, tables)))
		return STATEMENT_ANYTHING;
	return STATEMENT_NOTHING;
}

static bool names(const struct viewd_conn *conn, const struct relation *named, const char *database, const struct relation *table)
{
	const char *schema = named->schema[0] != '\0' ? named->schema : database;

	return targets_same(conn, named->name, table->name) && targets_same(conn, schema, table->schema);
}

static void touch_named(const struct viewd_conn *conn, const struct targets *all, const char *sql, const char *database, bool databases,
                        struct texts *touched)
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
	bool databases;
	char *sql = without_comments(all->mem, statement);

	read_head(sql, &head);
	enum statement_means means = judge(&head, &databases);
	if (means == STATEMENT_NAMES && !utf8_valid(sql))
		means = STATEMENT_ANYTHING; /* written in the character set of its client */
	if (means == STATEMENT_NAMES)
		touch_named(conn, all, sql, database, databases, touched);
	talloc_free(sql);
	return means;
}
