/* SPDX-License-Identifier: MIT
 *
 * import.c: connects to a database, and has its dialect list the views there.
 */
#include "core/offline/import.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/span.h"
#include "conf/snapshot/login.h"
#include "conf/snapshot/url.h"
#include "plugin/host.h"
#include "plugin/loader.h"

#define CONNECT_TIMEOUT (10 * SPAN_SECOND)

/* Keys with a default, as if the section had been read. */
static void own_defaults(void *mem_ctx, const struct viewd_dialect *dialect, struct conf_database *out)
{
	struct viewd_kv *options = mem_array(mem_ctx, struct viewd_kv, dialect->n_options);
	for (size_t i = 0; i < dialect->n_options; i++)
		if (dialect->options[i].default_value != NULL)
			options[out->n_options++] = (struct viewd_kv){dialect->options[i].key, dialect->options[i].default_value};
	out->options = options;
}

bool offline_database(void *mem_ctx, struct registry *registry, const char *plugin_dir, const char *name,
                      const char *url, const char *base_dir, struct conf_database *out, struct viewd_err *err)
{
	struct arena *arena = arena_new(mem_ctx);
	const char *scheme = url_scheme(arena, url, err);
	const struct viewd_dialect *dialect = scheme != NULL ? registry_open(registry, plugin_dir, scheme, err) : NULL;
	if (dialect == NULL)
		return false;
	*out = (struct conf_database){
		.name = name, .dialect = dialect->name, .url = url, .base_dir = base_dir, .connect_timeout = CONNECT_TIMEOUT};
	own_defaults(mem_ctx, dialect, out);
	struct viewd_database_spec spec;
	conf_database_spec(out, &spec);
	return dialect->check_database(&spec, err);
}

static bool ask(const struct viewd_dialect *dialect, const struct viewd_database_spec *db, const char *schema,
                struct viewd_existing_sink rows, struct viewd_err *err)
{
	struct viewd_conn *conn = dialect->open(host_services(), db, err);
	bool done = conn != NULL && dialect->advice->existing(conn, schema, rows, err);
	dialect->close(&conn);
	return done;
}

bool offline_import(struct registry *registry, const struct conf_database *db, const char *schema,
                    struct viewd_existing_sink rows, struct viewd_err *err)
{
	const struct viewd_dialect *dialect = registry_find(registry, db->dialect);
	struct viewd_err failure = {0};
	struct login login = {.password = NULL};
	if (dialect == NULL || dialect->advice == NULL || dialect->advice->existing == NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "the plugin %s cannot tell what views there are", db->dialect);
	bool done = login_begin(&login, db, "import", &failure) && ask(dialect, &login.spec, schema, rows, &failure);
	login_end(&login);
	if (!done)
		*err = failure;
	return done;
}
