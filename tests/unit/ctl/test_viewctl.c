/* SPDX-License-Identifier: MIT
 *
 * test_viewctl.c: what viewctl prints, and its exit statuses. The daemon's side runs in a child process.
 */
#include "client/client.h"
#include "client/print/print.h"
#include "ctl_support.h"
#include "support/harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <talloc.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

/* ---- printers -------------------------------------------------------------------------------------------------- */

#define NOW_US INT64_C(1700000000000000)

/* Prints a reply for a command line, at a fixed time. */
static char *printed_so(struct look look, const char *const *words, size_t n, const char *json)
{
	struct viewd_err err = {0};
	json_error_t why;
	struct args *args = args_new(harness_ctx(), command_by_name(words[0]));
	REQUIRE_OK(args_from_argv(args, (int)n - 1, (char *const *)(uintptr_t)(words + 1), &err), &err);
	json_t *body = json_loads(json, 0, &why);
	harness_check(body != NULL, __FILE__, __LINE__, "%s", why.text);
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	setenv("LC_ALL", "C", 1);
	void *begun = look_begin();
	struct screen *screen = screen_new(harness_ctx(), out, &look);
	screen->now_us = NOW_US;
	print_for(args_command(args)->id)(screen, args, body);
	fclose(out);
	look_end(begun);
	json_decref(body);
	char *copy = talloc_strdup(harness_ctx(), text);
	free(text);
	return copy;
}
#define PRINTED_SO(look, json, ...) \
	printed_so(look, (const char *[]){__VA_ARGS__}, ARRAY_LEN(((const char *[]){__VA_ARGS__})), json)
#define PRINTED(json, ...) PRINTED_SO((struct look){.utc = true}, json, __VA_ARGS__)
#define PRINTED_AT(columns, json, ...) PRINTED_SO(((struct look){.utc = true, .width = (columns)}), json, __VA_ARGS__)

#define ALPHA \
	"{\"name\":\"alpha\",\"database\":\"shop\",\"state\":\"ACTIVE\",\"activity\":\"IDLE\",\"result\":\"SUCCEEDED\"," \
	"\"freshness\":\"UNKNOWN\",\"lag_seconds\":75.0,\"is_stale\":null,\"duration_ms\":1500," \
	"\"next_refresh_time\":\"2023-11-14T22:18:20.500Z\"," \
	"\"error\":null,\"sources\":[{\"name\":\"a\",\"kind\":\"table\",\"heard_by\":\"trigger\",\"reason\":null}," \
	"{\"name\":\"b\",\"kind\":\"clock\",\"heard_by\":null,\"reason\":\"time\"}]}"
#define BETA \
	"{\"name\":\"a_longer_name\",\"database\":\"db\",\"state\":\"FAILED\",\"activity\":\"WAITING\",\"result\":" \
	"\"FAILED\"," \
	"\"freshness\":\"STALE\",\"lag_seconds\":null,\"is_stale\":true,\"duration_ms\":null," \
	"\"next_refresh_time\":\"2023-11-14T22:13:10.000Z\"," \
	"\"error\":{\"class\":\"conflict\",\"code\":\"55P03\",\"message\":\"lock \\u001b[31mtimeout\",\"hint\":\"wait\"}}"

static void status_is_a_table(void)
{
	CHECK_STR(PRINTED("[" ALPHA "," BETA "]", "status"),
	          "VIEW          DATABASE STATE      FRESHNESS   LAG RESULT    DURATION NEXT\n"
	          "alpha         shop     ACTIVE     UNKNOWN   1m15s SUCCEEDED     1.5s in 5m0s\n"
	          "a_longer_name db       FAILED [1] STALE         - FAILED           - waiting\n"
	          "\n[1] conflict 55P03: lock ?[31mtimeout (wait)\n");
	CHECK_STR(PRINTED("[]", "status"), "no views: the configuration has no [view NAME] section\n");
}

