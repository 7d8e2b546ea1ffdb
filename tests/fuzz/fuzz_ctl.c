/* SPDX-License-Identifier: MIT
 *
 * fuzz_ctl.c: any bytes as the parameters of any control command, as query string and as JSON body; what is accepted
 * must survive being written and read again. The first byte picks the command.
 */
#include "ctl/command/args.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_query(void *mem_ctx, const struct command *command, const char *text)
{
	struct viewd_err err = {0};
	struct args *args = args_new(mem_ctx, command);
	if (!args_from_query(args, text, &err)) {
		require(err.msg[0] != '\0');
		return;
	}
	char *written = args_to_query(mem_ctx, args);
	struct args *again = args_new(mem_ctx, command);
	require(args_from_query(again, written, &err));
	require(strcmp(args_to_query(mem_ctx, again), written) == 0);
	require(strcmp(args_describe(mem_ctx, again), args_describe(mem_ctx, args)) == 0);
	require(args_mutates(again) == args_mutates(args));
}

static void check_json(void *mem_ctx, const struct command *command, const char *data, size_t size)
{
	struct viewd_err err = {0};
	struct args *args = args_new(mem_ctx, command);
	if (!args_from_json(args, data, size, &err)) {
		require(err.msg[0] != '\0');
		return;
	}
	char *written = args_to_json(mem_ctx, args);
	struct args *again = args_new(mem_ctx, command);
	require(args_from_json(again, written, strlen(written), &err));
	require(strcmp(args_to_json(mem_ctx, again), written) == 0);
}

/* Blank-separated words as a command line. */
static void check_argv(void *mem_ctx, const struct command *command, char *text)
{
	struct viewd_err err = {0};
	char *words[64];
	int n = 0;
	char *save = NULL;
	for (char *w = strtok_r(text, " ", &save); w != NULL && n < 64; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	require(args_from_argv(args_new(mem_ctx, command), n, words, &err) || err.msg[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const struct command *command = &commands()[data[0] % COMMAND_COUNT];
	void *mem_ctx = talloc_new(NULL);
	char *text = talloc_strndup(mem_ctx, (const char *)data + 1, size - 1);
	require(text != NULL);
	check_query(mem_ctx, command, text);
	check_json(mem_ctx, command, (const char *)data + 1, size - 1);
	check_argv(mem_ctx, command, text);
	talloc_free(mem_ctx);
	return 0;
}
