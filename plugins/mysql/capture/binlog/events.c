/* SPDX-License-Identifier: MIT
 *
 * events.c: interprets the events of the binary log: the tables that they name, the ends of groups.
 */
#include "mysql/capture/binlog/events.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "common/state/state.h"

/* of MySQL, which the library does not know */
#define HEARTBEAT_LOG_EVENT_V2 41
#define GTID_TAGGED_LOG_EVENT 42

#define LONG_STATEMENT (1u << 20)

bool binlog_lose_place(struct binlog *log, const char *why, struct viewd_err *err)
{
	db_log(&log->conn->db, VIEWD_LOG_WARNING,
	       "database '%s', binary log cannot be read from the place where reading ended (%s): its views are refreshed",
	       log->conn->db.database_name, why);
	return position_reset(log->conn, err) &&
	       err_set(err, VIEWD_ERR_CONNECT, "binary log cannot be read on, reading begins anew (%s)", why);
}

static void name_part(char *out, const MARIADB_STRING *text)
{
	snprintf(out, IDENT_MAX, "%.*s", (int)text->length, text->str);
}

static bool is_own(const struct binlog *log, const struct relation *table, const char *name)
{
	return strcmp(table->name, name) == 0 && strcasecmp(table->schema, log->conn->url->database) == 0;
}

/* Written by viewd all the time, and nobody's source. */
static bool is_state(const struct binlog *log, const struct relation *table)
{
	return is_own(log, table, "viewd_position") || is_own(log, table, "viewd_intents") ||
	       (state_is_table(table->name) && is_own(log, table, table->name));
}

static bool load_targets(struct binlog *log, struct viewd_err *err)
{
	if (log->reload && !targets_load(log->conn, &log->targets, err))
		return false;
	log->reload = false;
	return true;
}

static struct mapped *find_mapped(struct binlog *log, uint64_t id)
{
	for (size_t i = 0; i < log->n_mapped; i++)
		if (log->mapped[i].id == id)
			return &log->mapped[i];
	return NULL;
}

/* Each statement of a transaction names its tables anew, by the same numbers as long as their definitions stay. */
static void map_table(struct binlog *log, uint64_t id, const struct relation *table, bool wanted)
{
	struct mapped *known = find_mapped(log, id);

	if (known == NULL && !wanted)
		return;
	if (known == NULL) {
		log->mapped = talloc_realloc(log, log->mapped, struct mapped, (unsigned)log->n_mapped + 1);
		known = &log->mapped[log->n_mapped++];
	}
	*known = wanted ? (struct mapped){id, *table} : log->mapped[--log->n_mapped];
}

static bool on_table_map(struct binlog *log, struct viewd_err *err)
{
	const struct st_mariadb_rpl_table_map_event *ev = &log->event->event.table_map;
	struct relation table;

	name_part(table.schema, &ev->database);
	name_part(table.name, &ev->table);
	if (is_own(log, &table, "viewd_captures"))
		log->reload = true;
	if (is_own(log, &table, "viewd_requests"))
		log->request = true;
	if (is_state(log, &table))
		return true;
	if (!load_targets(log, err))
		return false;
	map_table(log, ev->table_id, &table, targets_match(log->conn, &log->targets, &table));
	return true;
}

static void on_rows(struct binlog *log, uint64_t table_id, bool insert)
{
	const struct mapped *mapped = find_mapped(log, table_id);

	if (mapped != NULL)
		targets_touch(log->conn, &log->targets, &mapped->table, insert, &log->touched);
}

static void end_group_at(struct binlog *log, int64_t end)
{
	log->in_group = false;
	log->n_mapped = 0;
	if (end != 0)
		log->at.offset = end;
}

static void end_group(struct binlog *log)
{
	end_group_at(log, log->event->next_event_pos);
}

/* A definition may have brought foreign keys with it. */
static void on_change(struct binlog *log, const char *sql, const char *database)
{
	enum statement_means means = targets_statement(log->conn, &log->targets, sql, database, &log->touched);

	log->reload = log->reload || means != STATEMENT_NOTHING;
	log->definition = log->definition || means != STATEMENT_NOTHING;
	log->gap = log->gap || means == STATEMENT_ANYTHING;
	log->request = log->request || strcasestr(sql, "viewd_requests") != NULL;
	if (strncasecmp(sql, "XA COMMIT", 9) ==
	    0) /* what it changed was told when it was prepared, and was not visible then */
		log->gap = true;
	if (!log->in_group)
		end_group(log);
}

static void on_statement(struct binlog *log, const char *sql, const char *database)
{
	if (strcmp(sql, "BEGIN") == 0)
		log->in_group = true;
	else if (strcmp(sql, "COMMIT") == 0 || strcmp(sql, "ROLLBACK") == 0)
		end_group(log);
	else
		on_change(log, sql, database);
}

static bool on_query(struct binlog *log, struct viewd_err *err)
{
	const struct st_mariadb_rpl_query_event *ev = &log->event->event.query;
	char database[IDENT_MAX];

	if (!load_targets(log, err))
		return false;
	name_part(database, &ev->database);
	char *sql = talloc_strndup(log, ev->statement.str, ev->statement.length);
	on_statement(log, sql, database);
	talloc_free(sql);
	return true;
}

/* How long the next file's name is: one more digit after a number of nines. */
static size_t next_length(const char *file)
{
	const char *dot = strrchr(file, '.');

	return strlen(file) + (dot != NULL && strspn(dot + 1, "9") == strlen(dot + 1));
}

/* Read from the packet, because the library (3.3) goes wrong after a file without an end. The server makes one up at
 * the beginning, for the file that was asked for, and after a file that a crash has ended. Whether a checksum follows
 * the name depends on server and library, so its length is taken from the one before. The packet is a status byte, 19
 * bytes of header, the position and the name (https://mariadb.com/kb/en/rotate_event/). */
