/* SPDX-License-Identifier: MIT */
#include "common/state/learnt.h"

#include "common/sqltext/sqltext.h"
#include "common/state/stmt.h"
#include "common/text/timetext.h"

#include <stdio.h>

static bool take_fact_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct learnt *out = ctx;
	out->known = true;
	snprintf(out->text, sizeof out->text, "%s", v[0]);
	out->time_us = timetext_parse(v[1]);
	return false;
}

static const struct db_reader take_fact[] = {{take_fact_fn, "tT", "what was learnt of a view"}};

static void of_view(struct stmt *st, const char *view)
{
	stmt_text(st, " WHERE ");
	stmt_name(st, "view");
	stmt_text(st, " = ");
	stmt_param(st, view);
}

static void of_fact(struct stmt *st, const char *view, const char *fact)
{
	of_view(st, view);
	stmt_text(st, " AND fact = ");
	stmt_param(st, fact);
}

static struct stmt finding(struct db *db, const char *view, const char *fact, const char *digest)
{
	struct stmt st = stmt_new(db);
	stmt_text(&st, "SELECT text");
	stmt_time_out(&st, "learnt_time");
	st.sql = sql_add(st.sql, " FROM %slearnt", db->syntax->state.prefix);
	of_fact(&st, view, fact);
	stmt_text(&st, " AND digest = ");
	stmt_param(&st, digest);
	return st;
}

bool learnt_find_later(struct db *db, const char *view, const char *fact, const char *digest, struct learnt *out,
                       struct viewd_err *err)
{
	struct stmt st = finding(db, view, fact, digest);
	*out = (struct learnt){0};
	return stmt_query_later(&st, take_fact, out, err);
}

void learnt_find(struct db *db, const char *view, const char *fact, const char *digest, struct learnt *out)
{
	struct viewd_err failed;
	struct stmt st = finding(db, view, fact, digest);
	*out = (struct learnt){0};
	if (!stmt_query(&st, take_fact, out, &failed))
		out->known = false;
}

bool learnt_save(struct db *db, const char *view, const char *fact, const char *digest, const char *text,
                 struct viewd_err *err)
{
	if (!learnt_forget(db, view, fact, NULL, err))
		return false;
	struct stmt st = stmt_of(db, "INSERT INTO ", "learnt", " (");
	stmt_name(&st, "view");
	stmt_text(&st, ", fact, digest, text, learnt_time) VALUES (");
	const char *const texts[] = {view, fact, digest, text};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		stmt_param(&st, texts[i]);
		stmt_text(&st, ", ");
	}
	stmt_time(&st, db_now(db));
	stmt_text(&st, ")");
	return stmt_run(&st, err);
}

bool learnt_forget(struct db *db, const char *view, const char *fact, const char *but_digest, struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "DELETE FROM ", "learnt", "");
	of_fact(&st, view, fact);
	if (but_digest != NULL) {
		stmt_text(&st, " AND digest <> ");
		stmt_param(&st, but_digest);
	}
	return stmt_run(&st, err);
}

bool learnt_forget_all(struct db *db, const char *view, struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "DELETE FROM ", "learnt", "");
	of_view(&st, view);
	return stmt_run(&st, err);
}
