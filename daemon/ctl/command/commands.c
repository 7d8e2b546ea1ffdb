/* SPDX-License-Identifier: MIT
 *
 * commands.c: the parameters and manual text of each command.
 */
#include "ctl/command/commands.h"

#include "base/nearest.h"

#include <string.h>

#define VIEWS_OR_ALL \
	{"view",       0,      PARAM_ARG_LIST, \
	 PARAM_OR_ALL, "VIEW", "a view, as NAME (in every database it is declared for) or DATABASE:NAME"}, \
	{ \
		"all", 0, PARAM_FLAG, 0, NULL, "every view" \
	}
#define TIMEOUT \
	{ \
		"timeout", 0, PARAM_SPAN, PARAM_ONLY_CLI, "DURATION", \
			"give up waiting after so long (exit status 4); the work itself goes on" \
	}

static const struct command_param no_params[] = {};

static const struct command_param status_params[] = {
	{"view", 0, PARAM_ARG_LIST, 0, "VIEW",
     "only these views, with all fields; a pattern such as 'daily_*' lists the views that it matches"},
	{"failed", 0, PARAM_FLAG, 0, NULL,
     "only views that are FAILED, MISSING or SUSPENDED, or whose last refresh failed; exit status 1 when there are "
     "any"},
	{"stale", 0, PARAM_FLAG, 0, NULL,
     "only views that are STALE; with --failed also those; exit status 1 when there are any"},
	{"tag", 0, PARAM_TEXT, 0, "TAG", "only views with this tag"},
	{"database", 0, PARAM_TEXT, 0, "DATABASE", "only views of this database"},
	{"fields", 0, PARAM_TEXT, 0, "FIELD,...", "with --json, only these fields of each view"},
	{"watch", 'w', PARAM_FLAG, PARAM_ONLY_CLI, NULL,
     "show the status again whenever something happens, in place, until interrupted"},
	{"interval", 'n', PARAM_SPAN, PARAM_ONLY_CLI, "DURATION",
     "longest time between two looks with --watch (default 2s)"},
};

static const struct command_param view_params[] = {
	{"view", 0, PARAM_ARG, PARAM_REQUIRED, "VIEW", "the view, as NAME or DATABASE:NAME"},
};

static const struct command_param explain_params[] = {
	{"view", 0, PARAM_ARG, PARAM_REQUIRED, "VIEW", "the view, as NAME or DATABASE:NAME"},
	{"config", 'c', PARAM_TEXT, PARAM_ONLY_CLI, "FILE",
     "read this configuration file instead of asking the daemon, and connect from here"},
};

static const struct command_param history_params[] = {
	{"view", 0, PARAM_ARG_LIST, 0, "VIEW", "only these views; a pattern such as 'daily_*' means those that it matches"},
	{"limit", 'n', PARAM_COUNTER, 0, "N", "at most so many runs, newest first (default 20)"},
};

static const struct command_param graph_params[] = {
	{"format", 'f', PARAM_WORD, PARAM_ONLY_CLI, "text|dot|mermaid|svg", "how to draw it (default text)"},
};

static const struct command_param plan_params[] = {
	{"view", 0, PARAM_ARG_LIST, 0, "VIEW", "only these views (default all)"},
	{"reload", 0, PARAM_FLAG, PARAM_ADMIN, NULL,
     "what a reload of the files as they are now would change, and what it would do to those views"},
	{"config", 'c', PARAM_TEXT, PARAM_ONLY_CLI, "FILE",
     "what a daemon would do that is started with this configuration file; connects from here"},
};

