/* SPDX-License-Identifier: MIT */
#include "common/text/words.h"

#include <string.h>

static const char *const method_words[VIEWD_METHOD_COUNT] = {
	[VIEWD_METHOD_SIMPLE] = "simple", [VIEWD_METHOD_MATERIALIZED] = "materialized", [VIEWD_METHOD_TABLE] = "table"};
static const char *const mode_words[VIEWD_MODE_COUNT] = {
	[VIEWD_MODE_AUTO] = "auto", [VIEWD_MODE_FULL] = "full", [VIEWD_MODE_CONCURRENTLY] = "concurrently",
	[VIEWD_MODE_DIFF] = "diff", [VIEWD_MODE_SWAP] = "swap", [VIEWD_MODE_INCREMENTAL] = "incremental"};
static const char *const did_words[VIEWD_DID_COUNT] = {
	[VIEWD_DID_NO_DATA] = "NO_DATA", [VIEWD_DID_FULL] = "FULL", [VIEWD_DID_CONCURRENT] = "CONCURRENT",
	[VIEWD_DID_DIFF] = "DIFF", [VIEWD_DID_SWAP] = "SWAP", [VIEWD_DID_INCREMENTAL] = "INCREMENTAL",
	[VIEWD_DID_REINITIALIZE] = "REINITIALIZE"};
static const char *const kind_words[] = {
	[VIEWD_KIND_NONE] = "NONE", [VIEWD_KIND_VIEW] = "VIEW", [VIEWD_KIND_MATVIEW] = "MATERIALIZED VIEW",
	[VIEWD_KIND_TABLE] = "TABLE", [VIEWD_KIND_OTHER] = "OTHER"};

const char *method_word(enum viewd_method method)
{
	return method_words[method];
}

const char *mode_word(enum viewd_refresh_mode mode)
{
	return mode_words[mode];
}

const char *did_word(enum viewd_did did)
{
	return did_words[did];
}

const char *kind_word(enum viewd_kind kind)
{
	return kind_words[kind];
}

bool method_from_word(const char *word, enum viewd_method *out_r)
{
	for (int i = 0; i < VIEWD_METHOD_COUNT; i++)
		if (strcmp(word, method_words[i]) == 0) {
			*out_r = (enum viewd_method)i;
			return true;
		}
	return false;
}
