/* SPDX-License-Identifier: MIT
 *
 * place.c: which table in the world viewd_view_state is: when it was made, and its database. What a dump makes is made
 * later. The tags of tables come along with a dump; texts of views, and the names that were written down, hold the name
 * of the database.
 */
#include "mysql/my.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* NULL while somebody's lock keeps the server from looking. */
bool my_state_place(struct db *db, void *mem_ctx, char **place_r, struct viewd_err *err)
{
	return my_query_text(my_conn(db), mem_ctx,
	                     "SELECT CONCAT(UNIX_TIMESTAMP(CREATE_TIME), ' ', TABLE_SCHEMA) FROM information_schema.TABLES"
	                     " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'viewd_view_state'",
	                     NULL, 0, place_r, err);
}

/* The database of that place; NULL: it names none. */
static const char *home_of(const char *place)
{
	const char *blank = strchr(place, ' ');

	return blank != NULL ? blank + 1 : NULL;
}

void my_relocate(struct db *db, const char *from, struct relation *rel)
{
	const struct viewd_conn *conn = my_conn(db);
	const char *home = home_of(from);

	if (home != NULL && strcmp(rel->schema, home) == 0)
		snprintf(rel->schema, sizeof rel->schema, "%s", conn->url->database);
}

/* A table that was being made when the copy was taken was being made there, by somebody who may be at it. */
bool my_forget_place(struct db *db, const char *from, struct viewd_err *err)
{
	const char *home = home_of(from);
	const char *params[] = {home};

	return home == NULL || strcmp(home, my_conn(db)->url->database) == 0 ||
	       my_exec(db, "DELETE FROM viewd_intents WHERE schema_name = ?", params, 1, NULL, err);
}
