/* SPDX-License-Identifier: MIT */
#include "contract/contract.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

extern char **environ;

const char contract_stats_definition[] =
	"SELECT category, count(id) AS product_count, min(price) AS min_price, max(price) AS max_price "
	"FROM products WHERE in_stock = 1 GROUP BY category";

/* Advice to update an old server is no concern of the suite. */
static void on_log(void *ctx UNUSED, enum viewd_log_level level, const char *msg)
{
	if (strstr(msg, "(update it") == NULL)
		log_event(level, "%s", msg);
}

static int64_t on_now(void *ctx UNUSED)
{
	return clock_system()->wall(clock_system());
}

static void on_failpoint(void *ctx UNUSED, const char *place UNUSED)
{
}

static const char *setting(const char *name)
{
	const char *value = getenv(name);
	if (value == NULL)
		harness_skip("no database is configured");
	return value;
}

static const char *read_all(FILE *in)
{
	char *text = talloc_strdup(harness_ctx(), "");
	char part[512];
	while (fgets(part, sizeof part, in) != NULL)
		text = talloc_strdup_append_buffer(text, part);
	size_t len = strlen(text);
	if (len > 0 && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return text;
}

static const char *run(const char *command)
{
	FILE *in = popen(command, "re");
	REQUIRE(in != NULL);
	const char *text = read_all(in);
	int status = pclose(in);
	if (!harness_check(status == 0, __FILE__, __LINE__, "'%s' succeeds: %s", command, text))
		harness_abort();
	return text;
}

const char *contract_sql(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *text = talloc_vasprintf(harness_ctx(), fmt, ap);
	va_end(ap);
	const char *path = harness_file("statement.sql", text);
	return run(talloc_asprintf(harness_ctx(), "%s 2>&1 <'%s'", setting("VIEWD_CONTRACT_SQL"), path));
}

bool contract_takes(const char *sql)
{
	const char *path = harness_file("statement.sql", sql);
	FILE *in = popen(talloc_asprintf(harness_ctx(), "%s 2>&1 <'%s'", setting("VIEWD_CONTRACT_SQL"), path), "re");
	REQUIRE(in != NULL);
	read_all(in);
	return pclose(in) == 0;
}

const char *contract_state(const char *table)
{
	const char *prefix = getenv("VIEWD_CONTRACT_STATE");
	return talloc_asprintf(harness_ctx(), "%s%s", prefix != NULL ? prefix : "viewd_", table);
}

void contract_need_capture(const struct contract *c)
{
	if (c->dialect->capture == NULL)
		harness_skip("the dialect does not notice changes");
}

void contract_need(const char *word)
{
	const char *lacks = getenv("VIEWD_CONTRACT_LACKS");
	if (lacks != NULL && strstr(lacks, word) != NULL)
		harness_skip("the server has no such thing");
}

const char *contract_quote(const char *name)
{
	char quote = setting("VIEWD_CONTRACT_QUOTE")[0];
	char *out = talloc_asprintf(harness_ctx(), "%c", quote);
	for (; *name != '\0'; name++)
		out = talloc_asprintf_append_buffer(out, "%.*s%c", *name == quote, name, *name);
	return talloc_asprintf_append_buffer(out, "%c", quote);
}

bool contract_has(const struct contract *c, uint64_t cap)
{
	return (c->dialect->caps & cap) != 0;
}

struct viewd_conn *contract_open(struct contract *c)
{
	struct viewd_conn *conn = c->dialect->open(&c->host, &c->db, &c->err);
	REQUIRE_OK(conn != NULL, &c->err);
	return conn;
}

void contract_reconnect(struct contract *c)
{
	c->dialect->close(&c->conn);
	CHECK(c->conn == NULL);
	c->conn = contract_open(c);
	REQUIRE_OK(c->dialect->prepare(c->conn, (struct viewd_recorded_sink){0}, &c->err), &c->err);
}

void contract_begin(struct contract *c)
{
	*c = (struct contract){0};
	void *handle = dlopen(setting("VIEWD_CONTRACT_PLUGIN"), RTLD_NOW | RTLD_LOCAL);
	if (!harness_check(handle != NULL, __FILE__, __LINE__, "the plugin loads: %s", handle == NULL ? dlerror() : ""))
		harness_abort();
	c->dialect = dlsym(handle, "viewd_dialect");
	REQUIRE(c->dialect != NULL);
	run(talloc_asprintf(harness_ctx(), "%s 2>&1", setting("VIEWD_CONTRACT_RESET")));
	c->host = (struct viewd_host){.struct_size = sizeof c->host,
	                              .abi_major = VIEWD_ABI_MAJOR,
	                              .abi_minor = VIEWD_ABI_MINOR,
	                              .log = on_log,
	                              .now = on_now,
	                              .failpoint = on_failpoint};
	c->db = (struct viewd_database_spec){.struct_size = sizeof c->db,
	                                     .name = "contract",
	                                     .url = setting("VIEWD_CONTRACT_URL"),
	                                     .base_dir = "/",
	                                     .connect_timeout_us = 10000000,
	                                     .application_name = "viewd:contract"};
	REQUIRE_OK(c->dialect->check_database(&c->db, &c->err), &c->err);
	if (c->dialect->threads != NULL)
		c->dialect->threads->begin();
	c->conn = contract_open(c);
	REQUIRE_OK(c->dialect->prepare(c->conn, (struct viewd_recorded_sink){0}, &c->err), &c->err);
	CHECK(c->dialect->alive(c->conn));
}

void contract_end(struct contract *c)
{
	c->dialect->close(&c->conn);
}

struct viewd_view_spec contract_view(const char *name, enum viewd_method method, const char *definition)
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
		.lock_timeout_us = 2000000,
	};
}

