/* SPDX-License-Identifier: MIT
 *
 * walk.c: walks from a definition to everything that its contents depend on.
 *
 * pg_depend does not list what is pinned: the server's own functions and catalogues. Those are found in the parsed
 * query itself (https://www.postgresql.org/docs/15/catalog-pg-rewrite.html). What is neither followed nor known to be
 * harmless becomes an entry that nothing hears.
 */
#include "postgresql/depends/walk.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

#include "base/err.h"
#include "base/words.h"
#include "common/sqltext/lexer.h"
#include "common/state/state.h"
#include "postgresql/depends/shards.h"
#include "postgresql/depends/stamp.h"

/* Bytes of a text that the clock reads: now, today, tomorrow, yesterday. */
#define CLOCK_BYTES \
	"\\m((110|78) (111|79) (119|87)|(116|84) (111|79) (100|68) (97|65) (121|89)" \
	"|(116|84) (111|79) (109|77) (111|79) (114|82) (114|82) (111|79) (119|87)" \
	"|(121|89) (101|69) (115|83) (116|84) (101|69) (114|82) (100|68) (97|65) (121|89))\\M"

/* In the parsed query: nodes of the clock, by their number from 100; others. */
enum feature { FEATURE_SAMPLE = 1, FEATURE_CLOCK_TEXT = 2, FEATURE_CLOCK = 100 };

/* $1, $2: oids of relations and functions to begin with. Rows: what (a letter), how, schema, name, name for people,
 * detail, identity, stamp, digest. Nodes of class 0 are features; 3 is row security. */
