/* SPDX-License-Identifier: MIT
 *
 * position.c: the position in the binary log from which to go on, remembered in the transaction of the marks. Each
 * node of a cluster has a row of its own, so one that is left and found again is read on from where it was left.
 */
#include "mysql/capture/binlog/binlog.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/state/marks.h"
#include "common/text/number.h"

#define MYSQL_8_4 80400     /* renamed the statement */
#define CREATED " created=" /* in the column that names the server: when the log's file was made */

struct end {
	struct position at;
	bool known, filtered;
};

static bool take_end_fn(void *ctx, const char *const *v, size_t n)
{
	struct end *end = ctx;

	snprintf(end->at.file, sizeof end->at.file, "%s", v[0]);
	end->at.offset = number_or(v[1], 0);
	end->filtered = n >= 4 && ((v[2] != NULL && v[2][0] != '\0') || (v[3] != NULL && v[3][0] != '\0'));
	end->known = true;
	return false;
}

static const struct db_reader take_end[] = {{take_end_fn, "tn*", "the end of the binary log"}};

static bool find_end(struct viewd_conn *conn, struct end *end, struct viewd_err *err)
{
	bool renamed = !conn->mariadb && conn->version >= MYSQL_8_4;

	*end = (struct end){.known = false};
	return my_query(&conn->db, renamed ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS", NULL, 0, take_end, end, err);
}

bool position_end(struct viewd_conn *conn, struct position *out, struct viewd_err *err)
{
	struct end end;

	if (!find_end(conn, &end, err))
		return false;
	if (!end.known)
		return err_set(err, VIEWD_ERR_CONFIG, "server has no binary log any more");
	*out = end.at;
	return true;
}

static bool take_name_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	snprintf(ctx, 80, "%s", v[0]);
	return false;
}

static const struct db_reader take_name[] = {{take_name_fn, "tT", "variables of the server"}};

/* MySQL can write a transaction as one compressed event, and parts of documents. A session that switches this on for
 * itself is noticed as something that cannot be read. */
bool binlog_settings(struct viewd_conn *conn, struct viewd_err *err)
{
	char name[80] = "";

	if (!my_query(&conn->db,
	              "SHOW GLOBAL VARIABLES WHERE (Variable_name = 'binlog_transaction_compression' AND Value = 'ON')"
	              " OR (Variable_name = 'binlog_row_value_options' AND Value <> '')",
	              NULL, 0, take_name, name, err))
		return false;
	return name[0] == '\0' ||
	       err_set(err, VIEWD_ERR_CONFIG, "%s is set, whose events the client library cannot read", name);
}

static bool not_usable(enum viewd_err_class *cls_r, enum viewd_err_class cls, char why[static 160], const char *text)
{
	*cls_r = cls;
	snprintf(why, 160, "%.159s", text);
	return true;
}

/* An error that passes by itself says nothing of what this account may do. */
static bool may_not(const struct viewd_err *failure, enum viewd_err_class *cls_r, char why[static 160],
                    const char *text, struct viewd_err *err)
{
	if (!err_class_retries(failure->cls))
		return not_usable(cls_r, failure->cls, why, text);
	if (err != NULL)
		*err = *failure;
	return false;
}

bool binlog_usable(struct viewd_conn *conn, enum viewd_err_class *cls_r, char why[static 160], struct viewd_err *err)
{
	struct viewd_err failure = {0};
	struct end end;
	int64_t good;

	if (!my_query_int(conn, "SELECT @@global.log_bin AND @@global.binlog_format = 'ROW'", NULL, 0, &good, err))
		return false;
	if (good == 0)
		return not_usable(cls_r, VIEWD_ERR_CONFIG, why, "log_bin is off or binlog_format is not ROW");
	if (conn->node.certifies) {
		if (!my_query_int(conn, "SELECT @@global.log_slave_updates", NULL, 0, &good, err))
			return false;
		if (good == 0)
			return not_usable(cls_r, VIEWD_ERR_CONFIG, why,
			                  "log_slave_updates is off, so what other nodes write is not in it");
	}
	if (!find_end(conn, &end, &failure))
		return may_not(&failure, cls_r, why,
		               conn->mariadb ? "the account lacks BINLOG MONITOR" : "the account lacks REPLICATION CLIENT",
		               err);
	if (!end.known || end.filtered)
		return not_usable(cls_r, VIEWD_ERR_CONFIG, why, "the log leaves out databases");
	if (!binlog_settings(conn, &failure) || !binlog_try(conn, &end.at, &failure))
		return may_not(&failure, cls_r, why,
		               failure.cls == VIEWD_ERR_CONFIG ? failure.msg : "the account lacks REPLICATION SLAVE", err);
	*cls_r = VIEWD_ERR_OK;
	return true;
}

#define KEPT "16"                                           /* servers that are remembered */
#define OWN "SUBSTRING_INDEX(server, '" CREATED "', 1) = ?" /* the row of this server */

