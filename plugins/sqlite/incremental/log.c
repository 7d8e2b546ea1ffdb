/* SPDX-License-Identifier: MIT
 *
 * log.c: makes a change log and looks whether it is as it was made. What sqlite_master says of it is compared letter by
 * letter: a trigger that goes with a renamed table is rewritten.
 */
#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/text/digest.h"
#include "common/text/number.h"
#include "sqlite/conn/conn.h"
#include "sqlite/incremental/incremental.h"
#include "sqlite/incremental/log_text.h"
#include "sqlite/objects/known.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* ---- is it there ---- */

static bool read_flag_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = number_or(v[0], 0) != 0;
	return false;
}

static const struct db_reader read_flag[] = {{read_flag_fn, "N", "a change log"}};

static bool has_object(struct db *db, const char *type, const char *name, const char *sql, bool *has_r,
                       struct viewd_err *err)
{
	const char *params[] = {type, name, sql};
	*has_r = false;
	return sqlite_op_query(db, "SELECT count(*) FROM main.sqlite_master WHERE type = ? AND name = ? AND sql = ?",
	                       params, ARRAY_LEN(params), read_flag, has_r, err);
}

static bool has_floor(struct db *db, const char *table, bool *has_r, struct viewd_err *err)
{
	char *sql =
		sql_template(sql_new(NULL), "SELECT viewd_sign = " SIGN_FLOOR " FROM main.{} ORDER BY viewd_id LIMIT 1", table);
	*has_r = false;
	bool done = sqlite_op_query(db, sql, NULL, 0, read_flag, has_r, err);
	talloc_free(sql);
	return done;
}

static bool is_made(struct db *db, const struct log_text *text, bool *made_r, struct viewd_err *err)
{
	if (!has_object(db, "table", text->table, text->create, made_r, err))
		return false;
	for (size_t i = 0; i < text->n_triggers && *made_r; i++)
		if (!has_object(db, "trigger", text->triggers[i].name, text->triggers[i].create, made_r, err))
			return false;
	return !*made_r || has_floor(db, text->table, made_r, err);
}

/* Why no log can follow the source; NULL: one can. */
static const char *judge_source(const struct shape *shape)
{
	if (!shape->there)
		return "it is no ordinary table of the file";
	return shape->odd ? "it has a unique index over an expression, by which REPLACE removes rows unnoticed" : NULL;
}

/* ---- making ---- */

struct names {
	void *mem;
	char **items;
	size_t n;
};

static bool take_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct names *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, char *, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = talloc_strdup(list->mem, v[0]);
	return true;
}

static const struct db_reader keep[] = {{take_fn, "t", "the triggers of a change log"}};

static bool drop_all(struct db *db, void *mem, const char *table, struct viewd_err *err)
{
	struct names list = {.mem = mem};
	const char *params[] = {talloc_asprintf(mem, "%s_?", table)};
	if (!sqlite_op_query(db, "SELECT name FROM main.sqlite_master WHERE type = 'trigger' AND name GLOB ?", params, 1,
	                     keep, &list, err))
		return false;
	for (size_t i = 0; i < list.n; i++)
		if (!db_exec(db, ident_append(db->syntax, sql_add(sql_new(mem), "DROP TRIGGER main."), list.items[i]), err))
			return false;
	return db_exec(db, sql_add(sql_new(mem), "DROP TABLE IF EXISTS main.%s", table), err);
}

bool sqlite_op_drop_log(struct db *db, int64_t number, const struct relation *source UNUSED, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	bool done = drop_all(db, mem, change_log_table(db, mem, number), err);
	talloc_free(mem);
	return done;
}

/* Behind everything that any reader has read, so that all of them find out. */
static bool make_floor(struct db *db, void *mem, int64_t number, const char *table, struct viewd_err *err)
{
	return db_exec(db,
	               sql_add(sql_new(mem),
	                       "INSERT INTO main.%s (viewd_id, viewd_sign) SELECT 1 + coalesce(max(CAST(position AS "
	                       "INTEGER)), 0), " SIGN_FLOOR " FROM main.viewd_log_readers WHERE log = %" PRId64,
	                       table, number),
	               err);
}

static bool make_anew(struct db *db, void *mem, int64_t number, const struct log_text *text, struct viewd_err *err)
{
	if (!drop_all(db, mem, text->table, err) || !db_exec(db, text->create, err) ||
	    !make_floor(db, mem, number, text->table, err))
		return false;
	for (size_t i = 0; i < text->n_triggers; i++)
		if (!db_exec(db, text->triggers[i].create, err))
			return false;
	return true;
}

static bool make(struct db *db, void *mem, const struct change_log *log, struct viewd_err *err)
{
	struct shape shape;
	struct log_text text;
	bool made = false;
	if (!shape_read(db, mem, &log->source, &shape, err))
		return false;
	const char *why = judge_source(&shape);
	if (why != NULL)
		return err_set(err, shape.there ? VIEWD_ERR_CONFIG : VIEWD_ERR_MISSING, "changes of '%s' cannot be logged (%s)",
		               log->source.name, why);
	log_text(db, mem, log, &shape, &text);
	return is_made(db, &text, &made, err) && (made || make_anew(db, mem, log->number, &text, err));
}

