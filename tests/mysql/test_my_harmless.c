/* SPDX-License-Identifier: MIT
 *
 * An application with few rights writes on, whatever becomes of viewd: each situation, each capture, each kind of
 * statement, from a session of before, from a new one, and in a transaction that is open when it happens. What the
 * engine refuses is in docs/mysql.md, and here.
 */
#include "my_support.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "mysql/capture/trigger_procedure.h"

#define NOT_LOCKED 1100
#define NO_PRIVILEGE 1142
#define NO_DEFINER 1449

enum capture { ACCOUNT, ROLE, BINLOG, N_CAPTURES };
static const char *const capture_words[N_CAPTURES] = {"triggers run as viewd", "triggers run as the role",
                                                      "binary log"};

enum kind { INSERT, SELECT, UPDATE, DELETE, REPLACE, DUPLICATE, LOAD, LOCK, PREPARED, BLOCK, OPEN, N_KINDS };
static const char *const kind_words[N_KINDS] = {"insert", "select", "update", "delete", "replace", "dupl.",
                                                "load",   "lock",   "prep.",  "block",  "open"};

#define WRITES \
	"INSERT INTO sales (region, amount) VALUES ('east', 1), ('west', 2); UPDATE sales SET amount = amount + 1 WHERE " \
	"id < 4;" \
	"DELETE FROM sales WHERE region = 'east'"
#define PREPARE "PREPARE w FROM 'INSERT INTO sales (region, amount) VALUES (''east'', 1)'"

static const char *const statements[N_KINDS] = {
	[INSERT] = "INSERT INTO sales (region, amount) VALUES ('east', 1), ('west', 2)",
	[SELECT] = "INSERT INTO sales (region, amount) SELECT region, amount FROM sales WHERE id < 4",
	[UPDATE] = "UPDATE sales SET amount = amount + 1 WHERE id < 4",
	[DELETE] = "DELETE FROM sales ORDER BY id DESC LIMIT 1",
	[REPLACE] = "REPLACE INTO sales (id, region, amount) VALUES (1, 'north', 5)",
	[DUPLICATE] =
		"INSERT INTO sales (id, region, amount) VALUES (2, 'north', 1) ON DUPLICATE KEY UPDATE amount = amount + 1",
	[LOCK] = "LOCK TABLES sales WRITE;" WRITES ";UNLOCK TABLES",
	[PREPARED] = PREPARE ";EXECUTE w",
	[BLOCK] = "START TRANSACTION;" WRITES ";SAVEPOINT s;" WRITES ";ROLLBACK TO s;" WRITES ";COMMIT",
	[OPEN] = WRITES ";COMMIT",
};

static const char *const modes[] = {"",
                                    "STRICT_ALL_TABLES",
                                    "TRADITIONAL",
                                    "ANSI",
                                    "ORACLE",
                                    "NO_BACKSLASH_ESCAPES",
                                    "NO_AUTO_VALUE_ON_ZERO,ONLY_FULL_GROUP_BY"};

/* The statements that are refused, and how. */
#define NONE \
	{ \
		0, 0 \
	}
#define ALL(number) \
	{ \
		(1u << N_KINDS) - 1, number \
	}
#define ONLY(kind, number) \
	{ \
		1u << (kind), number \
	}

struct refusal {
	unsigned kinds, number;
};

struct situation {
	const char *name;
	bool at_work;      /* else viewd was killed before it */
	const char *event; /* as root, separated by ;. NULL: viewd's own uninstall */
	struct refusal refused[N_CAPTURES];
};