static const struct command_param render_params[] = {
	{"what", 0, PARAM_ARG_WORD, PARAM_REQUIRED, "create|refresh|drop", "which statements"},
	{"view", 0, PARAM_ARG, PARAM_REQUIRED, "VIEW", "the view, as NAME or DATABASE:NAME"},
	{"config", 'c', PARAM_TEXT, PARAM_ONLY_CLI, "FILE",
     "read this configuration file instead of asking the daemon; no database is needed either"},
	{"dialect", 'd', PARAM_TEXT, 0, "DIALECT", "for this dialect, whatever dialects the view's databases have"},
	{"database", 0, PARAM_TEXT, 0, "DATABASE", "for this database (default: the view's first)"},
	{"or-replace", 0, PARAM_FLAG, 0, NULL, "create: replace what exists"},
	{"if-not-exists", 0, PARAM_FLAG, 0, NULL, "create: leave what exists"},
	{"if-exists", 0, PARAM_FLAG, 0, NULL, "drop: no error when it does not exist"},
	{"cascade", 0, PARAM_FLAG, 0, NULL, "drop: dependent objects too"},
};

static const struct command_param refresh_params[] = {
	VIEWS_OR_ALL,
	{"wait", 'w', PARAM_FLAG, 0, NULL,
     "wait for the end; exit status 1 unless everything succeeded; on a terminal a bar tells how far it is, and how "
     "long the last run took"},
	{"full", 0, PARAM_FLAG, 0, NULL, "recompute everything, whatever the refresh mode"},
	{"upstream", 0, PARAM_FLAG, 0, NULL, "refresh first the views that these read"},
	{"downstream", 0, PARAM_FLAG, 0, NULL, "refresh then the views that read these"},
	TIMEOUT,
};

static const struct command_param create_params[] = {
	VIEWS_OR_ALL,
	{"replace", 0, PARAM_FLAG, 0, NULL,
     "put back what the files say, where somebody else has replaced or altered the object"},
	{"wait", 'w', PARAM_FLAG, PARAM_ONLY_CLI, NULL,
     "accepted for symmetry with refresh: the outcome is always awaited"},
	TIMEOUT,
};

static const struct command_param change_params[] = {
	VIEWS_OR_ALL,
	{"wait", 'w', PARAM_FLAG, PARAM_ONLY_CLI, NULL,
     "accepted for symmetry with refresh: the outcome is always awaited"},
	TIMEOUT,
};

static const struct command_param drop_params[] = {
	VIEWS_OR_ALL,
	{"cascade", 0, PARAM_FLAG, 0, NULL, "what depends on them goes, too, whatever the key cascade says"},
	{"wait", 'w', PARAM_FLAG, PARAM_ONLY_CLI, NULL,
     "accepted for symmetry with refresh: the outcome is always awaited"},
	TIMEOUT,
};

static const struct command_param verify_params[] = {
	VIEWS_OR_ALL,
	{"repair", 0, PARAM_FLAG, 0, NULL, "compute all rows of those that differ, and compare again"},
	TIMEOUT,
};

static const struct command_param views_params[] = {VIEWS_OR_ALL};

static const struct command_param reload_params[] = {
	{"dry-run", 'n', PARAM_FLAG, 0, NULL, "check and compare, change nothing"},
	TIMEOUT,
};

static const struct command_param uninstall_params[] = {
	{"database", 0, PARAM_ARG, PARAM_REQUIRED, "DATABASE", "the name of the database section"},
	{"config", 'c', PARAM_TEXT, PARAM_ONLY_CLI, "FILE",
     "read this configuration file instead of asking the daemon, and connect from "
     "here; refused while a viewd keeps the database"},
	{"print", 'p', PARAM_FLAG, 0, NULL, "print the statements, for an administrator, and change nothing"},
	TIMEOUT,
};

static const struct command_param wait_params[] = {
	{"view", 0, PARAM_ARG, PARAM_REQUIRED, "VIEW",
     "the view, as NAME (in every database it is declared for) or DATABASE:NAME"},
	{"newer-than", 0, PARAM_TIME, 0, "TIME",
     "until its data is newer than this: 2026-11-22T08:44:01Z, or 5m for five minutes ago (default: now)"},
	TIMEOUT,
};

static const struct command_param check_params[] = {
	{"config", 'c', PARAM_TEXT, PARAM_ONLY_CLI, "FILE",
     "the main configuration file (default /etc/viewd/viewd.conf; a plain user's own where there is one)"},
};

