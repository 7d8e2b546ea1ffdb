/* SPDX-License-Identifier: MIT
 *
 * peer.h: the process at the other end of a control connection, and its rights. [loop]
 *
 * Whoever can connect may read: the socket's directory and mode (0660) decide that, so members of the socket's group
 * can look. Only root and the daemon's own user may change anything; group membership does not suffice, so that
 * monitoring can be let in without letting it drop views. In a user namespace a peer whose uid is not mapped shows up
 * as the overflow uid: that is nobody, also when the daemon itself runs as that uid.
 */
#ifndef VIEWD_CTL_SERVE_PEER_H
#define VIEWD_CTL_SERVE_PEER_H

#include "base/macros.h"
#include "viewd_dialect.h"

#include <sys/types.h>

struct peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
};

/* The identity at connect(2) time (SO_PEERCRED, unix(7)). */
bool peer_of(int fd, struct peer *peer_r, struct viewd_err *err) MUST_CHECK;

/* The uid that stands for "not mapped here"; read from /proc, 65534 when that cannot be read. */
uid_t peer_overflow_uid(void);

/* May this peer change things? own: the daemon's effective uid. err DENIED says why not and who may. */
bool peer_may_mutate(const struct peer *peer, uid_t own, uid_t overflow, struct viewd_err *err) MUST_CHECK;

#endif
