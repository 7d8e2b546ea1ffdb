/* SPDX-License-Identifier: MIT
 *
 * print_json.c: JSON. The library writes DEL and the control characters U+0080 to U+009F as they are; only strings can
 * hold them, so they can be spelled there.
 */
#include "base/macros.h"
#include "base/utf8.h"
#include "client/print/print.h"

#include <stdlib.h>

void print_json_text(FILE *out, const char *text)
{
	const char *run = text; /* not written yet */
	while (*text != '\0') {
		const char *from = text;
		int32_t c = utf8_next(&text);
		text += c < 0;
		if (c < 0x20 || !utf8_is_control(c))
			continue;
		fwrite(run, 1, (size_t)(from - run), out);
		fprintf(out, "\\u%04x", (unsigned)c);
		run = text;
	}
	fwrite(run, 1, (size_t)(text - run), out);
	fputc('\n', out);
}

void print_json(FILE *out, const json_t *body)
{
	char *text = json_dumps(body, JSON_INDENT(2));
	assert(text != NULL);
	print_json_text(out, text);
	free(text);
}
