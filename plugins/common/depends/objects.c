/* SPDX-License-Identifier: MIT */
#include "common/depends/objects.h"
#include "base/words.h"

#include "common/sqltext/sqltext.h"
#include "common/state/marks.h"
#include "common/state/state.h"
#include "common/state/stmt.h"

#include <assert.h>
#include <string.h>
#include <talloc.h>

static const char *const columns[] = {"source", "kind", "identity", "stamp", "digest"};

static char *copy_text(void *mem, const char *text)
{
	char *own = talloc_strdup(mem, text != NULL ? text : "");
	assert(own != NULL);
	return own;
}

static bool same(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* ---- reading ---- */

static bool take_object_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct objects *list = ctx;
	if ((list->n & (list->n - 1)) == 0)
		list->items = talloc_realloc(list->mem, list->items, struct object, (unsigned)(list->n == 0 ? 1 : list->n * 2));
	assert(list->items != NULL);
	list->items[list->n++] =
		(struct object){copy_text(list->mem, v[0]), copy_text(list->mem, v[1]), copy_text(list->mem, v[2]),
	                    copy_text(list->mem, v[3]), copy_text(list->mem, v[4])};
	return true;
}

static const struct db_reader take_object[] = {{take_object_fn, "tTTTT", "the objects that views depend on"}};

static struct stmt select_statement(struct db *db)
{
	struct stmt st = stmt_new(db);
	stmt_text(&st, "SELECT ");
	stmt_names(&st, columns, ARRAY_LEN(columns));
	stmt_text(&st, " FROM ");
	stmt_text(&st, state_table(db, st.sql, "objects"));
	return st;
}

bool objects_load(struct db *db, struct objects *list, struct viewd_err *err)
{
	struct stmt st = select_statement(db);
	return stmt_query(&st, take_object, list, err);
}

static bool load_those_of(struct db *db, const struct dependencies *wanted, struct objects *list, struct viewd_err *err)
{
	struct stmt st = select_statement(db);
	size_t n = 0;
	stmt_text(&st, " WHERE source IN (");
	for (size_t i = 0; i < wanted->n; i++)
		if (wanted->items[i].digest != NULL) {
			stmt_text(&st, n++ > 0 ? ", " : "");
			stmt_text(&st, literal_quoted(db->syntax, st.sql, wanted->items[i].source));
		}
	stmt_text(&st, ")");
	if (n > 0)
		return stmt_query(&st, take_object, list, err);
	talloc_free(st.sql);
	return true;
}

/* ---- writing ---- */

static bool insert(struct db *db, const struct dependency *entry, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	stmt_text(&st, "INSERT INTO ");
	stmt_text(&st, state_table(db, st.sql, "objects"));
	stmt_text(&st, " (");
	stmt_names(&st, columns, ARRAY_LEN(columns));
	stmt_text(&st, ") VALUES (");
	stmt_param(&st, entry->source);
	stmt_text(&st, ", ");
	stmt_param(&st, word_depends(entry->kind));
	stmt_text(&st, ", ");
	stmt_param(&st, entry->identity != NULL ? entry->identity : "");
	stmt_text(&st, ", ");
	stmt_param(&st, entry->stamp != NULL ? entry->stamp : "");
	stmt_text(&st, ", ");
	stmt_param(&st, entry->digest);
	stmt_text(&st, ")");
	return stmt_run(&st, err);
}

static void set(struct stmt *st, const char *before, const char *column, const char *value)
{
	stmt_text(st, before);
	stmt_name(st, column);
	stmt_text(st, " = ");
	stmt_param(st, value);
}

/* identity NULL: it stays. */
static bool update(struct db *db, const char *source, const char *identity, const char *stamp, const char *digest,
                   struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	stmt_text(&st, "UPDATE ");
	stmt_text(&st, state_table(db, st.sql, "objects"));
	set(&st, " SET ", "stamp", stamp != NULL ? stamp : "");
	set(&st, ", ", "digest", digest != NULL ? digest : "");
	if (identity != NULL)
		set(&st, ", ", "identity", identity);
	set(&st, " WHERE ", "source", source);
	return stmt_run(&st, err);
}

static const struct object *find_object(const struct objects *list, const char *source)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].source, source) == 0)
			return &list->items[i];
	return NULL;
}

/* identity NULL: it stays. */
static bool leave_to_look(struct db *db, const char *source, const char *identity, struct viewd_err *err)
{
	return update(db, source, identity, "", OBJECT_UNTOLD, err) && marks_touch(db, source, NULL, err);
}

