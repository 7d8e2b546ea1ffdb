/* SPDX-License-Identifier: MIT
 *
 * test_reload.c: old files, new files, what is reported, what follows; storms of reloads; reloads during reloads.
 */
#include "reload.h"
#include "unit/core/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <talloc.h>
#include <unistd.h>

struct told {
	size_t n;
	enum reload_outcome outcome;
	int64_t generation;
	char text[2000]; /* entries, problems, restarts; one a line */
};

static void tell(void *ctx, const struct reload_report *r)
{
	struct told *t = ctx;
	char *text = talloc_strdup(NULL, "");
	t->n++;
	t->outcome = r->outcome;
	t->generation = r->generation;
	for (size_t i = 0; i < r->n_entries; i++)
		text = talloc_asprintf_append(text, "%s%s%s %s: %s\n", r->entries[i].what,
		                              r->entries[i].name[0] != '\0' ? " " : "", r->entries[i].name,
		                              r->entries[i].change, r->entries[i].detail);
	for (size_t i = 0; i < r->n_problems; i++)
		text = talloc_asprintf_append(text, "%s\n", r->problems[i].text);
	for (size_t i = 0; i < r->n_restart_needed; i++)
		text = talloc_asprintf_append(text, "restart: %s\n", r->restart_needed[i]);
	for (size_t i = 0; i < r->n_planned; i++)
		text = talloc_asprintf_append(text, "planned %s: %s\n", r->planned[i].view, r->planned[i].change);
	snprintf(t->text, sizeof t->text, "%s", text);
	talloc_free(text);
}

struct bench {
	struct rig *rig;
	struct reload *reload;
};

static struct bench begin(const char *text)
{
	struct bench b = {.rig = rig_start(text)};
	b.reload = reload_new(b.rig->eng, b.rig->loop, b.rig->pool, b.rig->registry, harness_path("viewd.conf"));
	return b;
}

static void end(struct bench *b)
{
	RUN_UNTIL(b->rig, rig_working(b->rig) == 0);
	reload_free(&b->reload);
	rig_free(&b->rig);
}

static void reload_now(struct bench *b, const char *text, bool dry_run, struct told *t)
{
	*t = (struct told){.n = 0};
	harness_file("viewd.conf", text);
	reload_request(b->reload, dry_run, tell, t);
	CHECK_INT(t->n, 0);
	RUN_UNTIL(b->rig, t->n > 0);
	rig_settle(b->rig);
	CHECK_INT(t->n, 1);
}

#define A "[view a]\ndatabase = d\nmethod = table\nevery = 1h\ndefinition = 'SELECT * FROM t_x'\n"
#define B "[view b]\ndatabase = d\nmethod = table\nevery = 1h\ndefinition = 'SELECT * FROM t_x'\n"

struct row {
	const char *what, *old, *new;
	enum reload_outcome outcome;
	const char *report;               /* part of told.text; "": it is empty */
	const char *log;                  /* an error or warning that comes, or NULL */
	size_t opens, applies, refreshes; /* calls that follow */
};

#define NOWHERE "[viewd]\nplugin_dir = /nonexistent\n" /* not whatever an earlier `make install` has left */