/* clang-format off */
#define WALK_SQL(pending, body) \
	"WITH RECURSIVE starts (classid, objid) AS (" \
	" SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, r FROM pg_catalog.unnest($1::oid[]) AS r" \
	" UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::oid, f FROM pg_catalog.unnest($2::oid[]) AS f)," \
	" found (start, classid, objid) AS (" \
	" SELECT true, classid, objid FROM starts" \
	" UNION" \
	" SELECT false, e.* FROM found d CROSS JOIN LATERAL (" \
	"  SELECT d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AS is_class, d.classid = " \
	"'pg_catalog.pg_proc'::pg_catalog.regclass AS is_proc," \
	"   d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AS is_type) AS k CROSS JOIN LATERAL (" \
	"  SELECT x.refclassid, x.refobjid FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_class c ON c.oid = w.ev_class" \
	"   JOIN pg_catalog.pg_depend x ON x.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND x.objid = w.oid" \
	"   WHERE k.is_class AND w.ev_class = d.objid AND w.rulename = '_RETURN' AND c.relkind = 'v'" \
	"   AND (d.start OR (d.objid >= 16384 AND c.relnamespace <> pg_catalog.to_regnamespace('information_schema')))" \
	"   AND x.refobjid <> d.objid AND x.refclassid <> 'pg_catalog.pg_namespace'::pg_catalog.regclass" \
	"  UNION ALL" \
	"  SELECT x.refclassid, x.refobjid FROM pg_catalog.pg_depend x" \
	"   WHERE (d.objid >= 16384 OR d.start) AND x.classid = d.classid AND x.objid = d.objid AND x.deptype IN ('n', " \
	"'a') AND x.refobjid <> d.objid" \
	"   AND x.refclassid IN ('pg_catalog.pg_class'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass, " \
	"'pg_catalog.pg_type'::pg_catalog.regclass," \
	"    'pg_catalog.pg_operator'::pg_catalog.regclass, 'pg_catalog.pg_ts_config'::pg_catalog.regclass)" \
	"   AND (k.is_proc OR d.classid IN ('pg_catalog.pg_operator'::pg_catalog.regclass, " \
	"'pg_catalog.pg_cast'::pg_catalog.regclass)" \
	"    OR d.classid IN ('pg_catalog.pg_policy'::pg_catalog.regclass, " \
	"'pg_catalog.pg_constraint'::pg_catalog.regclass) AND x.deptype = 'n')" \
	"  UNION ALL" \
	"  SELECT n.refclassid, n.refobjid FROM (" \
	"   SELECT w.ev_action::text FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_class c ON c.oid = w.ev_class" \
	"    WHERE k.is_class AND w.ev_class = d.objid AND w.rulename = '_RETURN' AND c.relkind = 'v'" \
	"    AND (d.start OR (d.objid >= 16384 AND c.relnamespace <> pg_catalog.to_regnamespace('information_schema')))" \
	"   UNION ALL SELECT " body " FROM pg_catalog.pg_proc p WHERE k.is_proc AND p.oid = d.objid AND d.objid >= 16384" \
	"   UNION ALL SELECT p.polqual::text FROM pg_catalog.pg_policy p WHERE d.classid = " \
	"'pg_catalog.pg_policy'::pg_catalog.regclass AND p.oid = d.objid" \
	"   UNION ALL SELECT x.conbin::text FROM pg_catalog.pg_constraint x WHERE d.classid = " \
	"'pg_catalog.pg_constraint'::pg_catalog.regclass AND x.oid = d.objid" \
	"   ) AS tree (nodes) CROSS JOIN LATERAL (" \
	"   SELECT CASE WHEN m[1] = 'relid' THEN 'pg_catalog.pg_class'::pg_catalog.regclass::oid ELSE " \
	"'pg_catalog.pg_proc'::pg_catalog.regclass::oid END, m[2]::oid" \
	"    FROM pg_catalog.regexp_matches(nodes, " \
	"':(relid|funcid|opfuncid|aggfnoid|winfnoid|tsmhandler|startInRangeFunc|endInRangeFunc) (\\d+)', 'g') AS m" \
	"    WHERE m[2] <> '0' AND m[2]::oid <> d.objid" \
	"   UNION ALL SELECT 0::oid, (100 + m[1]::int)::oid FROM pg_catalog.regexp_matches(nodes, 'SQLVALUEFUNCTION :op " \
	"(\\d+)', 'g') AS m WHERE m[1]::int < 9" \
	"   UNION ALL SELECT 0::oid, 1::oid WHERE pg_catalog.strpos(nodes, 'TABLESAMPLECLAUSE') > 0" \
	"   UNION ALL SELECT 0::oid, 2::oid WHERE nodes ~ 'COERCEVIAIO|FUNCEXPR' AND nodes ~* '" CLOCK_BYTES "'" \
	"    AND nodes ~ 'COERCEVIAIO :arg .*:resulttype (1082|1083|1114|1184|1266) '" \
	"   ) AS n (refclassid, refobjid)" \
	"  UNION ALL" \
	"  SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, a.atttypid FROM pg_catalog.pg_attribute a JOIN " \
	"pg_catalog.pg_class c ON c.oid = a.attrelid" \
	"   WHERE k.is_class AND a.attrelid = d.objid AND c.relkind <> 'v' AND a.attnum > 0 AND a.atttypid >= 16384" \
	"  UNION ALL" \
	"  SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, p.oid FROM pg_catalog.pg_policy p JOIN " \
	"pg_catalog.pg_class c ON c.oid = p.polrelid" \
	"   WHERE k.is_class AND p.polrelid = d.objid AND c.relrowsecurity" \
	"  UNION ALL" \
	"  SELECT 0, 3::oid FROM pg_catalog.pg_class c WHERE k.is_class AND c.oid = d.objid AND c.relrowsecurity" \
	"  UNION ALL" \
	"  SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, x.oid FROM pg_catalog.pg_constraint x WHERE k.is_type " \
	"AND x.contypid = d.objid" \
	"  UNION ALL" \
	"  SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, u.oid FROM pg_catalog.pg_type y LEFT JOIN " \
	"pg_catalog.pg_range g ON g.rngtypid = y.oid" \
	"   CROSS JOIN LATERAL (VALUES (y.typelem), (y.typbasetype), (g.rngsubtype)) AS u (oid) WHERE k.is_type AND " \
	"y.oid = d.objid AND u.oid >= 16384" \
	"  UNION ALL" \
	"  SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, a.atttypid FROM pg_catalog.pg_type y JOIN " \
	"pg_catalog.pg_attribute a ON a.attrelid = y.typrelid" \
	"   WHERE k.is_type AND y.oid = d.objid AND y.typrelid <> 0 AND a.attnum > 0 AND a.atttypid >= 16384" \
	" ) AS e (refclassid, refobjid))," \
	" nodes (classid, objid) AS MATERIALIZED (SELECT DISTINCT classid, objid FROM found WHERE NOT start)," \
	" relations (oid, system) AS (SELECT c.oid, c.oid < 16384 OR n.nspname IN ('pg_catalog', 'information_schema', " \
	"'pg_toast') FROM nodes d" \
	"  JOIN pg_catalog.pg_class c ON c.oid = d.objid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace" \
	"  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S'))," \
	" alls (identity, cls, oid, stamp, digest) AS MATERIALIZED (SELECT i.identity, i.cls, i.oid, s.stamp, s.digest " \
	"FROM (" \
	"  SELECT 'r' || r.oid, 'r', r.oid FROM relations r JOIN pg_catalog.pg_class c ON c.oid = r.oid WHERE NOT " \
	"r.system AND c.relkind <> 'S'" \
	"  UNION ALL SELECT 'f' || objid, 'f', objid FROM nodes WHERE classid = " \
	"'pg_catalog.pg_proc'::pg_catalog.regclass AND objid >= 16384" \
	"  UNION ALL SELECT 't' || y.oid, 't', y.oid FROM nodes d JOIN pg_catalog.pg_type y ON y.oid = d.objid LEFT JOIN " \
	"pg_catalog.pg_class c ON c.oid = y.typrelid" \
	"   WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND y.oid >= 16384 AND y.typcategory <> 'A' AND " \
	"coalesce(c.relkind, 'c') = 'c'" \
	"  UNION ALL SELECT 'c' || objid, 'c', objid FROM nodes WHERE classid = " \
	"'pg_catalog.pg_ts_config'::pg_catalog.regclass AND objid >= 16384" \
	"  UNION ALL SELECT 'm0', 'm', 0::oid FROM nodes WHERE classid = 0 AND objid = 3::oid) AS i (identity, cls, oid)" \
	"  LEFT JOIN LATERAL (SELECT b.stamp, b.digest FROM viewd.objects b WHERE b.identity = i.identity LIMIT 1) AS s " \
	"ON true)," \
	" obj AS (SELECT * FROM alls)" PG_STAMPS_SQL(pending) "," \
	" rows (what, how, schema, name, shown, detail, identity) AS (" \
	" SELECT 'r', c.relkind::text, n.nspname, c.relname, CASE WHEN r.system OR c.relkind = 'S' THEN " \
	"pg_catalog.format('%I.%I', n.nspname, c.relname) END," \
	"  CASE WHEN r.system THEN 'system' END, o.identity FROM relations r JOIN pg_catalog.pg_class c ON c.oid = r.oid" \
	"  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN obj o ON o.cls = 'r' AND o.oid = c.oid" \
	" UNION ALL" \
	" SELECT 'r', 'f', n.nspname, c.relname, NULL, NULL, NULL FROM parts p JOIN pg_catalog.pg_inherits i ON " \
	"i.inhparent = p.oid" pending \
	"  JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relkind = 'f' JOIN pg_catalog.pg_namespace n ON n.oid " \
	"= c.relnamespace" \
	" UNION ALL" \
	" SELECT 'f', CASE WHEN p.oid >= 16384 THEN CASE WHEN p.prokind = 'a' OR l.lanname = 'sql' AND " body \
	" IS NOT NULL THEN 'through' WHEN l.lanname = 'sql' THEN 'text_' || p.provolatile::text" \
	"  WHEN p.provolatile = 'i' THEN 'promise' ELSE 'unheard' END" \
	"  WHEN p.oid IN ('pg_catalog.now()'::pg_catalog.regprocedure, " \
	"'pg_catalog.transaction_timestamp()'::pg_catalog.regprocedure," \
	"  'pg_catalog.statement_timestamp()'::pg_catalog.regprocedure, " \
	"'pg_catalog.clock_timestamp()'::pg_catalog.regprocedure, 'pg_catalog.timeofday()'::pg_catalog.regprocedure," \
	"  'pg_catalog.age(timestamptz)'::pg_catalog.regprocedure, 'pg_catalog.age(timestamp)'::pg_catalog.regprocedure) " \
	"THEN 'clock'" \
	"  WHEN p.proname ~ '^(random|random_normal|gen_random_uuid|uuidv4|uuidv7)$' THEN 'random'" \
	"  WHEN p.provolatile = 's' AND (p.proname ~ " \
	"('^(date|time|timetz|timestamp|timestamptz|timezone|extract|date_part|date_trunc|date_bin|date_add|" \
	"date_subtract|to_char|to_date'" \
	"  || '|to_number|to_timestamp|make_timestamptz|generate_series|overlaps|in_range|concat|concat_ws|format|" \
	"array_to_string|array_to_json|quote_literal|quote_nullable'" \
	"  || '|anytextcat|textanycat|row_to_json|to_json|to_jsonb|jsonb?_(agg|object_agg|build|populate|to_record|path_|" \
	"to_tsvector).*|length|convert|convert_from|convert_to'" \
	"  || '|numeric|money|xml|xml_is_well_formed|to_tsvector|to_tsquery|plainto_tsquery|phraseto_tsquery|" \
	"websearch_to_tsquery|ts_headline|ts_match_tq|ts_match_tt'" \
	"  || '|enum_first|enum_last|enum_range|pg_typeof|current_database|current_schema|current_schemas|current_user|" \
	"session_user|getdatabaseencoding|pg_client_encoding)$')" \
	"  OR p.proname ~ '^(date|timestamp|timestamptz|interval)_(cmp|eq|ne|lt|le|gt|ge|mi|pl)_' OR p.proname ~ " \
	"'(_in|_out|_send)$' AND p.proname !~ '^(aclitem|reg)')" \
	"  THEN 'harmless' ELSE 'unheard' END, n.nspname, p.proname, pg_catalog.format('%I.%I(%s)', n.nspname, " \
	"p.proname, pg_catalog.oidvectortypes(p.proargtypes)), l.lanname," \
	"  o.identity FROM nodes d JOIN pg_catalog.pg_proc p ON p.oid = d.objid AND (p.oid >= 16384 OR p.provolatile <> " \
	"'i')" \
	"  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON l.oid = p.prolang" \
	"  LEFT JOIN obj o ON o.cls = 'f' AND o.oid = p.oid WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass " \
	"AND NOT ('internal'::pg_catalog.regtype = ANY (p.proargtypes::oid[]))" \
	" UNION ALL" \
	" SELECT 't', y.typtype::text, n.nspname, y.typname, pg_catalog.format('%I.%I', n.nspname, y.typname), NULL, " \
	"o.identity" \
	"  FROM obj o JOIN pg_catalog.pg_type y ON y.oid = o.oid JOIN pg_catalog.pg_namespace n ON n.oid = " \
	"y.typnamespace WHERE o.cls = 't'" \
	" UNION ALL" \
	" SELECT 'c', NULL, n.nspname, x.cfgname, pg_catalog.format('%I.%I', n.nspname, x.cfgname), NULL, o.identity" \
	"  FROM obj o JOIN pg_catalog.pg_ts_config x ON x.oid = o.oid JOIN pg_catalog.pg_namespace n ON n.oid = " \
	"x.cfgnamespace WHERE o.cls = 'c'" \
	" UNION ALL" \
	" SELECT 'm', NULL, NULL, NULL, NULL, NULL, o.identity FROM obj o WHERE o.cls = 'm'" \
	" UNION ALL" \
	" SELECT 'x', d.objid::text, NULL, NULL, NULL, NULL, NULL FROM nodes d WHERE d.classid = 0 AND d.objid <> 3::oid" \
	" UNION ALL" \
	" SELECT 'o', NULL, NULL, NULL, pg_catalog.pg_describe_object(d.classid, d.objid, 0), NULL, NULL FROM nodes d " \
	"JOIN pg_catalog.pg_class c ON c.oid = d.classid" \
	"  WHERE d.classid <> 0 AND c.relname NOT IN ('pg_class', 'pg_proc', 'pg_type', 'pg_operator', 'pg_collation', " \
	"'pg_opclass', 'pg_opfamily', 'pg_cast', 'pg_constraint'," \
	"  'pg_policy', 'pg_ts_config', 'pg_ts_dict', 'pg_language', 'pg_extension', 'pg_am', 'pg_conversion'))" \
	" SELECT w.what, w.how, w.schema, w.name, w.shown, w.detail, w.identity, s.stamp, CASE WHEN o.identity IS NOT " \
	"NULL THEN " PG_DIGEST_SQL " END" \
	" FROM rows w LEFT JOIN obj o ON o.identity = w.identity LEFT JOIN stamps s ON s.identity = w.identity" \
	" ORDER BY w.what DESC, w.schema, w.name, w.shown"
