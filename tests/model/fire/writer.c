/* SPDX-License-Identifier: MIT
 *
 * writer.c: one application of fire.sh: random transactions until it is told to stop.
 *
 *   writer ENGINE TARGET DIR NAME SEED
 *
 * DIR has `writes` (fire.writes, of this engine), `turn` and `gate` (who holds both has stopped all writers), and
 * `stop` in the end. NAME.log gets a line for each transaction, for each failed statement with its reason, and for each
 * statement that has taken long. The exit status is 0 at the end, 1 when the connection is lost.
 */
#include "support/sqlclient.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define TEXT 65536
#define STATEMENT 1024
#define TEMPLATES 100
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct writer {
	const char *engine, *name;
	struct sqlclient *client;
	uint64_t state;
	int log, turn, gate;
	struct template
	{
		unsigned weight;
		char text[STATEMENT];
	}
	templates[TEMPLATES];
	size_t n_templates;
	unsigned total;
	char text[TEXT];
	char prepared[64]; /* what is prepared and not ended; empty: nothing */
};

/* Below n; splitmix64. */
static unsigned below(struct writer *w, unsigned n)
{
	uint64_t z = w->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ (z >> 31)) % n);
}

static bool one_in(struct writer *w, unsigned n)
{
	return below(w, n) == 0;
}

static bool is(const struct writer *w, const char *engine)
{
	return strcmp(w->engine, engine) == 0;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* An application that thinks while its transaction is open. */
static void think(struct writer *w, unsigned ms)
{
	poll(NULL, 0, (int)below(w, ms));
}

/* ---- telling ---- */

__attribute__((format(printf, 2, 3))) static void tell(struct writer *w, const char *fmt, ...)
{
	char line[2048];
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof line - 1, fmt, ap);
	va_end(ap);
	n = n < (int)sizeof line - 1 ? n : (int)sizeof line - 2;
	for (int i = 0; i < n; i++)
		line[i] = line[i] == '\n' ? ' ' : line[i];
	line[n++] = '\n';
	if (write(w->log, line, (size_t)n) != n)
		_exit(EXIT_FAILURE);
}

/* Whatever names something of viewd's, or is not known, is viewd's. A lost connection comes first: its message has the
 * path of the socket. */
static const char *reason_of(const char *message)
{
	static const char *const reasons[][2] = {
		{"closed the connection", "connection"},
		{"no connection to the server", "connection"},
		{"terminating connection", "connection"},
		{"the database system is", "connection"},
		{"Lost connection", "connection"},
		{"gone away", "connection"},
		{"Connection was killed", "connection"},
		{"shutdown in progress", "connection"},
		{"could not serialize", "serialization"}, /* told where it is noticed, which may be a trigger */
		{"viewd", "VIEWD"},
		{"lock timeout", "lock timeout"},
		{"Lock wait timeout", "lock timeout"},
		{"deadlock", "deadlock"},
		{"Deadlock", "deadlock"},
		{"Record has changed since last read", "serialization"},
		{"duplicate key", "duplicate key"},
		{"Duplicate entry", "duplicate key"},
		{"UNIQUE constraint failed", "duplicate key"},
		{"command cannot affect row a second time", "duplicate key"},
		{"database is locked", "locked"},
		{"XA_RB", "deadlock"},
	};
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (strstr(message, reasons[i][0]) != NULL)
			return reasons[i][1];
	return "OTHER";
}

static bool run(struct writer *w, const char *sql)
{
	int64_t began = now_ms();
	bool done = sqlclient_run(w->client, sql, w->text, TEXT);
	int64_t took = now_ms() - began;
	if (took >= 500)
		tell(w, "long\t%" PRId64 "\t%s", took, sql);
	if (done)
		return true;
	const char *reason = reason_of(w->text);
	tell(w, "failed\t%s\t%s\t%s", reason, sql, w->text);
	if (strcmp(reason, "connection") == 0)
		exit(EXIT_FAILURE);
	return false;
}

static void cannot(const char *what)
{
	perror(what);
	exit(2);
}

/* ---- statements ---- */

static void add_word(struct writer *w, char *out, const char *name, size_t len)
{
	static const char *const words[] = {"'ant'", "'Ant'", "'bee'", "'cat'", "'cat '", "''", "NULL", "'a longer word'"};
	out += strlen(out);
	if (len == 3)
		sprintf(out, "%u", 1000 + below(w, 1000000000));
	else if (*name == 'i')
		sprintf(out, "%u", 1 + below(w, 600));
	else if (*name == 'j')
		sprintf(out, "%u", 1 + below(w, 30));
	else if (*name == 's')
		sprintf(out, "%u", below(w, 6));
	else if (*name == 'n')
		sprintf(out, "%u", below(w, 10));
	else if (*name == 'p')
		sprintf(out, "%u.%u", below(w, 100), 25 * below(w, 4));
	else
		strcpy(out, words[below(w, COUNT(words))]);
}