/* As many columns as a text takes, of which no line is wider than a terminal. */
static void fits(const char *text, size_t width)
{
	void *begun = look_begin();
	for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
		wchar_t wide[512];
		len = strcspn(text, "\n");
		size_t n = mbstowcs(wide, talloc_strndup(harness_ctx(), text, len), ARRAY_LEN(wide));
		while (n != (size_t)-1 && n > 0 && wide[n - 1] == L' ')
			n--; /* the library fills a cell that goes on below */
		int columns = n != (size_t)-1 ? wcswidth(wide, n) : -1;
		harness_check(columns >= 0 && (size_t)columns <= width, __FILE__, __LINE__, "%d columns: %.*s", columns,
		              (int)len, text);
	}
	look_end(begun);
}

#define LONG_NAME "a_name_that_is_longer_than_a_column_of_a_narrow_terminal_can_be"
#define LONG_ERROR \
	"{\"class\":\"connect\",\"code\":\"2\",\"message\":\"\u306e\u65e5\u672c \u00e4\u00f6\u00fc cannot be reached, " \
	"and a path " \
	"/without/any/blank/that/is/as/long/as/a/line/of/the/terminal/or/even/longer/than/that\",\"hint\":\"wait\"}"
#define FAILED_VIEW(name) \
	"{\"name\":\"" name "\",\"database\":\"shop\",\"state\":\"FAILED\",\"activity\":\"REFRESHING\"," \
	"\"freshness\":\"UNKNOWN\",\"result\":\"SUCCEEDED\",\"error\":" LONG_ERROR "}"

static void lines_fit_a_terminal(void)
{
	static const char run[] =
		"{\"runs\":[{\"view\":\"" LONG_NAME "\",\"started\":\"2026-11-22T08:44:01.123Z\",\"trigger\":\"SCHEDULED\","
		"\"result\":\"SUCCEEDED\",\"action\":\"REINITIALIZE\",\"duration_ms\":12,\"rows\":7,\"rows_written\":2,"
		"\"error\":\"" LONG_NAME " " LONG_NAME "\"}],\"errors\":[{\"database\":\"x\",\"error\":" LONG_ERROR "}]}";
	fits(PRINTED_AT(80, "[" FAILED_VIEW(LONG_NAME) "," FAILED_VIEW("\u65e5\u672c") "]", "status"), 80);
	fits(PRINTED_AT(80, "[" FAILED_VIEW(LONG_NAME) "]", "status", "x"), 80);
	fits(PRINTED_AT(80, run, "history"), 80);
	fits(PRINTED_AT(80,
	                "{\"items\":[{\"view\":\"" LONG_NAME
	                "\",\"database\":\"shop\",\"change\":\"nothing\",\"reason\":\"" LONG_NAME
	                " and more\",\"locks\":\"ACCESS EXCLUSIVE on " LONG_NAME "\",\"error\":" LONG_ERROR "}]}",
	                "plan"),
	     80);
	fits(PRINTED_AT(80, "{\"views\":[{\"view\":\"v\",\"lines\":[\"" LONG_NAME " " LONG_NAME "\"]}]}", "why", "v"), 80);
	fits(PRINTED_AT(80, "{\"items\":[{\"view\":\"v\",\"result\":\"FAILED\",\"error\":" LONG_ERROR "}]}", "refresh", "v",
	                "--wait"),
	     80);
	fits(PRINTED_AT(80,
	                "{\"orphans\":[{\"database\":\"d\",\"view\":\"v\",\"relation\":\"public.v\",\"kind\":\"table\","
	                "\"last_success_time\":\"2026-11-22T08:44:01Z\",\"remove\":\"DROP TABLE public." LONG_NAME "\"}]}",
	                "list"),
	     80);
	fits(PRINTED_AT(80,
	                "{\"views\":[],\"settings\":[{\"key\":\"definition\",\"value\":\"SELECT " LONG_NAME
	                " FROM " LONG_NAME "\",\"origin\":\"/etc/viewd/conf.d/views.conf:12\"}]}",
	                "show", "v"),
	     80);
	fits(PRINTED_AT(80, "{\"view\":\"v\",\"explanation\":{\"today\":\"" LONG_NAME " " LONG_NAME "\",\"why\":\"x\"}}",
	                "explain", "v"),
	     80);
}

