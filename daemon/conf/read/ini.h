/* SPDX-License-Identifier: MIT
 *
 * ini.h: one INI file, read by iniparser under supervision.
 *
 * The bytes are scanned first (scan.h), then handed to iniparser through a memfd, and both results are compared: what
 * iniparser would lose, join or rename is an error. Nothing else in the program uses iniparser.
 */
#ifndef VIEWD_CONF_READ_INI_H
#define VIEWD_CONF_READ_INI_H

#include "conf/read/scan.h"

#define INI_SIZE_MAX ((size_t)4 * 1024 * 1024)

/* Reads the file number file of report (its name is the path). Symbolic links are followed; it must be a regular file
 * of at most 4 MiB that is not writable by everyone. Problems go to report; *out_r holds what could be understood.
 * named: the setting that names the file, which is to blame when it cannot be read; NULL: the user named it.
 * Returns true when there was no problem. [any, one at a time: iniparser's error callback is global] */
bool ini_read(void *mem_ctx, struct arena *arena, struct report *report, unsigned file, const struct report_at *named,
              struct scan *out_r);

/* The part after the file system: for tests and fuzzing. */
bool ini_parse(void *mem_ctx, struct arena *arena, struct report *report, unsigned file, const char *bytes, size_t len,
               struct scan *out_r);

#endif
