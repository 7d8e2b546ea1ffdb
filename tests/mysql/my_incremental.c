/* SPDX-License-Identifier: MIT */
#include "my_incremental.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const char my_totals[] = "SELECT own, count(*) AS n, sum(bal) AS total, max(note) AS note FROM acc GROUP BY own";
const char my_joined[] = "SELECT o.o, o.g, a.id, a.bal FROM own o JOIN acc a ON a.own = o.o";

static struct my_scene *compared_by;

/* ---- comparing at the snapshot ---- */

static int64_t number(MYSQL *my, const char *sql)
{
	int64_t n = -1;
	if (mysql_query(my, sql) != 0)
		return n;
	MYSQL_RES *result = mysql_store_result(my);
	MYSQL_ROW row = result != NULL ? mysql_fetch_row(result) : NULL;
	if (row != NULL && row[0] != NULL)
		n = strtoll(row[0], NULL, 10);
	mysql_free_result(result);
	return n;
}

/* Before the commit, on the connection that refreshes: the tables are those of its snapshot. What waits to be sent with
 * the next statement is part of the result. */
static void at(void *ctx UNUSED, const char *place)
{
	struct my_scene *s = compared_by;
	struct viewd_err err = {0};
	if (s == NULL || s->compared == NULL || strcmp(place, "refresh:recorded") != 0)
		return;
	CHECK_OK(my_flush(&s->conn->db, &err), &err);
	char *differ = talloc_asprintf(harness_ctx(),
	                               "SELECT (SELECT COUNT(*) FROM (SELECT * FROM %s EXCEPT ALL %s) a) + "
	                               "(SELECT COUNT(*) FROM (%s EXCEPT ALL SELECT * FROM %s) b)",
	                               s->view.relation, s->compared, s->compared, s->view.relation);
	s->n_compared++;
	s->differing += number(s->conn->my, differ) != 0;
	if (strstr(s->compared, " AS total") != NULL)
		s->torn +=
			number(s->conn->my, "SELECT sum(total) FROM v") != number(s->conn->my, "SELECT count(*) * 100 FROM acc");
}

static struct viewd_host host;

static int close_scene(struct my_scene *s)
{
	compared_by = NULL;
	DIALECT->close(&s->conn);
	return 0;
}

static struct viewd_conn *opened(void)
{
	struct viewd_database_spec spec = my_spec();
	struct viewd_err err = {0};
	host = my_host;
	host.failpoint = at;
	struct viewd_conn *conn = DIALECT->open(&host, &spec, &err);
	REQUIRE_OK(conn != NULL, &err);
	REQUIRE_OK(DIALECT->prepare(conn, (struct viewd_recorded_sink){0}, &err), &err);
	return conn;
}

struct viewd_view_spec my_incremental(const char *name, const char *definition)
{
	struct viewd_view_spec view = my_view(name, VIEWD_METHOD_TABLE, definition);
	view.mode = VIEWD_MODE_INCREMENTAL;
	return view;
}

void my_incremental_tables(void)
{
	my_fresh();
	my_do("GRANT PROCESS ON *.* TO viewd@localhost");
	my_do("GRANT ALL ON other.* TO viewd@localhost");
	my_do("CREATE OR REPLACE USER clerk@localhost");
	my_do("GRANT SELECT, INSERT, UPDATE, DELETE, LOCK TABLES ON shop.* TO clerk@localhost");
	my_do("CREATE TABLE own (o INT PRIMARY KEY, g INT)");
	my_do(
		"CREATE TABLE acc (id INT PRIMARY KEY, own INT NOT NULL, bal DECIMAL(12,2) NOT NULL, note VARCHAR(20) COLLATE "
		"utf8mb4_general_ci, other TEXT, KEY (own))");
	my_do("INSERT INTO own SELECT seq, seq %% 3 FROM seq_1_to_12");
	my_do("INSERT INTO acc SELECT seq, 1 + seq %% 12, 100, 'a', NULL FROM seq_1_to_%d", N_WRITERS * N_EACH);
}

