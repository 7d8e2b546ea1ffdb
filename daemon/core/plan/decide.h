/* SPDX-License-Identifier: MIT
 *
 * decide.h: decides on the change of an object (create, adopt, replace ..) as a pure function of settings and
 * findings.
 */
#ifndef VIEWD_CORE_PLAN_DECIDE_H
#define VIEWD_CORE_PLAN_DECIDE_H

#include "conf/conf.h"
#include "core/model/job_record.h"

struct decide_settings {
	const char *label;
	enum viewd_method method;      /* after resolution */
	const char *hash, *index_hash; /* of struct viewd_resolved */
	bool adopt;
	bool create_missing; /* false: an object that vanished while viewd ran stays gone until someone asks */
	bool replace;        /* `create --replace`: what somebody else has made of the view's object goes */
	bool keep;           /* `adopt`: what somebody else has made of the view's object stays */
	int policy;          /* enum conf_on_configuration_change: for changes of the files */
};

/* Fills *out. Pure. [any] */
void decide(const struct decide_settings *settings, const struct viewd_found *found, uint64_t caps,
            struct decision *out);

/* The section was renamed, and what is recorded of it follows first: what says how. [any] */
void decide_rename(const char *what, uint64_t caps, struct decision *out);

#endif
