/* SPDX-License-Identifier: MIT
 *
 * exec.c: running statements, one a call, over the text protocol, with every wait bounded.
 */
#include "mysql/conn/row_key.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/err.h"
#include "base/span.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

#define GRACE_US (5 * SPAN_SECOND) /* for the server to notice its own limit, and for KILL to work */
#define GRANTED_US SPAN_SECOND     /* after a refusal, privileges are looked up anew so often */
#define FOREVER_US INT64_C(-1)
#define SILENCE_US (10 * SPAN_SECOND)      /* without an answer; then it is asked whether the server is still there */
#define SILENCE_AGAIN_US (3 * SPAN_SECOND) /* after it did not answer that: one connection may have failed by chance */
#define ROLLBACK_LIMIT_US (10 * SPAN_MINUTE) /* undoing a long INSERT takes its time */

static char *add_literal(struct viewd_conn *conn, char *sql, const char *value)
{
	if (value == NULL)
		return sql_add(sql, "NULL");
	size_t len = strlen(value);
	char *escaped = talloc_array(NULL, char, 2 * len + 1);
	mysql_real_escape_string(conn->my, escaped, value, (unsigned long)len);
	sql = sql_add(sql, "'%s'", escaped);
	talloc_free(escaped);
	return sql;
}

char *my_bind(struct viewd_conn *conn, const char *text, const char *const *params, size_t n)
{
	char *sql = sql_new(conn);
	size_t used = 0;
	struct lex_token tok;

	while ((tok = lex_next(my_syntax.lexer.flags, &text)).kind != LEX_END) {
		if (tok.text[0] != '?') {
			sql = sql_add(sql, "%.*s", (int)tok.len, tok.text);
			continue;
		}
		if (used == n)
			break;
		sql = add_literal(conn, sql, params[used++]);
	}
	if (tok.kind != LEX_END || used != n)
		TALLOC_FREE(sql);
	return sql;
}

static int64_t mono_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SPAN_SECOND + now.tv_nsec / 1000;
}

/* How long the server may be silent before it is asked whether it is there. */
static int64_t patience(const struct viewd_conn *conn, bool doubted)
{
	return conn->url->n_places == 1 ? SPAN_HOUR : doubted ? SILENCE_AGAIN_US : SILENCE_US;
}

/* Where another server would serve, one that takes no new connection two times in a row is given up: a process that was
 * stopped keeps its connections open. *doubted_r: it took none. */
static void doubt(struct viewd_conn *conn, bool *doubted_r)
{
	if (conn->url->n_places == 1)
		return;
	bool again = *doubted_r;
	*doubted_r = !places_answers(conn);
	if (*doubted_r)
		db_log(&conn->db, VIEWD_LOG_WARNING,
		       "database '%s', a statement waits and the server takes no new connection%s", conn->db.database_name,
		       again ? ": it is given up" : "");
	if (*doubted_r && again)
		shutdown(mysql_get_socket(conn->my), SHUT_RDWR);
}

/* Waits until the server has answered. False: limit_us passed. */
static bool wait_answer(struct viewd_conn *conn, int64_t limit_us)
{
	int64_t deadline = mono_us() + limit_us;
	struct pollfd pfd = {.fd = mysql_get_socket(conn->my), .events = POLLIN};
	bool doubted = false;

	for (;;) {
		int64_t slice = patience(conn, doubted), left = limit_us < 0 ? slice : deadline - mono_us();
		if (left < 0)
			left = 0;
		int rc = poll(&pfd, 1, (int)((left > slice ? slice : left) / SPAN_MS + 1));
		if (rc > 0 || (rc < 0 && errno != EINTR))
			return true;
		if (rc == 0 && limit_us >= 0 && mono_us() >= deadline)
			return false;
		if (rc == 0)
			doubt(conn, &doubted);
	}
}

/* False: the answer did not come in time and the statement was killed. */
static bool wait_or_kill(struct viewd_conn *conn, int64_t limit_us)
{
	if (wait_answer(conn, limit_us))
		return true;
	my_kill_query(conn);
	if (!wait_answer(conn, GRACE_US))
		shutdown(mysql_get_socket(conn->my), SHUT_RDWR);
	return false;
}

static bool cancelled_before(struct viewd_conn *conn, struct viewd_err *err)
{
	return atomic_exchange(&conn->cancelled, false) && !err_set(err, VIEWD_ERR_CANCELLED, "cancelled on request");
}

