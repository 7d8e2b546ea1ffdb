/* SPDX-License-Identifier: MIT
 *
 * probe.c: a view over a query that lives for a few milliseconds, so that the server itself tells how it reads the
 * query.
 *
 * The view's name holds the connection's number, its definer is viewd's account: so probes of dead connections are told
 * and swept. DDL commits: never inside a transaction.
 */
#include "mysql/my.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/span.h"
#include "common/sqltext/sqltext.h"
#include "common/text/digest.h"

#define PROBE_PREFIX "viewd_probe_"

static void probe_place(const struct viewd_conn *conn, unsigned long number, struct relation *out)
{
	*out = (struct relation){.schema = ""};
	snprintf(out->schema, sizeof out->schema, "%s", conn->url->database);
	snprintf(out->name, sizeof out->name, PROBE_PREFIX "%lu", number);
}

static bool drop_view(struct viewd_conn *conn, const struct relation *rel, struct viewd_err *err)
{
	char *name = relation_quoted(&my_syntax, conn, rel);
	char *sql = talloc_asprintf(name, "DROP VIEW IF EXISTS %s", name);
	bool done = db_exec(&conn->db, sql, err);

	talloc_free(name);
	return done;
}

/* One that an earlier connection of the same number left (numbers start again with the server). */
static bool drop_leftover(struct viewd_conn *conn, const struct relation *rel, struct viewd_err *err)
{
	char *where = my_where(conn, conn, rel);
	char *sql = talloc_asprintf(where, "SELECT DEFINER = CURRENT_USER() FROM information_schema.VIEWS WHERE %s", where);
	char *ours;
	bool done = my_query_text(conn, where, sql, NULL, 0, &ours, err);

	if (done && ours != NULL)
		done = strcmp(ours, "1") == 0
		           ? drop_view(conn, rel, err)
		           : err_set(err, VIEWD_ERR_EXISTS, "view '%s' is in the way and is not viewd's", rel->name);
	talloc_free(where);
	return done;
}

static bool create_probe(struct viewd_conn *conn, const struct relation *rel, const char *query, struct viewd_err *err)
{
	char *name = relation_quoted(&my_syntax, conn, rel);
	char *sql = talloc_asprintf(name, "CREATE VIEW %s AS\n%s", name, query);
	bool done = db_exec(&conn->db, sql, err);

	talloc_free(name);
	return done;
}

bool my_probe_open(struct viewd_conn *conn, const char *query, struct relation *rel_r, struct viewd_err *err)
{
	struct viewd_err failure = {0};

	probe_place(conn, conn->thread_id, rel_r);
	if (create_probe(conn, rel_r, query, &failure))
		return true;
	if (failure.cls == VIEWD_ERR_EXISTS)
		return drop_leftover(conn, rel_r, err) && create_probe(conn, rel_r, query, err);
	if (err != NULL)
		*err = failure;
	return false;
}

void my_probe_close(struct viewd_conn *conn, const struct relation *rel)
{
	struct viewd_err err;

	if (!drop_view(conn, rel, &err))
		db_log(&conn->db, VIEWD_LOG_WARNING, "view '%s' was left over (%s)", rel->name, err.msg);
}

bool my_wanted_canonical(struct task *task, char out[static 65], struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(task->db);
	struct relation rel;
	char *text = NULL;

	out[0] = '\0';
	if (task->found.kind != VIEWD_KIND_VIEW || (task_is_ours(task) && !task->state.kept))
		return true; /* only asked for adoption, and only views are adopted */
	void *mem = talloc_new(conn);
	struct gen gen = task->gen;
	if (gen.columns == NULL)
		gen.columns = columns_declared(&my_syntax, mem, task->view, err);
	bool done = gen.columns != NULL && my_probe_open(conn, gen_query(&gen), &rel, err);
	if (done) {
		done = my_view_text(conn, mem, &rel, &text, err);
		my_probe_close(conn, &rel);
	}
	if (done && text != NULL && text[0] != '\0')
		digest_text(text, out);
	talloc_free(mem);
	return done;
}

struct leftovers {
	void *mem;
	struct relation *items;
	size_t n;
};

static bool take_leftover_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct leftovers *found = ctx;

	found->items = talloc_realloc(found->mem, found->items, struct relation, found->n + 1);
	struct relation *rel = &found->items[found->n++];
	*rel = (struct relation){.schema = ""};
	snprintf(rel->schema, sizeof rel->schema, "%s", values[0]);
	snprintf(rel->name, sizeof rel->name, "%s", values[1]);
	return true;
}

static const struct db_reader take_leftover[] = {{take_leftover_fn, "tt", "views that were left over"}};

bool my_probe_sweep(struct viewd_conn *conn, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.VIEWS"
		" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE 'viewd\\_probe\\_%' AND DEFINER = CURRENT_USER()"
		" AND SUBSTRING(TABLE_NAME, 13) NOT IN (SELECT CAST(ID AS CHAR) FROM information_schema.PROCESSLIST)";
	/* clang-format on */
	struct leftovers found = {.mem = talloc_new(conn)};
	bool done = my_query(&conn->db, sql, NULL, 0, take_leftover, &found, err);

	for (size_t i = 0; done && i < found.n; i++)
		done = drop_view(conn, &found.items[i], err);
	talloc_free(found.mem);
	return done;
}
