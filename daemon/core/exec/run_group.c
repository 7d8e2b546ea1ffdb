/* SPDX-License-Identifier: MIT
 *
 * run_group.c: the worker side of a group's job.
 */
#include "core/exec/run.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/exec/session.h"

void run_mate_error(const struct job *lead, const struct viewd_err *cause, const char *culprit, struct viewd_err *out)
{
	*out = (struct viewd_err){.cls = cause->cls};
	err_set(out, cause->cls, "refresh_group '%s' was left as it is: view '%s' failed (%.400s)", lead->group.name,
	        culprit, cause->msg);
}

void run_share_error(struct job *lead)
{
	for (size_t i = 0; i < lead->group.n && !lead->out.ok; i++) {
		struct job *part = lead->group.parts[i];
		bool somebody = lead->group.failed < lead->group.n && lead->out.err.cls != VIEWD_ERR_CANCELLED;
		part->out.mate_failed = somebody && i != lead->group.failed;
		if (part->out.mate_failed)
			run_mate_error(lead, &lead->out.err, lead->group.parts[lead->group.failed]->label, &part->out.err);
		else
			part->out.err = lead->out.err;
	}
}

static bool set_up_missing(struct job *lead)
{
	for (size_t i = 0; i < lead->group.n; i++) {
		struct job *part = lead->group.parts[i];
		part->session = lead->session;
		if (!part->in.reconcile_first || run_reconcile(part))
			continue;
		lead->out.err = part->out.err;
		lead->group.failed = i;
		return false;
	}
	return true;
}

/* The last run lost its connection: only when all members were written has it ended well. */
static bool was_completed(struct job *lead)
{
	size_t n = 0;
	for (size_t i = 0; i < lead->group.n; i++)
		n += lead->group.parts[i]->in.unknown_since_us != 0;
	if (n < lead->group.n)
		return false;
	for (size_t i = 0; i < lead->group.n; i++)
		if (!run_was_recorded(lead->group.parts[i]))
			return false;
	lead->out.looked_up = true;
	return true;
}

static bool refresh_all(struct job *lead)
{
	const struct viewd_dialect *dialect = lead->session->dialect;
	struct viewd_group_item *items = mem_array(lead, struct viewd_group_item, lead->group.n);
	const struct viewd_group_item **list = mem_array(lead, const struct viewd_group_item *, lead->group.n);
	if (dialect->refresh_group == NULL)
		return err_set(&lead->out.err, VIEWD_ERR_BUG, "the dialect %s has no groups", dialect->name);
	for (size_t i = 0; i < lead->group.n; i++) {
		struct job *part = lead->group.parts[i];
		part->out.outcome = (struct viewd_outcome){.rows = -1, .rows_written = -1};
		run_take_nodes(part);
		items[i] = (struct viewd_group_item){.struct_size = sizeof items[i],
		                                     .view = &part->in.spec,
		                                     .request = &part->in.request,
		                                     .outcome = &part->out.outcome};
		list[i] = &items[i];
	}
	return dialect->refresh_group(lead->session->conn, list, lead->group.n, &lead->group.failed, &lead->out.err);
}

static void record_failures(struct job *lead)
{
	run_share_error(lead);
	for (size_t i = 0; i < lead->group.n; i++) {
		struct job *part = lead->group.parts[i];
		enum viewd_failure own =
			part->out.err.cls == VIEWD_ERR_CANCELLED ? VIEWD_FAILURE_CANCELLED : VIEWD_FAILURE_FAILED;
		run_record_failure(part, part->out.mate_failed ? VIEWD_FAILURE_UPSTREAM_FAILED : own);
	}
}

bool run_group(struct job *lead)
{
	if (!set_up_missing(lead))
		return false;
	if (was_completed(lead))
		return true;
	if (session_cancelled(lead->session, &lead->out.err))
		return false;
	if (refresh_all(lead))
		return true;
	record_failures(lead);
	return false;
}