/* The two views have the same trouble, so it is told once. */
static void trouble_is_told_once(void)
{
	char *text = PRINTED("[" FAILED_VIEW("a") "," FAILED_VIEW("b") "," BETA "]", "status");
	const char *first = strstr(text, "cannot be reached");
	CHECK(first != NULL && strstr(first + 1, "cannot be reached") == NULL);
	CHECK_CONTAINS(text, "\nb             shop     FAILED [1] ");
	CHECK_CONTAINS(text, "\na_longer_name db       FAILED [2] ");
	CHECK_CONTAINS(text, "\n[2] conflict 55P03");
}

static void times_are_local(void)
{
	static const struct {
		const char *zone, *said;
		bool utc;
	} rows[] = {{"Europe/Berlin", "2026-11-22 09:44:01+01", false},
	            {"Europe/Berlin", "2026-11-22 08:44:01+00", true},
	            {"Asia/Kathmandu", "2026-11-22 14:29:01+05:45", false},
	            {"America/St_Johns", "2026-11-22 05:14:01-03:30", false}};
	static const char reply[] = "{\"runs\":[{\"view\":\"v\",\"started\":\"2026-11-22T08:44:01.123Z\"}]}";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		setenv("TZ", rows[i].zone, 1);
		tzset();
		CHECK_CONTAINS(PRINTED_SO((struct look){.utc = rows[i].utc}, reply, "history"), rows[i].said);
	}
	unsetenv("TZ");
	tzset();
}

static void status_of_one_is_a_list(void)
{
	char *text = PRINTED("[" ALPHA "]", "status", "alpha");
	CHECK_CONTAINS(text, "alpha\n  database             shop\n");
	CHECK_CONTAINS(text, "  lag                  1m15s\n");
	CHECK_CONTAINS(text, "  sources              table a, heard by trigger\n"
	                     "                       clock b, heard by nothing: time\n");
	CHECK(strstr(text, "error") == NULL);
}

#define GRAPH \
	"{\"views\":[{\"view\":\"a\",\"database\":\"shop\",\"method\":\"table\",\"state\":\"ACTIVE\",\"freshness\":" \
	"\"STALE\"}," \
	"{\"view\":\"b\\\"x\",\"database\":\"shop\",\"method\":\"simple\",\"state\":\"FAILED\",\"freshness\":\"FRESH\"}]," \
	"\"edges\":[{\"from\":\"orders\",\"from_kind\":\"source\",\"to\":\"a\",\"database\":\"shop\"}," \
	"{\"from\":\"a\",\"from_kind\":\"view\",\"to\":\"b\\\"x\",\"database\":\"shop\"}]}"

static void graphs_are_drawn(void)
{
	CHECK_STR(PRINTED(GRAPH, "graph"), "NAME       WHAT IT IS\n"
	                                   "shop       database\n"
	                                   "|-a        table, STALE\n"
	                                   "| `-orders source\n"
	                                   "`-b\"x      simple, FAILED\n"
	                                   "  `-a      view\n");
	CHECK_STR(PRINTED(GRAPH, "graph", "--format=dot"),
	          "digraph viewd {\n  rankdir=LR;\n  subgraph cluster_0 {\n    label=\"shop\";\n"
	          "    \"shop/orders\" [label=\"orders\"];\n"
	          "    \"a\" [shape=box, style=filled, fillcolor=\"#fff3cd\", label=<a<br/>STALE>];\n"
	          "    \"b\\\"x\" [shape=box, style=filled, fillcolor=\"#f8d7da\", label=<b\"x<br/>FAILED>];\n"
	          "  }\n  \"shop/orders\" -> \"a\";\n  \"a\" -> \"b\\\"x\";\n}\n");
	char *text = PRINTED(GRAPH, "graph", "-f", "mermaid");
	CHECK_CONTAINS(text, "graph LR\n");
	CHECK_CONTAINS(text, "[\"b#quot;x\"]\n");
	CHECK_CONTAINS(text, "([\"orders\"]) --> n");
}