static void on_rotate(struct binlog *log)
{
	const unsigned char *body = log->my->net.read_pos + 1 + 19;
	size_t length = next_length(log->at.file);
	char file[sizeof log->at.file];

	snprintf(file, sizeof file, "%.*s", (int)length, (const char *)body + 8);
	if (strncmp(file, log->at.file, strlen(log->at.file)) != 0) {
		memcpy(log->at.file, file, sizeof file);
		log->at.created = 0;
	}
	log->at.offset = 0;
	for (int i = 7; i >= 0; i--)
		log->at.offset = log->at.offset << 8 | body[i];
	log->seen = log->at.offset;
}

/* The description at a file's beginning says when it was made: the log may have been begun anew under the same names
 * (RESET MASTER). */
static bool on_description(struct binlog *log, struct viewd_err *err)
{
	if (log->at.created == 0)
		log->at.created = log->event->timestamp;
	return log->at.created == log->event->timestamp ||
	       binlog_lose_place(log, "it is another log of the same name", err);
}

static bool is_harmless(int type, unsigned flags)
{
	static const unsigned char types[] = {
		STOP_EVENT,
		INTVAR_EVENT,
		RAND_EVENT,
		USER_VAR_EVENT,
		BEGIN_LOAD_QUERY_EVENT,
		APPEND_BLOCK_EVENT,
		DELETE_FILE_EVENT,
		HEARTBEAT_LOG_EVENT,
		HEARTBEAT_LOG_EVENT_V2,
		IGNORABLE_LOG_EVENT,
		ROWS_QUERY_LOG_EVENT,
		GTID_LOG_EVENT,
		GTID_TAGGED_LOG_EVENT,
		ANONYMOUS_GTID_LOG_EVENT,
		PREVIOUS_GTIDS_LOG_EVENT,
		TRANSACTION_CONTEXT_EVENT,
		VIEW_CHANGE_EVENT,
		ANNOTATE_ROWS_EVENT,
		BINLOG_CHECKPOINT_EVENT,
		GTID_LIST_EVENT,
		START_ENCRYPTION_EVENT,
	};

	return memchr(types, type, sizeof types) != NULL || (flags & LOG_EVENT_IGNORABLE_F) != 0;
}

static bool is_insert(int type)
{
	return type == WRITE_ROWS_EVENT_V1 || type == WRITE_ROWS_EVENT || type == WRITE_ROWS_COMPRESSED_EVENT_V1 ||
	       type == WRITE_ROWS_COMPRESSED_EVENT;
}

static bool is_rows(int type)
{
	static const unsigned char types[] = {
		WRITE_ROWS_EVENT_V1,
		UPDATE_ROWS_EVENT_V1,
		DELETE_ROWS_EVENT_V1,
		WRITE_ROWS_EVENT,
		UPDATE_ROWS_EVENT,
		DELETE_ROWS_EVENT,
		PARTIAL_UPDATE_ROWS_EVENT,
		WRITE_ROWS_COMPRESSED_EVENT_V1,
		UPDATE_ROWS_COMPRESSED_EVENT_V1,
		DELETE_ROWS_COMPRESSED_EVENT_V1,
		WRITE_ROWS_COMPRESSED_EVENT,
		UPDATE_ROWS_COMPRESSED_EVENT,
		DELETE_ROWS_COMPRESSED_EVENT,
	};

	return memchr(types, type, sizeof types) != NULL;
}

/* Events that are not understood may have changed anything: LOAD DATA in statement format, transactions as one
 * compressed event (MySQL), incidents, kinds that later servers have. */
static void on_other(struct binlog *log)
{
	if (!is_harmless((int)log->event->event_type, log->event->flags))
		log->gap = true;
}

/* A statement of that length has its rows in its text; it is not read, and may have changed anything. */
bool events_may_skim(const struct skimmed *skimmed)
{
	bool statement = skimmed->type == QUERY_EVENT || skimmed->type == QUERY_COMPRESSED_EVENT;

	return is_rows(skimmed->type) || is_harmless(skimmed->type, skimmed->flags) ||
	       (statement && skimmed->length >= LONG_STATEMENT);
}

void events_skimmed(struct binlog *log, const struct skimmed *skimmed)
{
	if (is_rows(skimmed->type)) {
		on_rows(log, skimmed->table_id, is_insert(skimmed->type));
	} else if (!is_harmless(skimmed->type, skimmed->flags)) {
		log->reload = log->definition = log->request = log->gap = true;
		if (!log->in_group)
			end_group_at(log, skimmed->end);
	}
	if (skimmed->end > log->seen)
		log->seen = skimmed->end;
}

bool binlog_handle(struct binlog *log, struct viewd_err *err)
{
	int type = (int)log->event->event_type;

	if (is_rows(type)) {
		on_rows(log, log->event->event.rows.table_id, is_insert(type));
		return true;
	}
	switch (type) { /* the numbers that matter; servers add others */
	case TABLE_MAP_EVENT:
		return on_table_map(log, err);
	case QUERY_EVENT:
	case QUERY_COMPRESSED_EVENT:
		return on_query(log, err);
	case GTID_EVENT:
		log->in_group = (log->event->event.gtid.flags & FL_STANDALONE) == 0;
		return true;
	case XID_EVENT:
	case XA_PREPARE_LOG_EVENT:
		end_group(log);
		return true;
	case ROTATE_EVENT:
		on_rotate(log);
		return true;
	case FORMAT_DESCRIPTION_EVENT:
		return on_description(log, err);
	}
	on_other(log);
	return true;
}
