/* SPDX-License-Identifier: MIT
 *
 * describe.c: prints what the option tables say, those of the dialects that were built included, for the manual and the
 * sample configuration. Runs at build time only.
 */
#include "conf/schema/describe.h"

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

int main(int argc, char **argv)
{
	struct conf_dialect dialects[DIALECTS_MAX];
	size_t n = 0;
	enum conf_describe_format format =
		argc > 1 && strcmp(argv[1], "man") == 0 ? CONF_DESCRIBE_MAN : CONF_DESCRIBE_SAMPLE;
	if (argc < 2 || (size_t)argc - 2 > DIALECTS_MAX ||
	    (format == CONF_DESCRIBE_SAMPLE && strcmp(argv[1], "sample") != 0)) {
		fputs("usage: describe man|sample PLUGIN...\n", stderr);
		return 2;
	}
	for (int i = 2; i < argc; i++)
		if (!read_dialect(argv[i], &dialects[n++]))
			return 1;
	return conf_describe(stdout, format, dialects, n) == 0 ? 0 : 1;
}
