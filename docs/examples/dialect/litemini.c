/* SPDX-License-Identifier: MIT
 *
 * litemini.c: a whole dialect in one file, built outside the tree of viewd. docs/plugin-guide.md explains it.
 *
 * The dialect keeps views in SQLite files, with litemini:///path as URL. viewd's common library does the work: it
 * knows how views are made, replaced and refreshed. A dialect tells the library three things: what the SQL of its
 * engine looks like (struct syntax), how to run a statement (the first six functions of struct db_ops), and what the
 * catalogue says (the next four). This one notices no changes: schedules do the work.
 *
 * The sections below are in the order in which to write a dialect of your own.
 */
#include "base/err.h"
#include "common/conn/url.h"
#include "common/dialect.h"
#include "common/objects/task.h"
#include "common/sqltext/lexer.h"
#include "common/text/digest.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>
#include <time.h>

/* ---- 1. the SQL of the engine, as data --------------------------------------------------------------------------- */

#define NO_ROWS "a simple view stores no rows"
#define NO_MATVIEW "SQLite has no materialized views"
#define NEVER_BLOCKS "readers keep the old rows until a refresh commits: full and diff never block them"

/* What is not named is NULL, false or 0, which always means: this engine has no such thing. */
static const struct syntax syntax = {
	.dialect = "litemini",
	.lexer.flags = LEX_BACKTICK | LEX_BRACKETS,
	.names.quote = '"',
	.names.max = 255,
	.names.max_parts = 1, /* a name, no schema */
	.lexer.placeholder = '?',
	.clock.words = "current_date current_time current_timestamp",
	.clock.defaults = "date time datetime julianday unixepoch timediff",
	.clock.formats = "strftime",
	.has.view_if_not_exists = true,
	.lexer.quoted_may_be_text = true,
	.has.transactional_ddl = true,     /* data, state and history commit together */
	.table.name_tag = " /* viewd:{} */", /* find_object finds it again: that is how viewd knows its own objects */
	.temporary.schema = "temp",
	.diff.stage_index = true,
	.temporary.drop = "DROP TABLE",
	/* clang-format off */
	.mode_refusal = {
		[VIEWD_METHOD_SIMPLE] = {
			[VIEWD_MODE_FULL] = NO_ROWS, [VIEWD_MODE_CONCURRENTLY] = NO_ROWS, [VIEWD_MODE_DIFF] = NO_ROWS,
			[VIEWD_MODE_SWAP] = NO_ROWS, [VIEWD_MODE_INCREMENTAL] = NO_ROWS,
		},
		[VIEWD_METHOD_MATERIALIZED] = {
			[VIEWD_MODE_FULL] = NO_MATVIEW, [VIEWD_MODE_CONCURRENTLY] = NO_MATVIEW, [VIEWD_MODE_DIFF] = NO_MATVIEW,
			[VIEWD_MODE_SWAP] = NO_MATVIEW, [VIEWD_MODE_INCREMENTAL] = NO_MATVIEW,
		},
		[VIEWD_METHOD_TABLE] = {
			[VIEWD_MODE_CONCURRENTLY] = NEVER_BLOCKS, [VIEWD_MODE_SWAP] = NEVER_BLOCKS,
			[VIEWD_MODE_INCREMENTAL] = "changes are not captured row by row",
		},
	},
	/* clang-format on */
	.verify_value = "quote({})", /* tells 1 from 1.0 from '1' */
	.diff.same_value = "({a} IS {b} COLLATE BINARY AND typeof({a}) = typeof({b}))",
	.state.prefix = "viewd_",
	.state.views = "viewd_view_state",
	.state.history = "viewd_refresh_history",
	.types.text = "TEXT",
	.types.key = "TEXT",
	.types.bigint = "INTEGER",
	.types.time = "TEXT",
	.types.serial_key = "INTEGER PRIMARY KEY",
	.state.history_index = "CREATE INDEX IF NOT EXISTS viewd_refresh_history_view ON viewd_refresh_history (view, id)",
	.time.in = "{}",
	.time.out = "{}",
	.state.upsert_clause = " ON CONFLICT (name) DO UPDATE SET ",
	.state.upsert_value = "excluded.{}",
};

