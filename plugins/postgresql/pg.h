/* SPDX-License-Identifier: MIT
 *
 * pg.h: declarations that the PostgreSQL dialect's files share. Private to plugins/postgresql.
 *
 * A connection belongs to one worker thread at a time (https://www.postgresql.org/docs/15/libpq-threading.html); only
 * pg_conn_cancel() may be called from another one.
 */
#ifndef VIEWD_PG_H
#define VIEWD_PG_H

#include <libpq-fe.h>
#include <stdatomic.h>

#include "base/macros.h"
#include "common/conn/db.h"

struct pg_statement; /* pipeline.c */
struct pg_prepared;  /* prepared.c */

struct viewd_conn {
	struct db db; /* must be first: recipes see only this */
	PGconn *pg;
	int pid;             /* of the server's process: the session's identity; while it is kept */
	bool pooled;         /* each transaction may get another session (pooler.c): nothing stays in it */
	PGcancel *canceller; /* made at open, so that cancelling never touches pg */
	atomic_bool cancelled;
	int64_t timeout_us; /* statement limit, also to tell a timeout from somebody's cancel; 0: none */
	int64_t lock_us;    /* limit of each wait for a lock; 0: none */
	bool limits_due;    /* the server does not know them yet: they go before the next statement */
	struct pg_queue {   /* what goes to the server with the next statement */
		struct pg_statement *list;
		size_t n;
		bool begun; /* BEGIN is among it */
		bool alone; /* pooled: it is a transaction of its own */
	} queue;
	struct pg_prepared *prepared; /* statements that the server knows, or will */
	size_t n_prepared;
	bool unprepared;      /* somebody has removed some: none is relied on any more */
	char *search_path;    /* ready for set_config() */
	char *default_schema; /* where unqualified relations live: the first of search_path that exists */
	/* > 0: a statement without an answer for so long means a dead connection; 0: the statement limit decides */
	int64_t answer_us;
	bool silent;            /* that has happened: nothing is asked any more */
	bool fenced;            /* viewd.daemon exists: transactions that write check it before they commit */
	bool writing;           /* such a transaction is open */
	bool watching;          /* its commits need not outlive a crash of the server */
	const char *probe_role; /* whom probes are made as; NULL: the session's own role */
	char *schema_owner;     /* a role that may own the schemas viewd and viewd_stage, too; "": none */
	/* The task whose identity the next statement that writes to its relation asks for, and whether it has. */
	struct pg_along {
		struct task *task;
		struct db_object found;
		bool asked;
	} along;
	struct pg_who {
		char *holder; /* this process and section, as viewd.daemon names it */
		char *system; /* system identifier of the server, once it was asked for */
	} who;
	struct pg_reading {
		struct viewd_database_spec *spec; /* the section with read_url as its url; NULL: there is none */
		struct viewd_conn *conn;          /* a session there, once one was needed (refresh/standby.c) */
		bool allow_superuser;
	} reading;
};

static inline struct viewd_conn *pg_of(struct db *db)
{
	return CONTAINER_OF(db, struct viewd_conn, db);
}

extern const struct syntax pg_syntax;
extern const struct db_ops pg_ops;

/* ---- url.c */

#define PG_PARAMS_MAX 80

/* Keyword and value arrays for PQconnectdbParams, NULL-terminated; everything hangs from the talloc context. */
struct pg_params {
	const char *keywords[PG_PARAMS_MAX];
	const char *values[PG_PARAMS_MAX];
	size_t n;
};

/* Reads the URL, adds password and keepalives. Error messages never contain the URL's text. [any] */
bool pg_url_params(void *mem_ctx, const struct viewd_database_spec *spec, struct pg_params *out,
                   struct viewd_err *err) MUST_CHECK;

/* The value of one of the dialect's own keys, or its default. [any] */
const char *pg_option(const struct viewd_database_spec *spec, const char *key);

