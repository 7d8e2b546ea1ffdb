/* SPDX-License-Identifier: MIT
 *
 * conn.c: opening, fixing, cancelling and closing a connection.
 *
 * One blocking connection, never reconnected by the library: a new session would have lost locks and settings without a
 * word.
 */
#include "mysql/my.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/span.h"
#include "common/conn/process.h"

#define OLDEST_MYSQL 80000
#define OLDEST_MARIADB 100600
#define IO_TIMEOUT_S 30u
#define STATEMENT_US SPAN_MINUTE /* until an operation sets its own limit */

/* Everything a definition could notice is left as the server has it (time zone ...), except for what settings.c sets
 * and what would change how SQL is read or which rows are seen. Long lists of keys are to be looked up in an index;
 * MariaDB would make tables of them. */
static const char session_settings[] = "SET SESSION autocommit = 1, wait_timeout = 28800,"
									   " sql_safe_updates = 0, sql_select_limit = DEFAULT, sql_auto_is_null = 0, "
									   "foreign_key_checks = 1, unique_checks = 1"
									   "/*M!100600 , in_predicate_conversion_threshold = 0*/";

static bool parse_spec(void *mem_ctx, const struct viewd_database_spec *spec, struct url **url_r, struct viewd_err *err)
{
	struct url *url = url_parse(mem_ctx, spec->url, err);

	if (url == NULL || !my_params_check(url, err))
		return false;
	*url_r = url;
	return true;
}

bool my_check_database(const struct viewd_database_spec *spec, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	struct url *url;
	bool done = parse_spec(mem, spec, &url, err);

	done = done && my_settings_check(spec, err);
	talloc_free(mem);
	return done;
}

/* No read timeout where statements run: they have their own limits (exec.c), and a dead peer is found by keepalive. */
static void set_timeouts(MYSQL *my, unsigned connect_timeout_s, unsigned read_timeout_s)
{
	unsigned io = IO_TIMEOUT_S;

	mysql_options(my, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout_s);
	mysql_options(my, MYSQL_OPT_WRITE_TIMEOUT, &io);
	if (read_timeout_s > 0)
		mysql_options(my, MYSQL_OPT_READ_TIMEOUT, &read_timeout_s);
}

