/* SPDX-License-Identifier: MIT */
#include "common/text/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

bool number_parse(const char *text, int64_t *n_r)
{
	char *end;
	if (!isdigit((unsigned char)text[text[0] == '-']))
		return false;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0')
		return false;
	*n_r = n;
	return true;
}

int64_t number_or(const char *text, int64_t otherwise)
{
	int64_t n = otherwise;
	return text != NULL && number_parse(text, &n) ? n : otherwise;
}

int64_t number_sum(int64_t a, int64_t b)
{
	int64_t sum;
	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return a < 0 ? INT64_MIN : INT64_MAX;
}

int64_t number_difference(int64_t a, int64_t b)
{
	int64_t difference;
	if (!__builtin_sub_overflow(a, b, &difference))
		return difference;
	return a < 0 ? INT64_MIN : INT64_MAX;
}
