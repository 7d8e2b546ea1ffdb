/* SPDX-License-Identifier: MIT
 *
 * leader_lock.c: the lock of the leader of a database. The watching session holds the lock of the server (watch.c),
 * which ends with it; the row in viewd_daemon says who took it last. Every transaction that writes reads that row,
 * locked, right before its commit, and every exchange of names right before it begins. So a process that was stopped
 * for a while and does not know that another one has taken over changes nothing any more.
 */
#include "mysql/my.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/conn/process.h"
#include "common/sqltext/sqltext.h"
#include "common/state/lease.h"

/* ---- the lease ---- */

/* GET_LOCK keeps two viewd apart that talk to one server. Nodes of a cluster each grant it, and so does a replica that
 * was promoted; what they share is the row. Whoever finds it held by way of another server asks there. */
#define PATIENCE_S 15

static int patience(const char *leads_by UNUSED)
{
	return PATIENCE_S;
}

/* Other servers have another text. */
#define SERVER_SQL "SELECT " MY_WHERE_SQL

static bool find_side(struct viewd_conn *conn, void *mem, struct lease_side *out, struct viewd_err *err)
{
	char *server = NULL;

	if (!my_query_text(conn, mem, SERVER_SQL, NULL, 0, &server, err))
		return false;
	*out = (struct lease_side){
		.db = &conn->db,
		.name = conn->who.holder,
		.free = server,
		.leads_by = server,
		.patience = patience,
		.refusal = "it has led by way of another server, and is asked whether it still does",
	};
	return true;
}

bool my_leader_claim(struct viewd_conn *conn, int64_t *epoch_r, struct viewd_err *err)
{
	struct lease_side side;
	void *mem = talloc_new(conn);
	bool done = find_side(conn, mem, &side, err) && lease_claim(&side, epoch_r, err);

	talloc_free(mem);
	return done;
}

bool my_leader_record(struct viewd_conn *conn, int64_t claimed, struct viewd_err *err)
{
	struct lease_side side;
	void *mem = talloc_new(conn);
	bool done = db_exec(&conn->db, "INSERT IGNORE INTO viewd_daemon (id, epoch, holder) VALUES (1, 0, '')", err) &&
	            find_side(conn, mem, &side, err) && lease_record(&side, claimed, err);

	talloc_free(mem);
	return done;
}

bool my_leader_keep(struct viewd_conn *conn, struct viewd_err *err)
{
	struct lease_side side;
	void *mem = talloc_new(conn);
	bool done = find_side(conn, mem, &side, err) && lease_keep(&side, err);

	talloc_free(mem);
	return done;
}

void my_leader_give_back(struct viewd_conn *conn)
{
	struct lease_side side;
	void *mem = talloc_new(conn);

	if (!conn->lost && find_side(conn, mem, &side, NULL))
		lease_give_back(&side);
	talloc_free(mem);
}

bool my_leader_elsewhere(struct viewd_conn *conn, bool *elsewhere_r, struct viewd_err *err)
{
	int64_t elsewhere = 0;
	bool known = my_query_int(
		conn,
		"SELECT COUNT(*) FROM viewd_daemon WHERE id = 1 AND holder = ? AND server <> '' AND server <> (" SERVER_SQL ")",
		(const char *[]){conn->who.holder}, 1, &elsewhere, err);

	*elsewhere_r = known && elsewhere > 0;
	return known || !conn->lost;
}

/* ---- whose transactions count ---- */

struct holder {
	struct viewd_conn *conn;
	char *name; /* talloc'ed; NULL: nobody has led yet */
	bool told;  /* the question was answered */
};

static bool take_holder_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct holder *holder = ctx;

	holder->name = v[0] != NULL ? talloc_strdup(holder->conn, v[0]) : NULL;
	return false;
}

static const struct db_reader take_holder[] = {{take_holder_fn, "T", "who leads a database"}};

static void add_question(struct my_questions *all, const char *sql, struct holder *out)
{
	my_ask_later(all, talloc_strdup(all->mem, sql), take_holder, out);
	all->items[all->n - 1].answered_r = &out->told;
}

/* COMMIT goes along, so the server judges who it is. */
static void add_judged_question(struct viewd_conn *conn, struct my_questions *all, struct holder *out)
{
	char *ours = literal_quoted(&my_syntax, all->mem, conn->who.holder);

	my_ask_later(all, talloc_strdup(all->mem, "DECLARE viewd_holder LONGTEXT CHARACTER SET utf8mb4"), NULL, NULL);
	my_ask_later(all,
	             talloc_strdup(all->mem, "SELECT holder INTO viewd_holder FROM viewd_daemon WHERE id = 1 LOCK IN SHARE "
	                                     "MODE"),
	             NULL, NULL);
	add_question(all, "SELECT viewd_holder", out);
	my_ask_later(all,
	             talloc_asprintf(all->mem,
	                             "IF BINARY viewd_holder NOT IN (BINARY '', BINARY %s) THEN SIGNAL SQLSTATE '45000'; "
	                             "END IF",
	                             ours),
	             NULL, NULL);
}

