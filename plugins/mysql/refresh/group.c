/* SPDX-License-Identifier: MIT
 *
 * group.c: refreshing several tables: all are filled aside from one snapshot, then all names are exchanged in one
 * statement. Where somebody reads the changes of one of them, its triggers have to hear them, and where an exchange
 * ends transactions of others it is not done: then what differs is written into all of them, in one transaction.
 */
#include "mysql/incremental/log.h"
#include "mysql/refresh/shadow_table.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/incremental/part.h"
#include "common/refresh/group.h"
#include "common/refresh/member.h"
#include "common/sqltext/sqltext.h"

/* Things that a member has besides its task. */
struct place {
	struct shadow shadow;
	struct tag tag;
	bool locked;
	bool is_read;  /* by another member */
	bool shadowed; /* a temporary table hides it from this session */
};

struct exchange {
	struct viewd_conn *conn;
	struct refresh_group *group;
	struct place *places;
	size_t n_dropped;
	bool by_rows; /* no names are exchanged: a member has triggers of a change log, or others would be ended */
};

#define EACH(x) for ((x)->group->at = 0; (x)->group->at < (x)->group->n; (x)->group->at++)

static struct task *task_at(const struct exchange *x)
{
	return x->group->members[x->group->at].task;
}

static struct place *place_at(const struct exchange *x)
{
	return &x->places[x->group->at];
}

/* ---- judging: before any snapshot, since probes are views that come and go */

struct sources {
	void *mem;
	struct relation *views;
	size_t n;
	struct exchange *x;
	bool member; /* one was found */
};

static bool note_source(void *ctx, const struct viewd_source *source)
{
	struct sources *all = ctx;
	struct relation rel = {.schema = ""};

	snprintf(rel.schema, sizeof rel.schema, "%s", source->schema);
	snprintf(rel.name, sizeof rel.name, "%s", source->name);
	for (size_t i = 0; i < all->x->group->n; i++) {
		const struct relation *live = &all->x->group->members[i].task->rel;
		if (i == all->x->group->at || strcmp(live->name, rel.name) != 0 || strcmp(live->schema, rel.schema) != 0)
			continue;
		all->x->places[i].is_read = all->member = true;
	}
	if (source->kind != VIEWD_KIND_VIEW)
		return true;
	all->views = talloc_realloc(all->mem, all->views, struct relation, all->n + 1);
	all->views[all->n++] = rel;
	return true;
}

/* A temporary table hides a member from the definition, not from a view that it reads. */
static bool refuse_through_views(struct exchange *x, const struct sources *found, struct viewd_err *err)
{
	for (size_t i = 0; i < found->n; i++) {
		struct sources behind = {.mem = found->mem, .x = x};
		char *query = talloc_asprintf(found->mem, "SELECT * FROM %s", shadow_quoted(found->mem, &found->views[i]));
		if (!my_list_sources(&x->conn->db, query, (struct viewd_source_sink){note_source, &behind}, err))
			return false;
		if (!behind.member)
			continue;
		err_set(err, VIEWD_ERR_CONFIG, "view '%s' reads another member of its group through view '%s'",
		        task_at(x)->view->name, found->views[i].name);
		return err_hint(err,
		                "name the member's relation in the definition itself, or take one of them out of the group");
	}
	return true;
}

static bool judge_one(struct exchange *x, struct viewd_err *err)
{
	struct task *task = task_at(x);
	struct sources found = {.mem = task->mem, .x = x};
	struct swap_blocker blocker;

	if (!swap_blocked(x->conn, &task->rel, &blocker, err))
		return false;
	if (blocker.blocked && !blocker.log_only) {
		err_set(err, VIEWD_ERR_CONFIG, "table '%s' cannot be exchanged with its group (%s)", task->rel.name,
		        blocker.reason);
		return err_hint(err, "remove that, or refresh_group");
	}
	x->by_rows |= blocker.blocked;
	return my_use_settings(task->db, task->view, err) && task_columns(task, err) &&
	       my_list_sources(task->db, task->definition, (struct viewd_source_sink){note_source, &found}, err) &&
	       refuse_through_views(x, &found, err);
}

