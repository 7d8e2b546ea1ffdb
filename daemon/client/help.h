/* SPDX-License-Identifier: MIT
 *
 * help.h: everything viewctl says about itself, from the command rows. viewctl has one thread.
 */
#ifndef VIEWD_CLIENT_HELP_H
#define VIEWD_CLIENT_HELP_H

#include "ctl/command/commands.h"

#include <stdio.h>

/* The list of commands and the options that every command takes. */
void help_overview(FILE *out);

/* One command: synopsis, text, options. */
void help_command(FILE *out, const struct command *command);

/* "viewctl status [VIEW...] [--watch] ...". */
void help_synopsis(FILE *out, const struct command *command);

/* The COMMANDS part of viewctl(1), troff with man macros. */
void help_man(FILE *out);

/* "NAME OPTION..." a line, for shell completion. */
void help_words(FILE *out);

#endif
