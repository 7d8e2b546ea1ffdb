/* SPDX-License-Identifier: MIT
 *
 * describe.c: prints what the option tables say, for the manual and the sample configuration. Runs at build time only.
 */
#include "conf/schema/describe.h"

#include <string.h>

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "man") == 0)
		return conf_describe(stdout, CONF_DESCRIBE_MAN) == 0 ? 0 : 1;
	if (argc == 2 && strcmp(argv[1], "sample") == 0)
		return conf_describe(stdout, CONF_DESCRIBE_SAMPLE) == 0 ? 0 : 1;
	fputs("usage: describe man|sample\n", stderr);
	return 2;
}