static bool judge_group(struct exchange *x, struct viewd_err *err)
{
	x->group->at = x->group->n;
	if (!x->conn->mariadb) {
		err_set(err, VIEWD_ERR_CONFIG,
		        "refresh_group cannot work on MySQL (it cannot fill several tables from one snapshot; MariaDB can)");
		return err_hint(err, "remove refresh_group");
	}
	if (!my_require_writable(x->conn, err) || !group_look(x->group, false, err) ||
	    !exchange_ends_others(x->conn, &x->by_rows, err))
		return false;
	EACH(x)
		if (!judge_one(x, err))
			return false;
	return true;
}

/* ---- filling */

static bool lock_all(struct exchange *x, struct viewd_err *err)
{
	EACH(x) {
		struct place *p = place_at(x);
		shadow_names(x->conn, &task_at(x)->rel, &p->shadow);
		if (!shadow_lock(&p->shadow, x->conn->lock_timeout_us, err))
			return false;
		p->locked = true;
	}
	return true;
}

/* One moment for all, later than what is recorded of any even when the clock was set back: the later of tag and state
 * row is the truth. */
static void make_tags(struct exchange *x)
{
	int64_t moment = db_now(&x->conn->db);

	EACH(x)
		if (task_at(x)->state.data_timestamp_us >= moment)
			moment = task_at(x)->state.data_timestamp_us + 1;
	EACH(x) {
		const char *uid = strchr(task_at(x)->state.identity, ':');
		struct place *p = place_at(x);
		p->tag = (struct tag){.data_timestamp_us = moment};
		snprintf(p->tag.uid, sizeof p->tag.uid, "%s", uid != NULL ? uid + 1 : "");
	}
}

static bool copy_all(struct exchange *x, struct viewd_err *err)
{
	EACH(x)
		if (!shadow_clear(&place_at(x)->shadow, false, err) || !stage_copy(&place_at(x)->shadow, err))
			return false;
	return true;
}

/* A cursor reads the transaction's snapshot; INSERT ... SELECT would read the latest rows, with locks. */
static char *member_text(struct task *task, const struct relation *fresh)
{
	char *names = sql_new(task->mem), *values = sql_new(task->mem);

	for (size_t i = 0; i < task->columns->n; i++) {
		char *name = ident_append(&my_syntax, sql_new(task->mem), task->columns->names[i]);
		names = sql_add(names, "%s%s", i > 0 ? ", " : "", name);
		values = sql_add(values, "%sviewd_row.%s", i > 0 ? ", " : "", name);
	}
	return talloc_asprintf(
		task->mem,
		"BEGIN NOT ATOMIC FOR viewd_row IN (WITH viewd_rows (%s) AS (%s) SELECT * FROM viewd_rows) DO"
		" INSERT INTO %s (%s) VALUES (%s); END FOR; END",
		names, task->definition, shadow_quoted(task->mem, fresh), names, values);
}

static bool fill_one(struct exchange *x, struct viewd_err *err)
{
	struct task *task = task_at(x);
	struct place *p = place_at(x);
	char *fresh = shadow_quoted(task->mem, &p->shadow.fresh), *live = shadow_quoted(task->mem, &p->shadow.live);
	char *count = talloc_asprintf(task->mem, "SELECT COUNT(*) FROM %s", fresh);

	if (!my_use_settings(task->db, task->view, err) || !db_exec(task->db, member_text(task, &p->shadow.fresh), err) ||
	    !my_query_int(x->conn, count, NULL, 0, &p->tag.rows, err))
		return false;
	db_failpoint(task->db, "mysql:filled");
	if (!p->is_read)
		return true;
	p->shadowed = true;
	return db_exec(task->db, talloc_asprintf(task->mem, "CREATE TEMPORARY TABLE %s LIKE %s", live, fresh), err) &&
	       db_exec(task->db, talloc_asprintf(task->mem, "INSERT INTO %s SELECT * FROM %s", live, fresh), err);
}

/* While one is left the name means it, and nothing else may be done with this session. */
static void drop_shadows(struct exchange *x)
{
	my_enter(&x->conn->db);
	for (size_t i = x->group->n; i-- > 0;) {
		struct viewd_err err;
		char *sql = talloc_asprintf(x->conn, "DROP TEMPORARY TABLE IF EXISTS %s",
		                            shadow_quoted(x->conn, &x->places[i].shadow.live));
		if (x->places[i].shadowed && !x->conn->lost && !db_exec(&x->conn->db, sql, &err))
			x->conn->lost = true;
		talloc_free(sql);
	}
}

