/* SPDX-License-Identifier: MIT
 *
 * tally.h: counts runs, rows and changes of views and databases, and remembers the last hours. [loop]
 */
#ifndef VIEWD_CORE_REPORT_TALLY_H
#define VIEWD_CORE_REPORT_TALLY_H

struct engine;

/* Listens from now until the end of the engine. */
void tally_begin(struct engine *eng);

#endif