static void set_safe_options(MYSQL *my, const char *application_name)
{
	unsigned local_infile = 0;

	mysql_options(my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options(my, MYSQL_OPT_LOCAL_INFILE, &local_infile);
	mysql_options4(my, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", application_name);
}

/* A half-open connection is noticed after about a minute instead of two hours. */
static void set_keepalive(MYSQL *my)
{
	static const struct {
		int name, value;
	} wanted[] = {{TCP_KEEPIDLE, 30}, {TCP_KEEPINTVL, 10}, {TCP_KEEPCNT, 3}, {TCP_USER_TIMEOUT, 60000}};
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	int fd = mysql_get_socket(my);
	int on = 1;

	if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 ||
	    (peer.ss_family != AF_INET && peer.ss_family != AF_INET6))
		return;
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		setsockopt(fd, IPPROTO_TCP, wanted[i].name, &wanted[i].value, sizeof wanted[i].value);
}

MYSQL *my_connect_at(struct viewd_conn *conn, size_t place, unsigned read_timeout_s, bool compress,
                     struct viewd_err *err)
{
	const struct url_place *at = &conn->url->places[place];
	MYSQL *my = mysql_init(NULL);
	my_bool never = 0;

	if (my == NULL) {
		err_set(err, VIEWD_ERR_RESOURCE, "client library is out of memory");
		return NULL;
	}
	set_timeouts(my, conn->node.connect_timeout_s, read_timeout_s);
	if (!my_params_apply(my, conn->url, conn->base_dir, compress, err)) {
		mysql_close(my);
		return NULL;
	}
	set_safe_options(my, conn->who.application_name);
	if (mysql_real_connect(my, at->host, conn->url->user, conn->password, conn->url->database, (unsigned)at->port,
	                       url_query(conn->url, "unix_socket"), 0) == NULL) {
		my_fail(my, false, err);
		mysql_close(my);
		return NULL;
	}
	if (my_params_want_tls(conn->url) && mysql_get_ssl_cipher(my) == NULL) {
		err_set(err, VIEWD_ERR_AUTH, "no connection to the server (TLS is wanted, and the server does not offer it)");
		mysql_close(my);
		return NULL;
	}
	mysql_options(my, MYSQL_OPT_RECONNECT, &never); /* an option file may have switched it on */
	set_keepalive(my);
	return my;
}

MYSQL *my_connect(struct viewd_conn *conn, unsigned read_timeout_s, bool compress, struct viewd_err *err)
{
	return my_connect_at(conn, conn->node.place, read_timeout_s, compress, err);
}

/* The library's own function reads behind the end of a text without points. */
unsigned my_version_number(const char *text)
{
	unsigned major, minor, patch;

	if (strncmp(text, "5.5.5-", 6) == 0) /* MariaDB says so first, for old replicas */
		text += 6;
	if (sscanf(text, "%3u.%3u.%3u", &major, &minor, &patch) != 3 || minor > 99 || patch > 99)
		return 0;
	return major * 10000 + minor * 100 + patch;
}

static bool judge_version(struct viewd_conn *conn, struct viewd_err *err)
{
	const char *text = mysql_get_server_info(conn->my);

	text = text != NULL ? text : "";
	conn->mariadb = strcasestr(text, "mariadb") != NULL;
	conn->version = my_version_number(text);
	if (conn->version >= (conn->mariadb ? OLDEST_MARIADB : OLDEST_MYSQL))
		return true;
	err_set(err, VIEWD_ERR_CONFIG, "server is too old (version %.60s)", text);
	return err_hint(err, "MariaDB 10.6 or MySQL 8.0 is the oldest that renames tables safely");
}

/* The first time also which server it is. */
static bool ask_server(struct viewd_conn *conn, struct viewd_err *err)
{
	char *told = NULL;

	if (!my_query_text(conn, conn, "SELECT CONCAT_WS(' ', @@lower_case_table_names, " MY_WHERE_SQL ")", NULL, 0, &told,
	                   err))
		return false;
	conn->names_fold = told != NULL && told[0] != '0';
	if (conn->node.where == NULL && told != NULL && told[0] != '\0')
		conn->node.where = talloc_strdup(conn, told + 2);
	talloc_free(told);
	return true;
}

static bool fix_session(struct viewd_conn *conn, struct viewd_err *err)
{
	if (!judge_version(conn, err) || !db_exec(&conn->db, session_settings, err) ||
	    !my_use_settings(&conn->db, NULL, err) ||
	    !db_exec(&conn->db, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", err))
		return false;
	/* A transaction that a stopped process holds open blocks others no longer than that; MySQL knows no such limit. */
	if (conn->mariadb && !db_exec(&conn->db, "SET SESSION idle_transaction_timeout = 60", err))
		return false;
	if (!conn->mariadb && !db_exec(&conn->db, "SET SESSION information_schema_stats_expiry = 0", err))
		return false;
	return ask_server(conn, err) && places_find_cluster(conn, err) &&
	       my_set_limits(&conn->db, STATEMENT_US, 2 * SPAN_SECOND, err);
}

void my_renew(struct viewd_conn *conn)
{
	struct viewd_err err;
	bool denied = conn->denied.now;

	conn->hooked = conn->denied.now = false;
	if (conn->lost)
		return;
	conn->timeout_us = conn->lock_timeout_us = -1;
	TALLOC_FREE(conn->own.set);
	TALLOC_FREE(conn->own.undo);
	/* The server looks privileges on databases up once a session, and again when it is told who the user is. */
	if ((denied ? mysql_change_user(conn->my, conn->url->user, conn->password, conn->url->database)
	            : mysql_reset_connection(conn->my)) == 0 &&
	    mysql_select_db(conn->my, conn->url->database) == 0 && mysql_set_character_set(conn->my, "utf8mb4") == 0 &&
	    fix_session(conn, &err))
		return;
	conn->lost = true;
}

static struct viewd_conn *conn_new(const struct viewd_host *host, const struct viewd_database_spec *spec,
                                   struct viewd_err *err)
{
	struct viewd_conn *conn = talloc_zero(NULL, struct viewd_conn);

	if (!parse_spec(conn, spec, &conn->url, err) || !my_settings_check(spec, err)) {
		talloc_free(conn);
		return NULL;
	}
	const char *password = spec->password != NULL ? spec->password : conn->url->password;
	conn->db.syntax = &my_syntax;
	conn->db.ops = &my_ops;
	conn->db.host = host;
	conn->db.database_name = talloc_strdup(conn, spec->name);
	conn->who.holder = process_holder(conn, spec->name);
	conn->settings = my_settings_list(conn, spec);
	conn->base_dir = spec->base_dir != NULL ? talloc_strdup(conn, spec->base_dir) : NULL;
	conn->password = password != NULL ? talloc_strdup(conn, password) : NULL;
	conn->who.application_name = talloc_strdup(conn, spec->application_name != NULL ? spec->application_name : "viewd");
	conn->node.connect_timeout_s = (unsigned)((spec->connect_timeout_us + SPAN_SECOND - 1) / SPAN_SECOND);
	if (conn->node.connect_timeout_s == 0)
		conn->node.connect_timeout_s = 10;
	/* Each place gets its share. */
	conn->node.connect_timeout_s =
		(unsigned)((conn->node.connect_timeout_s + conn->url->n_places - 1) / conn->url->n_places);
	return conn;
}

bool my_open_at(struct viewd_conn *conn, size_t place, struct viewd_err *err)
{
	if (conn->my != NULL)
		mysql_close(conn->my);
	conn->node.place = place;
	conn->lost = false;
	conn->timeout_us = conn->node.connect_timeout_s * SPAN_SECOND; /* of our own until the server's is set */
	conn->lock_timeout_us = -1;
	TALLOC_FREE(conn->own.set);
	TALLOC_FREE(conn->own.undo);
	TALLOC_FREE(conn->node.where);
	TALLOC_FREE(conn->node.name);
	conn->node.key[0] = '\0';
	conn->my = my_connect(conn, 0, true, err);
	if (conn->my == NULL)
		return false;
	conn->thread_id = mysql_thread_id(conn->my);
	return fix_session(conn, err);
}

static struct viewd_conn *open_session(const struct viewd_host *host, const struct viewd_database_spec *spec,
                                       bool watches, struct viewd_err *err)
{
	struct viewd_conn *conn = conn_new(host, spec, err);

	if (conn == NULL)
		return NULL;
	conn->node.watches = watches;
	if (!places_open(conn, err))
		my_close(&conn);
	return conn;
}

struct viewd_conn *my_open(const struct viewd_host *host, const struct viewd_database_spec *spec, struct viewd_err *err)
{
	return open_session(host, spec, false, err);
}

struct viewd_conn *my_open_to_watch(const struct viewd_host *host, const struct viewd_database_spec *spec,
                                    struct viewd_err *err)
{
	return open_session(host, spec, true, err);
}

static void wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
}

void my_close(struct viewd_conn **conn_p)
{
	struct viewd_conn *conn = *conn_p;

	*conn_p = NULL;
	if (conn == NULL)
		return;
	if (conn->my != NULL)
		mysql_close(conn->my);
	wipe(conn->password);
	wipe(conn->url->password);
	talloc_free(conn);
}

/* Is that another server? *failed_r: it does not say. */
static bool is_another_server(MYSQL *other, const char *where, bool *failed_r)
{
	MYSQL_RES *result = mysql_query(other, "SELECT " MY_WHERE_SQL) == 0 ? mysql_store_result(other) : NULL;
	MYSQL_ROW row = result != NULL ? mysql_fetch_row(result) : NULL;
	bool another = row != NULL && row[0] != NULL && strcmp(row[0], where) != 0;

	*failed_r = row == NULL || row[0] == NULL;
	mysql_free_result(result);
	return another;
}

#define BALANCED 8 /* connections after which an address that leads to several servers has led to all */

/* Another server gives the number to somebody else. A session that is being set up has not learnt where it is. */
static MYSQL *connect_beside(struct viewd_conn *conn)
{
	bool failed = conn->node.where == NULL;

	for (int i = 0; i < BALANCED && !failed; i++) {
		MYSQL *other = my_connect(conn, conn->node.connect_timeout_s, true, NULL);
		if (other == NULL || (!is_another_server(other, conn->node.where, &failed) && !failed))
			return other;
		mysql_close(other);
	}
	return NULL;
}

void my_kill_query(struct viewd_conn *conn)
{
	MYSQL *other = connect_beside(conn);
	char sql[64];

	snprintf(sql, sizeof sql, "KILL QUERY %lu", conn->thread_id);
	/* When the server does not even take a second connection, the first one is cut: the worker then learns that the
	 * outcome is unknown instead of waiting for ever. */
	if (other == NULL || mysql_query(other, sql) != 0)
		shutdown(mysql_get_socket(conn->my), SHUT_RDWR);
	if (other != NULL)
		mysql_close(other);
}

void my_cancel(struct viewd_conn *conn)
{
	atomic_store(&conn->cancelled, true);
	if (atomic_load(&conn->running))
		my_kill_query(conn);
}

/* Where there is no choice, a server that is behind is as good as any. */
static bool is_at_its_place(struct viewd_conn *conn)
{
	bool behind = false, away = false;

	return (conn->url->n_places == 1 || (places_is_behind(conn, &behind, NULL) && !behind)) &&
	       places_find_away(conn, &away, NULL) && !away;
}

bool my_alive(struct viewd_conn *conn)
{
	int64_t limit = 5 * SPAN_SECOND;

	return !conn->lost && my_exec_within(conn, "DO 1", limit, NULL) && mysql_thread_id(conn->my) == conn->thread_id &&
	       is_at_its_place(conn);
}

bool my_require_writable(struct viewd_conn *conn, struct viewd_err *err)
{
	int64_t writable;

	if (!my_query_int(conn, MY_WRITABLE, NULL, 0, &writable, err))
		return false;
	return writable == 1 ||
	       err_set(err, VIEWD_ERR_STANDBY, "server is read-only (read_only or innodb_read_only is on)");
}

void my_thread_begin(void)
{
	mysql_thread_init();
}

void my_thread_end(void)
{
	mysql_thread_end();
}
