/* SPDX-License-Identifier: MIT */
#include "core/model/record.h"

#include "base/log.h"
#include "base/mem.h"

#include <string.h>

/* A disabled view stays DISABLED, whatever the end of a job would say. */
void view_set_state(struct view *view, enum view_state state)
{
	if (!view->conf->enabled)
		state = VIEW_STATE_DISABLED;
	if (view->state == state || view->relation.refused)
		return;
	if (view->relation.reconciled || state != VIEW_STATE_ACTIVE || view->state == VIEW_STATE_DISABLED)
		log_info("view '%s', state %s -> %s", view->label, view_state_word(view->state), view_state_word(state));
	enum view_state before = view->state;
	view->state = state;
	event_tell(view->eng, &(struct event){.kind = EVENT_STATE, .view = view, .db = view->db, .before = before});
}

/* A job that still ran when the section was refused does not change the refusal. */
void view_set_error(struct view *view, const struct viewd_err *err)
{
	if (view->relation.refused)
		return;
	view->failure.of_capture = false;
	if (err == NULL) {
		TALLOC_FREE(view->failure.err);
		return;
	}
	if (view->failure.err == NULL)
		view->failure.err = mem_new(view, struct viewd_err);
	*view->failure.err = *err;
}

void view_take_nodes(struct view *view, struct viewd_explained **facts, size_t n)
{
	talloc_free(view->relation.facts);
	view->relation.facts = talloc_steal(view, *facts);
	view->relation.n_facts = n;
	*facts = NULL;
}

static char *append(char **end, const char *text)
{
	if (text == NULL)
		return NULL;
	size_t size = strlen(text) + 1;
	char *copy = memcpy(*end, text, size);
	*end += size;
	return copy;
}

/* One block for all three. schema and name: NULL together. */
static void set_relation(struct view *view, const char *text, const char *schema, const char *name)
{
	size_t size = strlen(text) + 1 + (name != NULL ? strlen(schema) + strlen(name) + 2 : 0);
	char *old = view->relation.text, *end = mem_need(calloc(1, size));
	view->relation.text = append(&end, text);
	view->relation.schema = append(&end, schema);
	view->relation.name = append(&end, name);
	free(old);
}

void view_set_text(struct view *view, const char *text)
{
	set_relation(view, text, view->relation.schema, view->relation.name);
}

void view_set_place(struct view *view, const char *schema, const char *name)
{
	set_relation(view, view->relation.text, schema, name);
}

bool view_stands_at(const struct view *view, const char *schema, const char *name)
{
	const struct view_relation *own = &view->relation;
	return own->name != NULL && strcmp(own->schema, schema) == 0 && strcmp(own->name, name) == 0;
}
