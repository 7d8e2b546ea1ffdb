/* SPDX-License-Identifier: MIT
 *
 * viewd_dialect.h: the contract between the daemon and a dialect plugin.
 *
 * This is the only header a plugin shares with the daemon. A plugin exports exactly one data symbol,
 * `viewd_dialect`, declared with VIEWD_DIALECT_EXPORT. It links to no symbol of the daemon: services come in
 * through struct viewd_host, results go out through caller-owned structs and sinks.
 *
 * ABI change log (added = minor, changed or removed = major)
 *   1.0  first version
 *   1.1  tend; change capture: capture, watch_open, watch_next, watch_wake, watch_close, and at the end of structs
 *        viewd_view_spec.captured, notify_channel, run_as, pre_hook, post_hook, viewd_resolved.reads_clock,
 *        viewd_outcome.settled_seq, viewd_recorded.captured
 *   1.2  VIEWD_CAP_CAPTURE_...; refresh_group, and at the end of viewd_view_spec: refresh_group
 *   1.3  VIEWD_SIGNAL_BEHIND
 *   1.4  VIEWD_SIGNAL_REDEFINED; struct viewd_dependency, and at the end of viewd_capture_request: dependencies
 *   1.5  uninstall
 *   1.6  at the end of viewd_view_spec: compare_columns; of viewd_found: unreadable, columns_differ
 *   1.7  at the end of viewd_found: copied
 *   1.8  VIEWD_CHANGE_KEEP; definition; at the end of viewd_found: kept
 *   1.9  at the end of viewd_view_spec: settings
 *   1.10 VIEWD_CAP_TYPES
 *
 * Conventions
 *   - Strings are NUL-terminated UTF-8. Strings passed in belong to the caller and live until the call returns.
 *     Strings handed to a sink belong to the plugin and live until the sink function returns.
 *   - Durations and times are int64_t microseconds; times count from the Unix epoch, 0 means unknown.
 *   - A function that can fail returns true when done. On failure it fills *err and leaves outputs untouched.
 *   - Functions marked [worker] block and are called on one worker thread at a time for a given connection.
 *     Functions marked [any] may be called on any thread and must not block.
 */
#ifndef VIEWD_DIALECT_H
#define VIEWD_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIEWD_ABI_MAJOR 1
#define VIEWD_ABI_MINOR 10

/* ---- errors ------------------------------------------------------------------------------------------------- */

/* symbol, word shown to users, retried at once with backoff?, what it means */
#define VIEWD_ERR_CLASSES(X)                                                                                          \
	X(OK, "ok", false, "no error")                                                                                    \
	X(CONFIG, "config", false, "the configuration asks for something that cannot work; change it and reload")           \
	X(CONNECT, "connect", true, "the server cannot be reached or the connection broke before anything was sent")      \
	X(AUTH, "auth", true, "the server refused the credentials; retried slowly")                                       \
	X(MISSING, "missing", false, "an object that is needed does not exist")                                           \
	X(EXISTS, "exists", false, "an object of that name exists and does not belong to viewd")                          \
	X(CONFLICT, "conflict", true, "lock timeout, deadlock, busy database or serialisation failure; retried soon")     \
	X(TIMEOUT, "timeout", false, "the view's own time limit was reached and the statement was cancelled")             \
	X(CANCELLED, "cancelled", false, "cancelled on request; not a failure")                                           \
	X(LOST, "lost", true, "the connection died after a statement was sent: outcome unknown, checked before a retry")  \
	X(QUERY, "query", false, "the server refused or failed the statement")                                            \
	X(DENIED, "denied", false, "the database account lacks a privilege")                                              \
	X(RESOURCE, "resource", true, "disk, memory or connection slots exhausted; retried slowly")                       \
	X(STANDBY, "standby", true, "somebody else keeps the database, or it takes no writes; watched until that ends")                           \
	X(PLUGIN, "plugin", false, "a plugin is missing, unusable or broke the contract")                                 \
	X(BUG, "bug", false, "viewd itself is wrong; please report")