static const struct row rows[] = {
	{"nothing", DB A, DB A, RELOAD_UNCHANGED, "", NULL, 0, 0, 0},
	{"a comment and the order of keys", DB A,
     "; hello\n" DB "[view a]\nevery = 60m\nmethod = table\ndatabase = "
     "d\ndefinition = 'SELECT * FROM t_x'\n",
     RELOAD_UNCHANGED, "", NULL, 0, 0, 0},
	{"live: a schedule", DB A,
     DB "[view a]\ndatabase = d\nmethod = table\nevery = 2h\ndefinition = 'SELECT * FROM t_x'\n", RELOAD_COMMITTED,
     "view a changed: every (taken over at once)", NULL, 0, 0, 0},
	{"live: of a database", DB A, "[database d]\nurl = fake://d\nmax_concurrent_refreshes = 7\n" A, RELOAD_COMMITTED,
     "database d changed: max_concurrent_refreshes (taken over at once)", NULL, 0, 0, 0},
	{"live: of the daemon", DB A, "[viewd]\nmax_concurrent_refreshes = 7\n" DB A, RELOAD_COMMITTED,
     "viewd changed: max_concurrent_refreshes (taken over at once)", NULL, 0, 0, 0},
	{"reconnect", DB A, "[database d]\nurl = fake://d?x=1\n" A, RELOAD_COMMITTED,
     "database d changed: url (the connections to the database are opened anew)", NULL, 1, 0, 0},
	{"reconnect: a dialect's own key", DB A, DB "note = hello\n" A, RELOAD_COMMITTED,
     "database d changed: note (the "
     "connections to the database are opened anew)",
     NULL, 1, 0, 0},
	{"the definition", DB A,
     DB "[view a]\ndatabase = d\nmethod = table\nevery = 1h\ndefinition = 'SELECT * FROM t_y'\n", RELOAD_COMMITTED,
     "view a changed: definition", NULL, 0, 1, 0},
	{"an index", DB A, DB A "index_x = (x)\n", RELOAD_COMMITTED, "view a changed: index_x", NULL, 0, 1, 0},
	{"restart", DB A, "[viewd]\ncontrol_socket = /tmp/other.sock\n" DB A, RELOAD_COMMITTED, "restart: control_socket",
     "setting control_socket takes effect at the next start", 0, 0, 0},
	{"added", DB A, DB A B, RELOAD_COMMITTED, "view b added: ", NULL, 0, 1, 0},
	{"removed", DB A B, DB A, RELOAD_COMMITTED, "view b removed: ", NULL, 0, 0, 0},
	{"a database is added", DB A, DB "[database e]\nurl = fake://e\n" A, RELOAD_COMMITTED, "database e added: ", NULL,
     0, 0, 0},
	{"a typing error", DB A, DB A "evry = 1h\n", RELOAD_REFUSED, "evry", "evry", 0, 0, 0},
	{"a bad value", DB A, DB "[view a]\ndatabase = d\nevery = 5\ndefinition = SELECT 1\n", RELOAD_REFUSED,
     "[view a] every", "every", 0, 0, 0},
	{"an unknown database", DB A, DB A "[view b]\ndatabase = x\ndefinition = SELECT 1\n", RELOAD_REFUSED,
     "there is no [database x]", "there is no [database x]", 0, 0, 0},
	{"an unknown dependency", DB A, DB A "depends_on = nosuch\n", RELOAD_REFUSED, "nosuch", "nosuch", 0, 0, 0},
	{"the dialect refuses a view", DB A, DB "[view a]\ndatabase = d\ndefinition = DELETE\n", RELOAD_REFUSED,
     "the definition is not a query; begin it with SELECT", "the definition is not a query", 0, 0, 0},
	{"the dialect refuses a database", DB A, DB "note = bad\n" A, RELOAD_REFUSED, "'bad' is not a note",
     "'bad' is not a note", 0, 0, 0},
	{"a plugin is missing", NOWHERE DB A, NOWHERE DB A "[database e]\nurl = nosuchdialect://x\n", RELOAD_REFUSED,
     "nosuchdialect", "nosuchdialect", 0, 0, 0},
	{"no view is left", DB A, DB, RELOAD_REFUSED, "no view is left", "no view is left", 0, 0, 0},
	{"not an INI file", DB A, "hello\n", RELOAD_REFUSED, "viewd.conf:1", "viewd.conf:1", 0, 0, 0},
};

/* Everything an administrator can see of an instance, and its next time: equal before and after a refused reload. */
static char *picture(struct rig *rig)
{
	char *text = talloc_strdup(harness_ctx(), "");
	for (size_t i = 0; i < rig->eng->n_views; i++) {
		struct view_status st;
		engine_status(rig->eng, rig->eng->views[i], &st);
		text = talloc_asprintf_append(text, "%p %s %d %d %lld %lld %s\n", (const void *)st.conf, st.name, (int)st.state,
		                              (int)st.result, (long long)st.next_refresh_us, (long long)st.last_success_us,
		                              st.schedule);
	}
	return text;
}

