/* SPDX-License-Identifier: MIT */
#include "common/objects/hooks.h"

#include "base/err.h"
#include "base/words.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* PostgreSQL refuses payloads of 8000 bytes and more (its manual on NOTIFY). */
#define PAYLOAD_MAX 7999

static bool no_such_thing(const struct syntax *syn, const char *key, const char *what, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "%s cannot work (%s has no %s)", key, syn->dialect, what);
	return err_hint(err, "remove %s, or use it only in the view's section for another database", key);
}

static bool begins_transaction_control(const struct lex_token *tok)
{
	static const char *const words[] = {"BEGIN", "START",     "COMMIT",  "END",     "ROLLBACK",
	                                    "ABORT", "SAVEPOINT", "RELEASE", "PREPARE", "XA"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (lex_is(tok, words[i]))
			return true;
	return false;
}

/* A hook that runs outside the transaction may not change what the statements after it mean. */
static bool begins_session_change(const struct syntax *syn, const struct lex_token *tok)
{
	return !syn->has.transactional_ddl && (lex_is(tok, "USE") || lex_is(tok, "LOCK") || lex_is(tok, "UNLOCK"));
}

static bool refuse_hook(const char *key, const char *why, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "%s %s", key, why);
	return err_hint(err, "%s is one SQL statement, run inside the refresh's transaction where the engine can", key);
}

static bool check_statement(const struct syntax *syn, const char *key, const char *text, struct viewd_err *err)
{
	struct lex_token tok;
	bool begun = false, closed = false;
	while (text != NULL && (tok = lex_next(syn->lexer.flags, &text)).kind != LEX_END) {
		if (tok.kind == LEX_BROKEN)
			return refuse_hook(key, "has a quote or comment that is not closed", err);
		if (tok.kind == LEX_SPACE || tok.kind == LEX_COMMENT)
			continue;
		if (closed)
			return refuse_hook(key, "holds more than one statement", err);
		if (!begun && begins_transaction_control(&tok))
			return refuse_hook(key, "ends or begins a transaction", err);
		if (!begun && begins_session_change(syn, &tok))
			return refuse_hook(key, "changes the session for what comes after it", err);
		closed = tok.kind == LEX_OTHER && tok.text[0] == ';';
		begun = true;
	}
	return begun || text == NULL || refuse_hook(key, "is empty", err);
}

bool hooks_check(const struct syntax *syn, const struct viewd_view_spec *view, struct viewd_err *err)
{
	if (view->notify_channel != NULL && syn->notify == NULL)
		return no_such_thing(syn, "notify_channel", "NOTIFY", err);
	if (view->notify_channel != NULL && strlen(view->notify_channel) > syn->names.max)
		return err_set(err, VIEWD_ERR_CONFIG, "notify_channel is too long (at most %zu bytes)", syn->names.max);
	if (view->run_as != NULL && syn->role.set == NULL)
		return no_such_thing(syn, "run_as", "role that a transaction can take on", err);
	return check_statement(syn, "pre_hook", view->pre_hook, err) &&
	       check_statement(syn, "post_hook", view->post_hook, err);
}

bool hooks_role_begin(struct task *task, struct viewd_err *err)
{
	const struct syntax *syn = task->db->syntax;
	if (task->view->run_as == NULL)
		return true;
	char *role = ident_append(syn, sql_new(task->mem), task->view->run_as);
	if (db_exec(task->db, sql_template(sql_new(task->mem), syn->role.set, role), err))
		return true;
	err_wrap(err, "run_as");
	return err_hint(err, "the role must exist, and viewd's own role must be a member of it");
}

bool hooks_role_end(struct task *task, struct viewd_err *err)
{
	return task->view->run_as == NULL || db_exec(task->db, task->db->syntax->role.reset, err);
}

bool hooks_inside(const struct task *task)
{
	return task->db->syntax->has.transactional_ddl;
}

