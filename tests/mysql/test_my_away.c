/* SPDX-License-Identifier: MIT
 *
 * The log of triggers while nobody watches: it is bounded, keeps no writer waiting, and is told to the watch that
 * comes.
 */
#include "my_support.h"

#include <string.h>

#include "mysql/capture/trigger_procedure.h"

#define PATIENCE INT64_C(30000000)
#define INSERT "INSERT INTO sales (region, amount) VALUES ('east', 1)"
#define MANY 80 /* more than there are slots */

struct scene {
	struct viewd_watch *watch;
	int64_t seq, other; /* what was told of v, and of others */
};

static bool hear(void *ctx, const struct viewd_signal *signal)
{
	struct scene *s = ctx;

	if (signal->kind == VIEWD_SIGNAL_STALE)
		*(strcmp(signal->view, "v") == 0 ? &s->seq : &s->other) = signal->seq;
	return true;
}

static bool ignore_text(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static void follow(const char *name, const char *schema, const char *table)
{
	struct viewd_view_spec view = my_view(name, VIEWD_METHOD_TABLE, my_select_from(schema, table));
	const struct viewd_source source = {schema, table, VIEWD_KIND_TABLE};
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_TRIGGER, .sources = &source, .n_sources = 1};
	struct viewd_captured out;
	struct viewd_err err = {0};

	REQUIRE_OK(
		DIALECT->capture->set(my_session(), &view, &req, &out, (struct viewd_text_sink){ignore_text, NULL}, &err),
		&err);
}

static int close_watch(struct scene *s)
{
	DIALECT->capture->watch_close(&s->watch);
	return 0;
}

static struct scene *begin(void)
{
	struct scene *s = talloc_zero(harness_ctx(), struct scene);

	talloc_set_destructor(s, close_watch);
	my_fresh();
	my_do("DROP ROLE IF EXISTS " DEFINER_ROLE);
	follow("v", "shop", "sales");
	my_do("DELETE FROM viewd_changes");
	my_do("UPDATE viewd_slots SET base = -" NOTE_ENOUGH);
	return s;
}

static void turn(struct scene *s)
{
	struct viewd_err err = {0};

	REQUIRE_OK(DIALECT->capture->watch_next(s->watch, 0, (struct viewd_signal_sink){hear, s}, &err), &err);
}

static void look(struct scene *s)
{
	struct viewd_database_spec spec = my_spec();
	struct viewd_err err = {0};

	if (s->watch != NULL)
		DIALECT->capture->watch_wake(s->watch);
	else
		s->watch = DIALECT->capture->watch_open(&my_host, &spec, &err);
	REQUIRE_OK(s->watch != NULL, &err);
	turn(s);
}

static void settle(struct scene *s)
{
	my_do("UPDATE viewd_captures SET clean_seq = dirty_seq");
	s->seq = s->other = 0;
}

static void say(MYSQL *my, const char *sql)
{
	harness_check(mysql_query(my, sql) == 0, __FILE__, __LINE__, "%s: %s", sql, mysql_error(my));
}

/* A session that is refused where others would wait. */
static MYSQL *impatient(void)
{
	MYSQL *my = my_root();

	say(my, "SET innodb_lock_wait_timeout = 1, lock_wait_timeout = 1");
	return my;
}

static const char *rows(void)
{
	return my_ask("SELECT count(*) FROM shop.viewd_changes");
}

/* ---- writers */

static void the_log_does_not_grow(void)
{
	/* clang-format off */
	static const char *const statements[] = {
		INSERT, "INSERT INTO sales (region, amount) SELECT 'many', seq FROM seq_1_to_300",
		"UPDATE sales SET amount = amount + 1",
		"DELETE FROM sales WHERE region = 'many'", "LOCK TABLES sales WRITE", INSERT, "UNLOCK TABLES", "BEGIN", INSERT,
		"SAVEPOINT s", INSERT,
		"ROLLBACK TO s", INSERT, "COMMIT",
	};
	/* clang-format on */

	begin();
	for (int i = 0; i < MANY; i++) {
		MYSQL *my = my_root_open();
		for (size_t k = 0; k < ARRAY_LEN(statements); k++)
			say(my, statements[k]);
		mysql_close(my);
	}
	CHECK_STR(rows(), "0");
}

