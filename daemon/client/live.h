/* SPDX-License-Identifier: MIT
 *
 * live.h: lines of a terminal that change in place. viewctl has one thread.
 */
#ifndef VIEWD_CLIENT_LIVE_H
#define VIEWD_CLIENT_LIVE_H

#include "client/client.h"

/* ---- frames ------------------------------------------------------------------------------------------------------ */

/* A text that takes the place of the one before. */
struct frame;

/* A child of mem_ctx (talloc). Where out is no terminal, frames follow each other. */
struct frame *frame_new(void *mem_ctx, FILE *out);

/* Where to print the next frame to; its owner is the frame. Without frame_show it is forgotten with the frame. */
FILE *frame_begin(struct frame *frame);

/* Shows what has been printed since: written at once and over the old lines, so that nothing flickers, and not at all
 * if nothing differs. Lines that the terminal has no room for are counted. */
void frame_show(struct frame *frame);

/* ---- the bar ----------------------------------------------------------------------------------------------------- */

/* How far the refreshes have come that a call waits for. */
struct bar;

/* NULL: nobody looks (no terminal, JSON), or the command waits for no refresh. A child of mem_ctx (talloc). */
struct bar *bar_new(void *mem_ctx, const struct client *client, const struct args *args);

/* Asks the daemon and draws; does nothing when the last look is not long ago. */
void bar_tick(void *bar);

/* Wipes the bar. */
void bar_end(struct bar *bar);

#endif
