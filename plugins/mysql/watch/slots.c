/* SPDX-License-Identifier: MIT
 *
 * slots.c: the bound of the triggers' log while nobody takes rows off it.
 *
 * A writer who finds the lock of the watch free, and whose row's number is far beyond what a slot says, takes his row
 * out again: who comes to watch then finds numbers that were given out that far, and takes every source for changed.
 * Until he has ended he holds the slot by a shared lock, which keeps no other writer waiting, so it is seen that he is
 * still at work. Each node of a cluster has a lock of its own, so there a row says for all of them that somebody
 * watches. docs/adr/019-bounded-log-mariadb.md has the reasons.
 */
#include "mysql/capture/trigger_procedure.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/span.h"
#include "common/sqltext/sqltext.h"
#include "common/state/marks.h"
#include "common/text/number.h"

#define PACE_MIN \
	(5 * SPAN_SECOND) /* between marks while somebody holds a slot: he may hide who has it as well and has ended */
#define PACE_MAX SPAN_MINUTE
#define QUIET SPAN_MINUTE /* who is being prepared lets go of a slot before he is listed */

static int64_t mono_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SPAN_SECOND + now.tv_nsec / 1000;
}

/* The slots that nobody holds; locked until the end of the transaction. */
struct unheld {
	uint64_t mask;
	char *ids;
	int64_t lowest; /* of what they say */
};

static bool take_unheld_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct unheld *list = ctx;
	int64_t base = number_or(v[1], 0);

	list->ids = sql_add(list->ids, "%s%s", list->mask != 0 ? ", " : "", v[0]);
	list->lowest = list->mask == 0 || base < list->lowest ? base : list->lowest;
	list->mask |= UINT64_C(1) << (number_or(v[0], 0) & 63);
	return true;
}

static const struct db_reader take_unheld[] = {{take_unheld_fn, "nn", "the slots of writers"}};

static bool take_prepared_fn(void *ctx, const char *const *v, size_t n)
{
	char **all = ctx;

	for (size_t i = 0; i < n; i++)
		*all = sql_add(*all, "%s ", v[i] != NULL ? v[i] : "");
	return true;
}

static const struct db_reader take_prepared[] = {{take_prepared_fn, "TTTT", "prepared transactions"}};

/* The number that the server gives out next, also where rows of it were rolled back or taken out. */
static bool next_number(struct viewd_conn *conn, int64_t *next_r, struct viewd_err *err)
{
	return my_query_int(conn,
	                    "SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND "
	                    "TABLE_NAME = '" NOTE_LOG "'",
	                    NULL, 0, next_r, err);
}

/* Held slots keep what they say, so whoever watches next takes everything for changed, too. */
static bool set_base(struct viewd_conn *conn, const struct unheld *unheld, const char *base, struct viewd_err *err)
{
	char *sql =
		talloc_asprintf(conn,
	                    "UPDATE JSON_TABLE('[%s]', '$[*]' COLUMNS (id INT PATH '$')) l STRAIGHT_JOIN " NOTE_SLOTS
	                    " s FORCE INDEX (PRIMARY) ON s.id = l.id SET s.base = %s",
	                    unheld->ids, base);
	bool done = unheld->mask == 0 || db_exec(&conn->db, sql, err);

	talloc_free(sql);
	return done;
}

static bool raise_base(struct viewd_conn *conn, const struct unheld *unheld, int64_t next, struct viewd_err *err)
{
	char number[24];

	snprintf(number, sizeof number, "%" PRId64, next);
	return set_base(conn, unheld, number, err);
}

static bool find_unheld(struct viewd_conn *conn, struct unheld *out, struct viewd_err *err)
{
	return my_query(
		&conn->db, "SELECT id, base FROM " NOTE_SLOTS " WHERE id < " NOTE_N_SLOTS " ORDER BY id FOR UPDATE SKIP LOCKED",
		NULL, 0, take_unheld, out, err);
}

/* ---- a cluster */

/* More rows than fit into one transaction of a cluster. Writers of all nodes read the row, so it is written seldom:
 * a node on which one has read it ends him for it. */
#define HEARD_AHEAD INT64_C(20000000)

