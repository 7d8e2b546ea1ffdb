/* SPDX-License-Identifier: MIT
 *
 * contract.h: what every dialect must do, tested on a real database through the plugin's exported struct alone.
 *
 * One program runs on all engines. The environment says on what:
 *   VIEWD_CONTRACT_PLUGIN  path of viewd_X.so
 *   VIEWD_CONTRACT_URL     database URL for the plugin
 *   VIEWD_CONTRACT_SQL     shell command: reads SQL statements on stdin, prints rows unaligned (columns separated by
 *                          '|', NULL empty, no headers), writes each answer at once, fails on the first error
 *   VIEWD_CONTRACT_RESET   shell command: makes the database empty; runs before each test
 *   VIEWD_CONTRACT_QUOTE   identifier quote of the engine: " or `
 *   VIEWD_CONTRACT_LACKS   words for what this server cannot do though the dialect can: groups, incremental
 *   VIEWD_CONTRACT_STATE   what the names of viewd's own tables begin with: viewd_ (the default) or viewd. when they
 *                          are in a schema
 *   VIEWD_CONTRACT_LOCK    statements that begin a transaction and lock the table `held` and whatever a refresh of it
 *                          must write; they are given to VIEWD_CONTRACT_SQL, which is then left waiting
 *   VIEWD_CONTRACT_ALIKE   type of a text column for which upper and lower case, e and an accented e are equal, or as
 *                          near as the engine has
 * capture.c names some more. A script a dialect (tests/contract/DIALECT.sh) starts the server and sets these. Without
 * them all tests are skipped.
 */
#ifndef VIEWD_TESTS_CONTRACT_H
#define VIEWD_TESTS_CONTRACT_H

#include "support/harness.h"

/* The plugin under test, and one prepared connection to the freshly emptied database. Opened by contract_begin, closed
 * by contract_end. */
struct contract {
	const struct viewd_dialect *dialect;
	struct viewd_conn *conn;
	struct viewd_host host;
	struct viewd_database_spec db;
	struct viewd_err err;
	struct viewd_found found;
	struct viewd_outcome outcome;
	struct viewd_verdict verdict;
};

/* Empties the database, opens a connection, prepares it. Skips the test when nothing is configured. */
void contract_begin(struct contract *c);
void contract_end(struct contract *c);
/* Closes and opens the connection. */
void contract_reconnect(struct contract *c);

/* Another connection to the same database. */
struct viewd_conn *contract_open(struct contract *c);

/* Runs SQL with the engine's own client and returns what it printed, without the last newline. The test ends when it
 * fails. */
const char *contract_sql(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Does the engine's own client take this statement? */
bool contract_takes(const char *sql);
/* The name of one of viewd's own tables. */
const char *contract_state(const char *table);
/* Skips the rest of the test when the dialect notices no changes. */
void contract_need_capture(const struct contract *c);
/* Skips the rest of the test when VIEWD_CONTRACT_LACKS has this word. */
void contract_need(const char *word);
/* One identifier quoted by the engine's rule. */
const char *contract_quote(const char *name);
bool contract_has(const struct contract *c, uint64_t cap);

/* A view with every default; the caller changes what it wants. */
struct viewd_view_spec contract_view(const char *name, enum viewd_method method, const char *definition);

/* One call each, on c->conn; results go into c. */
bool contract_inspect(struct contract *c, const struct viewd_view_spec *view);
bool contract_apply(struct contract *c, const struct viewd_view_spec *view, enum viewd_change change);
bool contract_refresh(struct contract *c, const struct viewd_view_spec *view);
bool contract_verify(struct contract *c, const struct viewd_view_spec *view);

#define APPLY(c, view, change) REQUIRE_OK(contract_apply((c), (view), (change)), &(c)->err)
#define REFRESH(c, view) REQUIRE_OK(contract_refresh((c), (view)), &(c)->err)
#define INSPECT(c, view) REQUIRE_OK(contract_inspect((c), (view)), &(c)->err)
/* The stored rows are what the definition yields. */
#define VERIFY_EQUAL(c, view) \
	do { \
		REQUIRE_OK(contract_verify((c), (view)), &(c)->err); \
		CHECK_INT((c)->verdict.missing, 0); \
		CHECK_INT((c)->verdict.unexpected, 0); \
	} while (0)
/* The call failed with this class. */
#define CHECK_REFUSED(call, c, wanted_class) \
	do { \
		(c)->err = (struct viewd_err){0}; \
		CHECK(!(call)); \
		CHECK_STR(err_class_word((c)->err.cls), err_class_word(wanted_class)); \
	} while (0)

/* The table `products` of ten rows that many tests use, and the view over it. */
void contract_products(void);
extern const char contract_stats_definition[];

/* A client of the engine that stays open, holding the locks of VIEWD_CONTRACT_LOCK. */
struct contract_holder;
struct contract_holder *contract_hold(void);
void contract_release(struct contract_holder **holder);

/* Cancels conn's statement from another thread once it has run for a while; join returns when that has happened. */
struct contract_canceller;
struct contract_canceller *contract_cancel_soon(struct contract *c);
void contract_cancel_join(struct contract_canceller **canceller);

/* Runs fn(ctx) on a thread of its own, as the daemon would, and waits for its end, but no longer than patience_us. join
 * waits for ever. */
struct contract_beside;
struct contract_beside *contract_beside(struct contract *c, void (*fn)(void *ctx), void *ctx, int64_t patience_us);
void contract_beside_join(struct contract_beside **beside);

/* The suites. */
extern const struct harness_suite contract_objects, contract_replace, contract_refreshes, contract_diffs,
	contract_safety, contract_limits, contract_capture, contract_depends, contract_groups, contract_rows,
	contract_columns, contract_words, contract_explains, contract_incremental, contract_logs, contract_learnt,
	contract_handed, contract_auto;

#endif
