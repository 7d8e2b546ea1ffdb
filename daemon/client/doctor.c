/* SPDX-License-Identifier: MIT
 *
 * doctor.c: viewctl doctor: what is missing or unwise, as the statements that mend it.
 */
#include "core/offline/doctor.h"
#include "client/client.h"
#include "client/offline.h"
#include "ctl/text/json_text.h"

#include <string.h>

struct findings {
	json_t *list;
	size_t n_missing;
};

/* Several views may need the same statement. */
static bool is_told(const json_t *list, const char *database, const struct viewd_finding *finding)
{
	size_t i;
	json_t *other;
	json_array_foreach(list, i, other) {
		const char *mend = json_string_value(json_object_get(other, "mend"));
		const char *what = json_string_value(json_object_get(other, "what"));
		if (strcmp(json_string_value(json_object_get(other, "database")), database) == 0 &&
		    (finding->mend != NULL ? mend != NULL && strcmp(mend, finding->mend) == 0
		                           : mend == NULL && what != NULL && strcmp(what, finding->what) == 0))
			return true;
	}
	return false;
}

static void take_finding(void *ctx, const char *database, const struct viewd_finding *finding)
{
	struct findings *f = ctx;
	if (is_told(f->list, database, finding))
		return;
	json_t *out = json_object();
	json_object_set_new(out, "database", json_text(database));
	json_object_set_new(out, "view", json_text(finding->view));
	json_object_set_new(out, "missing", json_boolean(finding->missing));
	json_object_set_new(out, "what", json_text(finding->what));
	json_object_set_new(out, "mend", json_text(finding->mend));
	json_object_set_new(out, "advice", json_text(finding->advice));
	json_object_set_new(out, "command", json_text(finding->command));
	json_array_append_new(f->list, out);
	f->n_missing += finding->missing;
}

static enum client_exit examine(const struct client *client, const struct args *args, const struct conf *conf,
                                struct registry *registry)
{
	struct findings f = {.list = json_array()};
	offline_doctor(conf, registry, (struct offline_finding_sink){take_finding, &f});
	int good = f.n_missing == 0;
	return client_answer(client, args, json_pack("{s:i, s:b, s:o}", "schema", 1, "ok", good, "findings", f.list), NULL);
}

enum client_exit client_doctor(const struct client *client, const struct args *args)
{
	return client_with_conf(client, args, examine);
}
