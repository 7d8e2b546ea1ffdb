/* SPDX-License-Identifier: MIT
 *
 * server.h: the control socket, and the address of http_listen: HTTP/1.1 with JSON bodies, bounded in every
 * direction. [loop]
 */
#ifndef VIEWD_CTL_SERVE_SERVER_H
#define VIEWD_CTL_SERVE_SERVER_H

#include "ctl/call/call.h"

#include <stdint.h>

struct loop;
struct ctl_server;

struct ctl_limits {
	size_t clients; /* open connections; beyond, the one that has been idle longest is closed */
	size_t pending; /* SLOW calls without a reply yet; beyond, 503 */
	size_t held;    /* HELD calls; likewise */
	size_t header_bytes;
	size_t body_bytes;
	size_t reply_bytes; /* of a reply that is no stream */
	/* to send the whole request, and again to read the whole reply; no limit while a reply is pending */
	int64_t idle_us;
	int64_t heartbeat_us; /* silence after which a stream says that it is alive */
};

/* 256 clients, 48 pending, 128 held, 16 KiB, 64 KiB, 64 MiB, 30 s, 15 s. */
struct ctl_limits ctl_limits_default(void);

/* The limits of an address: 64 clients, 8 pending, 32 held, 4 KiB of body, else the same. */
struct ctl_limits ctl_limits_web(void);

/* Takes the lock, makes the socket and serves ctl's commands on it from now on. ctl, loop and *limits' values are used
 * until the end; limits may be NULL. SIGPIPE is ignored from here on. NULL on failure; class EXISTS: another daemon is
 * running. */
struct ctl_server *ctl_server_new(struct loop *loop, const char *path, const struct ctl *ctl,
                                  const struct ctl_limits *limits, struct viewd_err *err);

/* Serves on fd, a socket that listens, what looks: every GET of ctl's commands that changes nothing, for a Host that
 * http_hosts of the configuration in force allows. Takes over fd. Never NULL. */
struct ctl_server *ctl_server_new_web(struct loop *loop, int fd, const struct ctl *ctl,
                                      const struct ctl_limits *limits);

/* Closes connections, removes the socket, gives the lock back. Calls that are still running lose their client; their
 * replies go nowhere. Accepts NULL; leaves NULL. */
void ctl_server_free(struct ctl_server **server);

#endif
