/* SPDX-License-Identifier: MIT */
#include "core/plan/timing.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"

static char *add_text(char *text, const char *what, const char *value)
{
	const char *comma = text[0] != '\0' ? ", " : "";
	return mem_need(talloc_asprintf_append_buffer(text, "%s%s%s", comma, what, value));
}

static char *add_span(char *text, const char *what, int64_t us)
{
	char buf[64];
	return us > 0 ? add_text(text, what, span_format(us, buf, sizeof buf)) : text;
}

/* "every 5m, cron 0 4 * * * (Europe/Berlin), on change"; NULL: by hand only. */
static void set_schedule_text(struct view *v)
{
	const struct conf_view *c = v->conf;
	char *text = mem_strdup(v, "");
	text = add_span(add_span(text, "every ", c->every), "after ", c->after);
	if (c->cron != NULL)
		text = add_text(text, "cron ", c->cron);
	if (v->timing.cron != NULL && v->timing.cron->zone != NULL)
		text = mem_need(talloc_asprintf_append_buffer(text, " (%s)", c->timezone));
	text = add_span(text, "target lag ", c->target_lag);
	if (c->on_change)
		text = add_text(text, "on change", "");
	text = add_span(text, "at least every ", c->max_staleness);
	v->timing.text = text[0] != '\0' ? intern(v->eng->texts, text) : NULL;
	talloc_free(text);
}

/* The loader has accepted both texts; a zone that has vanished since then leaves the view without cron. */
static void set_cron(struct view *v)
{
	struct viewd_err err;
	TALLOC_FREE(v->timing.cron);
	if (v->conf->cron == NULL)
		return;
	struct view_cron *own = mem_new(v, struct view_cron);
	bool good = cron_parse(v->conf->cron, &own->cron, &err);
	if (good && own->cron.every == 0) {
		own->zone = zone_open(own, v->conf->timezone, &err);
		good = own->zone != NULL;
	}
	if (good) {
		v->timing.cron = own;
		return;
	}
	log_error("view '%s', cron is left out (%s)", v->label, err.msg);
	talloc_free(own);
}

void timing_set(struct view *v)
{
	set_cron(v);
	set_schedule_text(v);
}

struct schedule timing_schedule(const struct view *view)
{
	const struct conf_view *c = view->conf;
	const struct view_cron *own = view->timing.cron;
	struct schedule s = {
		.every = c->every,
		.after = c->after,
		.target_lag = c->target_lag,
		.jitter = c->randomize_for,
		.skip_missed = c->missed == CONF_MISSED_SKIP,
	};
	if (own == NULL)
		return s;
	s.zone = own->zone;
	s.cron = own->cron;
	if (own->cron.every > 0 && (s.every == 0 || own->cron.every < s.every))
		s.every = own->cron.every;
	return s;
}
