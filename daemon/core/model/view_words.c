/* SPDX-License-Identifier: MIT */
#include "core/model/view_words.h"

#define WORD(sym, doc) #sym,

const char *view_state_word(enum view_state s)
{
	static const char *const words[VIEW_STATE_COUNT] = {VIEW_STATES(WORD)};
	return words[s];
}

const char *view_activity_word(enum view_activity a)
{
	static const char *const words[VIEW_ACTIVITY_COUNT] = {VIEW_ACTIVITIES(WORD)};
	return words[a];
}

const char *view_result_word(enum view_result r)
{
	static const char *const words[VIEW_RESULT_COUNT] = {VIEW_RESULTS(WORD)};
	return words[r];
}

const char *view_freshness_word(enum view_freshness f)
{
	static const char *const words[VIEW_FRESHNESS_COUNT] = {VIEW_FRESHNESSES(WORD)};
	return words[f];
}

const char *view_trigger_word(enum view_trigger t)
{
	static const char *const words[VIEW_TRIGGER_COUNT] = {VIEW_TRIGGERS(WORD)};
	return words[t];
}
