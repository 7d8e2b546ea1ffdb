/* SPDX-License-Identifier: MIT
 *
 * syntax.h: what makes one engine's SQL different from another's, as data.
 *
 * Each dialect has one constant struct syntax (plugins/X/syntax.c). The generators and recipes of plugins/common read it;
 * nothing in plugins/common asks for a dialect's name.
 *
 * Templates hold one slot `{}`; sql_template() of sqltext.h fills it. NULL or "" leaves the template out.
 */
#ifndef VIEWD_COMMON_SQLTEXT_SYNTAX_H
#define VIEWD_COMMON_SQLTEXT_SYNTAX_H

#include "viewd_dialect.h"

/* How the tokenizer reads text (lexer.h). */
#define LEX_NESTED_COMMENTS (1u << 0)    /* C comments nest (PostgreSQL) */
#define LEX_HASH_COMMENTS (1u << 1)      /* # starts a comment (MySQL) */
#define LEX_DASH_NEEDS_BLANK (1u << 2)   /* -- starts a comment only before white space or the end (MySQL) */
#define LEX_EXECUTABLE_COMMENTS (1u << 3) /* comments that begin with ! or M! are code, those with + hints (MySQL) */
#define LEX_BACKSLASH (1u << 4)          /* backslash escapes in every '...' (MySQL) */
#define LEX_E_STRINGS (1u << 5)          /* backslash escapes in E'...' (PostgreSQL) */
#define LEX_DOLLAR_QUOTES (1u << 6)      /* $tag$...$tag$ (PostgreSQL) */
#define LEX_BACKTICK (1u << 7)           /* `...` is an identifier (MySQL, SQLite) */
#define LEX_BRACKETS (1u << 8)           /* [...] is an identifier (SQLite) */
#define LEX_DOUBLE_IS_STRING (1u << 9)   /* "..." is a string (MySQL without ANSI_QUOTES) */

struct syntax {
	const char *dialect;       /* for messages: "PostgreSQL", "MySQL/MariaDB", "SQLite" */
	unsigned lexer;            /* LEX_ flags */
	char quote;                /* identifier quote, doubled inside: '"' or '`' */
	bool fold_lower;           /* unquoted identifiers fold to lower case (PostgreSQL) */
	size_t max_ident;          /* longest identifier */
	bool max_ident_in_chars;   /* counted in characters (MySQL), else in bytes */
	int max_parts;             /* parts of a relation: 1 name, 2 schema.name */
	bool no_trailing_blank;    /* names ending in a blank are refused by the server (MySQL) */
	bool bmp_only;             /* characters above U+FFFF cannot be in names (MySQL) */
	bool literal_backslash;    /* a backslash in '...' must be doubled (MySQL) */
	char placeholder;          /* '$': $1 $2 ...; '?': ? ? ... */

	/* what reads the clock (timeword.c), names separated by blanks */
	const char *clock_words;    /* words that are the time: CURRENT_DATE */
	const char *clock_calls;    /* functions that tell it whatever their arguments: now() */
	const char *clock_defaults; /* functions that tell it without an argument, or with 'now' */
	const char *clock_formats;  /* likewise, their first argument being a format */

	/* statements the server has */
	bool materialized_views;
	bool refresh_concurrently;
	bool view_or_replace;
	bool view_if_not_exists;
	bool quoted_may_be_text;   /* a quoted name that is no column is a string, unless it says of which table (SQLite) */
	bool drop_cascade;
	bool view_options;         /* WITH (...) on views and materialized views */
	bool table_options;        /* WITH (...) on tables */
	bool view_settings;        /* a session has settings that one view may want otherwise (db_ops.use_settings) */
	bool transactional_ddl;
	bool leave_at_once;        /* what takes viewd out is one transaction: it keeps every other writer out anyway (SQLite). Else each
	                            * statement is one, so that no two tables are locked together */
	bool index_drop_on_table;  /* DROP INDEX name ON relation (MySQL), else DROP INDEX schema.name */

	/* A typed empty table is CREATE TABLE name AS query + this (" WITH NO DATA", " LIMIT 0"); NULL: the column list is always
	 * written out, with the types query_columns() tells (SQLite). */
	const char *table_from_query;
	const char *table_suffix;  /* after the column list or before AS: " ENGINE=InnoDB" */
	const char *table_comment; /* after table_suffix, slot = tag: " COMMENT='viewd:{}'" */
	const char *name_tag;      /* after the relation's name in CREATE TABLE and CREATE VIEW, slot = tag (SQLite) */