enum viewd_err_class {
#define VIEWD_ERR_ENUM(sym, word, retry, doc) VIEWD_ERR_##sym,
	VIEWD_ERR_CLASSES(VIEWD_ERR_ENUM)
#undef VIEWD_ERR_ENUM
	VIEWD_ERR_CLASS_COUNT
};

/* One failure. A plain value owned by the caller; all text is captured at once, nothing points elsewhere. */
struct viewd_err {
	enum viewd_err_class cls;
	int32_t native;    /* the library's own number (errno, MySQL or SQLite extended code), 0 if none */
	char sqlstate[8];  /* five characters where the engine has them, else empty */
	char object[160];  /* the object concerned, as a user would write it; may be empty */
	char msg[768];     /* lower case, no full stop, cause in parentheses */
	char hint[256];    /* what would be right; may be empty */
};

/* ---- words --------------------------------------------------------------------------------------------------- */

enum viewd_method { VIEWD_METHOD_SIMPLE, VIEWD_METHOD_MATERIALIZED, VIEWD_METHOD_TABLE, VIEWD_METHOD_COUNT };

enum viewd_refresh_mode {
	VIEWD_MODE_AUTO,
	VIEWD_MODE_FULL,
	VIEWD_MODE_CONCURRENTLY,
	VIEWD_MODE_DIFF,
	VIEWD_MODE_SWAP,
	VIEWD_MODE_INCREMENTAL,
	VIEWD_MODE_COUNT
};

/* What a refresh did: status field `action`. */
enum viewd_did {
	VIEWD_DID_NO_DATA, /* nothing to do: a simple view, or no row changed */
	VIEWD_DID_FULL,
	VIEWD_DID_CONCURRENT,
	VIEWD_DID_DIFF,
	VIEWD_DID_SWAP,
	VIEWD_DID_INCREMENTAL,
	VIEWD_DID_REINITIALIZE, /* created or redefined, then filled */
	VIEWD_DID_COUNT
};

/* What the daemon tells a plugin to do to a view's object. Decided in the daemon, carried out by the plugin. */
enum viewd_change {
	VIEWD_CHANGE_NOTHING,
	VIEWD_CHANGE_CREATE,  /* nothing of that name exists: create, index, fill if with_data */
	VIEWD_CHANGE_ADOPT,   /* record the existing view or materialized view as ours, change nothing else */
	VIEWD_CHANGE_REPLACE, /* ours, but different: replace without a gap for readers */
	VIEWD_CHANGE_REINDEX, /* ours and equal, but declared indexes are missing or differ */
	VIEWD_CHANGE_DROP,    /* ours and no longer wanted */
	VIEWD_CHANGE_REFUSE,  /* not ours, or the policy forbids it: an error that says why; never sent to a plugin */
	VIEWD_CHANGE_KEEP,    /* since 1.8: record the existing view or materialized view as it is; its own definition counts until the wanted one matches */
	VIEWD_CHANGE_COUNT
};

enum viewd_kind { VIEWD_KIND_NONE, VIEWD_KIND_VIEW, VIEWD_KIND_MATVIEW, VIEWD_KIND_TABLE, VIEWD_KIND_OTHER };

/* ---- what the daemon hands in -------------------------------------------------------------------------------- */

struct viewd_kv {
	const char *key;
	const char *value;
};

/* One [database] section. */
struct viewd_database_spec {
	uint32_t struct_size;
	const char *name;
	const char *url;       /* the whole URL as written, driver suffix and password included */
	const char *base_dir;  /* directory of the configuration file; relative paths in the URL start there */
	const char *password;  /* from password_file or a credential; NULL: whatever the URL says */
	const struct viewd_kv *options; /* the dialect's own [database] keys (see struct viewd_dialect_option) */
	size_t n_options;
	int64_t connect_timeout_us;
	const char *application_name; /* viewd:<instance>, shown in the server's process list */
};

