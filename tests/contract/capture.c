/* SPDX-License-Identifier: MIT
 *
 * Noticing changes: what is committed is told once and for all, what is not is never told, whatever ends in between.
 * VIEWD_CONTRACT_CAPTURE: the mode to ask for (default auto). VIEWD_CONTRACT_TRUNCATE: the beginning of a statement
 * that empties a table. VIEWD_CONTRACT_DURING: a failpoint of a refresh after the reading of data at which others may
 * write.
 */
#include "contract/contract.h"

#include "base/err.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

#define SHORT INT64_C(200000)
#define PATIENCE INT64_C(60000000) /* only a failure takes that long, however slow the machine */

/* The last news that a watch told of one view. */
struct heard {
	const char *view;
	int64_t seq;
	int n_stale, n_requests;
};

struct scene {
	struct contract c;
	struct viewd_watch *watch;
	struct viewd_view_spec v, w; /* over src and other; w serves as a proof that the watch has seen what was before */
	struct heard of_v, of_w;
	enum viewd_capture mode; /* what was chosen */
};

static bool hear(void *ctx, const struct viewd_signal *signal)
{
	struct scene *s = ctx;
	struct heard *h = strcmp(signal->view, s->of_v.view) == 0 ? &s->of_v : &s->of_w;
	CHECK_INT(signal->struct_size, sizeof *signal);
	if (signal->kind == VIEWD_SIGNAL_REQUEST)
		h->n_requests++;
	else if (signal->seq > h->seq) {
		h->seq = signal->seq;
		h->n_stale++;
	}
	return true;
}

static const char *word(const char *name, const char *otherwise)
{
	const char *value = getenv(name);
	return value != NULL && value[0] != '\0' ? value : otherwise;
}

static enum viewd_capture wanted_mode(void)
{
	static const char *const words[] = {"auto", "trigger", "binlog", "poll"};
	const char *mode = word("VIEWD_CONTRACT_CAPTURE", "auto");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(mode, words[i]) == 0)
			return (enum viewd_capture)i;
	REQUIRE(!"VIEWD_CONTRACT_CAPTURE is a mode");
	return VIEWD_CAPTURE_AUTO;
}

/* ---- steps */

struct sources {
	struct viewd_source items[4];
	size_t n;
};

static bool keep_source(void *ctx, const struct viewd_source *source)
{
	struct sources *all = ctx;
	REQUIRE(all->n < ARRAY_LEN(all->items));
	all->items[all->n++] = (struct viewd_source){talloc_strdup(harness_ctx(), source->schema),
	                                             talloc_strdup(harness_ctx(), source->name), source->kind};
	return true;
}

static bool keep_quiet(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static void find_sources(struct contract *c, const struct viewd_view_spec *view, struct sources *sources)
{
	struct viewd_source_sink sink = {keep_source, sources};
	REQUIRE_OK(c->dialect->inspect(c->conn, view, &c->found, sink, &c->err), &c->err);
}

static bool set_capture(struct contract *c, const struct viewd_view_spec *view, enum viewd_capture mode,
                        const struct sources *sources, struct viewd_captured *out)
{
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = mode, .sources = sources->items, .n_sources = sources->n};
	return c->dialect->capture->set(c->conn, view, &req, out, (struct viewd_text_sink){keep_quiet, NULL}, &c->err);
}

static struct viewd_captured capture(struct contract *c, const struct viewd_view_spec *view, enum viewd_capture mode)
{
	struct sources sources = {.n = 0};
	struct viewd_captured out = {.mode = VIEWD_CAPTURE_COUNT};
	find_sources(c, view, &sources);
	REQUIRE_OK(set_capture(c, view, mode, &sources, &out), &c->err);
	return out;
}

static void open_watch(struct scene *s)
{
	s->watch = s->c.dialect->capture->watch_open(&s->c.host, &s->c.db, &s->c.err);
	REQUIRE_OK(s->watch != NULL, &s->c.err);
}