/* The nodes of a view that is kept incrementally stand between it and what they read. */
static void nodes_are_drawn(void)
{
	static const char body[] =
		"{\"views\":[{\"view\":\"a\",\"database\":\"shop\",\"method\":\"table\",\"state\":\"ACTIVE\",\"nodes\":["
		"{\"node\":1,\"kind\":\"part\",\"key\":[\"o.id\",\"o.n\"],\"reads\":[{\"from\":\"orders\",\"from_kind\":"
		"\"source\"}]},"
		"{\"node\":2,\"kind\":\"roll\",\"groups\":[\"o.g\"],\"reads\":[{\"node\":1,\"from_kind\":\"node\"}]}]}],"
		"\"edges\":[{\"from\":\"orders\",\"from_kind\":\"source\",\"to\":\"a\",\"database\":\"shop\"},"
		"{\"from\":\"limits\",\"from_kind\":\"source\",\"to\":\"a\",\"database\":\"shop\"}]}";
	char *text = PRINTED(body, "graph");
	CHECK_CONTAINS(text, "  |-node 1   a part with the key o.id, o.n\n"
	                     "  | `-orders source\n"
	                     "  `-node 2   a roll for each o.g\n"
	                     "    `-node 1 the node above\n");
	text = PRINTED(body, "graph", "--format=dot");
	CHECK_CONTAINS(text, "    \"a node 1\" [shape=note, label=\"node 1, a part with the key o.id, o.n\"];\n");
	CHECK_CONTAINS(text, "  \"shop/limits\" -> \"a\";\n  \"shop/orders\" -> \"a node 1\";\n"
	                     "  \"a node 1\" -> \"a node 2\";\n  \"a node 2\" -> \"a\";\n}\n");
	text = PRINTED(body, "graph", "-f", "mermaid");
	CHECK_CONTAINS(text, "{{\"node 2, a roll for each o.g\"}}\n");
	CHECK(strstr(text, "([\"orders\"]) --> n") != NULL);
}

static void sql_is_ready_to_pipe(void)
{
	CHECK_STR(PRINTED("{\"statements\":[\"CREATE VIEW a AS\\nSELECT 1\",\"COMMIT ; \\n\"]}", "render", "create", "a"),
	          "CREATE VIEW a AS\nSELECT 1;\nCOMMIT;\n");
	CHECK_STR(PRINTED("{\"statements\":[\"DROP TABLE a\"]}", "uninstall", "shop", "--print"), "DROP TABLE a;\n");
	CHECK_CONTAINS(PRINTED("{\"statements\":[\"DROP TABLE a\"]}", "uninstall", "shop"),
	               "shop: viewd has left it, 1 statements;");
}

#define EVIL "a\\u001b[31mb\\u007fc\\u009bd"

/* A server's words and names may hold what a terminal obeys. */
static void terminals_are_not_steered(void)
{
	CHECK_STR(
		PRINTED("{\"runs\":[],\"errors\":[{\"database\":\"x\",\"error\":{\"message\":\"" EVIL "\"}}]}", "history"),
		"database x cannot be read (error: a?[31mb?c?d)\n");
	CHECK_STR(PRINTED("{\"views\":[{\"view\":\"" EVIL "\",\"lines\":[\"" EVIL " \u65e5\"]}]}", "why", "v"),
	          "a?[31mb?c?d\n  a?[31mb?c?d \u65e5\n");
	CHECK_STR(PRINTED("{\"items\":[{\"view\":\"v\",\"result\":\"FAILED\",\"error\":{\"message\":\"" EVIL "\"}}]}",
	                  "refresh", "v", "--wait"),
	          "v: FAILED (error: a?[31mb?c?d)\n");
}