static bool answer_failed(struct viewd_conn *conn, bool in_time, enum viewd_err_class too_late, struct viewd_err *err)
{
	struct viewd_err scratch;

	if (err == NULL)
		err = &scratch;
	my_fail(conn->my, true, err);
	/* A node that serves nobody says so to each statement. */
	conn->lost = conn->lost || err->cls == VIEWD_ERR_LOST || err->cls == VIEWD_ERR_CONNECT;
	if (err->cls == VIEWD_ERR_DENIED) {
		conn->denied.now = true;
		conn->denied.at = mono_us();
	}
	if (err->cls != VIEWD_ERR_CANCELLED)
		return false;
	if (!in_time)
		return err_set(err, too_late,
		               too_late == VIEWD_ERR_TIMEOUT ? "statement took longer than its limit"
		                                             : "lock was not granted in time");
	/* A cluster says the same to whoever is in the way of another node's change. Elsewhere somebody wants it to end. */
	if (!atomic_exchange(&conn->cancelled, false) && conn->node.certifies)
		err_set(err, VIEWD_ERR_CONFLICT, "statement was interrupted by the server or by somebody's KILL QUERY");
	return false;
}

#define NOT_SUPPORTED 1235 /* ER_NOT_SUPPORTED_YET */

/* The server's message does not always say what it lacks. */
static void name_refused(const char *sql, struct viewd_err *err)
{
	if (err != NULL && err->native == NOT_SUPPORTED && err->hint[0] == '\0')
		err_hint(err, "the server has refused: %.150s", sql);
}

/* Sends one statement and reads the beginning of its answer. */
static bool send_statement(struct viewd_conn *conn, const char *sql, int64_t limit_us, enum viewd_err_class too_late,
                           struct viewd_err *err)
{
	if (conn->lost)
		return err_set(err, VIEWD_ERR_CONNECT, "connection was lost before");
	if (cancelled_before(conn, err))
		return false;
	atomic_store(&conn->running, true);
	bool sent = mysql_send_query(conn->my, sql, (unsigned long)strlen(sql)) == 0;
	bool in_time = !sent || wait_or_kill(conn, limit_us);
	bool done = sent && mysql_read_query_result(conn->my) == 0;
	atomic_store(&conn->running, false);
	if (done)
		return true;
	if (sent) {
		answer_failed(conn, in_time, too_late, err);
		name_refused(sql, err);
		return false;
	}
	conn->lost = true;
	return my_fail(conn->my, false, err);
}

/* MariaDB ends a statement by itself; the client's own limit is then only the second line. MySQL can do that for SELECT
 * alone. */
static int64_t statement_limit(const struct viewd_conn *conn)
{
	if (conn->timeout_us <= 0)
		return FOREVER_US;
	return conn->mariadb ? conn->timeout_us + GRACE_US : conn->timeout_us;
}

static bool run_bound(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n,
                      struct viewd_err *err)
{
	if (!my_flush(&conn->db, err))
		return false;
	if (n == 0)
		return send_statement(conn, sql, statement_limit(conn), VIEWD_ERR_TIMEOUT, err);
	char *bound = my_bind(conn, sql, params, n);
	if (bound == NULL)
		return err_set(err, VIEWD_ERR_BUG, "statement has another number of parameters than %zu", n);
	bool done = send_statement(conn, bound, statement_limit(conn), VIEWD_ERR_TIMEOUT, err);
	talloc_free(bound);
	return done;
}

/* Takes the result off the line; streamed: its rows stay there. *result_r is NULL for a statement without rows. */
static bool take_result(struct viewd_conn *conn, bool streamed, MYSQL_RES **result_r, struct viewd_err *err)
{
	*result_r = streamed ? mysql_use_result(conn->my) : mysql_store_result(conn->my);
	if (*result_r != NULL || mysql_field_count(conn->my) == 0)
		return true;
	return answer_failed(conn, true, VIEWD_ERR_TIMEOUT, err);
}

/* A procedure may give several results. */
static bool drop_more(struct viewd_conn *conn, struct viewd_err *err)
{
	int rc = 0;

	atomic_store(&conn->running, true);
	while (rc == 0 && mysql_more_results(conn->my)) {
		rc = mysql_next_result(conn->my);
		if (rc == 0)
			mysql_free_result(mysql_use_result(conn->my));
	}
	atomic_store(&conn->running, false);
	return rc <= 0 || answer_failed(conn, true, VIEWD_ERR_TIMEOUT, err);
}

bool my_exec(struct db *db, const char *sql, const char *const *params, size_t n_params, int64_t *affected_r,
             struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	MYSQL_RES *result;

	if (!run_bound(conn, sql, params, n_params, err))
		return false;
	int64_t affected = (int64_t)mysql_affected_rows(conn->my);
	if (!take_result(conn, false, &result, err))
		return false;
	mysql_free_result(result);
	if (!drop_more(conn, err))
		return false;
	if (affected_r != NULL)
		*affected_r = affected;
	return true;
}