	const char *temporary_schema; /* where temporary tables are, when naming it keeps other tables of the name out: "pg_temp" */
	const char *stage_key;      /* after the columns of a diff's stage, slot = key columns: ", KEY viewd_key ({})"; NULL: the server joins
	                             * without an index well enough */
	bool stage_uncollated;      /* a diff's stage has no collations of its own: two columns of different ones could not be compared, and the
	                             * view's is the one that counts */
	bool stage_first;           /* a write transaction keeps every other writer of the database out (SQLite): a refresh runs the definition
	                             * into a temporary table before it begins one, and finds out there what differs */
	const char *row_ids[3];     /* names of the hidden row number, for stage_first; one that no column has is used */
	bool stage_index;           /* the filled stage gets an index on the key, as a statement of its own (SQLite) */
	const char *drop_temporary; /* "DROP TABLE"; MySQL "DROP TEMPORARY TABLE", which does not commit */

	const char *set_role;       /* takes on a role until the end of the transaction, slot = role: "SET LOCAL ROLE {}"; NULL: no such thing */
	const char *reset_role;     /* and gives it back earlier */
	const char *notify;         /* tells a channel (first parameter) a text (second) when the transaction commits; NULL: no such thing */

	/* Why a mode cannot work for a method here; NULL: it can. [method after resolution][mode] */
	const char *mode_refusal[VIEWD_METHOD_COUNT][VIEWD_MODE_COUNT];

	/* Why a mode cannot take part in a group; NULL: it can. */
	const char *group_refusal[VIEWD_MODE_COUNT];

	/* comparing, exactly: no collation, no numeric equality between types */
	const char *verify_value;  /* one expression in which equal means the same stored value: "quote({})"; NULL stays groupable */
	const char *same_value;    /* NULL-safe "is the very same", slots {a} and {b}, used by the diff refresh */

	/* state tables (state.c) */
	const char *take_requests;  /* removes requests that nobody holds back, in order, and yields id and view of each; NULL: read, then removed */
	const char *state_setup[4]; /* run first by prepare, one statement each: CREATE SCHEMA IF NOT EXISTS viewd; NULL ends */
	const char *state_prefix;  /* "viewd." or "viewd_" */
	const char *views_table;   /* the state of the views: viewd.view_state or viewd_view_state */
	const char *history_table;
	const char *type_text;     /* column types of the state tables */
	const char *type_key;      /* text that can be a primary key */
	const char *type_bigint;
	const char *type_time;     /* timestamptz, DATETIME(6), TEXT */
	const char *type_serial_key; /* bigint that numbers itself, with PRIMARY KEY */
	const char *history_index;   /* CREATE INDEX IF NOT EXISTS ... on history (view, id); NULL: history_inline below does it */
	bool counts_end;            /* the triggers stop counting the changes of a stale view at MARKS_ENOUGH (marks.h) */
	const char *captures_note;  /* comment after the name of `captures` in its CREATE TABLE: what somebody should know who drops it; NULL: none */
	const char *captures_index; /* likewise, by source: whatever notices a change looks for it; NULL: none */
	const char *history_inline;  /* text inside CREATE TABLE after the columns: ", KEY viewd_history_view (view, id)"; or "" */
	const char *state_suffix;    /* after CREATE TABLE of a state table: " ENGINE=InnoDB ..." */
	const char *time_in;       /* parameter to column: "{}::timestamptz", "CAST({} AS DATETIME(6))", "{}" */
	const char *time_out;      /* column to text that timetext_parse() reads (UTC), slot = column */
	bool time_without_zone;    /* times are written without the final Z */
	const char *for_update;    /* " FOR UPDATE"; NULL: a write transaction keeps other writers out anyway */
	const char *upsert_clause; /* " ON CONFLICT (name) DO UPDATE SET " or " ON DUPLICATE KEY UPDATE " */
	const char *upsert_value;  /* the value that was to be inserted, slot = quoted column: "excluded.{}", "VALUES({})" */

	/* the view `viewd.views` or `viewd_views` over them (views.c); with transactional_ddl the statements of a list are one transaction */
	const char *views_is_table; /* query: a row when a table of an earlier version has its name; NULL: no earlier version made one */
	const char *views_move[2];  /* gives that table the column `followed` and the name views_table; NULL ends */
	bool views_copied;          /* or copies it into views_table, which must be there */
	const char *views_form;     /* query: the definition of the view that is there, or NULL, or no row; NULL: no such view is made */
	const char *views_make[5];  /* makes it, slot = query; NULL ends */
	const char *views_pending;  /* condition on a row c of `captures`: a change is written down and not drained; NULL: never */
	const char *views_deaf;     /* likewise: here nobody can know; NULL: never */
	const char *views_error;    /* what shows last_error to those only who may read it, v being the state; NULL: whoever may read the view */
	const char *seconds_since;  /* slot = a time: seconds from then till now, not below 0 */
};

#endif