/* ---- 2. a connection, and what its failures mean ----------------------------------------------------------------- */

/* What an authorizer allows. */
enum guard {
	GUARD_OWN,        /* statements of the common library, with the user's definition or hook inside */
	GUARD_DEFINITION, /* a bare definition, which may only read; what it reads is noted */
	GUARD_NONE,       /* fixed statements of this file */
};

struct viewd_conn {
	struct db db; /* first: the common library treats one as the other */
	sqlite3 *handle;
	enum guard guard;
	bool refused;        /* by the authorizer */
	int64_t deadline_us; /* monotonic; 0: none */
	int64_t lock_timeout_us;
	int64_t busy_until_us; /* end of the present wait for a lock */
	atomic_bool cancelled; /* set by another thread */
	char **names;          /* what a definition reads, talloc'ed on names_mem */
	void *names_mem;
};

static struct viewd_conn *conn_of(struct db *db)
{
	return CONTAINER_OF(db, struct viewd_conn, db);
}

static int64_t mono_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static bool is_stopped(struct viewd_conn *conn)
{
	return atomic_load(&conn->cancelled) || (conn->deadline_us != 0 && mono_us() >= conn->deadline_us);
}

/* The class decides what the daemon does next. */
static enum viewd_err_class class_of(struct viewd_conn *conn, int primary)
{
	const char *text = sqlite3_errmsg(conn->handle);
	switch (primary) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_SCHEMA:
		return VIEWD_ERR_CONFLICT;
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_NOMEM:
		return VIEWD_ERR_RESOURCE;
	case SQLITE_READONLY:
		return VIEWD_ERR_STANDBY;
	case SQLITE_CANTOPEN:
		return VIEWD_ERR_CONNECT;
	default:
		return strncmp(text, "no such ", 8) == 0 ? VIEWD_ERR_MISSING : VIEWD_ERR_QUERY;
	}
}

static bool fail(struct viewd_conn *conn, int rc, struct viewd_err *err)
{
	int primary = rc & 0xff;
	bool waited = primary == SQLITE_BUSY || primary == SQLITE_LOCKED;
	if (primary == SQLITE_INTERRUPT || (waited && is_stopped(conn))) {
		bool cancelled = atomic_load(&conn->cancelled);
		err_set(err, cancelled ? VIEWD_ERR_CANCELLED : VIEWD_ERR_TIMEOUT, "statement was %s",
		        cancelled ? "cancelled" : "stopped (the view's timeout was reached)");
	} else if (conn->refused) {
		err_set(err, VIEWD_ERR_CONFIG, "statement does what viewd does not allow (%s)", sqlite3_errmsg(conn->handle));
	} else {
		err_set(err, class_of(conn, primary), "%s", sqlite3_errmsg(conn->handle));
	}
	if (err != NULL)
		err->native = rc;
	return false;
}

/* The three ways in which SQLite asks while it works: go on computing? wait for a lock? is this action allowed? */

static int on_progress(void *ctx)
{
	return is_stopped(ctx);
}

static int on_busy(void *ctx, int times)
{
	struct viewd_conn *conn = ctx;
	if (times == 0)
		conn->busy_until_us = mono_us() + conn->lock_timeout_us;
	if (mono_us() >= conn->busy_until_us || is_stopped(conn))
		return 0;
	nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	return 1;
}

static void note_name(struct viewd_conn *conn, const char *name)
{
	size_t n = talloc_array_length(conn->names);
	if (name == NULL || name[0] == '\0' || strncasecmp(name, "sqlite_", 7) == 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(conn->names[i], name) == 0)
			return;
	conn->names = talloc_realloc(conn->names_mem, conn->names, char *, (unsigned)n + 1);
	conn->names[n] = talloc_strdup(conn->names, name);
}

