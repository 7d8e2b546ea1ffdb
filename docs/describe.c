/* SPDX-License-Identifier: MIT
 *
 * describe.c: prints what the tables say of options, those of the dialects that were built included, and of the fields
 * of status, for the manual, the sample configuration and the JSON schemas. Runs at build time only.
 */
#include "conf/schema/describe.h"
#include "ctl/answer/json_schema.h"

#include <dlfcn.h>
#include <string.h>

#define DIALECTS_MAX 16

static bool read_dialect(const char *path, struct conf_dialect *out)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct viewd_dialect *d = handle != NULL ? dlsym(handle, "viewd_dialect") : NULL;
	if (d == NULL) {
		fprintf(stderr, "%s cannot be described (%s)\n", path, dlerror());
		return false;
	}
	*out = (struct conf_dialect){.name = d->name,
	                             .schemes = d->schemes,
	                             .url_form = d->url_form,
	                             .options = d->options,
	                             .n_options = d->n_options};
	return true;
}

/* The tables of options, with what the plugins add. */
static int describe_options(enum conf_describe_format format, char *const *plugins, size_t n)
{
	struct conf_dialect dialects[DIALECTS_MAX];
	if (n > DIALECTS_MAX)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!read_dialect(plugins[i], &dialects[i]))
			return -1;
	return conf_describe(stdout, format, dialects, n);
}

int main(int argc, char **argv)
{
	static const char *const formats[] = {
		[CONF_DESCRIBE_MAN] = "man", [CONF_DESCRIBE_SAMPLE] = "sample", [CONF_DESCRIBE_SCHEMA] = "schema"};
	const char *what = argc > 1 ? argv[1] : "";
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (strcmp(what, formats[i]) == 0)
			return describe_options((enum conf_describe_format)i, argv + 2, (size_t)argc - 2) == 0 ? 0 : 1;
	if (strcmp(what, "status-man") == 0)
		return json_schema_status_man(stdout) == 0 ? 0 : 1;
	if (strcmp(what, "status-schema") == 0)
		return json_schema_status(stdout) == 0 ? 0 : 1;
	fputs("usage: describe man|sample|schema PLUGIN..., describe status-man|status-schema\n", stderr);
	return 2;
}
