/* SPDX-License-Identifier: MIT
 *
 * refresh_mode = incremental: what was changed is computed anew, and nothing else; after each refresh the relation is
 * what its definition yields, to the byte.
 */
#include "base/err.h"
#include "contract/kept.h"

#include <stdlib.h>
#include <talloc.h>

/* ---- one table ---- */

static void rows_follow_their_table(void)
{
	struct contract c;
	kept_begin(&c);
	kept_owners();
	struct viewd_view_spec view = kept_view("v", "SELECT id, price FROM thing WHERE price < 100");
	kept_make(&c, &view);
	kept_keeps_by(&c, &view, 0);
	contract_sql("INSERT INTO thing VALUES (6, 3, 60, 'f'), (7, 3, 700, 'g');");
	kept_keeps_by(&c, &view, 1);
	contract_sql("UPDATE thing SET price = price + 1 WHERE id IN (1, 2);");
	kept_keeps_by(&c, &view, 4);
	contract_sql("UPDATE thing SET price = 5 WHERE id = 7; UPDATE thing SET price = 500 WHERE id = 6;");
	kept_keeps_by(&c, &view, 2);
	contract_sql("DELETE FROM thing WHERE id = 1;");
	kept_keeps_by(&c, &view, 1);
	contract_sql("UPDATE thing SET id = 101 WHERE id = 2;");
	kept_keeps_by(&c, &view, 2);
	contract_sql("UPDATE thing SET note = 'z'; UPDATE thing SET price = price;"); /* nothing that the view has */
	kept_keeps_by(&c, &view, 0);
	contract_sql("DELETE FROM thing;");
	kept_keeps_by(&c, &view, 5);
	contract_end(&c);
}

static void groups_follow_their_rows(void)
{
	struct contract c;
	kept_begin(&c);
	kept_owners();
	struct viewd_view_spec view =
		kept_view("v", "SELECT owner, count(*) AS n, sum(price) AS total FROM thing GROUP BY owner");
	kept_make(&c, &view);
	contract_sql("UPDATE thing SET price = 11 WHERE id = 1;");
	kept_keeps_by(&c, &view, 2);
	contract_sql("UPDATE thing SET owner = 2 WHERE id = 1;"); /* from one group to another */
	kept_keeps_by(&c, &view, 4);
	contract_sql("UPDATE thing SET owner = NULL WHERE id = 3;");
	kept_keeps_by(&c, &view, 4);
	contract_sql("DELETE FROM thing WHERE owner IS NULL;");
	kept_keeps_by(&c, &view, 1);
	contract_sql("INSERT INTO thing VALUES (11, NULL, 1, NULL), (12, NULL, NULL, NULL), (13, 7, NULL, NULL);");
	kept_keeps_by(&c, &view, 2);
	contract_sql("UPDATE thing SET note = 'y';");
	kept_keeps_by(&c, &view, 0);
	contract_end(&c);
}

static void keys_of_several_columns(void)
{
	struct contract c;
	kept_begin(&c);
	contract_sql("CREATE TABLE cell (a integer NOT NULL, b varchar(9) NOT NULL, n integer, PRIMARY KEY (a, b));"
	             "INSERT INTO cell VALUES (1, 'x', 1), (1, 'y', 2), (2, 'x', 3);"
	             "CREATE TABLE loose (id integer PRIMARY KEY, a integer, b integer, n integer);"
	             "INSERT INTO loose VALUES (1, 1, 1, 1), (2, 1, NULL, 2), (3, NULL, 1, 3), (4, NULL, NULL, 4);");
	struct viewd_view_spec rows = kept_view("v", "SELECT a, b, n FROM cell");
	struct viewd_view_spec groups = kept_view("w", "SELECT a, b, sum(n) AS n FROM loose GROUP BY a, b");
	kept_make(&c, &rows);
	kept_make(&c, &groups);
	contract_sql("UPDATE cell SET n = 9 WHERE a = 1 AND b = 'x'; UPDATE cell SET a = 3 WHERE a = 2;");
	kept_keeps_by(&c, &rows, 4);
	contract_sql("DELETE FROM cell WHERE b = 'y'; INSERT INTO cell VALUES (1, 'z', NULL), (1, '', 0);");
	kept_keeps_by(&c, &rows, 3);
	contract_sql("UPDATE loose SET n = 5 WHERE a IS NULL;");
	kept_keeps_by(&c, &groups, 4);
	contract_sql("UPDATE loose SET a = NULL WHERE a = 1; DELETE FROM loose WHERE id = 4;");
	kept_keeps(&c, &groups);
	contract_sql("INSERT INTO loose VALUES (5, NULL, NULL, 1), (6, 1, NULL, NULL);");
	kept_keeps_by(&c, &groups, 3);
	contract_end(&c);
}

/* ---- several tables ---- */