bool contract_inspect(struct contract *c, const struct viewd_view_spec *view)
{
	c->found = (struct viewd_found){0};
	return c->dialect->inspect(c->conn, view, &c->found, (struct viewd_source_sink){0}, &c->err);
}

bool contract_apply(struct contract *c, const struct viewd_view_spec *view, enum viewd_change change)
{
	return c->dialect->apply(c->conn, view, change, &c->outcome, &c->err);
}

bool contract_refresh(struct contract *c, const struct viewd_view_spec *view)
{
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	return c->dialect->refresh(c->conn, view, &req, &c->outcome, &c->err);
}

bool contract_verify(struct contract *c, const struct viewd_view_spec *view)
{
	return c->dialect->verify(c->conn, view, &c->verdict, &c->err);
}

void contract_products(void)
{
	contract_sql(
		"CREATE TABLE products (id integer PRIMARY KEY, name varchar(100) NOT NULL, category varchar(50) NOT NULL,"
		" price decimal(10,2) NOT NULL, in_stock integer);"
		"INSERT INTO products VALUES (1, 'Laptop', 'Electronics', 999.99, 1), (2, 'Smartphone', 'Electronics', 499.99, "
		"1),"
		" (3, 'Headphones', 'Electronics', 79.99, 1), (4, 'Python Programming', 'Books', 39.99, 1),"
		" (5, 'Database Design', 'Books', 45.99, 1), (6, 'T-Shirt', 'Clothing', 19.99, 1),"
		" (7, 'Jeans', 'Clothing', 59.99, 1), (8, 'Coffee Maker', 'Kitchen', 89.99, 1),"
		" (9, 'Blender', 'Kitchen', 49.99, 1), (10, 'Out of Stock Item', 'Electronics', 299.99, 0);");
}

/* ---- a client that holds locks ---- */

struct contract_holder {
	pid_t pid;
	FILE *to;
};

static int release(struct contract_holder *holder)
{
	fclose(holder->to);
	waitpid(holder->pid, NULL, 0);
	return 0;
}