/* `a, "B c"` becomes `pg_catalog, "a", "B c", pg_temp`, talloc'ed. [any] */
bool pg_search_path(void *mem_ctx, const struct viewd_database_spec *spec, char **path_r,
                    struct viewd_err *err) MUST_CHECK;

/* The section with read_url as its url, talloc'ed with all that it points to; NULL: there is no read_url. [any] */
struct viewd_database_spec *pg_read_spec(void *mem_ctx, const struct viewd_database_spec *spec);

/* yes/no of allow_superuser. [any] */
bool pg_allow_superuser(const struct viewd_database_spec *spec, bool *allow_r, struct viewd_err *err) MUST_CHECK;

/* The role that schema_owner names, "" when none, talloc'ed. [any] */
bool pg_schema_owner(void *mem_ctx, const struct viewd_database_spec *spec, char **role_r,
                     struct viewd_err *err) MUST_CHECK;

/* ---- conn.c */

struct viewd_conn *pg_conn_open(const struct viewd_host *host, const struct viewd_database_spec *spec,
                                struct viewd_err *err);
void pg_conn_close(struct viewd_conn **conn);
/* [any] Ends the running statement; the flag also stops the operation before its next statement. */
void pg_conn_cancel(struct viewd_conn *conn);
bool pg_conn_alive(struct viewd_conn *conn);
/* Forgets an earlier cancel request; called when an operation begins. */
void pg_conn_fresh(struct viewd_conn *conn);
/* Warns through the host about server and library versions with known holes. */
void pg_conn_warn_versions(struct viewd_conn *conn);