static void listen_once(struct scene *s)
{
	REQUIRE_OK(s->c.dialect->capture->watch_next(s->watch, SHORT, (struct viewd_signal_sink){hear, s}, &s->c.err),
	           &s->c.err);
}

/* Until the condition over s holds. */
#define LISTEN_UNTIL(s, cond) \
	do { \
		int64_t deadline_ = harness_deadline(PATIENCE); \
		while (!(cond) && harness_pause(deadline_)) \
			listen_once(s); \
		harness_check((cond), __FILE__, __LINE__, "the watch tells until %s", #cond); \
	} while (0)

/* Everything that was committed before this has been told after it: the log is read in the order of commits. */
static void listen_to_the_end(struct scene *s)
{
	int64_t before = s->of_w.seq;
	contract_sql("INSERT INTO other SELECT max(id) + 1, 0 FROM other");
	LISTEN_UNTIL(s, s->of_w.seq > before);
}

static void refresh(struct scene *s)
{
	REFRESH(&s->c, &s->v);
	CHECK_INT(s->c.outcome.settled_seq >= s->of_v.seq, true);
}

/* Both views exist, are captured and fresh; the watch is open and has told that. */
static void begin(struct scene *s)
{
	*s = (struct scene){.of_v.view = "v"};
	contract_begin(&s->c);
	contract_need_capture(&s->c);
	contract_sql("CREATE TABLE src (id integer PRIMARY KEY, a integer); INSERT INTO src VALUES (1, 1), (2, 2), (3, 3);"
	             "CREATE TABLE other (id integer PRIMARY KEY, a integer); INSERT INTO other VALUES (1, 1);");
	s->v = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id, a FROM src");
	s->w = contract_view("w", VIEWD_METHOD_TABLE, "SELECT id, a FROM other");
	s->v.captured = s->w.captured = true;
	APPLY(&s->c, &s->v, VIEWD_CHANGE_CREATE);
	APPLY(&s->c, &s->w, VIEWD_CHANGE_CREATE);
	enum viewd_capture mode = wanted_mode();
	s->mode = capture(&s->c, &s->v, mode).mode;
	CHECK(mode == VIEWD_CAPTURE_AUTO || s->mode == mode);
	CHECK_INT(capture(&s->c, &s->w, mode).mode, s->mode);
	open_watch(s);
	LISTEN_UNTIL(s, s->of_v.n_stale > 0 && s->of_w.n_stale > 0); /* registered anew: stale */
	REFRESH(&s->c, &s->w);
	refresh(s);
	listen_to_the_end(s);
}

static void end(struct scene *s)
{
	s->c.dialect->capture->watch_close(&s->watch);
	CHECK(s->watch == NULL);
	contract_end(&s->c);
}

/* A poll may tell a change again, a second later: its clock is coarse. */
static bool exact(void)
{
	return wanted_mode() != VIEWD_CAPTURE_POLL;
}

/* ---- tests */

static void a_change_is_told_and_a_refresh_settles_it(void)
{
	static const char *const changes[] = {"INSERT INTO src VALUES (10, 1)", "UPDATE src SET a = 7 WHERE id = 1",
	                                      "DELETE FROM src WHERE id = 2"};
	struct scene s;
	begin(&s);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		int64_t before = s.of_v.seq;
		contract_sql("%s", changes[i]);
		LISTEN_UNTIL(&s, s.of_v.seq > before);
		refresh(&s);
		VERIFY_EQUAL(&s.c, &s.v);
		int n = s.of_v.n_stale;
		listen_to_the_end(&s);
		if (exact())
			CHECK_INT(s.of_v.n_stale, n);
	}
	end(&s);
}

static struct scene *during; /* the scene whose refresh runs; the host's functions have no other way to it */

static void change_during(void *ctx UNUSED, const char *place)
{
	if (during == NULL || strcmp(place, getenv("VIEWD_CONTRACT_DURING")) != 0)
		return;
	struct scene *s = during;
	int64_t before = s->of_v.seq;
	during = NULL;
	contract_sql("INSERT INTO src VALUES (20, 20)");
	LISTEN_UNTIL(s, s->of_v.seq > before);
}

