/* SPDX-License-Identifier: MIT
 *
 * binlog.c: following the binary log with Connector/C's mariadb_rpl_* functions.
 *
 * mariadb_rpl_fetch blocks, so it is called only while something is there to be read: on the socket, or in the
 * read-ahead buffer of the library, which poll(2) does not see. The server sends heartbeats, so silence means that it
 * is gone.
 */
#include "mysql/capture/binlog/binlog.h"

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
#include "common/state/marks.h"
#include "common/text/number.h"
#include "mysql/capture/binlog/events.h"

/* In nanoseconds: a little less than the watch's own, which then comes with it. */
#define HEARTBEAT "SET @master_heartbeat_period = 4800000000"
#define SILENCE_US (20 * SPAN_SECOND)
#define READ_SLICE (200 * SPAN_MS) /* then what was read of is told, and the caller looks up */
#define ON_ITS_WAY_MS 10
#define READ_TIMEOUT_S 30u /* in the middle of an event */
#define STORE_EVERY \
	(INT64_C(16) << 20)   /* bytes that may be read again after a restart though nothing of interest is in them */
#define KEPT (16ul << 20) /* bytes: a buffer of the library that has grown beyond that is given back */
#define ER_MASTER_FATAL_ERROR_READING_BINLOG 1236

static int64_t mono_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SPAN_SECOND + now.tv_nsec / 1000;
}

/* ---- opening */

static bool set_up(MYSQL *my, struct viewd_err *err)
{
	static const char *const settings[] = {HEARTBEAT, "SET @master_binlog_checksum = 'NONE'",
	                                       "SET @mariadb_slave_capability = 4"};

	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		if (mysql_query(my, settings[i]) != 0)
			return my_fail(my, true, err);
	return true;
}

/* The server ends an older reader with the same number, so each has one of its own, far from those that people
 * choose. */
static unsigned make_server_id(void)
{
	unsigned id = 0;

	if (getrandom(&id, sizeof id, 0) != (ssize_t)sizeof id)
		id = (unsigned)time(NULL);
	return 0x40000000u | (id & 0x3fffffffu);
}

static bool start_stream(struct binlog *log, const struct position *at, unsigned flags, struct viewd_err *err)
{
	/* Not compressed: large events are passed over (skim.c), which needs a stream that can be looked into. */
	log->my = my_connect(log->conn, READ_TIMEOUT_S, false, err);
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

/* Is it an error by which the library says that it does not understand? */
static bool is_beyond_library(unsigned number)
{
	return number == CR_BINLOG_ERROR || number == CR_UNKNOWN_BINLOG_EVENT || number == CR_ERR_BINLOG_UNCOMPRESS ||
	       number == CR_ERR_UNSUPPORTED_BINLOG_FORMAT;
}

/* Up to the description of the format, which every stream begins with. Reading is hopeless when the library does not
 * understand that. */
static bool read_beginning(struct binlog *log, struct viewd_err *err)
{
	do {
		mariadb_free_rpl_event(log->event);
		log->event = mariadb_rpl_fetch(log->rpl, NULL);
	} while (log->event != NULL && log->event->event_type != FORMAT_DESCRIPTION_EVENT);
	if (log->event == NULL && is_beyond_library(mysql_errno(log->my)))
		return err_set(err, VIEWD_ERR_CONFIG, "the client library cannot read it: %s", mysql_error(log->my));
	return log->event != NULL || mysql_errno(log->my) == 0 || my_fail(log->my, true, err);
}

bool binlog_try(struct viewd_conn *conn, const struct position *at, struct viewd_err *err)
{
	struct binlog *log = talloc_zero(NULL, struct binlog);

	log->conn = conn;
	bool good = start_stream(log, at, MARIADB_RPL_BINLOG_DUMP_NON_BLOCK, err) && read_beginning(log, err);
	binlog_close(&log);
	return good;
}

static bool take_status_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[1], 0);
	return false;
}

static const struct db_reader take_status[] = {{take_status_fn, "tT", "a counter of the server"}};

/* RESET MASTER in the first file of a log goes unnoticed by who follows it: the server goes on waiting for a file that
 * is gone. */
static bool count_resets(struct viewd_conn *conn, int64_t *n_r, struct viewd_err *err)
{
	return my_query(&conn->db, "SHOW GLOBAL STATUS LIKE 'Com_reset'", NULL, 0, take_status, n_r, err);
}

/* Other failures are judged where it is read. */
static bool is_readable(const struct binlog *log, struct viewd_err *err)
{
	struct viewd_err failure = {0};

	if (binlog_settings(log->conn, &failure) && binlog_try(log->conn, &log->stored, &failure))
		return true;
	if (failure.cls != VIEWD_ERR_CONFIG)
		return true;
	return err_set(err, VIEWD_ERR_CONFIG, "binary log cannot be followed (%s)", failure.msg);
}

struct binlog *binlog_open(struct viewd_conn *conn, struct viewd_err *err)
{
	struct binlog *log = talloc_zero(NULL, struct binlog);

	log->conn = conn;
	log->touched.mem = log;
	log->reload = true;
	log->heard_us = mono_us();
	if (count_resets(conn, &log->resets, err) && position_load(conn, &log->stored, err) && is_readable(log, err) &&
	    start_stream(log, &log->stored, 0, err)) {
		log->at = log->stored;
		log->seen = log->at.offset;
		return log;
	}
	binlog_close(&log);
	return NULL;
}

int binlog_fd(const struct binlog *log)
{
	return mysql_get_socket(log->my);
}

static bool is_in_cache(const struct binlog *log)
{
	const struct st_ma_pvio *pvio = log->my->net.pvio;

	return pvio != NULL && pvio->cache != NULL && pvio->cache_pos < pvio->cache + pvio->cache_size;
}

