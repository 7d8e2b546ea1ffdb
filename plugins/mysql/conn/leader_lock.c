/* SPDX-License-Identifier: MIT
 *
 * leader_lock.c: the lock of the leader of a database. The watching session holds the lock of the server (watch.c),
 * which ends with it; the row in viewd_daemon says who took it last. Every transaction that writes reads that row,
 * locked, right before its commit, and every exchange of names right before it begins. So a process that was stopped
 * for a while and does not know that another one has taken over changes nothing any more.
 */
#include "mysql/my.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/conn/process.h"
#include "common/text/number.h"

#define ER_BAD_FIELD_ERROR 1054

/* ---- the lease ---- */

/* GET_LOCK keeps two viewd apart that talk to one server. Nodes of a cluster each grant it, and so does a replica that
 * was promoted; what they share is the row. Whoever finds it held by way of another server asks there, and the holder
 * has this long to answer. Both times are of the clock of the server that is asked by. */
#define EXPIRY_S "15"

/* Other servers have another text. */
#define SERVER "CONCAT_WS(' ', @@hostname, @@port, @@server_id, @@datadir)"

struct lease {
	void *mem;
	int64_t epoch;
	char *holder;
	bool here;   /* taken by way of this server, or given back: who has the lock may have it */
	char *asked; /* who has asked last */
	bool over;   /* without an answer in time */
};

static bool take_lease_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct lease *lease = ctx;

	lease->epoch = number_or(v[0], 0);
	lease->holder = talloc_strdup(lease->mem, v[1]);
	lease->here = number_or(v[2], 0) != 0;
	lease->asked = talloc_strdup(lease->mem, v[3]);
	lease->over = number_or(v[4], 0) != 0;
	return false;
}

static const struct db_reader take_lease[] = {{take_lease_fn, "ntntn", "who leads a database"}};

/* A table of an earlier viewd, or none: the lock alone decides. */
static bool read_lease(struct viewd_conn *conn, struct lease *out, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	bool done = my_query(&conn->db,
	                     "SELECT epoch, holder, server IN ('', " SERVER
	                     "), asked, IFNULL(expires <= UTC_TIMESTAMP(6), 0) FROM viewd_daemon WHERE id = 1",
	                     NULL, 0, take_lease, out, &failure);

	if (done || failure.cls == VIEWD_ERR_MISSING || failure.native == ER_BAD_FIELD_ERROR)
		return true;
	if (err != NULL)
		*err = failure;
	return false;
}

static bool ask_for_lease(struct viewd_conn *conn, const char *name, const struct lease *lease, struct viewd_err *err)
{
	char epoch[24];
	const char *params[] = {name, epoch};

	snprintf(epoch, sizeof epoch, "%" PRId64, lease->epoch);
	return my_exec(
		&conn->db,
		"UPDATE viewd_daemon SET asked = ?, expires = UTC_TIMESTAMP(6) + INTERVAL " EXPIRY_S
		" SECOND WHERE id = 1 AND epoch = ? AND (expires IS NULL OR expires < UTC_TIMESTAMP(6) - INTERVAL " EXPIRY_S
		" SECOND)",
		params, ARRAY_LEN(params), NULL, err);
}

bool my_leader_claim(struct viewd_conn *conn, int64_t *epoch_r, struct viewd_err *err)
{
	struct lease lease = {.mem = talloc_new(conn)};
	char *name = process_holder(lease.mem, conn->db.database_name);
	bool done = read_lease(conn, &lease, err);
	bool free = lease.holder == NULL || lease.holder[0] == '\0' || lease.here || strcmp(lease.holder, name) == 0;

	*epoch_r = lease.epoch;
	if (done && !free && !(lease.over && strcmp(lease.asked, name) == 0)) {
		done = ask_for_lease(conn, name, &lease, err) &&
		       process_refuse(lease.holder, "it has led by way of another server, and is asked whether it still does",
		                      err);
	}
	talloc_free(lease.mem);
	return done;
}