/* a: the table that is read; view: through which view. */
static int on_action(void *ctx, int action, const char *a, const char *b, const char *schema, const char *view)
{
	struct viewd_conn *conn = ctx;
	(void)b;
	(void)schema;
	bool reads =
		action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE || action == SQLITE_FUNCTION;
	bool leaves =
		action == SQLITE_ATTACH || action == SQLITE_DETACH || action == SQLITE_PRAGMA || action == SQLITE_TRANSACTION;
	if (conn->guard == GUARD_DEFINITION && reads) {
		note_name(conn, action == SQLITE_READ ? a : NULL);
		note_name(conn, view);
	}
	if (conn->guard == GUARD_NONE || (conn->guard == GUARD_DEFINITION ? reads : !leaves))
		return SQLITE_OK;
	conn->refused = true;
	return SQLITE_DENY;
}

static bool read_path(const struct viewd_database_spec *db, void *mem, char **path_r, struct viewd_err *err)
{
	struct url *url = url_parse(mem, db->url, err);
	if (url == NULL)
		return false;
	if (url->host != NULL || url->user != NULL || url->database == NULL || url->n_query > 0) {
		err_set(err, VIEWD_ERR_CONFIG, "database url names no file");
		return err_hint(err, "write litemini:///relative.db or litemini:////absolute.db");
	}
	*path_r = url->database[0] == '/' ? url->database : talloc_asprintf(mem, "%s/%s", db->base_dir, url->database);
	return true;
}

static bool check_database(const struct viewd_database_spec *db, struct viewd_err *err)
{
	char *path;
	void *mem = talloc_new(NULL);
	bool good = read_path(db, mem, &path, err);
	talloc_free(mem);
	return good;
}

static void close_conn(struct viewd_conn **conn)
{
	if (*conn != NULL)
		sqlite3_close_v2((*conn)->handle);
	TALLOC_FREE(*conn);
}

static const struct db_ops ops; /* section 5 */

static struct viewd_conn *open_conn(const struct viewd_host *host, const struct viewd_database_spec *db,
                                    struct viewd_err *err)
{
	char *path;
	struct viewd_conn *conn = talloc_zero(NULL, struct viewd_conn);
	conn->db =
		(struct db){.syntax = &syntax, .ops = &ops, .host = host, .database_name = talloc_strdup(conn, db->name)};
	conn->lock_timeout_us = db->connect_timeout_us;
	int rc = SQLITE_OK;
	bool good = read_path(db, conn, &path, err);
	if (good) {
		rc = sqlite3_open_v2(path, &conn->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
		                     NULL);
		sqlite3_busy_handler(conn->handle, on_busy, conn);
		sqlite3_progress_handler(conn->handle, 2000, on_progress, conn);
		sqlite3_set_authorizer(conn->handle, on_action, conn);
		good =
			(rc == SQLITE_OK || fail(conn, rc, err)) && db_exec(&conn->db, "SELECT 1 FROM sqlite_master LIMIT 1", err);
	}
	if (!good) {
		err_wrap(err, "database file of %s", db->name);
		close_conn(&conn);
	}
	return conn;
}

/* [any]: sqlite3_interrupt may be called on any thread. The flag stops what begins a moment later in the same call. */
static void cancel(struct viewd_conn *conn)
{
	atomic_store(&conn->cancelled, true);
	sqlite3_interrupt(conn->handle);
}

/* A new call of the daemon: a cancel that came too late for the last one is forgotten. */
static void op_enter(struct db *db)
{
	atomic_store(&conn_of(db)->cancelled, false);
	conn_of(db)->deadline_us = 0;
}

static bool alive(struct viewd_conn *conn)
{
	op_enter(&conn->db);
	return db_exec(&conn->db, "SELECT 1 FROM sqlite_master LIMIT 1", NULL);
}

static bool op_set_limits(struct db *db, int64_t timeout_us, int64_t lock_timeout_us, struct viewd_err *err UNUSED)
{
	conn_of(db)->deadline_us = timeout_us > 0 ? mono_us() + timeout_us : 0;
	conn_of(db)->lock_timeout_us = lock_timeout_us;
	return true;
}

/* ---- 3. running a statement ------------------------------------------------------------------------------------- */

