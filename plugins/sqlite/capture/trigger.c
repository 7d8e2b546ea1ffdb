/* SPDX-License-Identifier: MIT
 *
 * trigger.c: having changes noticed. Writers are serial in SQLite, so a trigger may mark the views at once, in one row
 * a view. It counts changed rows: a refresh reads its data before it holds the write lock, and a change in between must
 * not look settled. When there are so many that a view is stale anyway it only looks (marks.h).
 */
#include "sqlite/capture/trigger.h"
#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/state/marks.h"
#include "common/state/state.h"
#include "common/text/number.h"
#include "sqlite/conn/syntax.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

static const char *const events[] = {"INSERT", "UPDATE", "DELETE"};

/* The text of a trigger of today's form, and of no other, as a pattern. The time is asked for by the change that makes
 * a row stale, and by no other; it has as many digits as those that viewd writes, so that texts compare as times do. */
#define TEXT_OF(x) #x
#define NUMBER(x) TEXT_OF(x)
#define RAISE \
	"SET dirty_seq = dirty_seq + 1, changed_time = CASE WHEN dirty_seq > clean_seq THEN changed_time ELSE" \
	" strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') END WHERE source = "
#define ENOUGH "dirty_seq - clean_seq < " NUMBER(MARKS_ENOUGH) "; END"
#define TODAYS RAISE "*" ENOUGH

#define IS_OURS SQLITE_OWN_TRIGGERS

static bool count_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], 0);
	return false;
}

static const struct db_reader count_row[] = {{count_row_fn, "N", "tables and triggers"}};

static bool read_flag_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0] != NULL && strcmp(v[0], "1") == 0;
	return false;
}

static const struct db_reader read_flag[] = {{read_flag_fn, "T", "the kind of a table"}};

/* SQLite has no triggers on virtual tables, those that belong to them, and its own. */
static bool can_have_triggers(struct db *db, const struct relation *source, bool *can_r, struct viewd_err *err)
{
	const char *const params[] = {source->name};
	*can_r = false;
	return db->ops->query(db,
	                      "SELECT type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' FROM pragma_table_list "
	                      "WHERE schema = 'main' AND name = ? COLLATE NOCASE",
	                      params, 1, read_flag, can_r, err);
}

static bool refuse_trigger(const struct relation *source, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "capture = trigger cannot work for '%s' (SQLite has no triggers on it)",
	        source->name);
	return err_hint(err, "capture = poll or auto; or name ordinary tables that change with it in `sources`");
}

static bool choose_one(struct db *db, enum viewd_capture wanted, const struct relation *source,
                       struct viewd_captured *out, struct viewd_err *err)
{
	bool can = false;
	if (!can_have_triggers(db, source, &can, err))
		return false;
	if (wanted == VIEWD_CAPTURE_TRIGGER && !can)
		return refuse_trigger(source, err);
	bool trigger = can && wanted != VIEWD_CAPTURE_POLL;
	out->mode = trigger ? VIEWD_CAPTURE_TRIGGER : VIEWD_CAPTURE_POLL;
	snprintf(out->reason, sizeof out->reason, "%s",
	         trigger ? "triggers mark it, every program that writes the file runs them"
	         : can   ? "every commit of others counts as a change, whatever it wrote"
	                 : "SQLite has no triggers on it, so every commit of others counts as a change");
	return true;
}

bool sqlite_op_choose_capture(struct db *db, enum viewd_capture wanted, const struct relation *sources, size_t n,
                              struct viewd_captured *out, struct viewd_text_sink warnings UNUSED, struct viewd_err *err)
{
	if (wanted == VIEWD_CAPTURE_BINLOG) {
		err_set(err, VIEWD_ERR_CONFIG, "SQLite cannot notice changes by binlog");
		return err_hint(err, "capture = trigger, poll or auto");
	}
	for (size_t i = 0; i < n; i++)
		if (!choose_one(db, wanted, &sources[i], &out[i], err))
			return false;
	return true;
}

/* "viewd_i_0123..." */
static void trigger_name(const struct relation *source, const char *event, char out[static IDENT_MAX])
{
	char prefix[16];
	snprintf(prefix, sizeof prefix, "viewd_%c_", event[0] - 'A' + 'a');
	ident_temporary(source, prefix, out);
}

static void trigger_names(const struct relation *source, char i[static IDENT_MAX], char u[static IDENT_MAX],
                          char d[static IDENT_MAX])
{
	trigger_name(source, events[0], i);
	trigger_name(source, events[1], u);
	trigger_name(source, events[2], d);
}

/* REPLACE deletes rows without their trigger, but its insert is noticed, which is all that is needed. */
static char *trigger_sql(struct db *db, void *mem, const struct relation *source, const char *event)
{
	char name[IDENT_MAX];
	trigger_name(source, event, name);
	char *quoted = relation_quoted(db->syntax, mem, source);
	char *sql = sql_add(sql_new(mem), "CREATE TRIGGER ");
	sql = ident_append(db->syntax, sql, name);
	sql = sql_add(sql, " AFTER %s ON %s BEGIN UPDATE viewd_captures %s%s AND " ENOUGH, event, quoted, RAISE,
	              literal_quoted(db->syntax, mem, quoted));
	return sql;
}

struct list_ctx {
	struct db *db;
	const struct db_reader *row;
	void *ctx;
	struct viewd_err *err;
	bool misfit;
};

