/* SPDX-License-Identifier: MIT */
#include "common/incremental/node_table.h"

#include "base/err.h"
#include "common/conn/numbered.h"
#include "common/generate/columns.h"
#include "common/sqltext/sqltext.h"
#include "common/state/stmt.h"
#include "common/text/digest.h"
#include "common/text/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

static const struct db_reader take_row[] = {{numbered_take, "nt", "the nodes of a view"}};

static bool recall(struct db *db, const char *view, struct numbered_list *out, struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "SELECT node, digest FROM ", "nodes", " WHERE ");
	stmt_name(&st, "view");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	stmt_text(&st, " ORDER BY node");
	return stmt_query(&st, take_row, out, err);
}

static void name_table(struct db *db, int64_t number, struct relation *rel)
{
	/* A prefix is a schema with a dot, or the beginning of the name. */
	const char *prefix = db->syntax->state.prefix, *dot = strchr(prefix, '.');
	*rel = (struct relation){0};
	if (dot != NULL)
		snprintf(rel->schema, sizeof rel->schema, "%.*s", (int)(dot - prefix), prefix);
	snprintf(rel->name, sizeof rel->name, "%snode_%" PRId64, dot != NULL ? "" : prefix, number);
}

static bool drop_one(struct db *db, int64_t number, struct viewd_err *err)
{
	struct relation rel;
	void *mem = talloc_new(NULL);
	name_table(db, number, &rel);
	struct stmt st = stmt_of(db, "DELETE FROM ", "nodes", " WHERE node = ");
	stmt_number(&st, number);
	bool done =
		db_exec(db, sql_add(sql_new(mem), "DROP TABLE IF EXISTS %s", relation_quoted(db->syntax, mem, &rel)), err) &&
		stmt_run(&st, err);
	talloc_free(mem);
	return done;
}

static void digest_of(const struct node_table *table, char out[static DIGEST_SIZE])
{
	char *text = talloc_asprintf(NULL, "%zu %zu %s\n%s", table->n_key, table->n_unique, table->query,
	                             table->types != NULL ? table->types : "");
	digest_text(text, out);
	talloc_free(text);
}

/* Are they there, as they are wanted? */
static bool good(struct db *db, const struct numbered_list *found, struct node_table *tables, size_t n, bool *good_r,
                 struct viewd_err *err)
{
	*good_r = found->n == n;
	for (size_t i = 0; i < n && *good_r; i++) {
		char digest[DIGEST_SIZE];
		struct db_object object = {0};
		digest_of(&tables[i], digest);
		tables[i].number = found->items[i].number;
		name_table(db, tables[i].number, &tables[i].rel);
		if (!db->ops->find_object(db, &tables[i].rel, &object, err))
			return false;
		*good_r = strcmp(found->items[i].text, digest) == 0 && object.kind == VIEWD_KIND_TABLE;
	}
	return true;
}

static bool insert_row(struct db *db, const char *view, const struct node_table *table, struct viewd_err *err)
{
	char digest[DIGEST_SIZE];
	digest_of(table, digest);
	struct stmt st = stmt_of(db, "INSERT INTO ", "nodes", " (");
	stmt_name(&st, "view");
	stmt_text(&st, ", digest) VALUES (");
	stmt_param(&st, view);
	stmt_text(&st, ", ");
	stmt_param(&st, digest);
	stmt_text(&st, ")");
	return stmt_run(&st, err);
}

static bool make_one(struct db *db, void *mem, const char *view, struct node_table *table, struct viewd_err *err)
{
	struct numbered_list after = {.mem = mem};
	if (!insert_row(db, view, table, err) || !recall(db, view, &after, err))
		return false;
	table->number = after.items[after.n - 1].number;
	name_table(db, table->number, &table->rel);
	return db->ops->incremental.make_node(db, table, err);
}

static bool read_everything(struct db *db, const char *view, struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "UPDATE ", "log_readers", " SET position = NULL WHERE ");
	stmt_name(&st, "view");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	return stmt_run(&st, err);
}

static bool make_anew(struct db *db, void *mem, const char *view, const struct numbered_list *old,
                      struct node_table *tables, size_t n, struct viewd_err *err)
{
	if (!read_everything(db, view, err))
		return false;
	for (size_t i = 0; i < old->n; i++)
		if (!drop_one(db, old->items[i].number, err))
			return false;
	for (size_t i = 0; i < n; i++)
		if (!make_one(db, mem, view, &tables[i], err))
			return false;
	return true;
}

