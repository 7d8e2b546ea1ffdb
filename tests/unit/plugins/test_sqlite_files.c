/* SPDX-License-Identifier: MIT
 *
 * viewd and an application are different users of one group that share a SQLite file: neither locks the other out.
 */
#include "unit/plugins/sqlite_fixture.h"

#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

#define APP 71001
#define VIEWD 71002
#define SHARED 71010

static void become(uid_t user, gid_t primary, gid_t other, mode_t mask)
{
	if (setgroups(1, &other) != 0 || setgid(primary) != 0 || setuid(user) != 0)
		_exit(99);
	umask(mask);
}

/* ---- the application, each time a process of its own ---- */

static int run_sql(const char *sql)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(harness_path("test.db"), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
	if (rc == SQLITE_OK)
		sqlite3_busy_timeout(db, 5000);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
	return rc;
}

/* Runs SQL as the application, whose second group is the database's; returns the result code. */
static int app_runs(const char *sql, mode_t mask)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		become(APP, APP, SHARED, mask);
		_exit(run_sql(sql) & 0xff);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* A file of the application's and the shared group, in a directory like that. */
static void make_database(const char *journal, mode_t directory, mode_t file)
{
	if (geteuid() != 0)
		harness_skip("only root can be two users");
	REQUIRE(chown(harness_dir(), APP, SHARED) == 0 && chmod(harness_dir(), 0755 | directory) == 0);
	REQUIRE(app_runs(talloc_asprintf(harness_ctx(),
	                                 "PRAGMA journal_mode = %s; CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1)",
	                                 journal),
	                 022) == 0);
	REQUIRE(chown(harness_path("test.db"), APP, SHARED) == 0 && chmod(harness_path("test.db"), file) == 0);
}

/* ---- viewd, in a process that does one step for each byte it is sent ---- */

struct viewd_process {
	pid_t pid;
	int to, from;
};

static void steps(struct fixture *f, int from, int to)
{
	struct viewd_view_spec view = fixture_table_of("SELECT count(*) AS n FROM t");
	const struct viewd_source source = {"", "t", VIEWD_KIND_TABLE};
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_TRIGGER, .sources = &source, .n_sources = 1};
	struct viewd_captured captured;
	struct viewd_watch *watch = NULL;
	char step;
	bool done = true;
	while (read(from, &step, 1) == 1) {
		if (step == 'o')
			done = (f->conn = f->dialect->open(&f->host, &f->db, &f->err)) != NULL &&
			       f->dialect->prepare(f->conn, (struct viewd_recorded_sink){0}, &f->err);
		if (step == 'w')
			done = (watch = f->dialect->capture->watch_open(&f->host, &f->db, &f->err)) != NULL;
		if (step == 'm')
			done = fixture_apply(f, &view, VIEWD_CHANGE_CREATE) &&
			       f->dialect->capture->set(f->conn, &view, &req, &captured, (struct viewd_text_sink){0}, &f->err);
		if (step == 'r')
			done = fixture_refresh(f, &view);
		if (step == 'c') {
			f->dialect->capture->watch_close(&watch);
			f->dialect->close(&f->conn);
		}
		if (!done)
			dprintf(to, "%s; %s", f->err.msg, f->err.hint);
		else if (write(to, "", 1) != 1)
			break;
	}
	_exit(0);
}

