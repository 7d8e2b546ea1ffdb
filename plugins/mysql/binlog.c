/* SPDX-License-Identifier: MIT
 *
 * binlog.c: following the binary log with Connector/C's mariadb_rpl_* functions.
 *
 * mariadb_rpl_fetch blocks, so it is called only while something is there to be read: on the socket, or in the read-ahead buffer of the
 * library, which poll(2) does not see. The server sends heartbeats, so silence means that it is gone.
 */
#include "mysql/binlog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <errmsg.h>
#include <ma_pvio.h>
#include <mariadb_rpl.h>
#include <poll.h>

#include "base/err.h"
#include "base/span.h"
#include "common/marks.h"
#include "mysql/targets.h"

#define HEARTBEAT "SET @master_heartbeat_period = 5000000000" /* nanoseconds */
#define SILENCE_US (20 * SPAN_SECOND)
#define READ_TIMEOUT_S 30u /* in the middle of an event */
#define STORE_EVERY (INT64_C(16) << 20) /* bytes that may be read again after a restart though nothing of interest is in them */
#define ER_MASTER_FATAL_ERROR_READING_BINLOG 1236
/* of MySQL, which the library does not know */
#define HEARTBEAT_LOG_EVENT_V2 41
#define GTID_TAGGED_LOG_EVENT 42

/* A table that row events of the current group name by its number. */
struct mapped {
	uint64_t id;
	struct relation table;
};

struct binlog {
	struct viewd_conn *conn;
	MYSQL *my;
	MARIADB_RPL *rpl;
	MARIADB_RPL_EVENT *event;
	struct position at;     /* everything before is read */
	struct position stored; /* what viewd_position says */
	bool in_group, request, reload, gap;
	bool unhandled; /* the event is to be handled again: the database was busy */
	struct mapped *mapped;
	size_t n_mapped;
	struct targets targets;
	struct texts touched;
	int64_t heard_us;
	int64_t resets;
};

static int64_t mono_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SPAN_SECOND + now.tv_nsec / 1000;
}

/* ---- opening */

static bool set_up(MYSQL *my, struct viewd_err *err)
{
	static const char *const settings[] = {HEARTBEAT, "SET @master_binlog_checksum = 'NONE'", "SET @mariadb_slave_capability = 4"};

	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (mysql_query(my, settings[i]) != 0)
			return my_fail(my, true, err);
	return true;
}

/* The server ends an older reader with the same number, so each has one of its own, far from those that people choose. */
static unsigned make_server_id(void)
{
	unsigned id = 0;

	if (getrandom(&id, sizeof id, 0) != (ssize_t)sizeof id)
		id = (unsigned)time(NULL);
	return 0x40000000u | (id & 0x3fffffffu);
}

static bool start(struct binlog *log, const struct position *at, unsigned flags, struct viewd_err *err)
{
	log->my = my_connect(log->conn, READ_TIMEOUT_S, err);
	if (log->my == NULL || !set_up(log->my, err))
		return false;
	log->rpl = mariadb_rpl_init(log->my);
	if (log->rpl == NULL)
		return my_fail(log->my, false, err);
	mariadb_rpl_optionsv(log->rpl, MARIADB_RPL_FILENAME, at->file, strlen(at->file));
	mariadb_rpl_optionsv(log->rpl, MARIADB_RPL_START, (unsigned long)at->offset);
	mariadb_rpl_optionsv(log->rpl, MARIADB_RPL_SERVER_ID, make_server_id());
	mariadb_rpl_optionsv(log->rpl, MARIADB_RPL_FLAGS, flags);
	mariadb_rpl_optionsv(log->rpl, MARIADB_RPL_UNCOMPRESS, 1u);
	return mariadb_rpl_open(log->rpl) == 0 || my_fail(log->my, true, err);
}

void binlog_close(struct binlog **log_p)
{
	struct binlog *log = *log_p;

	*log_p = NULL;
	if (log == NULL)
		return;
	mariadb_free_rpl_event(log->event);
	if (log->rpl != NULL)
		mariadb_rpl_close(log->rpl);
	if (log->my != NULL)
		mysql_close(log->my);
	talloc_free(log->targets.mem);
	talloc_free(log);
}

bool binlog_try(struct viewd_conn *conn, const struct position *at, struct viewd_err *err)
{
	struct binlog *log = talloc_zero(NULL, struct binlog);

	log->conn = conn;
	bool good = start(log, at, MARIADB_RPL_BINLOG_DUMP_NON_BLOCK, err);
	if (good)
		log->event = mariadb_rpl_fetch(log->rpl, NULL);
	if (good && log->event == NULL && mysql_errno(log->my) != 0)
		good = my_fail(log->my, true, err);
	binlog_close(&log);
	return good;
}