/* clang-format on */

enum { W_WHAT, W_HOW, W_SCHEMA, W_NAME, W_SHOWN, W_DETAIL, W_IDENTITY, W_STAMP, W_DIGEST };

/* ---- entries ---- */

static const char *printed(struct walk *w, const char *word, const char *name)
{
	char *text = talloc_asprintf(w->list->mem, "%s %s", word, name);
	assert(text != NULL);
	return text;
}

void walk_note(struct walk *w, enum viewd_depends kind, const char *name, const char *unheard)
{
	struct dependency entry = {.kind = kind, .source = printed(w, word_depends(kind), name), .unheard = unheard};
	dependencies_add(&w->conn->db, w->list, &entry);
}

/* The row's entry with what can be compared of it. */
static struct dependency comparable(const char *const *v, enum viewd_depends kind)
{
	return (struct dependency){.kind = kind, .identity = v[W_IDENTITY], .stamp = v[W_STAMP], .digest = v[W_DIGEST]};
}

static void add_named(struct walk *w, const char *const *v, enum viewd_depends kind, const char *name,
                      const char *unheard)
{
	struct dependency entry = comparable(v, kind);
	entry.source = printed(w, word_depends(kind), name);
	entry.unheard = unheard;
	dependencies_add(&w->conn->db, w->list, &entry);
}

