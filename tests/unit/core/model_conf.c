/* SPDX-License-Identifier: MIT */
#include "unit/core/model_conf.h"

#include <talloc.h>

static const char *const db_names[MODEL_DBS] = {"d", "e", "f"};

/* xorshift64* (Vigna): enough to choose by. */
unsigned model_random(struct model_random *r, unsigned below)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return (unsigned)(r->state * UINT64_C(2685821657736338717) >> 33) % below;
}

bool model_one_in(struct model_random *r, unsigned n)
{
	return model_random(r, n) == 0;
}

/* Mostly what has a lower number, so that cycles are rare. */
static unsigned some_views(struct model_random *r, unsigned self)
{
	unsigned reach = model_one_in(r, 12) ? MODEL_VIEWS : self, mask = 0;
	for (unsigned i = 0; i < 2 && reach > 0; i++)
		mask |= model_one_in(r, 2) ? 1u << model_random(r, reach) : 0;
	return mask & ~(1u << self);
}

static void make_view(struct model_view *v, struct model_random *r, unsigned self)
{
	*v = (struct model_view){
		.there = true,
		.renamed = model_one_in(r, 3),
		.own_relation = model_one_in(r, 3),
		.dbs = model_one_in(r, 4) ? 1u + model_random(r, 7) : 1u << model_random(r, MODEL_DBS),
		.tables = model_random(r, 1u << MODEL_TABLES),
		.reads = some_views(r, self),
		.depends = model_one_in(r, 3) && self > 0 ? 1u << model_random(r, self) : 0,
		.method = model_one_in(r, 4) ? 1 : 0,
		.group = model_one_in(r, 2) ? 1 + model_random(r, 2) : 0,
		.schedule = model_random(r, 8),
		.pace = model_random(r, 4),
		.priority = model_random(r, 3),
		.on_change = !model_one_in(r, 3),
		.disabled = model_one_in(r, 10),
		.drop = model_one_in(r, 2),
		.key = model_one_in(r, 2),
		.refused = model_one_in(r, 16),
		.no_data = model_one_in(r, 8),
	};
}

static void make_db(struct model_db *db, struct model_random *r)
{
	*db = (struct model_db){
		.there = true, .url = model_one_in(r, 3) ? model_random(r, 4) : 0, .slots = 1 + model_random(r, 3)};
}

void model_conf_make(struct model_conf *conf, struct model_random *r)
{
	*conf = (struct model_conf){.dbs = {{.there = false}}};
	for (unsigned i = 0; i < MODEL_DBS; i++)
		make_db(&conf->dbs[i], r);
	for (unsigned i = 0; i < MODEL_VIEWS; i++)
		if (!model_one_in(r, 4))
			make_view(&conf->views[i], r, i);
}

static void change_view(struct model_view *v, struct model_random *r, unsigned self)
{
	switch (v->there ? model_random(r, 14) : 0) {
	case 0:
		v->there = !v->there;
		if (v->there && model_one_in(r, 2))
			make_view(v, r, self);
		break;
	case 1:
		v->renamed = !v->renamed;
		break;
	case 2:
		v->dbs = 1u + model_random(r, 7);
		break;
	case 3:
		v->group = model_random(r, 3);
		break;
	case 4:
		v->reads = some_views(r, self);
		break;
	case 5:
		v->depends = self > 0 && v->depends == 0 ? 1u << model_random(r, self) : 0;
		break;
	case 6:
		v->disabled = !v->disabled;
		break;
	case 7:
		v->schedule = model_random(r, 8);
		break;
	case 8:
		v->on_change = !v->on_change;
		break;
	case 9:
		v->own_relation = !v->own_relation;
		break;
	case 10:
		v->method = !v->method;
		break;
	case 11:
		v->priority = model_random(r, 3);
		break;
	case 12:
		v->key = !v->key;
		break;
	default:
		make_view(v, r, self);
	}
}

static void change_db(struct model_db *db, struct model_random *r)
{
	if (!db->there || model_one_in(r, 2))
		db->there = !db->there;
	else if (model_one_in(r, 3))
		db->slots = 1 + model_random(r, 3);
	else
		make_db(db, r);
}

void model_conf_change(struct model_conf *conf, struct model_random *r)
{
	if (model_one_in(r, 8)) {
		for (unsigned i = 0; i < MODEL_VIEWS; i++)
			conf->views[i].there = model_one_in(r, 2); /* half of all at once */
		return;
	}
	for (unsigned n = 1 + model_random(r, 4); n > 0; n--) {
		unsigned i = model_random(r, MODEL_VIEWS);
		if (model_one_in(r, 6))
			change_db(&conf->dbs[model_random(r, MODEL_DBS)], r);
		else
			change_view(&conf->views[i], r, i);
	}
}