struct viewd_column {
	const char *name; /* as written, quotes included; the server's own names in what query_columns tells */
	const char *type; /* NULL when only names were given */
};

struct viewd_index {
	const char *name; /* NAME of index_NAME */
	const char *text; /* `(amount DESC)` or `UNIQUE (id)`, after the name's optional INCLUDE/WHERE as written */
};

/* Since 1.6: what inspect compares of an object that holds rows with what its definition yields now. Types as the engine tells them may differ
 * without a reason, so that is asked for once, when something has been redefined. */
enum viewd_compare { VIEWD_COMPARE_NONE, VIEWD_COMPARE_NAMES, VIEWD_COMPARE_TYPES };

/* One view on one database, effective settings. */
struct viewd_view_spec {
	uint32_t struct_size;
	const char *name;       /* section name, lower case */
	const char *relation;   /* as written: `Sales."Category Stats"`; equals name when not given */
	const char *definition; /* one query for this dialect, no trailing semicolon needed */
	enum viewd_method method;
	enum viewd_refresh_mode mode;
	const char *const *unique_key; /* as written: `"createdAt"`; the dialect reads them, once, by its engine's rule */
	size_t n_unique_key;
	const struct viewd_column *columns;
	size_t n_columns;
	const struct viewd_index *indexes;
	size_t n_indexes;
	const struct viewd_kv *options; /* WITH (...) */
	size_t n_options;
	bool materialized_as_table;
	bool with_data;
	bool cascade;
	const char *on_remove; /* "keep" or "drop": recorded, so that a section removed while viewd is down is honoured */
	int64_t timeout_us;      /* 0: none */
	int64_t lock_timeout_us; /* always > 0 */
	bool captured;           /* since 1.1: capture() was asked for it; a refresh settles its marks */
	const char *notify_channel; /* since 1.1, as the three below; NULL: none. Told in the transaction of the data */
	const char *run_as;         /* role that creates, fills and refreshes; NULL: the session's own */
	const char *pre_hook;       /* one statement before a refresh; its failure is the refresh's. NULL: none */
	const char *post_hook;      /* one statement after the data; its failure is a warning. NULL: none */
	const char *refresh_group;  /* since 1.2: name of the group it is refreshed with; NULL: none */
	enum viewd_compare compare_columns; /* since 1.6: whether inspect compares what the definition yields with what the object has */
	const struct viewd_kv *settings; /* since 1.9: of the session, wherever the definition is run or asked about */
	size_t n_settings;
};

/* Flags of render(), the seed library's words. */
enum viewd_render_kind { VIEWD_RENDER_CREATE, VIEWD_RENDER_REFRESH, VIEWD_RENDER_DROP };
struct viewd_render_flags {
	bool or_replace;
	bool if_not_exists;
	bool if_exists;
	bool cascade;
};

/* One refresh to do. */
struct viewd_refresh_request {
	uint32_t struct_size;
	bool force_full;     /* `viewctl refresh --full` */
	const char *trigger; /* the trigger word for the history: MANUAL, SCHEDULED ... */
	int64_t run_id;      /* number of this run in the daemon's life, for log correlation */
	int64_t scheduled_us;
};

struct viewd_outcome;

/* One member of a group refresh. */
struct viewd_group_item {
	uint32_t struct_size;
	const struct viewd_view_spec *view;
	const struct viewd_refresh_request *request;
	struct viewd_outcome *outcome;
};

/* ---- what a plugin hands back -------------------------------------------------------------------------------- */

/* check_view(): how the dialect reads a view, without any connection. */
struct viewd_resolved {
	enum viewd_method method; /* materialized may have become table */
	enum viewd_refresh_mode mode;
	char relation[520];   /* canonical quoted text, equal for equal objects; schema part only if written */
	char hash[65];        /* hex digest of everything whose change means the object must be replaced */
	char index_hash[65];  /* hex digest of unique_key and declared indexes */
	char reads_clock[64]; /* since 1.1: the first thing in the definition whose value changes with time (now, CURRENT_DATE ...); "" none */
};