static bool give_source_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct list_ctx *list = ctx;
	char *source = v[1] != NULL ? talloc_strdup(NULL, v[1]) : marks_source(list->db, NULL, "", v[0]);
	const char *const values[] = {source};
	bool more = false;
	list->misfit = !db_give(list->row, list->ctx, values, 1, &more, list->err);
	talloc_free(source);
	return !list->misfit && more;
}

static const struct db_reader give_source[] = {{give_source_fn, "tT", "the triggers of viewd"}};

bool sqlite_op_list_triggers(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct list_ctx list = {db, row, ctx, err, false};
	/* as registered: a table that was made anew may be spelled another way */
	return db->ops->query(db,
	                      "SELECT DISTINCT tbl_name, (SELECT max(source) FROM viewd_captures WHERE source = '\"' || "
	                      "replace(tbl_name, '\"', '\"\"')"
	                      " || '\"' COLLATE NOCASE) FROM sqlite_master WHERE " IS_OURS,
	                      NULL, 0, give_source, &list, err) &&
	       !list.misfit;
}

struct names {
	void *mem;
	char **items;
	size_t n;
};

static bool take_name_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct names *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, char *, (unsigned)list->n + 1);
	list->items[list->n++] = talloc_strdup(list->mem, v[0]);
	return true;
}

static const struct db_reader take_name[] = {{take_name_fn, "t", "the triggers of a source"}};

/* Triggers on the table and triggers of its name: a trigger goes with its table when that is renamed, and keeps its
 * name. */
bool sqlite_op_drop_trigger(struct db *db, const char *source, struct viewd_err *err)
{
	struct names list = {.mem = talloc_new(NULL)};
	struct relation rel;
	char i[IDENT_MAX], u[IDENT_MAX], d[IDENT_MAX];
	bool good = relation_parse(db->syntax, source, &rel, err);
	if (good) {
		trigger_names(&rel, i, u, d);
		const char *const params[] = {rel.name, i, u, d};
		good = db->ops->query(db,
		                      "SELECT name FROM sqlite_master WHERE " IS_OURS
		                      " AND (tbl_name = ? COLLATE NOCASE OR name IN (?, ?, ?))",
		                      params, ARRAY_LEN(params), take_name, &list, err);
	}
	for (size_t k = 0; k < list.n && good; k++) {
		char *sql = ident_append(db->syntax, sql_add(sql_new(list.mem), "DROP TRIGGER IF EXISTS "), list.items[k]);
		good = db->ops->exec(db, sql, NULL, 0, NULL, err);
	}
	talloc_free(list.mem);
	return good;
}

/* Is the table there (there_r may be NULL), and does it lack one of its triggers? One that was renamed has taken them
 * along. */
static bool lacks_trigger(struct db *db, const struct relation *rel, bool *there_r, bool *lacks_r,
                          struct viewd_err *err)
{
	char i[IDENT_MAX], u[IDENT_MAX], d[IDENT_MAX];
	trigger_names(rel, i, u, d);
	const char *const params[] = {rel->name, i, u, d, rel->name, "*" TODAYS};
	int64_t tables = 0, triggers = 0;
	if (!db->ops->query(db, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE",
	                    params, 1, count_row, &tables, err) ||
	    !db->ops->query(db,
	                    "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN (?, ?, ?) AND tbl_name "
	                    "= ? COLLATE NOCASE AND sql GLOB ?",
	                    params + 1, 5, count_row, &triggers, err))
		return false;
	if (there_r != NULL)
		*there_r = tables > 0;
	*lacks_r = triggers < 3;
	return true;
}

bool sqlite_op_make_trigger(struct db *db, const struct relation *source, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	bool lacks = false, good = lacks_trigger(db, source, NULL, &lacks, err);
	if (good && lacks)
		good = sqlite_op_drop_trigger(db, relation_quoted(db->syntax, mem, source), err);
	for (size_t i = 0; i < ARRAY_LEN(events) && good && lacks; i++)
		good = db->ops->exec(db, trigger_sql(db, mem, source, events[i]), NULL, 0, NULL, err);
	talloc_free(mem);
	return good;
}

/* ---- triggers that went away ---- */

static bool mend_trigger(struct db *db, const char *source, struct viewd_err *err)
{
	struct relation rel;
	bool there = false, lacks = false;
	if (!relation_parse(db->syntax, source, &rel, err) || !lacks_trigger(db, &rel, &there, &lacks, err))
		return false;
	if (!there || !lacks)
		return true;
	db_log(db, VIEWD_LOG_WARNING,
	       "database '%s', table %s was made anew: its triggers are made again, its views are refreshed",
	       db->database_name, source);
	return sqlite_op_make_trigger(db, &rel, err) && marks_touch(db, source, NULL, err);
}

bool sqlite_mend_triggers(struct db *db, struct viewd_err *err)
{
	struct names list = {.mem = talloc_new(NULL)};
	bool good = db->ops->begin(db, DB_BEGIN_WRITE, err) && marks_sources(db, "trigger", take_name, &list, err);
	for (size_t i = 0; i < list.n && good; i++)
		good = mend_trigger(db, list.items[i], err);
	good = good && db->ops->commit(db, err);
	db->ops->rollback(db);
	talloc_free(list.mem);
	return good;
}
