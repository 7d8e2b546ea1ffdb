/* SPDX-License-Identifier: MIT
 *
 * replay.c: runs a fuzz target over its seeds, so that every compiler and every `make check` sees them.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *dir, const char *name)
{
	static uint8_t data[1024 * 1024];
	char path[4400];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *in = fopen(path, "rb");
	if (in == NULL)
		return 1;
	size_t n = fread(data, 1, sizeof data, in);
	fclose(in);
	/* a copy of its own size: reading behind the end is then seen */
	uint8_t *copy = malloc(n + (n == 0));
	if (copy == NULL)
		return 1;
	memcpy(copy, data, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
	printf("ok - %s\n", name);
	return 0;
}

int main(void)
{
	char dir[4096];
	const char *src = getenv("VIEWD_SRC");
	snprintf(dir, sizeof dir, "%s/tests/fuzz/seeds/" FUZZ_SEEDS, src != NULL ? src : ".");
	DIR *seeds = opendir(dir);
	if (seeds == NULL) {
		perror(dir);
		return 1;
	}
	int n = 0, failed = 0;
	for (const struct dirent *entry = readdir(seeds); entry != NULL; entry = readdir(seeds))
		if (entry->d_name[0] != '.') {
			n++;
			failed += replay(dir, entry->d_name);
		}
	closedir(seeds);
	printf("1..%d\n", n);
	return n == 0 || failed > 0;
}
