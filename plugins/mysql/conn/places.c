/* SPDX-License-Identifier: MIT
 *
 * places.c: the servers of a URL that names several. The first one that serves is taken: one that can be reached, takes
 * writes and is not behind its cluster. Where there is none such, one that is behind is better than none. Nodes have
 * locks of their own, so sessions of a process that watches go to the node by way of which it does, and nowhere else
 * while that one takes no more of them. A name may stand for several nodes, behind a balancer.
 */
#include "mysql/my.h"

#include <string.h>

#include "base/err.h"
#include "common/text/number.h"

#define SYNCED \
	4 /* wsrep_local_state: neither joining nor giving its contents to another node, nor told to fall behind */

#define STATE "SHOW GLOBAL STATUS LIKE 'wsrep_local_state'"

static bool take_state_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[1], SYNCED);
	return false;
}

static const struct db_reader take_state[] = {{take_state_fn, "tT", "the state of a node"}};

static const char *const galera_catches_up[] = {"SET STATEMENT wsrep_sync_wait = 1 FOR SELECT 1", NULL};
static const struct my_cluster galera = {.catch_up = galera_catches_up, .other_after_start = true};

/* Group Replication with several primaries. With one, the others take no writes, so it is as good as alone.
 * https://dev.mysql.com/doc/refman/8.4/en/group-replication-limitations.html: definitions and rows of the same object
 * that are written by way of different members are not detected as conflicts. */
#define CONSISTENCY "SET SESSION group_replication_consistency = "
static const char *const group_catches_up[] = {CONSISTENCY "'BEFORE'", "START TRANSACTION", "COMMIT", NULL};
static const struct my_cluster group = {
	.catch_up = group_catches_up, .afterwards = CONSISTENCY "DEFAULT", .unordered = true};

static bool take_single_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = strcmp(v[1], "OFF") != 0;
	return false;
}

static const struct db_reader take_single[] = {{take_single_fn, "tt", "how many primaries a group has"}};

bool places_find_cluster(struct viewd_conn *conn, struct viewd_err *err)
{
	static const char primaries[] = "SHOW GLOBAL VARIABLES LIKE 'group_replication_single_primary_mode'";
	int64_t state = -1;
	bool single = true;

	if (!my_query(&conn->db, STATE, NULL, 0, take_state, &state, err) ||
	    !my_query(&conn->db, primaries, NULL, 0, take_single, &single, err))
		return false;
	conn->node.cluster = state >= 0 ? &galera : single ? NULL : &group;
	conn->node.certifies = conn->db.definitions_end = conn->node.cluster != NULL;
	return true;
}

static bool take_ready_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = strcmp(v[1], "OFF") != 0;
	return false;
}

static const struct db_reader take_ready[] = {{take_ready_fn, "tt", "whether a node serves"}};

/* A node that has lost its cluster says the same as one that is slow, and says it for ever. */
static bool serves(struct viewd_conn *conn)
{
	bool ready = true;

	return conn->lost ||
	       !my_query(&conn->db, "SHOW GLOBAL STATUS LIKE 'wsrep_ready'", NULL, 0, take_ready, &ready, NULL) || ready;
}

bool places_catch_up(struct viewd_conn *conn, struct viewd_err *err)
{
	const struct my_cluster *cluster = conn->node.cluster;
	bool caught_up = true;

	for (const char *const *sql = cluster != NULL ? cluster->catch_up : NULL; caught_up && sql != NULL && *sql; sql++)
		caught_up = db_exec(&conn->db, *sql, err);
	if (cluster != NULL && cluster->afterwards != NULL && !conn->lost)
		caught_up = db_exec(&conn->db, cluster->afterwards, caught_up ? err : NULL) && caught_up;
	if (caught_up)
		return true;
	if (serves(conn))
		return false;
	conn->lost = true;
	return err_set(err, VIEWD_ERR_LOST, "the node has lost its cluster and serves nobody");
}

bool places_is_behind(struct viewd_conn *conn, bool *behind_r, struct viewd_err *err)
{
	int64_t state = SYNCED;

	if (!my_query(&conn->db, STATE, NULL, 0, take_state, &state, err))
		return false;
	*behind_r = state != SYNCED;
	return true;
}

static bool find_elsewhere(struct viewd_conn *conn, bool *elsewhere_r, struct viewd_err *err)
{
	return !conn->node.certifies || my_leader_elsewhere(conn, elsewhere_r, err);
}

bool places_find_away(struct viewd_conn *conn, bool *away_r, struct viewd_err *err)
{
	*away_r = false;
	return !conn->node.certifies || (places_catch_up(conn, err) && find_elsewhere(conn, away_r, err));
}

/* How good a server is that serves; the lowest is best. */
enum rank {
	RANK_GOOD,
	RANK_AWAY, /* the watch has led by way of another one */
	RANK_BEHIND,
	RANK_STRAY, /* the watch leads by way of another one, and the session is none of a watch */
	RANK_NONE
};

/* One that cannot catch up is behind. */
static enum rank judge(struct viewd_conn *conn, struct viewd_err *err)
{
	bool behind = false, elsewhere = false;