/* clang-format off */
static const struct situation situations[] = {
	{"viewd is at work", true, "DO 0", {NONE, NONE, NONE}},
	{"kill -9 of viewd", false, "DO 0", {NONE, NONE, NONE}},
	{"uninstall", false, NULL, {NONE, NONE, NONE}},
	{"viewd_changes dropped, viewd at work", true, "DROP TABLE viewd_changes",
	 {ONLY(LOCK, NOT_LOCKED), ONLY(LOCK, NOT_LOCKED), NONE}},
	{"viewd_changes dropped", false, "DROP TABLE viewd_changes",
	 {ONLY(LOCK, NOT_LOCKED), ONLY(LOCK, NOT_LOCKED), NONE}},
	{"all tables viewd_* dropped", false,
     "DROP VIEW viewd_views; DROP TABLE viewd_changes, viewd_captures, viewd_view_state, viewd_refresh_history, "
     "viewd_requests, viewd_daemon, viewd_objects, viewd_intents",
     {ONLY(LOCK, NOT_LOCKED), ONLY(LOCK, NOT_LOCKED), NONE}},
	{"procedure dropped", false, "DROP PROCEDURE IF EXISTS viewd_note", {NONE, NONE, NONE}},
	{"procedures dropped, viewd at work", true, "DROP PROCEDURE IF EXISTS viewd_note; DROP PROCEDURE IF EXISTS "
	                                            "viewd_test", {NONE, NONE, NONE}},
	{"account locked", false, "ALTER USER viewd@localhost ACCOUNT LOCK", {NONE, NONE, NONE}},
	{"account may only trigger", false, "REVOKE SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, EXECUTE ON shop.* "
	                                    "FROM viewd@localhost", {NONE, NONE, NONE}},
	{"account without rights", false, "REVOKE ALL PRIVILEGES, GRANT OPTION FROM viewd@localhost",
	 {ALL(NO_PRIVILEGE), NONE, NONE}},
	{"account dropped", false, "DROP USER viewd@localhost", {ALL(NO_DEFINER), NONE, NONE}},
	{"role may only trigger", false, "CREATE ROLE IF NOT EXISTS " DEFINER_ROLE "; GRANT TRIGGER, EXECUTE, INSERT ON "
	                                                                           "shop.* TO " DEFINER_ROLE
     "; REVOKE EXECUTE, INSERT ON shop.* FROM " DEFINER_ROLE, {NONE, NONE, NONE}},
	{"role without rights", false, "CREATE ROLE IF NOT EXISTS " DEFINER_ROLE "; REVOKE ALL PRIVILEGES, GRANT OPTION "
	                                                                         "FROM " DEFINER_ROLE,
	                                                                         {NONE, ALL(NO_PRIVILEGE), NONE}},
	{"role dropped", false, "DROP ROLE IF EXISTS " DEFINER_ROLE, {NONE, ALL(NO_DEFINER), NONE}},
};
/* clang-format on */

/* ---- viewd, in a process of its own */

struct viewd {
	pid_t pid;
};

static int end_viewd(struct viewd *viewd)
{
	if (viewd->pid > 0 && kill(viewd->pid, SIGKILL) == 0)
		waitpid(viewd->pid, NULL, 0);
	viewd->pid = 0;
	return 0;
}

static bool ignore_text(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static bool ignore_signal(void *ctx UNUSED, const struct viewd_signal *signal UNUSED)
{
	return true;
}

static bool set_up(struct viewd_conn *conn, enum capture how, struct viewd_err *err)
{
	static const struct viewd_source source = {"shop", "sales", VIEWD_KIND_TABLE};
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, "SELECT * FROM sales");
	struct viewd_capture_request req = {.struct_size = sizeof req,
	                                    .mode = how == BINLOG ? VIEWD_CAPTURE_BINLOG : VIEWD_CAPTURE_TRIGGER,
	                                    .sources = &source,
	                                    .n_sources = 1};
	struct viewd_captured out;

	return DIALECT->prepare(conn, (struct viewd_recorded_sink){0}, err) &&
	       DIALECT->capture->set(conn, &view, &req, &out, (struct viewd_text_sink){ignore_text, NULL}, err);
}

/* Tells the pipe when it is at work; then goes on as a daemon does, which opens what it has lost. */
static void work(enum capture how, int ready)
{
	struct viewd_database_spec spec = my_spec();
	struct viewd_err err = {0};
	struct viewd_conn *conn = DIALECT->open(&my_host, &spec, &err);
	struct viewd_watch *watch = NULL;

	if (conn == NULL || !set_up(conn, how, &err)) {
		fprintf(stderr, "# %s\n", err.msg);
		_exit(1);
	}
	for (bool told = false;;) {
		if (watch == NULL)
			watch = DIALECT->capture->watch_open(&my_host, &spec, &err);
		if (watch == NULL ||
		    !DIALECT->capture->watch_next(watch, 100000, (struct viewd_signal_sink){ignore_signal, NULL}, &err)) {
			DIALECT->capture->watch_close(&watch);
			continue;
		}
		told = told || write(ready, "x", 1) == 1;
	}
}

