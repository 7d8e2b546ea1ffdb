/* SPDX-License-Identifier: MIT
 *
 * Work on a node of a cluster, tried on a server alone that is taken for one.
 */
#include "my_support.h"

#include <string.h>

#include "mysql/capture/trigger_procedure.h"

static bool ignore_text(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

/* A session on a node; view v follows table sales by triggers. */
static struct viewd_conn *begin(void)
{
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, my_select_from("shop", "sales"));
	const struct viewd_source source = {"shop", "sales", VIEWD_KIND_TABLE};
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_TRIGGER, .sources = &source, .n_sources = 1};
	struct viewd_captured out;
	struct viewd_err err = {0};

	my_fresh();
	my_do("GRANT PROCESS ON *.* TO viewd@localhost");
	struct viewd_conn *conn = my_session();
	conn->node.certifies = true;
	REQUIRE_OK(DIALECT->capture->set(conn, &view, &req, &out, (struct viewd_text_sink){ignore_text, NULL}, &err), &err);
	my_do("UPDATE viewd_captures SET clean_seq = dirty_seq");
	return conn;
}

static bool look(struct viewd_conn *conn, struct slots *s, bool asked)
{
	struct viewd_err err = {0};
	bool news = false;

	REQUIRE_OK(slots_look(conn, s, asked, &news, &err), &err);
	return news;
}

static struct slots slots_new(void)
{
	return (struct slots){.prepared = talloc_strdup(harness_ctx(), "")};
}

/* Rows of it are not there; that it has written is known by the numbers alone. */
static void a_writer_that_is_carried_out_once_more_is_heard(void)
{
	struct viewd_conn *conn = begin();
	struct slots s = slots_new();

	CHECK(!look(conn, &s, true));
	my_do("INSERT INTO sales (region, amount) VALUES ('east', 1)");
	CHECK(!look(conn, &s, true));
	my_do("ALTER TABLE viewd_changes AUTO_INCREMENT = 30000");
	CHECK(look(conn, &s, false));
	CHECK(!look(conn, &s, true));
	my_do("ALTER TABLE viewd_changes AUTO_INCREMENT = 40000");
	CHECK(!look(conn, &s, false)); /* not more often than every few seconds, but where somebody asks */
	CHECK(look(conn, &s, true));
	talloc_free(s.prepared);
}

/* With nothing that nobody has heard, all are told of by their own rows. */
static void a_cluster_that_was_heard_all_along_is_not_told_of(void)
{
	struct viewd_conn *conn = begin();
	struct slots first = slots_new(), next = slots_new();

	CHECK(!look(conn, &first, true));
	my_do("ALTER TABLE viewd_changes AUTO_INCREMENT = 5000");
	CHECK(!look(conn, &next, true));
	my_do("ALTER TABLE viewd_changes AUTO_INCREMENT = 30000");
	CHECK(!look(conn, &next, true));
	talloc_free(first.prepared);
	talloc_free(next.prepared);
}

/* Writers of all nodes read the row, and who has is ended when it is written. */
static void a_look_that_fails_writes_no_row_anew(void)
{
	struct viewd_conn *conn = begin();
	struct slots s = slots_new();
	struct viewd_err err = {0};
	bool news = false;

	CHECK(!look(conn, &s, true));
	int64_t heard = s.heard;
	CHECK(heard > 0);
	my_do("RENAME TABLE viewd_slots TO elsewhere");
	CHECK(!slots_look(conn, &s, false, &news, &err));
	CHECK_INT(s.heard, heard);
	my_do("RENAME TABLE elsewhere TO viewd_slots");
	my_do("DELETE FROM viewd_slots WHERE id = " NOTE_HEARD);
	look(conn, &s, false);
	CHECK_STR(my_ask("SELECT count(*) FROM viewd_slots WHERE id = " NOTE_HEARD), "0");
	talloc_free(s.prepared);
}

static bool mends(struct viewd_conn *conn, bool thorough)
{
	struct viewd_err err = {0};
	bool found = false;

	REQUIRE_OK(tables_mend(conn, true, thorough, &found, &err), &err);
	return found;
}

/* A worker has set the view up by way of another node, under whose name the table's number stands. */
static void a_table_that_another_node_knows_is_seen_to_be_emptied(void)
{
	struct viewd_conn *conn = begin();

	my_do("UPDATE viewd_tables SET server = 'elsewhere'");
	CHECK(!mends(conn, true));
	my_do("TRUNCATE sales");
	CHECK(mends(conn, false));
	CHECK(!mends(conn, true));
	my_do("DELETE FROM viewd_tables WHERE server <> 'elsewhere'");
	CHECK(mends(conn, true));
	CHECK_STR(my_ask("SELECT count(*) FROM viewd_captures WHERE dirty_seq > clean_seq"), "1");
}

static const struct harness_test tests[] = {
	{"a writer that is carried out once more is heard", a_writer_that_is_carried_out_once_more_is_heard},
	{"a cluster that was heard all along is not told of", a_cluster_that_was_heard_all_along_is_not_told_of},
	{"a look that fails writes no row anew", a_look_that_fails_writes_no_row_anew},
	{"a table that another node knows is seen to be emptied", a_table_that_another_node_knows_is_seen_to_be_emptied},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql cluster", tests))
