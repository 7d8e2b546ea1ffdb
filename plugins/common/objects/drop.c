/* SPDX-License-Identifier: MIT
 *
 * drop.c: drops a view's object, if it still is the one that was recorded.
 */
#include "base/err.h"
#include "common/capture/capture.h"
#include "common/objects/recipe.h"
#include "common/objects/steps.h"
#include "common/sqltext/sqltext.h"
#include "common/state/marks.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define MAX_DEPTH 64 /* views on views; deeper is a loop */

struct dependant {
	enum viewd_kind kind;
	struct relation rel;
};
struct dependants {
	void *mem;
	struct dependant *items;
	size_t n;
};

static enum viewd_kind kind_from_word(const char *word)
{
	if (strcmp(word, "VIEW") == 0)
		return VIEWD_KIND_VIEW;
	return strcmp(word, "TABLE") == 0 ? VIEWD_KIND_TABLE : VIEWD_KIND_MATVIEW;
}

static bool collect_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct dependants *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, struct dependant, list->n + 1);
	assert(list->items != NULL);
	struct dependant *item = &list->items[list->n++];
	*item = (struct dependant){.kind = kind_from_word(values[0])};
	snprintf(item->rel.schema, sizeof item->rel.schema, "%s", values[1] != NULL ? values[1] : "");
	snprintf(item->rel.name, sizeof item->rel.name, "%s", values[2]);
	return true;
}

static const struct db_reader collect[] = {{collect_fn, "tTt", "the readers of a relation"}};

static bool refuse_dependants(struct task *task, const struct relation *rel, const struct dependants *list,
                              struct viewd_err *err)
{
	char *names = sql_new(task);
	for (size_t i = 0; i < list->n; i++)
		names = sql_add(names, "%s%s", i > 0 ? ", " : "", relation_quoted(task->db->syntax, task, &list->items[i].rel));
	err_set(err, VIEWD_ERR_QUERY, "%s cannot be dropped (read by %s)", relation_quoted(task->db->syntax, task, rel),
	        names);
	return err_hint(err, "drop those first, or set cascade = yes");
}

static bool drop_one(struct task *task, const struct relation *rel, enum viewd_kind kind, int depth,
                     struct viewd_err *err)
{
	struct db *db = task->db;
	struct dependants list = {.mem = task};
	if (depth > MAX_DEPTH)
		return err_set(err, VIEWD_ERR_QUERY, "'%s' cannot be dropped (the views that read it form a loop)", rel->name);
	if (db->ops->catalogue.list_dependants != NULL && !db->ops->catalogue.list_dependants(db, rel, collect, &list, err))
		return false;
	if (list.n > 0 && !task->view->cascade)
		return refuse_dependants(task, rel, &list, err);
	for (size_t i = 0; i < list.n; i++) {
		struct db_object found = {0};
		/* The reader may be gone already: two dependants can share a reader. */
		if (!db->ops->find_object(db, &list.items[i].rel, &found, err))
			return false;
		if (found.kind != VIEWD_KIND_NONE && !drop_one(task, &list.items[i].rel, found.kind, depth + 1, err))
			return false;
	}
	return db_exec(db, gen_drop(&task->gen, rel, kind, false, task->view->cascade), err);
}

bool drop_relation(struct task *task, const struct relation *rel, enum viewd_kind kind, struct viewd_err *err)
{
	if (task->db->ops->change.drop != NULL)
		return task->db->ops->change.drop(task, rel, kind, err);
	return drop_one(task, rel, kind, 0, err);
}

/* Drops what was recorded, whatever the files say by now. */
static bool aim_at_recorded(struct task *task, struct viewd_err *err)
{
	if (!state_load(task->db, task->view->name, true, &task->state, err))
		return false;
	return !task->state.present || relation_parse(task->db->syntax, task->state.relation, &task->rel, err);
}

static bool drop_body(struct task *task, struct viewd_outcome *out, void *ctx UNUSED, struct viewd_err *err)
{
	db_failpoint(task->db, "drop:begin");
	out->did = VIEWD_DID_NO_DATA;
	if (!aim_at_recorded(task, err) || !task_look(task, true, err) || !task_require_ours(task, err))
		return false;
	if (task->found.kind != VIEWD_KIND_NONE && !drop_relation(task, &task->rel, task->found.kind, err))
		return false;
	db_failpoint(task->db, "drop:dropped");
	return marks_register(task->db, task->view->name, NULL, 0, err) && capture_sweep(task->db, err) &&
	       state_forget(task->db, task->view->name, err);
}

bool recipe_drop(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	if (!transaction_run(task, true, drop_body, out, NULL, err))
		return false;
	db_failpoint(task->db, "drop:committed");
	snprintf(out->reason, sizeof out->reason, "dropped");
	return true;
}
