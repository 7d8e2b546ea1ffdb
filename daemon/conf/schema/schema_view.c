/* SPDX-License-Identifier: MIT */
#include "base/span.h"
#include "conf/schema/schema.h"

static const struct option_choice methods[] = {
	{.word = "simple",
     .value = VIEWD_METHOD_SIMPLE,
     .doc = "a plain view; the server computes it when it is read, and nothing is refreshed"},
	{.word = "materialized", .value = VIEWD_METHOD_MATERIALIZED, .doc = "a materialized view of the engine"},
	{.word = "table", .value = VIEWD_METHOD_TABLE, .doc = "a table that viewd fills"},
	{0},
};
static const struct option_choice modes[] = {
	{.word = "auto",
     .value = VIEWD_MODE_AUTO,
     .doc = "viewd chooses for this view; `viewctl why` says what it chose and why"},
	{.word = "full", .value = VIEWD_MODE_FULL, .doc = "compute all rows anew"},
	{.word = "concurrently", .value = VIEWD_MODE_CONCURRENTLY, .doc = "REFRESH MATERIALIZED VIEW CONCURRENTLY"},
	{.word = "diff",
     .value = VIEWD_MODE_DIFF,
     .doc = "find the rows of a table by unique_key, and write only those that differ in any byte"},
	{.word = "swap", .value = VIEWD_MODE_SWAP, .doc = "fill a new table aside, then exchange the names"},
	{.word = "incremental",
     .value = VIEWD_MODE_INCREMENTAL,
     .doc = "write down which rows of the sources change, and compute only what they touch; `viewctl explain` says "
            "whether and how a definition can be kept so"},
	{0},
};
static const struct option_choice policies[] = {
	{.word = "apply", .value = CONF_DIFFERS_APPLY, .doc = "replace the object"},
	{.word = "continue",
     .value = CONF_DIFFERS_CONTINUE,
     .doc = "leave the object, and go on refreshing it with its old definition"},
	{.word = "fail", .value = CONF_DIFFERS_FAIL, .doc = "leave the object; the view is FAILED until somebody decides"},
	{0},
};
static const struct option_choice removals[] = {
	{.word = "keep", .value = CONF_REMOVE_KEEP, .doc = "the object stays as it is"},
	{.word = "drop", .value = CONF_REMOVE_DROP, .doc = "the object is dropped"},
	{0},
};
static const struct option_choice overlaps[] = {
	{.word = "skip", .value = CONF_OVERLAP_SKIP, .doc = "leave the second run out"},
	{.word = "queue", .value = CONF_OVERLAP_QUEUE, .doc = "run once more when the present run has ended"},
	{0},
};
static const struct option_choice misses[] = {
	{.word = "run_once", .value = CONF_MISSED_RUN_ONCE, .doc = "run once, however many runs were missed"},
	{.word = "skip", .value = CONF_MISSED_SKIP, .doc = "wait for the next run"},
	{0},
};
static const struct option_choice captures[] = {
	{.word = "auto",
     .value = VIEWD_CAPTURE_AUTO,
     .doc = "viewd chooses for each source; `viewctl why` says what it chose and why"},
	{.word = "trigger", .value = VIEWD_CAPTURE_TRIGGER, .doc = "triggers on the sources"},
	{.word = "binlog", .value = VIEWD_CAPTURE_BINLOG, .doc = "the server's binary log"},
	{.word = "poll",
     .value = VIEWD_CAPTURE_POLL,
     .doc = "counters of the server, read at intervals; on SQLite every commit of others counts as a change"},
	{.word = "none",
     .value = VIEWD_CAPTURE_NONE,
     .doc = "not at all; only refreshes of views that this view reads count"},
	{0},
};

