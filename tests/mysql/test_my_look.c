/* SPDX-License-Identifier: MIT
 *
 * test_my_look.c: a look of the watch tells what was committed before it, or says that it has not come so far.
 */
#include "base/err.h"
#include "base/span.h"
#include "mysql/capture/binlog/events.h"
#include "mysql/my_support.h"

#include <poll.h>
#include <string.h>

#define TRIES 60
#define PATIENCE (60 * SPAN_SECOND)

struct scene {
	struct viewd_conn *conn;
	struct viewd_watch *watch;
	int64_t seq;   /* the highest that was told of view v */
	int64_t other; /* and of another one */
	bool behind;
	int n_behind;
	int64_t each; /* call's timeout */
};

static bool hear(void *ctx, const struct viewd_signal *signal)
{
	struct scene *s = ctx;

	if (signal->kind == VIEWD_SIGNAL_STALE)
		*(signal->view[0] == 'v' ? &s->seq : &s->other) = signal->seq;
	if (signal->kind == VIEWD_SIGNAL_BEHIND)
		s->behind = true;
	return true;
}

static bool keep_quiet(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

/* One whole look, however many calls it takes. */
static void look(struct scene *s)
{
	int64_t deadline = my_mono() + PATIENCE;
	struct viewd_err err = {0};

	DIALECT->capture->watch_wake(s->watch);
	s->n_behind = 0;
	do {
		s->behind = false;
		REQUIRE_OK(DIALECT->capture->watch_next(s->watch, s->each, (struct viewd_signal_sink){hear, s}, &err), &err);
		s->n_behind += s->behind;
	} while (s->behind && my_mono() < deadline);
	CHECK(!s->behind);
}

static void open_watch(struct scene *s)
{
	struct viewd_database_spec spec = my_spec();
	struct viewd_err err = {0};

	s->watch = DIALECT->capture->watch_open(&my_host, &spec, &err);
	REQUIRE_OK(s->watch != NULL, &err);
}

/* Closes the watch, also when a test ends early. */
static int close_watch(struct scene *s)
{
	DIALECT->capture->watch_close(&s->watch);
	return 0;
}

static struct scene *begin(void)
{
	const struct viewd_source source = {"shop", "sales", VIEWD_KIND_TABLE};
	struct viewd_view_spec spec = my_view("v", VIEWD_METHOD_TABLE, "SELECT * FROM sales");
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_BINLOG, .sources = &source, .n_sources = 1};
	struct viewd_captured out;
	struct viewd_err err = {0};

	if (my_ask("SELECT @@log_bin")[0] != '1')
		harness_skip("the server has no binary log");
	my_fresh();
	my_do("GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO viewd@localhost");
	struct scene *s = talloc_zero(harness_ctx(), struct scene);
	talloc_set_destructor(s, close_watch);
	s->conn = my_session();
	s->each = PATIENCE;
	REQUIRE_OK(DIALECT->capture->set(s->conn, &spec, &req, &out, (struct viewd_text_sink){keep_quiet, NULL}, &err),
	           &err);
	open_watch(s);
	look(s);
	return s;
}

static void change(void)
{
	my_do("INSERT INTO sales (region, amount) VALUES ('east', 1)");
}

/* ---- tests */

static void what_was_committed_before_it_is_told(void)
{
	struct scene *s = begin();
	int told = 0;

	for (int i = 0; i < TRIES; i++) {
		int64_t before = s->seq;
		change();
		look(s);
		told += s->seq > before;
	}
	CHECK_INT(told, TRIES);
}

/* The first one has to wait for the stream to begin. */
static void so_it_is_after_a_reconnect(void)
{
	struct scene *s = begin();
	int told = 0;

	for (int i = 0; i < TRIES / 4; i++) {
		int64_t before = s->seq;
		DIALECT->capture->watch_close(&s->watch);
		change();
		open_watch(s);
		look(s);
		told += s->seq > before;
	}
	CHECK_INT(told, TRIES / 4);
}

