/* SPDX-License-Identifier: MIT
 *
 * look.c: finds what a reader has to read of its change logs. All rows are taken by the numbers that the snapshot
 * shows: one that was given out before may be committed later.
 *
 * Everything that there is to know of all logs of a view is asked for with one statement. What does not answer it (a
 * table that is gone, a right that was taken away) is then asked for one by one, to find out which log it is.
 */
#include "mysql/incremental/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/text/digest.h"
#include "common/text/number.h"

char *log_quoted(struct viewd_conn *conn, void *mem, const struct change_log *log)
{
	struct relation rel;
	log_relation(conn, change_log_table(&conn->db, mem, log->number), &rel);
	return relation_quoted(&my_syntax, mem, &rel);
}

/* ---- one look ---- */

/* The findings about one log. */
struct looked {
	struct change_log *log;
	struct log_plan plan;
	struct facts_told told;
	struct seen seen;
	bool known;      /* what the reader has read */
	char *now;       /* its position, as it is now */
	bool trying;     /* triggers are tried this time */
	bool alone;      /* it is looked at without the others */
	int64_t tried;   /* rows that they have left for that */
	int64_t slots;   /* rows that are always there */
	int64_t oldest;  /* the number of a row, 0: there is none */
	int64_t newest;  /* likewise */
	bool overflowed; /* some unread row says "everything" */
	bool listed;     /* the unread rows are known by their numbers */
	struct ids unread;
};

struct look {
	struct viewd_conn *conn;
	void *mem;
	const char *view;
	struct looked *logs;
	size_t n;
	char *rights;
};

static bool say(struct change_log *log, bool unsound, const char *why)
{
	log->everything = true;
	log->unsound |= unsound;
	snprintf(log->why, sizeof log->why, "%.191s", why);
	return true;
}

static struct looked *find(struct look *look, int64_t number)
{
	for (size_t i = 0; i < look->n; i++)
		if (look->logs[i].log->number == number)
			return &look->logs[i];
	return NULL;
}

/* ---- which logs have lately been tried ---- */

/* A try finds out what hangs on definitions and rights, which are looked at each time. So a log is tried again when
 * these are others, and now and then in case of something else. */
#define TRIES_MAX 64   /* logs; beyond that the oldest one is forgotten */
#define TRIES_EVERY 16 /* looks */

struct my_tries {
	struct tried_log {
		int64_t number;
		unsigned looks; /* since */
		char digest[DIGEST_SIZE];
	} items[TRIES_MAX];
	size_t n, next;
};

static struct tried_log *find_tried(struct my_tries *tries, int64_t number)
{
	for (size_t i = 0; tries != NULL && i < tries->n; i++)
		if (tries->items[i].number == number)
			return &tries->items[i];
	return NULL;
}

/* looked: as the log was at the last reading; NULL: there was none. */
static bool tries_due(struct viewd_conn *conn, int64_t number, const char *looked)
{
	struct tried_log *tried = find_tried(conn->tries, number);
	if (tried == NULL || looked == NULL || strcmp(tried->digest, looked) != 0)
		return true;
	return ++tried->looks >= TRIES_EVERY;
}

static struct tried_log *add_tried(struct my_tries *tries, int64_t number)
{
	struct tried_log *tried = find_tried(tries, number);
	if (tried == NULL) {
		tried = &tries->items[tries->next];
		tries->next = (tries->next + 1) % TRIES_MAX;
		tries->n += tries->n < TRIES_MAX;
	}
	*tried = (struct tried_log){.number = number};
	return tried;
}

static void tries_note(struct viewd_conn *conn, const struct looked *l, const char *digest)
{
	if (l->alone)
		return;
	if (conn->tries == NULL)
		conn->tries = talloc_zero(conn, struct my_tries);
	assert(conn->tries != NULL);
	struct tried_log *tried = add_tried(conn->tries, l->log->number);
	memcpy(tried->digest, digest, strnlen(digest, DIGEST_SIZE - 1));
}

/* ---- whether somebody else has read ---- */

static char *positions_query(const struct look *look)
{
	char *sql =
		sql_add(sql_new(look->mem), "SELECT log, position FROM viewd_log_readers WHERE `view` = %s AND log IN (",
	            literal_quoted(&my_syntax, look->mem, look->view));
	for (size_t i = 0; i < look->n; i++)
		sql = sql_add(sql, "%s%" PRId64, i > 0 ? ", " : "", look->logs[i].log->number);
	return sql_add(sql, ") FOR UPDATE");
}

