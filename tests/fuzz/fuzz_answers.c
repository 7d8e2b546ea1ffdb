/* SPDX-License-Identifier: MIT
 *
 * fuzz_answers.c: any answer of a PostgreSQL server, in libpq's own shape, and any error code and text. The first byte
 * picks who reads; then come the answers, separated by form feeds: how many columns ('a': 1), then the cells, each
 * behind a tab; \N is NULL.
 */
#include "fuzz/readers.h"
#include "postgresql/pg.h"
#include "unit/plugins/fake_db.h"

#include <assert.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define COLUMNS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* cells is cut up. */
static PGresult *result_of(char *cells)
{
	static char name[] = "c";
	PGresAttDesc columns[COLUMNS_MAX];
	int n = 1 + (unsigned char)cells[0] % COLUMNS_MAX, i = 0;
	for (int j = 0; j < n; j++)
		columns[j] = (PGresAttDesc){.name = name};
	PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	assert(res != NULL && PQsetResultAttrs(res, n, columns) != 0);
	char *rest = cells[0] != '\0' ? cells + 1 : cells;
	if (strsep(&rest, "\t") == NULL)
		return res;
	for (char *cell; (cell = strsep(&rest, "\t")) != NULL; i++) {
		bool null = strcmp(cell, "\\N") == 0;
		int set = PQsetvalue(res, i / n, i % n, null ? NULL : cell, null ? -1 : (int)strlen(cell));
		assert(set != 0);
	}
	return res;
}

static bool query(struct db *db, const char *sql UNUSED, const char *const *params UNUSED, size_t n_params UNUSED,
                  const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct fake_db *fake = (struct fake_db *)db;
	size_t len = strcspn(fake->answers, "\f");
	char *answer = strndup(fake->answers, len);
	fake->answers += len + (fake->answers[len] != '\0');
	PGresult *res = result_of(answer);
	bool good = pg_hand_rows(res, row, ctx, err);
	PQclear(res);
	free(answer);
	return good;
}

static bool changed_objects(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	return query(db, "", NULL, 0, row, ctx, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	char *answers = strndup((const char *)data + 1, size - 1);
	assert(answers != NULL);
	void *mem = talloc_new(NULL);
	struct fake_db fake;
	fake_db_init(&fake, &pg_syntax, answers);
	struct db_ops ops = *fake.db.ops;
	ops.query = query;
	ops.depends.changed_objects = changed_objects;
	fake.db.ops = &ops;
	readers_run(&fake.db, mem, (unsigned char)(data[0] - '0'));
	assert(pg_error_class(answers) != VIEWD_ERR_OK);
	assert(pg_connect_class(answers) != VIEWD_ERR_OK);
	talloc_free(mem);
	free(answers);
	return 0;
}