/* Writers of all nodes leave their rows up to a number far ahead. */
static bool say_heard(struct viewd_conn *conn, struct slots *s, int64_t next, struct viewd_err *err)
{
	char number[24];
	const char *params[] = {number};

	if (!conn->node.certifies || next + HEARD_AHEAD / 2 < s->heard)
		return true;
	snprintf(number, sizeof number, "%" PRId64, next + HEARD_AHEAD);
	if (!my_exec(&conn->db, "REPLACE INTO " NOTE_SLOTS " VALUES (" NOTE_HEARD ", ?)", params, 1, NULL, err))
		return false;
	s->heard = next + HEARD_AHEAD;
	return true;
}

/* The lowest of what the slots say: nobody takes a row out that is not far beyond it. */
static bool lowest_base(struct viewd_conn *conn, int64_t *lowest_r, struct viewd_err *err)
{
	return my_query_int(conn, "SELECT MIN(base) FROM " NOTE_SLOTS " WHERE id < " NOTE_N_SLOTS, NULL, 0, lowest_r, err);
}

/* Writers of other nodes may have found that nobody watches, and taken rows out. Who has ended before is known by the
 * numbers once this has committed; who has not holds a slot that this writes, so the cluster ends him. One who was
 * about to commit it carries out once more, behind this. */
static bool end_unheard(struct viewd_conn *conn, struct slots *s, int64_t next, struct viewd_err *err)
{
	struct unheld unheld = {.ids = sql_new(conn)};
	int64_t heard = s->heard, lowest = 0;
	bool done = my_begin(&conn->db, DB_BEGIN_WRITE, err) && lowest_base(conn, &lowest, err) &&
	            say_heard(conn, s, next, err) && find_unheld(conn, &unheld, err) &&
	            set_base(conn, &unheld, "s.base + 1", err) && my_commit(&conn->db, err);

	talloc_free(unheld.ids);
	if (!done) {
		my_rollback(&conn->db);
		s->heard = heard;
		return false;
	}
	s->left = s->late = true;
	s->late_beyond = s->late_told = lowest + number_or(NOTE_ENOUGH, 0);
	s->busy_us = mono_us();
	return true;
}

/* The word of whoever watched before holds until the numbers have come that far. */
static bool begin_in_cluster(struct viewd_conn *conn, struct slots *s, struct viewd_err *err)
{
	int64_t next = 0;

	s->heard = 0;
	if (!conn->node.certifies)
		return true;
	if (!next_number(conn, &next, err) ||
	    !my_query_int(conn, "SELECT base FROM " NOTE_SLOTS " WHERE id = " NOTE_HEARD, NULL, 0, &s->heard, err))
		return false;
	return next < s->heard || end_unheard(conn, s, next, err);
}

/* ---- who began before */

/* Has somebody written whom the cluster may have carried out once more? */
static bool is_late(const struct slots *s, int64_t next)
{
	return s->late && next > s->late_beyond && next != s->late_told;
}

/* Somebody has ended, or may have and is hidden. */
static bool is_news(const struct slots *s, uint64_t held, const char *prepared, int64_t next, bool asked)
{
	return (s->held & ~held) != 0 || strcmp(s->prepared, prepared) != 0 ||
	       ((held != 0 || prepared[0] != '\0' || is_late(s, next)) && (asked || mono_us() >= s->again_us));
}

static void note_slots(struct slots *s, uint64_t held, const char *prepared, int64_t next, bool told)
{
	int64_t now = mono_us();
	char *own = talloc_strdup(NULL, prepared);

	if (held != 0 || prepared[0] != '\0')
		s->busy_us = now;
	if (told) {
		s->pace_us = s->pace_us * 2 < PACE_MIN ? PACE_MIN : s->pace_us * 2 < PACE_MAX ? s->pace_us * 2 : PACE_MAX;
		s->again_us = now + s->pace_us;
		s->late_told = next;
	}
	talloc_free(s->prepared);
	s->prepared = own;
	s->held = held;
	s->left = now - s->busy_us < QUIET || is_late(s, next);
	s->late = s->late && s->left;
}

static bool add_count_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx += number_or(v[1], 0);
	return true;
}