static void a_change_during_a_refresh_stays(void)
{
	struct scene s;
	begin(&s);
	if (word("VIEWD_CONTRACT_DURING", NULL) == NULL)
		harness_skip("writers wait while a refresh runs");
	s.c.host.failpoint = change_during;
	during = &s;
	REFRESH(&s.c, &s.v);
	CHECK(during == NULL);
	CHECK(s.c.outcome.settled_seq < s.of_v.seq);
	REFRESH(&s.c, &s.v);
	CHECK_INT(s.c.outcome.settled_seq, s.of_v.seq);
	VERIFY_EQUAL(&s.c, &s.v);
	end(&s);
}

static void a_rollback_is_no_change(void)
{
	struct scene s;
	begin(&s);
	int n = s.of_v.n_stale;
	contract_sql("BEGIN; INSERT INTO src VALUES (30, 1); UPDATE src SET a = 0; ROLLBACK;");
	listen_to_the_end(&s);
	if (exact())
		CHECK_INT(s.of_v.n_stale, n);
	end(&s);
}

static void emptying_is_a_change(void)
{
	struct scene s;
	begin(&s);
	int64_t before = s.of_v.seq;
	contract_sql("%s src", word("VIEWD_CONTRACT_TRUNCATE", "TRUNCATE TABLE"));
	LISTEN_UNTIL(&s, s.of_v.seq > before);
	refresh(&s);
	CHECK_STR(contract_sql("SELECT count(*) FROM v"), "0");
	end(&s);
}

static void foreign_keys_that_write_are_seen(void)
{
	struct scene s;
	begin(&s);
	contract_sql("CREATE TABLE grand (id integer PRIMARY KEY); CREATE TABLE parent (id integer PRIMARY KEY, g integer, "
	             "b integer,"
	             " FOREIGN KEY (g) REFERENCES grand (id) ON DELETE CASCADE);"
	             "CREATE TABLE child (id integer PRIMARY KEY, p integer, FOREIGN KEY (p) REFERENCES parent (id)"
	             " ON DELETE CASCADE ON UPDATE CASCADE);"
	             "INSERT INTO grand VALUES (1), (2); INSERT INTO parent VALUES (1, 1, 0), (2, 2, 0), (3, 2, 0);"
	             "INSERT INTO child VALUES (1, 1), (2, 2), (3, 3)");
	s.v.definition = "SELECT id, p FROM child";
	APPLY(&s.c, &s.v, VIEWD_CHANGE_REPLACE);
	int64_t before = s.of_v.seq;
	capture(&s.c, &s.v, wanted_mode());
	s.c.dialect->capture->watch_wake(s.watch);
	static const char *const changes[] = {"DELETE FROM parent WHERE id = 1", "UPDATE parent SET id = 9 WHERE id = 2",
	                                      "DELETE FROM grand WHERE id = 2"};
	const char *enforce = word("VIEWD_CONTRACT_CASCADE", "");
	s.of_v.seq = before = 0;
	LISTEN_UNTIL(&s, s.of_v.seq > before);
	REFRESH(&s.c, &s.v);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		before = s.of_v.seq;
		contract_sql("%s%s", enforce, changes[i]);
		LISTEN_UNTIL(&s, s.of_v.seq > before);
		refresh(&s);
		VERIFY_EQUAL(&s.c, &s.v);
	}
	CHECK_STR(contract_sql("SELECT count(*) FROM v"), "0");
	contract_sql("DROP TABLE child; DROP TABLE parent; DROP TABLE grand");
	end(&s);
}

