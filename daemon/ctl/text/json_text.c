/* SPDX-License-Identifier: MIT
 *
 * json_text.c: strings that JSON can carry. Apart from json.c, because viewctl needs no more than this.
 */
#include "ctl/text/json_text.h"

#include "base/clock.h"
#include "base/macros.h"

#include <stdlib.h>
#include <string.h>

bool json_text_valid(const char *text)
{
	json_t *probe = json_string(text);
	json_decref(probe);
	return probe != NULL;
}

json_t *json_text(const char *text)
{
	if (text == NULL)
		return json_null();
	json_t *out = json_string(text);
	if (out != NULL)
		return out;
	char *copy = strdup(text);
	assert(copy != NULL);
	for (char *p = copy; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	out = json_string(copy);
	free(copy);
	assert(out != NULL);
	return out;
}

json_t *json_time(int64_t wall_us)
{
	char buf[32];
	return wall_us == 0 ? json_null() : json_text(clock_format(wall_us, buf, sizeof buf));
}