static bool take_position_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct look *look = ctx;
	struct looked *l = find(look, number_or(v[0], 0));
	if (l != NULL && v[1] != NULL)
		l->now = talloc_strdup(look->mem, v[1]);
	return true;
}

static const struct db_reader take_position[] = {{take_position_fn, "nT", "what a view has read of change logs"}};

/* Another reading since the snapshot was taken has taken rows that the snapshot shows: what came in between would be
 * lost. */
static bool check_positions(const struct look *look, struct viewd_err *err)
{
	for (size_t i = 0; i < look->n; i++) {
		const char *then = look->logs[i].log->position, *now = look->logs[i].now;
		if (then == NULL ? now != NULL : now == NULL || strcmp(then, now) != 0)
			return err_set(err, VIEWD_ERR_CONFLICT, "view '%s' was refreshed by somebody else since", look->view);
	}
	return true;
}

/* ---- rows ---- */

/* One row tells of all rows, unless numbers are missing between those that are unread: then these are asked for. The
 * first and the last row are told by an index alone. */
static char *rows_query(const struct look *look, const struct looked *l)
{
	char *table = log_quoted(look->conn, look->mem, l->log);
	char *sql =
		sql_add(sql_new(look->mem),
	            "SELECT %" PRId64 ", (SELECT COUNT(*) FROM %s WHERE viewd_id <= " LOG_SLOTS " AND viewd_sign = 0), "
	            "(SELECT MIN(viewd_id) FROM %s WHERE viewd_id >= " LOG_FIRST "), (SELECT MAX(viewd_id) FROM %s WHERE "
	            "viewd_id >= " LOG_FIRST "), COUNT(*), MIN(viewd_id), MAX(viewd_id), SUM(viewd_sign = " LOG_EVERYTHING
	            ") FROM %s WHERE ",
	            l->log->number, table, table, table, table);
	return ids_add_outside(sql, &l->seen.ids, "viewd_id", number_or(LOG_FIRST, 0));
}

static bool take_rows_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct looked *l = find(ctx, number_or(v[0], 0));
	if (l == NULL)
		return false;
	l->slots = number_or(v[1], 0);
	l->oldest = number_or(v[2], 0);
	l->newest = number_or(v[3], 0);
	l->log->unread = number_or(v[4], 0);
	l->overflowed = number_or(v[7], 0) > 0;
	int64_t first = number_or(v[5], 0), last = number_or(v[6], 0);
	l->listed = l->log->unread == (l->log->unread > 0 ? last - first + 1 : 0);
	if (l->listed && l->log->unread > 0)
		ids_append(&l->unread, first, last);
	return false;
}

static bool take_number_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	int64_t id = number_or(v[0], 0);
	ids_append(ctx, id, id);
	return true;
}

static const struct db_reader take_rows[] = {{take_rows_fn, "nnNNnNNN", "the rows of change logs"}};
static const struct db_reader take_number[] = {{take_number_fn, "n", "the unread rows of a change log"}};

/* All of them: where all rows are computed that covers each of them, and none may be read once more. */
static bool list_unread(struct look *look, struct looked *l, struct viewd_err *err)
{
	char *sql =
		sql_add(sql_new(look->mem), "SELECT viewd_id FROM %s WHERE ", log_quoted(look->conn, look->mem, l->log));
	sql = ids_add_outside(sql, &l->seen.ids, "viewd_id", number_or(LOG_FIRST, 0));
	return l->listed ||
	       my_query(&look->conn->db, sql_add(sql, " ORDER BY viewd_id"), NULL, 0, take_number, &l->unread, err);
}

/* The reader's position after it has read the unread rows. Numbers above all rows are given again where a backup has
 * brought back an older log. */
static void plan_reading(const struct look *look, struct looked *l)
{
	struct seen next = {.ids = l->seen.ids, .newest = l->seen.newest};
	l->log->unread_ids = ids_add_text(sql_new(look->mem), &l->unread);
	ids_forget_below(&next.ids, l->oldest > 0 ? l->oldest : INT64_MAX);
	ids_forget_above(&next.ids, l->newest);
	ids_unite(&next.ids, &l->unread);
	if (l->unread.n > 0 && l->unread.items[l->unread.n - 1].last > next.newest)
		next.newest = l->unread.items[l->unread.n - 1].last;
	l->log->next_position = seen_text(look->conn, look->mem, &next);
}

