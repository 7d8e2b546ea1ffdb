/* SPDX-License-Identifier: MIT */
#include "ctl/serve/host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 255

/* Only a port, or nothing at all? */
static bool is_port(const char *text)
{
	return text[0] == '\0' || (text[0] == ':' && strspn(text + 1, "0123456789") == strlen(text + 1));
}

static bool is_address(const char *host)
{
	struct in6_addr addr;
	const char *end = strchr(host, ']');
	char six[INET6_ADDRSTRLEN] = "";
	if (host[0] != '[')
		return inet_pton(AF_INET, host, &addr) == 1;
	if (end == NULL || !is_port(end + 1) || (size_t)(end - host) > sizeof six)
		return false;
	memcpy(six, host + 1, (size_t)(end - host) - 1);
	return inet_pton(AF_INET6, six, &addr) == 1;
}

bool host_is_ours(const char *host, const struct conf_list *names)
{
	char name[NAME_MAX_LEN + 1] = "";
	if (host[0] == '[')
		return is_address(host);
	size_t len = strcspn(host, ":");
	if (len > NAME_MAX_LEN || !is_port(host + len))
		return false;
	memcpy(name, host, len);
	if (len > 1 && name[len - 1] == '.')
		name[len - 1] = '\0';
	if (is_address(name) || strcasecmp(name, "localhost") == 0)
		return true;
	for (size_t i = 0; i < names->n; i++)
		if (strcasecmp(name, names->items[i]) == 0)
			return true;
	return false;
}