static bool fill_all(struct exchange *x, struct viewd_err *err)
{
	struct db *db = &x->conn->db;
	bool done = true;

	x->group->at = x->group->n;
	if (!my_begin(db, DB_BEGIN_GROUP, err))
		return false;
	EACH(x)
		if (!(done = fill_one(x, err)))
			break;
	size_t at = x->group->at;
	done = done && my_commit(db, err);
	if (!done)
		my_rollback(db);
	drop_shadows(x);
	x->group->at = at;
	return done && (!x->conn->lost ||
	                err_set(err, VIEWD_ERR_CONNECT, "connection cannot be used any more (a temporary table stays)"));
}

static bool tag_all(struct exchange *x, struct viewd_err *err)
{
	EACH(x) {
		struct place *p = place_at(x);
		p->tag.duration_us = db_now(&x->conn->db) - task_at(x)->started_us;
		if (!stage_tag(&p->shadow, &p->tag, err))
			return false;
	}
	db_failpoint(&x->conn->db, "mysql:tagged");
	return true;
}

/* ---- exchanging */

static char *rename_all(const struct exchange *x, void *mem, bool back)
{
	char *sql = sql_add(sql_new(mem), "RENAME TABLE ");

	for (size_t i = 0; i < x->group->n; i++) {
		const struct shadow *a = &x->places[i].shadow;
		char *live = shadow_quoted(mem, &a->live), *fresh = shadow_quoted(mem, &a->fresh),
			 *old = shadow_quoted(mem, &a->old);
		sql =
			sql_add(sql, "%s%s TO %s, %s TO %s", i > 0 ? ", " : "", live, back ? fresh : old, back ? old : fresh, live);
	}
	return sql;
}

/* All names as they were. */
static void undo(struct exchange *x)
{
	struct viewd_err err;
	void *mem = talloc_new(x->conn);

	if (!shadow_run_rename(x->conn, rename_all(x, mem, true), &err))
		db_log(&x->conn->db, VIEWD_LOG_ERROR, "names of a group were not exchanged back (%s)", err.msg);
	talloc_free(mem);
}

/* The table that was exchanged must be what was recorded. */
static bool check_old(struct exchange *x, struct viewd_err *err)
{
	EACH(x) {
		struct db_object old;
		if (!my_find_object(&x->conn->db, &place_at(x)->shadow.old, &old, err))
			return false;
		if (strcmp(old.identity, task_at(x)->state.identity) != 0)
			return err_set(err, VIEWD_ERR_EXISTS, "'%s' was replaced by somebody else's object", task_at(x)->rel.name);
	}
	return true;
}

/* A foreign key of another database is only found out here. When one table is gone there is no way back: the rest is
 * swept later. */
static bool drop_all(struct exchange *x, struct viewd_err *err)
{
	EACH(x) {
		struct viewd_err why;
		struct place *p = place_at(x);
		char *sql = talloc_asprintf(task_at(x)->mem, "DROP TABLE %s", shadow_quoted(task_at(x)->mem, &p->shadow.old));
		if (db_exec(&x->conn->db, sql, &why)) {
			x->n_dropped++;
			db_failpoint(&x->conn->db, "mysql:dropped");
			continue;
		}
		if (x->n_dropped == 0 && !x->conn->lost) {
			if (err != NULL)
				*err = why;
			return err_wrap(err, "old table of '%s' cannot be dropped", p->shadow.live.name);
		}
		db_log(&x->conn->db, VIEWD_LOG_WARNING, "'%s', the table that was '%s', stays for now (%s)", p->shadow.old.name,
		       p->shadow.live.name, why.msg);
	}
	return true;
}

static bool exchange(struct exchange *x, struct viewd_err *err)
{
	void *mem = x->group->members;

	EACH(x)
		if (!task_recheck(task_at(x), err))
			return false;
	if (!shadow_run_rename(x->conn, rename_all(x, mem, false), err))
		return err_wrap(err, "names of the group were not exchanged");
	db_failpoint(&x->conn->db, "mysql:renamed");
	if (check_old(x, err) && drop_all(x, err))
		return true;
	if (!x->conn->lost)
		undo(x);
	return false;
}

