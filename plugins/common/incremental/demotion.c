/* SPDX-License-Identifier: MIT */
#include "common/incremental/demotion.h"

#include <inttypes.h>
#include <stdio.h>

bool demotion_look(struct db *db, struct chain *chain, struct viewd_err *err)
{
	return learnt_find_later(db, chain->view, LEARNT_DEMOTED, chain->digest, &chain->demotion, err);
}

static bool save(struct db *db, const struct chain *chain, struct viewd_err *err)
{
	char text[80];
	snprintf(text, sizeof text, "%" PRId64 " rows were not as their definition says", chain->found_wrong);
	return learnt_save(db, chain->view, LEARNT_DEMOTED, chain->digest, text, err);
}

/* A finding that the transaction of the audit has not kept is found_wrong here. */
bool demotion_settle(struct db *db, struct chain *chain, bool asked, struct viewd_err *err)
{
	bool known = chain->demotion.known;
	chain->demoted = !asked && (known || chain->found_wrong > 0);
	if (asked)
		return !known || learnt_forget(db, chain->view, LEARNT_DEMOTED, NULL, err);
	return known || !chain->demoted || save(db, chain, err);
}

bool demotion_begin(struct db *db, struct chain *chain, int64_t wrong, struct viewd_err *err)
{
	chain->demoted = true;
	chain->found_wrong = wrong;
	db_log(db, VIEWD_LOG_ERROR,
	       "view '%s', %" PRId64 " rows were not as their definition says: an incremental refresh "
	       "was wrong, and all rows are computed from now on",
	       chain->view, wrong);
	return save(db, chain, err);
}

void demotion_committed(struct chain *chain)
{
	chain->found_wrong = 0;
}
