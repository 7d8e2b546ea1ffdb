/* SPDX-License-Identifier: MIT */
#include "contract/kept.h"

struct viewd_view_spec kept_view(const char *name, const char *definition)
{
	struct viewd_view_spec view = contract_view(name, VIEWD_METHOD_TABLE, definition);
	view.mode = VIEWD_MODE_INCREMENTAL;
	return view;
}

void kept_begin(struct contract *c)
{
	struct viewd_resolved resolved;
	struct viewd_view_spec view = kept_view("v", "SELECT 1 AS id");
	contract_begin(c);
	contract_need("incremental");
	if (!c->dialect->check_view(&c->db, &view, &resolved, (struct viewd_text_sink){0}, &c->err))
		harness_skip("the dialect does not refresh incrementally");
}

void kept_make(struct contract *c, const struct viewd_view_spec *view)
{
	APPLY(c, view, VIEWD_CHANGE_CREATE);
	REFRESH(c, view);
	CHECK_CONTAINS(c->outcome.reason, "all rows");
	VERIFY_EQUAL(c, view);
}

void kept_keeps(struct contract *c, const struct viewd_view_spec *view)
{
	REFRESH(c, view);
	CHECK_CONTAINS(c->outcome.reason, "incremental: ");
	VERIFY_EQUAL(c, view);
}

void kept_keeps_by(struct contract *c, const struct viewd_view_spec *view, int64_t written)
{
	kept_keeps(c, view);
	CHECK(c->outcome.rows_written <= written && c->outcome.rows_written * 2 >= written);
	CHECK_INT(c->outcome.did, written > 0 ? VIEWD_DID_INCREMENTAL : VIEWD_DID_NO_DATA);
	kept_keeps(c, view);
	CHECK_INT(c->outcome.rows_written, 0);
	CHECK_INT(c->outcome.did, VIEWD_DID_NO_DATA);
}

void kept_takes_all(struct contract *c, const struct viewd_view_spec *view)
{
	REFRESH(c, view);
	CHECK_CONTAINS(c->outcome.reason, "all rows");
	VERIFY_EQUAL(c, view);
}

void kept_owners(void)
{
	contract_sql("CREATE TABLE owner (id integer PRIMARY KEY, name varchar(20), town integer);"
	             "CREATE TABLE thing (id integer PRIMARY KEY, owner integer, price integer, note varchar(20));"
	             "INSERT INTO owner VALUES (1, 'Ann', 1), (2, 'Ben', 1), (3, 'Cid', 2), (4, NULL, NULL);"
	             "INSERT INTO thing VALUES (1, 1, 10, 'a'), (2, 1, 20, 'b'), (3, 2, 30, NULL), (4, NULL, 40, 'd'), (5, "
	             "9, 50, 'e');");
}
