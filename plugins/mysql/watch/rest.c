/* SPDX-License-Identifier: MIT */
#include "mysql/watch/rest.h"

/* A wait that was longer than the rest before it says that there is no stream. */
void rest_after_reading(struct rest *rest, int64_t begin, int64_t now)
{
	bool stream = begin - rest->until <= rest->length;
	int64_t twice = 2 * rest->length < REST_LONG ? 2 * rest->length : REST_LONG;

	rest->length = stream && rest->length > 0 ? twice : REST_SHORT;
	rest->until = now + rest->length;
}

bool rest_is_long(const struct rest *rest)
{
	return rest->length > REST_SHORT;
}

int64_t rest_of_drain(bool shared, int64_t took, int64_t least, int64_t most)
{
	int64_t pause = shared ? took * 9 : 0;

	if (pause < least)
		return least;
	return pause < most ? pause : most;
}
