/* SPDX-License-Identifier: MIT
 *
 * analysis_facts.h: what tests of the analysis tell it of a database: the tables of TPC-H, and some small ones for
 * single rules.
 */
#ifndef VIEWD_TESTS_UNIT_PLUGINS_ANALYSIS_FACTS_H
#define VIEWD_TESTS_UNIT_PLUGINS_ANALYSIS_FACTS_H

#include "common/analysis/facts.h"

/* TPC-H with 150,000 orders. */
extern const struct facts tpch_facts;

/* r1(id, a, g, x), r2(id, a, b), r3(id, b, h) as whole numbers that may be NULL, and a few tables of other kinds. */
extern const struct facts rule_facts;

#endif
