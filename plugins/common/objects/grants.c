/* SPDX-License-Identifier: MIT */
#include "common/objects/grants.h"

#include "base/err.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

#define ITEMS_MAX 64

/* "SELECT TO web, report": every privilege for every account. */
struct grants {
	char *privileges[ITEMS_MAX], *accounts[ITEMS_MAX]; /* in capitals; as written */
	size_t n_privileges, n_accounts;
};

/* ---- the text ---- */

static bool bad(const char *text, const char *why, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "grants '%.200s' cannot be understood (%s)", text, why);
	return err_hint(err, "write grants = SELECT TO web, report");
}

static bool is_privilege(const char *word)
{
	static const char *const words[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "TRIGGER", "REFERENCES", "TRUNCATE"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* The item without blanks around it, or NULL when nothing is left. */
static char *item(void *mem, const char *begin, size_t len)
{
	while (len > 0 && isspace((unsigned char)begin[len - 1]))
		len--;
	for (; len > 0 && isspace((unsigned char)*begin); begin++)
		len--;
	return len > 0 ? talloc_strndup(mem, begin, len) : NULL;
}

static bool add(char **items, size_t *n, char *one)
{
	if (one == NULL || *n == ITEMS_MAX)
		return false;
	items[(*n)++] = one;
	return true;
}

/* Commas and TO count outside quotes. */
static bool split(const struct syntax *syn, void *mem, const char *text, struct grants *out)
{
	struct lex_token tok;
	bool behind_to = false;
	const char *begin = text;
	for (const char *p = text;;) {
		tok = lex_next(syn->lexer.flags, &p);
		bool comma = tok.kind == LEX_OTHER && tok.text[0] == ',', to = !behind_to && lex_is(&tok, "TO");
		if (tok.kind == LEX_BROKEN || tok.kind == LEX_COMMENT)
			return false;
		if (!comma && !to && tok.kind != LEX_END)
			continue;
		char *one = item(mem, begin, (size_t)(tok.text - begin));
		if (!(behind_to ? add(out->accounts, &out->n_accounts, one) : add(out->privileges, &out->n_privileges, one)))
			return false;
		if (tok.kind == LEX_END)
			return behind_to;
		behind_to |= to;
		begin = tok.text + tok.len;
	}
}

/* The name and, behind an @ outside quotes, the host of an account; host "": none. */
static bool split_account(const struct syntax *syn, void *mem, const char *account, char name[static IDENT_MAX],
                          char host[static IDENT_MAX], struct viewd_err *err)
{
	char quote = account[0];
	const char *p = account + 1;
	if (quote == '\'' || quote == '"' || quote == '`')
		p = strchr(p, quote) != NULL ? strchr(p, quote) + 1 : p + strlen(p);
	const char *at = syn->grants.hosts ? strchr(p, '@') : NULL;
	host[0] = '\0';
	const char *parts[] = {talloc_strndup(mem, account, at != NULL ? (size_t)(at - account) : strlen(account)),
	                       at != NULL ? at + 1 : NULL};
	char *into[] = {name, host};
	for (size_t i = 0; i < 2 && parts[i] != NULL; i++) {
		size_t len = strlen(parts[i]);
		bool quoted = syn->grants.hosts && len >= 2 && strchr("'\"`", parts[i][0]) != NULL;
		if (!quoted && !syn->grants.hosts)
			return ident_parse(syn, parts[i], into[i], err);
		snprintf(into[i], IDENT_MAX, "%.*s", (int)(quoted ? len - 2 : len), parts[i] + quoted);
	}
	return name[0] != '\0' || bad(account, "no account", err);
}

static bool parse(const struct syntax *syn, void *mem, const char *text, struct grants *out, struct viewd_err *err)
{
	char name[IDENT_MAX], host[IDENT_MAX];
	*out = (struct grants){.n_privileges = 0};
	if (!split(syn, mem, text, out))
		return bad(text, "it is not PRIVILEGE TO ACCOUNT", err);
	for (size_t i = 0; i < out->n_privileges; i++) {
		for (char *c = out->privileges[i]; *c != '\0'; c++)
			*c = (char)toupper((unsigned char)*c);
		if (!is_privilege(out->privileges[i]))
			return bad(text, "a privilege of one table is asked for", err);
	}
	for (size_t i = 0; i < out->n_accounts; i++)
		if (!split_account(syn, mem, out->accounts[i], name, host, err))
			return err_wrap(err, "grants");
	return true;
}

bool grants_check(const struct syntax *syn, const struct viewd_view_spec *view, struct viewd_err *err)
{
	struct grants grants;
	if (view->grants == NULL)
		return true;
	if (syn->grants.has == NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "grants cannot work (%s has no accounts: who can read the file reads it all)",
		        syn->dialect);
		return err_hint(err, "remove grants, or use it only in the view's section for another database");
	}
	void *mem = talloc_new(NULL);
	bool good = parse(syn, mem, view->grants, &grants, err);
	talloc_free(mem);
	return good;
}

/* ---- what is there ---- */

static bool take_number_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], -1);
	return true;
}

