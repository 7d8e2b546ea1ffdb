/* SPDX-License-Identifier: MIT
 *
 * db.h: the few things a recipe needs from a connection, as a table of functions that each dialect fills.
 *
 * A dialect's struct viewd_conn has struct db as its FIRST member (dialect.h casts one into the other). Recipes
 * (create, replace, refresh, verify, state) are written once against struct db; what is truly an engine's own comes in
 * through the optional parts of struct db_ops. All functions run on the connection's worker thread.
 */
#ifndef VIEWD_COMMON_CONN_DB_H
#define VIEWD_COMMON_CONN_DB_H

#include "base/macros.h"
#include "common/conn/incremental_ops.h"
#include "common/sqltext/ident.h"
#include "common/sqltext/syntax.h"

struct attempts;   /* attempt.c */
struct chains;     /* chain.c */
struct change_log; /* change_log.h */
struct db;
struct dependencies;  /* dependencies.h */
struct key_search;    /* key_set.h */
struct key_set;       /* key_set.h */
struct knowledge;     /* knowledge.h */
struct node_table;    /* node_table.h */
struct object;        /* objects.h */
struct part;          /* part.h */
struct part_written;  /* part.h */
struct roll;          /* roll.h */
struct refresh_group; /* refresh_group.h: the members of a group during one call */
struct task;          /* task.h: all that is known about one view during one call */

/* Called for each row; values[i] is NULL for SQL NULL. Returning false stops reading (not an error). */
typedef bool db_row_fn(void *ctx, const char *const *values, size_t n);

/* A function for rows and what it may rely on: what answers is not believed to have understood the question. Declared
 * as an array of one element, whose name is given to query(). */
struct db_reader {
	db_row_fn *row;
	/* One letter a column: t text, n a whole number that int64_t holds, T and N the same or NULL. A * at the end:
	 * further ones may follow. */
	const char *columns;
	const char *about; /* what is asked for, for the error record */
};

/* Hands one row over, whatever its source is. *more_r: what row() returned. A row that is not as the reader wants it is
 * a failure of class QUERY and is not handed over. */
bool db_give(const struct db_reader *reader, void *ctx, const char *const *values, size_t n, bool *more_r,
             struct viewd_err *err);

enum db_begin {
	DB_BEGIN_WRITE,    /* a transaction that will write: READ COMMITTED / IMMEDIATE */
	DB_BEGIN_GROUP,    /* one snapshot for everything read, and it will write */
	DB_BEGIN_SNAPSHOT, /* one snapshot for everything read: REPEATABLE READ / one read transaction */
};

/* The object of a given name, as the catalogue knows it. */
struct db_object {
	enum viewd_kind kind;
	char schema[IDENT_MAX];
	char name[IDENT_MAX];
	/* The engine's proof that it is the same object later (oid, tag): stored in the state row. Empty: an object that
	 * can never be viewd's (a user's table without a tag) */
	char identity[128];
	/* Digest of the definition as the server stores it, without what the server adds by itself */
	char canonical[65];
	bool populated;
	bool can_concurrently; /* populated and a usable unique index exists */
	/* The catalogue that was read is as old as the transaction, and the name stands for something else by now. From
	 * find_identity */
	bool outdated;
	bool indexed; /* a table with an index, so that a foreign key may refer to it. From find_identity */
	/* The estimated size of a table whose rows can change in a transaction; -1: they cannot. From find_identity */
	int64_t bytes;
	char detail[256];
};

/* The parts of struct db_ops. Each hook says what a dialect that leaves it out gets; {0} leaves out a whole part. */