/* inspect(): what exists now. */
struct viewd_found {
	enum viewd_kind kind;
	char schema[256];        /* where it is or would be created; empty where the engine has no schemas */
	char name[256];          /* unquoted catalogue name */
	bool recorded;           /* the state table has a row for this view */
	bool ours;               /* recorded, and the object is the very one that was recorded */
	bool touched_outside;    /* ours, but its definition in the server is not the one viewd left there */
	bool matches;            /* the existing object's definition equals the wanted one (used for adoption) */
	bool populated;          /* holds data (a materialized view WITH NO DATA does not) */
	bool indexes_present;    /* every declared index exists */
	bool can_concurrently;   /* populated and a usable full unique index exists */
	char recorded_hash[65];
	char recorded_index_hash[65];
	int64_t last_success_us;
	int64_t data_timestamp_us;
	int64_t duration_us;     /* of the last success */
	int64_t rows;            /* -1 unknown */
	char detail[256];        /* one line for `plan` and `why`: what is in the way, what differs */
	bool sources_unknown;    /* since 1.2: the definition cannot be read now (something is missing); no source was given */
	bool unreadable;          /* since 1.6: sources_unknown, and what it names is missing: it cannot be computed */
	char columns_differ[200]; /* since 1.6: how the columns of the object differ from what its definition yields, as compare_columns asks; "" not */
	bool copied;              /* since 1.7: recorded, but in a database of which this one is a copy, and what is there does not fit the record */
	bool kept;                /* since 1.8: ours, by VIEWD_CHANGE_KEEP, and not made from the wanted definition */
};

/* One relation the definition reads, found through plain views too. */
struct viewd_source {
	const char *schema; /* "" where the engine has none */
	const char *name;   /* catalogue spelling */
	enum viewd_kind kind;
};

/* apply() and refresh(): what was done. */
struct viewd_outcome {
	enum viewd_did did;
	int64_t rows;              /* rows in the view afterwards, -1 unknown */
	int64_t rows_written;      /* -1 unknown */
	int64_t data_timestamp_us; /* the moment the data is true for: start of the snapshot */
	int64_t duration_us;
	char reason[256];          /* why this way: shown by `why` */
	int64_t settled_seq;       /* since 1.1: the highest change mark that this refresh has settled; 0 none */
};

/* verify(): the stored rows against the definition at one snapshot. */
struct viewd_verdict {
	int64_t rows;       /* rows of the definition */
	int64_t missing;    /* in the definition, not in the view (duplicates counted) */
	int64_t unexpected; /* in the view, not in the definition */
};

/* One row of refresh_history, newest first. */
struct viewd_history_row {
	int64_t started_us;
	int64_t duration_us;
	int64_t rows;
	int64_t rows_written;
	const char *trigger;
	const char *action;
	const char *result;
	const char *error; /* NULL when none */
};

/* One row of the state table: an object viewd is responsible for. */
struct viewd_recorded {
	const char *name;
	const char *relation; /* canonical quoted, schema-qualified where the engine has schemas */
	enum viewd_method method;
	const char *on_remove;
	bool captured; /* since 1.1: changes of its sources are being noticed */
};

/* How changes of the sources are noticed. */
enum viewd_capture {
	VIEWD_CAPTURE_AUTO, /* the dialect chooses and explains */
	VIEWD_CAPTURE_TRIGGER,
	VIEWD_CAPTURE_BINLOG,
	VIEWD_CAPTURE_POLL,
	VIEWD_CAPTURE_NONE,
	VIEWD_CAPTURE_COUNT
};

/* Since 1.4: what an entry in a view's list of dependencies is. symbol, word */
#define VIEWD_DEPENDS(X)                                                                                              \
	X(TABLE, "table")                                                                                                 \
	X(VIEW, "view")                                                                                                   \
	X(MATVIEW, "materialized view")                                                                                   \
	X(FOREIGN, "foreign table")                                                                                       \
	X(VIRTUAL, "virtual table")                                                                                       \
	X(FUNCTION, "function")                                                                                           \
	X(TYPE, "type")                                                                                                   \
	X(SEQUENCE, "sequence")                                                                                           \
	X(CATALOGUE, "catalogue")                                                                                         \
	X(CLOCK, "clock")                                                                                                 \
	X(SETTING, "setting")                                                                                             \
	X(OTHER, "other")
