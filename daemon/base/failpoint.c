/* SPDX-License-Identifier: MIT */
#include "base/failpoint.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "base/macros.h"

#ifndef VIEWD_FAILPOINTS

void failpoint_hit(const char *place UNUSED)
{
}

#else

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_RULES 8
static _Atomic long hits[MAX_RULES];

static bool place_matches(const char *rule, size_t len, const char *place)
{
	if (len > 0 && rule[len - 1] == '*')
		return strncmp(rule, place, len - 1) == 0;
	return strlen(place) == len && strncmp(rule, place, len) == 0;
}

/* The length of the place that a rule begins with: places hold colons themselves, so the action's word ends it. 0: no
 * rule. */
static size_t place_length(const char *rule)
{
	size_t end = strcspn(rule, ",");
	for (size_t i = 0; i < end; i++)
		if (strncmp(rule + i, ":kill", 5) == 0 || strncmp(rule + i, ":stop", 5) == 0)
			return i;
	return 0;
}

/* rule: "action[:n]" up to ',' or the end. */
static void act(const char *rule, int number)
{
	const char *end = strpbrk(rule, ",:");
	long wanted = end != NULL && *end == ':' ? strtol(end + 1, NULL, 10) : 1;
	if (atomic_fetch_add(&hits[number], 1) + 1 != wanted)
		return;
	if (strncmp(rule, "kill", 4) == 0)
		kill(getpid(), SIGKILL);
	else if (strncmp(rule, "stop", 4) == 0)
		kill(getpid(), SIGSTOP);
}

void failpoint_hit(const char *place)
{
	const char *rule = getenv("VIEWD_FAILPOINT");
	for (int i = 0; rule != NULL && i < MAX_RULES; i++) {
		size_t len = place_length(rule);
		if (len > 0 && place_matches(rule, len, place))
			act(rule + len + 1, i);
		rule = strchr(rule, ',');
		if (rule != NULL)
			rule++;
	}
}

#endif
