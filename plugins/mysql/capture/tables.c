/* SPDX-License-Identifier: MIT
 *
 * tables.c: by what a table is known again, for the changes that fire no trigger.
 *
 * TRUNCATE and every rebuild give an InnoDB table another TABLE_ID (accounts with PROCESS may see it). UPDATE_TIME, for
 * polling, is set at commit, to the second: a value that is not older than that is not believed yet, and looked at
 * again. A restart of the server forgets it, and empties tables of the engine MEMORY without a trigger: so when the
 * server was started is remembered as well.
 */
#include "mysql/capture/capture.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/state/marks.h"

#define SERVER "server" /* the row that says when it was started; no source is named without quotes */

/* The name of a table without its partition. */
#define FILE_OF \
	"CONVERT(SUBSTRING_INDEX(SUBSTRING_INDEX(i.NAME, '#P#', 1), '#p#', 1) USING utf8mb4) COLLATE utf8mb4_bin"

static const char *innodb_tables(const struct viewd_conn *conn)
{
	return conn->mariadb ? "information_schema.INNODB_SYS_TABLES" : "information_schema.INNODB_TABLES";
}

bool tables_can_compare(struct viewd_conn *conn)
{
	char *sql = talloc_asprintf(conn, "SELECT 1 FROM %s LIMIT 1", innodb_tables(conn));
	int64_t one;
	bool can = my_query_int(conn, sql, NULL, 0, &one, NULL);

	talloc_free(sql);
	return can;
}

bool tables_life(struct viewd_conn *conn, void *mem, const struct relation *rel, char **life_r, struct viewd_err *err)
{
	const char *params[] = {rel->schema, rel->name};
	char *sql = talloc_asprintf(
		mem,
		"SELECT SUM(i.TABLE_ID) FROM %s i WHERE " FILE_OF " = CONCAT(CAST(CONVERT(? USING "
		"filename) AS CHAR CHARACTER SET binary), '/', CAST(CONVERT(? USING filename) AS CHAR CHARACTER SET binary))",
		innodb_tables(conn));

	struct viewd_err failure = {0};

	if (my_query_text(conn, mem, sql, params, ARRAY_LEN(params), life_r, &failure))
		return true;
	if (failure.cls == VIEWD_ERR_DENIED)
		err_hint(&failure, GRANT_PROCESS);
	if (err != NULL)
		*err = failure;
	return false;
}

/* As InnoDB writes a name: letters, digits and _ as they are, else @ and the code. What it does with other than ASCII
 * is not that regular; such a table is not found by the name that comes out, and has no number. */
