/* SPDX-License-Identifier: MIT
 *
 * watch.c: the one session of a database that notices changes. It holds the database's lock (GET_LOCK, freed by the
 * server with the session) and looks at whatever its captures need: the binary log when its socket says so, the
 * triggers' log every few milliseconds while there is something in it. While there is not, MariaDB looks itself, inside
 * one statement that ends when something has come; MySQL has no such statement and is asked four times a second, and so
 * is MariaDB while the binary log has to be heard as well.
 */
#include "mysql/watch/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/span.h"
#include "common/depends/objects.h"
#include "common/state/marks.h"
#include "common/state/returned.h"
#include "common/state/state.h"
#include "mysql/capture/binlog/binlog.h"
#include "mysql/capture/trigger_procedure.h"
#include "mysql/watch/rest.h"

#define LOCK_TIMEOUT_US (2 * SPAN_SECOND)
#define TIMEOUT_US (30 * SPAN_SECOND)
#define TIMEOUT_ELSEWHERE_US (8 * SPAN_SECOND) /* where another server would serve: sooner than the lease expires */
#define PAUSE_SHORT (5 * SPAN_MS)
#define PAUSE_LONG (250 * SPAN_MS)
#define WAIT_ROUND (10 * SPAN_MS) /* the mean wait is half of it */
#define WAIT_ROUNDS 30            /* a statement; until it ends nothing wakes the watch */
#define LOOK_EVERY SPAN_SECOND
#define POLL_EVERY (2 * SPAN_SECOND)
#define HEARTBEAT_EVERY (5 * SPAN_SECOND)
#define THOROUGH_EVERY SPAN_MINUTE
#define TOGETHER 20                     /* a task is done up to 1/20 of its period early, with one that is due */
#define LOOK_SLICE (500 * SPAN_MS)      /* a look that takes longer is gone on with in the next call */
#define OBJECTS_PAUSE (300 * SPAN_MS)   /* between two looks at definitions, however many the log tells of */
#define REPAIR_AGAIN (10 * SPAN_SECOND) /* making a trigger waits for a table's writers, and others behind it */

/* When something is due next, by the monotonic clock. */
struct due {
	int64_t log, slots, look, poll, heartbeat, modes, objects, thorough, repair;
};

struct viewd_watch {
	struct viewd_conn *conn;
	struct binlog *binlog; /* NULL while no source is noticed by it */
	struct rest rest;      /* from reading it, unless all is to be looked at */
	bool hurries;          /* its end is to be reached because a rest was long: nobody has asked */
	char lock[IDENT_MAX];
	int wake;
	char *place;        /* where the state is; NULL: it could not be told */
	bool begun;         /* watch_next was called */
	bool looking;       /* a look was begun: the first one, or somebody asked for it */
	bool put_off;       /* another session was in the way of the last round: all is looked at again after a pause */
	bool more;          /* the triggers' log holds more than one round takes */
	struct slots slots; /* who began to write while nobody watched */
	bool unmended;      /* a trigger is still to be made */
	bool trigger, poll; /* some source is noticed so */
	bool compare;       /* TABLE_ID can be seen */
	bool cannot_wait;   /* the server refused the statement that waits */
	struct viewd_err unheard; /* why, until it is known whether the connection was lost with it */
	bool came;                /* it ended because something is there */
	int64_t pause_us;
	int64_t objects_again; /* before then definitions are not looked at again, unless somebody asks */
	struct due due;
};

static int64_t mono_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SPAN_SECOND + now.tv_nsec / 1000;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* ---- opening */

static bool set_up(struct viewd_watch *w, struct viewd_err *err)
{
	struct db *db = &w->conn->db;
	int64_t epoch = 0, limit = w->conn->url->n_places > 1 ? TIMEOUT_ELSEWHERE_US : TIMEOUT_US;
	my_lock_name(w->conn, WATCH_PREFIX, w->lock);
	if (!my_require_writable(w->conn, err) || !db_exec(db, "SET SESSION wait_timeout = 2147483", err) ||
	    !my_set_limits(db, limit, LOCK_TIMEOUT_US, err) || !watch_lock_take(w->conn, w->lock, &epoch, err) ||
	    !state_setup(db, err) || !capture_setup(w->conn, err) || !my_leader_record(w->conn, epoch, err) ||
	    !exchange_probe(w->conn, err) || !returned_recognise(db, w, &w->place, err))
		return false;
	if (w->conn->mariadb && !db_exec(db, "SET SESSION slow_query_log = OFF", NULL))
		db_log(db, VIEWD_LOG_DEBUG, "database '%s', statements that wait may be found in the slow query log",
		       db->database_name);
	w->compare = tables_can_compare(w->conn);
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return w->wake >= 0 || err_sys(err, VIEWD_ERR_RESOURCE, errno, "cannot make a wake-up descriptor");
}

