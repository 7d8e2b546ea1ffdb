/* SPDX-License-Identifier: MIT
 *
 * Change logs: what their triggers write down is complete, and where it may not be, all rows are computed.
 */
#include "base/err.h"
#include "contract/kept.h"

#include <stdlib.h>
#include <talloc.h>

static const char *the_log(void)
{
	return contract_state(talloc_asprintf(harness_ctx(), "change_%s",
	                                      contract_sql("SELECT max(log) FROM %s;", contract_state("change_logs"))));
}

static void begin_things(struct contract *c, struct viewd_view_spec *view)
{
	kept_begin(c);
	kept_owners();
	*view = kept_view("v", "SELECT id, price FROM thing");
	kept_make(c, view);
}

/* After a refresh of all rows changes are followed again. */
static void is_mended(struct contract *c, const struct viewd_view_spec *view)
{
	kept_takes_all(c, view);
	contract_sql("INSERT INTO thing (id, price) VALUES (1001, 1);");
	kept_keeps_by(c, view, 1);
	contract_sql("DELETE FROM thing WHERE id = 1001;");
	kept_keeps_by(c, view, 1);
}

static void a_source_made_anew(void)
{
	struct viewd_view_spec view;
	struct contract c;
	begin_things(&c, &view);
	expect_log("is made again");
	contract_sql("DROP TABLE thing; CREATE TABLE thing (id integer PRIMARY KEY, owner integer, price integer, note "
	             "varchar(20)); INSERT INTO thing VALUES (1, 1, 11, NULL), (77, 7, 7, 'x');");
	is_mended(&c, &view);
	contract_end(&c);
}

static void a_source_that_another_one_replaces(void)
{
	struct viewd_view_spec view;
	struct contract c;
	begin_things(&c, &view);
	expect_log("is made again");
	contract_sql("CREATE TABLE other (id integer PRIMARY KEY, owner integer, price integer, note varchar(20));"
	             "INSERT INTO other VALUES (5, 5, 5, NULL), (6, 6, 6, NULL);"
	             "ALTER TABLE thing RENAME TO was; ALTER TABLE other RENAME TO thing;");
	is_mended(&c, &view);
	contract_sql("DELETE FROM was;");
	kept_keeps(&c, &view);
	contract_end(&c);
}

static void a_log_that_is_gone(void)
{
	struct viewd_view_spec view;
	struct contract c;
	begin_things(&c, &view);
	expect_log("is made again");
	contract_sql("UPDATE thing SET price = 12 WHERE id = 1;");
	contract_sql("DROP TABLE %s;", the_log());
	is_mended(&c, &view);
	contract_end(&c);
}

/* Writers pay for a log only while a view reads it. */
static void a_log_that_nobody_reads(void)
{
	struct viewd_view_spec view;
	struct contract c;
	begin_things(&c, &view);
	char *read = talloc_asprintf(harness_ctx(), "SELECT count(*) FROM %s;", the_log());
	CHECK(contract_takes(read));
	APPLY(&c, &view, VIEWD_CHANGE_DROP);
	CHECK(!contract_takes(read));
	contract_sql("UPDATE thing SET price = 1;");
	CHECK_STR(contract_sql("SELECT count(*) FROM %s;", contract_state("change_logs")), "0");
	contract_end(&c);
}

static void a_source_with_a_column_more(void)
{
	struct viewd_view_spec view;
	struct contract c;
	begin_things(&c, &view);
	contract_sql("ALTER TABLE thing ADD COLUMN more integer; UPDATE thing SET more = 1, price = 3 WHERE id = 1;");
	is_mended(&c, &view);
	contract_end(&c);
}

/* A log has an end; what is not in it any more is not lost. */
static void more_changes_than_a_log_holds(void)
{
	struct viewd_view_spec view;
	struct contract c;
	begin_things(&c, &view);
	contract_sql("CREATE TABLE d (d integer); INSERT INTO d VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);"
	             "INSERT INTO thing (id, price) SELECT 10000 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d, 1"
	             " FROM d a, d b, d c, d e, d f; UPDATE thing SET price = 2 WHERE id < 12000;");
	is_mended(&c, &view);
	contract_end(&c);
}

