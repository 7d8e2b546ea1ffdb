/* SPDX-License-Identifier: MIT
 *
 * test_decide.c: every row of the table in docs/architecture.md, "Reconciling".
 */
#include "core/plan/decide.h"
#include "support/harness.h"

struct row {
	const char *what;
	struct decide_settings settings;
	struct viewd_found found;
	enum viewd_change change;
	enum viewd_err_class cls;
	const char *reason, *hint; /* parts; NULL: not looked at */
};

#define WANT(...) \
	{ \
		.label = "v", .method = VIEWD_METHOD_MATERIALIZED, .hash = "h", .index_hash = "i", __VA_ARGS__ \
	}
#define OURS(what, def, idx, ...) \
	{ \
		.kind = VIEWD_KIND_##what, .recorded = true, .ours = true, .recorded_hash = (def), \
		.recorded_index_hash = (idx), __VA_ARGS__ \
	}

static const struct row rows[] = {
	{"nothing is there",
     WANT(.create_missing = true),
     {.kind = VIEWD_KIND_NONE},
     VIEWD_CHANGE_CREATE,
     VIEWD_ERR_OK,
     "nothing of that name exists",
     NULL},
	{"it was there once",
     WANT(.create_missing = true),
     {.kind = VIEWD_KIND_NONE, .recorded = true},
     VIEWD_CHANGE_CREATE,
     VIEWD_ERR_OK,
     "is gone",
     NULL},
	{"it vanished while viewd ran",
     WANT(.create_missing = false),
     {.kind = VIEWD_KIND_NONE, .recorded = true},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_MISSING,
     "does not exist any more",
     "viewctl create"},
	{"foreign view",
     WANT(.adopt = false),
     {.kind = VIEWD_KIND_VIEW},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     "not made by viewd",
     "adopt = yes"},
	{"foreign materialized view",
     WANT(.adopt = false),
     {.kind = VIEWD_KIND_MATVIEW},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     "materialized view",
     "adopt = yes"},
	{"adopted view",
     WANT(.adopt = true),
     {.kind = VIEWD_KIND_VIEW},
     VIEWD_CHANGE_ADOPT,
     VIEWD_ERR_OK,
     "will be replaced",
     NULL},
	{"adopted materialized view",
     WANT(.adopt = true),
     {.kind = VIEWD_KIND_MATVIEW, .matches = true},
     VIEWD_CHANGE_ADOPT,
     VIEWD_ERR_OK,
     "is the wanted one",
     NULL},
	{"foreign table, adopt",
     WANT(.adopt = true),
     {.kind = VIEWD_KIND_TABLE},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     "a table",
     "never takes over a table"},
	{"foreign table",
     WANT(.adopt = false),
     {.kind = VIEWD_KIND_TABLE},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     "a table",
     NULL},
	{"something else, adopt",
     WANT(.adopt = true),
     {.kind = VIEWD_KIND_OTHER},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     NULL,
     NULL},
	{"recorded, but replaced by a table",
     WANT(.adopt = true),
     {.kind = VIEWD_KIND_TABLE, .recorded = true},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     NULL,
     NULL},
	{"ours and equal", WANT(.policy = CONF_DIFFERS_APPLY), OURS(MATVIEW, "h", "i", .indexes_present = true),
     VIEWD_CHANGE_NOTHING, VIEWD_ERR_OK, "as configured", NULL},
	{"ours, an index is missing", WANT(.policy = CONF_DIFFERS_APPLY), OURS(MATVIEW, "h", "i", .indexes_present = false),
     VIEWD_CHANGE_REINDEX, VIEWD_ERR_OK, "indexes", NULL},
	{"ours, indexes differ", WANT(.policy = CONF_DIFFERS_FAIL), OURS(MATVIEW, "h", "old", .indexes_present = true),
     VIEWD_CHANGE_REINDEX, VIEWD_ERR_OK, "indexes", NULL},
	{"definition differs, apply", WANT(.policy = CONF_DIFFERS_APPLY),
     OURS(MATVIEW, "old", "i", .indexes_present = true), VIEWD_CHANGE_REPLACE, VIEWD_ERR_OK, "changed in the files",
     NULL},
	{"kind differs, apply", WANT(.policy = CONF_DIFFERS_APPLY), OURS(TABLE, "h", "i", .indexes_present = true),
     VIEWD_CHANGE_REPLACE, VIEWD_ERR_OK, "method", NULL},
	{"touched outside, apply", WANT(.policy = CONF_DIFFERS_APPLY), OURS(MATVIEW, "h", "i", .touched_outside = true),
     VIEWD_CHANGE_REFUSE, VIEWD_ERR_EXISTS, "changed in the database by somebody else",
     "viewctl create VIEW --replace"},
	{"touched outside, continue", WANT(.policy = CONF_DIFFERS_CONTINUE), OURS(VIEW, "h", "i", .touched_outside = true),
     VIEWD_CHANGE_REFUSE, VIEWD_ERR_EXISTS, "by somebody else", "viewctl adopt VIEW"},
	{"touched outside, and in the files", WANT(.policy = CONF_DIFFERS_APPLY),
     OURS(MATVIEW, "old", "i", .touched_outside = true), VIEWD_CHANGE_REFUSE, VIEWD_ERR_EXISTS, "by somebody else",
     NULL},
	{"touched outside, the files follow", WANT(.policy = CONF_DIFFERS_FAIL),
     OURS(MATVIEW, "old", "i", .touched_outside = true, .matches = true), VIEWD_CHANGE_ADOPT, VIEWD_ERR_OK,
     "written in another way", NULL},
	{"a server writes it in another way", WANT(.policy = CONF_DIFFERS_APPLY),
     OURS(MATVIEW, "h", "i", .touched_outside = true, .matches = true), VIEWD_CHANGE_ADOPT, VIEWD_ERR_OK,
     "written in another way", NULL},
	{"a table touched outside",
     {.label = "v", .method = VIEWD_METHOD_TABLE, .hash = "h", .index_hash = "i", .adopt = true},
     OURS(TABLE, "h", "i", .touched_outside = true, .matches = true),
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     "by somebody else",
     NULL},
	{"touched outside, to be replaced", WANT(.policy = CONF_DIFFERS_FAIL, .replace = true),
     OURS(MATVIEW, "h", "i", .touched_outside = true), VIEWD_CHANGE_REPLACE, VIEWD_ERR_OK, "changed in the database",
     NULL},
	{"replaced by somebody",
     WANT(.adopt = true),
     {.kind = VIEWD_KIND_MATVIEW, .recorded = true},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     "replaced by somebody else",
     "viewctl create VIEW --replace"},
	{"replaced by the same",
     WANT(.adopt = true),
     {.kind = VIEWD_KIND_MATVIEW, .recorded = true, .matches = true},
     VIEWD_CHANGE_ADOPT,
     VIEWD_ERR_OK,
     "is the wanted one",
     NULL},
	{"replaced by the same, adopt = no",
     WANT(.adopt = false),
     {.kind = VIEWD_KIND_VIEW, .recorded = true, .matches = true},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     "replaced by somebody else",
     "viewctl adopt VIEW"},
	{"in a copy, written in another way",
     WANT(.adopt = false),
     {.kind = VIEWD_KIND_MATVIEW, .recorded = true, .copied = true, .matches = true},
     VIEWD_CHANGE_ADOPT,
     VIEWD_ERR_OK,
     "came with a copy",
     NULL},
	{"in a copy, another definition",
     WANT(.adopt = false),
     {.kind = VIEWD_KIND_VIEW, .recorded = true, .copied = true},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     "copy of the database",
     "viewctl create VIEW --replace"},
	{"in a copy, a table",
     WANT(.replace = true),
     {.kind = VIEWD_KIND_TABLE, .recorded = true, .copied = true, .matches = true},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     NULL,
     "never takes over a table"},
	{"replaced by somebody, to be replaced",
     WANT(.replace = true),
     {.kind = VIEWD_KIND_MATVIEW, .recorded = true},
     VIEWD_CHANGE_ADOPT,
     VIEWD_ERR_OK,
     "to be replaced",
     NULL},
	{"a foreign view is not replaced",
     WANT(.replace = true),
     {.kind = VIEWD_KIND_VIEW},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     "not made by viewd",
     "adopt = yes"},
	{"a foreign table is not replaced",
     WANT(.replace = true),
     {.kind = VIEWD_KIND_TABLE, .recorded = true},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     NULL,
     "never takes over a table"},
	{"adopted to be replaced, continue", WANT(.policy = CONF_DIFFERS_CONTINUE, .replace = true), OURS(MATVIEW, "", "i"),
     VIEWD_CHANGE_REPLACE, VIEWD_ERR_OK, "not the one in the files", NULL},
	{"adopted, not equal", WANT(.policy = CONF_DIFFERS_APPLY), OURS(MATVIEW, "", "i", .indexes_present = true),
     VIEWD_CHANGE_REPLACE, VIEWD_ERR_OK, "not the one in the files", NULL},
	{"definition differs, continue", WANT(.policy = CONF_DIFFERS_CONTINUE),
     OURS(MATVIEW, "old", "i", .indexes_present = true), VIEWD_CHANGE_NOTHING, VIEWD_ERR_OK, "kept as it is", NULL},
	{"kind differs, continue", WANT(.policy = CONF_DIFFERS_CONTINUE), OURS(VIEW, "h", "i", .indexes_present = true),
     VIEWD_CHANGE_NOTHING, VIEWD_ERR_OK, "kept as it is", NULL},
	{"definition differs, fail", WANT(.policy = CONF_DIFFERS_FAIL), OURS(MATVIEW, "old", "i", .indexes_present = true),
     VIEWD_CHANGE_REFUSE, VIEWD_ERR_CONFIG, "on_configuration_change = fail", "on_configuration_change = apply"},
	{"other columns, apply", WANT(.policy = CONF_DIFFERS_APPLY),
     OURS(TABLE, "h", "i", .indexes_present = true, .columns_differ = "new extra"), VIEWD_CHANGE_REPLACE, VIEWD_ERR_OK,
     NULL, NULL},
	{"other columns, kept", WANT(.policy = CONF_DIFFERS_CONTINUE),
     OURS(MATVIEW, "h", "i", .indexes_present = true, .columns_differ = "new extra"), VIEWD_CHANGE_NOTHING,
     VIEWD_ERR_OK, "yields other columns than it has (new extra); kept as it is", NULL},
	{"nothing there to keep",
     WANT(.keep = true),
     {.kind = VIEWD_KIND_NONE, .recorded = true},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_MISSING,
     "'v' has no object",
     "viewctl create"},
	{"ours, to be kept", WANT(.keep = true), OURS(MATVIEW, "h", "i"), VIEWD_CHANGE_NOTHING, VIEWD_ERR_OK, "viewd's own",
     NULL},
	{"kept already, to be kept", WANT(.keep = true), OURS(MATVIEW, "h", "i", .kept = true), VIEWD_CHANGE_NOTHING,
     VIEWD_ERR_OK, "adopted already", NULL},
	{"touched outside, to be kept", WANT(.keep = true), OURS(MATVIEW, "h", "i", .touched_outside = true),
     VIEWD_CHANGE_KEEP, VIEWD_ERR_OK, "kept as it is", NULL},
	{"foreign view, to be kept",
     WANT(.keep = true),
     {.kind = VIEWD_KIND_VIEW},
     VIEWD_CHANGE_KEEP,
     VIEWD_ERR_OK,
     "kept as it is",
     NULL},
	{"foreign, as wanted, to be kept",
     WANT(.keep = true),
     {.kind = VIEWD_KIND_MATVIEW, .matches = true},
     VIEWD_CHANGE_ADOPT,
     VIEWD_ERR_OK,
     "is the wanted one",
     NULL},
	{"foreign table, to be kept",
     WANT(.keep = true),
     {.kind = VIEWD_KIND_TABLE, .matches = true},
     VIEWD_CHANGE_REFUSE,
     VIEWD_ERR_EXISTS,
     "a table",
     "never takes over a table"},
	{"kept", WANT(.policy = CONF_DIFFERS_APPLY), OURS(VIEW, "other", "i", .kept = true), VIEWD_CHANGE_NOTHING,
     VIEWD_ERR_OK, "viewctl adopt", NULL},
	{"kept, the files follow", WANT(.policy = CONF_DIFFERS_FAIL),
     OURS(MATVIEW, "other", "i", .kept = true, .matches = true), VIEWD_CHANGE_ADOPT, VIEWD_ERR_OK, "by now", NULL},
	{"kept, to be replaced", WANT(.policy = CONF_DIFFERS_FAIL, .replace = true), OURS(VIEW, "other", "i", .kept = true),
     VIEWD_CHANGE_REPLACE, VIEWD_ERR_OK, "somebody else has made it", NULL},
};

