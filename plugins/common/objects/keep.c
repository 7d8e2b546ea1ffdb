/* SPDX-License-Identifier: MIT
 *
 * keep.c: an object that somebody else has made in the place of a view is kept as it is. Its rows come from the
 * server's own text of its definition until the file says the same.
 */
#include "base/err.h"
#include "common/depends/dependencies.h"
#include "common/objects/recipe.h"
#include "common/objects/steps.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

static bool read_text(struct task *task, char **text_r, struct viewd_err *err)
{
	char *text = NULL;
	if (task->db->ops->catalogue.view_text == NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "'%s' cannot be kept as it is (%s does not tell definitions)", task->rel.name,
		        task->db->syntax->dialect);
		return err_hint(err, "write its definition into the file, or give the view another relation");
	}
	if (!task->db->ops->catalogue.view_text(task->db, task->mem, &task->rel, &text, err))
		return false;
	if (text == NULL || text[0] == '\0')
		return err_set(err, VIEWD_ERR_DENIED, "the definition of '%s' cannot be read", task->rel.name);
	for (size_t n = strlen(text); n > 0 && strchr("; \t\r\n", text[n - 1]) != NULL;)
		text[--n] = '\0';
	*text_r = text;
	return true;
}

static bool keep_body(struct task *task, struct viewd_outcome *out, void *ctx UNUSED, struct viewd_err *err)
{
	struct viewd_resolved wanted = task->resolved;
	if (!task_look(task, true, err) || !inspect_may_adopt(task, err) || !read_text(task, &task->kept_text, err))
		return false;
	task->resolved.hash[0] = '\0';
	task->resolved.method = task->found.kind == VIEWD_KIND_VIEW ? VIEWD_METHOD_SIMPLE : VIEWD_METHOD_MATERIALIZED;
	task->state.indexes[0] = '\0';
	out->did = VIEWD_DID_NO_DATA;
	bool done = task_record_object(task, err);
	task->resolved = wanted;
	snprintf(out->reason, sizeof out->reason, "kept as it is");
	return done;
}

bool recipe_keep(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	return transaction_run(task, true, keep_body, out, NULL, err);
}

bool recipe_definition(struct task *task, struct viewd_text_sink sink, struct viewd_err *err)
{
	char *text = NULL;
	if (!task->db->ops->set_limits(task->db, task->view->timeout_us, task->view->lock_timeout_us, err) ||
	    !task_look(task, false, err) || !inspect_may_adopt(task, err) || !read_text(task, &text, err))
		return false;
	sink.fn(sink.ctx, text);
	return true;
}

/* Columns, keys and options of the file are meant for another definition. */
struct viewd_view_spec *keep_spec(void *mem, const struct viewd_view_spec *view, const char *text)
{
	struct viewd_view_spec *own = talloc_memdup(mem, view, sizeof *view);
	assert(own != NULL);
	own->definition = text;
	own->n_columns = own->n_unique_key = own->n_indexes = own->n_options = own->n_settings = 0;
	own->mode = VIEWD_MODE_AUTO;
	return own;
}