static struct viewd *start_viewd(enum capture how)
{
	struct viewd *viewd = talloc_zero(harness_ctx(), struct viewd);
	int ready[2];
	char byte;

	REQUIRE(pipe(ready) == 0);
	viewd->pid = fork();
	if (viewd->pid == 0)
		work(how, ready[1]);
	talloc_set_destructor(viewd, end_viewd);
	close(ready[1]);
	REQUIRE(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	return viewd;
}

/* ---- the application */

static int close_clerk(MYSQL **holder)
{
	mysql_close(*holder);
	return 0;
}

static MYSQL *clerk(void)
{
	MYSQL **holder = talloc(harness_ctx(), MYSQL *);
	unsigned on = 1;

	*holder = mysql_init(NULL);
	talloc_set_destructor(holder, close_clerk);
	mysql_options(*holder, MYSQL_OPT_LOCAL_INFILE, &on);
	REQUIRE(mysql_real_connect(*holder, NULL, "clerk", NULL, "shop", 0,
	                           talloc_asprintf(harness_ctx(), "%s/sock", getenv("VIEWD_TEST_MARIADB")), 0) != NULL);
	return *holder;
}

/* The first error of statements separated by ;. Without one 0. */
static unsigned run(MYSQL *my, const char *text)
{
	char *copy = talloc_strdup(harness_ctx(), text), *rest = copy, *one;
	unsigned number = 0;

	while (number == 0 && (one = strsep(&rest, ";")) != NULL)
		number = mysql_query(my, one) == 0 ? 0 : mysql_errno(my);
	if (number != 0)
		CHECK_INT(mysql_query(my, "ROLLBACK") | mysql_query(my, "UNLOCK TABLES"), 0);
	talloc_free(copy);
	return number;
}

static unsigned write_in_mode(MYSQL *my, enum kind kind, const char *mode)
{
	char *set = talloc_asprintf(harness_ctx(), "SET sql_mode = '%s'", mode);
	const char *text = statements[kind];

	CHECK_INT(run(my, set), 0);
	if (kind == LOAD)
		text = talloc_asprintf(set, "LOAD DATA LOCAL INFILE '%s' REPLACE INTO TABLE sales (id, region, amount)",
		                       harness_path("rows"));
	unsigned number = run(my, text);
	talloc_free(set);
	return number;
}

static void write_all(MYSQL *my, unsigned met[N_KINDS])
{
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		for (enum kind kind = 0; kind < OPEN; kind++) {
			unsigned number = write_in_mode(my, kind, modes[i]);
			if (met[kind] == 0)
				met[kind] = number;
		}
}

/* ---- one cell of the table */

struct event {
	const struct situation *situation;
	struct viewd_database_spec spec;
	bool done;
	struct viewd_err err;
};

static bool uninstall(struct event *event)
{
	struct viewd_conn *conn = DIALECT->open(&my_host, &event->spec, &event->err);
	struct viewd_uninstall_request req = {.struct_size = sizeof req};
	bool done =
		conn != NULL && DIALECT->uninstall(conn, &req, (struct viewd_text_sink){ignore_text, NULL}, &event->err);

	DIALECT->close(&conn);
	return done;
}

static bool run_as_root(const char *text)
{
	MYSQL *my = my_root_open();
	char *copy = strdup(text), *rest = copy, *one;
	bool done = my != NULL && copy != NULL;

	while (done && (one = strsep(&rest, ";")) != NULL)
		done = mysql_query(my, one) == 0;
	free(copy);
	mysql_close(my);
	return done;
}

static void *happen(void *ctx)
{
	struct event *event = ctx;

	mysql_thread_init();
	event->done = event->situation->event != NULL ? run_as_root(event->situation->event) : uninstall(event);
	mysql_thread_end();
	return NULL;
}

static void begin(enum capture how)
{
	my_fresh();
	my_do("SET GLOBAL log_bin_trust_function_creators = 1");
	my_do("DROP ROLE IF EXISTS " DEFINER_ROLE);
	my_do("CREATE OR REPLACE USER clerk@localhost");
	my_do("CREATE OR REPLACE ROLE writers");
	my_do("GRANT SELECT, INSERT, UPDATE, DELETE, LOCK TABLES ON shop.* TO writers");
	my_do("GRANT writers TO clerk@localhost");
	my_do("SET DEFAULT ROLE writers FOR clerk@localhost");
	if (how == BINLOG)
		my_do("GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO viewd@localhost");
	if (how != ROLE)
		return;
	my_do("CREATE ROLE " DEFINER_ROLE);
	my_do("GRANT TRIGGER, EXECUTE, INSERT ON shop.* TO " DEFINER_ROLE);
	my_do("GRANT " DEFINER_ROLE " TO viewd@localhost");
}

/* Statements that wait for the event, or for which it waits, go on beside it. */
static void play(const struct situation *situation, enum capture how, unsigned met[N_KINDS])
{
	struct event event = {.situation = situation, .spec = my_spec()};
	unsigned before[N_KINDS] = {0};
	pthread_t thread;

	begin(how);
	struct viewd *viewd = start_viewd(how);
	MYSQL *old = clerk(), *open = clerk();
	write_all(old, before);
	for (enum kind kind = 0; kind < N_KINDS; kind++)
		CHECK_INT(before[kind], 0);
	CHECK_INT(run(open, "START TRANSACTION;" WRITES), 0);
	if (!situation->at_work)
		end_viewd(viewd);
	REQUIRE(pthread_create(&thread, NULL, happen, &event) == 0);
	met[OPEN] = run(open, statements[OPEN]);
	pthread_join(thread, NULL);
	harness_check(event.done, __FILE__, __LINE__, "%s: %s", situation->name, event.err.msg);
	write_all(old, met);
	write_all(clerk(), met);
	end_viewd(viewd);
}

static const char *cell(const struct situation *situation, enum capture how, enum kind kind, unsigned met)
{
	const struct refusal *refused = &situation->refused[how];
	bool may = (refused->kinds & 1u << kind) != 0;

	/* viewd makes again what it can, and an open transaction may have ended before it happens. */
	bool must = may && !situation->at_work && kind != OPEN;
	harness_check(met == 0 ? !must : may && met == refused->number, __FILE__, __LINE__, "%s, %s: %s gives %u",
	              situation->name, capture_words[how], kind_words[kind], met);
	return met == 0 ? "ok" : talloc_asprintf(harness_ctx(), "%u", met);
}

static void table_of(enum capture how)
{
	harness_file("rows", "1000\teast\t1\n1001\teast\t2\n3\tsouth\t3\n");
	printf("# %-38s", capture_words[how]);
	for (enum kind kind = 0; kind < N_KINDS; kind++)
		printf(" %7s", kind_words[kind]);
	printf("\n");
	for (size_t i = 0; i < ARRAY_LEN(situations); i++) {
		unsigned met[N_KINDS] = {0};
		play(&situations[i], how, met);
		printf("# %-38s", situations[i].name);
		for (enum kind kind = 0; kind < N_KINDS; kind++)
			printf(" %7s", cell(&situations[i], how, kind, met[kind]));
		printf("\n");
	}
	my_do("DROP ROLE IF EXISTS " DEFINER_ROLE);
	my_do("DROP ROLE writers");
	my_do("DROP USER clerk@localhost");
	my_do("SET GLOBAL log_bin_trust_function_creators = 0");
}

static void nobody_is_refused_by_triggers(void)
{
	table_of(ACCOUNT);
}

static void nor_by_those_of_a_role(void)
{
	table_of(ROLE);
}

static void nor_where_the_log_is_read(void)
{
	table_of(BINLOG);
}

static const struct harness_test tests[] = {
	{"nobody is refused by triggers", nobody_is_refused_by_triggers},
	{"nor by those of a role", nor_by_those_of_a_role},
	{"nor where the log is read", nor_where_the_log_is_read},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql harmless", tests))
