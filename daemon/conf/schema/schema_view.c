/* SPDX-License-Identifier: MIT */
#include "base/span.h"
#include "conf/schema/schema.h"

static const struct option_choice methods[] = {
	{.word = "simple", .value = VIEWD_METHOD_SIMPLE, .doc = "a plain view: always fresh, nothing to refresh"},
	{.word = "materialized", .value = VIEWD_METHOD_MATERIALIZED, .doc = "a materialized view of the engine"},
	{.word = "table", .value = VIEWD_METHOD_TABLE, .doc = "a table that viewd fills"},
	{0},
};
static const struct option_choice modes[] = {
	{.word = "auto", .value = VIEWD_MODE_AUTO, .doc = "the best that works for this view; `viewctl why` tells which and why"},
	{.word = "full", .value = VIEWD_MODE_FULL, .doc = "compute everything anew in place"},
	{.word = "concurrently", .value = VIEWD_MODE_CONCURRENTLY, .doc = "REFRESH MATERIALIZED VIEW CONCURRENTLY"},
	{.word = "diff", .value = VIEWD_MODE_DIFF,
	 .doc = "a table's rows are found by unique_key, and only those that differ in any byte are written"},
	{.word = "swap", .value = VIEWD_MODE_SWAP, .doc = "build a new table aside and exchange the names"},
	{.word = "incremental", .value = VIEWD_MODE_INCREMENTAL, .later = true,
	 .doc = "recompute only the groups whose sources changed (not supported yet)"},
	{0},
};
static const struct option_choice policies[] = {
	{.word = "apply", .value = CONF_POLICY_APPLY, .doc = "replace the object"},
	{.word = "continue", .value = CONF_POLICY_CONTINUE, .doc = "leave it and go on refreshing it as it is"},
	{.word = "fail", .value = CONF_POLICY_FAIL, .doc = "leave it, and the view is FAILED until somebody decides"},
	{0},
};
static const struct option_choice removals[] = {
	{.word = "keep", .value = CONF_REMOVE_KEEP, .doc = "the object stays as it is"},
	{.word = "drop", .value = CONF_REMOVE_DROP, .doc = "the object is dropped"},
	{0},
};
static const struct option_choice overlaps[] = {
	{.word = "skip", .value = CONF_OVERLAP_SKIP, .doc = "leave the run out"},
	{.word = "queue", .value = CONF_OVERLAP_QUEUE, .doc = "run once more right after the present one"},
	{0},
};
static const struct option_choice misses[] = {
	{.word = "run_once", .value = CONF_MISSED_RUN_ONCE, .doc = "run once, however many were missed"},
	{.word = "skip", .value = CONF_MISSED_SKIP, .doc = "wait for the next one"},
	{0},
};
static const struct option_choice captures[] = {
	{.word = "auto", .value = VIEWD_CAPTURE_AUTO, .doc = "the best that this database allows"},
	{.word = "trigger", .value = VIEWD_CAPTURE_TRIGGER, .doc = "triggers on the sources"},
	{.word = "binlog", .value = VIEWD_CAPTURE_BINLOG, .doc = "the server's binary log"},
	{.word = "poll", .value = VIEWD_CAPTURE_POLL, .doc = "counters of the server, asked again and again"},
	{.word = "none", .value = VIEWD_CAPTURE_NONE, .doc = "not at all: only refreshes of views it reads count"},
	{0},
};

