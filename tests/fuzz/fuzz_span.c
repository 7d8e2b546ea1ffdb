/* SPDX-License-Identifier: MIT
 *
 * fuzz_span.c: any text as a duration or size; what parses must survive being written and read again.
 */
#include "base/span.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_span(const char *text)
{
	struct viewd_err err = {0};
	char buf[64], human[32];
	int64_t us = -1, again = -1;
	if (!span_parse(text, &us, &err)) {
		require(us == -1 && err.msg[0] != '\0' && err.hint[0] != '\0');
		return;
	}
	require(us >= 0 && span_parse(span_format(us, buf, sizeof buf), &again, &err) && again == us);
	require(strlen(span_human(us, human, sizeof human)) < sizeof human);
}

static void check_size(const char *text)
{
	struct viewd_err err = {0};
	char buf[64];
	int64_t bytes = -1, again = -1;
	if (!size_parse(text, &bytes, &err)) {
		require(bytes == -1 && err.msg[0] != '\0');
		return;
	}
	require(bytes >= 0 && size_parse(size_format(bytes, buf, sizeof buf), &again, &err) && again == bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	require(text != NULL);
	check_span(text);
	check_size(text);
	free(text);
	return 0;
}
