/* SPDX-License-Identifier: MIT
 *
 * offline.c: commands that read the files themselves: check, and explain, render and uninstall with -c.
 */
#include "core/offline/offline.h"
#include "base/account.h"
#include "base/err.h"
#include "base/paths.h"
#include "client/client.h"
#include "client/offline.h"
#include "client/print/print.h"
#include "conf/conf.h"
#include "core/exec/uninstall_run.h"
#include "core/offline/explain.h"
#include "ctl/text/json_explain.h"
#include "ctl/text/json_text.h"
#include "plugin/loader.h"

/* The caller's own configuration where none is named. */
static const char *config_of(const struct client *client, const struct args *args)
{
	return args_text(args, "config") != NULL ? args_text(args, "config") : paths_conf(client->mem_ctx);
}

/* The snapshot, which no dialect has judged yet, or NULL. Problems belong to the client's context. */
static struct conf *load(const struct client *client, const char *path, struct registry *registry,
                         struct conf_problems *problems)
{
	struct conf_dialects dialects = offline_dialects(registry);
	return conf_load(client->mem_ctx, path, &dialects, problems);
}

/* strict: what is wrong on this machine is an error. */
static json_t *problems_json(const struct conf_problems *problems, bool strict)
{
	json_t *list = json_array();
	for (size_t i = 0; i < problems->n; i++) {
		json_t *one = json_object();
		json_object_set_new(one, "text", json_text(problems->items[i].text));
		json_object_set_new(one, "warning",
		                    json_boolean(problems->items[i].warning && !(strict && problems->items[i].of_machine)));
		json_array_append_new(list, one);
	}
	return list;
}

static void show_problems(const struct client *client, const struct conf_problems *problems, bool strict)
{
	json_t *list = problems_json(problems, strict);
	print_problems(screen_new(client->mem_ctx, client->out, &client->look), list);
	json_decref(list);
}

static bool is_good(const struct conf_problems *problems)
{
	return problems->n_errors + problems->n_of_machine == 0;
}

static void show_check(const struct client *client, const char *path, const struct conf_problems *problems)
{
	if (!client->json) {
		show_problems(client, problems, true);
		if (is_good(problems))
			fprintf(client->out, "%s: good\n", path);
		return;
	}
	json_t *body = json_object();
	json_object_set_new(body, "schema", json_integer(1));
	json_object_set_new(body, "ok", json_boolean(is_good(problems)));
	json_object_set_new(body, "problems", problems_json(problems, true));
	print_json(client->out, body);
	json_decref(body);
}

enum client_exit client_check(const struct client *client, const struct args *args)
{
	const char *path = config_of(client, args);
	struct registry *registry = registry_new(client->mem_ctx);
	const struct conf_dialects dialects = offline_dialects(registry);
	struct conf_problems problems = {0};
	struct conf *conf = load(client, path, registry, &problems);
	if (conf != NULL)
		offline_check(client->mem_ctx, conf, &dialects, &problems);
	show_check(client, path, &problems);
	conf_unref(&conf);
	return is_good(&problems) ? CLIENT_DONE : CLIENT_FAILED;
}

static bool add_statement(void *ctx, const char *text)
{
	json_array_append_new(ctx, json_text(text));
	return true;
}

static enum client_exit render(const struct client *client, const struct args *args, const struct conf *conf,
                               struct registry *registry)
{
	struct offline_render what = {
		.view = args_text(args, "view"),
		.dialect = args_text(args, "dialect"),
		.database = args_text(args, "database"),
		.flags = {args_flag(args, "or-replace"), args_flag(args, "if-not-exists"), args_flag(args, "if-exists"),
	              args_flag(args, "cascade")},
	};
	bool known = offline_render_kind(args_text(args, "what"), &what.kind);
	assert(known); /* the parameter's row lists the words */
	struct viewd_err err;
	const char *dialect = NULL;
	json_t *list = json_array(), *body = NULL;
	if (offline_render(conf, registry, &what, (struct viewd_text_sink){add_statement, list}, &dialect, &err))
		body =
			json_pack("{s:i, s:s, s:s, s:O}", "schema", 1, "view", what.view, "dialect", dialect, "statements", list);
	json_decref(list);
	return client_answer(client, args, body, &err);
}

enum client_exit client_with_conf(const struct client *client, const struct args *args, client_with_conf_fn *fn)
{
	struct viewd_err err;
	const char *path = config_of(client, args); /* of who asks, not of whom he becomes */
	if (!account_of_service(path, &err)) {
		client_complain(client, &err);
		return CLIENT_FAILED;
	}
	struct registry *registry = registry_new(client->mem_ctx);
	struct conf_problems problems = {0};
	struct conf *conf = load(client, path, registry, &problems);
	if (conf == NULL) {
		struct client to_err = *client;
		to_err.out = client->err;
		to_err.look = look_of(client->err);
		show_problems(&to_err, &problems, false);
		return CLIENT_FAILED;
	}
	enum client_exit end = fn(client, args, conf, registry);
	conf_unref(&conf);
	return end;
}

enum client_exit client_answer(const struct client *client, const struct args *args, json_t *body,
                               const struct viewd_err *err)
{
	if (body == NULL) {
		client_complain(client, err);
		return CLIENT_FAILED;
	}
	enum client_exit end = client_show(client, args, 200, body);
	json_decref(body);
	return end;
}

enum client_exit client_render(const struct client *client, const struct args *args)
{
	return client_with_conf(client, args, render);
}

static const struct viewd_dialect *open_database(const struct conf *conf, struct registry *registry, const char *name,
                                                 const struct conf_database **db_r, struct viewd_err *err)
{
	const struct conf_database *db = conf_find_database(conf, name);
	if (db == NULL) {
		err_set(err, VIEWD_ERR_MISSING, "database '%s' is not in the configuration", name);
		return NULL;
	}
	*db_r = db;
	return registry_open(registry, conf->daemon.plugin_dir, db->dialect, err);
}

static enum client_exit uninstall(const struct client *client, const struct args *args, const struct conf *conf,
                                  struct registry *registry)
{
	struct viewd_err err;
	const struct conf_database *db = NULL;
	const char *name = args_text(args, "database");
	const struct viewd_dialect *dialect = open_database(conf, registry, name, &db, &err);
	json_t *list = json_array(), *body = NULL;
	if (dialect != NULL &&
	    uninstall_carry_out(dialect, db, args_flag(args, "print"), (struct viewd_text_sink){add_statement, list}, &err))
		body = json_pack("{s:i, s:b, s:s, s:O}", "schema", 1, "ok", 1, "database", name, "statements", list);
	json_decref(list);
	return client_answer(client, args, body, &err);
}

static enum client_exit explain_view(const struct client *client, const struct args *args, const struct conf *conf,
                                     struct registry *registry)
{
	struct viewd_err err;
	const char *view = args_text(args, "view");
	json_t *explanation = json_explained_new();
	json_t *body = NULL;
	if (offline_explain(conf, registry, view, (struct viewd_explained_sink){json_explained_add, explanation}, &err))
		body = json_pack("{s:i, s:s, s:O}", "schema", 1, "view", view, "explanation", explanation);
	json_decref(explanation);
	return client_answer(client, args, body, &err);
}

enum client_exit client_explain(const struct client *client, const struct args *args)
{
	return client_with_conf(client, args, explain_view);
}

enum client_exit client_uninstall(const struct client *client, const struct args *args)
{
	return client_with_conf(client, args, uninstall);
}