static void add_relation(struct walk *w, const char *const *v)
{
	static const struct {
		char relkind;
		enum viewd_depends kind;
	} kinds[] = {{'r', VIEWD_DEPENDS_TABLE},
	             {'p', VIEWD_DEPENDS_TABLE},
	             {'v', VIEWD_DEPENDS_VIEW},
	             {'m', VIEWD_DEPENDS_MATVIEW},
	             {'f', VIEWD_DEPENDS_FOREIGN}};
	struct dependency entry = comparable(v, VIEWD_DEPENDS_OTHER);
	if (v[W_DETAIL] != NULL) {
		walk_note(w, VIEWD_DEPENDS_CATALOGUE, v[W_SHOWN], "the server's own: no trigger tells of its changes");
		return;
	}
	if (v[W_HOW][0] == 'S') {
		walk_note(w, VIEWD_DEPENDS_SEQUENCE, v[W_SHOWN], "drawing numbers tells nobody");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].relkind == v[W_HOW][0])
			entry.kind = kinds[i].kind;
	snprintf(entry.rel.schema, sizeof entry.rel.schema, "%s", v[W_SCHEMA]);
	snprintf(entry.rel.name, sizeof entry.rel.name, "%s", v[W_NAME]);
	if (strcmp(entry.rel.schema, "viewd") == 0)
		entry.unheard = STATE_UNHEARD;
	else if (entry.kind == VIEWD_DEPENDS_FOREIGN)
		entry.unheard = "its rows are somewhere else, and changes made there are not told";
	dependencies_add(&w->conn->db, w->list, &entry);
}