/* A name with a newline must not become a statement. */
static void advice_stays_a_comment(void)
{
	CHECK_STR(PRINTED("{\"findings\":[{\"database\":\"d\",\"what\":\"table x\\nDROP TABLE y;\",\"advice\":\"a\\nb\","
	                  "\"mend\":\"GRANT 1\",\"missing\":true}]}",
	                  "doctor"),
	          "-- database d\n-- missing: table x\n-- DROP TABLE y;\n-- a\n-- b\nGRANT 1;\n");
}

static void outcomes_are_told(void)
{
	CHECK_STR(
		PRINTED(
			"{\"items\":[{\"view\":\"a\",\"result\":\"SUCCEEDED\",\"action\":\"DIFF\",\"rows\":7,\"rows_written\":2,"
			"\"duration_ms\":12,\"error\":null}]}",
			"refresh", "a", "--wait"),
		"a: SUCCEEDED, DIFF, 7 rows, 2 written, 12.0ms\n");
	CHECK_STR(PRINTED("{\"accepted\":[\"a\",\"b\"]}", "refresh", "a", "b"), "refresh: a, b\n");
	CHECK_STR(PRINTED("{\"items\":[{\"view\":\"a\",\"rows\":7,\"missing\":2,\"unexpected\":1,\"differs\":true}]}",
	                  "verify", "a"),
	          "a: differs, 2 missing, 1 unexpected (definition yields 7 rows)\n");
	CHECK_STR(PRINTED("{\"items\":[{\"view\":\"a\",\"rows\":7,\"missing\":0,\"unexpected\":0,\"differs\":false}]}",
	                  "verify", "a"),
	          "a: equal, 7 rows\n");
	CHECK_STR(
		PRINTED("{\"outcome\":\"refused\",\"generation\":4,\"problems\":[{\"text\":\"f:3: bad\",\"warning\":false},"
	            "{\"text\":\"f:4: odd\",\"warning\":true}]}",
	            "reload"),
		"f:3: bad\nwarning: f:4: odd\nrefused, generation 4\n");
}

/* A daemon of another version may leave things out or send other types. */
static void odd_replies_do_not_crash(void)
{
	static const char *const bodies[] = {
		"{}", "[]", "[1]", "[{}]", "{\"items\":1}", "{\"items\":[1,{}]}", "{\"views\":[{}],\"edges\":[{}]}"};
	const struct look look = {.width = 80, .colours = true};
	for (size_t id = 0; id < COMMAND_COUNT; id++) {
		const struct command *command = &commands()[id];
		if (print_for(command->id) == NULL)
			continue;
		struct args *args = args_new(harness_ctx(), command);
		FILE *out = fopen("/dev/null", "w");
		REQUIRE(out != NULL);
		for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
			json_t *body = json_loads(bodies[i], 0, NULL);
			print_for(command->id)(screen_new(harness_ctx(), out, &look), args, body);
			json_decref(body);
		}
		fclose(out);
	}
}

/* ---- the program ----------------------------------------------------------------------------------------------- */

struct run {
	enum client_exit end;
	char *out;
	char *err;
};

static char *take(FILE *stream, char **text)
{
	fclose(stream);
	char *copy = talloc_strdup(harness_ctx(), *text);
	free(*text);
	return copy;
}

/* Runs `viewctl WORDS`. */
static struct run viewctl(const char *words)
{
	char *argv[16] = {(char[]){"viewctl"}};
	int argc = 1;
	char *save = NULL;
	char *copy = talloc_strdup(harness_ctx(), words);
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	char *out_text = NULL;
	char *err_text = NULL;
	size_t size;
	FILE *out = open_memstream(&out_text, &size);
	size_t err_size;
	FILE *err = open_memstream(&err_text, &err_size);
	struct run run = {.end = client_main(argc, argv, out, err)};
	run.out = take(out, &out_text);
	run.err = take(err, &err_text);
	return run;
}