enum viewd_depends {
#define VIEWD_DEPENDS_ENUM(sym, word) VIEWD_DEPENDS_##sym,
	VIEWD_DEPENDS(VIEWD_DEPENDS_ENUM)
#undef VIEWD_DEPENDS_ENUM
	VIEWD_DEPENDS_COUNT
};

/* Since 1.4: who tells that an entry has changed. symbol, word, what it means */
#define VIEWD_HEARD(X)                                                                                                \
	X(NONE, "none", "nothing tells of its changes")                                                                   \
	X(TRIGGER, "trigger", "triggers log its changes")                                                                 \
	X(BINLOG, "binlog", "the server's binary log tells of its changes")                                               \
	X(POLL, "poll", "the server's counters are read")                                                                 \
	X(KEPT, "kept", "viewd refreshes it, and each refresh tells")                                                     \
	X(LOOK, "look", "its definition is compared at each look")                                                        \
	X(VOUCHED, "vouched", "`sources` names what to follow instead")
enum viewd_heard {
#define VIEWD_HEARD_ENUM(sym, word, doc) VIEWD_HEARD_##sym,
	VIEWD_HEARD(VIEWD_HEARD_ENUM)
#undef VIEWD_HEARD_ENUM
	VIEWD_HEARD_COUNT
};

/* Since 1.4: one entry of everything that a view's contents depend on, through plain views and functions. */
struct viewd_dependency {
	uint32_t struct_size;
	enum viewd_depends kind;
	const char *name;   /* for people; unique among the view's entries */
	enum viewd_heard heard_by;
	const char *reason; /* why it is heard so, or why nothing hears it; NULL: nothing to add */
};
struct viewd_dependency_sink {
	bool (*fn)(void *ctx, const struct viewd_dependency *entry);
	void *ctx;
};

/* capture(): what to notice for a view from now on. */
struct viewd_capture_request {
	uint32_t struct_size;
	enum viewd_capture mode;             /* NONE: nothing any more; triggers that no other view needs go away */
	const struct viewd_source *sources;  /* base relations found by inspect; objects that viewd keeps are not among them */
	size_t n_sources;
	const struct viewd_source *kept;     /* relations it reads that viewd keeps itself: no trigger; their refreshes mark it stale */
	size_t n_kept;
	const char *const *names;            /* `sources =` as written; when given, these and only these */
	size_t n_names;
	int64_t poll_interval_us;            /* how often a poll looks; 0: the dialect's choice */
	struct viewd_dependency_sink dependencies; /* since 1.4: is given each entry of the view's list when the capture is set up; fn may be
	                                            * NULL. A dialect that gives none is believed to hear all that it captures */
};

/* capture(): how it is done. */
struct viewd_captured {
	enum viewd_capture mode; /* what was chosen; NONE when nothing can be noticed */
	char reason[256];        /* why this mode: shown by `why` */
};

/* uninstall(): what to do. Since 1.5. */
struct viewd_uninstall_request {
	uint32_t struct_size;
	bool print; /* tell the statements and carry out none of them */
};

/* What a watch tells. */
enum viewd_signal_kind {
	VIEWD_SIGNAL_STALE,   /* a captured source changed since the view's last refresh; told again whenever seq grew */
	VIEWD_SIGNAL_REQUEST, /* an application asked for a refresh in SQL */
	VIEWD_SIGNAL_BEHIND,  /* since 1.3, of no view: watch_next returns before its look has seen all that was committed before it; the next calls
	                       * go on with it, and until one of them returns without this no view counts as looked at */
	VIEWD_SIGNAL_REDEFINED, /* since 1.4: something that the view depends on has another definition, or is gone. Its marks are raised already;
	                         * its dependencies are to be looked up anew, by inspect and capture */
};
struct viewd_signal {
	enum viewd_signal_kind kind;
	const char *view;
	int64_t seq;        /* grows with every drain that found changes for the view */
	int64_t changed_us; /* when the change was noticed by the database; 0 unknown */
};