static const struct command_param import_params[] = {
	{"url", 0, PARAM_ARG, PARAM_REQUIRED, "URL", "the database, as in a [database] section"},
	{"schema", 0, PARAM_TEXT, 0, "SCHEMA", "only views of this schema (default: of all that are not the server's own)"},
	{"directory", 'd', PARAM_TEXT, 0, "DIR", "write each definition into a file of this directory, NAME.sql"},
	{"config", 'c', PARAM_TEXT, 0, "FILE", "the configuration whose plugin_dir is used"},
};

static const struct command_param help_params[] = {
	{"command", 0, PARAM_ARG, 0, "COMMAND", "the command to explain"},
};

#define DOC_STATUS \
	"Without VIEW, one line for each view: name, database, state, freshness, lag, last result, duration of the " \
	"last refresh, next refresh. The error of a view in trouble has a number, and stands below the table, once for " \
	"all that have the same. With VIEW, all fields. " \
	"With --json, an array with one object for each view."
#define DOC_SHOW \
	"Prints the status, what the view reads, what reads it, and every effective setting with its origin: file " \
	"and line, the defaults section, or the built-in default."
#define DOC_WHY \
	"Explains in sentences why the data is as fresh as it is, why this refresh mode is used, what a waiting " \
	"refresh waits for, and what reports changes of each thing that the view depends on."
#define DOC_EXPLAIN \
	"Analyses the definition with what the database's catalogue says of its tables. First it says how " \
	"refresh_mode = incremental keeps the view, or that it is refreshed as a whole. Then it prints the chain of " \
	"nodes. A part is computed anew for the keys that changed. A roll is moved by old and new rows. For each table " \
	"it names the columns that a log of its changes holds, how a changed row leads to the key, and indexes that " \
	"are missing. Of a view that is kept so it tells the form of the statements that is in use, and what either " \
	"form and all rows have taken. Or it prints what prevents that: the construct, its place in the definition, " \
	"why, and what would help. Changes nothing, and works for each refresh_mode. With -c FILE no daemon is " \
	"needed, only the database."
#define DOC_HISTORY \
	"Past runs as recorded in the databases, newest first, of all views or of those that are named: what started " \
	"each run, what it did and how it ended. An error, the warning of a post_hook, or that an audit has found an " \
	"incremental view wrong, has a number, and stands below. The database keeps the last 200 runs of a view, and at " \
	"most a few " \
	"more until the next trim."
#define DOC_GRAPH \
	"Base tables, views, and which view reads which, for each database. The text form is a tree: below a " \
	"database its views, below a view what it reads. The dot form is for graphviz, the " \
	"mermaid form for Markdown pages. The svg form is a picture, drawn by the program dot, which has to be installed " \
	"(package graphviz). In dot and svg a view says its state, or, where it is ACTIVE, its freshness, and has a " \
	"colour: green FRESH, yellow STALE, red FAILED, MISSING or SUSPENDED, grey anything else. Of a view that is kept " \
	"incrementally the nodes are drawn that its last " \
	"refresh has used; while viewd has not refreshed it, there are none."
#define DOC_INFO \
	"Version, start time and configuration generation, and the numbers of views, databases, databases that are " \
	"down, running and waiting refreshes, stuck workers, runs and failures."
#define DOC_PLAN \
	"Looks at the databases, and says what the daemon would do to each object, why, what is locked meanwhile " \
	"and how long the last refresh took. Changes nothing. With --reload it first reads the configuration files " \
	"again and says what would differ; that needs the rights of reload. With -c FILE no daemon is needed, and none " \
	"need ever have run: viewctl looks at the databases itself. Exit status 1 when something cannot be done, or a " \
	"database cannot be reached."
#define DOC_RENDER \
	"Prints the statements, each ended by a semicolon, ready for the database's own shell. With -c FILE neither " \
	"a daemon nor a database is needed. Those of refresh compute all rows: which statements an incremental refresh " \
	"sends, or a diff in one pass, follows from the database (see explain)."