static struct viewd_process start_as(uid_t user, gid_t primary, gid_t other, mode_t mask)
{
	struct fixture f;
	int to[2], from[2];
	fixture_load(&f);
	REQUIRE(pipe(to) == 0 && pipe(from) == 0);
	struct viewd_process p = {.pid = fork(), .to = to[1], .from = from[0]};
	if (p.pid == 0) {
		close(to[1]);
		close(from[0]);
		become(user, primary, other, mask);
		steps(&f, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	return p;
}

/* "" when it worked, else why not. */
static const char *step(struct viewd_process *p, const char *what)
{
	char buf[2048] = "";
	for (; *what != '\0' && buf[0] == '\0'; what++) {
		ssize_t got = write(p->to, what, 1) == 1 ? read(p->from, buf, sizeof buf - 1) : -1;
		if (got < 0)
			return "it has gone";
		buf[got] = '\0';
	}
	return talloc_strdup(harness_ctx(), buf);
}

static void stop(struct viewd_process *p)
{
	close(p->to);
	REQUIRE(waitpid(p->pid, NULL, 0) == p->pid);
	close(p->from);
}

static bool is_shared(const char *name)
{
	struct stat st;
	return stat(harness_path(name), &st) != 0 || (st.st_gid == SHARED && (st.st_mode & 0060) == 0060);
}

static void check_files(const char *when)
{
	static const char *const names[] = {"test.db", "test.db-wal", "test.db-shm", "test.db-journal", "test.db-viewd"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		harness_check(is_shared(names[i]), __FILE__, __LINE__, "%s: the group may write %s", when, names[i]);
}

/* ---- tests ---- */

#define WRITE "INSERT INTO t VALUES (2)"

static void share(const char *journal, mode_t mask)
{
	const char *when = talloc_asprintf(harness_ctx(), "%s, %03o", journal, (unsigned)mask);
	struct viewd_process p = start_as(VIEWD, VIEWD, SHARED, mask);
	CHECK_STR(step(&p, "owmr"), "");
	check_files(when);
	harness_check(app_runs(WRITE, mask) == 0, __FILE__, __LINE__, "%s: the application writes beside viewd", when);
	CHECK_STR(step(&p, "rc"), "");
	harness_check(app_runs(WRITE, mask) == 0, __FILE__, __LINE__, "%s: the application writes after viewd", when);
	CHECK_STR(step(&p, "owr"), "");
	check_files(when);
	harness_check(app_runs(WRITE "; DROP TABLE v", mask) == 0, __FILE__, __LINE__,
	              "%s: the application writes beside it again", when);
	CHECK_STR(step(&p, "c"), "");
	stop(&p);
	CHECK(access(harness_path("test.db-viewd"), F_OK) != 0);
}

static void either_comes_first(void)
{
	static const char *const journals[] = {"wal", "delete"};
	static const mode_t masks[] = {022, 027, 077};
	for (size_t i = 0; i < ARRAY_LEN(journals) * ARRAY_LEN(masks); i++) {
		unlink(harness_path("test.db"));
		make_database(journals[i / ARRAY_LEN(masks)], 0775, 0664);
		share(journals[i / ARRAY_LEN(masks)], masks[i % ARRAY_LEN(masks)]);
	}
}

/* The application's files are there, hot, and must be rolled back or recovered by the application. */
static void the_application_goes_on_after_a_kill(void)
{
	static const char *const journals[] = {"wal", "delete"};
	for (size_t i = 0; i < ARRAY_LEN(journals); i++) {
		unlink(harness_path("test.db"));
		make_database(journals[i], 0775, 0660);
		struct viewd_process p = start_as(VIEWD, VIEWD, SHARED, 077);
		CHECK_STR(step(&p, "owmr"), "");
		kill(p.pid, SIGKILL);
		stop(&p);
		check_files(journals[i]);
		CHECK_INT(app_runs(WRITE, 077), 0);
	}
}

static void the_directory_may_give_the_group(void)
{
	make_database("wal", 02775, 0664);
	struct viewd_process p = start_as(VIEWD, SHARED, VIEWD, 022);
	CHECK_STR(step(&p, "owmr"), "");
	CHECK_INT(app_runs(WRITE, 022), 0);
	check_files("directory");
	stop(&p);
}

/* As root it gives the owner too, so that somebody outside the group's bits goes on. */
static void root_gives_the_owner(void)
{
	struct stat st;
	make_database("wal", 0755, 0600);
	struct viewd_process p = start_as(0, 0, 0, 077);
	CHECK_STR(step(&p, "owmr"), "");
	CHECK_INT(app_runs(WRITE, 022), 0);
	REQUIRE(stat(harness_path("test.db-wal"), &st) == 0);
	CHECK_INT(st.st_uid, APP);
	CHECK_INT(st.st_mode & 0777, 0600);
	stop(&p);
}

/* A file that cannot be shared is not opened, and nothing is left that would be in the application's way. */
static void what_would_lock_it_out_is_refused(void)
{
	static const struct {
		mode_t directory, file;
		gid_t group;
		const char *says;
		uid_t owner;
	} cases[] = {
		{0777, 0666, VIEWD, "", APP}, /* everybody may write: no group is needed */
		{0777, 0664, VIEWD, "they cannot have its group", VIEWD},
		{0755, 0664, SHARED, "may not write directory", APP},
		{0775, 0644, SHARED, "cannot be written", APP},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		unlink(harness_path("test.db"));
		make_database("wal", cases[i].directory, cases[i].file);
		REQUIRE(chmod(harness_dir(), cases[i].directory) == 0);
		REQUIRE(chown(harness_path("test.db"), cases[i].owner, SHARED) == 0);
		struct viewd_process p = start_as(VIEWD, VIEWD, cases[i].group, 022);
		const char *why = step(&p, "o");
		if (cases[i].says[0] == '\0')
			CHECK_STR(why, "");
		CHECK_CONTAINS(why, cases[i].says);
		CHECK_CONTAINS(why, cases[i].says[0] != '\0' ? "71002" : ""); /* the user, the directory or file, its mode */
		CHECK_INT(app_runs(WRITE, 022), 0);
		stop(&p);
	}
}

/* The application's SQLite gives its files its own group: viewd cannot mend that, and says which file it is. */
static void what_the_application_keeps_for_itself_is_named(void)
{
	make_database("truncate", 0775, 0664);
	struct viewd_process p = start_as(VIEWD, VIEWD, SHARED, 022);
	CHECK_STR(step(&p, "owmr"), "");
	for (int i = 0; i < 2; i++) { /* its journal has its group: viewd removes it */
		CHECK_INT(app_runs("PRAGMA journal_mode = truncate; " WRITE, 022), 0);
		CHECK_STR(step(&p, "r"), "");
	}
	stop(&p);
	CHECK_INT(app_runs("PRAGMA journal_mode = wal", 022), 0);
	struct viewd_process app = start_as(APP, APP, SHARED, 022); /* has it open, as an application would */
	REQUIRE(chown(harness_path("test.db"), APP, APP) == 0);
	CHECK_STR(step(&app, "o"), "");
	REQUIRE(chown(harness_path("test.db"), APP, SHARED) == 0);
	p = start_as(VIEWD, VIEWD, SHARED, 022);
	CHECK_CONTAINS(step(&p, "o"), "user '71002' may not write file '");
	CHECK_CONTAINS(step(&p, "o"), "test.db-wal' (owner 71001, group 71001, mode 0664)");
	stop(&p);
	stop(&app);
}

static const struct harness_test tests[] = {
	{"either comes first", either_comes_first},
	{"the application goes on after a kill", the_application_goes_on_after_a_kill},
	{"the directory may give the group", the_directory_may_give_the_group},
	{"root gives the owner", root_gives_the_owner},
	{"what the application keeps for itself is named", what_the_application_keeps_for_itself_is_named},
	{"what would lock it out is refused", what_would_lock_it_out_is_refused},
};
HARNESS_MAIN(SUITE("sqlite files", tests))
