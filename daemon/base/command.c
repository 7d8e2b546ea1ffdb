/* SPDX-License-Identifier: MIT */
#include "base/command.h"

#include "base/err.h"
#include "base/mem.h"

#include <glib.h>

static char **copy_words(void *mem_ctx, char *const *words, size_t n)
{
	char **copy = mem_array(mem_ctx, char *, n + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = mem_strdup(copy, words[i]);
	return copy;
}

char **command_words(void *mem_ctx, const char *text, struct viewd_err *err)
{
	GError *failure = NULL;
	gchar **words;
	gint n;
	if (!g_shell_parse_argv(text, &n, &words, &failure)) {
		err_set(err, VIEWD_ERR_CONFIG, "'%.200s' is no command line (%s)", text, failure->message);
		err_hint(err, "a quote that is opened has to be closed; no shell reads the line");
		g_error_free(failure);
		return NULL;
	}
	char **copy = words[0][0] == '/' ? copy_words(mem_ctx, words, (size_t)n) : NULL;
	if (copy == NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "'%.200s' is no absolute path of a program", words[0]);
		err_hint(err, "write the whole path: /usr/bin/logger; no shell looks for it");
	}
	g_strfreev(words);
	return copy;
}

char *command_path(void *mem_ctx, const char *name)
{
	gchar *found = g_find_program_in_path(name);
	char *copy = found != NULL && found[0] == '/' ? mem_strdup(mem_ctx, found) : NULL;
	g_free(found);
	return copy;
}
