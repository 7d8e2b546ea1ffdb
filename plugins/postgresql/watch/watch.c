/* SPDX-License-Identifier: MIT
 *
 * watch.c: opening, waiting, one round of looking, closing.
 */
#include "postgresql/watch/watch.h"
#include "postgresql/conn/leader.h"
#include "postgresql/conn/pooled.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <talloc.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "common/depends/objects.h"
#include "common/state/marks.h"
#include "common/state/returned.h"
#include "common/state/state.h"

#define ANSWER_US INT64_C(20000000)
#define GIVE_BACK_US INT64_C(2000000) /* at the end: it only spares others a wait */
#define STATEMENT_US INT64_C(10000000)
#define LOCK_WAIT_US INT64_C(500000)
#define HEARTBEAT_US INT64_C(15000000)
#define LEASE_US INT64_C(5000000) /* between heartbeats of who leads by the lease alone */
#define POLL_US INT64_C(1000000)
#define OWED_US INT64_C(20000)
#define RACES_MAX 5

static int64_t now_us(void)
{
	return clock_system()->mono(clock_system());
}

/* ---- opening ---- */

static bool set_up_objects(struct viewd_conn *conn, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	for (int i = 0; i < RACES_MAX; i++) {
		if (state_setup(&conn->db, &failed) && pg_objects_make(conn, &failed))
			return true;
		pg_op_rollback(&conn->db);
		if (!pg_is_creation_race(&failed))
			break;
	}
	if (err != NULL)
		*err = failed;
	return false;
}

static bool bool_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0] != NULL && v[0][0] == 't';
	return false;
}

static const struct db_reader bool_row[] = {{bool_row_fn, "T", "a setting of the server"}};

static bool set_up_session(struct viewd_watch *w, struct viewd_err *err)
{
	w->conn->answer_us = ANSWER_US;
	w->conn->watching = true;
	return pg_settings_apply(w->conn, err) && pg_op_set_limits(&w->conn->db, STATEMENT_US, LOCK_WAIT_US, err) &&
	       pg_op_query(&w->conn->db, "SELECT pg_catalog.current_setting('max_prepared_transactions') = '0'", NULL, 0,
	                   bool_row, &w->may_sleep, err);
}

static bool set_up(struct viewd_watch *w, struct viewd_err *err)
{
	int64_t epoch = 0;
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->wake < 0)
		return err_sys(err, VIEWD_ERR_RESOURCE, errno, "cannot make an eventfd");
	if (!set_up_session(w, err) || !pg_leader_take(w->conn, &epoch, err) || !set_up_objects(w->conn, err) ||
	    !pg_leader_record(w->conn, epoch, err))
		return false;
	w->leads = true;
	return returned_recognise(&w->conn->db, w, &w->place, err) && pg_listen(w, err);
}

struct viewd_watch *pg_watch_open(const struct viewd_host *host, const struct viewd_database_spec *db,
                                  struct viewd_err *err)
{
	struct viewd_watch *w = talloc_zero(NULL, struct viewd_watch);
	assert(w != NULL);
	w->wake = -1;
	w->conn = pg_conn_open(host, db, err);
	if (w->conn == NULL || !set_up(w, err))
		pg_watch_close(&w);
	return w;
}

void pg_watch_close(struct viewd_watch **watch)
{
	struct viewd_watch *w = *watch;
	if (w == NULL)
		return;
	if (w->conn != NULL && w->leads) {
		w->conn->answer_us = GIVE_BACK_US;
		pg_leader_give_back(w->conn);
	}
	if (w->conn != NULL)
		pg_conn_close(&w->conn);
	if (w->wake >= 0)
		close(w->wake);
	TALLOC_FREE(*watch);
}

void pg_watch_wake(struct viewd_watch *w)
{
	uint64_t one = 1;
	if (write(w->wake, &one, sizeof one) < 0)
		return; /* full: it is awake */
}

/* ---- waiting ---- */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_look(const struct viewd_watch *w, int64_t deadline)
{
	int64_t at = least(least(deadline, w->heartbeat_us), pg_flood_due(w));
	if (w->polls)
		at = least(at, w->poll_us);
	if (w->look_due)
		at = least(at, now_us() + OWED_US);
	if (w->review_due)
		at = least(at, w->review_us);
	if (pg_drains_on(w))
		return now_us();
	return w->pace_us > 0 ? least(at, now_us() + w->pace_us) : at;
}

/* Milliseconds for poll(2), rounded up: waking too early would spin. */
static int until_ms(int64_t at)
{
	int64_t left = at - now_us();
	return left > 0 ? (int)((left + 999) / 1000) : 0;
}

static int64_t next_heartbeat(const struct viewd_watch *w)
{
	return now_us() + (w->conn->pooled ? LEASE_US : HEARTBEAT_US);
}

/* *heard_r: somebody notified; *woken_r: the daemon wants a look. Neither: it is time. */
static bool wait_for_hint(struct viewd_watch *w, int64_t deadline, bool *heard_r, bool *woken_r, struct viewd_err *err)
{
	struct pollfd fds[] = {{.fd = PQsocket(w->conn->pg), .events = POLLIN}, {.fd = w->wake, .events = POLLIN}};
	uint64_t count;
	if (!pg_heard(w, heard_r, err))
		return false;
	if (!*heard_r && poll(fds, ARRAY_LEN(fds), until_ms(next_look(w, deadline))) > 0 && !pg_heard(w, heard_r, err))
		return false;
	if (*heard_r)
		pg_drain_anew(w);
	*woken_r = read(w->wake, &count, sizeof count) == (ssize_t)sizeof count;
	return true;
}

