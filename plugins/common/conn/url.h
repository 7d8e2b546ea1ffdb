/* SPDX-License-Identifier: MIT
 *
 * url.h: SQLAlchemy's URL forms, scheme[+driver]://[user[:password]@][host][:port][/database][?key=value&...],
 * and several hosts between commas.
 */
#ifndef VIEWD_COMMON_CONN_URL_H
#define VIEWD_COMMON_CONN_URL_H

#include "base/macros.h"
#include "viewd_dialect.h"

/* One of the servers that host:port,host:port names. */
struct url_place {
	char *host; /* without the brackets of [::1]; NULL: none */
	int port;   /* 0: none */
};

/* All parts percent-decoded, talloc'ed with the struct; absent parts are NULL. */
struct url {
	char *scheme; /* without "+driver" */
	char *user;
	char *password;
	char *host; /* host and port of the first place */
	int port;
	struct url_place *places; /* in the order written, at least one */
	size_t n_places;
	char *database;         /* after the first '/', for sqlite:////abs it begins with '/' */
	struct viewd_kv *query; /* in the order written; a key may repeat */
	size_t n_query;
};

/* Reads text. NULL: err says what is wrong, without showing the password. [any] */
struct url *url_parse(void *mem_ctx, const char *text, struct viewd_err *err);

/* The (last) value of a query parameter, or NULL. */
const char *url_query(const struct url *url, const char *key);

#endif
