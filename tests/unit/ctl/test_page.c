/* SPDX-License-Identifier: MIT
 *
 * test_page.c: the pages for people, as far as they are made here.
 */
#include "ctl_support.h"

#include "ctl/page/files.h"
#include "ctl/page/html.h"
#include "support/harness.h"

#include <string.h>
#include <talloc.h>

static const char *text_of(struct text_out *out)
{
	char *text = talloc_strndup(harness_ctx(), out->data, out->len);
	text_out_free(out);
	return text;
}

static void texts_are_escaped(void)
{
	struct text_out out = {0};
	html_element(&out, "td", "a\"b", "<script>alert('x') && y</script>");
	CHECK_STR(text_of(&out),
	          "<td class=\"a&quot;b\">&lt;script&gt;alert(&#39;x&#39;) &amp;&amp; y&lt;/script&gt;</td>");
	char *longer = talloc_array(harness_ctx(), char, 1001);
	memset(longer, 'x', 1000);
	longer[1000] = '\0';
	html_text(&out, longer);
	CHECK_STR(text_of(&out), longer);
	html_text(&out, NULL);
	CHECK_INT(out.len, 0);
	html_query(&out, "shop:a b&c<\"");
	CHECK_STR(text_of(&out), "shop:a%20b%26c%3C%22");
}

static void files_are_compiled_in(void)
{
	static const char *const paths[] = {"/viewd.css", "/viewd.js", "/table.js", "/graph.js", "/view.js", "/viewd.svg"};
	struct rig rig;
	rig_start(&rig, NULL);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const struct page_file *file = page_file(paths[i]);
		REQUIRE(file != NULL && file->len > 0);
		char *reply = rig_ask(&rig, talloc_asprintf(harness_ctx(), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]));
		CHECK_CONTAINS(reply, "200 OK");
		CHECK_CONTAINS(reply, file->content_type);
		CHECK(memmem(reply, strlen(reply), file->data, file->len) != NULL);
	}
	CHECK(page_file("/viewd") == NULL && page_file("/../viewd.css") == NULL);
	rig_check_error(rig_post(&rig, "/viewd.css", "{}"), " 405 ", "usage", "takes GET");
	rig_stop(&rig);
}

static void the_list_is_a_table(void)
{
	struct rig rig;
	rig_start(&rig, NULL);
	char *reply = rig_ask(&rig, GET("/")), *body = rig_body(reply);
	CHECK_CONTAINS(reply, "Content-Type: text/html; charset=utf-8");
	CHECK_CONTAINS(body, "<th scope=\"row\"><a href=\"/view?view=shop:alpha\">alpha</a></th><td>shop</td>"
	                     "<td class=\"ACTIVE\">ACTIVE</td><td class=\"FRESH\">FRESH</td>");
	CHECK_CONTAINS(body, "<td class=\"error\">lock timeout after 2s</td>");
	CHECK_CONTAINS(body, "</html>\n");
	rig.engine.n_extra = 3000;
	body = rig_body(rig_ask(&rig, GET("/")));
	size_t n = 0;
	for (const char *at = body; (at = strstr(at, "<tr data-key=")) != NULL; at++)
		n++;
	CHECK_INT(n, 3002);
	rig_stop(&rig);
}

static void one_view_has_a_page(void)
{
	static const char *const parts[] = {
		"<h1 data-key=\"shop:alpha\">", "<li>it is fresh</li>",
		"Duration of refreshes",        "<dt>is read by</dt><dd><a href=\"/view?view=shop:beta\">beta</a></dd>",
		"<pre>SELECT 1 AS one</pre>",   "<th scope=\"row\">every</th>"};
	struct rig rig;
	rig_start(&rig, NULL);
	char *body = rig_body(rig_ask(&rig, GET("/view?view=shop:alpha")));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		CHECK_CONTAINS(body, parts[i]);
	rig_check_error(rig_ask(&rig, GET("/view?view=gamma")), " 404 ", "missing", "is not known");
	rig_check_error(rig_ask(&rig, GET("/view")), " 400 ", "usage", "needs VIEW");
	rig_stop(&rig);
}

static const struct harness_test tests[] = {
	{"texts are escaped", texts_are_escaped},
	{"files are compiled in", files_are_compiled_in},
	{"the list is a table", the_list_is_a_table},
	{"one view has a page", one_view_has_a_page},
};
HARNESS_MAIN(SUITE("page", tests))