/* Up to then each source is told of by its own rows. */
static void it_grows_to_its_bound(void)
{
	begin();
	my_do("UPDATE viewd_slots SET base = 0");
	for (int i = 0; i < 3; i++)
		my_do("INSERT INTO sales (region, amount) SELECT 'many', seq FROM seq_1_to_9000");
	CHECK_STR(my_ask("SELECT count(*) BETWEEN 9000 AND " NOTE_ENOUGH " FROM viewd_changes"), "1");
}

/* The number of a row that was taken out again is not what the application is told. */
static void the_application_keeps_its_numbers(void)
{
	begin();
	MYSQL *my = my_root();
	say(my, "INSERT INTO sales (id, region, amount) VALUES (100, 'east', 1)");
	say(my, INSERT);
	CHECK_INT(mysql_insert_id(my), 101);
	CHECK_INT(mysql_affected_rows(my), 1);
	CHECK_INT(mysql_warning_count(my), 0);
	say(my, "DELETE FROM sales WHERE id > 99");
	CHECK_INT(mysql_affected_rows(my), 2);
}

/* Two tables in the opposite order, at each level. */
static void nobody_waits(void)
{
	static const char *const levels[] = {"REPEATABLE READ", "SERIALIZABLE", "READ COMMITTED", "READ UNCOMMITTED"};
	MYSQL *writers[MANY];

	begin();
	my_do("CREATE TABLE more LIKE sales");
	follow("w", "shop", "more");
	my_do("DELETE FROM viewd_changes");
	for (size_t i = 0; i < MANY; i++) {
		writers[i] = impatient();
		say(writers[i], talloc_asprintf(harness_ctx(), "SET SESSION TRANSACTION ISOLATION LEVEL %s",
		                                levels[i % ARRAY_LEN(levels)]));
		say(writers[i], "BEGIN");
	}
	for (size_t round = 0; round < 4; round++)
		for (size_t i = 0; i < MANY; i++)
			say(writers[i],
			    (round + i) % 2 == 0 ? INSERT : "INSERT INTO more (region, amount) VALUES ('west', 1), ('west', 2)");
	for (size_t i = 0; i < MANY; i++)
		say(writers[i], i % 4 == 3 ? "ROLLBACK" : "COMMIT");
	CHECK_STR(rows(), "0");
}

/* Whatever has become of the slots, the log is written. */
static void without_slots_the_log_is_written(void)
{
	static const char *const breaks[] = {"DELETE FROM viewd_slots",
	                                     "TRUNCATE viewd_slots",
	                                     "DROP TABLE viewd_slots",
	                                     "RENAME TABLE viewd_slots TO elsewhere",
	                                     "ALTER TABLE viewd_slots DROP COLUMN base",
	                                     "CREATE OR REPLACE TABLE viewd_slots (n INT)",
	                                     "REVOKE SELECT ON shop.* FROM viewd@localhost",
	                                     "REVOKE DELETE ON shop.* FROM viewd@localhost"};

	for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
		begin();
		my_do("%s", breaks[i]);
		MYSQL *one = impatient(), *two = impatient();
		say(one, "BEGIN");
		say(one, INSERT);
		say(two, "BEGIN");
		say(two, INSERT);
		say(one, INSERT);
		say(two, "COMMIT");
		say(one, "COMMIT");
		harness_check(strcmp(rows(), "3") == 0, __FILE__, __LINE__, "%s rows after %s", rows(), breaks[i]);
	}
}

/* The watch has come between the writer's two looks at its lock. */
static void who_is_overtaken_writes_the_log(void)
{
	char name[IDENT_MAX];

	begin();
	my_lock_name(my_session(), WATCH_PREFIX, name);
	my_do("DROP TABLE viewd_slots");
	my_do("CREATE VIEW viewd_slots AS SELECT seq AS id, 0 * GET_LOCK('%s', 0) - " NOTE_ENOUGH
	      " AS base FROM seq_0_to_63",
	      name);
	MYSQL *my = my_root();
	say(my, INSERT);
	CHECK_STR(rows(), "1");
	my_do("DROP VIEW viewd_slots");
}

