/* SPDX-License-Identifier: MIT */
#include "my_support.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

struct my_kill my_kill;

static void host_log(void *ctx UNUSED, enum viewd_log_level level, const char *msg)
{
	log_event(level, "%s", msg);
}

static int64_t host_now(void *ctx UNUSED)
{
	return clock_system()->wall(clock_system());
}

static void host_failpoint(void *ctx UNUSED, const char *place)
{
	if (my_kill.at == NULL || strcmp(place, my_kill.at) != 0)
		return;
	my_kill.at = NULL;
	if (my_kill.sql == NULL)
		kill(getpid(), SIGKILL);
	for (const char *const *sql = my_kill.sql; *sql != NULL; sql++)
		my_do("%s", *sql);
}

const struct viewd_host my_host = {
	.struct_size = sizeof(struct viewd_host),
	.abi_major = VIEWD_ABI_MAJOR,
	.abi_minor = VIEWD_ABI_MINOR,
	.log = host_log,
	.now = host_now,
	.failpoint = host_failpoint,
};

int64_t my_mono(void)
{
	return clock_system()->mono(clock_system());
}

static const char *server(void)
{
	const char *dir = getenv("VIEWD_TEST_MARIADB");

	if (dir == NULL)
		harness_skip("VIEWD_TEST_MARIADB names no server (run tests/mysql/run.sh)");
	return dir;
}

MYSQL *my_root_open(void)
{
	MYSQL *my = mysql_init(NULL);
	char *sock = talloc_asprintf(NULL, "%s/sock", server());
	MYSQL *done = mysql_real_connect(my, NULL, "root", NULL, "shop", 0, sock, 0);

	talloc_free(sock);
	return done;
}

static int root_close(MYSQL **holder)
{
	mysql_close(*holder);
	return 0;
}

MYSQL *my_root(void)
{
	MYSQL **holder = talloc(harness_ctx(), MYSQL *);

	*holder = my_root_open();
	REQUIRE(*holder != NULL);
	talloc_set_destructor(holder, root_close);
	return *holder;
}

static const char *run(const char *sql)
{
	MYSQL *my = my_root_open();
	char *text = talloc_strdup(harness_ctx(), "");
	MYSQL_ROW row;

	REQUIRE(my != NULL);
	if (!harness_check(mysql_query(my, sql) == 0, __FILE__, __LINE__, "%s: %s", sql, mysql_error(my)))
		harness_abort();
	MYSQL_RES *result = mysql_store_result(my);
	while (result != NULL && (row = mysql_fetch_row(result)) != NULL) {
		text = talloc_strdup_append(text, text[0] != '\0' ? ";" : "");
		for (unsigned i = 0; i < mysql_num_fields(result); i++)
			text = talloc_asprintf_append(text, "%s%s", i > 0 ? "," : "", row[i] != NULL ? row[i] : "null");
	}
	mysql_free_result(result);
	mysql_close(my);
	return text;
}

const char *my_ask(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *sql = talloc_vasprintf(harness_ctx(), fmt, ap);
	va_end(ap);
	return run(sql);
}

void my_do(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *sql = talloc_vasprintf(harness_ctx(), fmt, ap);
	va_end(ap);
	run(sql);
}

void my_fresh(void)
{
	my_kill = (struct my_kill){0};
	my_do("SET STATEMENT foreign_key_checks = 0 FOR CREATE OR REPLACE DATABASE shop CHARACTER SET utf8mb4");
	my_do("SET STATEMENT foreign_key_checks = 0 FOR CREATE OR REPLACE DATABASE other CHARACTER SET utf8mb4");
	my_do("CREATE OR REPLACE USER viewd@localhost");
	my_do(
		"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, TRIGGER, CREATE VIEW, SHOW VIEW,"
		" CREATE TEMPORARY TABLES, CREATE ROUTINE, ALTER ROUTINE, EXECUTE ON shop.* TO viewd@localhost");
	my_do("CREATE TABLE sales (id INT PRIMARY KEY AUTO_INCREMENT, region VARCHAR(20) NOT NULL, amount DECIMAL(10,2) "
	      "NOT NULL)");
	my_do("INSERT INTO sales (region, amount) VALUES ('north', 1.5), ('north', 2), ('south', 3), ('west', 4)");
}

struct viewd_database_spec my_spec(void)
{
	return (struct viewd_database_spec){
		.struct_size = sizeof(struct viewd_database_spec),
		.name = "shop",
		.url = talloc_asprintf(harness_ctx(), "mariadb+pymysql://viewd@/shop?unix_socket=%s/sock", server()),
		.base_dir = "/",
		.connect_timeout_us = 5000000,
		.application_name = "viewd:test",
	};
}

static int session_close(struct viewd_conn **holder)
{
	DIALECT->close(holder);
	return 0;
}