static void usage_is_judged(void)
{
	static const struct {
		const char *words;
		enum client_exit end;
		const char *out, *err;
	} cases[] = {
		{"", CLIENT_USAGE, "usage: viewctl", ""},
		{"--help", CLIENT_DONE, "exit status:", ""},
		{"--version", CLIENT_DONE, "viewctl ", ""},
		{"stauts", CLIENT_USAGE, "", "did you mean status?"},
		{"refresh --help", CLIENT_DONE, "usage: viewctl refresh VIEW...|--all [--wait]", ""},
		{"help history", CLIENT_DONE, "usage: viewctl history [VIEW...] [--limit N]", ""},
		{"help nope", CLIENT_USAGE, "", "'nope' is not known"},
		{"refresh", CLIENT_USAGE, "", "refresh needs a view"},
		{"status -s", CLIENT_USAGE, "", "-s needs a value"},
		{"wait alpha --newer-than yesterday", CLIENT_USAGE, "", "newer-than 'yesterday' is not a time"},
		{"status -s /nonexistent/sock", CLIENT_UNREACHABLE, "", "not reachable on '/nonexistent/sock'"},
		{"-s/nonexistent/sock status", CLIENT_UNREACHABLE, "", "not reachable"},
		{"--completion-words", CLIENT_DONE, "refresh --all --wait --full", ""},
		{"--man-commands", CLIENT_DONE, ".SS refresh", ""},
		{"check -c /nonexistent.conf", CLIENT_FAILED, "/nonexistent.conf", ""},
		{"render create a -c /nonexistent.conf", CLIENT_FAILED, "", "/nonexistent.conf"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run run = viewctl(cases[i].words);
		harness_check(run.end == cases[i].end, __FILE__, __LINE__, "viewctl %s: exit %d", cases[i].words, (int)run.end);
		CHECK_CONTAINS(run.out, cases[i].out);
		CHECK_CONTAINS(run.err, cases[i].err);
	}
}

/* Ends slow calls at once unless they are creates, which it never ends. */
static void daemon_run(bool fail)
{
	struct rig rig;
	rig_start(&rig, NULL);
	rig.engine.fail = fail;
	for (;;) {
		loop_once(rig.loop, 1000);
		if (rig.engine.n_pending > 0 && strcmp(rig.engine.pending[0].what, "create") != 0)
			fake_finish(&rig.engine);
	}
}

/* The child makes everything itself: an event loop must not be shared. */
static pid_t daemon_start(bool fail)
{
	(void)harness_dir();
	struct rig probe = {.path = harness_path("control.sock")};
	fflush(NULL);
	pid_t pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0)
		daemon_run(fail);
	int fd = -1;
	int64_t deadline = harness_deadline(10000000);
	while ((fd = rig_dial(&probe)) < 0 && harness_pause(deadline))
		;
	REQUIRE(fd >= 0 && close(fd) == 0);
	REQUIRE(setenv("VIEWD_SOCKET", probe.path, 1) == 0);
	return pid;
}

static void daemon_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unsetenv("VIEWD_SOCKET");
}

static void check_run(const char *words, enum client_exit end, const char *out, const char *err)
{
	struct run run = viewctl(words);
	harness_check(run.end == end, __FILE__, __LINE__, "viewctl %s: exit %d", words, (int)run.end);
	CHECK_CONTAINS(run.out, out);
	CHECK_CONTAINS(run.err, err);
}

