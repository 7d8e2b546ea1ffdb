/* SPDX-License-Identifier: MIT
 *
 * The contract suite's main.
 */
#include "contract/contract.h"

int main(int argc, char **argv)
{
	const struct harness_suite suites[] = {
		contract_objects,  contract_replace,     contract_refreshes, contract_diffs,  contract_safety,  contract_limits,
		contract_capture,  contract_depends,     contract_groups,    contract_rows,   contract_columns, contract_words,
		contract_explains, contract_incremental, contract_logs,      contract_learnt, contract_handed,  contract_auto};
	return harness_main(argc, argv, suites, ARRAY_LEN(suites));
}
