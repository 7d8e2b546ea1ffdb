/* SPDX-License-Identifier: MIT
 *
 * fuzz_state.c: any rows in viewd's own tables, which anybody with rights may have written. The first byte picks who
 * reads them; the rest are the answers, as fake_db.h has them.
 */
#include "fuzz/readers.h"
#include "unit/plugins/fake_db.h"
#include "unit/plugins/plugins_support.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool changed_objects(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	return db->ops->query(db, "", NULL, 0, row, ctx, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct syntax *const syntaxes[] = {&like_postgresql, &like_mysql, &like_sqlite};
	if (size == 0)
		return 0;
	char *answers = strndup((const char *)data + 1, size - 1);
	assert(answers != NULL);
	for (size_t i = 0; i < ARRAY_LEN(syntaxes); i++) {
		void *mem = talloc_new(NULL);
		struct fake_db fake;
		fake_db_init(&fake, syntaxes[i], answers);
		struct db_ops ops = *fake.db.ops;
		ops.depends.changed_objects = changed_objects;
		fake.db.ops = &ops;
		readers_run(&fake.db, mem, (unsigned char)(data[0] - '0'));
		talloc_free(mem);
	}
	free(answers);
	return 0;
}
