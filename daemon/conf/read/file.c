/* SPDX-License-Identifier: MIT */
#include "conf/read/file.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

static bool check_access(const struct stat *st, const struct file_rule *rule, struct viewd_err *err)
{
	if (!rule->owned && (st->st_mode & S_IWOTH) != 0) {
		err_set(err, VIEWD_ERR_CONFIG, "file is writable by everyone");
		return err_hint(err, "chmod o-w");
	}
	if (!rule->owned)
		return true;
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		err_set(err, VIEWD_ERR_CONFIG, "file belongs to uid %u", (unsigned)st->st_uid);
		return err_hint(err, "it must belong to root or to the user viewd runs as");
	}
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		err_set(err, VIEWD_ERR_CONFIG, "file is writable by others than its owner");
		return err_hint(err, "chmod go-w");
	}
	if (rule->private && (st->st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		err_set(err, VIEWD_ERR_CONFIG, "file is accessible to others than its owner");
		return err_hint(err, "chmod 600");
	}
	return true;
}

static bool check_kind(const struct stat *st, const struct file_rule *rule, struct viewd_err *err)
{
	if (S_ISDIR(st->st_mode))
		return err_set(err, VIEWD_ERR_CONFIG, "is a directory, not a file");
	if (!S_ISREG(st->st_mode))
		return err_set(err, VIEWD_ERR_CONFIG, "is not a regular file");
	if ((uint64_t)st->st_size > rule->max_size)
		return err_set(err, VIEWD_ERR_CONFIG, "file has %lld bytes, at most %zu are read", (long long)st->st_size,
		               rule->max_size);
	return check_access(st, rule, err);
}

/* One byte more than allowed is asked for, so that a file that grows meanwhile is noticed. */
static bool read_all(void *mem_ctx, int fd, const struct file_rule *rule, size_t size, char **data_r, size_t *len_r,
                     struct viewd_err *err)
{
	size_t cap = size + 1, len = 0;
	char *data = talloc_size(mem_ctx, cap + 1);
	assert(data != NULL);
	for (;;) {
		ssize_t n = read(fd, data + len, cap - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			if (n == 0 && len >= rule->min_size && len <= size)
				break;
			int errnum = errno;
			talloc_free(data);
			return n < 0 ? err_sys(err, VIEWD_ERR_CONFIG, errnum, "file cannot be read")
			             : err_set(err, VIEWD_ERR_CONFIG, "file is empty");
		}
		len += (size_t)n;
		if (len > size) {
			talloc_free(data);
			return err_set(err, VIEWD_ERR_CONFIG, "file changed while it was read");
		}
	}
	data[len] = '\0';
	*data_r = data;
	*len_r = len;
	return true;
}

bool file_read(void *mem_ctx, int dirfd, const char *path, const struct file_rule *rule, char **data_r, size_t *len_r,
               struct viewd_err *err)
{
	/* O_NONBLOCK: a FIFO must not stop the daemon before fstat has seen what it is. */
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (rule->nofollow ? O_NOFOLLOW : 0));
	if (fd < 0 && rule->nofollow && errno == ELOOP)
		return err_set(err, VIEWD_ERR_CONFIG, "file is a symbolic link");
	if (fd < 0)
		return err_sys(err, VIEWD_ERR_CONFIG, errno, "file cannot be opened");
	struct stat st;
	bool done =
		fstat(fd, &st) == 0 ? check_kind(&st, rule, err) : err_sys(err, VIEWD_ERR_CONFIG, errno, "fstat failed");
	done = done && read_all(mem_ctx, fd, rule, (size_t)st.st_size, data_r, len_r, err);
	close(fd);
	return done;
}
