/* SPDX-License-Identifier: MIT
 *
 * definer.c: whom triggers and procedures run as.
 *
 * Where the definer is gone every writer gets error 1449, which no handler catches. A role outlives the account. It
 * needs TRIGGER itself, else writers get 1142: so that is looked up before a trigger names it. MySQL gives a definer
 * other than the account only to administrators.
 */
#include "mysql/capture/trigger_procedure.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"

/* The server takes one alone of several grants on patterns that cover a database. So a privilege has to be in all of
 * them. */
struct privilege {
	bool elsewhere; /* on everything, or on the table */
	size_t covering, with;
};

struct grants {
	const struct relation *table;
	struct privilege trigger, routine, select;
};

/* Does the pattern of a grant, with % and _ and \ before what is meant literally, cover the name? */
static bool covers(const char *pattern, const char *name)
{
	for (; *pattern != '\0' && *pattern != '%'; pattern++, name++) {
		bool literal = *pattern == '\\' && pattern[1] != '\0';
		pattern += literal;
		if (*name == '\0' || (*pattern != *name && (literal || *pattern != '_')))
			return false;
	}
	if (*pattern == '\0')
		return *name == '\0';
	for (const char *rest = name;; rest++) {
		if (covers(pattern + 1, rest))
			return true;
		if (*rest == '\0')
			return false;
	}
}

static struct lex_token next_solid(const char **at)
{
	struct lex_token tok;

	do {
		tok = lex_next(my_syntax.lexer.flags, at);
	} while (tok.kind == LEX_SPACE);
	return tok;
}

/* `a``b` -> a`b, * -> *. */
static void read_part(const char **at, char out[static IDENT_MAX])
{
	struct lex_token tok = next_solid(at);
	size_t n = 0;

	for (size_t i = tok.kind == LEX_IDENT; i + (tok.kind == LEX_IDENT) < tok.len && n + 1 < IDENT_MAX; i++) {
		out[n++] = tok.text[i];
		i += tok.text[i] == '`';
	}
	out[n] = '\0';
}

/* After ON: *.* or `pattern`.* or `db`.`table`. */
static void judge_on(const struct relation *table, struct privilege *privilege, const char *at, bool has)
{
	char schema[IDENT_MAX], name[IDENT_MAX];

	read_part(&at, schema);
	next_solid(&at);
	read_part(&at, name);
	if (strcmp(name, "*") == 0 && strcmp(schema, "*") != 0) {
		bool covered = covers(schema, table->schema);
		privilege->covering += covered;
		privilege->with += covered && has;
	} else if (strcmp(name, "*") == 0 || (strcmp(schema, table->schema) == 0 && strcmp(name, table->name) == 0)) {
		privilege->elsewhere = privilege->elsewhere || has;
	}
}

/* One line of SHOW GRANTS: GRANT privileges ON what TO whom. */
static bool judge_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct grants *grants = ctx;
	const char *at = v[0];
	bool trigger = false, routine = false, create = false, select = false, selected = false;
	struct lex_token tok;

	while ((tok = next_solid(&at)).kind != LEX_END && !lex_is(&tok, "on")) {
		trigger = trigger || lex_is(&tok, "trigger") || lex_is(&tok, "all");
		routine = routine || (create && lex_is(&tok, "routine")) || lex_is(&tok, "all");
		create = lex_is(&tok, "create");
		select = (select && !(selected && tok.text[0] == '(')) || lex_is(&tok, "select") || lex_is(&tok, "all");
		selected = lex_is(&tok, "select"); /* of some columns: not counted */
	}
	if (tok.kind == LEX_END)
		return true;
	judge_on(grants->table, &grants->trigger, at, trigger);
	judge_on(grants->table, &grants->routine, at, routine);
	judge_on(grants->table, &grants->select, at, select);
	return true;
}

static const struct db_reader judge[] = {{judge_fn, "t", "the privileges of the account"}};