static bool ensure(struct db *db, void *mem, const char *view, struct node_table *tables, size_t n,
                   struct viewd_err *err)
{
	struct numbered_list found = {.mem = mem};
	bool as_wanted = false;
	if (!recall(db, view, &found, err) || !good(db, &found, tables, n, &as_wanted, err))
		return false;
	return as_wanted || make_anew(db, mem, view, &found, tables, n, err);
}

bool node_tables_ensure(struct db *db, void *mem_ctx, const char *view, struct node_table *tables, size_t n,
                        struct viewd_err *err)
{
	bool transaction = db->syntax->has.transactional_ddl;
	if (transaction && !db->ops->begin(db, DB_BEGIN_WRITE, err))
		return false;
	if (ensure(db, mem_ctx, view, tables, n, err) && (!transaction || db->ops->commit(db, err)))
		return true;
	db->ops->rollback(db);
	return false;
}

static bool take_node_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct node_numbers *out = ctx;
	if (out->n < NODES_MAX)
		out->numbers[out->n] = number_or(v[0], 0);
	out->n++;
	return true;
}

static const struct db_reader take_node[] = {{take_node_fn, "n", "which nodes a view has"}};

bool node_tables_ask(struct db *db, const char *view, struct node_numbers *out, struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "SELECT node FROM ", "nodes", " WHERE ");
	*out = (struct node_numbers){0};
	stmt_name(&st, "view");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	stmt_text(&st, " ORDER BY node");
	return stmt_query_later(&st, take_node, out, err);
}

bool node_table_fill(struct db *db, void *mem_ctx, const struct node_table *table, const char *query,
                     struct viewd_err *err)
{
	char *rel = relation_quoted(db->syntax, mem_ctx, &table->rel);
	if (!db_exec(db, sql_add(sql_new(mem_ctx), "DELETE FROM %s", rel), err))
		return false;
	return db->ops->incremental.roll.fill_node != NULL
	           ? db->ops->incremental.roll.fill_node(db, table, query, err)
	           : db_exec(db, sql_add(sql_new(mem_ctx), "INSERT INTO %s %s", rel, query), err);
}

bool node_tables_sweep(struct db *db, struct viewd_err *err)
{
	struct numbered_list gone = {.mem = talloc_new(NULL)};
	struct stmt st = stmt_of(db, "SELECT node, digest FROM ", "nodes", " WHERE ");
	stmt_name(&st, "view");
	stmt_text(&st, " NOT IN (SELECT ");
	stmt_name(&st, "view");
	st.sql = sql_add(st.sql, " FROM %slog_readers)", db->syntax->state.prefix);
	bool done = stmt_query(&st, take_row, &gone, err);
	for (size_t i = 0; i < gone.n && done; i++)
		done = drop_one(db, gone.items[i].number, err);
	talloc_free(gone.mem);
	return done;
}

/* ---- what nodes yield ---- */

static bool same_type(const struct db *db, const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0 ||
	       (db->ops->incremental.roll.same_values != NULL && db->ops->incremental.roll.same_values(a, b));
}

static bool same_types(const struct db *db, const struct columns *a, const struct columns *b)
{
	if (db->ops->incremental.nodes_lose_types)
		return true;
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (!same_type(db, a->items[i].type, b->items[i].type))
			return false;
	return a->n == b->n;
}

/* Columns are written by their names, which an expression of another text may not have. */
static bool same_names(const struct syntax *syn, const struct columns *a, const struct columns *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; i < a->n && same; i++)
		same = ident_same(syn, a->items[i].name, b->items[i].name);
	return same;
}

bool node_same_types(struct db *db, void *mem, const char *view, const char *definition, const char *other,
                     struct viewd_err *err)
{
	struct columns *wanted = columns_of_query(db, mem, definition, err),
				   *yielded = wanted != NULL ? columns_of_query(db, mem, other, err) : NULL;
	if (yielded == NULL)
		return false;
	if (!same_names(db->syntax, wanted, yielded)) {
		err_set(err, VIEWD_ERR_QUERY, "nodes of view '%s' yield other columns than its definition", view);
		return err_hint(err, "name each column with AS");
	}
	return same_types(db, wanted, yielded) ||
	       err_set(err, VIEWD_ERR_QUERY, "nodes of view '%s' yield other types than its definition", view);
}