static void expand(struct writer *w, const char *template, char *out)
{
	*out = '\0';
	for (const char *p = template; *p != '\0';) {
		size_t plain = strcspn(p, "$");
		strncat(out, p, plain);
		p += plain;
		if (*p == '\0')
			return;
		size_t len = strspn(++p, "abcdefghijklmnopqrstuvwxyz");
		add_word(w, out, p, len);
		p += len;
	}
}

static bool any_statement(struct writer *w)
{
	char sql[2 * STATEMENT];
	unsigned at = below(w, w->total);
	size_t i = 0;
	while (at >= w->templates[i].weight)
		at -= w->templates[i++].weight;
	expand(w, w->templates[i].text, sql);
	return run(w, sql);
}

static void read_templates(struct writer *w, const char *dir)
{
	char path[256], line[STATEMENT];
	snprintf(path, sizeof path, "%s/writes", dir);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		cannot(path);
	while (w->n_templates < TEMPLATES && fgets(line, sizeof line, file) != NULL) {
		struct template *t = &w->templates[w->n_templates++];
		char *rest;
		t->weight = (unsigned)strtoul(line, &rest, 10);
		rest[strcspn(rest, "\n")] = '\0';
		strcpy(t->text, rest + 1);
		w->total += t->weight;
	}
	fclose(file);
}

/* ---- transactions ---- */

/* Work that failed inside goes with the savepoint; MariaDB and SQLite may have rolled back more than that. */
static bool in_savepoint(struct writer *w)
{
	if (!run(w, "SAVEPOINT s"))
		return false;
	bool done = true;
	for (unsigned n = 1 + below(w, 3); done && n > 0; n--)
		done = any_statement(w);
	if (done && one_in(w, 2))
		return run(w, "RELEASE SAVEPOINT s");
	if (!done && !is(w, "postgresql"))
		return false;
	return run(w, "ROLLBACK TO SAVEPOINT s");
}

static bool some_statements(struct writer *w)
{
	bool slow = one_in(w, 10);
	for (unsigned n = 1 + below(w, one_in(w, 8) ? 20 : 5); n > 0; n--) {
		if (one_in(w, 5) && !in_savepoint(w))
			return false;
		if (!any_statement(w))
			return false;
		if (slow)
			think(w, 60);
	}
	return true;
}

static bool begin(struct writer *w)
{
	static const char *const levels[] = {"READ COMMITTED", "READ COMMITTED", "READ COMMITTED", "REPEATABLE READ",
	                                     "SERIALIZABLE"};
	char sql[128];
	if (is(w, "sqlite"))
		return run(w, one_in(w, 6) ? "BEGIN" : "BEGIN IMMEDIATE");
	snprintf(sql, sizeof sql, "SET %s TRANSACTION ISOLATION LEVEL %s",
	         is(w, "mariadb") ? "SESSION" : "SESSION CHARACTERISTICS AS", levels[below(w, COUNT(levels))]);
	return run(w, sql) && run(w, "BEGIN");
}

static void undo(struct writer *w)
{
	sqlclient_run(w->client, "ROLLBACK", w->text, TEXT); /* may have happened: then there is nothing to do */
}

static void transaction(struct writer *w)
{
	if (one_in(w, 5)) {
		tell(w, "done\t%s", any_statement(w) ? "alone" : "failed");
		return;
	}
	if (!begin(w) || !some_statements(w)) {
		undo(w);
		tell(w, "done\tfailed");
	} else if (one_in(w, 7)) {
		tell(w, "done\t%s", run(w, "ROLLBACK") ? "rollback" : "failed");
	} else if (run(w, "COMMIT")) {
		tell(w, "done\tcommit");
	} else {
		undo(w);
		tell(w, "done\tfailed");
	}
}

/* ---- two phases ---- */

static bool end_prepared(struct writer *w, const char *id)
{
	char sql[128];
	bool keep = !one_in(w, 3);
	if (is(w, "postgresql"))
		snprintf(sql, sizeof sql, "%s PREPARED '%s'", keep ? "COMMIT" : "ROLLBACK", id);
	else
		snprintf(sql, sizeof sql, "XA %s '%s'", keep ? "COMMIT" : "ROLLBACK", id);
	w->prepared[0] = '\0';
	bool done = run(w, sql);
	tell(w, "done\t%s", !done ? "failed" : keep ? "commit prepared" : "rollback prepared");
	return done;
}

static bool prepare(struct writer *w, const char *id)
{
	char sql[128];
	if (is(w, "postgresql")) {
		snprintf(sql, sizeof sql, "PREPARE TRANSACTION '%s'", id);
		return run(w, sql);
	}
	snprintf(sql, sizeof sql, "XA END '%s'", id);
	if (!run(w, sql))
		return false;
	snprintf(sql, sizeof sql, "XA PREPARE '%s'", id);
	return run(w, sql);
}