struct viewd_watch *my_watch_open(const struct viewd_host *host, const struct viewd_database_spec *spec,
                                  struct viewd_err *err)
{
	struct viewd_watch *w = talloc_zero(NULL, struct viewd_watch);
	w->wake = -1;
	w->pause_us = PAUSE_LONG;
	w->slots.prepared = talloc_strdup(NULL, "");
	w->conn = my_open_to_watch(host, spec, err);
	if (w->conn != NULL && set_up(w, err))
		return w;
	my_watch_close(&w);
	return NULL;
}

void my_watch_close(struct viewd_watch **watch)
{
	struct viewd_watch *w = *watch;
	if (w == NULL)
		return;
	binlog_close(&w->binlog);
	talloc_free(w->slots.prepared);
	if (w->conn != NULL && w->lock[0] != '\0')
		watch_lock_release(w->conn, w->lock);
	my_close(&w->conn);
	if (w->wake >= 0)
		close(w->wake);
	TALLOC_FREE(*watch);
}

void my_watch_wake(struct viewd_watch *w)
{
	uint64_t one = 1;
	if (write(w->wake, &one, sizeof one) < 0)
		return; /* full: it is awake */
}

/* ---- what is needed */

/* A log that was followed and cannot be any more (another library, another setting): its sources count as changed until
 * another way to notice changes is chosen for them, which follows every connect. */
static bool open_binlog(struct viewd_watch *w, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	w->binlog = binlog_open(w->conn, &failure);
	if (w->binlog == NULL && failure.cls == VIEWD_ERR_CONFIG) {
		db_log(&w->conn->db, VIEWD_LOG_WARNING, "database '%s', %s: what it told of counts as changed",
		       w->conn->db.database_name, failure.msg);
		return position_reset(w->conn, err);
	}
	if (w->binlog == NULL && err != NULL)
		*err = failure;
	return w->binlog != NULL;
}

/* Triggers that could not be dropped write rows as well, and who watches takes them off. */
static bool load_modes(struct viewd_watch *w, struct viewd_err *err)
{
	struct texts modes = {.mem = talloc_new(NULL)};
	bool good =
		my_query(&w->conn->db,
	             "SELECT mode FROM viewd_captures UNION SELECT 'trigger' FROM (SELECT 1 FROM viewd_triggers LIMIT 1) t",
	             NULL, 0, texts_reader, &modes, err);
	if (good) {
		w->trigger = texts_contain(&modes, "trigger");
		w->poll = texts_contain(&modes, "poll");
		w->more = w->more && w->trigger;
		w->unmended = w->unmended && w->trigger;
		bool binlog = texts_contain(&modes, "binlog");
		if (!binlog)
			binlog_close(&w->binlog);
		else if (w->binlog == NULL)
			good = open_binlog(w, err);
	}
	talloc_free(modes.mem);
	return good;
}

/* ---- looking */

/* Does the server tell of log rows and requests by ending a statement? */
static bool server_waits(const struct viewd_watch *w)
{
	return w->trigger && w->binlog == NULL && w->conn->mariadb && !w->cannot_wait;
}

/* Some other way to notice requests than reading their table. */
static bool hears_requests(const struct viewd_watch *w)
{
	return w->binlog != NULL || server_waits(w);
}

/* Changes that the binary log tells need no looking. */
static int64_t look_every(const struct viewd_watch *w)
{
	return w->binlog != NULL && !w->trigger && !w->poll ? HEARTBEAT_EVERY : LOOK_EVERY;
}

/* Is it due? Then it is due again after every_us. What would be due soon after is done in the same round, which spares
 * waking up for it. */
static bool comes_due(int64_t *due, int64_t every_us)
{
	int64_t now = mono_us();
	if (now + every_us / TOGETHER < *due)
		return false;
	*due = now + every_us;
	return true;
}

/* A watch that is awake does now what would have woken it within half of its period. From then on both come due
 * together. */
static void draw_near(int64_t *due, int64_t every_us)
{
	if (*due < mono_us() + every_us / 2)
		*due = 0;
}