/* The session: what a dialect does beside running a statement. */
struct db_session_ops {
	/* As exec and query, for statements of viewd's own that take no time; in a transaction the server may get them only
	 * together with what is asked next (find_object, exec, query, commit ...), which then fails in their place; what
	 * stands after the one that failed has not run. sql is one of a few texts: what varies is in params. Both are
	 * copied, ctx must live until then. flush: asks for all of them now. NULL, all three: at once. */
	bool (*exec_later)(struct db *db, const char *sql, const char *const *params, size_t n_params,
	                   struct viewd_err *err);
	bool (*query_later)(struct db *db, const char *sql, const char *const *params, size_t n_params,
	                    const struct db_reader *row, void *ctx, struct viewd_err *err);
	bool (*flush)(struct db *db, struct viewd_err *err);

	/* In a transaction: its commit need not wait for the disk; a crash soon after it may undo all of it. NULL: it
	 * waits. */
	bool (*commit_lazily)(struct db *db, struct viewd_err *err);

	/* A number, in a transaction's snapshot, that is another one after each change of a definition, also when an older
	 * copy was put into the database. NULL: none, which is wrong with syntax->diff.stage_first. */
	bool (*definitions_version)(struct db *db, int64_t *version_r, struct viewd_err *err);

	/* A new call of the daemon begins: forget a cancel that came for an earlier one. NULL: nothing to do, which is
	 * wrong where cancel() sets a flag. */
	void (*enter)(struct db *db);
	/* The call is over, well or not; a cancel that comes now has nothing to cancel. NULL: nothing to do. */
	void (*leave)(struct db *db);

	/* The session runs under the settings of this view from now on, and no longer under those of another. NULL: there
	 * are none. */
	bool (*use_settings)(struct db *db, const struct viewd_view_spec *view, struct viewd_err *err);

	/* A hook of a user has run outside a transaction, well or not: it may leave none open. What else it did to the
	 * session is undone before the next call of the daemon. NULL: nothing to do. */
	bool (*end_hook)(struct db *db, struct viewd_err *err);
};

/* The catalogue, beside the lookups that every dialect has. */
struct db_catalogue_ops {
	/* find_object for a task that has its state row (or has asked for it by query_later), where only whose object it is
	 * matters, not how it is defined. NULL: find_object. */
	bool (*find_identity)(struct task *task, struct db_object *out, struct viewd_err *err);
	/* The next statement of an incremental refresh that writes to the task's relation asks along what find_identity
	 * will be asked, right after it has written. NULL: not any more. Ends with the transaction. Op NULL: nothing
	 * does. */
	void (*identity_along)(struct db *db, struct task *task);

	/* Relations that are not there, as the definition writes them, kind NONE: all of them, or the one that this failure
	 * of a question about the definition is about; none when the trouble is another one. NULL: the engine does not
	 * tell. */
	bool (*lacking)(struct db *db, const char *definition, const struct viewd_err *failure,
	                struct viewd_source_sink missing, struct viewd_err *err);
	/* Does a name without a schema lead to a relation of this one? NULL: only where there are no schemas. */
	bool (*is_on_path)(struct db *db, const char *schema, bool *yes_r, struct viewd_err *err);

	/* The definition of a view or materialized view as the server writes it, talloc'ed; NULL: it may not be read.
	 * Needed by VIEWD_CHANGE_KEEP and definition(). NULL: nothing of others is kept. */
	bool (*view_text)(struct db *db, void *mem_ctx, const struct relation *rel, char **text_r, struct viewd_err *err);

	/* The db_object.canonical of the wanted definition; used for adoption. NULL: never matches. */
	bool (*wanted_canonical)(struct task *task, char out[static 65], struct viewd_err *err);

	/* Has `on` an index that is what the declared one of that number (generate.h) would be, under whatever name? Needs
	 * task->gen.columns. NULL: indexes are told apart by their names. */
	bool (*has_index)(struct task *task, size_t number, const struct relation *on, bool *there_r,
	                  struct viewd_err *err);

	/* Views that read rel directly: row(ctx, {kind word VIEW|MATVIEW|TABLE, schema, name}, 3). NULL: the server itself
	 * refuses a drop that would break them, or cascades (syntax->has.drop_cascade). */
	bool (*list_dependants)(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
	                        struct viewd_err *err);

