/* SPDX-License-Identifier: MIT */
#include "base/address.h"

#include "base/err.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 64

static bool refuse(const char *text, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "'%.100s' is not an address with a port", text);
	return err_hint(err, "write for example 127.0.0.1:7432 or [::1]:7432");
}

/* 1 to 65535 in decimal digits; 0: neither. */
static unsigned port_of(const char *text)
{
	unsigned port = 0;
	size_t len = strlen(text);
	if (len == 0 || len > 5 || strspn(text, "0123456789") != len || text[0] == '0')
		return 0;
	for (; *text != '\0'; text++)
		port = port * 10 + (unsigned)(*text - '0');
	return port <= UINT16_MAX ? port : 0;
}

bool address_parse(const char *text, struct sockaddr_storage *addr_r, socklen_t *len_r, struct viewd_err *err)
{
	char host[INET6_ADDRSTRLEN] = "";
	const char *colon = strrchr(text, ':');
	bool six = text[0] == '[';
	size_t len = colon != NULL ? (size_t)(colon - text) : 0;
	unsigned port = colon != NULL ? port_of(colon + 1) : 0;
	if (port == 0 || len < 2 || len - (six ? 2 : 0) >= sizeof host || (six && text[len - 1] != ']'))
		return refuse(text, err);
	memcpy(host, text + six, len - (six ? 2 : 0));
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	if (inet_pton(six ? AF_INET6 : AF_INET, host, six ? (void *)&in6.sin6_addr : (void *)&in4.sin_addr) != 1)
		return refuse(text, err);
	memset(addr_r, 0, sizeof *addr_r);
	*len_r = six ? sizeof in6 : sizeof in4;
	memcpy(addr_r, six ? (const void *)&in6 : (const void *)&in4, *len_r);
	return true;
}

bool address_is_loopback(const char *text)
{
	struct sockaddr_storage addr;
	socklen_t len;
	struct viewd_err err;
	if (!address_parse(text, &addr, &len, &err))
		return false;
	if (addr.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)&addr)->sin6_addr);
	return ntohl(((const struct sockaddr_in *)(const void *)&addr)->sin_addr.s_addr) >> 24 == 127;
}

int address_listen(const char *text, struct viewd_err *err)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int on = 1;
	if (!address_parse(text, &addr, &len, err))
		return -1;
	int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* what is left of old connections must not keep the port from its daemon */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    bind(fd, (const struct sockaddr *)&addr, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	err_sys(err, errno == EADDRINUSE ? VIEWD_ERR_EXISTS : VIEWD_ERR_CONFIG, errno, "nobody can listen on %s", text);
	if (fd >= 0)
		close(fd);
	return -1;
}
