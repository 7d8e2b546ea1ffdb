/* SPDX-License-Identifier: MIT
 *
 * tpch.c: incremental refreshes of the 22 queries of TPC-H as views, beside the full refresh that the engine offers.
 * Usage: tpch ENGINE PLUGIN URL TARGET DIRECTORY BATCHES MODE
 *
 * DIRECTORY holds q1.sql .. q22.sql (only those that are there are measured), each with its unique key in the first
 * line, and batch.1, batch.2 ..: one statement a line. A batch is one transaction; then each view is refreshed both
 * ways, in alternating order, and both are compared with each other and with the definition byte by byte. The first
 * batch warms up. Prints a line a query: number, action, rows, medians in ms (incremental, full), ratio, differences.
 */
#include "base/clock.h"
#include "base/err.h"
#include "support/sqlclient.h"
#include "viewd_dialect.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define QUERIES 22
#define BATCHES_MAX 100
#define ANSWER 65536

struct query {
	char name[8];
	char *definition, *bytes, *refusal;
	const char **key;
	size_t n_key;
	enum viewd_refresh_mode mode;
	int64_t incremental_us[BATCHES_MAX], full_us[BATCHES_MAX];
	int64_t was_incremental, rows, differences;
	char reason[256];
};

struct bench {
	const char *engine, *directory;
	const struct viewd_dialect *dialect;
	struct viewd_conn *conn;
	struct viewd_host host;
	struct viewd_database_spec db;
	struct sqlclient *client;
	struct query queries[QUERIES];
	size_t n, batches;
	char answer[ANSWER];
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "tpch: %s (%s)\n", what, why);
	exit(EXIT_FAILURE);
}

static int64_t now_us(void)
{
	return clock_system()->mono(clock_system());
}

static void run(struct bench *b, const char *sql)
{
	if (!sqlclient_run(b->client, sql, b->answer, sizeof b->answer))
		die(sql, b->answer);
}

static bool is(const struct bench *b, const char *engine)
{
	return strcmp(b->engine, engine) == 0;
}

/* ---- the plugin ---- */

static void on_log(void *ctx UNUSED, enum viewd_log_level level, const char *msg)
{
	if (level <= VIEWD_LOG_WARNING)
		fprintf(stderr, "# %s\n", msg);
}

static int64_t on_now(void *ctx UNUSED)
{
	return clock_system()->wall(clock_system());
}

static void open_plugin(struct bench *b, const char *path, const char *url)
{
	struct viewd_err err = {0};
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	b->dialect = handle != NULL ? dlsym(handle, "viewd_dialect") : NULL;
	if (b->dialect == NULL)
		die(path, "the plugin does not load");
	b->host = (struct viewd_host){.struct_size = sizeof b->host,
	                              .abi_major = VIEWD_ABI_MAJOR,
	                              .abi_minor = VIEWD_ABI_MINOR,
	                              .log = on_log,
	                              .now = on_now};
	b->db = (struct viewd_database_spec){.struct_size = sizeof b->db,
	                                     .name = "shop",
	                                     .url = url,
	                                     .base_dir = "/",
	                                     .connect_timeout_us = 10000000,
	                                     .application_name = "viewd:tpch"};
	if (b->dialect->threads != NULL)
		b->dialect->threads->begin();
	if ((b->conn = b->dialect->open(&b->host, &b->db, &err)) == NULL ||
	    !b->dialect->prepare(b->conn, (struct viewd_recorded_sink){0}, &err))
		die(url, err.msg);
}

static struct viewd_view_spec spec_of(const struct query *q)
{
	return (struct viewd_view_spec){
		.struct_size = sizeof(struct viewd_view_spec),
		.name = q->name,
		.relation = q->name,
		.definition = q->definition,
		.method = VIEWD_METHOD_TABLE,
		.mode = q->mode,
		.unique_key = q->key,
		.n_unique_key = q->n_key,
		.materialized_as_table = true,
		.with_data = true,
		.lock_timeout_us = 10000000,
	};
}

static bool refresh(struct bench *b, struct query *q, struct viewd_outcome *out, struct viewd_err *err)
{
	struct viewd_view_spec spec = spec_of(q);
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	*err = (struct viewd_err){0};
	return b->dialect->refresh(b->conn, &spec, &req, out, err);
}

/* ---- queries ---- */

