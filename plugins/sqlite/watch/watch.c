/* SPDX-License-Identifier: MIT
 *
 * watch.c: noticing that somebody wrote the file. Signs of that wake (signs.h), PRAGMA data_version tells whether a
 * commit of another connection is visible, the marks tell what it means. A lock file beside the database keeps a second
 * viewd away; it is never the database itself, whose locks would be lost by closing it
 * (https://sqlite.org/howtocorrupt.html section 2.2).
 */
#include "sqlite/watch/watch.h"
#include "base/err.h"
#include "common/conn/process.h"
#include "common/depends/objects.h"
#include "common/state/marks.h"
#include "common/state/state.h"
#include "common/text/number.h"
#include "sqlite/capture/trigger.h"
#include "sqlite/conn/commit_number.h"
#include "sqlite/conn/conn.h"
#include "sqlite/conn/files.h"
#include "sqlite/incremental/incremental.h"
#include "sqlite/watch/restored.h"
#include "sqlite/watch/signs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

#define LOCK_TIMEOUT_US INT64_C(2000000)
/* Pauses after a sign of life, in milliseconds. A sign of a write to the file comes before the commit is visible, by as
 * long as the writer is kept from running. So the watch looks again after each of these pauses, and then waits for the
 * next sign. */
static const int looks_ms[] = {0, 1, 4, 20, 100, 500, 2000, 5000};
/* While every look finds something the next one waits, twice as long each time: looking at each of many commits would
 * cost their writer more than the triggers do. */
#define PACE_MAX_MS 20
#define TOUCH_US INT64_C(500000) /* between two numbers for changes that do not count any more */

struct viewd_watch {
	struct viewd_conn *conn;
	struct signs *signs;
	int wake, lock;
	char *path; /* of the file itself, where links lead: writers work in its directory */
	char *lock_path;
	struct sqlite_marks_seen *seen;
	bool behind; /* the last look did not come to its end */
	int64_t version, schema;
	bool looked;
	size_t look; /* how many of the pauses have passed */
	int pace_ms; /* before the next look */
	int64_t touched_us;
};

static bool read_number_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], 0);
	return false;
}

static const struct db_reader read_number[] = {{read_number_fn, "N", "a number of the database"}};

static bool pragma(struct viewd_watch *w, const char *sql, int64_t *out_r, struct viewd_err *err)
{
	w->conn->guard = SQLITE_GUARD_INTERNAL;
	bool done = sqlite_op_query(&w->conn->db, sql, NULL, 0, read_number, out_r, err);
	w->conn->guard = SQLITE_GUARD_NORMAL;
	return done;
}

/* ---- opening ---- */

static bool find_file(struct viewd_watch *w, struct viewd_err *err)
{
	char *real = realpath(w->conn->path, NULL);
	if (real == NULL)
		return err_sys(err, VIEWD_ERR_CONNECT, errno, "database file '%s' cannot be found", w->conn->path);
	w->path = talloc_strdup(w, real);
	free(real);
	return true;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Is the locked file still the one of that name? Who gives the lock back takes the file away. */
static bool is_named(int fd, const char *path)
{
	struct stat st, named;
	return fstat(fd, &st) == 0 && lstat(path, &named) == 0 && st.st_dev == named.st_dev && st.st_ino == named.st_ino;
}

/* For whoever finds the lock taken. Nothing depends on it. */
static void sign_lock(struct viewd_watch *w, int fd)
{
	char *holder = process_holder(w, w->conn->db.database_name);
	if (ftruncate(fd, 0) != 0 || pwrite(fd, holder, strlen(holder), 0) < 0)
		db_log(&w->conn->db, VIEWD_LOG_DEBUG, "database '%s', the lock file cannot be written",
		       w->conn->db.database_name);
	talloc_free(holder);
}

static bool refuse_lock(int fd, const char *path, struct viewd_err *err)
{
	char holder[300] = "";
	ssize_t n = pread(fd, holder, sizeof holder - 1, 0);
	holder[n > 0 ? n : 0] = '\0';
	return process_refuse(holder, path, err);
}

static bool take_lock(struct viewd_watch *w, struct viewd_err *err)
{
	char *path = w->lock_path = talloc_asprintf(w, "%s-viewd", w->path);
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return err_sys(err, VIEWD_ERR_DENIED, errno, "cannot open the lock file %s", path);
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			int why = errno;
			bool refused = why == EWOULDBLOCK ? refuse_lock(fd, path, err)
			                                  : err_sys(err, VIEWD_ERR_DENIED, why, "cannot lock %s", path);
			close(fd);
			return refused;
		}
		if (is_named(fd, path)) {
			w->lock = fd;
			sign_lock(w, fd);
			sqlite_files_share_lock(fd, w->path);
			return true;
		}
		close(fd);
	}
}