static void judge_rows(const struct look *look, struct looked *l)
{
	struct change_log *log = l->log;
	if (l->slots != LOG_N_SLOTS) {
		say(log, true, "the log was emptied");
		return;
	}
	if (!log->everything && (l->overflowed || l->seen.absent))
		say(log, false, "more rows were changed than the log holds");
	if (!log->everything && log->position != NULL && !l->known)
		say(log, false, "what was read of it is not known");
	plan_reading(look, l);
}

/* ---- trying ---- */

static char *call_text(const struct looked *l)
{
	return talloc_asprintf(l->plan.mem, "CALL %s()",
	                       trigger_quoted(l->plan.mem, l->plan.source->schema, l->plan.routines[1].name));
}

static char *tried_query(const struct look *look, const struct looked *l)
{
	return talloc_asprintf(look->mem,
	                       "SELECT COUNT(*) FROM %s WHERE viewd_id = " LOG_TRIED_ID " AND viewd_sign = " LOG_TRIED,
	                       log_quoted(look->conn, look->mem, l->log));
}

static bool take_tried_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct looked *l = ctx;
	l->tried = number_or(v[0], 0);
	return false;
}

static const struct db_reader take_tried[] = {{take_tried_fn, "n", "a try of a change log"}};

/* Rights that were taken away since have writers go on in silence. */
static bool try_alone(struct look *look, struct looked *l, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	struct db *db = &look->conn->db;
	bool works = false;
	if (!db_exec(db, "SAVEPOINT viewd_try", err))
		return false;
	bool done = log_try(&l->plan, &works, &failure);
	if (!done && !note_is_verdict(&failure)) {
		if (err != NULL)
			*err = failure;
		return false;
	}
	l->tried = works;
	return db_exec(db, "ROLLBACK TO SAVEPOINT viewd_try", err);
}

/* ---- judging ---- */

static bool is_right_now(const struct log_plan *plan, bool *right_r, char why[static 192], struct viewd_err *err)
{
	struct definer definer;
	if (!definer_enter_reading(plan->conn, plan->source, &definer, err))
		return false;
	definer_leave(plan->conn, &definer);
	return log_is_right(plan, &definer, right_r, why, err);
}

/* The full comparison is for what is not as it was. */
static bool compare(struct look *look, struct looked *l, const char *looked, struct viewd_err *err)
{
	char why[192] = "";
	bool right = false;
	/* A session goes by the rights it had when it began, writers by those of now. */
	look->conn->denied.now = look->conn->denied.now || looked != NULL;
	if (!log_plan(look->conn, look->mem, l->log, &l->plan, err) || !is_right_now(&l->plan, &right, why, err))
		return false;
	if (!right || !log_may(&l->plan, why))
		return say(l->log, true, why);
	return say(l->log, false,
	           looked == NULL ? "its log was not read before" : "table, triggers or log are not as they were");
}

/* digest: as the log is now. */
static bool judge(struct look *look, struct looked *l, const char *digest, struct viewd_err *err)
{
	struct change_log *log = l->log;
	const char *before = log->position != NULL ? log->last_looked : NULL;
	log->looked = digest;
	if (before == NULL || strcmp(before, digest) != 0)
		return compare(look, l, before, err);
	if (l->trying && l->tried != 1)
		return say(log, true, "its triggers would leave nothing in it");
	if (l->trying)
		tries_note(look->conn, l, digest);
	return true;
}

/* ---- all logs at once ---- */

static void add_tries(struct look *look, struct my_questions *list)
{
	bool any = false;
	for (size_t i = 0; i < look->n; i++)
		any |= look->logs[i].trying;
	if (!any)
		return;
	my_ask_later(list, talloc_strdup(look->mem, "SAVEPOINT viewd_try"), NULL, NULL);
	for (size_t i = 0; i < look->n; i++) {
		if (!look->logs[i].trying)
			continue;
		my_ask_later(list, call_text(&look->logs[i]), NULL, NULL);
		my_ask_later(list, tried_query(look, &look->logs[i]), take_tried, &look->logs[i]);
	}
	my_ask_later(list, talloc_strdup(look->mem, "ROLLBACK TO SAVEPOINT viewd_try"), NULL, NULL);
}