/* Sinks: the plugin calls fn once an item. Returning false stops the listing (not an error). */
struct viewd_text_sink {
	bool (*fn)(void *ctx, const char *text);
	void *ctx;
};
struct viewd_source_sink {
	bool (*fn)(void *ctx, const struct viewd_source *src);
	void *ctx;
};
struct viewd_history_sink {
	bool (*fn)(void *ctx, const struct viewd_history_row *row);
	void *ctx;
};
struct viewd_recorded_sink {
	bool (*fn)(void *ctx, const struct viewd_recorded *row);
	void *ctx;
};

struct viewd_signal_sink {
	bool (*fn)(void *ctx, const struct viewd_signal *signal);
	void *ctx;
};

/* ---- services of the daemon for a plugin ---------------------------------------------------------------------- */

enum viewd_log_level { VIEWD_LOG_ERROR, VIEWD_LOG_WARNING, VIEWD_LOG_INFO, VIEWD_LOG_DEBUG };

struct viewd_host {
	uint32_t struct_size;
	uint16_t abi_major;
	uint16_t abi_minor;
	void *ctx;
	/* [any] One log line. For facts a person should know that are not the outcome of the call. */
	void (*log)(void *ctx, enum viewd_log_level level, const char *msg);
	/* [any] Wall clock, microseconds. */
	int64_t (*now)(void *ctx);
	/* [any] Marks a place where tests may kill the process; does nothing in production. */
	void (*failpoint)(void *ctx, const char *place);
};

/* ---- the dialect ---------------------------------------------------------------------------------------------- */

struct viewd_conn;  /* a plugin's own */
struct viewd_watch; /* likewise */

/* Capabilities: the daemon asks what a dialect can do, never which one it is. */
#define VIEWD_CAP_MATERIALIZED (UINT64_C(1) << 0)      /* native materialized views */
#define VIEWD_CAP_CONCURRENTLY (UINT64_C(1) << 1)      /* refresh without blocking readers */
#define VIEWD_CAP_SWAP (UINT64_C(1) << 2)              /* build aside and exchange names atomically */
#define VIEWD_CAP_TRANSACTIONAL_DDL (UINT64_C(1) << 3) /* DDL and the state row commit together */
#define VIEWD_CAP_SINGLE_WRITER (UINT64_C(1) << 4)     /* at most one writing connection at a time */
#define VIEWD_CAP_SCHEMAS (UINT64_C(1) << 5)           /* objects live in schemas */
#define VIEWD_CAP_OPTIONS (UINT64_C(1) << 6)           /* WITH (...) on views */
/* Since 1.2: ways of noticing changes. With none of them any way is asked for when it is set up, not when the files are checked. */
#define VIEWD_CAP_CAPTURE_TRIGGER (UINT64_C(1) << 7)
#define VIEWD_CAP_CAPTURE_BINLOG (UINT64_C(1) << 8)
#define VIEWD_CAP_CAPTURE_POLL (UINT64_C(1) << 9)
/* Since 1.10: tells the types of a definition's columns, so that VIEWD_COMPARE_TYPES finds one that has become another. */
#define VIEWD_CAP_TYPES (UINT64_C(1) << 10)

/* A [database] key that only this dialect knows. Parsed as text; check_database() judges the value. */
struct viewd_dialect_option {
	const char *key;
	const char *default_value; /* NULL: none */
	const char *help;          /* one line */
	const char *doc;           /* a paragraph for the manual */
};

struct viewd_dialect {
	/* Read and judged before anything else in this struct. */
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t struct_size;