static void daemon_is_asked(void)
{
	pid_t pid = daemon_start(false);
	check_run("status", CLIENT_DONE, "alpha shop     ACTIVE", "");
	check_run("status --json", CLIENT_DONE, "\"name\": \"alpha\"", "");
	check_run("status --json --fields state,name", CLIENT_DONE,
	          "[\n  {\n    \"name\": \"alpha\",\n    \"state\": \"ACTIVE\"\n  }", "");
	check_run("status --json --fields error", CLIENT_DONE, "\"error\": ", "");
	check_run("status --fields name", CLIENT_USAGE, "", "--fields is for --json");
	check_run("show alpha", CLIENT_DONE, "every                   ", "");
	check_run("why alpha", CLIENT_DONE, "alpha\n  it is fresh\n", "");
	check_run("history alpha", CLIENT_DONE, "2023-11-14 22:13:20+00 MANUAL", "");
	check_run("explain alpha", CLIENT_DONE,
	          "it can be kept incrementally, by 2 nodes:\n    node 1, a part\n      key a.id, a.day\n", "");
	check_run("--json explain alpha", CLIENT_DONE, "\"key\": [", "");
	check_run("plan", CLIENT_DONE, "create", "");
	check_run("plan --reload", CLIENT_DONE, "view alpha: changed (every)\ndry-run, generation 4\n", "");
	check_run("refresh alpha", CLIENT_DONE, "refresh: alpha\n", "");
	check_run("refresh --all --wait", CLIENT_DONE, "alpha: SUCCEEDED, CONCURRENT", "");
	check_run("verify alpha", CLIENT_DONE, "alpha: equal, 7 rows\n", "");
	check_run("pause alpha", CLIENT_DONE, "pause: alpha\n", "");
	check_run("resume --all", CLIENT_DONE, "resume: alpha, beta\n", "");
	check_run("cancel alpha beta", CLIENT_DONE, "cancelled: 2\n", "");
	check_run("drop alpha", CLIENT_DONE, "alpha: ", "");
	check_run("status gamma", CLIENT_FAILED, "", "view 'gamma' is not known\nviewctl: hint: did you mean alpha?");
	check_run("status gamma --json", CLIENT_FAILED, "\"class\": \"missing\"", "");
	check_run("reload", CLIENT_FAILED, "viewd.conf:3: [view x] every", "");
	check_run("reload --dry-run", CLIENT_DONE, "dry-run", "");
	check_run("uninstall shop --print", CLIENT_DONE, "DROP TRIGGER t ON a;\nDROP SCHEMA viewd;\n", "");
	check_run("uninstall nosuch", CLIENT_FAILED, "", "database 'nosuch' is not in the configuration");
	check_run("create alpha --timeout 100ms", CLIENT_TIMED_OUT, "", "timed out; the daemon goes on with the work");
	check_run("wait alpha --timeout 100ms", CLIENT_TIMED_OUT, "", "timed out, alpha is not that new yet");
	daemon_stop(pid);
	check_run("status -s /nonexistent", CLIENT_UNREACHABLE, "", "not reachable");
}

static void failures_are_exit_statuses(void)
{
	pid_t pid = daemon_start(true);
	check_run("refresh alpha", CLIENT_DONE, "refresh: alpha\n", "");
	check_run("refresh alpha --wait", CLIENT_FAILED, "alpha: FAILED, CONCURRENT", "");
	check_run("refresh alpha --wait --json", CLIENT_FAILED, "\"failed\": 1", "");
	check_run("verify alpha", CLIENT_FAILED, "alpha: differs, 2 missing, 1 unexpected (definition yields 7 rows)\n",
	          "");
	check_run("pause alpha", CLIENT_FAILED, "", "state file cannot be written");
	check_run("drop alpha", CLIENT_FAILED, "lock timeout", "");
	check_run("uninstall shop", CLIENT_FAILED, "", "not the owner");
	daemon_stop(pid);
}

static const struct harness_test tests[] = {
	{"status is a table", status_is_a_table},
	{"lines fit a terminal", lines_fit_a_terminal},
	{"trouble is told once", trouble_is_told_once},
	{"times are local", times_are_local},
	{"status of one view is a list", status_of_one_is_a_list},
	{"graphs are drawn", graphs_are_drawn},
	{"nodes are drawn", nodes_are_drawn},
	{"SQL is ready to pipe", sql_is_ready_to_pipe},
	{"terminals are not steered", terminals_are_not_steered},
	{"advice stays a comment", advice_stays_a_comment},
	{"outcomes are told", outcomes_are_told},
	{"odd replies do not crash", odd_replies_do_not_crash},
	{"usage is judged", usage_is_judged},
	{"the daemon is asked", daemon_is_asked},
	{"failures are exit statuses", failures_are_exit_statuses},
};
HARNESS_MAIN(SUITE("viewctl", tests))