static bool has(const struct privilege *privilege)
{
	return privilege->elsewhere || (privilege->covering > 0 && privilege->with == privilege->covering);
}

static bool set_role(struct viewd_conn *conn, const char *role, struct viewd_err *err)
{
	char *sql = talloc_strdup(conn, "SET ROLE ");

	sql = role[0] != '\0' ? ident_append(&my_syntax, sql, role) : sql_add(sql, "NONE");
	bool done = db_exec(&conn->db, sql, err);
	talloc_free(sql);
	return done;
}

static bool use_account(struct viewd_conn *conn, struct definer *out, struct viewd_err *err)
{
	char *account;

	if (!my_query_text(conn, conn, "SELECT CURRENT_USER()", NULL, 0, &account, err))
		return false;
	out->role = false;
	snprintf(out->name, sizeof out->name, "%s", account);
	talloc_free(account);
	return true;
}

static bool remember_former(struct viewd_conn *conn, struct definer *out, struct viewd_err *err)
{
	char *former;

	if (!my_query_text(conn, conn, "SELECT CURRENT_ROLE()", NULL, 0, &former, err))
		return false;
	snprintf(out->former, sizeof out->former, "%s", former != NULL ? former : "");
	talloc_free(former);
	return true;
}

static bool try_role(struct viewd_conn *conn, const struct relation *table, bool reads, struct definer *out,
                     struct viewd_err *err)
{
	struct grants grants = {.table = table};

	if (!remember_former(conn, out, err) || !set_role(conn, DEFINER_ROLE, err))
		return false;
	out->role = true;
	snprintf(out->name, sizeof out->name, "%s", DEFINER_ROLE);
	bool asked = my_query(&conn->db, "SHOW GRANTS FOR CURRENT_ROLE", NULL, 0, judge, &grants, err);
	if (asked && has(&grants.trigger) && (!reads || has(&grants.select)))
		return true;
	definer_leave(conn, out);
	snprintf(out->lacks, sizeof out->lacks, "%s on %.64s.*", reads ? "TRIGGER, SELECT" : "TRIGGER", table->schema);
	return asked && use_account(conn, out, err);
}

static bool enter(struct viewd_conn *conn, const struct relation *table, bool reads, struct definer *out,
                  struct viewd_err *err)
{
	int64_t roles = 0;

	*out = (struct definer){.role = false};
	if (conn->mariadb &&
	    !my_query_int(conn,
	                  "SELECT COUNT(*) FROM information_schema.APPLICABLE_ROLES WHERE ROLE_NAME = '" DEFINER_ROLE "'",
	                  NULL, 0, &roles, err))
		return false;
	return roles > 0 ? try_role(conn, table, reads, out, err) : use_account(conn, out, err);
}

bool definer_enter(struct viewd_conn *conn, const struct relation *table, struct definer *out, struct viewd_err *err)
{
	return enter(conn, table, false, out, err);
}

bool definer_enter_reading(struct viewd_conn *conn, const struct relation *table, struct definer *out,
                           struct viewd_err *err)
{
	return enter(conn, table, true, out, err);
}

void definer_leave(struct viewd_conn *conn, const struct definer *definer)
{
	if (definer->role && !conn->lost && !set_role(conn, definer->former, NULL))
		conn->lost = true;
}

const char *definer_clause(const struct definer *definer)
{
	return definer->role ? "DEFINER = CURRENT_ROLE " : "";
}

bool definer_same(const struct definer *definer, const char *told)
{
	size_t len = strlen(definer->name);

	return strncmp(told, definer->name, len) == 0 && (told[len] == '\0' || strcmp(told + len, "@") == 0);
}

bool definer_may(struct viewd_conn *conn, const struct relation *table, bool *may_r, struct viewd_err *err)
{
	struct grants grants = {.table = table};

	if (!my_query(&conn->db, "SHOW GRANTS", NULL, 0, judge, &grants, err))
		return false;
	*may_r = has(&grants.trigger) && has(&grants.routine);
	return true;
}
