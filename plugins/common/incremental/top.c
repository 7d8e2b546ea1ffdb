/* SPDX-License-Identifier: MIT */
#include "common/incremental/top.h"

#include "base/err.h"
#include "common/generate/columns.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

struct part *piece_keyed(struct piece *piece)
{
	if (piece->roll == NULL)
		return &piece->part;
	return piece->roll->images ? NULL : &piece->roll->part;
}

size_t piece_tables(struct piece *piece, struct node_table *tables[2])
{
	size_t n = 0;
	if (piece->same != NULL)
		return 0;
	if (piece->roll == NULL)
		tables[n++] = &piece->table;
	if (piece->roll != NULL && !piece->roll->images)
		tables[n++] = &piece->roll->below;
	if (piece->roll != NULL)
		tables[n++] = &piece->roll->table;
	return n;
}

/* ---- the query ---- */

/* SQL for the rows of a piece. Where a table gives a type to what is computed, a sign takes it away again. */
static char *piece_rows(struct db *db, void *mem, const struct piece *piece)
{
	const struct analysis *analysis = piece->said->analysis;
	char *rows = piece->roll == NULL ? relation_quoted(db->syntax, mem, &piece->table.rel)
	                                 : talloc_asprintf(mem, "(%s)", piece->roll->result.definition);
	if (!db->ops->incremental.nodes_lose_types)
		return rows;
	char *sql = sql_add(sql_new(mem), "(SELECT ");
	for (size_t i = 0; i < analysis->n_columns; i++) {
		const char *name = ident_append(db->syntax, sql_new(mem), analysis->columns[i].name);
		sql = sql_add(sql, "%s%sviewd_m.%s AS %s", i > 0 ? ", " : "", analysis->columns[i].computed ? "+" : "", name,
		              name);
	}
	return sql_add(sql, " FROM %s AS viewd_m)", rows);
}

static bool is_name_of(const struct lex_token *token, const struct piece *piece)
{
	return token->kind == LEX_WORD && token->len == strlen(piece->said->name) &&
	       strncmp(token->text, piece->said->name, token->len) == 0;
}

static void bind_pieces(struct db *db, void *mem, struct top *top)
{
	for (size_t i = 0; i < top->n_pieces; i++) {
		struct piece *piece = &top->pieces[i];
		piece->part.rel = piece->table.rel;
		if (piece->same != NULL)
			piece->roll->table = piece->same->roll->table;
		if (piece->roll != NULL)
			roll_bind(db, mem, piece->roll);
	}
}

void top_bind(struct db *db, void *mem, struct top *top)
{
	const char *text = top->said->text;
	char *sql = sql_new(mem);
	bind_pieces(db, mem, top);
	for (struct lex_token token = lex_next(db->syntax->lexer.flags, &text); token.kind != LEX_END;
	     token = lex_next(db->syntax->lexer.flags, &text)) {
		const char *rows = NULL;
		for (size_t i = 0; i < top->n_pieces && rows == NULL; i++)
			if (is_name_of(&token, &top->pieces[i]))
				rows = piece_rows(db, mem, &top->pieces[i]);
		sql = rows != NULL ? sql_add(sql, "%s", rows) : sql_add(sql, "%.*s", (int)token.len, token.text);
	}
	top->result.definition = sql;
}

static bool index_piece(struct db *db, struct piece *piece, struct viewd_err *err)
{
	return piece->roll != NULL || piece->part.n_key == 0 || db->ops->incremental.index_part == NULL ||
	       db->ops->incremental.index_part(db, &piece->part, err);
}

bool top_check(struct db *db, void *mem, const char *view, struct top *top, const char *definition,
               struct viewd_err *err)
{
	for (size_t i = 0; i < top->n_pieces; i++) {
		struct piece *piece = &top->pieces[i];
		if (!index_piece(db, piece, err) ||
		    (piece->roll != NULL &&
		     !roll_check(db, mem, view, piece->roll, &piece->part.sources[0], piece->said->text, err)))
			return false;
	}
	return node_same_types(db, mem, view, definition, top->result.definition, err);
}

/* ---- everything ---- */

