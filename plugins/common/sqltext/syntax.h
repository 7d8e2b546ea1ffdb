/* SPDX-License-Identifier: MIT
 *
 * syntax.h: an engine's SQL as data: all that differs from engine to engine.
 *
 * Each dialect has one constant struct syntax (plugins/X/conn/syntax.c). The generators and recipes of plugins/common
 * read it; nothing in plugins/common asks for a dialect's name.
 *
 * Templates hold one slot `{}`; sql_template() of sqltext.h fills it. NULL or "" leaves the template out.
 */
#ifndef VIEWD_COMMON_SQLTEXT_SYNTAX_H
#define VIEWD_COMMON_SQLTEXT_SYNTAX_H

#include "viewd_dialect.h"

/* How the tokenizer reads text (lexer.h). */
#define LEX_NESTED_COMMENTS (1u << 0)     /* C comments nest (PostgreSQL) */
#define LEX_HASH_COMMENTS (1u << 1)       /* # starts a comment (MySQL) */
#define LEX_DASH_NEEDS_BLANK (1u << 2)    /* -- starts a comment only before white space or the end (MySQL) */
#define LEX_EXECUTABLE_COMMENTS (1u << 3) /* comments that begin with ! or M! are code, those with + hints (MySQL) */
#define LEX_BACKSLASH (1u << 4)           /* backslash escapes in every '...' (MySQL) */
#define LEX_E_STRINGS (1u << 5)           /* backslash escapes in E'...' (PostgreSQL) */
#define LEX_DOLLAR_QUOTES (1u << 6)       /* $tag$...$tag$ (PostgreSQL) */
#define LEX_BACKTICK (1u << 7)            /* `...` is an identifier (MySQL, SQLite) */
#define LEX_BRACKETS (1u << 8)            /* [...] is an identifier (SQLite) */
#define LEX_DOUBLE_IS_STRING (1u << 9)    /* "..." is a string (MySQL without ANSI_QUOTES) */
#define LEX_AT_VARIABLES (1u << 10) /* @name is a variable or a parameter, and @ is in no operator (MySQL, SQLite) */

/* A column that a table gets besides those of its rows: its definition; NULL: none. */
struct row_key {
	const char *table;
	const char *temporary; /* of a temporary table */
	bool known;            /* the server was asked */
};

/* How objects are named. */
struct syntax_names {
	char quote;             /* identifier quote, doubled inside: '"' or '`'. Required */
	size_t max;             /* longest identifier. Required */
	int max_parts;          /* parts of a relation: 1 name, 2 schema.name. Required */
	bool max_in_chars;      /* counted in characters (MySQL), else in bytes */
	bool fold_lower;        /* unquoted identifiers fold to lower case (PostgreSQL) */
	bool any_case;          /* relations are found in any case, quoted or not (SQLite) */
	bool no_trailing_blank; /* names ending in a blank are refused by the server (MySQL) */
	bool bmp_only;          /* characters above U+FFFF cannot be in names (MySQL) */
};

/* How text is read and written. */
struct syntax_lexer {
	unsigned flags;          /* LEX_ flags */
	char placeholder;        /* '$': $1 $2 ...; '?': ? ? ... Required */
	bool literal_backslash;  /* a backslash in '...' must be doubled (MySQL) */
	bool quoted_may_be_text; /* a quoted name that is no column is a string, unless it says of which table (SQLite) */
};

/* Whatever reads the clock (timeword.c): names separated by blanks. */
struct syntax_clock {
	const char *words;    /* words that are the time: CURRENT_DATE */
	const char *calls;    /* functions that tell it whatever their arguments: now() */
	const char *defaults; /* functions that tell it without an argument, or with 'now' */
	const char *formats;  /* likewise, their first argument being a format */
};

/* Statements and clauses that the server has. */
struct syntax_has {
	bool materialized_views;
	bool refresh_concurrently;
	bool view_or_replace;
	bool view_if_not_exists;
	bool drop_cascade;
	bool view_options;  /* WITH (...) on views and materialized views */
	bool table_options; /* WITH (...) on tables */
	bool view_settings; /* a session has settings that one view may want otherwise (db_ops.session.use_settings) */
	bool transactional_ddl;
};

