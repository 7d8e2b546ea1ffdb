/* SPDX-License-Identifier: MIT
 *
 * tpch.c: incremental refreshes of the 22 queries of TPC-H as views, beside the full refresh that the engine offers.
 * Usage: tpch ENGINE PLUGIN URL TARGET DIRECTORY BATCHES MODE WARM
 *
 * DIRECTORY holds q1.sql .. q22.sql (only those that are there are measured), each with its unique key in the first
 * line, and batch.1, batch.2 ..: one statement a line. A batch is one transaction; then each view is refreshed both
 * ways, in alternating order, and both are compared with each other byte by byte. The first WARM batches warm up.
 * Prints a line a query: number, action, rows, medians in ms (incremental, full), ratio, differences. With TPCH_TIMES
 * in the environment it also tells of each refresh on stderr: batch, query, both times in ms, and the reason.
 */
#include "bench/views.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define QUERIES 22
#define BATCHES_MAX 100

struct query {
	struct bench_view view;
	char name[8];
	char *refusal;
	int64_t incremental_us[BATCHES_MAX], full_us[BATCHES_MAX];
	int64_t was_incremental, differences;
};

struct bench {
	const char *directory;
	struct views views;
	struct query queries[QUERIES];
	size_t n, batches, warm;
};

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
	*q = (struct query){.view = {.definition = rest, .key = talloc_zero_array(NULL, const char *, 8)}};
	snprintf(q->name, sizeof q->name, "q%d", number);
	q->view.name = q->name;
	for (char *word; q->view.n_key < 8 && (word = strsep(&key, " ")) != NULL;)
		if (word[0] != '\0')
			q->view.key[q->view.n_key++] = word;
	return true;
}

/* The view, and beside it what is refreshed in full. Where it is refused it stays, with mode auto. */
static void create(struct bench *b, struct query *q, enum viewd_refresh_mode mode)
{
	struct viewd_err err = {0};
	q->view.method = VIEWD_METHOD_TABLE;
	q->view.mode = mode;
	bool good = views_create(&b->views, &q->view, &err);
	if (!good && err.cls == VIEWD_ERR_CONFIG) {
		q->refusal = talloc_strdup(NULL, err.msg);
		q->view.mode = VIEWD_MODE_AUTO;
		good = views_create(&b->views, &q->view, &err);
	}
	if (!good)
		views_die(q->name, err.msg);
	views_run(&b->views, talloc_asprintf(NULL, "CREATE %s full_%s AS %s",
	                                     views_are_on(&b->views, "postgresql") ? "MATERIALIZED VIEW" : "TABLE", q->name,
	                                     q->view.definition));
}

/* ---- measuring ---- */

static void run_batch(struct bench *b, size_t number)
{
	char *rest = read_file(talloc_asprintf(NULL, "%s/batch.%zu", b->directory, number)), *line;
	if (rest == NULL)
		views_die("batch", "there is none");
	views_run(&b->views, "BEGIN");
	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			views_run(&b->views, line);
	views_run(&b->views, "COMMIT");
	views_mark(&b->views);
}

static int64_t time_incremental(struct bench *b, struct query *q)
{
	struct viewd_err err;
	int64_t from = views_now_us();
	if (!views_refresh(&b->views, &q->view, &err))
		views_die(q->name, err.msg);
	int64_t took = views_now_us() - from;
	q->was_incremental += views_was_incremental(&q->view);
	return took;
}

static int64_t time_full(struct bench *b, struct query *q)
{
	char *sql[] = {talloc_asprintf(NULL, "REFRESH MATERIALIZED VIEW full_%s", q->name),
	               talloc_asprintf(NULL, "DELETE FROM full_%s", q->name),
	               talloc_asprintf(NULL, "INSERT INTO full_%s %s", q->name, q->view.definition)};
	int64_t from = views_now_us();
	if (views_are_on(&b->views, "postgresql")) {
		views_run(&b->views, sql[0]);
	} else {
		views_run(&b->views, "BEGIN");
		views_run(&b->views, sql[1]);
		views_run(&b->views, sql[2]);
		views_run(&b->views, "COMMIT");
	}
	return views_now_us() - from;
}

static void all_incremental(struct bench *b, size_t batch)
{
	for (size_t i = 0; i < b->n; i++)
		b->queries[i].incremental_us[batch] = time_incremental(b, &b->queries[i]);
}

static void all_full(struct bench *b, size_t batch)
{
	for (size_t i = 0; i < b->n; i++)
		b->queries[i].full_us[batch] = time_full(b, &b->queries[i]);
}

static void compare(struct bench *b, struct query *q, size_t batch)
{
	char full[16];
	snprintf(full, sizeof full, "full_%s", q->name);
	if (getenv("TPCH_TIMES") != NULL)
		fprintf(stderr, "%zu %s %.2f %.2f %s\n", batch + 1, q->name, (double)q->incremental_us[batch] / 1e3,
		        (double)q->full_us[batch] / 1e3, q->view.out.reason);
	int64_t n = views_differences(&b->views, &q->view, full);
	if (n > 0)
		fprintf(stderr, "# %s differs in %lld rows after batch %zu: %s\n", q->name, (long long)n, batch,
		        q->view.out.reason);
	q->differences += n;
}

/* One way after the other, and not view by view: REFRESH makes every other session forget what it knows of the
 * catalogue, which no refresh by viewd would meet where nobody else refreshes. */
static void measure(struct bench *b, size_t batch)
{
	if (batch % 2 == 0)
		all_full(b, batch);
	all_incremental(b, batch);
	if (batch % 2 == 1)
		all_full(b, batch);
	for (size_t i = 0; i < b->n; i++)
		compare(b, &b->queries[i], batch);
}

static void print(const struct bench *b)
{
	for (size_t i = 0; i < b->n; i++) {
		const struct query *q = &b->queries[i];
		double inc = views_median_ms(q->incremental_us + b->warm, b->batches - b->warm),
			   full = views_median_ms(q->full_us + b->warm, b->batches - b->warm);
		printf("%s %s %lld/%zu %lld %.2f %.2f %.2f %lld %s\n", q->name, q->refusal != NULL ? "auto" : "incremental",
		       (long long)q->was_incremental, b->batches, (long long)q->view.out.rows, inc, full, full / inc,
		       (long long)q->differences, q->refusal != NULL ? q->refusal : q->view.out.reason);
	}
}

int main(int argc, char **argv)
{
	static struct bench b;
	if (argc != 9) {
		fprintf(stderr, "usage: %s ENGINE PLUGIN URL TARGET DIRECTORY BATCHES MODE WARM\n", argv[0]);
		return 2;
	}
	b.directory = argv[5];
	b.batches = strtoul(argv[6], NULL, 10);
	if (b.batches < 2 || b.batches >= BATCHES_MAX)
		views_die(argv[6], "from 2 to 99 batches");
	b.warm = strtoul(argv[8], NULL, 10);
	if (b.warm >= b.batches)
		views_die(argv[8], "fewer batches warm up than there are");
	views_open(&b.views, argv[1], argv[2], argv[3], argv[4]);
	for (int i = 1; i <= QUERIES; i++)
		b.n += read_query(&b, &b.queries[b.n], i);
	for (size_t i = 0; i < b.n; i++)
		create(&b, &b.queries[i], strcmp(argv[7], "auto") == 0 ? VIEWD_MODE_AUTO : VIEWD_MODE_INCREMENTAL);
	for (size_t batch = 0; batch < b.batches; batch++) {
		run_batch(&b, batch + 1);
		measure(&b, batch);
	}
	print(&b);
	views_close(&b.views);
	return EXIT_SUCCESS;
}
