/* SPDX-License-Identifier: MIT */
#include "common/analysis/reading/refusal.h"

#include <stdio.h>

bool refuse(struct refusal *no, int at, const char *construct, const char *why, const char *help)
{
	if (no->given)
		return false;
	no->given = true;
	no->at = at;
	snprintf(no->construct, sizeof no->construct, "%s", construct);
	snprintf(no->why, sizeof no->why, "%s", why);
	snprintf(no->help, sizeof no->help, "%s", help);
	return false;
}

bool refuse_named(struct refusal *no, int at, const char *construct, const char *name, const char *why,
                  const char *help)
{
	char text[sizeof no->construct];
	snprintf(text, sizeof text, "%s %s", construct, name);
	return refuse(no, at, text, why, help);
}