/* Tables of views. */
struct syntax_table {
	/* A typed empty table is CREATE TABLE name AS query + this (" WITH NO DATA", " LIMIT 0"); NULL: the column list is
	 * always written out, with the types that query_columns() tells (SQLite). */
	const char *from_query;
	const char *suffix;   /* after the column list or before AS: " ENGINE=InnoDB" */
	const char *comment;  /* after suffix, slot = tag: " COMMENT='viewd:{}'" */
	const char *name_tag; /* after the relation's name in CREATE TABLE and CREATE VIEW, slot = tag (SQLite) */
	bool drops_index;     /* DROP INDEX name ON relation (MySQL), else DROP INDEX schema.name */
	bool no_unique_index; /* a unique_key gets no index: the engine checks one too early for a refresh by rows */
};

/* Temporary tables. */
struct syntax_temporary {
	const char *schema; /* where they are, when naming it keeps other tables of the name out: "pg_temp" */
	const char *drop;   /* "DROP TABLE"; MySQL "DROP TEMPORARY TABLE", which does not commit. Required */
};

/* A refresh by rows: the stage holds the new rows beside the view. */
struct syntax_diff {
	/* After the columns of the stage, slot = key columns: ", KEY viewd_key ({})"; NULL: the server joins well enough
	 * without an index */
	const char *stage_key;
	/* The stage has no collations of its own: two columns of different ones could not be compared, and the view's is
	 * the one that counts */
	bool stage_uncollated;
	/* A write transaction keeps every other writer of the database out (SQLite): a refresh runs the definition into
	 * a temporary table before it begins one, and finds out there what differs */
	bool stage_first;
	bool stage_index;       /* the filled stage gets an index on the key, as a statement of its own (SQLite) */
	const char *row_ids[3]; /* names of the hidden row number, for stage_first; one that no column has is used */
	const char *same_value; /* NULL-safe "is the very same", slots {a} and {b}. Required where diff is not refused */
};

/* Roles, for run_as. NULL: no such thing. */
struct syntax_role {
	const char *set;   /* takes on a role until the end of the transaction, slot = role: "SET LOCAL ROLE {}" */
	const char *reset; /* and gives it back earlier */
};

/* Grants on one relation. NULL: the engine has no accounts. */
struct syntax_grants {
	bool hosts; /* accounts are name@host */
	/* SQL: a number, > 0 when the account has the privilege on the relation, 0 when it has not, < 0 when viewd may not
	 * see that. Parameters: schema, name, privilege in capitals, account (name, or name@host) */
	const char *has;
	const char *guard; /* stands before GRANT, so that it makes no account. NULL: it never does */
	/* SQL: how many besides its owner may read the relation (schema, name). NULL: that is not told */
	const char *readers;
};

/* Column types of the state tables. All required. */
struct syntax_types {
	const char *text;
	const char *key; /* text that can be a primary key */
	const char *bigint;
	const char *time;       /* timestamptz, DATETIME(6), TEXT */
	const char *serial_key; /* bigint that numbers itself, with PRIMARY KEY */
};

/* Times in the state tables. */
struct syntax_time {
	const char *in;    /* parameter to column: "{}::timestamptz", "CAST({} AS DATETIME(6))", "{}". Required */
	const char *out;   /* column to text that timetext_parse() reads (UTC), slot = column. Required */
	bool without_zone; /* times are written without the final Z */
	/* Slot = a time: seconds from then till now, not below 0. Required where views.form is there */
	const char *seconds_since;
};

