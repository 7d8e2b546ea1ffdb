/* SPDX-License-Identifier: MIT
 *
 * examine.c: privileges and settings that viewd's account lacks. The server tells an account of its own privileges.
 */
#include "mysql/my.h"

#include "base/err.h"
#include "common/sqltext/ident.h"
#include "common/sqltext/sqltext.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* Privileges on each database in which views live. */
#define PRIVILEGES \
	"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX", "REFERENCES", "TRIGGER", \
		"CREATE ROUTINE", "ALTER ROUTINE", "EXECUTE", "CREATE VIEW", "SHOW VIEW", "CREATE TEMPORARY TABLES"

static const char *const privileges[] = {PRIVILEGES};

struct examination {
	struct viewd_conn *conn;
	void *mem;
	struct viewd_finding_sink findings;
	char *account; /* 'viewd'@'localhost', as GRANT takes it */
};

static void find(const struct examination *x, bool missing, const char *what, const char *mend)
{
	const struct viewd_finding finding = {
		.struct_size = sizeof finding, .missing = missing, .what = what, .mend = mend};
	x->findings.fn(x->findings.ctx, &finding);
}

/* Is it granted on all databases, or on this one, whose name in a GRANT may be a pattern? An account that may read the
 * server's own tables is told of everybody's privileges. MariaDB gives roles an empty host. */
static bool has(struct examination *x, const char *privilege, const char *database, bool *yes_r, struct viewd_err *err)
{
	int64_t n = 0;
	char *wanted = literal_quoted(&my_syntax, x->mem, privilege), *where = literal_quoted(&my_syntax, x->mem, database);
	char *mine = talloc_asprintf(x->mem, "GRANTEE IN (%s, CONCAT(QUOTE(CURRENT_ROLE()), '@'''''))",
	                             literal_quoted(&my_syntax, x->mem, x->account));
	char *sql = talloc_asprintf(
		x->mem,
		"SELECT (SELECT COUNT(*) FROM information_schema.USER_PRIVILEGES WHERE PRIVILEGE_TYPE = %s AND %s)"
		" + (SELECT COUNT(*) FROM information_schema.SCHEMA_PRIVILEGES WHERE PRIVILEGE_TYPE = %s AND %s LIKE"
		" TABLE_SCHEMA AND %s)",
		wanted, mine, wanted, where, mine);
	bool done = db_query_int(&x->conn->db, sql, &n, err);
	*yes_r = n > 0;
	return done;
}

static bool examine_database(struct examination *x, const char *database, struct viewd_err *err)
{
	char *list = sql_new(x->mem);
	for (size_t i = 0; i < ARRAY_LEN(privileges); i++) {
		bool yes;
		if (!has(x, privileges[i], database, &yes, err))
			return false;
		if (!yes)
			list = sql_add(list, "%s%s", list[0] != '\0' ? ", " : "", privileges[i]);
	}
	if (list[0] == '\0')
		return true;
	char *quoted = ident_append(&my_syntax, sql_new(x->mem), database);
	find(x, true, talloc_asprintf(x->mem, "%s lacks privileges on database %s (%s)", x->account, database, list),
	     talloc_asprintf(x->mem, "GRANT %s ON %s.* TO %s", list, quoted, x->account));
	return true;
}