bool sqlite_op_make_log(struct db *db, const struct change_log *log, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	bool done = make(db, mem, log, err);
	talloc_free(mem);
	return done;
}

/* Without its table a trigger fails every writer of its source, and so nothing would come to mend it. */
bool sqlite_op_clean_logs(struct db *db, struct viewd_err *err)
{
	struct names list = {.mem = talloc_new(NULL)};
	bool done = sqlite_op_query(db,
	                            "SELECT name FROM main.sqlite_master AS m WHERE " SQLITE_LOG_TRIGGERS
	                            " AND NOT EXISTS (SELECT 1 FROM main.sqlite_master AS l WHERE l.type = 'table' AND "
	                            "l.name = substr(m.name, 1, length(m.name) - 2))",
	                            NULL, 0, keep, &list, err);
	for (size_t i = 0; i < list.n && done; i++)
		done =
			db_exec(db, ident_append(db->syntax, sql_add(sql_new(list.mem), "DROP TRIGGER main."), list.items[i]), err);
	talloc_free(list.mem);
	return done;
}

/* ---- looking ---- */

struct texts {
	void *mem;
	char *value;
};

static bool take_text_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct texts *texts = ctx;
	texts->value = talloc_strdup(texts->mem, v[0] != NULL ? v[0] : "");
	return false;
}

static const struct db_reader take_text[] = {{take_text_fn, "T", "what a change log and its source are"}};

/* A table that was made anew stands in another place, even if all texts are the same. VACUUM moves tables as well. */
static bool digest_schema(struct db *db, void *mem, const char *table, const struct change_log *log, char **digest_r,
                          struct viewd_err *err)
{
	struct texts texts = {.mem = mem};
	const char *params[] = {log->source.name, table, talloc_asprintf(mem, "%s_?", table)};
	if (!sqlite_op_query(
			db,
			"SELECT group_concat(text, char(10)) FROM (SELECT type || ' ' || name || ' ' || tbl_name || "
			"' ' || CASE WHEN type = 'table' THEN rootpage ELSE '' END || ' ' || coalesce(sql, '') AS text"
			" FROM main.sqlite_master WHERE (tbl_name = ?1 COLLATE NOCASE AND type IN ('table', 'index')) "
			"OR (type = 'table' AND name = ?2) OR (type = 'trigger' AND name GLOB ?3) ORDER BY type, name)",
			params, ARRAY_LEN(params), take_text, &texts, err))
		return false;
	*digest_r = talloc_size(mem, DIGEST_SIZE);
	assert(*digest_r != NULL);
	digest_text(texts.value, *digest_r);
	return true;
}

/* All of that is the same for as long as the schema is. */
static bool find_digest(struct db *db, void *mem, const struct change_log *log, char **digest_r, struct viewd_err *err)
{
	char *table = change_log_table(db, mem, log->number), *digest = NULL;
	char *question = talloc_asprintf(mem, "log %s of %s", table, log->source.name);
	const void *known = NULL;
	if (!sqlite_known_find(db, question, &known, err) ||
	    (known == NULL && !digest_schema(db, mem, table, log, &digest, err)))
		return false;
	*digest_r = talloc_strdup(mem, known != NULL ? known : digest);
	if (known == NULL)
		sqlite_known_keep(sqlite_conn_of(db), question, digest);
	return true;
}

static void unsound(struct change_log *log, const char *why)
{
	log->unsound = log->everything = true;
	snprintf(log->why, sizeof log->why, "%s", why);
}

static bool compare(struct db *db, void *mem, struct change_log *log, struct viewd_err *err)
{
	struct shape shape;
	struct log_text text;
	bool made = false;
	if (!shape_read(db, mem, &log->source, &shape, err))
		return false;
	const char *why = judge_source(&shape);
	if (why == NULL) {
		log_text(db, mem, log, &shape, &text);
		if (!is_made(db, &text, &made, err))
			return false;
		why = made ? NULL : "its table or triggers are not as viewd made them";
	}
	if (why != NULL)
		unsound(log, why);
	return true;
}

/* A log that is as it was at the last reading was in order then. */
bool sqlite_op_look_log(struct db *db, void *mem_ctx, const char *view UNUSED, struct change_log *log,
                        const char *position, const char *looked, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	char *digest = NULL;
	bool done = find_digest(db, mem, log, &digest, err);
	bool same = done && looked != NULL && strcmp(looked, digest) == 0;
	done =
		done && (same || compare(db, mem, log, err)) && (log->unsound || sqlite_look_at_images(db, log, position, err));
	if (done)
		log->looked = talloc_strdup(mem_ctx, digest);
	if (done && !same && looked != NULL && !log->everything) {
		log->everything = true;
		snprintf(log->why, sizeof log->why, "table '%.100s' or an index of it is another one", log->source.name);
	}
	talloc_free(mem);
	return done;
}
