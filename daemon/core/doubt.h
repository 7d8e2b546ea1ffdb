/* SPDX-License-Identifier: MIT
 *
 * doubt.h: a session could not be opened although others of the same database live. Is it the database, or just this session?
 */
#ifndef VIEWD_CORE_DOUBT_H
#define VIEWD_CORE_DOUBT_H

#include "core/job.h"

/* True: the job waits for the word of the watch; job_end follows. False: it may end now, marked as alone where that is known
 * (the server has answered: it is full). [loop] */
bool doubt_raised(struct job *job);

/* The watch has looked (alive), or is gone: jobs in doubt end. [loop] */
void doubt_settle(struct db *db, bool alive);

/* The watch has not answered in time; what the database's doubt_timer does. [loop] */
void doubt_expired(void *db_ctx);

#endif