static bool prepare(struct viewd_conn *conn, const char *sql, enum guard guard, sqlite3_stmt **out,
                    struct viewd_err *err)
{
	const char *tail = "";
	if (is_stopped(conn))
		return fail(conn, SQLITE_INTERRUPT, err);
	conn->guard = guard;
	conn->refused = false;
	int rc = sqlite3_prepare_v2(conn->handle, sql, -1, out, &tail);
	conn->guard = GUARD_OWN;
	if (rc != SQLITE_OK)
		return fail(conn, rc, err);
	if (*out != NULL && tail[strspn(tail, " \t\r\n")] == '\0')
		return true;
	sqlite3_finalize(*out);
	return err_set(err, VIEWD_ERR_QUERY, "statement is empty or holds more than one");
}

/* One row as text, judged and handed over by db_give. */
static bool give_row(sqlite3_stmt *stmt, const struct db_reader *row, void *ctx, bool *more_r, struct viewd_err *err)
{
	const char *values[64];
	int n = sqlite3_column_count(stmt);
	n = n < (int)ARRAY_LEN(values) ? n : (int)ARRAY_LEN(values);
	for (int i = 0; i < n; i++)
		values[i] = (const char *)sqlite3_column_text(stmt, i);
	return db_give(row, ctx, values, (size_t)n, more_r, err);
}

static bool run(struct viewd_conn *conn, const char *sql, enum guard guard, const char *const *params, size_t n_params,
                const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	sqlite3_stmt *stmt = NULL;
	bool more = true, good = prepare(conn, sql, guard, &stmt, err);
	if (!good)
		return false;
	for (size_t i = 0; i < n_params; i++)
		sqlite3_bind_text(stmt, (int)i + 1, params[i], -1, SQLITE_STATIC);
	int rc = SQLITE_DONE;
	while (good && more && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		good = row == NULL || give_row(stmt, row, ctx, &more, err);
	if (good && more && rc != SQLITE_DONE)
		good = fail(conn, rc, err);
	sqlite3_finalize(stmt);
	return good;
}

static bool op_exec(struct db *db, const char *sql, const char *const *params, size_t n_params, int64_t *affected_r,
                    struct viewd_err *err)
{
	if (!run(conn_of(db), sql, GUARD_OWN, params, n_params, NULL, NULL, err))
		return false;
	if (affected_r != NULL)
		*affected_r = sqlite3_changes64(conn_of(db)->handle);
	return true;
}

static bool op_query(struct db *db, const char *sql, const char *const *params, size_t n_params,
                     const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	return run(conn_of(db), sql, GUARD_OWN, params, n_params, row, ctx, err);
}

/* A transaction that has read cannot write after somebody else's commit: writers take the lock at once. */
static bool op_begin(struct db *db, enum db_begin how, struct viewd_err *err)
{
	const char *sql = how == DB_BEGIN_SNAPSHOT ? "BEGIN" : "BEGIN IMMEDIATE";
	return run(conn_of(db), sql, GUARD_NONE, NULL, 0, NULL, NULL, err);
}

static bool op_commit(struct db *db, struct viewd_err *err)
{
	return run(conn_of(db), "COMMIT", GUARD_NONE, NULL, 0, NULL, NULL, err);
}

/* Some failures have rolled back already. A cancel must not stop the rollback. */
static void op_rollback(struct db *db)
{
	struct viewd_err failure;
	op_enter(db);
	if (!sqlite3_get_autocommit(conn_of(db)->handle) &&
	    !run(conn_of(db), "ROLLBACK", GUARD_NONE, NULL, 0, NULL, NULL, &failure))
		db_log(db, VIEWD_LOG_WARNING, "database '%s', rollback failed (%s)", db->database_name, failure.msg);
}

/* ---- 4. what the catalogue says ---------------------------------------------------------------------------------- */

/* The tag of syntax.table.name_tag, in its place: between the name and what follows. SQLite keeps the text of CREATE as
 * written. */
static bool read_tag(const char *sql, char out[static 33])
{
	struct lex_token tok;
	for (const char *p = sql;
	     (tok = lex_next(syntax.lexer.flags, &p)).kind != LEX_END && tok.kind != LEX_OTHER && !lex_is(&tok, "AS");)
		if (tok.kind == LEX_COMMENT)
			return sscanf(tok.text, "/* viewd:%32[0-9a-f] */", out) == 1 && strlen(out) == 32;
	return false;
}

/* What follows the first AS of a CREATE VIEW. */
static const char *definition_of(const char *sql)
{
	struct lex_token tok;
	for (const char *p = sql; (tok = lex_next(syntax.lexer.flags, &p)).kind != LEX_END;)
		if (lex_is(&tok, "AS"))
			return p;
	return sql;
}

static void digest_normal(const char *sql, char out[static DIGEST_SIZE])
{
	char *normal = lex_normalise(&syntax, NULL, sql);
	digest_text(normal, out);
	talloc_free(normal);
}

static enum viewd_kind kind_of(const char *type, const char *sql)
{
	if (strcmp(type, "view") == 0)
		return VIEWD_KIND_VIEW;
	bool plain = strcmp(type, "table") == 0 && strncasecmp(sql, "CREATE VIRTUAL", 14) != 0;
	return plain ? VIEWD_KIND_TABLE : VIEWD_KIND_OTHER;
}

/* The identity proves later that an object is still the one that was recorded. A user's table has no tag, so none. */
static bool read_object_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct db_object *out = ctx;
	const char *sql = values[2] != NULL ? values[2] : "";
	char tag[33];
	bool view = strcmp(values[0], "view") == 0;
	out->kind = kind_of(values[0], sql);
	out->populated = true;
	snprintf(out->name, sizeof out->name, "%s", values[1]);
	digest_normal(view ? definition_of(sql) : sql, out->canonical);
	if (read_tag(sql, tag))
		snprintf(out->identity, sizeof out->identity, "tag:%s", tag);
	else if (view)
		snprintf(out->identity, sizeof out->identity, "text:%s", out->canonical);
	return false;
}

