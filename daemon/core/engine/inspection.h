/* SPDX-License-Identifier: MIT
 *
 * inspection.h: takes the findings of a look at a view's object into the instance. [loop]
 */
#ifndef VIEWD_CORE_ENGINE_INSPECTION_H
#define VIEWD_CORE_ENGINE_INSPECTION_H

#include "core/model/job_record.h"

/* Takes what the job has found into its instance: the object's place, what the definition reads, and the runs that the
 * state table remembers of earlier lives and of other daemons. The job has looked (job->out.inspected). */
void inspection_take(struct job *job);

#endif
