/* SPDX-License-Identifier: MIT
 *
 * fake_group.c: refreshing several views as one: everything is tried first, then all of it becomes visible at once.
 */
#include "plugins/fake_private.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tried {
	struct fake_object *object;
	struct fake_object before; /* the fields that a refresh changes */
	struct fake_seen seen;
	struct viewd_outcome done;
};

static void name_all(const struct viewd_group_item *const *items, size_t n, char *out, size_t size)
{
	char name[256];
	size_t len = 0;
	out[0] = '\0';
	for (size_t i = 0; i < n && len < size; i++) {
		fake_plain_name(items[i]->view->relation, name, sizeof name);
		len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? " " : "", name);
	}
}

/* As a single refresh would: it waits and fails as scripted. */
static bool enter_one(struct viewd_conn *conn, const struct viewd_group_item *item, struct tried *t,
                      struct viewd_err *err)
{
	char name[256];
	fake_plain_name(item->view->relation, name, sizeof name);
	if (!fake_enter(conn->server, conn, FAKE_refresh, name, err))
		return false;
	fake_leave(conn);
	t->object = fake_find(conn->server, name);
	if (t->object == NULL || t->object->kind == VIEWD_KIND_NONE)
		return err_set(err, VIEWD_ERR_MISSING, "relation \"%s\" does not exist", name);
	if (!fake_is_ours(t->object, item->view))
		return err_set(err, VIEWD_ERR_EXISTS, "relation \"%s\" was not made by viewd", name);
	return true;
}

static bool fill_one(struct viewd_conn *conn, const struct viewd_group_item *item, struct tried *t,
                     struct viewd_err *err)
{
	t->before = *t->object;
	t->done = (struct viewd_outcome){.did = VIEWD_DID_FULL, .rows = -1, .rows_written = -1, .reason = "with its group"};
	t->done.settled_seq = t->seen.seq;
	return fake_fill_rows(conn, t->object, item->view, &t->done, err);
}

static void undo(struct tried *t)
{
	t->object->populated = t->before.populated;
	t->object->rows = t->before.rows;
	t->object->content = t->before.content;
	t->object->filled_us = t->before.filled_us;
	t->object->duration_us = t->before.duration_us;
}

static void commit_one(struct viewd_conn *conn, const struct viewd_group_item *const *items, size_t n, size_t i,
                       int64_t now, struct tried *t)
{
	t->object->filled_us = now; /* of one snapshot */
	fake_settle_marks(conn->server, items[i]->view->name, &t->seen);
	if (t->done.rows_written != 0 || t->done.did != VIEWD_DID_NO_DATA)
		fake_touch(conn->server, t->object->name, items, n);
	fake_remember_run(conn, t->object, items[i]->request, "SUCCEEDED", NULL);
	*items[i]->outcome = t->done;
}

static bool refresh_all(struct viewd_conn *conn, const struct viewd_group_item *const *items, size_t n,
                        struct tried *tried, size_t *failed_r, struct viewd_err *err)
{
	size_t filled = 0;
	int64_t now = fake_now(conn);
	for (size_t i = 0; i < n; i++)
		tried[i].seen = fake_read_marks(conn->server, items[i]->view->name);
	for (size_t i = 0; i < n; i++)
		if (!enter_one(conn, items[i], &tried[i], err)) {
			*failed_r = i;
			return false;
		}
	while (filled < n && fill_one(conn, items[filled], &tried[filled], err))
		filled++;
	if (filled < n) {
		*failed_r = filled;
		for (size_t i = 0; i <= filled; i++)
			undo(&tried[i]);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		commit_one(conn, items, n, i, now, &tried[i]);
	return true;
}

bool fake_refresh_group(struct viewd_conn *conn, const struct viewd_group_item *const *items, size_t n,
                        size_t *failed_r, struct viewd_err *err)
{
	char names[256];
	struct tried *tried = calloc(n, sizeof *tried);
	name_all(items, n, names, sizeof names);
	*failed_r = n;
	fake_lock();
	bool ok = fake_enter(conn->server, conn, FAKE_refresh_group, names, err);
	if (ok) {
		fake_leave(conn);
		ok = refresh_all(conn, items, n, tried, failed_r, err);
	}
	fake_unlock();
	free(tried);
	return ok;
}
