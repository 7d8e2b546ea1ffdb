/* SPDX-License-Identifier: MIT */
#include "ctl/text/json_err.h"

static const char *known(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static void put_text(struct text_out *out, const char *key, const char *text)
{
	text_out_raw(out, key);
	text_out_string(out, text);
}

static void put_failure(struct text_out *out, const char *class_word, const struct viewd_err *err)
{
	char buf[16];
	put_text(out, "{\"class\":", class_word);
	put_text(out, ",\"code\":", known(err_code(err, buf)));
	put_text(out, ",\"message\":", err->msg);
	put_text(out, ",\"hint\":", known(err->hint));
	text_out_raw(out, "}");
}

void text_out_err(struct text_out *out, const struct viewd_err *err)
{
	if (err == NULL || err->cls == VIEWD_ERR_OK)
		text_out_raw(out, "null");
	else
		put_failure(out, err_class_word(err->cls), err);
}

json_t *json_err(const struct viewd_err *err)
{
	struct text_out text = {0};
	text_out_err(&text, err);
	return text_out_parse(&text);
}

json_t *json_failure(const char *class_word, const struct viewd_err *err)
{
	struct text_out text = {0};
	put_failure(&text, class_word, err);
	return text_out_parse(&text);
}