/* One log line through the host. */
void pg_log(struct viewd_conn *conn, enum viewd_log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Connects and sets nothing; statements are answered within the time for connecting, or fail. NULL: err. */
struct viewd_conn *pg_conn_connect(const struct viewd_host *host, const struct viewd_database_spec *spec,
                                   struct viewd_err *err);

/* ---- errors.c */

/* Policy class of an SQLSTATE. 57014 gives CANCELLED; the caller knows better. [any] */
enum viewd_err_class pg_error_class(const char *sqlstate);

/* Class of a failed connection attempt, which has only a text (libpq keeps no SQLSTATE of it). [any] */
enum viewd_err_class pg_connect_class(const char *message);

/* Captures everything of a failed result. A class that speaks of the connection is given only when it is this one's.
 * Returns false. */
bool pg_error_result(struct viewd_conn *conn, const PGresult *res, int64_t ran_us, struct viewd_err *err);

/* A statement that the server has refused as a feature that it lacks becomes the hint. sql and err may be NULL. */
void pg_error_name_refused(const char *sql, struct viewd_err *err);

/* ---- exec.c */

/* One statement through the extended protocol (which refuses several in one text). *res_r is to be cleared by the
 * caller. */
bool pg_run(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params, PGresult **res_r,
            struct viewd_err *err) MUST_CHECK;
bool pg_exec(struct viewd_conn *conn, const char *sql, struct viewd_err *err) MUST_CHECK;
/* Does the server answer the simplest question within seconds? */
bool pg_answers(struct viewd_conn *conn) MUST_CHECK;
bool pg_execf(struct viewd_conn *conn, struct viewd_err *err, const char *fmt, ...) PRINTF_LIKE(3, 4) MUST_CHECK;
/* pg_exec() of a statement that the server refuses in a transaction (VACUUM). Where the session is not kept it runs
 * under the settings of the pool. */
bool pg_exec_outside(struct viewd_conn *conn, const char *sql, struct viewd_err *err) MUST_CHECK;

/* Opens a transaction, or sets a savepoint where one is open; *opened_r: it opened one. Undo with pg_scratch_end. */
bool pg_scratch_begin(struct viewd_conn *conn, bool *opened_r, struct viewd_err *err) MUST_CHECK;
/* Undoes everything since pg_scratch_begin. */
void pg_scratch_end(struct viewd_conn *conn, bool opened);

/* Runs a statement that must run although the operation was cancelled; never fails visibly. */
void pg_exec_quietly(struct viewd_conn *conn, const char *sql);

/* Rolls back to the savepoint and removes it; never fails visibly. name is a plain identifier. */
void pg_savepoint_undo(struct viewd_conn *conn, const char *name);

/* Is a transaction open (failed or not), or about to be? */
bool pg_in_transaction(const struct viewd_conn *conn);

/* Waits for the rest of an answer until the deadline (monotonic); false: there was none. Nothing is to be asked after
 * that. */
bool pg_answered_by(struct viewd_conn *conn, int64_t deadline) MUST_CHECK;
/* How long a single statement may be without an answer; 0: for ever. */
int64_t pg_answer_limit(const struct viewd_conn *conn);
/* Is there any use in asking? */
bool pg_may_ask(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Hands the rows of a result to row. */
bool pg_hand_rows(const PGresult *res, const struct db_reader *row, void *ctx, struct viewd_err *err) MUST_CHECK;

bool pg_op_exec(struct db *db, const char *sql, const char *const *params, size_t n_params, int64_t *affected_r,
                struct viewd_err *err);
bool pg_op_query(struct db *db, const char *sql, const char *const *params, size_t n_params,
                 const struct db_reader *row, void *ctx, struct viewd_err *err);
bool pg_op_begin(struct db *db, enum db_begin how, struct viewd_err *err);
bool pg_op_commit(struct db *db, struct viewd_err *err);
bool pg_op_commit_lazily(struct db *db, struct viewd_err *err);
void pg_op_rollback(struct db *db);
bool pg_op_set_limits(struct db *db, int64_t timeout_us, int64_t lock_timeout_us, struct viewd_err *err);

/* ---- pipeline.c */

/* Puts one more statement of viewd's own into the queue: short, and no COPY. row NULL: its rows are of no interest. */
void pg_queue(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params,
              const struct db_reader *row, void *ctx);
/* The same, for a text that comes again and again: the server keeps its plan. */
void pg_queue_again(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params,
                    const struct db_reader *row, void *ctx);
#define PG_BEGIN_WRITE "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
/* A standby takes it too. */
#define PG_BEGIN_ANY "BEGIN ISOLATION LEVEL READ COMMITTED"
/* Opens a transaction that way. */
void pg_queue_begin(struct viewd_conn *conn, const char *sql);
/* Ends the first part of the queue, which its last statement, COMMIT, makes good whatever follows. */
void pg_queue_part(struct viewd_conn *conn);
/* Sends the queue in one turn; the rows are handed out when all of it has succeeded. The error is that of the first
 * statement which failed; none after it has run. The queue is empty afterwards. */
bool pg_flush(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* The same for a queue of two parts. A failure of the second one is told by *behind alone. */
bool pg_flush_parts(struct viewd_conn *conn, struct viewd_err *behind, struct viewd_err *err) MUST_CHECK;
/* pg_queue_again and pg_flush. */
bool pg_query_with_queue(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params,
                         const struct db_reader *row, void *ctx, struct viewd_err *err) MUST_CHECK;
/* Statements that were not sent never will be. */
void pg_queue_forget(struct viewd_conn *conn);

bool pg_op_exec_later(struct db *db, const char *sql, const char *const *params, size_t n_params,
                      struct viewd_err *err);
bool pg_op_query_later(struct db *db, const char *sql, const char *const *params, size_t n_params,
                       const struct db_reader *row, void *ctx, struct viewd_err *err);
bool pg_op_flush(struct db *db, struct viewd_err *err);

/* ---- prepared.c */

/* The place of a statement among the prepared ones; -1: it is not to be prepared, or not yet. */
int pg_prepared_place(struct viewd_conn *conn, const char *sql);
/* Sends it by that place, before its first use what prepares it: *prepares_r, then an answer more is to be read. */
bool pg_prepared_send(struct viewd_conn *conn, int place, const char *const *params, size_t n_params,
                      bool *prepares_r) MUST_CHECK;
/* The server has it, or not. */
void pg_prepared_answered(struct viewd_conn *conn, int place, bool done);
/* Does a failure mean that prepared statements were removed, or are for what there was before? None is used in this
 * session from then on. kept: it is that of a statement that was prepared in an earlier turn. */
bool pg_prepared_judge(struct viewd_conn *conn, const PGresult *res, bool kept);

/* ---- catalogue.c */

/* While narrow, the server prints every name with its schema: digests then do not depend on search_path. */
bool pg_path_narrow(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
bool pg_path_restore(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;

/* SQL: the collation of the pg_attribute row a as it follows a type, '' where the type brings it along. */
#define PG_COLLATE_SQL \
	"coalesce((SELECT ' COLLATE ' || pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(cl.collname)" \
	" FROM pg_catalog.pg_collation cl JOIN pg_catalog.pg_namespace cn ON cn.oid = cl.collnamespace JOIN " \
	"pg_catalog.pg_type ct" \
	" ON ct.oid = a.atttypid WHERE cl.oid = a.attcollation AND cl.oid <> ct.typcollation), '')"

/* SQL: canonical digest of the pg_class row c. */
#define PG_CANONICAL_SQL \
	"pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(CASE WHEN c.relkind IN ('v', 'm')" \
	" THEN pg_catalog.pg_get_viewdef(c.oid) || coalesce((SELECT pg_catalog.string_agg(o, ',' ORDER BY o)" \
	" FROM pg_catalog.unnest(c.reloptions) AS o WHERE o ~ '^(security_|check_option)'), '')" \
	" ELSE coalesce((SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname) || ' '" \
	" || pg_catalog.format_type(a.atttypid, a.atttypmod) || " PG_COLLATE_SQL \
	", ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a" \
	" WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '') END, 'UTF8')), 'hex')"

bool pg_op_find_object(struct db *db, const struct relation *rel, struct db_object *out, struct viewd_err *err);
bool pg_op_find_identity(struct task *task, struct db_object *out, struct viewd_err *err);
void pg_op_identity_along(struct db *db, struct task *task);
/* pg_query_with_queue() of a statement that writes to this relation. */
bool pg_query_writing(struct viewd_conn *conn, const struct relation *rel, const char *sql, const char *const *params,
                      size_t n_params, const struct db_reader *row, void *ctx, struct viewd_err *err);

/* ---- index.c */

bool pg_op_has_index(struct task *task, size_t number, const struct relation *on, bool *there_r, struct viewd_err *err);
bool pg_op_list_indexes(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                        struct viewd_err *err);

/* ---- sources.c, and of objects/: catalogue.c, rename.c */

/* Makes the temporary view PG_PROBE of a query, for a look at what the server makes of it. with: options, or "". Undone
 * by pg_scratch_end(conn, *opened_r). */
#define PG_PROBE "viewd_probe"
bool pg_probe_begin(struct viewd_conn *conn, const char *with, const char *query, bool *opened_r,
                    struct viewd_err *err) MUST_CHECK;

bool pg_op_list_sources(struct db *db, const char *definition, struct viewd_source_sink sink, struct viewd_err *err);
bool pg_op_query_columns(struct db *db, const char *query, const struct db_reader *row, void *ctx,
                         struct viewd_err *err);
void pg_op_probe_as(struct db *db, const char *role);
bool pg_rename(struct db *db, enum viewd_kind kind, const struct relation *from, const struct relation *to,
               struct viewd_err *err);
bool pg_op_view_text(struct db *db, void *mem_ctx, const struct relation *rel, char **text_r, struct viewd_err *err);
bool pg_op_wanted_canonical(struct task *task, char out[static 65], struct viewd_err *err);
bool pg_op_agree_type(struct db *db, void *mem_ctx, const char *declared, const char *actual, const char **type_r,
                      struct viewd_err *err);

/* ---- walk.c, know.c, changed_objects.c */

bool pg_op_walk(struct db *db, const struct viewd_view_spec *view, const char *definition, struct dependencies *list,
                struct viewd_err *err);
bool pg_op_know(struct db *db, const char *names, struct knowledge *out, struct viewd_err *err);
bool pg_op_changed_objects(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);

/* ---- log_objects.c */

/* Advisory locks are of one database. LEADER: held by the watching session of the one daemon that works. ASLEEP: held
 * by it while it waits to be notified. SETUP: while the objects of schema viewd are made. The numbers are "viewd" in
 * ASCII and the next ones. */
#define PG_LOCK_LEADER "508574398308"
#define PG_LOCK_ASLEEP "508574398309"
#define PG_LOCK_SETUP "508574398310"
#define PG_LOCK_CAPTURES "508574398311"
#define PG_CHANNEL "viewd"

/* SET in an UPDATE of viewd.captures c: a source has changed. */
#define PG_RAISE \
	"dirty_seq = c.dirty_seq + 1, changed_time = CASE WHEN c.dirty_seq > c.clean_seq THEN c.changed_time ELSE " \
	"pg_catalog.now() END"

/* Makes what schema viewd holds besides the state tables. Outside a transaction. */
bool pg_objects_make(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* The watcher's next look marks every view, and once more when all those have ended who write now. */
bool pg_objects_lost(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;

/* ---- guard.c */

bool pg_op_rows_apart(struct task *task, const char *query, const char *stem, struct relation *out,
                      struct viewd_err *err);
bool pg_op_judge_table(struct task *task, struct viewd_err *err);

/* ---- own.c */

/* Are the schemas viewd and viewd_stage, as far as they exist, viewd's alone? Class DENIED, with the statement that
 * mends it, when not. */
bool pg_own_check(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
bool pg_op_judge_place(struct db *db, struct viewd_err *err);

/* ---- place.c: as db_ops says */

bool pg_op_state_place(struct db *db, void *mem_ctx, char **place_r, struct viewd_err *err);
bool pg_op_came_along(struct db *db, const struct db_object *found, const char *identity, bool *yes_r,
                      struct viewd_err *err);

/* ---- trigger_functions.c */

/* SQL: the oids of all functions that viewd's triggers call. */
#define PG_NOTE_FUNCTIONS_SQL \
	"SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.pronamespace = pg_catalog.to_regnamespace('viewd')" \
	" AND p.proname ~ '^note_(change|[0-9]+)$'"

/* Log rows behind so many blocks are not written: the first one there puts its source's flag to this value. Writers
 * leave no rows then, as in a flood, but wake the watcher. */
#define PG_LOG_BLOCKS "64"
#define PG_FLAG_FULL "2"

/* How a writer wakes the watcher, as PL/pgSQL: only while that sleeps, since it holds the lock then. Whoever gets the
 * lock instead keeps it to the end of the transaction, and the watcher cannot fall asleep before that: no commit goes
 * unheard. Nobody is notified where that could make a commit fail, or where the lock must be somebody else's: with
 * prepared transactions the watcher never sleeps, and from a queue that is half full it has gone. */
#define PG_WAKE \
	" IF NOT pg_catalog.pg_try_advisory_xact_lock_shared(" PG_LOCK_ASLEEP \
	") AND pg_catalog.current_setting('max_prepared_transactions')" \
	" OPERATOR(pg_catalog.=) '0' AND pg_catalog.pg_notification_queue_usage() OPERATOR(pg_catalog.<) " \
	"0.5::pg_catalog.float8" \
	" AND pg_catalog.has_function_privilege('pg_catalog.pg_notify(text,text)', 'EXECUTE') THEN" \
	" PERFORM pg_catalog.pg_notify('" PG_CHANNEL "', ''); END IF;"

/* Makes a function (CREATE OR REPLACE) unless it is there with just this body. head: name, arguments and result;
 * signature: for to_regprocedure; privilege: a statement that follows its creation. */
bool pg_function_make(struct viewd_conn *conn, const char *signature, const char *head, const char *body,
                      const char *privilege, struct viewd_err *err) MUST_CHECK;
/* May the log be written? */
bool pg_functions_log_good(struct viewd_conn *conn, bool *good_r, struct viewd_err *err) MUST_CHECK;
/* Is all that writers use as it was made? One query, for the watcher. */
bool pg_functions_sound(struct viewd_conn *conn, bool *sound_r, struct viewd_err *err) MUST_CHECK;
/* Makes the functions and flags of all sources again. Outside a transaction. */
bool pg_functions_remake(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Makes the functions that those of the sources call. */
bool pg_functions_base(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Registers a source (quoted name) and gives the signature of the function its triggers shall call, talloc'ed on
 * mem_ctx: its own one, which looks at its flood flag. In a transaction. */
bool pg_functions_function(struct viewd_conn *conn, void *mem_ctx, const char *source, char **signature_r,
                           struct viewd_err *err) MUST_CHECK;
/* Forgets a source when no trigger of it is left. */
bool pg_functions_forget(struct viewd_conn *conn, const char *source, struct viewd_err *err) MUST_CHECK;
/* Did the failure come from two sessions that created the same thing at once? Then it is worth another try. */
bool pg_is_creation_race(const struct viewd_err *err);

/* ---- choose.c */

bool pg_op_choose_capture(struct db *db, enum viewd_capture wanted, const struct relation *sources, size_t n,
                          struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err);

/* ---- trigger.c */

/* SQL: a WITH RECURSIVE list that ends in tree(source, oid): each source of `sources` (a query yielding quoted names)
 * with all relations whose statement triggers fire for a change of its rows: itself, what inherits from it or is a
 * partition, and whatever these are parts of; and in own, all triggers of viewd's. */
/* clang-format off */
#define PG_TREE_SQL(sources) \
	"WITH RECURSIVE wanted (source) AS (" sources ")," \
	" root (source, oid) AS (SELECT w.source, c.oid FROM wanted w JOIN pg_catalog.pg_class c" \
	" ON c.relname = (pg_catalog.parse_ident(w.source))[2] JOIN pg_catalog.pg_namespace n" \
	" ON n.oid = c.relnamespace AND n.nspname = (pg_catalog.parse_ident(w.source))[1])," \
	" down (source, oid) AS (SELECT source, oid FROM root" \
	" UNION SELECT d.source, i.inhrelid FROM down d JOIN pg_catalog.pg_inherits i ON i.inhparent = d.oid)," \
	" tree (source, oid) AS (SELECT source, oid FROM down" \
	" UNION SELECT t.source, i.inhparent FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhrelid = t.oid)," \
	PG_OWN_TRIGGERS_SQL
/* clang-format on */

/* SQL: all triggers of viewd's, each with its source. Looked for one by one they would be read anew for each relation
 * of a tree. */
#define PG_OWN_TRIGGERS_SQL \
	" own (relid, source, oid, tgname, tgfoid, tgenabled, version) AS MATERIALIZED (SELECT g.tgrelid," \
	" pg_catalog.convert_from(pg_catalog.substring(g.tgargs, 1, pg_catalog.octet_length(g.tgargs) - 1), " \
	"pg_catalog.getdatabaseencoding())," \
	" g.oid, g.tgname, g.tgfoid, g.tgenabled, g.xmin::text FROM pg_catalog.pg_trigger g" \
	" WHERE g.tgnargs = 1 AND g.tgfoid IN (" PG_NOTE_FUNCTIONS_SQL "))"

/* SQL: viewd's trigger g on relation c of tree t for its source. */
#define PG_OWN_TRIGGER_SQL "own g ON g.relid = c.oid AND g.source = t.source"

/* SQL: joins tree t to its relation c in schema n and, where it has one, viewd's trigger g for that source; only
 * relations that can have triggers. */
/* clang-format off */
#define PG_TRIGGERS_SQL \
	" FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid AND c.relkind IN ('r', 'p', 'f')" \
	" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', " \
	"'information_schema')" \
	" LEFT JOIN " PG_OWN_TRIGGER_SQL
/* clang-format on */

bool pg_op_captures_lock(struct db *db, struct viewd_err *err);

bool pg_op_ready_triggers(struct db *db, const struct relation *source, struct viewd_err *err);
bool pg_op_make_trigger(struct db *db, const struct relation *source, struct viewd_err *err);
bool pg_op_list_triggers(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);
bool pg_op_drop_trigger(struct db *db, const char *source, struct viewd_err *err);

/* ---- carried.c */

/* Queues the statements of a transaction that writes what was carried and not written. */
void pg_carried_queue(struct viewd_conn *conn);
/* Such a transaction has failed: goes back, and says in the log why it is done later. */
void pg_carried_put_off(struct db *db, const struct viewd_err *why);
/* Writes what was carried and not written, best effort. */
void pg_op_carry_over(struct db *db);
/* The same where there is any; returns that. What is left keeps views stale that are fresh, and, where a group has
 * written what they read, has them seem fresh that are stale. */
bool pg_carried_left(struct viewd_conn *conn);

/* ---- source_parts.c */

/* Remembers the triggers that a source (quoted name) has, and marks its views when they are others than before. */
bool pg_parts_note(struct viewd_conn *conn, const char *source, struct viewd_err *err) MUST_CHECK;
/* Marks sources whose triggers are others than before. Somebody's lock in the way: *done_r is false, no failure. */
bool pg_parts_check(struct viewd_conn *conn, bool *done_r, struct viewd_err *err) MUST_CHECK;

/* ---- prepare.c */

bool pg_prepare(struct viewd_conn *conn, struct viewd_recorded_sink rows, struct viewd_err *err);
bool pg_op_clean_leftovers(struct db *db, struct viewd_err *err);

/* ---- leave.c */

bool pg_op_list_leavings(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);

/* ---- examine.c */

bool pg_examine(const struct viewd_host *host, const struct viewd_database_spec *db, const struct viewd_examined *views,
                size_t n, struct viewd_finding_sink findings, struct viewd_err *err);

/* ---- existing.c */

bool pg_op_list_existing(struct db *db, const char *schema, const struct db_reader *row, void *ctx,
                         struct viewd_err *err);
bool pg_op_existing_indexes(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                            struct viewd_err *err);

/* ---- maintenance.c */

/* ANALYZE, or VACUUM when there are many dead rows; outside a transaction; failures are warnings. */
bool pg_maintain(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_err *err);

/* ---- group.c */

bool pg_op_keep_out_budget(struct db *db, int64_t *budget_us_r, struct viewd_err *err);
bool pg_op_keep_out(struct task *task, int64_t budget_us, struct viewd_err *err);
bool pg_op_carry(struct task *task, const char *touched, struct viewd_err *err);
bool pg_op_commit_group(struct db *db, struct viewd_err *err);

/* ---- refresh/diff.c */

/* SQL: may rows of a relation (its quoted name) exchange what is unique in it? They may where an index that keeps rows
 * apart has a column besides these (an array of names), or an expression. */
#define PG_EXCHANGES_SQL(relation, names) \
	"EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = " relation "::pg_catalog.regclass AND " \
	"(i.indisunique OR i.indisexclusion) AND EXISTS (SELECT 1 FROM pg_catalog.unnest(i.indkey::pg_catalog.int2[]) AS " \
	"k (attnum) WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum " \
	"= k.attnum AND a.attname = ANY (" names "::pg_catalog.name[]))))"

bool pg_op_diff(struct task *task, bool *done_r, struct viewd_outcome *out, struct viewd_err *err);

/* ---- replace.c */

bool pg_op_replace(struct task *task, struct viewd_outcome *out, struct viewd_err *err);
#endif