static void joins_follow_both_sides(void)
{
	struct contract c;
	kept_begin(&c);
	kept_owners();
	struct viewd_view_spec inner =
		kept_view("v", "SELECT t.id, t.price, o.name FROM thing t JOIN owner o ON o.id = t.owner");
	struct viewd_view_spec left =
		kept_view("w", "SELECT t.id, t.price, o.name FROM thing t LEFT JOIN owner o ON o.id = t.owner");
	kept_make(&c, &inner);
	kept_make(&c, &left);
	contract_sql("UPDATE owner SET name = 'Anna' WHERE id = 1;");
	kept_keeps_by(&c, &inner, 4);
	kept_keeps_by(&c, &left, 4);
	contract_sql("UPDATE owner SET town = 5;");
	kept_keeps_by(&c, &inner, 0);
	/* both ends of a row in one batch, so that neither end is as the image of the other has it */
	contract_sql("UPDATE thing SET owner = 3 WHERE id = 1; UPDATE owner SET id = 8 WHERE id = 3;"
	             "INSERT INTO owner VALUES (9, 'Ida', 3); DELETE FROM owner WHERE id = 2;"
	             "UPDATE thing SET owner = 8 WHERE id = 2;");
	kept_keeps(&c, &inner);
	kept_keeps(&c, &left);
	contract_sql("INSERT INTO owner VALUES (3, 'New', 1), (2, NULL, NULL);"
	             "UPDATE thing SET owner = NULL WHERE id = 2;");
	kept_keeps(&c, &inner);
	kept_keeps(&c, &left);
	contract_end(&c);
}