static bool keep_status(void *ctx, const char *const *v, size_t n)
{
	*(int64_t *)ctx = n > 1 && v[1] != NULL ? strtoll(v[1], NULL, 10) : 0;
	return false;
}

/* RESET MASTER in the first file of a log goes unnoticed by who follows it: the server goes on waiting for a file that is gone. */
static bool count_resets(struct viewd_conn *conn, int64_t *n_r, struct viewd_err *err)
{
	return my_query(&conn->db, "SHOW GLOBAL STATUS LIKE 'Com_reset'", NULL, 0, keep_status, n_r, err);
}

struct binlog *binlog_open(struct viewd_conn *conn, struct viewd_err *err)
{
	struct binlog *log = talloc_zero(NULL, struct binlog);

	log->conn = conn;
	log->touched.mem = log;
	log->reload = true;
	log->heard_us = mono_us();
	if (count_resets(conn, &log->resets, err) && position_load(conn, &log->stored, err) && start(log, &log->stored, 0, err)) {
		log->at = log->stored;
		return log;
	}
	binlog_close(&log);
	return NULL;
}

int binlog_fd(const struct binlog *log)
{
	return mysql_get_socket(log->my);
}

bool binlog_buffered(const struct binlog *log)
{
	const struct st_ma_pvio *pvio = log->my->net.pvio;

	return pvio != NULL && pvio->cache != NULL && pvio->cache_pos < pvio->cache + pvio->cache_size;
}

/* ---- events */

/* Nothing can be read from here on. Returns false. */
static bool lose_place(struct binlog *log, const char *why, struct viewd_err *err)
{
	db_log(&log->conn->db, VIEWD_LOG_WARNING, "database '%s', binary log cannot be read from the place where reading ended (%s): its views are"
	       " refreshed", log->conn->db.database_name, why);
	return position_reset(log->conn, err) && err_set(err, VIEWD_ERR_CONNECT, "binary log cannot be read on, reading begins anew (%s)", why);
}

static void name_part(char *out, const MARIADB_STRING *text)
{
	snprintf(out, IDENT_MAX, "%.*s", (int)text->length, text->str);
}

static bool is_own(const struct binlog *log, const struct relation *table, const char *name)
{
	return strcmp(table->name, name) == 0 && strcasecmp(table->schema, log->conn->url->database) == 0;
}