static const struct db_reader add_count[] = {{add_count_fn, "tt", "how many XA statements there were"}};

static bool add_orphan_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	char **prepared = ctx;

	*prepared = sql_add(*prepared, "%s;", v[0]);
	return true;
}

static const struct db_reader add_orphan[] = {{add_orphan_fn, "t", "transactions without a session"}};

/* MySQL shows what is prepared to accounts that may (XA_RECOVER_ADMIN), and says 1401 to others. What was prepared
 * before the server was started, or by a session that has ended, is a transaction without a session. What a session has
 * prepared since then was counted. An account that sees neither takes it that something is prepared. */
static bool guess_prepared(struct viewd_conn *conn, char **prepared, struct viewd_err *err)
{
	static const char orphans[] = "SELECT trx_id FROM information_schema.INNODB_TRX WHERE trx_mysql_thread_id = 0";
	static const char count_sql[] =
		"SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_xa_prepare', 'Com_xa_commit', 'Com_xa_rollback')";
	struct viewd_err failure = {0};
	int64_t count = 0;

	if (!my_query(&conn->db, count_sql, NULL, 0, add_count, &count, err))
		return false;
	bool seen = my_query(&conn->db, orphans, NULL, 0, add_orphan, prepared, &failure);
	if (!seen || count > 0)
		*prepared = sql_add(*prepared, "? %" PRId64, count);
	if (conn->lost && err != NULL)
		*err = failure;
	return !conn->lost;
}

#define XAER_RMERR 1401

static bool find_prepared(struct viewd_conn *conn, char **prepared, struct viewd_err *err)
{
	struct viewd_err failure = {0};

	if (my_query(&conn->db, "XA RECOVER", NULL, 0, take_prepared, prepared, &failure))
		return true;
	if (failure.native == XAER_RMERR)
		return guess_prepared(conn, prepared, err);
	if (err != NULL)
		*err = failure;
	return false;
}

/* The first one tells everything, so what is held then matters from now on. */
static bool judge_slots(struct viewd_conn *conn, struct slots *s, const struct unheld *unheld, int64_t next, bool asked,
                        bool *told_r, struct viewd_err *err)
{
	char *prepared = sql_new(conn);
	uint64_t held = ~unheld->mask;
	bool good = find_prepared(conn, &prepared, err);
	bool told = !s->left || (good && is_news(s, held, prepared, next, asked));

	good = good && (!told || marks_touch_mode(&conn->db, "trigger", err)) && raise_base(conn, unheld, next, err);
	if (good) {
		note_slots(s, held, prepared, next, told);
		*told_r = told;
	}
	talloc_free(prepared);
	return good;
}

static bool look_at_slots_now(struct viewd_conn *conn, struct slots *s, bool asked, bool *told_r, struct viewd_err *err)
{
	struct unheld unheld = {.ids = sql_new(conn)};
	int64_t lowest = 0, next = 0, enough = number_or(NOTE_ENOUGH, 0);
	bool good = find_unheld(conn, &unheld, err) && lowest_base(conn, &lowest, err) && next_number(conn, &next, err) &&
	            say_heard(conn, s, next, err);

	if (good && (s->left || (!s->begun && next - lowest > enough)))
		good = judge_slots(conn, s, &unheld, next, asked, told_r, err);
	else if (good && (next - unheld.lowest > enough / 2 || next < unheld.lowest))
		good = raise_base(conn, &unheld, next, err);
	talloc_free(unheld.ids);
	return good;
}

bool slots_look(struct viewd_conn *conn, struct slots *s, bool asked, bool *news_r, struct viewd_err *err)
{
	bool told = false;
	int64_t heard;

	if (!s->begun && !begin_in_cluster(conn, s, err))
		return false;
	heard = s->heard;
	bool done = my_begin(&conn->db, DB_BEGIN_WRITE, err) && look_at_slots_now(conn, s, asked, &told, err) &&
	            my_commit(&conn->db, err);

	if (!done)
		my_rollback(&conn->db);
	s->heard = done ? s->heard : heard; /* writing it anew would end who has read it */
	s->begun = s->begun || done;
	*news_r = *news_r || told;
	return done;
}