static const struct db_reader read_object[] = {{read_object_fn, "ttT", "what a name stands for"}};

static bool op_find_object(struct db *db, const struct relation *rel, struct db_object *out, struct viewd_err *err)
{
	const char *params[] = {rel->name};
	*out = (struct db_object){.kind = VIEWD_KIND_NONE};
	return op_query(
		db, "SELECT type, name, sql FROM main.sqlite_master WHERE name = ? COLLATE NOCASE AND type <> 'trigger'",
		params, 1, read_object, out, err);
}

static bool op_list_indexes(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                            struct viewd_err *err)
{
	const char *params[] = {rel->name};
	return op_query(db, "SELECT name FROM main.sqlite_master WHERE type = 'index' AND tbl_name = ? COLLATE NOCASE",
	                params, 1, row, ctx, err);
}

/* ---- who reads a relation: SQLite would drop it under its readers ---- */

struct readers {
	const char *name;
	bool found; /* the view at hand mentions it */
	bool more, good;
	const struct db_reader *row;
	void *ctx;
	struct viewd_err *err;
};

static bool compare_mention(void *ctx, const char *text)
{
	struct readers *readers = ctx;
	readers->found = readers->found || strcasecmp(text, readers->name) == 0;
	return !readers->found;
}

static bool judge_view_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct readers *readers = ctx;
	readers->found = false;
	lex_mentions(&syntax, definition_of(values[1]), (struct viewd_text_sink){compare_mention, readers});
	if (readers->found)
		readers->good = db_give(readers->row, readers->ctx, (const char *[]){"VIEW", "", values[0]}, 3, &readers->more,
		                        readers->err);
	return readers->good && readers->more;
}

static const struct db_reader views_of_file[] = {{judge_view_fn, "tt", "the views of the database"}};

/* By name: one that only mentions it counts as well, which stops a drop too many rather than one too few. */
static bool op_list_dependants(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                               struct viewd_err *err)
{
	const char *params[] = {rel->name};
	struct readers readers = {.name = rel->name, .more = true, .good = true, .row = row, .ctx = ctx, .err = err};
	return op_query(
			   db,
			   "SELECT name, sql FROM main.sqlite_master "
			   "WHERE type = 'view' AND name <> ? COLLATE NOCASE ORDER BY name",
			   params, 1, views_of_file, &readers, err) &&
	       readers.good;
}

/* The digest that find_object would tell of the wanted view: an equal one that a user has made is adopted. */
static bool op_wanted_canonical(struct task *task, char out[static 65], struct viewd_err *err UNUSED)
{
	struct gen gen = task->gen;
	gen.columns = task->columns;
	digest_normal(gen_query(&gen), out);
	return true;
}