static void check_row(const struct row *r)
{
	struct bench b = begin(r->old);
	struct told t;
	size_t opens = fake_calls("d", "open", NULL), applies = fake_calls("d", "apply", NULL);
	size_t looks = fake_calls("d", "inspect", NULL), views = b.rig->eng->n_views;
	char *before = picture(b.rig);
	reload_now(&b, r->new, false, &t);
	harness_check(t.outcome == r->outcome, __FILE__, __LINE__, "%s: outcome %d: %s", r->what, (int)t.outcome, t.text);
	harness_check(r->report[0] == '\0' ? t.text[0] == '\0' : strstr(t.text, r->report) != NULL, __FILE__, __LINE__,
	              "%s: %s", r->what, t.text);
	harness_check(fake_calls("d", "open", NULL) - opens == r->opens, __FILE__, __LINE__, "%s: opens", r->what);
	harness_check(fake_calls("d", "apply", NULL) - applies == r->applies, __FILE__, __LINE__, "%s: applies", r->what);
	harness_check(fake_calls("d", "refresh", NULL) == r->refreshes, __FILE__, __LINE__, "%s: refreshes", r->what);
	CHECK_INT(t.generation, r->outcome == RELOAD_COMMITTED ? 2 : 1);
	if (r->outcome != RELOAD_COMMITTED) {
		CHECK_STR(picture(b.rig), before);
		CHECK_INT(b.rig->eng->n_views, views);
		CHECK_INT(fake_calls("d", "inspect", NULL), looks);
	}
	end(&b);
}

static void matrix(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].outcome == RELOAD_COMMITTED && rows[i].log != NULL)
			expect_log(rows[i].log);
		if (rows[i].outcome != RELOAD_REFUSED)
			check_row(&rows[i]);
	}
}

static void refused(void)
{
	expect_log("there is no [view NAME] section; nothing to do");
	expect_log("reload, refused: the old configuration stays in force");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].outcome == RELOAD_REFUSED) {
			expect_log(rows[i].log);
			check_row(&rows[i]);
		}
}

static void all_problems_are_told(void)
{
	struct bench b = begin(DB A);
	struct told t;
	expect_log("evry");
	expect_log("everyy");
	expect_log("reload, refused");
	reload_now(&b, DB A "evry = 1h\n[view c]\ndatabase = d\neveryy = 2h\ndefinition = SELECT 1\n", false, &t);
	CHECK_CONTAINS(t.text, "[view a] evry");
	CHECK_CONTAINS(t.text, "[view c] everyy");
	end(&b);
}

static void dry_run_changes_nothing(void)
{
	struct bench b = begin(DB A);
	struct told t;
	char *before = picture(b.rig);
	reload_now(&b, DB A B, true, &t);
	CHECK_INT(t.outcome, RELOAD_DRY_RUN);
	CHECK_CONTAINS(t.text, "view b added");
	CHECK_STR(picture(b.rig), before);
	end(&b);
}

static void a_storm_is_a_few_reloads(void)
{
	struct bench b = begin(DB A);
	struct told t = {.n = 0};
	size_t before = fake_calls("d", "check_database", NULL);
	harness_file("viewd.conf", DB A B);
	for (int i = 0; i < 1000; i++) {
		reload_request(b.reload, false, NULL, NULL);
		if (i % 100 == 0)
			loop_once(b.rig->loop, SPAN_MS);
	}
	reload_request(b.reload, false, tell, &t);
	RUN_UNTIL(b.rig, t.n == 1);
	size_t reloads = harness_log_count("reload, ");
	CHECK(reloads >= 1 && reloads <= 3);
	CHECK(fake_calls("d", "check_database", NULL) - before <= 4);
	CHECK_INT(fake_calls("d", "refresh", NULL), 0);
	rig_settle(b.rig);
	CHECK_STR(rig_words(b.rig, "b"), "ACTIVE IDLE SUCCEEDED");
	end(&b);
}

