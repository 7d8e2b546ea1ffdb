/* SPDX-License-Identifier: MIT
 *
 * Sums and counts that are moved on MariaDB, by the images of a table or by a part.
 */
#include "my_incremental.h"

static const char of_images[] =
	"SELECT note, count(*) AS n, sum(bal) AS total, avg(bal) AS mean FROM acc GROUP BY note";
static const char of_part[] = "SELECT o.g, count(*) AS n, sum(a.bal) AS total, avg(a.bal) AS mean, sum(a.id) AS ids "
							  "FROM own o JOIN acc a ON a.own = o.o GROUP BY o.g";

static const char *nodes(void)
{
	return my_ask("SELECT COUNT(*) FROM viewd_nodes WHERE `view` = 'v'");
}

/* ---- beside writers ---- */

static void one_sum_beside_writers(void)
{
	my_beside_writers("SELECT count(*) AS n, sum(bal) AS half, avg(bal) AS mean FROM acc WHERE own < 7");
	CHECK_STR(nodes(), "1");
}

static void images_beside_writers(void)
{
	my_beside_writers(of_images);
	CHECK_STR(nodes(), "1");
}

static void a_part_beside_writers(void)
{
	my_beside_writers(of_part);
	CHECK_STR(nodes(), "2");
}

/* ---- groups ---- */

/* A spelling that no row has any more is not shown. */
static void groups_that_are_spelled_otherwise(void)
{
	struct my_scene *s = my_incremental_begin(of_images);
	CHECK_STR(my_ask("SELECT GROUP_CONCAT(HEX(note), n) FROM v"), "61120");
	my_do("UPDATE acc SET note = 'A' WHERE id <= 60");
	my_compared(s); /* any of the two spellings is right */
	CHECK_STR(my_ask("SELECT SUM(n) FROM v WHERE note IN ('a', 'A')"), "120");
	my_do("UPDATE acc SET note = 'A ' WHERE id > 60");
	my_compared(s); /* nothing need be written where the one that has stayed was shown */
	CHECK_STR(my_ask("SELECT COUNT(*), SUM(n), SUM(HEX(note) IN ('41', '4120')) FROM v"), "1,120,1");
	my_do("UPDATE acc SET note = 'A '");
	CHECK_CONTAINS(my_compared(s), "incremental");
	CHECK_STR(my_ask("SELECT GROUP_CONCAT(HEX(note), n) FROM v"), "4120120");
}

static void groups_that_are_spelled_otherwise_in_a_part(void)
{
	struct my_scene *s = my_incremental_begin("SELECT a.note, count(*) AS n, sum(a.bal) AS total FROM acc a JOIN own o "
	                                          "ON o.o = a.own GROUP BY a.note");
	CHECK_STR(nodes(), "2");
	for (int i = 0; i < 4; i++) {
		my_do("UPDATE acc SET note = 'A' WHERE id %% 4 = %d", i);
		my_compared(s); /* until the spelling of before has gone either one is right */
		CHECK_STR(my_ask("SELECT SUM(n) FROM v WHERE note = 'a'"), "120");
	}
	CHECK_STR(my_ask("SELECT GROUP_CONCAT(HEX(note), n) FROM v"), "41120");
}

static void groups_come_and_go(void)
{
	struct my_scene *s = my_incremental_begin(of_part);
	my_do("UPDATE own SET g = NULL WHERE o IN (1, 2)");
	CHECK_STR(my_compared(s), "incremental 3");
	my_do("UPDATE own SET g = NULL WHERE g = 0");
	CHECK_STR(my_compared(s), "incremental 2");
	my_do("DELETE FROM acc WHERE own IN (SELECT o FROM own WHERE g IS NULL)");
	CHECK_STR(my_compared(s), "incremental 1");
	my_do("INSERT INTO acc SELECT seq, 1, seq / 7, 'b', NULL FROM seq_1001_to_1010");
	CHECK_STR(my_compared(s), "incremental 1");
	my_do("DELETE FROM acc");
	CHECK_CONTAINS(my_compared(s), "incremental");
	CHECK_STR(my_ask("SELECT COUNT(*) FROM v"), "0");
	CHECK_STR(my_compared(s), "nothing 0");
}