static bool run_hook(struct task *task, const char *hook, struct viewd_err *err)
{
	const struct db_ops *ops = task->db->ops;
	struct viewd_err left = {0};
	bool done = db_exec(task->db, hook, err);
	if (hooks_inside(task) || ops->session.end_hook == NULL || ops->session.end_hook(task->db, &left))
		return done;
	if (done && err != NULL)
		*err = left;
	return false;
}

/* Writes of a hook are nobody's refresh: the watch tells it by the transaction inside the transaction. */
bool hooks_before(struct task *task, struct viewd_err *err)
{
	struct db *db = task->db;
	bool apart = hooks_inside(task) && db->syntax->state.polls_late;
	if (task->view->pre_hook == NULL)
		return true;
	if (apart && !db_exec(db, "SAVEPOINT viewd_pre_hook", err))
		return false;
	return (run_hook(task, task->view->pre_hook, err) || err_wrap(err, "pre_hook")) &&
	       (!apart || db_exec(db, "RELEASE SAVEPOINT viewd_pre_hook", err));
}

/* Is it the statement's own fault, with the rest of the refresh unharmed? */
static bool is_harmless(const struct viewd_err *err)
{
	return err->cls == VIEWD_ERR_QUERY || err->cls == VIEWD_ERR_MISSING || err->cls == VIEWD_ERR_DENIED ||
	       err->cls == VIEWD_ERR_EXISTS || err->cls == VIEWD_ERR_CONFIG;
}

static void warn(struct task *task, const struct viewd_err *err, char warning[static 512])
{
	snprintf(warning, 512, "post_hook: %.480s", err->msg);
	db_log(task->db, VIEWD_LOG_WARNING, "view '%s', post_hook failed (%s); the refresh counts all the same",
	       task->view->name, err->msg);
}

bool hooks_after(struct task *task, char warning[static 512], struct viewd_err *err)
{
	struct db *db = task->db;
	bool inside = hooks_inside(task);
	warning[0] = '\0';
	if (task->view->post_hook == NULL)
		return true;
	if (inside && !db_exec(db, "SAVEPOINT viewd_post_hook", err))
		return false;
	if (run_hook(task, task->view->post_hook, err))
		return !inside || db_exec(db, "RELEASE SAVEPOINT viewd_post_hook", err);
	if (inside && !is_harmless(err))
		return err_wrap(err, "post_hook");
	warn(task, err, warning);
	return !inside || db_exec(db, "ROLLBACK TO SAVEPOINT viewd_post_hook", err);
}

static char *add_json_string(char *out, const char *text)
{
	out = sql_add(out, "\"");
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			out = sql_add(out, "\\%c", c);
		else if (c < 0x20)
			out = sql_add(out, "\\u%04x", c);
		else
			out = sql_add(out, "%c", c);
	}
	return sql_add(out, "\"");
}

static char *add_count(char *out, const char *key, int64_t n)
{
	return n < 0 ? sql_add(out, ",\"%s\":null", key) : sql_add(out, ",\"%s\":%lld", key, (long long)n);
}

bool hooks_notify(struct task *task, const struct viewd_outcome *out, struct viewd_err *err)
{
	if (task->view->notify_channel == NULL)
		return true;
	if (!db_flush(task->db, err))
		return false; /* not the channel's fault */
	char *payload = add_json_string(sql_add(sql_new(task->mem), "{\"view\":"), task->view->name);
	payload =
		add_json_string(sql_add(payload, ",\"relation\":"), relation_quoted(task->db->syntax, task->mem, &task->rel));
	payload = sql_add(payload, ",\"action\":\"%s\"", word_did(out->did));
	payload = add_count(payload, "rows", out->rows);
	payload = sql_add(add_count(payload, "rows_written", out->rows_written), "}");
	/* a name cannot be that long today; a payload without details is better than a failed refresh */
	const char *params[] = {task->view->notify_channel, strlen(payload) <= PAYLOAD_MAX ? payload : "{}"};
	return task->db->ops->exec(task->db, task->db->syntax->notify, params, 2, NULL, err) ||
	       err_wrap(err, "notify_channel");
}