	/* The type of a column that is declared so where the query yields actual (what is not declared, its collation,
	 * comes from there), talloc'ed on mem or one of the two; *type_r NULL: these are different types. NULL: types are
	 * not compared. */
	bool (*agree_type)(struct db *db, void *mem, const char *declared, const char *actual, const char **type_r,
	                   struct viewd_err *err);
};

/* The rights that a definition runs with, and those who could meddle. */
struct db_rights_ops {
	/* Questions of query_columns, list_sources and wanted_canonical are asked as this role from now on; NULL: as the
	 * session's own. NULL: there are no roles. */
	void (*probe_as)(struct db *db, const char *role);
	/* Makes the rows of query in such a way that no function which it calls gets back from the role of run_as, which is
	 * taken on, to viewd's: *out is a relation that holds them, of a name that begins with stem, and is dropped by who
	 * uses it. NULL: there is no such way. */
	bool (*rows_apart)(struct task *task, const char *query, const char *stem, struct relation *out,
	                   struct viewd_err *err);
	/* Fails when writing the rows of the view's table, or reading them, would run what others have put on it. From then
	 * to the end of the transaction nobody else can. NULL: nothing can be put there. */
	bool (*judge_table)(struct task *task, struct viewd_err *err);
	/* The place of the state tables is there, they may not be: is it viewd's alone? NULL: nobody else can have made
	 * it. */
	bool (*judge_place)(struct db *db, struct viewd_err *err);
};

/* Own ways in place of the shared recipes of common/objects, between "looked up and found to be ours" and "recorded".
 * With transactional DDL they run inside the recipe's transaction and must not end it; without, there is none around
 * them, and they keep the state row true themselves (state_save) at every moment the process may be killed. NULL: the
 * shared recipe. */
struct db_change_ops {
	bool (*create)(struct task *task, struct viewd_outcome *out, struct viewd_err *err);
	bool (*replace)(struct task *task, struct viewd_outcome *out, struct viewd_err *err);
	bool (*drop)(struct task *task, const struct relation *rel, enum viewd_kind kind, struct viewd_err *err);
	/* Gives the object another name; what reads it follows where the engine can. An object that cannot be renamed is
	 * dropped: it is made anew from the files. NULL: views cannot follow their sections. */
	bool (*rename)(struct db *db, enum viewd_kind kind, const struct relation *from, const struct relation *to,
	               struct viewd_err *err);
	/* The shared recipe has made task->rel: give it its tag (task->tag), which find_object then finds in it, where
	 * CREATE has no place for one. NULL: CREATE writes it (syntax->table.comment, syntax->table.name_tag), or the
	 * engine tells objects apart by itself. */
	bool (*made)(struct task *task, struct viewd_err *err);
};

/* Refreshing one view. */
struct db_refresh_ops {
	/* By building aside and exchanging names. NULL: mode_refusal names swap for every method. */
	bool (*swap)(struct task *task, struct viewd_outcome *out, struct viewd_err *err);
	/* All rows of a table; out->reason begins with why it is full. NULL: DELETE and INSERT in the recipe's
	 * transaction. */
	bool (*full)(struct task *task, struct viewd_outcome *out, struct viewd_err *err);
	/* The rows of a table that differ, in a way of the engine's own; *done_r: false, and nothing has happened, where
	 * that way does not do for this view. NULL: never. */
	bool (*diff)(struct task *task, bool *done_r, struct viewd_outcome *out, struct viewd_err *err);
	/* Whether another server is to compute the rows of this database's tables; if so, waits until it has all that is
	 * committed here. Outside a transaction, after the marks were read. NULL: never. */
	bool (*find_elsewhere)(struct task *task, bool *found_r, struct viewd_err *err);
	/* In the refresh's transaction, after that: makes a temporary table *rows_r of the definition's rows, as that
	 * server has them now. NULL only where find_elsewhere is. */
	bool (*fetch_elsewhere)(struct task *task, struct relation *rows_r, struct viewd_err *err);
	/* The mode that `auto` means for this view now; fills reason (why). NULL: concurrently where usable for
	 * materialized views; for tables diff with a unique_key, else full. */
	enum viewd_refresh_mode (*choose_mode)(struct task *task, char reason[static 256]);
	/* How many rows of the object this session has written so far: read before and after a concurrent refresh, the
	 * difference is what it wrote. NULL, or a negative count: unknown. */
	bool (*count_written)(struct task *task, int64_t *count_r, struct viewd_err *err);
};

