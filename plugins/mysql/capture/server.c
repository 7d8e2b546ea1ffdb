/* SPDX-License-Identifier: MIT
 *
 * server.c: which server a session talks to. What is written down of a server (the place in its binary log, numbers of
 * its tables) is kept under its name, since the database may be found on others as well, and on this one again.
 */
#include "mysql/my.h"

#include <string.h>

#include "common/sqltext/sqltext.h"
#include "common/text/digest.h"

static bool add_value_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	char **text = ctx;

	*text = sql_add(*text, "%s ", v[1]);
	return true;
}

static const struct db_reader add_value[] = {{add_value_fn, "tt", "variables of the server"}};

/* A node of a cluster that was started again may have got its contents from another one instead of by its log, so it is
 * another server then. */
static bool ask_start(struct viewd_conn *conn, char **text, struct viewd_err *err)
{
	char *start = NULL;

	if (conn->node.cluster == NULL || !conn->node.cluster->other_after_start)
		return true;
	if (!my_query_text(conn, *text,
	                   "SELECT CAST(UNIX_TIMESTAMP() - VARIABLE_VALUE AS SIGNED) FROM "
	                   "information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Uptime'",
	                   NULL, 0, &start, err))
		return false;
	*text = sql_add(*text, "%s ", start != NULL ? start : "");
	return true;
}

bool my_server_name(struct viewd_conn *conn, const char **name_r, struct viewd_err *err)
{
	char *name = sql_new(conn);
	bool known = conn->node.name != NULL;

	if (!known &&
	    my_query(&conn->db,
	             "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_id', 'server_uid', 'server_uuid', "
	             "'hostname', 'log_bin_basename')",
	             NULL, 0, add_value, &name, err) &&
	    ask_start(conn, &name, err))
		conn->node.name = name;
	else
		talloc_free(name);
	*name_r = conn->node.name;
	return conn->node.name != NULL;
}

/* Each node of a cluster may be a clone of another one, so the key is of where it runs as well. */
bool my_server_key(struct viewd_conn *conn, const char **key_r, struct viewd_err *err)
{
	char *where = NULL, digest[DIGEST_SIZE];

	*key_r = conn->node.key;
	if (conn->node.key[0] != '\0')
		return true;
	if (!my_query_text(conn, conn, "SELECT " MY_WHERE_SQL, NULL, 0, &where, err))
		return false;
	digest_text(where, digest);
	talloc_free(where);
	memcpy(conn->node.key, digest, sizeof conn->node.key - 1);
	return true;
}