static char *read_file(const char *path)
{
	char part[4096];
	FILE *in = fopen(path, "re");
	if (in == NULL)
		return NULL;
	char *text = talloc_strdup(NULL, "");
	while (fgets(part, sizeof part, in) != NULL)
		text = talloc_strdup_append_buffer(text, part);
	fclose(in);
	return text;
}

static bool read_query(const struct bench *b, struct query *q, int number)
{
	char *rest = read_file(talloc_asprintf(NULL, "%s/q%d.sql", b->directory, number));
	if (rest == NULL)
		return false;
	char *key = strsep(&rest, "\n");
	*q = (struct query){.definition = rest, .key = talloc_zero_array(NULL, const char *, 8)};
	snprintf(q->name, sizeof q->name, "q%d", number);
	for (char *word; q->n_key < 8 && (word = strsep(&key, " ")) != NULL;)
		if (word[0] != '\0')
			q->key[q->n_key++] = word;
	return true;
}

/* SQL for the bytes of a row, for any column. */
static void find_bytes(struct bench *b, struct query *q)
{
	const char *columns =
		is(b, "postgresql")
			? "SELECT attname FROM pg_attribute WHERE attrelid = '%s'::regclass AND attnum > 0 ORDER BY attnum"
		: is(b, "mariadb") ? "SELECT column_name FROM information_schema.columns WHERE table_schema = database() AND "
							 "table_name = '%s' ORDER BY ordinal_position"
						   : "SELECT name FROM pragma_table_info('%s')";
	char *sql = talloc_asprintf(NULL, "%.*s%s%s", (int)(strstr(columns, "%s") - columns), columns, q->name,
	                            strstr(columns, "%s") + 2);
	char *rest = b->answer, *name, *bytes = talloc_strdup(NULL, "");
	run(b, sql);
	for (bool first = true; (name = strsep(&rest, "\n")) != NULL && name[0] != '\0'; first = false)
		bytes = is(b, "sqlite") ? talloc_asprintf_append_buffer(bytes, "%stypeof(%s) || quote(%s)",
		                                                        first ? "" : " || ',' || ", name, name)
		        : is(b, "mariadb")
		            ? talloc_asprintf_append_buffer(bytes, "%sQUOTE(CAST(%s AS BINARY))", first ? "" : ", ", name)
		            : talloc_asprintf_append_buffer(bytes, "%s%s", first ? "" : ", ", name);
	q->bytes = is(b, "sqlite")    ? bytes
	           : is(b, "mariadb") ? talloc_asprintf(NULL, "MD5(CONCAT_WS(',', %s))", bytes)
	                              : talloc_asprintf(NULL, "md5(ROW(%s)::text)", bytes);
}

/* The view, and beside it what is refreshed in full. Where it is refused it stays, with mode auto. */
static void create(struct bench *b, struct query *q, enum viewd_refresh_mode mode)
{
	struct viewd_outcome out = {0};
	struct viewd_err err = {0};
	q->mode = mode;
	struct viewd_view_spec spec = spec_of(q);
	bool made = b->dialect->apply(b->conn, &spec, VIEWD_CHANGE_CREATE, &out, &err),
		 good = made && refresh(b, q, &out, &err);
	if (!good && err.cls == VIEWD_ERR_CONFIG) {
		q->refusal = talloc_strdup(NULL, err.msg);
		q->mode = VIEWD_MODE_AUTO;
		spec = spec_of(q);
		made = made || b->dialect->apply(b->conn, &spec, VIEWD_CHANGE_CREATE, &out, &err);
		good = made && refresh(b, q, &out, &err);
	}
	if (!good)
		die(q->name, err.msg);
	find_bytes(b, q);
	run(b, talloc_asprintf(NULL, "CREATE %s full_%s AS %s", is(b, "postgresql") ? "MATERIALIZED VIEW" : "TABLE",
	                       q->name, q->definition));
}

/* ---- measuring ---- */

static void run_batch(struct bench *b, size_t number)
{
	char *rest = read_file(talloc_asprintf(NULL, "%s/batch.%zu", b->directory, number)), *line;
	if (rest == NULL)
		die("batch", "there is none");
	run(b, "BEGIN");
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			run(b, line);
	run(b, "COMMIT");
}