	const char *name;    /* [a-z0-9_]+, equals NAME of viewd_NAME.so; also the suffix in definition_NAME */
	const char *version; /* for people */
	uint64_t caps;
	const struct viewd_dialect_option *options;
	size_t n_options;

	/* [any] Judges a database section without a network. err.hint says what would be right. */
	bool (*check_database)(const struct viewd_database_spec *db, struct viewd_err *err);

	/* [any] Judges a view without a connection: identifiers, method, mode, options, one statement, columns.
	 * Fills *out. Calls mentions once for every identifier the definition contains (unquoted spelling, last
	 * part), so that the daemon can guess a creation order before the catalogue knows the edges. */
	bool (*check_view)(const struct viewd_database_spec *db, const struct viewd_view_spec *view,
	                   struct viewd_resolved *out, struct viewd_text_sink mentions, struct viewd_err *err);

	/* [any] The SQL of create, refresh or drop, one statement a call of the sink, no connection needed. */
	bool (*render)(const struct viewd_database_spec *db, const struct viewd_view_spec *view, enum viewd_render_kind kind,
	               const struct viewd_render_flags *flags, struct viewd_text_sink statements, struct viewd_err *err);

	/* [worker] Connects and fixes the session (search_path, timeouts, isolation, modes). host outlives the
	 * connection. NULL on failure. */
	struct viewd_conn *(*open)(const struct viewd_host *host, const struct viewd_database_spec *db, struct viewd_err *err);

	/* [worker] Closes; never fails; *conn becomes NULL. A NULL *conn is accepted. */
	void (*close)(struct viewd_conn **conn);

	/* [any, may block briefly: called on a worker thread other than the connection's] Makes the running statement
	 * end with VIEWD_ERR_CANCELLED. Harmless when nothing runs. Never called together with close. */
	void (*cancel)(struct viewd_conn *conn);

	/* [worker] Is the connection usable? Cheap. On false the daemon closes it and opens another. */
	bool (*alive)(struct viewd_conn *conn);

	/* [worker] Creates the state tables when absent, removes what a killed predecessor left over, then lists every
	 * recorded view. Called once after the first connection to a database and after a lost one. */
	bool (*prepare)(struct viewd_conn *conn, struct viewd_recorded_sink rows, struct viewd_err *err);

	/* [worker] What exists, whose it is, what it reads. sources.fn may be NULL. Changes nothing. */
	bool (*inspect)(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_found *out,
	                struct viewd_source_sink sources, struct viewd_err *err);

	/* [worker] Carries out one change. Checks again, right before every statement that destroys, that the object
	 * is the recorded one (else VIEWD_ERR_EXISTS). Atomic for readers; the state row commits with it where
	 * the engine can. */
	bool (*apply)(struct viewd_conn *conn, const struct viewd_view_spec *view, enum viewd_change change,
	              struct viewd_outcome *out, struct viewd_err *err);

	/* [worker] One refresh. The state row and the history row commit with the data where the engine can.
	 * On failure the last good contents stay. */
	bool (*refresh)(struct viewd_conn *conn, const struct viewd_view_spec *view, const struct viewd_refresh_request *req,
	                struct viewd_outcome *out, struct viewd_err *err);

	/* [worker] Records a failed run in the history and the state row; best effort. */
	bool (*record_failure)(struct viewd_conn *conn, const struct viewd_view_spec *view,
	                       const struct viewd_refresh_request *req, const char *result, const struct viewd_err *failure,
	                       struct viewd_err *err);

	/* [worker] Compares both ways at one snapshot. */
	bool (*verify)(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_verdict *out,
	               struct viewd_err *err);

	/* [worker] Past runs, newest first, at most limit. */
	bool (*history)(struct viewd_conn *conn, const struct viewd_view_spec *view, int limit, struct viewd_history_sink rows,
	                struct viewd_err *err);

	/* [worker] Optional: once on each worker thread before its first call, and at its end. */
	void (*thread_begin)(void);
	void (*thread_end)(void);

	/* ---- since 1.1, all optional together: change capture ---- */

