/* SPDX-License-Identifier: MIT
 *
 * conf.h: the immutable configuration snapshot.
 *
 * A snapshot is built whole (files read, rows set, references checked) or not at all, lives in one talloc tree, is
 * never written afterwards and may be read from any thread. Readers keep it alive with conf_ref/conf_unref, on the main
 * thread only; whoever has built it may drop it on his own thread before anybody else knows it. Everything an option
 * can be is described by the rows of conf/schema/option.h; the structs below are what the rows fill.
 */
#ifndef VIEWD_CONF_CONF_H
#define VIEWD_CONF_CONF_H

#include "base/macros.h"
#include "viewd_dialect.h"

/* Where a value came from. file is an index into struct conf.files; 0xffff: the default. */
#define CONF_FILE_DEFAULT 0xffff
struct conf_origin {
	uint16_t file;
	uint16_t from_defaults; /* 1: set in [view-defaults] */
	uint32_t line;
};

/* Where the values of a view come from: those that it does not inherit, by their number; most views set few keys of
 * many. Numbers are those of the rows of the schema; behind them come definitions and indexes, in their order. */
struct conf_set_origin {
	uint32_t number;
	struct conf_origin origin;
};
struct conf_origins {
	const struct conf_origins *inherited; /* NULL: none. Of rows only */
	uint32_t n;
	struct conf_set_origin set[]; /* by number */
};

struct conf_list {
	const char *const *items;
	size_t n;
};

enum conf_on_configuration_change { CONF_DIFFERS_APPLY, CONF_DIFFERS_CONTINUE, CONF_DIFFERS_FAIL };
enum conf_on_remove { CONF_REMOVE_KEEP, CONF_REMOVE_DROP };
enum conf_overlap { CONF_OVERLAP_SKIP, CONF_OVERLAP_QUEUE };
enum conf_missed { CONF_MISSED_RUN_ONCE, CONF_MISSED_SKIP };

struct conf_daemon {
	const char *control_socket;
	const char *plugin_dir;
	const char *state_dir;
	const char *http_listen; /* NULL: off */
	bool http_allow_remote;
	int log_level; /* enum viewd_log_level */
	int64_t max_concurrent_refreshes;
	int64_t on_failure_timeout;
	struct conf_list include;
	struct conf_list http_hosts;
	const struct conf_origin *origins; /* one an option row of the section, in row order */
};

struct conf_database {
	const char *name;
	const char *dialect;  /* name of the dialect that the URL's scheme asks for; the scheme itself when there is none */
	const char *url;      /* as written; may hold a password: print it through conf_redact_url only */
	const char *base_dir; /* directory of the file that declares it */
	const char *password_file;
	const char *password_credential;
	int64_t max_concurrent_refreshes;
	int64_t connect_timeout;
	const struct viewd_kv *options; /* keys that the dialect's own rows describe, defaults included */
	size_t n_options;
	struct conf_origin where; /* of the section header */
	const struct conf_origin *origins;
};

/* definition_DIALECT or definition_file_DIALECT; dialect NULL: the general one. */
struct conf_definition {
	const char *dialect;
	const char *text; /* the query itself, from the key or from the file */
	const char *file; /* NULL when inline */
};

struct conf_view {
	const char *name;
	struct conf_list database; /* names of [database] sections, at least one */
	const char *relation;      /* NULL: the view's name */
	const char *renamed_from;  /* the name that the section had before; NULL: it was not renamed */
	const struct conf_definition *definitions;
	size_t n_definitions;
	int method;                  /* enum viewd_method */
	int refresh_mode;            /* enum viewd_refresh_mode */
	int capture;                 /* enum viewd_capture */
	int overlap;                 /* enum conf_overlap */
	int missed;                  /* enum conf_missed */
	struct conf_list unique_key; /* as written */
	const struct viewd_column *columns;
	size_t n_columns;
	const struct viewd_index *indexes;
	size_t n_indexes;
	const struct viewd_kv *options;
	size_t n_options;
	const struct viewd_kv *settings;
	size_t n_settings;
	const char *grants; /* as written; NULL: none */
	bool materialized_as_table;
	bool with_data;
	bool adopt;
	bool cascade;
	bool enabled;
	bool on_change;
	int on_configuration_change; /* enum conf_on_configuration_change */
	int on_remove;               /* enum conf_on_remove */
	struct conf_list depends_on; /* `view` or `db:view` */
	int64_t every;               /* microseconds, 0: not set; the same for all durations */
	int64_t after;
	const char *cron;     /* text that cron_parse has accepted; NULL: not set */
	const char *timezone; /* of cron */
	int64_t target_lag;
	int64_t timeout;
	int64_t lock_timeout;
	int64_t max_retries;
	int64_t retry_backoff;
	int64_t retry_max_backoff;
	int64_t max_consecutive_errors;
	int64_t randomize_for;
	struct conf_list sources; /* tables as written; empty: discovered */
	int64_t debounce;
	int64_t max_delay;
	int64_t at_most_every;
	int64_t max_staleness;
	const char *refresh_group; /* NULL: none */
	const char *run_as;
	const char *pre_hook;
	const char *post_hook;
	const char *notify_channel;
	const char *on_failure; /* a command line that command_words has accepted; NULL: none */
	const char *description;
	const char *owner;
	struct conf_list tags;
	int64_t priority;
	struct conf_origin where; /* of the section header */
	const struct conf_origins *origins;
};

