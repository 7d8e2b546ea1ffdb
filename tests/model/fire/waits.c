/* SPDX-License-Identifier: MIT
 *
 * waits.c: how long do writers of fire.sh wait for viewd?
 *
 *   waits ENGINE TARGET DIR
 *
 * Asks the server all the time who waits for whom; on SQLite, asks the system how long viewd (its number is in
 * DIR/viewd.pid) holds the lock of who writes. Each wait that is longer than all before it is printed.
 * Ends when there is DIR/stop; with status 1 when the connection is lost.
 */
#include "support/sqlclient.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEXT 65536
#define PAUSE_MS 150   /* MariaDB tells what it told before to whom has asked within 100 ms */
#define WRITE_LOCK 120 /* the byte of the -shm file */

/* Milliseconds, and for what. */
static const char of_postgresql[] =
	"SELECT (extract(epoch FROM clock_timestamp() - l.waitstart) * 1000)::bigint, left(v.query, 200) "
	"FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid AND a.usename = 'writer' "
	"CROSS JOIN LATERAL unnest(pg_blocking_pids(l.pid)) AS b(pid) "
	"JOIN pg_stat_activity v ON v.pid = b.pid AND v.usename = 'viewd' "
	"WHERE NOT l.granted AND l.waitstart IS NOT NULL ORDER BY 1 DESC LIMIT 1";

/* A writer has the lock of its name: in a trigger it has the name of the trigger's user. Definitions are changed by
 * viewd only. */
#define WRITERS \
	"(IS_USED_LOCK('w1'), IS_USED_LOCK('w2'), IS_USED_LOCK('w3'), IS_USED_LOCK('w4'), IS_USED_LOCK('w5'), " \
	"IS_USED_LOCK('w6'), IS_USED_LOCK('w7'), IS_USED_LOCK('w8'), 0)"
static const char of_mariadb[] =
	"SELECT ms, what FROM (SELECT CAST(time_ms AS INTEGER) AS ms, concat('a definition: ', left(info, 100)) AS what "
	"FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock%' AND id IN " WRITERS
	" UNION ALL SELECT TIMESTAMPDIFF(MICROSECOND, r.trx_wait_started, now()) DIV 1000, left(p.info, 200) "
	"FROM information_schema.innodb_lock_waits w "
	"JOIN information_schema.innodb_trx r ON r.trx_id = w.requesting_trx_id AND r.trx_mysql_thread_id IN " WRITERS
	" JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id AND (b.trx_mysql_thread_id IN " WRITERS
	") IS NOT TRUE JOIN information_schema.processlist p ON p.id = b.trx_mysql_thread_id) q ORDER BY ms DESC LIMIT 1";

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool stopped(const char *dir)
{
	char path[256];
	snprintf(path, sizeof path, "%s/stop", dir);
	return access(path, F_OK) == 0;
}

static long viewd_pid(const char *dir)
{
	char path[256];
	long pid = 0;
	snprintf(path, sizeof path, "%s/viewd.pid", dir);
	FILE *file = fopen(path, "re");
	if (file == NULL || fscanf(file, "%ld", &pid) != 1)
		pid = 0;
	if (file != NULL)
		fclose(file);
	return pid;
}

static bool is_writing(long viewd, ino_t shm)
{
	char line[256];
	bool found = false;
	FILE *file = fopen("/proc/locks", "re");
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		long pid;
		unsigned long inode, from;
		found |= sscanf(line, "%*d: POSIX ADVISORY WRITE %ld %*x:%*x:%lu %lu", &pid, &inode, &from) == 3 &&
		         pid == viewd && inode == shm && from == WRITE_LOCK;
	}
	if (file != NULL)
		fclose(file);
	return found;
}

/* How long it has been held without a moment in which it was seen free. */
static int64_t sqlite_ms(const char *target, const char *dir)
{
	static int64_t since;
	char path[256];
	struct stat st;
	snprintf(path, sizeof path, "%s-shm", target);
	if (stat(path, &st) != 0 || !is_writing(viewd_pid(dir), st.st_ino))
		since = 0;
	else if (since == 0)
		since = now_ms();
	return since != 0 ? now_ms() - since : -1;
}

static int64_t ask(struct sqlclient *client, const char *sql, char *text)
{
	if (!sqlclient_run(client, sql, text, TEXT)) {
		fprintf(stderr, "%s\n", text);
		exit(EXIT_FAILURE);
	}
	return text[0] != '\0' ? strtoll(text, NULL, 10) : -1;
}

int main(int argc, char **argv)
{
	static char text[TEXT];
	int64_t longest = -1, ms;
	unsigned long looks = 0;
	if (argc != 4)
		return 2;
	bool sqlite = strcmp(argv[1], "sqlite") == 0;
	const char *sql = strcmp(argv[1], "postgresql") == 0 ? of_postgresql : of_mariadb;
	struct sqlclient *client = sqlite ? NULL : sqlclient_open(argv[2]);
	for (; !stopped(argv[3]); looks++) {
		ms = sqlite ? sqlite_ms(argv[2], argv[3]) : ask(client, sql, text);
		text[strcspn(text, "\n")] = '\0';
		if (ms > longest)
			printf("%" PRId64 "\t%s\n", longest = ms, sqlite ? "a transaction" : text);
		if (looks == 0)
			printf("%d\t%s\n", 0, "looking");
		fflush(stdout);
		poll(NULL, 0, sqlite ? 5 : PAUSE_MS);
	}
	sqlclient_close(&client);
	return 0;
}
