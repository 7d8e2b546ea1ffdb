/* SPDX-License-Identifier: MIT
 *
 * purge.c: removing rows of a log that no reader needs any more, in transactions of its own. Rows are deleted by their
 * numbers, one by one or in ranges without gaps: that waits for nobody, and nobody waits for it.
 *
 * A reader that has a row which says "everything" to read needs no other. So a view that nobody refreshes does not keep
 * the log full for the others. It gets a position that says so instead. Should its refresh have begun in this moment,
 * by a snapshot before that, it finds the other position and is repeated; one that has gone on holds its position
 * locked, and keeps the rows.
 */
#include "mysql/incremental/log.h"

#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

struct reader {
	char *view, *position;
	struct seen seen;
	bool known;  /* what it has read */
	bool absent; /* and need not be kept from removing */
};

struct purge {
	struct viewd_conn *conn;
	void *mem;
	const struct change_log *log;
	char *table; /* quoted */
	struct reader *readers;
	size_t n;
	struct ids everything; /* rows that say so */
	struct ids unneeded;
};

/* ---- readers ---- */

static bool take_reader_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct purge *p = ctx;
	p->readers = talloc_realloc(p->mem, p->readers, struct reader, (unsigned)p->n + 1);
	assert(p->readers != NULL);
	struct reader *r = &p->readers[p->n++];
	*r = (struct reader){.view = talloc_strdup(p->mem, v[0])};
	r->position = v[1] != NULL ? talloc_strdup(p->mem, v[1]) : NULL;
	r->known = seen_read(p->mem, r->position, &r->seen) && !r->seen.absent;
	return true;
}

static const struct db_reader take_reader[] = {{take_reader_fn, "tT", "the readers of a change log"}};

static bool find_readers(struct purge *p, struct viewd_err *err)
{
	char *sql =
		talloc_asprintf(p->mem, "SELECT `view`, position FROM viewd_log_readers WHERE log = %" PRId64, p->log->number);
	return my_query(&p->conn->db, sql, NULL, 0, take_reader, p, err);
}

static bool take_id_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	int64_t id = number_or(v[0], 0);
	ids_append(ctx, id, id);
	return true;
}

static const struct db_reader take_id[] = {{take_id_fn, "n", "rows that say everything"}};

static bool has_everything_to_read(const struct purge *p, const struct reader *r)
{
	for (size_t i = 0; i < p->everything.n; i++)
		for (int64_t id = p->everything.items[i].first; id <= p->everything.items[i].last; id++)
			if (!ids_contain(&r->seen.ids, id))
				return true;
	return r->seen.absent;
}

static bool find_everything(struct purge *p, struct viewd_err *err)
{
	bool all_known = true;
	for (size_t i = 0; i < p->n; i++)
		all_known &= p->readers[i].known;
	char *sql = talloc_asprintf(
		p->mem, "SELECT viewd_id FROM %s WHERE viewd_sign = " LOG_EVERYTHING " ORDER BY viewd_id", p->table);
	if ((!all_known || p->log->everything) && !my_query(&p->conn->db, sql, NULL, 0, take_id, &p->everything, err))
		return false;
	for (size_t i = 0; i < p->n; i++)
		p->readers[i].absent = has_everything_to_read(p, &p->readers[i]);
	return true;
}

/* Rows that all others have read. */
static bool find_unneeded(struct purge *p)
{
	bool first = true;
	p->unneeded.n = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct reader *r = &p->readers[i];
		if (r->absent)
			continue;
		if (!r->known)
			return false;
		if (first)
			ids_unite(&p->unneeded, &r->seen.ids);
		else
			ids_intersect(&p->unneeded, &r->seen.ids);
		first = false;
	}
	return p->unneeded.n > 0;
}

/* ---- in the transaction ---- */

/* Is its position still the one that was read, and nobody at work by it? */
static bool lock_reader(struct purge *p, const struct reader *r, bool *same_r, struct viewd_err *err)
{
	char *now = NULL;
	char *sql = talloc_asprintf(p->mem,
	                            "SELECT COALESCE(position, '') FROM viewd_log_readers WHERE `view` = %s AND log = "
	                            "%" PRId64 " FOR UPDATE SKIP LOCKED",
	                            literal_quoted(&my_syntax, p->mem, r->view), p->log->number);
	if (!my_query_text(p->conn, p->mem, sql, NULL, 0, &now, err))
		return false;
	*same_r = now != NULL && strcmp(now, r->position != NULL ? r->position : "") == 0;
	return true;
}

