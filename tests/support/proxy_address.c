/* SPDX-License-Identifier: MIT
 *
 * proxy_address.c: where the proxy listens and connects to.
 */
#include "proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

union any_address {
	struct sockaddr any;
	struct sockaddr_in tcp;
	struct sockaddr_un local;
};

static bool fill(const struct address *address, union any_address *out, socklen_t *len_r)
{
	memset(out, 0, sizeof *out);
	if (address->path == NULL) {
		out->tcp.sin_family = AF_INET;
		out->tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		out->tcp.sin_port = htons((uint16_t)address->port);
		*len_r = sizeof out->tcp;
		return true;
	}
	out->local.sun_family = AF_UNIX;
	*len_r = sizeof out->local;
	if (strlen(address->path) >= sizeof out->local.sun_path)
		return false;
	memcpy(out->local.sun_path, address->path, strlen(address->path));
	return true;
}

bool address_parse(const char *text, struct address *out)
{
	bool tcp = strncmp(text, "tcp:", 4) == 0;
	if (!tcp && strncmp(text, "unix:", 5) != 0)
		return false;
	*out = (struct address){.path = tcp ? NULL : text + 5, .port = tcp ? atoi(text + 4) : 0};
	return true;
}

int address_listen(struct address *address)
{
	union any_address to;
	socklen_t len;
	int on = 1;
	if (!fill(address, &to, &len))
		return -1;
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (address->path == NULL)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd < 0 || bind(fd, &to.any, len) != 0 || listen(fd, LINKS_MAX) != 0)
		return -1;
	if (address->path == NULL && getsockname(fd, &to.any, &len) == 0)
		address->port = ntohs(to.tcp.sin_port);
	return fd;
}

/* Blocking, so that it is complete; the socket is not. */
int address_connect(const struct address *address)
{
	union any_address to;
	socklen_t len;
	if (!fill(address, &to, &len))
		return -1;
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, &to.any, len) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int accept_one(int listener)
{
	return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

void address_close(const struct address *address, int *listener)
{
	close(*listener);
	*listener = -1;
	if (address->path != NULL)
		unlink(address->path);
}
