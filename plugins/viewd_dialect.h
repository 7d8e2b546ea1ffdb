/* SPDX-License-Identifier: MIT
 *
 * viewd_dialect.h: the contract between the daemon and a dialect plugin.
 *
 * A plugin shares no other header with the daemon. A plugin exports exactly one data symbol, `viewd_dialect`,
 * declared with VIEWD_DIALECT_EXPORT. It links to no symbol of the daemon: services come in through struct viewd_host,
 * results go out through caller-owned structs and sinks.
 *
 * ABI change log (added = minor, changed or removed = major)
 *   1.0  first version
 *   1.1 to 1.10  change capture, groups, dependencies, leaving, copies, keeping, settings, types of columns
 *   2.0  optional groups are one pointer each (threads, capture); tend is maintain; every row that a plugin hands to a
 *        sink begins with its size; on_remove and the result given to record_failure are enums; schemes, url_form
 *   2.1  explain
 *   2.2  VIEWD_SIGNAL_DOUBT
 *   2.3  nodes of a refresh
 *   2.4  advice: existing, examine; only_look
 *   2.5  rename; grants, owner_only
 *   2.6  recorded
 *   2.7  hints of files
 *   2.8  unusable, command
 *   2.9  all_rows, all_rows_us, from_logs
 *   2.10 relations that are missing; bare, any_case
 *   No release has carried any of them: capability flags that nothing read are gone without another number.
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

#include "viewd_types.h"

#define VIEWD_ABI_MAJOR 2
#define VIEWD_ABI_MINOR 10

/* ---- services of the daemon for a plugin ---------------------------------------------------------------------- */

enum viewd_log_level { VIEWD_LOG_ERROR, VIEWD_LOG_WARNING, VIEWD_LOG_INFO, VIEWD_LOG_DEBUG };

/* Hints that files were written, through one watcher of the file system for all databases: systems have few of them. */
struct viewd_hints; /* the daemon's */
struct viewd_hint_ops {
	uint32_t struct_size;
	/* [watcher thread] From now on `wake`, an eventfd, is written to when the file `path` or one of the others that
	 * begin with it changes, appears or goes. suffixes: what their names add to it, the first "", up to a NULL; static.
	 * ctx is the host's. NULL with errno when the first file, its directory, or another one that is there cannot be
	 * watched. */
	struct viewd_hints *(*open)(void *ctx, const char *path, const char *const *suffixes, int wake);
	/* [watcher thread] Has anything happened since the last call? Call it after each read of `wake`: there may be no
	 * other wake-up before. *why_r: errno when one that is there now cannot be watched, so what is written to it would
	 * not be told; else 0. One beside the first may be denied (EACCES) for a second. */
	bool (*take)(struct viewd_hints *hints, int *why_r);
	/* [watcher thread] A NULL *hints is accepted. */
	void (*close)(struct viewd_hints **hints);
};

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
	/* Since 2.7; NULL: none. Given to watch_open only. */
	const struct viewd_hint_ops *hints;
};

/* ---- the dialect ---------------------------------------------------------------------------------------------- */

struct viewd_conn;  /* a plugin's own */
struct viewd_watch; /* likewise */

/* Capabilities: the daemon asks what a dialect can do, never which one it is. Other bits mean nothing. */
#define VIEWD_CAP_MATERIALIZED (UINT64_C(1) << 0)  /* native materialized views; only the contract suite asks */
#define VIEWD_CAP_SINGLE_WRITER (UINT64_C(1) << 4) /* at most one writing connection at a time */
/* Ways of noticing changes. With none of them any way is asked for when it is set up, not when the files are
 * checked. */
#define VIEWD_CAP_CAPTURE_TRIGGER (UINT64_C(1) << 7)
#define VIEWD_CAP_CAPTURE_BINLOG (UINT64_C(1) << 8)
#define VIEWD_CAP_CAPTURE_POLL (UINT64_C(1) << 9)
/* Tells the types of a definition's columns, so that VIEWD_COMPARE_TYPES finds one that has become another. */
#define VIEWD_CAP_TYPES (UINT64_C(1) << 10)

/* A [database] key that only this dialect knows. Parsed as text; check_database() judges the value. */
struct viewd_dialect_option {
	const char *key;
	const char *default_value; /* NULL: none */
	const char *help;          /* one line */
	const char *doc;           /* a paragraph for the manual */
};

/* Calls that each worker thread and watcher thread makes for a client library. */
struct viewd_thread_ops {
	uint32_t struct_size;
	void (*begin)(void); /* [worker] before its first call */
	void (*end)(void);   /* [worker] at its end; NULL: nothing */
};

/* Change capture: all of it or nothing. */
struct viewd_capture_ops {
	uint32_t struct_size;

