/* SPDX-License-Identifier: MIT
 *
 * trigger_procedure.c: the procedure that all triggers of a database call, and the proof that it does what it should.
 */
#include "mysql/capture/trigger_procedure.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/text/digest.h"

/* Errors that say that viewd's objects are gone, are others or are forbidden; none that says that the server is in
 * trouble (1205, 1213, 1114), nor that a change would be lost though all is well (1442). 1049 no such database, 1054 no
 * such column, 1136 and 1364 other columns, 1142 1143 1370 no right, 1146 no such table, 1305 no such procedure, 1356 a
 * view that is broken, 1449 no such definer, 1471 a view that takes no rows, 1814 and 1932 no file. */
#define SWALLOWED "1049, 1054, 1136, 1142, 1143, 1146, 1305, 1356, 1364, 1370, 1449, 1471, 1814, 1932"

const char note_head[] = "BEGIN DECLARE CONTINUE HANDLER FOR " SWALLOWED " BEGIN END; ";
const char note_inner_head[] = "BEGIN DECLARE EXIT HANDLER FOR " SWALLOWED " BEGIN END; ";

#define ARGUMENT "(changed VARCHAR(255) CHARACTER SET utf8mb4)"

/* ---- names */

bool note_is_home(const struct viewd_conn *conn, const char *schema)
{
	return (conn->names_fold ? strcasecmp(schema, conn->url->database) : strcmp(schema, conn->url->database)) == 0;
}

void note_name_in(struct viewd_conn *conn, const char *schema, const char *prefix, char out[static IDENT_MAX])
{
	char longer[IDENT_MAX];

	snprintf(out, IDENT_MAX, "%s", prefix);
	if (note_is_home(conn, schema))
		return;
	snprintf(longer, sizeof longer, "%s_", prefix);
	my_lock_name(conn, longer, out);
}

void note_name(struct viewd_conn *conn, const char *schema, char out[static IDENT_MAX])
{
	note_name_in(conn, schema, NOTE_PREFIX, out);
}

/* ---- making */

/* One of viewd's tables, as the procedure in the database names it. */
static char *own_table(struct viewd_conn *conn, void *mem, const char *schema, const char *name)
{
	struct relation rel = {.schema = ""};

	snprintf(rel.name, sizeof rel.name, "%s", name);
	if (note_is_home(conn, schema))
		return talloc_strdup(mem, name);
	my_place(conn, &rel, &rel);
	return relation_quoted(&my_syntax, mem, &rel);
}

/* SQL: nobody takes rows off the log. Nor does anybody in a copy of it under another name, while the lock is the
 * original's. Each node of a cluster has a lock of its own; by way of which one somebody watches is data. */
static char *unattended(struct viewd_conn *conn, void *mem, const char *schema)
{
	char lock[IDENT_MAX];

	my_lock_name(conn, WATCH_PREFIX, lock);
	char *sql = talloc_asprintf(mem, "IS_USED_LOCK(%s) IS NULL", literal_quoted(&my_syntax, mem, lock));
	if (conn->node.certifies)
		sql = talloc_asprintf(
			mem, "(%s AND NOT EXISTS (SELECT 1 FROM %s e WHERE e.id = " NOTE_HEARD " AND e.base >= LAST_INSERT_ID()))",
			sql, own_table(conn, mem, schema, NOTE_SLOTS));
	return note_is_home(conn, schema)
	           ? talloc_asprintf(mem, "(%s OR DATABASE() <> %s)", sql, literal_quoted(&my_syntax, mem, schema))
	           : sql;
}

/* The second look at the lock is one with the slot held: whoever watches later finds that. A statement that fails ends
 * it, so that no other's row is taken out. What was found holds for so many numbers in this session: a slot's base only
 * grows, and where numbers begin anew they are below all that it was found for. */
static char *note_body(struct viewd_conn *conn, void *mem, const char *schema)
{
	char *log = own_table(conn, mem, schema, NOTE_LOG), *away = unattended(conn, mem, schema);
	char *body = talloc_asprintf(
		mem,
		"INSERT INTO %s (source) VALUES (changed); IF (LAST_INSERT_ID() BETWEEN " NOTE_FROM " AND " NOTE_TO
		") IS NOT TRUE THEN BEGIN DECLARE own BIGINT DEFAULT LAST_INSERT_ID(); DECLARE enough BIGINT DEFAULT own "
		"+ " NOTE_AHEAD "; DECLARE away BOOLEAN DEFAULT %s; IF away THEN SELECT MAX(s.base) + " NOTE_ENOUGH
		" INTO enough FROM %s s WHERE s.id = MOD(CONNECTION_ID(), " NOTE_N_SLOTS
		") LOCK IN SHARE MODE%s; END IF; IF own <= enough THEN SET " NOTE_FROM " = own, " NOTE_TO
		" = enough; ELSEIF own > enough AND %s THEN"
		" DELETE FROM %s WHERE id = own AND source = changed AND changed LIKE '`%%'; END IF; END; END IF; ",
		log, away, own_table(conn, mem, schema, NOTE_SLOTS), conn->mariadb ? " SKIP LOCKED" : "", away, log);

	/* A copy of it in another database is not meant. */
	if (!note_is_home(conn, schema))
		body =
			talloc_asprintf(mem, "IF DATABASE() = %s THEN %sEND IF; ", literal_quoted(&my_syntax, mem, schema), body);
	return talloc_asprintf(mem, "%s%sEND", note_inner_head, body);
}