static void every_row(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct decision d;
		decide(&r->settings, &r->found, 0, &d);
		harness_check(d.change == r->change, __FILE__, __LINE__, "%s: change %d", r->what, (int)d.change);
		harness_check(d.err.cls == r->cls, __FILE__, __LINE__, "%s: class %d", r->what, (int)d.err.cls);
		harness_check(r->reason == NULL || strstr(d.reason, r->reason) != NULL, __FILE__, __LINE__, "%s: %s", r->what,
		              d.reason);
		harness_check(r->hint == NULL || strstr(d.err.hint, r->hint) != NULL, __FILE__, __LINE__, "%s: %s", r->what,
		              d.err.hint);
		CHECK(d.reason[0] != '\0');
		CHECK(d.locks != NULL);
	}
}

/* Whatever is found: what is not ours is never replaced, reindexed or dropped; a table is never adopted. */
static void nothing_foreign_is_ever_touched(void)
{
	size_t n = 0;
	for (unsigned bits = 0; bits < 1u << 7; bits++)
		for (int kind = VIEWD_KIND_VIEW; kind <= VIEWD_KIND_OTHER; kind++)
			for (int policy = CONF_DIFFERS_APPLY; policy <= CONF_DIFFERS_FAIL; policy++) {
				const struct decide_settings s = {.label = "v",
				                                  .method = (enum viewd_method)(bits & 1),
				                                  .hash = "h",
				                                  .index_hash = "i",
				                                  .adopt = (bits & 2) != 0,
				                                  .create_missing = (bits & 4) != 0,
				                                  .policy = policy};
				struct viewd_found found = {.kind = (enum viewd_kind)kind,
				                            .recorded = (bits & 8) != 0,
				                            .touched_outside = (bits & 16) != 0,
				                            .matches = (bits & 32) != 0,
				                            .indexes_present = (bits & 64) != 0};
				struct decision d;
				decide(&s, &found, ~UINT64_C(0), &d);
				bool table = kind == VIEWD_KIND_TABLE || kind == VIEWD_KIND_OTHER;
				CHECK(d.change == VIEWD_CHANGE_REFUSE || (d.change == VIEWD_CHANGE_ADOPT && s.adopt && !table));
				n++;
			}
	CHECK_INT(n, 128 * 4 * 3);
}

static const struct harness_test tests[] = {
	{"every row of the table", every_row},
	{"nothing foreign is ever touched", nothing_foreign_is_ever_touched},
};
HARNESS_MAIN(SUITE("decide", tests))
