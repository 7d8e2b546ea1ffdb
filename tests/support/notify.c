/* SPDX-License-Identifier: MIT
 *
 * notify.c: stands in for systemd in system tests. Usage: notify SOCKET FILE
 *
 * Binds the datagram socket that NOTIFY_SOCKET will name and appends every message to FILE, one assignment a line,
 * until it is killed. Each message is followed by an empty line, so that tests can see what came together.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "notify: %s (%s)\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	if (argc != 3 || strlen(argv[1]) >= sizeof addr.sun_path) {
		fprintf(stderr, "usage: %s SOCKET FILE\n", argv[0]);
		return 2;
	}
	memcpy(addr.sun_path, argv[1], strlen(argv[1]));
	int out = open(argv[2], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (out < 0)
		die("cannot open the file");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof addr) < 0)
		die("cannot bind the socket");
	char msg[4096];
	for (;;) {
		ssize_t n = recv(fd, msg, sizeof msg - 2, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("cannot receive");
		msg[n] = '\n';
		msg[n + 1] = '\n';
		if (write(out, msg, (size_t)n + 2) < 0)
			die("cannot write");
	}
}
