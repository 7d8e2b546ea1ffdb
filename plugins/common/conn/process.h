/* SPDX-License-Identifier: MIT
 *
 * process.h: the identity of this process, for databases that two of them may want to keep.
 */
#ifndef VIEWD_COMMON_CONN_PROCESS_H
#define VIEWD_COMMON_CONN_PROCESS_H

#include "viewd_dialect.h"

/* A name that no other process has, on any machine, before or after: the machine's boot, the process id, its start. On
 * mem_ctx. [any] */
char *process_name(void *mem_ctx);

/* The holder of a database, as recorded in it: this process and its [database] section. On mem_ctx. [any] */
char *process_holder(void *mem_ctx, const char *section);

/* Fills err, class STANDBY: the lock of the database is taken. holder: what the one who has it recorded; NULL or "":
 * nothing yet. how: what holds the lock, and where that can be seen. Returns false. [any] */
bool process_refuse(const char *holder, const char *how, struct viewd_err *err);

#endif
