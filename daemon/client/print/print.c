/* SPDX-License-Identifier: MIT
 *
 * print.c: the table of printers, one a command.
 */
#include "client/print/print.h"

#include "base/clock.h"
#include "client/print/text.h"

#include <string.h>
#include <talloc.h>

struct screen *screen_new(void *mem_ctx, FILE *out, const struct look *look)
{
	struct screen *screen = talloc_zero(mem_ctx, struct screen);
	const struct clock *clk = clock_system();
	assert(screen != NULL);
	*screen = (struct screen){.out = out, .look = *look, .now_us = clk->wall(clk)};
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
	look_put_clean(screen->out, look_wrap(screen, value, KEY_WIDTH + 3, KEY_WIDTH + 3, screen->look.width));
	fputc('\n', screen->out);
}

void print_pair_time(struct screen *screen, const char *key, const json_t *object, const char *member)
{
	print_pair(screen, key, text_time(screen, object, member, screen->look.utc));
}

void print_text(struct screen *screen, const char *text)
{
	for (size_t len; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		char *line = talloc_strndup(screen, text, len);
		look_put_clean(screen->out, look_wrap(screen, line, 0, strspn(line, " ") + 2, screen->look.width));
		fputc('\n', screen->out);
	}
}