static void a_flood_is_drained(void)
{
	struct scene s;
	begin(&s);
	int64_t before = s.of_v.seq;
	contract_sql(
		"CREATE TABLE digits (d integer); INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);"
		"INSERT INTO src SELECT 100 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d, 0 FROM digits a, digits b, digits c, "
		"digits e;UPDATE src SET a = a + 1");
	LISTEN_UNTIL(&s, s.of_v.seq > before);
	listen_to_the_end(&s);
	refresh(&s);
	int n = s.of_v.n_stale;
	VERIFY_EQUAL(&s.c, &s.v);
	listen_to_the_end(&s);
	if (exact())
		CHECK_INT(s.of_v.n_stale, n);
	end(&s);
}

static void a_table_made_anew_is_seen(void)
{
	struct scene s;
	begin(&s);
	if (s.mode == VIEWD_CAPTURE_TRIGGER)
		expect_log(" made");
	int64_t before = s.of_v.seq;
	contract_sql(
		"DROP TABLE src; CREATE TABLE src (id integer PRIMARY KEY, a integer); INSERT INTO src VALUES (77, 7)");
	LISTEN_UNTIL(&s, s.of_v.seq > before);
	listen_to_the_end(&s);
	refresh(&s);
	CHECK_STR(contract_sql("SELECT a FROM v"), "7");
	before = s.of_v.seq;
	contract_sql("INSERT INTO src VALUES (78, 8)");
	LISTEN_UNTIL(&s, s.of_v.seq > before);
	end(&s);
}

static void what_is_no_longer_captured_is_not_told(void)
{
	struct scene s;
	begin(&s);
	CHECK_INT(capture(&s.c, &s.v, VIEWD_CAPTURE_NONE).mode, VIEWD_CAPTURE_NONE);
	int n = s.of_v.n_stale;
	contract_sql("INSERT INTO src VALUES (40, 1)");
	listen_to_the_end(&s);
	CHECK_INT(s.of_v.n_stale, n);
	contract_sql("DROP TABLE src; CREATE TABLE src (id integer); INSERT INTO src VALUES (1)");
	end(&s);
}

/* A second view begins to be captured, on a connection of its own, while the first one's triggers are given up. */
struct newcomer {
	struct contract c;
	struct viewd_view_spec view;
	struct sources sources;
	struct contract_beside *thread;
	bool good;
};
static struct newcomer *arriving;

static void arrive(void *ctx)
{
	struct newcomer *n = ctx;
	struct viewd_captured out;
	n->good = set_capture(&n->c, &n->view, wanted_mode(), &n->sources, &out);
}

static void let_arrive(void *ctx UNUSED, const char *place)
{
	if (arriving != NULL && arriving->thread == NULL && strcmp(place, "capture:sweep") == 0)
		arriving->thread = contract_beside(&arriving->c, arrive, arriving, SHORT);
}

static void a_source_given_up_by_one_is_kept_for_another(void)
{
	struct scene s;
	struct newcomer n = {.good = false};
	begin(&s);
	n.c = s.c;
	n.c.conn = contract_open(&s.c);
	n.view = contract_view("u", VIEWD_METHOD_TABLE, "SELECT a, id FROM src");
	n.view.captured = true;
	APPLY(&s.c, &n.view, VIEWD_CHANGE_CREATE);
	find_sources(&s.c, &n.view, &n.sources);
	s.c.host.failpoint = let_arrive;
	arriving = &n;
	capture(&s.c, &s.v, VIEWD_CAPTURE_NONE);
	arriving = NULL;
	contract_beside_join(&n.thread);
	REQUIRE_OK(n.good, &n.c.err);
	s.of_v = (struct heard){.view = "u"};
	s.c.dialect->capture->watch_wake(s.watch);
	LISTEN_UNTIL(&s, s.of_v.n_stale > 0);
	REFRESH(&s.c, &n.view);
	listen_to_the_end(&s);
	int64_t before = s.of_v.seq;
	contract_sql("INSERT INTO src VALUES (70, 1)");
	LISTEN_UNTIL(&s, s.of_v.seq > before);
	s.c.dialect->close(&n.c.conn);
	end(&s);
}

