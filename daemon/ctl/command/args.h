/* SPDX-License-Identifier: MIT
 *
 * args.h: the parameters of one call of a command. The same record is filled from argv (viewctl), from a query string
 * or from a JSON body (the server), and written as query or JSON (viewctl). Pure: no sockets, no files. [any], a record
 * on one thread at a time.
 */
#ifndef VIEWD_CTL_COMMAND_ARGS_H
#define VIEWD_CTL_COMMAND_ARGS_H

#include "base/macros.h"
#include "ctl/command/commands.h"
#include "viewd_dialect.h"

struct args;

/* The longest text a parameter may have, and the most items of a list. */
#define ARGS_TEXT_MAX 512
#define ARGS_ITEMS_MAX 4096

/* Empty parameters for a command; a child of mem_ctx (talloc), freed with it. Never NULL. */
struct args *args_new(void *mem_ctx, const struct command *command);

/* viewctl: argv holds what follows the command's name. `--name VALUE`, `--name=VALUE`, `-nVALUE`, `-n VALUE`, `--`. The
 * first failure wins; err names the argument, its hint the nearest known option. */
bool args_from_argv(struct args *args, int argc, char *const argv[], struct viewd_err *err) MUST_CHECK;

/* Server: `a=b&c=d`, percent-encoded; query may be NULL. Unknown keys, doubled keys but for flags, and bad
 * values are errors. */
bool args_from_query(struct args *args, const char *query, struct viewd_err *err) MUST_CHECK;

/* Server: a JSON object of len bytes; no bytes at all is an empty object. */
bool args_from_json(struct args *args, const char *body, size_t len, struct viewd_err *err) MUST_CHECK;

/* Everything required is there, and a list or `all`. Called by the three above. */
bool args_check(const struct args *args, struct viewd_err *err) MUST_CHECK;

/* The arguments to send: parameters that are not PARAM_ONLY_CLI. Allocated on mem_ctx; the query has no leading `?`,
 * and both may be empty ("" and "{}"). */
char *args_to_query(void *mem_ctx, const struct args *args);
char *args_to_json(void *mem_ctx, const struct args *args);

/* One line for the log: "category_stats shop:x --wait". Allocated on mem_ctx; cut when long. */
char *args_describe(void *mem_ctx, const struct args *args);

/* Values by name; the name must be one of the command's parameters. Texts belong to args. */
bool args_flag(const struct args *args, const char *name);
const char *args_text(const struct args *args, const char *name); /* NULL when not given */
/* COUNTER; SPAN in microseconds; TIME on the wall clock */
int64_t args_number(const struct args *args, const char *name, int64_t fallback);
size_t args_list(const struct args *args, const char *name, const char *const **items_r);

const struct command *args_command(const struct args *args);

/* Does this call need the rights of a MUTATE command? */
bool args_mutates(const struct args *args);

#endif
