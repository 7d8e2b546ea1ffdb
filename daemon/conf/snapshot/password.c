/* SPDX-License-Identifier: MIT */
#include "conf/snapshot/password.h"

#include "base/err.h"
#include "base/utf8.h"
#include "conf/read/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define PASSWORD_SIZE_MAX 4096

static char *credential_path(void *mem_ctx, const char *name, struct viewd_err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	if (dir == NULL || dir[0] == '\0') {
		err_set(err, VIEWD_ERR_AUTH, "password credential '%s' is not available ($CREDENTIALS_DIRECTORY is not set)",
		        name);
		err_hint(err, "add LoadCredential=%s:/path/to/file to the unit", name);
		return NULL;
	}
	return talloc_asprintf(mem_ctx, "%s/%s", dir, name);
}

static bool check_password(const char *text, size_t len, const char *path, struct viewd_err *err)
{
	size_t at;
	if (len == 0)
		return err_set(err, VIEWD_ERR_AUTH, "password file '%s' holds no password", path);
	if (!utf8_valid_bytes(text, len, &at) || strpbrk(text, "\r\n") != NULL)
		return err_set(err, VIEWD_ERR_AUTH, "password file '%s' does not hold one line of UTF-8 text", path);
	return true;
}

/* systemd gives credentials to the service's user read-only, mode 0400 or, with an ACL, 0440: the directory guards
 * them. */
static bool read_file(void *mem_ctx, const char *path, bool credential, char **password_r, struct viewd_err *err)
{
	const struct file_rule rule = {.min_size = 1, .max_size = PASSWORD_SIZE_MAX, .owned = true, .private = !credential};
	size_t len;
	char *text;
	if (!file_read(mem_ctx, AT_FDCWD, path, &rule, &text, &len, err)) {
		if (err != NULL)
			err->cls = VIEWD_ERR_AUTH;
		return err_wrap(err, "password file '%s'", path);
	}
	talloc_set_name_const(text, "char");
	if (text[len - 1] == '\n')
		text[--len] = '\0';
	if (!check_password(text, len, path, err)) {
		password_wipe(&text);
		return false;
	}
	*password_r = text;
	return true;
}

bool password_read(void *mem_ctx, const struct conf_database *db, char **password_r, struct viewd_err *err)
{
	if (db->password_file != NULL)
		return read_file(mem_ctx, db->password_file, false, password_r, err);
	if (db->password_credential == NULL) {
		*password_r = NULL;
		return true;
	}
	char *path = credential_path(mem_ctx, db->password_credential, err);
	bool done = path != NULL && read_file(mem_ctx, path, true, password_r, err);
	talloc_free(path);
	return done;
}

void password_wipe(char **password)
{
	if (password == NULL || *password == NULL)
		return;
	explicit_bzero(*password, talloc_get_size(*password));
	talloc_free(*password);
	*password = NULL;
}