/* Whatever is last in the log, a look comes to its end. */
static void it_ends_behind_every_kind_of_end(void)
{
	static const char *const ends[] = {
		"FLUSH BINARY LOGS",
		"FLUSH STATUS",
		"CREATE OR REPLACE TABLE unrelated (n INT) ENGINE=MyISAM",
		"INSERT INTO unrelated VALUES (1)",
		"SET skip_replication = 1; INSERT INTO unrelated VALUES (2); SET skip_replication = 0",
		"SET binlog_format = 'STATEMENT'; INSERT INTO unrelated VALUES (3); SET binlog_format = 'ROW'",
		("XA START 'x'; INSERT INTO sales (region, amount) VALUES ('west', 1); XA END 'x'; XA PREPARE 'x'; XA ROLLBACK "
	     "'x'"),
		"FLUSH BINARY LOGS; FLUSH BINARY LOGS",
	};
	struct scene *s = begin();
	MYSQL *my = my_root();

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		char *rest = talloc_strdup(harness_ctx(), ends[i]), *one;
		while ((one = strsep(&rest, ";")) != NULL)
			CHECK_STR(mysql_query(my, one) == 0 ? "" : mysql_error(my), "");
		look(s);
		int64_t before = s->seq;
		change();
		look(s);
		CHECK(s->seq > before);
	}
}

/* More than one call reads: each says so, and the marks come as they are found. */
static void a_long_log_is_read_in_parts(void)
{
	struct scene *s = begin();

	DIALECT->capture->watch_close(&s->watch);
	int64_t before = s->seq;
	my_do("CREATE TABLE long_one (n INT, filler VARCHAR(1000)) ENGINE=MyISAM");
	for (int i = 0; i < 8; i++)
		my_do("INSERT INTO long_one SELECT seq, REPEAT('x', 1000) FROM seq_1_to_50000");
	my_do("FOR i IN 1 .. 40000 DO INSERT INTO long_one VALUES (i, ''); END FOR");
	change();
	s->each = 1;
	open_watch(s);
	look(s);
	CHECK(s->seq > before);
	CHECK(s->n_behind > 0);
	my_do("DROP TABLE long_one");
}

/* A failure that passes by itself must not make `auto` choose triggers for good. */
static void a_passing_failure_decides_nothing(void)
{
	const struct viewd_source source = {"shop", "sales", VIEWD_KIND_TABLE};
	struct scene *s = begin();
	struct viewd_view_spec spec = my_view("w", VIEWD_METHOD_TABLE, "SELECT * FROM sales");
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_AUTO, .sources = &source, .n_sources = 1};
	struct viewd_captured out = {.mode = VIEWD_CAPTURE_COUNT};
	struct viewd_err err = {0};

	my_do("ALTER USER viewd@localhost WITH MAX_CONNECTIONS_PER_HOUR 1");
	my_unprepared();
	CHECK(!DIALECT->capture->set(s->conn, &spec, &req, &out, (struct viewd_text_sink){keep_quiet, NULL}, &err));
	CHECK_INT(err.cls, VIEWD_ERR_RESOURCE);
	my_do("ALTER USER viewd@localhost WITH MAX_CONNECTIONS_PER_HOUR 0");
	REQUIRE_OK(DIALECT->capture->set(s->conn, &spec, &req, &out, (struct viewd_text_sink){keep_quiet, NULL}, &err),
	           &err);
	CHECK_INT(out.mode, VIEWD_CAPTURE_BINLOG);
}

/* ---- large events */

struct reader {
	struct viewd_conn *conn;
	struct binlog *log;
};

static int close_reader(struct reader *r)
{
	binlog_close(&r->log);
	DIALECT->close(&r->conn);
	return 0;
}

static struct reader *open_reader(const char *parameters)
{
	struct reader *r = talloc_zero(harness_ctx(), struct reader);
	struct viewd_database_spec spec = my_spec();
	struct viewd_err err = {0};