/* A session that has found a watch asks again some numbers later, and at once where numbers have begun anew. */
static void who_has_asked_is_bounded_as_well(void)
{
	char name[IDENT_MAX];

	begin();
	my_lock_name(my_session(), WATCH_PREFIX, name);
	my_do("ALTER TABLE viewd_changes AUTO_INCREMENT = 100000");
	MYSQL *my = my_root(), *watch = my_root();
	say(watch, talloc_asprintf(harness_ctx(), "DO GET_LOCK('%s', 0)", name));
	say(my, INSERT);
	CHECK_STR(rows(), "1");
	say(watch, "DO RELEASE_ALL_LOCKS()");
	say(my, "INSERT INTO sales (region, amount) SELECT 'many', seq FROM seq_1_to_3000");
	CHECK_STR(my_ask("SELECT count(*) BETWEEN 2 AND " NOTE_AHEAD " + 1 FROM viewd_changes"), "1");
	my_do("TRUNCATE TABLE viewd_changes");
	say(my, "INSERT INTO sales (region, amount) SELECT 'many', seq FROM seq_1_to_300");
	CHECK_STR(rows(), "0");
	/* A value that an application has put there deletes no row that should stay. */
	say(watch, talloc_asprintf(harness_ctx(), "DO GET_LOCK('%s', 0)", name));
	say(my, "SET " NOTE_FROM " = NULL, " NOTE_TO " = -1");
	say(my, INSERT);
	CHECK_STR(rows(), "1");
}

/* No other row of the log is taken out when its own could not be written. */
static void a_log_that_takes_no_rows_loses_none(void)
{
	begin();
	my_do("UPDATE viewd_slots SET base = 0");
	my_do(INSERT);
	my_do("UPDATE viewd_slots SET base = -" NOTE_ENOUGH);
	my_do("ALTER TABLE viewd_changes ADD COLUMN more INT NOT NULL");
	MYSQL *my = my_root();
	say(my, "SET sql_mode = 'STRICT_ALL_TABLES', last_insert_id = 1");
	say(my, INSERT);
	CHECK_STR(rows(), "1");
}

/* ---- the watch */

static void what_was_left_is_told_once(void)
{
	struct scene *s = begin();

	my_do("CREATE TABLE more LIKE sales");
	follow("w", "shop", "more");
	my_do(INSERT);
	my_do("DELETE FROM viewd_changes");
	settle(s);
	look(s);
	CHECK(s->seq > 0 && s->other > 0);
	settle(s);
	look(s);
	CHECK(s->seq == 0 && s->other == 0);
	my_do(INSERT);
	CHECK_STR(rows(), "1");
	look(s);
	CHECK(s->seq > 0 && s->other == 0);
}

static void few_rows_speak_for_themselves(void)
{
	struct scene *s = begin();

	my_do("CREATE TABLE more LIKE sales");
	follow("w", "shop", "more");
	my_do("UPDATE viewd_slots SET base = 0");
	my_do(INSERT);
	settle(s);
	look(s);
	CHECK(s->seq > 0 && s->other == 0);
}

/* The writer began while nobody watched, and has left no row. The watch is told of it when it has ended, also when it
 * was only prepared meanwhile. */
static void who_began_before_is_waited_for(void)
{
	static const char *const plain[] = {"BEGIN", INSERT}, *const xa[] = {"XA START 'x'", INSERT, "XA END 'x'"},
							 *const prepared[] = {"XA START 'x'", INSERT, "XA END 'x'", "XA PREPARE 'x'"};
	static const struct {
		const char *const *begin;
		size_t n;
		const char *then, *end;
	} ways[] = {{plain, 2, NULL, "COMMIT"},
	            {plain, 2, NULL, "ROLLBACK"},
	            {xa, 3, "XA PREPARE 'x'", "XA COMMIT 'x'"},
	            {prepared, 4, NULL, "XA COMMIT 'x'"}};

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct scene *s = begin();
		MYSQL *slow = my_root();
		for (size_t k = 0; k < ways[i].n; k++)
			say(slow, ways[i].begin[k]);
		CHECK_STR(rows(), "0");
		look(s);
		CHECK(s->seq > 0);
		if (ways[i].then != NULL)
			say(slow, ways[i].then);
		settle(s);
		turn(s);
		CHECK_INT(s->seq, 0);
		look(s); /* who asks is told that there may be something */
		CHECK(s->seq > 0);
		settle(s);
		say(slow, ways[i].end);
		look(s);
		harness_check(s->seq > 0, __FILE__, __LINE__, "%s is told", ways[i].end);
		settle(s);
		look(s);
		CHECK_INT(s->seq, 0);
		close_watch(s);
	}
}