/* Beside the rows of other servers. */
static bool add_row(struct viewd_conn *conn, const char *name, const struct position *at, struct viewd_err *err)
{
	char offset[24];

	snprintf(offset, sizeof offset, "%lld", (long long)at->offset);
	const char *params[] = {name, at->file, offset};
	return my_exec(&conn->db,
	               "INSERT IGNORE INTO viewd_position (id, server, file_name, position) SELECT COALESCE(MAX(id), 0) + "
	               "1, ?, ?, ? FROM viewd_position",
	               params, ARRAY_LEN(params), NULL, err) &&
	       db_exec(&conn->db,
	               "DELETE p FROM viewd_position p JOIN (SELECT MAX(id) - " KEPT
	               " AS id FROM viewd_position) l ON p.id <= l.id",
	               err);
}

/* A server outside a cluster may have got what another one wrote without its log, so only the server that is followed
 * has a row there. */
static bool replace_row(struct viewd_conn *conn, const struct position *at, struct viewd_err *err)
{
	const char *name;

	if (!my_server_name(conn, &name, err))
		return false;
	bool gone = conn->node.certifies ? my_exec(&conn->db, "DELETE FROM viewd_position WHERE " OWN, &name, 1, NULL, err)
	                                 : db_exec(&conn->db, "DELETE FROM viewd_position", err);
	return gone && add_row(conn, name, at, err);
}

bool position_store(struct viewd_conn *conn, const struct position *at, struct viewd_err *err)
{
	char offset[24], created[24];
	const char *name;

	snprintf(offset, sizeof offset, "%lld", (long long)at->offset);
	snprintf(created, sizeof created, "%lld", (long long)at->created);
	if (!my_server_name(conn, &name, err))
		return false;
	const char *params[] = {at->file, offset, created, name};
	return my_exec(&conn->db,
	               "UPDATE viewd_position SET file_name = ?, position = ?, server = "
	               "CONCAT(SUBSTRING_INDEX(server, '" CREATED "', 1), '" CREATED "', ?) WHERE " OWN,
	               params, ARRAY_LEN(params), NULL, err);
}

/* Where another server was followed, nothing is begun: what that one's log has of the time before was not read yet. */
bool binlog_begin(struct viewd_conn *conn, struct viewd_err *err)
{
	const char *name;
	struct end end;
	int64_t rows;

	if (!my_query_int(conn, "SELECT COUNT(*) FROM viewd_position", NULL, 0, &rows, err))
		return false;
	return rows > 0 ||
	       (my_server_name(conn, &name, err) && find_end(conn, &end, err) && add_row(conn, name, &end.at, err));
}

/* The end of the log first, then the marks: what is committed in between is read again. */
bool position_reset(struct viewd_conn *conn, struct viewd_err *err)
{
	struct position end;

	if (!position_end(conn, &end, err))
		return false;
	bool done = my_begin(&conn->db, DB_BEGIN_WRITE, err) && replace_row(conn, &end, err) &&
	            marks_touch_all(&conn->db, err) && my_commit(&conn->db, err);
	if (!done)
		my_rollback(&conn->db);
	return done;
}

struct row {
	void *mem;
	char *server;
	struct position at;
};

static bool take_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct row *row = ctx;

	int64_t offset = number_or(v[2], -1);

	if (v[0] == NULL || v[1] == NULL || offset < 0)
		return false; /* a place that cannot be is none */
	row->server = talloc_strdup(row->mem, v[0]);
	snprintf(row->at.file, sizeof row->at.file, "%s", v[1]);
	row->at.offset = offset;
	return false;
}

static const struct db_reader take_row[] = {{take_row_fn, "TTT", "the place in the binary log"}};

static bool load(struct viewd_conn *conn, struct row *row, bool *same_r, struct viewd_err *err)
{
	const char *name;

	if (!my_server_name(conn, &name, err) ||
	    !my_query(&conn->db, "SELECT server, file_name, position FROM viewd_position WHERE " OWN, &name, 1, take_row,
	              row, err))
		return false;
	char *created = row->server != NULL ? strstr(row->server, CREATED) : NULL;
	if (created != NULL) {
		*created = '\0';
		row->at.created = number_or(created + strlen(CREATED), 0);
	}
	*same_r = row->server != NULL;
	return true;
}

bool position_load(struct viewd_conn *conn, struct position *out, struct viewd_err *err)
{
	struct row row = {.mem = talloc_new(NULL)};
	bool same = false;
	bool done = load(conn, &row, &same, err);

	if (done && !same) {
		db_log(&conn->db, VIEWD_LOG_INFO,
		       "database '%s', no place in this server's binary log is known: its views are refreshed once",
		       conn->db.database_name);
		done = position_reset(conn, err) && load(conn, &row, &same, err);
	}
	if (done)
		*out = row.at;
	talloc_free(row.mem);
	return done;
}