/* asked: also to be told now what may be hidden behind another one who is at work. */
static bool look_at_slots(struct viewd_watch *w, bool asked, bool *news, struct viewd_err *err)
{
	return !w->trigger || !comes_due(&w->due.slots, w->slots.left ? LOOK_EVERY : HEARTBEAT_EVERY) ||
	       slots_look(w->conn, &w->slots, asked, news, err);
}

static bool look_at_log(struct viewd_watch *w, bool *news, struct viewd_err *err)
{
	bool found = false, more = false;
	int64_t begin = mono_us();
	if (!w->trigger || begin < w->due.log)
		return true;
	if (!drain_look(w->conn, &found, err) || (found && !drain_log(w->conn, &more, err)))
		return false;
	*news = *news || found;
	if (found)
		w->pause_us = PAUSE_SHORT;
	else if (w->pause_us < PAUSE_LONG)
		w->pause_us = w->pause_us * 2 < PAUSE_LONG ? w->pause_us * 2 : PAUSE_LONG;
	w->more = more;
	int64_t end = mono_us();
	w->due.log = more ? 0 : end + rest_of_drain(found && w->conn->node.certifies, end - begin, w->pause_us, PAUSE_LONG);
	return true;
}

/* Is the binary log left alone, although something may have come? */
static bool rests(const struct viewd_watch *w)
{
	return w->binlog != NULL && !binlog_is_behind(w->binlog) && mono_us() < w->rest.until;
}

/* How far it is to be read. full: to where it ends now, whatever was still to be read before. */
static bool aim(struct viewd_watch *w, bool full, bool beat, struct viewd_err *err)
{
	if (!beat && !rest_is_long(&w->rest))
		return true;
	w->hurries = !beat && (w->hurries || !binlog_is_behind(w->binlog));
	return binlog_aim(w->binlog, full, err);
}

static bool look_at_binlog(struct viewd_watch *w, bool full, bool beat, bool *news, bool *asked, struct viewd_err *err)
{
	bool found;
	int64_t begin = mono_us();
	if (w->binlog == NULL || (!beat && rests(w)))
		return true;
	if (!aim(w, full, beat, err) || !binlog_read(w->binlog, err) || !binlog_commit(w->binlog, &found, err))
		return false;
	if (binlog_heard_since(w->binlog, begin))
		rest_after_reading(&w->rest, begin, mono_us());
	*news = *news || found;
	*asked = *asked || binlog_saw_request(w->binlog);
	if (binlog_saw_heartbeat(w->binlog))
		draw_near(&w->due.heartbeat, HEARTBEAT_EVERY);
	return true;
}

/* Triggers are worth nothing while their words get lost. Triggers go then, and are found missing and made again in this
 * round. */
static bool test_triggers(struct viewd_watch *w, struct viewd_err *err)
{
	char why[256];
	bool works = true;
	if (!w->trigger)
		return true;
	if (!note_test_all(w->conn, &works, why, err))
		return false;
	if (works)
		return true;
	db_log(&w->conn->db, VIEWD_LOG_WARNING,
	       "database '%s', the triggers' words are lost (%s): they are made again, their views are refreshed",
	       w->conn->db.database_name, why);
	w->due.thorough = w->due.repair = w->due.look = 0;
	return trigger_drop_all(w->conn, err);
}

/* For the changes that fire no trigger. Looking never takes more than a hundredth of the time, or is done once a
 * minute. Mending is no measure of it: it waits for writers. */
static bool look_at_tables(struct viewd_watch *w, bool *news, struct viewd_err *err)
{
	bool mended = false, polled = false;
	int64_t begin = mono_us();
	if (w->trigger && comes_due(&w->due.repair, 0)) {
		bool thorough = comes_due(&w->due.thorough, w->compare ? THOROUGH_EVERY : HEARTBEAT_EVERY);
		w->unmended = !tables_mend(w->conn, w->compare, thorough, &mended, err);
		if (w->unmended) {
			w->due.thorough = thorough ? 0 : w->due.thorough;
			w->due.repair = mono_us() + REPAIR_AGAIN;
			return false;
		}
	}
	if (w->poll && comes_due(&w->due.poll, POLL_EVERY) && !tables_poll(w->conn, w->compare, &polled, err))
		return false;
	int64_t took = mono_us() - begin;
	if (!mended && took * 100 > LOOK_EVERY)
		w->due.look = begin + (took * 100 < SPAN_MINUTE ? took * 100 : SPAN_MINUTE);
	*news = *news || mended || polled;
	return true;
}