static void add_body(struct walk *w, const char *const *v)
{
	for (size_t i = 0; i < w->n_bodies; i++)
		if (strcmp(w->bodies[i].oid, v[W_IDENTITY] + 1) == 0)
			return;
	w->bodies = talloc_realloc(w->list->mem, w->bodies, struct walk_body, w->n_bodies + 1);
	assert(w->bodies != NULL);
	struct walk_body *body = &w->bodies[w->n_bodies++];
	*body = (struct walk_body){.source = talloc_strdup(w->list->mem, v[W_SHOWN]),
	                           .immutable = strcmp(v[W_HOW], "text_i") == 0};
	snprintf(body->oid, sizeof body->oid, "%s", v[W_IDENTITY] + 1);
}

static void add_function(struct walk *w, const char *const *v)
{
	const char *how = v[W_HOW], *unheard = NULL;
	if (strcmp(how, "clock") == 0 || strcmp(how, "random") == 0) {
		char *call = talloc_asprintf(w->list->mem, "%s()", v[W_NAME]);
		walk_note(w, VIEWD_DEPENDS_CLOCK, call,
		          how[0] == 'c' ? "its value changes with time" : "its value is another one each time");
		return;
	}
	if (strcmp(how, "harmless") == 0)
		return;
	if (strncmp(how, "text_", 5) == 0)
		add_body(w, v);
	else if (strcmp(how, "unheard") == 0 && v[W_IDENTITY] != NULL)
		unheard = talloc_asprintf(
			w->list->mem, "in %s and not IMMUTABLE: what it reads is not known (name it in sources)", v[W_DETAIL]);
	else if (strcmp(how, "unheard") == 0)
		unheard = "what it reads is not known";
	add_named(w, v, VIEWD_DEPENDS_FUNCTION, v[W_SHOWN], unheard);
}