static char *test_body(struct viewd_conn *conn, void *mem, const char *schema)
{
	char name[IDENT_MAX];

	note_name(conn, schema, name);
	return talloc_asprintf(mem, "%sCALL %s(changed); END", note_head, name);
}

struct routine {
	bool there;
	char comment[80];
	char definer[2 * IDENT_MAX];
};

static bool take_routine_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct routine *routine = ctx;

	routine->there = true;
	snprintf(routine->comment, sizeof routine->comment, "%s", v[0] != NULL ? v[0] : "");
	snprintf(routine->definer, sizeof routine->definer, "%s", v[1] != NULL ? v[1] : "");
	return false;
}

static const struct db_reader take_routine[] = {{take_routine_fn, "TT", "a procedure of viewd"}};

static bool find_routine(struct viewd_conn *conn, const char *schema, const char *name, struct routine *out,
                         struct viewd_err *err)
{
	const char *params[] = {schema, name};

	*out = (struct routine){.there = false};
	return my_query(
		&conn->db,
		"SELECT ROUTINE_COMMENT, DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ? AND ROUTINE_NAME = ?"
		" AND ROUTINE_TYPE = 'PROCEDURE'",
		params, ARRAY_LEN(params), take_routine, out, err);
}

static bool hint_at_privilege(const char *schema, const char *privilege, struct viewd_err *err)
{
	if (err != NULL && err->cls == VIEWD_ERR_DENIED)
		return err_hint(err, "grant %s on %.64s.* to viewd's account, or set capture = binlog or poll", privilege,
		                schema);
	return false;
}

/* One of the two: whether it is there, as it should be. */
struct wanted {
	char name[IDENT_MAX];
	char *body;
	char comment[80];
};

static void want(struct viewd_conn *conn, void *mem, const char *schema, struct wanted out[static 2])
{
	char hash[DIGEST_SIZE];

	note_name(conn, schema, out[0].name);
	note_name_in(conn, schema, NOTE_TEST_PREFIX, out[1].name);
	out[0].body = note_body(conn, mem, schema);
	out[1].body = test_body(conn, mem, schema);
	for (size_t i = 0; i < 2; i++) {
		digest_text(out[i].body, hash);
		snprintf(out[i].comment, sizeof out[i].comment, NOTE_COMMENT "%.16s", hash);
	}
}

static bool is_right(struct viewd_conn *conn, const char *schema, const struct wanted *wanted,
                     const struct definer *definer, bool *right_r, struct viewd_err *err)
{
	struct routine found;

	if (!find_routine(conn, schema, wanted->name, &found, err))
		return false;
	*right_r = found.there && strcmp(found.comment, wanted->comment) == 0 && definer_same(definer, found.definer);
	return !found.there || strncmp(found.comment, NOTE_COMMENT, strlen(NOTE_COMMENT)) == 0 ||
	       err_set(err, VIEWD_ERR_EXISTS, "procedure %.64s.%.64s is in the way and is not viewd's", schema,
	               wanted->name);
}

bool note_is_right(struct viewd_conn *conn, const char *schema, const struct definer *definer, bool *right_r,
                   struct viewd_err *err)
{
	struct wanted wanted[2];
	void *mem = talloc_new(NULL);
	bool first = false, second = false;

	want(conn, mem, schema, wanted);
	bool done = is_right(conn, schema, &wanted[0], definer, &first, err) &&
	            is_right(conn, schema, &wanted[1], definer, &second, err);
	talloc_free(mem);
	if (done)
		*right_r = first && second;
	return done;
}

/* The old procedure is dropped before: MySQL has no OR REPLACE. */
static bool make_procedure(struct viewd_conn *conn, void *mem, const char *schema, const struct wanted *wanted,
                           const struct definer *definer, struct viewd_err *err)
{
	struct relation at = {.schema = ""};

	snprintf(at.schema, sizeof at.schema, "%s", schema);
	memcpy(at.name, wanted->name, sizeof at.name);
	char *quoted = relation_quoted(&my_syntax, mem, &at);
	char *drop = talloc_asprintf(mem, "DROP PROCEDURE IF EXISTS %s", quoted);
	char *create = talloc_asprintf(mem, "CREATE %sPROCEDURE %s " ARGUMENT " MODIFIES SQL DATA COMMENT '%s' %s",
	                               definer_clause(definer), quoted, wanted->comment, wanted->body);
	return (db_exec(&conn->db, drop, err) && db_exec(&conn->db, create, err)) ||
	       hint_at_privilege(schema, "CREATE ROUTINE, ALTER ROUTINE, EXECUTE", err);
}

