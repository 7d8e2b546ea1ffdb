/* SPDX-License-Identifier: MIT
 *
 * kept.h: what the tests of incremental refreshes share.
 */
#ifndef VIEWD_TESTS_CONTRACT_KEPT_H
#define VIEWD_TESTS_CONTRACT_KEPT_H

#include "contract/contract.h"

struct viewd_view_spec kept_view(const char *name, const char *definition);

/* An empty database and a dialect that can; else the test is skipped. */
void kept_begin(struct contract *c);

/* Makes the view and refreshes it once, so that from now on changes are known. */
void kept_make(struct contract *c, const struct viewd_view_spec *view);

/* A refresh by what has changed, after which the relation is what the definition yields. */
void kept_keeps(struct contract *c, const struct viewd_view_spec *view);

/* As kept_keeps; the refresh also writes this number of rows, a changed row being two or one. The next refresh writes
 * none. */
void kept_keeps_by(struct contract *c, const struct viewd_view_spec *view, int64_t written);

/* A refresh of all rows. */
void kept_takes_all(struct contract *c, const struct viewd_view_spec *view);

/* Two tables of a few rows: owners and what they have. */
void kept_owners(void);

#endif