static void add_feature(struct walk *w, int feature)
{
	/* In the order of SQLValueFunctionOp. */
	static const char *const clocks[] = {"CURRENT_DATE",      "CURRENT_TIME",      "CURRENT_TIME",
	                                     "CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP", "LOCALTIME",
	                                     "LOCALTIME",         "LOCALTIMESTAMP",    "LOCALTIMESTAMP"};
	if (feature == FEATURE_SAMPLE)
		walk_note(w, VIEWD_DEPENDS_OTHER, "TABLESAMPLE", "which rows it takes is chance");
	else if (feature == FEATURE_CLOCK_TEXT)
		walk_note(w, VIEWD_DEPENDS_CLOCK, "'now' as text", "a text that means the time at which it is read");
	else if (feature >= FEATURE_CLOCK && feature < FEATURE_CLOCK + (int)ARRAY_LEN(clocks))
		walk_note(w, VIEWD_DEPENDS_CLOCK, clocks[feature - FEATURE_CLOCK], "its value changes with time");
}

static bool add_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct walk *w = ctx;
	switch (v[W_WHAT][0]) {
	case 'r':
		add_relation(w, v);
		break;
	case 'f':
		add_function(w, v);
		break;
	case 't':
		add_named(w, v, VIEWD_DEPENDS_TYPE, v[W_SHOWN], NULL);
		break;
	case 'c':
		add_named(w, v, VIEWD_DEPENDS_OTHER, printed(w, "text search configuration", v[W_SHOWN]), NULL);
		break;
	case 'm':
		add_named(w, v, VIEWD_DEPENDS_SETTING, "members of roles, for row security", NULL);
		break;
	case 'x':
		add_feature(w, (int)strtol(v[W_HOW], NULL, 10));
		break;
	default:
		walk_note(w, VIEWD_DEPENDS_OTHER, v[W_SHOWN] != NULL ? v[W_SHOWN] : "object",
		          "viewd does not know how it changes");
	}
	return true;
}

static const struct db_reader add_row[] = {{add_row_fn, "tTTTTTTTT", "what a definition depends on"}};

/* ---- walking ---- */

