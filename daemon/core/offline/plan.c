/* SPDX-License-Identifier: MIT
 *
 * plan.c: inspects and decides as the daemon would, one database after the other. A definition that is
 * to be computed is shown to the server as well.
 */
#include "core/offline/plan.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/words.h"
#include "conf/snapshot/login.h"
#include "conf/snapshot/view_name.h"
#include "core/offline/offline.h"
#include "core/plan/decide.h"
#include "core/plan/doubt.h"
#include "plugin/host.h"
#include "plugin/loader.h"

#include <string.h>

struct planner {
	const struct conf *conf;
	struct registry *registry;
	struct offline_planned_sink sink;
	const bool *meant;        /* beside conf->views; NULL: as the names say */
	const char *const *names; /* views as a user has named them */
	size_t n_names;           /* 0: all that are enabled */
};

/* One view on the database that is being asked. */
struct considered {
	const struct conf_view *view;
	struct viewd_found found;
	struct decision decision; /* judged */
	struct viewd_err err;     /* not judged */
	bool judged;
	struct viewd_source *lacks; /* what its definition reads that is not there */
	size_t n_lacks;
	const struct considered *upstream; /* comes into being before, and the definition cannot be computed without it */
};

struct considered_list {
	struct considered **of;
	size_t n;
};

static bool is_meant(const struct planner *p, size_t number, const char *database)
{
	const struct conf_view *view = &p->conf->views[number];
	if ((p->meant != NULL && !p->meant[number]) || !conf_view_is_on(view, database))
		return false;
	if (p->meant != NULL)
		return true;
	if (p->n_names == 0)
		return view->enabled;
	for (size_t i = 0; i < p->n_names; i++) {
		struct view_name meant = view_name_split(p->names[i]);
		if (strcmp(meant.name, view->name) == 0 && view_name_allows(&meant, database))
			return true;
	}
	return false;
}