/* The client answers `SELECT` with "locked" once the statements before it have run. */
struct contract_holder *contract_hold(void)
{
	int in[2], out[2];
	char answer[64] = "";
	struct contract_holder *holder = talloc_zero(harness_ctx(), struct contract_holder);
	const char *argv[] = {"sh", "-c", talloc_asprintf(holder, "exec %s", setting("VIEWD_CONTRACT_SQL")), NULL};
	posix_spawn_file_actions_t files;
	REQUIRE(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in[0], 0);
	posix_spawn_file_actions_adddup2(&files, out[1], 1);
	REQUIRE(posix_spawn(&holder->pid, "/bin/sh", &files, NULL, (char *const *)(uintptr_t)argv, environ) == 0);
	posix_spawn_file_actions_destroy(&files);
	close(in[0]);
	close(out[1]);
	holder->to = fdopen(in[1], "w");
	talloc_set_destructor(holder, release);
	fprintf(holder->to, "%s;\nSELECT 'locked';\n", setting("VIEWD_CONTRACT_LOCK"));
	fflush(holder->to);
	FILE *from = fdopen(out[0], "r");
	while (strstr(answer, "locked") == NULL && fgets(answer, sizeof answer, from) != NULL)
		;
	fclose(from);
	CHECK_CONTAINS(answer, "locked");
	return holder;
}

void contract_release(struct contract_holder **holder)
{
	TALLOC_FREE(*holder);
}

/* ---- cancelling ---- */

struct contract_canceller {
	struct contract *c;
	pthread_t thread;
};

/* The statement has begun when the client is in its call; 200 ms is long for that and short for a statement of
 * minutes. */
static void *cancel_later(void *ctx)
{
	struct contract_canceller *canceller = ctx;
	if (canceller->c->dialect->threads != NULL)
		canceller->c->dialect->threads->begin();
	int64_t deadline = harness_deadline(200000);
	while (harness_pause(deadline))
		;
	canceller->c->dialect->cancel(canceller->c->conn);
	if (canceller->c->dialect->threads != NULL)
		canceller->c->dialect->threads->end();
	return NULL;
}

struct contract_canceller *contract_cancel_soon(struct contract *c)
{
	struct contract_canceller *canceller = talloc_zero(harness_ctx(), struct contract_canceller);
	canceller->c = c;
	REQUIRE(pthread_create(&canceller->thread, NULL, cancel_later, canceller) == 0);
	return canceller;
}

void contract_cancel_join(struct contract_canceller **canceller)
{
	pthread_join((*canceller)->thread, NULL);
	TALLOC_FREE(*canceller);
}

/* ---- beside ---- */

struct contract_beside {
	const struct viewd_dialect *dialect;
	void (*fn)(void *ctx);
	void *ctx;
	pthread_t thread;
	_Atomic bool done;
};

static void *run_beside(void *ctx)
{
	struct contract_beside *beside = ctx;
	if (beside->dialect->threads != NULL)
		beside->dialect->threads->begin();
	beside->fn(beside->ctx);
	if (beside->dialect->threads != NULL)
		beside->dialect->threads->end();
	beside->done = true;
	return NULL;
}

struct contract_beside *contract_beside(struct contract *c, void (*fn)(void *ctx), void *ctx, int64_t patience_us)
{
	struct contract_beside *beside = talloc_zero(harness_ctx(), struct contract_beside);
	int64_t deadline = harness_deadline(patience_us);
	beside->dialect = c->dialect;
	beside->fn = fn;
	beside->ctx = ctx;
	REQUIRE(pthread_create(&beside->thread, NULL, run_beside, beside) == 0);
	while (!beside->done && harness_pause(deadline))
		continue;
	return beside;
}

void contract_beside_join(struct contract_beside **beside)
{
	REQUIRE(*beside != NULL);
	pthread_join((*beside)->thread, NULL);
	TALLOC_FREE(*beside);
}
