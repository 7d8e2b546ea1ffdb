/* SPDX-License-Identifier: MIT
 *
 * tag.c: reading and writing table comments.
 */
#include "mysql/objects/tag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define UID_LEN 32

bool tag_parse(const char *comment, struct tag *out)
{
	struct tag tag = {.rows = -1};
	size_t prefix = strlen(TAG_PREFIX);

	if (strncmp(comment, TAG_PREFIX, prefix) != 0)
		return false;
	comment += prefix;
	if (strspn(comment, "0123456789abcdef") != UID_LEN)
		return false;
	memcpy(tag.uid, comment, UID_LEN);
	comment += UID_LEN;
	if (comment[0] != '\0' && sscanf(comment, " ts=%" SCNd64 " rows=%" SCNd64 " us=%" SCNd64, &tag.data_timestamp_us,
	                                 &tag.rows, &tag.duration_us) != 3)
		return false;
	*out = tag;
	return true;
}

char *tag_format(const struct tag *tag, char buf[static TAG_TEXT_MAX])
{
	snprintf(buf, TAG_TEXT_MAX, TAG_PREFIX "%s ts=%" PRId64 " rows=%" PRId64 " us=%" PRId64, tag->uid,
	         tag->data_timestamp_us, tag->rows, tag->duration_us);
	return buf;
}
