/* SPDX-License-Identifier: MIT
 *
 * iniload.c: loads each file with iniparser and does nothing with it: the least that reading a configuration can cost.
 */
#include <iniparser/iniparser.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		dictionary *d = iniparser_load(argv[i]);
		if (d == NULL) {
			fprintf(stderr, "iniload: %s cannot be loaded\n", argv[i]);
			return 1;
		}
		iniparser_freedict(d);
	}
	return 0;
}
