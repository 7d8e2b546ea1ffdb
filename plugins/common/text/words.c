/* SPDX-License-Identifier: MIT */
#include "common/text/words.h"

#include <string.h>

#define METHOD_WORD(sym, word) [VIEWD_METHOD_##sym] = (word),
#define MODE_WORD(sym, word) [VIEWD_MODE_##sym] = (word),
#define DID_WORD(sym, word) [VIEWD_DID_##sym] = (word),
static const char *const method_words[] = {VIEWD_METHODS(METHOD_WORD)};
static const char *const mode_words[] = {VIEWD_MODES(MODE_WORD)};
static const char *const did_words[] = {VIEWD_DIDS(DID_WORD)};
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
