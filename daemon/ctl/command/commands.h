/* SPDX-License-Identifier: MIT
 *
 * commands.h: every command of the control interface, one row each. viewctl parses its arguments with these rows,
 * prints help and the manual from them, and the server routes requests by them.
 */
#ifndef VIEWD_CTL_COMMAND_COMMANDS_H
#define VIEWD_CTL_COMMAND_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

/* symbol, name, HTTP method, path, access, pace, parameters (an array of commands.c), one line of help, handler
 * (handlers.c). LOCAL commands never reach the daemon; their handler is NULL. PAGEs are for browsers and
 * collectors: viewctl does not offer them. */
/* clang-format off */
#define COMMANDS(X)                                                                                                   \
	X(STATUS, "status", GET, "/v1/status", READ, QUICK, status_params,                                                \
	  "one line a view, or the details of some", cmd_status)                                                          \
	X(SHOW, "show", GET, "/v1/show", READ, QUICK, view_params,                                                        \
	  "everything about one view, settings with origin", cmd_show)                                                    \
	X(WHY, "why", GET, "/v1/why", READ, QUICK, view_params,                                                           \
	  "why a view is (not) fresh and what it waits for", cmd_why)                                                     \
	X(EXPLAIN, "explain", GET, "/v1/explain", READ, SLOW, explain_params,                                             \
	  "how a view can be kept incrementally, or what prevents it", cmd_explain)                                     \
	X(HISTORY, "history", GET, "/v1/history", READ, SLOW, history_params, "past runs of views", cmd_history)          \
	X(GRAPH, "graph", GET, "/v1/graph", READ, QUICK, graph_params, "sources, views and edges", cmd_graph)             \
	X(INFO, "info", GET, "/v1/info", READ, QUICK, no_params, "the daemon itself: version, counters", cmd_info)      \
	X(PLAN, "plan", GET, "/v1/plan", READ, SLOW, plan_params,                                                         \
	  "what would be created, replaced or dropped", cmd_plan)                                                         \
	X(RENDER, "render", GET, "/v1/render", READ, QUICK, render_params,                                                \
	  "prints the SQL of create, refresh or drop", cmd_render)                                                        \
	X(REFRESH, "refresh", POST, "/v1/refresh", MUTATE, SLOW, refresh_params, "refreshes views now", cmd_refresh)      \
	X(CREATE, "create", POST, "/v1/create", MUTATE, SLOW, create_params,                                              \
	  "creates what is missing, replaces what differs", cmd_create)                                                   \
	X(ADOPT, "adopt", POST, "/v1/adopt", MUTATE, SLOW, change_params,                                                 \
	  "keeps what somebody else has made of a view's object", cmd_adopt)                                              \
	X(DROP, "drop", POST, "/v1/drop", MUTATE, SLOW, drop_params, "drops the objects of views", cmd_drop)            \
	X(VERIFY, "verify", POST, "/v1/verify", MUTATE, SLOW, verify_params,                                              \
	  "compares the stored rows with the definition", cmd_verify)                                                     \
	X(PAUSE, "pause", POST, "/v1/pause", MUTATE, QUICK, views_params,                                                 \
	  "stops scheduled refreshes, across restarts", cmd_pause)                                                        \
	X(RESUME, "resume", POST, "/v1/resume", MUTATE, QUICK, views_params, "ends a pause or a suspension", cmd_resume)  \
	X(CANCEL, "cancel", POST, "/v1/cancel", MUTATE, QUICK, views_params,                                              \
	  "cancels running and waiting refreshes", cmd_cancel)                                                            \
	X(RELOAD, "reload", POST, "/v1/reload", MUTATE, SLOW, reload_params,                                              \
	  "reads the configuration files again", cmd_reload)                                                              \
	X(UNINSTALL, "uninstall", POST, "/v1/uninstall", MUTATE, SLOW, uninstall_params,                                  \
	  "takes viewd out of a database", cmd_uninstall)                                                                 \
	X(WAIT, "wait", GET, "/v1/wait", READ, HELD, wait_params, "waits until a view is fresh", cmd_wait)                \
	X(EVENTS, "events", GET, "/v1/events", READ, HELD, no_params, "tells what happens as it happens", cmd_events)     \
	X(PAGE_LIST, "page", PAGE, "/", READ, QUICK, no_params, "all views, for people", cmd_page)                        \
	X(PAGE_VIEW, "view", PAGE, "/view", READ, QUICK, view_params, "one view, for people", cmd_view)                   \
	X(HEALTHZ, "healthz", PAGE, "/healthz", READ, QUICK, no_params, "whether the daemon answers", cmd_healthz)        \
	X(METRICS, "metrics", PAGE, "/metrics", READ, QUICK, no_params, "numbers for collectors", cmd_metrics)            \
	X(READYZ, "readyz", PAGE, "/readyz", READ, QUICK, no_params, "whether no view is FAILED or MISSING", cmd_readyz)  \
	X(CHECK, "check", LOCAL, NULL, READ, QUICK, check_params,                                                         \
	  "validates configuration files without a daemon", NULL)                                                         \
	X(DOCTOR, "doctor", LOCAL, NULL, READ, QUICK, check_params,                                                       \
	  "prints privileges and settings that are missing", NULL)                                                         \
	X(LIST, "list", LOCAL, NULL, READ, QUICK, check_params,                                                           \
	  "prints what viewd once made and no section names", NULL)                                                       \
	X(IMPORT, "import", LOCAL, NULL, READ, QUICK, import_params,                                                       \
	  "prints the views of a database as sections", NULL)                                                              \
	X(HELP, "help", LOCAL, NULL, READ, QUICK, help_params, "explains a command", NULL)