/* A digest that a look has told of is settled by the walk that follows. */
static bool was_told(const struct object *known)
{
	return known->digest[0] == '\0' || strcmp(known->digest, OBJECT_BACK) == 0;
}

static bool is_left_to_look(const struct object *known)
{
	return strcmp(known->digest, OBJECT_UNTOLD) == 0;
}

static bool register_one(struct db *db, const struct dependency *entry, const struct object *known,
                         struct viewd_err *err)
{
	if (entry->digest == NULL)
		return true;
	if (known == NULL)
		return insert(db, entry, err);
	bool as_known = same(known->identity, entry->identity);
	if (as_known && (same(known->digest, entry->digest) || is_left_to_look(known)))
		return true;
	if (!was_told(known))
		return leave_to_look(db, entry->source, entry->identity != NULL ? entry->identity : "", err);
	return update(db, entry->source, entry->identity, entry->stamp, entry->digest, err) &&
	       marks_touch(db, entry->source, NULL, err);
}

bool objects_register(struct db *db, const struct dependencies *list, struct viewd_err *err)
{
	struct objects known = {.mem = talloc_new(NULL)};
	bool good = load_those_of(db, list, &known, err);
	for (size_t i = 0; good && i < list->n; i++)
		good = register_one(db, &list->items[i], find_object(&known, list->items[i].source), err);
	talloc_free(known.mem);
	return good;
}

bool objects_sweep(struct db *db, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	stmt_text(&st, "DELETE FROM ");
	stmt_text(&st, state_table(db, st.sql, "objects"));
	stmt_text(&st, " WHERE source NOT IN (SELECT source FROM ");
	stmt_text(&st, state_table(db, st.sql, "captures"));
	stmt_text(&st, ")");
	return stmt_run(&st, err);
}

/* ---- after a refresh ---- */

static bool load_heard_by_look(struct db *db, const char *view, struct objects *list, struct viewd_err *err)
{
	struct stmt st = select_statement(db);
	stmt_text(&st, " WHERE source IN (SELECT source FROM ");
	stmt_text(&st, state_table(db, st.sql, "captures"));
	set(&st, " WHERE ", "view", view);
	set(&st, " AND ", "mode", word_heard(VIEWD_HEARD_LOOK));
	stmt_text(&st, ")");
	return stmt_query(&st, take_object, list, err);
}

bool objects_check(struct db *db, const char *view, struct viewd_err *err)
{
	struct objects list = {.mem = talloc_new(NULL)};
	bool good = load_heard_by_look(db, view, &list, err);
	for (size_t i = 0; good && i < list.n; i++) {
		char *digest = NULL;
		if (was_told(&list.items[i]) || is_left_to_look(&list.items[i]))
			continue;
		good = db->ops->depends.digest_of(db, list.mem, &list.items[i], &digest, err);
		if (good && !same(digest, list.items[i].digest))
			good = leave_to_look(db, list.items[i].source, NULL, err);
	}
	talloc_free(list.mem);
	return good;
}

/* ---- the look ---- */

#define CLOCK_SLACK_US 5000000 /* so far the clock may have been set back since the last look */

/* A finding of the dialect: stored is the digest that the table holds, digest NULL means gone. */
struct difference {
	char *source, *stamp, *digest, *stored;
	bool doubt;
};
struct differences {
	void *mem;
	struct difference *items;
	size_t n;
	bool news, doubts;
};

static bool take_difference_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct differences *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, struct difference, (unsigned)list->n + 1);
	assert(list->items != NULL);
	bool news = !same(v[2], v[3]), doubt = !news && v[4] != NULL && v[4][0] == 't';
	list->items[list->n++] = (struct difference){copy_text(list->mem, v[0]), copy_text(list->mem, v[1]),
	                                             copy_text(list->mem, v[2]), copy_text(list->mem, v[3]), doubt};
	list->news |= news;
	list->doubts |= doubt;
	return true;
}

static const struct db_reader take_difference[] = {{take_difference_fn, "tTTTT", "objects that have changed"}};

/* A view by its name, for as long as the transaction lasts. */
struct sure {
	void *mem;
	const char **names;
	size_t n;
};

static bool take_sure_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct sure *list = ctx;
	list->names = talloc_realloc(list->mem, list->names, const char *, (unsigned)list->n + 1);
	assert(list->names != NULL);
	list->names[list->n++] = copy_text(list->mem, v[0]);
	return true;
}

static const struct db_reader take_sure[] = {{take_sure_fn, "t", "views that nobody refreshes"}};

/* The views of a source whose rows were read before the last look. A refresh that is under way has the row of its view
 * locked. */
