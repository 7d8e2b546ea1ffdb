/* SPDX-License-Identifier: MIT
 *
 * definition.h: compiling a definition, and what it reads. Functions run on the thread of their connection.
 */
#ifndef VIEWD_SQLITE_CONN_DEFINITION_H
#define VIEWD_SQLITE_CONN_DEFINITION_H

#include "sqlite/conn/conn.h"

/* Things that the authorizer has seen. */
struct sqlite_source {
	char *name;
	bool read; /* as a table; else only as where something is read, which may be a common table expression */
};
struct sqlite_sources {
	void *mem;
	struct sqlite_source *items;
	size_t n;
	char **functions; /* those without a stable result */
	size_t n_functions;
};

/* Compiles under the reading-only guard; what the definition reads is added to sources. */
bool sqlite_prepare_definition(struct viewd_conn *conn, const char *definition, struct sqlite_sources *sources,
                               sqlite3_stmt **out, struct viewd_err *err) MUST_CHECK;
/* The number that grows with every change of the file's schema. */
#define SQLITE_SCHEMA_VERSION "PRAGMA schema_version"
bool sqlite_schema_version(struct db *db, char out[static 24], struct viewd_err *err) MUST_CHECK;
bool sqlite_op_definitions_version(struct db *db, int64_t *version_r, struct viewd_err *err);
/* Everything that it reads, and nothing of what modules do beside it. */
bool sqlite_read_definition(struct db *db, const char *definition, struct sqlite_sources *sources,
                            struct viewd_err *err) MUST_CHECK;
/* Called by the authorizer for each table read, each view opened, each function. */
void sqlite_sources_note(struct sqlite_sources *sources, const char *name, bool read);
void sqlite_sources_note_function(struct sqlite_sources *sources, const char *name);

#endif