#define DOC_REFRESH \
	"Queues a refresh of each view and returns. With --wait it returns the outcome. Works on paused and " \
	"suspended views too; a success ends a suspension. A disabled view (enabled = no) is refused; --all, " \
	"--upstream and --downstream leave it out. create and drop do the same."
#define DOC_CREATE \
	"Inspects each view's object, creates it when it is missing, replaces it when it differs from the " \
	"configuration, and waits for the outcome. When somebody else has replaced or altered the object, neither " \
	"this command nor a restart undoes that: the view is FAILED and says so. With --replace viewd puts back " \
	"what the files say. viewctl adopt keeps what is there."
#define DOC_ADOPT \
	"For a view or materialized view that somebody else has replaced or altered. Keeps the object as it is, and " \
	"prints the definition that belongs into the file. From then on the view is ACTIVE and follows what that " \
	"definition reads, and verify compares with it. As soon as the file says the same, the object counts as " \
	"made from the file; nothing is built anew. A table is never adopted. viewctl create --replace puts back what " \
	"the files say."
#define DOC_DROP \
	"Drops the objects of the views. Drops only objects that viewd created or adopted. Afterwards the views are " \
	"MISSING; create makes them again."
#define DOC_VERIFY \
	"Compares, at one snapshot, the rows of the view with the rows that its definition yields. Counts the rows " \
	"that the view lacks and the rows that it has too many. Exit status 1 when there are any. Needs the rights " \
	"of a changing command, because it costs the database a full computation. With --repair all rows are computed " \
	"again of the views that differ, and of the named views that read them. Then all named views are compared " \
	"again: the exit status is 1 when one still differs, or could not be compared. The error of a refresh that " \
	"failed is told with its view."
#define DOC_PAUSE "A paused view is refreshed only by hand. The pause survives restarts of the daemon."
#define DOC_RESUME "Scheduled refreshes run again, also after a suspension for too many failures."
#define DOC_CANCEL "Stops running refreshes and forgets queued ones. The last good contents stay."
#define DOC_RELOAD \
	"Builds the new configuration as a whole, checks it, compares it with the one in force and puts it in " \
	"force. A bad file changes nothing: every problem is printed, and the exit status is 1."
#define DOC_UNINSTALL \
	"Takes viewd's triggers, functions and tables out of a database, in an order that does not disturb writers. " \
	"Views, materialized views and tables that stand in for them stay, with their rows, as ordinary objects " \
	"that nobody refreshes. The daemon first lets the database go; from then on its views are FAILED. A reload " \
	"leaves that so while the [database] section stays the same. A restart sets everything up again: take the " \
	"sections out of the files. With -c FILE viewctl does the work itself, when no viewd keeps the database. " \
	"What could not be taken out is told, with the reason; the same command goes on when the reason is gone. " \
	"With --print the statements are printed, ready for the database's own shell."
#define DOC_WAIT \
	"Waits until the data of the view is newer than TIME. Without --newer-than: at least as new as this call, " \
	"with no known change missing. Where changes are noticed (on_change), viewd asks the database first, so " \
	"what was committed before the call is in the data. Data that nothing has changed counts as new as the " \
	"call. A simple view has nothing to wait for. A view that reads something whose changes nobody reports is " \
	"refreshed. The error is told, and the exit status is 1, when a refresh fails and will not be retried, when " \
	"it is cancelled, when the view has failed before and nothing is scheduled, or when the view is disabled or " \
	"reads a disabled view."
#define DOC_EVENTS \
	"One line for each refresh that ends and for each change of state, as they happen, until interrupted. With " \
	"--json each line is an object. GET /v1/events gives the same as server-sent events. A client that does not keep " \
	"up is disconnected."
#define DOC_PAGE_LIST "A table of all views; with JavaScript the graph, filters and changes as they happen too."
#define DOC_PAGE_VIEW "Everything about one view: state, the last hours, why, runs, settings."
#define DOC_HEALTHZ "Status 200 while the loop turns."
#define DOC_METRICS "OpenMetrics, or the older text format of Prometheus for those who do not ask for OpenMetrics."
#define DOC_READYZ \
	"Status 200 when no view is FAILED or MISSING, else 503. The reply names up to 100 of those that are."