/* Objects that views depend on are compared with what they were: at each heartbeat, when somebody asks, and soon after
 * the log told of a definition. It takes no more than a hundredth of the time at rest, a fifth while definitions
 * come. */
static bool look_at_objects(struct viewd_watch *w, struct viewd_signal_sink signals, bool *news, struct viewd_err *err)
{
	int64_t begin = mono_us();
	if (w->binlog != NULL && binlog_saw_definition(w->binlog))
		w->due.objects = earlier(w->due.objects, w->objects_again);
	if (begin + HEARTBEAT_EVERY / TOGETHER < w->due.objects)
		return true;
	if (!objects_look(&w->conn->db, signals, news, err))
		return false;
	int64_t end = mono_us(), took = end - begin;
	w->objects_again = end + (took * 4 > OBJECTS_PAUSE ? took * 4 : OBJECTS_PAUSE);
	w->due.objects = end + earlier(took * 100 > HEARTBEAT_EVERY ? took * 100 : HEARTBEAT_EVERY, SPAN_MINUTE);
	return true;
}

/* One round of everything that is due; full: of everything. */
static bool look_round(struct viewd_watch *w, bool full, struct viewd_signal_sink signals, bool *news, bool *asked,
                       struct viewd_err *err)
{
	if (full)
		w->due = (struct due){.repair = w->due.repair};
	if (full && !places_catch_up(w->conn, err))
		return false;
	bool beat = comes_due(&w->due.heartbeat, HEARTBEAT_EVERY);
	if (beat) {
		draw_near(&w->due.objects, HEARTBEAT_EVERY);
		*news = *asked = true;
		if (!watch_lock_check(w->conn, w->lock, err) || !returned_look(&w->conn->db, w->place, err) ||
		    (w->binlog != NULL && !binlog_check(w->binlog, err)))
			return false;
	}
	if (comes_due(&w->due.modes, HEARTBEAT_EVERY) && !load_modes(w, err))
		return false;
	if ((full && !tables_restarted(w->conn, news, err)) || (beat && !test_triggers(w, err)))
		return false;
	if (comes_due(&w->due.look, look_every(w))) {
		*asked = *asked || !hears_requests(w);
		if (!look_at_tables(w, news, err))
			return false;
	}
	return look_at_slots(w, full, news, err) && look_at_log(w, news, err) &&
	       look_at_binlog(w, full, beat, news, asked, err) && look_at_objects(w, signals, news, err);
}

struct counted {
	struct viewd_signal_sink to;
	size_t n;
};

static bool count_signal(void *ctx, const struct viewd_signal *signal)
{
	struct counted *counted = ctx;
	counted->n++;
	return counted->to.fn(counted->to.ctx, signal);
}

/* *told_r: something was said. A conflict with another session is no loss: what was not drained is there when all is
 * looked at again. */
static bool go_round(struct viewd_watch *w, bool full, struct viewd_signal_sink signals, bool *told_r,
                     struct viewd_err *err)
{
	struct viewd_err failure = {0};
	struct counted counted = {.to = signals};
	struct viewd_signal_sink sink = {count_signal, &counted};
	bool news = full, asked = full || w->came;
	bool good = look_round(w, full, sink, &news, &asked, &failure) &&
	            (!news || marks_stale(&w->conn->db, sink, &failure)) &&
	            (!asked || marks_requests(&w->conn->db, sink, &failure));

	w->put_off = !good;
	w->came = w->came && !good;
	*told_r = counted.n > 0;
	if (good)
		return true;
	if (!w->conn->lost && (failure.cls == VIEWD_ERR_CONFLICT || failure.cls == VIEWD_ERR_TIMEOUT)) {
		db_log(&w->conn->db, VIEWD_LOG_DEBUG, "database '%s', a look at the changes is put off (%s)",
		       w->conn->db.database_name, failure.msg);
		return true;
	}
	if (err != NULL)
		*err = w->unheard.cls == VIEWD_ERR_LOST ? w->unheard : failure;
	return false;
}

/* ---- waiting */

/* Rows that are not committed are not seen, and nothing is held while it sleeps. It ends early only if there is
 * something; what comes in its last round ends the next one at once. */