/* Without being asked, and beside another one who goes on. */
static void each_end_is_heard(void)
{
	struct scene *s = begin();
	struct viewd_err err = {0};
	int64_t deadline = harness_deadline(PATIENCE);
	MYSQL *slow = my_root(), *slower = my_root();

	say(slow, "BEGIN");
	say(slow, INSERT);
	say(slower, "BEGIN");
	say(slower, INSERT);
	look(s);
	settle(s);
	say(slow, "COMMIT");
	while (s->seq == 0 && harness_pause(deadline))
		REQUIRE_OK(DIALECT->capture->watch_next(s->watch, 100000, (struct viewd_signal_sink){hear, s}, &err), &err);
	CHECK(s->seq > 0);
	say(slower, "COMMIT");
}

/* A watch that ends before they do leaves it to the next one. */
static void the_next_watch_waits_for_them_too(void)
{
	struct scene *s = begin();
	MYSQL *slow = my_root();

	say(slow, "BEGIN");
	say(slow, INSERT);
	look(s);
	close_watch(s);
	settle(s);
	look(s);
	CHECK(s->seq > 0);
	settle(s);
	say(slow, "COMMIT");
	look(s);
	CHECK(s->seq > 0);
}

static void the_bound_moves_with_the_log(void)
{
	struct scene *s = begin();

	my_do("INSERT INTO sales (region, amount) SELECT 'many', seq FROM seq_1_to_9000");
	look(s);
	CHECK_STR(my_ask("SELECT MIN(base) > 9000 FROM viewd_slots"), "1");
	my_do("TRUNCATE viewd_changes");
	look(s);
	close_watch(s);
	my_do(INSERT);
	CHECK_STR(rows(), "1");
	CHECK_STR(my_ask("SELECT MAX(base) < 10 FROM viewd_slots"), "1");
}

/* ---- copies */

/* The log of a copy is never read, whoever watches the original. */
static void a_copy_is_bounded_beside_the_watch(void)
{
	struct scene *s = begin();
	MYSQL *my = my_root();

	my_do("CREATE TABLE other.sales LIKE sales");
	my_do("CREATE TABLE other.viewd_changes LIKE viewd_changes");
	my_do("CREATE TABLE other.viewd_slots LIKE viewd_slots");
	my_do("INSERT INTO other.viewd_slots SELECT * FROM viewd_slots");
	my_do("CREATE PROCEDURE other.viewd_note (changed VARCHAR(255) CHARACTER SET utf8mb4) MODIFIES SQL DATA %s",
	      my_ask("SELECT ROUTINE_DEFINITION FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'shop' AND "
	             "ROUTINE_NAME = 'viewd_note'"));
	my_do("CREATE TRIGGER other.copied AFTER INSERT ON other.sales FOR EACH ROW CALL viewd_note('`sales`')");
	look(s);
	for (int i = 0; i < 20; i++)
		say(my, "INSERT INTO other.sales (region, amount) VALUES ('east', 1)");
	CHECK_STR(my_ask("SELECT count(*) FROM other.viewd_changes"), "0");
	CHECK_STR(rows(), "0");
}

static const struct harness_test tests[] = {
	{"the log does not grow", the_log_does_not_grow},
	{"it grows to its bound", it_grows_to_its_bound},
	{"the application keeps its numbers", the_application_keeps_its_numbers},
	{"nobody waits", nobody_waits},
	{"without slots the log is written", without_slots_the_log_is_written},
	{"who is overtaken writes the log", who_is_overtaken_writes_the_log},
	{"who has asked is bounded as well", who_has_asked_is_bounded_as_well},
	{"a log that takes no rows loses none", a_log_that_takes_no_rows_loses_none},
	{"what was left is told once", what_was_left_is_told_once},
	{"few rows speak for themselves", few_rows_speak_for_themselves},
	{"who began before is waited for", who_began_before_is_waited_for},
	{"each end is heard", each_end_is_heard},
	{"the next watch waits for them too", the_next_watch_waits_for_them_too},
	{"the bound moves with the log", the_bound_moves_with_the_log},
	{"a copy is bounded beside the watch", a_copy_is_bounded_beside_the_watch},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql away", tests))
