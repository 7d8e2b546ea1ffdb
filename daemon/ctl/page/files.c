/* SPDX-License-Identifier: MIT */
#include "ctl/page/files.h"

#include <string.h>

const struct page_file *page_file(const char *path)
{
	for (const struct page_file *file = page_files; file->path != NULL; file++)
		if (strcmp(file->path, path) == 0)
			return file;
	return NULL;
}
