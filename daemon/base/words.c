/* SPDX-License-Identifier: MIT */
#include "base/words.h"

#include <string.h>

static const char *word_in(const char *const *words, size_t n, unsigned i)
{
	return i < n && words[i] != NULL ? words[i] : "unknown";
}

const char *word_method(enum viewd_method m)
{
	static const char *const words[] = {
#define WORD(sym, word) [VIEWD_METHOD_##sym] = (word),
		VIEWD_METHODS(WORD)
#undef WORD
	};
	return word_in(words, ARRAY_LEN(words), (unsigned)m);
}

const char *word_mode(enum viewd_refresh_mode m)
{
	static const char *const words[] = {
#define WORD(sym, word) [VIEWD_MODE_##sym] = (word),
		VIEWD_MODES(WORD)
#undef WORD
	};
	return word_in(words, ARRAY_LEN(words), (unsigned)m);
}

const char *word_did(enum viewd_did d)
{
	static const char *const words[] = {
#define WORD(sym, word) [VIEWD_DID_##sym] = (word),
		VIEWD_DIDS(WORD)
#undef WORD
	};
	return word_in(words, ARRAY_LEN(words), (unsigned)d);
}

const char *word_change(enum viewd_change c)
{
	static const char *const words[] = {
		[VIEWD_CHANGE_NOTHING] = "nothing", [VIEWD_CHANGE_CREATE] = "create",   [VIEWD_CHANGE_ADOPT] = "adopt",
		[VIEWD_CHANGE_REPLACE] = "replace", [VIEWD_CHANGE_REINDEX] = "reindex", [VIEWD_CHANGE_DROP] = "drop",
		[VIEWD_CHANGE_REFUSE] = "refuse",   [VIEWD_CHANGE_KEEP] = "keep",       [VIEWD_CHANGE_RENAME] = "rename",
	};
	return word_in(words, ARRAY_LEN(words), (unsigned)c);
}

const char *word_kind(enum viewd_kind k)
{
	static const char *const words[] = {
		[VIEWD_KIND_NONE] = "nothing", [VIEWD_KIND_VIEW] = "view",          [VIEWD_KIND_MATVIEW] = "materialized view",
		[VIEWD_KIND_TABLE] = "table",  [VIEWD_KIND_OTHER] = "other object",
	};
	return word_in(words, ARRAY_LEN(words), (unsigned)k);
}

const char *word_depends(enum viewd_depends kind)
{
	static const char *const words[] = {
#define WORD(sym, word) [VIEWD_DEPENDS_##sym] = (word),
		VIEWD_DEPENDS(WORD)
#undef WORD
	};
	return word_in(words, ARRAY_LEN(words), (unsigned)kind);
}

const char *word_heard(enum viewd_heard heard)
{
	static const char *const words[] = {
#define WORD(sym, word, doc) [VIEWD_HEARD_##sym] = (word),
		VIEWD_HEARD(WORD)
#undef WORD
	};
	return word_in(words, ARRAY_LEN(words), (unsigned)heard);
}

bool method_of_word(const char *word, enum viewd_method *out_r)
{
	for (int i = 0; i < VIEWD_METHOD_COUNT; i++)
		if (strcmp(word, word_method((enum viewd_method)i)) == 0) {
			*out_r = (enum viewd_method)i;
			return true;
		}
	return false;
}

bool depends_of_word(const char *word, enum viewd_depends *out_r)
{
	for (int i = 0; i < VIEWD_DEPENDS_COUNT; i++)
		if (strcmp(word, word_depends((enum viewd_depends)i)) == 0) {
			*out_r = (enum viewd_depends)i;
			return true;
		}
	return false;
}