/* clang-format off */
static const struct option_row rows[] = {
	/* what and where */
	{.key = "database", OPTION_LIST_AT(OPTION_NAMES, conf_view, database), .flags = OPTION_REQUIRED,
	 .reload = OPTION_REDEFINE, .help = "the [database] sections that the view lives in",
	 .doc = "One name, or several separated by commas: viewd keeps the same view in each of them. Give a definition "
	        "for one dialect with definition_DIALECT."},
	{.key = "relation", OPTION_TEXT_AT(conf_view, relation), .flags = OPTION_FREE_TEXT | OPTION_OWN,
	 .reload = OPTION_REDEFINE, .help = "name of the object in the database, if it is not the section's",
	 .doc = "Plain or schema-qualified. A part in double quotes keeps its case; the whole value then needs single "
	        "quotes: 'Sales.\"Category Stats\"'."},
	{.key = "renamed_from", OPTION_NAME_AT(conf_view, renamed_from), .flags = OPTION_OWN, .reload = OPTION_REDEFINE,
	 .help = "name that this section had before",
	 .doc = "What is recorded of the view of that name follows: its object, its rows, history, marks of changes, and "
	        "a pause. No row is computed anew. The object gets the name that this section says, unless relation keeps "
	        "the old one. On PostgreSQL what reads it follows as well, on SQLite where a table is renamed; on MySQL "
	        "and MariaDB views that read it and grants go by name, and stay with the old one. Indexes are made anew "
	        "where their names follow that of the table, as is a plain view of SQLite. It is an error while a section "
	        "of the old name is there for the same database, when the database has records of both names, or when "
	        "something else has the new name already. Once it is done the key has no effect and may be removed."},
	{.key = "definition", .type = OPTION_DEFINITION, .flags = OPTION_FREE_TEXT | OPTION_OWN, .reload = OPTION_REDEFINE,
	 .help = "the query",
	 .doc = "One SELECT on one line. No semicolon is needed. A query that holds ';' or '#' needs quotes around it, of "
	        "a kind that it does not contain. Put a long query into a file: definition_file."},
	{.key = "definition_file", .type = OPTION_DEFINITION, .flags = OPTION_OWN, .reload = OPTION_REDEFINE,
	 .help = "file that holds the query",
	 .doc = "A relative name starts at the directory of the configuration file that holds this key. The file must be "
	        "a regular file (no symbolic link). It must belong to root or to the user viewd runs as, and nobody else "
	        "may write it. It holds 1 byte to 1 MiB of UTF-8. viewd reads it when it loads the configuration."},
	{.key = "definition_file_*", .type = OPTION_DEFINITION, .flags = OPTION_OWN | OPTION_DYNAMIC,
	 .reload = OPTION_REDEFINE, .help = "file that holds the query for one dialect",
	 .doc = "definition_file_sqlite and so on. As definition_file; databases of that dialect use this file instead of "
	        "the general definition."},
	{.key = "definition_*", .type = OPTION_DEFINITION, .flags = OPTION_FREE_TEXT | OPTION_OWN | OPTION_DYNAMIC,
	 .reload = OPTION_REDEFINE, .help = "the query for one dialect",
	 .doc = "definition_sqlite and so on. As definition; databases of that dialect use this query instead of the "
	        "general definition."},
	{.key = "method", OPTION_WORD_AT(conf_view, method), .dflt = "materialized", .choices = methods,
	 .reload = OPTION_REDEFINE, .help = "what kind of object it is",
	 .doc = "An engine without materialized views uses a table instead: see materialized_as_table."},
	{.key = "materialized_as_table", OPTION_BOOL_AT(conf_view, materialized_as_table), .dflt = "yes",
	 .reload = OPTION_REDEFINE, .help = "materialized means a table where a materialized view cannot do",
	 .doc = "So it is on engines without materialized views, and with refresh_mode = incremental on every engine. "
	        "An existing materialized view becomes a table in one transaction. The views that read it, its indexes, "
	        "grants and comments stay; `viewctl plan` tells of it before. With no, method = materialized is an error "
	        "there."},
	{.key = "refresh_mode", OPTION_WORD_AT(conf_view, refresh_mode), .dflt = "auto", .choices = modes,
	 .reload = OPTION_LIVE, .help = "how a refresh writes the rows",
	 .doc = "A mode that cannot work for this view on this engine is an error: when the files are loaded if they "
	        "alone tell, else when the view is refreshed. auto is never an error. diff takes two rows of one key for "
	        "equal when all their bytes are equal: upper and lower case, trailing blanks, 1.0 and 1.00, 0.0 and -0.0 "
	        "differ as far as the engine tells them apart. When any row with a NULL in its key differs, diff writes "
	        "all rows with a NULL in their key."},
	{.key = "unique_key", OPTION_LIST_AT(OPTION_IDENTS, conf_view, unique_key), .flags = OPTION_FREE_TEXT,
	 .reload = OPTION_REDEFINE, .help = "columns that identify a row",
	 .doc = "Names separated by commas, read as the engine reads names. PostgreSQL folds plain names to lower case "
	        "and keeps \"quoted\" names as they are; the other engines ignore case. Quotes are \" or `, doubled "
	        "inside a name. A value that holds \" needs single quotes around it: '\"createdAt\", id'. refresh_mode = "
	        "concurrently and refresh_mode = diff need this key. viewd keeps a unique index on the columns."},
	{.key = "columns", OPTION_COLUMNS_AT(conf_view, columns, n_columns), .flags = OPTION_FREE_TEXT,
	 .reload = OPTION_REDEFINE, .help = "the columns that the definition must yield",
	 .doc = "`id integer, name text`, or names only, written as in unique_key. viewd checks them before it creates "
	        "anything. Without this key the view has the columns that the definition yields."},
	{.key = "index_*", .type = OPTION_INDEX, .flags = OPTION_FREE_TEXT | OPTION_DYNAMIC, .reload = OPTION_REDEFINE,
	 .help = "an index to create and keep",
	 .doc = "index_NAME = (amount DESC), or UNIQUE (id). viewd creates the index together with the view."},
	{.key = "options", OPTION_PAIRS_AT(conf_view, options, n_options), .flags = OPTION_FREE_TEXT,
	 .reload = OPTION_REDEFINE, .help = "WITH (...) of the object",
	 .doc = "`security_barrier=true, fillfactor=90`. An error on engines that have no such options."},
	{.key = "settings", OPTION_PAIRS_AT(conf_view, settings, n_settings), .flags = OPTION_FREE_TEXT,
	 .reload = OPTION_REDEFINE, .help = "settings of the session in which the definition runs",
	 .doc = "MySQL and MariaDB only: `sql_mode=none, group_concat_max_len=100000000`. They hold for this definition "
	        "alone: when viewd makes, refreshes, verifies and compares the object. They win over those of the "
	        "[database] section. Another setting makes the object anew. Several names in one value are separated by "
	        "blanks (sql_mode=NO_ZERO_DATE ONLY_FULL_GROUP_BY). An error for method = simple, because each reader of "
	        "a plain view has settings of his own."},
	{.key = "grants", OPTION_TEXT_AT(conf_view, grants), .flags = OPTION_FREE_TEXT, .reload = OPTION_REDEFINE,
	 .help = "who may use the object besides its owner",
	 .doc = "`SELECT TO web, report`: privileges of one table, and the accounts that get them, quoted where the engine "
	        "wants it; PUBLIC is everybody. On MySQL and MariaDB accounts are role, user or 'user'@'host', and viewd's "
	        "account needs the privileges itself, with the grant option. viewd grants them when it has made the object "
	        "or takes it over, and puts them back when it starts, reconnects or reloads and they are not all there; on "
	        "MySQL and MariaDB it sees that only with the right to read the grants of others. A refresh keeps them. A "
	        "right that this key does not name is never taken away. An error on SQLite, which has no accounts. "
	        "Without this key viewd grants nothing, and says so once when only the owner can read a new object."},
	{.key = "with_data", OPTION_BOOL_AT(conf_view, with_data), .dflt = "yes", .reload = OPTION_LIVE,
	 .help = "fill the view when it is created",
	 .doc = "With no, viewd creates the view empty, and the first refresh fills it."},
	{.key = "on_configuration_change", OPTION_WORD_AT(conf_view, on_configuration_change), .dflt = "apply",
	 .choices = policies, .reload = OPTION_LIVE,
	 .help = "what to do when the definition in the file differs from the object",
	 .doc = "The comparison ignores what the server itself adds to a definition. This key also decides what happens "
	        "when a source of `SELECT *` gets another column: with apply viewd makes the view anew with that column, "
	        "else the view keeps the columns it has."},
	{.key = "adopt", OPTION_BOOL_AT(conf_view, adopt), .dflt = "no", .reload = OPTION_REDEFINE,
	 .help = "take over an existing view of that name",
	 .doc = "Only views and materialized views, never a table. With no, an object of that name that viewd did not "
	        "create is an error."},
	{.key = "on_remove", OPTION_WORD_AT(conf_view, on_remove), .dflt = "keep", .choices = removals,
	 .reload = OPTION_REDEFINE, .help = "what to do with the object when the section disappears",
	 .doc = "viewd records this value in the database. So it holds as well when the section is removed while viewd "
	        "does not run."},
	{.key = "cascade", OPTION_BOOL_AT(conf_view, cascade), .dflt = "no", .reload = OPTION_LIVE,
	 .help = "drops may cascade",
	 .doc = "With no, viewd does not drop an object that others depend on. The error names them."},
	{.key = "depends_on", OPTION_LIST_AT(OPTION_NAMES, conf_view, depends_on), .reload = OPTION_LIVE,
	 .help = "views that are refreshed before this one",
	 .doc = "Names of views; database:view for a view in another database. viewd discovers dependencies inside one "
	        "database. This key adds dependencies that it cannot discover."},
	/* when */
	{.key = "every", OPTION_SPAN_AT(conf_view, every), .dflt = "0", .min = 0, .max = 3650 * SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "refresh at this interval",
	 .doc = "Counted from start to start, without drift. Setting the wall clock does not change the interval. 0: no "
	        "interval."},
	{.key = "after", OPTION_SPAN_AT(conf_view, after), .dflt = "0", .min = 0, .max = 3650 * SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "refresh this long after the last refresh ended",
	 .doc = "0: this key starts no refresh."},
	{.key = "randomize_for", OPTION_SPAN_AT(conf_view, randomize_for), .dflt = "0", .min = 0, .max = 7 * SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "spread scheduled starts over this time",
	 .doc = "Each start by every, after or cron is delayed by a random part of this time, so that many views do not "
	        "start at once."},
	{.key = "overlap", OPTION_WORD_AT(conf_view, overlap), .dflt = "skip", .choices = overlaps, .reload = OPTION_LIVE,
	 .help = "what to do when a run is due while one is running",
	 .doc = "Two runs of one view never overlap."},
	{.key = "missed", OPTION_WORD_AT(conf_view, missed), .dflt = "run_once", .choices = misses, .reload = OPTION_LIVE,
	 .help = "what to do about runs that were missed",
	 .doc = "A run is missed when viewd does not run, when the view is paused, or when the machine sleeps. Holds for "
	        "every, after and cron."},
	{.key = "cron", OPTION_CRON_AT(conf_view, cron), .reload = OPTION_LIVE, .help = "refresh at these times of day",
	 .doc = "Minute, hour, day of month, month, day of week, as in crontab(5): */5 * * * * or 30 6 * * mon-fri. Also "
	        "@hourly @daily @weekly @monthly @yearly, and @every 5m, which is the same as every. When both day fields "
	        "are restricted, a day that matches one of them is enough. A fixed time runs once in a night in which the "
	        "clocks change: a time that does not exist runs right after the clocks went forward, and a time that "
	        "comes twice runs the first time. With * as the hour or minute, runs follow elapsed time: 23 or 25 hourly "
	        "runs on such a day."},
	{.key = "timezone", OPTION_ZONE_AT(conf_view, timezone), .dflt = "UTC", .reload = OPTION_LIVE,
	 .help = "time zone of cron",
	 .doc = "A name from the system's time zone database, for example Europe/Berlin."},
	{.key = "on_change", OPTION_BOOL_AT(conf_view, on_change), .dflt = "no", .reload = OPTION_LIVE,
	 .help = "refresh when a source changes",
	 .doc = "The first change of an idle view starts a refresh at once, or as debounce and at_most_every say. Changes "
	        "that come while it runs start one more refresh together. capture says how viewd notices changes. "
	        "Schedules may be combined with this key."},
	{.key = "sources", OPTION_LIST_AT(OPTION_ITEMS, conf_view, sources), .flags = OPTION_FREE_TEXT,
	 .reload = OPTION_LIVE, .help = "tables whose changes count",
	 .doc = "Names as in SQL, quoted as in relation, separated by commas. viewd follows the rows of these tables and "
	        "of no others. So the key also vouches for what cannot be discovered, such as the tables that a function "
	        "reads. Without this key viewd follows what the definition reads, as the catalogue says."},
	{.key = "capture", OPTION_WORD_AT(conf_view, capture), .dflt = "auto", .choices = captures, .reload = OPTION_LIVE,
	 .help = "how changes are noticed",
	 .doc = "A way that the engine does not have is an error. auto is never an error."},
	{.key = "debounce", OPTION_SPAN_AT(conf_view, debounce), .dflt = "0", .min = 0, .max = 7 * SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "wait until no change came for this long",
	 .doc = "Each further change puts the refresh off by this time, but not beyond max_delay. 0: the first change "
	        "starts the refresh."},
	{.key = "max_delay", OPTION_SPAN_AT(conf_view, max_delay), .dflt = "0", .min = 0, .max = 7 * SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "longest time by which debounce may put off a refresh",
	 .doc = "Counted from the first change. 0: no limit. While changes never pause for debounce, only max_staleness or "
	        "a schedule then refreshes the view."},
	{.key = "at_most_every", OPTION_SPAN_AT(conf_view, at_most_every), .dflt = "0", .min = 0, .max = 365 * SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "least time between the starts of two refreshes on change",
	 .doc = "Changes that come in between are collected. Requests in SQL wait as well. Schedules and viewctl refresh "
	        "do not wait. 0: no such time."},
	{.key = "max_staleness", OPTION_SPAN_AT(conf_view, max_staleness), .dflt = "0", .min = 0, .max = 3650 * SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "refresh after this time at the latest",
	 .doc = "The safety net under on_change: a change that was not noticed is in the view after this time. Counted "
	        "from the time for which all rows were last computed; what is refreshed by its change logs is computed "
	        "whole then. 0: none."},
	{.key = "target_lag", OPTION_SPAN_AT(conf_view, target_lag), .dflt = "0", .min = 0, .max = 3650 * SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "how old the data may get",
	 .doc = "viewd starts a refresh as late as it can, so that the data gets no older than this. It learns from past "
	        "runs how long a refresh takes. With on_change the data counts as current until the first change. Changes "
	        "then start no refresh earlier, unless debounce is set and no change came for that time. 0: none."},
	{.key = "refresh_group", OPTION_NAME_AT(conf_view, refresh_group), .reload = OPTION_LIVE,
	 .help = "name of a group of views that are refreshed together, on one snapshot",
	 .doc = "Views of one database with the same group name are refreshed as one. Whatever starts one of them starts "
	        "all, in the order of their dependencies. The strictest member sets the pace: the longest debounce and "
	        "at_most_every, the shortest max_delay. Readers see all members change at one instant, with rows of one "
	        "snapshot. When one member fails, all keep their last good contents, and the error of the others names "
	        "it. While one member is paused or suspended, only requests by hand refresh the group. A view outside the "
	        "group must not lie between two members. PostgreSQL uses one REPEATABLE READ transaction; give "
	        "materialized views a unique_key, else readers wait for the whole run. SQLite uses one transaction; "
	        "writers wait for the whole run when one member reads another. MariaDB uses one snapshot and one RENAME "
	        "TABLE. MySQL cannot do it."},
	/* failure */
	{.key = "timeout", OPTION_SPAN_AT(conf_view, timeout), .dflt = "1h", .min = 0, .max = 365 * SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "longest time a refresh may take",
	 .doc = "viewd then cancels the refresh, and the last good contents stay. 0: no limit."},
	{.key = "lock_timeout", OPTION_SPAN_AT(conf_view, lock_timeout), .dflt = "2s", .min = SPAN_MS, .max = SPAN_HOUR,
	 .reload = OPTION_LIVE, .help = "longest wait for a lock",
	 .doc = "Readers and writers of the application queue behind a refresh that waits for a lock. This key limits how "
	        "long they can be held up. viewd tries the refresh again later."},
	{.key = "max_retries", OPTION_INT_AT(conf_view, max_retries), .dflt = "3", .min = 0, .max = 1000,
	 .unit = "attempts", .reload = OPTION_LIVE, .help = "further attempts after a failed one",
	 .doc = "Only after failures that may pass by themselves: connection lost, lock timeout, deadlock and the like."},
	{.key = "retry_backoff", OPTION_SPAN_AT(conf_view, retry_backoff), .dflt = "5s", .min = SPAN_MS, .max = SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "wait before the first retry",
	 .doc = "Doubled for each further retry. Each wait is made up to a quarter longer or shorter by chance."},
	{.key = "retry_max_backoff", OPTION_SPAN_AT(conf_view, retry_max_backoff), .dflt = "10m", .min = SPAN_MS,
	 .max = 7 * SPAN_DAY, .reload = OPTION_LIVE, .help = "longest wait between retries",
	 .doc = "Not shorter than retry_backoff. Chance may make a wait a quarter longer."},
	{.key = "max_consecutive_errors", OPTION_INT_AT(conf_view, max_consecutive_errors), .dflt = "10", .min = 0,
	 .max = 1000000, .unit = "errors", .reload = OPTION_LIVE,
	 .help = "failures in a row after which the view is suspended",
	 .doc = "A suspended view waits for `viewctl resume`, or for a refresh by hand that succeeds. Failures of "
	        "refreshes by hand do not count. 0: never."},
	{.key = "run_as", OPTION_TEXT_AT(conf_view, run_as), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "role that makes and refreshes the view",
	 .doc = "PostgreSQL only. viewd looks at, fills, refreshes and verifies the definition as this role, and a "
	        "function that the definition calls cannot get back to viewd's role. REFRESH MATERIALIZED VIEW makes the "
	        "rows; with method = table it refreshes a materialized view that exists only inside the transaction, so "
	        "the role needs CREATE in the schema. Objects that are made under the role belong to it. viewd refuses a "
	        "table that has triggers, rules or row security of its own. Hooks run as the role as well, but what a "
	        "hook calls could get back to viewd's role: a hook must call nothing that the role may replace. viewd "
	        "writes its own tables as viewd. viewd's role must be a member of this role."},
	{.key = "pre_hook", OPTION_TEXT_AT(conf_view, pre_hook), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "SQL before a refresh",
	 .doc = "One SQL statement, never a shell command. It runs inside the refresh's transaction; on MySQL and "
	        "MariaDB, where statements may commit by themselves, right before it. When it fails, the refresh fails "
	        "and the old contents stay. It does not run when the view is created."},
	{.key = "post_hook", OPTION_TEXT_AT(conf_view, post_hook), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "SQL after a refresh",
	 .doc = "One SQL statement. It runs after the data is written, inside the refresh's transaction; on MySQL and "
	        "MariaDB right after it. When it fails, it is undone, the log and the history say so, and the refresh "
	        "still counts as a success. A lost connection, a lock conflict, a cancel or the view's time limit make "
	        "the refresh fail. It does not run when the view is created."},
	{.key = "notify_channel", OPTION_TEXT_AT(conf_view, notify_channel), .flags = OPTION_FREE_TEXT,
	 .reload = OPTION_LIVE, .help = "channel that is told of each success",
	 .doc = "PostgreSQL only. Whoever listens on this name (LISTEN; case counts) hears of each refresh that "
	        "succeeded, once its data is committed. The payload is a JSON object: view, relation, action, rows, "
	        "rows_written."},
	{.key = "on_failure", OPTION_COMMAND_AT(conf_view, on_failure), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "program that is told of failures",
	 .doc = "An absolute path and arguments: /usr/local/bin/alert 'the shop' --page. Blanks separate them, quotes and "
	        "backslashes work as in a shell, but no shell reads them and nothing is expanded. viewd starts the program "
	        "when a run has failed, and when the view becomes FAILED, MISSING or SUSPENDED by an error. The facts are "
	        "in the environment: VIEWD_VIEW, VIEWD_DATABASE, VIEWD_RELATION, VIEWD_STATE, VIEWD_RESULT, "
	        "VIEWD_TRIGGER, VIEWD_ERROR_CLASS, VIEWD_ERROR_CODE, VIEWD_ERROR_MESSAGE, VIEWD_ERROR_HINT, "
	        "VIEWD_CONSECUTIVE_ERRORS, VIEWD_LAST_REFRESH_TIME, VIEWD_LAST_SUCCESS_TIME, VIEWD_NEXT_REFRESH_TIME, "
	        "VIEWD_OWNER and VIEWD_DESCRIPTION; what is unknown is not set. "
	        "When the view could not be set up, VIEWD_RESULT is FAILED, VIEWD_TRIGGER is not set and "
	        "VIEWD_CONSECUTIVE_ERRORS is at least 1. PATH, HOME, USER, LOGNAME, LANG, TZ and "
	        "TMPDIR are set as well, and nothing else of viewd's own environment. Passwords in messages are replaced "
	        "by ***. The program reads nothing, and what it writes goes to viewd's log. It is ended after "
	        "on_failure_timeout. At most one program runs for a view, and four for all views: failures that come "
	        "meanwhile are told by one more start, with the last error. viewd waits for none of them. Its own failure "
	        "is logged as a warning. Under the shipped unit the program has the rights of viewd's service: it writes "
	        "only in /var/lib/viewd, /run/viewd, a /tmp of its own and ReadWritePaths, and set-user-ID programs (some "
	        "sendmail) do not work; what needs more is a service of its own. How often a view has failed in a row "
	        "tells a new failure from an old one: [ $VIEWD_CONSECUTIVE_ERRORS = 1 ]. "
	        "A program that is not there, or that nobody may run, is an error for viewctl check. For viewd --check, a "
	        "start and a reload it is a warning: views are kept fresh although nobody is told of their failures."},
	/* for people */
	{.key = "enabled", OPTION_BOOL_AT(conf_view, enabled), .dflt = "yes", .reload = OPTION_LIVE,
	 .help = "whether viewd looks after the view",
	 .doc = "With no, viewd checks the section and does nothing else: it creates, refreshes and drops nothing, not by "
	        "hand either, and notices no changes. The view is DISABLED and its object stays as it is. Its freshness "
	        "is UNKNOWN, as is that of views that read it; it is STALE if a change is known that it lacks. A reload "
	        "switches the view on and off."},
	{.key = "priority", OPTION_INT_AT(conf_view, priority), .dflt = "0", .min = -1000, .max = 1000,
	 .unit = "higher goes first", .reload = OPTION_LIVE, .help = "which view goes first when several are due",
	 .doc = "Dependencies come before priority."},
	{.key = "description", OPTION_TEXT_AT(conf_view, description), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "what the view is for",
	 .doc = "viewctl shows it."},
	{.key = "owner", OPTION_TEXT_AT(conf_view, owner), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "whom to ask about the view",
	 .doc = "Any text: a person, a team, an address. It is not a role of the database. viewctl shows it."},
	{.key = "tags", OPTION_LIST_AT(OPTION_ITEMS, conf_view, tags), .reload = OPTION_LIVE,
	 .help = "words by which to find the view",
	 .doc = "Separated by commas. viewctl shows them."},
};
/* clang-format on */

const struct option_table schema_view = {
	.section = "view NAME", .rows = rows, .n = ARRAY_LEN(rows), .struct_size = sizeof(struct conf_view)};
