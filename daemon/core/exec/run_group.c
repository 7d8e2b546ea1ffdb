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
	err_set(out, cause->cls, "refresh_group '%s' was left as it is: view '%s' failed (%.400s)", lead->group_name, culprit, cause->msg);
}

void run_share_error(struct job *lead)
{
	for (size_t i = 0; i < lead->n_parts && !lead->ok; i++) {
		struct job *part = lead->parts[i];
		bool somebody = lead->failed_part < lead->n_parts && lead->err.cls != VIEWD_ERR_CANCELLED;
		part->mate_failed = somebody && i != lead->failed_part;
		if (part->mate_failed)
			run_mate_error(lead, &lead->err, lead->parts[lead->failed_part]->label, &part->err);
		else
			part->err = lead->err;
	}
}

static bool set_up_missing(struct job *lead)
{
	for (size_t i = 0; i < lead->n_parts; i++) {
		struct job *part = lead->parts[i];
		part->session = lead->session;
		if (!part->reconcile_first || run_reconcile(part))
			continue;
		lead->err = part->err;
		lead->failed_part = i;
		return false;
	}
	return true;
}

/* The last run lost its connection: only when all members were written has it ended well. */
static bool was_completed(struct job *lead)
{
	size_t n = 0;
	for (size_t i = 0; i < lead->n_parts; i++)
		n += lead->parts[i]->unknown_since_us != 0;
	if (n < lead->n_parts)
		return false;
	for (size_t i = 0; i < lead->n_parts; i++)
		if (!run_was_recorded(lead->parts[i]))
			return false;
	lead->looked_up = true;
	return true;
}

static bool refresh_all(struct job *lead)
{
	const struct viewd_dialect *dialect = lead->session->dialect;
	struct viewd_group_item *items = mem_array(lead, struct viewd_group_item, lead->n_parts);
	const struct viewd_group_item **list = mem_array(lead, const struct viewd_group_item *, lead->n_parts);
	if (dialect->refresh_group == NULL)
		return err_set(&lead->err, VIEWD_ERR_BUG, "the dialect %s has no groups", dialect->name);
	for (size_t i = 0; i < lead->n_parts; i++) {
		struct job *part = lead->parts[i];
		part->outcome = (struct viewd_outcome){.rows = -1, .rows_written = -1};
		items[i] = (struct viewd_group_item){
			.struct_size = sizeof items[i], .view = &part->spec, .request = &part->request, .outcome = &part->outcome};
		list[i] = &items[i];
	}
	return dialect->refresh_group(lead->session->conn, list, lead->n_parts, &lead->failed_part, &lead->err);
}

static void record_failures(struct job *lead)
{
	run_share_error(lead);
	for (size_t i = 0; i < lead->n_parts; i++) {
		struct job *part = lead->parts[i];
		run_record_failure(part, part->mate_failed ? "UPSTREAM_FAILED"
		                                           : part->err.cls == VIEWD_ERR_CANCELLED ? "CANCELLED" : "FAILED");
	}
}

bool run_group(struct job *lead)
{
	if (!set_up_missing(lead))
		return false;
	if (was_completed(lead))
		return true;
	if (session_cancelled(lead->session, &lead->err))
		return false;
	if (refresh_all(lead))
		return true;
	record_failures(lead);
	return false;
}
