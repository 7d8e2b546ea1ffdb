/* SPDX-License-Identifier: MIT
 *
 * part_diff.c: writes of a relation's rows those that differ from what they should be, by the byte. Rows are compared
 * by a hash of all their columns, so rows that are equal are counted. What goes goes first: what comes may take over
 * what was unique to it.
 */
#include "mysql/incremental/log.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "common/incremental/part.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

static char *names_of(const struct difference *d, const char *prefix)
{
	return sql_names(&my_syntax, sql_new(d->mem), prefix, d->columns->names, d->columns->n);
}

static const char *stage_of(const struct difference *d)
{
	return d->stage != NULL ? d->stage : LOG_STAGE;
}

bool difference_stage(const struct difference *d, struct viewd_err *err)
{
	char *body = talloc_asprintf(d->mem, "ENGINE=InnoDB AS SELECT %s FROM %s LIMIT 0", names_of(d, NULL),
	                             relation_quoted(&my_syntax, d->mem, d->rel));
	return my_make_temporary(d->conn, LOG_STAGE, body, err);
}

char *fill_text(void *mem, const char *into, const char *query, const char *const *names, size_t n)
{
	return talloc_asprintf(mem, "FOR viewd_row IN (%s) DO INSERT INTO %s (%s) VALUES (%s); END FOR", query, into,
	                       sql_names(&my_syntax, sql_new(mem), NULL, names, n),
	                       sql_names(&my_syntax, sql_new(mem), "viewd_row.", names, n));
}

bool difference_fill(const struct difference *d, const char *into, const char *query, struct viewd_err *err)
{
	char *fill = fill_text(d->mem, into, query, d->columns->names, d->columns->n);
	return db_exec(&d->conn->db, talloc_asprintf(d->mem, "BEGIN NOT ATOMIC %s; END", fill), err);
}

/* ---- types ---- */