static void subqueries_are_followed(void)
{
	static const char *const definitions[] = {
		"SELECT o.id, o.name FROM owner o WHERE EXISTS (SELECT 1 FROM thing t WHERE t.owner = o.id AND t.price > 15)",
		"SELECT o.id, o.name FROM owner o WHERE NOT EXISTS (SELECT 1 FROM thing t WHERE t.owner = o.id)",
		"SELECT o.id, (SELECT max(t.price) FROM thing t WHERE t.owner = o.id) AS dear FROM owner o",
		"SELECT o.id, o.town FROM owner o WHERE o.id IN (SELECT t.owner FROM thing t WHERE t.price > 15)",
	};
	static const char *const names[] = {"v1", "v2", "v3", "v4"};
	static const char *const changes[] = {
		"UPDATE thing SET price = 15 WHERE id = 2;",
		"INSERT INTO thing VALUES (6, 3, 99, NULL), (7, 4, 1, NULL);",
		"DELETE FROM thing WHERE owner = 1; UPDATE thing SET owner = 1 WHERE owner = 3;",
		"UPDATE owner SET id = 9 WHERE id = 4; UPDATE owner SET name = 'x', town = 7 WHERE id = 1;",
	};
	struct viewd_view_spec views[ARRAY_LEN(definitions)];
	struct contract c;
	kept_begin(&c);
	kept_owners();
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		views[i] = kept_view(names[i], definitions[i]);
		kept_make(&c, &views[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++)
		REFRESH(&c, &views[i]); /* those that follow may have needed columns more */
	for (size_t k = 0; k < ARRAY_LEN(changes); k++) {
		contract_sql("%s", changes[k]);
		for (size_t i = 0; i < ARRAY_LEN(definitions); i++)
			kept_keeps(&c, &views[i]);
	}
	contract_end(&c);
}

/* A table that stands twice is followed from both places, and restricted in neither. */
static void a_table_joined_with_itself(void)
{
	struct contract c;
	kept_begin(&c);
	contract_sql("CREATE TABLE node (id integer PRIMARY KEY, above integer, name varchar(9));"
	             "INSERT INTO node VALUES (1, NULL, 'root'), (2, 1, 'a'), (3, 1, 'b'), (4, 2, 'c'), (5, 7, 'd');");
	struct viewd_view_spec view =
		kept_view("v", "SELECT n.id, n.name, p.name AS above FROM node n LEFT JOIN node p ON p.id = n.above");
	kept_make(&c, &view);
	contract_sql("UPDATE node SET name = 'top' WHERE id = 1;");
	kept_keeps(&c, &view);
	contract_sql("INSERT INTO node VALUES (7, 5, 'e'); UPDATE node SET above = 4 WHERE id = 3;");
	kept_keeps(&c, &view);
	contract_sql("DELETE FROM node WHERE id = 2; UPDATE node SET id = 2, above = 1 WHERE id = 4;");
	kept_keeps(&c, &view);
	contract_end(&c);
}

/* ---- writers ---- */

static void what_is_rolled_back_leaves_nothing(void)
{
	struct contract c;
	kept_begin(&c);
	kept_owners();
	struct viewd_view_spec view = kept_view("v", "SELECT id, price FROM thing");
	kept_make(&c, &view);
	contract_sql("BEGIN; UPDATE thing SET price = 0; DELETE FROM thing WHERE id = 2; ROLLBACK;");
	kept_keeps(&c, &view);
	CHECK_CONTAINS(c.outcome.reason, "no row");
	contract_sql(
		"BEGIN; UPDATE thing SET price = 1 WHERE id = 1; SAVEPOINT s; DELETE FROM thing; ROLLBACK TO s;COMMIT;");
	kept_keeps_by(&c, &view, 2);
	contract_end(&c);
}

/* Each engine has one of these or the other; a table that no view reads tells which. */
static void rows_that_others_replace(void)
{
	struct contract c;
	kept_begin(&c);
	contract_sql("CREATE TABLE src (id integer PRIMARY KEY, code integer NOT NULL UNIQUE, n integer);"
	             "CREATE TABLE free (id integer PRIMARY KEY, code integer NOT NULL UNIQUE, n integer);"
	             "INSERT INTO src VALUES (1, 10, 1), (2, 20, 2), (3, 30, 3); INSERT INTO free VALUES (1, 10, 1);");
	bool replace = contract_takes("REPLACE INTO free VALUES (1, 10, 5);");
	bool conflict = contract_takes("INSERT INTO free VALUES (1, 77, 0) ON CONFLICT (id) DO UPDATE SET n = 50;");
	const char *upsert = conflict ? "ON CONFLICT (id) DO UPDATE SET" : "ON DUPLICATE KEY UPDATE";
	struct viewd_view_spec view = kept_view("v", "SELECT id, code, n FROM src");
	kept_make(&c, &view);
	if (replace) {
		contract_sql("REPLACE INTO src VALUES (1, 10, 5);");
		kept_keeps_by(&c, &view, 2);
		contract_sql("REPLACE INTO src VALUES (4, 20, 7);"); /* takes the place of 2 */
		kept_keeps_by(&c, &view, 2);
		contract_sql("REPLACE INTO src VALUES (1, 30, 8);"); /* of 1 and 3 */
		kept_keeps(&c, &view);
		CHECK_STR(contract_sql("SELECT count(*) FROM v;"), "2");
		contract_sql("INSERT INTO src VALUES (3, 33, 0), (2, 22, 0);");
		kept_keeps_by(&c, &view, 2);
	}
	contract_sql("INSERT INTO src VALUES (1, 77, 0) %s n = 50;", upsert);
	kept_keeps_by(&c, &view, 2);
	contract_sql("INSERT INTO src VALUES (3, 99, 0) %s n = 51, id = 9;", upsert);
	kept_keeps_by(&c, &view, 2);
	CHECK_STR(contract_sql("SELECT n FROM v WHERE id = 9;"), "51");
	contract_end(&c);
}

static void equal_texts_of_other_bytes_are_changes(void)
{
	struct contract c;
	kept_begin(&c);
	contract_sql(
		"CREATE TABLE word (id integer PRIMARY KEY, text %s); CREATE TABLE said (id integer PRIMARY KEY, text %s);"
		"INSERT INTO word VALUES (1, 'a'), (2, 'B'), (3, NULL);"
		"INSERT INTO said VALUES (1, 'A'), (2, 'b'), (3, 'a'), (4, NULL);",
		getenv("VIEWD_CONTRACT_ALIKE"), getenv("VIEWD_CONTRACT_ALIKE"));
	struct viewd_view_spec one = kept_view("v", "SELECT id, text FROM word");
	struct viewd_view_spec two =
		kept_view("w", "SELECT s.id, s.text, w.text AS word FROM said s LEFT JOIN word w ON w.text = s.text");
	kept_make(&c, &one);
	contract_sql("UPDATE word SET text = 'A' WHERE id = 1;");
	kept_keeps_by(&c, &one, 2);
	kept_make(&c, &two);
	contract_sql("UPDATE word SET text = 'a' WHERE id = 1; UPDATE said SET text = 'B' WHERE id = 1;");
	kept_keeps(&c, &two);
	contract_sql("UPDATE word SET text = 'b' WHERE id = 2;");
	kept_keeps(&c, &two);
	contract_end(&c);
}

/* ---- several views ---- */

static void each_view_reads_every_change_once(void)
{
	struct contract c;
	kept_begin(&c);
	kept_owners();
	struct viewd_view_spec one = kept_view("v", "SELECT id, price FROM thing");
	struct viewd_view_spec two = kept_view("w", "SELECT owner, count(*) AS n FROM thing GROUP BY owner");
	kept_make(&c, &one);
	kept_make(&c, &two);
	kept_takes_all(&c, &one); /* two needs a column more, so the log is another one */
	kept_keeps_by(&c, &one, 0);
	for (int i = 0; i < 3; i++) {
		contract_sql("UPDATE thing SET price = price + 1, owner = %d WHERE id = 1;", i + 4);
		kept_keeps_by(&c, &one, 2);
		contract_sql("INSERT INTO thing VALUES (%d, 3, 1, NULL);", 20 + i);
		kept_keeps(&c, &two);
		kept_keeps_by(&c, &one, 1);
	}
	contract_reconnect(&c);
	contract_sql("DELETE FROM thing WHERE id > 19;");
	kept_keeps_by(&c, &one, 3);
	kept_keeps(&c, &two);
	APPLY(&c, &one, VIEWD_CHANGE_DROP);
	contract_sql("DELETE FROM thing WHERE id = 2;");
	kept_keeps(&c, &two);
	contract_end(&c);
}

/* Images that a refresh has read come again when it fails afterwards. */
static void a_failed_refresh_is_repeated(void)
{
	struct contract c;
	kept_begin(&c);
	kept_owners();
	struct viewd_view_spec view = kept_view("v", "SELECT id, price FROM thing");
	kept_make(&c, &view);
	contract_sql("CREATE UNIQUE INDEX of_others ON v (price);");
	contract_sql("DELETE FROM thing WHERE id = 2; INSERT INTO thing VALUES (6, 1, 10, NULL), (7, 1, 70, NULL);");
	for (int i = 0; i < 2; i++) {
		CHECK(!contract_refresh(&c, &view));
		CHECK_STR(contract_sql("SELECT count(*), sum(price) FROM v;"), "5|150");
	}
	contract_sql("UPDATE thing SET price = 60 WHERE id = 6;");
	kept_keeps_by(&c, &view, 3);
	contract_end(&c);
}

/* The rows have a unique key of their own, so the old place must be empty before the new one is taken. */
static void rows_move_between_null_and_other_keys(void)
{
	static const char *const key[] = {"id"};
	struct contract c;
	kept_begin(&c);
	kept_owners();
	struct viewd_view_spec view =
		kept_view("v", "SELECT owner, id, sum(price) OVER (PARTITION BY owner) AS total FROM thing");
	view.unique_key = key;
	view.n_unique_key = 1;
	kept_make(&c, &view);
	contract_sql("UPDATE thing SET owner = NULL WHERE id = 1;");
	REFRESH(&c, &view);
	VERIFY_EQUAL(&c, &view);
	contract_sql("UPDATE thing SET owner = 2 WHERE id = 1; UPDATE thing SET owner = NULL WHERE id = 2;");
	REFRESH(&c, &view);
	VERIFY_EQUAL(&c, &view);
	contract_end(&c);
}

/* Images of two tables lead to one key, each in its own spelling. */
static void equal_spellings_are_one_key(void)
{
	static const char *const key[] = {"code"};
	struct contract c;
	kept_begin(&c);
	contract_sql("CREATE TABLE word (code %s NOT NULL PRIMARY KEY, n integer); INSERT INTO word VALUES ('Ant', 1);"
	             "CREATE TABLE said (id integer PRIMARY KEY, code %s); INSERT INTO said VALUES (1, 'ANT'), (2, 'bee');",
	             getenv("VIEWD_CONTRACT_ALIKE"), getenv("VIEWD_CONTRACT_ALIKE"));
	struct viewd_view_spec view = kept_view(
		"v", "SELECT word.code, word.n, (SELECT count(*) FROM said WHERE said.code = word.code) AS times FROM word");
	view.unique_key = key;
	view.n_unique_key = 1;
	kept_make(&c, &view);
	contract_sql(
		"UPDATE said SET code = 'ant' WHERE id = 1; UPDATE said SET code = 'aNT' WHERE id = 2;UPDATE word SET n = 2;");
	REFRESH(&c, &view);
	VERIFY_EQUAL(&c, &view);
	CHECK_STR(contract_sql("SELECT code, n, times FROM v;"), "Ant|2|2");
	contract_end(&c);
}

static const struct harness_test tests[] = {
	{"rows follow their table", rows_follow_their_table},
	{"groups follow their rows", groups_follow_their_rows},
	{"keys of several columns", keys_of_several_columns},
	{"joins follow both sides", joins_follow_both_sides},
	{"subqueries are followed", subqueries_are_followed},
	{"a table joined with itself", a_table_joined_with_itself},
	{"what is rolled back leaves nothing", what_is_rolled_back_leaves_nothing},
	{"rows that others replace", rows_that_others_replace},
	{"equal texts of other bytes are changes", equal_texts_of_other_bytes_are_changes},
	{"each view reads every change once", each_view_reads_every_change_once},
	{"a failed refresh is repeated", a_failed_refresh_is_repeated},
	{"rows move between NULL and other keys", rows_move_between_null_and_other_keys},
	{"equal spellings are one key", equal_spellings_are_one_key},
};
const struct harness_suite contract_incremental = SUITE("incremental", tests);