bool my_exec_within(struct viewd_conn *conn, const char *sql, int64_t limit_us, struct viewd_err *err)
{
	MYSQL_RES *result;

	if (!my_flush(&conn->db, err) || !send_statement(conn, sql, limit_us, VIEWD_ERR_CONFLICT, err) ||
	    !take_result(conn, false, &result, err))
		return false;
	mysql_free_result(result);
	return true;
}

static bool is_cut(MYSQL_RES *result, MYSQL_ROW values)
{
	const unsigned long *lengths = mysql_fetch_lengths(result);

	for (unsigned i = 0; i < mysql_num_fields(result); i++)
		if (values[i] != NULL && strlen(values[i]) != lengths[i])
			return true;
	return false;
}

static bool is_whole(const MYSQL_FIELD *field)
{
	return field->type == MYSQL_TYPE_TINY || field->type == MYSQL_TYPE_SHORT || field->type == MYSQL_TYPE_INT24 ||
	       field->type == MYSQL_TYPE_LONG || field->type == MYSQL_TYPE_LONGLONG;
}

/* Does the question want these columns? */
static bool are_wanted(MYSQL_RES *result, const struct my_question *asked)
{
	bool whole = true;

	for (unsigned i = 0; asked->numbers_r != NULL && i < mysql_num_fields(result); i++)
		whole = whole && is_whole(&mysql_fetch_fields(result)[i]);
	if (asked->numbers_r != NULL)
		*asked->numbers_r = whole;
	return whole;
}

static bool give_rows(struct viewd_conn *conn, MYSQL_RES *result, const struct my_question *asked,
                      struct viewd_err *err)
{
	bool good = true, more = are_wanted(result, asked);

	while (good && more) {
		MYSQL_ROW values = mysql_fetch_row(result);
		if (values == NULL)
			return !asked->streamed || mysql_errno(conn->my) == 0 || answer_failed(conn, true, VIEWD_ERR_TIMEOUT, err);
		if (asked->cut_r != NULL)
			*asked->cut_r = *asked->cut_r || is_cut(result, values);
		good = db_give(asked->row, asked->ctx, (const char *const *)values, mysql_num_fields(result), &more, err);
	}
	return good;
}

bool my_query(struct db *db, const char *sql, const char *const *params, size_t n_params, const struct db_reader *row,
              void *ctx, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	struct my_question asked = {.row = row, .ctx = ctx};
	MYSQL_RES *result;

	if (!run_bound(conn, sql, params, n_params, err) || !take_result(conn, false, &result, err))
		return false;
	bool good = result == NULL || give_rows(conn, result, &asked, err);
	mysql_free_result(result);
	return good;
}

static bool next_result(struct viewd_conn *conn, struct viewd_err *err)
{
	atomic_store(&conn->running, true);
	int rc = mysql_next_result(conn->my);
	atomic_store(&conn->running, false);
	return rc <= 0 || answer_failed(conn, true, VIEWD_ERR_TIMEOUT, err);
}

/* The answers of a block, one after the other; what a reader does not take is read to its end all the same. */
static bool take_answers(struct viewd_conn *conn, const struct my_questions *list, struct viewd_err *err)
{
	bool good = true;
	MYSQL_RES *result;

	for (size_t i = 0;; i++) {
		while (i < list->n && list->items[i].row == NULL)
			i++;
		if (!take_result(conn, i < list->n && list->items[i].streamed, &result, err))
			return false;
		if (result != NULL && i < list->n && list->items[i].answered_r != NULL)
			*list->items[i].answered_r = true;
		if (good && result != NULL && i < list->n)
			good = give_rows(conn, result, &list->items[i], err);
		mysql_free_result(result);
		/* Rows that are read by nobody may have ended by a failure. */
		if (good && mysql_errno(conn->my) != 0)
			return answer_failed(conn, true, VIEWD_ERR_TIMEOUT, err);
		if (!mysql_more_results(conn->my))
			return good;
		if (!next_result(conn, err))
			return false;
	}
}

bool my_run_block(struct viewd_conn *conn, const char *sql, const struct my_questions *list, struct viewd_err *err)
{
	return send_statement(conn, sql, statement_limit(conn), VIEWD_ERR_TIMEOUT, err) && take_answers(conn, list, err);
}

static const struct db_reader take_text[] = {{db_take_text, "T", "a value"}};

