/* SPDX-License-Identifier: MIT
 *
 * examine.c: examines whether viewd may use the file, and how readers and writers get on in it.
 */
#include "sqlite/examine.h"

#include "common/conn/db.h"
#include "sqlite/conn/path.h"
#include "sqlite/examine_files.h"

#include <string.h>
#include <strings.h>
#include <talloc.h>

static bool take_mode(struct viewd_conn *conn, struct viewd_finding_sink findings, struct viewd_err *err)
{
	static const struct db_reader first_text[] = {{db_take_text, "t", "the journal mode"}};
	struct db_text mode = {.mem = talloc_new(NULL)};
	struct db *db = (struct db *)(void *)conn; /* its first member, see dialect.h */
	conn->guard = SQLITE_GUARD_INTERNAL;
	bool done = sqlite_op_query(db, "PRAGMA journal_mode", NULL, 0, first_text, &mode, err);
	if (done && mode.value != NULL && strcasecmp(mode.value, "wal") != 0) {
		const struct viewd_finding finding = {.struct_size = sizeof finding,
		                                      .what =
		                                          "readers wait while a refresh writes (the file is not in WAL mode)",
		                                      .mend = "PRAGMA journal_mode = wal"};
		findings.fn(findings.ctx, &finding);
	}
	talloc_free(mode.mem);
	return done;
}

bool sqlite_examine(const struct viewd_host *host, const struct viewd_database_spec *db,
                    const struct viewd_examined *views UNUSED, size_t n UNUSED, struct viewd_finding_sink findings,
                    struct viewd_err *err)
{
	struct sqlite_path path;
	void *mem = talloc_new(NULL);
	bool told = sqlite_path_parse(mem, db, &path, err) && sqlite_examine_files(path.path, findings);
	struct viewd_conn *conn = told ? NULL : sqlite_conn_open(host, db, err);
	bool done = told || (conn != NULL && take_mode(conn, findings, err));
	sqlite_conn_close(&conn);
	talloc_free(mem);
	return done;
}