/* ---- recording */

static bool record_one(struct exchange *x, struct viewd_outcome *done, struct viewd_err *err)
{
	struct group_member *m = &x->group->members[x->group->at];

	done->rows = place_at(x)->tag.rows;
	done->data_timestamp_us = place_at(x)->tag.data_timestamp_us;
	m->done = *done;
	return member_record(m->task, m->req, &m->done, "", err) && task_settle_marks(m->task, &m->done, err);
}

static bool record_all(struct exchange *x, struct viewd_err *err)
{
	EACH(x) {
		struct viewd_outcome done = {
			.did = VIEWD_DID_SWAP,
			.rows_written = place_at(x)->tag.rows,
			.reason = "with its group: filled aside from one snapshot, all names exchanged in one statement"};
		if (!record_one(x, &done, err))
			return false;
	}
	return true;
}

static bool record(struct exchange *x, struct viewd_err *err)
{
	struct db *db = &x->conn->db;

	x->group->at = x->group->n;
	bool done = my_begin(db, DB_BEGIN_WRITE, err) && record_all(x, err) && my_commit(db, err);
	if (!done)
		my_rollback(db);
	else
		db_failpoint(db, "group:committed");
	return done;
}

/* ---- writing what differs */

static bool write_one(struct exchange *x, struct viewd_err *err)
{
	struct task *task = task_at(x);
	struct part_written written;
	const struct difference d = {.conn = x->conn,
	                             .mem = task->mem,
	                             .rel = &task->rel,
	                             .columns = task->columns,
	                             .stage = shadow_quoted(task->mem, &place_at(x)->shadow.fresh)};
	struct viewd_outcome done = {
		.reason = "with its group: filled aside from one snapshot, what differs written in one transaction, since "
				  "their names must stay"};

	if (!my_keep_object(task, err) || !difference_apply(&d, &written, err))
		return false;
	done.rows_written = written.inserted + written.deleted;
	done.did = done.rows_written > 0 ? VIEWD_DID_DIFF : VIEWD_DID_NO_DATA;
	return record_one(x, &done, err);
}

static bool write_differing(struct exchange *x, struct viewd_err *err)
{
	struct db *db = &x->conn->db;
	bool done = true;

	x->group->at = x->group->n;
	if (!my_begin(db, DB_BEGIN_WRITE, err))
		return false;
	EACH(x)
		if (!(done = write_one(x, err)))
			break;
	size_t at = x->group->at;
	done = done && my_commit(db, err);
	if (!done)
		my_rollback(db);
	else
		db_failpoint(db, "group:committed");
	x->group->at = at;
	return done;
}

static void tidy(struct exchange *x, bool done)
{
	for (size_t i = 0; i < x->group->n && !x->conn->lost; i++) {
		struct place *p = &x->places[i];
		if (p->locked && (!done || x->by_rows))
			shadow_discard(&p->shadow, &p->shadow.fresh);
		if (p->locked)
			shadow_unlock(&p->shadow);
	}
}

/* ---- the hook */

static bool hooks_before_all(struct exchange *x, struct viewd_err *err)
{
	EACH(x)
		if (!member_before(task_at(x), err))
			return false;
	return true;
}

bool my_refresh_group(struct refresh_group *group, struct viewd_err *err)
{
	struct exchange x = {.conn = my_conn(group->db), .group = group};

	x.places = talloc_zero_array(group->members, struct place, group->n);
	bool ready = hooks_before_all(&x, err) && group_limits(group, err) && judge_group(&x, err);
	bool done = ready && lock_all(&x, err) && copy_all(&x, err);
	if (done) {
		make_tags(&x);
		done = fill_all(&x, err) &&
		       (x.by_rows ? write_differing(&x, err) : tag_all(&x, err) && exchange(&x, err) && record(&x, err));
	}
	size_t at = group->at;
	tidy(&x, done);
	group->at = at;
	for (size_t i = 0; i < group->n && done; i++)
		member_after(group->members[i].task);
	return done;
}