static int64_t time_incremental(struct bench *b, struct query *q)
{
	struct viewd_outcome out = {0};
	struct viewd_err err;
	int64_t from = now_us();
	if (!refresh(b, q, &out, &err))
		die(q->name, err.msg);
	int64_t took = now_us() - from;
	q->was_incremental += out.did == VIEWD_DID_INCREMENTAL ||
	                      (out.did == VIEWD_DID_NO_DATA && strncmp(out.reason, "incremental", 11) == 0);
	q->rows = out.rows;
	snprintf(q->reason, sizeof q->reason, "%s", out.reason);
	return took;
}

static int64_t time_full(struct bench *b, struct query *q)
{
	char *sql[] = {talloc_asprintf(NULL, "REFRESH MATERIALIZED VIEW full_%s", q->name),
	               talloc_asprintf(NULL, "DELETE FROM full_%s", q->name),
	               talloc_asprintf(NULL, "INSERT INTO full_%s %s", q->name, q->definition)};
	int64_t from = now_us();
	if (is(b, "postgresql")) {
		run(b, sql[0]);
	} else {
		run(b, "BEGIN");
		run(b, sql[1]);
		run(b, sql[2]);
		run(b, "COMMIT");
	}
	return now_us() - from;
}

/* Rows that the view and the full result do not have as often, byte by byte. */
static int64_t differences(struct bench *b, const struct query *q)
{
	const char *collate = is(b, "postgresql") ? " COLLATE \"C\"" : "";
	run(b, talloc_asprintf(
			   NULL,
			   "SELECT count(*) FROM (SELECT r FROM (SELECT %s%s AS r, 1 AS n FROM %s v UNION ALL SELECT %s%s, "
			   "-1 FROM full_%s f) x GROUP BY r HAVING sum(n) <> 0) y",
			   q->bytes, collate, q->name, q->bytes, collate, q->name));
	return strtol(b->answer, NULL, 10);
}

static void measure(struct bench *b, struct query *q, size_t batch)
{
	if (batch % 2 == 0)
		q->full_us[batch] = time_full(b, q);
	q->incremental_us[batch] = time_incremental(b, q);
	if (batch % 2 == 1)
		q->full_us[batch] = time_full(b, q);
	int64_t n = differences(b, q);
	if (n > 0)
		fprintf(stderr, "# %s differs in %lld rows after batch %zu: %s\n", q->name, (long long)n, batch, q->reason);
	q->differences += n;
}

static int ascending(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return *a < *b ? -1 : *a > *b;
}

static double median_ms(const int64_t *times, size_t n)
{
	int64_t sorted[BATCHES_MAX];
	memcpy(sorted, times, n * sizeof *times);
	qsort(sorted, n, sizeof *sorted, ascending);
	return (double)(n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2] + sorted[n / 2 - 1]) / 2) / 1e3;
}

static void print(const struct bench *b)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct query *q = &b->queries[i];
		double inc = median_ms(q->incremental_us + 1, b->batches - 1), full = median_ms(q->full_us + 1, b->batches - 1);
		printf("%s %s %lld/%zu %lld %.2f %.2f %.2f %lld %s\n", q->name, q->refusal != NULL ? "auto" : "incremental",
		       (long long)q->was_incremental, b->batches, (long long)q->rows, inc, full, full / inc,
		       (long long)q->differences, q->refusal != NULL ? q->refusal : q->reason);
	}
}

int main(int argc, char **argv)
{
	static struct bench b;
	if (argc != 8) {
		fprintf(stderr, "usage: %s ENGINE PLUGIN URL TARGET DIRECTORY BATCHES MODE\n", argv[0]);
		return 2;
	}
	b.engine = argv[1];
	b.directory = argv[5];
	b.batches = strtoul(argv[6], NULL, 10);
	if (b.batches < 2 || b.batches >= BATCHES_MAX)
		die(argv[6], "from 2 to 99 batches");
	b.client = sqlclient_open(argv[4]);
	open_plugin(&b, argv[2], argv[3]);
	for (int i = 1; i <= QUERIES; i++)
		b.n += read_query(&b, &b.queries[b.n], i);
	for (size_t i = 0; i < b.n; i++)
		create(&b, &b.queries[i], strcmp(argv[7], "auto") == 0 ? VIEWD_MODE_AUTO : VIEWD_MODE_INCREMENTAL);
	for (size_t batch = 0; batch < b.batches; batch++) {
		run_batch(&b, batch + 1);
		for (size_t i = 0; i < b.n; i++)
			measure(&b, &b.queries[i], batch);
	}
	print(&b);
	b.dialect->close(&b.conn);
	sqlclient_close(&b.client);
	return EXIT_SUCCESS;
}
