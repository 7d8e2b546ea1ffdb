/* SPDX-License-Identifier: MIT
 *
 * inspect.c: tells what exists under a view's name, whose it is, and what the definition reads.
 */
#include "base/err.h"
#include "common/depends/dependencies.h"
#include "common/objects/grants.h"
#include "common/objects/recipe.h"
#include "common/objects/steps.h"
#include "common/state/returned.h"
#include "common/text/kind.h"

#include <stdio.h>
#include <string.h>

/* Failures that say something about the definition, not about the connection. */
static bool is_about_definition(enum viewd_err_class cls)
{
	return cls == VIEWD_ERR_MISSING || cls == VIEWD_ERR_QUERY || cls == VIEWD_ERR_DENIED || cls == VIEWD_ERR_CONFIG;
}

/* A definition may read what does not exist yet (another view): that is a detail of the answer, not a failure. */
static bool tolerate(struct viewd_found *out, const struct viewd_err *failure, struct viewd_err *err)
{
	if (!is_about_definition(failure->cls)) {
		*err = *failure;
		return false;
	}
	snprintf(out->detail, sizeof out->detail, "%.250s", failure->msg);
	return true;
}

static bool compare_definition(struct task *task, struct viewd_found *out, struct viewd_err *err)
{
	char wanted[65] = "";
	struct viewd_err failure = {0};
	if (task->db->ops->catalogue.wanted_canonical == NULL || task->found.kind == VIEWD_KIND_NONE ||
	    task->found.canonical[0] == '\0')
		return true;
	task_probe_as(task, true);
	bool known = task->db->ops->catalogue.wanted_canonical(task, wanted, &failure);
	task_probe_as(task, false);
	if (!known)
		return tolerate(out, &failure, err);
	out->matches = strcmp(wanted, task->found.canonical) == 0;
	return true;
}

/* Facts about columns without asking the server. */
static bool declare_columns(struct task *task, struct viewd_err *err)
{
	task->columns = columns_declared(task->db->syntax, task, task->view, err);
	task->gen.columns = task->columns;
	return task->columns != NULL;
}

static void describe(const struct task *task, struct viewd_found *out)
{
	const char *recorded = task->state.relation;
	if (out->kind != VIEWD_KIND_NONE && !out->ours)
		snprintf(out->detail, sizeof out->detail, "%s of that name is not viewd's%s%.190s", kind_sql(out->kind),
		         task->found.detail[0] != '\0' ? ", " : "", task->found.detail);
	else if (out->touched_outside)
		snprintf(out->detail, sizeof out->detail, "definition in the server was changed by someone else");
	else if (out->kind == VIEWD_KIND_NONE && out->recorded)
		snprintf(out->detail, sizeof out->detail, "recorded as %.200s, but nothing is there", recorded);
	else
		snprintf(out->detail, sizeof out->detail, "%s", task->found.detail);
}

static void fill(const struct task *task, struct viewd_found *out)
{
	const struct state_row *state = &task->state;
	out->kind = task->found.kind;
	snprintf(out->schema, sizeof out->schema, "%s", task->found.schema);
	snprintf(out->name, sizeof out->name, "%s", task->rel.name);
	out->recorded = state->present;
	out->ours = task_is_ours(task);
	out->copied = out->recorded && !out->ours && strcmp(state->identity, RETURNED_STRANGER) == 0;
	out->touched_outside = out->ours && strcmp(task->found.canonical, state->canonical) != 0;
	out->kept = out->ours && state->kept;
	out->populated = task->found.populated;
	if (out->kind == VIEWD_KIND_TABLE)
		out->populated = out->ours && state->last_success_us != 0;
	out->can_concurrently = task->found.can_concurrently;
	memcpy(out->recorded_hash, state->definition_hash, sizeof out->recorded_hash);
	memcpy(out->recorded_index_hash, state->index_hash, sizeof out->recorded_index_hash);
	out->last_success_us = state->last_success_us;
	out->data_timestamp_us = state->data_timestamp_us;
	out->all_rows_us = state->all_rows_us;
	out->duration_us = state->duration_us;
	out->rows = state->present ? state->rows : -1;
	describe(task, out);
}

