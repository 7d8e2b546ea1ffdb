/* SPDX-License-Identifier: MIT
 *
 * place.c: which table in the world view_state is: a restored dump has another oid, a copied database (TEMPLATE) is
 * another one, another server has another system identifier. A standby that was promoted keeps all three, and every
 * identity with them.
 */
#include "postgresql/conn/leader.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

static const struct db_reader take_text[] = {{db_take_text, "T", "where the state is"}};

static bool ask_text(struct viewd_conn *conn, void *mem, const char *sql, const char *const *params, size_t n,
                     char **text_r, struct viewd_err *err)
{
	struct db_text text = {.mem = mem};
	if (!pg_op_query(&conn->db, sql, params, n, take_text, &text, err))
		return false;
	*text_r = text.value;
	return true;
}

bool pg_op_state_place(struct db *db, void *mem_ctx, char **place_r, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"SELECT $1 || '.' || d.oid || '.' || pg_catalog.to_regclass('viewd.view_state')::pg_catalog.oid FROM "
		"pg_catalog.pg_database d"
		" WHERE d.datname = pg_catalog.current_database()";
	/* clang-format on */
	struct viewd_conn *conn = pg_of(db);
	const char *system;
	if (!pg_system(conn, &system, err))
		return false;
	const char *params[] = {system != NULL ? system : "unknown"};
	return ask_text(conn, mem_ctx, sql, params, ARRAY_LEN(params), place_r, err);
}

/* A dump makes its schemas before its tables, so what is older than schema viewd was there before. Oids are counted up
 * and begin anew after four thousand millions. */
bool pg_op_came_along(struct db *db, const struct db_object *found, const char *identity, bool *yes_r,
                      struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"SELECT (pg_catalog.split_part($1, ':', 1)::bigint - n.oid::bigint) & 4294967295 < 2147483648 FROM "
		"pg_catalog.pg_namespace n"
		" WHERE n.nspname = 'viewd'";
	/* clang-format on */
	const char *params[] = {found->identity};
	const char *kind = strchr(identity, ':'), *kind_now = strchr(found->identity, ':');
	char *younger = NULL;
	if (kind == NULL || kind_now == NULL || strcmp(kind, kind_now) != 0) {
		*yes_r = false;
		return true;
	}
	void *mem = talloc_new(NULL);
	bool good = ask_text(pg_of(db), mem, sql, params, ARRAY_LEN(params), &younger, err);
	if (good)
		*yes_r = younger != NULL && younger[0] == 't';
	talloc_free(mem);
	return good;
}
