/* SPDX-License-Identifier: MIT
 *
 * calls.c: picks out of a text what is called and, in the bodies of functions, what is read. The server's own text of a
 * view has names of stored functions quoted and its own functions bare; a body is as its author wrote it.
 */
#include "mysql/depends/walk.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/sqltext/lexer.h"

#define MAX_DEPTH 128

static struct lex_token next_solid(const char **at)
{
	struct lex_token tok;

	do {
		tok = lex_next(my_syntax.lexer.flags, at);
	} while (tok.kind == LEX_SPACE || tok.kind == LEX_COMMENT);
	return tok;
}

static bool is_mark(const struct lex_token *tok, char mark)
{
	return tok->kind == LEX_OTHER && tok->text[0] == mark;
}

static bool is_name(const struct lex_token *tok)
{
	return tok->kind == LEX_WORD || tok->kind == LEX_IDENT;
}

static void copy_name(const struct lex_token *tok, char out[static IDENT_MAX])
{
	bool quoted = tok->kind == LEX_IDENT;
	size_t n = 0;

	for (size_t i = quoted; i + quoted < tok->len && n + 1 < IDENT_MAX; i++) {
		out[n++] = tok->text[i];
		i += quoted && tok->text[i] == '`';
	}
	out[n] = '\0';
}

/* tok is a name: with what follows it, `db`.`name` or `name`. *at is behind it then. */
static void read_name(const struct lex_token *tok, const char **at, struct relation *out)
{
	const char *ahead = *at;
	struct lex_token dot = next_solid(&ahead), second = next_solid(&ahead);

	*out = (struct relation){.schema = ""};
	if (!is_mark(&dot, '.') || !is_name(&second)) {
		copy_name(tok, out->name);
		return;
	}
	copy_name(tok, out->schema);
	copy_name(&second, out->name);
	*at = ahead;
}

/* at is behind the parenthesis of `name (`: do `...) AS (` follow, as for the columns of a WITH clause? */
static bool is_with_columns(const char *at)
{
	struct lex_token tok;
	int depth = 1;

	while (depth > 0 && (tok = next_solid(&at)).kind != LEX_END)
		depth += is_mark(&tok, '(') - is_mark(&tok, ')');
	tok = next_solid(&at);
	if (!lex_is(&tok, "as"))
		return false;
	tok = next_solid(&at);
	return is_mark(&tok, '(');
}

void calls_scan(const char *text, call_fn *each, void *ctx)
{
	const char *at = text;
	struct lex_token tok;

	while ((tok = next_solid(&at)).kind != LEX_END) {
		struct routine_call call = {.quoted = tok.kind == LEX_IDENT};
		if (!is_name(&tok))
			continue;
		read_name(&tok, &at, &call.name);
		const char *inside = at;
		struct lex_token open = next_solid(&inside);
		if (!is_mark(&open, '(') || is_with_columns(inside))
			continue;
		struct lex_token first = next_solid(&inside);
		if (is_name(&first))
			read_name(&first, &inside, &call.argument);
		if (!each(ctx, &call))
			return;
	}
}

/* FROM and JOIN, but not the FROM of trim(x FROM y) and the like. */
void calls_scan_reads(const char *text, read_fn *each, void *ctx)
{
	static const char *const with_from[] = {"extract", "trim", "substring", "substr", "position", "fetch"};
	bool inside[MAX_DEPTH] = {false}, word_takes_from = false;
	size_t depth = 0;
	struct lex_token tok;

	while ((tok = next_solid(&text)).kind != LEX_END) {
		struct relation name;
		bool reads = (lex_is(&tok, "from") && !inside[depth]) || lex_is(&tok, "join") || lex_is(&tok, "straight_join");
		if (is_mark(&tok, '(') && depth + 1 < MAX_DEPTH)
			inside[++depth] = word_takes_from;
		else if (is_mark(&tok, ')') && depth > 0)
			depth--;
		word_takes_from = false;
		for (size_t i = 0; i < ARRAY_LEN(with_from); i++)
			word_takes_from = word_takes_from || lex_is(&tok, with_from[i]);
		const char *ahead = text;
		struct lex_token next = next_solid(&ahead);
		if (!reads || !is_name(&next) || lex_is(&next, "lateral") || lex_is(&next, "dual"))
			continue;
		read_name(&next, &ahead, &name);
		text = ahead;
		if (!each(ctx, &name))
			return;
	}
}

bool calls_is_fickle(const char *name)
{
	static const char *const fickle[] = {"rand",
	                                     "uuid",
	                                     "uuid_short",
	                                     "sys_guid",
	                                     "random_bytes",
	                                     "connection_id",
	                                     "last_insert_id",
	                                     "found_rows",
	                                     "row_count",
	                                     "get_lock",
	                                     "release_lock",
	                                     "release_all_locks",
	                                     "is_free_lock",
	                                     "is_used_lock",
	                                     "load_file",
	                                     "encrypt",
	                                     "des_encrypt",
	                                     "uuid_v4",
	                                     "uuid_v7",
	                                     "master_pos_wait",
	                                     "master_gtid_wait"};

	for (size_t i = 0; i < ARRAY_LEN(fickle); i++)
		if (strcasecmp(fickle[i], name) == 0)
			return true;
	return false;
}

bool calls_use_variables(const char *text)
{
	struct lex_token tok;

	while ((tok = lex_next(my_syntax.lexer.flags, &text)).kind != LEX_END)
		if ((tok.kind == LEX_PARAM || tok.kind == LEX_OTHER) && tok.text[0] == '@')
			return true;
	return false;
}