static void foreign_keys_that_write_are_logged(void)
{
	const char *enforce = getenv("VIEWD_CONTRACT_CASCADE") != NULL ? getenv("VIEWD_CONTRACT_CASCADE") : "";
	struct contract c;
	kept_begin(&c);
	contract_sql("CREATE TABLE parent (id integer PRIMARY KEY);"
	             "CREATE TABLE child (id integer PRIMARY KEY, p integer, n integer, FOREIGN KEY (p) REFERENCES parent "
	             "(id) ON DELETE CASCADE ON UPDATE CASCADE); INSERT INTO parent VALUES (1), (2), (3);"
	             "INSERT INTO child VALUES (1, 1, 1), (2, 2, 2), (3, 2, 3), (4, 3, 4);");
	struct viewd_view_spec view = kept_view("v", "SELECT id, p FROM child");
	struct viewd_view_spec groups = kept_view("w", "SELECT p, count(*) AS n FROM child GROUP BY p");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	APPLY(&c, &groups, VIEWD_CHANGE_CREATE);
	for (int i = 0; i < 2; i++) {
		REFRESH(&c, &view);
		REFRESH(&c, &groups);
	}
	static const char *const changes[] = {"DELETE FROM parent WHERE id = 1", "UPDATE parent SET id = 9 WHERE id = 2"};
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		contract_sql("%s%s;", enforce, changes[i]);
		REFRESH(&c, &view);
		VERIFY_EQUAL(&c, &view);
		REFRESH(&c, &groups);
		VERIFY_EQUAL(&c, &groups);
	}
	CHECK_STR(contract_sql("SELECT sum(p) FROM v;"), "21");
	contract_sql("DROP TABLE child; DROP TABLE parent;");
	contract_end(&c);
}

static void what_cannot_be_kept_is_refused(void)
{
	static const struct {
		const char *definition, *construct, *place;
	} rows[] = {
		{"SELECT id,\n price FROM thing\n ORDER BY id LIMIT 3", "LIMIT", "line 3, column 20:"},
		{"SELECT id FROM thing WHERE EXISTS (SELECT 1 FROM owner WHERE owner.id > price)", "subquery",
	     "line 1, column 28:"},
		{"SELECT id FROM thing UNION ALL SELECT id FROM owner", "UNION", "line 1, column 39:"},
		{"SELECT note FROM thing", "list of columns", "line 1, column 8:"},
		{"SELECT id, owner, current_timestamp AS t FROM thing", "the clock", "line 1, column 19:"},
	};
	struct contract c;
	kept_begin(&c);
	kept_owners();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *name = talloc_asprintf(harness_ctx(), "v%zu", i);
		struct viewd_view_spec view = kept_view(name, rows[i].definition);
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		CHECK_REFUSED(contract_refresh(&c, &view), &c, VIEWD_ERR_CONFIG);
		CHECK_CONTAINS(c.err.msg, rows[i].construct);
		CHECK_CONTAINS(c.err.msg, rows[i].place);
		view.mode = VIEWD_MODE_AUTO;
		REFRESH(&c, &view);
	}
	contract_end(&c);
}

static bool ignore(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

/* Leaving takes out of the database what would stop or slow the writers. */
static void nothing_is_left_behind(void)
{
	struct viewd_view_spec view;
	struct contract c;
	begin_things(&c, &view);
	char *log = talloc_strdup(harness_ctx(), the_log());
	struct viewd_uninstall_request req = {.struct_size = sizeof req};
	CHECK(contract_takes(talloc_asprintf(harness_ctx(), "SELECT count(*) FROM %s;", log)));
	REQUIRE_OK(c.dialect->uninstall(c.conn, &req, (struct viewd_text_sink){ignore, NULL}, &c.err), &c.err);
	CHECK(!contract_takes(talloc_asprintf(harness_ctx(), "SELECT count(*) FROM %s;", log)));
	contract_sql("INSERT INTO thing VALUES (8, 8, 8, '8'); UPDATE thing SET price = 9; DELETE FROM thing;");
	CHECK_STR(contract_sql("SELECT count(*) FROM v;"), "5");
	contract_end(&c);
}

static const struct harness_test tests[] = {
	{"a source made anew", a_source_made_anew},
	{"a source that another one replaces", a_source_that_another_one_replaces},
	{"a log that is gone", a_log_that_is_gone},
	{"a log that nobody reads", a_log_that_nobody_reads},
	{"a source with a column more", a_source_with_a_column_more},
	{"more changes than a log holds", more_changes_than_a_log_holds},
	{"foreign keys that write are logged", foreign_keys_that_write_are_logged},
	{"what cannot be kept is refused", what_cannot_be_kept_is_refused},
	{"nothing is left behind", nothing_is_left_behind},
};
const struct harness_suite contract_logs = SUITE("change logs", tests);