/* The row of a query without groups stays, and sums of no rows are NULL. */
static void the_one_row_stays(void)
{
	struct my_scene *s =
		my_incremental_begin("SELECT sum(bal) AS b, count(note) AS n, avg(id) AS i FROM acc WHERE own < 7");
	my_do("DELETE FROM acc WHERE own < 7");
	CHECK_CONTAINS(my_compared(s), "incremental");
	CHECK_STR(my_ask("SELECT b IS NULL, n, i IS NULL FROM v"), "1,0,1");
	my_do("INSERT INTO acc VALUES (1, 1, 0.01, NULL, NULL), (2, 1, 0.02, NULL, NULL), (4, 1, 0.02, NULL, NULL)");
	CHECK_CONTAINS(my_compared(s), "incremental");
	CHECK_STR(my_ask("SELECT b, n, i FROM v"), "0.05,0,2.3333");
}

/* Sums of decimals, rates and whole numbers with a sign or without one, digit for digit. */
static void digits_are_those_of_a_recomputation(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	my_do("CREATE TABLE m (id INT PRIMARY KEY, k INT, d DECIMAL(30,10), u BIGINT UNSIGNED, b BIGINT, t TINYINT)");
	my_do("INSERT INTO m SELECT seq, seq %% 5, seq / 3, 18446744073709551615 - seq, "
	      "CAST(seq AS SIGNED) - 9223372036854775807, IF(seq %% 4 = 0, NULL, seq %% 100) FROM seq_1_to_300");
	s->compared = NULL;
	s->view = my_incremental("v2", "SELECT k, sum(d) AS sd, avg(d) AS ad, sum(u) AS su, avg(u) AS au, sum(b) AS sb, "
	                               "avg(b) AS ab, sum(d * (1 - t)) AS p, sum(t) / count(d) AS r, avg(t) AS at, "
	                               "count(t) AS ct, sum(CASE WHEN t > 50 THEN d ELSE 0 END) AS c FROM m GROUP BY k");
	my_applied(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	my_refreshed(s->conn, &s->view);
	s->compared = s->view.definition;
	my_do("UPDATE m SET d = d * 1.37, t = t + 7 WHERE id %% 7 = 1");
	CHECK_CONTAINS(my_compared(s), "incremental");
	my_do("DELETE FROM m WHERE id %% 3 = 1");
	my_do("INSERT INTO m SELECT seq, seq %% 6, -seq / 7, seq, seq, 5 FROM seq_1001_to_1050");
	CHECK_CONTAINS(my_compared(s), "incremental");
	CHECK_STR(my_ask("SELECT COUNT(*) FROM viewd_nodes WHERE `view` = 'v2'"), "1");
}

/* ---- tables of nodes ---- */

static void a_table_that_is_gone_is_made_again(void)
{
	struct my_scene *s = my_incremental_begin(of_part);
	struct viewd_err err;
	my_do("DROP TABLE %s", my_ask("SELECT CONCAT('viewd_node_', MIN(node)) FROM viewd_nodes"));
	my_do("UPDATE acc SET bal = bal + 1 WHERE id = 7");
	my_refresh_fails(s->conn, &s->view, &err);
	CHECK_CONTAINS(my_compared(s), "all");
	my_do("UPDATE acc SET bal = bal + 1 WHERE id = 7");
	CHECK_STR(my_compared(s), "incremental 1");
}

static bool ignore_text(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static void leaving_takes_nodes_out(void)
{
	struct viewd_uninstall_request req = {.struct_size = sizeof req};
	struct viewd_err err = {0};
	my_incremental_begin(of_part);
	CHECK_STR(nodes(), "2");
	REQUIRE_OK(DIALECT->uninstall(my_unprepared(), &req, (struct viewd_text_sink){ignore_text, NULL}, &err), &err);
	CHECK_STR(my_ask("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME LIKE 'viewd%%' AND TABLE_SCHEMA "
	                 "= 'shop'"),
	          "0");
}

static const struct harness_test tests[] = {
	{"one sum beside writers", one_sum_beside_writers},
	{"images beside writers", images_beside_writers},
	{"a part beside writers", a_part_beside_writers},
	{"groups that are spelled otherwise", groups_that_are_spelled_otherwise},
	{"groups that are spelled otherwise in a part", groups_that_are_spelled_otherwise_in_a_part},
	{"groups come and go", groups_come_and_go},
	{"the one row stays", the_one_row_stays},
	{"digits are those of a recomputation", digits_are_those_of_a_recomputation},
	{"a table that is gone is made again", a_table_that_is_gone_is_made_again},
	{"leaving takes nodes out", leaving_takes_nodes_out},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql rolls", tests))
