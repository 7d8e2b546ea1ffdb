/* SPDX-License-Identifier: MIT
 *
 * my.h: declarations that the files of this dialect share. Only they include it, and with it mysql.h.
 */
#ifndef VIEWD_MYSQL_MY_H
#define VIEWD_MYSQL_MY_H

#include <stdatomic.h>

#include <mysql.h>
#include <talloc.h>

#include "common/conn/db.h"
#include "common/conn/url.h"
#include "common/objects/task.h"

extern const struct syntax my_syntax; /* syntax.c */
extern const struct db_ops my_ops;    /* mysql.c */

/* Several statements, or their answers. */
struct my_questions {
	void *mem; /* items are talloc'ed on it */
	struct my_question {
		char *sql;
		const struct db_reader *row; /* NULL: a statement without rows */
		void *ctx;
		bool *answered_r; /* becomes true when the server has answered; NULL: nobody asks */
		bool *cut_r;      /* becomes true when a value has a zero byte, where its text ends; NULL: none has */
		bool *numbers_r;  /* true: all columns are whole numbers; else no row is given. NULL: nobody asks */
		bool streamed;    /* nobody knows how long the answer is: its rows are not kept before they are read */
	} * items;
	size_t n;
};

/* A kind of cluster whose nodes certify transactions. */
struct my_cluster {
	const char *const *catch_up; /* statements after which a node has what was committed by way of others; NULL ends */
	const char *afterwards;      /* follows them, also when one has failed; NULL: nothing does */
	bool other_after_start;      /* a node that was started again may have got its contents without its own log */
	bool unordered; /* definitions are not held against rows that other nodes write: none is part of a refresh */
};

#define MY_WHERE_SQL "CONCAT_WS(' ', @@hostname, @@port, @@server_id, @@datadir)"

/* The server that a connection talks to. */
struct my_node {
	size_t place; /* of the URL */
	bool watches; /* chosen by a watch; sessions of workers follow it */
	unsigned connect_timeout_s;
	bool certifies; /* a node of a cluster: whoever is in the way of what comes from another node is ended */
	const struct my_cluster *cluster; /* what else is known of that; NULL: nothing */
	char *where;  /* which server that is, as MY_WHERE_SQL tells; set before any other thread knows the connection */
	char *name;   /* server.c; NULL: not asked yet */
	char key[17]; /* server.c; "": not asked yet */
};

/* One connection. db comes first: dialect.h casts. */
struct viewd_conn {
	struct db db;
	MYSQL *my;
	struct url *url;
	struct my_node node;
	char *base_dir;
	char *password; /* wiped at close */
	struct {
		char *application_name;
		char *holder; /* this process and section, as viewd_daemon tells of them */
	} who;
	char *settings; /* settings.c: what SET SESSION sets */
	struct {
		char *set;  /* view_settings.c: the view's own settings that are in force; NULL: not known */
		char *undo; /* what gives the server's back */
	} own;
	unsigned long thread_id; /* of the server; a different one would be another session */
	bool mariadb;
	unsigned version;   /* as my_version_number tells */
	bool names_fold;    /* lower_case_table_names is not 0: names compare without case */
	int64_t timeout_us; /* limit of one statement, 0: none */
	int64_t lock_timeout_us;
	atomic_bool running;   /* a statement is at the server */
	atomic_bool cancelled; /* cancel() came and was not reported yet */
	bool hooked;           /* somebody else's statement may have changed the session */
	struct {
		bool now;        /* something was refused: the next call of the daemon looks privileges up anew */
		int64_t at;      /* the last refusal, on the monotonic clock; 0: none */
		int64_t renewed; /* when privileges were looked up anew since */
	} denied;
	bool told_hidden;       /* somebody was told that triggers stay for want of a right */
	bool lost;              /* no statement can succeed any more */
	bool writing;           /* the transaction changes something: its commit asks who leads the database */
	char held[IDENT_MAX];   /* a lock of shadow_table.h that goes when the transaction has ended; "" none */
	struct my_tries *tries; /* of change logs (incremental/look.c); NULL: none */
	struct {
		struct my_questions list; /* statements of the transaction that wait for the next one */
		struct viewd_err failure; /* of some: until it is rolled back the transaction says nothing more; OK: none */
		struct my_along *along;   /* catalogue.c: whose identity is asked with an answer; NULL: nobody's */
	} later;
};

