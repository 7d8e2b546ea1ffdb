/* SPDX-License-Identifier: MIT
 *
 * syntax.h: what makes one engine's SQL different from another's, as data.
 *
 * Each dialect has one constant struct syntax. The generators and recipes of plugins/common read it; nothing in
 * plugins/common asks for a dialect's name.
 */
#ifndef VIEWD_COMMON_SYNTAX_H
#define VIEWD_COMMON_SYNTAX_H

#include "viewd_dialect.h"

struct syntax {
	const char *dialect;       /* for messages: "PostgreSQL", "MySQL/MariaDB", "SQLite" */
	char quote;                /* identifier quote, doubled inside: '"' or '`' */
	bool fold_lower;           /* unquoted identifiers fold to lower case (PostgreSQL) */
	size_t max_ident;          /* longest identifier */
	bool max_ident_in_chars;   /* counted in characters (MySQL), else in bytes */
	int max_parts;             /* parts of a relation: 1 name, 2 schema.name */
	char placeholder;          /* '$': $1 $2 ...; '?': ? ? ... */

	/* statements the server has */
	bool materialized_views;
	bool refresh_concurrently;
	bool view_or_replace;
	bool view_if_not_exists;
	bool drop_cascade;
	bool view_options;         /* WITH (...) */
	bool swap;                 /* multi-table RENAME */
	bool transactional_ddl;
	const char *create_table_as; /* how a typed empty table is made from a query: see generate.c */
	const char *table_suffix;    /* " ENGINE=InnoDB" or "" */

	/* Why a mode cannot work for a method here; NULL: it can. [method after resolution][mode] */
	const char *mode_refusal[VIEWD_METHOD_COUNT][VIEWD_MODE_COUNT];

	/* state tables */
	const char *views_table;   /* viewd.views or viewd_views, already quoted */
	const char *history_table;
	const char *type_text;     /* column types of the state tables */
	const char *type_key;      /* text that can be a primary key */
	const char *type_bigint;
	const char *upsert_views;  /* how a row of views is inserted or updated: see state.c */
};

#endif