/* The binary log needs privileges of the whole server, and so do triggers beside one. */
static bool examine_capture(struct examination *x, bool wants_binlog, struct viewd_err *err)
{
	int64_t log = 0, trusted = 1;
	bool reads = true, tells = true, processes = true;
	if (!db_query_int(&x->conn->db, "SELECT @@GLOBAL.log_bin", &log, err) ||
	    !db_query_int(&x->conn->db, "SELECT @@GLOBAL.log_bin_trust_function_creators", &trusted, err) ||
	    !has(x, "REPLICATION SLAVE", "", &reads, err) || !has(x, "PROCESS", "", &processes, err) ||
	    !has(x, x->conn->mariadb ? "BINLOG MONITOR" : "REPLICATION CLIENT", "", &tells, err))
		return false;
	if (log != 0 && !(reads && tells))
		find(x, wants_binlog, "the binary log cannot be read, so triggers note the changes of each row",
		     talloc_asprintf(x->mem, "GRANT REPLICATION SLAVE, %s ON *.* TO %s",
		                     x->conn->mariadb ? "BINLOG MONITOR" : "REPLICATION CLIENT", x->account));
	if (log != 0 && trusted == 0 && !(reads && tells))
		find(x, false, "with a binary log, only an administrator may make triggers",
		     "SET GLOBAL log_bin_trust_function_creators = ON");
	if (!processes)
		find(x, false, "TRUNCATE of a table is not noticed before max_staleness",
		     talloc_asprintf(x->mem, "GRANT PROCESS ON *.* TO %s", x->account));
	return true;
}

static bool examine_views(struct examination *x, const struct viewd_examined *views, size_t n, struct viewd_err *err)
{
	bool on_change = false, wants_binlog = false;
	for (size_t i = 0; i < n; i++) {
		struct relation rel;
		on_change |= views[i].on_change && views[i].capture != VIEWD_CAPTURE_NONE;
		wants_binlog |= views[i].on_change && views[i].capture == VIEWD_CAPTURE_BINLOG;
		if (!relation_parse(&my_syntax, views[i].view->relation, &rel, err) ||
		    (rel.schema[0] != '\0' && strcmp(rel.schema, x->conn->url->database) != 0 &&
		     !examine_database(x, rel.schema, err)))
			return false;
	}
	return !on_change || examine_capture(x, wants_binlog, err);
}

static const struct db_reader first_text[] = {{db_take_text, "t", "the account"}};

static bool examine(struct examination *x, const struct viewd_examined *views, size_t n, struct viewd_err *err)
{
	struct db_text account = {.mem = x->mem};
	if (!my_query(&x->conn->db,
	              "SELECT CONCAT(QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', 1)), '@', "
	              "QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))",
	              NULL, 0, first_text, &account, err))
		return false;
	x->account = account.value;
	return examine_database(x, x->conn->url->database, err) && examine_views(x, views, n, err);
}

/* An account without any right on the database is turned away; the server names it in its message. */
static bool turned_away(const struct viewd_database_spec *db, struct viewd_finding_sink findings,
                        const struct viewd_err *failure)
{
	const char *user = strstr(failure->msg, "for user "), *to = strstr(failure->msg, " to database ");
	if (failure->cls != VIEWD_ERR_DENIED || user == NULL || to == NULL || to < user)
		return false;
	void *mem = talloc_new(NULL);
	struct viewd_err ignored;
	const struct url *url = url_parse(mem, db->url, &ignored);
	struct examination x = {.mem = mem, .findings = findings};
	char *list = sql_new(mem);
	for (size_t i = 0; i < ARRAY_LEN(privileges); i++)
		list = sql_add(list, "%s%s", i > 0 ? ", " : "", privileges[i]);
	user += strlen("for user ");
	x.account = talloc_strndup(mem, user, (size_t)(to - user));
	if (url != NULL && url->database != NULL)
		find(&x, true, failure->msg,
		     talloc_asprintf(mem, "GRANT %s ON %s.* TO %s", list, ident_append(&my_syntax, sql_new(mem), url->database),
		                     x.account));
	talloc_free(mem);
	return url != NULL;
}

bool my_examine(const struct viewd_host *host, const struct viewd_database_spec *db, const struct viewd_examined *views,
                size_t n, struct viewd_finding_sink findings, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	struct viewd_conn *conn = my_open(host, db, &failure);
	struct examination x = {.conn = conn, .mem = talloc_new(NULL), .findings = findings};
	bool done = conn != NULL ? examine(&x, views, n, &failure) : turned_away(db, findings, &failure);
	talloc_free(x.mem);
	my_close(&conn);
	if (!done)
		*err = failure;
	return done;
}
