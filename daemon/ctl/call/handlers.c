/* SPDX-License-Identifier: MIT
 *
 * handlers.c: the handler column of the command rows. Apart from commands.c, so that viewctl does not link the engine.
 */
#include "ctl/call/handlers.h"

static handler_fn *const handler_table[COMMAND_COUNT] = {
#define COMMAND_HANDLER(sym, name, verb, path, access, pace, params, help, handler) [COMMAND_##sym] = handler,
	COMMANDS(COMMAND_HANDLER)
#undef COMMAND_HANDLER
};

handler_fn *handler_for(enum command_id id)
{
	assert(handler_table[id] != NULL);
	return handler_table[id];
}
