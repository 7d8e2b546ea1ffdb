/* SPDX-License-Identifier: MIT */
#include "sqlite/conn/path.h"

#include "base/err.h"
#include "common/conn/url.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <talloc.h>

#define FORM_HINT "write sqlite:///relative.db or sqlite:////absolute.db"

static bool refuse_url(struct viewd_err *err, const char *why)
{
	err_set(err, VIEWD_ERR_CONFIG, "database url cannot be used (%s)", why);
	return err_hint(err, FORM_HINT);
}

static bool read_parameter(const struct viewd_kv *kv, struct sqlite_path *out, struct viewd_err *err)
{
	bool mode = strcmp(kv->key, "mode") == 0;
	if (mode && (strcmp(kv->value, "rwc") == 0 || strcmp(kv->value, "rw") == 0)) {
		out->create = strcmp(kv->value, "rwc") == 0;
		return true;
	}
	if (mode)
		err_set(err, VIEWD_ERR_CONFIG, "database url cannot be used (mode=%s cannot hold viewd's tables)", kv->value);
	else
		err_set(err, VIEWD_ERR_CONFIG, "database url has an unknown parameter '%s'", kv->key);
	return err_hint(err, "the only parameter is mode, with rw or rwc (make the file when it is absent)");
}

static bool read_url(const struct url *url, struct sqlite_path *out, struct viewd_err *err)
{
	if (url->host != NULL || url->user != NULL || url->port != 0)
		return refuse_url(err, "a file has no host, user or port");
	if (url->database == NULL)
		return refuse_url(err, "a database in memory is seen by nobody else");
	if (strcmp(url->database, ":memory:") == 0 || strncmp(url->database, "file:", 5) == 0)
		return refuse_url(err, "databases in memory and file: names are not supported");
	for (size_t i = 0; i < url->n_query; i++)
		if (!read_parameter(&url->query[i], out, err))
			return false;
	return true;
}

bool sqlite_path_parse(void *mem_ctx, const struct viewd_database_spec *db, struct sqlite_path *out,
                       struct viewd_err *err)
{
	struct sqlite_path path = {0};
	struct url *url = url_parse(mem_ctx, db->url, err);
	if (url == NULL || !read_url(url, &path, err))
		return false;
	if (url->database[0] == '/')
		path.path = talloc_strdup(mem_ctx, url->database);
	else
		path.path = talloc_asprintf(mem_ctx, "%s/%s", db->base_dir != NULL ? db->base_dir : ".", url->database);
	assert(path.path != NULL);
	*out = path;
	return true;
}

/* File systems whose locks reach over a network; numbers from statfs(2) and linux/magic.h. */
static const char *network_name(unsigned long type)
{
	static const struct {
		unsigned long type;
		const char *name;
	} table[] = {
		{0x6969, "NFS"},    {0x517b, "SMB"},      {0xff534d42, "CIFS"}, {0xfe534d42, "SMB2"}, {0x65735546, "FUSE"},
		{0x01021997, "9P"}, {0x00c36400, "Ceph"}, {0x5346414f, "AFS"},  {0x73757245, "Coda"}, {0x01161970, "GFS2"},
	};
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].type == (type & 0xffffffffUL))
			return table[i].name;
	return NULL;
}

static bool check_file_system(const char *path, bool allow_network, struct viewd_err *err)
{
	struct statfs fs;
	if (statfs(path, &fs) != 0)
		return err_sys(err, VIEWD_ERR_CONNECT, errno, "database file '%s' cannot be examined", path);
	const char *network = network_name((unsigned long)fs.f_type);
	if (network == NULL || allow_network)
		return true;
	err_set(err, VIEWD_ERR_CONFIG,
	        "database file '%s' cannot be used (it is on a %s file system, where locks are unreliable)", path, network);
	return err_hint(err, "move it to a local disk, or set sqlite_allow_network = yes at the risk of corruption");
}

bool sqlite_path_check(const struct sqlite_path *path, bool allow_network, struct viewd_err *err)
{
	struct stat st;
	if (stat(path->path, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			return err_set(err, VIEWD_ERR_CONFIG, "database file '%s' is not a regular file", path->path);
		return check_file_system(path->path, allow_network, err);
	}
	if (errno == ENOENT && path->create)
		return true;
	err_sys(err, VIEWD_ERR_CONNECT, errno, "database file '%s' cannot be found", path->path);
	return err_hint(err, "if it is to be made, write ?mode=rwc at the end of the url");
}
