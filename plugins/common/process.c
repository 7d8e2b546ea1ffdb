/* SPDX-License-Identifier: MIT */
#include "common/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

static void read_line(const char *path, char *out, size_t size)
{
	FILE *in = fopen(path, "re");
	if (in == NULL || fgets(out, (int)size, in) == NULL)
		out[0] = '\0';
	if (in != NULL)
		fclose(in);
	out[strcspn(out, "\n")] = '\0';
}

/* The start is field 22 of proc(5) stat, counted after the ')'. */
char *process_name(void *mem_ctx)
{
	char boot[64] = "", stat[1024] = "", *p;
	read_line("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
	read_line("/proc/self/stat", stat, sizeof stat);
	p = strrchr(stat, ')');
	for (int field = 2; p != NULL && field < 22; field++)
		p = strchr(p + 1, ' ');
	return talloc_asprintf(mem_ctx, "%s:%ld:%ld", boot, (long)getpid(), p != NULL ? strtol(p, NULL, 10) : 0L);
}