static void give_lock_back(struct viewd_watch *w)
{
	if (w->lock >= 0)
		unlink(w->lock_path);
	close_fd(&w->lock);
}

static bool make_wake(struct viewd_watch *w, struct viewd_err *err)
{
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return w->wake >= 0 || err_sys(err, VIEWD_ERR_RESOURCE, errno, "cannot make a wake-up of the watch");
}

struct viewd_watch *sqlite_watch_open(const struct viewd_host *host, const struct viewd_database_spec *db,
                                      struct viewd_err *err)
{
	struct viewd_watch *w = talloc_zero(NULL, struct viewd_watch);
	w->wake = w->lock = -1;
	w->conn = sqlite_conn_open(host, db, err);
	if (w->conn != NULL && find_file(w, err) && take_lock(w, err) && make_wake(w, err) &&
	    signs_open(w, host, w->path, &w->signs, err) && sqlite_op_set_limits(&w->conn->db, 0, LOCK_TIMEOUT_US, err) &&
	    state_setup(&w->conn->db, err))
		return w;
	sqlite_watch_close(&w);
	return NULL;
}

void sqlite_watch_close(struct viewd_watch **watch)
{
	struct viewd_watch *w = *watch;
	if (w == NULL)
		return;
	sqlite_conn_close(&w->conn);
	signs_close(&w->signs);
	close_fd(&w->wake);
	give_lock_back(w);
	TALLOC_FREE(*watch);
}

void sqlite_watch_wake(struct viewd_watch *w)
{
	uint64_t one = 1;
	if (write(w->wake, &one, sizeof one) < 0)
		return; /* full: it is awake */
}

/* ---- looking ---- */

static bool clean_logs(struct db *db, struct viewd_err *err)
{
	bool good = db->ops->begin(db, DB_BEGIN_WRITE, err) && sqlite_op_clean_logs(db, err) && db->ops->commit(db, err);
	db->ops->rollback(db);
	return good;
}

/* The schema changed: a table that was dropped and made again has lost its triggers, and triggers that have lost the
 * table of their change log fail every writer. What changes meanwhile is another change. */
static bool look_at_schema(struct viewd_watch *w, struct viewd_err *err)
{
	int64_t schema = 0;
	if (!pragma(w, "PRAGMA schema_version", &schema, err))
		return false;
	if (schema == w->schema)
		return true;
	if (!clean_logs(&w->conn->db, err) || !sqlite_mend_triggers(&w->conn->db, err))
		return false;
	w->schema = schema;
	return true;
}

/* *news_r: did another connection commit since the last look? */
static bool look_at_version(struct viewd_watch *w, bool *news_r, struct viewd_err *err)
{
	int64_t version = 0;
	sqlite_op_enter(&w->conn->db);
	if (!pragma(w, "PRAGMA data_version", &version, err))
		return false;
	*news_r = version != w->version || !w->looked;
	w->version = version;
	return true;
}

/* A view that waits for rest (debounce) must see that there is none. Writers are not waited for: there will be another
 * time. */