	/* [worker] Sets up, changes or ends the noticing of changes for one view: triggers, registration, marks. Idempotent. A view that is
	 * registered anew is stale until its next refresh. Gaps of the chosen mode go to warnings, one sentence each. */
	bool (*capture)(struct viewd_conn *conn, const struct viewd_view_spec *view, const struct viewd_capture_request *req,
	                struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err);

	/* [watcher thread] Opens the one watching connection of a database and takes the database's lock: with another daemon in its
	 * possession the class is STANDBY. The lock is held until watch_close or the connection's end. NULL on failure. */
	struct viewd_watch *(*watch_open)(const struct viewd_host *host, const struct viewd_database_spec *db,
	                                  struct viewd_err *err);

	/* [watcher thread] Waits for a hint, a wake or the timeout, whichever comes first; then drains the logs and tells every stale view
	 * and every request. The first call after watch_open does not wait. It and one that was woken have told all that was committed before
	 * them when they return, or VIEWD_SIGNAL_BEHIND. Checks the connection and the lock with a heartbeat of its own when nothing happens.
	 * False: the connection or the lock is lost; close and open again. */
	bool (*watch_next)(struct viewd_watch *watch, int64_t timeout_us, struct viewd_signal_sink signals, struct viewd_err *err);

	/* [any] Makes watch_next return soon. Never called together with watch_close. */
	void (*watch_wake)(struct viewd_watch *watch);

	/* [watcher thread] */
	void (*watch_close)(struct viewd_watch **watch);

	/* [worker] Optional, since 1.1: what a relation needs now and then after its rows changed (statistics, vacuum). Called some time after a
	 * refresh, at a pace of the daemon's, beside other work; nobody waits for it. A failure is only logged. */
	bool (*tend)(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_err *err);

	/* [worker] Optional, since 1.2: refreshes views together. Items are in dependency order and one that reads another sees its new rows.
	 * Readers see all of them change at one instant, with rows of one snapshot; on failure all keep their last good contents and
	 * *failed_r is the index of the item that failed, or n when it was none in particular. Outcomes are filled on success only. Of
	 * state rows, history and marks the same is asked as of refresh. */
	bool (*refresh_group)(struct viewd_conn *conn, const struct viewd_group_item *const *items, size_t n, size_t *failed_r,
	                      struct viewd_err *err);

	/* [worker] Optional, since 1.5: takes everything of viewd's out of the database but the objects of its views, which become ordinary ones
	 * with the rows they have. The order is such that writers of the sources do not notice. Each statement is told when it has been carried
	 * out; false from the sink ends the call with VIEWD_ERR_CANCELLED. What a failure leaves undone the next call goes on with. With
	 * req->print they are only told, which takes no right but that to read the catalogue. The caller holds the lock of watch_open
	 * (not needed to print) and calls nothing else on the connection, which needs no prepare(). */
	bool (*uninstall)(struct viewd_conn *conn, const struct viewd_uninstall_request *req, struct viewd_text_sink statements,
	                  struct viewd_err *err);

	/* [worker] Optional, since 1.8, together with VIEWD_CHANGE_KEEP: hands over the definition of the view or materialized view that is there, as the server writes it, without a
	 * semicolon. Once. */
	bool (*definition)(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_text_sink text, struct viewd_err *err);
};

/* Declares the one exported symbol. Built into a program (tests), the name is made unique with VIEWD_DIALECT_STATIC. */
#ifdef VIEWD_DIALECT_STATIC
#define VIEWD_DIALECT_PASTE2(a, b) a##b
#define VIEWD_DIALECT_PASTE(a, b) VIEWD_DIALECT_PASTE2(a, b)
#define VIEWD_DIALECT_EXPORT const struct viewd_dialect VIEWD_DIALECT_PASTE(viewd_dialect_, VIEWD_DIALECT_STATIC)
#else
#define VIEWD_DIALECT_EXPORT __attribute__((visibility("default"))) const struct viewd_dialect viewd_dialect
#endif

#endif
