/* SPDX-License-Identifier: MIT
 *
 * fake.h: a dialect whose databases are in memory and whose behaviour is scripted. Built as viewd_fake.so, and linked
 * into unit tests with VIEWD_DIALECT_STATIC=fake.
 *
 * fake://SERVER?... names a server; all connections of a process to the same name see the same objects. A definition is
 * `SELECT ... FROM a, b`. Names that begin with t_ are tables that are always there; everything else must exist before
 * it can be read.
 *
 * A script is made of commands, given to fake_do(), as parameters of the URL (`fail=refresh:a:conflict:2`), or one a
 * line appended to the file that the URL parameter `control` names:
 *   fail OP OBJECT CLASS [TIMES [SKIP]]  that call fails, TIMES times (default 1, -1 always) after SKIP good ones
 *   delay OP OBJECT SPAN                 that call takes so long
 *   block OP OBJECT                      that call waits for a release or a cancel
 *   hang OP OBJECT                       that call waits for a release and ignores cancels
 *   release OP OBJECT                    ends waiting, and forgets block, hang, delay and fail for it
 *   down CLASS | up                      the server breaks all connections and refuses new ones with CLASS | is back
 *   sever                                breaks all connections once, but for the watch
 *   readonly | writable                  prepare, apply and refresh fail with class standby
 *   make OBJECT KIND                     somebody else creates a view, matview or table (replacing what is there)
 *   remove OBJECT | touch OBJECT         somebody else drops it | changes its definition
 *   change TABLE                         a row is added to a t_ table
 *   stir TABLE                           somebody writes it, and nothing comes of that
 *   redefine TABLE                       it is something else now: marks, and its readers are told to look anew
 *   storm TABLE N                        somebody writes it N times, and the watch tells of each time
 *   request VIEW                         an application asks for a refresh in SQL
 *   lead OBJECT                          another daemon refreshes it
 *   rewind                               everything is as long ago: objects are a day older, marks begin anew, every
 *   view is stale
 *   deaf | hearing                       changes leave marks as ever, but no hint wakes the watch | hints come again
 *   behind | abreast                     looks of the watch do not come to their end and tell nothing | they do
 *   unwatch                              the connection of the watch breaks, no other
 *   rival | norival                      another daemon holds the lock | lets go of it
 *   calm                                 ends all of that: nothing waits or fails any more, nobody else leads
 *   report FILE                          writes "OP COUNT" lines: calls so far; and "bytes N": memory of its objects
 * A group refresh is one call of refresh_group with the names of all members ("a b"), then one of refresh for each of
 * them. OP is the name of a dialect function, or `*`; OBJECT a relation (a database's name for prepare, open, alive),
 * or `*`.
 */
#ifndef VIEWD_TESTS_PLUGINS_FAKE_H
#define VIEWD_TESTS_PLUGINS_FAKE_H

#include "base/macros.h"
#include "viewd_dialect.h"

extern const struct viewd_dialect viewd_dialect_fake;

/* Runs one command; a wrong one ends the process. [any thread] */
void fake_do(const char *server, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Calls so far; op or object NULL: any. [any thread] */
size_t fake_calls(const char *server, const char *op, const char *object);

/* The objects of all calls of op so far, in the order they began: "a b a". On mem_ctx. Only the first few thousand are
 * kept. */
char *fake_trace(void *mem_ctx, const char *server, const char *op);

/* Refreshes under way, and the most there ever were at once. */
size_t fake_running(const char *server);
size_t fake_most_running(const char *server);

/* Calls that wait in block, hang or delay. */
size_t fake_waiting(const char *server);

size_t fake_connections(const char *server);
size_t fake_watches(const char *server);

/* Views whose marks say that a source changed since their last refresh. */
size_t fake_stale(const char *server);

/* The sources a view is registered for: "t_a t_b"; "-" when it is not. On mem_ctx. */
char *fake_captured_sources(void *mem_ctx, const char *server, const char *view);
enum viewd_kind fake_kind(const char *server, const char *object);

/* Inspections of it that were asked to compare the types of its columns. */
size_t fake_compared(const char *server, const char *object);

/* Rows of a filled object; -1 when it does not exist or is not populated. */
int64_t fake_rows(const char *server, const char *object);

/* Contract breaches by the caller: two calls on one connection at once, close beside cancel, use after close. */
size_t fake_violations(void);

/* The time that the servers tell; 0: the host's clock. */
void fake_set_now(int64_t wall_us);

/* Forgets all servers; those with connections stay for these alone. */
void fake_reset(void);

#endif