struct viewd_conn *my_unprepared(void)
{
	struct viewd_database_spec spec = my_spec();
	struct viewd_err err = {0};
	struct viewd_conn **holder = talloc_zero(harness_ctx(), struct viewd_conn *);

	*holder = DIALECT->open(&my_host, &spec, &err);
	REQUIRE_OK(*holder != NULL, &err);
	talloc_set_destructor(holder, session_close);
	return *holder;
}

struct viewd_conn *my_session(void)
{
	struct viewd_conn *conn = my_unprepared();
	struct viewd_err err = {0};

	REQUIRE_OK(DIALECT->prepare(conn, (struct viewd_recorded_sink){0}, &err), &err);
	return conn;
}

const char *my_leftovers(void)
{
	return my_ask(
		"SELECT (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME REGEXP '^viewd_(new|old|probe)_'),"
		" (SELECT COUNT(*) FROM viewd_intents)");
}

const char *my_select_from(const char *schema, const char *table)
{
	struct relation rel = {.schema = ""};

	snprintf(rel.schema, sizeof rel.schema, "%s", schema);
	snprintf(rel.name, sizeof rel.name, "%s", table);
	return talloc_asprintf(harness_ctx(), "SELECT * FROM %s", relation_quoted(&my_syntax, harness_ctx(), &rel));
}

struct viewd_view_spec my_view(const char *name, enum viewd_method method, const char *definition)
{
	return (struct viewd_view_spec){
		.struct_size = sizeof(struct viewd_view_spec),
		.name = name,
		.relation = name,
		.definition = definition,
		.method = method,
		.mode = VIEWD_MODE_AUTO,
		.materialized_as_table = true,
		.with_data = true,
		.on_remove = VIEWD_REMOVE_KEEP,
		.timeout_us = 60000000,
		.lock_timeout_us = 1000000,
	};
}

struct viewd_outcome my_applied(struct viewd_conn *conn, const struct viewd_view_spec *view, enum viewd_change change)
{
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};

	REQUIRE_OK(DIALECT->apply(conn, view, change, &out, &err), &err);
	return out;
}

static bool refresh(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_outcome *out,
                    struct viewd_err *err)
{
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};

	return DIALECT->refresh(conn, view, &req, out, err);
}

struct viewd_outcome my_refreshed(struct viewd_conn *conn, const struct viewd_view_spec *view)
{
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};

	REQUIRE_OK(refresh(conn, view, &out, &err), &err);
	return out;
}

bool my_refresh_fails(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_err *err)
{
	struct viewd_outcome out;

	*err = (struct viewd_err){0};
	return !refresh(conn, view, &out, err);
}

struct viewd_found my_found(struct viewd_conn *conn, const struct viewd_view_spec *view)
{
	struct viewd_err err = {0};
	struct viewd_found found = {0};

	REQUIRE_OK(DIALECT->inspect(conn, view, &found, (struct viewd_source_sink){0}, &err), &err);
	return found;
}

const char my_before[] = "SELECT region, count(*) AS n FROM sales GROUP BY region";
const char my_after[] = "SELECT region, count(*) AS n, sum(amount) AS total FROM sales GROUP BY region";

static const char *columns(void)
{
	return my_ask("SELECT group_concat(COLUMN_NAME ORDER BY ORDINAL_POSITION) FROM information_schema.COLUMNS"
	              " WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'v' AND COLUMN_NAME <> 'viewd_pk'");
}

void my_check_whole(struct viewd_conn *conn, const struct viewd_view_spec *old, const struct viewd_view_spec *new,
                    const char *place)
{
	bool renewed = strcmp(columns(), "region,n,total") == 0;
	const struct viewd_view_spec *view = renewed ? new : old;
	struct viewd_resolved resolved;
	struct viewd_verdict verdict = {0};
	struct viewd_err err = {0};

	if (strcmp(columns(), "null") == 0) {
		CHECK(!my_found(conn, new).recorded);
		return;
	}
	harness_check(renewed || strcmp(columns(), "region,n") == 0, __FILE__, __LINE__, "%s: columns are %s", place,
	              columns());
	struct viewd_found found = my_found(conn, view);
	harness_check(found.ours && !found.touched_outside, __FILE__, __LINE__, "%s: ours", place);
	REQUIRE_OK(
		DIALECT->check_view(&(struct viewd_database_spec){0}, view, &resolved, (struct viewd_text_sink){0}, &err),
		&err);
	CHECK_STR(found.recorded_hash, resolved.hash);
	REQUIRE_OK(DIALECT->verify(conn, view, &verdict, &err), &err);
	CHECK_INT(verdict.rows, 3);
	CHECK_INT(verdict.missing + verdict.unexpected, 0);
}