/* Written by viewd all the time, and nobody's source. */
static bool is_state(const struct binlog *log, const struct relation *table)
{
	static const char *const names[] = {"viewd_captures", "viewd_position", "viewd_views", "viewd_refresh_history", "viewd_requests", "viewd_intents"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (is_own(log, table, names[i]))
			return true;
	return false;
}

static bool load_targets(struct binlog *log, struct viewd_err *err)
{
	if (log->reload && !targets_load(log->conn, &log->targets, err))
		return false;
	log->reload = false;
	return true;
}

static struct mapped *find_mapped(struct binlog *log, uint64_t id)
{
	for (size_t i = 0; i < log->n_mapped; i++)
		if (log->mapped[i].id == id)
			return &log->mapped[i];
	return NULL;
}

/* Each statement of a transaction names its tables anew, by the same numbers as long as their definitions stay. */
static void map_table(struct binlog *log, uint64_t id, const struct relation *table, bool wanted)
{
	struct mapped *known = find_mapped(log, id);

	if (known == NULL && !wanted)
		return;
	if (known == NULL) {
		log->mapped = talloc_realloc(log, log->mapped, struct mapped, (unsigned)log->n_mapped + 1);
		known = &log->mapped[log->n_mapped++];
	}
	*known = wanted ? (struct mapped){id, *table} : log->mapped[--log->n_mapped];
}

static bool on_table_map(struct binlog *log, struct viewd_err *err)
{
	const struct st_mariadb_rpl_table_map_event *ev = &log->event->event.table_map;
	struct relation table;

	name_part(table.schema, &ev->database);
	name_part(table.name, &ev->table);
	if (is_own(log, &table, "viewd_captures"))
		log->reload = true;
	if (is_own(log, &table, "viewd_requests"))
		log->request = true;
	if (is_state(log, &table))
		return true;
	if (!load_targets(log, err))
		return false;
	map_table(log, ev->table_id, &table, targets_match(log->conn, &log->targets, &table));
	return true;
}

static void on_rows(struct binlog *log, bool insert)
{
	const struct mapped *mapped = find_mapped(log, log->event->event.rows.table_id);

	if (mapped != NULL)
		targets_touch(log->conn, &log->targets, &mapped->table, insert, &log->touched);
}

static void end_group(struct binlog *log)
{
	log->in_group = false;
	log->n_mapped = 0;
	if (log->event->next_event_pos != 0)
		log->at.offset = log->event->next_event_pos;
}

/* A definition may have brought foreign keys with it. */
static void on_change(struct binlog *log, const char *sql, const char *database)
{
	enum statement_means means = targets_statement(log->conn, &log->targets, sql, database, &log->touched);

	log->reload = log->reload || means == STATEMENT_NAMES;
	log->gap = log->gap || means == STATEMENT_ANYTHING;
	log->request = log->request || strcasestr(sql, "viewd_requests") != NULL;
	if (strncasecmp(sql, "XA COMMIT", 9) == 0) /* what it changed was told when it was prepared, and was not visible then */
		log->gap = true;
	if (!log->in_group)
		end_group(log);
}

static void on_statement(struct binlog *log, const char *sql, const char *database)
{
	if (strcmp(sql, "BEGIN") == 0)
		log->in_group = true;
	else if (strcmp(sql, "COMMIT") == 0 || strcmp(sql, "ROLLBACK") == 0)
		end_group(log);
	else
		on_change(log, sql, database);
}

static bool on_query(struct binlog *log, struct viewd_err *err)
{
	const struct st_mariadb_rpl_query_event *ev = &log->event->event.query;
	char database[IDENT_MAX];

	if (!load_targets(log, err))
		return false;
	name_part(database, &ev->database);
	char *sql = talloc_strndup(log, ev->statement.str, ev->statement.length);
	on_statement(log, sql, database);
	talloc_free(sql);
	return true;
}

/* How long the next file's name is: one more digit after a number of nines. */
static size_t next_length(const char *file)
{
	const char *dot = strrchr(file, '.');

	return strlen(file) + (dot != NULL && strspn(dot + 1, "9") == strlen(dot + 1));
}

/* Read from the packet, because the library (3.3) goes wrong after a file without an end. The server makes one up at the beginning, for the
 * file that was asked for, and after a file that a crash has ended. Whether a checksum follows the name depends on server and library, so its
 * length is taken from the one before. The packet is a status byte, 19 bytes of header, the position and the name
 * (https://mariadb.com/kb/en/rotate_event/). */
static void on_rotate(struct binlog *log)
{
	const unsigned char *body = log->my->net.read_pos + 1 + 19;
	size_t length = next_length(log->at.file);
	char file[sizeof log->at.file];

	snprintf(file, sizeof file, "%.*s", (int)length, (const char *)body + 8);
	if (strncmp(file, log->at.file, strlen(log->at.file)) != 0) {
		memcpy(log->at.file, file, sizeof file);
		log->at.created = 0;
	}
	log->at.offset = 0;
	for (int i = 7; i >= 0; i--)
		log->at.offset = log->at.offset << 8 | body[i];
}

/* The description at a file's beginning says when it was made: the log may have been begun anew under the same names (RESET MASTER). */
static bool on_description(struct binlog *log, struct viewd_err *err)
{
	if (log->at.created == 0)
		log->at.created = log->event->timestamp;
	return log->at.created == log->event->timestamp || lose_place(log, "it is another log of the same name", err);
}

static bool is_harmless(const MARIADB_RPL_EVENT *event)
{
	static const unsigned char types[] = {
		STOP_EVENT, INTVAR_EVENT, RAND_EVENT, USER_VAR_EVENT, BEGIN_LOAD_QUERY_EVENT, APPEND_BLOCK_EVENT, DELETE_FILE_EVENT,
		HEARTBEAT_LOG_EVENT, HEARTBEAT_LOG_EVENT_V2, IGNORABLE_LOG_EVENT, ROWS_QUERY_LOG_EVENT, GTID_LOG_EVENT, GTID_TAGGED_LOG_EVENT,
		ANONYMOUS_GTID_LOG_EVENT, PREVIOUS_GTIDS_LOG_EVENT, TRANSACTION_CONTEXT_EVENT, VIEW_CHANGE_EVENT, ANNOTATE_ROWS_EVENT,
		BINLOG_CHECKPOINT_EVENT, GTID_LIST_EVENT, START_ENCRYPTION_EVENT,
	};

	return memchr(types, (int)event->event_type, sizeof types) != NULL || (event->flags & LOG_EVENT_IGNORABLE_F) != 0;
}

/* What is not understood may have changed anything: LOAD DATA in statement format, transactions as one compressed event (MySQL), incidents,
 * kinds that later servers have. */
static void on_other(struct binlog *log)
{
	if (log->event->event_type == PARTIAL_UPDATE_ROWS_EVENT || IS_ROW_EVENT(log->event))
		on_rows(log, false);
	else if (!is_harmless(log->event))
		log->gap = true;
}

static bool handle(struct binlog *log, struct viewd_err *err)
{
	switch ((int)log->event->event_type) { /* the numbers that matter; servers add others */
	case TABLE_MAP_EVENT:
		return on_table_map(log, err);
	case WRITE_ROWS_EVENT_V1:
	case WRITE_ROWS_EVENT:
	case WRITE_ROWS_COMPRESSED_EVENT_V1:
	case WRITE_ROWS_COMPRESSED_EVENT:
		on_rows(log, true);
		return true;
	case QUERY_EVENT:
	case QUERY_COMPRESSED_EVENT:
		return on_query(log, err);
	case GTID_EVENT:
		log->in_group = (log->event->event.gtid.flags & FL_STANDALONE) == 0;
		return true;
	case XID_EVENT:
	case XA_PREPARE_LOG_EVENT:
		end_group(log);
		return true;
	case ROTATE_EVENT:
		on_rotate(log);
		return true;
	case FORMAT_DESCRIPTION_EVENT:
		return on_description(log, err);
	}
	on_other(log);
	return true;
}

/* ---- reading */

static bool fetch_failed(struct binlog *log, struct viewd_err *err)
{
	unsigned number = mysql_errno(log->my);

	if (number == 0)
		return err_set(err, VIEWD_ERR_LOST, "server has ended the stream of its binary log");
	my_fail(log->my, true, err);
	if (number == ER_MASTER_FATAL_ERROR_READING_BINLOG || number == CR_BINLOG_ERROR || number == CR_UNKNOWN_BINLOG_EVENT ||
	    number == CR_ERR_BINLOG_UNCOMPRESS || number == CR_ERR_UNSUPPORTED_BINLOG_FORMAT)
		return lose_place(log, mysql_error(log->my), err);
	return false;
}

static bool readable(const struct binlog *log)
{
	struct pollfd pfd = {.fd = binlog_fd(log), .events = POLLIN};

	return binlog_buffered(log) || poll(&pfd, 1, 0) > 0;
}

static bool fetch(struct binlog *log, struct viewd_err *err)
{
	/* A failing fetch may free an event that is handed in, so each is a new one. */
	mariadb_free_rpl_event(log->event);
	log->event = mariadb_rpl_fetch(log->rpl, NULL);
	if (log->event == NULL)
		return fetch_failed(log, err);
	log->heard_us = mono_us();
	return true;
}

bool binlog_read(struct binlog *log, struct viewd_err *err)
{
	while (log->unhandled || readable(log)) {
		if (!log->unhandled && !fetch(log, err))
			return false;
		log->unhandled = !handle(log, err);
		if (log->unhandled)
			return false;
	}
	if (mono_us() - log->heard_us < SILENCE_US)
		return true;
	return err_set(err, VIEWD_ERR_LOST, "server sends no heartbeat for its binary log");
}

bool binlog_check(struct binlog *log, struct viewd_err *err)
{
	int64_t resets = 0;

	if (!count_resets(log->conn, &resets, err))
		return false;
	return resets == log->resets || err_set(err, VIEWD_ERR_CONNECT, "binary log may have been begun anew, it is opened again");
}

static bool far_ahead(const struct binlog *log)
{
	return strcmp(log->at.file, log->stored.file) != 0 || log->at.created != log->stored.created ||
	       log->at.offset - log->stored.offset > STORE_EVERY;
}

static bool store(struct viewd_conn *conn, void *ctx, struct viewd_err *err)
{
	struct binlog *log = ctx;

	db_failpoint(&conn->db, "mysql:read");
	return (!log->gap || marks_touch_all(&conn->db, err)) && position_store(conn, &log->at, err);
}

bool binlog_commit(struct binlog *log, bool *found_r, struct viewd_err *err)
{
	bool found = log->touched.n > 0 || log->gap;

	if (found || far_ahead(log)) {
		if (!notice_touch(log->conn, &log->touched, store, log, err))
			return false;
		log->stored = log->at;
	}
	log->gap = false;
	talloc_free(log->touched.items);
	log->touched = (struct texts){.mem = log};
	*found_r = found;
	return true;
}

bool binlog_saw_request(struct binlog *log)
{
	bool saw = log->request;

	log->request = false;
	return saw;
}
