/* SPDX-License-Identifier: MIT
 *
 * viewd_types.h: the records that the daemon and a dialect hand to each other, as plain data. Included by
 * viewd_dialect.h, which tells the conventions; include that.
 */
#ifndef VIEWD_TYPES_H
#define VIEWD_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- errors ------------------------------------------------------------------------------------------------- */

/* symbol, word shown to users, retried at once with backoff?, what it means */
#define VIEWD_ERR_CLASSES(X) \
	X(OK, "ok", false, "no error") \
	X(CONFIG, "config", false, "the configuration asks for something that cannot work; change it and reload") \
	X(CONNECT, "connect", true, "the server cannot be reached or the connection broke before anything was sent") \
	X(AUTH, "auth", true, "the server refused the credentials; retried slowly") \
	X(MISSING, "missing", false, "an object that is needed does not exist") \
	X(EXISTS, "exists", false, "an object of that name exists and does not belong to viewd") \
	X(CONFLICT, "conflict", true, "lock timeout, deadlock, busy database or serialisation failure; retried soon") \
	X(TIMEOUT, "timeout", false, "the view's own time limit was reached and the statement was cancelled") \
	X(CANCELLED, "cancelled", false, "cancelled on request; not a failure") \
	X(LOST, "lost", true, "the connection died after a statement was sent: outcome unknown, checked before a retry") \
	X(QUERY, "query", false, "the server refused or failed the statement") \
	X(DENIED, "denied", false, "the database account lacks a privilege; viewctl doctor prints what mends it") \
	X(RESOURCE, "resource", true, "disk, memory or connection slots exhausted; retried slowly") \
	X(STANDBY, "standby", true, "somebody else keeps the database, or it takes no writes; watched until that ends") \
	X(PLUGIN, "plugin", false, "a plugin is missing, unusable or broke the contract") \
	X(BUG, "bug", false, "viewd itself is wrong; please report")

enum viewd_err_class {
#define VIEWD_ERR_ENUM(sym, word, retry, doc) VIEWD_ERR_##sym,
	VIEWD_ERR_CLASSES(VIEWD_ERR_ENUM) VIEWD_ERR_CLASS_COUNT
#undef VIEWD_ERR_ENUM
};

/* One failure. A plain value owned by the caller; all text is captured at once, nothing points elsewhere. */
struct viewd_err {
	enum viewd_err_class cls;
	int32_t native;   /* the library's own number (errno, MySQL or SQLite extended code), 0 if none */
	char sqlstate[8]; /* five characters where the engine has them, else empty */
	char object[160]; /* the object concerned, as a user would write it; may be empty */
	char msg[768];    /* lower case, no full stop, cause in parentheses */
	char hint[256];   /* what would be right; may be empty */
};

/* ---- words --------------------------------------------------------------------------------------------------- */

/* symbol, word */
#define VIEWD_METHODS(X) X(SIMPLE, "simple") X(MATERIALIZED, "materialized") X(TABLE, "table")
enum viewd_method {
#define VIEWD_METHOD_ENUM(sym, word) VIEWD_METHOD_##sym,
	VIEWD_METHODS(VIEWD_METHOD_ENUM) VIEWD_METHOD_COUNT
#undef VIEWD_METHOD_ENUM
};

#define VIEWD_MODES(X) \
	X(AUTO, "auto") \
	X(FULL, "full") \
	X(CONCURRENTLY, "concurrently") \
	X(DIFF, "diff") \
	X(SWAP, "swap") \
	X(INCREMENTAL, "incremental")
enum viewd_refresh_mode {
#define VIEWD_MODE_ENUM(sym, word) VIEWD_MODE_##sym,
	VIEWD_MODES(VIEWD_MODE_ENUM) VIEWD_MODE_COUNT
#undef VIEWD_MODE_ENUM
};

/* The action of a refresh: status field `action`. NO_DATA: nothing to do, it is a simple view or no row changed.
 * REINITIALIZE: created or redefined, then filled. */
#define VIEWD_DIDS(X) \
	X(NO_DATA, "NO_DATA") \
	X(FULL, "FULL") \
	X(CONCURRENT, "CONCURRENT") \
	X(DIFF, "DIFF") \
	X(SWAP, "SWAP") \
	X(INCREMENTAL, "INCREMENTAL") \
	X(REINITIALIZE, "REINITIALIZE")
enum viewd_did {
#define VIEWD_DID_ENUM(sym, word) VIEWD_DID_##sym,
	VIEWD_DIDS(VIEWD_DID_ENUM) VIEWD_DID_COUNT
#undef VIEWD_DID_ENUM
};

/* The change that the daemon tells a plugin to make to a view's object. Decided in the daemon, carried out by the
 * plugin. */