bool top_fill(struct db *db, void *mem, struct top *top, struct viewd_err *err)
{
	for (size_t i = 0; i < top->n_pieces; i++) {
		struct piece *piece = &top->pieces[i];
		if (piece->same != NULL)
			continue;
		if (piece->roll != NULL ? !roll_fill(db, mem, piece->roll, err)
		                        : !node_table_fill(db, mem, &piece->table, piece->said->text, err))
			return false;
	}
	return true;
}

/* ---- what has changed ---- */

static int64_t unread_of(const struct piece *piece)
{
	int64_t unread = 0;
	for (size_t i = 0; i < piece->part.n_sources; i++)
		unread += piece->part.sources[i].log->unread;
	return unread;
}

static struct key_set set_of(void *mem, struct piece *piece, size_t number)
{
	struct key_set keys = {.mem = mem, .width = piece_keyed(piece)->n_key};
	snprintf(keys.name, sizeof keys.name, "viewd_keys_%zu", number);
	return keys;
}

bool top_ask(struct db *db, void *mem, const char *view, struct top *top, int64_t limit, struct viewd_err *err)
{
	for (size_t i = 0; i < top->n_pieces; i++) {
		struct piece *piece = &top->pieces[i];
		struct part *keyed = piece_keyed(piece);
		if (piece->same != NULL || keyed == NULL)
			continue;
		const struct key_set keys = set_of(mem, piece, i + 1);
		if (!part_ask(db, mem, view, keyed, limit, &keys, err))
			return false;
	}
	return true;
}

bool top_affected(struct db *db, void *mem, const char *view, struct top *top, int64_t limit, int64_t *n_r, bool *all_r,
                  struct viewd_err *err)
{
	*n_r = 0;
	*all_r = false;
	for (size_t i = 0; i < top->n_pieces; i++)
		top->pieces[i].keys = (struct key_set){.mem = mem};
	for (size_t i = 0; i < top->n_pieces && !*all_r; i++) {
		struct piece *piece = &top->pieces[i];
		const struct part *keyed = piece_keyed(piece);
		if (piece->same != NULL)
			continue;
		if (keyed == NULL) {
			*n_r += unread_of(piece);
			continue;
		}
		piece->keys = set_of(mem, piece, i + 1);
		if (!part_affected(db, view, keyed, limit, &piece->keys, all_r, err))
			return false;
		*n_r += piece->keys.n;
		*all_r |= *n_r > limit;
	}
	return true;
}

/* *changed_r: the piece may have other rows than before. */
static bool move_piece(struct db *db, void *mem, const char *view, struct piece *piece, bool *changed_r,
                       struct viewd_err *err)
{
	struct part_written inside = {0};
	bool images = piece->roll != NULL && piece->roll->images;
	if (piece->same != NULL || (images ? unread_of(piece) : piece->keys.n) == 0)
		return true;
	*changed_r |= piece->roll != NULL;
	if (images)
		return roll_images_apply(db, mem, view, piece->roll, &piece->part.sources[0], &inside, err);
	if (piece->roll != NULL)
		return roll_keys_apply(db, mem, piece->roll, &piece->keys, &inside, err);
	bool done = db->ops->incremental.apply_part(db, &piece->part, &piece->keys, &inside, err);
	*changed_r |= inside.inserted + inside.updated + inside.deleted > 0;
	return done;
}

bool top_apply(struct db *db, void *mem, const char *view, struct top *top, struct part_written *out,
               struct viewd_err *err)
{
	bool changed = false;
	for (size_t i = 0; i < top->n_pieces; i++)
		if (!move_piece(db, mem, view, &top->pieces[i], &changed, err))
			return false;
	for (size_t i = 0; i < top->n_whole; i++)
		changed |= top->whole[i]->unread > 0;
	return !changed || db->ops->incremental.apply_part(db, &top->result, NULL, out, err);
}

void top_drop_keys(struct db *db, struct top *top)
{
	for (size_t i = 0; i < top->n_pieces && db->ops->incremental.drop_keys != NULL; i++)
		if (top->pieces[i].keys.width > 0)
			db->ops->incremental.drop_keys(db, &top->pieces[i].keys);
}