/* A declared type holds whatever the definition yields, and the server writes some types in another way. */
static void forget_declared(const struct viewd_view_spec *view, const struct syntax *syn, struct columns *yields,
                            const struct columns *has)
{
	for (size_t i = 0; i < view->n_columns && i < yields->n; i++)
		for (size_t k = 0; k < has->n && view->columns[i].type != NULL; k++)
			if (ident_same(syn, yields->items[i].name, has->items[k].name))
				yields->items[i].type = has->items[k].type;
}

/* A column that came to a source of `SELECT *`, or a type that changed there. What cannot be read now is told
 * elsewhere. */
static bool compare_columns(struct task *task, struct viewd_found *out, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	bool holds_rows = out->kind == VIEWD_KIND_TABLE || out->kind == VIEWD_KIND_MATVIEW;
	if (task->view->compare_columns == VIEWD_COMPARE_NONE || !out->ours || out->kept || !holds_rows ||
	    out->sources_unknown)
		return true;
	struct columns *yields = columns_resolve(task->db, task, task->view, task->definition, &failure);
	const struct columns *has = yields != NULL ? columns_of(task->db, task, &task->rel, &failure) : NULL;
	if (has == NULL)
		return tolerate(out, &failure, err);
	forget_declared(task->view, task->db->syntax, yields, has);
	columns_compare(task->db->syntax, yields, has, task->view->compare_columns == VIEWD_COMPARE_TYPES,
	                out->columns_differ, sizeof out->columns_differ);
	return true;
}

static bool find_lack(struct task *task, const struct viewd_err *failure, struct viewd_source_sink missing,
                      struct viewd_err *err)
{
	const struct db_catalogue_ops *ops = &task->db->ops->catalogue;
	return failure->cls != VIEWD_ERR_MISSING || ops->lacking == NULL || missing.fn == NULL ||
	       ops->lacking(task->db, task->definition, failure, missing, err);
}

/* Where others look for what would be made. */
static bool find_place(struct task *task, struct viewd_found *out, struct viewd_err *err)
{
	const struct db_catalogue_ops *ops = &task->db->ops->catalogue;
	if (!task->view->only_look || out->kind != VIEWD_KIND_NONE)
		return true;
	out->unusable.any_case = task->db->syntax->names.any_case;
	out->unusable.bare = out->schema[0] == '\0';
	return ops->is_on_path == NULL || ops->is_on_path(task->db, out->schema, &out->unusable.bare, err);
}

/* For who only looks nothing else asks the server of a definition that is not in force. */
static bool try_definition(struct task *task, struct viewd_found *out, struct viewd_source_sink missing,
                           struct viewd_err *err)
{
	struct viewd_err failure = {0};
	bool in_force = out->ours && strcmp(out->recorded_hash, task->resolved.hash) == 0;
	if (!task->view->only_look || task->view->compare_columns == VIEWD_COMPARE_NONE || in_force)
		return true;
	task_probe_as(task, true);
	bool usable = columns_resolve(task->db, task, task->view, task->definition, &failure) != NULL;
	task_probe_as(task, false);
	if (!usable && !is_about_definition(failure.cls)) {
		*err = failure;
		return false;
	}
	if (usable)
		return true;
	out->unusable.err = failure;
	return find_lack(task, &failure, missing, err);
}

