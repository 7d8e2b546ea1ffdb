/* SPDX-License-Identifier: MIT
 *
 * readers.h: everything in plugins/common that reads rows of viewd's own tables, for the fuzz targets that make such
 * rows up.
 */
#ifndef VIEWD_TESTS_FUZZ_READERS_H
#define VIEWD_TESTS_FUZZ_READERS_H

#include "common/conn/db.h"

/* Runs one of the readers on a connection that answers anything; aborts when one believes what cannot be, or fails
 * without saying why. mem holds what they allocate. */
void readers_run(struct db *db, void *mem, unsigned which);

#endif
