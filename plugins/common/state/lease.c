/* SPDX-License-Identifier: MIT */
#include "common/state/lease.h"

#include "base/err.h"
#include "common/conn/process.h"
#include "common/sqltext/sqltext.h"
#include "common/state/stmt.h"
#include "common/text/number.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

struct lease {
	void *mem;
	int64_t epoch;
	char *holder;   /* NULL: nobody has ever led */
	char *leads_by; /* "": given back */
	char *asked;    /* who has asked last */
	bool over;      /* without an answer in time */
};

static bool take_lease_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct lease *lease = ctx;
	lease->epoch = number_or(v[0], 0);
	lease->holder = talloc_strdup(lease->mem, v[1]);
	lease->leads_by = talloc_strdup(lease->mem, v[2]);
	lease->asked = talloc_strdup(lease->mem, v[3]);
	lease->over = number_or(v[4], 0) != 0;
	return false;
}

static const struct db_reader take_lease[] = {{take_lease_fn, "ntttn", "who leads a database"}};

static const struct syntax_lease *words(const struct lease_side *side)
{
	return &side->db->syntax->lease;
}

/* 42703 and 42S22: a table of an earlier viewd lacks columns. */
static bool is_older(const struct viewd_err *failure)
{
	return failure->cls == VIEWD_ERR_MISSING || strcmp(failure->sqlstate, "42703") == 0 ||
	       strcmp(failure->sqlstate, "42S22") == 0;
}

static bool read_columns(const struct lease_side *side, const char *columns, struct lease *out, struct viewd_err *err)
{
	struct stmt st = stmt_new(side->db);
	st.sql = sql_add(st.sql, "SELECT epoch, holder, %s FROM %sdaemon%s", columns, side->db->syntax->state.prefix,
	                 words(side)->where);
	return stmt_query(&st, take_lease, out, err);
}

/* The epoch of an older table counts: lease_record() finds the row by it, when the columns have been added. */
static bool read_lease(const struct lease_side *side, struct lease *out, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	char *columns =
		sql_add(sql_new(NULL), "server, asked, CASE WHEN expires <= %s THEN 1 ELSE 0 END", words(side)->now);
	bool done = read_columns(side, columns, out, &failure) ||
	            (is_older(&failure) && (read_columns(side, "'', '', 0", out, &failure) || is_older(&failure)));
	talloc_free(columns);
	if (!done && err != NULL)
		*err = failure;
	return done;
}

/* now, and that many seconds. */
static void add_time(const struct lease_side *side, struct stmt *st, int seconds)
{
	char number[16];
	snprintf(number, sizeof number, "%d", seconds);
	st->sql = sql_add(st->sql, "%s + ", words(side)->now);
	st->sql = sql_template(st->sql, words(side)->seconds, number);
}

static struct stmt update(const struct lease_side *side)
{
	return stmt_of(side->db, "UPDATE ", "daemon", " SET ");
}

static bool run_where(const struct lease_side *side, struct stmt *st, const char *column, const char *value,
                      struct viewd_err *err)
{
	st->sql = sql_add(st->sql, "%s AND %s = ", words(side)->where, column);
	stmt_param(st, value);
	return stmt_run(st, err);
}

/* An earlier question of another one who has not taken over in as much time again counts no more. */
static bool ask(const struct lease_side *side, const struct lease *lease, struct viewd_err *err)
{
	int patience = side->patience(lease->leads_by);
	char epoch[24];
	struct stmt st = update(side);
	snprintf(epoch, sizeof epoch, "%lld", (long long)lease->epoch);
	stmt_text(&st, "asked = ");
	stmt_param(&st, side->name);
	stmt_text(&st, ", expires = ");
	add_time(side, &st, patience);
	st.sql = sql_add(st.sql, "%s AND (expires IS NULL OR expires < ", words(side)->where);
	add_time(side, &st, -patience);
	stmt_text(&st, ") AND epoch = ");
	stmt_param(&st, epoch);
	return stmt_run(&st, err);
}

