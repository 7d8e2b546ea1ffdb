/* SPDX-License-Identifier: MIT
 *
 * sqlclient.c: what the engines' clients share.
 */
#include "support/sqlclient.h"

#include <string.h>

void sqlclient_append(char *text, size_t size, const char *more, char separator)
{
	size_t used = strlen(text);
	size_t n = strlen(more);
	if (used + n + 2 > size)
		return;
	memcpy(text + used, more, n);
	text[used + n] = separator;
	text[used + n + 1] = '\0';
}