static void undo_xa(struct writer *w, const char *id)
{
	char sql[128];
	snprintf(sql, sizeof sql, "XA END '%s'", id);
	sqlclient_run(w->client, sql, w->text, TEXT); /* has no effect where the server has rolled back already */
	snprintf(sql, sizeof sql, "XA ROLLBACK '%s'", id);
	sqlclient_run(w->client, sql, w->text, TEXT);
}

/* Prepared, it is ended later: after other transactions (PostgreSQL), or by another connection. */
static void two_phases(struct writer *w)
{
	char id[64], sql[128];
	snprintf(id, sizeof id, "%s.%08x%08x", w->name, below(w, UINT32_MAX), below(w, UINT32_MAX));
	snprintf(sql, sizeof sql, "XA START '%s'", id);
	bool pg = is(w, "postgresql");
	if (!(pg ? begin(w) : run(w, sql)) || !some_statements(w) || !prepare(w, id)) {
		if (pg)
			undo(w);
		else
			undo_xa(w, id);
		tell(w, "done\tfailed");
		return;
	}
	tell(w, "done\tprepared");
	strcpy(w->prepared, id);
	think(w, 100);
	if (!one_in(w, 2))
		end_prepared(w, id);
	else if (!pg)
		exit(EXIT_FAILURE); /* the next connection finds it */
}

/* Transactions that an earlier connection of this writer has left. */
static void end_all_prepared(struct writer *w)
{
	char list[TEXT], sql[128], *rest = list, *line;
	if (is(w, "sqlite"))
		return;
	snprintf(sql, sizeof sql, "SELECT gid FROM pg_prepared_xacts WHERE gid LIKE '%s.%%'", w->name);
	if (!run(w, is(w, "postgresql") ? sql : "XA RECOVER"))
		return;
	strcpy(list, w->text);
	while ((line = strsep(&rest, "\n")) != NULL) {
		const char *id = strrchr(line, '|') != NULL ? strrchr(line, '|') + 1 : line;
		if (strncmp(id, w->name, strlen(w->name)) == 0 && id[strlen(w->name)] == '.')
			end_prepared(w, id);
	}
}

/* ---- the life of a writer ---- */

static void set_up(struct writer *w)
{
	static const char *const settings[][2] = {
		{"postgresql", "SET lock_timeout = '2s'; SET client_min_messages = error"},
		{"mariadb", "SET SESSION lock_wait_timeout = 2, innodb_lock_wait_timeout = 2"},
		{"sqlite", "PRAGMA busy_timeout = 10000"},
	};
	for (size_t i = 0; i < COUNT(settings); i++)
		if (is(w, settings[i][0]) && !run(w, settings[i][1]))
			exit(2);
	char sql[64];
	snprintf(sql, sizeof sql, "SELECT GET_LOCK('%s', 10)", w->name); /* so that waits.c knows who is a writer */
	if (is(w, "mariadb") && !run(w, sql))
		exit(2);
}

static int opened(const char *dir, const char *name, const char *suffix)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s%s", dir, name, suffix);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		cannot(path);
	return fd;
}

static bool told_to_stop(const char *dir)
{
	char path[256];
	snprintf(path, sizeof path, "%s/stop", dir);
	return access(path, F_OK) == 0;
}

static void step(struct writer *w)
{
	flock(w->turn, LOCK_EX);
	flock(w->gate, LOCK_SH);
	flock(w->turn, LOCK_UN);
	if (w->prepared[0] != '\0' && !one_in(w, 3))
		end_prepared(w, w->prepared);
	else if (!is(w, "sqlite") && w->prepared[0] == '\0' && one_in(w, 12))
		two_phases(w);
	else
		transaction(w);
	flock(w->gate, LOCK_UN);
}

int main(int argc, char **argv)
{
	static struct writer w;
	if (argc != 6)
		return 2;
	const char *dir = argv[3];
	w.engine = argv[1];
	w.name = argv[4];
	w.state = strtoull(argv[5], NULL, 10);
	w.log = opened(dir, w.name, ".log");
	w.turn = opened(dir, "turn", "");
	w.gate = opened(dir, "gate", "");
	read_templates(&w, dir);
	w.client = sqlclient_open(argv[2]);
	set_up(&w);
	flock(w.gate, LOCK_SH);
	end_all_prepared(&w);
	flock(w.gate, LOCK_UN);
	while (!told_to_stop(dir)) {
		step(&w);
		if (one_in(&w, 4))
			think(&w, 30);
	}
	end_all_prepared(&w);
	sqlclient_close(&w.client);
	return 0;
}