bool my_query_text(struct viewd_conn *conn, void *mem_ctx, const char *sql, const char *const *params, size_t n_params,
                   char **text_r, struct viewd_err *err)
{
	struct db_text one = {.mem = mem_ctx};

	if (!my_query(&conn->db, sql, params, n_params, take_text, &one, err))
		return false;
	*text_r = one.value;
	return true;
}

bool my_query_int(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params, int64_t *n_r,
                  struct viewd_err *err)
{
	char *text;

	if (!my_query_text(conn, conn, sql, params, n_params, &text, err))
		return false;
	*n_r = number_or(text, 0);
	talloc_free(text);
	return true;
}

bool my_begin(struct db *db, enum db_begin how, struct viewd_err *err)
{
	my_conn(db)->writing = how != DB_BEGIN_SNAPSHOT;
	my_conn(db)->later.failure = (struct viewd_err){0};
	TALLOC_FREE(my_conn(db)->later.along);
	if (how == DB_BEGIN_WRITE)
		return db_exec(db, "START TRANSACTION", err);
	const char *snapshot = how == DB_BEGIN_GROUP ? "START TRANSACTION WITH CONSISTENT SNAPSHOT"
	                                             : "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
	static const char level[] = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
	if (!my_conn(db)->mariadb)
		return db_exec(db, level, err) && db_exec(db, snapshot, err);
	return my_begin_later(my_conn(db), level) && my_exec_later(db, snapshot, NULL, 0, err);
}

bool my_commit(struct db *db, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);

	if (!(conn->writing ? my_leader_commit(conn, err) : my_flush(db, err) && db_exec(db, "COMMIT", err)))
		return false;
	my_lock_end(conn);
	return true;
}

void my_rollback(struct db *db)
{
	struct viewd_conn *conn = my_conn(db);

	my_forget_later(conn);
	TALLOC_FREE(conn->later.along);
	atomic_store(&conn->cancelled, false); /* a cancel that comes late must not keep the transaction open */
	if (!conn->lost && !my_exec_within(conn, "ROLLBACK", ROLLBACK_LIMIT_US, NULL))
		conn->lost = true;
	if (!conn->lost)
		my_lock_end(conn);
}

/* Somebody grants what was refused at any time later, and other calls may have come in between. */
static bool may_have_been_granted(struct viewd_conn *conn)
{
	int64_t now = mono_us();

	if (conn->denied.at == 0 || now - conn->denied.at > SPAN_HOUR || now - conn->denied.renewed < GRANTED_US)
		return false;
	conn->denied.now = true;
	return true;
}

void my_enter(struct db *db)
{
	struct viewd_conn *conn = my_conn(db);
	struct viewd_err failure = {0};

	atomic_store(&conn->cancelled, false);
	if (conn->hooked || conn->denied.now || may_have_been_granted(conn)) {
		my_renew(conn);
		conn->denied.renewed = mono_us();
	}
	if (!places_catch_up(conn, &failure))
		db_log(db, VIEWD_LOG_DEBUG, "database '%s', the node may be behind (%s)", db->database_name, failure.msg);
	row_key_ask(conn);
}

/* A transaction that is left open would keep its locks for as long as the session is idle. */
bool my_end_hook(struct db *db, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	unsigned status = conn->my->server_status;

	conn->hooked = true;
	if (conn->lost || (status & (SERVER_STATUS_IN_TRANS | SERVER_STATUS_AUTOCOMMIT)) == SERVER_STATUS_AUTOCOMMIT)
		return true;
	my_rollback(db);
	return db_exec(db, "SET SESSION autocommit = 1", err) &&
	       err_set(err, VIEWD_ERR_CONFIG, "it left a transaction open or autocommit off, which was undone");
}

static int64_t whole_seconds(int64_t us)
{
	return us < SPAN_SECOND ? 1 : (us + SPAN_SECOND - 1) / SPAN_SECOND;
}

bool my_set_limits(struct db *db, int64_t timeout_us, int64_t lock_timeout_us, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);

	if (timeout_us == conn->timeout_us && lock_timeout_us == conn->lock_timeout_us)
		return true;
	char *sql = talloc_asprintf(conn, "SET SESSION lock_wait_timeout = %lld, innodb_lock_wait_timeout = %lld",
	                            (long long)whole_seconds(lock_timeout_us), (long long)whole_seconds(lock_timeout_us));
	if (conn->mariadb)
		sql = sql_add(sql, ", max_statement_time = %lld.%06lld", (long long)(timeout_us / SPAN_SECOND),
		              (long long)(timeout_us % SPAN_SECOND));
	bool done = db_exec(db, sql, err);
	talloc_free(sql);
	if (done) {
		conn->timeout_us = timeout_us;
		conn->lock_timeout_us = lock_timeout_us;
	}
	return done;
}