bool recipe_inspect(struct task *task, struct viewd_found *out, struct viewd_source_sink sources, struct viewd_err *err)
{
	struct db *db = task->db;
	struct viewd_found found = {0};
	struct viewd_err failure = {0};
	if (!db->ops->set_limits(db, task->view->timeout_us, task->view->lock_timeout_us, err) ||
	    !task_look(task, false, err))
		return false;
	fill(task, &found);
	if (!declare_columns(task, err) || !compare_definition(task, &found, err))
		return false;
	found.indexes_present = true;
	if (found.kind != VIEWD_KIND_NONE &&
	    (!index_all_present(task, &found.indexes_present, err) ||
	     (found.indexes_present && !grants_present(task, &found.indexes_present, err))))
		return false;
	if (!find_place(task, &found, err) || !try_definition(task, &found, sources, err))
		return false;
	struct dependencies list = {.mem = task->mem};
	if (task->stateless)
		sources.fn = NULL; /* what was known of definitions is in the state tables as well */
	task_probe_as(task, true);
	bool walked = sources.fn == NULL || ((!found.kept || found.matches || task_recall_definition(task, &failure)) &&
	                                     dependencies_walk(db, task->view, task->definition, &list, &failure));
	task_probe_as(task, false);
	if (!walked) {
		if (!tolerate(&found, &failure, err))
			return false;
		found.sources_unknown = true;
		found.unreadable = failure.cls == VIEWD_ERR_MISSING; /* else the engine may run what it cannot look into */
	} else if (sources.fn != NULL)
		dependencies_sources(&list, sources);
	if (!compare_columns(task, &found, err))
		return false;
	*out = found;
	return true;
}

bool inspect_may_narrow(struct task *task, const struct viewd_err *failure)
{
	struct viewd_err ignored = {0};
	char text[200];
	bool fits = failure->cls == VIEWD_ERR_QUERY || failure->cls == VIEWD_ERR_MISSING;
	if (!fits || task->narrow || task->found.kind != VIEWD_KIND_TABLE || !task_is_ours(task) ||
	    task->definition == NULL)
		return false;
	struct columns *yields = columns_resolve(task->db, task, task->view, task->definition, &ignored);
	const struct columns *has = yields != NULL ? columns_of(task->db, task, &task->rel, &ignored) : NULL;
	if (has == NULL)
		return false;
	columns_compare(task->db->syntax, yields, has, false, text, sizeof text);
	return text[0] != '\0' && columns_narrow(task->db->syntax, yields, has, &ignored);
}

/* ---- adopt ---- */

bool inspect_may_adopt(const struct task *task, struct viewd_err *err)
{
	if (task->found.kind == VIEWD_KIND_NONE)
		return err_set(err, VIEWD_ERR_MISSING, "object '%s' does not exist", task->rel.name);
	if (task->found.kind == VIEWD_KIND_VIEW || task->found.kind == VIEWD_KIND_MATVIEW)
		return true;
	err_set(err, VIEWD_ERR_EXISTS, "'%s' cannot be adopted (it is not a view or materialized view)", task->rel.name);
	return err_hint(err, "rename it, or set relation to another name");
}

/* The hash is recorded only when the object is what the files want; else the next look finds a difference and replaces
 * it. */
static bool adopt_body(struct task *task, struct viewd_outcome *out, void *ctx UNUSED, struct viewd_err *err)
{
	struct viewd_found found = {0};
	bool indexed = false;
	db_failpoint(task->db, "adopt:begin");
	if (!task_look(task, true, err) || !inspect_may_adopt(task, err) || !declare_columns(task, err) ||
	    !compare_definition(task, &found, err) || !index_all_present(task, &indexed, err))
		return false;
	out->did = VIEWD_DID_NO_DATA;
	struct viewd_resolved wanted = task->resolved;
	if (!found.matches)
		task->resolved.hash[0] = '\0';
	if (!indexed)
		task->resolved.index_hash[0] = '\0';
	if (task->found.kind == VIEWD_KIND_VIEW)
		task->resolved.method = VIEWD_METHOD_SIMPLE;
	task->state.indexes[0] = '\0';
	bool done = task_record_object(task, err);
	task->resolved = wanted;
	snprintf(out->reason, sizeof out->reason, found.matches ? "adopted" : "adopted; its definition differs");
	return done;
}

bool recipe_adopt(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	return transaction_run(task, true, adopt_body, out, NULL, err);
}
