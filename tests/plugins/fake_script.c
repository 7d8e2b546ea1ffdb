/* SPDX-License-Identifier: MIT
 *
 * fake_script.c: the commands of fake.h.
 */
#include "plugins/fake_private.h"

#include "base/err.h"
#include "base/span.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define MAX_WORDS 8

int fake_op_of(const char *word)
{
	static const char *const names[] = {
#define FAKE_OP_NAME(name) #name,
		FAKE_OPS(FAKE_OP_NAME)
#undef FAKE_OP_NAME
	};
	for (int i = 0; i < FAKE_OP_COUNT; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	return strcmp(word, "*") == 0 ? FAKE_OP_COUNT : -1;
}

static bool class_of(const char *word, enum viewd_err_class *cls_r)
{
	for (int i = 0; i < VIEWD_ERR_CLASS_COUNT; i++)
		if (strcmp(err_class_word((enum viewd_err_class)i), word) == 0) {
			*cls_r = (enum viewd_err_class)i;
			return true;
		}
	return false;
}

static bool add_rule(struct fake_server *s, enum fake_act act, char **w, int n)
{
	struct fake_rule r = {.act = act, .times = 1};
	struct viewd_err err;
	if (n < 3 || (r.op = fake_op_of(w[1])) < 0)
		return false;
	snprintf(r.object, sizeof r.object, "%s", w[2]);
	if (act == FAKE_FAIL && (n < 4 || !class_of(w[3], &r.cls)))
		return false;
	if (act == FAKE_FAIL) {
		r.times = n > 4 ? strtol(w[4], NULL, 10) : 1;
		r.skip = n > 5 ? strtol(w[5], NULL, 10) : 0;
	}
	if (act == FAKE_DELAY && (n < 4 || !span_parse(w[3], &r.delay_us, &err)))
		return false;
	struct fake_rule *rule = talloc_memdup(s, &r, sizeof r);
	rule->next = s->rules;
	s->rules = rule;
	return true;
}

static bool release(struct fake_server *s, char **w, int n)
{
	int op = n > 2 ? fake_op_of(w[1]) : -1;
	if (op < 0)
		return false;
	for (struct fake_rule **link = &s->rules; *link != NULL;) {
		struct fake_rule *r = *link;
		if (r->op != op || strcmp(r->object, w[2]) != 0) {
			link = &r->next;
			continue;
		}
		*link = r->next;
		talloc_free(r);
	}
	return true;
}

static bool go_down(struct fake_server *s, const char *word)
{
	s->epoch++;
	s->watch_epoch++;
	return class_of(word, &s->down);
}

static bool make(struct fake_server *s, const char *name, const char *word)
{
	static const char *const kinds[] = {[VIEWD_KIND_VIEW] = "view",
	                                    [VIEWD_KIND_MATVIEW] = "matview",
	                                    [VIEWD_KIND_TABLE] = "table",
	                                    [VIEWD_KIND_OTHER] = "other"};
	struct fake_object *o = fake_need(s, name);
	for (int i = VIEWD_KIND_VIEW; i <= VIEWD_KIND_OTHER; i++)
		if (strcmp(kinds[i], word) == 0) {
			o->kind = (enum viewd_kind)i;
			o->id = ++s->next_id;
			o->populated = true;
			o->rows = 7;
			free(o->definition);
			o->definition = NULL;
			return true;
		}
	return false;
}

static bool about_object(struct fake_server *s, const char *verb, const char *name)
{
	struct fake_object *o = fake_is_base(name) ? fake_need(s, name) : fake_find(s, name);
	if (o == NULL)
		return false;
	if (strcmp(verb, "remove") == 0) {
		o->kind = VIEWD_KIND_NONE;
		o->id = 0;
		o->populated = false;
	} else if (strcmp(verb, "lead") == 0)
		o->filled_us = fake_now(NULL);
	else if (strcmp(verb, "touch") == 0)
		o->touched = true;
	else if (strcmp(verb, "change") == 0)
		o->rows++;
	else if (strcmp(verb, "redefine") == 0) {
		talloc_free(s->redefined);
		s->redefined = talloc_strdup(s, name);
	} else if (strcmp(verb, "stir") != 0)
		return false;
	if (strcmp(verb, "change") == 0 || strcmp(verb, "stir") == 0 || strcmp(verb, "redefine") == 0)
		fake_touch(s, name, NULL, 0);
	return true;
}

/* A backup of yesterday is restored. */
static void rewind_all(struct fake_server *s)
{
	for (size_t i = 0; i < FAKE_BUCKETS; i++)
		for (struct fake_object *o = s->buckets[i]; o != NULL; o = o->next)
			o->filled_us -= o->filled_us > SPAN_DAY ? SPAN_DAY : 0;
	fake_rewind_marks(s);
}

static void calm(struct fake_server *s)
{
	while (s->rules != NULL) {
		struct fake_rule *r = s->rules;
		s->rules = r->next;
		talloc_free(r);
	}
	s->down = VIEWD_ERR_OK;
	s->readonly = s->deaf = s->rival = false;
	s->storm_left = 0;
	fake_lag(s, false);
}

static bool report(const struct fake_server *s, const char *path)
{
	static const char *const names[] = {
#define FAKE_OP_NAME(name) #name,
		FAKE_OPS(FAKE_OP_NAME)
#undef FAKE_OP_NAME
	};
	char *fresh = talloc_asprintf(NULL, "%s.new", path);
	FILE *f = fopen(fresh, "we");
	for (size_t i = 0; f != NULL && i < FAKE_OP_COUNT; i++)
		fprintf(f, "%s %zu\n", names[i], s->calls[i]);
	if (f != NULL)
		fprintf(f, "bytes %zu\n", fake_bytes(s));
	bool ok = f != NULL && fclose(f) == 0 && rename(fresh, path) == 0;
	talloc_free(fresh);
	return ok;
}

static bool obey(struct fake_server *s, char **w, int n)
{
	static const char *const acts[] = {
		[FAKE_FAIL] = "fail", [FAKE_DELAY] = "delay", [FAKE_BLOCK] = "block", [FAKE_HANG] = "hang"};
	for (int i = 0; i < (int)ARRAY_LEN(acts); i++)
		if (strcmp(w[0], acts[i]) == 0)
			return add_rule(s, (enum fake_act)i, w, n);
	if (strcmp(w[0], "release") == 0)
		return release(s, w, n);
	if (strcmp(w[0], "down") == 0)
		return n > 1 && go_down(s, w[1]);
	if (strcmp(w[0], "make") == 0)
		return n > 2 && make(s, w[1], w[2]);
	if (strcmp(w[0], "report") == 0)
		return n > 1 && report(s, w[1]);
	if (strcmp(w[0], "up") == 0)
		s->down = VIEWD_ERR_OK;
	else if (strcmp(w[0], "sever") == 0)
		s->epoch++;
	else if (strcmp(w[0], "readonly") == 0)
		s->readonly = true;
	else if (strcmp(w[0], "writable") == 0)
		s->readonly = false;
	else if (strcmp(w[0], "rewind") == 0)
		rewind_all(s);
	else if (strcmp(w[0], "calm") == 0)
		calm(s);
	else if (strcmp(w[0], "unwatch") == 0)
		s->watch_epoch++;
	else if (strcmp(w[0], "deaf") == 0 || strcmp(w[0], "hearing") == 0)
		s->deaf = w[0][0] == 'd';
	else if (strcmp(w[0], "behind") == 0 || strcmp(w[0], "abreast") == 0)
		fake_lag(s, w[0][0] == 'b');
	else if (strcmp(w[0], "rival") == 0 || strcmp(w[0], "norival") == 0)
		s->rival = w[0][0] == 'r';
	else if (strcmp(w[0], "storm") == 0 && n > 2)
		fake_storm(s, w[1], strtol(w[2], NULL, 10));
	else if (strcmp(w[0], "request") == 0 && n > 1)
		fake_request_refresh(s, w[1]);
	else
		return n > 1 && about_object(s, w[0], w[1]);
	return true;
}

bool fake_command(struct fake_server *s, const char *line)
{
	char *copy = talloc_strdup(NULL, line), *save = NULL, *words[MAX_WORDS];
	int n = 0;
	for (char *w = strtok_r(copy, " \n", &save); w != NULL && n < MAX_WORDS; w = strtok_r(NULL, " \n", &save))
		words[n++] = w;
	bool ok = n == 0 || obey(s, words, n);
	talloc_free(copy);
	fake_wake();
	return ok;
}

/* Whole lines that were appended since the last look, which was at least this long ago. */
#define LOOK_AGAIN_US 1000

void fake_obey_control(struct fake_server *s)
{
	char line[512];
	if (s->control == NULL || fake_mono() - s->control_looked < LOOK_AGAIN_US)
		return;
	s->control_looked = fake_mono();
	FILE *f = fopen(s->control, "re");
	if (f == NULL)
		return;
	if (fseek(f, s->control_read, SEEK_SET) == 0)
		while (fgets(line, sizeof line, f) != NULL && strchr(line, '\n') != NULL) {
			s->control_read = ftell(f);
			if (!fake_command(s, line))
				fprintf(stderr, "fake dialect: wrong command: %s", line);
		}
	fclose(f);
}

void fake_do(const char *server, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *line = talloc_vasprintf(NULL, fmt, ap);
	va_end(ap);
	fake_lock();
	bool ok = fake_command(fake_server_named(server), line);
	fake_unlock();
	if (!ok) {
		fprintf(stderr, "fake dialect: wrong command: %s\n", line);
		abort();
	}
	talloc_free(line);
}
