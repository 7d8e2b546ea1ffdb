/* SPDX-License-Identifier: MIT
 *
 * lease.h: who leads a database, as data: the one row of the state table `daemon`. It counts where a lock of the server
 * says nothing: between servers that each grant it, and behind a pooler that keeps no session.
 *
 * The row names the holder, and by what it leads. Somebody else who finds it held writes into it that he asks. The
 * holder answers when it next looks. Without an answer in time the one who has asked takes over, if the epoch is still
 * what it was. All times are of the clock of the server that is asked by. Nothing is written while nobody asks. (docs/
 * adr/029, 032)
 *
 * Functions run on the thread of their connection, outside a transaction.
 */
#ifndef VIEWD_COMMON_STATE_LEASE_H
#define VIEWD_COMMON_STATE_LEASE_H

#include "common/conn/db.h"

/* One who leads, or would. The texts are the caller's. */
struct lease_side {
	struct db *db;
	const char *name; /* process_holder() */
	/* By this nobody else leads: he would have been found. NULL: that is not known of anything */
	const char *free;
	const char *leads_by; /* written down when this one leads */
	/* How long who has this in the row may take to answer, in seconds. */
	int (*patience)(const char *leads_by);
	const char *refusal; /* why this one does not lead while another one holds the lease; for people */
};

/* STANDBY while another process holds the lease. *epoch_r: for lease_record(). A table of an earlier viewd, or none:
 * nobody holds it. */
bool lease_claim(const struct lease_side *side, int64_t *epoch_r, struct viewd_err *err) MUST_CHECK;

/* After lease_claim(), when the table is there: writes down that this one leads. CONFLICT when another one was
 * quicker. */
bool lease_record(const struct lease_side *side, int64_t claimed, struct viewd_err *err) MUST_CHECK;

/* To be called more often than the patience lasts: LOST when another one leads; answers who has asked. */
bool lease_keep(const struct lease_side *side, struct viewd_err *err) MUST_CHECK;

/* The next one to lead need not wait. Best effort. */
void lease_give_back(const struct lease_side *side);

#endif