static const struct db_reader take_number[] = {{take_number_fn, "T", "the grants of a relation"}};

/* A privilege of one account: > 0 it is there, 0 it is not, < 0 the account of viewd may not see that. */
static bool look(struct task *task, const char *privilege, const char *account, int64_t *there_r, struct viewd_err *err)
{
	const struct syntax *syn = task->db->syntax;
	char name[IDENT_MAX], host[IDENT_MAX], whole[2 * IDENT_MAX];
	*there_r = -1;
	if (!split_account(syn, task, account, name, host, err))
		return false;
	snprintf(whole, sizeof whole, host[0] != '\0' ? "%s@%s" : "%s", name, host);
	const char *params[] = {task->rel.schema, task->rel.name, privilege, whole};
	return task->db->ops->query(task->db, syn->grants.has, params, ARRAY_LEN(params), take_number, there_r, err);
}

static bool give(struct task *task, const char *privilege, const char *account, struct viewd_err *err)
{
	const struct syntax *syn = task->db->syntax;
	char name[IDENT_MAX], host[IDENT_MAX];
	char *sql = sql_new(task);
	if (!split_account(syn, task, account, name, host, err))
		return false;
	sql = sql_add(sql, "%sGRANT %s ON %s TO ", syn->grants.guard != NULL ? syn->grants.guard : "", privilege,
	              relation_quoted(syn, task, &task->rel));
	sql = strcasecmp(account, "public") == 0 ? sql_add(sql, "PUBLIC") : ident_append(syn, sql, name);
	if (host[0] != '\0')
		sql = ident_append(syn, sql_add(sql, "@"), host);
	return db_exec(task->db, sql, err) || err_wrap(err, "grants: %s TO %s", privilege, account);
}

/* Visits each pair until one fails. missing_r NULL: gives what is not there. */
static bool each(struct task *task, bool *missing_r, struct viewd_err *err)
{
	struct grants grants;
	if (!parse(task->db->syntax, task, task->view->grants, &grants, err))
		return false;
	for (size_t i = 0; i < grants.n_privileges; i++)
		for (size_t k = 0; k < grants.n_accounts; k++) {
			int64_t there;
			if (!look(task, grants.privileges[i], grants.accounts[k], &there, err))
				return false;
			if (missing_r != NULL)
				*missing_r |= there == 0;
			else if (there <= 0 && !give(task, grants.privileges[i], grants.accounts[k], err))
				return false;
		}
	return true;
}

bool grants_present(struct task *task, bool *present_r, struct viewd_err *err)
{
	bool missing = false;
	if (task->view->grants != NULL && !each(task, &missing, err))
		return false;
	*present_r = !missing;
	return true;
}

bool grants_give(struct task *task, struct viewd_err *err)
{
	struct db *db = task->db;
	if (task->view->grants == NULL)
		return true;
	return db->ops->set_limits(db, task->view->timeout_us, task->view->lock_timeout_us, err) && each(task, NULL, err);
}

bool grants_owner_only(struct task *task, bool *yes_r, struct viewd_err *err)
{
	int64_t others = -1;
	const char *sql = task->db->syntax->grants.readers, *params[] = {task->rel.schema, task->rel.name};
	*yes_r = false;
	if (task->view->grants != NULL || sql == NULL)
		return true;
	if (!task->db->ops->query(task->db, sql, params, ARRAY_LEN(params), take_number, &others, err))
		return false;
	*yes_r = others == 0;
	return true;
}
