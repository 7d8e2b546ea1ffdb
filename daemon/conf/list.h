/* SPDX-License-Identifier: MIT
 *
 * list.h: takes comma-separated values apart.
 */
#ifndef VIEWD_CONF_LIST_H
#define VIEWD_CONF_LIST_H

#include "conf/arena.h"
#include "viewd_dialect.h"

/* The next item of a comma-separated text. Commas inside "double quotes" and (parentheses) do not split. *text moves
 * behind the item and its comma; *item_r and *len_r are the item without blanks around it. Returns false at the
 * end. An item may be empty (two commas in a row): the caller judges. *open_r becomes true when a quote or
 * parenthesis is not closed. */
bool list_next(const char **text, const char **item_r, size_t *len_r, bool *open_r);

/* One SQL name at text[0..len): "quoted" ("" is one ") or plain, plain ASCII letters become lower case. *used_r: how many
 * bytes it took. Returns NULL when there is none. */
char *list_ident(struct arena *arena, const char *text, size_t len, size_t *used_r);

#endif