enum viewd_change {
	VIEWD_CHANGE_NOTHING,
	VIEWD_CHANGE_CREATE,  /* nothing of that name exists: create, index, fill if with_data */
	VIEWD_CHANGE_ADOPT,   /* record the existing view or materialized view as ours, change nothing else */
	VIEWD_CHANGE_REPLACE, /* ours, but different: replace without a gap for readers */
	VIEWD_CHANGE_REINDEX, /* ours and equal, but declared indexes are missing or differ */
	VIEWD_CHANGE_DROP,    /* ours and no longer wanted */
	VIEWD_CHANGE_REFUSE,  /* not ours, or the policy forbids it: an error that says why; never sent to a plugin */
	/* Record the existing view or materialized view as it is; its own definition counts until the wanted one matches */
	VIEWD_CHANGE_KEEP,
	VIEWD_CHANGE_RENAME, /* follow the section that was renamed; a call of its own (rename), never sent to apply() */
	VIEWD_CHANGE_COUNT
};

/* The fate of an object whose section is gone. */
enum viewd_on_remove { VIEWD_REMOVE_KEEP, VIEWD_REMOVE_DROP };

/* How a run ended that brought no new data. symbol, the word that the history has */
#define VIEWD_FAILURES(X) \
	X(FAILED, "FAILED") \
	X(CANCELLED, "CANCELLED") \
	X(UPSTREAM_FAILED, "UPSTREAM_FAILED")
enum viewd_failure {
#define VIEWD_FAILURE_ENUM(sym, word) VIEWD_FAILURE_##sym,
	VIEWD_FAILURES(VIEWD_FAILURE_ENUM) VIEWD_FAILURE_COUNT
#undef VIEWD_FAILURE_ENUM
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
	const char *url;                /* the whole URL as written, driver suffix and password included */
	const char *base_dir;           /* directory of the configuration file; relative paths in the URL start there */
	const char *password;           /* from password_file or a credential; NULL: whatever the URL says */
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

/* Columns that inspect compares of an object that holds rows with what its definition yields now. Types as the engine
 * tells them may differ without a reason, so that is asked for once, when something has been redefined. */
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
	enum viewd_on_remove on_remove;     /* recorded, so that a section removed while viewd is down is honoured */
	int64_t timeout_us;                 /* 0: none */
	int64_t lock_timeout_us;            /* always > 0 */
	bool captured;                      /* its changes are noticed; a refresh settles its marks */
	const char *notify_channel;         /* NULL: none; as the three below. Told in the transaction of the data */
	const char *run_as;                 /* role that creates, fills and refreshes; NULL: the session's own */
	const char *pre_hook;               /* one statement before a refresh; its failure is the refresh's. NULL: none */
	const char *post_hook;              /* one statement after the data; its failure is a warning. NULL: none */
	const char *refresh_group;          /* name of the group it is refreshed with; NULL: none */
	enum viewd_compare compare_columns; /* does inspect compare what the definition yields with what the object has? */
	const struct viewd_kv *settings;    /* of the session, wherever the definition is run or asked about */
	size_t n_settings;
	bool only_look; /* since 2.4: inspect for who only looks: state tables may be missing, nothing may be written */
	/* Since 2.5: `SELECT TO web, report` as written; given and put back as indexes are. NULL: none */
	const char *grants;
};

/* Kinds of statements that render() writes. */
enum viewd_render_kind { VIEWD_RENDER_CREATE, VIEWD_RENDER_REFRESH, VIEWD_RENDER_DROP };
/* Flags of render(), as in CREATE OR REPLACE, DROP IF EXISTS. */
struct viewd_render_flags {
	bool or_replace;
	bool if_not_exists;
	bool if_exists;
	bool cascade;
};

/* One thing about how a view is, or could be, kept incrementally. The order is that of the nodes. */
enum viewd_explained_kind {
	VIEWD_EXPLAINED_TEXT,
	VIEWD_EXPLAINED_ITEM, /* one of several texts of this key */
	VIEWD_EXPLAINED_NUMBER,
	VIEWD_EXPLAINED_FLAG,
	VIEWD_EXPLAINED_COUNT
};
struct viewd_explained {
	uint32_t struct_size;
	uint32_t node;   /* number of a node, from 1; 0: the view */
	uint32_t source; /* number of what the node reads, from 1; 0: the node itself */
	enum viewd_explained_kind kind;
	const char *key;  /* a word, for programs */
	const char *text; /* TEXT and ITEM; else NULL */
	int64_t number;   /* NUMBER; FLAG: 0 or 1 */
};
struct viewd_explained_sink {
	bool (*fn)(void *ctx, const struct viewd_explained *fact);
	void *ctx;
};