static void add_waiting(struct my_questions *all, const struct my_questions *waiting)
{
	for (size_t i = 0; i < waiting->n; i++)
		my_ask_later(all, waiting->items[i].sql, waiting->items[i].row, waiting->items[i].ctx);
}

/* Statements that wait go along, after the question: so that it is known which of them has failed. Nobody has ever led
 * a database without the table. */
static bool ask_holder(struct viewd_conn *conn, const char *sql, struct holder *out, struct viewd_err *err)
{
	struct my_questions waiting = conn->later.list, all = {.mem = talloc_new(conn)};
	struct viewd_err failure = {0};

	conn->later.list = (struct my_questions){0};
	add_question(&all, sql, out);
	add_waiting(&all, &waiting);
	bool done = waiting.n > 0 ? my_ask_now(conn, &all, &failure)
	                          : my_query(&conn->db, sql, NULL, 0, take_holder, out, &failure);
	if (!done && failure.cls == VIEWD_ERR_MISSING && !out->told)
		done = waiting.n == 0 || my_ask_now(conn, &waiting, &failure);
	if (!done && err != NULL)
		*err = failure;
	talloc_free(all.mem);
	talloc_free(waiting.mem);
	return done;
}

/* Frees the name. */
static bool is_ours(const struct viewd_conn *conn, struct holder *found)
{
	bool ours = found->name == NULL || found->name[0] == '\0' || strcmp(found->name, conn->who.holder) == 0;

	TALLOC_FREE(found->name);
	return ours;
}

static bool taken_over(const struct viewd_conn *conn, struct viewd_err *err)
{
	return err_set(err, VIEWD_ERR_STANDBY, "another viewd has taken over database '%s'", conn->db.database_name);
}

bool my_leader_check(struct viewd_conn *conn, bool lock, struct viewd_err *err)
{
	char sql[120];
	struct holder found = {.conn = conn};

	snprintf(sql, sizeof sql, "SELECT holder FROM viewd_daemon WHERE id = 1%s", lock ? " LOCK IN SHARE MODE" : "");
	if (!ask_holder(conn, sql, &found, err))
		return false;
	return is_ours(conn, &found) || taken_over(conn, err);
}

/* Statements that wait, and COMMIT, as one block: a way to the server and back less for each refresh. *done_r false,
 * without an error: nobody has ever led this database, and nothing was done. */
static bool commit_at_once(struct viewd_conn *conn, bool *done_r, struct viewd_err *err)
{
	struct my_questions all = {.mem = talloc_new(conn)};
	struct viewd_err failure = {0};
	struct holder found = {.conn = conn};
	const struct my_questions waiting = conn->later.list;

	conn->later.list = (struct my_questions){0};
	add_judged_question(conn, &all, &found);
	add_waiting(&all, &waiting);
	my_ask_later(&all, talloc_strdup(all.mem, "COMMIT"), NULL, NULL);
	*done_r = my_ask_now(conn, &all, &failure);
	talloc_free(all.mem);
	bool absent = !*done_r && failure.cls == VIEWD_ERR_MISSING && !found.told;
	if (absent)
		conn->later.list = waiting;
	else
		talloc_free(waiting.mem);
	if (!is_ours(conn, &found))
		return taken_over(conn, err);
	if (*done_r || absent)
		return true;
	if (err != NULL)
		*err = failure;
	return false;
}

bool my_leader_commit(struct viewd_conn *conn, struct viewd_err *err)
{
	bool done = false;

	if (conn->later.list.n > 0 && conn->later.failure.cls == VIEWD_ERR_OK && !commit_at_once(conn, &done, err))
		return false;
	return done || (my_leader_check(conn, true, err) && my_flush(&conn->db, err) && db_exec(&conn->db, "COMMIT", err));
}

/* The table is absent when no viewd has ever led here. */
bool my_leader_refuse(struct viewd_conn *conn, const char *how, struct viewd_err *err)
{
	struct viewd_err unknown;
	char *holder = NULL;

	if (!my_query_text(conn, conn, "SELECT holder FROM viewd_daemon WHERE id = 1", NULL, 0, &holder, &unknown))
		holder = NULL;
	process_refuse(holder, how, err);
	talloc_free(holder);
	return false;
}