	talloc_set_destructor(r, close_reader);
	spec.url = talloc_asprintf(r, "%s%s", spec.url, parameters);
	r->conn = DIALECT->open(&my_host, &spec, &err);
	REQUIRE_OK(r->conn != NULL, &err);
	r->log = binlog_open(r->conn, &err);
	REQUIRE_OK(r->log != NULL, &err);
	return r;
}

/* To the end of the log. */
static void read_all(struct reader *r)
{
	int64_t deadline = my_mono() + PATIENCE;
	struct viewd_err err = {0};
	bool found;

	REQUIRE_OK(binlog_aim(r->log, true, &err), &err);
	do {
		REQUIRE_OK(binlog_read(r->log, &err), &err);
		REQUIRE_OK(binlog_commit(r->log, &found, &err), &err);
	} while (binlog_is_behind(r->log) && my_mono() < deadline);
	CHECK(!binlog_is_behind(r->log));
}

static struct scene *begin_large(void)
{
	const struct viewd_source source = {"shop", "large", VIEWD_KIND_TABLE};
	struct scene *s = begin();
	struct viewd_view_spec spec = my_view("w", VIEWD_METHOD_TABLE, "SELECT id FROM large");
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_BINLOG, .sources = &source, .n_sources = 1};
	struct viewd_captured out;
	struct viewd_err err = {0};

	my_do("CREATE TABLE large (id INT PRIMARY KEY, t LONGTEXT)");
	my_do("SET STATEMENT group_concat_max_len = 16000000 FOR INSERT INTO large SELECT 1, "
	      "group_concat(hex(random_bytes(512)) SEPARATOR '') FROM seq_1_to_10000");
	REQUIRE_OK(DIALECT->capture->set(s->conn, &spec, &req, &out, (struct viewd_text_sink){keep_quiet, NULL}, &err),
	           &err);
	look(s);
	return s;
}

/* Rows of 10 MiB, of which an update gives two: more than a packet. */
static void large_rows_are_heard_and_not_kept(void)
{
	static const char *const writes[] = {
		"UPDATE large SET t = concat(t, 'y')",
		"INSERT INTO large SELECT 2, t FROM large WHERE id = 1",
		"REPLACE INTO large SELECT 2, concat(t, 'z') FROM large WHERE id = 1",
		"DELETE FROM large WHERE id = 2",
	};
	struct scene *s = begin_large();
	struct reader *r = open_reader("");

	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		int64_t large = s->other, seq = s->seq;
		my_do("%s", writes[i]);
		look(s);
		harness_check(s->other > large, __FILE__, __LINE__, "told of %s", writes[i]);
		CHECK_INT(s->seq, seq);
		change();
		look(s);
		CHECK(s->seq > seq);
	}
	read_all(r);
	CHECK(r->log->my->net.max_packet < 1u << 20);
}

/* The text of a long statement is not read, so everything has changed. */
static void so_are_long_statements(void)
{
	struct scene *s = begin_large();
	MYSQL *my = my_root();
	char *text = talloc_array(harness_ctx(), char, 2 << 20);
	int64_t large = s->other, seq = s->seq;

	memset(text, 'x', 2 << 20);
	text[(2 << 20) - 1] = '\0';
	REQUIRE(mysql_query(my, "SET SESSION binlog_format = 'STATEMENT'") == 0);
	REQUIRE(mysql_query(my, talloc_asprintf(text, "INSERT INTO large VALUES (3, '%s')", text)) == 0);
	look(s);
	CHECK(s->other > large && s->seq > seq);
	seq = s->seq;
	change();
	look(s);
	CHECK(s->seq > seq);
}

static bool has_tls(void)
{
	return strcmp(my_ask("SELECT @@have_ssl"), "YES") == 0;
}

/* Where the library has to read them, its buffer is given back afterwards. Those that the server has compressed it
 * cannot read. */