/* The authorizer notes the names while SQLite compiles the definition. Each is then looked up: a WITH has names as
 * well. */
static bool op_list_sources(struct db *db, const char *definition, struct viewd_source_sink sink, struct viewd_err *err)
{
	struct viewd_conn *conn = conn_of(db);
	sqlite3_stmt *stmt = NULL;
	conn->names_mem = talloc_new(NULL);
	bool good = prepare(conn, definition, GUARD_DEFINITION, &stmt, err), more = sink.fn != NULL;
	sqlite3_finalize(stmt);
	for (size_t i = 0; good && more && i < talloc_array_length(conn->names); i++) {
		struct relation rel = {.schema = ""};
		struct db_object found;
		snprintf(rel.name, sizeof rel.name, "%s", conn->names[i]);
		good = op_find_object(db, &rel, &found, err);
		if (good && found.kind != VIEWD_KIND_NONE)
			more = sink.fn(sink.ctx, &(struct viewd_source){.schema = "", .name = found.name, .kind = found.kind});
	}
	conn->names = NULL;
	TALLOC_FREE(conn->names_mem);
	return good;
}

/* No types: a column without one keeps every value exactly as it is. */
static bool op_query_columns(struct db *db, const char *query, const struct db_reader *row, void *ctx,
                             struct viewd_err *err)
{
	struct viewd_conn *conn = conn_of(db);
	sqlite3_stmt *stmt = NULL;
	conn->names_mem = talloc_new(NULL);
	bool good = prepare(conn, query, GUARD_DEFINITION, &stmt, err), more = true;
	for (int i = 0; good && more && i < sqlite3_column_count(stmt); i++)
		good = db_give(row, ctx, (const char *[]){sqlite3_column_name(stmt, i), NULL}, 2, &more, err);
	sqlite3_finalize(stmt);
	conn->names = NULL;
	TALLOC_FREE(conn->names_mem);
	return good;
}

/* ---- 5. the dialect ---------------------------------------------------------------------------------------------- */

static const struct db_ops ops = {
	.exec = op_exec,
	.query = op_query,
	.begin = op_begin,
	.commit = op_commit,
	.rollback = op_rollback,
	.set_limits = op_set_limits,
	.find_object = op_find_object,
	.list_sources = op_list_sources,
	.query_columns = op_query_columns,
	.list_indexes = op_list_indexes,
	.session = {
		.enter = op_enter,
	},
	.catalogue = {
		.wanted_canonical = op_wanted_canonical,
		.list_dependants = op_list_dependants,
	},
};

static bool judge_view(const struct viewd_database_spec *db UNUSED, const struct viewd_view_spec *view,
                       struct viewd_resolved *out, struct viewd_text_sink mentions, struct viewd_err *err)
{
	return dialect_check_view(&syntax, view, out, mentions, err);
}

static bool render(const struct viewd_database_spec *db UNUSED, const struct viewd_view_spec *view,
                   enum viewd_render_kind kind, const struct viewd_render_flags *flags,
                   struct viewd_text_sink statements, struct viewd_err *err)
{
	return dialect_render(&syntax, view, kind, flags, statements, err);
}

VIEWD_DIALECT_EXPORT = {
	.abi_major = VIEWD_ABI_MAJOR,
	.abi_minor = VIEWD_ABI_MINOR,
	.struct_size = sizeof(struct viewd_dialect),
	.name = "litemini",
	.version = "litemini 1, SQLite " SQLITE_VERSION,
	.caps = VIEWD_CAP_TRANSACTIONAL_DDL | VIEWD_CAP_SINGLE_WRITER,
	.url_form = "litemini:////absolute.db",
	.check_database = check_database,
	.check_view = judge_view,
	.render = render,
	.open = open_conn,
	.close = close_conn,
	.cancel = cancel,
	.alive = alive,
	.prepare = dialect_prepare,
	.inspect = dialect_inspect,
	.apply = dialect_apply,
	.refresh = dialect_refresh,
	.record_failure = dialect_record_failure,
	.verify = dialect_verify,
	.history = dialect_history,
	.refresh_group = dialect_refresh_group,
};
