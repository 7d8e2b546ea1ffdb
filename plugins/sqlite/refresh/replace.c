/* SPDX-License-Identifier: MIT
 *
 * replace.c: replaces an object in place: dependent views follow by name, but DROP takes the indexes and triggers that
 * users made along. They are made again where they still fit.
 */
#include "sqlite/refresh/replace.h"

#include "base/err.h"
#include "common/objects/steps.h"
#include "sqlite/incremental/incremental.h"

#include <assert.h>
#include <string.h>
#include <talloc.h>

struct extra {
	char *name;
	char *sql;
};
struct extras {
	void *mem;
	const char *recorded; /* names of viewd's own indexes, one a line */
	struct extra *items;
	size_t n;
};

static bool is_recorded(const char *recorded, const char *name)
{
	size_t len = strlen(name);
	for (const char *p = recorded; *p != '\0';) {
		size_t line = strcspn(p, "\n");
		if (line == len && strncmp(p, name, len) == 0)
			return true;
		p += line + (p[line] == '\n');
	}
	return false;
}

static bool collect_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct extras *extras = ctx;
	if (is_recorded(extras->recorded, values[0]))
		return true;
	extras->items = talloc_realloc(extras->mem, extras->items, struct extra, extras->n + 1);
	assert(extras->items != NULL);
	extras->items[extras->n].name = talloc_strdup(extras->mem, values[0]);
	extras->items[extras->n++].sql = talloc_strdup(extras->mem, values[1]);
	return true;
}

static const struct db_reader collect[] = {{collect_fn, "tT", "what belongs to a relation"}};

/* Inside a savepoint, so that one that no longer fits does not take the transaction along. */
static bool restore(struct viewd_conn *conn, const struct extra *extra, struct viewd_err *err)
{
	struct viewd_err failure;
	if (!sqlite_internal(conn, "SAVEPOINT viewd_restore", err))
		return false;
	/* The setting is the application's */
	sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_DQS_DDL, conn->quoted_text, (int *)NULL);
	bool made = db_exec(&conn->db, extra->sql, &failure);
	sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)NULL);
	if (!made) {
		db_log(&conn->db, VIEWD_LOG_WARNING, "database '%s', '%s' was not made again after a replacement (%s)",
		       conn->db.database_name, extra->name, failure.msg);
		if (!sqlite_internal(conn, "ROLLBACK TO viewd_restore", err))
			return false;
	}
	return sqlite_internal(conn, "RELEASE viewd_restore", err);
}

bool sqlite_op_replace(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct viewd_conn *conn = sqlite_conn_of(task->db);
	struct extras extras = {.mem = task, .recorded = talloc_strdup(task, task->state.indexes)};
	const char *params[] = {task->rel.name};
	if (!task->db->ops->query(task->db,
	                          "SELECT name, sql FROM main.sqlite_master WHERE tbl_name = ? COLLATE NOCASE AND"
	                          " type IN ('index', 'trigger') AND sql IS NOT NULL AND name NOT GLOB '" SQLITE_KEY_INDEX
	                          "*' ORDER BY type, name",
	                          params, 1, collect, &extras, err))
		return false;
	task->state.indexes[0] = '\0';
	if (!create_replacement(task, out, err))
		return false;
	for (size_t i = 0; i < extras.n; i++)
		if (!restore(conn, &extras.items[i], err))
			return false;
	return true;
}