static void a_buffer_that_has_grown_is_given_back(void)
{
	char *compress = talloc_strdup(harness_ctx(), my_ask("SELECT @@global.log_bin_compress"));

	if (!has_tls())
		harness_skip("the server has no certificate");
	begin_large();
	my_do("SET GLOBAL log_bin_compress = OFF");
	struct reader *r = open_reader("&ssl=yes");

	CHECK(mysql_get_ssl_cipher(r->log->my) != NULL);
	my_do("UPDATE large SET t = concat(t, 'y')");
	read_all(r);
	for (int64_t deadline = my_mono() + PATIENCE; r->log->my->net.max_packet > 16u << 20 && my_mono() < deadline;)
		read_all(r); /* reading may have come to rest inside a transaction of viewd's own */
	CHECK(r->log->my->net.max_packet <= 16u << 20);
	my_do("SET GLOBAL log_bin_compress = %s", compress);
}

/* The URL's word is for what is asked and answered. */
static void the_stream_is_not_compressed(void)
{
	begin_large();
	struct reader *r = open_reader("&compress=yes");

	CHECK(r->conn->my->net.compress);
	CHECK(!r->log->my->net.compress);
	my_do("UPDATE large SET t = concat(t, 'y')");
	read_all(r);
	CHECK(r->log->my->net.max_packet < 1u << 20);
}

/* A reader that has come to rest has read all that was sent, without asking for the end. */
static void read_to_rest(struct reader *r)
{
	struct pollfd pfd = {.fd = binlog_fd(r->log), .events = POLLIN};
	struct viewd_err err = {0};
	struct position end;
	bool found;

	do {
		REQUIRE_OK(binlog_read(r->log, &err), &err);
		REQUIRE_OK(binlog_commit(r->log, &found, &err), &err);
	} while (found || binlog_buffered(r->log) || poll(&pfd, 1, 1000) > 0);
	REQUIRE_OK(position_end(r->conn, &end, &err), &err);
	CHECK_STR(r->log->at.file, end.file);
	CHECK_INT(r->log->seen, end.offset);
}

/* One record holds many events, and nothing more comes for which to wake up. */
static void what_the_library_holds_is_read(void)
{
	if (!has_tls())
		harness_skip("the server has no certificate");
	begin();
	my_do("CREATE TABLE wide (n INT PRIMARY KEY, t LONGTEXT)");
	struct reader *r = open_reader("&ssl=yes");
	read_to_rest(r);
	MYSQL *my = my_root();
	for (int k = 0; k < 40; k++) {
		REQUIRE(mysql_query(my, "BEGIN") == 0);
		REQUIRE(mysql_query(
					my, talloc_asprintf(r, "INSERT INTO wide VALUES (%d, REPEAT('x', %d))", k, 15000 + 2111 * k)) == 0);
		for (int i = 0; i < 20; i++)
			REQUIRE(mysql_query(my, "INSERT INTO sales (region, amount) VALUES ('east', 1)") == 0);
		REQUIRE(mysql_query(my, "COMMIT") == 0);
		read_to_rest(r);
	}
}

static const struct harness_test tests[] = {
	{"what was committed before it is told", what_was_committed_before_it_is_told},
	{"so it is after a reconnect", so_it_is_after_a_reconnect},
	{"it ends behind every kind of end", it_ends_behind_every_kind_of_end},
	{"a long log is read in parts", a_long_log_is_read_in_parts},
	{"a passing failure decides nothing", a_passing_failure_decides_nothing},
	{"large rows are heard and not kept", large_rows_are_heard_and_not_kept},
	{"so are long statements", so_are_long_statements},
	{"a buffer that has grown is given back", a_buffer_that_has_grown_is_given_back},
	{"the stream is not compressed", the_stream_is_not_compressed},
	{"what the library holds is read", what_the_library_holds_is_read},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql look", tests))