	if (!places_is_behind(conn, &behind, err))
		return RANK_NONE;
	behind = behind || !places_catch_up(conn, err);
	if (conn->lost || !find_elsewhere(conn, &elsewhere, err))
		return RANK_NONE;
	if (elsewhere && !conn->node.watches)
		return RANK_STRAY;
	return behind ? RANK_BEHIND : elsewhere ? RANK_AWAY : RANK_GOOD;
}

/* One of several; what is wrong with it. */
static enum rank try_place(struct viewd_conn *conn, size_t place, struct viewd_err *err)
{
	const struct url_place *at = &conn->url->places[place];
	struct viewd_err failure = {0};
	enum rank rank =
		my_open_at(conn, place, &failure) && my_require_writable(conn, &failure) ? judge(conn, &failure) : RANK_NONE;

	if (rank == RANK_NONE && err != NULL) {
		*err = failure;
		err_wrap(err, "%s port %d", at->host, at->port);
	}
	return rank;
}

/* The failure that waiting does not mend says more. */
static void keep_failure(struct viewd_err *kept, const struct viewd_err *failure)
{
	if (kept->cls == VIEWD_ERR_OK || (err_class_retries(kept->cls) && !err_class_retries(failure->cls)))
		*kept = *failure;
}

/* *rank_r: what was opened, where nothing fails. */
static bool open_best(struct viewd_conn *conn, enum rank *rank_r, struct viewd_err *err)
{
	struct viewd_err kept = {0};
	size_t spare = 0;

	*rank_r = RANK_NONE;
	for (size_t i = 0; i < conn->url->n_places; i++) {
		struct viewd_err failure = {0};
		enum rank rank = try_place(conn, i, &failure);
		if (rank == RANK_NONE)
			keep_failure(&kept, &failure);
		else if (rank < *rank_r) {
			*rank_r = rank;
			spare = i;
		}
		if (rank == RANK_GOOD)
			return true;
	}
	/* The place that has failed may be where the watch leads. */
	if (*rank_r < RANK_STRAY || (*rank_r == RANK_STRAY && kept.cls == VIEWD_ERR_OK))
		return try_place(conn, spare, err) != RANK_NONE;
	if (err != NULL)
		*err = kept;
	return false;
}

/* Nobody chooses here. */
static bool open_only(struct viewd_conn *conn, enum rank *rank_r, struct viewd_err *err)
{
	bool away = false;

	*rank_r = RANK_GOOD;
	if (!my_open_at(conn, 0, err))
		return false;
	if (!conn->node.watches && places_find_away(conn, &away, NULL) && away)
		*rank_r = RANK_STRAY;
	return true;
}

/* A name may lead to another node each time. What is opened last is taken, wherever it is: the next use of the session
 * tries again, and what needs the watch's node is refused meanwhile. */
#define ROUNDS 16

bool places_open(struct viewd_conn *conn, struct viewd_err *err)
{
	enum rank rank = RANK_STRAY;
	bool opened = true;

	for (int i = 0; i < ROUNDS && opened && rank == RANK_STRAY; i++)
		opened = conn->url->n_places == 1 ? open_only(conn, &rank, err) : open_best(conn, &rank, err);
	return opened;
}

/* ---- leaving */

/* Does the query give a row whose last column has the value? none: what no row means. */
static bool tells(MYSQL *my, const char *sql, const char *value, bool none)
{
	if (mysql_query(my, sql) != 0)
		return false;
	MYSQL_RES *result = mysql_store_result(my);
	MYSQL_ROW row = result != NULL ? mysql_fetch_row(result) : NULL;
	unsigned last = result != NULL ? mysql_num_fields(result) - 1 : 0;
	bool told = row != NULL ? row[last] != NULL && strcmp(row[last], value) == 0 : none && mysql_errno(my) == 0;

	mysql_free_result(result);
	return told;
}

static bool would_serve(struct viewd_conn *conn, size_t place)
{
	MYSQL *my = my_connect_at(conn, place, conn->node.connect_timeout_s, true, NULL);
	bool would = my != NULL && tells(my, STATE, "4", true) && tells(my, MY_WRITABLE, "1", false);

	if (my != NULL)
		mysql_close(my);
	return would;
}

bool places_answers(struct viewd_conn *conn)
{
	struct viewd_err failure = {0};
	MYSQL *my = my_connect(conn, conn->node.connect_timeout_s, true, &failure);

	if (my != NULL)
		mysql_close(my);
	return failure.cls != VIEWD_ERR_CONNECT;
}

bool places_stay(struct viewd_conn *conn, struct viewd_err *err)
{
	bool behind = false;

	if (conn->url->n_places == 1)
		return true;
	if (!places_is_behind(conn, &behind, err))
		return false;
	for (size_t i = 0; behind && i < conn->url->n_places; i++)
		if (i != conn->node.place && would_serve(conn, i))
			return err_set(err, VIEWD_ERR_LOST, "the server is behind its cluster, %s port %d is not",
			               conn->url->places[i].host, conn->url->places[i].port);
	return true;
}