static const struct option_row rows[] = {
	/* what and where */
	{.key = "database", OPTION_LIST_AT(OPTION_NAMES, conf_view, database), .flags = OPTION_REQUIRED, .reload = OPTION_REDEFINE,
	 .help = "the [database] sections it lives in",
	 .doc = "One name or several separated by commas: the same view is then kept in each of them. A definition for one dialect is "
	        "given with definition_DIALECT."},
	{.key = "relation", OPTION_TEXT_AT(conf_view, relation), .flags = OPTION_FREE_TEXT | OPTION_OWN, .reload = OPTION_REDEFINE,
	 .help = "name of the object in the database, if it is not the section's",
	 .doc = "Plain or schema-qualified; parts in double quotes keep their case, and the whole value then needs single quotes: "
	        "'Sales.\"Category Stats\"'."},
	{.key = "definition", .type = OPTION_DEFINITION, .flags = OPTION_FREE_TEXT | OPTION_OWN, .reload = OPTION_REDEFINE,
	 .help = "the query",
	 .doc = "One SELECT on one line, no semicolon needed. If it holds ';' or '#', wrap it in quotes of the kind that it does not "
	        "contain. Long queries are better in a file: definition_file."},
	{.key = "definition_file", .type = OPTION_DEFINITION, .flags = OPTION_OWN, .reload = OPTION_REDEFINE,
	 .help = "file that holds the query",
	 .doc = "Relative to the directory of the file that says it. A regular file (no symbolic link) of root or of the user viewd runs "
	        "as, not writable by others, 1 byte to 1 MiB of UTF-8. Read when the configuration is loaded."},
	{.key = "definition_file_*", .type = OPTION_DEFINITION, .flags = OPTION_OWN | OPTION_DYNAMIC,
	 .reload = OPTION_REDEFINE, .help = "file that holds the query for one dialect",
	 .doc = "definition_file_sqlite and so on: as definition_file, used in databases of that dialect instead of the general one."},
	{.key = "definition_*", .type = OPTION_DEFINITION, .flags = OPTION_FREE_TEXT | OPTION_OWN | OPTION_DYNAMIC,
	 .reload = OPTION_REDEFINE, .help = "the query for one dialect",
	 .doc = "definition_sqlite and so on: as definition, used in databases of that dialect instead of the general one."},
	{.key = "method", OPTION_WORD_AT(conf_view, method), .dflt = "materialized", .choices = methods, .reload = OPTION_REDEFINE,
	 .help = "what kind of object it is",
	 .doc = "Engines without materialized views use a table instead, see materialized_as_table."},
	{.key = "materialized_as_table", OPTION_BOOL_AT(conf_view, materialized_as_table), .dflt = "yes", .reload = OPTION_REDEFINE,
	 .help = "materialized means a table on engines without materialized views",
	 .doc = "With no, method = materialized is an error there."},
	{.key = "refresh_mode", OPTION_WORD_AT(conf_view, refresh_mode), .dflt = "auto", .choices = modes, .reload = OPTION_LIVE,
	 .help = "how the rows get there",
	 .doc = "A mode that cannot work for this view on this engine is an error when the files are loaded; auto never fails. diff takes two rows "
	        "of one key for equal when all bytes are: upper and lower case, trailing blanks, 1.0 and 1.00, 0.0 and -0.0 differ as far as "
	        "the engine tells them apart. Rows with a NULL in their key are written all together, when any of them differs."},
	{.key = "unique_key", OPTION_LIST_AT(OPTION_IDENTS, conf_view, unique_key), .flags = OPTION_FREE_TEXT,
	 .reload = OPTION_REDEFINE, .help = "columns that identify a row",
	 .doc = "Comma-separated, as the engine reads names: PostgreSQL folds plain ones to lower case and keeps \"quoted\" ones as they are, the "
	        "others ignore case. Quotes are \" or `, doubled inside; a value that holds \" needs single quotes around it: "
	        "'\"createdAt\", id'. Needed by refresh_mode = concurrently and diff; viewd keeps a unique index on them."},
	{.key = "columns", OPTION_COLUMNS_AT(conf_view, columns, n_columns), .flags = OPTION_FREE_TEXT, .reload = OPTION_REDEFINE,
	 .help = "the columns that the definition must yield",
	 .doc = "`id integer, name text`, or names only, written as in unique_key; checked before anything is created. Not given: whatever the definition yields."},
	{.key = "index_*", .type = OPTION_INDEX, .flags = OPTION_FREE_TEXT | OPTION_DYNAMIC, .reload = OPTION_REDEFINE,
	 .help = "an index to create and keep",
	 .doc = "index_NAME = (amount DESC), or UNIQUE (id). The indexes exist whenever the view does."},
	{.key = "options", OPTION_PAIRS_AT(conf_view, options, n_options), .flags = OPTION_FREE_TEXT, .reload = OPTION_REDEFINE,
	 .help = "WITH (...) of the object", .doc = "`security_barrier=true, fillfactor=90`. An error on engines that have no such thing."},
	{.key = "settings", OPTION_PAIRS_AT(conf_view, settings, n_settings), .flags = OPTION_FREE_TEXT, .reload = OPTION_REDEFINE,
	 .help = "settings of the session in which the definition runs",
	 .doc = "MySQL and MariaDB only: `sql_mode=none, group_concat_max_len=100000000`. They hold for this definition alone, when the object is made, "
	        "refreshed, verified and compared, and go before those of the [database] section; another setting makes the object anew. Names in "
	        "one value are separated by blanks (sql_mode=NO_ZERO_DATE ONLY_FULL_GROUP_BY). An error for method = simple, which everybody reads "
	        "under settings of his own."},
	{.key = "with_data", OPTION_BOOL_AT(conf_view, with_data), .dflt = "yes", .reload = OPTION_LIVE, .help = "fill at creation",
	 .doc = "With no, the view is created empty and filled by its first refresh."},
	{.key = "on_configuration_change", OPTION_WORD_AT(conf_view, on_configuration_change), .dflt = "apply", .choices = policies,
	 .reload = OPTION_LIVE, .help = "what to do when the definition differs from what exists",
	 .doc = "The comparison ignores what the server adds to a definition by itself. It also decides what follows when a source of `SELECT *` gets "
	        "another column: with apply the view is made anew with it, else the view goes on with the columns it has."},
	{.key = "adopt", OPTION_BOOL_AT(conf_view, adopt), .dflt = "no", .reload = OPTION_REDEFINE,
	 .help = "take over an existing view of that name",
	 .doc = "Only views and materialized views, never a table. With no, an object of that name which viewd did not create is an error."},
	{.key = "on_remove", OPTION_WORD_AT(conf_view, on_remove), .dflt = "keep", .choices = removals, .reload = OPTION_REDEFINE,
	 .help = "what to do when the section disappears",
	 .doc = "Recorded in the database, so that it also holds when the section was removed while viewd was down."},
	{.key = "cascade", OPTION_BOOL_AT(conf_view, cascade), .dflt = "no", .reload = OPTION_LIVE, .help = "drops may cascade",
	 .doc = "With no, an object that others depend on is not dropped; the error names them."},
	{.key = "depends_on", OPTION_LIST_AT(OPTION_NAMES, conf_view, depends_on), .reload = OPTION_LIVE,
	 .help = "views that are refreshed before this one",
	 .doc = "Names of views, database:view for one in another database. Dependencies inside a database are discovered; this "
	        "adds what cannot be."},
	/* when */
	{.key = "every", OPTION_SPAN_AT(conf_view, every), .dflt = "0", .min = 0, .max = 3650 * SPAN_DAY, .reload = OPTION_LIVE,
	 .help = "refresh in this rhythm",
	 .doc = "From start to start, without drift; setting the wall clock does not change it. 0: no rhythm."},
	{.key = "after", OPTION_SPAN_AT(conf_view, after), .dflt = "0", .min = 0, .max = 3650 * SPAN_DAY, .reload = OPTION_LIVE,
	 .help = "refresh this long after the last refresh ended", .doc = "0: not."},
	{.key = "randomize_for", OPTION_SPAN_AT(conf_view, randomize_for), .dflt = "0", .min = 0, .max = 7 * SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "spread scheduled starts over this time",
	 .doc = "Each scheduled start is delayed by a random part of it, so that many views do not start at once."},
	{.key = "overlap", OPTION_WORD_AT(conf_view, overlap), .dflt = "skip", .choices = overlaps, .reload = OPTION_LIVE,
	 .help = "a run is due while one is running", .doc = "Runs of one view never overlap."},
	{.key = "missed", OPTION_WORD_AT(conf_view, missed), .dflt = "run_once", .choices = misses, .reload = OPTION_LIVE,
	 .help = "what to do about runs that were missed", .doc = "viewd was down, the view was paused, or the machine slept. Holds for every, after and cron."},
	{.key = "cron", OPTION_CRON_AT(conf_view, cron), .reload = OPTION_LIVE, .help = "refresh at these times of day",
	 .doc = "Minute, hour, day of month, month, day of week, as in crontab(5): */5 * * * * or 30 6 * * mon-fri; or @hourly @daily @weekly "
	        "@monthly @yearly, or @every 5m, which is every. When both day fields are restricted, either of them will do. In "
	        "the nights of summer time a fixed time is run once: one that does not exist right after the clocks went forward, one "
	        "that comes twice the first time. With * as the hour or minute runs follow elapsed time: 23 or 25 hourly ones on such a day."},
	{.key = "timezone", OPTION_ZONE_AT(conf_view, timezone), .dflt = "UTC", .reload = OPTION_LIVE, .help = "time zone of cron",
	 .doc = "A name of the system's time zone database, for example Europe/Berlin."},
	{.key = "on_change", OPTION_BOOL_AT(conf_view, on_change), .dflt = "no", .reload = OPTION_LIVE,
	 .help = "refresh when a source changes",
	 .doc = "The first change of an idle view starts a refresh at once, or as debounce and at_most_every say; changes that come while it "
	        "runs give one more. capture says how they are noticed. May be combined with schedules."},
	{.key = "sources", OPTION_LIST_AT(OPTION_ITEMS, conf_view, sources), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "tables whose changes count",
	 .doc = "Names as in SQL, quoted as in relation, separated by commas: these and only these. Not given: what the definition reads, found in the catalogue."},
	{.key = "capture", OPTION_WORD_AT(conf_view, capture), .dflt = "auto", .choices = captures, .reload = OPTION_LIVE,
	 .help = "how changes are noticed",
	 .doc = "A way that the engine does not have is an error; auto never is: `viewctl why` tells what it chose and what it cannot see."},
	{.key = "debounce", OPTION_SPAN_AT(conf_view, debounce), .dflt = "0", .min = 0, .max = 7 * SPAN_DAY, .reload = OPTION_LIVE,
	 .help = "wait until no change came for this long",
	 .doc = "Each further change pushes the refresh back by this time, but not beyond max_delay. 0: start at the first change."},
	{.key = "max_delay", OPTION_SPAN_AT(conf_view, max_delay), .dflt = "0", .min = 0, .max = 7 * SPAN_DAY, .reload = OPTION_LIVE,
	 .help = "longest time that debounce may put a refresh off",
	 .doc = "Counted from the first change. 0: no bound, so a source that never rests is left to max_staleness or a schedule."},
	{.key = "at_most_every", OPTION_SPAN_AT(conf_view, at_most_every), .dflt = "0", .min = 0, .max = 365 * SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "least time between the starts of two refreshes on change",
	 .doc = "Changes in between are collected. Schedules and requests by hand are not held up. 0: none."},
	{.key = "max_staleness", OPTION_SPAN_AT(conf_view, max_staleness), .dflt = "0", .min = 0, .max = 3650 * SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "refresh at the latest after this time",
	 .doc = "The safety net under on_change: whatever was not noticed is in the view after this time. Counted from the moment the data "
	        "is true for. 0: none."},
	{.key = "target_lag", OPTION_SPAN_AT(conf_view, target_lag), .dflt = "0", .min = 0, .max = 3650 * SPAN_DAY, .reload = OPTION_LIVE,
	 .help = "how old the data may get",
	 .doc = "viewd chooses when to refresh: as late as it can so that the data is never older than that, learning from past runs how long "
	        "one takes. With on_change the data counts as current until the first change, and changes start no refresh earlier than "
	        "that (unless debounce is set and they have ended). 0: none."},
	{.key = "refresh_group", OPTION_NAME_AT(conf_view, refresh_group), .reload = OPTION_LIVE,
	 .help = "refreshed together on one snapshot",
	 .doc = "Views of one database with the same name of group are refreshed as one: whatever starts one of them starts all, in order of "
	        "their dependencies, at the pace of the strictest (longest debounce and at_most_every, shortest max_delay). Readers see all of "
	        "them change at one instant, with rows of one snapshot. When one fails all keep their last good contents, and the others' "
	        "error names it. While one is paused or suspended only requests by hand refresh the group. A view outside the "
	        "group must not lie between two of its members. PostgreSQL uses one REPEATABLE READ transaction (give materialized views a "
	        "unique_key, else readers wait for the whole run), SQLite one transaction (writers wait for the whole run when one "
	        "member reads another), MariaDB one snapshot and one RENAME TABLE; MySQL cannot do it."},
	/* failure */
	{.key = "timeout", OPTION_SPAN_AT(conf_view, timeout), .dflt = "1h", .min = 0, .max = 365 * SPAN_DAY, .reload = OPTION_LIVE,
	 .help = "longest time a refresh may take", .doc = "It is then cancelled and the last good contents stay. 0: no limit."},
	{.key = "lock_timeout", OPTION_SPAN_AT(conf_view, lock_timeout), .dflt = "2s", .min = SPAN_MS, .max = SPAN_HOUR,
	 .reload = OPTION_LIVE, .help = "longest wait for a lock",
	 .doc = "Readers and writers of the application queue behind a refresh that waits for a lock, so this bounds how long "
	        "it can hold them up. The refresh is tried again later."},
	{.key = "max_retries", OPTION_INT_AT(conf_view, max_retries), .dflt = "3", .min = 0, .max = 1000, .unit = "attempts",
	 .reload = OPTION_LIVE, .help = "attempts after a failed one",
	 .doc = "Only for failures that may pass by themselves: connection lost, lock timeout, deadlock and the like."},
	{.key = "retry_backoff", OPTION_SPAN_AT(conf_view, retry_backoff), .dflt = "5s", .min = SPAN_MS, .max = SPAN_DAY,
	 .reload = OPTION_LIVE, .help = "wait before the first retry", .doc = "Doubled for each further one, with some randomness."},
	{.key = "retry_max_backoff", OPTION_SPAN_AT(conf_view, retry_max_backoff), .dflt = "10m", .min = SPAN_MS,
	 .max = 7 * SPAN_DAY, .reload = OPTION_LIVE, .help = "longest wait between retries",
	 .doc = "Not shorter than retry_backoff."},
	{.key = "max_consecutive_errors", OPTION_INT_AT(conf_view, max_consecutive_errors), .dflt = "10", .min = 0, .max = 1000000,
	 .unit = "errors", .reload = OPTION_LIVE, .help = "failures in a row after which the view is suspended",
	 .doc = "A suspended view waits for `viewctl resume` or a manual refresh. 0: never."},
	{.key = "run_as", OPTION_TEXT_AT(conf_view, run_as), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "role that the view is made and refreshed as",
	 .doc = "PostgreSQL only. The definition is looked at, filled, refreshed and verified as this role, and no function that it calls gets back to "
	        "viewd's: its rows are made by REFRESH MATERIALIZED VIEW, with method = table of one that exists only inside the transaction (so "
	        "the role needs CREATE in the schema). Objects made under it belong to it; a table with triggers, rules or row security of its own is "
	        "refused. Hooks run as the role as well, but what a hook calls could come back: let it call nothing that the role may replace. "
	        "viewd's own tables are written as viewd, whose role must be a member of it."},
	{.key = "pre_hook", OPTION_TEXT_AT(conf_view, pre_hook), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "SQL before a refresh",
	 .doc = "One SQL statement, never a shell command. It runs inside the refresh's transaction, on MySQL and MariaDB (where statements may "
	        "commit by themselves) right before it. When it fails the refresh fails and the old contents stay. Not run when the view is "
	        "created."},
	{.key = "post_hook", OPTION_TEXT_AT(conf_view, post_hook), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "SQL after a refresh",
	 .doc = "One SQL statement, run after the data inside the refresh's transaction, on MySQL and MariaDB right after it. When it fails it "
	        "is undone, the log and the history say so, and the refresh counts all the same; only a lost connection, a lock "
	        "conflict, a cancel or the view's time limit make the refresh fail. Not run when the view is created."},
	{.key = "notify_channel", OPTION_TEXT_AT(conf_view, notify_channel), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "channel told after a success",
	 .doc = "PostgreSQL only: LISTEN on this name (its case counts) hears of each refresh that succeeded once its data is committed, as a "
	        "JSON object: view, relation, action, rows, rows_written."},
	/* for people */
	{.key = "enabled", OPTION_BOOL_AT(conf_view, enabled), .dflt = "yes", .reload = OPTION_LIVE, .help = "viewd looks after it",
	 .doc = "With no, the section is checked and otherwise left alone: nothing is created, refreshed or dropped, by hand neither, and changes "
	        "are not noticed. The view is DISABLED, its object stays as it is, and its freshness is UNKNOWN, as that of views that read it, "
	        "or STALE if a change is known that it lacks. A reload turns it on and off."},
	{.key = "priority", OPTION_INT_AT(conf_view, priority), .dflt = "0", .min = -1000, .max = 1000, .unit = "higher goes first",
	 .reload = OPTION_LIVE, .help = "which goes first when several are due", .doc = "Dependencies come before priority."},
	{.key = "description", OPTION_TEXT_AT(conf_view, description), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "what it is for", .doc = "Shown by viewctl."},
	{.key = "owner", OPTION_TEXT_AT(conf_view, owner), .flags = OPTION_FREE_TEXT, .reload = OPTION_LIVE,
	 .help = "whom to ask", .doc = "Any text: a person, a team, an address. Shown by viewctl; no role of the database."},
	{.key = "tags", OPTION_LIST_AT(OPTION_ITEMS, conf_view, tags), .reload = OPTION_LIVE, .help = "words to find it by",
	 .doc = "Separated by commas. Shown by viewctl."},
};

const struct option_table schema_view = {
	.section = "view NAME", .rows = rows, .n = ARRAY_LEN(rows), .struct_size = sizeof(struct conf_view)};