/* The state tables (state/). */
struct syntax_state {
	/* Run first by prepare, one statement each: CREATE SCHEMA IF NOT EXISTS viewd; NULL ends */
	const char *setup[4];
	const char *prefix;        /* "viewd." or "viewd_". Required */
	const char *views;         /* the state of the views: viewd.view_state or viewd_view_state. Required */
	const char *history;       /* the table of past runs. Required */
	const char *suffix;        /* after CREATE TABLE of a state table: " ENGINE=InnoDB ..." */
	const char *history_index; /* CREATE INDEX IF NOT EXISTS ... on history (view, id); NULL: history_inline does it */
	/* Text inside CREATE TABLE after the columns: ", KEY viewd_history_view (view, id)"; or "" */
	const char *history_inline;
	/* Comment after the name of `captures` in its CREATE TABLE: what somebody should know who drops it; NULL: none */
	const char *captures_note;
	const char *captures_index; /* likewise, by source: whatever notices a change looks for it; NULL: none */
	/* Removes requests that nobody holds back, in order, and yields id and view of each; NULL: read, then removed */
	const char *take_requests;
	const char *for_update;    /* " FOR UPDATE"; NULL: a write transaction keeps other writers out anyway */
	const char *upsert_clause; /* " ON CONFLICT (name) DO UPDATE SET " or " ON DUPLICATE KEY UPDATE ". Required */
	/* The value that was to be inserted, slot = quoted column: "excluded.{}", "VALUES({})". Required */
	const char *upsert_value;
	bool counts_end; /* the triggers stop counting the changes of a stale view at MARKS_ENOUGH (marks.h) */
	bool polls_late; /* a poll may tell of a commit long after it: polled views have a row for doubts (marks.h) */
	/* Taking viewd out is one transaction, which keeps every other writer out anyway (SQLite). Else each statement is
	 * one, so that no two tables are locked together */
	bool leave_at_once;
};

/* The row that says who leads a database (state/lease.c). All required where there is such a row. */
struct syntax_lease {
	const char *where;    /* the one row of the table: " WHERE ..." */
	const char *now;      /* the clock of the server, not that of the transaction */
	const char *seconds;  /* an interval, slot = number */
	const char *recorded; /* what else is set when somebody begins to lead: ", since = ..."; or "" */
};

/* The view `viewd.views` or `viewd_views` over them (state/views.c); with transactional DDL the statements of a list
 * are one transaction. */
struct syntax_views {
	/* Query: the definition of the view that is there, or NULL, or no row; NULL: no such view is made */
	const char *form;
	const char *make[5]; /* makes it, slot = query; NULL ends */
	/* Query: a row when a table of an earlier version has its name; NULL: no earlier version made one */
	const char *is_table;
	const char *move[2]; /* gives that table the column `followed` and the name state.views; NULL ends */
	bool copied;         /* or copies it into state.views, which must be there */
	/* Condition on a row c of `captures`: a change is written down and not drained; NULL: never */
	const char *pending;
	const char *deaf; /* likewise: here nobody can know; NULL: never */
	/* An expression that shows last_error to those only who may read it, v being the state; NULL: whoever may read the
	 * view */
	const char *error;
};

struct syntax {
	const char *dialect; /* for messages: the engine's name as people write it. Required */
	struct syntax_names names;
	struct syntax_lexer lexer;
	struct syntax_clock clock;
	struct syntax_has has;
	struct syntax_table table;
	struct syntax_temporary temporary;
	struct syntax_diff diff;
	struct syntax_role role;
	struct syntax_grants grants;
	struct syntax_types types;
	struct syntax_time time;
	struct syntax_state state;
	struct syntax_lease lease;
	struct syntax_views views;

	/* Tells a channel (first parameter) a text (second) when the transaction commits; NULL: no such thing */
	const char *notify;
	/* One expression in which equal means the same stored value, no collation and no numeric equality between types:
	 * "quote({})"; NULL stays groupable */
	const char *verify_value;

	/* Why a mode cannot work for a method here; NULL: it can. [method after resolution][mode] */
	const char *mode_refusal[VIEWD_METHOD_COUNT][VIEWD_MODE_COUNT];
	/* Why a mode cannot take part in a group; NULL: it can. */
	const char *group_refusal[VIEWD_MODE_COUNT];
};

#endif
