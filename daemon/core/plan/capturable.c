/* SPDX-License-Identifier: MIT */
#include "core/plan/capturable.h"

#include "base/err.h"
#include "base/macros.h"

#include <stdio.h>

bool capturable_refuse(const struct conf_view *conf, const struct viewd_dialect *dialect,
                       const struct viewd_resolved *resolved, struct viewd_err *err)
{
	if (!conf->on_change || resolved->method == VIEWD_METHOD_SIMPLE)
		return false;
	if (dialect->capture == NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "on_change = yes, but the dialect %s cannot notice changes", dialect->name);
		err_hint(err, "use a schedule: every, after or cron");
		return true;
	}
	return false;
}

static const struct {
	enum viewd_capture mode;
	uint64_t cap;
	const char *word;
} modes[] = {
	{VIEWD_CAPTURE_TRIGGER, VIEWD_CAP_CAPTURE_TRIGGER, "trigger"},
	{VIEWD_CAPTURE_BINLOG, VIEWD_CAP_CAPTURE_BINLOG, "binlog"},
	{VIEWD_CAPTURE_POLL, VIEWD_CAP_CAPTURE_POLL, "poll"},
};

static void hint_modes(struct viewd_err *err, uint64_t caps)
{
	char text[64] = "";
	size_t len = 0;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if ((caps & modes[i].cap) != 0)
			len += (size_t)snprintf(text + len, sizeof text - len, "%s, ", modes[i].word);
	err_hint(err, "capture = %sauto or none", text);
}

bool capturable_refuse_mode(const struct conf_view *conf, const struct viewd_dialect *dialect,
                            const struct viewd_resolved *resolved, struct viewd_err *err)
{
	const uint64_t all = VIEWD_CAP_CAPTURE_TRIGGER | VIEWD_CAP_CAPTURE_BINLOG | VIEWD_CAP_CAPTURE_POLL;
	if (!conf->on_change || resolved->method == VIEWD_METHOD_SIMPLE || (dialect->caps & all) == 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if ((enum viewd_capture)conf->capture != modes[i].mode || (dialect->caps & modes[i].cap) != 0)
			continue;
		err_set(err, VIEWD_ERR_CONFIG, "capture: the dialect %s cannot notice changes by %s", dialect->name,
		        modes[i].word);
		hint_modes(err, dialect->caps);
		return true;
	}
	return false;
}