bool walk_from(struct walk *w, const struct walk_start *start, struct viewd_err *err)
{
	static const char sql[] = WALK_SQL(PG_NOT_PENDING, "p.prosqlbody::text"), sql13[] = WALK_SQL("", "NULL::text");
	char relation[32], function[32];
	const char *params[] = {relation, function};
	snprintf(relation, sizeof relation, "{%s}", start->relation != NULL ? start->relation : "");
	snprintf(function, sizeof function, "{%s}", start->function != NULL ? start->function : "");
	return pg_query_with_queue(w->conn, PQserverVersion(w->conn->pg) < 140000 ? sql13 : sql, params, ARRAY_LEN(params),
	                           add_row, w, err);
}

/* The word as such among the characters of a string. */
static bool has_word(const struct lex_token *text, const char *word)
{
	size_t len = strlen(word);
	for (size_t i = 0; i + len <= text->len; i++)
		if (strncasecmp(text->text + i, word, len) == 0 && (i == 0 || !isalnum((unsigned char)text->text[i - 1])) &&
		    (i + len == text->len || !isalnum((unsigned char)text->text[i + len])))
			return true;
	return false;
}

static const char *clock_word(const char *text)
{
	static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};
	struct lex_token tok;
	while ((tok = lex_next(pg_syntax.lexer.flags, &text)).kind != LEX_END)
		for (size_t i = 0; i < ARRAY_LEN(words) && tok.kind == LEX_STRING; i++)
			if (has_word(&tok, words[i]))
				return words[i];
	return NULL;
}

static bool truth_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0] != NULL && v[0][0] == 't';
	return false;
}

static const struct db_reader truth_row[] = {{truth_row_fn, "T", "whether a definition has read the clock"}};

/* Whatever has become a time, a date, a range or an array of these may have been the word. */
bool walk_literals(struct walk *w, const char *text, const struct walk_start *start, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] = "SELECT nodes ~ ':consttype (1082|1083|1114|1115|1182|1184|1185|1266|3908|3910|3912) ' "
	                          "FROM (SELECT ev_action::text"
		" FROM pg_catalog.pg_rewrite WHERE ev_class = $1::oid UNION ALL SELECT pg_catalog.to_jsonb(p) ->> 'prosqlbody'"
		" FROM pg_catalog.pg_proc p WHERE oid = $2::oid) AS tree (nodes)";
	/* clang-format on */
	const char *params[] = {start->relation, start->function};
	const char *word = clock_word(text);
	bool timed = false;
	if (word == NULL)
		return true;
	if (!pg_op_query(&w->conn->db, sql, params, ARRAY_LEN(params), truth_row, &timed, err))
		return false;
	if (timed)
		walk_note(w, VIEWD_DEPENDS_CLOCK, talloc_asprintf(w->list->mem, "'%s'", word),
		          "it means another time at each refresh");
	return true;
}

static bool oid_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	snprintf(ctx, 16, "%s", v[0]);
	return false;
}

static const struct db_reader oid_row[] = {{oid_row_fn, "t", "a view that was made"}};

static bool walk_probe(struct walk *w, const char *definition, struct viewd_err *err)
{
	char oid[16] = "";
	struct walk_start start = {.relation = oid};
	return pg_exec(w->conn, "SET LOCAL jit = off", err) &&
	       pg_op_query(&w->conn->db, "SELECT pg_catalog.to_regclass('pg_temp." PG_PROBE "')::oid", NULL, 0, oid_row,
	                   oid, err) &&
	       walk_from(w, &start, err) && walk_literals(w, definition, &start, err) && walk_bodies(w, err) &&
	       walk_shards(w, err);
}

bool pg_op_walk(struct db *db, const struct viewd_view_spec *view UNUSED, const char *definition,
                struct dependencies *list, struct viewd_err *err)
{
	struct walk w = {.conn = pg_of(db), .list = list};
	bool opened;
	if (!pg_probe_begin(w.conn, "", definition, &opened, err))
		return false;
	bool good = walk_probe(&w, definition, err);
	pg_scratch_end(w.conn, opened);
	return good;
}
