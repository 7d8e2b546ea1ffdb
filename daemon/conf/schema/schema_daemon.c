/* SPDX-License-Identifier: MIT */
#include "base/span.h"
#include "conf/schema/schema.h"

#include <string.h>

#ifndef VIEWD_PLUGIN_DIR
#error "VIEWD_PLUGIN_DIR is set by the makefile"
#endif

static const struct option_choice log_levels[] = {
	{.word = "error", .value = VIEWD_LOG_ERROR, .doc = "something failed and needs a person"},
	{.word = "warning", .value = VIEWD_LOG_WARNING, .doc = "something failed and will be tried again, or looks wrong"},
	{.word = "info", .value = VIEWD_LOG_INFO, .doc = "starts, stops, reloads and what was created or dropped"},
	{.word = "debug", .value = VIEWD_LOG_DEBUG, .doc = "every refresh and every decision"},
	{0},
};

/* clang-format off */
static const struct option_row rows[] = {
	{.key = "include", OPTION_LIST_AT(OPTION_ITEMS, conf_daemon, include), .reload = OPTION_LIVE,
	 .help = "more configuration files",
	 .doc = "File names or patterns (glob(7)), separated by commas, relative to the directory of this file. The files "
	        "of a pattern are read in the order of their names. A pattern that matches nothing is a warning. A name "
	        "without a pattern that does not exist is an error. Included files cannot include others."},
	{.key = "control_socket", OPTION_PATH_AT(conf_daemon, control_socket), .dflt = "/run/viewd/control.sock",
	 .reload = OPTION_RESTART, .help = "unix socket that viewctl talks to",
	 .doc = "The directory must exist; systemd makes /run/viewd. The owner and mode of the directory decide who may "
	        "connect. Only root and the user viewd runs as may change something. A unit with RuntimeDirectory= has "
	        "control.sock there by default (viewd@NAME: /run/viewd-NAME/control.sock). A plain user's viewd, with "
	        "another file than /etc/viewd/viewd.conf, has $XDG_RUNTIME_DIR/viewd/control.sock by default, and makes "
	        "that directory."},
	{.key = "plugin_dir", OPTION_PATH_AT(conf_daemon, plugin_dir), .dflt = VIEWD_PLUGIN_DIR, .reload = OPTION_RESTART,
	 .help = "directory of the dialect plugins",
	 .doc = "The plugin of a [database] section is viewd_DIALECT.so, where DIALECT is the scheme of the URL. viewd "
	        "opens all plugins here when the scheme is no dialect's name, and when a message has to tell what is "
	        "installed. The files must belong to root or to the user viewd runs as, and nobody else may write them."},
	{.key = "state_dir", OPTION_PATH_AT(conf_daemon, state_dir), .dflt = "/var/lib/viewd", .reload = OPTION_RESTART,
	 .help = "directory for what the daemon itself remembers",
	 .doc = "Pauses survive a restart here. Freshness is kept in the databases, next to the data. A unit with "
	        "StateDirectory= has that by default (viewd@NAME: /var/lib/viewd-NAME). A plain user's viewd has "
	        "$XDG_STATE_HOME/viewd by default, else ~/.local/state/viewd."},
	{.key = "log_level", OPTION_WORD_AT(conf_daemon, log_level), .dflt = "info", .choices = log_levels,
	 .reload = OPTION_LIVE, .help = "the least important messages that are logged",
	 .doc = "Messages go to standard error, which systemd hands to the journal."},
	{.key = "max_concurrent_refreshes", OPTION_INT_AT(conf_daemon, max_concurrent_refreshes), .dflt = "8", .min = 1,
	 .max = 1000, .unit = "refreshes", .reload = OPTION_LIVE,
	 .help = "how many refreshes may run at the same time, in all databases together",
	 .doc = "Each needs a thread and a connection. The limit of a [database] section holds as well."},
	{.key = "on_failure_timeout", OPTION_SPAN_AT(conf_daemon, on_failure_timeout), .dflt = "1m30s", .min = SPAN_MS,
	 .max = SPAN_HOUR, .reload = OPTION_LIVE, .help = "longest time that a program of on_failure may take",
	 .doc = "viewd then ends the program and what it has started: SIGTERM, and SIGKILL two seconds later."},
	{.key = "http_listen", OPTION_ADDRESS_AT(conf_daemon, http_listen), .dflt = "off", .reload = OPTION_LIVE,
	 .help = "address for the page, for metrics and for programs that look",
	 .doc = "Serves GET / (a page for people), /metrics (OpenMetrics), /healthz, /readyz and what looks under /v1/, "
	        "read-only, without TLS and without passwords. Whoever reaches it can read the definitions and the errors "
	        "of all views. The control socket serves the same paths. When the address cannot be had at a start, viewd "
	        "logs it, keeps the views, and tries again every 30 seconds; a reload is refused."},
	{.key = "http_allow_remote", OPTION_BOOL_AT(conf_daemon, http_allow_remote), .dflt = "no", .reload = OPTION_LIVE,
	 .help = "http_listen may be an address that other machines reach",
	 .doc = "There is no TLS: put a proxy in front where the network is not trusted."},
	{.key = "http_hosts", OPTION_LIST_AT(OPTION_ITEMS, conf_daemon, http_hosts), .reload = OPTION_LIVE,
	 .help = "names under which http_listen may be asked",
	 .doc = "A request whose Host is neither an address, nor localhost, nor one of these names is refused: so no page "
	        "of another site can read this one through a name that it makes point here."},
};
/* clang-format on */

const struct option_table schema_daemon = {
	.section = "viewd", .rows = rows, .n = ARRAY_LEN(rows), .struct_size = sizeof(struct conf_daemon)};

size_t schema_row(const struct option_table *table, const char *key)
{
	size_t i = 0;
	while (i < table->n && (table->rows[i].key[0] != key[0] || strcmp(table->rows[i].key, key) != 0))
		i++;
	assert(i < table->n);
	return i;
}