void model_conf_calm(struct model_conf *conf)
{
	for (unsigned i = 0; i < MODEL_VIEWS; i++) {
		struct model_view *v = &conf->views[i];
		v->reads &= (1u << i) - 1;
		v->group = 0;
		v->disabled = v->refused = v->no_data = false;
	}
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

const char *model_server(const struct model_conf *conf, unsigned db)
{
	static const char *const other[MODEL_DBS] = {"d2", "e2", "f2"};
	return conf->dbs[db].url == 2 ? other[db] : db_names[db];
}

static unsigned places(const struct model_conf *conf, unsigned view)
{
	unsigned mask = 0;
	for (unsigned k = 0; k < MODEL_DBS; k++)
		mask |= conf->dbs[k].there ? 1u << k : 0;
	return conf->views[view].there ? conf->views[view].dbs & mask : 0;
}

static char *view_name(const struct model_conf *conf, unsigned view, void *mem_ctx)
{
	return talloc_asprintf(mem_ctx, "%c%u", conf->views[view].renamed ? 'w' : 'v', view);
}

char *model_relation(const struct model_conf *conf, unsigned view, void *mem_ctx)
{
	return conf->views[view].own_relation ? talloc_asprintf(mem_ctx, "r%u", view) : view_name(conf, view, mem_ctx);
}

static char *add_item(char *list, const char *item)
{
	return talloc_asprintf_append(list, "%s%s", list[0] != '\0' ? ", " : "", item);
}

static char *sources(const struct model_conf *conf, unsigned view, void *mem_ctx)
{
	char *list = talloc_strdup(mem_ctx, "");
	for (unsigned i = 0; i < MODEL_TABLES; i++)
		if ((conf->views[view].tables >> i & 1) != 0)
			list = add_item(list, talloc_asprintf(mem_ctx, "t_%u", i));
	for (unsigned i = 0; i < MODEL_VIEWS; i++)
		if ((conf->views[view].reads >> i & 1) != 0 && (places(conf, i) & places(conf, view)) == places(conf, view))
			list = add_item(list, model_relation(conf, i, mem_ctx));
	return list;
}

static char *depends(const struct model_conf *conf, unsigned view, void *mem_ctx)
{
	char *list = talloc_strdup(mem_ctx, "");
	for (unsigned i = 0; i < view; i++)
		for (unsigned k = 0; k < MODEL_DBS && (conf->views[view].depends >> i & 1) != 0; k++)
			if ((places(conf, i) >> k & 1) != 0)
				list = add_item(list, talloc_asprintf(mem_ctx, "%s:%s", db_names[k], view_name(conf, i, mem_ctx)));
	return list;
}

static char *add_settings(char *text, const struct model_view *v)
{
	static const char *const schedules[] = {"every = 1m\n",
	                                        "after = 1m\n",
	                                        "cron = */5 * * * *\n",
	                                        "target_lag = 30s\n",
	                                        "max_staleness = 2m\n",
	                                        "",
	                                        "",
	                                        ""};
	static const char *const paces[] = {"", "debounce = 2s\n", "at_most_every = 10s\n",
	                                    "debounce = 3s\nmax_delay = 9s\n"};
	if (v->method != 0)
		return text;
	text = talloc_asprintf_append(text, "%s%s%s", schedules[v->schedule], v->on_change ? "on_change = yes\n" : "",
	                              v->on_change ? paces[v->pace] : "");
	return v->group != 0 ? talloc_asprintf_append(text, "refresh_group = g%u\n", v->group) : text;
}

static char *add_view(char *text, const struct model_conf *conf, unsigned view)
{
	const struct model_view *v = &conf->views[view];
	char *dbs = talloc_strdup(text, ""), *from = sources(conf, view, text), *after = depends(conf, view, text);
	for (unsigned k = 0; k < MODEL_DBS; k++)
		if ((places(conf, view) >> k & 1) != 0)
			dbs = add_item(dbs, db_names[k]);
	text = talloc_asprintf_append(text, "[view %s]\ndatabase = %s\nmethod = %s\npriority = %u\non_remove = %s\n",
	                              view_name(conf, view, text), dbs, v->method == 0 ? "table" : "simple", v->priority,
	                              v->drop ? "drop" : "keep");
	if (v->refused)
		text = talloc_asprintf_append(text, "definition = DELETE\n");
	else
		text =
			talloc_asprintf_append(text, "definition = 'SELECT * FROM t_%s%s'\n", from[0] != '\0' ? "0, " : "9", from);
	text = talloc_asprintf_append(text, "%s%s%s", v->disabled ? "enabled = no\n" : "",
	                              v->key && v->method == 0 ? "unique_key = k\n" : "",
	                              v->no_data ? "with_data = no\n" : "");
	if (v->own_relation)
		text = talloc_asprintf_append(text, "relation = r%u\n", view);
	if (after[0] != '\0')
		text = talloc_asprintf_append(text, "depends_on = %s\n", after);
	return add_settings(text, v);
}

char *model_conf_text(const struct model_conf *conf, void *mem_ctx)
{
	char *text = talloc_strdup(mem_ctx, "[viewd]\nmax_concurrent_refreshes = 4\n");
	for (unsigned k = 0; k < MODEL_DBS; k++)
		if (conf->dbs[k].there)
			text =
				talloc_asprintf_append(text, "[database %s]\nurl = %s://%s%s\nmax_concurrent_refreshes = %u\n",
			                           db_names[k], conf->dbs[k].url == 3 ? "fakeone" : "fake", model_server(conf, k),
			                           conf->dbs[k].url == 1 ? "?release=refresh:none" : "", conf->dbs[k].slots);
	for (unsigned i = 0; i < MODEL_VIEWS; i++)
		if (places(conf, i) != 0)
			text = add_view(text, conf, i);
	return text;
}