static bool ask(struct look *look, bool *answered_r, struct viewd_err *err)
{
	struct my_questions list = {.mem = look->mem};
	struct facts_told *told = talloc_array(look->mem, struct facts_told, (unsigned)look->n);
	my_ask_later(&list, positions_query(look), take_position, look);
	for (size_t i = 0; i < look->n; i++)
		told[i] = (struct facts_told){.plan = &look->logs[i].plan, .rights = &look->rights};
	*answered_r = facts_ask(told, look->n, &list);
	for (size_t i = 0; i < look->n; i++)
		my_ask_later(&list, rows_query(look, &look->logs[i]), take_rows, look);
	add_tries(look, &list);
	if (!*answered_r)
		return true;
	*answered_r = my_ask_now(look->conn, &list, err);
	for (size_t i = 0; i < look->n; i++)
		look->logs[i].told = told[i];
	return *answered_r;
}

/* The savepoint may not have been set. */
static void forget_answers(struct look *look)
{
	struct viewd_err ignored = {0};
	if (!db_exec(&look->conn->db, "ROLLBACK TO SAVEPOINT viewd_try", &ignored))
		db_log(&look->conn->db, VIEWD_LOG_DEBUG, "view '%s', change logs are looked at one by one", look->view);
	for (size_t i = 0; i < look->n; i++) {
		struct looked *l = &look->logs[i];
		l->log->unread = l->tried = l->slots = l->oldest = l->newest = 0;
		l->unread = (struct ids){.mem = look->mem};
		l->overflowed = l->listed = false;
		l->trying = true;
		l->now = NULL;
	}
}

static bool ask_or_forget(struct look *look, bool *answered_r, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	if (ask(look, answered_r, &failure))
		return true;
	if (!note_is_verdict(&failure)) {
		if (err != NULL)
			*err = failure;
		return false;
	}
	forget_answers(look);
	return true;
}

/* ---- one by one ---- */

/* Not all that a try depends on is known of parents and roles, so none is remembered. */
static bool facts_alone(struct look *look, struct looked *l, bool tried, struct viewd_err *err)
{
	char why[192] = "", *digest = NULL;
	l->alone = true;
	if (!log_facts(&l->plan, &digest, why, err))
		return false;
	if (why[0] != '\0') {
		l->log->looked = digest;
		return say(l->log, true, why);
	}
	return (tried || try_alone(look, l, err)) && judge(look, l, digest, err);
}

static bool rows_alone(struct look *look, struct looked *l, struct viewd_err *err)
{
	return my_query(&look->conn->db, rows_query(look, l), NULL, 0, take_rows, look, err);
}

static bool conclude(struct look *look, struct looked *l, bool answered, struct viewd_err *err)
{
	char *digest = answered ? facts_digest(&l->told) : NULL;
	if (!(digest != NULL ? judge(look, l, digest, err) : facts_alone(look, l, answered, err)))
		return false;
	if (l->log->unsound)
		return true;
	if ((!answered && !rows_alone(look, l, err)) || !list_unread(look, l, err))
		return false;
	judge_rows(look, l);
	return true;
}

/* ---- all of it ---- */

static void begin(struct look *look, struct change_log *logs, size_t n)
{
	look->logs = talloc_zero_array(look->mem, struct looked, (unsigned)n + 1);
	assert(look->logs != NULL);
	for (size_t i = 0; i < n; i++) {
		struct looked *l = &look->logs[look->n];
		if (logs[i].replaced)
			continue;
		l->log = &logs[i];
		l->unread.mem = look->mem;
		l->known = seen_read(look->mem, logs[i].position, &l->seen);
		l->trying = tries_due(look->conn, logs[i].number, logs[i].last_looked);
		log_names(look->conn, look->mem, logs[i].number, &logs[i].source, &l->plan);
		l->plan.n = logs[i].n_columns;
		look->n++;
	}
}

bool my_look_logs(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                  struct viewd_err *err)
{
	struct look look = {.conn = my_conn(db), .mem = mem_ctx, .view = view};
	bool answered = false;
	if (!db_flush(db, err))
		return false;
	begin(&look, logs, n);
	if (look.n == 0)
		return true;
	if (!ask_or_forget(&look, &answered, err) ||
	    (!answered && !my_query(db, positions_query(&look), NULL, 0, take_position, &look, err)) ||
	    !check_positions(&look, err))
		return false;
	for (size_t i = 0; i < look.n; i++)
		if (!conclude(&look, &look.logs[i], answered, err))
			return false;
	return true;
}
