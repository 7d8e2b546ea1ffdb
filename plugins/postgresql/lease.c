/* SPDX-License-Identifier: MIT
 *
 * lease.c: who leads a database. The watching session holds an advisory lock, which ends with it; the row in viewd.daemon says who took
 * it last, and every transaction that writes reads that row, locked, right before its commit. So a process that was stopped for a while
 * and does not know that another one has taken over cannot commit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#include "base/err.h"
#include "postgresql/pg.h"

static void read_line(const char *path, char *out, size_t size)
{
	FILE *in = fopen(path, "re");
	if (in == NULL || fgets(out, (int)size, in) == NULL)
		out[0] = '\0';
	if (in != NULL)
		fclose(in);
	out[strcspn(out, "\n")] = '\0';
}

/* A name of this process that no other one has: machine's boot, process id, start (field 22 of proc(5) stat, counted after the ')'). */
static char *process_name(void *mem_ctx)
{
	char boot[64] = "", stat[1024] = "", *p;
	read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
	read_line("/proc/self/stat", stat, sizeof stat);
	p = strrchr(stat, ')');
	for (int field = 2; p != NULL && field < 22; field++)
		p = strchr(p + 1, ' ');
	return talloc_asprintf(mem_ctx, "%s:%ld:%ld", boot, (long)getpid(), p != NULL ? strtol(p, NULL, 10) : 0L);
}

struct holder {
	void *mem;
	char *name;
};

static bool keep_holder(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct holder *holder = ctx;
	holder->name = talloc_strdup(holder->mem, v[0]);
	return false;
}

static bool bool_row(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0] != NULL && v[0][0] == 't';
	return false;
}

bool pg_lease_take(struct viewd_conn *conn, struct viewd_err *err)
{
	bool got = false;
	if (!pg_op_query(&conn->db, "SELECT pg_catalog.pg_try_advisory_lock(" PG_LOCK_LEADER ")", NULL, 0, bool_row, &got, err))
		return false;
	if (got)
		return true;
	err_set(err, VIEWD_ERR_STANDBY, "another viewd keeps database '%s'", conn->db.database_name);
	return err_hint(err, "this one takes over when the other one ends");
}

bool pg_lease_record(struct viewd_conn *conn, struct viewd_err *err)
{
	char *name = process_name(conn);
	const char *params[] = {name};
	bool done = pg_op_exec(&conn->db,
	                       "UPDATE viewd.daemon SET epoch = epoch + 1, holder = $1, since = pg_catalog.now() WHERE holder <> $1", params, 1,
	                       NULL, err);
	talloc_free(name);
	return done;
}

bool pg_lease_check(struct viewd_conn *conn, struct viewd_err *err)
{
	struct holder holder = {.mem = talloc_new(NULL)};
	bool good = pg_op_query(&conn->db, "SELECT holder FROM viewd.daemon FOR SHARE", NULL, 0, keep_holder, &holder, err);
	if (good && holder.name != NULL && holder.name[0] != '\0' && strcmp(holder.name, process_name(holder.mem)) != 0)
		good = err_set(err, VIEWD_ERR_STANDBY, "another viewd has taken over database '%s'", conn->db.database_name);
	talloc_free(holder.mem);
	return good;
}