/* Under TLS or compression the library may hold events that neither poll(2) nor its cache tells of. */
static bool is_opaque(const struct binlog *log)
{
	const NET *net = &log->my->net;

	return net->compress || (net->pvio != NULL && net->pvio->ctls != NULL);
}

/* An opaque stream is asked of the server: as long as its log ends beyond what has come, an event or a heartbeat
 * comes. */
bool binlog_buffered(const struct binlog *log)
{
	return is_in_cache(log) || (is_opaque(log) && (log->unsure || binlog_is_behind(log)));
}

/* ---- reading */

static bool fetch_failed(struct binlog *log, struct viewd_err *err)
{
	unsigned number = mysql_errno(log->my);

	if (number == 0)
		return err_set(err, VIEWD_ERR_LOST, "server has ended the stream of its binary log");
	my_fail(log->my, true, err);
	if (number == ER_MASTER_FATAL_ERROR_READING_BINLOG || is_beyond_library(number))
		return binlog_lose_place(log, mysql_error(log->my), err);
	return false;
}

/* The rest of what the log is known to hold is on its way, and is waited for. */
static bool readable(const struct binlog *log)
{
	struct pollfd pfd = {.fd = binlog_fd(log), .events = POLLIN};

	return is_in_cache(log) || (is_opaque(log) && binlog_is_behind(log)) ||
	       poll(&pfd, 1, binlog_is_behind(log) ? ON_ITS_WAY_MS : 0) > 0;
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

/* Names end in a number that grows. */
static int64_t file_number(const char *file)
{
	const char *dot = strrchr(file, '.');

	return dot != NULL ? strtoll(dot + 1, NULL, 10) : 0;
}

/* Heartbeats say how far the server has read, so an event that is not sent to replicas is known to be behind it too.
 * The end of an event that leads to another file is one in the file before; those that the server makes up have
 * none. */
static void follow(struct binlog *log)
{
	log->heartbeat = log->heartbeat || log->event->event_type == HEARTBEAT_LOG_EVENT;
	if (log->event->event_type != ROTATE_EVENT && log->event->next_event_pos > log->seen)
		log->seen = log->event->next_event_pos;
}

bool binlog_is_behind(const struct binlog *log)
{
	int64_t files = file_number(log->goal.file) - file_number(log->at.file);

	return files > 0 || (files == 0 && log->seen < log->goal.offset);
}

bool binlog_aim(struct binlog *log, bool anew, struct viewd_err *err)
{
	return (!anew && binlog_is_behind(log)) || position_end(log->conn, &log->goal, err);
}

/* Reads events that have arrived, until the slice is over. */
static bool read_arrived(struct binlog *log, int64_t begin, struct viewd_err *err)
{
	while (log->unhandled || (readable(log) && mono_us() - begin < READ_SLICE)) {
		bool skimmed = false;
		if (!log->unhandled && !binlog_skim(log, &skimmed, err))
			return false;
		if (skimmed) {
			log->heard_us = mono_us();
			continue;
		}
		if (!log->unhandled && !fetch(log, err))
			return false;
		log->unhandled = !binlog_handle(log, err);
		if (log->unhandled)
			return false;
		follow(log);
		log->unsure = is_opaque(log);
	}
	return true;
}

bool binlog_read(struct binlog *log, struct viewd_err *err)
{
	int64_t begin = mono_us();

	if (!read_arrived(log, begin, err))
		return false;
	while (log->unsure && mono_us() - begin < READ_SLICE) {
		if (!binlog_aim(log, false, err))
			return false;
		log->unsure = false;
		if (!read_arrived(log, begin, err))
			return false;
	}
	if (mono_us() - log->heard_us < SILENCE_US)
		return true;
	return err_set(err, VIEWD_ERR_LOST, "server sends no heartbeat for its binary log");
}

bool binlog_heard_since(const struct binlog *log, int64_t since)
{
	return log->heard_us >= since;
}

bool binlog_check(struct binlog *log, struct viewd_err *err)
{
	int64_t resets = 0;

	if (!count_resets(log->conn, &resets, err))
		return false;
	return resets == log->resets ||
	       err_set(err, VIEWD_ERR_CONNECT, "binary log may have been begun anew, it is opened again");
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

/* The library gives a buffer back only with the connection. */
static bool shrink(struct binlog *log, struct viewd_err *err)
{
	if (log->my->net.max_packet <= KEPT || log->in_group || log->unhandled)
		return true;
	mariadb_free_rpl_event(log->event);
	log->event = NULL;
	mariadb_rpl_close(log->rpl);
	log->rpl = NULL;
	mysql_close(log->my);
	log->my = NULL;
	log->n_mapped = 0;
	return start_stream(log, &log->at, 0, err);
}

bool binlog_commit(struct binlog *log, bool *found_r, struct viewd_err *err)
{
	bool found = log->touched.n > 0 || log->gap;

	if (found || far_ahead(log)) {
		if (!capture_touch(log->conn, &log->touched, store, log, err))
			return false;
		log->stored = log->at;
	}
	log->gap = false;
	talloc_free(log->touched.items);
	log->touched = (struct texts){.mem = log};
	*found_r = found;
	return shrink(log, err);
}

bool binlog_saw_definition(struct binlog *log)
{
	bool saw = log->definition;

	log->definition = false;
	return saw;
}

bool binlog_saw_request(struct binlog *log)
{
	bool saw = log->request;

	log->request = false;
	return saw;
}

bool binlog_saw_heartbeat(struct binlog *log)
{
	bool saw = log->heartbeat;

	log->heartbeat = false;
	return saw;
}
