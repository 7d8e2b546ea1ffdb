/* SPDX-License-Identifier: MIT
 *
 * section.h: setting a key of a section, of whatever kind. [any], a load on one thread.
 */
#ifndef VIEWD_CONF_LOAD_SECTION_H
#define VIEWD_CONF_LOAD_SECTION_H

#include "conf/load/load.h"

/* n origins that say: default. In the snapshot's arena. */
struct conf_origin *section_origins(struct load *load, size_t n);

/* A line of the file that the section is in. */
struct conf_origin section_origin(const struct load_section *s, unsigned line);

/* Sets the row's field of the struct at base from an entry, and notes where it stands; a wrong value is reported. */
void section_set(struct load *load, const struct load_section *s, const struct option_row *row,
                 const struct scan_entry *entry, void *base, struct conf_origin *origin);

/* Reports a key that nobody knows. near: what was probably meant; NULL: looked for in the table. */
void section_unknown_key(struct load *load, const struct load_section *s, const struct option_table *table,
                         const char *near, const struct scan_entry *entry);

/* Reports rows that must be set and are not. */
void section_check_required(struct load *load, const struct load_section *s, const struct option_table *table,
                            const struct conf_origin *origins);

#endif