/* Refreshing several views in one transaction (group.c). */
struct db_group_ops {
	/* The whole refresh of a group. NULL: the shared recipe. */
	bool (*refresh)(struct refresh_group *group, struct viewd_err *err);
	/* Keeps readers out of a materialized view that is about to be refreshed in full, so that all such locks of a group
	 * are taken together: budget_us is what is left for waiting. NULL: there are no such locks. */
	bool (*keep_out)(struct task *task, int64_t budget_us, struct viewd_err *err);
	/* How long a group may wait for those locks without becoming part of a deadlock that is resolved at a reader's
	 * cost. NULL only where keep_out is. */
	bool (*keep_out_budget)(struct db *db, int64_t *budget_us_r, struct viewd_err *err);
	/* Takes down what task_settle_marks would write (touched: the source that was written, or NULL), in the
	 * transaction; commit writes it after the commit, best effort. NULL, both: it is written at once. */
	bool (*carry)(struct task *task, const char *touched, struct viewd_err *err);
	bool (*commit)(struct db *db, struct viewd_err *err);
};

/* Things that a view's contents depend on (depends/). */
struct db_depends_ops {
	/* Adds everything that the definition's result depends on to the list (dependencies_add), through plain views and
	 * functions, each entry with what can be compared of it, or why nothing can tell of it. NULL: the relations that
	 * list_sources tells, without anything to compare. */
	bool (*walk)(struct db *db, const struct viewd_view_spec *view, const char *definition, struct dependencies *list,
	             struct viewd_err *err);
	/* The rows of the state table `objects` whose stamp is not the stored one: row(ctx, {source, stamp, digest, stored
	 * digest, doubt}, 5). digest NULL: the object is gone; doubt 't': with the stored digest, it may have had another
	 * one since the last look. On the watching connection, outside a transaction, for all views at once. NULL: nothing
	 * is compared. */
	bool (*changed_objects)(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);
	/* The digest that a row of `objects` would have now, talloc'ed; NULL: it is gone. NULL: stamps tell changed_objects
	 * of a definition that was another one in between, so that nobody has to compare after each refresh. */
	bool (*digest_of)(struct db *db, void *mem, const struct object *object, char **digest_r, struct viewd_err *err);
	/* Tells what the analysis of a definition has to know of relations and functions of these names (SQL: literals,
	 * separated by commas), with the readers of knowledge.h. NULL: explain() cannot tell anything. */
	bool (*know)(struct db *db, const char *names, struct knowledge *out, struct viewd_err *err);
};

/* Noticing changes (capture/); {0}: the dialect has no capture. */
struct db_capture_ops {
	/* Judges the wanted mode for each of these sources (AUTO: chooses), fills out[0 .. n-1] with mode and why, and
	 * names the gaps. A source that nothing can hear gets NONE and the reason. A mode that was asked for by name and
	 * cannot work is an error. Required here. */
	bool (*choose)(struct db *db, enum viewd_capture wanted, const struct relation *sources, size_t n,
	               struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err);
	/* One session of a database at a time sets up or takes down captures: triggers of one source belong to several
	 * views. Held to the end of the transaction where DDL has one, else until unlock. CONFLICT when another one takes
	 * long. NULL: the engine has one writer anyway. */
	bool (*lock)(struct db *db, struct viewd_err *err);
	void (*unlock)(struct db *db);
	/* Makes the triggers of the source as far as that can be done before, outside a transaction and the lock. NULL: it
	 * cannot. */
	bool (*ready_triggers)(struct db *db, const struct relation *source, struct viewd_err *err);
	/* Makes sure that the source has viewd's triggers. Idempotent. Under the lock. Required where choose may answer
	 * TRIGGER. */
	bool (*make_trigger)(struct db *db, const struct relation *source, struct viewd_err *err);
	/* The sources that have viewd's triggers: row(ctx, {source as in marks_source}, 1). NULL: the dialect makes
	 * none. */
	bool (*list_triggers)(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);
	/* Drops them from a source, given as list_triggers told it. A source that is gone is no error; one that is in use
	 * may keep them. Required where list_triggers is there. */
	bool (*drop_trigger)(struct db *db, const char *source, struct viewd_err *err);
};