/* View v with the definition, refreshed once. */
struct my_scene *my_incremental_begin(const char *definition)
{
	struct my_scene *s = talloc_zero(harness_ctx(), struct my_scene);
	my_incremental_tables();
	s->conn = opened();
	s->view = my_incremental("v", definition);
	talloc_set_destructor(s, close_scene);
	compared_by = s;
	my_applied(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	my_refreshed(s->conn, &s->view);
	s->compared = definition;
	return s;
}

/* Refreshes, compares, and tells how it went. */
const char *my_compared(struct my_scene *s)
{
	int64_t before = s->n_compared;
	struct viewd_outcome out = my_refreshed(s->conn, &s->view);
	CHECK_INT(s->n_compared, before + 1);
	CHECK_INT(s->differing, 0);
	return talloc_asprintf(harness_ctx(), "%s %lld",
	                       out.did == VIEWD_DID_INCREMENTAL ? "incremental"
	                       : out.did == VIEWD_DID_NO_DATA   ? "nothing"
	                                                        : "all",
	                       (long long)out.rows_written);
}

const char *my_log_rows(void)
{
	return my_ask(
		"SELECT COUNT(*) FROM (SELECT 1 FROM shop.%s WHERE viewd_sign <> 0) x",
		my_ask("SELECT MAX(TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME "
	           "LIKE 'viewd\\_change\\_%%' AND TABLE_NAME NOT LIKE '%%logs'"));
}

const char *my_log_name(void)
{
	return my_ask("SELECT CONCAT('viewd_change_', MAX(log)) FROM viewd_change_logs");
}

/* ---- beside writers ---- */

static atomic_bool stop;
static atomic_llong transactions, failures;

/* Transfers among its own accounts, so that writers wait for nobody but viewd. */
static bool transact(MYSQL *my, unsigned *seed, int first)
{
	char sql[4][160];
	int a = first + (int)(rand_r(seed) % N_EACH), b = first + (int)(rand_r(seed) % N_EACH);
	bool back = rand_r(seed) % 7 == 0, move = rand_r(seed) % 5 == 0;
	snprintf(sql[0], sizeof sql[0], "START TRANSACTION");
	snprintf(sql[1], sizeof sql[1], "UPDATE acc SET bal = bal - 1, note = CHAR(65 + %u) WHERE id = %d",
	         rand_r(seed) % 60, a);
	snprintf(sql[2], sizeof sql[2],
	         move ? "UPDATE acc SET own = 1 + %u, bal = bal + 1 WHERE id = %d"
	              : "UPDATE acc SET bal = bal + 1 + 0 * %u WHERE id = %d",
	         rand_r(seed) % 12, b);
	snprintf(sql[3], sizeof sql[3], "%s", back ? "ROLLBACK" : "COMMIT");
	for (size_t i = 0; i < 4; i++)
		if (mysql_query(my, sql[i]) != 0)
			return false;
	return true;
}

static void *write_on(void *ctx)
{
	int which = *(int *)ctx;
	unsigned seed = (unsigned)which + 1;
	mysql_thread_init();
	MYSQL *my = my_root_open();
	failures += my == NULL || mysql_query(my, "SET innodb_lock_wait_timeout = 1") != 0;
	while (my != NULL && !stop && failures == 0) {
		if (!transact(my, &seed, which * N_EACH + 1))
			failures++;
		transactions++;
	}
	if (my != NULL)
		mysql_close(my);
	mysql_thread_end();
	return NULL;
}

void my_beside_writers(const char *definition)
{
	struct my_scene *s = my_incremental_begin(definition);
	pthread_t threads[N_WRITERS];
	int numbers[N_WRITERS];
	int64_t incremental = 0, deadline = my_mono() + 60000000;
	stop = false;
	transactions = failures = 0;
	for (int i = 0; i < N_WRITERS; i++) {
		numbers[i] = i;
		REQUIRE(pthread_create(&threads[i], NULL, write_on, &numbers[i]) == 0);
	}
	while ((incremental < 40 || transactions < 500) && my_mono() < deadline && failures == 0)
		incremental += my_refreshed(s->conn, &s->view).did == VIEWD_DID_INCREMENTAL;
	stop = true;
	for (int i = 0; i < N_WRITERS; i++)
		pthread_join(threads[i], NULL);
	CHECK(incremental >= 40);
	CHECK_INT(failures, 0);
	CHECK_INT(s->torn, 0);
	my_refreshed(s->conn, &s->view);
	CHECK_STR(my_compared(s), "nothing 0");
}