static char *add_file_name(char *text, const char *name)
{
	for (; *name != '\0'; name++) {
		unsigned char c = (unsigned char)*name;
		bool plain =
			(c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80;
		text = plain ? talloc_asprintf_append_buffer(text, "%c", c) : talloc_asprintf_append_buffer(text, "@%04x", c);
	}
	return text;
}

char *tables_file(void *mem, const struct relation *rel)
{
	for (const char *at = rel->schema; *at != '\0'; at++)
		if ((unsigned char)*at >= 0x80)
			return NULL;
	for (const char *at = rel->name; *at != '\0'; at++)
		if ((unsigned char)*at >= 0x80)
			return NULL;
	char *file = add_file_name(talloc_strdup(mem, ""), rel->schema);
	return add_file_name(talloc_strdup_append_buffer(file, "/"), rel->name);
}

/* A name without partitions is found as it is: to cut each of a thousand names takes a while. */
char *tables_lives_query(const struct viewd_conn *conn, void *mem, const char *files)
{
	return talloc_asprintf(mem,
	                       "SELECT " FILE_OF ", i.TABLE_ID FROM %s i WHERE (i.NAME IN (%s) OR i.NAME LIKE '%%#P#%%' OR "
	                       "i.NAME LIKE '%%#p#%%') AND " FILE_OF " IN (%s)",
	                       innodb_tables(conn), files, files);
}

/* Outside a cluster there is one at a time, and one that runs in a container may have another name each time. */
static bool forget_others(struct viewd_conn *conn, const char *key, struct viewd_err *err)
{
	return conn->node.certifies || my_exec(&conn->db, "DELETE FROM viewd_tables WHERE server <> ?", &key, 1, NULL, err);
}

bool tables_know(struct viewd_conn *conn, struct viewd_err *err)
{
	const char *key;

	if (!my_server_key(conn, &key, err))
		return false;
	const char *params[] = {key, key};
	return my_exec(&conn->db,
	               "INSERT IGNORE INTO viewd_tables (source, file_name, fingerprint, server) SELECT o.source, "
	               "o.file_name, o.fingerprint, ? FROM viewd_tables o LEFT JOIN viewd_tables k ON k.source = o.source "
	               "AND k.server = ? WHERE k.source IS NULL",
	               params, ARRAY_LEN(params), NULL, err) &&
	       forget_others(conn, key, err);
}

static bool remember_id(struct viewd_conn *conn, const char *source, const char *key, struct viewd_err *err)
{
	const char *params[] = {source, key};
	char *sql = talloc_asprintf(
		conn,
		"UPDATE viewd_tables SET fingerprint = (SELECT COALESCE(SUM(i.TABLE_ID), 0) FROM %s i WHERE " FILE_OF
		" = file_name) WHERE source = ? AND server = ? AND fingerprint = ''",
		innodb_tables(conn));
	bool done = my_exec(&conn->db, sql, params, ARRAY_LEN(params), NULL, err);

	talloc_free(sql);
	return done;
}

/* MariaDB converts names of all kinds; MySQL keeps that character set to itself (error 1115). */
static bool insert(struct viewd_conn *conn, const char *quoted, const struct relation *source, const char *key,
                   struct viewd_err *err)
{
	const char *params[] = {quoted, source->schema, source->name, key};

	if (conn->mariadb)
		return my_exec(&conn->db,
		               "INSERT IGNORE INTO viewd_tables (source, file_name, fingerprint, server) VALUES (?, "
		               "CONCAT(CAST(CONVERT(? USING filename) AS CHAR "
		               "CHARACTER SET binary), '/',"
		               " CAST(CONVERT(? USING filename) AS CHAR CHARACTER SET binary)), '', ?)",
		               params, ARRAY_LEN(params), NULL, err);
	char *file = add_file_name(talloc_strdup(conn, ""), source->schema);
	file = add_file_name(talloc_strdup_append_buffer(file, "/"), source->name);
	params[1] = file;
	params[2] = key;
	bool done = my_exec(&conn->db,
	                    "INSERT IGNORE INTO viewd_tables (source, file_name, fingerprint, server) VALUES (?, ?, '', ?)",
	                    params, 3, NULL, err);
	talloc_free(file);
	return done;
}

bool tables_remember(struct viewd_conn *conn, const struct relation *source, struct viewd_err *err)
{
	char *quoted = relation_quoted(&my_syntax, conn, source);
	const char *key;
	bool done = my_server_key(conn, &key, err) && insert(conn, quoted, source, key, err) &&
	            (!tables_can_compare(conn) || remember_id(conn, quoted, key, err));

	talloc_free(quoted);
	return done;
}

bool tables_forget(struct viewd_conn *conn, const char *source, struct viewd_err *err)
{
	return my_exec(&conn->db, "DELETE FROM viewd_tables WHERE source = ?", &source, 1, NULL, err);
}

static bool store(struct viewd_conn *conn, void *ctx, struct viewd_err *err)
{
	return my_exec(&conn->db, "UPDATE viewd_tables SET fingerprint = ? WHERE source = ? AND server = ?", ctx, 3, NULL,
	               err);
}

/* The source is touched and known by its new fingerprint, in one transaction. */
static bool touch(struct viewd_conn *conn, const char *source, const char *fingerprint, struct viewd_err *err)
{
	char *items[] = {talloc_strdup(NULL, source)};
	struct texts one = {.items = items, .n = 1};
	const char *params[3] = {fingerprint, source};
	bool done = my_server_key(conn, &params[2], err) && capture_touch(conn, &one, store, params, err);

	talloc_free(items[0]);
	return done;
}

/* ---- triggers */

/* Says what happened, once. */
static bool log_change(struct viewd_conn *conn, const char *source, struct viewd_err *err)
{
	struct relation rel;
	bool lacks;

	if (!relation_parse(&my_syntax, source, &rel, err) || !trigger_lacks(conn, &rel, &lacks, err))
		return false;
	if (lacks)
		db_log(&conn->db, VIEWD_LOG_WARNING,
		       "database '%s', table %s has lost its triggers: they are made again, its views are refreshed",
		       conn->db.database_name, source);
	else
		db_log(&conn->db, VIEWD_LOG_INFO, "database '%s', table %s was emptied or rebuilt", conn->db.database_name,
		       source);
	return true;
}

static bool make_trigger_alone(struct viewd_conn *conn, const struct relation *source, struct viewd_err *err)
{
	if (!my_captures_lock(&conn->db, err))
		return false;
	bool made = my_make_trigger(&conn->db, source, err);

	my_captures_unlock(&conn->db);
	return made;
}

static bool mend_source(struct viewd_conn *conn, const char *source, const char *fingerprint, struct viewd_err *err)
{
	struct relation rel;
	struct db_object found;

	if (!relation_parse(&my_syntax, source, &rel, err) || !my_find_object(&conn->db, &rel, &found, err))
		return false;
	if (found.kind == VIEWD_KIND_TABLE && !make_trigger_alone(conn, &rel, err))
		return false;
	return touch(conn, source, fingerprint, err);
}

static bool take_pair_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	return texts_keep(ctx, v, 1) && texts_keep(ctx, v + 1, 1);
}