static void a_reload_during_a_reload(void)
{
	struct bench b = begin(DB A);
	struct told first = {.n = 0}, second = {.n = 0}, third = {.n = 0};
	fake_do("d", "block check_view a");
	harness_file("viewd.conf", DB A B);
	reload_request(b.reload, false, tell, &first);
	RUN_UNTIL(b.rig, fake_waiting("d") == 1);
	harness_file("viewd.conf", DB A);
	reload_request(b.reload, false, tell, &second);
	reload_request(b.reload, false, tell, &third);
	CHECK_INT(first.n, 0);
	fake_do("d", "release check_view a");
	RUN_UNTIL(b.rig, first.n == 1);
	CHECK_INT(second.n, 0);
	CHECK_CONTAINS(first.text, "view b added");
	RUN_UNTIL(b.rig, second.n == 1 && third.n == 1);
	CHECK_CONTAINS(second.text, "view b removed");
	CHECK_STR(second.text, third.text);
	rig_settle(b.rig);
	CHECK_INT(b.rig->eng->n_views, 1);
	end(&b);
}

/* A database may take long to answer. Another plan waits for the first. */
static void a_reload_during_a_plan(void)
{
	struct bench b = begin(DB A);
	struct told first = {.n = 0}, second = {.n = 0}, third = {.n = 0};
	fake_do("d", "block inspect b");
	harness_file("viewd.conf", DB A B);
	reload_request_plan(b.reload, tell, &first);
	RUN_UNTIL(b.rig, fake_waiting("d") == 1);
	harness_file("viewd.conf", DB A);
	reload_request_plan(b.reload, tell, &second);
	reload_request(b.reload, false, tell, &third);
	RUN_UNTIL(b.rig, third.n == 1);
	CHECK_INT(third.outcome, RELOAD_UNCHANGED);
	CHECK_INT(first.n + second.n, 0);
	fake_do("d", "release inspect b");
	RUN_UNTIL(b.rig, first.n == 1 && second.n == 1);
	CHECK_INT(first.outcome, RELOAD_DRY_RUN);
	CHECK_CONTAINS(first.text, "view b added: \nplanned b: create\n");
	CHECK_STR(second.text, "");
	CHECK_INT(b.rig->eng->n_views, 1);
	end(&b);
}

/* A plan is not told that something was put in force, nor a reload that nothing was. A dry run asks no database. */
static void a_reload_together_with_a_plan(void)
{
	struct bench b = begin(DB A);
	struct told plan = {.n = 0}, reload = {.n = 0}, dry = {.n = 0};
	fake_do("d", "block inspect b");
	harness_file("viewd.conf", DB A B);
	reload_request_plan(b.reload, tell, &plan);
	reload_request(b.reload, true, tell, &dry);
	RUN_UNTIL(b.rig, dry.n == 1);
	CHECK_INT(dry.outcome, RELOAD_DRY_RUN);
	CHECK_STR(dry.text, "view b added: \n");
	CHECK_INT(plan.n, 0);
	RUN_UNTIL(b.rig, fake_waiting("d") == 1);
	fake_do("d", "release inspect b");
	RUN_UNTIL(b.rig, plan.n == 1);
	CHECK_STR(plan.text, "view b added: \nplanned b: create\n");
	reload_request(b.reload, false, tell, &reload);
	reload_request_plan(b.reload, tell, &plan);
	RUN_UNTIL(b.rig, reload.n == 1 && plan.n == 2);
	CHECK_INT(reload.outcome, RELOAD_COMMITTED);
	CHECK_INT(plan.outcome, RELOAD_DRY_RUN);
	CHECK_STR(plan.text, "");
	rig_settle(b.rig);
	end(&b);
}

#define E "[database e]\nurl = fake://e\n"
#define ON_BOTH "[view c]\ndatabase = d, e\nmethod = table\nevery = 1h\ndefinition = 'SELECT * FROM t_x'\n"
#define ON_E "[view f]\ndatabase = e\nmethod = table\nevery = 1h\ndefinition = 'SELECT * FROM t_x'\n"