static bool touch_ended(struct viewd_watch *w, struct viewd_err *err)
{
	int64_t now = w->conn->db.host->now(w->conn->db.host->ctx);
	if (now - w->touched_us < TOUCH_US && now >= w->touched_us)
		return true;
	w->touched_us = now;
	return marks_touch_ended(&w->conn->db, err) || err->cls == VIEWD_ERR_CONFLICT;
}

static bool tell_all(struct viewd_watch *w, struct viewd_signal_sink signals, struct viewd_err *err)
{
	bool first = !w->looked;
	w->looked = true;
	return sqlite_look_for_restore(w->conn, &w->seen, err) && look_at_schema(w, err) &&
	       objects_look(&w->conn->db, signals, NULL, err) && sqlite_poll_look(w->conn, first, err) &&
	       touch_ended(w, err) && marks_stale(&w->conn->db, signals, err) && marks_requests(&w->conn->db, signals, err);
}

/* The application may write for minutes in one transaction. What needs the write lock waits for it, and nothing counts
 * as looked at. */
static bool tell_or_wait(struct viewd_watch *w, struct viewd_signal_sink signals, struct viewd_err *err)
{
	const struct viewd_signal behind = {.struct_size = sizeof behind, .kind = VIEWD_SIGNAL_BEHIND, .view = ""};
	bool first = !w->looked;
	w->behind = !tell_all(w, signals, err);
	if (!w->behind)
		return true;
	if (err->cls != VIEWD_ERR_CONFLICT)
		return false;
	w->looked = !first;
	if (!marks_stale(&w->conn->db, signals, err))
		return false;
	signals.fn(signals.ctx, &behind);
	return true;
}

/* ---- waiting ---- */

/* Waits; *hint_r: something has come before the timeout; *woken_r: somebody asked for a look. False: signs are missed
 * from now on. */
static bool wait_for_hint(struct viewd_watch *w, int timeout_ms, bool *hint_r, bool *woken_r, struct viewd_err *err)
{
	struct pollfd fds[] = {{.fd = signs_fd(w->signs), .events = POLLIN}, {.fd = w->wake, .events = POLLIN}};
	uint64_t count;
	if (poll(fds, ARRAY_LEN(fds), timeout_ms) <= 0)
		return true;
	if (read(w->wake, &count, sizeof count) == (ssize_t)sizeof count)
		*woken_r = true;
	bool taken = signs_take(w->signs, hint_r, err);
	*hint_r |= *woken_r;
	return taken;
}

/* Nothing but a wake-up of the daemon cuts it short. */
static void keep_pace(struct viewd_watch *w)
{
	struct pollfd fd = {.fd = w->wake, .events = POLLIN};
	if (w->pace_ms > 0)
		poll(&fd, 1, w->pace_ms);
}

/* Nothing has happened for some seconds: pages that were read stay in the system's cache, and thousands of files may be
 * watched. */
static void rest(struct viewd_watch *w)
{
	if (w->look == ARRAY_LEN(looks_ms))
		sqlite3_db_release_memory(w->conn->handle);
}

bool sqlite_watch_next(struct viewd_watch *w, int64_t timeout_us, struct viewd_signal_sink signals,
                       struct viewd_err *err)
{
	bool news = false, hint = false, woken = false;
	keep_pace(w);
	rest(w);
	int pause_ms = w->look < ARRAY_LEN(looks_ms) ? looks_ms[w->look] : (int)(timeout_us / 1000);
	if (!wait_for_hint(w, pause_ms, &hint, &woken, err))
		return false;
	w->look = hint ? 0 : w->look + 1;
	if (!sqlite_conn_alive(w->conn))
		return err_set(err, VIEWD_ERR_CONNECT, "database file '%s' or its write-ahead log is gone or was replaced",
		               w->conn->path);
	if (!look_at_version(w, &news, err))
		return false;
	int pace_ms = w->pace_ms == 0 ? 1 : w->pace_ms * 2;
	w->pace_ms = !news ? 0 : pace_ms < PACE_MAX_MS ? pace_ms : PACE_MAX_MS;
	if (!news && !woken && !w->behind)
		return true;
	w->look = 0;
	return tell_or_wait(w, signals, err);
}