static void what_happens_while_nobody_watches_is_told_later(void)
{
	struct scene s;
	begin(&s);
	s.c.dialect->capture->watch_close(&s.watch);
	contract_sql("INSERT INTO src VALUES (50, 1)");
	int64_t before = s.of_v.seq;
	open_watch(&s);
	LISTEN_UNTIL(&s, s.of_v.seq > before);
	s.c.dialect->capture->watch_close(&s.watch);
	open_watch(&s); /* drained, and still stale */
	s.of_v.seq = 0;
	LISTEN_UNTIL(&s, s.of_v.seq > before);
	refresh(&s);
	VERIFY_EQUAL(&s.c, &s.v);
	end(&s);
}

static void requests_are_told_once(void)
{
	struct scene s;
	begin(&s);
	const char *insert = word("VIEWD_CONTRACT_REQUEST", "INSERT INTO viewd_requests (view) VALUES ('v')");
	contract_sql("%s", insert);
	LISTEN_UNTIL(&s, s.of_v.n_requests == 1);
	listen_to_the_end(&s);
	CHECK_INT(s.of_v.n_requests, 1);
	end(&s);
}

/* ---- the lock */

static void a_second_watch_stands_by(void)
{
	struct scene s;
	struct viewd_watch *second;
	begin(&s);
	struct viewd_database_spec other = s.c.db;
	other.name = "other";
	CHECK_REFUSED((second = s.c.dialect->capture->watch_open(&s.c.host, &other, &s.c.err)) != NULL, &s.c,
	              VIEWD_ERR_STANDBY);
	CHECK_CONTAINS(s.c.err.msg, "of this same daemon keeps the same database");
	s.c.dialect->capture->watch_close(&s.watch);
	open_watch(&s);
	end(&s);
}

static void hold_until_killed(struct contract *c, int tell)
{
	if (c->dialect->capture->watch_open(&c->host, &c->db, &c->err) == NULL || write(tell, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static bool opens(void *ctx)
{
	struct scene *s = ctx;
	s->watch = s->c.dialect->capture->watch_open(&s->c.host, &s->c.db, &s->c.err);
	return s->watch != NULL;
}

static void a_killed_holder_lets_go(void)
{
	struct scene s;
	int fds[2];
	char byte;
	begin(&s);
	s.c.dialect->capture->watch_close(&s.watch);
	REQUIRE(pipe(fds) == 0);
	pid_t pid = fork();
	if (pid == 0)
		hold_until_killed(&s.c, fds[1]);
	close(fds[1]);
	REQUIRE(read(fds[0], &byte, 1) == 1);
	close(fds[0]);
	CHECK_REFUSED(opens(&s), &s.c, VIEWD_ERR_STANDBY);
	CHECK_CONTAINS(s.c.err.msg, "another viewd keeps this database");
	contract_sql("INSERT INTO src VALUES (60, 1)");
	int64_t before = s.of_v.seq;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	REQUIRE_OK(harness_wait(opens, &s, PATIENCE), &s.c.err);
	LISTEN_UNTIL(&s, s.of_v.seq > before);
	end(&s);
}

static const struct harness_test tests[] = {
	{"a change is told and a refresh settles it", a_change_is_told_and_a_refresh_settles_it},
	{"a change during a refresh stays", a_change_during_a_refresh_stays},
	{"a rollback is no change", a_rollback_is_no_change},
	{"emptying is a change", emptying_is_a_change},
	{"foreign keys that write are seen", foreign_keys_that_write_are_seen},
	{"a flood is drained", a_flood_is_drained},
	{"a table made anew is seen", a_table_made_anew_is_seen},
	{"what is no longer captured is not told", what_is_no_longer_captured_is_not_told},
	{"a source given up by one view is kept for another", a_source_given_up_by_one_is_kept_for_another},
	{"what happens while nobody watches is told later", what_happens_while_nobody_watches_is_told_later},
	{"requests are told once", requests_are_told_once},
	{"a second watch stands by", a_second_watch_stands_by},
	{"a killed holder lets go", a_killed_holder_lets_go},
};
const struct harness_suite contract_capture = SUITE("capture", tests);