/* One refresh to do. */
struct viewd_refresh_request {
	uint32_t struct_size;
	bool force_full;     /* `viewctl refresh --full` */
	const char *trigger; /* the trigger word for the history: MANUAL, SCHEDULED ... */
	int64_t run_id;      /* number of this run in the daemon's life, for log correlation */
	int64_t started_us;  /* when the daemon handed it out: the start of a run that fails before the database is asked */
	struct viewd_explained_sink nodes; /* since 2.3: the nodes of a view, once they are refreshed; fn may be NULL */
	/* Since 2.9: what change logs tell is not enough, all rows are to be computed; the mode stays the configured one */
	bool all_rows;
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
	char reads_clock[64]; /* the first thing in the definition whose value changes with time (now ...); "" none */
};

/* Why the definition cannot be computed as things are. Asked for with only_look and compare_columns, and not where the
 * object is already made from the wanted definition. */
struct viewd_unusable {
	struct viewd_err err; /* class OK: it can be computed */
	/* Since 2.10. Nothing is there, and a name that is written without a schema would lead to the object; so would the
	 * name in any case */
	bool bare, any_case;
};

/* inspect(): what exists now. */
struct viewd_found {
	enum viewd_kind kind;
	char schema[256];      /* where it is or would be created; empty where the engine has no schemas */
	char name[256];        /* unquoted catalogue name */
	bool recorded;         /* the state table has a row for this view */
	bool ours;             /* recorded, and the object is the very one that was recorded */
	bool touched_outside;  /* ours, but its definition in the server is not the one viewd left there */
	bool matches;          /* the existing object's definition equals the wanted one (used for adoption) */
	bool populated;        /* holds data (a materialized view WITH NO DATA does not) */
	bool indexes_present;  /* every declared index and grant is there */
	bool can_concurrently; /* populated and a usable full unique index exists */
	char recorded_hash[65];
	char recorded_index_hash[65];
	int64_t last_success_us;
	int64_t data_timestamp_us;
	int64_t duration_us;      /* of the last success */
	int64_t rows;             /* -1 unknown */
	char detail[256];         /* one line for `plan` and `why`: what is in the way, what differs */
	bool sources_unknown;     /* the definition cannot be read now (something is missing); no source was given */
	bool unreadable;          /* sources_unknown, and what it names is missing: it cannot be computed */
	char columns_differ[200]; /* how the columns are not what the definition yields, as compare_columns asks; "" not */
	bool copied; /* recorded, but in a database of which this is a copy, and what is there does not fit the record */
	bool kept;   /* ours, by VIEWD_CHANGE_KEEP, and not made from the wanted definition */
	struct viewd_unusable unusable; /* since 2.8 */
	/* Since 2.9: the moment for which all rows were last computed; 0: the moment the data is true for */
	int64_t all_rows_us;
};

/* One relation the definition reads, found through plain views too. Has no size and never grows: it is handed over in
 * arrays. */
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
	char reason[256];    /* why this way: shown by `why` */
	int64_t settled_seq; /* the highest change mark that this refresh has settled; 0 none */
	/* Since 2.5: the object has just been made, nothing is granted on it, and nobody but its owner can read it */
	bool owner_only;
	bool from_logs; /* since 2.9: no more was computed than what change logs tell */
};

/* verify(): the stored rows against the definition at one snapshot. */
struct viewd_verdict {
	int64_t rows;       /* rows of the definition */
	int64_t missing;    /* in the definition, not in the view (duplicates counted) */
	int64_t unexpected; /* in the view, not in the definition */
};

