/* SPDX-License-Identifier: MIT
 *
 * system.c: the identifier of the server's cluster of databases. Copies of its files keep it, standbys among them.
 */
#include "postgresql/conn/leader.h"

#include <string.h>
#include <talloc.h>

static const struct db_reader take_text[] = {{db_take_text, "T", "the identifier of the server"}};

static bool ask(struct viewd_conn *conn, const char *sql, char **text_r, struct viewd_err *err)
{
	struct db_text text = {.mem = conn};
	if (!pg_op_query(&conn->db, sql, NULL, 0, take_text, &text, err))
		return false;
	*text_r = text.value;
	return true;
}

/* PUBLIC may call it, unless an administrator has taken that away. Asked first: in a transaction a refusal would end
 * it. "": it may not be known. */
static bool find(struct viewd_conn *conn, struct viewd_err *err)
{
	char *may = NULL, *system = NULL;
	if (!ask(conn, "SELECT pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')", &may, err))
		return false;
	bool known = may != NULL && may[0] == 't';
	talloc_free(may);
	if (known && !ask(conn, "SELECT system_identifier FROM pg_catalog.pg_control_system()", &system, err))
		return false;
	conn->who.system = system != NULL ? system : talloc_strdup(conn, "");
	return true;
}

bool pg_system(struct viewd_conn *conn, const char **system_r, struct viewd_err *err)
{
	if (conn->who.system == NULL && !find(conn, err))
		return false;
	*system_r = conn->who.system[0] != '\0' ? conn->who.system : NULL;
	return true;
}
