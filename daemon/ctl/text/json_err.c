/* SPDX-License-Identifier: MIT */
#include "ctl/text/json_err.h"

static void put_failure(struct text_out *out, const char *class_word, const struct viewd_err *err)
{
	char buf[16];
	text_out_pair(out, "{\"class\":", class_word);
	text_out_pair(out, ",\"code\":", text_out_known(err_code(err, buf)));
	text_out_pair(out, ",\"message\":", err->msg);
	text_out_pair(out, ",\"hint\":", text_out_known(err->hint));
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
