/* SPDX-License-Identifier: MIT
 *
 * list.h: takes comma-separated values apart. [any], a load on one thread.
 */
#ifndef VIEWD_CONF_READ_LIST_H
#define VIEWD_CONF_READ_LIST_H

#include "conf/read/arena.h"
#include "viewd_dialect.h"

/* The next item of a comma-separated text. Commas inside "double quotes", `backticks` and (parentheses) do not split.
 * *text moves behind the item and its comma; *item_r and *len_r are the item without blanks around it. Returns false at
 * the end. An item may be empty (two commas in a row): the caller judges. *open_r becomes true when a quote or
 * parenthesis is not closed. */
bool list_next(const char **text, const char **item_r, size_t *len_r, bool *open_r);

/* How many bytes of text[0..len) are one SQL name as written, quoted in either way (the quote doubled is one) or plain;
 * 0: there is none. What it means, and whether plain letters fold, is for the engine to say: names are read once, by
 * its dialect. */
size_t list_name(const char *text, size_t len);

#endif