/* clang-format on */

enum command_id {
#define COMMAND_ENUM(sym, name, verb, path, access, pace, params, help, handler) COMMAND_##sym,
	COMMANDS(COMMAND_ENUM) COMMAND_COUNT
#undef COMMAND_ENUM
};

enum command_verb { COMMAND_GET, COMMAND_POST, COMMAND_LOCAL, COMMAND_PAGE };

/* READ: whoever may connect. MUTATE: root and the daemon's own user. */
enum command_access { COMMAND_READ, COMMAND_MUTATE };

/* SLOW: the reply may wait for a database. HELD: it may take as long as the client stays. */
enum command_pace { COMMAND_QUICK, COMMAND_SLOW, COMMAND_HELD, COMMAND_PACES };

enum param_kind {
	PARAM_FLAG,     /* --name */
	PARAM_TEXT,     /* --name VALUE */
	PARAM_WORD,     /* --name VALUE, one of values */
	PARAM_SPAN,     /* --name DURATION */
	PARAM_TIME,     /* --name TIME, RFC 3339, or a duration that is so long ago */
	PARAM_COUNTER,  /* --name N, 1 .. 1000000 */
	PARAM_ARG,      /* positional, one text */
	PARAM_ARG_WORD, /* positional, one of values */
	PARAM_ARG_LIST  /* positional, any number of texts */
};

#define PARAM_REQUIRED 1u /* must be given; a list: at least one */
#define PARAM_OR_ALL 2u   /* a list: at least one, or the flag `all`, not both */
#define PARAM_ONLY_CLI 4u /* viewctl's own; never sent */
#define PARAM_ADMIN 8u    /* makes a READ command need the rights of a MUTATE one */

struct command_param {
	const char *name; /* option name, query and JSON key */
	char letter;      /* short option, 0: none */
	enum param_kind kind;
	unsigned flags;
	const char *values; /* WORD kinds: `a|b|c`; others: the placeholder in help, may be NULL */
	const char *help;
};

#define COMMAND_PARAMS_MAX 10

struct command {
	enum command_id id;
	const char *name;
	enum command_verb verb;
	const char *path;
	enum command_access access;
	enum command_pace pace;
	const struct command_param *params;
	size_t n_params;
	const char *help;
	const char *doc; /* paragraphs for --help and the manual */
};

/* All rows, COMMAND_COUNT of them, indexed by id. [any] */
const struct command *commands(void);

/* By name or by path; NULL when there is none. A PAGE has no name for users. [any] */
const struct command *command_by_name(const char *name);
const struct command *command_by_path(const char *path);

/* The name nearest to a mistyped one; NULL when nothing is near. [any] */
const char *command_nearest(const char *name);

/* Position of a parameter in command->params, -1 when it has none of that name. [any] */
int command_param_index(const struct command *command, const char *name);

#endif