static const struct db_reader take_pair[] = {{take_pair_fn, "tT", "tables that have changed"}};

static bool mend_changed(struct viewd_conn *conn, bool *found_r, struct viewd_err *err)
{
	struct texts pairs = {.mem = talloc_new(NULL)};
	const char *key;
	bool good = my_server_key(conn, &key, err);
	char *sql = talloc_asprintf(
		pairs.mem,
		"SELECT t.source, COALESCE(SUM(i.TABLE_ID), 0) AS id FROM viewd_tables t LEFT JOIN %s i ON " FILE_OF
		" = t.file_name WHERE t.server = ? AND t.source IN (SELECT source FROM viewd_captures WHERE mode = 'trigger')"
		" GROUP BY t.source, t.fingerprint HAVING CAST(id AS CHAR) <> t.fingerprint",
		innodb_tables(conn));

	good = good && my_query(&conn->db, sql, &key, 1, take_pair, &pairs, err);
	for (size_t i = 0; i + 1 < pairs.n && good; i += 2) {
		good = log_change(conn, pairs.items[i], err) && mend_source(conn, pairs.items[i], pairs.items[i + 1], err);
		*found_r = true;
	}
	talloc_free(pairs.mem);
	return good;
}

static bool mend_lacking(struct viewd_conn *conn, bool *found_r, struct viewd_err *err)
{
	struct texts list = {.mem = talloc_new(NULL)};
	struct relation rel;
	bool good = marks_sources(&conn->db, "trigger", texts_reader, &list, err);

	for (size_t i = 0; i < list.n && good; i++) {
		bool lacks = false;
		good = relation_parse(&my_syntax, list.items[i], &rel, err) && trigger_lacks(conn, &rel, &lacks, err);
		if (!good || !lacks)
			continue;
		good = log_change(conn, list.items[i], err) && mend_source(conn, list.items[i], "", err);
		*found_r = true;
	}
	talloc_free(list.mem);
	return good;
}

bool tables_mend(struct viewd_conn *conn, bool compare, bool thorough, bool *found_r, struct viewd_err *err)
{
	bool found = false;

	/* Views are set up by way of any node, and what is remembered of their sources stands under its name. */
	if (compare && thorough && conn->node.certifies && !tables_know(conn, err))
		return false;
	if ((compare && !mend_changed(conn, &found, err)) || (thorough && !mend_lacking(conn, &found, err)))
		return false;
	*found_r = found;
	return true;
}

/* ---- polling */

/* State of the table now, "" when it is gone. */
static bool see(struct viewd_conn *conn, void *mem, const struct relation *rel, const char *source, bool compare,
                char **seen_r, struct viewd_err *err)
{
	const char *params[4] = {rel->schema, rel->name}, *key;
	char *id = talloc_asprintf(mem,
	                           "(SELECT SUM(i.TABLE_ID) FROM %s i, viewd_tables t WHERE " FILE_OF
	                           " = t.file_name AND t.source = ? AND t.server = ?)",
	                           innodb_tables(conn));
	char *sql = talloc_asprintf(
		mem,
		"SELECT CONCAT_WS(' ', IFNULL(s.UPDATE_TIME, 'never'), s.CREATE_TIME, IF(s.UPDATE_TIME >= NOW() -"
		" INTERVAL 1 SECOND, 'fresh', ''), x.id) FROM information_schema.TABLES s, (SELECT %s AS id) x"
		" WHERE s.TABLE_SCHEMA = ? AND s.TABLE_NAME = ?",
		compare ? id : "''");

	if (!my_server_key(conn, &key, err))
		return false;
	if (compare) {
		params[0] = source;
		params[1] = key;
		params[2] = rel->schema;
		params[3] = rel->name;
	}
	if (!my_query_text(conn, mem, sql, params, compare ? 4 : 2, seen_r, err))
		return false;
	if (*seen_r == NULL)
		*seen_r = talloc_strdup(mem, "");
	return true;
}

/* The fingerprint of a source on this server; NULL: none is remembered. */
static bool known_of(struct viewd_conn *conn, void *mem, const char *source, char **known_r, struct viewd_err *err)
{
	const char *params[2] = {source};

	return my_server_key(conn, &params[1], err) &&
	       my_query_text(conn, mem, "SELECT fingerprint FROM viewd_tables WHERE source = ? AND server = ?", params,
	                     ARRAY_LEN(params), known_r, err);
}

