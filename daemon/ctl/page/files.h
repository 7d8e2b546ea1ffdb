/* SPDX-License-Identifier: MIT
 *
 * files.h: the files of the page, compiled in. [any]
 */
#ifndef VIEWD_CTL_PAGE_FILES_H
#define VIEWD_CTL_PAGE_FILES_H

#include <stddef.h>

struct page_file {
	const char *path; /* "/viewd.css" */
	const char *content_type;
	const unsigned char *data;
	size_t len;
};

/* All of them, up to a path of NULL; made by tools/embed.sh when viewd is built. */
extern const struct page_file page_files[];

/* NULL: there is none at that path. */
const struct page_file *page_file(const char *path);

#endif
