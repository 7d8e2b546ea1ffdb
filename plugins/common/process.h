/* SPDX-License-Identifier: MIT
 *
 * process.h: who this process is, for databases that two of them may want to keep.
 */
#ifndef VIEWD_COMMON_PROCESS_H
#define VIEWD_COMMON_PROCESS_H

/* A name that no other process has, on any machine, before or after: the machine's boot, the process id, its start. On mem_ctx. [any] */
char *process_name(void *mem_ctx);

#endif
