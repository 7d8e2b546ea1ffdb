/* SPDX-License-Identifier: MIT
 *
 * index.c: declared indexes: their names hold a digest of their text, so equal names are equal indexes. An equal one of
 * another name, which somebody else has made, serves as well, and is never dropped.
 */
#include "base/err.h"
#include "common/objects/recipe.h"
#include "common/objects/steps.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

struct names {
	const char **items;
	size_t n;
};

static void add_name(void *mem, struct names *names, const char *name, size_t len)
{
	names->items = talloc_realloc(mem, names->items, const char *, names->n + 1);
	assert(names->items != NULL);
	names->items[names->n++] = talloc_strndup(mem, name, len);
}

static bool has(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

struct collect_ctx {
	void *mem;
	struct names *names;
};

static bool collect_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct collect_ctx *c = ctx;
	add_name(c->mem, c->names, values[0], strlen(values[0]));
	return true;
}

static const struct db_reader collect[] = {{collect_fn, "t", "the indexes of a relation"}};

static bool existing_names(struct task *task, const struct relation *on, struct names *out, struct viewd_err *err)
{
	struct collect_ctx ctx = {task, out};
	return task->db->ops->list_indexes(task->db, on, collect, &ctx, err);
}

static struct names wanted_names(struct task *task)
{
	struct names names = {0};
	for (size_t i = 0; i < gen_index_count(&task->gen); i++) {
		char name[IDENT_MAX];
		gen_index_name(&task->gen, i, name);
		add_name(task, &names, name, strlen(name));
	}
	return names;
}

static struct names recorded_names(struct task *task)
{
	struct names names = {0};
	for (const char *p = task->state.indexes; *p != '\0';) {
		size_t len = strcspn(p, "\n");
		add_name(task, &names, p, len);
		p += len + (p[len] == '\n');
	}
	return names;
}

static bool drop_stale(struct task *task, const struct names *existing, const struct names *wanted,
                       struct viewd_err *err)
{
	struct names recorded = recorded_names(task);
	for (size_t i = 0; i < recorded.n; i++)
		if (has(existing, recorded.items[i]) && !has(wanted, recorded.items[i]) &&
		    !db_exec(task->db, gen_index_drop(&task->gen, recorded.items[i]), err))
			return false;
	return true;
}

static bool is_there(struct task *task, const struct relation *on, const struct names *existing,
                     const struct names *wanted, size_t number, bool *there_r, struct viewd_err *err)
{
	*there_r = has(existing, wanted->items[number]);
	return *there_r || existing->n == 0 || task->db->ops->catalogue.has_index == NULL ||
	       task->db->ops->catalogue.has_index(task, number, on, there_r, err);
}

static bool create_absent(struct task *task, const struct relation *on, const struct names *existing,
                          const struct names *wanted, struct viewd_err *err)
{
	for (size_t i = 0; i < wanted->n; i++) {
		bool there = false;
		if (!is_there(task, on, existing, wanted, i, &there, err) ||
		    (!there && !db_exec(task->db, gen_index_create(&task->gen, i, on), err)))
			return err_wrap(err, "index '%s'", wanted->items[i]);
	}
	return true;
}

/* The recorded text, or false when it does not fit. */
static bool join(const struct names *names, char *out, size_t size)
{
	size_t len = 0;
	out[0] = '\0';
	for (size_t i = 0; i < names->n && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? "\n" : "", names->items[i]);
	return len < size;
}

bool index_make_all(struct task *task, const struct relation *on, struct viewd_err *err)
{
	struct names existing = {0}, wanted = wanted_names(task);
	char recorded[sizeof task->state.indexes];
	if (!join(&wanted, recorded, sizeof recorded))
		return err_set(err, VIEWD_ERR_CONFIG, "view has too many indexes (their names take more than %zu bytes)",
		               sizeof recorded);
	if (!existing_names(task, on, &existing, err) || !drop_stale(task, &existing, &wanted, err) ||
	    !create_absent(task, on, &existing, &wanted, err))
		return false;
	memcpy(task->state.indexes, recorded, sizeof recorded);
	return true;
}

bool index_all_present(struct task *task, bool *present_r, struct viewd_err *err)
{
	struct names existing = {0}, wanted = wanted_names(task);
	if (wanted.n > 0 && !existing_names(task, &task->rel, &existing, err))
		return false;
	bool all = true;
	for (size_t i = 0; all && i < wanted.n; i++)
		if (!is_there(task, &task->rel, &existing, &wanted, i, &all, err))
			return err_wrap(err, "index '%s'", wanted.items[i]);
	*present_r = all;
	return true;
}

static bool reindex_body(struct task *task, struct viewd_outcome *out, void *ctx UNUSED, struct viewd_err *err)
{
	db_failpoint(task->db, "reindex:begin");
	if (!task_look(task, true, err) || !task_require_ours(task, err))
		return false;
	if (task->found.kind == VIEWD_KIND_NONE)
		return err_set(err, VIEWD_ERR_MISSING, "object '%s' does not exist", task->rel.name);
	out->did = VIEWD_DID_NO_DATA;
	if (!task_columns(task, err) || !index_make_all(task, &task->rel, err))
		return false;
	memcpy(task->state.index_hash, task->resolved.index_hash, sizeof task->state.index_hash);
	return state_save(task->db, task->view->name, &task->state, err);
}

bool recipe_reindex(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	if (!transaction_run(task, true, reindex_body, out, NULL, err))
		return false;
	snprintf(out->reason, sizeof out->reason, "indexes brought into line");
	return true;
}