struct conf {
	const char *main_file;
	const char *const *files; /* main file first, includes in name order */
	size_t n_files;
	struct conf_daemon daemon;
	const struct conf_database *databases; /* in order of appearance */
	size_t n_databases;
	const struct conf_view *views;
	size_t n_views;
};

/* All problems of a load, in file order. */
struct conf_problem {
	const char *text; /* "file:line: [section] key: what was wrong; what would be right" */
	bool warning;
	bool of_machine; /* a warning about this machine, an error for viewctl check */
};
struct conf_problems {
	const struct conf_problem *items; /* owned by the talloc context given to conf_load */
	size_t n;
	size_t n_errors;
	size_t n_of_machine;
};

/* The facts of a dialect that conf/ needs. */
struct conf_dialect {
	const char *name;           /* suffix of definition_NAME; what conf_database.dialect becomes */
	const char *const *schemes; /* other schemes of URLs that mean it, up to a NULL; NULL: only its name */
	const char *url_form;       /* how a URL is written, for messages; NULL: nothing is told */
	const struct viewd_dialect_option *options; /* the keys it adds to [database] sections */
	size_t n_options;
};

/* The dialects that exist. conf/ cannot open plugins, so the caller of conf_load hands this in. All that a dialect
 * points to lives as long as ctx, but a listed name only until fn returns. */
struct conf_dialects {
	/* The dialect that a URL's scheme or a name asks for. False: err says why it is not available (reported at the url
	 * line). */
	bool (*find)(void *ctx, const char *word, const char *plugin_dir, struct conf_dialect *out, struct viewd_err *err);
	/* Tells of each dialect that is installed. What a message offers comes from here, so it is asked when something is
	 * wrong. Of one that cannot be used the name alone is told. */
	void (*list)(void *ctx, const char *plugin_dir, void (*fn)(void *fn_ctx, const struct conf_dialect *dialect),
	             void *fn_ctx);
	void *ctx;
	bool may_be_absent; /* that is only a warning: at start one bad plugin must not keep all databases down */
};

/* Reads path and what it includes. [any, one at a time: iniparser's error callback is global]
 * Returns the snapshot with one reference, or NULL with problems->n_errors > 0. problems are always filled and belong
 * to mem_ctx (a talloc context, may be NULL for the top level). dialects may be NULL: every scheme is then the name of
 * a dialect without keys of its own. */
struct conf *conf_load(void *mem_ctx, const char *path, const struct conf_dialects *dialects,
                       struct conf_problems *problems);

/* Where the file says that things are, without judging anything else in it; the defaults when it cannot be read. Texts
 * are allocated on mem_ctx. [any, one at a time, as conf_load] */
struct conf_places {
	const char *control_socket, *plugin_dir;
};
void conf_places(void *mem_ctx, const char *path, struct conf_places *out);

struct conf *conf_ref(struct conf *conf);
void conf_unref(struct conf **conf); /* accepts NULL; leaves NULL */

/* Exact look-ups, by hash; NULL when absent. */
const struct conf_database *conf_find_database(const struct conf *conf, const char *name);
const struct conf_view *conf_find_view(const struct conf *conf, const char *name);

/* The view that goes on with what is recorded of that name in that database, or NULL. */
const struct conf_view *conf_find_follower(const struct conf *conf, const char *name, const char *database);

/* The definition a dialect uses: its own, else the general one, else NULL. */
const struct conf_definition *conf_definition_for(const struct conf_view *view, const char *dialect);

/* Is it to be kept in that database? */
bool conf_view_is_on(const struct conf_view *view, const char *database);

/* Where the value of that number comes from. */
struct conf_origin conf_origin_of(const struct conf_origins *origins, size_t number);

/* Does any key refresh it after a time, whatever changes? */
bool conf_view_is_scheduled(const struct conf_view *view);

/* Fills an ABI spec that points into the snapshot (valid while the snapshot lives). Offline, no allocation. The
 * password is not filled in: login_begin (conf/snapshot/login.h) reads it at connect time, so that a rotated file is
 * seen. */
void conf_database_spec(const struct conf_database *db, struct viewd_database_spec *out);
void conf_view_spec(const struct conf_view *view, const char *dialect, struct viewd_view_spec *out);

/* The URL with its password replaced by ***, allocated on mem_ctx. */
char *conf_redact_url(void *mem_ctx, const char *url);

#endif
