/* SPDX-License-Identifier: MIT */
#include "unit/core/model_servers.h"

#include "plugins/fake.h"
#include "support/harness.h"

#include <talloc.h>

static const char *some_server(const struct model_conf *conf, struct model_random *r)
{
	return model_server(conf, model_random(r, MODEL_DBS));
}

static char *some_relation(const struct model_conf *conf, struct model_random *r)
{
	return model_one_in(r, 4) ? talloc_strdup(harness_ctx(), "*")
	                          : model_relation(conf, model_random(r, MODEL_VIEWS), harness_ctx());
}

void model_change_table(const struct model_conf *conf, struct model_random *r)
{
	fake_do(some_server(conf, r), "%s t_%u", model_one_in(r, 8) ? "stir" : "change", model_random(r, MODEL_TABLES));
}

void model_misbehave(const struct model_conf *conf, struct model_random *r)
{
	static const char *const ops[] = {"refresh", "refresh", "refresh", "apply", "inspect",    "capture",
	                                  "verify",  "history", "prepare", "open",  "watch_open", "refresh_group"};
	static const char *const classes[] = {"conflict", "query",    "lost",    "connect",
	                                      "denied",   "resource", "missing", "standby"};
	static const char *const acts[] = {"block", "block", "hang", "delay"};
	const char *op = ops[model_random(r, ARRAY_LEN(ops))], *server = some_server(conf, r),
			   *object = some_relation(conf, r);
	if (model_one_in(r, 2))
		fake_do(server, "fail %s %s %s %u", op, object, classes[model_random(r, ARRAY_LEN(classes))],
		        1 + model_random(r, 3));
	else
		fake_do(server, "%s %s %s 3ms", acts[model_random(r, ARRAY_LEN(acts))], op, object);
}

void model_behave(const struct model_conf *conf, struct model_random *r)
{
	fake_do(some_server(conf, r), "calm");
}

void model_disturb(const struct model_conf *conf, struct model_random *r)
{
	static const char *const acts[] = {"down connect", "down auth", "up",      "up",    "sever",   "sever",
	                                   "readonly",     "writable",  "unwatch", "rival", "norival", "deaf",
	                                   "hearing",      "behind",    "abreast", "rewind"};
	fake_do(some_server(conf, r), "%s", acts[model_random(r, ARRAY_LEN(acts))]);
}

void model_meddle(const struct model_conf *conf, struct model_random *r)
{
	const char *server = some_server(conf, r),
			   *object = model_relation(conf, model_random(r, MODEL_VIEWS), harness_ctx());
	if (fake_kind(server, object) == VIEWD_KIND_NONE)
		return;
	switch (model_random(r, 4)) {
	case 0:
		fake_do(server, "remove %s", object);
		break;
	case 1:
		fake_do(server, "touch %s", object);
		break;
	case 2:
		fake_do(server, "lead %s", object);
		break;
	default:
		fake_do(server, "make %s table", object);
	}
}

void model_request_in_sql(const struct model_conf *conf, struct model_random *r)
{
	fake_do(some_server(conf, r), "request %c%u", model_one_in(r, 2) ? 'v' : 'w', model_random(r, MODEL_VIEWS));
}

void model_calm_servers(void)
{
	static const char *const servers[] = {"d", "e", "f", "d2", "e2", "f2"};
	static const char *const names[] = {"v", "w", "r"};
	for (size_t s = 0; s < ARRAY_LEN(servers); s++) {
		fake_do(servers[s], "calm");
		for (unsigned i = 0; i < MODEL_VIEWS * ARRAY_LEN(names); i++) {
			const char *object =
				talloc_asprintf(harness_ctx(), "%s%u", names[i % ARRAY_LEN(names)], i / (unsigned)ARRAY_LEN(names));
			if (fake_kind(servers[s], object) != VIEWD_KIND_NONE)
				fake_do(servers[s], "remove %s", object);
		}
	}
}