	/* [worker] Sets up, changes or ends the noticing of changes for one view: triggers, registration, marks.
	 * Idempotent. A view that is registered anew is stale until its next refresh. Gaps of the chosen mode go to
	 * warnings, one sentence each. */
	bool (*set)(struct viewd_conn *conn, const struct viewd_view_spec *view, const struct viewd_capture_request *req,
	            struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err);

	/* [watcher thread] Opens the one watching connection of a database and takes the database's lock: with another
	 * daemon in its possession the class is STANDBY. The lock is held until watch_close or the connection's end. NULL
	 * on failure. */
	struct viewd_watch *(*watch_open)(const struct viewd_host *host, const struct viewd_database_spec *db,
	                                  struct viewd_err *err);

	/* [watcher thread] Waits for a hint, a wake or the timeout, whichever comes first; then drains the logs and tells
	 * every stale view and every request. The first call after watch_open does not wait. It and one that was woken have
	 * told all that was committed before them when they return, or VIEWD_SIGNAL_BEHIND. Checks the connection and the
	 * lock with a heartbeat of its own when nothing happens. False: the connection or the lock is lost; close and open
	 * again. */
	bool (*watch_next)(struct viewd_watch *watch, int64_t timeout_us, struct viewd_signal_sink signals,
	                   struct viewd_err *err);

	/* [any] Makes watch_next return soon. Never called together with watch_close. */
	void (*watch_wake)(struct viewd_watch *watch);

	/* [watcher thread] */
	void (*watch_close)(struct viewd_watch **watch);
};

/* A view as examine() sees it. */
struct viewd_examined {
	uint32_t struct_size;
	const struct viewd_view_spec *view;
	bool on_change; /* changes of its sources are to be noticed, in this way */
	enum viewd_capture capture;
	bool adopt; /* an object that is there is to be taken over */
};

/* One thing that is missing or unwise, and what mends it. */
struct viewd_finding {
	uint32_t struct_size;
	bool missing;       /* something does not work without it; else it is unwise */
	const char *view;   /* NULL: the database */
	const char *what;   /* one sentence */
	const char *mend;   /* a statement for an administrator, without a semicolon; NULL: none */
	const char *advice; /* words, where no statement helps; NULL: none */
	/* Since 2.8: a command for a shell of root, where it is no matter of the database; NULL: none */
	const char *command;
};
struct viewd_finding_sink {
	bool (*fn)(void *ctx, const struct viewd_finding *finding);
	void *ctx;
};

/* Help for people who begin. Each may be NULL. */
struct viewd_advice_ops {
	uint32_t struct_size;

	/* [worker] Lists the views and materialized views of the database that viewd does not keep: of one schema, or
	 * (NULL) of all that are not the server's own. Changes nothing, and needs no prepare(). */
	bool (*existing)(struct viewd_conn *conn, const char *schema, struct viewd_existing_sink rows,
	                 struct viewd_err *err);

	/* [worker] Connects by itself, for an account that may not do what open() needs, and tells every privilege and
	 * setting that is missing or unwise for these views, all at once. Changes nothing. False: it could not look. */
	bool (*examine)(const struct viewd_host *host, const struct viewd_database_spec *db,
	                const struct viewd_examined *views, size_t n, struct viewd_finding_sink findings,
	                struct viewd_err *err);
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
	const char *const *schemes; /* other schemes of its URLs, up to a NULL; NULL: the name is the only one */
	const char *url_form;       /* how a URL is written, for messages; NULL: nothing is told */

	/* [any] Judges a database section without a network. err.hint says what would be right. */
	bool (*check_database)(const struct viewd_database_spec *db, struct viewd_err *err);

	/* [any] Judges a view without a connection: identifiers, method, mode, options, one statement, columns.
	 * Fills *out. Calls mentions once for every identifier the definition contains (unquoted spelling, last
	 * part), so that the daemon can guess a creation order before the catalogue knows the edges. */
	bool (*check_view)(const struct viewd_database_spec *db, const struct viewd_view_spec *view,
	                   struct viewd_resolved *out, struct viewd_text_sink mentions, struct viewd_err *err);

	/* [any] The SQL of create, refresh or drop, one statement a call of the sink, no connection needed. */
	bool (*render)(const struct viewd_database_spec *db, const struct viewd_view_spec *view,
	               enum viewd_render_kind kind, const struct viewd_render_flags *flags,
	               struct viewd_text_sink statements, struct viewd_err *err);

	/* [worker] Connects and fixes the session (search_path, timeouts, isolation, modes). host outlives the
	 * connection. NULL on failure. */
	struct viewd_conn *(*open)(const struct viewd_host *host, const struct viewd_database_spec *db,
	                           struct viewd_err *err);

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