bool my_leader_record(struct viewd_conn *conn, int64_t claimed, struct viewd_err *err)
{
	char *name = process_holder(conn, conn->db.database_name);
	char epoch[24];
	const char *params[] = {name, name, epoch};
	int64_t ours = 0;

	snprintf(epoch, sizeof epoch, "%" PRId64, claimed);
	bool done = db_exec(&conn->db, "INSERT IGNORE INTO viewd_daemon (id, epoch, holder) VALUES (1, 0, '')", err) &&
	            my_exec(&conn->db,
	                    "UPDATE viewd_daemon SET epoch = epoch + IF(holder = ?, 0, 1), holder = ?, server = " SERVER
	                    ", asked = '', expires = NULL WHERE id = 1 AND epoch = ?",
	                    params, ARRAY_LEN(params), NULL, err) &&
	            my_query_int(conn, "SELECT holder = ? FROM viewd_daemon WHERE id = 1", params, 1, &ours, err);
	talloc_free(name);
	return done && (ours == 1 || err_set(err, VIEWD_ERR_CONFLICT, "another viewd has taken over database '%s'",
	                                     conn->db.database_name));
}

bool my_leader_keep(struct viewd_conn *conn, struct viewd_err *err)
{
	struct lease lease = {.mem = talloc_new(conn)};
	char *name = process_holder(lease.mem, conn->db.database_name);
	const char *params[] = {name};
	bool done = read_lease(conn, &lease, err);

	if (done && lease.holder != NULL && strcmp(lease.holder, name) != 0)
		done = err_set(err, VIEWD_ERR_LOST, "another viewd has taken over database '%s'", conn->db.database_name);
	if (done && lease.asked != NULL && lease.asked[0] != '\0')
		done = my_exec(&conn->db, "UPDATE viewd_daemon SET asked = '', expires = NULL WHERE id = 1 AND holder = ?",
		               params, 1, NULL, err);
	talloc_free(lease.mem);
	return done;
}

void my_leader_give_back(struct viewd_conn *conn)
{
	char *name = process_holder(conn, conn->db.database_name);
	const char *params[] = {name};
	struct viewd_err err;

	if (!conn->lost &&
	    !my_exec(&conn->db, "UPDATE viewd_daemon SET server = '' WHERE id = 1 AND holder = ?", params, 1, NULL, &err))
		db_log(&conn->db, VIEWD_LOG_DEBUG, "the lease of the database expires by itself (%s)", err.msg);
	talloc_free(name);
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

/* Statements that wait go along, after the question: so that it is known which of them has failed. */
static bool ask_holder(struct viewd_conn *conn, char *sql, struct holder *out, struct viewd_err *err)
{
	struct my_questions waiting = conn->later.list, all = {.mem = talloc_new(conn)};
	struct viewd_err failure = {0};

	conn->later.list = (struct my_questions){0};
	my_ask_later(&all, sql, take_holder, out);
	all.items[0].answered_r = &out->told;
	for (size_t i = 0; i < waiting.n; i++)
		my_ask_later(&all, waiting.items[i].sql, waiting.items[i].row, waiting.items[i].ctx);
	bool done = waiting.n > 0 ? my_ask_now(conn, &all, &failure)
	                          : my_query(&conn->db, sql, NULL, 0, take_holder, out, &failure);
	if (!done && failure.cls == VIEWD_ERR_MISSING && !out->told) /* nobody has ever led it */
		done = waiting.n == 0 || my_ask_now(conn, &waiting, &failure);
	if (!done && err != NULL)
		*err = failure;
	talloc_free(all.mem);
	talloc_free(waiting.mem);
	return done;
}

bool my_leader_check(struct viewd_conn *conn, bool lock, struct viewd_err *err)
{
	char sql[120];
	struct holder found = {.conn = conn};
	char *holder, *name;

	snprintf(sql, sizeof sql, "SELECT holder FROM viewd_daemon WHERE id = 1%s", lock ? " LOCK IN SHARE MODE" : "");
	if (!ask_holder(conn, sql, &found, err))
		return false;
	holder = found.name;
	name = process_holder(conn, conn->db.database_name);
	bool ours = holder == NULL || holder[0] == '\0' || strcmp(holder, name) == 0;
	talloc_free(name);
	talloc_free(holder);
	return ours ||
	       err_set(err, VIEWD_ERR_STANDBY, "another viewd has taken over database '%s'", conn->db.database_name);
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
