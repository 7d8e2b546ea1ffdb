/* SPDX-License-Identifier: MIT
 *
 * hash.h: uthash, hash tables whose links are in the items themselves. The tables are not talloc's: HASH_CLEAR before
 * the items go. [any], a table on one thread at a time.
 */
#ifndef VIEWD_BASE_HASH_H
#define VIEWD_BASE_HASH_H

/* Without the fall-through labels of the default one, which clang warns about. */
#define HASH_FUNCTION(keyptr, keylen, hashv) HASH_FNV(keyptr, keylen, hashv)
#include <uthash.h>

#endif
