/* SPDX-License-Identifier: MIT
 *
 * connect_check.h: a session could not be opened although others of the same database live. Is it the database, or just
 * this session?
 */
#ifndef VIEWD_CORE_ENGINE_CONNECT_CHECK_H
#define VIEWD_CORE_ENGINE_CONNECT_CHECK_H

#include "core/exec/job.h"

/* True: the job waits for the word of the watch; its end follows (engine.open.ended). False: it may end now, marked as
 * alone where that is known (the server has answered: it is full). [loop] */
bool connect_check_raised(struct job *job);

/* The watch has looked (alive), or is gone: jobs in doubt end. [loop] */
void connect_check_resolve(struct database *db, bool alive);

/* The watch has not answered in time; what the database's connect_check_timer does. [loop] */
void connect_check_expired(void *db_ctx);

#endif
