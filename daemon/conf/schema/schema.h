/* SPDX-License-Identifier: MIT
 *
 * schema.h: the option tables of the three kinds of sections. [any]
 */
#ifndef VIEWD_CONF_SCHEMA_SCHEMA_H
#define VIEWD_CONF_SCHEMA_SCHEMA_H

#include "conf/schema/option.h"

extern const struct option_table schema_daemon;   /* [viewd] -> struct conf_daemon */
extern const struct option_table schema_database; /* [database NAME] -> struct conf_database */
extern const struct option_table schema_view;     /* [view NAME] and [view-defaults] -> struct conf_view */

/* The number of the row with this key (no prefix match). Asserts that there is one. */
size_t schema_row(const struct option_table *table, const char *key);

#endif
