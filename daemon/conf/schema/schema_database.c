/* SPDX-License-Identifier: MIT */
#include "base/span.h"
#include "conf/schema/schema.h"

/* clang-format off */
static const struct option_row rows[] = {
	{.key = "url", OPTION_TEXT_AT(conf_database, url), .flags = OPTION_REQUIRED | OPTION_SECRET,
	 .reload = OPTION_RECONNECT, .help = "where the database is; the scheme chooses the plugin",
	 .doc = "postgresql://user@host:port/name?keyword=value, mysql:// and mariadb:// likewise, sqlite:///relative.db "
	        "or sqlite:////absolute.db. MySQL and MariaDB can have several hosts, each with a port of its own: "
	        "mysql://user@host1:port1,host2:port2/name. A driver suffix (postgresql+psycopg2://) is accepted and "
	        "ignored. After the question mark stand the words of the client library: libpq's keywords for PostgreSQL; "
	        "unix_socket, read_default_file, ssl_ca and the like for MySQL. Write characters that have a meaning in "
	        "URLs as %XX. A URL that holds a blank, '#' or ';' needs quotes around it. Keep passwords out of it: see "
	        "password_file. One database has one section. Two sections with the same URL are an error. Two spellings "
	        "of one place are found when it is opened: the views of the second section are STANDBY and name the "
	        "first."},
	{.key = "password_file", OPTION_PATH_AT(conf_database, password_file), .reload = OPTION_RECONNECT,
	 .help = "file that holds the password",
	 .doc = "viewd reads it at every connect, so it sees a new password. The file must be a regular file of root or "
	        "of the user viewd runs as, without access for others. One newline at the end is cut."},
	{.key = "password_credential", OPTION_TEXT_AT(conf_database, password_credential), .reload = OPTION_RECONNECT,
	 .help = "name of the systemd credential that holds the password",
	 .doc = "A file name in $CREDENTIALS_DIRECTORY: see LoadCredential= in systemd.exec(5). Not together with "
	        "password_file."},
	{.key = "max_concurrent_refreshes", OPTION_INT_AT(conf_database, max_concurrent_refreshes), .dflt = "2", .min = 1,
	 .max = 1000, .unit = "refreshes", .reload = OPTION_LIVE,
	 .help = "how many refreshes may run at the same time in this database",
	 .doc = "An engine that allows one writer at a time runs them one after another, whatever this key says."},
	{.key = "connect_timeout", OPTION_SPAN_AT(conf_database, connect_timeout), .dflt = "10s", .min = SPAN_SECOND,
	 .max = SPAN_HOUR, .reload = OPTION_RECONNECT, .help = "how long to wait for a connection",
	 .doc = "A server that does not answer in this time counts as not reachable, and is tried again later."},
};
/* clang-format on */

const struct option_table schema_database = {
	.section = "database NAME", .rows = rows, .n = ARRAY_LEN(rows), .struct_size = sizeof(struct conf_database)};