/* Finding oneself in a copy of the database (returned.c). NULL, all four: identities come along with a copy. */
struct db_returning_ops {
	/* The identity of the table view_state as a text that no copy of the table has; *place_r NULL: that cannot be told
	 * now. */
	bool (*state_place)(struct db *db, void *mem_ctx, char **place_r, struct viewd_err *err);
	/* A table that fits a row from elsewhere, but for its identity: has it come with the row, as far as the catalogue
	 * tells? NULL: a table's identity comes along with it. */
	bool (*came_along)(struct db *db, const struct db_object *found, const char *identity, bool *yes_r,
	                   struct viewd_err *err);
	/* Where the copy of a relation is that was recorded at that place. NULL: under the same name. */
	void (*relocate)(struct db *db, const char *from, struct relation *rel);
	/* Forgets what else the dialect has written down of the place. In a transaction. NULL: nothing. */
	bool (*forget_place)(struct db *db, const char *from, struct viewd_err *err);
};

/* Taking things out. */
struct db_leaving_ops {
	/* The statements that take viewd out of the database, in an order in which writers do not notice: row(ctx, {sql},
	 * 1). Once they have been carried out there are none. NULL: viewd cannot be taken out (uninstall.c). */
	bool (*list)(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);
	/* After prepare has made the state tables: removes what a killed predecessor left. NULL: nothing can be left. */
	bool (*clean_leftovers)(struct db *db, struct viewd_err *err);
};

/* Looking at what a database has before viewd comes (existing.c). */
struct db_existing_ops {
	/* The views and materialized views of a schema (NULL: of all but the server's own): row(ctx, {schema, name, kind
	 * word VIEW|MATVIEW, definition, options, comment, remark}, 7). schema is empty where unqualified names lead.
	 * remark: why no section can describe it, or NULL. NULL: existing() is not there. */
	bool (*list)(struct db *db, const char *schema, const struct db_reader *row, void *ctx, struct viewd_err *err);
	/* The indexes of one that holds rows: row(ctx, {name, text as in index_NAME, key}, 3). key: the columns as written,
	 * where the index tells rows apart. NULL: there are none. */
	bool (*indexes)(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
	                struct viewd_err *err);
};

struct db_ops {
	/* ---- required ---- */

	/* One statement, no result rows. params are text (NULL = SQL NULL). affected_r may be NULL. */
	bool (*exec)(struct db *db, const char *sql, const char *const *params, size_t n_params, int64_t *affected_r,
	             struct viewd_err *err);
	/* One statement with result rows as text, each given by db_give(). row must not run another statement on the same
	 * connection. */
	bool (*query)(struct db *db, const char *sql, const char *const *params, size_t n_params,
	              const struct db_reader *row, void *ctx, struct viewd_err *err);
	bool (*begin)(struct db *db, enum db_begin how, struct viewd_err *err);
	bool (*commit)(struct db *db, struct viewd_err *err); /* connection lost inside COMMIT: VIEWD_ERR_LOST */
	void (*rollback)(struct db *db);                      /* never fails; harmless outside a transaction */