/* One row of refresh_history, newest first. */
struct viewd_history_row {
	uint32_t struct_size;
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
	uint32_t struct_size;
	const char *name;
	const char *relation; /* canonical quoted, schema-qualified where the engine has schemas */
	enum viewd_method method;
	enum viewd_on_remove on_remove;
	bool captured; /* changes of its sources are being noticed */
	/* Since 2.6: when the row was made, and the last refresh that succeeded; 0: unknown, never */
	int64_t created_us, last_success_us;
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

/* Kinds of entries in a view's list of dependencies. symbol, word */
#define VIEWD_DEPENDS(X) \
	X(TABLE, "table") \
	X(VIEW, "view") \
	X(MATVIEW, "materialized view") \
	X(FOREIGN, "foreign table") \
	X(VIRTUAL, "virtual table") \
	X(FUNCTION, "function") \
	X(TYPE, "type") \
	X(SEQUENCE, "sequence") \
	X(CATALOGUE, "catalogue") \
	X(CLOCK, "clock") \
	X(SETTING, "setting") \
	X(OTHER, "other")
enum viewd_depends {
#define VIEWD_DEPENDS_ENUM(sym, word) VIEWD_DEPENDS_##sym,
	VIEWD_DEPENDS(VIEWD_DEPENDS_ENUM) VIEWD_DEPENDS_COUNT
#undef VIEWD_DEPENDS_ENUM
};

/* The reporter of an entry's changes. symbol, word, what it means */
#define VIEWD_HEARD(X) \
	X(NONE, "none", "nothing tells of its changes") \
	X(TRIGGER, "trigger", "triggers log its changes") \
	X(BINLOG, "binlog", "the server's binary log tells of its changes") \
	X(POLL, "poll", "the server's counters are read") \
	X(KEPT, "kept", "viewd refreshes it, and each refresh tells") \
	X(LOOK, "look", "its definition is compared at each look") \
	X(VOUCHED, "vouched", "`sources` names what to follow instead")
enum viewd_heard {
#define VIEWD_HEARD_ENUM(sym, word, doc) VIEWD_HEARD_##sym,
	VIEWD_HEARD(VIEWD_HEARD_ENUM) VIEWD_HEARD_COUNT
#undef VIEWD_HEARD_ENUM
};

/* One entry of everything that a view's contents depend on, through plain views and functions. */
struct viewd_dependency {
	uint32_t struct_size;
	enum viewd_depends kind;
	const char *name; /* for people; unique among the view's entries */
	enum viewd_heard heard_by;
	const char *reason; /* why it is heard so, or why nothing hears it; NULL: nothing to add */
};
struct viewd_dependency_sink {
	bool (*fn)(void *ctx, const struct viewd_dependency *entry);
	void *ctx;
};

/* capture.set(): what to notice for a view from now on. */
struct viewd_capture_request {
	uint32_t struct_size;
	enum viewd_capture mode; /* NONE: nothing any more; triggers that no other view needs go away */
	/* Base relations found by inspect; objects that viewd keeps are not among them */
	const struct viewd_source *sources;
	size_t n_sources;
	/* Relations it reads that viewd keeps itself: no trigger; their refreshes mark it stale */
	const struct viewd_source *kept;
	size_t n_kept;
	const char *const *names; /* `sources =` as written; when given, these and only these */
	size_t n_names;
	/* Is given each entry of the view's list when the capture is set up; fn may be NULL. A dialect that gives none
	 * is believed to hear all that it captures */
	struct viewd_dependency_sink dependencies;
};

/* capture.set(): how it is done. */
struct viewd_captured {
	enum viewd_capture mode; /* what was chosen; NONE when nothing can be noticed */
	char reason[256];        /* why this mode: shown by `why` */
};

/* uninstall(): what to do. */
struct viewd_uninstall_request {
	uint32_t struct_size;
	bool print; /* tell the statements and carry out none of them */
};

/* A view or materialized view that is in the database, as its section would describe it. */
struct viewd_existing {
	uint32_t struct_size;
	enum viewd_kind kind;
	const char *name;                  /* unquoted catalogue name, without a schema */
	const char *relation;              /* as written in `relation` */
	const char *definition;            /* as the server writes it; NULL: it may not be read */
	const char *one_line;              /* the same without line breaks; NULL: a text in it has one */
	const char *unique_key;            /* as written in `unique_key`; NULL: no index tells rows apart */
	const struct viewd_index *indexes; /* the others; names as the server has them */
	size_t n_indexes;
	const char *options; /* WITH (...) as written in `options`; NULL: none */
	const char *comment; /* NULL: none */
	const char *remark;  /* why no section can describe it, or it is nothing to keep; NULL: nothing is in the way */
};

/* Signals of a watch. */
enum viewd_signal_kind {
	VIEWD_SIGNAL_STALE,   /* a captured source changed since the view's last refresh; told again whenever seq grew */
	VIEWD_SIGNAL_REQUEST, /* an application asked for a refresh in SQL */
	/* The signal is of no view: watch_next returns before its look has seen all that was committed before it. The next
	 * calls go on with the look. Until one of them returns without this signal no view counts as looked at */
	VIEWD_SIGNAL_BEHIND,
	/* Something that the view depends on has another definition, or is gone. Its marks are raised already; its
	 * dependencies are to be looked up anew, by inspect and capture */
	VIEWD_SIGNAL_REDEFINED,
	/* seq 1: something that the view reads may have been written without a mark of it yet, so it is not known whether
	 * the view is fresh. seq 0: that is over. Told when it changes, and to whoever asks for a look */
	VIEWD_SIGNAL_DOUBT,
};
struct viewd_signal {
	uint32_t struct_size;
	enum viewd_signal_kind kind;
	const char *view;
	int64_t seq; /* grows with every drain that found changes for the view */
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
struct viewd_existing_sink {
	bool (*fn)(void *ctx, const struct viewd_existing *row);
	void *ctx;
};
struct viewd_signal_sink {
	bool (*fn)(void *ctx, const struct viewd_signal *signal);
	void *ctx;
};

#endif
