/* SPDX-License-Identifier: MIT
 *
 * scan.h: the first look at the bytes of an INI file, before iniparser sees them. [any], a load on one thread.
 *
 * iniparser 4.1 loses data silently in many ways (values cut at ';' or '#' or behind a quote, duplicates merged, lines
 * joined). The scan finds every such place and reports it with line and column; what it yields otherwise is what
 * iniparser will read, plus the lines, which iniparser forgets.
 *
 * The language accepted:
 *   [section name]            alone on its line; words of a-z 0-9 _ . - separated by one blank (upper case is folded)
 *   key = value               value runs to the end of the line or to a ';' or '#' that follows a blank (a comment)
 *   key = "value"             or 'value': kept as it is; holds neither that quote nor a backslash
 *   ; comment   # comment
 * Lines of at most 1022 bytes, UTF-8, LF or CRLF; no continuation lines.
 */
#ifndef VIEWD_CONF_READ_SCAN_H
#define VIEWD_CONF_READ_SCAN_H

#include "conf/read/arena.h"
#include "conf/read/report.h"

#define SCAN_LINE_MAX 1022 /* iniparser's buffer (ASCIILINESZ) less newline and NUL */
#define SCAN_NAME_MAX 64
#define SCAN_KEYS_MAX 512 /* keys in a section */

struct scan_entry {
	const char *key;   /* lower case */
	const char *value; /* without quotes */
	uint32_t line;
	uint32_t column;         /* of the value */
	uint32_t comment_column; /* of the ';' or '#' that ends an unquoted value; 0: none */
	bool quoted;
};

struct scan_section {
	const char *name; /* lower case */
	uint32_t line;
	uint32_t first; /* index of the first entry */
	uint32_t n;
	size_t offset; /* of the header line, in bytes */
};

struct scan {
	struct scan_section *sections;
	size_t n_sections;
	struct scan_entry *entries;
	size_t n_entries;
};

/* Scans bytes; text goes to arena, the arrays are talloc'ed on mem_ctx. Problems go to report under the number file.
 * Returns true when there were none; *out_r is filled either way with what could be understood. */
bool scan_bytes(void *mem_ctx, struct arena *arena, struct report *report, unsigned file, const char *bytes, size_t len,
                struct scan *out_r);

#endif