bool note_make(struct viewd_conn *conn, const char *schema, const struct definer *definer, struct viewd_err *err)
{
	struct wanted wanted[2];
	void *mem = talloc_new(NULL);

	want(conn, mem, schema, wanted);
	bool done = make_procedure(conn, mem, schema, &wanted[0], definer, err) &&
	            make_procedure(conn, mem, schema, &wanted[1], definer, err);
	talloc_free(mem);
	return done;
}

/* ---- proving */

bool note_is_verdict(const struct viewd_err *failure)
{
	return failure->cls == VIEWD_ERR_MISSING || failure->cls == VIEWD_ERR_DENIED || failure->cls == VIEWD_ERR_QUERY ||
	       failure->cls == VIEWD_ERR_EXISTS || failure->cls == VIEWD_ERR_CONFIG;
}

static bool leave_word(struct viewd_conn *conn, const char *schema, bool *works_r, struct viewd_err *err)
{
	struct relation at = {.schema = ""};
	char word[64];
	const char *params[] = {word};
	int64_t found = 0;

	snprintf(at.schema, sizeof at.schema, "%s", schema);
	note_name_in(conn, schema, NOTE_TEST_PREFIX, at.name);
	snprintf(word, sizeof word, "test %lu", conn->thread_id);
	char *quoted = relation_quoted(&my_syntax, conn, &at);
	bool done = my_exec(&conn->db, talloc_asprintf(quoted, "CALL %s(?)", quoted), params, 1, NULL, err) &&
	            my_query_int(conn, "SELECT 1 FROM " NOTE_LOG " WHERE source = ? ORDER BY id DESC LIMIT 1", params, 1,
	                         &found, err);
	talloc_free(quoted);
	*works_r = found == 1;
	return done;
}

/* Nothing failed and nothing came: what does the account itself meet? */
static void find_reason(struct viewd_conn *conn, char why[static 256])
{
	struct viewd_err failure = {0};

	snprintf(why, 256, "the definer of procedure " NOTE_PREFIX " may not call it or write the log");
	if (!db_exec(&conn->db, "INSERT INTO " NOTE_LOG " (source) VALUES ('test')", &failure))
		snprintf(why, 256, "%.255s", failure.msg);
}

bool note_test(struct viewd_conn *conn, const char *schema, bool *works_r, char why[static 256], struct viewd_err *err)
{
	struct viewd_err failure = {0};
	bool works = false;

	if (!my_begin(&conn->db, DB_BEGIN_WRITE, err))
		return false;
	bool done = leave_word(conn, schema, &works, &failure);
	if (done && !works)
		find_reason(conn, why);
	my_rollback(&conn->db);
	if (!done && note_is_verdict(&failure))
		snprintf(why, 256, "%.255s", failure.msg);
	else if (!done && err != NULL)
		*err = failure;
	if (!done && !note_is_verdict(&failure))
		return false;
	*works_r = done && works;
	return true;
}

bool note_prove(struct viewd_conn *conn, const char *schema, const struct definer *definer, struct viewd_err *err)
{
	char why[256];
	bool works = false;

	if (!note_test(conn, schema, &works, why, err))
		return false;
	if (works)
		return true;
	err_set(err, VIEWD_ERR_DENIED, "triggers would leave no word of changes in table " NOTE_LOG " (%s)", why);
	return err_hint(err,
	                "grant EXECUTE on %.64s.* and INSERT on %.64s.* to %s, and leave " NOTE_LOG " as viewd makes it",
	                schema, conn->url->database, definer->role ? DEFINER_ROLE : "viewd's account");
}

bool note_test_all(struct viewd_conn *conn, bool *works_r, char why[static 256], struct viewd_err *err)
{
	struct texts schemas = {.mem = talloc_new(NULL)};
	bool works = true;
	bool good = my_query(&conn->db,
	                     "SELECT DISTINCT IF(trigger_schema = '', DATABASE(), trigger_schema) FROM viewd_triggers t "
	                     "WHERE EXISTS (SELECT 1 FROM viewd_captures c WHERE c.mode = 'trigger' AND "
	                     "(c.source = t.source OR RIGHT(c.source, CHAR_LENGTH(t.source) + 1) = CONCAT('.', t.source)))",
	                     NULL, 0, texts_reader, &schemas, err);

	for (size_t i = 0; i < schemas.n && good && works; i++)
		good = note_test(conn, schemas.items[i], &works, why, err);
	talloc_free(schemas.mem);
	if (good)
		*works_r = works;
	return good;
}