static inline struct viewd_conn *my_conn(struct db *db)
{
	return CONTAINER_OF(db, struct viewd_conn, db);
}

/* ---- params.c */

/* Judges scheme, database and query parameters. The message never holds a secret. [any] */
bool my_params_check(const struct url *url, struct viewd_err *err) MUST_CHECK;
/* Hands the parameters to the library before connecting; compress: that one, too. url has passed my_params_check. */
bool my_params_apply(MYSQL *my, const struct url *url, const char *base_dir, bool compress,
                     struct viewd_err *err) MUST_CHECK;
/* Does any of them ask for TLS? The library (3.3) goes on without, unless it has to verify something. */
bool my_params_want_tls(const struct url *url);

/* ---- settings.c */

#define MY_N_OPTIONS 2
extern const struct viewd_dialect_option my_options[MY_N_OPTIONS];
/* Judges the values of the dialect's own keys. [any] */
bool my_settings_check(const struct viewd_database_spec *spec, struct viewd_err *err) MUST_CHECK;
/* Settings for SET SESSION of the database, talloc'ed; sql_mode is always there. The keys were judged. [any] */
char *my_settings_list(void *mem_ctx, const struct viewd_database_spec *spec);

/* Judges one setting. [any] */
bool my_setting_check(const char *name, const char *value, struct viewd_err *err) MUST_CHECK;
/* Adds `, name = value`. It was judged. */
char *my_setting_add(char *sql, const char *name, const char *value);

/* ---- view_settings.c */

/* Judges the settings of a view. [any] */
bool my_settings_check_view(const struct viewd_view_spec *view, struct viewd_err *err) MUST_CHECK;
/* Hands out the statement that sets them, if there are any and kind runs the definition. [any] */
bool my_settings_render(const struct viewd_database_spec *db, const struct viewd_view_spec *view,
                        enum viewd_render_kind kind, struct viewd_text_sink statements);
/* db_ops.session.use_settings; view NULL: those of the database alone */
bool my_use_settings(struct db *db, const struct viewd_view_spec *view, struct viewd_err *err);

/* ---- errors.c */

/* Fills err from the handle's last error. sent: the statement may have reached the server. Returns false. */
bool my_fail(MYSQL *my, bool sent, struct viewd_err *err);

/* ---- conn.c: struct viewd_dialect's functions */

bool my_check_database(const struct viewd_database_spec *spec, struct viewd_err *err);
struct viewd_conn *my_open(const struct viewd_host *host, const struct viewd_database_spec *spec,
                           struct viewd_err *err);
/* The same for a watch, which may lead by way of another place than before. */
struct viewd_conn *my_open_to_watch(const struct viewd_host *host, const struct viewd_database_spec *spec,
                                    struct viewd_err *err);
void my_close(struct viewd_conn **conn);
void my_cancel(struct viewd_conn *conn);
bool my_alive(struct viewd_conn *conn);
void my_thread_begin(void);
void my_thread_end(void);
/* 101119 for "5.5.5-10.11.19-MariaDB"; 0 for what is no version. [any] */
unsigned my_version_number(const char *text);
/* A connection to the server with the account of conn; a read waits at most read_timeout_s, 0: for ever.
 * compress: as the URL says, else never. NULL: err. */
MYSQL *my_connect(struct viewd_conn *conn, unsigned read_timeout_s, bool compress, struct viewd_err *err);
/* The same at another place of the URL. */
MYSQL *my_connect_at(struct viewd_conn *conn, size_t place, unsigned read_timeout_s, bool compress,
                     struct viewd_err *err);
