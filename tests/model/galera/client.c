/* SPDX-License-Identifier: MIT
 *
 * client.c: one client of galera.sh.
 *
 *   client TARGET DIR NAME SEED KIND NUMBER
 *
 * KIND: `source` writes what views read, `other` a table that no view reads, `reader` reads views. Writers have rows
 * of their own (those whose id leaves NUMBER when divided by 16), so none is in the way of another one. NAME.log gets a
 * line for each transaction: its microseconds, or why it failed and when. The exit status is 0 once DIR/stop is there,
 * 1 when the connection is lost.
 */
#include "support/sqlclient.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define ROWS 50000
#define SHARES 16 /* of the rows, one for each writer */

struct client {
	struct sqlclient *sql;
	uint64_t state;
	unsigned number;
	unsigned extra; /* the last row that was inserted */
	bool extra_there;
	FILE *log;
	char text[4096];
};

/* Below n; splitmix64. */
static unsigned below(struct client *c, unsigned n)
{
	uint64_t z = c->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ (z >> 31)) % n);
}

static int64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void think(struct client *c, unsigned ms)
{
	poll(NULL, 0, (int)below(c, ms));
}

static unsigned own_row(struct client *c)
{
	return below(c, ROWS / SHARES) * SHARES + c->number;
}

/* ---- failures ---- */

static bool has_lost(const char *message)
{
	static const char *const words[] = {"Lost connection", "gone away", "Connection was killed", "shutdown in progress",
	                                    "Server shutdown"};
	for (size_t i = 0; i < COUNT(words); i++)
		if (strstr(message, words[i]) != NULL)
			return true;
	return false;
}

static const char *kind_of(const char *message)
{
	static const char *const kinds[][2] = {
		{"has not yet prepared node", "not-ready"}, {"Deadlock", "aborted"},      {"Lock wait timeout", "waited"},
		{"definition has changed", "redefined"},    {"doesn't exist", "missing"},
	};
	if (has_lost(message))
		return "lost";
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strstr(message, kinds[i][0]) != NULL)
			return kinds[i][1];
	return "other";
}

/* A node that serves nobody is asked again after a while, as an application would. */
static void fail(struct client *c, const char *sql)
{
	for (char *p = c->text; *p != '\0'; p++)
		if (*p == '\n')
			*p = ' ';
	fprintf(c->log, "failed\t%s\t%lld\t%.60s\t%.200s\n", kind_of(c->text), (long long)time(NULL), sql, c->text);
	fflush(c->log);
	if (has_lost(c->text))
		exit(EXIT_FAILURE);
	if (strcmp(kind_of(c->text), "not-ready") == 0)
		poll(NULL, 0, 500);
	sqlclient_run(c->sql, "ROLLBACK", c->text, sizeof c->text);
}

static bool run(struct client *c, const char *sql)
{
	if (sqlclient_run(c->sql, sql, c->text, sizeof c->text))
		return true;
	fail(c, sql);
	return false;
}

/* ---- what they do ---- */

/* A hundred rows of this writer's, by name: a range would lock rows of others. */
static bool change_many(struct client *c)
{
	char sql[2048], *end = sql;
	unsigned id = own_row(c);
	end += snprintf(end, 64, "UPDATE source SET v = v + 1 WHERE id IN (%u", id);
	for (unsigned i = 1; i < 100; i++)
		end += snprintf(end, 16, ", %u", (id + i * SHARES) % ROWS);
	strcpy(end, ")");
	return run(c, sql);
}

/* Rows beside those that are always there. Only one that is there is deleted, since a gap would be locked, too. */
static bool extra_row(struct client *c)
{
	char sql[128];
	if (c->extra_there) {
		c->extra_there = false;
		snprintf(sql, sizeof sql, "DELETE FROM source WHERE id = %u", c->extra);
		return run(c, sql);
	}
	c->extra += SHARES;
	snprintf(sql, sizeof sql, "INSERT INTO source VALUES (%u, %u, 1)", c->extra, c->extra % 97);
	c->extra_there = run(c, sql);
	return c->extra_there;
}

static bool change_some(struct client *c)
{
	char sql[128];
	if (below(c, 8) == 0)
		return change_many(c);
	snprintf(sql, sizeof sql, "UPDATE source SET v = v + 1 WHERE id = %u", own_row(c));
	return run(c, sql);
}

static bool source_transaction(struct client *c)
{
	if (below(c, 8) == 0)
		return extra_row(c);
	if (!run(c, "BEGIN"))
		return false;
	for (unsigned n = 1 + below(c, 3); n > 0; n--) {
		if (!change_some(c))
			return false;
		think(c, 4);
	}
	return run(c, "COMMIT");
}

static bool other_transaction(struct client *c)
{
	char sql[128];
	snprintf(sql, sizeof sql, "UPDATE other SET v = v + 1 WHERE id = %u", own_row(c));
	return run(c, sql);
}

/* A view is never empty, nor half. */
static bool read_view(struct client *c, const char *view)
{
	char sql[128];
	snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", view);
	if (!run(c, sql))
		return false;
	if (strtol(c->text, NULL, 10) >= ROWS)
		return true;
	fprintf(c->log, "failed\thalf\t%lld\t%s\t%.100s", (long long)time(NULL), sql, c->text);
	fflush(c->log);
	return true;
}

static bool reader_transaction(struct client *c)
{
	static const char *const views[] = {"listed", "doubled", "copied"};
	unsigned first = below(c, COUNT(views));
	if (!run(c, "START TRANSACTION") || !read_view(c, views[first]))
		return false;
	think(c, 50);
	return read_view(c, views[(first + 1) % COUNT(views)]) && run(c, "COMMIT");
}

static const struct kind {
	const char *name;
	bool (*transaction)(struct client *c);
	unsigned pause_ms;
} kinds[] = {
	{"source", source_transaction, 60},
	{"other", other_transaction, 20},
	{"reader", reader_transaction, 100},
};

static void step(struct client *c, const struct kind *kind)
{
	int64_t begin = now_us();
	if (kind->transaction(c)) {
		fprintf(c->log, "done\t%" PRId64 "\n", now_us() - begin);
		fflush(c->log);
	}
	think(c, kind->pause_ms);
}

int main(int argc, char **argv)
{
	static struct client c;
	const struct kind *kind = NULL;
	char path[256], stop[256];
	if (argc != 7)
		return 2;
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].name, argv[5]) == 0)
			kind = &kinds[i];
	snprintf(path, sizeof path, "%s/%s.log", argv[2], argv[3]);
	snprintf(stop, sizeof stop, "%s/stop", argv[2]);
	c.log = fopen(path, "a");
	if (kind == NULL || c.log == NULL)
		return 2;
	c.state = strtoull(argv[4], NULL, 10);
	c.number = (unsigned)strtoul(argv[6], NULL, 10);
	/* Rows that an earlier connection has left are not met again. */
	c.extra = ROWS + (unsigned)(time(NULL) % 1000000) * 100 * SHARES + c.number;
	c.sql = sqlclient_open(argv[1]);
	while (access(stop, F_OK) != 0)
		step(&c, kind);
	sqlclient_close(&c.sql);
	return EXIT_SUCCESS;
}
