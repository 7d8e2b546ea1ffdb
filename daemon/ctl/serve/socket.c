/* SPDX-License-Identifier: MIT
 *
 * socket.c: the control socket's file.
 */
#include "ctl/serve/socket.h"

#include "base/err.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG 128

/* The text a daemon leaves in its lock file: its process number. */
static void read_owner(int fd, char *buf, size_t size)
{
	ssize_t n = pread(fd, buf, size - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	buf[strspn(buf, "0123456789")] = '\0';
}

static void write_owner(int fd)
{
	char buf[32];
	int n = snprintf(buf, sizeof(buf), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) == 0 && pwrite(fd, buf, (size_t)n, 0) < 0)
		errno = 0; /* for people only; the lock is what counts */
}

static bool take_lock(int fd, const char *lock_path, struct viewd_err *err)
{
	char owner[32];
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		write_owner(fd);
		return true;
	}
	if (errno != EWOULDBLOCK)
		return err_sys(err, VIEWD_ERR_RESOURCE, errno, "lock file '%s', lock failed", lock_path);
	read_owner(fd, owner, sizeof(owner));
	err_set(err, VIEWD_ERR_EXISTS, "viewd is already running (process %s holds '%s')",
	        owner[0] != '\0' ? owner : "unknown", lock_path);
	return err_hint(err, "stop it first, or give this one its own control_socket");
}

bool ctl_socket_lock(struct ctl_socket *sock, const char *path, struct viewd_err *err)
{
	char lock_path[sizeof(sock->path) + 8];
	*sock = (struct ctl_socket){.lock_fd = -1};
	if (path[0] != '/')
		return err_set(err, VIEWD_ERR_CONFIG, "control socket '%s' is not an absolute path", path);
	if (strlen(path) >= sizeof(sock->path)) {
		err_set(err, VIEWD_ERR_CONFIG, "control socket '%s' is too long (%zu bytes)", path, strlen(path));
		return err_hint(err, "at most %zu bytes fit into a socket address", sizeof(sock->path) - 1);
	}
	memcpy(sock->path, path, strlen(path) + 1);
	snprintf(lock_path, sizeof(lock_path), "%s.lock", path);
	int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(err, VIEWD_ERR_CONFIG, errno, "lock file '%s', open failed", lock_path);
	if (!take_lock(fd, lock_path, err)) {
		close(fd);
		return false;
	}
	sock->lock_fd = fd;
	return true;
}

static void fill_address(const struct ctl_socket *sock, struct sockaddr_un *addr)
{
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(addr->sun_path, sock->path, strlen(sock->path) + 1);
}

/* Somebody may answer although we hold the lock: the lock file may have been removed under a running daemon. */
static bool somebody_answers(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return true;
	bool answered = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 || errno == EAGAIN;
	close(fd);
	return answered;
}

static bool remove_stale(const struct ctl_socket *sock, const struct sockaddr_un *addr, struct viewd_err *err)
{
	struct stat st;
	if (lstat(sock->path, &st) != 0)
		return errno == ENOENT ||
		       err_sys(err, VIEWD_ERR_CONFIG, errno, "control socket '%s', look-up failed", sock->path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, VIEWD_ERR_EXISTS, "control socket '%s' is something else and not a socket", sock->path);
	if (somebody_answers(addr))
		return err_set(err, VIEWD_ERR_EXISTS, "viewd is already running (somebody answers on '%s')", sock->path);
	if (unlink(sock->path) != 0 && errno != ENOENT)
		return err_sys(err, VIEWD_ERR_CONFIG, errno, "control socket '%s', stale one cannot be removed", sock->path);
	return true;
}

/* The mode comes from the umask: a chmod afterwards would leave a gap. */
static bool bind_private(int fd, const struct sockaddr_un *addr, struct viewd_err *err)
{
	mode_t old = umask(0117);
	int rc = bind(fd, (const struct sockaddr *)addr, sizeof(*addr));
	int why = errno;
	umask(old);
	return rc == 0 || err_sys(err, VIEWD_ERR_CONFIG, why, "control socket '%s', bind failed", addr->sun_path);
}

bool ctl_socket_listen(struct ctl_socket *sock, int *fd_r, struct viewd_err *err)
{
	struct sockaddr_un addr;
	struct stat st;
	assert(sock->lock_fd >= 0);
	fill_address(sock, &addr);
	if (!remove_stale(sock, &addr, err))
		return false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(err, VIEWD_ERR_RESOURCE, errno, "control socket '%s', socket failed", sock->path);
	bool ok = bind_private(fd, &addr, err);
	if (ok && listen(fd, LISTEN_BACKLOG) != 0)
		ok = err_sys(err, VIEWD_ERR_RESOURCE, errno, "control socket '%s', listen failed", sock->path);
	if (ok && lstat(sock->path, &st) != 0)
		ok = err_sys(err, VIEWD_ERR_RESOURCE, errno, "control socket '%s', look-up failed", sock->path);
	if (!ok) {
		close(fd);
		return false;
	}
	sock->dev = st.st_dev;
	sock->ino = st.st_ino;
	*fd_r = fd;
	return true;
}

enum ctl_socket_fate ctl_socket_look(const struct ctl_socket *sock)
{
	struct stat st;
	if (lstat(sock->path, &st) != 0)
		return CTL_SOCKET_GONE;
	return st.st_dev == sock->dev && st.st_ino == sock->ino ? CTL_SOCKET_OURS : CTL_SOCKET_FOREIGN;
}

void ctl_socket_close(struct ctl_socket *sock)
{
	if (sock->lock_fd < 0)
		return;
	if (sock->ino != 0 && ctl_socket_look(sock) == CTL_SOCKET_OURS)
		unlink(sock->path);
	close(sock->lock_fd);
	sock->lock_fd = -1;
}

int ctl_socket_watch(const char *path)
{
	char dir[sizeof((struct ctl_socket *)NULL)->path];
	snprintf(dir, sizeof dir, "%s", path);
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd >= 0 && inotify_add_watch(fd, dirname(dir), IN_DELETE | IN_MOVE | IN_CREATE) >= 0)
		return fd;
	log_warning("control socket '%s', its directory cannot be watched (%s): a removed socket is not made again", path,
	            strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

void ctl_socket_drain(int fd)
{
	char buf[4096];
	while (read(fd, buf, sizeof buf) > 0)
		continue;
}
