/* SPDX-License-Identifier: MIT
 *
 * print.c: the table of printers, one a command.
 */
#include "client/print/print.h"

#include "base/clock.h"
#include "client/print/table.h"

#include <talloc.h>

struct screen *screen_new(void *mem_ctx, FILE *out, bool colours)
{
	struct screen *screen = talloc_zero(mem_ctx, struct screen);
	const struct clock *clk = clock_system();
	assert(screen != NULL);
	*screen = (struct screen){.out = out, .colours = colours, .now_us = clk->wall(clk)};
	return screen;
}

print_fn *print_for(enum command_id id)
{
	static print_fn *const printers[COMMAND_COUNT] = {
		[COMMAND_STATUS] = print_status,   [COMMAND_SHOW] = print_show,           [COMMAND_WHY] = print_why,
		[COMMAND_HISTORY] = print_history, [COMMAND_GRAPH] = print_graph,         [COMMAND_INFO] = print_info,
		[COMMAND_PLAN] = print_plan,       [COMMAND_RENDER] = print_render,       [COMMAND_REFRESH] = print_refresh,
		[COMMAND_ADOPT] = print_changes,   [COMMAND_CREATE] = print_changes,      [COMMAND_DROP] = print_changes,
		[COMMAND_VERIFY] = print_verify,   [COMMAND_PAUSE] = print_accepted,      [COMMAND_RESUME] = print_accepted,
		[COMMAND_CANCEL] = print_cancel,   [COMMAND_RELOAD] = print_reload,       [COMMAND_WAIT] = print_wait,
		[COMMAND_EXPLAIN] = print_explain, [COMMAND_UNINSTALL] = print_uninstall, [COMMAND_LIST] = print_list,
		[COMMAND_DOCTOR] = print_doctor,
	};
	return printers[id];
}

#define KEY_WIDTH 20

void print_pair(struct screen *screen, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	fprintf(screen->out, "  %-*s ", KEY_WIDTH, key);
	table_put_clean(screen->out, value);
	fputc('\n', screen->out);
}