#define DOC_CHECK \
	"Reads the files as the daemon would, and prints every problem as file:line. Exit status 1 when there are " \
	"errors; warnings alone are fine."
#define DOC_DOCTOR \
	"Connects to each database of the configuration, changes nothing, and prints every privilege and setting that is " \
	"missing or unwise for its views, all at once: what is wrong as a comment, and below it the statement that mends " \
	"it. So an administrator can look through the output, and give it to the database's own shell. Exit status 1 " \
	"when " \
	"something is missing; what is unwise alone is fine. After what it prints has been run, it may find more that " \
	"could not be seen before."
#define DOC_LIST \
	"Connects to each database of the configuration, changes nothing, and prints a line for each object that viewd " \
	"has made or adopted, by its own records, and that no section of the files names any more: the database, the " \
	"name of the section that was, the object, its last refresh, and the statement that drops it. Nobody has " \
	"refreshed it since, and viewd does not drop it, unless its section said on_remove = drop: then viewd does so " \
	"at its next start or reload. To keep it fresh again, give it a section of its old name, or name that in " \
	"renamed_from. What somebody has dropped, or put in its place, is not listed. Exit status 1 when a database " \
	"cannot be asked."
#define DOC_IMPORT \
	"Connects to the database, changes nothing, and prints a section for it and one for each view and materialized " \
	"view that viewd does not keep: with its definition as the server writes it, its indexes, the columns that tell " \
	"rows apart, its options and its comment, and adopt = yes. viewd takes over what is there and builds nothing " \
	"anew. " \
	"Tables are left out: nothing tells that they are views. So are leftovers of other tools: of Scenic " \
	"(_scenic_sbs_...) and dbt (..__dbt_tmp, ..__dbt_backup). A definition that does not fit on a line needs " \
	"--directory. A password in the URL is not printed. Add on_change = yes, or a schedule, to views that are to be " \
	"kept fresh; without, they are refreshed by hand."
#define DOC_HELP "Without COMMAND, the list of commands."

static const struct command command_rows[COMMAND_COUNT] = {
#define COMMAND_ROW(sym, cname, cverb, cpath, caccess, cpace, cparams, chelp, handler) \
	[COMMAND_##sym] = { \
		.id = COMMAND_##sym, \
		.name = cname, \
		.verb = COMMAND_##cverb, \
		.path = cpath, \
		.access = COMMAND_##caccess, \
		.pace = COMMAND_##cpace, \
		.params = cparams, \
		.n_params = sizeof(cparams) / sizeof(cparams[0]), \
		.help = chelp, \
		.doc = DOC_##sym, \
	},
	COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
};

const struct command *commands(void)
{
	return command_rows;
}

const struct command *command_by_name(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (command_rows[i].verb != COMMAND_PAGE && strcmp(command_rows[i].name, name) == 0)
			return &command_rows[i];
	return NULL;
}

const struct command *command_by_path(const char *path)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (command_rows[i].path != NULL && strcmp(command_rows[i].path, path) == 0)
			return &command_rows[i];
	return NULL;
}

/* A command that changes something is offered only for a slip inside of it: "top" is no "drop". */
static bool may_offer(const struct command *command, const char *name)
{
	size_t len = strlen(name);
	return command->access == COMMAND_READ || (len > 2 && strncmp(command->name, name, 2) == 0 &&
	                                           command->name[strlen(command->name) - 1] == name[len - 1]);
}

const char *command_nearest(const char *name)
{
	const char *names[COMMAND_COUNT];
	size_t n = 0;
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (command_rows[i].verb != COMMAND_PAGE && may_offer(&command_rows[i], name))
			names[n++] = command_rows[i].name;
	return nearest_word(names, n, name);
}

int command_param_index(const struct command *command, const char *name)
{
	for (size_t i = 0; i < command->n_params; i++)
		if (strcmp(command->params[i].name, name) == 0)
			return (int)i;
	return -1;
}