static bool find_sure(struct db *db, const char *source, struct sure *list, struct viewd_err *err)
{
	int64_t now = db_now(db), before = db->looked_us - CLOCK_SLACK_US;
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "SELECT name FROM %s WHERE last_success_time < ", db->syntax->state.views);
	stmt_time(&st, before < now ? before : now);
	stmt_text(&st, " AND name IN (SELECT ");
	stmt_name(&st, "view");
	stmt_text(&st, " FROM ");
	stmt_text(&st, state_table(db, st.sql, "captures"));
	set(&st, " WHERE ", "source", source);
	stmt_text(&st, ")");
	if (db->syntax->state.for_update != NULL) {
		stmt_text(&st, db->syntax->state.for_update);
		stmt_text(&st, " SKIP LOCKED");
	}
	return stmt_query(&st, take_sure, list, err);
}

/* An object that was another and is as it was: a refresh may have read the other. */
static bool touch_doubtful(struct db *db, const char *source, struct viewd_err *err)
{
	struct sure list = {.mem = talloc_new(NULL)};
	bool good = db->looked_us == 0 || find_sure(db, source, &list, err);
	good = good &&
	       (list.n == 0 ? marks_touch(db, source, NULL, err) : marks_touch_others(db, source, list.names, list.n, err));
	talloc_free(list.mem);
	return good;
}

static bool store_one(struct db *db, const struct difference *d, struct viewd_err *err)
{
	if (!update(db, d->source, NULL, d->stamp, d->digest, err))
		return false;
	if (!same(d->digest, d->stored))
		return marks_touch(db, d->source, NULL, err);
	return !d->doubt || touch_doubtful(db, d->source, err);
}

static bool store(struct db *db, const struct differences *list, struct viewd_err *err)
{
	for (size_t i = 0; i < list->n; i++)
		if (!store_one(db, &list->items[i], err))
			return false;
	return true;
}

static bool store_all(struct db *db, const struct differences *list, struct viewd_err *err)
{
	if (db->ops->begin(db, DB_BEGIN_WRITE, err) && store(db, list, err) && db->ops->commit(db, err))
		return true;
	db->ops->rollback(db);
	return false;
}

struct telling {
	struct viewd_signal_sink sink;
};

static bool tell_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	const struct telling *t = ctx;
	const struct viewd_signal signal = {.struct_size = sizeof signal, .kind = VIEWD_SIGNAL_REDEFINED, .view = v[0]};
	return t->sink.fn(t->sink.ctx, &signal);
}

static const struct db_reader tell[] = {{tell_fn, "t", "the views that read an object"}};

static bool tell_views(struct db *db, const struct differences *list, struct viewd_signal_sink signals,
                       struct viewd_err *err)
{
	struct telling ctx = {signals};
	struct stmt st = stmt_new(db);
	bool first = true;
	stmt_text(&st, "SELECT DISTINCT ");
	stmt_name(&st, "view");
	stmt_text(&st, " FROM ");
	stmt_text(&st, state_table(db, st.sql, "captures"));
	stmt_text(&st, " WHERE source IN (");
	for (size_t i = 0; i < list->n; i++)
		if (!same(list->items[i].digest, list->items[i].stored)) {
			stmt_text(&st, first ? "" : ", ");
			stmt_text(&st, literal_quoted(db->syntax, st.sql, list->items[i].source));
			first = false;
		}
	stmt_text(&st, ")");
	return stmt_query(&st, tell, &ctx, err);
}

static void log_differences(struct db *db, const struct differences *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!same(list->items[i].digest, list->items[i].stored))
			db_log(db, VIEWD_LOG_INFO, "database '%s', %s %s: the views that read it are looked at anew",
			       db->database_name, list->items[i].source,
			       list->items[i].digest[0] == '\0' ? "is gone" : "has another definition");
}

bool objects_look(struct db *db, struct viewd_signal_sink signals, bool *news_r, struct viewd_err *err)
{
	struct differences list = {.mem = talloc_new(NULL)};
	int64_t begin = db_now(db);
	bool good =
		db->ops->depends.changed_objects == NULL || db->ops->depends.changed_objects(db, take_difference, &list, err);
	good = good && (list.n == 0 || store_all(db, &list, err));
	if (good && list.news) {
		log_differences(db, &list);
		good = tell_views(db, &list, signals, err);
	}
	if (good)
		db->looked_us = begin;
	if (good && news_r != NULL)
		*news_r |= list.news || list.doubts;
	talloc_free(list.mem);
	return good;
}