	/* Sets statement and lock limits for what follows in this session; 0 = none for timeout_us. Called before begin. */
	bool (*set_limits)(struct db *db, int64_t timeout_us, int64_t lock_timeout_us, struct viewd_err *err);

	/* Looks rel up (rel->schema may be empty: the engine's default place, filled in on return). kind NONE when absent,
	 * then schema tells where it would be created. */
	bool (*find_object)(struct db *db, const struct relation *rel, struct db_object *out, struct viewd_err *err);

	/* Lists what the view's definition reads, through plain views too. definition is cleaned: one query, no
	 * semicolon. */
	bool (*list_sources)(struct db *db, const char *definition, struct viewd_source_sink sink, struct viewd_err *err);

	/* Column names and types a query yields, in order: row(ctx, {name, type[, inner]}, 2 or 3). type is what CREATE
	 * TABLE would take, NULL or "" when none is known; inner is what `SELECT inner FROM (query)` has to say, where that
	 * may differ from the name. */
	bool (*query_columns)(struct db *db, const char *query, const struct db_reader *row, void *ctx,
	                      struct viewd_err *err);

	/* Names of the indexes that exist on the relation: row(ctx, {name}, 1). */
	bool (*list_indexes)(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
	                     struct viewd_err *err);

	/* ---- optional ---- */

	struct db_session_ops session;
	struct db_catalogue_ops catalogue;
	struct db_rights_ops rights;
	struct db_change_ops change;
	struct db_refresh_ops refresh;
	struct db_group_ops group;
	struct db_depends_ops depends;
	struct db_capture_ops capture;
	struct db_returning_ops returning;
	struct db_leaving_ops leaving;
	struct db_existing_ops existing;
	struct db_incremental_ops incremental;
};

struct db {
	const struct syntax *syntax;
	const struct db_ops *ops;
	const struct viewd_host *host;
	const char *database_name; /* for messages; lives as long as the connection */
	struct row_key row_key;    /* what the server was found to need */
	struct attempts *attempts; /* what is known of views of mode auto (attempt.c); NULL: nothing yet */
	struct chains *chains;     /* what is known of views that are kept incrementally (chain.c); NULL: nothing yet */
	int64_t looked_us;         /* when objects_look() last began and came to its end; 0: never */
	bool definitions_end;      /* a definition ends whoever uses the table: none is made that nobody asked for */
};

/* Shorthands. */
static inline bool db_exec(struct db *db, const char *sql, struct viewd_err *err)
{
	return db->ops->exec(db, sql, NULL, 0, NULL, err);
}

static inline bool db_flush(struct db *db, struct viewd_err *err)
{
	return db->ops->session.flush == NULL || db->ops->session.flush(db, err);
}

static inline bool db_use_settings(struct db *db, const struct viewd_view_spec *view, struct viewd_err *err)
{
	return db->ops->session.use_settings == NULL || db->ops->session.use_settings(db, view, err);
}

/* Around each call of the daemon. */
static inline void db_enter(struct db *db)
{
	if (db->ops->session.enter != NULL)
		db->ops->session.enter(db);
}

static inline void db_leave(struct db *db)
{
	if (db->ops->session.leave != NULL)
		db->ops->session.leave(db);
}

static inline void db_failpoint(struct db *db, const char *place)
{
	if (db->host->failpoint != NULL)
		db->host->failpoint(db->host->ctx, place);
}

static inline int64_t db_now(struct db *db)
{
	return db->host->now(db->host->ctx);
}

/* Runs one statement that returns a single number. */
bool db_query_int(struct db *db, const char *sql, int64_t *n_r, struct viewd_err *err) MUST_CHECK;

/* For queries that return a single text: the first cell of the first row. */
struct db_text {
	void *mem;   /* the text is talloc'ed here */
	char *value; /* NULL: there was no row, or the cell is NULL */
};
bool db_take_text(void *text, const char *const *values, size_t n); /* a db_row_fn */

/* One log line, formatted. */
void db_log(struct db *db, enum viewd_log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
