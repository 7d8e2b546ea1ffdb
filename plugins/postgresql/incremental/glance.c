/* SPDX-License-Identifier: MIT
 *
 * glance.c: the catalogue's rows that a whole look reads, told by the transactions that wrote them. Both are asked at
 * the snapshot of a refresh, so a glance that is the same means that a whole look would be. Whatever differs, needed or
 * not, leads to a whole look.
 *
 * Tables that have had others below them, and databases with many functions of users, are looked at as a whole each
 * time.
 */
#include "postgresql/incremental/glance.h"

#include <string.h>
#include <talloc.h>

#include "common/sqltext/sqltext.h"

struct glance {
	size_t n;
	struct pg_seen *seen;
	char *sources, *relations, *functions; /* as arrays */
	char *text;                            /* when it was remembered; NULL: it was not */
	char *now;
};

#define XMINS(from) "(SELECT coalesce(pg_catalog.array_agg(x.xmin)::text, '') FROM pg_catalog." from ")"

/* $1 the sources, $2 all relations, $3 the functions of the logs. A table of the catalogue that others have bloated is
 * not read as a whole, as it would be for a list. What the server writes in place has no xmin of its
 * own. 16384 is the first oid that is not the server's own. */
/* clang-format off */
static const char glance_sql[] =
	"SELECT (SELECT CASE WHEN NOT pg_catalog.bool_or(x.relhassubclass) THEN pg_catalog.array_agg(x.xmin)::text || "
	"pg_catalog.array_agg(x.relhasindex)::text END FROM pg_catalog.unnest($2::pg_catalog.oid[]) r (oid) CROSS JOIN "
	"LATERAL (SELECT c.xmin, c.relhasindex, c.relhassubclass FROM pg_catalog.pg_class c WHERE c.oid = r.oid OFFSET 0) "
	"x), "
	XMINS("pg_attribute x WHERE x.attrelid = ANY ($2::pg_catalog.oid[]) AND x.attnum > 0") ", "
	XMINS("pg_trigger x WHERE x.tgrelid = ANY ($1::pg_catalog.oid[])") ", "
	"(SELECT coalesce(pg_catalog.array_agg(x.xmin)::text, '') FROM pg_catalog.unnest($1::pg_catalog.oid[]) r (oid) "
	"CROSS JOIN LATERAL (SELECT i.xmin FROM pg_catalog.pg_index i WHERE i.indrelid = r.oid OFFSET 0) x), "
	XMINS("pg_proc x WHERE x.oid = ANY ($3::pg_catalog.oid[])") ", "
	XMINS("pg_operator x WHERE x.oid >= 16384") ", "
	XMINS("pg_cast x WHERE x.oid >= 16384") ", "
	XMINS("pg_subscription_rel x WHERE x.srrelid = ANY ($1::pg_catalog.oid[])") ", "
	"(SELECT coalesce(pg_catalog.array_agg(d.objid)::text, '') FROM pg_catalog.pg_depend d WHERE d.refclassid = "
	"'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid = ANY ($3::pg_catalog.oid[])), "
	"(SELECT CASE WHEN pg_catalog.count(*) <= 300 THEN coalesce(pg_catalog.array_agg(f.xmin)::text, '') END FROM "
	"(SELECT x.xmin FROM pg_catalog.pg_proc x WHERE x.oid >= 16384 AND x.pronamespace <> "
	"'viewd'::pg_catalog.regnamespace LIMIT 301) f)";
/* clang-format on */

/* A NULL among them says that a glance is not enough. */
static bool take_glance_fn(void *ctx, const char *const *v, size_t n)
{
	char **text_r = ctx, *text = sql_new(talloc_parent(*text_r));
	bool enough = true;
	for (size_t i = 0; i < n; i++) {
		enough &= v[i] != NULL;
		text = sql_add(text, "%s;", v[i] != NULL ? v[i] : "");
	}
	if (!enough)
		TALLOC_FREE(text);
	talloc_free(*text_r);
	*text_r = text;
	return false;
}

static const struct db_reader take_glance[] = {{take_glance_fn, "TTTTTTTTTT", "rows of the catalogue"}};

/* The texts that the answer replaces tell where it belongs. */
static void ask(struct viewd_conn *conn, struct glance *glance, char **text_r)
{
	const char *params[] = {glance->sources, glance->relations, glance->functions};
	talloc_free(*text_r);
	*text_r = talloc_strdup(glance, "");
	pg_queue_again(conn, glance_sql, params, ARRAY_LEN(params), take_glance, text_r);
}

static struct glance *glance_of(const struct change_log *logs, size_t n)
{
	struct glance *glance = n > 0 ? logs[0].remembered : NULL;
	return glance != NULL && glance->n == n && glance->text != NULL && glance->text[0] != '\0' ? glance : NULL;
}

bool pg_glance_ask(struct viewd_conn *conn, struct change_log *logs, size_t n)
{
	struct glance *glance = glance_of(logs, n);
	if (glance != NULL)
		ask(conn, glance, &glance->now);
	return glance != NULL;
}

bool pg_glance_same(const struct change_log *logs, struct pg_seen *seen, size_t n)
{
	const struct glance *glance = glance_of(logs, n);
	if (glance == NULL || glance->now == NULL || strcmp(glance->now, glance->text) != 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct pg_seen now = glance->seen[i];
		memcpy(now.place, seen[i].place, sizeof now.place);
		seen[i] = now;
	}
	return true;
}

static char *add_oids(char *sql, const char *oids)
{
	return oids[0] == '\0' ? sql : sql_add(sql, "%s%s", sql[1] != '\0' ? "," : "", oids);
}

static struct glance *new_glance(void *mem, const struct pg_seen *seen, size_t n)
{
	struct glance *glance = talloc_zero(mem, struct glance);
	assert(glance != NULL);
	glance->n = n;
	glance->seen = talloc_memdup(glance, seen, n * sizeof *seen);
	assert(glance->seen != NULL);
	char *sources = sql_add(sql_new(glance), "{"), *relations = sql_add(sql_new(glance), "{"),
		 *functions = sql_add(sql_new(glance), "{");
	for (size_t i = 0; i < n; i++) {
		sources = add_oids(sources, seen[i].source);
		relations = add_oids(add_oids(relations, seen[i].relations), i == 0 ? seen[i].nodes : "");
		functions = add_oids(functions, seen[i].functions);
	}
	glance->sources = sql_add(sources, "}");
	glance->relations = sql_add(relations, "}");
	glance->functions = sql_add(functions, "}");
	return glance;
}

void pg_glance_remember(struct viewd_conn *conn, struct change_log *logs, const struct pg_seen *seen, size_t n)
{
	if (logs[0].mem == NULL)
		return;
	talloc_free(logs[0].remembered);
	struct glance *glance = new_glance(logs[0].mem, seen, n);
	logs[0].remembered = glance;
	ask(conn, glance, &glance->text);
}