static bool ignore_text(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static bool take_lack(void *ctx, const struct viewd_source *src)
{
	struct considered *c = ctx;
	if (src->kind != VIEWD_KIND_NONE)
		return true;
	c->lacks = mem_grow(c, c->lacks, struct viewd_source, c->n_lacks + 1);
	c->lacks[c->n_lacks++] =
		(struct viewd_source){.schema = mem_strdup(c, src->schema), .name = mem_strdup(c, src->name)};
	return true;
}

static bool judge(const struct viewd_dialect *dialect, struct viewd_conn *conn, const struct viewd_database_spec *db,
                  struct considered *c)
{
	const struct conf_view *view = c->view;
	struct viewd_found *found = &c->found;
	struct decision *out = &c->decision;
	struct viewd_err *err = &c->err;
	struct viewd_view_spec spec;
	struct viewd_resolved resolved = {.method = VIEWD_METHOD_SIMPLE};
	conf_view_spec(view, dialect->name, &spec);
	spec.compare_columns = VIEWD_COMPARE_NAMES;
	spec.only_look = true;
	if (spec.definition == NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "view '%s' has no definition for %s", view->name, dialect->name);
	char what[256] = "";
	if (view->renamed_from != NULL && dialect->rename != NULL &&
	    !dialect->rename(conn, &spec, view->renamed_from, true, what, err))
		return false;
	if (what[0] != '\0') {
		decide_rename(what, dialect->caps, out);
		return true;
	}
	if (!dialect->check_view(db, &spec, &resolved, (struct viewd_text_sink){.fn = ignore_text}, err) ||
	    !dialect->inspect(conn, &spec, found, (struct viewd_source_sink){take_lack, c}, err))
		return false;
	const struct decide_settings settings = {
		.label = view->name,
		.method = resolved.method,
		.hash = resolved.hash,
		.index_hash = resolved.index_hash,
		.adopt = view->adopt,
		.create_missing = true,
		.policy = view->on_configuration_change,
	};
	decide(&settings, found, dialect->caps, out);
	return true;
}

static void tell(const struct planner *p, const struct considered *c, const char *database,
                 const struct viewd_err *failure)
{
	const struct conf_view *view = c->view;
	char *label = view->database.n > 1 ? mem_printf(NULL, "%s:%s", database, view->name) : mem_strdup(NULL, view->name);
	char *reason = NULL;
	struct offline_planned planned = {
		.view = label, .database = database, .reason = "", .locks = "", .group = view->refresh_group};
	if (failure == NULL) {
		planned.change = word_change(c->decision.change);
		planned.reason = c->decision.reason;
		if (c->upstream != NULL)
			planned.reason = reason = mem_printf(NULL, DOUBT_SETTLED, planned.reason, c->upstream->view->name);
		planned.locks = c->decision.locks;
		planned.duration_us = c->found.duration_us;
		planned.error = c->decision.err.cls != VIEWD_ERR_OK ? &c->decision.err : NULL;
	} else
		planned.error = failure;
	p->sink.fn(p->sink.ctx, &planned);
	talloc_free(reason);
	talloc_free(label);
}

/* A doubt that no upstream explains is what creating would end with. */
static void settle_doubts(const struct considered_list *all, const char *database)
{
	struct doubt *doubts = mem_array(all->of, struct doubt, all->n);
	for (size_t i = 0; i < all->n; i++) {
		const struct considered *c = all->of[i];
		if (!c->judged)
			continue;
		doubts[i] = (struct doubt){.database = database,
		                           .names = doubt_names_of(&c->found),
		                           .made = c->decision.change == VIEWD_CHANGE_CREATE,
		                           .unusable = doubt_of(c->decision.change, &c->found)};
		doubts[i].names.lacks = c->lacks;
		doubts[i].names.n_lacks = c->n_lacks;
	}
	doubts_settle(doubts, all->n);
	for (size_t i = 0; i < all->n; i++) {
		struct considered *c = all->of[i];
		if (doubts[i].upstream != NULL)
			c->upstream = all->of[doubts[i].upstream - doubts];
		if (!doubt_is_left(&doubts[i]))
			continue;
		c->judged = false;
		c->err = c->found.unusable.err;
	}
}

/* ---- databases ---- */

/* One by one: a file may have very many views, and each takes kilobytes. */
static struct considered_list consider(const struct planner *p, const struct conf_database *db)
{
	struct considered_list all = {.of = mem_array(NULL, struct considered *, p->conf->n_views)};
	for (size_t i = 0; i < p->conf->n_views; i++)
		if (is_meant(p, i, db->name)) {
			struct considered *c = all.of[all.n++] = mem_new(all.of, struct considered);
			c->view = &p->conf->views[i];
		}
	return all;
}

/* conn NULL: failure says why. */
static void plan_views(const struct planner *p, const struct conf_database *db, const struct viewd_dialect *dialect,
                       struct viewd_conn *conn, const struct viewd_database_spec *spec, const struct viewd_err *failure)
{
	const struct considered_list all = consider(p, db);
	for (size_t i = 0; conn != NULL && i < all.n; i++) {
		struct considered *c = all.of[i];
		c->judged = judge(dialect, conn, spec, c);
	}
	settle_doubts(&all, db->name);
	for (size_t i = 0; i < all.n; i++)
		tell(p, all.of[i], db->name, conn == NULL ? failure : all.of[i]->judged ? NULL : &all.of[i]->err);
	talloc_free(all.of);
}

static bool any_view(const struct planner *p, const struct conf_database *db)
{
	for (size_t i = 0; i < p->conf->n_views; i++)
		if (is_meant(p, i, db->name))
			return true;
	return false;
}

static void plan_database(const struct planner *p, const struct conf_database *db)
{
	struct viewd_err failure = {0};
	struct login login = {.password = NULL};
	struct viewd_conn *conn = NULL;
	const struct viewd_dialect *dialect = registry_open(p->registry, p->conf->daemon.plugin_dir, db->dialect, &failure);
	if (dialect != NULL && login_begin(&login, db, "plan", &failure))
		conn = dialect->open(host_services(), &login.spec, &failure);
	plan_views(p, db, dialect, conn, &login.spec, &failure);
	if (dialect != NULL)
		dialect->close(&conn);
	login_end(&login);
}

void offline_plan_database(const struct conf *conf, struct registry *registry, const struct conf_database *db,
                           const bool *meant, struct offline_planned_sink sink)
{
	const struct planner p = {.conf = conf, .registry = registry, .sink = sink, .meant = meant};
	plan_database(&p, db);
}

bool offline_plan(const struct conf *conf, struct registry *registry, const char *const *views, size_t n,
                  struct offline_planned_sink sink, struct viewd_err *err)
{
	const struct planner p = {.conf = conf, .registry = registry, .sink = sink, .names = views, .n_names = n};
	for (size_t i = 0; i < n; i++) {
		const struct conf_view *view;
		const struct conf_database *db;
		if (!offline_pick(conf, views[i], NULL, &view, &db, err))
			return false;
	}
	for (size_t i = 0; i < conf->n_databases; i++)
		if (any_view(&p, &conf->databases[i]))
			plan_database(&p, &conf->databases[i]);
	return true;
}