	/* [worker] What exists, whose it is, what it reads. sources.fn may be NULL. Changes nothing. With only_look a
	 * relation whose absence is why the definition is unusable is told as well, as it is written, with kind NONE. */
	bool (*inspect)(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_found *out,
	                struct viewd_source_sink sources, struct viewd_err *err);

	/* [worker] Carries out one change. Checks again, right before every statement that destroys, that the object
	 * is the recorded one (else VIEWD_ERR_EXISTS). Atomic for readers; the state row commits with it where
	 * the engine can. */
	bool (*apply)(struct viewd_conn *conn, const struct viewd_view_spec *view, enum viewd_change change,
	              struct viewd_outcome *out, struct viewd_err *err);

	/* [worker] One refresh. The state row and the history row commit with the data where the engine can.
	 * On failure the last good contents stay. */
	bool (*refresh)(struct viewd_conn *conn, const struct viewd_view_spec *view,
	                const struct viewd_refresh_request *req, struct viewd_outcome *out, struct viewd_err *err);

	/* [worker] Records a failed run in the history and the state row; best effort. */
	bool (*record_failure)(struct viewd_conn *conn, const struct viewd_view_spec *view,
	                       const struct viewd_refresh_request *req, enum viewd_failure how,
	                       const struct viewd_err *failure, struct viewd_err *err);

	/* [worker] Compares both ways at one snapshot. */
	bool (*verify)(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_verdict *out,
	               struct viewd_err *err);

	/* [worker] Past runs, newest first, at most limit. */
	bool (*history)(struct viewd_conn *conn, const struct viewd_view_spec *view, int limit,
	                struct viewd_history_sink rows, struct viewd_err *err);

	/* ---- optional: NULL is what a dialect without it has ---- */

	const struct viewd_thread_ops *threads;
	const struct viewd_capture_ops *capture;

	/* [worker] What a relation needs now and then after its rows changed (statistics, vacuum). Called some time after a
	 * refresh, at a pace of the daemon's, beside other work; nobody waits for it. A failure is only logged. */
	bool (*maintain)(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_err *err);

	/* [worker] Refreshes views together. Items are in dependency order and one that reads another sees its new rows.
	 * Readers see all of them change at one instant, with rows of one snapshot; on failure all keep their last good
	 * contents and *failed_r is the index of the item that failed, or n when it was none in particular. Outcomes are
	 * filled on success only. Of state rows, history and marks the same is asked as of refresh. */
	bool (*refresh_group)(struct viewd_conn *conn, const struct viewd_group_item *const *items, size_t n,
	                      size_t *failed_r, struct viewd_err *err);

	/* [worker] Takes everything of viewd's out of the database but the objects of its views, which become ordinary ones
	 * with the rows they have. The order is such that writers of the sources do not notice. Each statement is told when
	 * it has been carried out; false from the sink ends the call with VIEWD_ERR_CANCELLED. What a failure leaves undone
	 * the next call goes on with. With req->print they are only told, which takes no right but that to read the
	 * catalogue. The caller holds the lock of watch_open (not needed to print) and calls nothing else on the
	 * connection, which needs no prepare(). */
	bool (*uninstall)(struct viewd_conn *conn, const struct viewd_uninstall_request *req,
	                  struct viewd_text_sink statements, struct viewd_err *err);

	/* [worker] Together with VIEWD_CHANGE_KEEP: hands over the definition of the view or materialized view that is
	 * there, as the server writes it, without a semicolon. Once. */
	bool (*definition)(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_text_sink text,
	                   struct viewd_err *err);

	/* [worker] Since 2.1: how the view could be kept incrementally, or what prevents it. Reads the catalogue, changes
	 * nothing, and needs neither prepare() nor the view's object. */
	bool (*explain)(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_explained_sink facts,
	                struct viewd_err *err);

	/* Since 2.4 */
	const struct viewd_advice_ops *advice;

	/* [worker] Since 2.5: the view's section was called `from` before. What is recorded of that view follows, history
	 * and marks included, and its object gets the name that view says, where what reads it follows as far as the engine
	 * can. Nothing happens when nothing is recorded of `from`; when both are recorded it is VIEWD_ERR_EXISTS. what is a
	 * sentence about what has happened, "" nothing. look: only tells what would happen, changes nothing. */
	bool (*rename)(struct viewd_conn *conn, const struct viewd_view_spec *view, const char *from, bool look,
	               char what[256], struct viewd_err *err);

	/* [worker] Since 2.6: lists every recorded view, none where viewd has never been. Needs no prepare(), and changes
	 * nothing. */
	bool (*recorded)(struct viewd_conn *conn, struct viewd_recorded_sink rows, struct viewd_err *err);
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
