/* SPDX-License-Identifier: MIT */
#include "sqlite/objects/known.h"

#include "sqlite/conn/definition.h"

#include <string.h>
#include <talloc.h>

#define KNOWN_MAX 256 /* then all of them make room */

struct sqlite_known {
	char version[24]; /* of the schema, as the last question has found it */
	struct {
		char *question;
		void *answer;
	} items[KNOWN_MAX];
	size_t n;
};

static void begin(struct viewd_conn *conn, const char version[static 24])
{
	struct sqlite_known *known = talloc_zero(conn, struct sqlite_known);
	assert(known != NULL);
	memcpy(known->version, version, sizeof known->version);
	talloc_free(conn->known);
	conn->known = known;
}

bool sqlite_known_find(struct db *db, const char *question, const void **answer_r, struct viewd_err *err)
{
	struct viewd_conn *conn = sqlite_conn_of(db);
	char version[24];
	*answer_r = NULL;
	if (!sqlite_schema_version(db, version, err))
		return false;
	if (conn->known == NULL || strcmp(conn->known->version, version) != 0)
		begin(conn, version);
	for (size_t i = 0; i < conn->known->n && *answer_r == NULL; i++)
		if (strcmp(conn->known->items[i].question, question) == 0)
			*answer_r = conn->known->items[i].answer;
	return true;
}

/* An answer that was found under a newer schema than the question saw goes with the next question. */
void sqlite_known_keep(struct viewd_conn *conn, const char *question, void *answer)
{
	if (conn->known == NULL) {
		talloc_free(answer);
		return;
	}
	if (conn->known->n == KNOWN_MAX)
		begin(conn, conn->known->version);
	struct sqlite_known *known = conn->known;
	known->items[known->n].question = talloc_strdup(known, question);
	known->items[known->n++].answer = talloc_steal(known, answer);
}