static bool poll_one(struct viewd_conn *conn, const char *source, bool compare, bool *found_r, struct viewd_err *err)
{
	struct relation rel;
	char *seen, *known;
	void *mem = talloc_new(NULL);

	bool good = relation_parse(&my_syntax, source, &rel, err) && tables_remember(conn, &rel, err) &&
	            see(conn, mem, &rel, source, compare, &seen, err) && known_of(conn, mem, source, &known, err);
	if (good && (known == NULL || strcmp(seen, known) != 0)) {
		*found_r = true;
		good = touch(conn, source, strstr(seen, "fresh") != NULL ? "fresh" : seen, err);
	}
	talloc_free(mem);
	return good;
}

bool tables_poll(struct viewd_conn *conn, bool compare, bool *found_r, struct viewd_err *err)
{
	struct texts list = {.mem = talloc_new(NULL)};
	bool found = false, good = marks_sources(&conn->db, "poll", texts_reader, &list, err);

	for (size_t i = 0; i < list.n && good; i++)
		good = poll_one(conn, list.items[i], compare, &found, err);
	talloc_free(list.mem);
	if (good)
		*found_r = found;
	return good;
}

/* ---- restarts */

#define YOUNG " young"

/* Both are of the moment the statement began, so the difference is the same whenever it is asked for. It counts
 * seconds: the next server may be started in the same one, while this one is young. */
static bool server_start(struct viewd_conn *conn, void *mem, char **text_r, struct viewd_err *err)
{
	char *sql = talloc_asprintf(
		mem,
		"SELECT CONCAT(CAST(UNIX_TIMESTAMP() - VARIABLE_VALUE AS SIGNED), IF(VARIABLE_VALUE + 0 < 2, '" YOUNG
		"', '')) FROM %s WHERE VARIABLE_NAME = 'Uptime'",
		conn->mariadb ? "information_schema.GLOBAL_STATUS" : "performance_schema.global_status");

	return my_query_text(conn, mem, sql, NULL, 0, text_r, err);
}

static bool store_start(struct viewd_conn *conn, void *ctx, struct viewd_err *err)
{
	const char *params[2] = {ctx};

	return my_server_key(conn, &params[1], err) &&
	       my_exec(&conn->db,
	               "REPLACE INTO viewd_tables (source, file_name, fingerprint, server) VALUES ('" SERVER "', '', ?, ?)",
	               params, ARRAY_LEN(params), NULL, err);
}

static bool is_in_memory(struct viewd_conn *conn, void *mem, const char *source, bool *is_r, struct viewd_err *err)
{
	struct relation rel;
	int64_t n;

	if (!relation_parse(&my_syntax, source, &rel, err))
		return false;
	char *sql = talloc_asprintf(mem, "SELECT COUNT(*) FROM information_schema.TABLES WHERE %s AND ENGINE = 'MEMORY'",
	                            my_where(conn, mem, &rel));
	if (!my_query_int(conn, sql, NULL, 0, &n, err))
		return false;
	*is_r = n > 0;
	return true;
}

/* Sources that are polled, and sources that are empty now. */
static bool find_forgotten(struct viewd_conn *conn, struct texts *out, struct viewd_err *err)
{
	static const char *const modes[] = {"trigger", "binlog"};
	struct texts sources = {.mem = out->mem};
	bool good = marks_sources(&conn->db, "poll", texts_reader, out, err);

	for (size_t i = 0; i < ARRAY_LEN(modes) && good; i++)
		good = marks_sources(&conn->db, modes[i], texts_reader, &sources, err);
	for (size_t i = 0; i < sources.n && good; i++) {
		const char *const source[] = {sources.items[i]};
		bool in_memory = false;
		good = is_in_memory(conn, out->mem, source[0], &in_memory, err);
		if (good && in_memory && !texts_contain(out, source[0]))
			texts_keep(out, source, 1);
	}
	return good;
}

bool tables_restarted(struct viewd_conn *conn, bool *found_r, struct viewd_err *err)
{
	struct texts forgotten = {.mem = talloc_new(NULL)};
	char *start = NULL, *known = NULL;
	bool found = false;
	bool good = server_start(conn, forgotten.mem, &start, err) && known_of(conn, forgotten.mem, SERVER, &known, err);

	bool young = good && start != NULL && strstr(start, YOUNG) != NULL;
	if (good && start != NULL && (known == NULL || young || strcmp(start, known) != 0)) {
		good = find_forgotten(conn, &forgotten, err) && capture_touch(conn, &forgotten, store_start, start, err);
		found = forgotten.n > 0;
	}
	talloc_free(forgotten.mem);
	if (good)
		*found_r = *found_r || found;
	return good;
}