static bool mark_absent(struct purge *p, struct viewd_err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		struct reader *r = &p->readers[i];
		struct seen absent = {.newest = r->seen.newest, .absent = true};
		const char *params[] = {seen_text(p->conn, p->mem, &absent), r->view};
		char *sql = talloc_asprintf(
			p->mem, "UPDATE viewd_log_readers SET position = ? WHERE `view` = ? AND log = %" PRId64, p->log->number);
		if (!r->absent)
			continue;
		if (!lock_reader(p, r, &r->absent, err) ||
		    (r->absent && !my_exec(&p->conn->db, sql, params, ARRAY_LEN(params), NULL, err)))
			return false;
	}
	return true;
}

static bool each(struct purge *p, const char *query, const char *what, struct viewd_err *err)
{
	return db_exec(&p->conn->db,
	               talloc_asprintf(p->mem, "BEGIN NOT ATOMIC FOR viewd_row IN (%s) DO %s; END FOR; END", query, what),
	               err);
}

#define LONG_RUN 16 /* rows: a range of them is deleted at once */
#define LONG_RUNS 64

static bool is_long(const struct id_range *run)
{
	return run->last - run->first >= LONG_RUN;
}

/* All rows of the range were read, so they are committed, and no writer holds one. The statement ends at a row that is
 * there: where it looked at the one behind the range, it might wait for that one's writer. */
static char *add_run(const struct purge *p, char *sql, const struct id_range *run)
{
	sql = sql_template(sql, "SELECT MAX(viewd_id) INTO viewd_last FROM {} ", p->table);
	sql = sql_add(sql, "WHERE viewd_id BETWEEN %" PRId64 " AND %" PRId64 "; ", run->first, run->last);
	sql = sql_template(sql, "DELETE viewd_l FROM {} AS viewd_l FORCE INDEX (PRIMARY) ", p->table);
	sql = sql_add(sql, "WHERE viewd_l.viewd_id >= %" PRId64 " AND viewd_l.viewd_id < viewd_last; ", run->first);
	return sql_template(sql, "DELETE FROM {} WHERE viewd_id = viewd_last; ", p->table);
}

/* Takes the long ranges out of those that are unneeded. */
static bool remove_runs(struct purge *p, struct viewd_err *err)
{
	struct ids rest = {.mem = p->mem};
	size_t n = 0;
	char *sql = sql_add(sql_new(p->mem), "BEGIN NOT ATOMIC DECLARE viewd_last BIGINT; ");
	for (size_t i = 0; i < p->unneeded.n; i++) {
		const struct id_range *run = &p->unneeded.items[i];
		if (n < LONG_RUNS && is_long(run)) {
			sql = add_run(p, sql, run);
			n++;
		} else {
			ids_append(&rest, run->first, run->last);
		}
	}
	p->unneeded = rest;
	return n == 0 || db_exec(&p->conn->db, sql_add(sql, "END"), err);
}

static bool remove_unneeded(struct purge *p, struct viewd_err *err)
{
	if (!remove_runs(p, err))
		return false;
	char *rows = sql_add(sql_new(p->mem), "SELECT viewd_id FROM %s WHERE ", p->table);
	return p->unneeded.n == 0 ||
	       each(p, ids_add_inside(rows, &p->unneeded, "viewd_id"),
	            talloc_asprintf(p->mem, "DELETE FROM %s WHERE viewd_id = viewd_row.viewd_id", p->table), err);
}

/* Writers count from the number that the last row would have if the log had always been as short. That of a row which
 * is gone stands in the position. One who holds a slot goes on counting from the old one, at worst to "everything".
 * In a cluster nobody counts by slots. */
static bool move_slots(struct purge *p, struct viewd_err *err)
{
	int64_t newest = 0, base = 0;
	for (size_t i = 0; i < p->n; i++)
		newest = p->readers[i].seen.newest > newest ? p->readers[i].seen.newest : newest;
	char *sql = talloc_asprintf(
		p->mem, "SELECT GREATEST(MAX(viewd_id), %" PRId64 ") - COUNT(*) + " LOG_SLOTS " FROM %s", newest, p->table);
	if (!my_query_int(p->conn, sql, NULL, 0, &base, err))
		return false;
	char *slots = talloc_asprintf(p->mem,
	                              "SELECT viewd_id FROM %s WHERE viewd_id <= " LOG_SLOTS " AND viewd_base < %" PRId64
	                              " - 1000 FOR UPDATE SKIP LOCKED",
	                              p->table, base);
	return each(p, slots,
	            talloc_asprintf(p->mem, "UPDATE %s SET viewd_base = %" PRId64 " WHERE viewd_id = viewd_row.viewd_id",
	                            p->table, base),
	            err);
}

