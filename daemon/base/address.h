/* SPDX-License-Identifier: MIT
 *
 * address.h: an address to listen on, as text: 127.0.0.1:7432 or [::1]:7432. Names are not looked up: that would block.
 * [any]
 */
#ifndef VIEWD_BASE_ADDRESS_H
#define VIEWD_BASE_ADDRESS_H

#include "base/macros.h"
#include "viewd_dialect.h"

#include <sys/socket.h>

/* Reads text; false: err CONFIG with what would be right. */
bool address_parse(const char *text, struct sockaddr_storage *addr_r, socklen_t *len_r,
                   struct viewd_err *err) MUST_CHECK;

/* Can only this machine reach it? False for what is no address. */
bool address_is_loopback(const char *text);

/* A socket that listens there, close-on-exec and non-blocking; it is the caller's. -1: err. */
int address_listen(const char *text, struct viewd_err *err) MUST_CHECK;

#endif
