/* SPDX-License-Identifier: MIT
 *
 * peer.c: the identity of a control client.
 */
#include "ctl/serve/peer.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define OVERFLOW_DEFAULT 65534

bool peer_of(int fd, struct peer *peer_r, struct viewd_err *err)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return err_sys(err, VIEWD_ERR_DENIED, errno, "peer of the control connection is unknown");
	*peer_r = (struct peer){.uid = cred.uid, .gid = cred.gid, .pid = cred.pid};
	return true;
}

uid_t peer_overflow_uid(void)
{
	char buf[32] = "";
	int fd = open("/proc/sys/kernel/overflowuid", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return OVERFLOW_DEFAULT;
	ssize_t n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	return n > 0 ? (uid_t)strtoul(buf, NULL, 10) : OVERFLOW_DEFAULT;
}

bool peer_may_mutate(const struct peer *peer, uid_t own, uid_t overflow, struct viewd_err *err)
{
	if (peer->uid == 0)
		return true;
	if (peer->uid == overflow) {
		err_set(err, VIEWD_ERR_DENIED, "uid %u may only look (it is not mapped in the daemon's user namespace)",
		        (unsigned)peer->uid);
		return err_hint(err, "be root, or the user that viewd runs as");
	}
	if (peer->uid == own)
		return true;
	err_set(err, VIEWD_ERR_DENIED, "uid %u may only look", (unsigned)peer->uid);
	return err_hint(err, "be root, or the user that viewd runs as (uid %u)", (unsigned)own);
}
