/* SPDX-License-Identifier: MIT
 *
 * commit_number.c: capture = poll. Every commit of others counts as a change of what is polled; viewd's own must not,
 * or a refresh would wake itself.
 *
 * The file has a number that grows by one with each commit, whoever makes it: iChange in the header of the log's index
 * in WAL mode (https://sqlite.org/walformat.html), else the change counter in the file's own header
 * (https://sqlite.org/fileformat.html). Each write transaction of viewd holds the write lock, so it knows the number
 * that its own commit will give, and stores that in the table `position` in the same transaction. When the number it
 * finds is not the stored one, somebody else has committed since: it raises the marks there and then. The watch does
 * the same whenever it has heard something.
 */
#include "sqlite/conn/commit_number.h"
#include "base/err.h"
#include "common/state/marks.h"

#include <stdio.h>
#include <string.h>

#define SHM_PAGE 32768   /* WALINDEX_PGSZ */
#define SHM_HEADER 48    /* sizeof(WalIndexHdr), which is there twice */
#define SHM_CHANGE 8     /* iChange, in the byte order of the machine */
#define FILE_CHANGE 24   /* four bytes, the most significant one first */
#define POLL_WORD "poll" /* of VIEWD_HEARD */

struct commit_number {
	bool log; /* WAL mode */
	uint32_t n;
};

static bool take_text_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	snprintf(ctx, 32, "%s", v[0] != NULL ? v[0] : "");
	return false;
}

static const struct db_reader take_text[] = {{take_text_fn, "T", "the number of the last commit"}};

static bool ask_number(struct viewd_conn *conn, const char *sql, char out[static 32], struct viewd_err *err)
{
	enum sqlite_guard before = conn->guard;
	conn->guard = SQLITE_GUARD_INTERNAL;
	out[0] = '\0';
	bool done = sqlite_op_query(&conn->db, sql, NULL, 0, take_text, out, err);
	conn->guard = before;
	return done;
}

/* Both copies, until they are the same: a writer writes one after the other. Under the write lock they are. */
static bool read_log_number(sqlite3_file *file, uint32_t *n_r)
{
	void volatile *map = NULL;
	uint32_t first = 0, second = 1;
	if (file->pMethods->iVersion < 2 || file->pMethods->xShmMap(file, 0, SHM_PAGE, 0, &map) != SQLITE_OK || map == NULL)
		return false;
	for (int i = 0; first != second && i < 1000; i++) {
		first = *(uint32_t volatile *)((char volatile *)map + SHM_CHANGE);
		second = *(uint32_t volatile *)((char volatile *)map + SHM_HEADER + SHM_CHANGE);
	}
	*n_r = first;
	return first == second;
}

static bool read_file_number(sqlite3_file *file, uint32_t *n_r)
{
	unsigned char b[4];
	if (file->pMethods->xRead(file, b, sizeof b, FILE_CHANGE) != SQLITE_OK)
		return false;
	*n_r = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return true;
}

/* In WAL mode the index is there once the connection has read. */
static bool read_position(struct viewd_conn *conn, struct commit_number *out, struct viewd_err *err)
{
	char mode[32];
	sqlite3_file *file = NULL;
	if (!ask_number(conn, "PRAGMA journal_mode", mode, err))
		return false;
	out->log = strcmp(mode, "wal") == 0;
	sqlite3_file_control(conn->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	bool read = file != NULL && file->pMethods != NULL &&
	            (out->log ? read_log_number(file, &out->n) : read_file_number(file, &out->n));
	return read ||
	       err_set(err, VIEWD_ERR_CONFLICT, "the number of the last commit cannot be read from the database file");
}

static void position_text(const struct commit_number *p, uint32_t more, char out[static 32])
{
	snprintf(out, 32, "%s:%u", p->log ? "wal" : "file", (unsigned)(p->n + more));
}

/* Before viewd's tables are made nothing is polled. */
bool sqlite_poll_is_polled(struct viewd_conn *conn, bool *polled_r, struct viewd_err *err)
{
	char found[32];
	struct viewd_err failure = {0};
	*polled_r = false;
	if (ask_number(conn, "SELECT 1 FROM viewd_captures WHERE mode = '" POLL_WORD "' LIMIT 1", found, &failure)) {
		*polled_r = found[0] != '\0';
		return true;
	}
	if (failure.cls == VIEWD_ERR_MISSING)
		return true;
	*err = failure;
	return false;
}

/* Has nobody else committed since the last commit of viewd's? */
static bool is_known(struct viewd_conn *conn, const struct commit_number *now, bool *known_r, struct viewd_err *err)
{
	char stored[32], text[32];
	if (!ask_number(conn, "SELECT position FROM viewd_position", stored, err))
		return false;
	position_text(now, 0, text);
	*known_r = strcmp(stored, text) == 0;
	return true;
}

bool sqlite_poll_commit(struct viewd_conn *conn, struct viewd_err *err)
{
	bool polled = false, known = false;
	struct commit_number now;
	char text[32];
	if (!sqlite_poll_is_polled(conn, &polled, err))
		return false;
	if (!polled)
		return true;
	if (!read_position(conn, &now, err) || !is_known(conn, &now, &known, err))
		return false;
	if ((!known || conn->side_writes) && !marks_touch_mode(&conn->db, POLL_WORD, err))
		return false;
	position_text(&now, 1, text);
	const char *params[] = {text};
	return sqlite_op_exec(&conn->db,
	                      "INSERT INTO viewd_position (id, position) VALUES (1, ?) ON CONFLICT (id) DO "
	                      "UPDATE SET position = excluded.position",
	                      params, 1, NULL, err);
}

/* Numbers of a log begin anew when nobody has the file open: a watch that has just been opened cannot tell whether they
 * did. */
bool sqlite_poll_look(struct viewd_conn *conn, bool first, struct viewd_err *err)
{
	bool polled = false, known = false;
	struct commit_number now;
	if (!sqlite_poll_is_polled(conn, &polled, err))
		return false;
	if (!polled)
		return true;
	if (!read_position(conn, &now, err) || !is_known(conn, &now, &known, err))
		return false;
	bool doubtful = first && now.log;
	if (known && !doubtful)
		return true;
	struct db *db = &conn->db;
	if (db->ops->begin(db, DB_BEGIN_WRITE, err) && (!doubtful || marks_touch_mode(db, POLL_WORD, err)) &&
	    db->ops->commit(db, err))
		return true;
	db->ops->rollback(db);
	return false;
}
