/* SPDX-License-Identifier: MIT
 *
 * model_servers.h: what happens to the servers of a configuration, at random, for the model test of reloads.
 */
#ifndef VIEWD_TESTS_UNIT_CORE_MODEL_SERVERS_H
#define VIEWD_TESTS_UNIT_CORE_MODEL_SERVERS_H

#include "unit/core/model_conf.h"

/* A table is written. */
void model_change_table(const struct model_conf *conf, struct model_random *r);

/* Calls fail, wait or hang from now on. */
void model_misbehave(const struct model_conf *conf, struct model_random *r);

/* One server is well again. */
void model_behave(const struct model_conf *conf, struct model_random *r);

/* A server goes away, loses connections, is led by another, or is back. */
void model_disturb(const struct model_conf *conf, struct model_random *r);

/* Somebody takes what a view holds away, or puts something else there. */
void model_meddle(const struct model_conf *conf, struct model_random *r);

/* An application asks for a refresh. */
void model_request_in_sql(const struct model_conf *conf, struct model_random *r);

/* All servers are well, and empty but for their tables. */
void model_calm_servers(void);

#endif
