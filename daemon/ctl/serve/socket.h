/* SPDX-License-Identifier: MIT
 *
 * socket.h: the control socket's file: whose it is, making it, noticing that it went away, removing it. [loop]
 *
 * A lock file beside the socket (PATH.lock, never removed) says who is alive: only the holder of the lock may remove a
 * stale socket, and even then not one that somebody answers on.
 */
#ifndef VIEWD_CTL_SERVE_SOCKET_H
#define VIEWD_CTL_SERVE_SOCKET_H

#include "base/macros.h"
#include "viewd_dialect.h"

#include <sys/types.h>

struct ctl_socket {
	char path[108];
	int lock_fd; /* -1: not ours */
	dev_t dev;   /* of the socket we made */
	ino_t ino;
};

/* Takes the lock. Err CONFIG for a path that cannot be (too long, no directory), EXISTS when another process holds it
 * ("already running"). The directory must exist. */
bool ctl_socket_lock(struct ctl_socket *sock, const char *path, struct viewd_err *err) MUST_CHECK;

/* Removes a stale socket, binds (mode 0660) and listens. The descriptor is the caller's: close-on-exec, non-blocking.
 * Needs the lock. The process's umask is changed for a moment. */
bool ctl_socket_listen(struct ctl_socket *sock, int *fd_r, struct viewd_err *err) MUST_CHECK;

/* The state of the path now. */
enum ctl_socket_fate { CTL_SOCKET_OURS, CTL_SOCKET_GONE, CTL_SOCKET_FOREIGN };
enum ctl_socket_fate ctl_socket_look(const struct ctl_socket *sock);

/* An inotify descriptor that becomes readable when entries of the socket's directory come or go; -1 when none can be
 * had (logged). */
int ctl_socket_watch(const char *path);

/* Reads away what it holds. */
void ctl_socket_drain(int fd);

/* Removes the socket if it is still ours, and gives the lock back. */
void ctl_socket_close(struct ctl_socket *sock);

#endif