static bool is_free(const struct lease_side *side, const struct lease *lease)
{
	return lease->holder == NULL || lease->holder[0] == '\0' || lease->leads_by[0] == '\0' ||
	       (side->free != NULL && strcmp(lease->leads_by, side->free) == 0) || strcmp(lease->holder, side->name) == 0;
}

bool lease_claim(const struct lease_side *side, int64_t *epoch_r, struct viewd_err *err)
{
	struct lease lease = {.mem = talloc_new(NULL)};
	bool done = read_lease(side, &lease, err);
	*epoch_r = lease.epoch;
	if (done && !is_free(side, &lease) && !(lease.over && strcmp(lease.asked, side->name) == 0))
		done = ask(side, &lease, err) && process_refuse(lease.holder, side->refusal, err);
	talloc_free(lease.mem);
	return done;
}

static bool take_flag_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = number_or(v[0], 0) != 0;
	return false;
}

static const struct db_reader take_flag[] = {{take_flag_fn, "n", "whether this one leads a database"}};

/* As lease_claim() found it: free, or without an answer. A holder may have answered since. */
static bool record(const struct lease_side *side, const char *epoch, struct viewd_err *err)
{
	struct stmt st = update(side);
	stmt_text(&st, "epoch = epoch + CASE WHEN holder = ");
	stmt_param(&st, side->name);
	stmt_text(&st, " THEN 0 ELSE 1 END, holder = ");
	stmt_param(&st, side->name);
	stmt_text(&st, ", server = ");
	stmt_param(&st, side->leads_by);
	st.sql =
		sql_add(st.sql, ", asked = '', expires = NULL%s%s AND (asked = ", words(side)->recorded, words(side)->where);
	stmt_param(&st, side->name);
	stmt_text(&st, " OR server = '' OR server = ");
	stmt_param(&st, side->free != NULL ? side->free : "");
	stmt_text(&st, " OR holder = '' OR holder = ");
	stmt_param(&st, side->name);
	stmt_text(&st, ") AND epoch = ");
	stmt_param(&st, epoch);
	return stmt_run(&st, err);
}

bool lease_record(const struct lease_side *side, int64_t claimed, struct viewd_err *err)
{
	char epoch[24];
	bool ours = false;
	snprintf(epoch, sizeof epoch, "%lld", (long long)claimed);
	if (!record(side, epoch, err))
		return false;
	struct stmt st = stmt_new(side->db);
	stmt_text(&st, "SELECT CASE WHEN holder = ");
	stmt_param(&st, side->name);
	st.sql = sql_add(st.sql, " THEN 1 ELSE 0 END FROM %sdaemon%s", side->db->syntax->state.prefix, words(side)->where);
	return stmt_query(&st, take_flag, &ours, err) &&
	       (ours ||
	        err_set(err, VIEWD_ERR_CONFLICT, "another viewd has taken over database '%s'", side->db->database_name));
}

static bool answer(const struct lease_side *side, struct viewd_err *err)
{
	struct stmt st = update(side);
	stmt_text(&st, "asked = '', expires = NULL");
	return run_where(side, &st, "holder", side->name, err);
}

bool lease_keep(const struct lease_side *side, struct viewd_err *err)
{
	struct lease lease = {.mem = talloc_new(NULL)};
	bool done = read_lease(side, &lease, err);
	if (done && lease.holder != NULL && strcmp(lease.holder, side->name) != 0)
		done = err_set(err, VIEWD_ERR_LOST, "another viewd has taken over database '%s'", side->db->database_name);
	if (done && lease.asked != NULL && lease.asked[0] != '\0')
		done = answer(side, err);
	talloc_free(lease.mem);
	return done;
}

void lease_give_back(const struct lease_side *side)
{
	struct viewd_err err = {0};
	struct stmt st = update(side);
	stmt_text(&st, "server = ''");
	if (!run_where(side, &st, "holder", side->name, &err))
		db_log(side->db, VIEWD_LOG_DEBUG, "the lease of database '%s' expires by itself (%s)", side->db->database_name,
		       err.msg);
}