static void a_plan_asks_where_something_changes(void)
{
	struct bench b = begin(DB E A ON_E);
	struct told t = {.n = 0};
	harness_file("viewd.conf", DB E ON_BOTH A ON_E);
	reload_request_plan(b.reload, tell, &t);
	RUN_UNTIL(b.rig, t.n == 1);
	CHECK_CONTAINS(t.text, "\nplanned d:c: create\nplanned e:c: create\n");
	size_t opens = fake_calls("d", "open", NULL), looks = fake_calls("e", "inspect", "f");
	harness_file("viewd.conf", DB E A ON_E "[view g]\ndatabase = e\nenabled = no\ndefinition = SELECT 1\n"
	                                       "[view h]\ndatabase = e\nmethod = table\ndefinition = SELECT 1\n");
	reload_request_plan(b.reload, tell, &t);
	RUN_UNTIL(b.rig, t.n == 2);
	CHECK_CONTAINS(t.text, "\nplanned h: create\n");
	CHECK(strstr(t.text, "planned g") == NULL);
	CHECK_INT(fake_calls("d", "open", NULL), opens);
	CHECK_INT(fake_calls("e", "inspect", "f"), looks);
	end(&b);
}

static void a_reload_does_not_disturb_what_runs(void)
{
	struct bench b = begin(DB A);
	struct rig_report r;
	struct told t = {.n = 0};
	fake_do("d", "block refresh a");
	rig_refresh(b.rig, "a", &r);
	RUN_UNTIL(b.rig, fake_running("d") == 1);
	harness_file("viewd.conf", DB A B);
	reload_request(b.reload, false, tell, &t);
	RUN_UNTIL(b.rig, t.n == 1);
	CHECK_INT(fake_running("d"), 1);
	CHECK_INT(fake_calls("d", "cancel", NULL), 0);
	fake_do("d", "release refresh a");
	RUN_UNTIL(b.rig, r.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED);
	rig_settle(b.rig);
	end(&b);
}

/* A socket where a service manager would listen. */
static int listen_for_notices(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", harness_path("notify"));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
	setenv("NOTIFY_SOCKET", addr.sun_path, 1);
	return fd;
}

/* Everything that was told, in the test's memory. */
static const char *end_of_notices(int fd)
{
	char *text = talloc_strdup(harness_ctx(), ""), part[500];
	for (ssize_t n; (n = recv(fd, part, sizeof part - 1, 0)) > 0;)
		text = talloc_asprintf_append(text, "%.*s\n", (int)n, part);
	unsetenv("NOTIFY_SOCKET");
	close(fd);
	return text;
}

static void a_reload_while_stopping(void)
{
	struct bench b = begin(DB A);
	struct told t = {.n = 0}, late = {.n = 0};
	int notices = listen_for_notices();
	fake_do("d", "block check_view a");
	harness_file("viewd.conf", DB A B);
	reload_request(b.reload, false, tell, &t);
	RUN_UNTIL(b.rig, fake_waiting("d") == 1);
	reload_request(b.reload, false, tell, &late);
	engine_stop(b.rig->eng);
	fake_do("d", "release check_view a");
	RUN_UNTIL(b.rig, t.n == 1 && late.n == 1);
	CHECK_INT(t.outcome, RELOAD_REFUSED);
	CHECK_INT(late.outcome, RELOAD_REFUSED);
	const char *told = end_of_notices(notices);
	CHECK_CONTAINS(told, "RELOADING=1");
	CHECK(strstr(told, "READY=1") == NULL);          /* it would take back STOPPING=1 */
	CHECK_INT(fake_kind("d", "b"), VIEWD_KIND_NONE); /* nothing new is begun */
	end(&b);
}

static const struct harness_test tests[] = {
	{"what changes, what is told, what follows", matrix},
	{"refused reloads leave everything as it was", refused},
	{"all problems are told", all_problems_are_told},
	{"a dry run changes nothing", dry_run_changes_nothing},
	{"a storm is a few reloads", a_storm_is_a_few_reloads},
	{"a reload during a reload", a_reload_during_a_reload},
	{"a reload during a plan", a_reload_during_a_plan},
	{"a reload together with a plan", a_reload_together_with_a_plan},
	{"a plan asks where something changes", a_plan_asks_where_something_changes},
	{"a reload does not disturb what runs", a_reload_does_not_disturb_what_runs},
	{"a reload while stopping", a_reload_while_stopping},
};
HARNESS_MAIN(SUITE("reload", tests))
