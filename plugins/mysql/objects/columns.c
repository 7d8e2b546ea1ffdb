/* SPDX-License-Identifier: MIT
 *
 * columns.c: what a query yields, told by an empty temporary table made from it. Temporary tables do not end a
 * transaction.
 */
#include "mysql/my.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

#define STAGE "viewd_columns"
#define NULL_COLLATION \
	"utf8mb4_general_ci" /* of a column that is NULL: the type must be the one that its table tells afterwards */

/* A literal NULL or '' has a type of length zero, into which nothing else will ever fit. */
static bool holds_nothing(const char *type)
{
	static const char *const empty[] = {"binary(0)", "char(0)", "varbinary(0)", "varchar(0)"};

	for (size_t i = 0; i < ARRAY_LEN(empty); i++)
		if (strcmp(type, empty[i]) == 0)
			return true;
	return false;
}

static char *clean_type(void *mem, const char *type, const char *collation)
{
	char *clean = talloc_strdup(mem, type);
	char *comment = strstr(clean, " /*"); /* MariaDB: datetime with a remark about its storage */

	if (comment != NULL)
		*comment = '\0';
	if (holds_nothing(clean)) {
		clean = talloc_strdup(mem, "varchar(255)");
		collation = collation != NULL ? collation : NULL_COLLATION;
	}
	if (collation != NULL)
		clean = talloc_asprintf_append(clean, " COLLATE %s", collation);
	if (strncmp(clean, "timestamp", 9) == 0) /* else the first one updates itself on old servers */
		clean = talloc_strdup_append(clean, " NULL DEFAULT NULL");
	return clean;
}

struct column_sink {
	void *mem;
	const struct db_reader *row;
	void *ctx;
	bool misfit;
	struct viewd_err *err;
};

/* SHOW FULL COLUMNS: Field, Type, Collation, ... */
static bool pass_column_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct column_sink *sink = ctx;
	const char *column[2] = {values[0], clean_type(sink->mem, values[1], values[2])};
	bool more = false;

	if (values[6] != NULL && strcasestr(values[6], "INVISIBLE") != NULL) /* the server, or viewd, has put it there */
		return true;

	sink->misfit = !db_give(sink->row, sink->ctx, column, 2, &more, sink->err);
	return !sink->misfit && more;
}

static const struct db_reader pass_column[] = {{pass_column_fn, "ttTTTTT*", "the columns of a query"}};

/* The table stays until the next one takes its place, by the same statement where the server can. */
bool my_make_temporary(struct viewd_conn *conn, const char *name, const char *body, struct viewd_err *err)
{
	/* A list of columns has a key of its own. */
	const char *key = body[0] != '(' ? conn->db.row_key.temporary : NULL;
	char *sql = talloc_asprintf(conn, "CREATE %sTEMPORARY TABLE %s %s%s%s %s", conn->mariadb ? "OR REPLACE " : "", name,
	                            key != NULL ? "(" : "", key != NULL ? key : "", key != NULL ? ")" : "", body);
	bool done = (conn->mariadb || my_drop_temporary(conn, name, err)) && db_exec(&conn->db, sql, err);

	talloc_free(sql);
	return done;
}

bool my_drop_temporary(struct viewd_conn *conn, const char *name, struct viewd_err *err)
{
	char *sql = talloc_asprintf(conn, "DROP TEMPORARY TABLE IF EXISTS %s", name);
	bool done = db_exec(&conn->db, sql, err);

	talloc_free(sql);
	return done;
}

bool my_query_columns(struct db *db, const char *query, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	struct column_sink sink = {.mem = talloc_new(conn), .row = row, .ctx = ctx, .err = err};
	char *body = talloc_asprintf(sink.mem, "AS SELECT * FROM (\n%s\n) AS viewd_q LIMIT 0", query);
	bool done = my_make_temporary(conn, STAGE, body, err) &&
	            my_query(db, "SHOW FULL COLUMNS FROM " STAGE, NULL, 0, pass_column, &sink, err) && !sink.misfit;

	if (!done && err != NULL && err->cls == VIEWD_ERR_DENIED)
		err_hint(err,
		         "GRANT CREATE TEMPORARY TABLES on the database of the url, and SELECT on what the definition reads");
	talloc_free(sink.mem);
	return done;
}

/* ---- comparing types */

static const struct {
	const char *word;
	const char *family;
} families[] = {
	{"tinyint", "integer"},    {"smallint", "integer"},    {"mediumint", "integer"}, {"int", "integer"},
	{"integer", "integer"},    {"bigint", "integer"},      {"bool", "integer"},      {"boolean", "integer"},
	{"int1", "integer"},       {"int2", "integer"},        {"int4", "integer"},      {"int8", "integer"},
	{"decimal", "decimal"},    {"numeric", "decimal"},     {"dec", "decimal"},       {"fixed", "decimal"},
	{"float", "float"},        {"double", "float"},        {"real", "float"},        {"char", "text"},
	{"varchar", "text"},       {"character", "text"},      {"tinytext", "text"},     {"text", "text"},
	{"mediumtext", "text"},    {"longtext", "text"},       {"json", "text"},         {"nchar", "text"},
	{"nvarchar", "text"},      {"national", "text"},       {"binary", "bytes"},      {"varbinary", "bytes"},
	{"tinyblob", "bytes"},     {"blob", "bytes"},          {"mediumblob", "bytes"},  {"longblob", "bytes"},
	{"datetime", "timestamp"}, {"timestamp", "timestamp"},
};

/* The family of a type's first word; the word itself when it is in none. */
static const char *family_of(void *mem, const char *type)
{
	size_t len = 0;

	while (isalnum((unsigned char)type[len]))
		len++;
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (strlen(families[i].word) == len && strncasecmp(families[i].word, type, len) == 0)
			return families[i].family;
	return talloc_strndup(mem, type, len);
}

/* Sizes are not compared: no CAST of this SQL yields INT rather than BIGINT, or a VARCHAR of a chosen length. */
bool my_agree_type(struct db *db UNUSED, void *mem_ctx, const char *declared, const char *actual, const char **type_r,
                   struct viewd_err *err UNUSED)
{
	void *mem = talloc_new(mem_ctx);

	*type_r = strcasecmp(family_of(mem, declared), family_of(mem, actual)) == 0 ? declared : NULL;
	talloc_free(mem);
	return true;
}
