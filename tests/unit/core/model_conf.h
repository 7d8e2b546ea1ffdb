/* SPDX-License-Identifier: MIT
 *
 * model_conf.h: configurations at random, for the model test of reloads. All are accepted by the loader.
 */
#ifndef VIEWD_TESTS_UNIT_CORE_MODEL_CONF_H
#define VIEWD_TESTS_UNIT_CORE_MODEL_CONF_H

#include <stdbool.h>
#include <stdint.h>

#define MODEL_VIEWS 9
#define MODEL_DBS 3
#define MODEL_TABLES 3

/* One in its own place: each seed gives the same numbers again. */
struct model_random {
	uint64_t state;
};
unsigned model_random(struct model_random *r, unsigned below);
/* One time in so many. */
bool model_one_in(struct model_random *r, unsigned n);

struct model_view {
	bool there, renamed, own_relation; /* v3 or w3; the object may be r3 under both names */
	unsigned dbs;                      /* bit k: on database k */
	unsigned tables, reads, depends;   /* bits: t_0 ..., what other views hold, depends_on */
	unsigned method, group, schedule, pace, priority;
	bool on_change, disabled, drop, key, refused, no_data;
};

struct model_db {
	bool there;
	unsigned url, slots;
};

struct model_conf {
	struct model_view views[MODEL_VIEWS];
	struct model_db dbs[MODEL_DBS];
};

void model_conf_make(struct model_conf *conf, struct model_random *r);

/* A few things are different. */
void model_conf_change(struct model_conf *conf, struct model_random *r);

/* Nothing is disabled, refused or on a cycle, and no view is in a group: all of it can be kept. */
void model_conf_calm(struct model_conf *conf);

/* viewd.conf, on mem_ctx. */
char *model_conf_text(const struct model_conf *conf, void *mem_ctx);

/* The name of the server a database is on. */
const char *model_server(const struct model_conf *conf, unsigned db);

/* The name of what a view holds, on mem_ctx. */
char *model_relation(const struct model_conf *conf, unsigned view, void *mem_ctx);

#endif
