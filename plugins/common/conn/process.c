/* SPDX-License-Identifier: MIT */
#include "common/conn/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#include "base/err.h"

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

char *process_holder(void *mem_ctx, const char *section)
{
	char *name = process_name(NULL), *holder = talloc_asprintf(mem_ctx, "%s %s", name, section);
	talloc_free(name);
	return holder;
}

/* The section, when the holder is this very process. */
static const char *own_section(const char *holder)
{
	char *name = process_name(NULL);
	size_t len = strlen(name);
	bool own = strncmp(holder, name, len) == 0 && holder[len] == ' ';
	talloc_free(name);
	return own ? holder + len + 1 : NULL;
}

bool process_refuse(const char *holder, const char *how, struct viewd_err *err)
{
	const char *section = holder != NULL && holder[0] != '\0' ? own_section(holder) : NULL;
	if (section != NULL) {
		err_set(err, VIEWD_ERR_STANDBY, "section [database %s] of this same daemon keeps the same database (%s)",
		        section, how);
		return err_hint(err, "give the views of both sections to [database %s]: one database has one section", section);
	}
	err_set(err, VIEWD_ERR_STANDBY, "%s keeps this database (%s)",
	        holder != NULL && holder[0] != '\0' ? "another viewd" : "another viewd or section", how);
	return err_hint(err, "this one takes over when the other one ends");
}
