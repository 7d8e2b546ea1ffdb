/* SPDX-License-Identifier: MIT
 *
 * body.c: the texts of triggers, written and recognised. Only what is recognised is ever dropped: the table that names
 * viewd's triggers can be written by whoever may write to the database.
 */
#include "mysql/capture/trigger_procedure.h"

#include <stdio.h>
#include <string.h>

#include "common/sqltext/sqltext.h"

char *body_relation(struct viewd_conn *conn, void *mem, const struct relation *rel)
{
	struct relation short_one = *rel;

	if (note_is_home(conn, rel->schema))
		short_one.schema[0] = '\0';
	return relation_quoted(&my_syntax, mem, &short_one);
}

bool body_source(struct viewd_conn *conn, const char *text, struct relation *out)
{
	struct relation rel;

	if (text[0] != '`' || !relation_parse(&my_syntax, text, &rel, NULL))
		return false;
	my_place(conn, &rel, out);
	return true;
}

char *body_text(struct viewd_conn *conn, void *mem, const char *schema, const char *source, const char *condition)
{
	char name[IDENT_MAX];

	note_name(conn, schema, name);
	char *call = talloc_asprintf(mem, "CALL %s(%s); ", name, literal_quoted(&my_syntax, mem, source));
	if (condition == NULL)
		return talloc_asprintf(mem, "%s%sEND", note_head, call);
	return talloc_asprintf(mem, "%sIF %s THEN %sEND IF; END", note_head, condition, call);
}

static bool begins(const char **at, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*at, text, len) != 0)
		return false;
	*at += len;
	return true;
}

/* From the last call on nothing but an argument and the end. */
static bool is_call(const char *at, const char *name, const char *end)
{
	const char *call = NULL;

	for (const char *next = at; (next = strstr(next, name)) != NULL; next++)
		call = next;
	if (call == NULL)
		return false;
	call += strlen(name);
	const char *quote = strrchr(call, '\'');
	return quote != NULL && quote > call && strcmp(quote + 1, end) == 0;
}

/* "IF NOT (OLD.x ...) ... THEN call; END IF", or the call alone. Older versions compared by the collation alone. */
static bool is_statement(const char *at, const char *call, const char *end, const char *end_if)
{
	const char *rest = at;

	if (begins(&rest, call))
		return is_call(at, call, end);
	return begins(&rest, "IF NOT (OLD.") && is_call(rest, call, end_if);
}

/* Is the body from a version that wrote the log from the trigger itself? */
static bool is_old(struct viewd_conn *conn, const char *body)
{
	struct relation log = {.name = NOTE_LOG};

	my_place(conn, &log, &log);
	char *table = relation_quoted(&my_syntax, conn, &log);
	char *call = talloc_asprintf(table, "INSERT INTO %s (source) VALUES ('", table);
	bool old = is_statement(body, call, ")", "); END IF");
	talloc_free(table);
	return old;
}

bool body_is_ours(struct viewd_conn *conn, const char *schema, const char *body)
{
	char name[IDENT_MAX], call[IDENT_MAX + 16];
	const char *at = body;

	if (!begins(&at, "BEGIN DECLARE CONTINUE HANDLER FOR "))
		return is_old(conn, body);
	at += strspn(at, "0123456789, ");
	note_name(conn, schema, name);
	snprintf(call, sizeof call, "CALL %s('", name);
	return begins(&at, "BEGIN END; ") && is_statement(at, call, "); END", "); END IF; END");
}
