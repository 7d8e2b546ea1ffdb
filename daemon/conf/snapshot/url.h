/* SPDX-License-Identifier: MIT
 *
 * url.h: the parts of a database URL that the daemon uses; the rest is the dialect's business. [any]
 */
#ifndef VIEWD_CONF_SNAPSHOT_URL_H
#define VIEWD_CONF_SNAPSHOT_URL_H

#include "conf/read/arena.h"
#include "viewd_dialect.h"

/* The URL's scheme in lower case, without "+driver". Allocated on arena; NULL with err's message filled when there is
 * no usable one. */
const char *url_scheme(struct arena *arena, const char *url, struct viewd_err *err);

/* Where the URL leads: what follows the scheme, without user and password. Points into it. */
const char *url_place(const char *url);

/* The URL holds a password, between user and host or as a query parameter. */
bool url_has_password(const char *url);

/* The URL without that password; a parameter that holds one becomes empty. Allocated on mem_ctx (talloc). */
char *url_without_password(void *mem_ctx, const char *url);

#endif