static void wait_in_server(struct viewd_watch *w, int64_t until)
{
	int64_t begin = mono_us(), rounds = (until - begin) / WAIT_ROUND;
	struct viewd_err failure = {0};
	char sql[512];
	rounds = rounds < 1 ? 1 : rounds > WAIT_ROUNDS ? WAIT_ROUNDS : rounds;
	snprintf(sql, sizeof sql,
	         "BEGIN NOT ATOMIC DECLARE n INT DEFAULT 0; WHILE n < %d AND NOT EXISTS (SELECT 1 FROM viewd_changes) AND "
	         "NOT EXISTS"
	         " (SELECT 1 FROM viewd_requests) DO DO SLEEP(%.3f); SET n = n + 1; END WHILE; END",
	         (int)rounds, (double)WAIT_ROUND / SPAN_SECOND);
	if (db_exec(&w->conn->db, sql, &failure)) {
		w->came = mono_us() - begin < rounds * WAIT_ROUND;
		w->due.log = w->came ? 0 : mono_us() + PAUSE_LONG;
		return;
	}
	db_log(&w->conn->db, VIEWD_LOG_DEBUG, "database '%s', the server does not wait for changes (%s)",
	       w->conn->db.database_name, failure.msg);
	w->cannot_wait = true;
	w->unheard = failure;
	w->due =
		(struct due){.thorough = w->due.thorough, .repair = w->due.repair}; /* a lost connection is found out now */
}

/* Something that was there when the look began has not been told yet, so that was no look. */
static bool is_unfinished(const struct viewd_watch *w)
{
	return w->put_off || w->more || w->unmended || (w->binlog != NULL && binlog_is_behind(w->binlog));
}

/* Until something is due, arrives, or wakes us. A wake asks for a look of its own, so it waits until the one before is
 * finished. */
static void wait_for_hint(struct viewd_watch *w, int64_t until, bool *woken_r)
{
	bool finished = !is_unfinished(w), resting = rests(w);
	struct pollfd fds[] = {{.fd = finished ? w->wake : -1, .events = POLLIN},
	                       {.fd = w->binlog != NULL && !resting ? binlog_fd(w->binlog) : -1, .events = POLLIN}};
	uint64_t n;
	until = earlier(earlier(until, w->due.look), earlier(w->due.heartbeat, w->due.objects));
	bool in_server = finished && server_waits(w) && w->pause_us > PAUSE_SHORT;
	if (in_server && until - mono_us() >= WAIT_ROUND && poll(fds, 1, 0) == 0) {
		wait_in_server(w, until);
		until = 0;
	}
	if (w->trigger)
		until = earlier(until, w->due.log);
	if (resting)
		until = earlier(until, w->rest.until);
	int64_t left = !resting && w->binlog != NULL && binlog_buffered(w->binlog) ? 0 : until - mono_us();
	poll(fds, ARRAY_LEN(fds), left <= 0 ? 0 : (int)(left / SPAN_MS + 1));
	*woken_r = finished && read(w->wake, &n, sizeof n) == (ssize_t)sizeof n;
}

/* Waits for the time of the next round; *full_r: it is one of everything. */
static void wait_for_round(struct viewd_watch *w, int64_t until, bool *full_r)
{
	*full_r = !w->begun || w->put_off;
	if (w->put_off)
		poll(NULL, 0, PAUSE_LONG / SPAN_MS);
	else if (w->begun)
		wait_for_hint(w, until, full_r);
	w->begun = true;
}

/* Until when this call goes on. */
static int64_t end_of_call(const struct viewd_watch *w, int64_t begin, int64_t timeout_us)
{
	return begin + (is_unfinished(w) ? earlier(timeout_us, LOOK_SLICE) : timeout_us);
}

bool my_watch_next(struct viewd_watch *w, int64_t timeout_us, struct viewd_signal_sink signals, struct viewd_err *err)
{
	const struct viewd_signal behind = {.struct_size = sizeof behind, .kind = VIEWD_SIGNAL_BEHIND, .view = ""};
	int64_t begin = mono_us();
	bool told, full;
	do {
		wait_for_round(w, end_of_call(w, begin, timeout_us), &full);
		w->looking = w->looking || full;
		if (!go_round(w, full, signals, &told, err))
			return false;
	} while ((is_unfinished(w) || (!told && !w->looking)) && mono_us() < end_of_call(w, begin, timeout_us));
	w->looking = w->looking && is_unfinished(w);
	if (is_unfinished(w) && (w->looking || !w->hurries))
		signals.fn(signals.ctx, &behind);
	return true;
}