/* Opens the session at a place of the URL, in place of the one that is there, if there is. */
bool my_open_at(struct viewd_conn *conn, size_t place, struct viewd_err *err) MUST_CHECK;
/* Makes the session as it was after my_open; one that cannot be is lost. */
void my_renew(struct viewd_conn *conn);
/* A flag reads as 0 or OFF, depending on the variable and the version. */
#define MY_WRITABLE "SELECT @@global.read_only IN ('0', 'OFF') AND @@global.innodb_read_only IN ('0', 'OFF')"
/* Fails with VIEWD_ERR_STANDBY when the server takes no writes. */
bool my_require_writable(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Ends the running statement over a second connection to the same server; when that fails, cuts the first one's
 * socket. Any thread. */
void my_kill_query(struct viewd_conn *conn);

/* ---- places.c: the servers of a URL that names several */

/* Opens the session at the first place that serves; a URL that names one: there. */
bool places_open(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Is the server a node of one that certifies transactions, and of which kind? */
bool places_find_cluster(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Waits until the node has carried out what was committed by way of the others. */
bool places_catch_up(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Is the server about to leave its cluster or behind it? False also where nobody can tell. */
bool places_is_behind(struct viewd_conn *conn, bool *behind_r, struct viewd_err *err) MUST_CHECK;
/* Does the server take another connection, or at least refuse it? Any thread. */
bool places_answers(struct viewd_conn *conn);
/* Does this process watch by way of another node of the cluster? The node catches up first, with what was committed by
 * way of that one. */
bool places_find_away(struct viewd_conn *conn, bool *away_r, struct viewd_err *err) MUST_CHECK;
/* LOST when the server is behind and another place would serve. */
bool places_stay(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;

/* ---- capture/server.c: which server it is */

/* A text that tells its binary log from another's. */
bool my_server_name(struct viewd_conn *conn, const char **name_r, struct viewd_err *err) MUST_CHECK;
/* A short one that tells it from others that have the same tables. */
bool my_server_key(struct viewd_conn *conn, const char **key_r, struct viewd_err *err) MUST_CHECK;

/* ---- exec.c: struct db_ops */

bool my_exec(struct db *db, const char *sql, const char *const *params, size_t n_params, int64_t *affected_r,
             struct viewd_err *err);
bool my_query(struct db *db, const char *sql, const char *const *params, size_t n_params, const struct db_reader *row,
              void *ctx, struct viewd_err *err);
bool my_begin(struct db *db, enum db_begin how, struct viewd_err *err);
bool my_commit(struct db *db, struct viewd_err *err);
void my_rollback(struct db *db);
bool my_set_limits(struct db *db, int64_t timeout_us, int64_t lock_timeout_us, struct viewd_err *err);
void my_enter(struct db *db);
bool my_end_hook(struct db *db, struct viewd_err *err);
/* One statement whose waiting for locks counts to the microsecond: longer than limit_us gives VIEWD_ERR_CONFLICT. */
bool my_exec_within(struct viewd_conn *conn, const char *sql, int64_t limit_us, struct viewd_err *err) MUST_CHECK;
/* Runs a query of one row and one column; *text_r is talloc'ed on mem_ctx, NULL when there is no row or it is NULL. */
bool my_query_text(struct viewd_conn *conn, void *mem_ctx, const char *sql, const char *const *params, size_t n_params,
                   char **text_r, struct viewd_err *err) MUST_CHECK;
/* The first cell of the one row; 0 when there is none. */
bool my_query_int(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params, int64_t *n_r,
                  struct viewd_err *err) MUST_CHECK;

/* Puts literals in the places of `?`; talloc'ed on conn. NULL: their number is not n. */
char *my_bind(struct viewd_conn *conn, const char *text, const char *const *params, size_t n);
/* Runs a block; each reader of the list gets its answer. */
bool my_run_block(struct viewd_conn *conn, const char *sql, const struct my_questions *list,
                  struct viewd_err *err) MUST_CHECK;

/* ---- batch.c: several statements at once, which MariaDB alone can */

/* Adds a statement of viewd's own. sql is talloc'ed. */
void my_ask_later(struct my_questions *list, char *sql, const struct db_reader *row, void *ctx);
/* Runs all of them. What stands after the one that fails has not run. */
bool my_ask_now(struct viewd_conn *conn, const struct my_questions *list, struct viewd_err *err) MUST_CHECK;
/* The same in one turn with the statements that wait: for a caller who does nothing else when it fails. */
bool my_ask_along(struct viewd_conn *conn, const struct my_questions *list, struct viewd_err *err) MUST_CHECK;
/* struct db_session_ops */
bool my_exec_later(struct db *db, const char *sql, const char *const *params, size_t n_params, struct viewd_err *err);
bool my_query_later(struct db *db, const char *sql, const char *const *params, size_t n_params,
                    const struct db_reader *row, void *ctx, struct viewd_err *err);
bool my_flush(struct db *db, struct viewd_err *err);
/* The first statement of a transaction waits likewise, which all that follow may then do. MariaDB only. */
bool my_begin_later(struct viewd_conn *conn, const char *sql) MUST_CHECK;
/* Forgets the statements that wait for my_flush. */
void my_forget_later(struct viewd_conn *conn);

/* ---- lock.c: the server's named locks */

/* The name of a named lock of the whole database: at most 64 characters, lower case where names fold (the rules of
 * MySQL and MariaDB differ). */
void my_lock_name(struct viewd_conn *conn, const char *prefix, char out[static IDENT_MAX]);
/* Waits at most wait_us, in whole seconds; *got_r: is it held now? */
bool my_lock_get(struct viewd_conn *conn, const char *name, int64_t wait_us, bool *got_r,
                 struct viewd_err *err) MUST_CHECK;
void my_lock_release(struct viewd_conn *conn, const char *name);
/* The transaction has ended: frees conn->held; nothing when there is none. */
void my_lock_end(struct viewd_conn *conn);
/* The lock of setting up captures is one server's, so workers take it where their process watches. */
bool my_captures_lock(struct db *db, struct viewd_err *err) MUST_CHECK;
void my_captures_unlock(struct db *db);
/* struct db_ops' captures_lock, for workers: CONFLICT when the session is on another node than the watch. */
bool my_op_captures_lock(struct db *db, struct viewd_err *err) MUST_CHECK;

/* ---- examine.c */

bool my_examine(const struct viewd_host *host, const struct viewd_database_spec *db, const struct viewd_examined *views,
                size_t n, struct viewd_finding_sink findings, struct viewd_err *err);

/* ---- existing.c */

bool my_list_existing(struct db *db, const char *schema, const struct db_reader *row, void *ctx, struct viewd_err *err);

/* ---- leave.c */

bool my_list_leavings(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);

/* ---- leader_lock.c */

/* The session holds the lock of its server. STANDBY while another process leads by way of another server. *epoch_r: for
 * my_leader_record. */
bool my_leader_claim(struct viewd_conn *conn, int64_t *epoch_r, struct viewd_err *err) MUST_CHECK;
/* Does this process lead by way of another server? Not where nobody can tell, unless the connection is lost. */
bool my_leader_elsewhere(struct viewd_conn *conn, bool *elsewhere_r, struct viewd_err *err) MUST_CHECK;
/* At each heartbeat: LOST when another one leads; answers who has asked. */
bool my_leader_keep(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* The next one to lead need not wait. */
void my_leader_give_back(struct viewd_conn *conn);
/* After my_leader_claim: writes down that this process leads. CONFLICT when another one was quicker. */
bool my_leader_record(struct viewd_conn *conn, int64_t claimed, struct viewd_err *err) MUST_CHECK;
/* The lock is taken: STANDBY, says by whom; `how`: what holds it on the server. */
bool my_leader_refuse(struct viewd_conn *conn, const char *how, struct viewd_err *err);
/* STANDBY when another process has led since. lock: nobody can take over before the transaction ends. */
bool my_leader_check(struct viewd_conn *conn, bool lock, struct viewd_err *err) MUST_CHECK;
/* Commits a transaction that writes, with that check before. */
bool my_leader_commit(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;

/* ---- catalogue.c */

bool my_lacking(struct db *db, const char *definition, const struct viewd_err *failure,
                struct viewd_source_sink missing, struct viewd_err *err);
bool my_find_object(struct db *db, const struct relation *rel, struct db_object *out, struct viewd_err *err);
/* For a recorded table: the object without its definition, with its size. */
bool my_find_identity(struct task *task, struct db_object *out, struct viewd_err *err);
void my_identity_along(struct db *db, struct task *task);
/* Adds the question whose the relation is, where that is to be asked along. What stands before it in the list, or has
 * been carried out, keeps the name's meaning. */
void my_ask_identity(struct viewd_conn *conn, const struct relation *rel, struct my_questions *list);
/* Looks the task's table up again: EXISTS when it is not the recorded one. It then keeps its name until the transaction
 * ends. */
bool my_keep_object(struct task *task, struct viewd_err *err) MUST_CHECK;
bool my_list_indexes(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                     struct viewd_err *err);
/* The canonical text of a view, talloc'ed on mem_ctx; NULL in *text_r when there is no such view, "" when it may not be
 * read. */
bool my_view_text(struct viewd_conn *conn, void *mem_ctx, const struct relation *rel, char **text_r,
                  struct viewd_err *err) MUST_CHECK;
/* The condition that picks rel (with its schema) in any table of information_schema, in its exact spelling.
 * talloc'ed. */
char *my_where(const struct viewd_conn *conn, void *mem_ctx, const struct relation *rel);
/* rel with the schema filled in: the URL's database when none is written. */
void my_place(const struct viewd_conn *conn, const struct relation *rel, struct relation *out);

/* ---- sources.c */

bool my_list_sources(struct db *db, const char *definition, struct viewd_source_sink sink, struct viewd_err *err);
/* The server's own text of a definition, talloc'ed. DENIED when the account may not make a view or see its text. */
bool my_probe_text(struct viewd_conn *conn, void *mem, const char *definition, char **text_r,
                   struct viewd_err *err) MUST_CHECK;
/* Whatever in the text is the name of a table or view of the database, or of one that the text names too: row(ctx,
 * {schema, name}, 2). */
bool my_mentioned_tables(struct viewd_conn *conn, const char *schema, const char *text, const struct db_reader *row,
                         void *ctx, struct viewd_err *err) MUST_CHECK;
/* As db_ops.change.rename. */
bool my_rename(struct db *db, enum viewd_kind kind, const struct relation *from, const struct relation *to,
               struct viewd_err *err);
bool my_list_dependants(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                        struct viewd_err *err);
/* Calls each for every `db`.`table` that a canonical text reads in FROM or JOIN position; start and len locate the
 * reference. */
typedef bool my_ref_fn(void *ctx, const struct relation *ref, size_t start, size_t len);
void my_scan_refs(const char *canonical, my_ref_fn *each, void *ctx);

/* ---- columns.c */

bool my_query_columns(struct db *db, const char *query, const struct db_reader *row, void *ctx, struct viewd_err *err);
bool my_agree_type(struct db *db, void *mem_ctx, const char *declared, const char *actual, const char **type_r,
                   struct viewd_err *err);

/* A temporary table of this session in place of an earlier one of that name; body: what follows the name. */
bool my_make_temporary(struct viewd_conn *conn, const char *name, const char *body, struct viewd_err *err) MUST_CHECK;
bool my_drop_temporary(struct viewd_conn *conn, const char *name, struct viewd_err *err) MUST_CHECK;

/* ---- place.c: as db_ops says */

bool my_state_place(struct db *db, void *mem_ctx, char **place_r, struct viewd_err *err);
void my_relocate(struct db *db, const char *from, struct relation *rel);
bool my_forget_place(struct db *db, const char *from, struct viewd_err *err);

/* ---- exchange_probe.c */

/* Tries it, and writes down what it found; false only when the connection is lost. */
bool exchange_probe(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Does an exchange of names end transactions of others? As it was written down; false: nobody has tried. */
bool exchange_ends_others(struct viewd_conn *conn, bool *ends_r, struct viewd_err *err) MUST_CHECK;

/* ---- probe.c: a short-lived view over a query */

/* Makes the probe view; *rel_r is where. */
bool my_probe_open(struct viewd_conn *conn, const char *query, struct relation *rel_r,
                   struct viewd_err *err) MUST_CHECK;
/* Drops it; a failure is only logged, sweeping gets another chance. */
void my_probe_close(struct viewd_conn *conn, const struct relation *rel);
/* Drops the probes of connections that are gone. */
bool my_probe_sweep(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
bool my_op_view_text(struct db *db, void *mem_ctx, const struct relation *rel, char **text_r, struct viewd_err *err);
bool my_wanted_canonical(struct task *task, char out[static 65], struct viewd_err *err);

#endif