/* ---- looking ---- */

struct round {
	bool news; /* a view may have become stale */
	bool requests;
	bool blocked; /* a lock was in the way: this was no look */
};

/* Things that are compared without any change of a row having been told. Triggers come first: rows that a new partition
 * gets before it has one are in what is read after its marks were raised. Somebody's lock in the way: the look
 * stays due. */
static bool compare_objects(struct viewd_watch *w, bool asked, struct round *round, struct viewd_signal_sink signals,
                            struct viewd_err *err)
{
	struct viewd_err failed = {0};
	bool done = true, doubted = true;
	round->news |= pg_carried_left(w->conn);
	if (!returned_look(&w->conn->db, w->place, err) || !pg_repair_triggers(w, err) || !pg_poll_review(w, err) ||
	    (asked && !pg_poll_doubted(w, &doubted, err)) || !pg_parts_check(w->conn, &done, err))
		return false;
	bool compared = objects_look(&w->conn->db, signals, &round->news, &failed);
	if (!compared && failed.cls != VIEWD_ERR_CONFLICT && failed.cls != VIEWD_ERR_TIMEOUT) {
		if (err != NULL)
			*err = failed;
		return false;
	}
	w->look_due = !done || !doubted || !compared;
	return true;
}

static bool look_after(struct viewd_watch *w, struct round *round, struct viewd_signal_sink signals,
                       struct viewd_err *err)
{
	return pg_check_sound(w, err) && pg_check_log(w, err) && pg_measure_log(w, err) && pg_flood_review(w, err) &&
	       compare_objects(w, false, round, signals, err);
}

static bool first_look(struct viewd_watch *w, struct round *round, struct viewd_signal_sink signals,
                       struct viewd_err *err)
{
	w->looked = true;
	w->heartbeat_us = next_heartbeat(w);
	return look_after(w, round, signals, err);
}

static bool beat(struct viewd_watch *w, struct round *round, struct viewd_signal_sink signals, struct viewd_err *err)
{
	if (now_us() < w->heartbeat_us)
		return true;
	w->heartbeat_us = next_heartbeat(w);
	round->news = round->requests = true;
	return pg_heartbeat(w, err) && look_after(w, round, signals, err);
}

static bool poll_counters(struct viewd_watch *w, struct round *round, struct viewd_signal_sink signals,
                          struct viewd_err *err)
{
	int64_t n = 0;
	if ((!w->polls && w->doubts == NULL) || now_us() < w->poll_us)
		return true;
	w->poll_us = now_us() + POLL_US;
	if (!pg_poll(w, signals, &n, err))
		return false;
	round->news |= n > 0;
	return true;
}

static bool drain(struct viewd_watch *w, struct round *round, struct viewd_err *err)
{
	bool again = true;
	while (again) {
		struct pg_drained got;
		if (!pg_drain(w, &got, err) || !pg_poll_interval(w, got.rows, &again, err))
			return false;
		round->blocked = got.rows < 0;
		round->news |= got.rows > 0;
		round->requests |= got.requests;
		if (again)
			pg_drain_anew(w);
	}
	return pg_write_rate_judge(w, err);
}

static bool tell_news(struct viewd_watch *w, const struct round *round, struct viewd_signal_sink signals,
                      struct viewd_err *err)
{
	return (!round->news || marks_stale(&w->conn->db, signals, err)) &&
	       (!round->requests || marks_requests(&w->conn->db, signals, err));
}

/* Asked for a look: what is only looked at now and then is looked at now. */
static bool answer_wake(struct viewd_watch *w, struct round *round, struct viewd_err *err)
{
	round->news = round->requests = true;
	w->poll_us = 0;
	w->look_due = true;
	if (!pg_check_sound(w, err))
		return false;
	pg_flood_ask(w);
	pg_drain_anew(w);
	pg_poll_forget(w);
	return true;
}

static bool go_round(struct viewd_watch *w, struct round *round, struct viewd_signal_sink signals,
                     struct viewd_err *err)
{
	round->blocked = false;
	if (!beat(w, round, signals, err) || (w->look_due && !compare_objects(w, true, round, signals, err)) ||
	    !poll_counters(w, round, signals, err) || !drain(w, round, err) || !pg_review_full(w, &w->review_due, err) ||
	    !pg_flood_tend(w, &round->news, err) || !tell_news(w, round, signals, err) || !pg_clean_log(w, err))
		return false;
	round->blocked |= pg_flood_asked(w) || w->look_due || w->review_due || w->doubts_flags || pg_drains_on(w);
	return true;
}

bool pg_watch_next(struct viewd_watch *w, int64_t timeout_us, struct viewd_signal_sink signals, struct viewd_err *err)
{
	const struct viewd_signal behind = {.struct_size = sizeof behind, .kind = VIEWD_SIGNAL_BEHIND, .view = ""};
	int64_t deadline = now_us() + timeout_us;
	struct round round = {.news = !w->looked, .requests = !w->looked};
	if (!w->looked && (!first_look(w, &round, signals, err) || !go_round(w, &round, signals, err)))
		return false;
	while ((round.blocked || (!round.news && !round.requests)) && now_us() < deadline) {
		bool heard = false, woken = false;
		if (!wait_for_hint(w, deadline, &heard, &woken, err) || (woken && !answer_wake(w, &round, err)) ||
		    !go_round(w, &round, signals, err))
			return false;
	}
	if (round.blocked)
		signals.fn(signals.ctx, &behind);
	return true;
}
