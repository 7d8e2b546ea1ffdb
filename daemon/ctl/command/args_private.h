/* SPDX-License-Identifier: MIT
 *
 * args_private.h: struct args, for its readers and writers. [any], a record on one thread at a time.
 */
#ifndef VIEWD_CTL_COMMAND_ARGS_PRIVATE_H
#define VIEWD_CTL_COMMAND_ARGS_PRIVATE_H

#include "ctl/command/args.h"

struct arg_value {
	bool flag;
	const char *text;
	int64_t number;
	const char **items;
	size_t n_items;
};

struct args {
	const struct command *command;
	struct arg_value values[COMMAND_PARAMS_MAX];
};

/* Judges and stores one text for parameter number index. */
bool args_put_text(struct args *args, size_t index, const char *text, struct viewd_err *err) MUST_CHECK;

void args_put_flag(struct args *args, size_t index, bool on);

/* Is text one of `a|b|c`? */
bool args_word_known(const char *words, const char *text);

#endif