/* ---- transactions ---- */

static bool in_transaction(struct purge *p, bool (*work)(struct purge *p, struct viewd_err *err), struct viewd_err *err)
{
	struct db *db = &p->conn->db;
	if (my_begin(db, DB_BEGIN_WRITE, err) && work(p, err) && my_commit(db, err))
		return true;
	my_rollback(db);
	return false;
}

static bool purge_at_once(struct purge *p, struct viewd_err *err)
{
	return mark_absent(p, err) && (!find_unneeded(p) || (remove_unneeded(p, err) && move_slots(p, err)));
}

/* Each commit on another node waits until that one has carried out what was committed before. So there many rows go by
 * few at a time. Nobody needs them to go together. */
#define FEW_ROWS 500

/* Nodes number their rows in steps, so a text of all that is unneeded would be long. */
static bool find_there(struct purge *p, struct ids *there, struct viewd_err *err)
{
	const struct ids *all = &p->unneeded;
	char *sql = talloc_asprintf(
		p->mem, "SELECT viewd_id FROM %s WHERE viewd_id BETWEEN %" PRId64 " AND %" PRId64 " ORDER BY viewd_id",
		p->table, all->items[0].first, all->items[all->n - 1].last);
	if (!my_query(&p->conn->db, sql, NULL, 0, take_id, there, err))
		return false;
	ids_intersect(there, all);
	return true;
}

/* One statement: its rows go to other nodes as one event. Each row is looked up by its whole number, so none beside it
 * is locked. */
static bool remove_listed(struct purge *p, struct viewd_err *err)
{
	char *sql = sql_new(p->mem);
	for (size_t i = 0; i < p->unneeded.n; i++)
		for (int64_t id = p->unneeded.items[i].first; id <= p->unneeded.items[i].last; id++)
			sql = sql_add(sql, "%s(%" PRId64 ")", sql[0] != '\0' ? ", " : "", id);
	return db_exec(&p->conn->db,
	               talloc_asprintf(p->mem,
	                               "DELETE viewd_l FROM (WITH viewd_v (viewd_k) AS (VALUES %s) SELECT * FROM viewd_v) "
	                               "AS viewd_d STRAIGHT_JOIN %s AS viewd_l ON viewd_l.viewd_id = viewd_d.viewd_k",
	                               sql, p->table),
	               err);
}

static bool remove_few(struct purge *p, struct viewd_err *err)
{
	bool done = p->unneeded.n == 0 || in_transaction(p, remove_listed, err);
	p->unneeded = (struct ids){.mem = p->mem};
	return done;
}

static bool remove_by_few(struct purge *p, struct viewd_err *err)
{
	struct ids there = {.mem = p->mem};
	int64_t left = FEW_ROWS;
	if (!find_there(p, &there, err))
		return false;
	p->unneeded = (struct ids){.mem = p->mem};
	for (size_t i = 0; i<there.n; left = left> 0 ? left : FEW_ROWS) {
		struct id_range *run = &there.items[i];
		int64_t last = run->last - run->first < left ? run->last : run->first + left - 1;
		ids_append(&p->unneeded, run->first, last);
		left -= last - run->first + 1;
		run->first = last + 1;
		i += run->first > run->last;
		if (left == 0 && !remove_few(p, err))
			return false;
	}
	return remove_few(p, err);
}

static bool purge_by_few(struct purge *p, struct viewd_err *err)
{
	return in_transaction(p, mark_absent, err) && (!find_unneeded(p) || remove_by_few(p, err));
}

void my_purge_log(struct db *db, const struct change_log *log)
{
	void *mem = talloc_new(NULL);
	struct viewd_err failure = {0};
	struct purge p = {
		.conn = my_conn(db), .mem = mem, .log = log, .everything = {.mem = mem}, .unneeded = {.mem = mem}};
	p.table = log_quoted(p.conn, mem, log);
	bool done = find_readers(&p, &failure) && find_everything(&p, &failure);
	if (done && find_unneeded(&p))
		done = p.conn->node.certifies ? purge_by_few(&p, &failure) : in_transaction(&p, purge_at_once, &failure);
	if (!done)
		db_log(db, VIEWD_LOG_DEBUG, "change log of '%s' was not tidied (%s)", log->source.name, failure.msg);
	talloc_free(mem);
}
