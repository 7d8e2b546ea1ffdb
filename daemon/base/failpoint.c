/* SPDX-License-Identifier: MIT */
#include "base/failpoint.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "base/check.h"

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
		const char *colon = strchr(rule, ':');
		if (colon == NULL)
			return;
		if (place_matches(rule, (size_t)(colon - rule), place))
			act(colon + 1, i);
		rule = strchr(rule, ',');
		if (rule != NULL)
			rule++;
	}
}

#endif