static bool begins_with_one(const char *type, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncasecmp(type, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

bool value_is_number(const char *type)
{
	static const char *const words[] = {"tinyint", "smallint", "mediumint", "int", "bigint", "decimal"};
	return begins_with_one(type, words, ARRAY_LEN(words));
}

/* TIMESTAMP is left out: the same text may be two moments. */
static bool is_time(const char *type)
{
	static const char *const words[] = {"date", "time", "year"};
	return begins_with_one(type, words, ARRAY_LEN(words)) && strncasecmp(type, "timestamp", 9) != 0;
}

/* A type counts as text when its character set is a part of Unicode that has each character once. */
bool value_is_text(const char *type)
{
	static const char *const words[] = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext"};
	static const char *const sets[] = {"utf8mb4_", "utf8mb3_", "utf8_", "latin1_", "ascii_"};
	const char *collation = strstr(type, " COLLATE ");
	return begins_with_one(type, words, ARRAY_LEN(words)) && collation != NULL &&
	       begins_with_one(collation + strlen(" COLLATE "), sets, ARRAY_LEN(sets));
}

bool value_is_binary(const char *type)
{
	return strncasecmp(type, "varbinary", 9) == 0;
}

char *value_add(char *sql, const char *type, const char *value)
{
	if (value == NULL || value_is_number(type))
		return sql_add(sql, "%s", value != NULL ? value : "NULL");
	if (!value_is_binary(type))
		return sql_add(sql, "%s", literal_quoted(&my_syntax, sql, value));
	char *hex = talloc_array(sql, char, (unsigned)(2 * strlen(value) + 1));
	assert(hex != NULL);
	hex[0] = '\0';
	for (size_t i = 0; value[i] != '\0'; i++)
		snprintf(hex + 2 * i, 3, "%02x", (unsigned char)value[i]);
	return sql_add(sql, "x'%s'", hex);
}

bool compared_may(const struct difference *d)
{
	for (size_t i = 0; i < d->columns->n; i++) {
		const char *type = d->columns->items[i].type;
		if (type == NULL ||
		    !(value_is_number(type) || is_time(type) || value_is_text(type) || (d->binary && value_is_binary(type))))
			return false;
	}
	return d->columns->n > 0 && !d->columns->declared;
}

/* ---- hashes ---- */

/* Types whose texts are short and tell all; of others the text is hashed. */
static bool is_plain(const char *type)
{
	static const char *const plain[] = {"tinyint", "smallint", "mediumint", "int",  "bigint", "decimal", "double",
	                                    "date",    "datetime", "timestamp", "time", "year",   "uuid",    "inet"};
	for (size_t i = 0; type != NULL && i < ARRAY_LEN(plain); i++)
		if (strncasecmp(type, plain[i], strlen(plain[i])) == 0)
			return true;
	return false;
}

/* A FLOAT's own text has fewer digits than it holds. */
static char *add_value(const struct difference *d, char *sql, size_t i, const char *prefix)
{
	const char *type = d->columns->items[i].type;
	char *name = ident_append(&my_syntax, sql_add(sql_new(d->mem), "%s", prefix), d->columns->names[i]);
	if (type != NULL && strncasecmp(type, "float", 5) == 0)
		return sql_add(sql, ", IFNULL(CAST(%s * 1e0 AS BINARY), 'N')", name);
	return sql_add(
		sql, is_plain(type) ? ", IFNULL(CAST(%s AS BINARY), 'N')" : ", IFNULL(SHA2(CAST(%s AS BINARY), 256), 'N')",
		name);
}

static char *add_hash(const struct difference *d, char *sql, const char *prefix)
{
	sql = sql_add(sql, "UNHEX(SHA2(CONCAT_WS('/'");
	for (size_t i = 0; i < d->columns->n; i++)
		sql = add_value(d, sql, i, prefix);
	return sql_add(sql, "), 256))");
}

static char *hash_of(const struct difference *d, const char *prefix)
{
	return add_hash(d, sql_new(d->mem), prefix);
}

/* Hashes tell that a row which goes and one which comes are the same. */
static char *identity_of(const struct difference *d, const char *prefix)
{
	if (d->n_row == 0)
		return talloc_strdup(d->mem, "NULL");
	char *sql = sql_add(sql_new(d->mem), "UNHEX(SHA2(CONCAT_WS('/'");
	for (size_t i = 0; i < d->n_row; i++)
		sql = add_value(d, sql, d->row[i], prefix);
	return sql_add(sql, "), 256))");
}

/* ---- comparing ---- */

static char *where(const struct difference *d)
{
	return d->filter != NULL ? talloc_asprintf(d->mem, " WHERE %s", d->filter) : talloc_strdup(d->mem, "");
}

static bool compare(const struct difference *d, struct viewd_err *err)
{
	char *body = talloc_asprintf(
		d->mem,
		"(viewd_hash BINARY(32) NOT NULL PRIMARY KEY, viewd_row BINARY(32), viewd_n BIGINT NOT NULL) ENGINE=InnoDB AS "
		"SELECT viewd_hash, MIN(viewd_row) AS viewd_row, SUM(viewd_n) AS viewd_n FROM (SELECT %s AS viewd_hash, %s AS "
		"viewd_row, 1 AS viewd_n FROM %s s UNION ALL SELECT %s, %s, -1 FROM %s t%s) viewd_u GROUP BY viewd_hash HAVING "
		"SUM(viewd_n) <> 0",
		hash_of(d, "s."), identity_of(d, "s."), stage_of(d), hash_of(d, "t."), identity_of(d, "t."),
		relation_quoted(&my_syntax, d->mem, d->rel), where(d));
	return my_make_temporary(d->conn, LOG_DIFFER, body, err);
}

struct differing {
	int64_t n, changed;
};

static bool take_differing_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct differing *out = ctx;
	*out = (struct differing){number_or(v[0], 0), number_or(v[1], 0)};
	return false;
}

static const struct db_reader take_differing[] = {{take_differing_fn, "nN", "rows that differ"}};

/* changed: pairs of one that goes and one that comes. */
static bool count(const struct difference *d, struct differing *out, struct viewd_err *err)
{
	return my_query(&d->conn->db,
	                "SELECT COUNT(*), (SELECT COUNT(*) FROM (SELECT 1 FROM " LOG_DIFFER
	                " WHERE viewd_row IS NOT NULL GROUP BY viewd_row HAVING MIN(viewd_n) < 0 AND MAX(viewd_n) > 0) "
	                "viewd_p) FROM " LOG_DIFFER,
	                NULL, 0, take_differing, out, err);
}

static bool write_differing(const struct difference *d, const struct differing *differing, struct part_written *out,
                            struct viewd_err *err)
{
	struct db *db = &d->conn->db;
	char *rel = relation_quoted(&my_syntax, d->mem, d->rel);
	char *remove =
		talloc_asprintf(d->mem, "DELETE t FROM %s t JOIN " LOG_DIFFER " viewd_d ON viewd_d.viewd_hash = %s%s", rel,
	                    hash_of(d, "t."), where(d));
	char *add = talloc_asprintf(
		d->mem, "INSERT INTO %s (%s) SELECT %s FROM %s s JOIN " LOG_DIFFER " viewd_d ON viewd_d.viewd_hash = %s", rel,
		names_of(d, NULL), names_of(d, "s."), stage_of(d), hash_of(d, "s."));
	if (!my_exec(db, remove, NULL, 0, &out->deleted, err) || !my_exec(db, add, NULL, 0, &out->inserted, err))
		return false;
	out->updated = differing->changed;
	out->deleted -= differing->changed;
	out->inserted -= differing->changed;
	return true;
}

bool difference_apply(const struct difference *d, struct part_written *out, struct viewd_err *err)
{
	struct differing differing = {0};
	*out = (struct part_written){0};
	return compare(d, err) && count(d, &differing, err) &&
	       (differing.n == 0 || write_differing(d, &differing, out, err)) &&
	       my_drop_temporary(d->conn, LOG_DIFFER, err) &&
	       (d->stage != NULL || my_drop_temporary(d->conn, LOG_STAGE, err));
}
