/* SPDX-License-Identifier: MIT
 *
 * test_socket.c: whose socket it is; who may do what.
 */
#include "ctl/serve/peer.h"
#include "ctl/serve/socket.h"
#include "support/harness.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <talloc.h>
#include <unistd.h>

static const char *socket_path(void)
{
	(void)harness_dir();
	return harness_path("s");
}

static void is_private(void)
{
	struct ctl_socket sock;
	struct viewd_err err = {0};
	struct stat st;
	int fd = -1;
	const char *path = socket_path();
	mode_t old = umask(0);
	REQUIRE_OK(ctl_socket_lock(&sock, path, &err), &err);
	REQUIRE_OK(ctl_socket_listen(&sock, &fd, &err), &err);
	CHECK_INT(umask(old), 0);
	REQUIRE(lstat(path, &st) == 0);
	CHECK(S_ISSOCK(st.st_mode));
	CHECK_INT(st.st_mode & 0777, 0660);
	CHECK_INT(ctl_socket_look(&sock), CTL_SOCKET_OURS);
	ctl_socket_close(&sock);
	CHECK(lstat(path, &st) != 0);
	close(fd);
}

static void is_held_by_one(void)
{
	struct ctl_socket one;
	struct ctl_socket two;
	struct viewd_err err = {0};
	const char *path = socket_path();
	int fd = -1;
	REQUIRE_OK(ctl_socket_lock(&one, path, &err), &err);
	REQUIRE_OK(ctl_socket_listen(&one, &fd, &err), &err);
	CHECK(!ctl_socket_lock(&two, path, &err));
	CHECK_INT(err.cls, VIEWD_ERR_EXISTS);
	CHECK_CONTAINS(err.msg, "already running");
	CHECK_CONTAINS(err.msg, talloc_asprintf(harness_ctx(), "process %d ", (int)getpid()));
	ctl_socket_close(&two);
	CHECK_INT(ctl_socket_look(&one), CTL_SOCKET_OURS);
	ctl_socket_close(&one);
	close(fd);
}

/* The lock file was removed under a running daemon: its socket must survive. */
static void live_is_never_removed(void)
{
	struct ctl_socket one;
	struct ctl_socket two;
	struct viewd_err err = {0};
	const char *path = socket_path();
	int fd = -1;
	int fd2 = -1;
	REQUIRE_OK(ctl_socket_lock(&one, path, &err), &err);
	REQUIRE_OK(ctl_socket_listen(&one, &fd, &err), &err);
	REQUIRE(unlink(harness_path("s.lock")) == 0);
	REQUIRE_OK(ctl_socket_lock(&two, path, &err), &err);
	CHECK(!ctl_socket_listen(&two, &fd2, &err));
	CHECK_INT(err.cls, VIEWD_ERR_EXISTS);
	CHECK_CONTAINS(err.msg, "somebody answers");
	ctl_socket_close(&two);
	CHECK_INT(ctl_socket_look(&one), CTL_SOCKET_OURS);
	ctl_socket_close(&one);
	close(fd);
}

static void stale_is_replaced(void)
{
	struct ctl_socket sock;
	struct viewd_err err = {0};
	const char *path = socket_path();
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	int dead = socket(AF_UNIX, SOCK_STREAM, 0);
	REQUIRE(bind(dead, (struct sockaddr *)&addr, sizeof(addr)) == 0);
	close(dead);
	int fd = -1;
	REQUIRE_OK(ctl_socket_lock(&sock, path, &err), &err);
	CHECK_OK(ctl_socket_listen(&sock, &fd, &err), &err);
	ctl_socket_close(&sock);
	close(fd);
}

static void other_files_stay(void)
{
	struct ctl_socket sock;
	struct viewd_err err = {0};
	const char *path = harness_file("s", "precious");
	int fd = -1;
	REQUIRE_OK(ctl_socket_lock(&sock, path, &err), &err);
	CHECK(!ctl_socket_listen(&sock, &fd, &err));
	CHECK_CONTAINS(err.msg, "not a socket");
	ctl_socket_close(&sock);
	CHECK_STR(harness_read(path), "precious");
}

static void bad_paths_are_told(void)
{
	struct ctl_socket sock;
	struct viewd_err err = {0};
	char path[200];
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	CHECK(!ctl_socket_lock(&sock, path, &err));
	CHECK_CONTAINS(err.msg, "too long (108 bytes)");
	CHECK_CONTAINS(err.hint, "at most 107");
	CHECK(!ctl_socket_lock(&sock, "relative", &err));
	CHECK_CONTAINS(err.msg, "not an absolute path");
	CHECK(!ctl_socket_lock(&sock, harness_path("no/such/dir"), &err));
	CHECK_CONTAINS(err.msg, "lock file");
	ctl_socket_close(&sock);
}

static void peers_are_known(void)
{
	int fds[2];
	struct peer peer;
	struct viewd_err err = {0};
	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	REQUIRE_OK(peer_of(fds[0], &peer, &err), &err);
	CHECK_INT(peer.uid, getuid());
	CHECK_INT(peer.pid, getpid());
	close(fds[0]);
	close(fds[1]);
	CHECK(!peer_of(-1, &peer, &err));
	CHECK(peer_overflow_uid() != 0);
}

static void rights_follow_the_uid(void)
{
	static const struct {
		uid_t peer, own;
		bool may;
		const char *msg;
	} cases[] = {
		{0, 990, true, ""},
		{0, 0, true, ""},
		{990, 990, true, ""},
		{1000, 990, false, "uid 1000 may only look"},
		{65534, 990, false, "not mapped"},
		{65534, 65534, false, "not mapped"}, /* an unmapped peer is not us, even if we are nobody too */
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct peer peer = {.uid = cases[i].peer, .gid = 0};
		struct viewd_err err = {0};
		CHECK_INT(peer_may_mutate(&peer, cases[i].own, 65534, &err), cases[i].may);
		CHECK_CONTAINS(err.msg, cases[i].msg);
	}
}

static const struct harness_test tests[] = {
	{"the socket is private", is_private},
	{"one daemon holds it", is_held_by_one},
	{"a live socket is never removed", live_is_never_removed},
	{"a stale socket is replaced", stale_is_replaced},
	{"other files stay", other_files_stay},
	{"bad paths are told", bad_paths_are_told},
	{"peers are known", peers_are_known},
	{"rights follow the uid", rights_follow_the_uid},
};
HARNESS_MAIN(SUITE("socket", tests))
